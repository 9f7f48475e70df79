"""Cross-validation: every recipe on the same folds, each fold's encoders fitted on its training rows only.

The validation loss is recorded after every epoch, so that the number of epochs is chosen along with the strengths: for
each recipe, the epoch at which the mean over the folds is lowest. Floor 5 of the house.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from taut.selection.scores import METRICS, mean_and_error
from taut.training.model import Table, fit_model, take
from taut.training.recipe import Recipe

__all__ = ["Candidate", "Splits", "cross_validate", "run_jobs"]

Splits = Sequence[tuple[np.ndarray, np.ndarray]]
Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Candidate:
    """A recipe and how it did.

    Attributes
    ----------
    recipe : Recipe
        The recipe, with the number of epochs that was planned.
    epochs : int
        The number of epochs after which the mean validation loss was lowest.
    mean, standard_error : float
        Validation data loss there: mean over the folds, and its standard error. For regression, of the standardized
        target.
    training_curve, validation_curve, validation_curve_se : ndarray, shape (epochs planned,)
        Data loss with all noise off after each epoch, mean over the folds, and standard error of the latter.
    scores : dict of str to (float, float)
        Validation metrics after `epochs`: mean over the folds and standard error.
    last_scores : dict of str to (float, float)
        The same after all epochs planned.
    """

    recipe: Recipe
    epochs: int
    mean: float
    standard_error: float
    training_curve: np.ndarray
    validation_curve: np.ndarray
    validation_curve_se: np.ndarray
    scores: dict[str, tuple[float, float]]
    last_scores: dict[str, tuple[float, float]]

    def chosen_recipe(self) -> Recipe:
        """Return the recipe with the chosen number of epochs."""
        return replace(self.recipe, epochs=self.epochs)

    def describe(self) -> str:
        """Return in a few words what regularizes, and for how long it trains."""
        return f"{self.recipe.describe()} · {self.epochs} epochs"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "recipe": self.recipe.to_dict(),
            "epochs": self.epochs,
            "mean": self.mean,
            "standard_error": self.standard_error,
            "scores": {name: list(score) for name, score in self.scores.items()},
        }


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
    jobs = [(recipe, X, y, task, train, validation) for recipe in recipes for train, validation in splits]
    words = [recipe.describe() for recipe in recipes for _ in splits]
    curves = run_jobs(_run_fold, jobs, n_jobs=n_jobs, report=report, words=words)
    k = len(splits)
    return [_summarize(recipe, task, curves[i * k : (i + 1) * k]) for i, recipe in enumerate(recipes)]


def run_jobs(
    function: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int | None,
    report: Report | None,
    words: Sequence[str],
) -> list[Any]:
    """Call `function` on every job's arguments, in processes, and return the results in the jobs' order."""
    from joblib import Parallel, cpu_count, delayed

    workers = min(n_jobs or cpu_count(), len(jobs))
    results = []
    calls = (delayed(function)(*job) for job in jobs)
    for result in Parallel(n_jobs=workers, return_as="generator")(calls):
        results.append(result)
        if report is not None:
            report(len(results), len(jobs), words[len(results) - 1])
    return results


def _run_fold(recipe: Recipe, X: Table, y: Any, task: str, train: np.ndarray, validation: np.ndarray) -> FoldCurves:
    held = take(X, validation), take(y, validation)
    # Every epoch's validation loss is wanted, so early stopping, which would decide by it, is off here.
    recipe = replace(recipe, early_stopping=False)
    model = fit_model(recipe, take(X, train), take(y, train), task=task, validation=held, interruptible=False)
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
    mean = validation.mean(axis=0)
    best = int(mean.argmin())
    errors = validation.std(axis=0, ddof=1) / np.sqrt(len(folds)) if len(folds) > 1 else np.full(len(mean), np.nan)
    scores, last_scores = (
        {name: mean_and_error(np.array([fold.metrics[name][epoch] for fold in folds])) for name in METRICS[task]}
        for epoch in (best, -1)
    )
    training = np.stack([fold.training for fold in folds]).mean(axis=0)
    return Candidate(
        recipe, best + 1, float(mean[best]), float(errors[best]), training, mean, errors, scores, last_scores
    )
