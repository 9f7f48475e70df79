"""Figures: the report's charts as plain functions from data to a Plotly figure.

Each can be used alone, in a notebook. Backgrounds are transparent, so that a page may be light or dark; the colours are
Okabe and Ito's, which colour-blind readers can tell apart, and the styles of lines differ too, for those who print in
grey. Text from the data is escaped, because Plotly reads some HTML in it. Knows nothing of pages.

References
----------
M. Okabe and K. Ito, "Color universal design: how to make figures and presentations that are friendly to colorblind
people", 2002.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.report.markup import shorten
from taut.selection.wording import METRIC_WORDS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from taut.selection import Candidate, Importance, LearningCurve, Reliability
    from taut.selection.fit_result import View

__all__ = [
    "by_rows",
    "drawable",
    "empty_figure",
    "importance_bars",
    "learning_curves",
    "loss_parts",
    "penalty_by_layer",
    "predicted_against_true",
    "region_map",
    "reliability_dots",
    "weight_histogram",
]

BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
NEUTRAL = "#7F858A"  # reads on white and on black
FILLS = {BLUE: "rgba(0,114,178,{})", ORANGE: "rgba(213,94,0,{})", GREEN: "rgba(0,158,115,{})"}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

POINTS_IN_A_LINE = 400  # more cannot be seen, and would only make the file large
POINTS_IN_A_CLOUD = 2000
BINS = 40
COLUMNS_SHOWN = 20
CLASSES = (BLUE, "#E69F00", GREEN, PINK, "#56B4E9", ORANGE, "#8C6D1F", "#444444")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")


def learning_curves(chosen: Candidate, unregularized: Candidate) -> Figure:
    """Draw training and validation loss with and without regularization in one chart.

    Parameters
    ----------
    chosen, unregularized : Candidate
        Cross-validated curves; only the former is drawn if both are the same recipe.

    Returns
    -------
    plotly Figure
        Solid lines for validation, with a band of one standard error, dashed ones for training.
    """
    figure = empty_figure("epoch", "data loss, mean over folds")
    arms = [(chosen, "chosen", BLUE)]
    if chosen.recipe != unregularized.recipe:
        arms.append((unregularized, "without regularization", ORANGE))
    opacity = 0.06 if _is_slab([arm[0] for arm in arms]) else 0.18
    for candidate, _, color in arms:
        _band(figure, candidate.validation_curve, candidate.validation_curve_se, color, opacity)
    for candidate, words, color in arms:
        _line(figure, candidate.validation_curve, f"{words}, validation", color, "solid")
        _line(figure, candidate.training_curve, f"{words}, training", color, "dash")
    figure.update_xaxes(range=[1, max(len(arm[0].validation_curve) for arm in arms)])
    curves = [curve for arm in arms for curve in (arm[0].training_curve, arm[0].validation_curve)]
    _loss_axis(figure, curves, [arm[0].validation_curve for arm in arms])
    return figure


def loss_parts(history: Mapping[str, np.ndarray]) -> Figure:
    """Draw the training loss as the sum of its two parts, data loss below and penalty above.

    Parameters
    ----------
    history : mapping of str to ndarray, shape (epochs,)
        With the columns data_loss and penalty, such as a `History`.

    Returns
    -------
    plotly Figure
        Two stacked areas, or one if there is no penalty; the upper edge is the loss.
    """
    figure = empty_figure("epoch", "training loss")
    for name, words, color, dash in (
        ("data_loss", "data loss", BLUE, "solid"),
        ("penalty", "penalty, on top of it", GREEN, "dash"),
    ):
        values = np.asarray(history[name], dtype=float)
        if name == "penalty" and not values.any():
            continue
        kept = _thinned(len(values))
        figure.add_scatter(
            x=(kept + 1).tolist(),
            y=drawable(values[kept]),
            name=words,
            mode="lines",
            stackgroup="loss",
            line={"color": color, "dash": dash, "width": 2},
            fillcolor=FILLS[color].format(0.25),
            hovertemplate="%{y:.4g}<extra>" + words + "</extra>",
        )
    figure.update_yaxes(rangemode="tozero")
    return figure


def penalty_by_layer(history: Mapping[str, np.ndarray], layers: Mapping[int, str]) -> Figure:
    """Draw what each layer adds to the loss.

    Parameters
    ----------
    history : mapping of str to ndarray, shape (epochs,)
        With a column penalty_<i> for each layer i.
    layers : mapping of int to str
        The name of each layer i that has parameters.

    Returns
    -------
    plotly Figure
        One line a layer.
    """
    figure = empty_figure("epoch", "penalty")
    for position, (index, words) in enumerate(layers.items()):
        color = (GREEN, PINK, NEUTRAL)[position % 3]
        _line(figure, history[f"penalty_{index}"], words, color, DASHES[position % len(DASHES)])
    figure.update_yaxes(rangemode="tozero")
    return figure


def weight_histogram(chosen: np.ndarray | None, unregularized: np.ndarray | None) -> Figure:
    """Draw how the weights of one layer are spread, leaving out those that are exactly zero.

    Parameters
    ----------
    chosen, unregularized : ndarray or None
        The weights, of any shape; None if a network has no such layer.

    Returns
    -------
    plotly Figure
        The share of all weights in each of equally wide bins.
    """
    figure = empty_figure("weight", "share of the weights")
    drawn = [weights for weights in (chosen, unregularized) if weights is not None and weights.size]
    reach = (
        max((float(np.abs(weights[np.isfinite(weights)]).max(initial=0.0)) for weights in drawn), default=0.0) or 1.0
    )
    edges = np.linspace(-reach, reach, BINS + 1)
    for weights, words, color, dash in (
        (chosen, "chosen", BLUE, "solid"),
        (unregularized, "without regularization", ORANGE, "dash"),
    ):
        if weights is None or not weights.size:
            continue
        share = np.histogram(weights[weights != 0], edges)[0] / weights.size
        figure.add_scatter(
            x=drawable(edges),
            y=drawable(np.append(share, share[-1])),
            name=words,
            mode="lines",
            line={"color": color, "dash": dash, "width": 1.8, "shape": "hv"},
            fill="tozeroy",
            fillcolor=FILLS[color].format(0.22 if color == BLUE else 0.10),
            hovertemplate="%{y:.2%} near %{x:.3g}<extra>" + words + "</extra>",
        )
    figure.update_yaxes(tickformat=".0%" if _tallest(figure) > 0.05 else ".1%", rangemode="tozero")
    return figure


def predicted_against_true(true: np.ndarray, predicted: np.ndarray, target: str) -> Figure:
    """Draw predictions against the truth, with the diagonal on which both are equal.

    Parameters
    ----------
    true, predicted : ndarray, shape (rows,)
        In the target's own units; of more than 2000 rows, equally spaced ones in the order of the truth are drawn.
    target : str
        The target's name.

    Returns
    -------
    plotly Figure
        One point a row.
    """
    label = escape(shorten(target, 30), quote=False)
    figure = empty_figure(f"true {label}", f"predicted {label}")
    rows = np.argsort(true, kind="stable")
    if len(rows) > POINTS_IN_A_CLOUD:
        rows = rows[np.linspace(0, len(rows) - 1, POINTS_IN_A_CLOUD).round().astype(int)]
    finite = np.concatenate([true[np.isfinite(true)], predicted[np.isfinite(predicted)]])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.5
    ends = [low - margin, high + margin]
    figure.add_scatter(
        x=drawable(np.array(ends)),
        y=drawable(np.array(ends)),
        mode="lines",
        name="prediction equals truth",
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=drawable(true[rows]),
        y=drawable(predicted[rows]),
        mode="markers",
        name="test rows",
        marker={"color": BLUE, "size": 7, "opacity": 0.6 if len(rows) < 500 else 0.3},
        hovertemplate="true %{x:.4g}, predicted %{y:.4g}<extra></extra>",
    )
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(range=drawable(np.array(ends)))
    figure.update_yaxes(range=drawable(np.array(ends)))
    return figure


def by_rows(growth: LearningCurve) -> Figure:
    """Draw the validation loss by how many rows are trained on, and the law through it, out to twice the rows.

    Parameters
    ----------
    growth : LearningCurve
        The sizes, what was measured, and the law.

    Returns
    -------
    plotly Figure
        Dots with one standard error; the law dashed beyond the rows there are.
    """
    figure = empty_figure("training rows", METRIC_WORDS[growth.metric])
    means, errors = growth.score(growth.metric)
    sizes = np.asarray(growth.sizes, dtype=float)
    known = np.geomspace(sizes[0], sizes[-1], 60)
    beyond = np.geomspace(sizes[-1], 2 * sizes[-1], 20)
    for rows, words, dash in ((known, "law", "solid"), (beyond, "with twice the rows", "dot")):
        _curve(figure, rows, np.array([growth.predict(n) for n in rows]), words, BLUE, dash)
    figure.add_scatter(
        x=drawable(sizes),
        y=drawable(means),
        error_y={"array": drawable(errors), "color": NEUTRAL, "thickness": 1.2, "width": 3},
        mode="markers",
        name="validation, mean ± 1 SE",
        marker={"color": ORANGE, "size": 8},
        hovertemplate="%{x} rows: %{y:.4g}<extra></extra>",
    )
    figure.update_xaxes(type="log", tickvals=[*sizes.tolist(), 2 * float(sizes[-1])], tickformat="d")
    return figure


def _curve(figure: Figure, x: np.ndarray, y: np.ndarray, words: str, color: str, dash: str) -> None:
    line = {"color": color, "dash": dash, "width": 2}
    figure.add_scatter(x=drawable(x), y=drawable(y), name=words, mode="lines", line=line, hoverinfo="skip")


def importance_bars(found: Importance) -> Figure:
    """Draw how much the loss rises without each column, with its interval, at most 20 of them.

    Parameters
    ----------
    found : Importance
        What was measured.

    Returns
    -------
    plotly Figure
        One dot a column, the most important on top.
    """
    shown = min(len(found.columns), COLUMNS_SHOWN)
    figure = empty_figure(f"rise of the loss, {found.unit}", "")
    places = list(range(shown))
    rise, low, high = (values[:shown] for values in (found.increase, found.low, found.high))
    figure.add_scatter(
        x=drawable(rise),
        y=places,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": drawable(high - rise),
            "arrayminus": drawable(rise - low),
            "color": NEUTRAL,
            "thickness": 1.4,
            "width": 3,
        },
        mode="markers",
        marker={"color": BLUE, "size": 9},
        hovertemplate="%{x:.3g}<extra></extra>",
        showlegend=False,
    )
    names = [escape(shorten(column, 22), quote=False) for column in found.columns[:shown]]
    figure.update_yaxes(tickvals=places, ticktext=names, autorange="reversed", ticks="", showgrid=True)
    figure.update_xaxes(zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1)
    figure.update_layout(hovermode="closest")
    return figure


def reliability_dots(found: Reliability) -> Figure:
    """Draw the share of rows that were right over how sure the model was.

    Parameters
    ----------
    found : Reliability
        What was counted.

    Returns
    -------
    plotly Figure
        One dot a bin with its 95 % interval, larger for more rows; on the dashed line, both are equal.
    """
    figure = empty_figure("probability of the class that was answered", "share that was right")
    least = max(float(found.confidence.min()) - 0.05, 0.0)
    figure.add_scatter(
        x=[least, 1.0],
        y=[least, 1.0],
        mode="lines",
        name="calibrated",
        line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=drawable(found.confidence),
        y=drawable(found.accuracy),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": drawable(found.high - found.accuracy),
            "arrayminus": drawable(found.accuracy - found.low),
            "color": NEUTRAL,
            "thickness": 1.2,
            "width": 3,
        },
        mode="markers",
        name="test rows, 95 % interval",
        marker={"color": BLUE, "size": drawable(7.0 + 13.0 * np.sqrt(found.rows / found.rows.sum()))},
        customdata=found.rows.tolist(),
        hovertemplate="%{customdata} rows, sure of %{x:.1%}, right in %{y:.1%}<extra></extra>",
    )
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(range=[least, 1.02], tickformat=".0%")
    figure.update_yaxes(range=[max(min(float(found.low.min()), least) - 0.03, -0.02), 1.04], tickformat=".0%")
    return figure


def region_map(view: View) -> Figure:
    """Draw what a model answers in the plane of its two inputs, training rows dimmed behind test rows.

    Parameters
    ----------
    view : View
        The regions and the rows.

    Returns
    -------
    plotly Figure
        For classes, the paler the less sure; for numbers, from low to high.
    """
    plane, classes = view.regions.plane, view.regions.classes
    figure = empty_figure(*(escape(shorten(name, 30), quote=False) for name in plane.names))
    x, y = drawable(plane.x), drawable(plane.y)
    if classes is None:
        ends = [[0.0, "#F7F4E8"], [0.35, "#9CC3DC"], [0.7, BLUE], [1.0, "#00263D"]]
        values = [drawable(row) for row in view.regions.values]
        bar = {"thickness": 14, "outlinewidth": 0}
        figure.add_heatmap(x=x, y=y, z=values, colorscale=ends, colorbar=bar, hovertemplate="%{z:.4g}<extra></extra>")
    else:
        winners, sure = view.regions.winners, view.regions.confidence
        for place, label in enumerate(classes):
            color = CLASSES[place % len(CLASSES)]
            shades = [[0.0, _faded(color, 0.08)], [1.0, _faded(color, 0.55)]]
            values = [drawable(row) for row in np.where(winners == place, sure, np.nan)]
            figure.add_heatmap(
                x=x,
                y=y,
                z=values,
                zmin=1.0 / len(classes),
                zmax=1.0,
                colorscale=shades,
                showscale=False,
                hovertemplate=escape(shorten(str(label), 30), quote=False) + ", probability %{z:.2f}<extra></extra>",
            )
    for (points, target), words, size, opacity in (
        (view.training, "training rows", 5, 0.45),
        (view.test, "test rows", 9, 1.0),
    ):
        _cloud(figure, points, np.asarray(target), classes, words, size, opacity)
    figure.update_layout(hovermode="closest")
    for update, side in ((figure.update_xaxes, plane.x), (figure.update_yaxes, plane.y)):
        update(range=drawable(side[[0, -1]]), showgrid=False)
    return figure


def _cloud(
    figure: Figure,
    points: np.ndarray,
    target: np.ndarray,
    classes: np.ndarray | None,
    words: str,
    size: int,
    opacity: float,
) -> None:
    """Draw rows in the colours and shapes of their classes, of many rows evenly spaced ones."""
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), POINTS_IN_A_CLOUD)).round().astype(int))
    points, target = points[kept], target[kept]
    groups = [(words, np.full(len(target), True), NEUTRAL, "circle")] if classes is None else []
    for place, label in enumerate(() if classes is None else classes):
        name = f"{escape(shorten(str(label), 20), quote=False)}, {words}"
        groups.append((name, target == label, CLASSES[place % len(CLASSES)], SYMBOLS[place % len(SYMBOLS)]))
    for name, here, color, symbol in groups:
        figure.add_scatter(
            x=drawable(points[here, 0]),
            y=drawable(points[here, 1]),
            mode="markers",
            name=name,
            marker={
                "color": color,
                "size": size,
                "symbol": symbol,
                "opacity": opacity,
                "line": {"color": "#ffffff", "width": 1 if opacity == 1.0 else 0},
            },
            hoverinfo="skip",
            showlegend=opacity == 1.0,
        )


def _faded(color: str, opacity: float) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def empty_figure(x: str, y: str) -> Figure:
    """Return an empty figure in the report's manner."""
    from plotly.graph_objects import Figure, layout

    axis = {
        "gridcolor": "rgba(127,133,138,0.25)",
        "zeroline": False,
        "showline": True,
        "linecolor": NEUTRAL,
        "ticks": "outside",
        "tickcolor": NEUTRAL,
        "ticklen": 4,
        "automargin": True,
        "exponentformat": "power",
    }
    return Figure(
        layout={
            "template": layout.Template(),
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {
                "family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
                "size": 13,
                "color": NEUTRAL,
            },
            "margin": {"l": 48, "r": 24, "t": 8, "b": 40},
            "hovermode": "x",
            "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": NEUTRAL, "font": {"color": "#1b1e21", "size": 12}},
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.02,
                "yanchor": "bottom",
                "traceorder": "normal",
            },
            "xaxis": axis | {"title": {"text": x, "standoff": 8, "font": {"size": 13}}, "showgrid": False},
            "yaxis": axis | {"title": {"text": y, "standoff": 8, "font": {"size": 13}}},
        }
    )


