"""Activations: the bends between layers, without which a deep network would be one straight line.

Each is a layer without parameters: a function of every value by itself, next to its derivative; only softmax looks at
a whole row. Floor 2 of the house.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from taut.checks import check_number
from taut.network.functions import sigmoid, softmax, softplus
from taut.network.layers import Layer
from taut.random import Random

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "Identity",
    "LeakyReLU",
    "Mish",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
]


class Activation(Layer):
    """A function of each value by itself.

    A subclass gives `function` and `derivative`; `y` there is ``function(z)``, for derivatives that are simpler in it.
    """

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        self._z = x
        self._y = self.function(x)
        return self._y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy * self.derivative(self._z, self._y)

    @abstractmethod
    def function(self, z: np.ndarray) -> np.ndarray:
        """Return the outputs for inputs `z`, same shape and type."""

    @abstractmethod
    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the derivative of the function at `z`, same shape and type."""


@dataclass(eq=False)
class Identity(Activation):
    """``y = z``.

    Examples
    --------
    >>> Identity().function(np.array([-1.0, 2.0])).tolist()
    [-1.0, 2.0]
    """

    def function(self, z: np.ndarray) -> np.ndarray:
        return z

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.ones_like(z)


@dataclass(eq=False)
class ReLU(Activation):
    """Rectified linear unit: ``y = max(z, 0)``; the derivative at 0 is taken as 0.

    References
    ----------
    V. Nair and G. Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML, 2010.

    Examples
    --------
    >>> ReLU().function(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def function(self, z: np.ndarray) -> np.ndarray:
        return np.maximum(z, 0)

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (z > 0).astype(z.dtype)


@dataclass(eq=False)
class LeakyReLU(Activation):
    """``y = z`` above zero, ``slope * z`` below.

    Parameters
    ----------
    slope : float, default 0.01
        Slope below zero.

    References
    ----------
    A. Maas, A. Hannun and A. Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML, 2013.

    Examples
    --------
    >>> LeakyReLU(0.1).function(np.array([-1.0, 2.0])).tolist()
    [-0.1, 2.0]
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        check_number("slope", self.slope, at_least=0)

    def function(self, z: np.ndarray) -> np.ndarray:
        return np.where(z > 0, z, z.dtype.type(self.slope) * z)

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(z > 0, z.dtype.type(1), z.dtype.type(self.slope))


@dataclass(eq=False)
class ELU(Activation):
    """Exponential linear unit: ``y = z`` above zero, ``alpha * (exp(z) - 1)`` below.

    Parameters
    ----------
    alpha : float, default 1.0
        What the function tends to, negated, far below zero.

    References
    ----------
    D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by exponential linear
    units", ICLR, 2016.

    Examples
    --------
    >>> ELU().function(np.array([-1.0, 2.0])).round(3).tolist()
    [-0.632, 2.0]
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, above=0)

    def function(self, z: np.ndarray) -> np.ndarray:
        return np.where(z > 0, z, z.dtype.type(self.alpha) * np.expm1(np.minimum(z, 0)))

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(z > 0, z.dtype.type(1), y + z.dtype.type(self.alpha))


@dataclass(eq=False)
class SELU(Activation):
    """Scaled ELU, whose two constants keep mean 0 and variance 1 from layer to layer.

    ``y = scale * z`` above zero, ``scale * alpha * (exp(z) - 1)`` below.

    References
    ----------
    G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, "Self-normalizing neural networks", NIPS, 2017; the
    constants are its equation (14), with more digits from its supplement.

    Examples
    --------
    >>> SELU().function(np.array([-1.0, 2.0])).round(3).tolist()
    [-1.111, 2.101]
    """

    ALPHA = 1.6732632423543772848170429916717
    SCALE = 1.0507009873554804934193349852946

    def function(self, z: np.ndarray) -> np.ndarray:
        scale, floor = z.dtype.type(self.SCALE), z.dtype.type(self.SCALE * self.ALPHA)
        return np.where(z > 0, scale * z, floor * np.expm1(np.minimum(z, 0)))

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        scale, floor = z.dtype.type(self.SCALE), z.dtype.type(self.SCALE * self.ALPHA)
        return np.where(z > 0, scale, y + floor)


@dataclass(eq=False)
class GELU(Activation):
    """Gaussian error linear unit: ``y = z * Phi(z)``, Phi the standard normal distribution function, exact.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian error linear units", arXiv:1606.08415, 2016.

    Examples
    --------
    >>> GELU().function(np.array([-1.0, 2.0])).round(3).tolist()
    [-0.159, 1.954]
    """

    def function(self, z: np.ndarray) -> np.ndarray:
        return z * self._distribution(z)

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        density = np.exp(-0.5 * z * z) * z.dtype.type(1.0 / sqrt(2.0 * pi))
        return self._distribution(z) + z * density

    @staticmethod
    def _distribution(z: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        return np.asarray(ndtr(z))


@dataclass(eq=False)
class SiLU(Activation):
    """Sigmoid linear unit, also called swish: ``y = z * sigmoid(z)``.

    References
    ----------
    S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units for neural network function approximation in
    reinforcement learning", Neural Networks 107, 2018.

    Examples
    --------
    >>> SiLU().function(np.array([-1.0, 2.0])).round(3).tolist()
    [-0.269, 1.762]
    """

    def function(self, z: np.ndarray) -> np.ndarray:
        return z * sigmoid(z)

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        s = sigmoid(z)
        return s + y * (1 - s)


@dataclass(eq=False)
class Mish(Activation):
    """``y = z * tanh(log(1 + exp(z)))``.

    References
    ----------
    D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC, 2020.

    Examples
    --------
    >>> Mish().function(np.array([-1.0, 2.0])).round(3).tolist()
    [-0.303, 1.944]
    """

    def function(self, z: np.ndarray) -> np.ndarray:
        return z * np.tanh(softplus(z))

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        t = np.tanh(softplus(z))
        return t + z * (1 - t * t) * sigmoid(z)


@dataclass(eq=False)
class Sigmoid(Activation):
    """``y = 1 / (1 + exp(-z))``, between 0 and 1.

    Examples
    --------
    >>> Sigmoid().function(np.array([-1000.0, 0.0])).tolist()
    [0.0, 0.5]
    """

    def function(self, z: np.ndarray) -> np.ndarray:
        return sigmoid(z)

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return y * (1 - y)


@dataclass(eq=False)
class Tanh(Activation):
    """Hyperbolic tangent, between -1 and 1.

    Examples
    --------
    >>> Tanh().function(np.array([0.0, 1.0])).round(3).tolist()
    [0.0, 0.762]
    """

    def function(self, z: np.ndarray) -> np.ndarray:
        return np.tanh(z)

    def derivative(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1 - y * y


@dataclass(eq=False)
class Softmax(Layer):
    """Probabilities from scores: ``y_j = exp(z_j) / sum_k exp(z_k)`` in each row.

    The largest score of the row is subtracted first, which changes nothing but keeps exp finite. The losses
    "cross_entropy" and "binary_cross_entropy" take scores and contain this step; after a Softmax layer use
    `CategoricalCrossEntropy`.

    Examples
    --------
    >>> Softmax().forward(np.array([[0.0, 0.0], [1000.0, 0.0]]), training=False, random=None).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        self._y = softmax(x)
        return self._y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        # The Jacobian of a row is diag(y) - y y', so no (classes, classes) matrix is needed.
        return self._y * (dy - (dy * self._y).sum(axis=1, keepdims=True))
