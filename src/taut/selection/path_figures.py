"""Figures of a path for matplotlib: the losses along it, and what becomes of the weights.

Axes in, axes out. What is drawn is decided in `taut.selection.path_view`; here it gets ink: the
colours of Okabe and Ito, different styles of lines for those who print in grey, and names beside their lines. Floor 5
of the house; knows nothing of files or pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from taut.selection.path_view import Scale, choices, curves_of, loss_range, scale_of, separated, spread, top_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from taut.selection.path_result import RegularizationPath

__all__ = ["draw_path", "plot_losses", "plot_weights"]

BLACK, BLUE, VERMILION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
GREY, FAINT = "#555555", "#BBBBBB"
# Neighbours differ in colour and in lightness; the second four are dashed.
_COLORS = (BLACK, VERMILION, BLUE, GREEN)
_DASH, _DOT = (0, (5, 2)), (0, (1, 2))
_SMALL = 8.0  # points: names beside lines
_WIDEST = 0.4  # of the figure's width that names may take
_EDGE = 0.04  # of the figure's width that stays free
_POINT = 1 / 72  # inches
_ROW = 1.9  # of the small size: from one row of text to the next
_LEADER = 0.2  # inches: from the end of a line to its name
_NAME = 0.45  # inches: the name of a choice


def draw_path(path: RegularizationPath) -> Figure:
    """Return a figure of its own with the losses above and the weights below, 7 by 8.5 inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 8.5), layout="constrained")
    above, below = figure.subplots(2)
    plot_losses(path, above)
    plot_weights(path, below)
    return figure


def plot_losses(path: RegularizationPath, axes: Axes | None = None) -> Axes:
    """Draw the validation loss with its standard error, and the training loss, along a path.

    Larger values are on the right, as in glmnet. A zero on a logarithmic axis stands apart at its left end. Values at
    which training diverged are crosses at the top; losses far above the lowest leave the figure there.

    Parameters
    ----------
    path : RegularizationPath
        The path.
    axes : matplotlib Axes, optional
        Where to draw; new ones by default.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.
    """
    axes = _axes(axes)
    scale = scale_of(path)
    low, high = loss_range(path)
    x = scale.broken(scale.positions)
    # Dots without a line between them would vanish where the curve leaves the figure.
    axes.plot(x, scale.broken(_finite(path.mean)), color=BLACK, linewidth=0.8)
    validation = axes.errorbar(
        scale.positions,
        _finite(path.mean),
        np.where(np.isfinite(path.standard_error), path.standard_error, 0.0),
        fmt="o",
        color=BLACK,
        ecolor=GREY,
        markersize=4,
        elinewidth=1,
        capsize=2.5,
        label="validation, mean ± 1 SE",
    )
    handles: list[Any] = [validation]
    training = scale.broken(_finite(path.training))
    marker = "." if scale.zero is not None else ""  # a zero that stands apart has no line
    style: dict[str, Any] = {"color": BLUE, "linestyle": _DASH, "linewidth": 1.4, "marker": marker, "markersize": 4}
    handles += axes.plot(x, training, label="training", **style)
    lost = scale.positions[~np.isfinite(path.mean)]
    if len(lost):
        at_top = np.full(len(lost), high)
        handles += axes.plot(lost, at_top, "x", color=VERMILION, markersize=6, label="diverged")
    rows = 2 * _ROW * _SMALL * _POINT / _inches(axes)[1]  # for the legend and, below it, the names of the choices
    axes.set_ylim(low, low + (high - low) / (1.0 - min(rows, 0.5)))
    axes.set_ylabel("data loss")
    _finish(path, scale, axes, left=_EDGE, right=_EDGE, row=1)
    corner: Any = "upper left" if scale.weak_is_left else "upper right"
    legend = axes.legend(handles=handles, loc=corner, ncols=3, fontsize=_SMALL, framealpha=1.0, borderaxespad=0.2)
    legend.get_frame().set_edgecolor("none")  # a ground without an edge, for what leaves the figure behind it
    return axes


def plot_weights(path: RegularizationPath, axes: Axes | None = None) -> Axes:
    """Draw the norm of each input's weights, or where none are emptied, of each layer's, along a path.

    Up to eight inputs with the largest norms at the weak end are named there; the others are grey.

    Parameters
    ----------
    path : RegularizationPath
        The path.
    axes : matplotlib Axes, optional
        Where to draw; new ones by default.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.
    """
    axes = _axes(axes)
    scale, curves = scale_of(path), curves_of(path)
    x, values = scale.broken(scale.positions), scale.broken(_finite(curves.values))
    dots: dict[str, Any] = {"marker": ".", "markersize": 4} if scale.zero is not None else {}
    others = [place for place in range(values.shape[1]) if place not in curves.named]
    if others:
        axes.plot(x, values[:, others], color=FAINT, linewidth=0.7, zorder=1, **dots)
    for rank, place in enumerate(curves.named):
        axes.plot(x, values[:, place], color=_COLORS[rank % 4], linestyle=_style(rank), linewidth=1.5, **dots)
    axes.set_ylim(-0.03 * curves.top, 1.15 * curves.top)
    axes.set_ylabel(curves.label)
    names = [_shortened(curves.names[place]) for place in curves.named]
    ends = [float(np.nan_to_num(curves.values[-1, place])) for place in curves.named]
    share = _name_lines(axes, scale, names, ends)
    sides = (share, _EDGE) if scale.weak_is_left else (_EDGE, share)
    _finish(path, scale, axes, *sides, row=0)
    return axes


