"""Placing: how a figure stands on a page, and what stands at the foot of every page.

A figure is data in a script element that runs nothing; the page's own script draws it. Knows nothing of results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from taut.report.markup import Markup, script_json, tag

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["footer", "placed"]


def footer() -> Markup:
    """Return the foot of a page."""
    words = "This file is complete in itself: nothing is loaded from elsewhere, and nothing leaves it."
    return tag("footer", tag("p", words))


def placed(identity: str, title: str, plot: Figure, told: Sequence[str], *, height: int) -> Markup:
    """Return a figure on the page: a place to draw in, the data to draw, and what it shows in words.

    Parameters
    ----------
    identity : str
        What names its elements, unlike any other's on the page.
    title : str
        What the figure is, for those who do not see it.
    plot : plotly Figure
        The figure.
    told : sequence of str
        What it shows; the first sentence says what to look for, if there are more.
    height : int
        In pixels.
    """
    place = tag(
        "div",
        id=f"plot-{identity}",
        class_="plot",
        role="img",
        aria_label=title,
        aria_describedby=f"about-{identity}",
        data_wide=height > 260,
        style=f"--height:{height}px",
    )
    drawn = plot.to_plotly_json()
    data = script_json({"data": drawn["data"], "layout": drawn["layout"]})
    script = tag("script", data, type="application/json", data_plot=f"plot-{identity}")
    return tag("figure", place, tag("figcaption", *_told(told), id=f"about-{identity}"), script)


def _told(told: Sequence[str]) -> list[object]:
    """Return what a figure shows, set apart from the first sentence if there are more: it says what to look for."""
    if len(told) == 1:
        return [*told]
    return [tag("span", told[0], class_="look"), " ", " ".join(told[1:])]
