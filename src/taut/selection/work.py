"""Work: how much a choice does, in words or as a number of settings.

It is counted in multiplications: few rows are tried with many settings, many rows with the few that come first. So a
choice depends on the table and not on the machine, and takes about as long for a long table as for a short one. Floor 5
of the house; knows nothing of how settings are tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taut.checks import check_choice, check_number
from taut.selection.portfolio import PLAIN, PORTFOLIO
from taut.selection.search_result import Effort

__all__ = ["EFFORTS", "Work", "work_of"]

# In the mean over a round, a setting is trained for so much of its epochs before it falls behind.
_TRAINED = 0.55
# So many of the portfolio are tried, however little the work is to be, and however few the rows are.
_FEWEST, _ON_FEW_ROWS = 4, 8


@dataclass(frozen=True)
class Work:
    """How much a choice does: so many recipes of the portfolio and settings of further rounds, within a limit.

    Attributes
    ----------
    effort : Effort
        Recipes of the portfolio, beside the plain models; settings of each further round.
    multiplications : float
        About as many as it may take; of more rows, fewer settings are tried.
    rows : int
        Of fewer rows, all rounds are smaller in proportion.
    """

    effort: Effort
    multiplications: float
    rows: int

    def __lt__(self, other: Work) -> bool:
        return self.effort.settings < other.effort.settings

    def within(self, rows: int, costs: list[float]) -> Effort:
        """Return the effort that is left within the limits.

        Parameters
        ----------
        rows : int
            How many rows there are.
        costs : list of float
            Multiplications of a whole cross-validation with each recipe of the portfolio, in its order.

        Examples
        --------
        >>> work = Work(Effort(10, (6, 2)), 1e9, rows=200)
        >>> work.within(1000, [1e7] * 10), work.within(100, [1e7] * 10), work.within(1000, [2e8] * 10)
        (Effort(coarse=10, finer=(6, 2)), Effort(coarse=8, finer=(3,)), Effort(coarse=5, finer=(3,)))
        """
        # Nor do a few dozen rows tell many recipes apart.
        wanted = max(round(self.effort.coarse * min(1.0, rows / self.rows)), _ON_FEW_ROWS)
        wanted = min(wanted, self.effort.coarse, len(costs))
        # What a small step changes is less than the error of a mean over a few dozen rows: there, refining chooses by
        # chance. The recipes of the portfolio differ enough to be told apart, and if not, to be averaged.
        wished = [each * min(1.0, rows / self.rows) for each in self.effort.finer]
        whole = _TRAINED * sum(costs[:wanted]) / max(wanted, 1) * (wanted + sum(wished))
        share = min(1.0, self.multiplications / whole) if whole else 1.0
        coarse = max(round(share * wanted), min(_FEWEST, len(costs)))
        return Effort(coarse, tuple(size for each in wished if (size := round(share * each)) >= 2))

    def beyond(self) -> tuple[str, int] | None:
        """Return the next larger word, and about how many settings that tries."""
        larger = [(name, len(PLAIN) + each.effort.settings) for name, each in EFFORTS.items() if self < each]
        return larger[0] if larger else None


#: What the words mean. None is the recipe as it is, beside a constant guess. Standard takes half a minute or less on
#: tables of up to five thousand rows on two cores.
EFFORTS = {
    "none": Work(Effort(0, ()), 0.0, 200),
    "quick": Work(Effort(9, ()), 3e11, 200),
    "standard": Work(Effort(len(PORTFOLIO), (12, 8)), 1.5e12, 200),
    "thorough": Work(Effort(len(PORTFOLIO), (24, 24, 16)), 1.5e13, 200),
}


def work_of(effort: str | int) -> Work:
    """Return the work of a word or a number of settings, which are tried whatever it takes."""
    if isinstance(effort, str):
        check_choice("effort, if not a number,", effort, EFFORTS)
        return EFFORTS[effort]
    check_number("effort, if not a word,", effort, at_least=1, integer=True)
    coarse = min(effort, max(effort // 2, len(PORTFOLIO)))
    return Work(Effort(coarse, (effort - coarse,) if effort > coarse else ()), np.inf, 1)
