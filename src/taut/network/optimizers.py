"""Optimizers: how a gradient becomes a step.

An optimizer is a rule with settings; what it remembers between steps (momentum, averages of squares) lives in a
dictionary of arrays that the training loop keeps, so that a run can be stopped, saved and resumed. `update` changes
the parameters in place and returns the step size of each coordinate: the metric in which a proximal step that follows
must measure distance (Yun, Lozano and Yang, "Adaptive proximal gradient methods for structured neural networks",
NeurIPS, 2021). Floor 2 of the house; optimizers know no penalty and no layer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from taut.checks import check_choice, check_flag, check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.network.schedules import FADES, Constant, InverseTime, Schedule, fade

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]


@dataclass(frozen=True)
class Optimizer(ABC):
    """What all optimizers share: a learning rate, a rule for its decay, and a limit on the gradient.

    Parameters
    ----------
    lr : float
        Learning rate of the first step.
    decay : float, default 0.0
        Shorthand for ``schedule=InverseTime(decay)``.
    schedule : Schedule, optional
        How the learning rate changes from step to step; constant if neither is given.
    clip_norm : float, optional
        Largest Euclidean norm of the gradient over all parameters: a longer one is shortened to it, its direction
        kept, before the rule sees it (the training step does that).
    sam : float, default 0.0
        Sharpness-aware minimization: if above 0, the gradient of the data loss is taken at ``theta + sam * g / |g|``,
        where g is the one at theta, so that flat minima are found (the training step does that).

    References
    ----------
    P. Foret, A. Kleiner, H. Mobahi and B. Neyshabur, "Sharpness-aware minimization for efficiently improving
    generalization", ICLR, 2021.
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML, 2013.
    """

    lr: float = 0.01
    decay: float = 0.0
    schedule: Schedule | None = None
    clip_norm: float | None = None
    sam: float = field(default=0.0, kw_only=True)

    #: Names of the arrays, shaped like the parameters, that the rule remembers between steps.
    memory: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        check_number("lr", self.lr, at_least=0)
        check_number("decay", self.decay, at_least=0)
        if self.schedule is not None and not isinstance(self.schedule, Schedule):
            raise InvalidType(f"schedule must be a schedule such as Cosine(), got {shown(self.schedule)}")
        if self.clip_norm is not None:
            check_number("clip_norm", self.clip_norm, above=0)
        check_number("sam", self.sam, at_least=0)
        if self.decay and self.schedule is not None:
            raise InvalidValue(f"give either decay or schedule, got decay={self.decay} and schedule={self.schedule}")

    def rate(self, step: int, total_steps: int, previous: float) -> float:
        """Return the learning rate of a step (see `Schedule.rate`)."""
        schedule = self.schedule or (InverseTime(self.decay) if self.decay else Constant())
        return float(schedule.rate(float(self.lr), step, total_steps, previous))

    def at(self, step: int, total_steps: int) -> Optimizer:
        """Return the rule as it is at a step, besides its rate."""
        return self

    def start(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Return the memory before the first step: arrays of zeros like `theta`."""
        return {name: np.zeros_like(theta) for name in self.memory}

    @abstractmethod
    def update(
        self,
        theta: np.ndarray,
        gradient: np.ndarray,
        memory: dict[str, np.ndarray],
        *,
        rate: float,
        step: int,
        factors: np.ndarray | None = None,
    ) -> float | np.ndarray:
        """Change `theta` and `memory` in place by one step.

        Parameters
        ----------
        theta : ndarray, shape (parameters,)
            The parameters.
        gradient : ndarray, shape (parameters,)
            The gradient of the objective there.
        memory : dict of str to ndarray, shape (parameters,)
            What `start` returned, as the steps before left it.
        rate : float
            The learning rate of this step.
        step : int
            Which step this is, from 0.
        factors : ndarray, shape (parameters,), optional
            Factor of the learning rate for each parameter; all 1 by default.

        Returns
        -------
        float or ndarray, shape (parameters,)
            The step size of each coordinate, without momentum: learning rate times the rule's scaling.
        """


def _rates(rate: float, factors: np.ndarray | None) -> float | np.ndarray:
    return rate if factors is None else rate * factors


