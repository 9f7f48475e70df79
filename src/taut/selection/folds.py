"""Folds: which rows train and which validate, and each fold encoded by what its own training rows show.

Medians, scales, levels of categories and the mean of the target are learned from the training rows of a fold and from
nothing else, so that nothing about its validation rows leaks into what is judged on them. Every candidate meets the
same folds, so that differences are paired. Floor 5 of the house; knows nothing of recipes' merits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from taut.checks import check_number, shown
from taut.data.columns import TableEncoder
from taut.data.encoding import Encoding
from taut.data.frames import take
from taut.data.splits import folds
from taut.data.targets import ClassTargets, ClassWeight, NumberTargets, class_weights
from taut.errors import InvalidType, InvalidValue
from taut.selection.objectives import METRICS, OBJECTIVES
from taut.training.model import Table, augment_raw
from taut.training.shared_table import SharedTable

__all__ = ["CV", "EncodedFolds", "Fold", "Folds", "Splits", "splits_of"]

Splits = Sequence[tuple[np.ndarray, np.ndarray]]

#: A number of folds, pairs of row numbers, or one of scikit-learn's splitters.
CV = Any


def splits_of(
    cv: CV,
    X: Table,
    y: Any,
    *,
    task: str,
    repeats: int = 1,
    groups: Any = None,
    time: Any = None,
    seed: int = 0,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the folds that `cv` asks for.

    Parameters
    ----------
    cv : int, iterable of (train, validation), or splitter
        A number of folds, made by `taut.data.folds`: stratified by class, whole groups, or forward in time. Otherwise
        pairs of row numbers, or an object of scikit-learn with a method `split`.
    X, y
        The table without the target, and the target.
    task : {"classification", "regression"}
        What is to be fitted.
    repeats : int, default 1
        How many times the rows are divided anew; for a number of folds without `time`.
    groups, time
        See `taut.data.folds`.
    seed : int, default 0
        Same seed, same folds.

    Returns
    -------
    list of (train_index, validation_index)
        One after another the folds of each repeat.

    Raises
    ------
    InvalidValue, InvalidType
        If `cv` or `repeats` cannot be used; `DataError` if the rows cannot be divided so.
    """
    check_number("repeats", repeats, at_least=1, integer=True)
    if isinstance(cv, (int, np.integer)) and not isinstance(cv, bool):
        if repeats > 1 and time is not None:
            raise InvalidValue(f"folds that go forward in time cannot be repeated: give repeats=1, got {repeats}")
        seeds = range(seed, seed + repeats)
        return [
            fold
            for each in seeds
            for fold in folds(y, n_splits=int(cv), task=task, groups=groups, time=time, seed=each)
        ]
    if repeats > 1:
        raise InvalidValue(f"repeats is for a number of folds; got repeats={repeats} with cv={shown(cv)}")
    if time is not None:
        raise InvalidValue(f"time is for a number of folds; other splits are what they are, got cv={shown(cv)}")
    split = getattr(cv, "split", None)
    try:
        pairs = list(split(X, y, groups) if callable(split) else cv)
        made = [(np.asarray(train), np.asarray(held)) for train, held in pairs]
    except (TypeError, ValueError) as error:
        raise InvalidType(
            f"cv must be a number of folds, pairs of row numbers, or a splitter, got {shown(cv)}"
        ) from error
    if len(made) < 2:
        raise InvalidValue(f"cv must divide the rows at least twice, got {len(made)} pairs of row numbers")
    found = [(_rows(train, len(y)), _rows(held, len(y))) for train, held in made]
    for train, held in found:
        if np.intersect1d(train, held).size:
            raise InvalidValue(
                f"cv trains and validates on the same rows: {shown(np.intersect1d(train, held).tolist())}"
            )
    return found


