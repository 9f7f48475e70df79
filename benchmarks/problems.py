"""Problems: what every contender gets, so that all end with the same loss.

Data, first weights and the order of the rows are drawn here, once, and handed to all. `Problem` is one network,
`Population` many networks on one table, `PathProblem` a table to find the right strength for. Knows no contender.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from taut.random import Purpose, Random

__all__ = [
    "BETA_1",
    "BETA_2",
    "EPSILON",
    "PLAIN",
    "PathProblem",
    "Population",
    "Problem",
    "Run",
    "Weights",
    "data_loss",
]

#: Adam's constants, the same for all; PyTorch's and scikit-learn's own epsilon is 1e-8.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7

Weights = list[tuple[np.ndarray, np.ndarray]]  # (inputs, units) and (units,) for each layer


#: Fields of a recipe for a network that the peers can have, too: rectifiers, Adam, numbers as they are.
PLAIN: dict[str, Any] = {
    "activation": "relu",
    "embedding_width": 0,
    "parametrization": "standard",
    "dropout": 0.0,
    "optimizer": "adam",
    "learning_rate": 0.01,
    "beta_2": 0.999,
    "weight_decay": 0.0,
    "scaling": "standard",
    "epochs": 100,
}


@dataclass(frozen=True, eq=False)
class Problem:
    """One network to train by Adam on the mean cross-entropy plus L2.

    Attributes
    ----------
    name : str
        As on the command line.
    x : ndarray of float32, shape (rows, inputs)
        Inputs.
    y : ndarray of int64, shape (rows,)
        Classes from 0.
    hidden : tuple of int
        Units of each hidden layer, all ReLU.
    weights : list of (weights, biases), float32
        First values, layer by layer.
    l2 : tuple of (float, float)
        Strength of ``lam * sum(w**2)`` on weights and on biases, layer by layer.
    lr, decay : float
        Learning rate; update t, from 0, uses ``lr / (1 + decay * t)``.
    batch_size : int or None
        Rows in an update; None takes all, and then no row is moved.
    check_epochs : int
        After so many epochs all contenders must have the same loss: later, rounding alone drives them apart.
    seed : int
        Of the order of the rows.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    hidden: tuple[int, ...]
    weights: Weights
    l2: tuple[tuple[float, float], ...]
    lr: float
    decay: float
    batch_size: int | None
    check_epochs: int
    seed: int = 0

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.x)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, hidden units, outputs."""
        return self.x.shape[1], *self.hidden, len(self.weights[-1][1])

    @property
    def shape(self) -> str:
        """The sizes as the field writes them."""
        return "-".join(map(str, self.sizes))

    def orders(self, epochs: int) -> np.ndarray:
        """Return the order of the rows in each epoch, int32, shape (epochs, rows)."""
        return orders(self.rows, epochs, self.seed)

    def batches(self, order: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the rows of each update of an epoch."""
        size = self.batch_size or self.rows
        for start in range(0, self.rows, size):
            yield order[start : start + size]

    def rate(self, step: int) -> float:
        """Return the learning rate of an update, counted from 0."""
        return self.lr / (1.0 + self.decay * step)

    def flops(self) -> float:
        """Return the floating-point operations of an epoch: forward, gradients of weights, gradients of inputs.

        The gradient by the data is not counted, for nobody needs it.
        """
        pairs = [a * b for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True)]
        return 2.0 * self.rows * (3 * sum(pairs) - pairs[0])


@dataclass(frozen=True, eq=False)
class Run:
    """One of a population: a strength and the rows of a fold."""

    lam: float
    rows: np.ndarray
    validation_rows: np.ndarray


@dataclass(frozen=True, eq=False)
class Population:
    """Many networks of one shape on one table, each with its strength and its fold.

    Attributes
    ----------
    name : str
        As on the command line.
    x, y : ndarray
        As in `Problem`.
    strengths : ndarray, shape (strengths,)
        Of L2 on all weights.
    folds : list of (ndarray, ndarray)
        Rows to train on and rows to validate on.
    hidden, lr, batch_size, epochs, seed
        The same for all runs, and so are the first weights.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    strengths: np.ndarray
    folds: list[tuple[np.ndarray, np.ndarray]]
    hidden: int
    weights: Weights
    lr: float
    batch_size: int
    epochs: int
    seed: int = 0

    @cached_property
    def runs(self) -> list[Run]:
        """All runs, strength after strength."""
        return [Run(float(lam), *fold) for lam in self.strengths for fold in self.folds]

    def orders(self, rows: int) -> np.ndarray:
        """Return the order of a fold's rows in each epoch, int32, shape (epochs, rows)."""
        return orders(rows, self.epochs, self.seed)


@dataclass(frozen=True, eq=False)
class PathProblem:
    """A table as it came, for which cross-validation is to choose a strength.

    Attributes
    ----------
    name : str
        As in the file of results.
    x : ndarray of float64, shape (rows, inputs)
        Inputs in their own units: to scale them is part of the task.
    y : ndarray of int64, shape (rows,)
        Classes from 0.
    penalty : {"l2", "group"}
        What the path varies: L2 on all weights, or what takes inputs out of the network.
    n_values : int
        How many strengths.
    folds : list of (ndarray, ndarray)
        Rows to train on and rows to validate on: those that taut makes by itself.
    strengths : ndarray, shape (n_values,), or None
        Those that taut finds by itself, for contenders that have to be told; None where nobody does.
    hidden, lr, batch_size, epochs
        Of every network, as they are in a `Recipe`.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    penalty: str
    n_values: int
    folds: list[tuple[np.ndarray, np.ndarray]]
    strengths: np.ndarray | None
    hidden: tuple[int, ...]
    lr: float
    batch_size: int
    epochs: int


def orders(rows: int, epochs: int, seed: int) -> np.ndarray:
    """Return the order of the rows in each epoch, int32, shape (epochs, rows): the one that taut draws by itself."""
    random = Random(seed).at(purpose=Purpose.SHUFFLE)
    return np.array([random.at(epoch=epoch).permutation(rows) for epoch in range(epochs)], dtype=np.int32)


def data_loss(weights: Weights, x: np.ndarray, y: np.ndarray) -> float:
    """Return the mean cross-entropy of a network on some rows, in float64."""
    values = x.astype(np.float64)
    for index, (w, b) in enumerate(weights):
        values = values @ w.astype(np.float64) + b.astype(np.float64)
        if index + 1 < len(weights):
            values = np.maximum(values, 0.0)
    values -= values.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(values).sum(axis=1)) - values[np.arange(len(y)), y]))
