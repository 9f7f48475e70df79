"""Cells: what a single entry of a table says, whatever type it arrived in.

The same value comes as ``3``, ``3.0`` or ``"3"``, depending on the file and on whether the column has gaps; a number
may be written ``"1,234"`` or ``"12 %"``, a date ``2024-05-01`` or ``1.5.2024``. Everything here works on the distinct
values of a column and spreads the result over its rows, so a million rows of twelve words cost twelve readings.
Floor 1 of the house: knows nothing of networks, nor of what a column is for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from taut.errors import DataError, InvalidType

__all__ = ["Dates", "distinct", "number_style", "numbers", "read_dates", "text", "unit", "words_to_numbers"]

MISSING_WORDS = frozenset({"", "?", "-", "--", ".", "na", "n/a", "#n/a", "nan", "null", "none", "<na>", "missing"})
_PROBE = 50  # distinct values looked at before all of them are
_SPACE = r"[ \u00a0\u2009\u202f]"  # also the thin and the unbreakable ones that stand between thousands


def _grammar(group: str, decimal: str) -> re.Pattern[str]:
    """A sign, a currency, digits with or without grouping, decimals, an exponent, a per cent sign or a currency."""
    # No group begins with a zero: "0.125" is an eighth and not one hundred and twenty-five.
    whole = rf"([1-9]\d{{0,2}}({group}\d{{3}})+|[1-9]\d{{0,2}}({_SPACE}\d{{3}})+|\d+)?"
    before, behind = rf"[$€£¥]?{_SPACE}?[+-]?[$€£¥]?(?={decimal}?\d)", rf"{_SPACE}*[%$€£¥]?"
    return re.compile(rf"{before}{whole}({decimal}\d*)?(e[+-]?\d+)?{behind}")


_NUMBER = {"point": _grammar(",", r"\."), "comma": _grammar(r"\.", ",")}
_MEASURE = re.compile(r"(?P<number>[+-]?\d[\d.,]*)\s*(?P<unit>[^\W\d_][^\d\s]{0,7})")  # "9.1 kg", "12µm", "3 m/s"
_CODE = re.compile(r"0\d+")  # "007" names something; it does not count
_ISO = re.compile(r"\d{4}-\d{2}(-\d{2}([T ].*)?)?")
_DAYS = (
    "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y",
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d-%b-%Y", "%d-%b-%y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def text(value: object) -> str:
    """Return the value as a word that is the same for ``3``, ``3.0`` and ``" 3 "``."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, np.generic):
        return str(value.item())
    return str(value)


