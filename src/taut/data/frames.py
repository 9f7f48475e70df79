"""Frames: whatever a person hands in as a table, as one pandas frame with distinct names of columns.

A data frame keeps its names; a plain array or a list of rows gets the names x0, x1, …. Nothing is copied that need not
be. Floor 1 of the house: knows nothing of networks, nor of what the columns hold.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from taut.errors import DataError, InvalidType, InvalidValue

__all__ = ["as_frame", "take"]


def as_frame(X: Any) -> tuple[pd.DataFrame, bool]:
    """Return the table as a frame with columns named by strings, and whether it came with names.

    Parameters
    ----------
    X : DataFrame, array or list of rows, shape (rows, columns)
        The table.

    Raises
    ------
    DataError
        If it has no columns, two columns of one name, or is not two-dimensional.
    InvalidType
        If it is a sparse matrix.
    """
    if isinstance(X, pd.DataFrame):
        names = [str(name) for name in X.columns]
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            raise DataError(f"more than one column is named {twice[0]!r}: give each column a name of its own")
        _check_width(X.shape)
        return X.set_axis(names, axis=1), True
    if sparse.issparse(X):
        raise InvalidType("X is a sparse matrix, which is not supported: give a dense table, X.toarray()")
    values = _as_array(X)
    frame = pd.DataFrame(values, copy=False)
    frame.columns = pd.Index([f"x{position}" for position in range(frame.shape[1])])
    return (frame if values.dtype.kind in "biuf" else frame.infer_objects()), False


def _as_array(X: Any) -> np.ndarray:
    try:
        values = np.asarray(X)
    except ValueError as error:
        raise DataError(f"the rows of the table are not equally long ({error}): make them so") from error
    if values.ndim != 2:
        raise DataError(
            f"Expected 2D array, got {values.ndim}D array instead: a table has rows and columns. "
            "Reshape your data with X.reshape(-1, 1) if it is one column, X.reshape(1, -1) if it is one row"
        )
    if values.dtype.kind == "c":
        raise InvalidValue("Complex data not supported: give real and imaginary parts as columns")
    _check_width(values.shape)
    return values


def _check_width(shape: tuple[int, ...]) -> None:
    if shape[1] == 0:
        raise DataError(f"Found a table with 0 feature(s) (shape={shape}) while a minimum of 1 is required.")


def take(values: Any, rows: np.ndarray) -> Any:
    """Return some rows of a DataFrame, a Series or an array."""
    return values.iloc[rows] if isinstance(values, (pd.DataFrame, pd.Series)) else np.asarray(values)[rows]
