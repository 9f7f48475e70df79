"""Inputs: how the columns of an encoded table are laid out.

To a dense layer all columns are alike. A layer that embeds numbers, or gives each category a table of its own, must
know which columns are what; the encoder says so here, and a recipe builds its network by it. Floor 1 of the house:
knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

from taut.checks import check_number
from taut.errors import InvalidValue

__all__ = ["Inputs"]


@dataclass(frozen=True)
class Inputs:
    """The layout of an encoded table, whose columns stand in the order of these fields.

    Parameters
    ----------
    numbers : int, default 0
        Columns of numbers; a date becomes several of them.
    binaries : int, default 0
        Categories of two levels, one column of -1 and 1 each.
    categories : tuple of int, default ()
        For each category of more levels, how many columns it has, of 0 and 1.
    gaps : int, default 0
        Columns that say where numbers were missing, of 0 and 1.
    pieces : tuple of int, default ()
        For each number, how many columns its piecewise-linear encoding has, which may be 0; empty if none has one.
    components : int, default 0
        Columns that are principal components of the numbers.

    Raises
    ------
    InvalidValue, InvalidType
        If a width is no whole number, or `pieces` is not one for each number.

    Examples
    --------
    >>> inputs = Inputs(numbers=2, binaries=1, categories=(3, 4), gaps=1, pieces=(0, 5))
    >>> inputs.width
    16
    >>> inputs.number_columns, inputs.category_blocks, inputs.gap_columns, inputs.piece_blocks
    (range(0, 2), [(3, 6), (6, 10)], range(10, 11), [(11, 11), (11, 16)])
    """

    numbers: int = 0
    binaries: int = 0
    categories: tuple[int, ...] = ()
    gaps: int = 0
    pieces: tuple[int, ...] = ()
    components: int = 0

    def __post_init__(self) -> None:
        for name in ("numbers", "binaries", "gaps", "components"):
            check_number(name, getattr(self, name), at_least=0, integer=True)
        for width in self.categories:
            check_number("categories", width, at_least=1, integer=True)
        for width in self.pieces:
            check_number("pieces", width, at_least=0, integer=True)
        if self.pieces and len(self.pieces) != self.numbers:
            raise InvalidValue(f"pieces needs one width for each of {self.numbers} numbers, got {self.pieces}")

    @staticmethod
    def of(width: int) -> Inputs:
        """Return the layout of a matrix whose columns are all numbers."""
        return Inputs(numbers=width)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.component_columns.stop

    @property
    def number_columns(self) -> range:
        """Where the numbers stand."""
        return range(self.numbers)

    @property
    def category_blocks(self) -> list[tuple[int, int]]:
        """Where the columns of each category of more than two levels begin and end."""
        return _blocks(self.numbers + self.binaries, self.categories)

    @property
    def gap_columns(self) -> range:
        """Where the columns stand that say where numbers were missing."""
        first = self.numbers + self.binaries + sum(self.categories)
        return range(first, first + self.gaps)

    @property
    def piece_blocks(self) -> list[tuple[int, int]]:
        """Where the pieces of each number begin and end; both the same for a number without."""
        return _blocks(self.gap_columns.stop, self.pieces)

    @property
    def component_columns(self) -> range:
        """Where the principal components stand."""
        first = self.gap_columns.stop + sum(self.pieces)
        return range(first, first + self.components)


def _blocks(first: int, widths: Iterable[int]) -> list[tuple[int, int]]:
    return list(pairwise(accumulate(widths, initial=first)))
