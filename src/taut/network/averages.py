"""Averages: a mean of the weights along the way, which generalizes better than where the way happens to end.

An average is a rule with settings; the running mean and how many states it holds are kept by the training loop, so
that a run can be stopped, saved and resumed. It is taken over the whole state of the network, its statistics included.
Floor 2 of the house; averages know no layer and no optimizer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from taut.checks import check_number

__all__ = ["EMA", "SWA", "Average", "Snapshots"]


class Average(ABC):
    """A rule for averaging the states that a run passes through."""

    def takes_update(self, step: int, total_steps: int) -> bool:
        """Say whether the state after an update, counted from 0, is averaged."""
        return False

    def takes_epoch(self, epoch: int, total_epochs: int) -> bool:
        """Say whether the state after an epoch, counted from 0, is averaged."""
        return False

    @abstractmethod
    def add(self, mean: np.ndarray, state: np.ndarray, count: int) -> None:
        """Take a state into the running mean, in place.

        Parameters
        ----------
        mean : ndarray, shape (parameters + statistics,)
            The running mean; zeros before the first state.
        state : ndarray of that shape
            The state.
        count : int
            How many states there are with this one.
        """

    def value(self, mean: np.ndarray, count: int) -> np.ndarray:
        """Return the average that a running mean of `count` states stands for."""
        return mean


@dataclass(frozen=True)
class EMA(Average):
    """Exponential moving average over the updates: ``mean = decay * mean + (1 - decay) * state``.

    The running mean starts from zeros; ``mean / (1 - decay**count)`` takes away what that weighs, as in Adam.

    Parameters
    ----------
    decay : float, default 0.99
        How much of the mean is kept at each update; about ``1 / (1 - decay)`` updates count.

    References
    ----------
    B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on Control and
    Optimization 30, 1992; the correction: D. Kingma and J. Ba, "Adam", ICLR, 2015, section 3.

    Examples
    --------
    >>> average, mean = EMA(0.5), np.zeros(1)
    >>> for count, weight in enumerate([1.0, 4.0], start=1):
    ...     average.add(mean, np.array([weight]), count)
    >>> average.value(mean, 2).tolist()
    [3.0]
    """

    decay: float = 0.99

    def __post_init__(self) -> None:
        check_number("decay", self.decay, at_least=0, below=1)

    def takes_update(self, step: int, total_steps: int) -> bool:
        return True

    def add(self, mean: np.ndarray, state: np.ndarray, count: int) -> None:
        mean *= self.decay
        mean += (1.0 - self.decay) * state

    def value(self, mean: np.ndarray, count: int) -> np.ndarray:
        return mean / (1.0 - self.decay**count)


@dataclass(frozen=True)
class SWA(Average):
    """Stochastic weight averaging: the plain mean of the states after the last epochs.

    ``mean += (state - mean) / count`` after each of the last ``max(1, round(fraction * epochs))`` epochs.

    Parameters
    ----------
    fraction : float, default 0.25
        Share of the epochs whose weights are averaged.

    References
    ----------
    P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov and A. G. Wilson, "Averaging weights leads to wider optima and
    better generalization", UAI, 2018.

    Examples
    --------
    >>> SWA(0.25).first_epoch(total_epochs=100)
    75
    >>> average, mean = SWA(), np.zeros(1)
    >>> for count, weight in enumerate([1.0, 4.0], start=1):
    ...     average.add(mean, np.array([weight]), count)
    >>> average.value(mean, 2).tolist()
    [2.5]
    """

    fraction: float = 0.25

    def __post_init__(self) -> None:
        check_number("fraction", self.fraction, above=0, at_most=1)

    def first_epoch(self, total_epochs: int) -> int:
        """Return the first epoch, from 0, whose state is averaged."""
        return total_epochs - max(1, round(self.fraction * total_epochs))

    def takes_epoch(self, epoch: int, total_epochs: int) -> bool:
        return epoch >= self.first_epoch(total_epochs)

    def add(self, mean: np.ndarray, state: np.ndarray, count: int) -> None:
        mean += (state - mean) / count


@dataclass(frozen=True)
class Snapshots(Average):
    """The plain mean of the states at the ends of the last cycles of a schedule with restarts.

    At the end of each cycle the rate is near zero and the weights lie in some minimum; the restart leads to another.
    ``mean += (state - mean) / count`` after the last update of each of the last `count` cycles.

    Parameters
    ----------
    count : int, default 2
        How many of the cycles are averaged, the last ones.
    cycles : int, default 4
        How many the schedule has: see `CosineRestarts`.
    warm_up : float, default 0.0
        Share of the updates before the first cycle: see `WarmUp`.

    References
    ----------
    G. Huang, Y. Li, G. Pleiss, Z. Liu, J. Hopcroft and K. Weinberger, "Snapshot ensembles: train 1, get M for free",
    ICLR, 2017, who average the answers of these networks; their weights, as here: P. Izmailov et al., "Averaging
    weights leads to wider optima and better generalization", UAI, 2018.

    Examples
    --------
    >>> [step for step in range(12) if Snapshots(2, cycles=4).takes_update(step, 12)]
    [8, 11]
    """

    count: int = 2
    cycles: int = 4
    warm_up: float = 0.0

    def __post_init__(self) -> None:
        check_number("cycles", self.cycles, at_least=1, integer=True)
        check_number("count of snapshots", self.count, at_least=1, at_most=self.cycles, integer=True)
        check_number("warm_up", self.warm_up, at_least=0, at_most=1)

    def rise(self, total_steps: int) -> int:
        """Return how many updates the warm-up takes."""
        return round(self.warm_up * total_steps)

    def takes_update(self, step: int, total_steps: int) -> bool:
        done, planned = step + 1 - self.rise(total_steps), max(total_steps - self.rise(total_steps), 1)
        ended = done * self.cycles // planned
        return done > 0 and (done - 1) * self.cycles // planned < ended > self.cycles - self.count

    def add(self, mean: np.ndarray, state: np.ndarray, count: int) -> None:
        mean += (state - mean) / count
