"""The search, from coarse to fine: what regularizes a recipe best on a table, and what each ingredient is worth.

The first round tries what usually helps, the recipe as it is, none of it, and random settings from the whole space.
Each later round moves around the best of all before it, in steps half as long. Then the best gives up its ingredients
one by one: what does not pay leaves, and by how much the loss rises without each of the others is what it is worth. All
settings of a round are one population on the same folds, and those that fall behind are stopped early. Floor 5 of the
house; knows nothing of files or screens.
"""

from __future__ import annotations

import hashlib
import json
import time as clock
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from taut.checks import check_choice, check_number, shown
from taut.data.targets import ClassWeight, infer_task
from taut.engine.compiled import compiled_run
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.selection.crew import Crew, Report
from taut.selection.cross_validation import CHOOSING, Progress, check_recipe
from taut.selection.folds import CV, EncodedFolds, Folds, splits_of
from taut.selection.halving import Budget
from taut.selection.hunt import Hunt, planned
from taut.selection.search_result import EFFORTS, Effort, SearchResult, effort_of, rank, simplest
from taut.selection.space import Space
from taut.selection.trials import Ledger
from taut.training.model import Table
from taut.training.recipe import TASKS, Recipe
from taut.versions import versions

__all__ = ["begins", "run_search", "search", "seconds_of"]


def search(
    recipe: Recipe,
    space: Mapping[str, Any] | None,
    X: Table,
    y: Any,
    *,
    effort: str | int = "standard",
    budget: float | str | None = None,
    cv: CV = 5,
    repeats: int = 1,
    task: str | None = None,
    groups: Any = None,
    time: Any = None,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    storage: str | Path | None = None,
    resume: bool = False,
    dtype: str | None = CHOOSING,
    n_jobs: int | None = None,
    backend: str | None = None,
    report: Report | None = None,
) -> SearchResult:
    """Search for the regularization that generalizes best, from coarse to fine.

    Parameters
    ----------
    recipe : Recipe
        What to start from; what is not in the space stays as it is.
    space : mapping of str to Range, Choice, pair or list, or None
        For each field, a `Range`, a pair of bounds, a `Choice` or a list of values; None is every field that
        regularizes (`taut.selection.space.SPACE`).
    X : DataFrame or array, shape (rows, columns)
        The table without the target, as it is.
    y : Series or array, shape (rows,)
        The target.
    effort : {"quick", "standard", "thorough"} or int, default "standard"
        How much to try: a word, or a number of settings. It counts work, so that the same seed gives the same answer.
    budget : float or str, optional
        Most seconds it may take, or "90s", "2m", "1h"; if that ends the search, the result says so.
    cv, repeats, task, groups, time, sample_weight, class_weight
        See `regularization_path`.
    storage : str or path, optional
        Where Optuna keeps the trials: a file, for SQLite, or the URL of a database. By default nothing is kept.
    resume : bool, default False
        Go on with the search that the storage holds; the answer is that of one that was never interrupted.
    dtype, n_jobs, backend, report
        See `regularization_path`.

    Returns
    -------
    SearchResult
        The best setting, the simplest that is as good, what each ingredient is worth, and all trials.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used, or the budget is too short to try a single setting.
    NonFiniteLoss
        If training diverged at every setting.

    Examples
    --------
    >>> from taut import Recipe, load_sample, search
    >>> frame, target = load_sample("wine")
    >>> found = search(Recipe(epochs=10), {"l2": (1e-4, 1.0), "dropout": (0.1, 0.5)}, frame.drop(columns=target),
    ...                frame[target], effort=4, cv=2)
    >>> len(found.trials) >= 4, found.stopped_by_budget
    (True, False)
    """
    if not isinstance(recipe, Recipe):
        raise InvalidType(f"recipe must be a Recipe, got {shown(recipe)}")
    began, recipe = begins(budget, dtype or recipe.dtype), replace(recipe, early_stopping=False)
    check_recipe(recipe)
    task = infer_task(y) if task is None else task
    check_choice("task", task, TASKS)
    splits = splits_of(cv, X, y, task=task, repeats=repeats, groups=groups, time=time, seed=recipe.seed)
    folds = Folds(X, y, task, splits, repeats, sample_weight, class_weight)
    return run_search(
        Space(recipe, space, task),
        folds,
        effort=effort_of(effort),
        dtype=dtype,
        budget=Budget(None if budget is None else seconds_of(budget), began=began),
        storage=storage,
        resume=resume,
        crew=Crew(n_jobs, backend),
        report=report,
    )


