"""The shortcut: what some layers are given is added to what they make of it.

Layers that are passed over then learn what to change, not all that is to come out, and the derivative reaches the
layers before them undiminished; so depth costs nothing where it is of no use. A shortcut stands in the list of layers
where the two meet, behind those it passes over; the network hands it what they were given. Floor 2 of the house; knows
nothing of losses, optimizers or training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taut.checks import check_number
from taut.network.layers import Layer
from taut.random import Random

__all__ = ["Shortcut"]


@dataclass(eq=False)
class Shortcut(Layer):
    """The end of a residual block: ``y = x + f(x)``, where f are the layers before this one.

    Parameters
    ----------
    over : int
        How many layers f is: so many before this one. What comes out of them must be as wide as what goes in.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR, 2016.
    Y. Gorishniy, I. Rubachev, V. Khrulkov and A. Babenko, "Revisiting deep learning models for tabular data", NeurIPS,
    2021: blocks for tables, of normalization, Dense, activation, dropout, Dense, dropout.

    Examples
    --------
    >>> from taut import Network, ReLU
    >>> network = Network([ReLU(), Shortcut(1)]).build(n_inputs=2)
    >>> network.predict(np.array([[3.0, -5.0]])).tolist()
    [[6.0, -5.0]]
    """

    over: int

    def __post_init__(self) -> None:
        check_number("over", self.over, at_least=1, integer=True)

    def leave(self, x: np.ndarray) -> None:
        """Take what the first layer that is passed over is given."""
        self._x = x

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        return self._x + x

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self._dy = dy
        return dy

    def return_to(self, dx: np.ndarray) -> np.ndarray:
        """Return the derivative by what was taken, given that by way of the layers that are passed over."""
        return self._dy + dx
