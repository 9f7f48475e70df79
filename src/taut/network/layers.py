"""Layers: the pieces a network is made of.

A layer turns an array of shape (samples, inputs) into one of shape (samples, outputs) in `forward`, and in `backward`
turns the derivative of the loss with respect to its outputs into the derivative with respect to its inputs, leaving
the derivatives with respect to its own parameters in their `gradient`. It keeps between the two only what `backward`
reads. Floor 2 of the house: a layer knows nothing of losses, optimizers or training; it carries penalties as labels
of its parameters, but never adds them to a gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from math import prod

import numpy as np

from taut.checks import check_choice, check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.network.initializers import HeNormal, Initializer, Zeros
from taut.network.penalties import Penalty, Sum
from taut.network.schedules import FADES, fade
from taut.random import Purpose, Random

__all__ = ["PARAMETRIZATIONS", "Dense", "Dropout", "GaussianNoise", "Layer", "Parameter", "Statistic"]

PARAMETRIZATIONS = ("standard", "ntk")


@dataclass(eq=False)
class Parameter:
    """One array that training changes.

    Attributes
    ----------
    name : str
        What it is in its layer: "weights", "biases".
    shape : tuple of int
        Its shape.
    initializer : Initializer
        What draws its first values.
    penalty : Sum
        What the objective adds for it; an empty sum if nothing.
    lr_factor : float
        Factor of the learning rate.
    value, gradient : ndarray of that shape
        Views into the network's flat vectors; empty until the network is built.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Initializer
    penalty: Sum
    lr_factor: float = 1.0
    value: np.ndarray = field(default_factory=lambda: np.empty(0))
    gradient: np.ndarray = field(default_factory=lambda: np.empty(0))


@dataclass(eq=False)
class Statistic:
    """One array that a layer gathers from the data in training: no gradient moves it, yet it belongs to the network.

    Attributes
    ----------
    name : str
        What it is in its layer: "mean", "variance".
    shape : tuple of int
        Its shape.
    start : float
        What all of it is before training.
    least : float
        What none of it can be below.
    value : ndarray of that shape
        View into the network's flat vector; empty until the network is built.
    """

    name: str
    shape: tuple[int, ...]
    start: float
    least: float = -np.inf
    value: np.ndarray = field(default_factory=lambda: np.empty(0))


