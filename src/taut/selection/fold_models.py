"""Fold models: the networks that cross-validation trains, one a fold, kept as an ensemble.

A choice looks at hundreds of networks and keeps none of them. Those of the recipe that was chosen are trained again,
which gives the same, bit for bit, and takes what a handful of fits take. Floor 5 of the house; knows nothing of how
the recipe was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from taut.data.targets import ClassWeight
from taut.errors import InvalidValue
from taut.selection.crew import Crew, Report
from taut.selection.folds import Fold, Folds
from taut.selection.outcomes import Outcome, Plan
from taut.training import building
from taut.training.ensemble import Ensemble
from taut.training.model import Model, Table
from taut.training.recipe import Recipe

__all__ = ["ensemble_of", "fit_models", "fold_models", "model_of"]


def fold_models(recipe: Recipe, folds: Folds, *, crew: Crew | None = None, report: Report | None = None) -> Ensemble:
    """Fit a recipe to the training rows of each fold.

    Parameters
    ----------
    recipe : Recipe
        The recipe, which must not stop early.
    folds : Folds
        The folds.
    crew : Crew, optional
        Who trains; all cores by default.
    report : callable, optional
        Told ``(fits done, fits planned, words)``.

    Returns
    -------
    Ensemble
        Of one model a fold.

    Raises
    ------
    NonFiniteLoss
        If training diverged on a fold.

    Examples
    --------
    >>> from taut.data import load_sample
    >>> from taut.selection.folds import splits_of
    >>> frame, target = load_sample("wine")
    >>> X, y = frame.drop(columns=target), frame[target]
    >>> folds = Folds(X, y, "classification", splits_of(3, X, y, task="classification"))
    >>> len(fold_models(Recipe(epochs=5), folds).models)
    3
    """
    if recipe.early_stopping:
        raise InvalidValue("models of folds need a recipe with early_stopping=False")
    encoded = folds.encoded(recipe.encoding)
    found: dict[int, Outcome] = {}

    def keep(fold: int, outcome: Outcome) -> None:
        found[fold] = outcome
        if report is not None:
            report(len(found), len(encoded), "models of the folds")

    with (crew or Crew()).at_work(encoded) as workers:
        workers.make([Plan(recipe, fold) for fold in range(len(encoded))], keep, curves=True)
    return ensemble_of([found[place] for place in range(len(encoded))], folds)


def fit_models(
    recipes: Sequence[Recipe],
    X: Table,
    y: Any,
    *,
    task: str,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    crew: Crew | None = None,
) -> list[Model]:
    """Fit several recipes to the same rows, side by side; each is what `fit_model` makes of it.

    Parameters
    ----------
    recipes : sequence of Recipe
        The recipes, which must not stop early; those that are equal are fitted once.
    X, y
        The table without the target, and the target.
    task : {"classification", "regression"}
        What to fit.
    sample_weight, class_weight
        See `fit_model`.
    crew : Crew, optional
        Who trains; all cores by default.

    Raises
    ------
    NonFiniteLoss
        If training diverged with one of them.
    """
    precise = "float64" if any(recipe.dtype == "float64" for recipe in recipes) else "float32"
    splits = [(np.arange(len(y)), np.arange(0))]
    folds = Folds(X, y, task, splits, 1, sample_weight, class_weight, dtype=precise)
    found: dict[Recipe, Model] = {}
    distinct = list(dict.fromkeys(recipes))
    for encoding in dict.fromkeys(recipe.encoding for recipe in distinct):
        own, (whole,) = [recipe for recipe in distinct if recipe.encoding == encoding], folds.encoded(encoding)

        def keep(place: int, outcome: Outcome, own: list[Recipe] = own, whole: Fold = whole) -> None:
            found[own[place]] = model_of(outcome, whole)

        with (crew or Crew()).at_work([whole]) as workers:
            workers.make([Plan(recipe, 0) for recipe in own], keep, curves=True)
    return [found[recipe] for recipe in recipes]


def ensemble_of(outcomes: Sequence[Outcome], folds: Folds) -> Ensemble:
    """Return the networks of outcomes, one a fold, as an ensemble; their histories must have been kept."""
    encoded = folds.encoded(outcomes[0].run.planned.recipe.encoding)
    return Ensemble(tuple(model_of(outcome, fold) for outcome, fold in zip(outcomes, encoded, strict=True)))


def model_of(outcome: Outcome, fold: Fold) -> Model:
    """Return the network of an outcome on a fold with what encodes its table; its history must have been kept."""
    run, task = outcome.run, fold.table.task
    if run.error is not None:
        raise run.error
    recipe = run.planned.recipe
    loss = building.loss(recipe, task, fold.table.class_weight)
    return Model(recipe, task, fold.encoder, fold.targets, run.network, loss, run.history)
