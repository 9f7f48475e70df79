"""The table of scores: the chosen model beside what it must be compared with.

Exact values stand behind the rounded ones; which direction is better is said for each metric. Knows nothing of Plotly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from taut.report.markup import Markup, tag
from taut.report.tables import exact, scroll, with_error
from taut.selection.wording import LARGE, plus_minus, ten_to_the

if TYPE_CHECKING:
    from taut.selection import Entry

__all__ = ["METRICS", "Metric", "score_table"]


@dataclass(frozen=True)
class Metric:
    """How a metric is called and read.

    Attributes
    ----------
    label : str
        Its name.
    direction : {"lower is better", "higher is better", ""}
        Which way is better, if that is known.
    words : str
        What it says.
    """

    label: str
    direction: str
    words: str


LOWER, HIGHER = "lower is better", "higher is better"
SIDES = ("train", "cross-val.", "test")

METRICS = {
    "log_loss": Metric("Log loss", LOWER, "surprise at the true class, in nats; 0 is certain and right"),
    "accuracy": Metric("Accuracy", HIGHER, "share of the rows that are right; 1 is all"),
    "rmse": Metric("RMSE", LOWER, "typical error, in the units of the target; 0 is perfect"),
    "r2": Metric("R²", HIGHER, "share of the target’s variance explained; 1 is perfect, 0 no better than the mean"),
}


#: A verdict says how the chosen model compares with another; its row says how that other compares with the chosen.
TURNED_ROUND = {
    "better than": "worse",
    "worse than": "better",
    "not clearly different from": "no clear difference",
    "the same as": "the same network",
}


def score_table(entries: Sequence[Entry], metrics: Sequence[str]) -> Markup:
    """Return the table of scores, the best test value of each metric bold, and marked if it is clearly the best.

    Parameters
    ----------
    entries : sequence of Entry
        One row each, the chosen model first.
    metrics : sequence of str
        Which metrics, the deciding one first; by it alone is tested what differs clearly.
    """
    kinds = {metric: METRICS.get(metric) or Metric(metric, "", "") for metric in metrics}
    best = {metric: _best([entry.test[metric][0] for entry in entries], kind) for metric, kind in kinds.items()}
    winners = best[metrics[0]] if _is_clear(entries, best[metrics[0]]) else set()
    powers = {metric: _power(entries, metric) for metric in metrics}
    rows = []
    for row, entry in enumerate(entries):
        cells = []
        for metric, kind in kinds.items():
            has_won = metric == metrics[0] and row in winners
            cells += _cells(entry, metric, kind, powers[metric], is_best=row in best[metric], has_won=has_won)
        cells.append(tag("td", "–" if row == 0 else _verdict(entry), data_label="Against chosen"))
        head = tag("th", entry.name, tag("small", entry.detail), scope="row")
        rows.append(tag("tr", head, *cells, class_="chosen" if row == 0 else None))
    explained = " ".join(f"{kind.label}: {kind.words}." for kind in kinds.values() if kind.words)
    caption = tag("caption", tag("span", explained))
    table = tag(
        "table",
        caption,
        tag("thead", *_head(list(kinds.values()), list(powers.values()))),
        tag("tbody", *rows),
        class_="scores",
    )
    return scroll(table, "Table of scores")


def _head(kinds: Sequence[Metric], powers: Sequence[int]) -> tuple[Markup, Markup]:
    groups = [
        tag("th", f"{kind.label}{_times(power)}", tag("small", kind.direction), colspan=3, scope="colgroup")
        for kind, power in zip(kinds, powers, strict=True)
    ]
    model = tag("th", "Model", rowspan=2, scope="col")
    against = tag("th", "Against chosen", rowspan=2, scope="col")
    parts = [tag("th", words, scope="col", class_="number") for _ in kinds for words in SIDES]
    return tag("tr", model, *groups, against), tag("tr", *parts)


def _power(entries: Sequence[Entry], metric: str) -> int:
    """Return the power of ten that stands once above numbers of a million and more, and not behind each; 0 for none."""
    largest = max((abs(entry.test[metric][0]) for entry in entries if np.isfinite(entry.test[metric][0])), default=0.0)
    return int(np.floor(np.log10(largest))) if largest >= LARGE else 0


def _times(power: int) -> str:
    return f", in {ten_to_the(power)}" if power else ""


def _cells(entry: Entry, metric: str, kind: Metric, power: int, *, is_best: bool, has_won: bool) -> list[Markup]:
    """Return the training, the cross-validated and the test score."""
    mark = tag("span", "best", class_="mark") if has_won else ""
    contents = (
        exact(entry.train[metric], power),
        tag("span", with_error(entry.cross_validated.get(metric), power)),
        tag("span", with_error(entry.test[metric], power), mark),
    )
    classes = ("number", "number", "number test" + (" best" if is_best else ""))
    labels = (f"{kind.label}{_times(power)}, {side}" for side in SIDES)
    return [
        tag("td", content, class_=words, data_label=label)
        for content, words, label in zip(contents, classes, labels, strict=True)
    ]


def _best(values: Sequence[float], kind: Metric) -> set[int]:
    """Return the rows whose value is best; several if they are equal."""
    sign = {LOWER: -1.0, HIGHER: 1.0}.get(kind.direction)
    finite = {row: sign * value for row, value in enumerate(values) if np.isfinite(value)} if sign else {}
    return {row for row, value in finite.items() if value == max(finite.values())}


def _is_clear(entries: Sequence[Entry], best: set[int]) -> bool:
    """Say whether the best rows differ clearly from the chosen model, or, if it is among them, all others do."""
    if len(best) == len(entries):
        return False
    if 0 in best:
        return all(entry.verdict == "better than" or row in best for row, entry in enumerate(entries) if row)
    return all(entries[row].verdict == "worse than" for row in best)


def _verdict(entry: Entry) -> Markup:
    """Return in words how a model's loss on the test rows compares with the chosen model's on the same rows."""
    margin = entry.margin
    difference = f"paired difference of the loss {plus_minus(margin.difference, margin.error)}, p {margin.p_value:.2g}"
    return tag("span", TURNED_ROUND[entry.verdict], title=difference, class_="verdict")
