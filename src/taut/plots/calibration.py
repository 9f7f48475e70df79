"""Calibration: how often a model is right, beside how sure it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from taut.checks import shown
from taut.errors import InvalidValue
from taut.plots.style import FAINT, GREY, REGULARIZED, SMALL, axes_of, quiet
from taut.selection.reliability import Reliability, reliability
from taut.training.regions import classes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CalibrationDisplay"]


@dataclass
class CalibrationDisplay:
    """How sure a model was, and how often it was right, on rows that it was not trained on.

    Parameters
    ----------
    reliability : Reliability
        The numbers.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn.

    Examples
    --------
    >>> from taut import TautClassifier, spiral
    >>> model = TautClassifier(effort="none", epochs=30).fit(*spiral(seed=0))
    >>> display = CalibrationDisplay.from_estimator(model, *spiral(seed=1)).plot()
    >>> 0.0 <= display.reliability.error <= 1.0
    True
    """

    reliability: Reliability
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, bins: int = 15) -> Self:
        """Return the display of a fitted classifier on rows; see `taut.selection.reliability`."""
        classes = classes_of(estimator)
        if classes is None:
            raise InvalidValue("a regression has no probabilities to calibrate")
        return cls.from_predictions(y, estimator.predict_proba(X), classes, bins=bins)

    @classmethod
    def from_predictions(cls, y_true: Any, probabilities: np.ndarray, classes: Any, *, bins: int = 15) -> Self:
        """Return the display of probabilities, shape (rows, classes), in the order of `classes`."""
        true, names = np.asarray(y_true), np.asarray(classes)
        matches = true[:, None] == names
        if not matches.any(axis=1).all():
            raise InvalidValue(f"{shown(true[~matches.any(axis=1)][0].item())} is none of the classes")
        return cls(reliability(np.asarray(probabilities), matches.argmax(axis=1), bins=bins))

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the share that was right with its 95 % interval over how sure the model was; on the line, they agree.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; new ones by default.
        """
        ax, found = axes_of(ax), self.reliability
        ax.plot([0.0, 1.0], [0.0, 1.0], color=FAINT, linewidth=1.2, zorder=0)
        reach = np.array([found.accuracy - found.low, found.high - found.accuracy])
        ax.errorbar(found.confidence, found.accuracy, reach, fmt="none", ecolor=GREY, elinewidth=1.0, capsize=2.5)
        sizes = 16.0 + 120.0 * found.rows / found.rows.sum()
        ax.scatter(found.confidence, found.accuracy, s=sizes, color=REGULARIZED, edgecolors="white", zorder=3)
        least = float(min(found.confidence.min(), found.low.min(), 0.5))
        ax.set_xlim(max(float(found.confidence.min()) - 0.05, 0.0), 1.02)
        ax.set_ylim(max(least - 0.05, 0.0), 1.04)
        quiet(ax, xlabel="probability of the class that was answered", ylabel="share of rows where it was right")
        words = f"calibration error {found.error:.3f}\n{int(found.rows.sum())} rows"
        ax.text(0.03, 0.97, words, transform=ax.transAxes, va="top", fontsize=SMALL + 1.0)
        self.ax_, self.figure_ = ax, ax.get_figure(root=True)  # type: ignore[assignment]
        return self