def begins(budget: float | str | None, dtype: str = CHOOSING) -> float:
    """Return when a budget begins to run out: once the engine is there, which may have to be compiled first."""
    if budget is not None:
        compiled_run(dtype)
    return clock.time()


def seconds_of(budget: float | str) -> float:
    """Return the seconds of a number, or of "90s", "2m", "1h".

    Examples
    --------
    >>> seconds_of("2m"), seconds_of(1.5)
    (120.0, 1.5)
    """
    value: object = budget
    if isinstance(budget, str):
        unit = {"s": 1, "m": 60, "h": 3600}.get(budget[-1:], 0)
        try:
            value = float(budget[:-1]) * unit if unit else float(budget)
        except ValueError as error:
            raise InvalidValue(f"budget must be seconds, or such as '90s', '2m', '1h'; got {budget!r}") from error
    check_number("budget", value, above=0)
    return float(value)  # type: ignore[arg-type]  # checked


def run_search(
    space: Space,
    folds: Folds,
    *,
    effort: Effort,
    budget: Budget,
    dtype: str | None = CHOOSING,
    storage: str | Path | None = None,
    resume: bool = False,
    crew: Crew | None = None,
    report: Report | None = None,
) -> SearchResult:
    """Search on folds that are made already; see `search`."""
    recipe = space.base
    fingerprint = "" if storage is None else _fingerprint(space, folds, effort, dtype)
    ledger = None if storage is None else Ledger(storage, fingerprint, resume=resume)
    encoded = EncodedFolds(folds, space.encodings([{}]))
    with (crew or Crew()).at_work(encoded.all) as workers:
        hunt = Hunt(
            space, encoded, workers, ledger, budget, effort, dtype, Progress(planned(effort, len(folds)), report)
        )
        hunt.run()
    trials = hunt.trials
    if not trials:
        raise InvalidValue(
            f"a budget of {budget.seconds:g} s is too short to try a single setting here; "
            f"give more, such as {budget.needed(len(folds)):.0f} s"
        )
    best = min(trials, key=rank)
    if not np.isfinite(best.mean):
        raise NonFiniteLoss(f"training diverged with every setting; lower learning_rate ({recipe.learning_rate:g})")
    return SearchResult(
        trials=trials,
        best=best,
        simplest=simplest(trials, best),
        ingredients=hunt.ingredients(),
        stopped_by_budget=hunt.is_cut_short,
        effort=effort,
        seconds=clock.time() - budget.began,
        storage=None if ledger is None else ledger.where,
        task=folds.task,
        beyond=next(((name, one.settings) for name, one in EFFORTS.items() if one.settings > effort.settings), None),
        _folds=replace(folds, _encoded={}),  # without what is encoded, which is the larger part
    )


def _fingerprint(space: Space, folds: Folds, effort: Effort, dtype: str | None) -> str:
    """Return what all trials depend on, in a few letters."""
    about = {
        "base": space.base.to_dict(),
        "space": {name: repr(dimension) for name, dimension in space.dimensions.items()},
        "effort": [effort.coarse, *effort.finer],
        "class_weight": repr(folds.class_weight),
        "repeats": folds.repeats,
        "taut": versions()["taut"],
        "dtype": dtype,
    }
    found = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode())
    for fold in folds.encoded(space.base.encoding):
        for values in (fold.table.X, fold.table.y, fold.train, fold.held, fold.weight):
            found.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    return found.hexdigest()
