"""Encoding: the settings by which a table becomes numbers.

Recipes that agree in these can share an encoded table. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from taut.checks import check_number, shown
from taut.errors import InvalidValue

if TYPE_CHECKING:
    from taut.data.columns import TableEncoder

__all__ = ["MOST_EMBEDDED", "Encoding", "bins_of", "check_bins", "check_components", "components_of"]

#: Of more numbers than these, such as the pixels of images, none is embedded: it would cost more than it tells.
MOST_EMBEDDED = 300

# Pieces of each number that are usual; how many rows can tell so many apart; and how many values in all columns of
# pieces, or of components, together go easily into memory.
_USUAL_BINS, _FEWEST_ROWS, _MOST_VALUES = 12, 400, 30_000_000


@dataclass(frozen=True)
class Encoding:
    """The parameters of a `TableEncoder` that a recipe sets.

    Parameters
    ----------
    scaling : str, default "standard"
        How numbers are scaled, a name from `taut.data.schema.SCALINGS`.
    bins : int or "auto", default 0
        Most pieces of each number's piecewise-linear encoding, at least 2; 0 for none; "auto" for what `bins_of` says.
    components : int or "auto", default 0
        Most principal components of numbers beside them; 0 for none; "auto" for what `components_of` says.

    Examples
    --------
    >>> Encoding("robust", bins=8).encoder()
    TableEncoder(bins=8, scaling='robust')
    """

    scaling: str = "standard"
    bins: int | str = 0
    components: int | str = 0

    def encoder(self) -> TableEncoder:
        """Return an encoder with these parameters, not yet fitted."""
        from taut.data.columns import TableEncoder

        return TableEncoder(**asdict(self))


def check_bins(bins: object) -> None:
    """Raise unless `bins` is "auto", 0, or a whole number of at least 2: a single piece would copy its number."""
    if isinstance(bins, str):
        if bins != "auto":
            raise InvalidValue(f'bins must be a number or "auto", got {shown(bins)}')
        return
    check_number("bins", bins, at_least=0, integer=True)
    if bins == 1:
        raise InvalidValue("bins must be 0, or at least 2, got 1")


def check_components(components: object) -> None:
    """Raise unless `components` is "auto" or a whole number, 0 or more."""
    if not isinstance(components, str):
        check_number("components", components, at_least=0, integer=True)
    elif components != "auto":
        raise InvalidValue(f'components must be a number or "auto", got {shown(components)}')


def components_of(components: int | str, rows: int, numbers: int) -> int:
    """Return how many components a table's numbers have at most.

    Parameters
    ----------
    components : int or "auto"
        What was asked for: a count as it is, or one for each number, but none for more than 300 numbers, and fewer for
        a table so long that they would be more than 30 million values. `WhitenedComponents` takes those it finds.
    rows, numbers : int
        The size of the table.

    Examples
    --------
    >>> [components_of("auto", rows, numbers) for rows, numbers in ((300, 8), (1_000_000, 50), (60_000, 784))]
    [8, 30, 0]
    """
    if not isinstance(components, str):
        return components
    return min(numbers, _MOST_VALUES // max(rows, 1)) if numbers <= MOST_EMBEDDED else 0


def bins_of(bins: int | str, rows: int, numbers: int) -> int:
    """Return how many pieces a number of a table has at most.

    Parameters
    ----------
    bins : int or "auto"
        What was asked for: a count as it is, or 12, but none for fewer than 400 rows or more than 300 numbers, and
        fewer for a table so long and wide that its pieces would be more than 30 million values.
    rows, numbers : int
        The size of the table.

    Examples
    --------
    >>> [bins_of("auto", rows, numbers) for rows, numbers in ((300, 8), (5000, 30), (100_000, 50), (60_000, 784))]
    [0, 12, 6, 0]
    """
    if not isinstance(bins, str):
        return bins
    if rows < _FEWEST_ROWS or not 0 < numbers <= MOST_EMBEDDED:
        return 0
    found = min(_USUAL_BINS, _MOST_VALUES // (rows * numbers))
    return found if found >= 2 else 0
