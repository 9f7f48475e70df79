"""Reading: a file with a table in it becomes a data frame, or one line says why it cannot.

CSV, TSV and Parquet, plain or gzipped. The separator and the encoding are found out. What pandas would let pass in
silence (a name twice, a row that is too short, a header and nothing below it) is an error here, because each is a
mistake in the file that would later be a mistake in the answer. Floor 1 of the house: knows nothing of columns' kinds.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from taut.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table"]

_TEXT = (".csv", ".tsv", ".tab", ".txt")
_PARQUET = (".parquet", ".pq")
_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE = 1 << 18  # bytes looked at to find out encoding and separator
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_GZIP = b"\x1f\x8b"


def read_table(path: str | Path, *, allow_no_rows: bool = False) -> pd.DataFrame:
    r"""Read a table from a file.

    Parameters
    ----------
    path : str or path
        A file that ends in .csv, .tsv, .tab or .txt (text with a header line; also with .gz behind), .parquet or .pq.
        In .csv and .txt the separator may be a comma, a semicolon, a tab or a vertical bar. Text is UTF-8, UTF-16
        with a mark, or else Latin-1. Besides what pandas takes for missing, ``?`` is missing.
    allow_no_rows : bool, default False
        Whether a table with column names and no rows will do, as where something is to be predicted for each row.

    Returns
    -------
    pandas.DataFrame, shape (rows, columns)
        At least one column and, unless `allow_no_rows`, one row; columns have distinct names, without spaces around
        them.

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

    head, compression = _head(path)
    encoding = _encoding(path, head)
    sample = head.decode(encoding, errors="replace")
    separator = "\t" if kind in (".tsv", ".tab") else _separator(sample)
    try:
        frame = _parse(path, separator, encoding, compression)
    except UnicodeDecodeError:
        # Latin-1 gives every byte a meaning, so this second try cannot fail for the same reason.
        encoding = "latin-1"
        frame = _parse(path, separator, encoding, compression)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: the file is empty; a table needs a line of column names and rows below it") from error
    names, width = _header(sample, separator)
    _check_names(path, names)
    if width > len(names):  # pandas would take the first fields for row names
        raise DataError(f"{path}: rows have {width} fields but there are {len(names)} column names; name every column")
    frame.columns = pd.Index([str(name).strip() for name in frame.columns])
    # A row that is too short reads as missing in its last column, so only then is it worth counting the fields.
    if len(frame) and frame.iloc[:, -1].isna().any():
        _check_lengths(path, separator, encoding, compression)
    return frame


def _parse(path: Path, separator: str, encoding: str, compression: str | None) -> pd.DataFrame:
    """Read the text; where the separator is a semicolon, numbers may have a decimal comma."""
    import pandas as pd

    def read(decimal: str) -> pd.DataFrame:
        try:
            frame: pd.DataFrame = pd.read_csv(
                path,
                sep=separator,
                decimal=decimal,
                encoding=encoding,
                compression=compression,  # type: ignore[arg-type]
                na_values=["?"],
                skipinitialspace=True,
                low_memory=False,  # guess each column's type from all of it
            )
        except (pd.errors.ParserError, EOFError, zlib.error, csv.Error) as error:
            raise DataError(
                f"{path}: not a readable table ({_first_line(error)}); repair or export it again"
            ) from error
        return frame

    frame = read(".")
    if separator == ";" and _texts(frame):
        other = read(",")
        if _texts(other) < _texts(frame):
            return other
    return frame


def _texts(frame: pd.DataFrame) -> int:
    from pandas.api.types import is_numeric_dtype

    return sum(not is_numeric_dtype(dtype) for dtype in frame.dtypes)


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


def _separator(sample: str) -> str:
    """Return the separator that splits the first lines into the most fields, and into equally many."""
    lines = sample.splitlines()
    lines = lines[: 100 if len(lines) <= 100 or len(sample) < _SAMPLE // 2 else 50]

    def quality(separator: str) -> tuple[float, int]:
        try:
            counts = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if row)
        except csv.Error:
            return 0.0, 0
        fields, times = counts.most_common(1)[0]
        return (times / counts.total() if fields > 1 else 0.0), fields

    return max(_SEPARATORS, key=quality)


def _header(sample: str, separator: str) -> tuple[list[str], int]:
    """Return the names of the columns, and how many fields the first row has."""
    rows = (row for row in csv.reader(io.StringIO(sample), delimiter=separator, skipinitialspace=True) if row)
    names = [name.strip().lstrip("\ufeff") for name in next(rows, [])]
    return names, len(next(rows, []))


def _check_names(path: Path, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1 and name]
    if twice:
        raise DataError(f"{path}: more than one column is named {twice[0]!r}; give each column a name of its own")


def _check_lengths(path: Path, separator: str, encoding: str, compression: str | None) -> None:
    with (
        gzip.open(path, "rt", encoding=encoding, newline="")
        if compression
        else path.open("r", encoding=encoding, newline="")
    ) as file:
        rows = csv.reader(file, delimiter=separator, skipinitialspace=True)
        width = 0
        for row in rows:
            width = width or len(row)
            if row and len(row) != width:
                raise DataError(
                    f"{path}: line {rows.line_num} has {len(row)} fields where the header has {width}; repair that line"
                )


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