def _axes(axes: Axes | None) -> Axes:
    if axes is not None:
        return axes
    from matplotlib import pyplot

    return pyplot.figure(layout="constrained").subplots()


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _style(rank: int) -> str | tuple[int, tuple[int, ...]]:
    return "-" if rank < 4 else _DASH


def _inches(axes: Axes) -> tuple[float, float]:
    """Return about how wide and how high the axes are; a layout that is still to come makes them little different."""
    box = axes.bbox.transformed(axes.figure.dpi_scale_trans.inverted())
    return box.width, box.height


def _finish(path: RegularizationPath, scale: Scale, axes: Axes, left: float, right: float, row: int) -> None:
    """Draw the horizontal axis below and above, and the choices, with their names in a row from the top."""
    from matplotlib.ticker import FixedLocator, NullLocator

    shares = scale.shares(scale.positions)
    marked = choices(path)
    if len(marked) > 1:  # the outer sides of both lines need room for a name
        outside = sorted(shares[place] for place, _ in marked)
        room = _NAME / _inches(axes)[0]
        left, right = max(left, room - outside[0]), max(right, room - (1.0 - outside[1]))
    axes.set_xscale("log" if scale.is_logarithmic else "linear")
    axes.set_xlim(*scale.limits(left, right))
    axes.set_xticks([tick for tick, _ in scale.ticks], [label for _, label in scale.ticks])
    if scale.is_logarithmic:
        above = path.values[path.values > 0]
        powers = np.arange(np.floor(np.log10(above.min())), np.ceil(np.log10(above.max())))
        minor = np.outer(10.0**powers, np.arange(1, 10)).ravel()
        axes.xaxis.set_minor_locator(FixedLocator(minor[(minor >= above.min()) & (minor <= above.max())].tolist()))
    axes.tick_params(axis="x", which="minor", labelbottom=False)
    axes.set_xlabel(scale.label)
    found = top_labels(path)
    if found is not None:
        words, labels = found
        letters = 1.5 + max(map(len, labels))
        gap = 0.62 * letters * _SMALL * _POINT / (_inches(axes)[0] * (1.0 - left - right))
        shown = spread(shares, gap, [place for place, _ in marked])
        above_axes = axes.secondary_xaxis("top")
        above_axes.set_xticks(scale.positions[shown], [labels[place] for place in shown], fontsize=_SMALL)
        above_axes.xaxis.set_minor_locator(NullLocator())
        above_axes.set_xlabel(words, fontsize=_SMALL + 1)
    middle = np.mean([shares[place] for place, _ in marked])
    for place, words in marked:
        is_right = shares[place] > middle or (len(marked) == 1 and shares[place] < 0.5)
        _mark_choice(axes, scale.positions[place], words, is_right=is_right, row=row)


def _mark_choice(axes: Axes, at: float, words: str, *, is_right: bool, row: int) -> None:
    """Draw a dotted line, with a name on one of its sides."""
    axes.axvline(at, color=GREY, linestyle=_DOT, linewidth=1.3, zorder=0.5)
    axes.annotate(
        words,
        (at, 1.0),
        (3 if is_right else -3, -3 - row * _ROW * _SMALL),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left" if is_right else "right",
        va="top",
        fontsize=_SMALL + 1,
        color=GREY,
    )


def _name_lines(axes: Axes, scale: Scale, names: list[str], ends: list[float]) -> float:
    """Write names beside the weak ends of their lines, none on another; return the share of the width they take."""
    from matplotlib.text import Text
    from matplotlib.transforms import ScaledTranslation

    low, high = axes.get_ylim()
    width, height = _inches(axes)
    gap = 1.4 * _SMALL * _POINT / height
    heights = separated((np.array(ends) - low) / (high - low), gap, 0.03, 0.9)
    is_left = scale.weak_is_left
    end, away = scale.positions[-1], (-1 if is_left else 1) * _LEADER
    beside = axes.get_xaxis_transform() + ScaledTranslation(away, 0.0, axes.figure.dpi_scale_trans)
    longest = 0.0
    for rank, (name, value, at) in enumerate(zip(names, ends, heights, strict=True)):
        text = axes.annotate(
            name,
            (end, value),
            (end, at),
            textcoords=beside,
            ha="right" if is_left else "left",
            va="center",
            fontsize=_SMALL,
            arrowprops={
                "arrowstyle": "-",
                "color": _COLORS[rank % 4],
                "linewidth": 0.7,
                "shrinkA": 1,
                "shrinkB": 1,
                "relpos": (1.0 if is_left else 0.0, 0.5),
            },
        )
        longest = max(longest, Text.get_window_extent(text).width / axes.figure.dpi)  # without the stroke
    return min((longest + _LEADER + 0.08) / width, _WIDEST)


def _shortened(name: str, longest: int = 24) -> str:
    return name if len(name) <= longest else f"{name[: longest // 2]}…{name[-(longest // 2 - 1) :]}"
