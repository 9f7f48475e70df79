"""Scores: how good predictions are, row by row, with their standard errors.

A score is the mean over rows of something each row has (its log loss, whether it was hit, its squared error), so that
its uncertainty is that of a mean, and two models on the same rows can be compared by the differences. Floor 5 of the
house.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from taut.data.targets import ClassTargets, NumberTargets
from taut.training.model import Model

__all__ = ["METRICS", "RowScores", "answers", "mean_and_error", "score", "score_classes", "score_numbers"]

#: The metrics of each task; the first one decides, and lower is better for the first only.
METRICS = {"classification": ("log_loss", "accuracy"), "regression": ("rmse", "r2")}


@dataclass(frozen=True)
class RowScores:
    """The score of some predictions.

    Attributes
    ----------
    values : dict of str to (float, float)
        For each metric, its value and standard error.
    losses : ndarray, shape (rows,)
        Log loss or squared error of each row, for paired comparison.
    """

    values: dict[str, tuple[float, float]]
    losses: np.ndarray

    def margin(self, other: RowScores) -> tuple[float, float]:
        """Return by how much the mean loss of `other` is above this one's on the same rows, and its standard error."""
        return mean_and_error(other.losses - self.losses)


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Return mean and standard error of the mean; the error of a single value is NaN."""
    values = np.asarray(values, dtype=float)
    with np.errstate(over="ignore", invalid="ignore"):  # where training diverged, infinite is the answer
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
        return float(values.mean()), float(error)


def score_classes(probabilities: np.ndarray, y: object, targets: ClassTargets) -> RowScores:
    """Score class probabilities of shape (rows, classes) by log loss and accuracy."""
    codes = targets.encode(y)
    # The smallest probability that counts, as in scikit-learn's log_loss, so that one certain error is not infinite.
    chosen = np.clip(probabilities[np.arange(len(codes)), codes], np.finfo(float).eps, 1.0)
    losses = -np.log(chosen)
    hits = (probabilities.argmax(axis=1) == codes).astype(float)
    return RowScores({"log_loss": mean_and_error(losses), "accuracy": mean_and_error(hits)}, losses)


def score_numbers(predicted: np.ndarray, y: object, targets: NumberTargets) -> RowScores:
    """Score predictions in the target's own units by root mean squared error and R².

    Standard errors follow from that of the mean squared error (delta method), the spread of the target taken as known.
    """
    true = np.asarray(targets.decode(targets.encode(y)), dtype=float).reshape(len(predicted), -1)
    losses = np.mean((np.asarray(predicted, dtype=float).reshape(true.shape) - true) ** 2, axis=1)
    mse, error = mean_and_error(losses)
    rmse = float(np.sqrt(mse))
    variance = float(np.mean(true.var(axis=0)))
    r2 = (1.0 - mse / variance, error / variance) if variance > 0 else (0.0, float("nan"))
    return RowScores({"rmse": (rmse, error / (2.0 * rmse) if rmse > 0 else 0.0), "r2": r2}, losses)


def score(answers: np.ndarray, y: Any, targets: ClassTargets | NumberTargets) -> RowScores:
    """Score the answers of any model, probabilities or numbers, by the metrics of its task."""
    if isinstance(targets, ClassTargets):
        return score_classes(answers, y, targets)
    return score_numbers(answers, y, targets)


def answers(model: Model) -> Callable[[Any], np.ndarray]:
    """Return what `score` takes: the model's probabilities, or its predicted numbers."""
    return model.predict_proba if model.task == "classification" else model.predict
