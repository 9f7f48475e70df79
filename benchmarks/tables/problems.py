"""The problems: real tables, cut into rows to fit on and rows to test by.

A table is a Parquet file with a column `target`: floating-point numbers to predict, or classes. Its name is the file's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

__all__ = ["FRESH", "MOST_ROWS", "SPLITS", "TARGET", "TEST_SHARE", "Problem", "problem", "problems", "table_names"]

TARGET = "target"
#: Rows that are used of a table, before some are set aside; more are left out at random, the same for all.
MOST_ROWS = 5000
#: The share of them that is set aside; of classes, each its share.
TEST_SHARE = 0.25
#: Seeds of the cuts.
SPLITS = (0, 1)
#: Cuts that no decision about taut was made on, for the claims that `SPLITS` leave open.
FRESH = (6,)


@dataclass(frozen=True, eq=False)
class Problem:
    """A table, cut in two.

    Attributes
    ----------
    table : str
        Name of the table.
    split : int
        Seed of the cut.
    X, X_test : DataFrame
        Columns as they are: numbers with gaps, and categories.
    y, y_test : array
        Classes as strings, or numbers.
    """

    table: str
    split: int
    X: pd.DataFrame
    y: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray

    @property
    def is_classification(self) -> bool:
        """Whether the target has classes."""
        return self.y.dtype == object

    @property
    def classes(self) -> np.ndarray:
        """The classes that the rows to fit on show, sorted: the order of the columns of probabilities."""
        return np.unique(self.y)

    def answer_of(self, fitted: Any, X_test: Any) -> np.ndarray:
        """Return what a fitted estimator of scikit-learn's kind says of the test rows, however it wants them encoded.

        Parameters
        ----------
        fitted : estimator
            With `predict`, and for classes with `predict_proba` and `classes_`.
        X_test : table, shape (rows, columns)
            The test rows as the estimator takes them.

        Returns
        -------
        ndarray, shape (rows, classes) or (rows,)
            Probabilities in the order of `classes`, or predictions.
        """
        if not self.is_classification:
            return np.asarray(fitted.predict(X_test))
        names = [str(name) for name in fitted.classes_]
        if sorted(names) != sorted(self.classes):
            raise ValueError(f"the columns of the probabilities are {names}, not {list(self.classes)}")
        return np.asarray(fitted.predict_proba(X_test))[:, [names.index(name) for name in self.classes]]


def shortened(problem: Problem, most_rows: int) -> Problem:
    """Return the same with so many rows to fit on at most, and no test row of a class that these do not show."""
    if len(problem.y) <= most_rows:
        return problem
    kept = np.sort(np.random.default_rng(0).permutation(len(problem.y))[:most_rows])
    X, y, X_test, y_test = problem.X.iloc[kept], problem.y[kept], problem.X_test, problem.y_test
    if problem.is_classification:
        is_known = np.isin(y_test, y)
        X_test, y_test = X_test[is_known], y_test[is_known]
    return replace(problem, X=X, y=y, X_test=X_test, y_test=y_test)


def table_names(folder: Path) -> list[str]:
    """Return the names of the tables of a folder."""
    return sorted(path.stem for path in folder.glob("*.parquet"))


def problem(folder: Path, table: str, split: int) -> Problem:
    """Read a table and cut it."""
    frame = pd.read_parquet(folder / f"{table}.parquet")
    frame = frame.sample(min(len(frame), MOST_ROWS), random_state=0).reset_index(drop=True)
    X, target = frame.drop(columns=TARGET), frame[TARGET]
    is_class = not pd.api.types.is_float_dtype(target)
    y = target.astype(str).to_numpy(dtype=object) if is_class else target.to_numpy(dtype=np.float64)
    keep, held = train_test_split(
        np.arange(len(frame)), test_size=TEST_SHARE, random_state=split, stratify=y if is_class else None
    )
    return Problem(table, split, X.iloc[keep], y[keep], X.iloc[held], y[held])


def problems(folder: Path, tables: Sequence[str], splits: Sequence[int] = SPLITS) -> Iterator[Problem]:
    """Yield the cuts of the tables: all cut once, then all cut again."""
    for split in splits:
        for table in tables:
            yield problem(folder, table, split)
