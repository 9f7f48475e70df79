"""Decision regions, and the overfit and the good fit of the same rows beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from taut.checks import shown
from taut.data.frames import as_frame
from taut.errors import InvalidValue
from taut.plots.style import BLACK, MARKERS, SMALL, axes_of, class_color, quiet, ramp, shade
from taut.training.regions import Plane, Regions, decision_regions, plane_of, regions_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DecisionRegionsDisplay", "FitPairDisplay", "draw_points"]

_MOST_POINTS = 2000  # of each set; more only hide the regions


@dataclass
class DecisionRegionsDisplay:
    """What a model answers all over a plane of two inputs, with the rows in it.

    Parameters
    ----------
    regions : Regions
        What it answers.
    training, validation : tuple (points, target), optional
        Rows to draw, points of shape (rows, 2): the former dimmed and behind, the latter in front.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn.

    Examples
    --------
    >>> from taut import TautClassifier, spiral
    >>> model = TautClassifier(effort="none", epochs=30).fit(*spiral(seed=0))
    >>> display = DecisionRegionsDisplay.from_estimator(model, *spiral(seed=0), validation=spiral(samples=20, seed=1))
    >>> display.plot().ax_.get_xlabel()
    'x0'
    """

    regions: Regions
    training: tuple[np.ndarray, Any] | None = None
    validation: tuple[np.ndarray, Any] | None = None
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        validation: tuple[Any, Any] | None = None,
        inputs: Sequence[str | int] | None = None,
        resolution: int = 120,
    ) -> Self:
        """Return the display of a fitted model or estimator; see `taut.training.decision_regions`.

        Parameters
        ----------
        estimator : Model, Ensemble or fitted estimator
            What answers.
        X : DataFrame or array, shape (rows, columns)
            The training rows; the plane is as large as they need.
        y : array-like, shape (rows,), optional
            Their target; without it, they are not drawn.
        validation : tuple (X, y), optional
            Rows to draw in front.
        inputs, resolution
            See `taut.training.decision_regions`.
        """
        regions = decision_regions(estimator, X, inputs, resolution=resolution)
        return cls(
            regions,
            None if y is None else (regions.plane.points, y),
            None if validation is None else (points_in(regions.plane, validation[0]), validation[1]),
        )

    def plot(self, ax: Axes | None = None, *, legend: bool = True, shades: int | None = None) -> Self:
        """Draw the regions, the paler the less sure; for numbers, the predicted value with lines of equal height.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; new ones by default.
        legend : bool, default True
            Whether to name classes, or to draw the scale of numbers.
        shades : int, optional
            So many shades of each class, for pictures that are to be small; by default as many as there are.
        """
        ax = axes_of(ax)
        plane, classes = self.regions.plane, self.regions.classes
        step_x, step_y = plane.x[1] - plane.x[0], plane.y[1] - plane.y[0]
        extent = (plane.x[0] - step_x / 2, plane.x[-1] + step_x / 2, plane.y[0] - step_y / 2, plane.y[-1] + step_y / 2)
        if classes is None:
            low, high = self._range()
            image = ax.imshow(
                self.regions.values, extent=extent, origin="lower", aspect="auto", cmap=ramp(), vmin=low, vmax=high
            )
            if high > low:
                ax.contour(
                    plane.x, plane.y, self.regions.values, levels=6, colors="white", linewidths=0.7, linestyles="solid"
                )
            if legend:
                ax.get_figure(root=True).colorbar(image, ax=ax)  # type: ignore[union-attr]
        else:
            sure = self.regions.confidence
            sure = sure if shades is None else np.rint(sure * shades) / shades
            pixels, how = shade(self.regions.winners, sure, len(classes)), "bilinear" if shades is None else "nearest"
            ax.imshow(pixels, extent=extent, origin="lower", aspect="auto", interpolation=how)
            for place in range(len(classes) if len(classes) > 2 else 1):  # of two, one border is the other's
                others = np.delete(self.regions.values, place, axis=2).max(axis=2)
                margin = self.regions.values[..., place] - others
                if margin.min() < 0 < margin.max():
                    ax.contour(plane.x, plane.y, margin, levels=[0.0], colors="#333333", linewidths=0.9)
        for rows, is_in_front in ((self.training, False), (self.validation, True)):
            if rows is not None:
                draw_points(ax, *rows, classes, is_in_front=is_in_front, limits=self._range())
        ax.set_xlim(extent[:2])
        ax.set_ylim(extent[2:])
        quiet(ax, xlabel=plane.names[0], ylabel=plane.names[1])
        if legend and classes is not None:
            self._name_classes(ax, classes)
        self.ax_, self.figure_ = ax, ax.get_figure(root=True)  # type: ignore[assignment]
        return self

    def _range(self) -> tuple[float, float]:
        if self.regions.classes is not None:
            return 0.0, 1.0
        targets = [np.asarray(rows[1], dtype=float) for rows in (self.training, self.validation) if rows is not None]
        there = np.concatenate([self.regions.values.ravel(), *targets])
        return float(there.min()), float(there.max())

    def _name_classes(self, ax: Axes, classes: np.ndarray) -> None:
        from matplotlib.lines import Line2D

        few = classes[: len(MARKERS)]
        handles = [
            Line2D([], [], linestyle="", marker=MARKERS[place], color=class_color(place), label=_short(str(name)))
            for place, name in enumerate(few)
        ]
        if len(classes) > len(few):
            handles.append(Line2D([], [], linestyle="", label=f"and {len(classes) - len(few)} more"))
        ax.legend(
            handles=handles,
            fontsize=SMALL,
            frameon=False,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=min(len(handles), 4),
            handletextpad=0.1,
            columnspacing=1.0,
        )


@dataclass
class FitPairDisplay:
    r"""The same rows fitted by two models, one of which follows their noise: the overfit and the good fit.

    Parameters
    ----------
    overfit, good : DecisionRegionsDisplay
        The two, in one plane.
    titles : tuple of str, default ("overfit", "good fit")
        What stands above them.

    Attributes
    ----------
    axes_, figure_
        Where it was drawn; two axes.

    Examples
    --------
    >>> from taut import TautClassifier, spiral
    >>> X, y = spiral(seed=0)
    >>> overfit, good = (TautClassifier(effort="none", epochs=30, l2=l2).fit(X, y) for l2 in (0.0, 1e-3))
    >>> display = FitPairDisplay.from_estimators(overfit, good, X, y, validation=spiral(seed=1)).plot()
    >>> [axes.get_title().split(" accuracy")[0] for axes in display.axes_]
    ['overfit\ntraining', 'good fit\ntraining']
    """

    overfit: DecisionRegionsDisplay
    good: DecisionRegionsDisplay
    titles: tuple[str, str] = ("overfit", "good fit")
    axes_: np.ndarray = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimators(
        cls,
        overfit: Any,
        good: Any,
        X: Any,
        y: Any,
        *,
        validation: tuple[Any, Any] | None = None,
        inputs: Sequence[str | int] | None = None,
        resolution: int = 120,
    ) -> Self:
        """Return the display of two fitted models or estimators, with their scores on both sets of rows."""
        plane = plane_of(X, inputs, resolution=resolution)
        rows = (plane.points, y)
        front = None if validation is None else (points_in(plane, validation[0]), validation[1])
        made, titles = [], []
        for model, words in ((overfit, "overfit"), (good, "good fit")):
            made.append(DecisionRegionsDisplay(regions_on(model, plane), rows, front))
            titles.append(f"{words}\n{_scores(model, (X, y), validation)}")
        return cls(made[0], made[1], (titles[0], titles[1]))

    def plot(self, axes: Sequence[Axes] | None = None) -> Self:
        """Draw both.

        Parameters
        ----------
        axes : two matplotlib Axes, optional
            Where to draw; new ones beside each other by default.
        """
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.figure(figsize=(9.0, 4.2), layout="constrained").subplots(1, 2, sharex=True, sharey=True)
        if len(axes) != 2:
            raise InvalidValue(f"axes must be two, got {len(axes)}")
        for ax, display, title in zip(axes, (self.overfit, self.good), self.titles, strict=True):
            display.plot(ax, legend=False)
            ax.set_title(title, fontsize=SMALL + 2.0)
        axes[1].set_ylabel("")
        self.axes_, self.figure_ = np.asarray(axes), axes[0].get_figure(root=True)  # type: ignore[assignment]
        return self


def points_in(plane: Plane, X: Any) -> np.ndarray:
    """Return where other rows of the table are in a plane, shape (rows, 2)."""
    frame, _ = as_frame(X)
    if absent := [name for name in plane.names if name not in frame]:
        raise InvalidValue(f"the rows to draw lack the column {absent[0]!r}")
    return np.asarray(frame[list(plane.names)].to_numpy(dtype=np.float64, na_value=np.nan))


def draw_points(
    ax: Axes,
    points: np.ndarray,
    target: Any,
    classes: np.ndarray | None,
    *,
    is_in_front: bool,
    limits: tuple[float, float] = (0.0, 1.0),
) -> None:
    """Draw rows: in front, filled and edged; behind, small and faint. Of many, evenly spaced ones are drawn."""
    target = np.asarray(target)
    if len(points) != len(target):
        raise InvalidValue(f"there are {len(points)} rows to draw and {len(target)} targets")
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).round().astype(int))
    points, target = points[kept], target[kept]
    look: dict[str, Any] = {"s": 26.0, "linewidths": 0.9, "edgecolors": "white", "zorder": 3.0}
    if not is_in_front:
        look = {"s": 9.0, "linewidths": 0.0, "alpha": 0.55, "zorder": 2.0}
    if classes is None:
        low, high = limits
        look |= {"edgecolors": BLACK, "linewidths": 0.8} if is_in_front else {}
        ax.scatter(points[:, 0], points[:, 1], c=target.astype(float), cmap=ramp(), vmin=low, vmax=high, **look)
        return
    for place, name in enumerate(classes):
        here = points[target == name]
        marker = MARKERS[place % len(MARKERS)]
        ax.scatter(here[:, 0], here[:, 1], color=class_color(place), marker=marker, **look)


def _scores(model: Any, training: tuple[Any, Any], validation: tuple[Any, Any] | None) -> str:
    """Return accuracy or R² on both sets, in a few words."""
    found: list[str] = []
    for words, rows in (("training", training), ("validation", validation)):
        if rows is None:
            continue
        answers, true = np.asarray(model.predict(rows[0])), np.asarray(rows[1])
        if answers.shape != true.shape:
            raise InvalidValue(f"the {words} target must be of shape {answers.shape}, got {shown(true.shape)}")
        if answers.dtype.kind == "f" and len(np.unique(answers)) > 2:
            value, name = 1.0 - ((answers - true) ** 2).sum() / ((true - true.mean()) ** 2).sum(), "R²"
        else:
            value, name = (answers == true).mean(), "accuracy"
        found.append(f"{words} {name + ' ' if not found else ''}{value:.2f}")
    return ", ".join(found)


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"
