"""Splits: which rows train, which validate, which test.

A score is only honest on rows that nothing was fitted to. These functions say which rows those are; they return
positions and never touch the data. Classes keep their shares, groups of rows that belong together (the visits of one
patient) stay together, and where rows have a time the past predicts the future. scikit-learn does the splitting; what
is added here is that small classes never make it stumble. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from taut.errors import DataError, InvalidValue

__all__ = ["folds", "group_codes", "hold_out", "time_order"]

_TASKS = ("classification", "regression")


def hold_out(
    X: Any,
    y: Any,
    *,
    test_size: float = 0.2,
    task: str,
    groups: Any = None,
    time: Any = None,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the rows that are set aside as the test set.

    Parameters
    ----------
    X : array or frame, shape (rows, columns)
        The inputs; only the number of rows matters.
    y : array or series, shape (rows,) or (rows, targets)
        The target.
    test_size : float or int, default 0.2
        Share of the rows (between 0 and 1), or their number (1 or more).
    task : {"classification", "regression"}
        For classification the classes keep their shares as far as they can; the only row of a class trains.
    groups : array, shape (rows,), optional
        Rows with the same value are never parted.
    time : array, shape (rows,), optional
        Numbers, dates, or dates as text: the last rows become the test set.
    seed : int, default 0
        Same seed, same rows.

    Returns
    -------
    train_index, test_index : ndarray of int64
        Positions of rows, ascending (in order of time where there is one).

    Raises
    ------
    DataError
        If there are too few rows or groups, or groups or time have gaps.
    InvalidValue
        If an argument is out of range.

    Examples
    --------
    >>> train, test = hold_out(range(10), ["a", "b"] * 5, task="classification", test_size=0.4)
    >>> len(train), len(test)
    (6, 4)
    """
    _check_task(task)
    n = len(y)
    if len(X) != n:
        raise DataError(f"inputs have {len(X)} rows and the target has {n}: they must be the same rows")
    n_test = _test_rows(n, test_size)
    if groups is not None and time is not None:
        raise InvalidValue("give either groups or time, not both: which rows come last is a different question")
    if time is not None:
        order = time_order(time, n)
        return order[:-n_test], order[-n_test:]
    if groups is not None:
        return _hold_out_groups(y, task, group_codes(groups, n), n_test / n, seed)
    if task == "regression":
        return _hold_out_rows(np.arange(n), np.zeros(n, dtype=np.int64), n_test, seed)
    return _hold_out_classes(_strata(y, 1), n_test, seed)