def _rows(given: np.ndarray, n: int) -> np.ndarray:
    rows = np.flatnonzero(given) if given.dtype == bool and given.shape == (n,) else given
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows) or rows.min() < 0 or rows.max() >= n:
        raise InvalidValue(f"cv must give row numbers from 0 to {n - 1}, got {shown(given.tolist())}")
    return rows.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Fold:
    """A fold, encoded by what its training rows show.

    Attributes
    ----------
    train, held : ndarray of int64
        Positions of its training and of its validation rows in the table; there may be none of the latter.
    encoder : TableEncoder
        Fitted on the training rows.
    targets : ClassTargets or NumberTargets
        Fitted on all labels there are, or on the numbers of the training rows.
    table : SharedTable
        The training rows, encoded, and behind them the validation rows.
    true : ndarray, shape (rows of the table,) or (rows of the table, targets)
        Codes of classes, or numbers in their own units.
    weight : ndarray, shape (rows of the table,), or None
        How much each row counts.
    """

    train: np.ndarray
    held: np.ndarray
    encoder: TableEncoder
    targets: ClassTargets | NumberTargets
    table: SharedTable
    true: np.ndarray
    weight: np.ndarray | None

    @property
    def train_rows(self) -> np.ndarray:
        """Where the training rows are in `table`."""
        return np.arange(len(self.train))

    @property
    def held_rows(self) -> np.ndarray | None:
        """Where the validation rows are in `table`; None if there are none."""
        return np.arange(len(self.train), len(self.train) + len(self.held)) if len(self.held) else None

    def answers(self, outputs: np.ndarray, inverse_link: Any) -> np.ndarray:
        """Return probabilities, or numbers in their own units, for outputs of a network."""
        if isinstance(self.targets, ClassTargets):
            return np.asarray(inverse_link(outputs.astype(np.float64, copy=False)))
        return self.targets.decode(outputs)

    def metrics(self, answers: np.ndarray, rows: slice) -> dict[str, float]:
        """Return each metric of the answers for some rows of `table`; without rows, NaN."""
        true, weight = self.true[rows], None if self.weight is None else self.weight[rows]
        names = METRICS[self.table.task]
        if not len(true):
            return dict.fromkeys(names, float("nan"))
        return {name: OBJECTIVES[name].value(answers, true, weight) for name in names}