def _sizes(rate: float | np.ndarray, squares: np.ndarray, epsilon: float) -> np.ndarray:
    """Return ``rate / (sqrt(squares) + epsilon)``, or `rate` where no gradient has come yet.

    Such a coordinate does not move whatever its size, and its scale is not known; a proximal step that believed in
    ``rate / epsilon`` would erase it before any data had a say.
    """
    return np.where(squares > 0, rate / (np.sqrt(squares) + epsilon), rate).astype(squares.dtype, copy=False)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: ``m = momentum * m + g``, ``theta -= lr * m``.

    Parameters
    ----------
    lr, decay, schedule, clip_norm, sam
        See `Optimizer`; `lr` is 0.01 by default.
    momentum : float, default 0.0
        Share of the last step that is taken again.
    nesterov : bool, default False
        Look ahead: ``theta -= lr * (g + momentum * m)``.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and momentum in deep
    learning", ICML, 2013.

    Examples
    --------
    >>> theta = np.array([1.0, -2.0])
    >>> optimizer = SGD(0.1)
    >>> optimizer.update(theta, 2 * theta, optimizer.start(theta), rate=0.1, step=0)
    0.1
    >>> theta.tolist()
    [0.8, -1.6]
    """

    momentum: float = 0.0
    nesterov: bool = False
    memory: ClassVar[tuple[str, ...]] = ("momentum",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("momentum", self.momentum, at_least=0, below=1)
        check_flag("nesterov", self.nesterov)
        if self.nesterov and not self.momentum:
            raise InvalidValue("nesterov needs momentum above 0, got 0")

    def update(
        self,
        theta: np.ndarray,
        gradient: np.ndarray,
        memory: dict[str, np.ndarray],
        *,
        rate: float,
        step: int,
        factors: np.ndarray | None = None,
    ) -> float | np.ndarray:
        m = memory["momentum"]
        m *= self.momentum
        m += gradient
        sizes = _rates(rate, factors)
        theta -= sizes * (gradient + self.momentum * m if self.nesterov else m)
        return sizes


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad: each coordinate's rate falls with the sum of its squared gradients.

    ``s += g**2``, ``theta -= lr * g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    lr, decay, schedule, clip_norm, sam
        See `Optimizer`; `lr` is 0.01 by default.
    epsilon : float, default 1e-7
        Keeps the division finite.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    JMLR 12, 2011.

    Examples
    --------
    >>> theta = np.array([1.0, -2.0])
    >>> optimizer = Adagrad(0.1)
    >>> sizes = optimizer.update(theta, 2 * theta, optimizer.start(theta), rate=0.1, step=0)
    >>> theta.round(6).tolist()
    [0.9, -1.9]
    """

    epsilon: float = 1e-7
    memory: ClassVar[tuple[str, ...]] = ("squares",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("epsilon", self.epsilon, above=0)

    def update(
        self,
        theta: np.ndarray,
        gradient: np.ndarray,
        memory: dict[str, np.ndarray],
        *,
        rate: float,
        step: int,
        factors: np.ndarray | None = None,
    ) -> float | np.ndarray:
        squares = memory["squares"]
        squares += gradient * gradient
        sizes = _sizes(_rates(rate, factors), squares, self.epsilon)
        theta -= sizes * gradient
        return sizes


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: Adagrad with a moving average in place of the sum.

    ``s = rho * s + (1 - rho) * g**2``, ``theta -= lr * g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    lr, decay, schedule, clip_norm, sam
        See `Optimizer`; `lr` is 0.001 by default.
    rho : float, default 0.9
        How much of the average is kept at each step.
    epsilon : float, default 1e-7
        Keeps the division finite.

    References
    ----------
    T. Tieleman and G. Hinton, "Lecture 6.5: RMSprop", Coursera, 2012.

    Examples
    --------
    >>> theta = np.array([1.0, -2.0])
    >>> optimizer = RMSprop(0.1, rho=0.75)
    >>> sizes = optimizer.update(theta, 2 * theta, optimizer.start(theta), rate=0.1, step=0)
    >>> theta.round(6).tolist()
    [0.8, -1.8]
    """

    lr: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-7
    memory: ClassVar[tuple[str, ...]] = ("squares",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("rho", self.rho, at_least=0, below=1)
        check_number("epsilon", self.epsilon, above=0)

    def update(
        self,
        theta: np.ndarray,
        gradient: np.ndarray,
        memory: dict[str, np.ndarray],
        *,
        rate: float,
        step: int,
        factors: np.ndarray | None = None,
    ) -> float | np.ndarray:
        squares = memory["squares"]
        squares *= self.rho
        squares += (1.0 - self.rho) * gradient * gradient
        sizes = _sizes(_rates(rate, factors), squares, self.epsilon)
        theta -= sizes * gradient
        return sizes


@dataclass(frozen=True)
class _AdamFamily(Optimizer):
    """What `Adam` and `AdamW` share: the two moving averages."""

    lr: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    memory: ClassVar[tuple[str, ...]] = ("momentum", "squares")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("beta_1", self.beta_1, at_least=0, below=1)
        check_number("beta_2", self.beta_2, at_least=0, below=1)
        check_number("epsilon", self.epsilon, above=0)

    def _step(
        self,
        theta: np.ndarray,
        gradient: np.ndarray,
        memory: dict[str, np.ndarray],
        rate: float | np.ndarray,
        step: int,
    ) -> np.ndarray:
        m, squares = memory["momentum"], memory["squares"]
        m *= self.beta_1
        m += (1.0 - self.beta_1) * gradient
        squares *= self.beta_2
        squares += (1.0 - self.beta_2) * gradient * gradient
        m_correction, squares_correction = 1.0 - self.beta_1 ** (step + 1), 1.0 - self.beta_2 ** (step + 1)
        sizes = _sizes(rate, squares / squares_correction, self.epsilon)
        theta -= sizes * (m / m_correction)
        return sizes


@dataclass(frozen=True)
class Adam(_AdamFamily):
    """Adam: moving averages of the gradient and of its square, both corrected for their start at zero.

    ``m = beta_1 * m + (1 - beta_1) * g``, ``s = beta_2 * s + (1 - beta_2) * g**2``,
    ``theta -= lr * m_hat / (sqrt(s_hat) + epsilon)`` with ``m_hat = m / (1 - beta_1**t)``,
    ``s_hat = s / (1 - beta_2**t)`` and t counted from 1.

    Parameters
    ----------
    lr, decay, schedule, clip_norm, sam
        See `Optimizer`; `lr` is 0.001 by default.
    beta_1, beta_2 : float, default 0.9 and 0.999
        How much of each average is kept at each step.
    epsilon : float, default 1e-7
        Keeps the division finite.

    References
    ----------
    D. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR, 2015.

    Examples
    --------
    >>> theta = np.array([1.0, -2.0])
    >>> optimizer = Adam(0.1)
    >>> sizes = optimizer.update(theta, 2 * theta, optimizer.start(theta), rate=0.1, step=0)
    >>> theta.round(6).tolist()
    [0.9, -1.9]
    """

    def update(
        self,
        theta: np.ndarray,
        gradient: np.ndarray,
        memory: dict[str, np.ndarray],
        *,
        rate: float,
        step: int,
        factors: np.ndarray | None = None,
    ) -> float | np.ndarray:
        return self._step(theta, gradient, memory, _rates(rate, factors), step)


@dataclass(frozen=True)
class AdamW(_AdamFamily):
    """Adam with decoupled weight decay: ``theta *= 1 - lr * weight_decay`` before each of Adam's steps.

    The decay reaches every parameter, biases included, at one learning rate, whatever factors of it the layers have,
    and is not divided by Adam's scaling, so it is not the L2 penalty: `taut.conventions` says how the two relate.

    Parameters
    ----------
    lr, decay, schedule, clip_norm, sam, beta_1, beta_2, epsilon
        See `Adam`.
    weight_decay : float, default 0.01
        Share of each parameter that is taken off at each step, in units of the learning rate.
    weight_decay_schedule : {"constant", "flat_cosine"}, default "constant"
        How that share changes over the updates of a run: see `taut.network.schedules.fade`.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR, 2019.

    Examples
    --------
    >>> theta = np.array([1.0, -2.0])
    >>> optimizer = AdamW(0.1, weight_decay=0.5)
    >>> sizes = optimizer.update(theta, np.array([2.0, -4.0]), optimizer.start(theta), rate=0.1, step=0)
    >>> theta.round(6).tolist()
    [0.85, -1.8]
    """

    weight_decay: float = 0.01
    weight_decay_schedule: str = "constant"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("weight_decay", self.weight_decay, at_least=0)
        check_choice("weight_decay_schedule", self.weight_decay_schedule, FADES)

    def at(self, step: int, total_steps: int) -> AdamW:
        if self.weight_decay_schedule == "constant":
            return self
        return replace(self, weight_decay=self.weight_decay * fade(self.weight_decay_schedule, step, total_steps))

    def update(
        self,
        theta: np.ndarray,
        gradient: np.ndarray,
        memory: dict[str, np.ndarray],
        *,
        rate: float,
        step: int,
        factors: np.ndarray | None = None,
    ) -> float | np.ndarray:
        theta *= 1.0 - rate * self.weight_decay
        return self._step(theta, gradient, memory, _rates(rate, factors), step)
