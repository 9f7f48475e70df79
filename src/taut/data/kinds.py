"""Kinds: deciding what a column holds, and reading it as numbers from then on.

A reader is what fitting leaves behind for one column: it knows how the column is written and turns any later rows of
it, in whatever type they arrive, into float64. Numbers become themselves, a category the position of its level, a
date its place in time and in the calendar. A reader neither fills gaps nor scales; that is the encoder's part.
Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from taut.data.cells import Dates, distinct, not_a, number_style, numbers, read_dates, reads, text, words_to_numbers
from taut.data.identifiers import MANY_ROWS, is_free_text, is_running_number, names_rows
from taut.errors import DataError, InvalidValue

__all__ = ["CategoryReader", "DateReader", "NumberReader", "Reader", "Unused", "choose_reader", "group_rare"]

LARGEST = 1e150  # the square of anything larger does not fit into float64
_EPOCH = pd.Timestamp("1970-01-01")
_DAY = pd.Timedelta(days=1)
_PERIODS = {"month": 12.0, "weekday": 7.0, "hour": 24.0}
_MOST_RARE = 200  # rare levels that are remembered by name; a column may have a hundred thousand


@dataclass(frozen=True)
class NumberReader:
    """Reads numbers, booleans, durations (as seconds) and numbers written as text."""

    name: str
    style: str = ""  # how text writes the number, if the column was text or its file has decimal commas

    def read(self, series: pd.Series) -> np.ndarray:
        """Return the column as float64 with NaN for gaps, shape (rows, 1)."""
        return self._values(series).reshape(-1, 1)

    def _values(self, series: pd.Series) -> np.ndarray:
        dtype = series.dtype
        if pd.api.types.is_complex_dtype(dtype):
            raise InvalidValue(f"Complex data not supported: column {self.name!r} is complex; give its parts instead")
        if pd.api.types.is_numeric_dtype(dtype):
            return checked(numbers(series), self.name, series.index)
        if pd.api.types.is_timedelta64_dtype(dtype):
            return series.dt.total_seconds().to_numpy(dtype=np.float64)
        if pd.api.types.is_datetime64_any_dtype(dtype):
            raise not_a("numbers", self.name, series.iloc[0] if len(series) else dtype)
        codes, values = distinct(series)
        return checked(np.append(self._distinct(values), np.nan)[codes], self.name, series.index)

    def _style_of(self, words: list[str]) -> str:
        """The style of training, unless all words together make sense only in the other."""
        style = self.style or "point"
        other = "comma" if style == "point" else "point"
        return other if not reads(words, style) and reads(words, other) else style

    def _distinct(self, values: np.ndarray) -> np.ndarray:
        read = np.empty(len(values))
        words = [index for index, value in enumerate(values) if isinstance(value, (str, bytes))]
        spelled = [text(values[index]) for index in words]
        written, bad = words_to_numbers(spelled, self._style_of(spelled))
        if bad is not None:
            raise not_a("numbers", self.name, bad)
        read[words] = written
        for index in set(range(len(values))).difference(words):
            value = values[index]
            try:
                read[index] = value.total_seconds() if isinstance(value, pd.Timedelta) else float(value)
            except (TypeError, ValueError) as error:
                raise not_a("numbers", self.name, value) from error
        return read


@dataclass(frozen=True)
class CategoryReader:
    """Reads a category as the position of its level; the last two positions may be "other" and "missing"."""

    name: str
    levels: tuple[str, ...]
    other: bool = False
    missing: bool = False
    boolean: bool = False
    rare: tuple[str, ...] = ()  # levels of training that share "other", as far as they are remembered

    @property
    def names(self) -> tuple[str, ...]:
        """What each position stands for."""
        return (*self.levels, *(["(other)"] if self.other else []), *(["(missing)"] if self.missing else []))

    def read(self, series: pd.Series) -> np.ndarray:
        """Return the positions as float64, shape (rows, 1); -1 is a level never seen that has no place."""
        codes, words = category_words(series, self.boolean)
        unseen = len(self.levels) if self.other else -1
        place = dict.fromkeys(self.rare, unseen) | {level: position for position, level in enumerate(self.levels)}
        folded: dict[str, str | None] = {}
        for level in place:
            folded[level.casefold()] = None if level.casefold() in folded else level

        def position(word: str) -> int:
            if word in place:
                return place[word]
            alike = folded.get(word.casefold())  # "JA" is "ja", unless training had both "ja" and "Ja"
            return unseen if alike is None else place[alike]

        absent = len(self.names) - 1 if self.missing else -1
        positions = [absent if word == "" else position(word) for word in words]
        return np.array([*positions, absent], dtype=np.float64)[codes].reshape(-1, 1)

    def unknown(self, words: list[str]) -> list[int]:
        """Return the positions of the words that are no level of training, nor differ from one only by case."""
        known = {level.casefold() for level in (*self.levels, *self.rare)}
        return [position for position, word in enumerate(words) if word and word.casefold() not in known]

    @property
    def forgetful(self) -> bool:
        """Whether training had rare levels that are not remembered by name."""
        return self.other and len(self.rare) in (0, _MOST_RARE)


@dataclass(frozen=True)
class DateReader:
    """Reads a date as days since 1970 and as positions on the circles of the year, the week and the day."""

    name: str
    style: str
    timezone: str
    parts: tuple[str, ...]  # of "month", "weekday", "hour"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return ("", *(f" {part} {wave}" for part in self.parts for wave in ("sin", "cos")))

    def read(self, series: pd.Series) -> np.ndarray:
        """Return float64 with NaN for gaps, shape (rows, 1 + 2 * parts)."""
        if series.isna().all():
            return np.full((len(series), len(self.names)), np.nan)
        dates = read_dates(series, self.style, self.timezone)
        if dates is None:
            raise not_a("dates", self.name, self._first_bad(series))
        return self.outputs(dates.values)

    def _first_bad(self, series: pd.Series) -> object:
        values = pd.unique(series.dropna().astype(object))
        alone = (value for value in values if read_dates(pd.Series([value]), self.style, self.timezone) is None)
        return next(alone, values[0])  # each may be a date alone, but not all in one way of writing

    def outputs(self, dates: pd.Series) -> np.ndarray:
        """Return the outputs of dates that have been read, shape (rows, 1 + 2 * parts)."""
        columns = [days(dates)]
        for part in self.parts:
            angle = 2 * np.pi / _PERIODS[part] * calendar(dates, part)
            columns += [np.sin(angle), np.cos(angle)]
        return np.column_stack(columns)


Reader = NumberReader | CategoryReader | DateReader


@dataclass(frozen=True)
class Unused:
    """A column that is left out: its kind, and why."""

    kind: str
    reason: str


def checked(values: np.ndarray, name: str, index: pd.Index) -> np.ndarray:
    """Return the values if they can be computed with; `index` has the labels of their rows in the table.

    Raises
    ------
    DataError
        If one is infinite or beyond the range in which squares are finite.
    """
    bad = np.abs(values) > LARGEST
    if bad.any():
        place = int(bad.argmax())
        value, row = values[place], _row(index, place)
        word = "an infinite value" if np.isinf(value) else f"the value {value:g}, too large to compute with,"
        raise DataError(f"column {name!r} holds {word} in {row}: replace it by a finite number or empty that cell")
    return values


def _row(index: pd.Index, place: int) -> str:
    """Name a row so that it is found in the table it came from, wherever splitting and shuffling has put it."""
    if pd.api.types.is_integer_dtype(index.dtype):
        return f"data row {int(index[place]) + 1} (the first is 1)"
    return f"the row {index[place]!r}"


def days(dates: pd.Series) -> np.ndarray:
    """Return days since 1970 as float64, NaN for gaps, shape (rows,)."""
    return ((dates - _EPOCH) / _DAY).to_numpy(dtype=np.float64)


def calendar(dates: pd.Series, part: str) -> np.ndarray:
    """Return the month (0 to 11), the weekday (0 to 6) or the hour of the day with fractions; shape (rows,)."""
    if part == "month":
        values = dates.dt.month - 1
    elif part == "weekday":
        values = dates.dt.day_of_week
    else:
        values = (dates - dates.dt.normalize()) / pd.Timedelta(hours=1)
    return values.to_numpy(dtype=np.float64)


def category_words(series: pd.Series, boolean: bool) -> tuple[np.ndarray, list[str]]:
    """Return (codes, words): the distinct values as words and, for each row, which; "" and -1 are missing."""
    codes, values = distinct(series)
    words = [text(value) for value in values]
    if boolean:
        words = [{"1": "true", "0": "false"}.get(word.lower(), word.lower()) for word in words]
    return codes, words


def choose_reader(name: str, series: pd.Series, *, decimal: str = "", alone: bool = False) -> Reader | Unused:
    """Decide what a column holds.

    Parameters
    ----------
    name : str
        The column's name, which may mark it as an identifier.
    series : Series, shape (rows,)
        The rows that train.
    decimal : {"", "comma"}, default ""
        The decimal mark of the file that the column comes from, where that is known. A column whose cells do not show
        it, such as one of whole numbers, may show it in a later file.
    alone : bool, default False
        Whether the table has no other column; then numbers that merely count the rows are kept.
    """
    if series.isna().all():
        return Unused("empty", "left out: it has no values")
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _category(name, series)
    if pd.api.types.is_bool_dtype(dtype):
        return _category(name, series, boolean=True)
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return _number(name, series, decimal, alone)
    if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return _date(name, read_dates(series))
    return _from_cells(name, series)


def _from_cells(name: str, series: pd.Series) -> Reader | Unused:
    """Decide on a column of text or of Python objects by its distinct values."""
    _, values = distinct(series)
    content = pd.api.types.infer_dtype(values, skipna=True)
    if content == "boolean":
        return _category(name, series, boolean=True)
    if content in ("integer", "floating", "mixed-integer-float", "decimal", "timedelta"):
        return _number(name, series)
    words = [text(value) for value in values]
    if not any(words):
        return Unused("empty", "left out: it has no values")
    if {word.lower() for word in words if word} <= {"true", "false"}:
        return _category(name, series, boolean=True)
    style = number_style(words)
    if style is not None and not any(isinstance(value, (bool, np.bool_)) for value in values):
        return _number(name, series, style)
    dates = read_dates(series)
    return _category(name, series) if dates is None else _date(name, dates)


def _number(name: str, series: pd.Series, style: str = "", alone: bool = False) -> Reader | Unused:
    reader = NumberReader(name, style)
    values = reader.read(series)[:, 0]
    present = values[~np.isnan(values)]
    if len(present) == 0:
        return Unused("empty", "left out: it has no values")
    if present.min() == present.max() and len(values) > 1:
        if len(present) == len(values):
            return Unused("constant", f"left out: it is {text(present[0])} in every row")
        return _category(name, series)  # one value and gaps: what it says is whether there is a value
    whole = not pd.api.types.is_float_dtype(series.dtype) and bool((present == np.floor(present)).all())
    if whole and len(present) == len(values):
        if names_rows(name, len(np.unique(present)), len(present)):
            return Unused("identifier", "left out: it names the rows")
        if not alone and is_running_number(name, values, series.index):
            return Unused("identifier", "left out: it numbers the rows")
    return reader


def _date(name: str, dates: Dates | None) -> Reader | Unused:
    assert dates is not None  # a column of a date type always reads
    present = dates.values.dropna()
    if present.nunique() == 1 and len(dates.values) > 1 and len(present) == len(dates.values):
        return Unused("constant", f"left out: it is {present.iloc[0].isoformat()} in every row")
    parts = tuple(part for part in _PERIODS if len(np.unique(calendar(present, part))) > 1)
    return DateReader(name, dates.style, dates.timezone, parts)


def _category(name: str, series: pd.Series, boolean: bool = False) -> Reader | Unused:
    codes, words = category_words(series, boolean)
    present = {word for word in words if word}
    blank = np.array([word == "" for word in words] + [True])
    missing = bool(blank[codes].any())
    if not present:
        return Unused("empty", "left out: it has no values")
    if len(present) == 1 and not missing and len(series) > 1:
        return Unused("constant", f"left out: it is {next(iter(present))!r} in every row")
    n_present = int((~blank[codes]).sum())
    if len(present) == n_present > MANY_ROWS and not boolean:
        what = "free text, different" if is_free_text(present) else "it is different"
        return Unused("identifier", f"left out: {what} in every row")
    if names_rows(name, len(present), n_present):
        return Unused("identifier", "left out: it names the rows")
    return CategoryReader(name, _ordered(present, series), missing=missing, boolean=boolean)


def _ordered(words: set[str], series: pd.Series) -> tuple[str, ...]:
    """Sort levels as their type says, else numbers by size and words by letter."""
    if isinstance(series.dtype, pd.CategoricalDtype) and series.dtype.ordered:
        return tuple(word for word in dict.fromkeys(map(text, series.dtype.categories)) if word in words)
    style = number_style(list(words))
    if style is None:
        return tuple(sorted(words))
    values, _ = words_to_numbers(sorted(words), style)
    return tuple(np.array(sorted(words), dtype=object)[np.argsort(values, kind="stable")])


def group_rare(reader: CategoryReader, series: pd.Series, least: float, most: int) -> CategoryReader | Unused:
    """Return the reader with the levels that have a column of their own; the others share one.

    Parameters
    ----------
    reader : CategoryReader
        With all levels.
    series : Series, shape (rows,)
        The rows that train.
    least : float
        Fewest rows of a level of its own.
    most : int
        Most columns in all.
    """
    if len(reader.names) <= 2:
        return reader
    positions = reader.read(series)[:, 0].astype(np.int64)
    counts = np.bincount(positions, minlength=len(reader.names))[: len(reader.levels)]
    kept = counts >= least
    if kept.sum() + reader.missing + (not kept.all()) > most:
        room = max(most - 1 - reader.missing, 0)
        kept &= np.isin(np.arange(len(counts)), np.argsort(-counts, kind="stable")[:room])
    if kept.all():
        return reader
    levels = tuple(level for level, keep in zip(reader.levels, kept, strict=True) if keep)
    if not levels and not reader.missing:
        return Unused("identifier", f"left out: none of its {len(counts)} levels is in {least:g} rows or more")
    return replace(reader, levels=levels, other=True, rare=_remembered(reader.levels, counts, kept))


def _remembered(levels: tuple[str, ...], counts: np.ndarray, kept: np.ndarray) -> tuple[str, ...]:
    """Return rare levels: first those that differ from a kept one only by case, then the most frequent."""
    folded = {level.casefold() for level, keep in zip(levels, kept, strict=True) if keep}
    rare = [place for place in np.argsort(-counts, kind="stable") if not kept[place]]
    rare.sort(key=lambda place: levels[place].casefold() not in folded)
    return tuple(levels[place] for place in rare[:_MOST_RARE])
