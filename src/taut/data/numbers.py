"""Numbers: the columns of numbers and dates of a table, read into one matrix.

Columns that are numbers already are copied all at once; the rest is read cell by cell. Floor 1 of the house: knows
nothing of networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from taut.data.kinds import LARGEST, CategoryReader, DateReader, NumberReader, Reader, checked

__all__ = ["n_numbers", "read_numbers"]


def n_numbers(reader: Reader) -> int:
    """Return how many numbers the column becomes: none of a category, several of a date."""
    if isinstance(reader, CategoryReader):
        return 0
    return len(reader.names) if isinstance(reader, DateReader) else 1


def read_numbers(frame: pd.DataFrame, readers: Sequence[Reader], positions: Sequence[int], block: np.ndarray) -> None:
    """Read numbers and dates, gaps as NaN.

    Parameters
    ----------
    frame : DataFrame, shape (rows, columns)
        The table.
    readers, positions : sequence of Reader, sequence of int
        How columns are read, and where they stand.
    block : ndarray of float64, shape (rows, numbers)
        Where the numbers are written.

    Raises
    ------
    DataError
        If a cell is no number, no date, or too large.
    """
    plain, places, start = [], [], 0
    for reader, place in zip(readers, positions, strict=True):
        width = n_numbers(reader)
        dtype = frame.dtypes.iloc[place]
        if isinstance(reader, NumberReader) and isinstance(dtype, np.dtype) and dtype.kind in "biuf":
            plain.append(start)
            places.append(place)
        elif width:
            block[:, start : start + width] = reader.read(frame.iloc[:, place])
        start += width
    if plain:
        whole = len(places) == frame.shape[1]
        block[:, plain if len(plain) < block.shape[1] else slice(None)] = (
            frame if whole else frame.iloc[:, places]
        ).to_numpy(dtype=np.float64)
    beyond = (np.fmax.reduce(block, axis=0, initial=0.0) > LARGEST) | (
        np.fmin.reduce(block, axis=0, initial=0.0) < -LARGEST
    )
    for column in np.flatnonzero(beyond):
        checked(block[:, column], _name(readers, int(column)), frame.index)


def _name(readers: Sequence[Reader], column: int) -> str:
    ends = np.cumsum([n_numbers(reader) for reader in readers])
    return readers[int(np.searchsorted(ends, column, side="right"))].name
