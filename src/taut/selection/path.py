"""The regularization path: one strength from where it silences the network down to where it hardly shows.

All values times all folds are trained as one population, on the same folds and from the same first weights. What glmnet
is to linear models: the curve of the cross-validated loss with its standard error, the best value, and the most
regularized one that is within a standard error of it. Floor 5 of the house; knows nothing of files or screens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from taut.checks import check_choice, check_flag, check_number, shown
from taut.data.targets import ClassWeight, infer_task
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.selection.axes import Axis, axis_of
from taut.selection.crew import Crew, Report
from taut.selection.cross_validation import CHOOSING, Progress, check_recipe, in_precision
from taut.selection.folds import CV, Folds, splits_of
from taut.selection.largest import largest_strength
from taut.selection.objectives import METRICS
from taut.selection.outcomes import Outcome
from taut.selection.path_result import RegularizationPath
from taut.selection.walk import Walk
from taut.training.model import Table
from taut.training.recipe import TASKS, Recipe

__all__ = ["regularization_path", "within_one_error"]


def regularization_path(
    recipe: Recipe,
    X: Table,
    y: Any,
    *,
    penalty: str = "l2",
    values: Sequence[float] | None = None,
    n_values: int = 30,
    min_ratio: float = 1e-4,
    cv: CV = 5,
    repeats: int = 1,
    task: str | None = None,
    groups: Any = None,
    time: Any = None,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    warm_start: bool | None = None,
    stop_at_features: int | None = None,
    dtype: str | None = CHOOSING,
    n_jobs: int | None = None,
    backend: str | None = None,
    report: Report | None = None,
) -> RegularizationPath:
    """Cross-validate a recipe along one strength.

    Parameters
    ----------
    recipe : Recipe
        What stays as it is.
    X : DataFrame or array, shape (rows, columns)
        The table without the target, as it is.
    y : Series or array, shape (rows,)
        The target.
    penalty : str, default "l2"
        "l2"; "l1"; "l1_ratio=0.5" (elastic net); "group" (group lasso by input, which selects inputs); "dropout"; or
        any numeric field of `Recipe`.
    values : sequence of float, optional
        The values; by default a grid of `n_values`, for a strength of powers down from the largest that matters
        (`taut.selection.largest`), for a share of equal steps.
    n_values : int, default 30
        Values of the grid.
    min_ratio : float, default 1e-4
        The smallest strength of the grid, as a share of the largest.
    cv : int, iterable of (train, validation), or splitter, default 5
        Folds: for a number, stratified by class, kept whole by group, or forward in time.
    repeats : int, default 1
        How many times the rows are divided anew into `cv` folds.
    task : {"classification", "regression"}, optional
        Inferred from the target by default.
    groups : array, shape (rows,), optional
        Rows with the same value are never parted.
    time : array, shape (rows,), optional
        Each fold is validated by a model of the rows before it.
    sample_weight : array, shape (rows,), optional
        How much each row counts, in training and in validation.
    class_weight : mapping of class to float, or "balanced", optional
        Factor for the loss of each class, in training.
    warm_start : bool, optional
        Whether each value's networks start from the weights of the value before it, from the weakest to the strongest
        penalty; otherwise all start from the same first weights, and train at the same time. By default only for
        "group": inputs then leave one by one, and the path goes on beyond the largest strength until none is left.
    stop_at_features : int, optional
        End the path at the first value at which at least so many inputs are used; for a penalty that brings weights
        to zero.
    dtype : str, default "float32"
        Floating-point type of the networks on the path; None takes the recipe's. `refit` takes the recipe's.
    n_jobs : int, optional
        Threads, or workers of the backend; as many as there are by default. The result does not depend on it.
    backend : str, optional
        A joblib backend, such as "loky" or "dask", to share the work with processes or other machines.
    report : callable, optional
        Told ``(fits done, fits planned, words)``.

    Returns
    -------
    RegularizationPath
        From the most to the least regularized value.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used; `DataError` if the table cannot.
    NonFiniteLoss
        If training diverged at every value.

    Examples
    --------
    >>> from taut import Recipe, load_sample, regularization_path
    >>> frame, target = load_sample("wine")
    >>> path = regularization_path(Recipe(epochs=20), frame.drop(columns=target), frame[target], n_values=5, cv=3)
    >>> bool(path.value_1se >= path.value_min)
    True
    >>> path.refit("min").recipe.l2 == path.value_min
    True
    """
    axis = axis_of(penalty)
    if not isinstance(recipe, Recipe):
        raise InvalidType(f"recipe must be a Recipe, got {shown(recipe)}")
    recipe = axis.base(replace(recipe, early_stopping=False))
    check_recipe(recipe)
    check_number("n_values", n_values, at_least=2, integer=True)
    check_number("min_ratio", min_ratio, above=0, below=1)
    if warm_start is None:
        warm_start = axis.field == "group_l1"
    check_flag("warm_start", warm_start)
    task = infer_task(y) if task is None else task
    check_choice("task", task, TASKS)
    if stop_at_features is not None:
        check_number("stop_at_features", stop_at_features, at_least=1, integer=True)
        if not axis.is_sparse:
            raise InvalidValue(f"stop_at_features needs a penalty that brings weights to zero, not {penalty!r}")
    splits = splits_of(cv, X, y, task=task, repeats=repeats, groups=groups, time=time, seed=recipe.seed)
    whole = np.arange(len(y)), np.arange(0)
    folds = Folds(X, y, task, [*splits, whole], repeats, sample_weight, class_weight)
    with Crew(n_jobs, backend).at_work(folds.encoded(recipe.encoding)) as workers:
        grid = None if values is None else _given(values, axis)
        if grid is None:
            quick = in_precision(recipe, dtype)
            largest = largest_strength(axis, quick, workers, len(splits)) if axis.is_strength else None
            grid = axis.grid(n_values, largest, min_ratio)
        walk = Walk(axis, grid, recipe, folds, warm_start)
        for each in walk.recipes:
            check_recipe(each)
        progress = Progress(len(grid) * (len(splits) + axis.is_sparse), report)
        on_all: list[Outcome] | None = None
        if axis.is_sparse:
            on_all = [found[0] for found in walk.outcomes(workers, [walk.on_all], progress, dtype=dtype)]
            if warm_start and values is None:
                walk, on_all = walk.further(workers, on_all, progress, dtype=dtype)
            if stop_at_features is not None and not warm_start:  # else all must be walked, from the weakest on
                end = _end(on_all, stop_at_features)
                walk, on_all = replace(walk, grid=walk.grid[:end]), on_all[:end]
            progress.planned = progress.done + len(walk.grid) * len(splits)
        found = walk.outcomes(workers, range(len(splits)), progress, dtype=dtype)
    if on_all is not None and stop_at_features is not None:
        end = _end(on_all, stop_at_features)
        found, on_all = found[:end], on_all[:end]
    return _path(penalty, walk, found, on_all)


def _given(values: Sequence[float], axis: Axis) -> np.ndarray:
    for value in values:
        check_number(f"values of {axis.name}", value)
    ordered = axis.ordered(values)
    if len(ordered) < 2:
        raise InvalidValue(f"a path needs at least 2 different values, got {shown(list(values))}")
    return ordered


def _end(on_all: list[Outcome], stop_at: int) -> int:
    """Return how many values there are up to the first at which so many inputs are used."""
    used = np.array([np.count_nonzero(one.input_norms) for one in on_all])
    enough = np.flatnonzero(used >= stop_at)
    return max(int(enough[0]) + 1 if len(enough) else len(on_all), 2)


def _path(penalty: str, walk: Walk, found: list[list[Outcome]], on_all: list[Outcome] | None) -> RegularizationPath:
    folds, recipe = walk.folds, walk.base
    losses = np.array([[one.loss for one in outcomes] for outcomes in found])
    means, errors = (np.array(column) for column in zip(*map(folds.mean_and_error, losses), strict=True))
    if not np.isfinite(means).any():
        raise NonFiniteLoss(f"training diverged at every value; lower learning_rate ({recipe.learning_rate:g})")
    best = int(np.argmin(np.where(np.isfinite(means), means, np.inf)))
    curves = [np.mean([one.validation_curve for one in outcomes], axis=0) for outcomes in found]
    return RegularizationPath(
        penalty=penalty,
        axis=walk.axis,
        values=walk.grid[: len(found)],
        recipes=walk.recipes[: len(found)],
        losses=losses,
        mean=means,
        standard_error=errors,
        metrics={
            name: np.array([[one.metrics[name] for one in outcomes] for outcomes in found])
            for name in METRICS[folds.task]
        },
        training=_mean(found, "training"),
        penalties=_mean(found, "penalty"),
        norms=_mean(found, "norms"),
        zeros=_mean(found, "zeros"),
        best_epoch=np.array([curve.argmin() for curve in curves]),
        input_names=folds.encoded(recipe.encoding)[walk.on_all].encoder.get_feature_names_out().tolist(),
        input_norms=None if on_all is None else np.array([np.nan_to_num(one.input_norms) for one in on_all]),
        index_min=best,
        index_1se=within_one_error(means, errors, best) if walk.axis.direction else best,
        metric_names=METRICS[folds.task],
        _walk=replace(walk, folds=replace(folds, _encoded={})),  # without what is encoded, which is the larger part
    )


def within_one_error(means: np.ndarray, errors: np.ndarray, best: int) -> int:
    """Return the first position, from the most regularized, whose mean is within one standard error of the best.

    Examples
    --------
    >>> within_one_error(np.array([0.9, 0.56, 0.51, 0.5, 0.6]), np.full(5, 0.05), best=3)
    2
    """
    allowed = means[best] + (errors[best] if np.isfinite(errors[best]) else 0.0)
    return int(np.flatnonzero(means[: best + 1] <= allowed)[0])


def _mean(found: list[list[Outcome]], name: str) -> np.ndarray:
    """Return the mean over the folds of an attribute of the outcomes, a row a value."""
    return np.array([np.mean([getattr(one, name) for one in outcomes], axis=0) for outcomes in found])
