"""Encoding: the settings by which a table becomes numbers.

Recipes that agree in these can share an encoded table. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from taut.checks import check_number
from taut.errors import InvalidValue

if TYPE_CHECKING:
    from taut.data.columns import TableEncoder

__all__ = ["Encoding", "check_bins"]


@dataclass(frozen=True)
class Encoding:
    """The parameters of a `TableEncoder` that a recipe sets.

    Parameters
    ----------
    scaling : str, default "standard"
        How numbers are scaled, a name from `taut.data.schema.SCALINGS`.
    bins : int, default 0
        Most pieces of each number's piecewise-linear encoding, at least 2; 0 for none.

    Examples
    --------
    >>> Encoding("robust", bins=8).encoder()
    TableEncoder(bins=8, scaling='robust')
    """

    scaling: str = "standard"
    bins: int = 0

    def encoder(self) -> TableEncoder:
        """Return an encoder with these parameters, not yet fitted."""
        from taut.data.columns import TableEncoder

        return TableEncoder(**asdict(self))


def check_bins(bins: object) -> None:
    """Raise unless `bins` is 0 or a whole number of at least 2: of a single piece a number would be a copy."""
    check_number("bins", bins, at_least=0, integer=True)
    if bins == 1:
        raise InvalidValue("bins must be 0, or at least 2, got 1")
