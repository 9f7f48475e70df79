"""The portfolio: recipes that have done well on tables, of kinds different enough to complement one another.

Data, not code. A choice begins with them: on each table some win by far, and which these are shows within a few
epochs. Floor 5 of the house; knows nothing of how they are tried.

References
----------
D. Salinas and N. Erickson, "TabRepo: a large scale repository of tabular model evaluations and its AutoML
applications", AutoML, 2024: portfolios that were learned on other tables, and greedy ensembles of them, beat a search from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["PLAIN", "PORTFOLIO", "Entry"]


@dataclass(frozen=True)
class Entry:
    """A recipe of the portfolio.

    Attributes
    ----------
    name : str
        What it is called.
    setting : dict
        What is set; what regularizes and is not named is off, the rest is as in `Recipe`.
    source : str
        Where it comes from.
    """

    name: str
    setting: dict[str, Any]
    source: str


#: Models that a network must beat to be worth its trouble; they are always trained to their end.
PLAIN = (
    Entry(
        "constant", {"hidden_layer_sizes": (), "l1": 10.0}, "every weight is driven to exactly zero: a constant guess"
    ),
    Entry("linear, l2=0.1", {"hidden_layer_sizes": (), "l2": 0.1}, "a linear model"),
    Entry("linear, l2=0.01", {"hidden_layer_sizes": (), "l2": 0.01}, "a linear model"),
    Entry("linear, l2=0.001", {"hidden_layer_sizes": (), "l2": 0.001}, "a linear model"),
)

PORTFOLIO: tuple[Entry, ...] = (Entry("plain", {"l2": 0.01}, "one hidden layer"),)
