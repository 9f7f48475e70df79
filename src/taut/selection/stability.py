"""Stability selection: which inputs a sparse penalty selects again and again, on halves of the rows.

One path selects what these very rows suggest; an input that is selected on most random halves of them is there for a
reason, and how many are selected by chance has a bound. All halves at all values are one population. Floor 5 of the
house; knows nothing of files or screens.

References
----------
N. Meinshausen and P. Bühlmann, "Stability selection", Journal of the Royal Statistical Society B 72, 2010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from taut.checks import check_choice, check_number, shown
from taut.data.splits import group_codes
from taut.data.targets import ClassTargets, ClassWeight, infer_task
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.random import Purpose, Random
from taut.selection.axes import Axis, axis_of
from taut.selection.crew import Crew, Report, Workers
from taut.selection.cross_validation import CHOOSING, Progress, check_recipe, in_precision
from taut.selection.folds import Fold, Folds
from taut.selection.frequencies import StabilitySelection
from taut.selection.largest import largest_strength
from taut.selection.outcomes import Outcome, Plan
from taut.selection.subsets import beginning, fair_order
from taut.training.model import Table
from taut.training.recipe import TASKS, Recipe

__all__ = ["stability_selection"]

# Where the sparse part of the path ends is looked for on a grid of so many values, down to this share of the largest.
_SCOUTS, _SCOUTED = 24, 0.02
# Of the penalties that bring weights to zero, those that can empty an input.
_SELECTING = ("l1", "group_l1")


def stability_selection(
    recipe: Recipe,
    X: Table,
    y: Any,
    *,
    penalty: str = "group",
    values: Sequence[float] | None = None,
    n_values: int = 8,
    n_subsamples: int = 50,
    threshold: float = 0.6,
    features_at_most: int | None = None,
    task: str | None = None,
    groups: Any = None,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    dtype: str | None = CHOOSING,
    n_jobs: int | None = None,
    backend: str | None = None,
    report: Report | None = None,
) -> StabilitySelection:
    """Count how often each input is selected on random halves of the rows.

    Parameters
    ----------
    recipe : Recipe
        What stays as it is, but for components, which are of all columns. `seed` also draws the halves.
    X : DataFrame or array, shape (rows, columns)
        The table without the target, as it is.
    y : Series or array, shape (rows,)
        The target.
    penalty : str, default "group"
        What selects: "group" (group lasso by input), "l1", or "l1_ratio=…".
    values : sequence of float, optional
        The strengths; by default a grid of `n_values`, of powers down from the smallest at which a fit to all rows uses
        no input, to the smallest at which it still uses `features_at_most`.
    n_values : int, default 8
        Values of the grid.
    n_subsamples : int, default 50
        How many halves are drawn; a frequency of 0.6 then has a standard error of 0.07.
    threshold : float, default 0.6
        From what frequency on an input is stable, above 0.5. Meinshausen and Bühlmann find that results hardly depend
        on it between 0.6 and 0.9.
    features_at_most : int, optional
        Where the default grid ends; the square root of the number p of encoded inputs by default. Where a half uses
        as many on the mean, the bound of false selections is ``1 / (2 * threshold - 1)`` whatever p is; half of the
        inputs would make it empty. Give the number that you expect to matter if it is larger, and a higher threshold.
    task : {"classification", "regression"}, optional
        Inferred from the target by default.
    groups : array, shape (rows,), optional
        Rows with the same value are in the same half.
    sample_weight : array, shape (rows,), optional
        How much each row counts.
    class_weight : mapping of class to float, or "balanced", optional
        Factor for the loss of each class.
    dtype : str, default "float32"
        Floating-point type of the networks; None takes the recipe's.
    n_jobs : int, optional
        Threads, or workers of the backend; as many as there are by default. The result does not depend on it.
    backend : str, optional
        A joblib backend, such as "loky" or "dask", to share the work with processes or other machines.
    report : callable, optional
        Told ``(fits done, fits planned, words)``.

    Returns
    -------
    StabilitySelection
        Frequencies by value and input, and what is stable.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used; `DataError` if the table cannot.
    NonFiniteLoss
        If training diverged.

    Examples
    --------
    >>> from taut import Recipe, load_sample, stability_selection
    >>> frame, target = load_sample("wine")
    >>> found = stability_selection(Recipe(epochs=20), frame.drop(columns=target), frame[target], n_subsamples=10)
    >>> found.frequencies.shape
    (8, 13)
    >>> set(found.stable) <= set(found.input_names)
    True
    """
    axis = _selecting(penalty)
    if not isinstance(recipe, Recipe):
        raise InvalidType(f"recipe must be a Recipe, got {shown(recipe)}")
    # Components are of all columns, and others in each half: nothing to select.
    recipe = replace(axis.base(recipe), components=0)
    check_recipe(recipe)
    check_number("n_values", n_values, at_least=2, integer=True)
    check_number("n_subsamples", n_subsamples, at_least=2, integer=True)
    check_number("threshold", threshold, above=0.5, at_most=1)
    if features_at_most is not None:
        check_number("features_at_most", features_at_most, at_least=1, integer=True)
    for value in [] if values is None else values:
        check_number(f"values of {axis.name}", value, at_least=0)
    task = infer_task(y) if task is None else task
    check_choice("task", task, TASKS)
    halves = _halves(y, task, groups, n_subsamples, recipe.seed)
    nothing = np.arange(0)
    splits = [(half, nothing) for half in [*halves, np.arange(len(y))]]
    folds = Folds(X, y, task, splits, 1, sample_weight, class_weight).encoded(recipe.encoding)
    quick = in_precision(recipe, dtype)
    with Crew(n_jobs, backend).at_work(folds) as workers:
        if values is None:
            at_most = features_at_most or max(round(float(np.sqrt(folds[-1].table.X.shape[1]))), 1)
            grid = _sparse_part(axis, quick, workers, n_subsamples, n_values, at_most)
        else:
            grid = axis.ordered(values)
        found = _outcomes(axis, grid, quick, workers, n_subsamples, report)
    return _counted(penalty, grid, found, folds, threshold)


def _selecting(penalty: str) -> Axis:
    axis = axis_of(penalty)
    if not axis.is_sparse or axis.field not in _SELECTING:
        raise InvalidValue(f"penalty must be one that empties inputs, 'group', 'l1' or 'l1_ratio=…'; got {penalty!r}")
    return axis


def _halves(y: Any, task: str, groups: Any, count: int, seed: int) -> list[np.ndarray]:
    """Return random halves of the rows, in which classes keep their shares; or of the groups."""
    n, random = len(y), Random(seed).at(purpose=Purpose.SPLIT)
    strata = ClassTargets().fit(y).encode(y) if task == "classification" else None
    known = None if groups is None else group_codes(groups, n)
    orders = (fair_order(random.at(item=item), n, strata=strata, groups=known) for item in range(count))
    return [beginning(order, n // 2, known) for order in orders]


def _sparse_part(axis: Axis, base: Recipe, workers: Workers, fold: int, n_values: int, at_most: int) -> np.ndarray:
    """Return a grid from where all rows select nothing down to where they still select so few inputs."""
    largest = largest_strength(axis, base, workers, fold)
    scouts = np.geomspace(largest, largest * _SCOUTED, _SCOUTS)
    used = np.zeros(_SCOUTS)

    def count(place: int, outcome: Outcome) -> None:
        used[place] = np.count_nonzero(_is_selected(outcome))

    workers.make([Plan(axis.recipe(base, value), fold) for value in scouts], count)
    too_many = np.flatnonzero(used > at_most)
    # Where the first inputs enter, there may be more of them at once: then the grid ends with these.
    some = np.flatnonzero(used > 0)
    end = max(too_many[0] - 1 if len(too_many) else _SCOUTS - 1, some[0] if len(some) else 0, 1)
    return np.geomspace(largest, scouts[end], n_values)


def _is_selected(outcome: Outcome) -> np.ndarray:
    return np.asarray(outcome.input_norms > 0)


def _outcomes(
    axis: Axis, grid: np.ndarray, base: Recipe, workers: Workers, n_subsamples: int, report: Report | None
) -> list[list[np.ndarray]]:
    """Return for each value and half, which of its inputs are selected."""
    where = [(place, half) for place in range(len(grid)) for half in range(n_subsamples)]
    found: list[list[Any]] = [[None] * n_subsamples for _ in grid]
    progress = Progress(len(where), report)

    def keep(index: int, outcome: Outcome) -> None:
        place, half = where[index]
        if outcome.diverged:
            raise NonFiniteLoss(f"training diverged; lower learning_rate ({base.learning_rate:g})")
        found[place][half] = _is_selected(outcome)
        progress.add(f"{axis.label} {grid[place]:.3g}", None)

    workers.make([Plan(axis.recipe(base, grid[place]), half) for place, half in where], keep)
    return found


def _counted(
    penalty: str, grid: np.ndarray, found: list[list[np.ndarray]], folds: list[Fold], threshold: float
) -> StabilitySelection:
    """Return how often each input and each column was selected."""
    whole = folds[-1].encoder
    inputs = whole.get_feature_names_out().tolist()
    columns = list(dict.fromkeys(name for name, _ in whole.outputs_))
    n_subsamples = len(folds) - 1
    by_input = np.zeros((n_subsamples, len(grid), len(inputs)), dtype=bool)
    by_column = np.zeros((n_subsamples, len(grid), len(columns)), dtype=bool)
    for half, fold in enumerate(folds[:-1]):
        # A half may not show every level of a category, or a gap: inputs are told apart by their names.
        names = fold.encoder.get_feature_names_out().tolist()
        for place in range(len(grid)):
            for name, (column, _), chosen in zip(names, fold.encoder.outputs_, found[place][half], strict=True):
                if chosen and name in inputs:
                    by_input[half, place, inputs.index(name)] = True
                if chosen and column in columns:
                    by_column[half, place, columns.index(column)] = True
    return StabilitySelection(
        penalty=penalty,
        values=grid,
        input_names=inputs,
        column_of=[name for name, _ in whole.outputs_],
        column_names=columns,
        frequencies=by_input.mean(axis=0),
        column_frequencies=by_column.mean(axis=0),
        selected=float(by_input.any(axis=1).sum(axis=1).mean()),
        n_subsamples=n_subsamples,
        threshold=threshold,
    )