@dataclass(eq=False)
class Folds:
    """The folds of a table, each encoded once for each way to make numbers of its columns.

    Parameters
    ----------
    X, y
        The table without the target, and the target.
    task : {"classification", "regression"}
        What is to be fitted.
    splits : sequence of (train_index, validation_index)
        Which rows.
    repeats : int, default 1
        How many divisions of the rows `splits` holds, one after another.
    sample_weight : ndarray, shape (rows,), optional
        How much each row counts, in training and in validation.
    class_weight : mapping of class to float, or "balanced", optional
        Factor for the loss of each class, in training.
    classes : ClassTargets, optional
        All labels there are, if these rows are some of many.
    dtype : str, default "float64"
        Floating-point type of the encoded columns; that of the networks saves a copy.
    groups : sequence, shape (rows,), optional
        Rows with the same value belong together.
    """

    X: Table
    y: Any
    task: str
    splits: Splits
    repeats: int = 1
    sample_weight: np.ndarray | None = None
    class_weight: ClassWeight = None
    classes: ClassTargets | None = None
    dtype: str = "float64"
    groups: Any = None
    _encoded: dict[Encoding, list[Fold]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        # Of a class with a single row, the fold that validates it trains on none.
        if self.classes is None and self.task == "classification":
            self.classes = ClassTargets().fit(self.y)

    def __len__(self) -> int:
        return len(self.splits)

    def encoded(self, encoding: Encoding) -> list[Fold]:
        """Return every fold, encoded so."""
        if encoding not in self._encoded:
            self._encoded[encoding] = [self.encode(train, held, encoding) for train, held in self.splits]
        return self._encoded[encoding]

    def encode(self, train: np.ndarray, held: np.ndarray, encoding: Encoding) -> Fold:
        """Return one fold, with whatever rows."""
        rows, validated = take(self.X, train), take(self.X, held)
        weight = None if self.sample_weight is None else np.asarray(self.sample_weight, dtype=np.float64)
        own = None if weight is None else weight[train]
        if weight is not None and not all(weight[part].any() for part in (train, held) if len(part)):
            raise InvalidValue("sample_weight is zero in all training or all validation rows of a fold; use others")
        targets: ClassTargets | NumberTargets
        targets = self.classes or NumberTargets().fit(take(self.y, train), sample_weight=own)
        encoder = encoding.encoder().fit(rows, sample_weight=own)
        inputs, y = encoder.transform(rows), targets.encode(take(self.y, train))
        factors = class_weights(self.class_weight, targets, y, own) if self.class_weight is not None else None
        if len(held):
            inputs = np.concatenate([inputs, encoder.transform(validated)])
            y = np.concatenate([y, targets.encode(take(self.y, held))])
        weight = None if weight is None else np.concatenate([weight[train], weight[held]])
        table = SharedTable(
            inputs.astype(self.dtype, copy=False),
            y,
            self.task,
            weight,
            factors,
            n_classes=len(targets.classes_) if isinstance(targets, ClassTargets) else None,
            inputs=encoder.inputs_,
            augment=_Augmenting(encoder, rows),
        )
        true = y if isinstance(targets, ClassTargets) else targets.decode(y)
        return Fold(train, held, encoder, targets, table, true, weight)

    @property
    def held_rows(self) -> np.ndarray:
        """The rows that a fold validates, int64, ascending; forward in time, the first rows never are."""
        return np.unique(np.concatenate([held for _, held in self.splits]))

    @property
    def held_truth(self) -> np.ndarray:
        """Codes of the classes of `held_rows`, or their numbers, of shape (rows,) or (rows, targets)."""
        y = take(self.y, self.held_rows)
        if self.classes is not None:
            return self.classes.encode(y)
        targets = NumberTargets().fit(y)
        return targets.decode(targets.encode(y))

    def out_of_fold(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """Return for each of `held_rows` what was answered where it did not train, the mean if that was repeated.

        Parameters
        ----------
        answers : sequence of ndarray, shape (validation rows, outputs)
            One array a fold, for its validation rows.

        Returns
        -------
        ndarray, shape (held rows, outputs)

        Examples
        --------
        >>> splits = [(np.array([0]), np.array([2, 1])), (np.array([1]), np.array([2]))]
        >>> made = Folds(np.zeros((3, 1)), np.arange(3.0), "regression", splits)
        >>> made.held_rows.tolist(), made.out_of_fold([np.array([[5.0], [4.0]]), np.array([[7.0]])]).tolist()
        ([1, 2], [[4.0], [6.0]])
        """
        rows = self.held_rows
        sums, counts = np.zeros((len(rows), answers[0].shape[1])), np.zeros(len(rows))
        for (_, held), own in zip(self.splits, answers, strict=True):
            places = np.searchsorted(rows, held)
            np.add.at(sums, places, own)  # a row may stand in a fold twice
            np.add.at(counts, places, 1.0)
        return (sums / counts[:, None]).astype(answers[0].dtype)

    def mean_and_error(self, values: np.ndarray) -> tuple[float, float]:
        """Return the mean over the folds and its standard error.

        Divisions of the same rows are no new data: with `repeats`, the error is that of the mean over one of them.

        Parameters
        ----------
        values : ndarray, shape (folds,)
            One number a fold.
        """
        with np.errstate(invalid="ignore", over="ignore"):  # where training diverged, infinite is the answer
            n = len(values)
            error = np.std(values, ddof=1) / np.sqrt(n / self.repeats) if n > 1 else np.nan
            return float(np.mean(values)), float(error)


class EncodedFolds:
    """The folds in every encoding that some recipes ask for, in one list, as workers have them.

    Parameters
    ----------
    folds : Folds
        The folds.
    encodings : iterable of Encoding
        The encodings; each counts once.

    Attributes
    ----------
    all : list of Fold
        Encoding by encoding, the folds.
    """

    def __init__(self, folds: Folds, encodings: Iterable[Encoding]) -> None:
        self.folds, self._encodings = folds, list(dict.fromkeys(encodings))
        self.all = [fold for encoding in self._encodings for fold in folds.encoded(encoding)]

    def place(self, encoding: Encoding, fold: int) -> int:
        """Return where in the list a fold is, encoded so."""
        return self._encodings.index(encoding) * len(self.folds) + fold


@dataclass(frozen=True, eq=False)
class _Augmenting:
    """From a recipe to what augments the rows of a fold as they came, before they are encoded."""

    encoder: TableEncoder
    rows: Table

    def __call__(self, recipe: Any) -> Any:
        return augment_raw(recipe, self.encoder, self.rows)
