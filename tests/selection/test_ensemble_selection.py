"""Greedy ensemble selection: what is better dominates, equals are averaged, and few rows are not overfitted."""

from __future__ import annotations

import time

import numpy as np
import pytest

from taut import InvalidValue
from taut.selection.ensemble_selection import select_ensemble
from taut.selection.objectives import OBJECTIVES

CLASSES = [name for name, objective in OBJECTIVES.items() if objective.task == "classification"]


def numbers(spreads, rows: int, seed: int, shared: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return answers with errors of these spreads and one that all share, and the truth."""
    random = np.random.default_rng(seed)
    true, common = random.normal(size=rows), shared * random.normal(size=rows)
    own = np.asarray(spreads)[:, None] * random.normal(size=(len(spreads), rows))
    return (true + common + own)[:, :, None], true


def classes(qualities, rows: int, seed: int, n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    true = random.integers(n_classes, size=rows)
    scores = np.asarray(qualities)[:, None, None] * np.eye(n_classes)[true]
    scores = scores + random.normal(size=(len(qualities), rows, n_classes))
    return np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True), true


def test_every_step_adds_the_candidate_that_lowers_the_loss_most():
    answers, true = numbers([0.5, 0.6, 0.7, 2.0], 40, seed=0)
    found = select_ensemble(answers, true, OBJECTIVES["rmse"], n_steps=6, shrink=2.5)
    rank = np.argsort([OBJECTIVES["rmse"].loss(one, true) for one in answers])
    counts = np.zeros(4)
    counts[rank[: found.n_first]] = 2.5 / found.n_first
    losses, bags = [], []
    for _ in range(7):
        bags.append(counts / counts.sum())
        losses.append(np.sqrt(np.mean((np.tensordot(bags[-1], answers, 1)[:, 0] - true) ** 2)))
        tried = [np.tensordot(counts + one, answers, 1)[:, 0] / (counts.sum() + 1) - true for one in np.eye(4)]
        counts[np.argmin([np.mean(each**2) for each in tried])] += 1
    np.testing.assert_allclose(found.losses, losses)
    np.testing.assert_allclose(found.weights, bags[int(np.argmin(losses))])
    assert found.loss == pytest.approx(min(losses))


@pytest.mark.parametrize("name", CLASSES)
def test_one_that_is_clearly_better_dominates(name):
    answers, true = classes([0.3, 0.3, 6.0, 0.3, 0.3], 400, seed=1)
    found = select_ensemble(answers, true, OBJECTIVES[name])
    assert found.weights.argmax() == 2
    assert found.weights[2] > 0.5
    assert found.weights.sum() == pytest.approx(1.0)


def test_equals_come_out_nearly_uniform_the_more_so_the_more_rows():
    def distance(rows: int, **options) -> float:
        found = [
            select_ensemble(*numbers(np.full(8, 0.5), rows, seed), OBJECTIVES["rmse"], **options).weights
            for seed in range(8)
        ]
        return float(np.mean([0.5 * np.abs(weights - 1 / 8).sum() for weights in found]))

    assert distance(2000) < 0.08
    assert distance(60) < 0.27 < distance(60, shrink=0)


@pytest.mark.parametrize("spreads", [np.full(30, 0.5), np.linspace(0.3, 1.0, 30)], ids=["equal", "all qualities"])
def test_on_few_rows_shrinking_is_better_on_rows_to_come(spreads):
    gains = []
    for seed in range(10):
        answers, true = numbers(spreads, 2050, seed)
        some, later = slice(50), slice(50, None)
        kept, greedy = (
            select_ensemble(answers[:, some], true[some], OBJECTIVES["rmse"], **options).weights
            for options in ({}, {"shrink": 0.0})
        )
        losses = [np.mean((np.tensordot(w, answers[:, later], 1)[:, 0] - true[later]) ** 2) for w in (kept, greedy)]
        gains.append(losses[1] - losses[0])
    assert np.mean(gains) > 2 * np.std(gains) / np.sqrt(10)


def test_of_equals_the_earlier_is_preferred_and_the_answer_is_always_the_same():
    true = np.zeros(20)
    answers = np.broadcast_to(np.array([-0.3, -0.3, 0.1])[:, None, None], (3, 20, 1))  # the mean of 1 and 3 parts is 0
    found = [select_ensemble(answers, true, OBJECTIVES["rmse"], shrink=1.0).weights for _ in "ab"]
    assert found[0].tolist() == found[1].tolist() == [0.25, 0.0, 0.75]


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "balanced_accuracy"])
def test_what_the_objective_finds_equal_the_log_loss_tells_apart(name):
    true = np.array([0, 1, 0, 1])
    sure = np.where(np.eye(2)[true] == 1, 0.9, 0.1)
    answers = np.stack([0.5 + 0.2 * (sure - 0.5), sure])  # both are right everywhere, the second is surer
    found = select_ensemble(answers, true, OBJECTIVES[name], n_steps=3, shrink=0.0)
    assert found.weights.tolist() == [0.0, 1.0]


def test_rows_count_as_much_as_they_weigh():
    answers, true = numbers([0.5, 0.6, 0.7], 30, seed=3)
    weight = np.random.default_rng(0).integers(0, 3, 30)
    rows = np.repeat(np.arange(30), weight)
    weighted = select_ensemble(answers, true, OBJECTIVES["rmse"], weight=weight.astype(float))
    repeated = select_ensemble(answers[:, rows], true[rows], OBJECTIVES["rmse"])
    np.testing.assert_allclose(weighted.losses[-1], repeated.losses[-1], rtol=1e-3)
    assert OBJECTIVES["rmse"].loss(np.tensordot(weighted.weights, answers, 1), true, weight) == pytest.approx(
        weighted.loss
    )


def test_candidates_without_a_finite_loss_are_left_out():
    answers, true = numbers([0.5, 0.5, 0.5], 30, seed=4)
    answers[1] = np.nan
    assert select_ensemble(answers, true, OBJECTIVES["rmse"]).weights[1] == 0.0
    with pytest.raises(InvalidValue, match="none of 1 candidates has a finite loss on the 30 rows"):
        select_ensemble(answers[1:2], true, OBJECTIVES["rmse"])


def test_forty_candidates_on_four_thousand_rows_take_less_than_seconds():
    answers, true = classes(np.linspace(0.5, 2.0, 40), 4000, seed=5, n_classes=10)
    began = time.process_time()
    select_ensemble(answers.astype(np.float32), true, OBJECTIVES["log_loss"])
    assert time.process_time() - began < 3.0
