"""Blending: a mean of networks by their answers for rows that they were not trained on, or a constant guess."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from taut.data import load_sample
from taut.errors import InvalidValue
from taut.selection.blending import Finalists, blended
from taut.selection.choosing import race
from taut.selection.crew import Crew
from taut.selection.entrants import entrants
from taut.selection.folds import Folds, splits_of
from taut.selection.halving import Budget
from taut.selection.objectives import METRICS, OBJECTIVES
from taut.selection.work import work_of
from taut.training.ensemble import tempered
from taut.training.recipe import Recipe

SAMPLES = {"classification": "wine", "regression": "diabetes"}
QUICK = Recipe(hidden_layer_sizes=(8,), epochs=15, learning_rate=0.03)


@pytest.fixture(scope="module", params=SAMPLES)
def raced(request: pytest.FixtureRequest) -> tuple[Folds, Any]:
    frame, target = load_sample(SAMPLES[request.param])
    X, y = frame.drop(columns=target)[:160], frame[target][:160]
    folds = Folds(X, y, request.param, splits_of(3, X, y, task=request.param, seed=0))
    everyone = entrants(QUICK, 0, "auto", folds.task)
    return folds, blended(race(everyone, folds, work_of(6), Budget(None), crew=Crew(1))[1], folds)


def test_weights_sum_to_one_and_none_is_negligible(raced):
    _, blend = raced
    weights = [member.weight for member in blend.members]
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= 0.02
    assert weights == sorted(weights, reverse=True)
    assert not blend.is_constant


def test_answers_are_the_tempered_mean_of_the_members_out_of_their_folds(raced):
    folds, blend = raced
    each = [folds.out_of_fold([one.answers for one in member.outcomes]) for member in blend.members]
    weights = np.array([member.weight for member in blend.members])
    # A sum in float32 would be off by more than is allowed, because a temperature below 1 enlarges its rounding.
    mean = np.average(np.array(each, dtype=np.float64), axis=0, weights=weights)
    if folds.task == "classification":
        mean = tempered(mean, blend.temperature)
    np.testing.assert_allclose(blend.answers, mean, rtol=1e-9)
    for name in METRICS[folds.task]:
        values = []
        for _, held in folds.splits:
            place = np.searchsorted(folds.held_rows, held)
            values.append(OBJECTIVES[name].value(mean[place], folds.held_truth[place], None))
        expected = np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))
        assert blend.scores[name] == pytest.approx(expected, rel=1e-6, abs=1e-6 * expected[0])  # of answers in float32


def test_scores_are_those_of_the_models_themselves_on_the_rows_that_they_did_not_see(raced):
    folds, blend = raced
    models = list(blend.ensemble(folds).models)
    for member in blend.members:
        own, models = models[: len(folds)], models[len(folds) :]
        for model, outcome, (_, held) in zip(own, member.outcomes, folds.splits, strict=True):
            X = folds.X.iloc[held]
            told = model.predict_proba(X) if folds.task == "classification" else model.predict(X)
            np.testing.assert_allclose(np.reshape(told, outcome.answers.shape), outcome.answers, rtol=1e-4, atol=1e-6)


def test_the_ensemble_answers_by_the_weighted_tempered_mean_of_its_models(raced):
    folds, blend = raced
    made = blend.ensemble(folds)
    assert len(made.models) == len(folds) * len(blend.members)
    assert made.temperature == blend.temperature
    np.testing.assert_allclose(made.weights, np.repeat([m.weight / len(folds) for m in blend.members], len(folds)))
    if folds.task == "regression":
        told = np.tensordot(made.weights, [model.predict(folds.X) for model in made.models], axes=1)
        np.testing.assert_allclose(made.predict(folds.X), told, rtol=1e-6)
    else:
        told = np.tensordot(made.weights, [model.predict_proba(folds.X) for model in made.models], axes=1)
        np.testing.assert_allclose(made.predict_proba(folds.X), tempered(told, made.temperature), rtol=1e-6)


def test_a_blend_without_its_networks_says_the_same(raced):
    blend = raced[1]
    bare = blend.without_networks()
    assert bare.to_dict() == blend.to_dict()
    assert all(member.outcomes == [] for member in bare.members)
    assert blend.members[0].outcomes
    assert blend.describe(9).startswith("9 networks")


# ---------------------------------------------------------------------------------------------------------- finalists


def finalist(number: int, index: int, mean: float) -> Any:
    return SimpleNamespace(round=number, index=index, mean=mean)


def test_of_all_that_came_to_their_end_the_best_dozen_and_the_constant_guess_are_kept():
    finalists, random = Finalists(), np.random.default_rng(0)
    means = random.permutation(40) / 10.0
    for place, mean in enumerate(means):
        finalists.add(finalist(0, place, mean), [])
    finalists.add(finalist(1, 0, np.inf), [])
    assert finalists.constant[0].index == 0
    assert [trial.mean for trial, _ in finalists.best] == sorted(means[1:])[:12]


def test_of_equals_the_first_stays():
    finalists = Finalists()
    for place in range(20):
        finalists.add(finalist(0, place, 1.0), [])
    assert [trial.index for trial, _ in finalists.best] == list(range(1, 13))


def test_there_must_be_a_constant_guess(raced):
    with pytest.raises(InvalidValue, match="no constant guess"):
        blended(Finalists(), raced[0])


# ------------------------------------------------------------------------------------------ better than a guess


def guesses(folds: Folds, answers: dict[int, np.ndarray]) -> Finalists:
    """Return finalists that answer so for the rows of a table, number 0 the constant guess."""
    finalists = Finalists()
    for index, own in answers.items():
        trial = finalist(0, index, float(np.mean(np.square(own - folds.y))))
        outcomes = [SimpleNamespace(answers=own[held, None]) for _, held in folds.splits]
        finalists.add(trial, outcomes)
    return finalists


def test_rows_of_a_group_count_as_one_and_rows_of_no_weight_as_none():
    random = np.random.default_rng(0)
    y = np.repeat(random.normal(size=10), 12)
    better = np.where(np.repeat(random.random(10) < 0.75, 12), 0.8, -0.3) * y  # on few of ten groups, it is worse
    X, splits = np.zeros((120, 1)), [(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))]
    folds = Folds(X, y, "regression", splits)
    alone = blended(guesses(folds, {0: 0.0 * y, 1: better}), folds)
    folds.groups = np.repeat(np.arange(10), 12)
    grouped = blended(guesses(folds, {0: 0.0 * y, 1: better}), folds)
    assert grouped.over_constant[0] == alone.over_constant[0]
    assert grouped.over_constant[1] == pytest.approx(alone.over_constant[1] * np.sqrt(12), rel=0.1)
    folds.groups, folds.sample_weight = None, np.r_[np.zeros(48), np.ones(72)]
    some = blended(guesses(folds, {0: 0.0 * y, 1: better}), folds)
    rest = slice(48, None)
    gains = (np.square(y) - np.square(some.answers[:, 0] - y))[rest]
    assert some.over_constant == pytest.approx((gains.mean(), gains.std(ddof=1) / np.sqrt(72)))


def test_what_is_not_clearly_better_is_not_taken():
    random = np.random.default_rng(1)
    y = random.normal(size=60)
    folds = Folds(
        np.zeros((60, 1)), y, "regression", [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
    )
    hardly = guesses(folds, {0: np.zeros(60), 1: 0.05 * random.normal(size=60) + 0.01 * y})
    clearly = guesses(folds, {0: np.zeros(60), 1: 0.5 * y})
    blend = blended(hardly, folds)
    assert blend.is_constant
    assert [member.trial.index for member in blend.members] == [0]
    assert blend.members[0].weight == 1.0
    assert (blend.answers == 0.0).all()
    assert not blended(clearly, folds).is_constant
    clearly.best.clear()
    assert blended(clearly, folds).is_constant, "with no other there is only the guess"
