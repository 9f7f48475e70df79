"""Cross-validation: same folds for all, nothing learned from validation rows, any number of threads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.plain import plain

from taut.data import folds, load_sample
from taut.errors import InvalidValue
from taut.selection.cross_validation import cross_validate
from taut.training.model import fit_model
from taut.training.recipe import Recipe


@pytest.fixture(scope="module")
def wine() -> tuple[pd.DataFrame, pd.Series]:
    frame, target = load_sample("wine")
    return frame.drop(columns=target), frame[target]


def test_the_curve_is_the_mean_over_folds_and_its_last_epoch_counts(wine):
    X, y = wine
    splits = folds(y, n_splits=3, task="classification")
    recipe = Recipe(epochs=12, l2=0.0, learning_rate=0.1)
    (candidate,) = cross_validate([recipe], X, y, task="classification", splits=splits, dtype=None, n_jobs=1)
    curves = []
    for train, held in splits:
        model = fit_model(
            recipe, X.iloc[train], y.iloc[train], task="classification", validation=(X.iloc[held], y.iloc[held])
        )
        curves.append(model.history["validation_data_loss"])
    mean = np.mean(curves, axis=0)
    np.testing.assert_array_equal(candidate.validation_curve, mean)
    assert candidate.mean == pytest.approx(mean[-1], rel=1e-15)  # sums in another order
    last = [curve[-1] for curve in curves]
    assert candidate.standard_error == pytest.approx(np.std(last, ddof=1) / 3**0.5)
    assert candidate.scores["log_loss"][0] == pytest.approx(candidate.mean)


def test_choices_are_made_in_half_the_precision_which_changes_no_digit_that_counts(wine):
    X, y = wine
    splits = folds(y, n_splits=3, task="classification")
    recipe = Recipe(epochs=12, dropout=0.2)
    quick, exact = (
        cross_validate([recipe], X, y, task="classification", splits=splits, dtype=dtype)[0]
        for dtype in ("float32", None)
    )
    assert quick.mean != exact.mean
    assert abs(quick.mean - exact.mean) < 0.01 * exact.standard_error
    assert quick.recipe == exact.recipe == recipe


def test_training_curves_are_recorded_if_asked_for_and_change_nothing(wine):
    X, y = wine
    splits = folds(y, n_splits=2, task="classification")
    without, with_them = (
        cross_validate([Recipe(epochs=4, dropout=0.2)], X, y, task="classification", splits=splits, curves=curves)[0]
        for curves in (False, True)
    )
    assert np.isnan(without.training_curve).all()
    assert with_them.training_curve[-1] == pytest.approx(with_them.training)
    assert with_them.training == without.training
    np.testing.assert_array_equal(with_them.losses, without.losses)


def test_recipes_that_stop_early_are_refused(wine):
    X, y = wine
    with pytest.raises(InvalidValue, match="early_stopping=False"):
        cross_validate([Recipe(early_stopping=True)], X, y, task="classification", splits=[], n_jobs=1)


def test_the_number_of_threads_does_not_change_the_result(wine):
    X, y = wine
    splits = folds(y, n_splits=2, task="classification")
    recipes = [Recipe(epochs=3, dropout=0.3), Recipe(epochs=3, l1=1e-3)]
    one, two = (cross_validate(recipes, X, y, task="classification", splits=splits, n_jobs=n) for n in (1, 2))
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left.validation_curve, right.validation_curve)


def test_encoders_see_training_rows_only():
    # The column is constant noise but for one huge value: a scaler that saw it in validation would flatten the rest.
    random = np.random.default_rng(0)
    column = random.normal(size=60)
    y = pd.Series(column > 0)
    spoiled = column.copy()
    spoiled[-1] = 1e6
    splits = [(np.arange(40), np.arange(40, 59)), (np.arange(40), np.append(np.arange(40, 59), 59))]
    (clean,) = cross_validate(
        [Recipe(epochs=5)], pd.DataFrame({"x": column}), y, task="classification", splits=splits[:1], curves=True
    )
    (leaky,) = cross_validate(
        [Recipe(epochs=5)], pd.DataFrame({"x": spoiled}), y, task="classification", splits=splits[1:], curves=True
    )
    assert np.isfinite(clean.training_curve).all()
    np.testing.assert_array_equal(clean.training_curve, leaky.training_curve)


def test_regression_scores_are_in_the_units_of_the_target():
    random = np.random.default_rng(1)
    X = pd.DataFrame({"x": random.normal(size=90)})
    y = pd.Series(1000.0 + 50.0 * X["x"] + 5.0 * random.normal(size=90))
    splits = folds(y, n_splits=3, task="regression")
    (candidate,) = cross_validate([Recipe(epochs=150, loss="huber")], X, y, task="regression", splits=splits, n_jobs=1)
    assert 4.0 < candidate.scores["rmse"][0] < 12.0
    assert candidate.scores["r2"][0] > 0.9


def test_progress_is_reported_for_every_fit(wine):
    X, y = wine
    seen = []
    splits = folds(y, n_splits=2, task="classification")
    cross_validate(
        [plain(epochs=1), plain(epochs=1, l2=1.0)],
        X,
        y,
        task="classification",
        splits=splits,
        n_jobs=1,
        report=lambda *words: seen.append(words),
    )
    assert [(done, planned) for done, planned, _ in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [words.split(",")[0] for _, _, words in seen] == ["L2 0.0001", "L2 0.0001", "L2 1", "L2 1"]
    assert "lowest validation loss so far" in seen[1][2]
    assert "so far" not in seen[0][2]


def test_a_recipe_that_diverges_is_out_and_the_others_are_not(wine):
    X, y = wine
    splits = folds(y, n_splits=2, task="classification")
    recipes = [Recipe(epochs=2), Recipe(epochs=2, learning_rate=1e300)]
    fine, lost = cross_validate(recipes, X, y, task="classification", splits=splits, n_jobs=1)
    assert np.isfinite(fine.mean)
    assert lost.mean == np.inf
    assert lost.to_dict()["mean"] is None
