"""Rows: a table divided into what is known, what is wanted, and what keeps rows together or in order.

Floor 5 of the house.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from taut.data.frames import take
from taut.data.numeric_targets import numeric_target
from taut.data.splits import hold_out
from taut.errors import DataError, InvalidValue

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rows"]

_TARGET = "the target, under a name that no column has"
# With fewer test rows of a class, one row more or less changes what is said of it.
_FEW = 10


@dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    Attributes
    ----------
    X : DataFrame, shape (rows, columns)
        The inputs.
    y : Series, shape (rows,)
        The target, without gaps.
    groups : Series, shape (rows,), or None
        Rows with the same value are never parted.
    time : Series, shape (rows,), or None
        The order in which rows came.
    """

    X: pd.DataFrame
    y: pd.Series
    groups: pd.Series | None
    time: pd.Series | None

    @staticmethod
    def of(
        frame: pd.DataFrame,
        target: str,
        *,
        group: str | None = None,
        time_column: str | None = None,
        notes: list[str] | None = None,
        what: str = "the table",
    ) -> Rows:
        """Divide a table.

        Parameters
        ----------
        frame : DataFrame
            The table, target included.
        target : str
            The column to predict; rows without a value of it are left out.
        group : str, optional
            Column whose equal values belong together; it is no input.
        time_column : str, optional
            Column by which rows are ordered; it stays an input.
        notes : list of str, optional
            Told in a plain sentence how many rows were left out.
        what : str, default "the table"
            What messages call it.

        Raises
        ------
        DataError, InvalidValue
            If a column is missing or has two roles, or no row has a target.
        """
        for role, column in (("target", target), ("group", group), ("time", time_column)):
            if column is not None and column not in frame.columns:
                known = ", ".join(map(str, list(frame.columns)[:20]))
                raise DataError(f"{what} has no {role} column {column!r}; its columns are {known}")
        if target in (group, time_column):
            raise InvalidValue(f"the target {target!r} cannot also be the group or time column")
        missing = int(frame[target].isna().sum())
        if missing and notes is not None:
            rows = "1 row" if missing == 1 else f"{missing} rows"
            where = "" if what == "the table" else f" of {what}"
            notes.append(f"{rows}{where} without a value of {target} {'was' if missing == 1 else 'were'} left out.")
        frame = frame[frame[target].notna()]
        if not len(frame):
            raise DataError(f"no row has a value of the target {target!r}")
        return Rows(
            frame.drop(columns=[target] if group is None else [target, group]),
            frame[target],
            None if group is None else frame[group],
            None if time_column is None else frame[time_column],
        )

    def for_task(self, task: str) -> Rows:
        """Return the same rows, for regression with a target written as text ("0,13", "19.5%") read as numbers."""
        return replace(self, y=numeric_target(self.y)) if task == "regression" else self

    def split(self, size: float, task: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that stay, and a share or number of rows that are drawn like a test set."""
        return hold_out(self.X, self.y, test_size=size, task=task, groups=self.groups, time=self.time, seed=seed)

    def take(self, rows: np.ndarray) -> Rows:
        """Return some of the rows."""
        return Rows(
            take(self.X, rows),
            take(self.y, rows),
            None if self.groups is None else take(self.groups, rows),
            None if self.time is None else take(self.time, rows),
        )

    def table(self) -> pd.DataFrame:
        """Return inputs and target as one table."""
        return self.X.assign(**{_TARGET: self.y})

    def seen_in(self, other: Rows) -> int:
        """Return how many of these rows equal one of the other rows in every column, the target included."""
        import pandas as pd

        here, there = (pd.util.hash_pandas_object(rows.table(), index=False) for rows in (self, other))
        return int(here.isin(there).sum())

    def warnings(self, training: Rows, task: str) -> list[str]:
        """Return what a reader of scores on these rows should know, in plain sentences.

        Parameters
        ----------
        training : Rows
            The rows that were fitted to.
        task : {"classification", "regression"}
            What was fitted.
        """
        notes = []
        seen = self.seen_in(training)
        if seen:
            notes.append(
                f"{seen} of the {len(self.y)} test rows equal a training row in every column; scores on them flatter."
            )
        if task == "classification":
            counts = self.y.value_counts()
            counts = counts[counts > 0]
            few = [f"{count} of {label!r}" for label, count in counts.items() if count < _FEW]
            if few:
                notes.append(f"The test rows hold only {', '.join(few[:5])}: what is said of them is uncertain.")
        if self.groups is not None:
            notes.append(f"Standard errors count the {self.groups.nunique()} test groups, not the rows.")
        return notes