def distinct(series: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return (codes, values): the distinct values in order of appearance and, for each row, which; -1 is missing.

    Raises
    ------
    InvalidType
        If cells hold lists, dicts or other things that are not single values.
    """
    try:
        codes, values = pd.factorize(series)
    except TypeError as error:
        cell = next((value for value in series if isinstance(value, (dict, list, set, np.ndarray))), series.iloc[0])
        raise InvalidType(
            f"column {series.name!r} holds a {type(cell).__name__}, {str(cell)[:40]!r}: "
            "each cell's argument must be a string or a number"
        ) from error
    return codes, np.asarray(values, dtype=object)


def numbers(series: pd.Series) -> np.ndarray:
    """Return a column of a numeric or boolean type as float64 with NaN where it is missing, shape (rows,)."""
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def number_style(words: list[str]) -> str | None:
    """Say how all of these words write a number: "point" (1,234.5), "comma" (1.234,5), or None if they do not."""
    present = [word for word in words if word.lower() not in MISSING_WORDS]
    if not present or any(_CODE.fullmatch(word) for word in present):
        return None
    for style in _NUMBER:
        if all(_is_number(word, style) for word in present[:_PROBE]) and all(
            _is_number(word, style) for word in present
        ):
            return style
    return None


def _is_number(word: str, style: str) -> bool:
    return any(sign.isdigit() for sign in word) and _NUMBER[style].fullmatch(word.lower()) is not None


def unit(words: list[str]) -> str | None:
    """Return the unit that follows the number in all of these words, as in "9.1 kg", or None if there is not one.

    Examples
    --------
    >>> unit(["9.1 kg", "12kg"]), unit(["9.1 kg", "much"]), unit(["1 cat", "2 dogs"])
    ('kg', None, None)
    """
    matches = [_MEASURE.fullmatch(word) for word in words if word.lower() not in MISSING_WORDS]
    units = {match["unit"] if match else None for match in matches}
    return units.pop() if len(units) == 1 else None


def reads(words: list[str], style: str) -> bool:
    """Say whether each of the words is a number in a style ("point" or "comma") or means missing."""
    return all(word.lower() in MISSING_WORDS or _is_number(word, style) for word in words)


def words_to_numbers(words: list[str], style: str) -> tuple[np.ndarray, str | None]:
    """Return the words as float64 (NaN where a word means missing), and the first word that is no number."""
    values = np.full(len(words), np.nan)
    group, decimal = (",", ".") if style == "point" else (".", ",")
    for index, word in enumerate(words):
        if word.lower() in MISSING_WORDS:
            continue
        if not _is_number(word, style):
            return values, word
        values[index] = float(re.sub(r"[$€£¥%\s]", "", word).replace(group, "").replace(decimal, "."))
    return values, None


@dataclass(frozen=True)
class Dates:
    """Dates that were understood: `values` (rows,) without time zone, and how they were written."""

    values: pd.Series
    style: str  # "dates" for a column that held dates, else a format of strftime or "ISO8601"
    timezone: str  # "" where there is none


def read_dates(series: pd.Series, style: str = "", timezone: str = "") -> Dates | None:
    """Read a column as dates, or return None if it does not hold dates.

    Parameters
    ----------
    series : Series, shape (rows,)
        Dates of any type, or text.
    style : str, optional
        Try this way of writing first.
    timezone : str, optional
        Express dates that carry a time zone in this one.
    """
    if isinstance(series.dtype, pd.ArrowDtype):
        series = series.astype(object)  # Arrow's dates lack half of the methods of pandas' own
    if isinstance(series.dtype, pd.PeriodDtype):
        return Dates(series.dt.to_timestamp(), "dates", "")
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return _localized(series, "dates", timezone)
    codes, values = distinct(series)
    if not len(values) or not all(isinstance(value, (str, date, np.datetime64)) for value in values):
        return None
    found = _read_distinct(values, style)
    if found is None:
        return None
    # take(-1) of the appended NaT stands for the missing rows
    spread = pd.concat([found.values, pd.Series([pd.NaT], dtype=found.values.dtype)], ignore_index=True)
    return _localized(spread.take(codes % len(spread)).reset_index(drop=True), found.style, timezone)


def _read_distinct(values: np.ndarray, style: str) -> Dates | None:
    if not any(isinstance(value, str) for value in values):
        dates = _to_datetime(values, None)
        return None if dates is None else Dates(dates, "dates", "")
    words = np.array([text(value) for value in values], dtype=object)
    words[[word.lower() in MISSING_WORDS for word in words]] = None
    present = [word for word in words if word is not None]
    if not present or not all(any(sign.isdigit() for sign in word) for word in present[:_PROBE]):
        return None
    for candidate in dict.fromkeys(([style] if style and style != "dates" else []) + _styles(present[0])):
        if candidate == "ISO8601" and not all(_ISO.fullmatch(word) for word in present):
            continue
        if _to_datetime(np.array(present[:_PROBE], dtype=object), candidate) is None:
            continue
        dates = _to_datetime(words, candidate)
        if dates is not None:
            return Dates(dates, candidate, "")
    return None


def _styles(example: str) -> list[str]:
    if _ISO.fullmatch(example):
        return ["ISO8601"]
    return [day + time for time in (_TIMES if ":" in example else _TIMES[:1]) for day in _DAYS]


def _to_datetime(values: np.ndarray, style: str | None) -> pd.Series | None:
    """Return the dates, or None unless all of them are understood."""
    for utc in (False, True):  # mixed offsets have a common meaning only in UTC
        try:
            dates = pd.Series(pd.to_datetime(values, format=style, utc=utc))
        except (ValueError, TypeError, OverflowError):
            continue
        if pd.api.types.is_datetime64_any_dtype(dates.dtype):
            return dates
    return None


def _localized(dates: pd.Series, style: str, timezone: str) -> Dates:
    """Drop the time zone but keep the local time of day, which is what people live by."""
    if dates.dt.tz is None:
        return Dates(dates, style, "")
    if timezone:
        dates = dates.dt.tz_convert(timezone)
    return Dates(dates.dt.tz_localize(None), style, str(dates.dt.tz))


def not_a(kind: str, name: str, value: object) -> DataError:
    """Return the error for a cell that is not what its column is made of."""
    return DataError(f"column {name!r} should hold {kind} but has {str(value)[:40]!r}: correct or empty that cell")
