"""Looks: how often the test rows of a model file have been looked at.

A test score is honest once. Whoever sees it, changes a setting and fits again has chosen with the help of the test
rows, and after some rounds they say little more than validation rows do. Nobody can be kept from doing so, but it need
not go unsaid: the summary in a model file remembers which rows were scored and how often, and the next fit that is
written into the same file reads it. What is remembered of a row is its hash, so the table itself is not given away.
Floor 5 of the house; knows nothing of files or screens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import check_flag, check_number, shown
from taut.errors import InvalidType, InvalidValue

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Looks"]

_MOST = 10**9  # nobody has looked so often: what says so was not written here
_GAP = np.uint64(2**64 - 1)
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Looks:
    """Which test rows a fit was scored on, and how often they have been for one model file.

    Parameters
    ----------
    test_hash, table_hash : str
        SHA-256 in hexadecimal digits of the test rows, and of all rows of the table, training and test; the target
        included, and whatever the order of rows and columns.
    n_test : int
        How many test rows there are.
    count : int, default 1
        How often they have been scored for this model file, this time included.
    moved : bool, default False
        Whether an earlier fit for this model file divided the same table otherwise, so that rows that test now
        trained then.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"age": [20, 30, 40, 50], "paid": ["yes", "no", "no", "yes"]})
    >>> first = Looks.first(table[2:], table)
    >>> again = Looks.first(table[2:][::-1], table).after(first.to_dict())
    >>> again.count, again.moved, again.after(again.to_dict()).count
    (2, False, 3)
    >>> Looks.first(table[:2], table).after(again.to_dict()).moved
    True
    """

    test_hash: str
    table_hash: str
    n_test: int
    count: int = 1
    moved: bool = False

    def __post_init__(self) -> None:
        for name in ("test_hash", "table_hash"):
            value: object = getattr(self, name)
            if not isinstance(value, str) or not _HASH.fullmatch(value):
                raise InvalidValue(f"{name} must be 64 hexadecimal digits, got {shown(value)}")
        check_number("n_test", self.n_test, at_least=1, integer=True)
        check_number("count", self.count, at_least=1, at_most=_MOST, integer=True)
        check_flag("moved", self.moved)

    @staticmethod
    def first(test: pd.DataFrame, table: pd.DataFrame) -> Looks:
        """Return the looks of a fit that nothing went before.

        Parameters
        ----------
        test : DataFrame, shape (test rows, columns)
            The test rows, target included.
        table : DataFrame, shape (rows, columns)
            All rows, training and test; of a table for training and another to test on, one below the other.
        """
        return Looks(_hash(test), _hash(table), len(test))

    def after(self, previous: Mapping[str, Any] | None) -> Looks:
        """Return the looks to write down now, if the model file that is replaced has had some.

        Parameters
        ----------
        previous : mapping or None
            What `to_dict` returned for the earlier fit. What is no such thing counts as None: it must not stop the
            fit that takes its place.
        """
        try:
            before = None if previous is None else Looks.from_dict(previous)
        except (InvalidType, InvalidValue):
            before = None
        count, moved = 1, False
        if before is not None and before.test_hash == self.test_hash:
            count, moved = min(before.count + 1, _MOST), before.moved
        elif before is not None and before.table_hash == self.table_hash:
            moved = True
        return Looks(self.test_hash, self.table_hash, self.n_test, count, moved)

    def sentence(self) -> str:
        """Return what a reader of the test score must know; nothing if this is the first look.

        Examples
        --------
        >>> Looks("0" * 64, "1" * 64, n_test=114, count=3).sentence()  # doctest: +NORMALIZE_WHITESPACE
        'These 114 test rows have now been scored 3 times for this model file: whoever changed settings in between
         chose with their help, and the score flatters.'
        """
        if self.n_test == 1:
            rows, have, were, their = "This test row", "has", "was", "its"
        else:
            rows, have, were, their = f"These {self.n_test} test rows", "have", "were", "their"
        if self.count > 1:
            often = "twice" if self.count == 2 else f"{self.count} times"
            seen = f"{have} now been scored {often} for this model file"
        elif self.moved:  # all rows of the same table: then, each of them trained or tested
            seen = f"{were} part of an earlier fit for this model file, which divided the same table otherwise"
        else:
            return ""
        return f"{rows} {seen}: whoever changed settings in between chose with {their} help, and the score flatters."

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Looks:
        """Read back what `to_dict` returned.

        Raises
        ------
        InvalidValue, InvalidType
            If it is something else, since a file may come from anybody.
        """
        names = [field.name for field in fields(Looks)]
        given: object = values
        if not isinstance(given, Mapping) or set(given) != set(names):
            raise InvalidValue(f"looks at test rows are a mapping of {', '.join(names)}, got {shown(given)}")
        return Looks(**given)


def _hash(frame: pd.DataFrame) -> str:
    """Return a hash of the rows of a table as a multiset, whatever the order of the columns and the index."""
    import pandas as pd

    names = [(str(name), type(name).__name__) for name in frame.columns]  # names may be of types that have no order
    places = sorted(range(len(names)), key=names.__getitem__)
    columns = pd.DataFrame({order: _hashes(frame.iloc[:, place]) for order, place in enumerate(places)})
    rows = np.sort(pd.util.hash_pandas_object(columns, index=False).to_numpy())
    return sha256(rows.astype("<u8").tobytes()).hexdigest()


def _hashes(column: pd.Series) -> np.ndarray:
    """Return a hash of each cell, shape (rows,); of a category that of its word, and one for all kinds of gaps."""
    import pandas as pd

    # To hash each distinct cell once is quicker, but among objects takes 1 for True, whichever comes first.
    once = column.dtype != np.dtype(object)
    try:
        hashes = pd.util.hash_pandas_object(column, index=False, categorize=once).to_numpy()
    except (TypeError, ValueError):  # lists and other things that pandas cannot hash
        hashes = pd.util.hash_pandas_object(column.map(repr), index=False).to_numpy()
    return np.where(column.isna(), _GAP, hashes)