def _line(figure: Figure, values: np.ndarray, words: str, color: str, dash: str) -> None:
    values = np.asarray(values, dtype=float)
    kept = _thinned(len(values))
    figure.add_scatter(
        x=(kept + 1).tolist(),
        y=drawable(values[kept]),
        name=words,
        mode="lines",
        line={"color": color, "dash": dash, "width": 2},
        hovertemplate="%{y:.4g}<extra>" + words + "</extra>",
    )


def _band(figure: Figure, values: np.ndarray, errors: np.ndarray, color: str, opacity: float) -> None:
    kept = _thinned(len(values))
    kept = kept[np.isfinite(values[kept]) & np.isfinite(errors[kept])]
    values, errors = values[kept], errors[kept]
    # No loss is below zero, and a logarithmic axis has no room for it.
    lower, upper = np.maximum(values - errors, np.minimum(values, 0.01 * np.abs(values))), values + errors
    figure.add_scatter(
        x=[*(kept + 1).tolist(), *(kept[::-1] + 1).tolist()],
        y=[*drawable(upper), *drawable(lower[::-1])],
        fill="toself",
        fillcolor=FILLS[color].format(opacity),
        line={"width": 0},
        mode="lines",
        showlegend=False,
        hoverinfo="skip",
    )


def _loss_axis(figure: Figure, curves: Sequence[np.ndarray], validation: Sequence[np.ndarray]) -> None:
    """Choose a range in which all of training can be seen but its first steps and a vanishing training loss.

    It is that of the curves; bands may reach beyond it.
    """
    settled = np.concatenate([np.empty(0), *(curve[len(curve) // 25 :] for curve in curves)])
    settled = settled[np.isfinite(settled)]
    lowest = min(
        (float(curve[np.isfinite(curve)].min()) for curve in validation if np.isfinite(curve).any()), default=0.0
    )
    if not settled.size or lowest <= 0:
        return
    top, bottom = float(settled.max()), max(float(settled.min()), lowest / 30)
    if bottom > 0.6 * top:
        margin = 0.08 * (top - bottom) or 0.05 * top
        figure.update_yaxes(range=[bottom - margin, top + margin])
        return
    if top <= 10 * lowest:
        figure.update_yaxes(range=[0, 1.05 * top])
        return
    figure.update_yaxes(
        type="log",
        range=[float(np.log10(bottom / 1.1)), float(np.log10(top * 1.1))],
        dtick=1 if top > 30 * bottom else "D2",
        title_text="data loss, mean over folds (logarithmic)",
    )


def _is_slab(candidates: Sequence[Candidate]) -> bool:
    """Say whether the bands of standard errors would lie on each other so much that they hide the curves."""
    length = min(len(candidate.validation_curve) for candidate in candidates)
    first, last = (candidates[index].validation_curve[:length] for index in (0, -1))
    reach, other = (np.abs(candidates[index].validation_curve_se[:length]) for index in (0, -1))
    with np.errstate(invalid="ignore"):
        is_wide = np.maximum(reach, other) > 0.15 * np.maximum(np.abs(first), np.abs(last))
        is_shared = np.abs(first - last) < np.minimum(reach, other) if len(candidates) > 1 else False
    return bool(length) and float(np.mean(is_wide | is_shared)) > 0.5


def _thinned(length: int) -> np.ndarray:
    """Return the positions that are drawn of a line of so many points, the first and the last among them."""
    return np.unique(np.linspace(0, max(length - 1, 0), min(length, POINTS_IN_A_LINE)).round().astype(int))


def drawable(values: np.ndarray) -> list[float | None]:
    """Return numbers to six digits, as JSON can hold them."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in np.asarray(values, dtype=float)]


def _tallest(figure: Any) -> float:
    return max((value for trace in figure.data for value in trace.y if value is not None), default=0.0)
