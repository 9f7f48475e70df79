"""Decision regions: the grid, what is held, who may answer, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from taut import Recipe, TautClassifier
from taut.errors import DataError, InvalidType, InvalidValue
from taut.training import decision_regions, fit_model
from taut.training.regions import plane_of


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": random.normal(size=50),
            "town": random.choice(["Bern", "Basel", "Basel"], size=50),
            "b": random.normal(size=50),
            "c": np.where(np.arange(50) % 5, random.integers(0, 9, 50), np.nan),
            "empty": np.full(50, np.nan),
        }
    )


def test_the_grid_spans_the_rows_and_all_else_is_held(frame):
    plane = plane_of(frame, ["b", "a"], resolution=7)
    assert plane.names == ("b", "a")
    assert plane.x[0] < frame["b"].min()
    assert plane.x[-1] > frame["b"].max()
    assert list(plane.rows) == list(frame)
    np.testing.assert_array_equal(plane.rows["b"].to_numpy().reshape(7, 7), np.tile(plane.x, (7, 1)))
    np.testing.assert_array_equal(plane.rows["a"].to_numpy().reshape(7, 7), np.tile(plane.y[:, None], 7))
    assert plane.held == {"town": "Basel", "c": frame["c"].median(), "empty": None}
    assert set(plane.rows["town"]) == {"Basel"}
    np.testing.assert_array_equal(plane.points, frame[["b", "a"]])


def test_regions_are_what_the_model_says_there(frame):
    y = np.where(frame["a"] > 0, "up", "down")
    model = fit_model(Recipe(epochs=5), frame, y, task="classification")
    found = decision_regions(model, frame, ["a", "b"], resolution=6)
    np.testing.assert_array_equal(found.values.reshape(36, 2), model.predict_proba(found.plane.rows))
    assert found.classes.tolist() == ["down", "up"]
    np.testing.assert_array_equal(found.classes[found.winners].ravel(), model.predict(found.plane.rows))
    assert (found.confidence >= 0.5).all()
    estimator = TautClassifier(effort="none", epochs=5).fit(frame, y)
    assert decision_regions(estimator, frame, [0, 2], resolution=6).values.shape == (6, 6, 2)


def test_arrays_and_estimators_of_others_will_do_and_numbers_have_no_classes():
    X = np.random.default_rng(0).normal(size=(30, 2))
    found = decision_regions(LinearRegression().fit(X, X[:, 0]), X, resolution=5)
    np.testing.assert_allclose(found.values, np.tile(found.plane.x, (5, 1)), atol=1e-12)
    for name in ("winners", "confidence"):
        with pytest.raises(InvalidValue, match="no classes"):
            getattr(found, name)
    assert decision_regions(LogisticRegression().fit(X, X[:, 0] > 0), X).values.shape == (120, 120, 2)
    with pytest.raises(InvalidType, match="model must be"):
        decision_regions("a model", X)


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        (None, InvalidValue, r"the table has 5 \(4 of numbers\): name two"),
        (["a"], InvalidValue, "two columns, got"),
        ("ab", InvalidValue, "two columns, got 'ab'"),
        (["a", "z"], InvalidValue, "names 'z'"),
        (["a", "a"], InvalidValue, "'a' twice"),
        (["a", "town"], InvalidValue, "'town' is none"),
        (["a", 9], InvalidValue, "at most 4, got 9"),
        (["a", "empty"], DataError, "'empty' has fewer than two values"),
    ],
)
def test_what_is_no_plane_is_refused_in_one_line(frame, inputs, error, words):
    with pytest.raises(error, match=words) as raised:
        plane_of(frame, inputs)
    assert "\n" not in str(raised.value)