class Layer(ABC):
    """A piece of a network. To write one, give it `forward` and `backward`, and `build` if it has parameters.

    Examples
    --------
    >>> class Double(Layer):
    ...     def forward(self, x, *, training, random):
    ...         return 2 * x
    ...     def backward(self, dy):
    ...         return 2 * dy
    >>> Double().forward(np.ones((1, 2)), training=False, random=None).tolist()
    [[2.0, 2.0]]
    """

    #: The arrays that training changes; `build` sets them.
    parameters: tuple[Parameter, ...] = ()

    #: The arrays that `forward` gathers in training; `build` sets them.
    statistics: tuple[Statistic, ...] = ()

    def __getstate__(self) -> dict[str, object]:
        # What `forward` keeps for `backward` is the caller's data, which a copy or a file has no use for.
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def forget(self) -> None:
        """Give up what `forward` kept for `backward`: it may be larger than the layer by far."""
        for name in [name for name in vars(self) if name.startswith("_")]:
            delattr(self, name)

    def build(self, n_inputs: int) -> int:
        """Declare `parameters` and `statistics` for inputs of this width and return the width of the outputs."""
        return n_inputs

    def sources(self, n_inputs: int) -> np.ndarray:
        """Return which input each output is made of, shape (outputs,), of a layer that does not mix its inputs."""
        return np.arange(n_inputs)

    def begin_update(self, step: int, total_steps: int) -> None:  # noqa: B027  # most layers do not care
        """Be told which update, from 0, of how many follows; for what changes in the course of training."""

    @abstractmethod
    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        """Return the outputs, shape (samples, outputs), for `x` of shape (samples, inputs).

        `training` says whether noise such as dropout is on; then it is drawn from `random`, whose `row` is the
        position of the first sample in the epoch.
        """

    @abstractmethod
    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Return the derivative of the loss by the inputs of the last `forward`, given that by its outputs.

        Write the derivatives by the parameters into their `gradient`.
        """


@dataclass(eq=False)
class Dense(Layer):
    """A fully connected layer: ``z = x @ W + b``.

    Parameters
    ----------
    units : int
        Number of outputs.
    weight_penalty, bias_penalty : Penalty, optional
        What the objective adds for the weights, of shape (inputs, units), and for the biases, of shape (units,).
    initializer : Initializer, default HeNormal()
        Draws the first weights.
    bias_initializer : Initializer, default Zeros()
        Draws the first biases.
    parametrization : {"standard", "ntk"}
        "ntk" divides the learning rate of the weights by ``sqrt(inputs)``. For Adam and its kin, whose steps do not
        depend on the size of a gradient, that is the neural tangent kernel's ``z = x @ W / sqrt(inputs) + b`` with W
        of variance 1, written in the weights ``W / sqrt(inputs)`` that the layer multiplies by.
    bias_lr_factor : float, default 1.0
        Factor of the learning rate of the biases.
    dropconnect : float, default 0.0
        DropConnect: in training each weight is left out with this probability, else divided by the probability of
        keeping it; drawn anew for every update, for all its rows alike.

    References
    ----------
    A. Jacot, F. Gabriel and C. Hongler, "Neural tangent kernel: convergence and generalization in neural networks",
    NeurIPS, 2018.
    G. Yang and E. Hu, "Tensor programs IV: feature learning in infinite-width neural networks", ICML, 2021: when a
    factor in front of the weights is a learning rate.
    L. Wan, M. Zeiler, S. Zhang, Y. LeCun and R. Fergus, "Regularization of neural networks using DropConnect", ICML,
    2013 (there, each row has a mask of its own).

    Examples
    --------
    >>> from taut.network.penalties import L1, L2
    >>> layer = Dense(64, weight_penalty=L1(1e-4) + L2(5e-4), bias_penalty=L2(5e-4))
    >>> layer.build(2)
    64
    >>> [(parameter.name, parameter.shape) for parameter in layer.parameters]
    [('weights', (2, 64)), ('biases', (64,))]
    """

    units: int
    weight_penalty: Penalty | None = None
    bias_penalty: Penalty | None = None
    initializer: Initializer = field(default_factory=HeNormal)
    bias_initializer: Initializer = field(default_factory=Zeros)
    parametrization: str = field(default="standard", kw_only=True)
    bias_lr_factor: float = field(default=1.0, kw_only=True)
    dropconnect: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        check_number("units", self.units, at_least=1, integer=True)
        check_number("dropconnect", self.dropconnect, at_least=0, below=1)
        for name, penalty in (("weight_penalty", self.weight_penalty), ("bias_penalty", self.bias_penalty)):
            if penalty is not None and not isinstance(penalty, Penalty):
                raise InvalidType(f"{name} must be a penalty such as L2(1e-4), got {shown(penalty)}")
        for name, initializer in (("initializer", self.initializer), ("bias_initializer", self.bias_initializer)):
            if not isinstance(initializer, Initializer):
                raise InvalidType(f"{name} must be an initializer such as HeNormal(), got {shown(initializer)}")
        check_choice("parametrization", self.parametrization, PARAMETRIZATIONS)
        check_number("bias_lr_factor", self.bias_lr_factor, above=0)

    def build(self, n_inputs: int) -> int:
        weight_penalty, bias_penalty = (
            Sum(() if penalty is None else penalty.parts) for penalty in (self.weight_penalty, self.bias_penalty)
        )
        factor = n_inputs**-0.5 if self.parametrization == "ntk" else 1.0
        self.weights = Parameter("weights", (n_inputs, self.units), self.initializer, weight_penalty, factor)
        self.biases = Parameter("biases", (self.units,), self.bias_initializer, bias_penalty, self.bias_lr_factor)
        self.parameters = (self.weights, self.biases)
        return self.units

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        self._x, self._left = x, self.weights.value
        self._mask: np.ndarray | None = None
        if training and self.dropconnect:
            if random is None:
                raise InvalidValue("DropConnect in training needs random=Random(seed), got None")
            keep, shape = 1.0 - self.dropconnect, self.weights.shape
            # All weights are a row of numbers, at the position of the first sample.
            kept = random.at(purpose=Purpose.DROPCONNECT).bernoulli(keep, (1, prod(shape))).reshape(shape)
            self._mask = kept.astype(x.dtype) / x.dtype.type(keep)
            self._left = self.weights.value * self._mask
        return x @ self._left + self.biases.value

    def backward(self, dy: np.ndarray) -> np.ndarray:
        np.matmul(self._x.T, dy, out=self.weights.gradient)
        np.sum(dy, axis=0, out=self.biases.gradient)
        if self._mask is not None:
            self.weights.gradient *= self._mask
        return dy @ self._left.T


@dataclass(eq=False)
class Dropout(Layer):
    """Inverted dropout: in training each value is zero with probability `rate`, else divided by ``1 - rate``.

    The mask is drawn anew for every sample and epoch; outside training the layer does nothing at all.

    Parameters
    ----------
    rate : float
        Probability of dropping a value, from 0 up to but not including 1; the keep probability is ``1 - rate``.
    schedule : {"constant", "flat_cosine"}, default "constant"
        How the probability changes over the updates of a run: see `taut.network.schedules.fade`.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a simple way to prevent neural
    networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> layer = Dropout(0.5)
    >>> layer.forward(np.ones((2, 4)), training=True, random=Random(5)).tolist()
    [[2.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 0.0]]
    >>> layer.forward(np.ones((1, 4)), training=False, random=None).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """

    rate: float
    schedule: str = "constant"

    _share = 1.0  # of the rate, at this update

    def __post_init__(self) -> None:
        check_number("dropout rate", self.rate, at_least=0, below=1)
        check_choice("schedule of dropout", self.schedule, FADES)

    def begin_update(self, step: int, total_steps: int) -> None:
        self._share = fade(self.schedule, step, total_steps)

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        self._mask: np.ndarray | None = None
        if not training or self.rate == 0:
            return x
        if random is None:
            raise InvalidValue("dropout in training needs random=Random(seed), got None")
        keep = 1.0 - self.rate * self._share
        self._mask = random.at(purpose=Purpose.DROPOUT).bernoulli(keep, x.shape).astype(x.dtype) / x.dtype.type(keep)
        return x * self._mask

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy if self._mask is None else dy * self._mask


@dataclass(eq=False)
class GaussianNoise(Layer):
    """Noise on the inputs: in training ``x + sd * normal``, drawn anew for every sample and epoch.

    For small noise and squared errors this is, in the mean, a penalty on the squared derivative of the network by its
    inputs. Outside training the layer does nothing at all.

    Parameters
    ----------
    standard_deviation : float
        Standard deviation of the noise, in units of the inputs.

    References
    ----------
    C. Bishop, "Training with noise is equivalent to Tikhonov regularization", Neural Computation 7, 1995.

    Examples
    --------
    >>> layer = GaussianNoise(0.1)
    >>> layer.forward(np.ones((1, 3)), training=True, random=Random(5)).round(2).tolist()
    [[0.91, 1.06, 1.0]]
    >>> layer.forward(np.ones((1, 3)), training=False, random=None).tolist()
    [[1.0, 1.0, 1.0]]
    """

    standard_deviation: float

    def __post_init__(self) -> None:
        check_number("standard deviation of noise", self.standard_deviation, at_least=0)

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        if not training or self.standard_deviation == 0:
            return x
        if random is None:
            raise InvalidValue("noise in training needs random=Random(seed), got None")
        return x + self.standard_deviation * random.at(purpose=Purpose.NOISE).normal(x.shape).astype(x.dtype)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy
