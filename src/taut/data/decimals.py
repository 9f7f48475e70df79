"""Decimals: which mark a text file writes its decimals with.

"3.466" is three and a half in one country and three thousand in another, and a column of such cells cannot say which.
Another column often can: "85,5" is no number with a decimal point. So the mark is found once for a whole file. What
no column can settle stays text, for the reader that the model keeps from training knows how its column is written.
Floor 1 of the house: knows nothing of what a column is for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from taut.data.cells import distinct, number_style, reads, text, words_to_numbers

__all__ = ["DECIMAL", "settle_decimals"]

DECIMAL = "taut.decimal"  # in `frame.attrs`: "comma" where the file was found to have decimal commas
_PROBE = 100  # rows looked at before all of them are

Reread = Callable[[list[int], int | None], pd.DataFrame]


def settle_decimals(frame: pd.DataFrame, separator: str, reread: Reread) -> pd.DataFrame:
    """Return the table with its numbers read by the decimal mark of the file.

    Parameters
    ----------
    frame : DataFrame, shape (rows, columns)
        As read with decimal points.
    separator : str
        What stands between cells. Where it is a comma, numbers with decimal commas would need quotes, so that points
        are decimal points unless a column proves the comma and none the point.
    reread : callable
        Reads columns at some positions again, as text: (positions, number of rows or None for all) -> DataFrame.

    Returns
    -------
    DataFrame, shape (rows, columns)
        Where a column proves the decimal comma, all columns that can be read with it are; where none proves either
        mark, columns that mean different numbers with each are text.
    """
    words = {place: _number_words(frame.iloc[:, place]) for place in range(frame.shape[1])}
    commas = [place for place, found in words.items() if found and number_style(found) == "comma"]
    if separator == "," and not commas:
        return frame
    floats = [place for place, dtype in enumerate(frame.dtypes) if dtype.kind == "f"]
    grouped = _grouped(frame, floats, reread)
    point = any(place not in grouped and _has_fraction(frame.iloc[:, place]) for place in floats)
    if point and (separator == "," or not commas):
        return frame
    raw = reread(sorted(grouped), None) if grouped else pd.DataFrame()
    columns = {place: raw.iloc[:, position] for position, place in enumerate(sorted(grouped))}
    if commas:
        texts = [place for place, found in words.items() if found and reads(found, "comma")]
        columns = {place: _by_comma(columns.get(place, frame.iloc[:, place])) for place in (*columns, *texts)}
    names = frame.columns
    result = pd.DataFrame({place: columns.get(place, frame.iloc[:, place]) for place in words}, index=frame.index)
    result.columns = names
    if commas:
        result.attrs[DECIMAL] = "comma"
    return result


def _number_words(series: pd.Series) -> list[str]:
    """Return the distinct words of a column of text that holds numbers, else none."""
    if pd.api.types.is_numeric_dtype(series.dtype) or number_style(_words(series.dropna().iloc[:_PROBE])) is None:
        return []
    found = _words(series)
    return found if number_style(found) else []


def _words(series: pd.Series) -> list[str]:
    return [text(value) for value in distinct(series)[1]]


def _grouped(frame: pd.DataFrame, places: list[int], reread: Reread) -> set[int]:
    """Return the columns of floats whose points may all stand between thousands."""
    likely = []
    for place in places:
        values = frame.iloc[:, place].to_numpy()
        values = values[~np.isnan(values)]
        size, thousand = np.abs(values), values * 1000
        if len(values) and size.max() < 1000 and np.allclose(thousand, np.rint(thousand), rtol=1e-12, atol=1e-9):
            likely.append(place)
    for rows in (_PROBE, None):  # the first rows rule out nearly all of them
        if likely:
            raw = reread(likely, rows)
            likely = [place for position, place in enumerate(likely) if _may_be_grouped(raw.iloc[:, position], rows)]
    return set(likely)


def _may_be_grouped(series: pd.Series, rows: int | None) -> bool:
    words = _words(series)
    return reads(words, "comma") and (rows is not None or any("." in word for word in words))


def _has_fraction(series: pd.Series) -> bool:
    values = series.to_numpy()
    values = values[np.isfinite(values)]
    return bool((values != np.floor(values)).any())


def _by_comma(series: pd.Series) -> pd.Series:
    codes, values = distinct(series)
    numbers, _ = words_to_numbers([text(value) for value in values], "comma")
    return pd.Series(np.append(numbers, np.nan)[codes], index=series.index)
