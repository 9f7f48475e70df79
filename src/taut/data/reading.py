"""Reading: a file with a table in it becomes a data frame, or one line says why it cannot.

CSV, TSV and Parquet, plain or gzipped. The separator and the encoding are found out. What pandas would let pass in
silence (a name twice, a row that is too short, a header and nothing below it) is an error here, because each is a
mistake in the file that would later be a mistake in the answer. Floor 1 of the house: knows nothing of columns' kinds.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from taut.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table"]

_TEXT = (".csv", ".tsv", ".tab", ".txt")
_PARQUET = (".parquet", ".pq")
_SEPARATORS = (",", ";", "\t", "|")
_LINES = 100  # rows looked at to find out the separator
_SAMPLE = 1 << 18  # bytes looked at to find out encoding and separator
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_GZIP = b"\x1f\x8b"
_EXCEL = re.compile(r"\ufeff?\"?sep=(?P<separator>[,;\t|])\"?[,;\t|]*(\r\n|\r|\n)")


@dataclass(frozen=True)
class _Form:
    """How a text file is written."""

    separator: str
    encoding: str
    compression: str | None
    skipped: int  # lines above the column names


def read_table(path: str | Path, *, allow_no_rows: bool = False) -> pd.DataFrame:
    r"""Read a table from a file.

    Parameters
    ----------
    path : str or path
        A file that ends in .csv, .tsv, .tab or .txt (text with a header line; also with .gz behind), .parquet or .pq.
        In .csv and .txt the separator may be a comma, a semicolon, a tab or a vertical bar. Text is UTF-8, UTF-16
        with a mark, or else Latin-1. A first line such as ``sep=;``, which Excel writes, names the separator. Besides
        what pandas takes for missing, ``?`` is missing.
    allow_no_rows : bool, default False
        Whether a table with column names and no rows will do, as where something is to be predicted for each row.

    Returns
    -------
    pandas.DataFrame, shape (rows, columns)
        At least one column and, unless `allow_no_rows`, one row; columns have distinct names, without spaces around
        them. If any column proves that decimals are written with a comma (``85,5``), that holds for the file, and
        ``3.466`` is three thousand; columns that no column decides for, such as only ``3.466``, stay text.

    Raises
    ------
    DataError
        If the file is absent, empty, of an unknown kind, damaged, has a column name twice, no rows, or rows of
        unequal length.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "people.csv"
    ...     _ = path.write_text("name;height\nAda;1,65\nAlan;1,77\n")
    ...     read_table(path)
       name  height
    0   Ada    1.65
    1  Alan    1.77
    """
    path = Path(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])
    if kind not in _TEXT + _PARQUET or (kind in _PARQUET and suffixes[-1] == ".gz"):
        raise DataError(
            f"{path}: cannot tell what kind of table this is; give a file ending in .csv, .tsv, .txt (.gz) or .parquet"
        )
    if not path.is_file():
        raise DataError(f"{path}: {'this is a folder' if path.is_dir() else 'there is no such file'}; check the path")
    try:
        frame = _read_parquet(path) if kind in _PARQUET else _read_text(path, kind)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({_first_line(error)})") from error
    if len(frame.columns) == 0:
        raise DataError(f"{path}: the table has no columns")
    if len(frame) == 0 and not allow_no_rows:
        raise DataError(f"{path}: the table has column names but no rows")
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty")
    try:
        frame = pd.read_parquet(path)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({_first_line(error)}); export it again") from error
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()  # a named index is a column that pandas set aside
    _check_names(path, [str(name) for name in frame.columns])
    return frame


def _read_text(path: Path, kind: str) -> pd.DataFrame:
    import pandas as pd

    from taut.data.decimals import settle_decimals

    head, compression = _head(path)
    encoding = _encoding(path, head)
    sample = head.decode(encoding, errors="replace")
    named = _EXCEL.match(sample)
    if named:
        sample = sample[named.end() :]
    separator = named["separator"] if named else "\t" if kind in (".tsv", ".tab") else _separator(sample)
    form = _Form(separator, encoding, compression, 1 if named else 0)
    try:
        try:
            frame = _parse(path, form)
        except UnicodeDecodeError:
            # Latin-1 gives every byte a meaning, so this second try cannot fail for the same reason.
            form = replace(form, encoding="latin-1")
            frame = _parse(path, form)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: the file is empty; a table needs a line of column names and rows below it") from error
    with _fields_of_bounded_length(path):
        names, width = _header(sample, separator)
    _check_names(path, names)
    if width > len(names):  # pandas would take the first fields for row names
        known = "is 1 column name" if len(names) == 1 else f"are {len(names)} column names"
        raise DataError(f"{path}: rows have {width} fields but there {known}; name every column")
    frame.columns = pd.Index([str(name).strip() for name in frame.columns])
    # A row that is too short reads as missing in its last column, so only then is it worth counting the fields.
    if len(frame) and frame.iloc[:, -1].isna().any():
        with _fields_of_bounded_length(path):
            _check_lengths(path, form)

    return settle_decimals(frame, separator, partial(_parse, path, form))


def _parse(path: Path, form: _Form, places: list[int] | None = None, rows: int | None = None) -> pd.DataFrame:
    """Read the text with decimal points; or columns at some places as text, and the first rows of them or all."""
    import pandas as pd

    try:
        frame: pd.DataFrame = pd.read_csv(
            path,
            sep=form.separator,
            encoding=form.encoding,
            compression=form.compression,  # type: ignore[arg-type]
            skiprows=form.skipped,
            na_values=["?"],
            skipinitialspace=True,
            low_memory=False,  # guess each column's type from all of it
            usecols=places,
            nrows=rows,
            dtype=None if places is None else str,
        )
    except (pd.errors.ParserError, EOFError, zlib.error, csv.Error) as error:
        raise DataError(f"{path}: not a readable table ({_trouble(error)}); repair or export it again") from error
    return frame


def _trouble(error: BaseException) -> str:
    """Say in plain words what stopped pandas."""
    line = _first_line(error).removeprefix("Error tokenizing data.").strip().removeprefix("C error:").strip()
    uneven = re.match(r"Expected (\d+) fields in line (\d+), saw (\d+)", line)
    if uneven:
        expected, place, found = uneven.groups()
        return f"line {place} has {found} fields where the header has {expected}"
    quote = re.match(r"EOF inside string starting at row (\d+)", line)
    if quote:
        return f"a quotation mark opens in data row {int(quote[1])} and never closes"
    return line


def _head(path: Path) -> tuple[bytes, str | None]:
    """Return the first bytes of the text and how it is compressed."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            return file.read(_SAMPLE), "gzip" if packed else None
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path}: the compressed file is damaged ({_first_line(error)}); pack it again") from error


