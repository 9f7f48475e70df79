"""Normalization: layers that bring values to mean 0 and variance 1, then scale and shift them as they learn.

Both standardize ``xhat = (x - mean) / sqrt(variance + epsilon)``; they differ in what the mean is taken over. Layer
normalization takes it over the units of each row, so that a row is treated alike in training and after; batch
normalization takes it over the rows of the batch for each unit, gathers running statistics on the way, and uses those
outside training. Floor 2 of the house; knows nothing of losses, optimizers or training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taut.checks import check_number
from taut.network.initializers import Ones, Zeros
from taut.network.layers import Layer, Parameter, Statistic
from taut.network.penalties import Sum
from taut.random import Random

__all__ = ["BatchNorm", "LayerNorm"]


def _moments(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and biased variance along an axis, which stays with length 1."""
    mean = x.mean(axis=axis, keepdims=True)
    return mean, np.square(x - mean).mean(axis=axis, keepdims=True)


def _through_moments(by_xhat: np.ndarray, xhat: np.ndarray, deviation: np.ndarray, axis: int) -> np.ndarray:
    """Return the derivative by x of ``xhat = (x - mean(x)) / deviation``, ``deviation = sqrt(variance(x) + epsilon)``.

    ``(g - mean(g) - xhat * mean(g * xhat)) / deviation`` for the derivative g by xhat: of g, what would move the mean
    or the variance is taken away (Ioffe and Szegedy, 2015, section 3, written in one line).
    """
    centered = by_xhat - by_xhat.mean(axis=axis, keepdims=True)
    return (centered - xhat * (by_xhat * xhat).mean(axis=axis, keepdims=True)) / deviation


class _Normalization(Layer):
    """What both share: a scale and a shift of each unit, ``y = scale * xhat + shift``."""

    def build(self, n_inputs: int) -> int:
        self.scale = Parameter("scale", (n_inputs,), Ones(), Sum(()))
        self.shift = Parameter("shift", (n_inputs,), Zeros(), Sum(()))
        self.parameters = (self.scale, self.shift)
        return n_inputs

    def _scaled(self, xhat: np.ndarray) -> np.ndarray:
        self._xhat = xhat
        return self.scale.value * xhat + self.shift.value

    def _through_scale(self, dy: np.ndarray) -> np.ndarray:
        """Write the derivatives by scale and shift, and return that by xhat."""
        np.sum(dy * self._xhat, axis=0, out=self.scale.gradient)
        np.sum(dy, axis=0, out=self.shift.gradient)
        return dy * self.scale.value


@dataclass(eq=False)
class LayerNorm(_Normalization):
    """Layer normalization: each row to mean 0 and variance 1 over its units, then ``y = scale * xhat + shift``.

    Parameters
    ----------
    epsilon : float, default 1e-5
        Is added to the variance, which is the biased one.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450, 2016.

    Examples
    --------
    >>> from taut import Network
    >>> network = Network([LayerNorm()]).build(n_inputs=4)
    >>> network.predict(np.array([[1.0, 2.0, 3.0, 4.0]])).round(2).tolist()
    [[-1.34, -0.45, 0.45, 1.34]]
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        check_number("epsilon", self.epsilon, above=0)

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        mean, variance = _moments(x, axis=1)
        self._deviation = np.sqrt(variance + self.epsilon)
        return self._scaled((x - mean) / self._deviation)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return _through_moments(self._through_scale(dy), self._xhat, self._deviation, axis=1)


@dataclass(eq=False)
class BatchNorm(_Normalization):
    """Batch normalization: each unit to mean 0 and variance 1 over the rows of the batch, then scaled and shifted.

    In training, by the mean and the biased variance of the batch; each batch also moves the running statistics,
    ``running = (1 - momentum) * running + momentum * batch``, for which its variance is the unbiased one. Outside
    training, by the running statistics.

    Parameters
    ----------
    momentum : float, default 0.1
        Share of each batch in the running statistics.
    epsilon : float, default 1e-5
        Is added to the variance.

    References
    ----------
    S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate
    shift", ICML, 2015.

    Examples
    --------
    >>> from taut import Network
    >>> network = Network([BatchNorm(momentum=0.5)]).build(n_inputs=1)
    >>> network.forward(np.array([[1.0], [3.0]]), training=True).round(2).tolist()
    [[-1.0], [1.0]]
    >>> network.statistics.tolist()
    [1.0, 1.5]
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        check_number("momentum", self.momentum, at_least=0, at_most=1)
        check_number("epsilon", self.epsilon, above=0)

    def build(self, n_inputs: int) -> int:
        self.mean = Statistic("mean", (n_inputs,), start=0.0)
        self.variance = Statistic("variance", (n_inputs,), start=1.0, least=0.0)
        self.statistics = (self.mean, self.variance)
        return super().build(n_inputs)

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        self._is_of_batch = training
        mean, variance = _moments(x, axis=0) if training else (self.mean.value, self.variance.value)
        if training:
            # A single row has no unbiased variance; it counts as 0, its biased one.
            unbiased = variance * (len(x) / max(len(x) - 1, 1))
            for running, batch in ((self.mean, mean), (self.variance, unbiased)):
                running.value[...] = (1.0 - self.momentum) * running.value + self.momentum * batch[0]
        self._deviation = np.sqrt(variance + self.epsilon)
        return self._scaled((x - mean) / self._deviation)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        by_xhat = self._through_scale(dy)
        if not self._is_of_batch:  # running statistics do not depend on x
            return by_xhat / self._deviation
        return _through_moments(by_xhat, self._xhat, self._deviation, axis=0)
