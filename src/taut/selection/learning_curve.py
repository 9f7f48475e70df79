"""The learning curve: the loss on rows not trained on, against how many rows were trained on, and what more would buy.

Each fold of a cross-validation trains on growing parts of its training rows, a smaller one within the larger; encoders
and all see that part only. All parts of all folds are one population. A power law through the losses says what twice
the rows would bring, and the folds say how certain that is. Floor 5 of the house; knows nothing of files or screens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from taut.checks import check_choice, check_number, shown
from taut.data.splits import group_codes, time_order
from taut.data.targets import ClassTargets, ClassWeight, infer_task
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.random import Purpose, Random
from taut.selection.crew import Crew, Report
from taut.selection.cross_validation import CHOOSING, Progress, check_recipe, in_precision
from taut.selection.folds import CV, Fold, Folds, Splits, splits_of
from taut.selection.growth import LearningCurve
from taut.selection.objectives import METRICS
from taut.selection.outcomes import Outcome, Plan
from taut.selection.power_law import fit_law
from taut.selection.subsets import beginning, fair_order
from taut.training.model import Table
from taut.training.recipe import TASKS, Recipe

__all__ = ["learning_curve"]

# By default, sizes halve, and none has fewer rows than these, or than so many a class: on fewer, losses are another
# matter than the law (the "small data region" of Hestness et al.).
_FEWEST, _FEWEST_A_CLASS = 20, 5
# A power law has three numbers.
_LEAST_SIZES = 3


def learning_curve(
    recipe: Recipe,
    X: Table,
    y: Any,
    *,
    sizes: Sequence[int] | None = None,
    n_sizes: int = 6,
    cv: CV = 5,
    repeats: int = 1,
    task: str | None = None,
    groups: Any = None,
    time: Any = None,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    dtype: str | None = CHOOSING,
    n_jobs: int | None = None,
    backend: str | None = None,
    report: Report | None = None,
) -> LearningCurve:
    """Cross-validate a recipe on growing parts of the rows, and say what more rows would bring.

    Parameters
    ----------
    recipe : Recipe
        The recipe, the same at every size. `seed` also decides on folds and parts.
    X : DataFrame or array, shape (rows, columns)
        The table without the target, as it is.
    y : Series or array, shape (rows,)
        The target.
    sizes : sequence of int, optional
        How many rows to train on, at least 3 numbers; by default `n_sizes`, each half of the next, up to the training
        rows of the smallest fold. Where rows come in groups, the last group is made whole.
    n_sizes : int, default 6
        How many sizes there are by default, at most; none is below 20 rows, or 5 a class.
    cv : int, iterable of (train, validation), or splitter, default 5
        Folds: for a number, stratified by class, kept whole by group, or with a time, blocks one after another of the
        later half of the rows, each validated by a model of the latest rows before it.
    repeats : int, default 1
        How many times the rows are divided anew into `cv` folds.
    task : {"classification", "regression"}, optional
        Inferred from the target by default.
    groups : array, shape (rows,), optional
        Rows with the same value are never parted.
    time : array, shape (rows,), optional
        Rows are validated by models of rows before them, the latest of which make the parts.
    sample_weight : array, shape (rows,), optional
        How much each row counts, in training and in validation.
    class_weight : mapping of class to float, or "balanced", optional
        Factor for the loss of each class, in training.
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
    LearningCurve
        From the smallest to the largest size.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used; `DataError` if the table cannot.
    NonFiniteLoss
        If training diverged.

    Examples
    --------
    >>> from taut import Recipe, learning_curve, load_sample
    >>> frame, target = load_sample("wine")
    >>> curve = learning_curve(Recipe(epochs=20), frame.drop(columns=target), frame[target], n_sizes=4, cv=3)
    >>> curve.sizes.tolist()
    [20, 36, 65, 118]
    >>> bool(curve.doubling.difference <= 0)
    True
    """
    if not isinstance(recipe, Recipe):
        raise InvalidType(f"recipe must be a Recipe, got {shown(recipe)}")
    check_recipe(recipe)
    check_number("n_sizes", n_sizes, at_least=_LEAST_SIZES, integer=True)
    task = infer_task(y) if task is None else task
    check_choice("task", task, TASKS)
    splits = _splits(cv, X, y, task, repeats, groups, time, recipe.seed)
    folds = Folds(X, y, task, splits, repeats, sample_weight, class_weight)
    classes = ClassTargets().fit(y) if task == "classification" else None
    codes = None if classes is None else classes.encode(y)
    known = None if groups is None else group_codes(groups, len(y))
    place = None if time is None else np.argsort(time_order(time, len(y)))
    wanted = _sizes(sizes, n_sizes, min(len(train) for train, _ in splits), 0 if codes is None else codes.max() + 1)
    parts = _parts(splits, wanted, recipe.seed, codes, known, place)
    encoded = [
        folds.encode(part, held, recipe.encoding)
        for (_, held), of_fold in zip(splits, parts, strict=True)
        for part in of_fold
    ]
    found = _outcomes(in_precision(recipe, dtype), encoded, wanted, folds, Crew(n_jobs, backend), report)
    counts = None
    if classes is not None and codes is not None:
        counts = dict(zip(classes.classes_.tolist(), np.bincount(codes).tolist(), strict=True))
    rows = np.array([[len(part) for part in of_fold] for of_fold in parts]).T
    return _curve(recipe, folds, rows, found, counts)


def _splits(
    cv: CV, X: Table, y: Any, task: str, repeats: int, groups: Any, time: Any, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the folds; with a time, those whose training rows are all at least half of the rows."""
    if time is None or groups is not None or not isinstance(cv, int) or len(y) < 4 * cv:
        return splits_of(cv, X, y, task=task, repeats=repeats, groups=groups, time=time, seed=seed)
    from sklearn.model_selection import TimeSeriesSplit

    check_number("cv", cv, at_least=2, integer=True)
    order = time_order(time, len(y))
    forward = TimeSeriesSplit(cv, test_size=len(y) // (2 * cv)).split(order)
    return splits_of([(order[a], order[b]) for a, b in forward], X, y, task=task, repeats=repeats)


def _sizes(given: Sequence[int] | None, n_sizes: int, largest: int, n_classes: int) -> list[int]:
    """Return how many rows to train on, ascending."""
    if given is not None:
        for size in given:
            check_number("sizes", size, at_least=2, at_most=largest, integer=True)
        made = sorted({int(size) for size in given})
    else:
        smallest = max(largest / 2 ** (n_sizes - 1), _FEWEST, _FEWEST_A_CLASS * n_classes)
        made = sorted({round(size) for size in np.geomspace(min(smallest, largest / 2), largest, n_sizes)} - {0, 1})
    if len(made) < _LEAST_SIZES:
        what = f"sizes={shown(list(given))}" if given is not None else f"{largest} training rows"
        raise InvalidValue(f"a learning curve needs at least {_LEAST_SIZES} different sizes; got {what}")
    return made


def _parts(
    splits: Splits,
    sizes: list[int],
    seed: int,
    codes: np.ndarray | None,
    groups: np.ndarray | None,
    place: np.ndarray | None,
) -> list[list[np.ndarray]]:
    """Return for each fold the rows of each size."""
    random = Random(seed).at(purpose=Purpose.SPLIT)
    found = []
    for fold, (train, _) in enumerate(splits):
        own_codes, own_groups, own_place = (None if one is None else one[train] for one in (codes, groups, place))
        order = fair_order(random.at(item=fold), len(train), strata=own_codes, groups=own_groups, time=own_place)
        found.append([train[beginning(order, size, own_groups)] for size in sizes])
    return found


def _outcomes(
    recipe: Recipe, encoded: list[Fold], sizes: list[int], folds: Folds, crew: Crew, report: Report | None
) -> list[list[Outcome]]:
    """Return for each size its outcome on each fold."""
    found: list[list[Any]] = [[None] * len(folds) for _ in sizes]
    progress = Progress(len(encoded), report)

    def keep(index: int, outcome: Outcome) -> None:
        fold, at = divmod(index, len(sizes))
        found[at][fold] = outcome.without_columns()
        mean = folds.mean_and_error(np.array([one.loss for one in found[at]]))[0] if all(found[at]) else None
        progress.add(f"{sizes[at]} rows", mean)

    with crew.at_work(encoded) as workers:
        workers.make([Plan(recipe, place) for place in range(len(encoded))], keep)
    return found


def _curve(
    recipe: Recipe, folds: Folds, rows: np.ndarray, found: list[list[Outcome]], counts: dict[Any, int] | None
) -> LearningCurve:
    """Return what the outcomes amount to."""
    losses = np.array([[one.loss for one in outcomes] for outcomes in found])
    if not np.isfinite(losses).all():
        raise NonFiniteLoss(
            f"training diverged in {np.count_nonzero(~np.isfinite(losses))} of {losses.size} fits; lower learning_rate "
            f"({recipe.learning_rate:g})"
        )
    metrics = {
        name: np.array([[one.metrics[name] for one in outcomes] for outcomes in found]) for name in METRICS[folds.task]
    }
    sizes = rows.mean(axis=1).round().astype(np.int64)
    first = METRICS[folds.task][0]
    return LearningCurve(
        recipe=recipe,
        task=folds.task,
        sizes=sizes,
        losses=losses,
        metrics=metrics,
        training=np.array([[one.training for one in outcomes] for outcomes in found]).mean(axis=1),
        repeats=folds.repeats,
        class_counts=counts,
        fitted=fit_law(sizes, metrics[first], random=Random(recipe.seed), repeats=folds.repeats),
    )
