"""The table of scores: the chosen network beside what it must be compared with.

Exact values stand behind the rounded ones; which direction is better is said for each metric. Knows nothing of Plotly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from taut.report.markup import Markup, tag
from taut.report.numbers import significant
from taut.report.tables import exact, scroll, shared_decimals, with_error

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
    decimals : int or None
        How many decimals to show; None for as many as three significant digits take.
    """

    label: str
    direction: str
    words: str
    decimals: int | None


LOWER, HIGHER = "lower is better", "higher is better"

METRICS = {
    "log_loss": Metric("Log loss", LOWER, "surprise at the true class, in nats; 0 is certain and right", None),
    "accuracy": Metric("Accuracy", HIGHER, "share of the rows that are right; 1 is all", 3),
    "rmse": Metric("RMSE", LOWER, "typical error, in the units of the target; 0 is perfect", None),
    "r2": Metric("R²", HIGHER, "share of the target’s variance explained; 1 is perfect, 0 no better than the mean", 3),
}


def score_table(entries: Sequence[Entry], metrics: Sequence[str]) -> Markup:
    """Return the table of scores, the best test value of each metric marked.

    Parameters
    ----------
    entries : sequence of Entry
        One row each, the chosen network first.
    metrics : sequence of str
        Which metrics, the deciding one first.
    """
    kinds = {metric: METRICS.get(metric) or Metric(metric, "", "", None) for metric in metrics}
    places = {metric: _decimals(entries, metric, kind) for metric, kind in kinds.items()}
    best = {metric: _best([entry.test[metric][0] for entry in entries], kind) for metric, kind in kinds.items()}
    rows = []
    for row, entry in enumerate(entries):
        cells = [cell for metric in metrics for cell in _cells(entry, metric, places[metric], row in best[metric])]
        cells.append(tag("td", "–" if row == 0 else _verdict(entry.margin)))
        head = tag("th", entry.name, tag("small", entry.detail), scope="row")
        rows.append(tag("tr", head, *cells, class_="chosen" if row == 0 else None))
    explained = " ".join(f"{kind.label}: {kind.words}." for kind in kinds.values() if kind.words)
    caption = tag("caption", tag("span", explained))
    table = tag("table", caption, tag("thead", *_head(list(kinds.values()))), tag("tbody", *rows), class_="scores")
    return scroll(table, "Scores")


def _head(kinds: Sequence[Metric]) -> tuple[Markup, Markup]:
    groups = [tag("th", kind.label, tag("small", kind.direction), colspan=3, scope="colgroup") for kind in kinds]
    model = tag("th", "Model", rowspan=2, scope="col")
    against = tag("th", "Against chosen", rowspan=2, scope="col")
    parts = [tag("th", words, scope="col", class_="number") for _ in kinds for words in ("train", "cross-val.", "test")]
    return tag("tr", model, *groups, against), tag("tr", *parts)


def _cells(entry: Entry, metric: str, decimals: int, is_best: bool) -> tuple[Markup, Markup, Markup]:
    """Return the training, the cross-validated and the test score."""
    mark = tag("span", "best", class_="mark") if is_best else ""
    return (
        tag("td", exact(entry.train[metric], decimals), class_="number"),
        tag("td", with_error(entry.cross_validated.get(metric), decimals), class_="number"),
        tag("td", with_error(entry.test[metric], decimals), mark, class_="number test" + (" best" if is_best else "")),
    )


def _decimals(entries: Sequence[Entry], metric: str, kind: Metric) -> int:
    """Return one number of decimals for a metric, so that its columns line up."""
    if kind.decimals is not None:
        return kind.decimals
    scores = [score for entry in entries for score in (entry.cross_validated.get(metric), entry.test[metric])]
    return shared_decimals(score for score in scores if score is not None)


def _best(values: Sequence[float], kind: Metric) -> set[int]:
    """Return the rows whose value is best; several if they are equal."""
    sign = {LOWER: -1.0, HIGHER: 1.0}.get(kind.direction)
    finite = {row: sign * value for row, value in enumerate(values) if np.isfinite(value)} if sign else {}
    return {row for row, value in finite.items() if value == max(finite.values())}


def _verdict(margin: tuple[float, float]) -> Markup:
    """Return in words how a model's loss on the test rows compares with the chosen network's on the same rows."""
    difference, error = margin
    words = "no clear difference"
    if abs(difference) > 2 * error:
        words = "worse" if difference > 0 else "better"
    exact = f"paired difference of the loss {significant(difference)} ± {significant(error)}"
    return tag("span", words, title=exact, class_="verdict")
