"""Figures of a path for the browser: what `taut.selection.path_figures` draws on paper, as Plotly figures.

What is drawn is decided in `taut.selection.path_view`. The names of lines stand in the margin at their weak ends, where
also a narrow screen has room for them. Knows nothing of pages.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.report.figures import BLUE, GREEN, NEUTRAL, ORANGE, PINK, drawable, empty_figure
from taut.report.markup import shorten
from taut.selection.path_view import (
    Curves,
    Scale,
    choices,
    curves_of,
    loss_range,
    scale_of,
    separated,
    spread,
    top_labels,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from taut.selection import RegularizationPath

__all__ = ["HEIGHT", "path_losses", "path_weights"]

#: Pixels that a page should give each figure.
HEIGHT = 420

_COLORS = (BLUE, ORANGE, GREEN, PINK)
_SMALL = 11  # pixels of a letter's height
_LETTER = 6.0  # pixels of its mean width
_ROW = 18  # pixels from one row of text above a figure to the next
_NAME = 18  # letters of an input's name
_NARROW = 260  # pixels of the axis on a narrow screen, on which labels must not touch
_EDGE = 0.03  # of the axis that stays free on either side
_BEYOND = 20.0  # heights of a figure
_OTHERS = 200  # grey lines; more cannot be told apart, and would only make the file large


def path_losses(path: RegularizationPath) -> Figure:
    """Draw the validation loss with its standard error, and the training loss, along a path.

    Parameters
    ----------
    path : RegularizationPath
        The path.

    Returns
    -------
    plotly Figure
        Dots with error bars for validation, a dashed line for training, dotted lines at both choices.
    """
    scale = scale_of(path)
    figure = empty_figure(scale.label, "data loss, mean over folds")
    low, high = loss_range(path)
    x = _with_gap(scale, scale.positions)
    beyond = high + _BEYOND * (high - low)  # where nobody looks, and figures that are larger still are not drawn at all
    errors = np.where(path.mean < beyond, np.minimum(path.standard_error, beyond - low), np.nan)
    figure.add_scatter(
        x=x,
        y=_with_gap(scale, np.minimum(path.mean, beyond)),
        error_y={
            "array": _with_gap(scale, errors),
            "thickness": 1.2,
            "width": 3,
            "color": NEUTRAL,
        },
        name="validation, mean ± 1 SE",
        mode="lines+markers",
        line={"color": BLUE, "width": 1},
        marker={"color": BLUE, "size": 7},
        **_told(scale, path, path.mean, "validation"),
    )
    figure.add_scatter(
        x=x,
        y=_with_gap(scale, np.minimum(path.training, beyond)),
        name="training",
        mode="lines" if scale.zero is None else "lines+markers",
        line={"color": ORANGE, "dash": "dash", "width": 2},
        marker={"color": ORANGE, "size": 4},
        **_told(scale, path, path.training, "training"),
    )
    lost = scale.positions[~np.isfinite(path.mean)]
    if len(lost):
        figure.add_scatter(
            x=drawable(lost),
            y=drawable(np.full(len(lost), high)),
            name="diverged",
            mode="markers",
            marker={"symbol": "x-thin", "size": 8, "line": {"color": ORANGE, "width": 2}},
            hoverinfo="skip",
        )
    figure.update_yaxes(range=drawable(np.array([low, high])))
    _finish(path, scale, figure, _NARROW)
    return figure


def path_weights(path: RegularizationPath) -> Figure:
    """Draw the norm of each input's weights, or where none are emptied, of each layer's, along a path.

    Parameters
    ----------
    path : RegularizationPath
        The path.

    Returns
    -------
    plotly Figure
        Up to eight named lines, the others in grey.
    """
    scale, curves = scale_of(path), curves_of(path)
    figure = empty_figure(scale.label, curves.label)
    x = _with_gap(scale, scale.positions)
    mode = "lines" if scale.zero is None else "lines+markers"
    top = 1.08 * curves.top
    others = [place for place in range(curves.values.shape[1]) if place not in curves.named][:_OTHERS]
    if others:
        lines = [_with_gap(scale, np.minimum(curves.values[:, place], _BEYOND * top)) for place in others]
        figure.add_scatter(
            x=[value for _ in lines for value in [*x, None]],
            y=[value for line in lines for value in [*line, None]],
            mode=mode,
            line={"color": "rgba(127,133,138,0.45)", "width": 1},
            marker={"color": "rgba(127,133,138,0.45)", "size": 3},
            hoverinfo="skip",
        )
    for rank, place in enumerate(curves.named):
        name = escape(shorten(curves.names[place], 40), quote=False)
        figure.add_scatter(
            x=x,
            y=_with_gap(scale, np.minimum(curves.values[:, place], _BEYOND * top)),
            name=name,
            mode=mode,
            line={"color": _COLORS[rank % 4], "dash": "solid" if rank < 4 else "dash", "width": 2},
            marker={"color": _COLORS[rank % 4], "size": 4},
            **_told(scale, path, curves.values[:, place], name),
        )
    figure.update_yaxes(range=drawable(np.array([-0.03 * top, top])))
    figure.update_layout(showlegend=False, hovermode="closest")
    room = _name_lines(figure, scale, curves, top)
    _finish(path, scale, figure, _NARROW - room)
    return figure


def _with_gap(scale: Scale, values: np.ndarray) -> list[float | None]:
    return drawable(scale.broken(values))


def _told(scale: Scale, path: RegularizationPath, values: np.ndarray, words: str) -> dict[str, Any]:
    """Return what a line says of the point under the pointer; a zero, or the very large, is not where it is drawn."""
    pairs = zip(_with_gap(scale, values), _with_gap(scale, path.values), strict=True)
    return {
        "customdata": [list(pair) for pair in pairs],
        "hovertemplate": f"%{{customdata[0]:.4g}} at %{{customdata[1]:.4g}}<extra>{words}</extra>",
    }


def _name_lines(figure: Figure, scale: Scale, curves: Curves, top: float) -> int:
    """Write names in the margin beside the weak ends of their lines, none on another; return its width in pixels.

    A short stroke leads from the end of a line to its name. The vertical axis goes to the other side.
    """
    plot = HEIGHT - 110  # about the height in pixels between the margins
    ends = np.array([curves.values[-1, place] for place in curves.named])
    foot = -0.03 * top
    heights = separated((ends - foot) / (top - foot), 1.45 * _SMALL / plot, 0.0, 1.0)
    side = -1 if scale.weak_is_left else 1
    end = scale.positions[-1]
    at = float(np.log10(end)) if scale.is_logarithmic else float(end)
    longest = 0
    for rank, (place, height, wanted) in enumerate(zip(curves.named, heights, ends, strict=True)):
        name = shorten(curves.names[place], _NAME)
        longest = max(longest, len(name))
        figure.add_annotation(
            text=escape(name, quote=False),
            x=at,
            y=float(wanted),
            xref="x",
            yref="y",
            ax=side * 20,
            ay=-float(height - (wanted - foot) / (top - foot)) * plot,
            xanchor="right" if side < 0 else "left",
            yanchor="middle",
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=_COLORS[rank % 4],
            font={"size": _SMALL},
        )
    room = round(longest * _LETTER) + 30
    figure.update_layout(margin={"l" if side < 0 else "r": room, "r" if side < 0 else "l": 48})
    figure.update_yaxes(side="right" if side < 0 else "left")
    return room


def _finish(path: RegularizationPath, scale: Scale, figure: Figure, pixels: int) -> None:
    """Draw the horizontal axis below and above, and the choices; on a narrow screen it is so many pixels long."""
    limits = np.array(scale.limits(_EDGE, _EDGE))
    figure.update_xaxes(
        type="log" if scale.is_logarithmic else "linear",
        range=drawable(np.log10(limits) if scale.is_logarithmic else limits),
        tickvals=drawable(np.array([tick for tick, _ in scale.ticks])),
        ticktext=[label for _, label in scale.ticks],
    )
    marked, shares = choices(path), scale.shares(scale.positions)
    middle = np.mean([shares[place] for place, _ in marked])
    for place, words in marked:
        figure.add_shape(
            type="line",
            x0=float(scale.positions[place]),
            x1=float(scale.positions[place]),
            y0=0,
            y1=1,
            yref="paper",
            line={"color": NEUTRAL, "dash": "dot", "width": 1.5},
            layer="below",
        )
        is_right = shares[place] > middle or (len(marked) == 1 and shares[place] < 0.5)
        _above(figure, scale, place, words, row=0, anchor="left" if is_right else "right")
    found = top_labels(path)
    rows = 1
    if found is not None:
        rows = 3
        words, labels = found
        gap = _LETTER * (1.5 + max(map(len, labels))) / pixels
        for place in spread(shares, gap, [place for place, _ in marked]):
            _above(figure, scale, place, labels[place], row=1, anchor="center")
        _above(figure, scale, None, words, row=2, anchor="center")
    figure.update_layout(margin={"t": rows * _ROW + 6})
    if figure.layout.showlegend is not False:  # below the axis, for the space above it is taken
        figure.update_layout(margin={"b": 70}, legend={"y": -0.22, "yanchor": "top"})


def _above(figure: Figure, scale: Scale, place: int | None, text: str, *, row: int, anchor: str) -> None:
    """Write a word above the plot, at a value or, without one, in the middle."""
    x, reference = 0.5, "paper"
    if place is not None:
        at = scale.positions[place]
        x, reference = float(np.log10(at) if scale.is_logarithmic else at), "x"
    figure.add_annotation(
        text=text,
        x=x,
        xref=reference,
        y=1,
        yref="paper",
        yshift=row * _ROW,
        xanchor=anchor,
        yanchor="bottom",
        showarrow=False,
        font={"size": _SMALL},
    )
