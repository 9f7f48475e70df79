"""Schema: what each column of a table is, and in plain words what was done with it.

It is made when an encoder is fitted, stored in the model file and printed in the report, so that nobody has to guess
what happened to their data. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import shown
from taut.errors import InvalidValue

if TYPE_CHECKING:
    from taut.data.kinds import CategoryReader, DateReader, Reader

__all__ = ["KINDS", "SCALINGS", "ColumnSchema", "describe"]

#: The ways to scale columns of numbers, by name; `taut.data.scaling` has what they do.
SCALINGS = (
    "standard",
    "minus_one_one",
    "zero_one",
    "robust",
    "robust_clipped",
    "principal_axes",
    "max_abs",
    "eight_bit",
    "eight_bit_zero_one",
    "none",
)

KINDS = ("number", "category", "boolean", "date", "identifier", "constant", "empty")


@dataclass(frozen=True)
class ColumnSchema:
    """What one column is and what was done with it.

    Parameters
    ----------
    name : str
        The column's name.
    kind : {"number", "category", "boolean", "date", "identifier", "constant", "empty"}
        What it holds; the last three carry nothing to learn from and are left out.
    treatment : str
        What was done, in plain words.
    n_missing : int
        Rows without a value, among those the encoder was fitted on.
    n_outputs : int
        Columns that it became.
    levels : tuple of str
        The levels of a category that have a column of their own; empty for other kinds.
    minimum, maximum : float or str, optional
        Range of a number, or of a date in ISO 8601.

    Examples
    --------
    >>> column = ColumnSchema("age", "number", "scaled to mean 0 and standard deviation 1", 0, 1, minimum=18.0)
    >>> ColumnSchema.from_dict(column.to_dict()) == column
    True
    """

    name: str
    kind: str
    treatment: str
    n_missing: int
    n_outputs: int
    levels: tuple[str, ...] = ()
    minimum: float | str | None = None
    maximum: float | str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidValue(f"kind of column {self.name!r} must be one of {', '.join(KINDS)}, got {self.kind!r}")
        for end in (self.minimum, self.maximum):
            if end is not None and not (_is_date(end) if self.kind == "date" else isinstance(end, (int, float))):
                raise InvalidValue(f"the range of column {self.name!r}, a {self.kind}, cannot end at {shown(end)}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self) | {"levels": list(self.levels)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> ColumnSchema:
        """Make a schema from what `to_dict` returned.

        Raises
        ------
        InvalidValue
            If the fields are not those of a schema.
        """
        try:
            return cls(**(fields | {"levels": tuple(fields.get("levels", ()))}))
        except TypeError as error:
            raise InvalidValue(f"not the schema of a column: {error}") from error


def describe(
    reader: Reader, values: np.ndarray | None, n_missing: int, fill: float | None, scaling: str, pieces: int
) -> ColumnSchema:
    """Return the schema of a column that is used.

    Parameters
    ----------
    reader : NumberReader, DateReader or CategoryReader
        How the column is read.
    values : ndarray of float64, shape (rows,), or None
        A number's values or a date's days since 1970, with NaN for gaps; None for a category.
    n_missing : int
        Rows without a value.
    fill : float or None
        What fills the gaps.
    scaling : str
        What is done to numbers, in words.
    pieces : int
        How many columns their piecewise-linear encoding has.
    """
    from taut.data.kinds import CategoryReader, DateReader

    if isinstance(reader, CategoryReader):
        kind = "boolean" if reader.boolean else "category"
        outputs = 1 if len(reader.names) == 2 else len(reader.names)
        return ColumnSchema(reader.name, kind, _category(reader), n_missing, outputs, reader.levels)
    assert values is not None  # only a category has no numbers
    assert fill is not None
    extra = pieces + (1 if n_missing else 0)
    if pieces:
        scaling += f"; beside it {pieces} columns, one a stretch between quantiles"
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if isinstance(reader, DateReader):
        gaps = _gaps(n_missing, _iso(fill))
        return ColumnSchema(
            reader.name,
            "date",
            _date(reader, scaling) + gaps,
            n_missing,
            len(reader.names) + extra,
            (),
            _iso(low),
            _iso(high),
        )
    written = {"": "", "point": "read from text, ", "comma": "read from text with decimal commas, "}[reader.style]
    treatment = written + scaling + _gaps(n_missing, f"{fill:.6g}")
    return ColumnSchema(reader.name, "number", treatment, n_missing, 1 + extra, (), low, high)


def _is_date(end: object) -> bool:
    try:
        return isinstance(end, str) and not np.isnat(np.datetime64(end, "s"))
    except ValueError:
        return False


def _gaps(count: int, fill: str) -> str:
    if not count:
        return ""
    return f"; {count} {'gap' if count == 1 else 'gaps'} filled with the median {fill}, and a column says where"


def _category(reader: CategoryReader) -> str:
    names = reader.names
    if len(names) == 2:
        return f"one column: -1 is {names[0]!r}, 1 is {names[1]!r}"
    together = "; rare and unknown levels share one" if reader.other else ""
    gaps = "; missing has its own" if reader.missing else ""
    return f"{len(names)} columns, one a level{together}{gaps}"


def _date(reader: DateReader, scaling: str) -> str:
    parts = "".join(f", {part} as a place on a circle" for part in reader.parts)
    order = {"%m/%d": " (month first)", "%d/%m": " (day first)"}.get(reader.style[:5], "")
    return f"days since 1970{parts}{order}; {scaling}"


def _iso(days: float) -> str:
    moment = np.datetime64(round(days * 86400), "s")
    return str(moment).removesuffix("T00:00:00")
