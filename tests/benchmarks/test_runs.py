"""The runs: what is there is not made again, what fails is told, and the rest goes on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.tables import outcomes as files
from benchmarks.tables.__main__ import METHODS_ON_FRESH, parse
from benchmarks.tables.outcomes import Key, Outcomes
from benchmarks.tables.peers import PEERS, versions_of
from benchmarks.tables.problems import problems, table_names
from benchmarks.tables.report import CONTENDERS
from benchmarks.tables.runs import run

VERSIONS = {"good": {"package": "1.0"}, "bad": {}, "good (error)": {}, "good (classes)": {}}


def mean(problem):
    if problem.is_classification:
        return np.full((len(problem.y_test), len(problem.classes)), 1.0 / len(problem.classes))
    return np.full(len(problem.y_test), problem.y.mean())


def refuse(problem):
    raise ValueError("not\nthis table")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    columns = {"x": np.arange(40.0), "level": pd.Categorical(["a", None] * 20)}
    pd.DataFrame(columns | {"target": np.arange(40.0)}).to_parquet(folder / "numbers.parquet")
    pd.DataFrame(columns | {"target": pd.Categorical(["1", "0"] * 20)}).to_parquet(folder / "classes.parquet")
    return folder


@pytest.fixture
def outcomes(tmp_path):
    return Outcomes(tmp_path / "outcomes.json")


def cuts(folder):
    return problems(folder, table_names(folder))


def test_every_method_is_run_on_every_cut_and_a_failure_is_told(folder, outcomes, capsys):
    run(outcomes, cuts(folder), {"good": mean, "bad": refuse}, VERSIONS)
    found = outcomes.read()
    assert len(found) == 8
    assert (
        found[Key("good", "classes", 0)].items()
        >= {"loss": 0.693147, "error": 0.5, "versions": VERSIONS["good"]}.items()
    )
    assert found[Key("bad", "numbers", 1)]["failed"] == "ValueError: not this table"
    assert "bad/numbers/1: FAILED, ValueError: not this table" in capsys.readouterr().out.splitlines()


def test_what_is_there_is_not_made_again(folder, outcomes, capsys):
    run(outcomes, cuts(folder), {"good": mean}, VERSIONS)
    capsys.readouterr()
    run(outcomes, cuts(folder), {"good": refuse}, VERSIONS)
    run(outcomes, cuts(folder), {"good": refuse}, {"good": {"package": "2.0"}}, keep=True)
    assert capsys.readouterr().out == ""
    run(outcomes, cuts(folder), {"good": mean}, {"good": {"package": "2.0"}})
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.parametrize("name", ["good (error)", "good (classes)"])
def test_a_method_for_classes_is_not_asked_about_numbers(folder, outcomes, name):
    run(outcomes, cuts(folder), {name: mean}, VERSIONS)
    assert {key.table for key in outcomes.read()} == {"classes"}


def test_an_interruption_loses_the_fit_at_hand_alone(folder, outcomes):
    def interrupted(problem):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(outcomes, cuts(folder), {"good": mean, "bad": interrupted}, VERSIONS)
    assert list(outcomes.read()) == [Key("good", "classes", 0)]


@pytest.mark.parametrize("name", ["constant", "linear", "random forest"])
def test_peers_of_scikit_learn_take_gaps_and_levels(folder, outcomes, name):
    run(outcomes, cuts(folder), {name: PEERS[name]}, {name: {}})
    assert not [entry["failed"] for entry in outcomes.read().values() if "failed" in entry]


def test_versions_are_those_of_a_peers_own_packages_without_the_build(monkeypatch):
    installed = {"torch": "2.0+cpu", "pytabkit": "1.0", "scikit-learn": "3.0"}
    monkeypatch.setattr("benchmarks.tables.peers.version", installed.get)
    assert versions_of(["RealMLP-TD bagged (loss)", "sklearn MLP, grid"]) == {
        "RealMLP-TD bagged (loss)": {"pytabkit": "1.0", "torch": "2.0"},
        "sklearn MLP, grid": {"scikit-learn": "3.0"},
    }


def test_the_report_knows_every_method():
    from benchmarks.tables.tauts import TAUTS

    assert {name.partition(" (")[0] for name in (*PEERS, *TAUTS)} == set(CONTENDERS)
    assert set(METHODS_ON_FRESH) <= {*PEERS, *TAUTS}


def test_the_files_that_are_kept_are_whole():
    for path in (files.PEERS_FILE, files.TAUT_FILE):
        for key, entry in Outcomes(path).read().items():
            assert key.method in PEERS or key.method.startswith("taut ")
            assert {"versions", "machine"} <= entry.keys()
            assert "failed" in entry or {"loss", "error", "seconds", "cpu"} <= entry.keys()


def test_tables_must_be_there(tmp_path, capsys):
    with pytest.raises(SystemExit):
        parse(["peers", "--tables", str(tmp_path / "none")])
    assert "must be a folder of tables" in capsys.readouterr().err
