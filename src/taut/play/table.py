"""A table that somebody gave the page, by the command line or by hand, and what the page refuses to take.

Reading is `taut.data.read_table`'s, and so are its errors; what is added here is what a stranger's file may do to a
page: too many bytes or columns, cells as long as books, and cells that a spreadsheet would run.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taut.checks import shown
from taut.errors import DataError, TautError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOST_BYTES", "SUFFIXES", "Table", "one_line", "too_large"]

MOST_BYTES = 20_000_000
#: What may be given by hand: text alone, because what is packed can be larger than it looks.
SUFFIXES = (".csv", ".tsv", ".tab", ".txt")

_MOST_COLUMNS = 300
_LONGEST_CELL = 10_000  # characters
# What a spreadsheet takes for a formula: "=…", or a call behind a sign, such as "@SUM(" or "+cmd|".
_FORMULA = re.compile(r"\s*(=|[+\-@]\s*[A-Za-z_.]+\s*[(|!])")


@dataclass(frozen=True, eq=False)
class Table:
    """A table and where it comes from.

    Attributes
    ----------
    name : str
        What the file, or the sample set, is called.
    frame : DataFrame, shape (rows, columns)
        The table.
    source : str
        The Python expression that reads it.
    known_target : str or None
        The column to predict, if the table is known for one.

    Raises
    ------
    DataError
        If it has too many columns, too long cells, or formulas.
    """

    name: str
    frame: pd.DataFrame
    source: str
    known_target: str | None = None

    def __post_init__(self) -> None:
        self.frame.columns = self.frame.columns.map(str)
        count = len(self.frame.columns)
        if not 2 <= count <= _MOST_COLUMNS:
            raise DataError(
                f"{self.name}: the page takes from 2 to {_MOST_COLUMNS} columns, got {count}; keep those that matter"
            )
        for column in self.frame.columns:
            _check_column(self.name, column, self.frame[column])

    @cached_property
    def fingerprint(self) -> str:
        """What an address calls the table by: 16 digits that another table does not have."""
        import pandas as pd

        digest = sha256("\0".join(self.frame.columns).encode())
        digest.update(pd.util.hash_pandas_object(self.frame, index=False).to_numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def target(self) -> str:
        """The column that is predicted unless another is chosen."""
        return self.known_target or str(self.frame.columns[-1])

    def knobs(self, target: str | None = None, axes: str = "columns", columns: Sequence[str] = ()) -> dict[str, Any]:
        """Return the knobs that show this table: two columns of numbers if there are, else all columns.

        Examples
        --------
        >>> from taut.data import load_sample
        >>> frame, target = load_sample("iris")
        >>> Table("iris", frame, "load_sample('iris')", target).knobs()["columns"]
        ['sepal length (cm)', 'sepal width (cm)']
        """
        target = self.target if target is None else target
        numbers = [name for name in self.numbers if name != target]
        chosen = [name for name in columns if name in numbers]
        chosen += [name for name in numbers if name not in chosen]
        axes = "all" if axes == "columns" and len(chosen) < 2 else axes
        where = {"axes": axes, "columns": chosen[:2] if axes == "columns" else []}
        return {"data": "table", "table": self.fingerprint, "target": target, **where}

    def first_knobs(self) -> dict[str, Any]:
        """Return the knobs that a table is first shown with: all its rows, as they are."""
        return {**self.knobs(), "label_noise": 0.0, "samples": min(max(len(self.frame), 12), 5000)}

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The columns that are numbers, and can be an axis."""
        from taut.data import TableEncoder

        with one_line(self.name):
            schema = TableEncoder().fit(self.frame).schema_
        return tuple(column.name for column in schema if column.kind == "number" and column.n_outputs)

    @staticmethod
    def from_bytes(name: str, content: bytes) -> Table:
        """Read a file that was given by hand; raise `DataError` in one line if the page does not take it."""
        from taut.data.reading import read_table

        plain = Path(name.replace("\\", "/")).name[-100:] or "table"
        suffix = Path(plain).suffix.lower()
        if suffix not in SUFFIXES:
            raise DataError(f"{shown(plain)}: the page takes text: a file ending in {', '.join(SUFFIXES)}")
        if len(content) > MOST_BYTES:
            raise too_large(plain)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"table{suffix}"
            path.write_bytes(content)
            try:
                frame = read_table(path)
            except DataError as error:
                raise DataError(str(error).replace(str(path), plain)) from error
            except csv.Error as error:  # a first line whose fields are longer than Python's csv takes
                raise DataError(f"{plain}: not a readable table ({error}); repair or export it again") from error
        table = Table(plain, frame, f"read_table({plain!r})")
        _ = table.numbers  # what cannot be told apart is refused here, and not later
        return table


@contextmanager
def one_line(name: str) -> Iterator[None]:
    """Refuse a table in one line whatever stops those who read its cells: it comes from a stranger."""
    try:
        yield
    except TautError:
        raise
    except (ValueError, OverflowError) as error:
        raise DataError(f"{name}: the table cannot be used ({' '.join(str(error).split())[:200]})") from error


def too_large(name: str) -> DataError:
    """Return the refusal of a file that is too large, whatever is in it."""
    return DataError(
        f"{name}: the page takes files of up to {MOST_BYTES // 1_000_000} MB; give a larger one to `taut play FILE`, "
        "or some of its rows"
    )


def _check_column(table: str, name: str, column: pd.Series) -> None:
    """Raise if a column holds what is no value: text as long as a book, or formulas."""
    import pandas as pd

    if len(name) > 200:
        raise DataError(f"{table}: a column name has {len(name)} characters, such as {shown(name)}; shorten it")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return
    words = column.dropna().astype(str)
    longest = int(words.str.len().max()) if len(words) else 0
    if longest > _LONGEST_CELL:
        raise DataError(
            f"{table}: a cell of column {shown(name)} has {longest} characters; {_LONGEST_CELL} is the most"
        )
    formulas = words[words.str.match(_FORMULA)]
    if len(formulas):
        raise DataError(
            f"{table}: column {shown(name)} holds spreadsheet formulas, such as {shown(formulas.iloc[0])}; save values"
        )
