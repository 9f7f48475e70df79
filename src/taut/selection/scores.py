"""Scores: how good predictions are, row by row, with their standard errors.

A score is the mean over rows of something each row has (its log loss, whether it was hit, its squared error), so that
its uncertainty is that of a mean, and two models on the same rows can be compared by the differences. Floor 5 of the
house.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from taut.data.targets import ClassTargets, NumberTargets
from taut.random import Purpose, Random
from taut.selection.objectives import log_losses, squared_errors
from taut.training.ensemble import Ensemble
from taut.training.model import Model

__all__ = [
    "Margin",
    "RowScores",
    "answers",
    "mean_and_error",
    "score",
    "score_classes",
    "score_numbers",
    "sign_flip_test",
]


@dataclass(frozen=True)
class Margin:
    """By how much one model's loss is above another's on the same rows.

    Attributes
    ----------
    difference, error : float
        Mean difference of log loss or squared error, and its standard error.
    p_value : float
        Of the hypothesis that the sign of each row's (or group's) difference is a coin's: two-sided.

    References
    ----------
    The sign-flip test: R. Fisher, "The design of experiments", 1935, section 21. It holds for heavy tails, where one
    row dominates mean and standard error, and never finds a difference between a handful of rows.
    """

    difference: float
    error: float
    p_value: float

    def __iter__(self) -> Iterator[float]:
        """Yield difference and error."""
        return iter((self.difference, self.error))


@dataclass(frozen=True)
class RowScores:
    """The score of some predictions.

    Attributes
    ----------
    values : dict of str to (float, float)
        For each metric, its value and standard error.
    losses : ndarray, shape (rows,)
        Log loss or squared error of each row, for paired comparison.
    groups : ndarray, shape (rows,), or None
        Rows with the same value are not independent.
    """

    values: dict[str, tuple[float, float]]
    losses: np.ndarray
    groups: np.ndarray | None = None

    def margin(self, other: RowScores) -> Margin:
        """Return by how much the mean loss of `other` is above this one's on the same rows."""
        differences = other.losses - self.losses
        return Margin(*mean_and_error(differences, self.groups), sign_flip_test(differences, self.groups))


def mean_and_error(
    values: np.ndarray, groups: np.ndarray | None = None, weight: np.ndarray | None = None
) -> tuple[float, float]:
    """Return mean and standard error of the mean; the error of a single value, or group, is NaN.

    With `groups`, the error is that of sums over groups (cluster-robust: K.-Y. Liang and S. Zeger, 1986). With
    `weight`, both are of the weighted mean, in which a value of weight 0 is none.
    """
    values = np.asarray(values, dtype=float)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    counted = weight > 0
    values, weight, groups = values[counted], weight[counted], None if groups is None else np.asarray(groups)[counted]
    with np.errstate(over="ignore", invalid="ignore"):  # where training diverged, infinite is the answer
        mean = float(np.average(values, weights=weight))
        sums = _sums(weight * (values - mean), groups)
        k = len(sums)
        error = float(np.sqrt(k / (k - 1) * np.square(sums).sum())) / weight.sum() if k > 1 else float("nan")
    return mean, float(error)


def _sums(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the sum over each group, or the values themselves."""
    if groups is None:
        return values
    _, codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    return np.bincount(codes, weights=values)


# So many random flips that a p-value of 0.05 has a standard error of 0.005.
_FLIPS = 2000
# Beyond so many rows the mean is as good as normal, and the flips would cost more than they tell.
_MANY = 2000


def sign_flip_test(differences: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Return the two-sided p-value of a mean difference of zero.

    Parameters
    ----------
    differences : ndarray, shape (rows,)
        Paired differences.
    groups : ndarray, shape (rows,), optional
        Rows with the same value flip together.

    Examples
    --------
    >>> sign_flip_test(np.ones(20)) < 0.01, sign_flip_test(np.ones(3)) > 0.2
    (True, True)
    """
    sums = _sums(np.asarray(differences, dtype=float), groups)
    if not np.isfinite(sums).all() or not sums.any():
        return 1.0
    if len(sums) > _MANY:
        from scipy.stats import norm

        return float(2.0 * norm.sf(abs(sums.sum()) / np.sqrt(np.square(sums).sum())))
    flips = Random(0).at(purpose=Purpose.BOOTSTRAP).bernoulli(0.5, (_FLIPS, len(sums)))
    totals = np.abs(np.where(flips, sums, -sums).sum(axis=1))
    # The observed signs are one of the possible ones; rounding must not tell equal sums apart.
    return float((1 + (totals >= abs(sums.sum()) * (1 - 1e-12)).sum()) / (1 + _FLIPS))


def score_classes(
    probabilities: np.ndarray, y: object, targets: ClassTargets, groups: np.ndarray | None = None
) -> RowScores:
    """Score class probabilities of shape (rows, classes) by log loss and accuracy."""
    codes = targets.encode(y)
    losses = log_losses(probabilities, codes)
    hits = (probabilities.argmax(axis=1) == codes).astype(float)
    values = {"log_loss": mean_and_error(losses, groups), "accuracy": mean_and_error(hits, groups)}
    return RowScores(values, losses, groups)


def score_numbers(
    predicted: np.ndarray, y: object, targets: NumberTargets, groups: np.ndarray | None = None
) -> RowScores:
    """Score predictions in the target's own units by root mean squared error and R².

    Standard errors follow from that of the mean squared error (delta method), the spread of the target taken as known.
    """
    true = np.asarray(targets.decode(targets.encode(y)), dtype=float).reshape(len(predicted), -1)
    losses = squared_errors(predicted, true)
    mse, error = mean_and_error(losses, groups)
    rmse = float(np.sqrt(mse))
    variance = float(np.mean(true.var(axis=0)))
    r2 = (1.0 - mse / variance, error / variance) if variance > 0 else (0.0, float("nan"))
    return RowScores({"rmse": (rmse, error / (2.0 * rmse) if rmse > 0 else 0.0), "r2": r2}, losses, groups)


def score(
    answers: np.ndarray, y: Any, targets: ClassTargets | NumberTargets, groups: np.ndarray | None = None
) -> RowScores:
    """Score the answers of any model, probabilities or numbers, by the metrics of its task."""
    if isinstance(targets, ClassTargets):
        return score_classes(answers, y, targets, groups)
    return score_numbers(answers, y, targets, groups)


def answers(model: Model | Ensemble) -> Callable[[Any], np.ndarray]:
    """Return what `score` takes: the model's probabilities, or its predicted numbers."""
    return model.predict_proba if model.task == "classification" else model.predict
