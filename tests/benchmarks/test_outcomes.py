"""Outcomes: each is kept at once, lies on a line of its own, and is made again when it was made with something else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks.tables.outcomes import Key, Outcomes

VERSIONS = {"package": "1.0"}
ENTRY = {"loss": 0.123456789, "error": 0.25, "versions": VERSIONS, "machine": "invented"}


@pytest.fixture
def outcomes(tmp_path):
    return Outcomes(tmp_path / "outcomes.json")


def test_what_is_added_is_read_back_to_six_digits(outcomes):
    key = Key("X bagged (loss)", "a_table", 1)
    outcomes.add(key, ENTRY)
    assert Outcomes(outcomes.path).read() == {key: ENTRY | {"loss": 0.123457}}


def test_each_lies_on_a_line_of_its_own_in_order(outcomes):
    for key in (Key("X", "b", 0), Key("X", "a", 1), Key("X", "a", 0), Key("W", "z", 0)):
        outcomes.add(key, ENTRY)
    lines = outcomes.path.read_text(encoding="utf-8").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["{", '"W/z/0"', '"X/a/0"', '"X/a/1"', '"X/b/0"', "}"]


def test_a_later_outcome_takes_the_place_of_an_earlier_one(outcomes):
    key = Key("X", "a", 0)
    outcomes.add(key, {"failed": "for once"})
    outcomes.add(key, ENTRY)
    assert list(outcomes.read()) == [key]
    assert "failed" not in outcomes.read()[key]


def test_what_was_made_with_other_versions_is_made_again(outcomes):
    key = Key("X", "a", 0)
    assert not outcomes.is_current(key, VERSIONS)
    outcomes.add(key, ENTRY)
    assert outcomes.is_current(key, VERSIONS)
    assert not outcomes.is_current(key, {"package": "1.1"})
    assert not outcomes.is_current(key, VERSIONS | {"another": "1.0"})
    assert not outcomes.is_current(Key("X", "a", 1), VERSIONS)


def test_what_is_there_may_be_kept_whatever_it_was_made_with(outcomes):
    outcomes.add(Key("X", "a", 0), ENTRY)
    assert outcomes.is_current(Key("X", "a", 0), None)
    assert not outcomes.is_current(Key("X", "a", 1), None)


def test_what_failed_is_tried_again(outcomes):
    outcomes.add(Key("X", "a", 0), {"failed": "ValueError: no", "versions": VERSIONS})
    assert not outcomes.is_current(Key("X", "a", 0), VERSIONS)
    assert not outcomes.is_current(Key("X", "a", 0), None)


def test_several_may_fill_one_file(outcomes):
    keys = [Key(method, "a", split) for method in "WXYZ" for split in range(10)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: Outcomes(outcomes.path).add(key, ENTRY), keys))
    assert list(outcomes.read()) == keys


def test_figures_of_numpy_are_written_as_numbers(outcomes):
    outcomes.add(Key("X", "a", 0), ENTRY | {"loss": np.float64(1 / 3)})
    assert outcomes.read()[Key("X", "a", 0)]["loss"] == 0.333333
