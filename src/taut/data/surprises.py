"""Surprises: what is odd about later rows, in plain sentences.

A model gives an answer for any row, also for one that is unlike all it was trained on. Nothing is refused or changed
here; it is said, so that a person can decide. Where models answer together, what one of them has met surprises none.
Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from taut.data.kinds import CategoryReader, DateReader, NumberReader, Reader, category_words
from taut.data.schema import ColumnSchema

__all__ = ["surprises"]


def surprises(columns: Mapping[int, Sequence[tuple[Reader, ColumnSchema]]], frame: pd.DataFrame) -> list[str]:
    """Return what is odd about a table, at most one sentence a column.

    Parameters
    ----------
    columns : mapping of int to sequence of (reader, ColumnSchema)
        For each column that is used, by where it stands, how it is read and what it was in training; several pairs
        where several models were trained, each on rows of its own. The first says how it is read.
    frame : DataFrame, shape (rows, columns)
        The new table, its columns as in training.
    """
    found = []
    for place, pairs in sorted(columns.items()):
        reader, series = pairs[0][0], frame.iloc[:, place]
        if isinstance(reader, CategoryReader):
            sentence = _unseen([other for other, _ in pairs if isinstance(other, CategoryReader)], series)
        else:
            schemas = [schema for other, schema in pairs if type(other) is type(reader)]
            sentence = _beyond(reader, schemas, reader.read(series)[:, 0])
        if sentence:
            found.append(sentence)
    return found


def _unseen(readers: Sequence[CategoryReader], series: pd.Series) -> str | None:
    reader = readers[0]
    codes, words = category_words(series, reader.boolean)
    if len(series) and not any(words):
        return _empty(reader.name) if reader.levels else None
    strange = sorted(set.intersection(*(set(reader.unknown(words)) for reader in readers)))
    if not strange:
        return None
    several = f"{len(strange)} levels" if len(strange) > 1 else "a level"
    known = "that were rare or absent" if any(reader.forgetful for reader in readers) else "never seen"
    return (
        f"Column {reader.name!r} has {several} {known} in training, such as {words[strange[0]]!r}, "
        f"in {_rows(int(np.isin(codes, strange).sum()))}."
    )


def _beyond(reader: NumberReader | DateReader, schemas: Sequence[ColumnSchema], values: np.ndarray) -> str | None:
    present = values[~np.isnan(values)]
    if len(values) == 0:
        return None
    if len(present) == 0:
        return _empty(reader.name)
    low = min(_position(schema.minimum) for schema in schemas)
    high = max(_position(schema.maximum) for schema in schemas)
    width = high - low
    far = (present < low - width) | (present > high + width)
    if not far.any():
        return None
    written = _iso if isinstance(reader, DateReader) else "{:.6g}".format
    return (
        f"Column {reader.name!r} is far outside the range of training ({written(low)} to {written(high)}), "
        f"such as {written(float(present[far][0]))}, in {_rows(int(far.sum()))}."
    )


def _position(end: float | str | None) -> float:
    """Return an end of a range as the reader's number: a date stands in the schema in words."""
    if isinstance(end, str):
        return float((np.datetime64(end, "s") - np.datetime64(0, "s")).astype(np.float64)) / 86400
    return float("nan") if end is None else end


def _iso(days: float) -> str:
    return str(np.datetime64(round(days * 86400), "s")).removesuffix("T00:00:00")


def _empty(name: str) -> str:
    return f"Column {name!r} is empty in every row, as it was not in training."


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
