"""Objectives: what answers are judged by, one table of all there are.

An objective takes the answers of a model for some rows (probabilities of classes, or numbers in their own units) beside
the truth, and says how good they are. Some are means over rows, others look at all rows at once, and some do not notice
small changes at all; so each names the loss, row by row, that tells apart what it finds equal, and that has a standard
error. Floor 5 of the house; knows nothing of models or folds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from taut.checks import check_choice

__all__ = ["METRICS", "OBJECTIVES", "Objective", "log_losses", "objective_of", "squared_errors"]

#: What is reported for each task; the first one decides, and lower is better for the first only.
METRICS = {"classification": ("log_loss", "accuracy"), "regression": ("rmse", "r2")}

Value = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
Rows = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Objective:
    """Something to judge answers by.

    Attributes
    ----------
    task : {"classification", "regression"}
        What it is for.
    lower_is_better : bool
        Its direction.
    value : callable
        From answers of shape (rows, classes), or (rows,) or (rows, targets), the codes of the true classes or the true
        numbers, and the weights of the rows or None, to the value.
    row_losses : callable
        From answers and truth to a loss of each row, shape (rows,): what the value is a function of the mean of, or if
        it is none of any, log losses.
    is_smooth : bool
        Whether the value is a function of the mean of `row_losses`, which then cannot tell apart what it finds equal.
    """

    task: str
    lower_is_better: bool
    value: Value
    row_losses: Rows
    is_smooth: bool = True

    def loss(self, answers: np.ndarray, true: np.ndarray, weight: np.ndarray | None = None) -> float:
        """Return the value, turned so that lower is better."""
        value = self.value(answers, true, weight)
        return value if self.lower_is_better else -value


def objective_of(name: str, task: str) -> Objective:
    """Return an objective by its name; that of "auto" is the first metric of the task.

    Raises
    ------
    InvalidValue
        If there is none of that name for the task.

    Examples
    --------
    >>> objective_of("auto", "regression") is OBJECTIVES["rmse"]
    True
    >>> objective_of("roc_auc", "regression")
    Traceback (most recent call last):
        ...
    taut.errors.InvalidValue: the objective must be one of auto, mae, r2, rmse; got 'roc_auc'
    """
    choices = {"auto": OBJECTIVES[METRICS[task][0]]}
    choices |= {key: objective for key, objective in OBJECTIVES.items() if objective.task == task}
    check_choice("the objective", name, choices)
    return choices[name]


# ------------------------------------------------------------------------------------------------- losses of the rows


def log_losses(answers: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return the log loss of each row.

    The smallest probability that counts is that of scikit-learn's log_loss, so that one certain error is not infinite.

    Examples
    --------
    >>> log_losses(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 1])).round(2).tolist()
    [0.69, 36.04]
    """
    chosen = np.asarray(answers[np.arange(len(true)), true], dtype=np.float64)
    return -np.log(np.clip(chosen, np.finfo(float).eps, 1.0))


def squared_errors(answers: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return the squared error of each row, its mean over the targets if there are several."""
    return np.mean(np.square(_errors(answers, true)), axis=1)


def _absolute_errors(answers: np.ndarray, true: np.ndarray) -> np.ndarray:
    return np.mean(np.abs(_errors(answers, true)), axis=1)


def _errors(answers: np.ndarray, true: np.ndarray) -> np.ndarray:
    wanted = np.asarray(true, dtype=np.float64).reshape(len(true), -1)
    return np.asarray(answers, dtype=np.float64).reshape(wanted.shape) - wanted


def _brier_losses(answers: np.ndarray, true: np.ndarray) -> np.ndarray:
    # The squared distance to the one-hot row: |p|² - 2 p_true + 1.
    probabilities = np.asarray(answers, dtype=np.float64)
    return np.square(probabilities).sum(axis=1) - 2.0 * probabilities[np.arange(len(true)), true] + 1.0


# ------------------------------------------------------------------------------------------------------------- values


def _mean(rows: Rows, answers: np.ndarray, true: np.ndarray, weight: np.ndarray | None) -> float:
    return float(np.average(rows(answers, true), weights=weight))


def _hits(answers: np.ndarray, true: np.ndarray) -> np.ndarray:
    return (answers.argmax(axis=1) == true).astype(np.float64)


def _root_mean_square(answers: np.ndarray, true: np.ndarray, weight: np.ndarray | None) -> float:
    return float(np.sqrt(np.average(squared_errors(answers, true), weights=weight)))


def _r2(answers: np.ndarray, true: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the share of the variance of all targets together that is explained; 0 if there is none."""
    center = np.average(true, axis=0, weights=weight)
    variance = np.average(squared_errors(np.broadcast_to(center, true.shape), true), weights=weight)
    return float(1.0 - np.average(squared_errors(answers, true), weights=weight) / variance) if variance > 0 else 0.0


def _balanced_accuracy(answers: np.ndarray, true: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the mean over the classes that there are of the share of their rows that is right."""
    weight = np.ones(len(true)) if weight is None else weight
    sizes = np.bincount(true, weight)
    right = np.bincount(true, weight * _hits(answers, true))
    return float(np.mean(right[sizes > 0] / sizes[sizes > 0]))


def _roc_auc(answers: np.ndarray, true: np.ndarray, weight: np.ndarray | None) -> float:
    """Return the area under the curve, of several classes the mean over each against the rest; NaN for one class.

    References
    ----------
    J. Hanley and B. McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
    Radiology 143, 1982; F. Provost and P. Domingos, "Well-trained PETs", 2000, for several classes.
    """
    weight = np.ones(len(true)) if weight is None else weight
    present = np.flatnonzero(np.bincount(true, weight))
    if len(present) < 2:
        return float("nan")
    classes = present[1:] if answers.shape[1] == 2 else present
    return float(np.mean([_area(answers[:, code], true == code, weight) for code in classes]))


def _area(scores: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> float:
    """Return the chance that a positive row has a higher score than a negative one, equal scores counting half."""
    order = np.argsort(scores)
    ranked, hits = scores[order], np.where(positive, weight, 0.0)[order]
    misses = weight[order] - hits
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])  # of each run of equal scores
    hits, misses = np.add.reduceat(hits, starts), np.add.reduceat(misses, starts)
    below = np.cumsum(misses) - 0.5 * misses
    return float(hits @ below / (hits.sum() * misses.sum()))


#: All objectives, by name.
OBJECTIVES = {
    "log_loss": Objective("classification", True, partial(_mean, log_losses), log_losses),
    "accuracy": Objective("classification", False, partial(_mean, _hits), log_losses, is_smooth=False),
    "balanced_accuracy": Objective("classification", False, _balanced_accuracy, log_losses, is_smooth=False),
    "roc_auc": Objective("classification", False, _roc_auc, log_losses, is_smooth=False),
    "brier": Objective("classification", True, partial(_mean, _brier_losses), _brier_losses),
    "rmse": Objective("regression", True, _root_mean_square, squared_errors),
    "mae": Objective("regression", True, partial(_mean, _absolute_errors), _absolute_errors),
    "r2": Objective("regression", False, _r2, squared_errors),
}
