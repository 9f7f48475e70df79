"""Learning curves: the losses in training and on rows that are only looked at, the penalty apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from taut.errors import InvalidType, InvalidValue
from taut.plots.style import DASHED, DOTTED, REGULARIZED, SMALL, UNREGULARIZED, axes_of, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LearningCurvesDisplay"]


@dataclass
class LearningCurvesDisplay:
    """The course of one training run, or of two beside each other in one chart, with and without regularization.

    Parameters
    ----------
    history : mapping of str to ndarray, shape (epochs,)
        With the columns data_loss and penalty, and validation_data_loss if there is one: a `History`.
    unregularized : mapping, optional
        The same for a run on the same data from the same start without regularization.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn.

    Examples
    --------
    >>> from taut import Recipe, spiral
    >>> from taut.training import fit_model
    >>> X, y = spiral(seed=0)
    >>> recipe = Recipe(epochs=20, l2=1e-3)
    >>> with_l2, without = (fit_model(one, X, y, task="classification", validation=spiral(seed=1)).history
    ...                     for one in (recipe, recipe.unregularized()))
    >>> display = LearningCurvesDisplay.from_history(with_l2, without).plot()
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()][:2]
    ['regularized: validation', 'regularized: training']
    """

    history: Mapping[str, np.ndarray]
    unregularized: Mapping[str, np.ndarray] | None = None
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for given in (self.history, self.unregularized):
            if given is not None and not isinstance(given, Mapping):
                raise InvalidType(f"a history must map columns to arrays, got {type(given).__name__}")
            if given is not None and not len(given.get("data_loss", ())):
                raise InvalidValue("a history needs the column data_loss with at least one epoch")

    @classmethod
    def from_history(
        cls, history: Mapping[str, np.ndarray], unregularized: Mapping[str, np.ndarray] | None = None
    ) -> Self:
        """Return the display of one history, or of two."""
        return cls(history, unregularized)

    @classmethod
    def from_estimator(cls, estimator: Any, unregularized: Any = None) -> Self:
        """Return the display of fitted estimators or models that have a history: `history_`, or `history`."""
        return cls(*(None if one is None else _history_of(one) for one in (estimator, unregularized)))  # type: ignore[arg-type]

    def plot(self, ax: Axes | None = None, *, penalty: bool = True) -> Self:
        """Draw solid lines for rows that are only looked at, dashed ones for training, dotted ones for the penalty.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; new ones by default.
        penalty : bool, default True
            Whether to draw the penalty, on the same scale, where there is one.
        """
        ax = axes_of(ax)
        runs = [(self.history, REGULARIZED, "regularized: ")]
        if self.unregularized is not None:
            runs.append((self.unregularized, UNREGULARIZED, "not regularized: "))
        for history, color, words in runs:
            prefix = words if len(runs) == 2 else ""
            epochs = np.arange(1, len(history["data_loss"]) + 1)
            lines = (
                ("validation_data_loss", "validation", "-", 2.0),
                ("data_loss", "training", DASHED, 1.5),
                ("penalty", "penalty", DOTTED, 1.8),
            )
            for name, label, style, width in lines:
                if name not in history or (name == "penalty" and not (penalty and np.any(history[name]))):
                    continue
                ax.plot(epochs, history[name], color=color, linestyle=style, linewidth=width, label=prefix + label)
        quiet(ax, xlabel="epoch", ylabel="data loss" if not _has_penalty(self, penalty) else "data loss, and penalty")
        drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
        ax.set_ylim(0.0, _top(drawn))
        ax.margins(x=0.02)
        # Lines may rise into the legend; its words stay legible.
        ax.legend(fontsize=SMALL, framealpha=0.85, edgecolor="none", loc="upper right", ncols=len(runs))
        self.ax_, self.figure_ = ax, ax.get_figure(root=True)  # type: ignore[assignment]
        return self


def _history_of(fitted: Any) -> Mapping[str, np.ndarray]:
    from taut.training.model import Model

    if isinstance(fitted, Model):
        return fitted.history
    found = getattr(fitted, "history_", None)
    if not isinstance(found, Mapping):
        raise InvalidType(
            f"{type(fitted).__name__} has no history of one network: fit it with effort='none', or give a Model"
        )
    return found


def _has_penalty(display: LearningCurvesDisplay, is_wanted: bool) -> bool:
    runs = [run for run in (display.history, display.unregularized) if run is not None]
    return is_wanted and any(np.any(run.get("penalty", 0.0)) for run in runs)


def _top(values: np.ndarray) -> float:
    """Return where the axis ends: above nearly all of what is drawn, with room for the legend."""
    there = values[np.isfinite(values)]
    return float(1.25 * max(np.quantile(there, 0.98), 1e-12)) if len(there) else 1.0
