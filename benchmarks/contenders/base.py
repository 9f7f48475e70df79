"""What a contender is: a way to train a problem, a population, or a regularization path."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.problems import PathProblem, Population, Problem, Weights

__all__ = ["Contender", "Fit", "FoundPath", "PathContender", "PopulationContender", "Unavailable"]


class Unavailable(Exception):
    """Says in a few words why a case or a contender is left out."""


class Fit(ABC):
    """A network, ready to be trained."""

    @abstractmethod
    def reset(self) -> None:
        """Go back to the first weights; not timed."""

    @abstractmethod
    def train(self, epochs: int) -> np.ndarray:
        """Train from the first weights and return the training loss of each epoch; timed."""

    @abstractmethod
    def weights(self) -> Weights:
        """Return the weights as they are now."""


class Contender(ABC):
    """A library, used as its own users would.

    Attributes
    ----------
    name : str
        As on the command line and in the tables.
    packages : tuple of str
        Whose versions matter.
    differs : str
        Why its loss is not that of the others, if it is not.
    """

    name: str
    packages: tuple[str, ...] = ()
    differs: str = ""

    @abstractmethod
    def start(self, problem: Problem, threads: int) -> Fit:
        """Prepare everything that comes before the first epoch, or raise `Unavailable`."""


class PopulationContender(ABC):
    """A way to train many networks; see `Contender` for the attributes."""

    name: str
    packages: tuple[str, ...] = ()
    differs: str = ""

    @abstractmethod
    def start(self, population: Population, threads: int) -> Callable[[], np.ndarray]:
        """Return what trains all runs and returns their validation losses, shape (runs,); only that is timed."""


@dataclass(frozen=True)
class FoundPath:
    """What a path came to.

    Attributes
    ----------
    loss : float
        The lowest mean over the folds of the validation log loss.
    networks : int
        How many networks were trained along it.
    """

    loss: float
    networks: int


class PathContender(ABC):
    """A way to choose a strength by cross-validation; see `Contender` for the attributes.

    These do not do the same arithmetic, so no loss is checked: `differs` says what each does.
    """

    name: str
    packages: tuple[str, ...] = ()
    differs: str = ""

    @abstractmethod
    def start(self, problem: PathProblem, threads: int) -> Callable[[], FoundPath]:
        """Return what finds the path, from the table as it came; only that is timed."""
