"""Weights: how those of each layer are spread, and how many are exactly zero."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from taut.errors import InvalidType, InvalidValue
from taut.plots.style import DASHED, GREY, REGULARIZED, SMALL, UNREGULARIZED, axes_of, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from taut.network import Network

__all__ = ["WeightsDisplay"]

_BINS = 41  # an odd number, so that one bin is centred on zero


@dataclass
class WeightsDisplay:
    """The weights of one layer, or of two networks beside each other.

    Parameters
    ----------
    weights : ndarray
        The weights, of any shape.
    other : ndarray, optional
        Those of the same layer in a network without regularization.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn.

    Examples
    --------
    >>> from taut import Recipe, spiral
    >>> from taut.training import fit_model
    >>> sparse, dense = (fit_model(Recipe(epochs=30, l1=l1), *spiral(seed=0), task="classification")
    ...                  for l1 in (1e-2, 0.0))
    >>> display = WeightsDisplay.from_estimator(sparse, dense, layer=-1).plot()
    >>> bool(display.zeros > 0.2)
    True
    """

    weights: np.ndarray
    other: np.ndarray | None = None
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(cls, estimator: Any, other: Any = None, *, layer: int = 0) -> Self:
        """Return the display of a model's or a fitted estimator's Dense layer.

        Parameters
        ----------
        estimator, other : Model, Network, or fitted estimator of one network
            What has the weights.
        layer : int, default 0
            Which of its Dense layers: 0 is the first hidden layer, -1 the output layer.
        """
        return cls(_weights_of(estimator, layer), None if other is None else _weights_of(other, layer))

    @property
    def zeros(self) -> float:
        """The share of the weights that are exactly zero."""
        return float(np.mean(self.weights == 0.0))

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the spread of the weights that are not zero, and a bar for those that are.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; new ones by default.
        """
        ax = axes_of(ax)
        words = "weights" if self.other is None else "regularized"
        drawn: list[tuple[np.ndarray, str, Any, str]] = [(self.weights, REGULARIZED, "-", words)]
        if self.other is not None:
            drawn.append((self.other, UNREGULARIZED, DASHED, "not regularized"))
        farthest = max(float(np.abs(weights).max(initial=0.0)) for weights, *_ in drawn) or 1.0
        edges = np.linspace(-farthest, farthest, _BINS + 1)
        for weights, color, line, words in drawn:
            values = weights[weights != 0.0]
            heights = np.histogram(values, edges)[0] / weights.size
            zeros = 1.0 - values.size / weights.size
            label = f"{words}: {values.size} of {weights.size} not zero" if zeros else words
            ax.stairs(heights, edges, color=color, linestyle=line, linewidth=1.6, label=label)
            ax.stairs(heights, edges, color=color, fill=True, alpha=0.15)
            if zeros:
                ax.vlines(0.0, 0.0, zeros, color=color, linewidth=5.0, alpha=0.9)
                ax.annotate(
                    f"{zeros:.0%} exactly zero",
                    (0.0, zeros),
                    xytext=(6, -3),
                    textcoords="offset points",
                    fontsize=SMALL,
                    color=GREY,
                )
        ax.set_xlim(-1.05 * farthest, 1.05 * farthest)
        ax.set_ylim(0.0, 1.3 * ax.dataLim.y1)
        quiet(ax, xlabel="weight", ylabel="share of the weights")
        ax.legend(fontsize=SMALL, frameon=False, loc="upper left")
        self.ax_, self.figure_ = ax, ax.get_figure(root=True)  # type: ignore[assignment]
        return self


def _weights_of(given: Any, layer: int) -> np.ndarray:
    dense = [one for one in _network_of(given).layers if _is_dense(one)]
    if not -len(dense) <= layer < len(dense):
        raise InvalidValue(f"layer must be one of the {len(dense)} Dense layers, from {-len(dense)}, got {layer}")
    return np.array(dense[layer].weights.value)  # type: ignore[attr-defined]


def _is_dense(layer: object) -> bool:
    from taut.network import Dense

    return isinstance(layer, Dense)


def _network_of(given: Any) -> Network:
    from taut.network import Network
    from taut.training.model import Model

    found = given if isinstance(given, Network | Model) else getattr(given, "model_", None)
    if isinstance(found, Model):
        found = found.network
    if not isinstance(found, Network):
        raise InvalidType(f"{type(given).__name__} is no single network: fit it with effort='none', or give a Model")
    return found
