"""Cross-validation: every recipe on the same folds, each fold's encoders fitted on its training rows only.

The validation loss is recorded after every epoch, for the eye; what counts is the last one, when the learning rate has
come down. Floor 5 of the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from taut.data.frames import take
from taut.data.targets import ClassTargets
from taut.errors import InvalidValue, NonFiniteLoss
from taut.selection.jobs import Report, run_jobs
from taut.selection.scores import METRICS, mean_and_error
from taut.training.model import Table, fit_model
from taut.training.recipe import Recipe

__all__ = ["Candidate", "Splits", "cross_validate"]

Splits = Sequence[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Candidate:
    """A recipe and how it did.

    Attributes
    ----------
    recipe : Recipe
        The recipe.
    mean, standard_error : float
        Validation data loss after the last epoch: mean over the folds, and its standard error. For regression, of the
        standardized target.
    training_curve, validation_curve, validation_curve_se : ndarray, shape (epochs,)
        Data loss with all noise off after each epoch, mean over the folds, and standard error of the latter.
    scores : dict of str to (float, float)
        Validation metrics after the last epoch: mean over the folds and standard error.
    """

    recipe: Recipe
    mean: float
    standard_error: float
    training_curve: np.ndarray
    validation_curve: np.ndarray
    validation_curve_se: np.ndarray
    scores: dict[str, tuple[float, float]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "recipe": self.recipe.to_dict(),
            "mean": _finite(self.mean),
            "standard_error": _finite(self.standard_error),
            "scores": {name: [_finite(value) for value in score] for name, score in self.scores.items()},
        }


def _finite(value: float) -> float | None:
    """Return a number as JSON has it: those of a candidate that diverged are null."""
    return value if np.isfinite(value) else None


@dataclass(frozen=True)
class FoldCurves:
    """What one recipe did on one fold: a value an epoch for each column."""

    training: np.ndarray
    validation: np.ndarray
    metrics: dict[str, np.ndarray]


def cross_validate(
    recipes: Sequence[Recipe],
    X: Table,
    y: Any,
    *,
    task: str,
    splits: Splits,
    n_jobs: int | None = None,
    report: Report | None = None,
) -> list[Candidate]:
    """Try every recipe on every fold.

    Parameters
    ----------
    recipes : sequence of Recipe
        What to try.
    X, y
        The table without the target, and the target.
    task : {"classification", "regression"}
        What to fit.
    splits : sequence of (train_index, validation_index)
        The folds, the same for every recipe.
    n_jobs : int, optional
        Processes; as many as there are cores by default. The result does not depend on it.
    report : callable, optional
        Told ``(fits done, fits planned, words)`` as they finish.

    Returns
    -------
    list of Candidate
        One a recipe, in their order.

    Raises
    ------
    InvalidValue
        If a recipe stops early: the fold's validation rows must not decide how long it trains.

    Examples
    --------
    >>> from taut.data import folds, load_sample
    >>> frame, target = load_sample("wine")
    >>> splits = folds(frame[target], n_splits=2, task="classification")
    >>> candidates = cross_validate([Recipe(epochs=5), Recipe(epochs=5, l2=1.0)], frame.drop(columns=target),
    ...                             frame[target], task="classification", splits=splits, n_jobs=1)
    >>> candidates[0].mean < candidates[1].mean
    True
    """
    for recipe in recipes:
        if recipe.early_stopping or recipe.epochs < 1:
            raise InvalidValue("cross-validation needs recipes with early_stopping=False and at least 1 epoch")
    # Of a class with a single row, the fold that validates it trains on none.
    classes = ClassTargets().fit(y).classes_ if task == "classification" else None
    jobs = [(recipe, X, y, task, classes, fold) for recipe in recipes for fold in splits]
    k = len(splits)

    def words(curves: Sequence[FoldCurves]) -> str:
        whole = [np.mean([fold.validation[-1] for fold in curves[i : i + k]]) for i in range(0, len(curves) - k + 1, k)]
        best = f", lowest validation loss so far {min(whole):.3g}" if whole else ""
        return recipes[(len(curves) - 1) // k].describe() + best

    curves = run_jobs(_run_fold, jobs, n_jobs=n_jobs, report=report, words=words)
    return [_summarize(recipe, task, curves[i * k : (i + 1) * k]) for i, recipe in enumerate(recipes)]


def _run_fold(
    recipe: Recipe, X: Table, y: Any, task: str, classes: np.ndarray | None, fold: tuple[np.ndarray, np.ndarray]
) -> FoldCurves:
    train, validation = fold
    held = take(X, validation), take(y, validation)
    try:
        model = fit_model(
            recipe,
            take(X, train),
            take(y, train),
            task=task,
            classes=classes,
            validation=held,
            interruptible=False,
        )
    except NonFiniteLoss:  # this candidate is out; the others are not
        lost = np.full(recipe.epochs, np.inf)
        return FoldCurves(lost, lost, dict.fromkeys(METRICS[task], lost))
    history = model.history
    if task == "classification":
        metrics = {"log_loss": history["validation_data_loss"], "accuracy": history["validation_accuracy"]}
    else:
        # The spread of the fold's own target turns its R² into an error in the target's units, whatever the loss.
        r2, spread = history["validation_r2"], float(np.std(np.asarray(held[1], dtype=float)))
        metrics = {"rmse": np.sqrt(np.maximum(1.0 - r2, 0.0)) * spread, "r2": r2}
    return FoldCurves(history["evaluation_data_loss"], history["validation_data_loss"], metrics)


def _summarize(recipe: Recipe, task: str, folds: Sequence[FoldCurves]) -> Candidate:
    validation = np.stack([fold.validation for fold in folds])
    summaries = [mean_and_error(losses) for losses in validation.T]
    scores = {name: mean_and_error(np.array([fold.metrics[name][-1] for fold in folds])) for name in METRICS[task]}
    means, errors = (np.array(values) for values in zip(*summaries, strict=True))
    return Candidate(
        recipe=recipe,
        mean=float(means[-1]),
        standard_error=float(errors[-1]),
        training_curve=np.mean([fold.training for fold in folds], axis=0),
        validation_curve=means,
        validation_curve_se=errors,
        scores=scores,
    )