def folds(
    y: Any,
    *,
    n_splits: int = 5,
    task: str,
    groups: Any = None,
    time: Any = None,
    seed: int = 0,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Divide the rows into folds for cross-validation: every row is validated once (with `time`: at most once).

    Parameters
    ----------
    y : array or series, shape (rows,) or (rows, targets)
        The target.
    n_splits : int, default 5
        Number of folds.
    task : {"classification", "regression"}
        For classification the classes keep their shares in each fold; classes with fewer rows than there are folds
        are shared out together.
    groups : array, shape (rows,), optional
        Rows with the same value are never parted.
    time : array, shape (rows,), optional
        Numbers, dates, or dates as text: each fold is validated by a model of the rows before it.
    seed : int, default 0
        Same seed, same folds.

    Returns
    -------
    list of (train_index, validation_index)
        Positions of rows, ndarrays of int64.

    Raises
    ------
    DataError
        If there are fewer rows or groups than folds, or groups or time have gaps.
    InvalidValue
        If an argument is out of range.

    Examples
    --------
    >>> [validation.tolist() for _, validation in folds(range(4), n_splits=2, task="regression", seed=0)]
    [[2, 3], [0, 1]]
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

    _check_task(task)
    n, state = len(y), seed % 2**32
    if n_splits < 2:
        raise InvalidValue(f"n_splits must be at least 2, got {n_splits}")
    if n < n_splits + (time is not None):
        raise DataError(f"{n_splits} folds need more than {n} rows: use fewer folds or more data")
    if groups is not None and time is not None:
        raise InvalidValue("give either groups or time, not both: which rows come last is a different question")
    rows = np.zeros((n, 1))
    if time is not None:
        order = time_order(time, n)
        return [(order[a], order[b]) for a, b in TimeSeriesSplit(n_splits).split(rows)]
    strata = _strata(y, n_splits) if task == "classification" else np.zeros(n, dtype=np.int64)
    if groups is not None:
        codes = group_codes(groups, n)
        _check_groups(codes, n_splits)
        if task == "classification":
            found = list(StratifiedGroupKFold(n_splits, shuffle=True, random_state=state).split(rows, strata, codes))
            if all(len(train) and len(validation) for train, validation in found):
                return found
        return list(GroupKFold(n_splits, shuffle=True, random_state=state).split(rows, groups=codes))
    if task == "classification":
        return list(StratifiedKFold(n_splits, shuffle=True, random_state=state).split(rows, strata))
    return list(KFold(n_splits, shuffle=True, random_state=state).split(rows))


def _check_task(task: str) -> None:
    if task not in _TASKS:
        raise InvalidValue(f"task must be 'classification' or 'regression', got {task!r}")


def _test_rows(n: int, test_size: float) -> int:
    if n < 2:
        raise DataError(f"a table with {n} row(s) cannot be split into training and test: add data")
    if not (0 < test_size < 1 or (test_size >= 1 and float(test_size).is_integer())):
        raise InvalidValue(f"test_size must be a share between 0 and 1 or a number of rows, got {test_size}")
    n_test = int(test_size) if test_size >= 1 else min(max(1, round(test_size * n)), n - 1)
    if n_test >= n:
        raise DataError(f"test_size={test_size} leaves no row of {n} to train on: ask for fewer")
    return n_test


def _strata(y: Any, least: int) -> np.ndarray:
    """Return one stratum a row, each with at least `least` rows: small classes are put together; (rows,) int64."""
    import pandas as pd

    codes, classes = pd.factorize(_flat(y))
    if (codes < 0).any():
        raise DataError(f"the target is missing in {int((codes < 0).sum())} rows: drop these rows first")
    counts = np.bincount(codes, minlength=len(classes))
    small = counts < least
    if not small.any():
        return codes.astype(np.int64)
    strata = np.where(small[codes], len(classes), codes).astype(np.int64)
    if 0 < counts[small].sum() < least:
        # Still too few together: they join the largest class, whose share they change least.
        strata[strata == len(classes)] = int(counts.argmax())
    return strata


def _flat(y: Any) -> Any:
    """Return the labels as something pandas can factorize. Several targets: each combination is a label."""
    import pandas as pd

    if isinstance(y, pd.Series):
        return y
    values = np.asarray(y)
    if values.ndim == 2:
        return pd.MultiIndex.from_arrays(list(values.T)).to_flat_index() if values.shape[1] > 1 else values[:, 0]
    return values


def _hold_out_classes(codes: np.ndarray, n_test: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Test rows of classes with several rows; the only row of a class is more use in training."""
    n = len(codes)
    several = np.bincount(codes)[codes] > 1
    if several.sum() <= n_test:
        return _hold_out_rows(np.arange(n), np.zeros(n, dtype=np.int64), n_test, seed)
    rows = np.flatnonzero(several)
    train, test = _hold_out_rows(rows, codes[rows], n_test, seed)
    return np.sort(np.concatenate([train, np.flatnonzero(~several)])), test


def _hold_out_rows(rows: np.ndarray, strata: np.ndarray, n_test: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Part the rows; strata, each of two rows or more, keep their shares if each side has room for all of them."""
    from sklearn.model_selection import train_test_split

    room = min(n_test, len(rows) - n_test) >= len(np.unique(strata))
    train, test = train_test_split(rows, test_size=n_test, random_state=seed % 2**32, stratify=strata if room else None)
    return np.sort(train), np.sort(test)


def _hold_out_groups(y: Any, task: str, codes: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import GroupShuffleSplit

    _check_groups(codes, 2)
    n_folds = round(1 / share)
    if n_folds >= 2 and len(np.unique(codes)) >= n_folds:
        return folds(y, n_splits=n_folds, task=task, groups=codes, seed=seed)[0]
    splitter = GroupShuffleSplit(1, test_size=share, random_state=seed % 2**32)
    train, test = next(splitter.split(codes, groups=codes))
    return train, test


def group_codes(groups: Any, n: int) -> np.ndarray:
    """Return the group of each of `n` rows as a number from 0."""
    import pandas as pd

    codes, _ = pd.factorize(_flat(groups))
    if len(codes) != n:
        raise DataError(f"groups has {len(codes)} values for {n} rows: give one for each row")
    if (codes < 0).any():
        raise DataError(f"the group is missing in {int((codes < 0).sum())} rows: fill these in first")
    return np.asarray(codes, dtype=np.int64)


def _check_groups(codes: np.ndarray, least: int) -> None:
    n_groups = len(np.unique(codes))
    if n_groups < least:
        raise DataError(f"{least} parts need at least {least} groups, got {n_groups}: use fewer parts or other groups")


def time_order(time: Any, n: int) -> np.ndarray:
    """Return the positions of `n` rows from first to last; rows of the same time stay in their order."""
    import pandas as pd

    from taut.data.cells import read_dates

    values = pd.Series(_flat(time)).reset_index(drop=True)
    if len(values) != n:
        raise DataError(f"time has {len(values)} values for {n} rows: give one for each row")
    if values.isna().any():
        raise DataError(f"the time is missing in {int(values.isna().sum())} rows: fill these in first")
    if not pd.api.types.is_numeric_dtype(values.dtype):
        dates = read_dates(values)
        if dates is None:
            raise DataError(f"time has a value that is no date, such as {values.iloc[0]!r}: give numbers or dates")
        values = dates.values
    return np.argsort(values.to_numpy(), kind="stable").astype(np.int64)
