"""Initializers: the random weights a network starts from.

Weights that all start equal would all stay equal; weights that start too large or too small make signals explode or
vanish from layer to layer. Each initializer draws an array of shape (inputs, units) with a spread that keeps the
variance of the signal for some activation. Floor 2 of the house; knows only random numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod, sqrt

import numpy as np

from taut.checks import check_number
from taut.random import Random

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LeCunNormal",
    "LeCunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "Uniform",
    "Zeros",
]


class Initializer(ABC):
    """A way to draw the first values of a parameter."""

    @abstractmethod
    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        """Return float64 values; `shape` is (inputs, units), or (units,) for biases."""


@dataclass(frozen=True)
class Zeros(Initializer):
    """All zeros: the usual start of biases.

    Examples
    --------
    >>> Zeros().draw((3,), Random(0)).tolist()
    [0.0, 0.0, 0.0]
    """

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones(Initializer):
    """All ones: the usual start of factors.

    Examples
    --------
    >>> Ones().draw((3,), Random(0)).tolist()
    [1.0, 1.0, 1.0]
    """

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return np.ones(shape)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal values with a given standard deviation.

    Parameters
    ----------
    sigma : float, default 0.01
        Standard deviation.

    Examples
    --------
    >>> Normal(0.01).draw((2, 64), Random(0)).shape
    (2, 64)
    """

    sigma: float = 0.01

    def __post_init__(self) -> None:
        check_number("sigma", self.sigma, at_least=0)

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return self.sigma * random.normal(shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Values drawn evenly between two bounds.

    Parameters
    ----------
    bound : float, default 0.01
        The values lie from ``-bound`` to ``bound``.

    Examples
    --------
    >>> bool((abs(Uniform(0.5).draw((2, 64), Random(0))) <= 0.5).all())
    True
    """

    bound: float = 0.01

    def __post_init__(self) -> None:
        check_number("bound", self.bound, at_least=0)

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return self.bound * (2.0 * random.uniform(shape) - 1.0)


def _normal(shape: tuple[int, ...], variance: float, random: Random) -> np.ndarray:
    return sqrt(variance) * random.normal(shape)


def _uniform(shape: tuple[int, ...], variance: float, random: Random) -> np.ndarray:
    # A uniform variable on [-b, b] has variance b**2 / 3.
    return sqrt(3.0 * variance) * (2.0 * random.uniform(shape) - 1.0)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many inputs a unit has and how many units an input feeds."""
    return shape[0], shape[-1]


@dataclass(frozen=True)
class HeNormal(Initializer):
    """Normal with variance ``2 / inputs``, which keeps the variance through ReLU.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", ICCV, 2015.

    Examples
    --------
    >>> HeNormal().draw((100, 50), Random(0)).std().round(2).item()
    0.14
    """

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return _normal(shape, 2.0 / _fans(shape)[0], random)


@dataclass(frozen=True)
class HeUniform(Initializer):
    """Uniform with variance ``2 / inputs`` (He et al., 2015).

    Examples
    --------
    >>> HeUniform().draw((100, 50), Random(0)).std().round(2).item()
    0.14
    """

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return _uniform(shape, 2.0 / _fans(shape)[0], random)


@dataclass(frozen=True)
class GlorotNormal(Initializer):
    """Normal with variance ``2 / (inputs + units)``, a compromise between forward and backward signals.

    References
    ----------
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS, 2010.

    Examples
    --------
    >>> GlorotNormal().draw((100, 100), Random(0)).std().round(2).item()
    0.1
    """

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return _normal(shape, 2.0 / sum(_fans(shape)), random)


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    """Uniform with variance ``2 / (inputs + units)`` (Glorot and Bengio, 2010).

    Examples
    --------
    >>> GlorotUniform().draw((100, 100), Random(0)).std().round(2).item()
    0.1
    """

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return _uniform(shape, 2.0 / sum(_fans(shape)), random)


@dataclass(frozen=True)
class LeCunNormal(Initializer):
    """Normal with variance ``1 / inputs``: for SELU and for linear units.

    References
    ----------
    Y. LeCun, L. Bottou, G. Orr and K.-R. Müller, "Efficient backprop", 1998.

    Examples
    --------
    >>> LeCunNormal().draw((100, 50), Random(0)).std().round(2).item()
    0.1
    """

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return _normal(shape, 1.0 / _fans(shape)[0], random)


@dataclass(frozen=True)
class LeCunUniform(Initializer):
    """Uniform with variance ``1 / inputs`` (LeCun et al., 1998).

    Examples
    --------
    >>> LeCunUniform().draw((100, 50), Random(0)).std().round(2).item()
    0.1
    """

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        return _uniform(shape, 1.0 / _fans(shape)[0], random)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A random matrix whose columns (or, if there are more units than inputs, rows) are orthonormal, times a gain.

    Parameters
    ----------
    gain : float, default 1.0
        Factor; ``sqrt(2)`` suits ReLU.

    References
    ----------
    A. Saxe, J. McClelland and S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", ICLR, 2014.

    Examples
    --------
    >>> weights = Orthogonal().draw((5, 3), Random(0))
    >>> bool(np.allclose(weights.T @ weights, np.eye(3)))
    True
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        check_number("gain", self.gain, above=0)

    def draw(self, shape: tuple[int, ...], random: Random) -> np.ndarray:
        rows, columns = prod(shape[:-1]), shape[-1]  # biases are one row
        q, r = np.linalg.qr(random.normal((max(rows, columns), min(rows, columns))))
        # QR leaves the signs open; fixing them by the diagonal of R makes the draw uniform over orthogonal matrices.
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q if rows >= columns else q.T).reshape(shape)
