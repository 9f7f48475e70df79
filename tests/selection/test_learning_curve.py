"""Learning curves: fair parts of the training rows, a law that recovers, intervals that cover, and honest advice."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from tests.plain import plain

from taut import Recipe, learning_curve, load_sample
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.random import Random
from taut.selection.folds import Folds
from taut.selection.growth import LearningCurve
from taut.selection.power_law import PowerLaw, fit_law
from taut.selection.subsets import beginning, fair_order

QUICK = plain(epochs=5, hidden_layer_sizes=(4,))
SIZES = np.array([14, 28, 57, 114, 228, 455])


@pytest.fixture(scope="module")
def wine() -> tuple[pd.DataFrame, pd.Series]:
    frame, target = load_sample("wine")
    return frame.drop(columns=target), frame[target]


def noisy(law: PowerLaw, folds: int, seed: int) -> np.ndarray:
    """Return losses of folds that are harder or easier at all sizes, with noise that falls as rows are added."""
    random = np.random.default_rng(seed)
    own = 0.02 * random.normal(size=(1, folds))
    return law(SIZES)[:, None] + own + 0.3 * random.normal(size=(len(SIZES), folds)) / np.sqrt(SIZES)[:, None]


def curve_of(losses: np.ndarray, task: str = "classification", counts: dict | None = None) -> LearningCurve:
    name, other = ("log_loss", "accuracy") if task == "classification" else ("rmse", "r2")
    return LearningCurve(
        recipe=QUICK,
        task=task,
        sizes=SIZES,
        losses=losses,
        metrics={name: losses, other: np.zeros_like(losses)},
        training=np.zeros(len(SIZES)),
        repeats=1,
        class_counts=counts,
        fitted=fit_law(SIZES, losses, random=Random(0)),
    )


# ------------------------------------------------------------------------------------------------------------- subsets


def test_every_beginning_keeps_the_shares_of_the_classes():
    strata = np.repeat([0, 1, 2], [60, 30, 10])
    order = fair_order(Random(1), 100, strata=strata)
    assert sorted(order) == list(range(100))
    for size in range(1, 101):
        counts = np.bincount(strata[order[:size]], minlength=3)
        assert np.abs(counts - size * np.array([0.6, 0.3, 0.1])).max() <= 1.0


def test_an_order_is_drawn_from_its_place():
    one, again, other = (fair_order(Random(seed), 30) for seed in (1, 1, 2))
    assert one.tolist() == again.tolist()
    assert one.tolist() != other.tolist()


def test_groups_come_whole():
    groups = np.arange(40) // 4
    order = fair_order(Random(0), 40, groups=groups)
    part = beginning(order, 10, groups)
    assert len(part) == 12
    assert all(count in (0, 4) for count in np.bincount(groups[part]))


def test_of_rows_with_a_time_the_latest_come_first():
    assert fair_order(Random(0), 4, time=np.array([2, 0, 3, 1])).tolist() == [2, 0, 3, 1]


# ----------------------------------------------------------------------------------------------------------------- law


@pytest.mark.parametrize("law", [PowerLaw(0.2, 3.0, 0.6), PowerLaw(0.0, 2.0, 0.3), PowerLaw(1.0, 50.0, 1.5)], ids=repr)
def test_a_law_without_noise_is_recovered(law):
    fitted = fit_law(SIZES, law(SIZES)[:, None] + np.array([-0.01, 0.0, 0.01]), random=Random(0))
    assert fitted.law.a == pytest.approx(law.a, abs=2e-3)
    assert fitted.law.b == pytest.approx(law.b, rel=1e-2)
    assert fitted.law.c == pytest.approx(law.c, abs=2e-3)
    assert fitted.law(910.0) == pytest.approx(law(910.0), rel=1e-3)


def test_the_law_is_the_best_of_a_brute_force_grid():
    losses = noisy(PowerLaw(0.1, 2.0, 0.5), 5, seed=3)
    losses -= losses.mean(axis=0) - losses.mean()  # so that all folds weigh sizes alike
    fitted = fit_law(SIZES, losses, random=Random(0)).law
    slope, level = np.polyfit(np.log(SIZES), np.log(losses.var(axis=1, ddof=1)), 1)
    weights = np.exp(-slope * np.log(SIZES) - level)
    mean = losses.mean(axis=1)

    def squares(law: PowerLaw) -> float:
        return float((weights * (law(SIZES.astype(float)) - mean) ** 2).sum())

    grid = [
        PowerLaw(a, b, c)
        for a in np.linspace(0, mean.min(), 20)
        for b in np.geomspace(0.1, 20, 40)
        for c in np.linspace(0.02, 2, 40)
    ]
    assert squares(fitted) <= min(map(squares, grid)) * (1 + 1e-9)
    assert 0 <= fitted.a <= mean.min()


def test_the_loss_that_is_approached_is_not_below_zero():
    losses = (1.0 - 0.15 * np.log(SIZES / SIZES[0]))[:, None] + np.array([-0.01, 0.0, 0.01])
    fitted = fit_law(SIZES, losses, random=Random(0))
    assert fitted.law.a == 0.0
    assert min(law.a for law in fitted.resampled) == 0.0


@pytest.mark.parametrize("folds", [5, 10])
def test_the_interval_covers_the_truth_at_about_the_nominal_rate(folds):
    law, trials = PowerLaw(0.2, 3.0, 0.6), 60
    loss = gain = 0
    for seed in range(trials):
        fitted = fit_law(SIZES, noisy(law, folds, seed), random=Random(seed))
        low, high = fitted.interval(910.0)
        loss += low <= law(910.0) <= high
        low, high = fitted.interval(910.0, minus=455.0)
        gain += low <= law(910.0) - law(455.0) <= high
    assert 0.85 <= loss / trials <= 1.0
    assert 0.85 <= gain / trials <= 1.0
    # A widening by half would cover nearly always, none at all too seldom: so the width is neither.
    assert fitted.widening == pytest.approx({5: 1.584, 10: 1.217}[folds], abs=2e-3)


def test_repeated_divisions_are_no_new_rows():
    losses = noisy(PowerLaw(0.2, 3.0, 0.6), 5, seed=0)
    once, twice = (fit_law(SIZES, np.tile(losses, n), random=Random(0), repeats=n) for n in (1, 2))
    width, other = (np.diff(one.interval(910.0))[0] for one in (once, twice))
    assert other == pytest.approx(width, rel=0.15)


def test_a_loss_is_never_expected_below_zero():
    fitted = fit_law(SIZES, noisy(PowerLaw(0.0, 0.2, 0.5), 5, seed=1) ** 2, random=Random(0))
    assert fitted.interval(1e5)[0] >= 0
    low, _ = fitted.interval(1e5, minus=455.0)
    assert low >= -fitted.law(455.0)


# -------------------------------------------------------------------------------------------------------------- advice


def test_advice_tells_the_gain_where_there_is_one():
    advice = curve_of(noisy(PowerLaw(0.05, 3.0, 0.5), 10, seed=1)).advice()
    assert advice.startswith("Twice the rows (910 instead of 455) would lower the log loss from 0.1")
    assert "(95 % interval of the gain: 0.0" in advice


def test_advice_says_that_more_rows_hardly_help():
    losses = PowerLaw(0.5, 50.0, 2.0)(SIZES)[:, None] + 0.001 * np.random.default_rng(0).normal(size=(6, 5))
    assert curve_of(losses).advice().startswith("More rows like these would hardly help: twice as many (910")


def test_advice_says_when_nothing_can_be_said():
    losses = PowerLaw(0.2, 3.0, 0.6)(SIZES)[:, None] + 0.1 * np.random.default_rng(4).normal(size=(6, 2))
    assert curve_of(losses).advice().startswith("Whether more rows would help cannot be said from these")


def test_advice_says_when_the_curve_does_not_fall():
    losses = np.linspace(0.5, 0.6, 6)[:, None] + 0.01 * np.random.default_rng(0).normal(size=(6, 5))
    curve = curve_of(losses)
    assert curve.advice().startswith("The log loss does not fall as rows are added: 0.5")
    assert curve.doubling.difference == 0
    assert curve.law.b == 0


def test_advice_seldom_promises_a_gain_on_flat_curves():
    flat = [curve_of(noisy(PowerLaw(0.3, 0.0, 1.0), 5, seed)).advice() for seed in range(40)]
    assert sum(words.startswith("Twice the rows") for words in flat) <= 5


def test_advice_tells_the_rows_of_the_classes():
    losses = noisy(PowerLaw(0.05, 3.0, 0.5), 5, seed=1)
    assert (
        curve_of(losses, counts={"no": 500, "yes": 12})
        .advice()
        .endswith("The classes have from 12 rows (yes) to 500 (no).")
    )
    assert curve_of(losses, counts={"no": 9, "yes": 9}).advice().endswith("There are 9 rows of each of the 2 classes.")
    assert "classes" not in curve_of(losses, "regression").advice()


# --------------------------------------------------------------------------------------------------------- whole curves


def encoded_rows(monkeypatch) -> list[tuple[list[int], list[int]]]:
    """Return a list that will hold the rows that train and validate each part of the next curve."""
    seen = []
    encode = Folds.encode

    def remember(self, train, held, encoding):
        seen.append((train.tolist(), held.tolist()))
        return encode(self, train, held, encoding)

    monkeypatch.setattr(Folds, "encode", remember)
    return seen


def test_parts_of_a_fold_are_nested_and_validated_on_the_same_rows(wine, monkeypatch):
    seen = encoded_rows(monkeypatch)
    curve = learning_curve(QUICK, *wine, cv=3, sizes=[20, 40, 80])
    assert [len(train) for train, _ in seen] == [20, 40, 80] * 3
    for fold in range(3):
        parts = seen[3 * fold : 3 * fold + 3]
        assert all(set(small[0]) < set(large[0]) for small, large in pairwise(parts))
        assert len({tuple(held) for _, held in parts}) == 1
        assert not set(parts[2][0]) & set(parts[2][1])
    assert curve.sizes.tolist() == [20, 40, 80]
    assert curve.losses.shape == curve.metrics["accuracy"].shape == (3, 3)


def test_a_fold_of_the_largest_size_is_that_of_a_cross_validation(wine):
    from taut.data import folds
    from taut.selection import cross_validate

    X, y = wine
    recipe = replace(QUICK, batch_size="all", seed=3)
    splits = [(train[:118], held) for train, held in folds(y, n_splits=3, task="classification", seed=3)]
    (candidate,) = cross_validate([recipe], X, y, task="classification", splits=splits)
    curve = learning_curve(recipe, X, y, cv=splits, n_sizes=3)
    np.testing.assert_allclose(curve.losses[-1], candidate.losses, rtol=1e-4)
    assert curve.standard_error[-1] == pytest.approx(candidate.standard_error, rel=1e-3)


def test_same_seed_same_curve_whatever_the_threads(wine):
    one, two = (learning_curve(QUICK, *wine, cv=2, n_sizes=3, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one.losses, two.losses)
    assert one.doubling == two.doubling


def test_rows_in_groups_stay_together(wine, monkeypatch):
    X, y = wine
    groups = np.arange(len(y)) // 3
    seen = encoded_rows(monkeypatch)
    learning_curve(QUICK, X, y, cv=2, sizes=[20, 40, 80], groups=groups)
    for train, held in seen:
        assert not set(groups[train]) & set(groups[held])
        inside = np.bincount(groups[train], minlength=groups.max() + 1)
        whole = np.bincount(groups)
        assert all(count in (0, all_) for count, all_ in zip(inside, whole, strict=True))


def test_rows_with_a_time_train_on_the_latest_before_those_they_are_validated_on(monkeypatch):
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.normal(size=120)})
    time = random.permutation(120)
    seen = encoded_rows(monkeypatch)
    curve = learning_curve(QUICK, X, X["x"] + random.normal(size=120), cv=3, n_sizes=3, time=time)
    assert curve.sizes[-1] == 60
    for train, held in seen:
        first, last = time[train].min(), time[train].max()
        assert last + 1 == time[held].min()
        assert last - first + 1 == len(train)  # without a gap: none later was left out


def test_regression_is_told_in_the_units_of_the_target():
    random = np.random.default_rng(1)
    X = pd.DataFrame({"x": random.normal(size=150)})
    y = 1000.0 + 50.0 * X["x"] + 5.0 * random.normal(size=150)
    curve = learning_curve(Recipe(epochs=60), X, y, cv=3, n_sizes=3)
    assert curve.metric == "rmse"
    assert 4.0 < curve.score("rmse")[0][-1] < 12.0
    assert "RMSE" in curve.advice()


def test_encoders_see_the_part_only():
    # The scale of a column with one huge value is another one where the value is not in the part.
    X = pd.DataFrame({"x": np.random.default_rng(0).normal(size=60)})
    y = pd.Series(np.where(X["x"] > 0, "a", "b"))
    splits = [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]
    curve = learning_curve(QUICK, X, y, cv=splits, sizes=[10, 20, 40])
    latest = fair_order(Random(0).at(purpose=4, item=0), 40, strata=(y.iloc[:40] == "b").to_numpy().astype(int))[-1]
    X.loc[latest, "x"] = 1e6
    spoiled = learning_curve(QUICK, X, y, cv=splits, sizes=[10, 20, 40])
    np.testing.assert_array_equal(curve.losses[:2, 0], spoiled.losses[:2, 0])
    assert curve.losses[2, 0] != spoiled.losses[2, 0]


def test_frame_dictionary_and_figure_hold_the_curve(wine):
    curve = learning_curve(QUICK, *wine, cv=2, n_sizes=3)
    frame = curve.to_frame()
    assert frame["rows"].tolist() == curve.sizes.tolist()
    np.testing.assert_allclose(frame["log_loss"], curve.metrics["log_loss"].mean(axis=1))
    told = curve.to_dict()
    assert told["doubling"]["rows"] == 2 * curve.sizes[-1]
    assert told["class_counts"] == {"class_0": 59, "class_1": 71, "class_2": 48}
    axes = curve.plot(Figure().subplots())
    assert axes.get_ylabel() == "log loss"
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {
        "95 % interval of the law",
        "power law",
        "validation",
    }


def test_progress_is_reported_for_every_fit(wine):
    seen = []
    learning_curve(QUICK, *wine, cv=2, sizes=[20, 40, 80], n_jobs=1, report=lambda *words: seen.append(words))
    assert [(done, planned) for done, planned, _ in seen] == [(n, 6) for n in range(1, 7)]
    assert {words.split(",")[0] for *_, words in seen} == {"20 rows", "40 rows", "80 rows"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [20, 40, 500]}, "sizes must be an integer at least 2 and at most 118, got 500"),
        ({"sizes": [20, 40]}, r"needs at least 3 different sizes; got sizes=\[20, 40\]"),
        ({"n_sizes": 2}, "n_sizes must be an integer at least 3, got 2"),
        ({"task": "ranking"}, "task must be one of"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(wine, arguments, message):
    with pytest.raises(InvalidValue, match=message):
        learning_curve(QUICK, *wine, cv=3, **arguments)


def test_what_is_no_recipe_is_refused(wine):
    with pytest.raises(InvalidType, match="recipe must be a Recipe, got 'l2'"):
        learning_curve("l2", *wine)


def test_divergence_is_said(wine):
    with pytest.raises(NonFiniteLoss, match="training diverged in 6 of 6 fits; lower learning_rate"):
        learning_curve(replace(QUICK, learning_rate=1e300), *wine, cv=2, n_sizes=3)
