"""Rows: a table divided into what is known, what is wanted, and what keeps rows together or in order.

Floor 5 of the house.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from taut.data.frames import take
from taut.data.splits import hold_out
from taut.errors import DataError, InvalidValue

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rows"]


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
