"""Permutation importance: what matters, with intervals, the same for the same seed; what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from taut import TautClassifier, TautRegressor, permutation_importance
from taut.errors import DataError, InvalidType, InvalidValue
from taut.selection.objectives import log_losses


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "noise": random.normal(size=400),
            "size": random.normal(size=400),
            "town": random.choice(["Bern", "Basel"], size=400),
            "gaps": np.where(random.random(400) < 0.2, np.nan, random.normal(size=400)),
        }
    )
    score = 2 * frame["size"] + 2.0 * (frame["town"] == "Bern")
    return frame, np.where(score + random.normal(size=400) > 1, "yes", "no")


@pytest.fixture(scope="module")
def model(table):
    frame, y = table
    return TautClassifier(effort="none", epochs=30).fit(frame.iloc[:250], y[:250])


def test_what_matters_stands_first_and_noise_is_none(table, model):
    frame, y = (each[250:] for each in table)
    found = permutation_importance(model, frame, y)
    assert found.columns[:2] == ["size", "town"]
    assert (found.low[:2] > 0).all()
    for name in ("noise", "gaps"):
        place = found.columns.index(name)
        assert abs(found.increase[place]) < 0.1 * found.increase[0]
    assert found.unit == "log loss"
    codes = model.model_.targets.encode(y)
    assert found.loss == pytest.approx(log_losses(model.predict_proba(frame), codes).mean())
    assert (found.rows, found.repeats) == (150, 5)


def test_intervals_are_those_of_a_mean_over_rows_and_hold_what_other_rows_say():
    random = np.random.default_rng(1)
    X = random.normal(size=(3000, 2))
    y = X[:, 0] + 0.3 * random.normal(size=3000)
    fitted = TautRegressor(effort="none", epochs=20).fit(X[:300], y[:300])
    truth = permutation_importance(fitted, X[300:], y[300:], most_rows=2700, repeats=3)
    assert truth.unit == "share of variance"
    hits = 0
    for part in range(20):
        rows = slice(300 + 100 * part, 400 + 100 * part)
        found = permutation_importance(fitted, X[rows], y[rows], seed=part)
        hits += found.low[0] <= truth.increase[0] <= found.high[0]
        assert found.columns[0] == "x0"
    assert hits >= 16
    np.testing.assert_allclose((truth.high - truth.low) / 2, 1.96 * truth.error, rtol=2e-3)


def test_same_seed_same_answer_and_arrays_are_as_frames(table, model):
    frame, y = (each[250:320] for each in table)
    one, same, other = (permutation_importance(model, frame, y, seed=seed, repeats=2) for seed in (0, 0, 1))
    assert one.to_dict() == same.to_dict()
    assert one.increase.tolist() != other.increase.tolist()
    few = permutation_importance(model, frame, y, most_rows=30, repeats=2)
    assert few.rows == 30


@pytest.mark.parametrize(
    ("who", "rows", "options", "error", "words"),
    [
        (3, (400, 400), {}, InvalidType, "got int"),
        (LinearRegression(), (400, 400), {}, InvalidType, "got LinearRegression"),
        (None, (400, 399), {}, InvalidValue, "400 rows and 399 targets"),
        (None, (1, 1), {}, DataError, "at least 2 rows"),
        (None, (400, 400), {"repeats": 0}, InvalidValue, "repeats must be"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(who, rows, options, error, words, table, model):
    frame, y = table
    with pytest.raises(error, match=words):
        permutation_importance(model if who is None else who, frame[: rows[0]], y[: rows[1]], **options)
