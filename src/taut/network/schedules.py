"""Schedules: how the learning rate, noise and decay change from step to step.

A step is one update of the parameters, one batch. A schedule says the rate of step t (counted from 0) from the first
rate `lr`, the number of steps planned, and the rate of the step before. Floor 2 of the house; knows nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from math import cos, log2, pi

from taut.checks import check_flag, check_number, shown
from taut.errors import InvalidType

__all__ = [
    "FADES",
    "Constant",
    "Cosine",
    "CosineLog",
    "CosineRestarts",
    "Exponential",
    "InverseTime",
    "Schedule",
    "WarmUp",
    "fade",
]

#: How noise and decay may change from step to step.
FADES = ("constant", "flat_cosine")


def fade(schedule: str, step: int, total_steps: int) -> float:
    """Return which share of a noise or a decay a step has: all of it until half-time, then less, down to nothing.

    Parameters
    ----------
    schedule : {"constant", "flat_cosine"}
        "flat_cosine" is 1 up to half of the steps, and half a cosine down to 0 from there; "constant" is 1.
    step, total_steps : int
        Which update this is, from 0, and how many are planned.

    References
    ----------
    D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS, 2024 (flat_cos).

    Examples
    --------
    >>> [round(fade("flat_cosine", step, 8), 3) for step in range(8)]
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    passed = max(2.0 * min(step / total_steps, 1.0) - 1.0, 0.0)
    return 0.5 * (1.0 + cos(pi * passed)) if schedule == "flat_cosine" else 1.0


class Schedule(ABC):
    """A rule for the learning rate."""

    @abstractmethod
    def rate(self, lr: float, step: int, total_steps: int, previous: float) -> float:
        """Return the learning rate of a step.

        Parameters
        ----------
        lr : float
            The rate that the optimizer was made with.
        step : int
            Which update this is, from 0.
        total_steps : int
            How many updates are planned.
        previous : float
            The rate of the update before; `lr` at step 0.
        """


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step.

    Examples
    --------
    >>> Constant().rate(0.1, 7, 10, 0.1)
    0.1
    """

    def rate(self, lr: float, step: int, total_steps: int, previous: float) -> float:
        return lr


@dataclass(frozen=True)
class InverseTime(Schedule):
    """Decay with the inverse of time.

    Plain, ``lr / (1 + decay * t)``; compounding, ``lr_t = lr_{t-1} / (1 + decay * t)``, which falls much faster.

    Parameters
    ----------
    decay : float, default 1e-3
        Decay per step.
    compounding : bool, default False
        Whether each step divides the rate of the step before.

    Examples
    --------
    >>> InverseTime(0.5).rate(1.0, 2, 10, 0.8)
    0.5
    >>> InverseTime(0.5, compounding=True).rate(1.0, 2, 10, 0.8)
    0.4
    """

    decay: float = 1e-3
    compounding: bool = False

    def __post_init__(self) -> None:
        check_number("decay", self.decay, at_least=0)
        check_flag("compounding", self.compounding)

    def rate(self, lr: float, step: int, total_steps: int, previous: float) -> float:
        return (previous if self.compounding else lr) * (1.0 / (1.0 + self.decay * step))


@dataclass(frozen=True)
class Exponential(Schedule):
    """Decay by a constant factor: ``lr * factor ** (t / total_steps)``.

    Parameters
    ----------
    factor : float, default 0.01
        What is left of the rate at the end of training.

    Examples
    --------
    >>> Exponential(0.01).rate(1.0, 5, 10, 1.0)
    0.1
    """

    factor: float = 0.01

    def __post_init__(self) -> None:
        check_number("factor", self.factor, above=0, at_most=1)

    def rate(self, lr: float, step: int, total_steps: int, previous: float) -> float:
        return lr * float(self.factor ** (step / total_steps))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from `lr` down to ``final * lr``.

    Parameters
    ----------
    final : float, default 0.0
        What is left of the rate at the end of training.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR, 2017 (one cycle of it).

    Examples
    --------
    >>> Cosine().rate(1.0, 5, 10, 1.0)
    0.5
    """

    final: float = 0.0

    def __post_init__(self) -> None:
        check_number("final", self.final, at_least=0, at_most=1)

    def rate(self, lr: float, step: int, total_steps: int, previous: float) -> float:
        return lr * (self.final + (1.0 - self.final) * 0.5 * (1.0 + cos(pi * min(step / total_steps, 1.0))))


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Half a cosine from `lr` down to zero, again and again: cycles of equal length.

    Parameters
    ----------
    cycles : int, default 4
        How often; each begins at `lr` again.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR, 2017.

    Examples
    --------
    >>> [round(CosineRestarts(2).rate(1.0, step, 8, 1.0), 3) for step in range(8)]
    [1.0, 0.854, 0.5, 0.146, 1.0, 0.854, 0.5, 0.146]
    """

    cycles: int = 4

    def __post_init__(self) -> None:
        check_number("cycles", self.cycles, at_least=1, integer=True)

    def rate(self, lr: float, step: int, total_steps: int, previous: float) -> float:
        done = (self.cycles * step) % total_steps / total_steps if step < total_steps else 1.0
        return lr * 0.5 * (1.0 + cos(pi * done))


@dataclass(frozen=True)
class CosineLog(Schedule):
    """Whole cosines from zero up to `lr` and down again, each about twice as long as the one before.

    ``lr * 0.5 * (1 - cos(2 * pi * log2(1 + (2**cycles - 1) * t)))``, where t is the share of the steps that are done.

    Parameters
    ----------
    cycles : int, default 4
        How many.

    References
    ----------
    D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS, 2024 (coslog4).

    Examples
    --------
    >>> [round(CosineLog(2).rate(1.0, step, 6, 1.0), 3) for step in range(6)]
    [0.0, 0.93, 0.0, 0.718, 0.93, 0.324]
    """

    cycles: int = 4

    def __post_init__(self) -> None:
        check_number("cycles", self.cycles, at_least=1, at_most=64, integer=True)

    def rate(self, lr: float, step: int, total_steps: int, previous: float) -> float:
        passed = log2(1.0 + (2.0**self.cycles - 1.0) * min(step / total_steps, 1.0))
        return lr * 0.5 * (1.0 - cos(2.0 * pi * passed))


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A linear rise to `lr` over the first part of training, then another schedule over the rest.

    Parameters
    ----------
    fraction : float, default 0.05
        Share of the steps spent on the rise.
    then : Schedule, default Constant()
        What follows; its step 0 is the first after the rise.

    References
    ----------
    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", arXiv:1706.02677, 2017.

    Examples
    --------
    >>> [WarmUp(0.5).rate(1.0, step, 8, 0.0) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """

    fraction: float = 0.05
    then: Schedule = field(default_factory=Constant)

    def __post_init__(self) -> None:
        check_number("fraction", self.fraction, at_least=0, at_most=1)
        if not isinstance(self.then, Schedule):
            raise InvalidType(f"then must be a schedule such as Cosine(), got {shown(self.then)}")

    def rate(self, lr: float, step: int, total_steps: int, previous: float) -> float:
        rise = round(self.fraction * total_steps)
        if step < rise:
            return lr * (step + 1) / rise
        return self.then.rate(lr, step - rise, max(total_steps - rise, 1), lr if step == rise else previous)
