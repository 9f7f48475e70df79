"""The confusion matrix: how often each class was taken for each.

It is a table and not a picture, so that it can be read aloud, printed, and read where scripts do not run. Knows
nothing of Plotly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from taut.report.markup import Markup, clean, join, name, tag
from taut.report.numbers import count, percent
from taut.report.tables import scroll

__all__ = ["confusion_counts", "confusion_table"]

CLASSES_SHOWN = 20
CLASSES_WITH_SHARES = 12  # of more, there is no room for a share beside each count


def confusion_counts(true: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Count how often each class was taken for each.

    Parameters
    ----------
    true, predicted : ndarray of int, shape (rows,)
        The classes' codes.
    n_classes : int
        How many classes there are.

    Returns
    -------
    ndarray of int, shape (classes, classes)
        Rows are true, columns predicted.

    Examples
    --------
    >>> confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (true, predicted), 1)
    return counts


def confusion_table(counts: np.ndarray, labels: Sequence[str]) -> Markup:
    """Return the confusion matrix, each count with its share of the row, shaded by that share.

    Beyond 12 classes the shares are told by the shades alone; beyond 20 the rarest are put together. Where labels
    would not fit above their columns, these are numbered.
    """
    counts, labels = _grouped(counts, labels)
    is_wide = len(labels) > 6
    has_shares = len(labels) <= CLASSES_WITH_SHARES
    numbered = is_wide and max(len(label) for label in labels) > 4
    heads = [
        tag("th", str(place) if numbered else name(label, 16), title=label, scope="col", class_="number")
        for place, label in enumerate(labels, start=1)
    ]
    rows = [
        tag(
            "tr",
            tag("th", tag("small", f"{place} ") if numbered else "", name(label, 32), scope="row"),
            *_cells(row, place - 1, has_shares=has_shares),
        )
        for place, (label, row) in enumerate(zip(labels, counts, strict=True), start=1)
    ]
    total = tag("th", "rows", scope="col", class_="number total")
    head = tag("tr", tag("th", "true ↓ predicted →", scope="col"), *heads, total)
    shares = "percentages are" if has_shares else "the darker, the larger the share"
    caption = tag("caption", tag("span", f"Test rows; {shares} of the true class."))
    kind = "confusion" + (" many" if is_wide else "") + ("" if has_shares else " crowded")
    return scroll(tag("table", caption, tag("thead", head), tag("tbody", *rows), class_=kind), "Confusion matrix")


def _cells(row: np.ndarray, true: int, *, has_shares: bool) -> list[Markup]:
    """Return the counts of one true class, and their sum."""
    size = int(row.sum())
    cells = []
    for said, value in enumerate(row.tolist()):
        share = value / size if size else 0.0
        content = join(count(value), tag("small", percent(share)) if has_shares else "")
        content = content if value else tag("span", "0", class_="none")
        title = percent(share) if value and not has_shares else None
        kind = "number right" if said == true else "number wrong"
        cells.append(tag("td", content, class_=kind, style=f"--share:{share:.3f}", title=title))
    return [*cells, tag("td", count(size), class_="number total")]


def _grouped(counts: np.ndarray, labels: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Return counts and labels with the rarest classes put together, where there are many."""
    labels = [clean(label) for label in labels]
    if len(labels) <= CLASSES_SHOWN:
        return counts, labels
    frequent = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: CLASSES_SHOWN - 1])
    members = np.zeros((len(frequent) + 1, len(labels)), dtype=int)  # which classes each line stands for
    members[-1] = 1
    members[np.arange(len(frequent)), frequent] = 1
    members[-1, frequent] = 0
    others = f"{len(labels) - len(frequent)} other classes"
    return members @ counts @ members.T, [*(labels[index] for index in frequent), others]
