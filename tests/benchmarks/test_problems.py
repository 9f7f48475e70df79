"""A table that is cut in two, and what an estimator says of its test rows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks.tables.problems import Problem, shortened


def problem():
    X = pd.DataFrame({"x": np.arange(4.0)})
    y = np.array(["1", "2", "10", "1"], dtype=object)
    return Problem("numbered", 0, X, y, X[:1], y[:1])


def fitted(classes):
    shares = np.array([[{1: 0.5, 2: 0.3, 10: 0.2}[int(one)] for one in classes]])
    return SimpleNamespace(classes_=np.array(classes), predict_proba=lambda _: shares)


@pytest.mark.parametrize("classes", [["1", "10", "2"], [1, 2, 10]], ids=["as words", "as numbers"])
def test_probabilities_are_put_in_the_order_of_the_classes(classes):
    assert list(problem().classes) == ["1", "10", "2"]
    assert problem().answer_of(fitted(classes), None).tolist() == [[0.5, 0.2, 0.3]]


def test_other_classes_than_those_of_the_table_are_an_error():
    with pytest.raises(ValueError, match="columns of the probabilities"):
        problem().answer_of(fitted([1, 2]), None)


@pytest.mark.parametrize("most_rows", [3, 4], ids=["a row less", "as many as there are"])
def test_a_shortened_table_asks_for_no_class_that_it_does_not_show(most_rows):
    X = pd.DataFrame({"x": np.arange(4.0)})
    y = np.array(["a", "b", "c", "d"], dtype=object)
    short = shortened(Problem("long", 0, X, y, X, y), most_rows)
    assert len(short.y) == len(short.X) == most_rows
    assert set(short.y_test) == set(short.y)
    assert short.X_test["x"].tolist() == [float("abcd".index(name)) for name in short.y_test]
