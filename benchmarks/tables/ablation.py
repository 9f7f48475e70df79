"""Ablations: what each part of the choice, and each ingredient of the usual recipe, is worth on real tables.

`parts` makes one race a cut of a table and answers for the test rows by all of it, and by all but one part;
`ingredients` fits the usual recipe and its variants to the folds of smaller cuts. Both are paired: the same rows, the
same folds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.tables.figures import measured
from benchmarks.tables.problems import Problem
from taut import Recipe
from taut.selection.blending import Finished, blended
from taut.selection.choosing import folds_of_some, raced, work_of
from taut.selection.crew import Crew
from taut.selection.fold_models import fold_models
from taut.selection.folds import Folds
from taut.training.ensemble import Ensemble

__all__ = ["INGREDIENTS", "ingredients", "parts"]

SEED, MOST_ROWS, CV = 0, 5000, 5

#: Variants of the usual recipe, by what is different; what they are called, and the fields.
INGREDIENTS: dict[str, dict[str, Any]] = {
    "as it is": {},
}


def _folds(problem: Problem) -> Folds:
    task = "classification" if problem.is_classification else "regression"
    return folds_of_some(
        problem.X, problem.y, MOST_ROWS, task=task, cv=CV, repeats=1, groups=None, time=None, seed=SEED
    )


def parts(problem: Problem) -> dict[str, dict[str, float]]:
    """Return the figures of the choice and of what is left of it without one of its parts."""
    folds = _folds(problem)
    _, finished = raced(folds, Recipe(), work_of("standard"), "auto", SEED, crew=Crew())
    whole = blended(finished, folds)
    best = [finished[0], min(finished, key=lambda one: one[0].mean)]
    first = [one for one in finished if one[0].round == 0]
    simple = [one for one in finished if not (one[0].recipe.embedding_width or one[0].recipe.bins)]
    alone = blended(best, folds)
    variants: dict[str, Callable[[], Ensemble]] = {
        "all of it": lambda: whole.ensemble(folds),
        "without a temperature": lambda: replace(whole, temperature=1.0).ensemble(folds),
        "without further rounds": lambda: _of(first, folds),
        "without embeddings and pieces of numbers": lambda: _of(simple, folds),
        "the best setting alone, its networks of all folds": lambda: alone.ensemble(folds),
        "the best setting alone, its network of one fold": lambda: Ensemble(alone.ensemble(folds).models[:1]),
    }
    return {name: _figures(make(), problem) for name, make in variants.items()}


def _of(finished: Finished, folds: Folds) -> Ensemble:
    return blended(finished, folds).ensemble(folds)


def ingredients(problem: Problem) -> dict[str, dict[str, float]]:
    """Return the figures of the usual recipe and of its variants, each as the networks of five folds."""
    folds = _folds(problem)
    return {
        name: _figures(fold_models(replace(Recipe(dtype="float32"), **changes), folds), problem)
        for name, changes in INGREDIENTS.items()
    }


def _figures(answering: Ensemble, problem: Problem) -> dict[str, float]:
    return measured(problem, problem.answer_of(answering, problem.X_test))
