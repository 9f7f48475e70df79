"""Objectives agree with scikit-learn, with weights, several targets and ties."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from taut import InvalidValue
from taut.selection.objectives import METRICS, OBJECTIVES, objective_of


def brier(true, answers, sample_weight):
    return np.average(((answers - np.eye(answers.shape[1])[true]) ** 2).sum(axis=1), weights=sample_weight)


def roc_auc(true, answers, sample_weight):
    if answers.shape[1] == 2:
        return metrics.roc_auc_score(true, answers[:, 1], sample_weight=sample_weight)
    each = [metrics.roc_auc_score(true == k, answers[:, k], sample_weight=sample_weight) for k in range(3)]
    return np.mean(each)


def on_codes(metric):
    return lambda true, answers, sample_weight: metric(true, answers.argmax(axis=1), sample_weight=sample_weight)


REFERENCES = {
    "log_loss": metrics.log_loss,
    "accuracy": on_codes(metrics.accuracy_score),
    "balanced_accuracy": on_codes(metrics.balanced_accuracy_score),
    "roc_auc": roc_auc,
    "brier": brier,
    "rmse": metrics.root_mean_squared_error,
    "mae": metrics.mean_absolute_error,
    "r2": metrics.r2_score,
}


def problem(task: str, outputs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    if task == "classification":
        answers = random.dirichlet(np.ones(outputs), 60).round(
            1 if outputs == 2 else 8
        )  # equal scores among the binary
        return answers, random.integers(outputs, size=60)
    true = 5.0 + random.normal(size=(60, outputs))
    return true + random.normal(size=true.shape), true


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [2, 3])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_is_that_of_scikit_learn(name, outputs, weighted):
    objective = OBJECTIVES[name]
    answers, true = problem(objective.task, outputs)
    if objective.task == "regression":
        answers, true = answers[:, :1], true[:, :1]
    weight = np.random.default_rng(1).integers(0, 4, 60).astype(float) if weighted else None
    found = objective.value(answers, true, weight)
    assert found == pytest.approx(REFERENCES[name](true, answers, sample_weight=weight))
    assert objective.loss(answers, true, weight) == (found if objective.lower_is_better else -found)


@pytest.mark.parametrize("name", [name for name, objective in OBJECTIVES.items() if objective.task == "regression"])
def test_several_numbers_count_alike_and_flat_ones_are_one(name):
    answers, true = problem("regression", 3)
    alone = [OBJECTIVES[name].value(answers[:, k], true[:, k], None) for k in range(3)]
    flat = [OBJECTIVES[name].value(answers[:, [k]], true[:, [k]], None) for k in range(3)]
    assert alone == flat
    squares = np.square(answers - true).mean()
    together = {"rmse": np.sqrt(squares), "mae": np.mean(alone), "r2": 1 - squares / true.var(axis=0).mean()}
    assert OBJECTIVES[name].value(answers, true, None) == pytest.approx(together[name])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_notices_every_change_of_its_rows_or_is_said_not_to(name):
    objective = OBJECTIVES[name]
    answers, true = problem(objective.task, 3)
    towards = np.eye(3)[true] if objective.task == "classification" else true
    better = answers + 1e-9 * (towards - answers)
    assert objective.row_losses(better, true).mean() < objective.row_losses(answers, true).mean()
    assert (objective.loss(better, true) < objective.loss(answers, true)) == objective.is_smooth


def test_area_of_one_class_is_unknown_and_a_class_without_rows_does_not_count():
    answers, true = problem("classification", 3)
    area = OBJECTIVES["roc_auc"]
    assert np.isnan(area.value(answers, np.zeros(60, dtype=int), None))
    kept = true != 1
    expected = np.mean([metrics.roc_auc_score(true[kept] == k, answers[kept, k]) for k in (0, 2)])
    assert area.value(answers[kept], true[kept], None) == pytest.approx(expected)
    assert area.value(answers, true, kept.astype(float)) == pytest.approx(expected)


def test_objectives_are_found_by_task():
    for task, names in METRICS.items():
        assert objective_of("auto", task) is OBJECTIVES[names[0]]
        assert all(OBJECTIVES[name].task == task for name in names)
    with pytest.raises(InvalidValue, match="one of auto, mae, r2, rmse; got 'brier'"):
        objective_of("brier", "regression")
