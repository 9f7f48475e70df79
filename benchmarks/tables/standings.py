"""The standings: what the outcomes say when methods are held beside each other, table by table.

A contender is a method, or two of them: "X (loss)" and "X (error)", one method told what to be good at, compete as "X",
the one in loss and the other in the share of wrong classes. A table's figure is the mean over its cuts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.tables.outcomes import Key

__all__ = ["Duel", "Standings"]


@dataclass(frozen=True)
class Duel:
    """One contender beside another, over the tables that both have.

    Attributes
    ----------
    n_tables, wins, ties : int
        Tables, those on which the first is better, and those on which the two are equal.
    effect, low, high : float
        In loss the geometric mean of the first's loss over the other's, in error the mean of their difference; with its
        95 % interval over tables, by Student's t. The interval is NaN for fewer than two tables.
    p_value : float
        Of Wilcoxon's signed-rank test over tables (Wilcoxon, 1945), on log ratios in loss, on differences in error.
    """

    n_tables: int
    wins: int
    ties: int
    effect: float
    low: float
    high: float
    p_value: float

    @property
    def losses(self) -> int:
        """Tables on which the other is better."""
        return self.n_tables - self.wins - self.ties


class Standings:
    """What the outcomes come to.

    Parameters
    ----------
    outcomes : mapping of Key to dict
        All of them, the peers' and taut's.
    splits : sequence of int
        The cuts that count.
    """

    def __init__(self, outcomes: Mapping[Key, Mapping[str, Any]], splits: Sequence[int]) -> None:
        self.outcomes = {key: entry for key, entry in outcomes.items() if "failed" not in entry and key.split in splits}
        self.splits = tuple(splits)
        self._methods = {key.method for key in outcomes}
        self.tables = sorted({key.table for key in outcomes})
        of_classes = {key.table for key, entry in self.outcomes.items() if "ece" in entry}
        self.tables_of_classes = [table for table in self.tables if table in of_classes]

    def by_split(self, contender: str, figure: str, table: str) -> dict[int, float]:
        """Return a figure on each cut of a table that has it."""
        purpose = "error" if figure == "error" and table in self.tables_of_classes else "loss"
        special = f"{contender} ({purpose})"
        method = special if special in self._methods else contender
        entries = {split: self.outcomes.get(Key(method, table, split), {}) for split in self.splits}
        return {split: entry[figure] for split, entry in entries.items() if figure in entry}

    def means(self, contender: str, figure: str) -> dict[str, float]:
        """Return the mean of a figure over the cuts of each table that has it on all of them."""
        found = {table: self.by_split(contender, figure, table) for table in self.tables}
        return {
            table: float(np.mean(list(values.values())))
            for table, values in found.items()
            if len(values) == len(self.splits)
        }

    def count(self, contender: str, figure: str) -> int:
        """Return on how many cuts the figure is there."""
        return sum(len(self.by_split(contender, figure, table)) for table in self.tables)

    def mean_ranks(self, contenders: Sequence[str], figure: str) -> dict[str, float]:
        """Return the mean rank over tables of those that have every cut of every table; equals share their ranks."""
        means = {contender: self.means(contender, figure) for contender in contenders}
        complete = [contender for contender in contenders if len(means[contender]) == len(self.tables)]
        if not self.tables or not complete:
            return {}
        values = np.array([[means[contender][table] for contender in complete] for table in self.tables])
        return dict(zip(complete, stats.rankdata(values, axis=1).mean(axis=0).tolist(), strict=True))

    def duel(self, first: str, other: str, figure: str) -> Duel | None:
        """Hold two contenders beside each other in "loss", in "error" on the tables with classes, or "error, all".

        A table counts by the mean over the cuts that both have. Losses are compared by their ratio, shares of wrong
        classes by their difference; where tables with numbers are among them, errors by their difference over their
        sum, which asks for no unit and allows for none at all. None if there is no such table.
        """
        tables = self.tables_of_classes if figure == "error" else self.tables
        pairs = [pair for table in tables if (pair := self._pair(first, other, figure.removesuffix(", all"), table))]
        if not pairs:
            return None
        ours, theirs = np.array(pairs).T
        if figure == "loss":
            differences = np.log(ours / theirs)
        else:
            differences = ours - theirs
            if figure == "error, all":
                differences /= np.maximum(ours + theirs, np.finfo(float).tiny)
        mean, half = float(differences.mean()), _half_interval(differences)
        unfold = np.exp if figure == "loss" else float
        return Duel(
            n_tables=len(pairs),
            wins=int((ours < theirs).sum()),
            ties=int((ours == theirs).sum()),
            effect=float(unfold(mean)),
            low=float(unfold(mean - half)),
            high=float(unfold(mean + half)),
            p_value=float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0,
        )

    def _pair(self, first: str, other: str, figure: str, table: str) -> tuple[float, float] | None:
        ours, theirs = (self.by_split(contender, figure, table) for contender in (first, other))
        common = ours.keys() & theirs.keys()
        if not common:
            return None
        first_mean, other_mean = (float(np.mean([values[split] for split in common])) for values in (ours, theirs))
        return first_mean, other_mean

    def worse_than_simple(self, contender: str, simple: Sequence[str]) -> tuple[list[str], int] | None:
        """Return where a contender's loss is more than a standard error above that of the best of the simple ones.

        The standard error is the mean over the cuts of the contender's own, over the test rows.

        Returns
        -------
        tuple of list of str and int, or None
            Those tables, and of how many; None if there is none to judge by.
        """
        own, errors = self.means(contender, "loss"), self.means(contender, "loss_se")
        theirs = [self.means(name, "loss") for name in simple]
        judged = [table for table in errors if all(table in means for means in theirs)]
        worse = [table for table in judged if own[table] > min(means[table] for means in theirs) + errors[table]]
        return (worse, len(judged)) if judged else None

    def as_calibrated(self, contender: str, other: str) -> tuple[int, int] | None:
        """Return on how many tables the calibration error is not above the other's, and of how many; None if none."""
        ours, theirs = self.means(contender, "ece"), self.means(other, "ece")
        both = ours.keys() & theirs.keys()
        return (sum(ours[table] <= theirs[table] for table in both), len(both)) if both else None

    def seconds(self, method: str, clock: str) -> np.ndarray:
        """Return what a method took on each cut, by "seconds" or "cpu", ascending."""
        return np.sort([entry[clock] for key, entry in self.outcomes.items() if key.method == method])


def _half_interval(values: np.ndarray) -> float:
    if len(values) < 2:
        return float("nan")
    return float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
