"""Cross-validation: every recipe on the same folds, all of them one population.

The validation loss is recorded after every epoch, for the eye; what counts is the last one, when the learning rate has
come down. Floor 5 of the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from taut.data.targets import ClassWeight
from taut.errors import InvalidValue
from taut.selection.crew import Crew, Report
from taut.selection.folds import EncodedFolds, Folds, Splits
from taut.selection.objectives import METRICS
from taut.selection.outcomes import Outcome, Plan
from taut.training.model import Table
from taut.training.recipe import Recipe

__all__ = [
    "CHOOSING",
    "Candidate",
    "Progress",
    "check_recipe",
    "cross_validate",
    "finite",
    "in_precision",
    "outcomes_on",
]

#: The floating-point type in which choices are made: half the time, and far more digits than a standard error has.
CHOOSING = "float32"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A recipe and how it did.

    Attributes
    ----------
    recipe : Recipe
        The recipe.
    mean, standard_error : float
        Validation data loss after the last epoch: mean over the folds, and its standard error. For regression, of the
        standardized target.
    training : float
        Training data loss with all noise off after the last epoch, mean over the folds.
    training_curve, validation_curve, validation_curve_se : ndarray, shape (epochs,)
        Data loss with all noise off after each epoch, mean over the folds, and standard error of the latter; NaN in
        training, unless curves were asked for.
    scores : dict of str to (float, float)
        Validation metrics after the last epoch: mean over the folds and standard error.
    losses : ndarray, shape (folds,)
        Validation data loss after the last epoch, fold by fold.
    """

    recipe: Recipe
    mean: float
    standard_error: float
    training: float
    training_curve: np.ndarray
    validation_curve: np.ndarray
    validation_curve_se: np.ndarray
    scores: dict[str, tuple[float, float]]
    losses: np.ndarray

    @staticmethod
    def of(recipe: Recipe, outcomes: Sequence[Outcome], folds: Folds) -> Candidate:
        """Return what the outcomes of a recipe, one a fold, amount to."""
        validation = np.stack([outcome.validation_curve for outcome in outcomes])
        means, errors = (np.array(values) for values in zip(*map(folds.mean_and_error, validation.T), strict=True))
        losses = np.array([outcome.loss for outcome in outcomes])
        mean, error = folds.mean_and_error(losses)
        scores = {
            name: folds.mean_and_error(np.array([outcome.metrics[name] for outcome in outcomes]))
            for name in METRICS[folds.task]
        }
        training = float(np.mean([outcome.training for outcome in outcomes]))
        curve = np.mean([outcome.training_curve for outcome in outcomes], axis=0)
        return Candidate(recipe, mean, error, training, curve, means, errors, scores, losses)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "recipe": self.recipe.to_dict(),
            "mean": finite(self.mean),
            "standard_error": finite(self.standard_error),
            "scores": {name: [finite(value) for value in score] for name, score in self.scores.items()},
        }


def finite(value: float) -> float | None:
    """Return a number as JSON has it: those of a candidate that diverged are null."""
    return value if np.isfinite(value) else None


def check_recipe(recipe: Recipe) -> None:
    """Raise unless a recipe can be cross-validated."""
    if recipe.early_stopping or recipe.epochs < 1:
        raise InvalidValue("cross-validation needs recipes with early_stopping=False and at least 1 epoch")


def in_precision(recipe: Recipe, dtype: str | None) -> Recipe:
    """Return the recipe as a choice makes it, in another floating-point type; None leaves its own."""
    return recipe if dtype is None or dtype == recipe.dtype else replace(recipe, dtype=dtype)


def cross_validate(
    recipes: Sequence[Recipe],
    X: Table,
    y: Any,
    *,
    task: str,
    splits: Splits,
    repeats: int = 1,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    dtype: str | None = CHOOSING,
    curves: bool = False,
    n_jobs: int | None = None,
    backend: str | None = None,
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
        The folds, the same for every recipe; `splits_of` makes them.
    repeats : int, default 1
        How many divisions of the rows `splits` holds.
    sample_weight : ndarray, shape (rows,), optional
        How much each row counts, in training and in validation.
    class_weight : mapping of class to float, or "balanced", optional
        Factor for the loss of each class, in training.
    dtype : str, default "float32"
        Floating-point type of the networks; None takes each recipe's.
    curves : bool, default False
        Record the training loss with all noise off after each epoch, which takes a fourth more time.
    n_jobs : int, optional
        Threads, or workers; as many as there are cores by default. The result does not depend on it.
    backend : str, optional
        A backend of joblib, to share the work with processes or other machines; by default it is threads.
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
        check_recipe(recipe)
    made = Folds(X, y, task, splits, repeats, sample_weight, class_weight)
    found = outcomes_on(
        made,
        [[recipe] * len(splits) for recipe in recipes],
        dtype=dtype,
        curves=curves,
        crew=Crew(n_jobs, backend),
        report=report,
    )
    return [Candidate.of(recipe, outcomes, made) for recipe, outcomes in zip(recipes, found, strict=True)]


def outcomes_on(
    folds: Folds,
    recipes: Sequence[Sequence[Recipe]],
    *,
    dtype: str | None = CHOOSING,
    curves: bool = False,
    crew: Crew | None = None,
    report: Report | None = None,
) -> list[list[Outcome]]:
    """Return the outcomes of candidates, each a recipe for each fold; their histories are kept with `curves` only."""
    found: list[list[Any]] = [[None] * len(folds) for _ in recipes]
    progress = Progress(len(recipes) * len(folds), report)
    encoded = EncodedFolds(folds, [each[0].encoding for each in recipes])
    where = [(place, fold) for place in range(len(recipes)) for fold in range(len(folds))]

    def plan(recipe: Recipe, fold: int) -> Plan:
        return Plan(in_precision(recipe, dtype), encoded.place(recipe.encoding, fold))

    def keep(index: int, outcome: Outcome) -> None:
        place, fold = where[index]
        found[place][fold] = outcome if curves else outcome.without_columns()
        mean = folds.mean_and_error(np.array([one.loss for one in found[place]]))[0] if all(found[place]) else None
        progress.add(recipes[place][fold].describe(), mean)

    with (crew or Crew()).at_work(encoded.all) as workers:
        workers.make([plan(recipes[place][fold], fold) for place, fold in where], keep, curves=curves)
    return found


class Progress:
    """How far the fits of a choice are, and the best so far."""

    def __init__(self, planned: int, report: Report | None) -> None:
        self.done, self.planned, self.best, self._report = 0, planned, np.inf, report

    def add(self, words: str, mean: float | None) -> None:
        """Count a fit; `mean` is that of its candidate, if that is complete with it."""
        self.done += 1
        if mean is not None and mean < self.best:
            self.best = mean
        if self._report is not None:
            best = f", lowest validation loss so far {self.best:.3g}" if np.isfinite(self.best) else ""
            self._report(self.done, self.planned, words + best)

    def end(self) -> None:
        """Say that there is no more to do than was done, if more had been planned."""
        if self.planned != self.done:
            self.planned = self.done
            if self._report is not None and self.done:
                self._report(self.done, self.planned, "ended early")
