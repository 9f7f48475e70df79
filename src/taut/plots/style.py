"""Style: the colours, shapes and lines of all figures, and what every display does alike.

References
----------
M. Okabe and K. Ito, "Color universal design: how to make figures and presentations that are friendly to colorblind
people", 2002.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap

__all__ = [
    "BLACK",
    "CLASS_COLORS",
    "DASHED",
    "DOTTED",
    "FAINT",
    "GREY",
    "MARKERS",
    "REGULARIZED",
    "SMALL",
    "UNREGULARIZED",
    "axes_of",
    "class_color",
    "quiet",
    "ramp",
    "shade",
]

BLACK, BLUE, VERMILION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
GREY, FAINT = "#555555", "#BBBBBB"

#: With and without regularization, wherever both are drawn.
REGULARIZED, UNREGULARIZED = BLUE, VERMILION

#: Neighbours differ in lightness, so that they do in grey.
CLASS_COLORS = (BLUE, "#E69F00", GREEN, "#CC79A7", "#56B4E9", VERMILION, "#8C6D1F", "#444444")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

DASHED, DOTTED = (0, (5, 2)), (0, (1, 1.4))
SMALL = 8.0  # points


def axes_of(ax: Axes | None) -> Axes:
    """Return the axes that are given, or new ones."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.figure(figsize=(6.0, 4.0), layout="constrained").subplots()


def class_color(place: int) -> str:
    """Return the colour of a class; after eight they come again, and shapes do not."""
    return CLASS_COLORS[place % len(CLASS_COLORS)]


def shade(winners: np.ndarray, confidence: np.ndarray, n_classes: int) -> np.ndarray:
    """Return an image: the colour of each class, the paler the less sure, shape (rows, columns, 3).

    Parameters
    ----------
    winners : ndarray of int, shape (rows, columns)
        The place of the most probable class.
    confidence : ndarray, shape (rows, columns)
        Its probability; as likely as by chance is nearly white.
    n_classes : int
        How many there are.
    """
    from matplotlib.colors import to_rgb

    colors = np.array([to_rgb(class_color(place)) for place in range(n_classes)])
    least = 1.0 / n_classes
    strength = 0.08 + 0.47 * np.clip((confidence - least) / (1.0 - least), 0.0, 1.0)
    return np.asarray(1.0 - strength[..., None] * (1.0 - colors[winners]))


def ramp() -> LinearSegmentedColormap:
    """Return the colours of numbers, from low to high."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("taut", ["#F7F4E8", "#9CC3DC", "#0072B2", "#00263D"])


def quiet(ax: Axes, **labels: Any) -> None:
    """Take the frame off where it says nothing, and name the axes."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize=SMALL + 0.5)
    ax.set(**labels)