def _encoding(path: Path, head: bytes) -> str:
    if not head.strip():
        raise DataError(f"{path}: the file is empty; a table needs a line of column names and rows below it")
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        raise DataError(f"{path}: this is not text (it holds zero bytes); export the table as CSV or Parquet")
    return "utf-8"


def _rows(sample: str, separator: str) -> Iterator[list[str]]:
    """Yield the rows of a text whose lines may end in any way."""
    rows = csv.reader(io.StringIO(sample, newline=None), delimiter=separator, skipinitialspace=True)
    return (row for row in rows if row)


def _separator(sample: str) -> str:
    """Return the separator by which most lines have as many fields as the header, and the header has the most.

    The header decides because decimal commas stand in every row but not there.
    """

    def quality(separator: str) -> tuple[float, int]:
        try:
            header, *rows = [len(row) for row in islice(_rows(sample, separator), _LINES)]
        except (csv.Error, ValueError):
            return 0.0, 0
        return (1 + rows.count(header)) / (1 + len(rows)) if header > 1 else 0.0, header

    return max(_SEPARATORS, key=quality)


def _header(sample: str, separator: str) -> tuple[list[str], int]:
    """Return the names of the columns, and how many fields the first row has."""
    rows = _rows(sample, separator)
    names = [name.strip().lstrip("\ufeff") for name in next(rows, [])]
    return names, len(next(rows, []))


@contextmanager
def _fields_of_bounded_length(path: Path) -> Iterator[None]:
    """Say in one line that a field is longer than Python's reader takes, of which an open quote is the usual cause."""
    try:
        yield
    except csv.Error as error:
        most = csv.field_size_limit()
        raise DataError(f"{path}: a field is longer than {most} characters; is a quotation mark left open?") from error


def _check_names(path: Path, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1 and name]
    if twice:
        raise DataError(f"{path}: more than one column is named {twice[0]!r}; give each column a name of its own")


def _check_lengths(path: Path, form: _Form) -> None:
    with (
        gzip.open(path, "rt", encoding=form.encoding) if form.compression else path.open(encoding=form.encoding)
    ) as file:
        rows = csv.reader(islice(file, form.skipped, None), delimiter=form.separator, skipinitialspace=True)
        width = 0
        for row in rows:
            width = width or len(row)
            if row and len(row) != width:
                line = rows.line_num + form.skipped
                raise DataError(
                    f"{path}: line {line} has {len(row)} {'field' if len(row) == 1 else 'fields'} where the header has "
                    f"{width}; repair that line"
                )


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
