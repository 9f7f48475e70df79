"""The objective: which rows are fitted, with what targets and weights, and by which loss.

Here the arrays that `train` is given are checked, once, and brought into the network's type. Floor 4 of the house;
knows nothing of how the objective is minimized.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from taut.errors import InvalidType, InvalidValue
from taut.network import Loss, Network
from taut.random import Random

__all__ = ["Augment", "Objective", "augmented", "joined", "objective_of", "validation_of"]

Augment = Callable[[np.ndarray, np.ndarray, Random], np.ndarray]


@dataclass(frozen=True)
class Objective:
    """What is minimized, over which rows.

    Attributes
    ----------
    loss : Loss
        The data loss.
    x : ndarray, shape (samples, inputs)
        Inputs, in the network's type.
    targets : ndarray
        As `Loss.prepare` returned them.
    weights : ndarray, shape (samples,), or None
        Weight of each row's loss; None is 1.
    subset : ndarray of int, shape (chosen rows,), or None
        For the compiled loop: which rows are meant, in this order, without a copy of them; None means all.
    """

    loss: Loss
    x: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None
    subset: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        """How many rows are meant."""
        return len(self.x) if self.subset is None else len(self.subset)

    def take(self, rows: np.ndarray | slice) -> Objective:
        """Return the objective over some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return Objective(self.loss, self.x[rows], self.targets[rows], weights)


def joined(parts: Sequence[Objective]) -> Objective:
    """Return the objective over the rows of all parts, in order."""
    weights = [part.weights for part in parts if part.weights is not None]
    return Objective(
        parts[0].loss,
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.targets for part in parts]),
        np.concatenate(weights) if weights else None,
    )


def _inputs(network: Network, X: np.ndarray) -> np.ndarray:
    """Return inputs as a finite matrix in the network's type, or raise."""
    x = np.asarray(X)
    if x.dtype.kind not in "iubf":
        raise InvalidType(f"X must be numbers, got {x.dtype}; TautClassifier and TautRegressor take tables as they are")
    if x.ndim != 2 or not x.size:
        raise InvalidValue(f"X must have shape (samples, inputs) with at least one of each, got {x.shape}")
    if network.built and x.shape[1] != network.n_inputs:
        raise InvalidValue(f"X must have the network's {network.n_inputs} inputs, got {x.shape[1]}")
    if not np.isfinite(x).all():
        raise InvalidValue("X must be finite, got NaN or infinity; TautClassifier and TautRegressor fill gaps")
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(x, dtype=network.theta.dtype if network.built else None)
    if not np.isfinite(x).all():
        raise InvalidValue(f"X holds numbers too large for {x.dtype}; scale the inputs, or use float64")
    return x


def objective_of(
    network: Network, loss: Loss, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, seed: int
) -> Objective:
    """Build the network if need be, and return what it is to minimize."""
    x = _inputs(network, X)
    if not network.built:
        network.build(x.shape[1], seed=seed, dtype="float32" if x.dtype == np.float32 else "float64")
        x = x.astype(network.theta.dtype, copy=False)
    targets = _targets(network, loss, x, y)
    weights = loss.row_weights(targets)
    if sample_weight is not None:
        given = np.asarray(sample_weight)
        if given.dtype.kind not in "iubf":
            raise InvalidType(f"sample_weight must be numbers, got {given.dtype}")
        given = given.astype(np.float64, copy=False)
        if given.shape != (len(x),) or not np.isfinite(given).all() or given.min() < 0 or given.sum() == 0:
            raise InvalidValue(f"sample_weight must be {len(x)} finite weights at least 0, not all of them zero")
        given = given / given.mean()
        weights = given if weights is None else weights * given
    if weights is not None and not weights.any():
        raise InvalidValue("every row has weight 0: sample_weight and class_weight leave nothing to fit")
    return Objective(loss, x, targets, None if weights is None else weights.astype(x.dtype))


def _targets(network: Network, loss: Loss, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    y = np.asarray(y)
    if y.ndim == 0 or len(y) != len(x):
        raise InvalidValue(f"X and y must have equally many rows, got {len(x)} and {len(y) if y.ndim else 'a scalar'}")
    return loss.prepare(y, network.n_outputs)


def validation_of(network: Network, loss: Loss, validation: tuple[np.ndarray, np.ndarray]) -> Objective:
    """Return the objective over rows that are only looked at; whatever their classes, each counts once."""
    given: object = validation
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise InvalidType(f"validation must be a pair (X, y), got {type(given).__name__}")
    x = _inputs(network, validation[0])
    return Objective(loss, x, _targets(network, loss, x, validation[1]), None)


def augmented(objective: Objective, augment: Augment, random: Random, epoch: int) -> Objective:
    """Return the objective over the inputs that an epoch sees."""
    x = np.asarray(augment(objective.x, np.arange(len(objective.x)), random.at(epoch=epoch)))
    if x.shape != objective.x.shape:
        raise InvalidValue(f"augment must return inputs of shape {objective.x.shape}, got {x.shape}")
    return Objective(objective.loss, np.ascontiguousarray(x, objective.x.dtype), objective.targets, objective.weights)
