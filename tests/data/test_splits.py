"""Splits keep classes in proportion, groups whole and time in order, and never stumble over small classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from taut.data.splits import folds, hold_out
from taut.errors import DataError, InvalidValue

LABELS = np.array(["a"] * 60 + ["b"] * 30 + ["c"] * 10)


def assert_partition(parts, n):
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))


def test_hold_out_keeps_the_shares_of_the_classes():
    train, test = hold_out(LABELS, LABELS, task="classification", seed=3)
    assert_partition([train, test], 100)
    assert pd.Series(LABELS[test]).value_counts().to_dict() == {"a": 12, "b": 6, "c": 2}


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_hold_out_depends_on_the_seed_alone(task):
    y = np.arange(50) % 5
    splits = [hold_out(y, y, task=task, seed=seed)[1].tolist() for seed in (1, 1, 2, 2**63)]
    assert splits[0] == splits[1]
    assert splits[0] != splits[2]


@pytest.mark.parametrize("labels", [["a"] * 30 + ["b"], ["a"] * 9 + ["b", "c", "d", "e"], list("abcdefgh"), ["a", "b"]])
def test_hold_out_bears_classes_of_one_row(labels):
    train, test = hold_out(labels, labels, task="classification", test_size=0.2)
    assert_partition([train, test], len(labels))
    assert len(test) >= 1


def test_the_only_row_of_a_class_trains():
    labels = np.array(["a"] * 30 + ["b"] * 30 + ["c"])
    assert all(60 in hold_out(labels, labels, task="classification", seed=seed)[0] for seed in range(30))


@pytest.mark.parametrize(("size", "expected"), [(0.25, 25), (7, 7), (0.001, 1), (99, 99)])
def test_test_size_is_a_share_or_a_number_of_rows(size, expected):
    assert len(hold_out(LABELS, LABELS, task="regression", test_size=size)[1]) == expected


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("seed", range(3))
def test_groups_are_never_parted(task, seed):
    groups = np.repeat(np.arange(25), 4)
    train, test = hold_out(LABELS, LABELS, task=task, groups=groups, seed=seed)
    assert_partition([train, test], 100)
    assert not set(groups[train]) & set(groups[test])
    assert 10 <= len(test) <= 30
    parts = folds(LABELS, task=task, groups=groups, seed=seed)
    assert_partition([validation for _, validation in parts], 100)
    for train, validation in parts:
        assert not set(groups[train]) & set(groups[validation])


def test_a_group_to_each_class_is_still_split():
    train, test = hold_out(LABELS, LABELS, task="classification", groups=LABELS)
    assert len(train)
    assert len(test)


@pytest.mark.parametrize("kind", ["numbers", "dates", "text"])
def test_the_last_rows_in_time_are_tested(kind):
    rank = np.random.default_rng(0).permutation(100)
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(rank, unit="D")
    time = {"numbers": rank, "dates": pd.Series(dates), "text": pd.Series(dates).dt.strftime("%d.%m.%Y")}[kind]
    train, test = hold_out(LABELS, LABELS, task="classification", time=time)
    assert rank[test].min() > rank[train].max()
    for train, validation in folds(LABELS, task="classification", time=time):
        assert rank[validation].min() > rank[train].max()


def test_every_row_is_validated_once_and_classes_keep_their_shares():
    parts = folds(LABELS, task="classification", n_splits=5, seed=1)
    assert_partition([validation for _, validation in parts], 100)
    for train, validation in parts:
        assert not set(train) & set(validation)
        assert pd.Series(LABELS[validation]).value_counts().to_dict() == {"a": 12, "b": 6, "c": 2}


def test_small_classes_do_not_cost_the_others_their_shares():
    labels = np.array(["a"] * 50 + ["b"] * 50 + ["c", "d"])
    for _, validation in folds(labels, task="classification", n_splits=5):
        assert 9 <= (labels[validation] == "b").sum() <= 11


@pytest.mark.parametrize("labels", [list("abcde"), list("aaaab"), list("aabbc"), [True, False] * 3])
def test_folds_bear_tiny_tables_without_a_warning(labels):
    parts = folds(labels, task="classification", n_splits=5)
    assert_partition([validation for _, validation in parts], len(labels))


def test_regression_with_several_targets_splits():
    y = np.zeros((20, 3))
    assert_partition(hold_out(y, y, task="regression"), 20)
    assert len(folds(y, task="regression")) == 5


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"task": "clustering"}, InvalidValue, "task must be"),
        ({"test_size": 0}, InvalidValue, "test_size must be"),
        ({"test_size": 1.5}, InvalidValue, "test_size must be"),
        ({"test_size": 100}, DataError, "leaves no row"),
        ({"groups": [1] * 100}, DataError, "at least 2 groups, got 1"),
        ({"groups": [1.0, None] * 50}, DataError, "group is missing in 50 rows"),
        ({"groups": [1]}, DataError, "1 values for 100 rows"),
        ({"time": [1.0, None] * 50}, DataError, "time is missing in 50 rows"),
        ({"time": ["soon"] * 100}, DataError, "'soon'"),
        ({"time": range(100), "groups": range(100)}, InvalidValue, "not both"),
    ],
)
def test_unusable_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        hold_out(LABELS, LABELS, **({"task": "classification"} | arguments))


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="1 row"):
        hold_out([1], [1], task="regression")
    with pytest.raises(DataError, match="5 folds need more than 4 rows"):
        folds([1, 2, 3, 4], task="regression")
    with pytest.raises(DataError, match="missing in 1 rows"):
        folds(["a", None, "b"] * 1, n_splits=2, task="classification")
    with pytest.raises(InvalidValue, match="n_splits"):
        folds([1, 2, 3], n_splits=1, task="regression")
