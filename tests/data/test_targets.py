"""Targets go to what a network puts out and back, through JSON, and their task is guessed as a person would."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from taut.data.numeric_targets import numeric_target
from taut.data.targets import ClassTargets, NumberTargets, infer_task
from taut.errors import DataError, InvalidValue


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (["a", "b"] * 5, "classification"),
        (pd.Categorical([1, 2, 3] * 50), "classification"),
        ([True, False] * 5, "classification"),
        (pd.Series([True, None] * 5, dtype="boolean"), "classification"),
        ([0, 1] * 3, "classification"),
        ([0.0, 1.0, np.nan], "classification"),
        ([0, 1, 2] * 50, "classification"),
        (list(range(20)) * 30, "classification"),
        (list(range(21)) * 30, "regression"),
        ([0, 1, 2] * 5, "regression"),
        ([0.5, 1.5] * 50, "regression"),
        ([1.0, 2.0, 3.0] * 50, "regression"),
        ([f"{number:,}" for number in range(900, 1200)], "regression"),
        (["1", "2", "3"] * 50, "classification"),
    ],
)
def test_task_is_inferred(y, task):
    series = pd.Series(y)
    assert infer_task(series) == task


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([None, None], "no values"),
        (pd.date_range("2020", periods=5), "dates"),
        ([f"sentence {number}" for number in range(100)], "it is text"),
    ],
)
def test_target_that_cannot_be_predicted_is_refused(y, message):
    with pytest.raises(DataError, match=message):
        infer_task(pd.Series(y))


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (["b", "a", "b"], "O"),
        (np.array(["b", "a"]), "O"),
        (pd.Categorical(["b", "a"], categories=["b", "a", "c"]), "O"),
        ([3, 1, 3], "i"),
        (pd.Series([3, 1], dtype="Int64"), "i"),
        (np.array([3, 1], dtype=np.uint8), "i"),
        ([2.0, 1.0], "f"),
        ([True, False], "b"),
        (pd.Series([True, False], dtype="boolean"), "b"),
        ([[1], [0]], "i"),
    ],
)
def test_labels_return_in_their_own_type_also_through_json(labels, kind):
    targets = ClassTargets().fit(labels)
    again = ClassTargets.from_dict(json.loads(json.dumps(targets.to_dict())))
    codes = again.encode(labels)
    assert codes.dtype == np.int64
    decoded = again.decode(codes)
    assert decoded.dtype.kind == kind
    assert decoded.tolist() == np.asarray(labels).ravel().tolist()
    assert again.classes_.tolist() == sorted(set(np.asarray(labels).ravel().tolist()))


def test_classes_may_be_more_than_the_target_shows():
    targets = ClassTargets().fit(["b", "a"], classes=["a", "b", "c"])
    assert targets.encode(["c"]).tolist() == [2]
    with pytest.raises(DataError, match="'d' is not one of"):
        ClassTargets().fit(["d"], classes=["a", "b"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", None, "b", None], "missing .* in 2 row"),
        ([1.0, np.nan], "missing .* in 1 row"),
        ([0.5, 1.0], "Unknown label type: continuous"),
        (["a", "a"], "one class, 'a'"),
        (pd.Series(["a", 1], dtype=object), "int and str"),
        ([], "no rows"),
    ],
)
def test_unusable_labels_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        ClassTargets().fit(labels)


def test_unknown_label_is_refused_and_named():
    with pytest.raises(DataError, match=r"'z' is not one of those trained on: a, b"):
        ClassTargets().fit(["a", "b"]).encode(["a", "z"])


def test_labels_of_two_columns_are_refused():
    with pytest.raises(InvalidValue, match=r"shape \(rows,\)"):
        ClassTargets().fit(np.zeros((3, 2)))


@pytest.mark.parametrize(
    "y",
    [
        [1.0, 5.0, 9.0],
        pd.Series([1, 5, 9], dtype="Int64"),
        np.array([[1.0, 10.0], [2.0, 20.0], [6.0, 7.0]]),
        np.array([[1.0], [2.0], [6.0]]),
        pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]}),
        ["1,000", "2,500", "7"],
    ],
)
def test_numbers_are_standardized_and_return_in_their_shape_and_units(y):
    targets = NumberTargets().fit(y)
    encoded = targets.encode(y)
    assert encoded.ndim == 2
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(encoded.std(axis=0), 1)
    again = NumberTargets.from_dict(json.loads(json.dumps(targets.to_dict())))
    plain = [1000.0, 2500.0, 7.0] if isinstance(y, list) and isinstance(y[0], str) else np.asarray(y, dtype=float)
    np.testing.assert_allclose(again.decode(again.encode(y)), plain)


@pytest.mark.parametrize(
    ("words", "numbers", "later", "meant"),
    [
        (["0,13", "2.500", "7,5"], [0.13, 2500, 7.5], ["6.779"], [6779]),
        (["50,125.73", "7", "1,234"], [50125.73, 7, 1234], ["1,250"], [1250]),
        (["€9.13", "€10", "7.5 €"], [9.13, 10, 7.5], ["8 €"], [8]),
        (["19.5%", "3 %", "7%"], [19.5, 3, 7], ["4%"], [4]),
    ],
)
def test_numbers_written_as_text_are_read_later_as_in_training(words, numbers, later, meant):
    assert infer_task(pd.Series(words * 10)) == "regression"
    series = pd.Series(words, index=[7, 3, 5], name="price")
    assert numeric_target(series).equals(pd.Series(map(float, numbers), index=[7, 3, 5], name="price"))
    targets = NumberTargets().fit(series)
    again = NumberTargets.from_dict(json.loads(json.dumps(targets.to_dict())))
    np.testing.assert_allclose(again.decode(again.encode(words)), numbers)
    np.testing.assert_allclose(again.decode(again.encode(later)), meant)
    np.testing.assert_allclose(again.decode(again.encode(meant)), meant)


def test_targets_of_older_files_have_no_styles():
    old = {"kind": "numbers", "mean": [1.0], "scale": [2.0], "flat": True}
    assert NumberTargets.from_dict(old).to_dict() == old
    with pytest.raises(InvalidValue):
        NumberTargets.from_dict(old | {"styles": ["odd"]})


def test_numbers_with_a_unit_are_refused_by_the_unit():
    weights = pd.Series([f"{weight / 10} kg" for weight in range(91, 191)])
    for action in (infer_task, NumberTargets().fit, numeric_target):
        with pytest.raises(DataError, match=r"looks like numbers with the unit 'kg', such as '9\.1 kg'"):
            action(weights)
    assert infer_task(pd.Series(["1 star", "5 star"] * 20)) == "classification"


def test_constant_target_has_scale_one():
    targets = NumberTargets().fit([0.1] * 7)
    assert targets.scale_.tolist() == [1.0]
    assert targets.mean_.tolist() == pytest.approx([0.1])


def test_weights_count_as_repeated_rows():
    weighted = NumberTargets().fit([1.0, 2.0, 9.0], sample_weight=[2, 1, 0])
    repeated = NumberTargets().fit([1.0, 1.0, 2.0])
    np.testing.assert_allclose([weighted.mean_, weighted.scale_], [repeated.mean_, repeated.scale_])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.nan], "missing .* in 1 row"),
        (["1", "n/a", "2"], "missing .* in 1 row"),
        ([1.0, np.inf], "infinite value"),
        (["a", "b"], "should hold numbers but has 'a'"),
        (pd.Series(pd.date_range("2020", periods=2)), "should hold numbers"),
        ([], "no rows"),
    ],
)
def test_unusable_numbers_are_refused(y, message):
    with pytest.raises(DataError, match=message):
        NumberTargets().fit(y)


@pytest.mark.parametrize(
    "fields",
    [{}, {"mean": [1], "scale": [0], "flat": True}, {"mean": ["x"], "scale": [1], "flat": True},
     {"mean": [1, 2], "scale": [1], "flat": True}],
)  # fmt: skip
def test_damaged_fields_are_refused(fields):
    with pytest.raises(InvalidValue):
        NumberTargets.from_dict(fields)
    with pytest.raises(InvalidValue):
        ClassTargets.from_dict(fields)
