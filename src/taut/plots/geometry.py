"""The geometry of L1 and L2: why one brings weights to exactly zero and the other does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from taut.checks import check_number
from taut.errors import InvalidValue
from taut.plots.style import BLACK, DASHED, FAINT, GREY, REGULARIZED, SMALL, UNREGULARIZED, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PenaltyGeometryDisplay"]

_LEVELS = 5


@dataclass
class PenaltyGeometryDisplay:
    """Two weights, a data loss with its lowest point away from the axes, and what L1 and L2 make of it.

    The data loss is ``(w - minimum) @ curvature @ (w - minimum) / 2``. Of all weights with the same penalty,
    regularized training takes those with the lowest data loss: where an ellipse of equal loss touches the diamond of
    L1, which happens at a corner, or the circle of L2, which happens anywhere.

    Parameters
    ----------
    minimum : (float, float), default (1.1, 0.55)
        The weights with the lowest data loss.
    curvature : 2 by 2 numbers, default ((1.0, 0.35), (0.35, 0.6))
        Second derivatives of the data loss: symmetric, positive definite.
    l1, l2 : float, default 0.55 and 0.35
        Strengths, of ``l1 * sum(|w|)`` and ``l2 * sum(w**2)``.

    Attributes
    ----------
    axes_, figure_
        Where it was drawn; two axes, L1 and L2.

    References
    ----------
    R. Tibshirani, "Regression shrinkage and selection via the lasso", JRSS B, 1996, figure 2.

    Examples
    --------
    >>> display = PenaltyGeometryDisplay().plot()
    >>> bool(display.with_l1[1] == 0.0), bool(display.with_l2[1] > 0.1)
    (True, True)
    """

    minimum: tuple[float, float] = (1.1, 0.55)
    curvature: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.35), (0.35, 0.6))
    l1: float = 0.55
    l2: float = 0.35
    axes_: np.ndarray = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        matrix = np.asarray(self.curvature, dtype=float)
        if matrix.shape != (2, 2) or not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() <= 0:
            raise InvalidValue(f"curvature must be symmetric and positive definite, 2 by 2, got {self.curvature}")
        for name in ("l1", "l2"):
            check_number(name, getattr(self, name), above=0)

    @property
    def with_l1(self) -> np.ndarray:
        """The weights with the lowest loss with L1, shape (2,)."""
        curve, lowest = np.asarray(self.curvature), np.asarray(self.minimum)
        pull, weights = curve @ lowest, np.zeros(2)
        for _ in range(500):  # coordinate descent; of two weights, it ends within a few
            for one in (0, 1):
                rest = pull[one] - curve[one, 1 - one] * weights[1 - one]
                weights[one] = np.sign(rest) * max(abs(rest) - self.l1, 0.0) / curve[one, one]
        return weights

    @property
    def with_l2(self) -> np.ndarray:
        """The weights with the lowest loss with L2, shape (2,)."""
        curve = np.asarray(self.curvature)
        return np.asarray(np.linalg.solve(curve + 2.0 * self.l2 * np.eye(2), curve @ np.asarray(self.minimum)))

    def plot(self, axes: Sequence[Axes] | None = None) -> Self:
        """Draw L1 on the left and L2 on the right.

        Parameters
        ----------
        axes : two matplotlib Axes, optional
            Where to draw; new ones beside each other by default.
        """
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.figure(figsize=(7.2, 3.9), layout="constrained").subplots(1, 2)
        if len(axes) != 2:
            raise InvalidValue(f"axes must be two, got {len(axes)}")
        turn = np.linspace(0.0, 2.0 * np.pi, 241)
        circle = np.array([np.cos(turn), np.sin(turn)])
        reach = 1.35 * float(np.abs(self.minimum).max())
        for ax, name, at, color in (
            (axes[0], "L1", self.with_l1, UNREGULARIZED),
            (axes[1], "L2", self.with_l2, REGULARIZED),
        ):
            size = np.abs(at).sum() if name == "L1" else np.sqrt((at**2).sum())
            ball = size * circle / np.abs(circle).sum(axis=0) if name == "L1" else size * circle
            self._draw_loss(ax, reach, at)
            ax.fill(*ball, color=color, alpha=0.18)
            ax.plot(*ball, color=color, linewidth=1.8)
            ax.axhline(0.0, color=FAINT, linewidth=0.8, zorder=0)
            ax.axvline(0.0, color=FAINT, linewidth=0.8, zorder=0)
            ax.plot(*self.minimum, marker="+", markersize=9, color=BLACK, linestyle="")
            self._name(ax, "lowest data loss", self.minimum, 7, -38)
            ax.plot(*at, marker="o", markersize=7, color=color, markeredgecolor="white", linestyle="")
            self._name(ax, f"({_number(at[0])}, {_number(at[1])})", (at[0], at[1]), -14, 6)
            quiet(ax, xlabel="first weight", ylabel="second weight" if name == "L1" else "")
            ax.set_title("L1: at a corner, a weight is zero" if name == "L1" else "L2: both shrink", fontsize=SMALL + 2)
            ax.set(xlim=(-0.62 * reach, 1.28 * reach), ylim=(-0.85 * reach, 1.05 * reach))
            ax.set_aspect("equal")
        self.axes_, self.figure_ = np.asarray(axes), axes[0].get_figure(root=True)  # type: ignore[assignment]
        return self

    def _draw_loss(self, ax: Axes, reach: float, at: np.ndarray) -> None:
        """Draw ellipses of equal data loss, one of them through the regularized weights."""
        sides = np.linspace(-2.0 * reach, 2.0 * reach, 161)
        away = np.stack(np.meshgrid(sides, sides), axis=-1) - np.asarray(self.minimum)
        curve = np.asarray(self.curvature)
        loss = 0.5 * np.einsum("...i,ij,...j", away, curve, away)
        touching = 0.5 * (at - self.minimum) @ curve @ (at - self.minimum)
        levels = touching * (np.arange(1, _LEVELS + 1) / 2.0) ** 2
        ax.contour(sides, sides, loss, levels=levels, colors=GREY, linewidths=0.7, linestyles=[DASHED])
        ax.contour(sides, sides, loss, levels=[touching], colors=BLACK, linewidths=1.1)

    @staticmethod
    def _name(ax: Axes, words: str, at: tuple[float, float], up: float, right: float) -> None:
        box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
        ax.annotate(words, at, xytext=(right, up), textcoords="offset points", fontsize=SMALL, bbox=box)


def _number(value: float) -> str:
    return f"{value:.2f}" if value else "0"
