"""The reference loop: training in plain NumPy, to be read.

A step is: forward, data-loss gradient, backward (twice with sharpness-aware minimization), penalty gradients, clipping,
optimizer, proximal step. This is the
only place where loss, penalty and optimizer meet. Floor 4 of the house.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taut.network import Average, Network, Optimizer
from taut.random import Purpose, Random
from taut.training.averaging import follow
from taut.training.history import State
from taut.training.mixing import Mixing
from taut.training.objective import Objective, joined

__all__ = ["Epoch", "evaluate", "run_epoch"]


@dataclass
class Epoch:
    """What one epoch looked like, each batch before its update."""

    data_loss: float  # mean over the samples
    penalties: np.ndarray  # (layers,), mean over the samples
    metric: float  # of all outputs of the epoch together
    rate: float  # of the first update


def step(
    network: Network, optimizer: Optimizer, batch: Objective, state: State, total_steps: int, random: Random
) -> tuple[float, np.ndarray, np.ndarray]:
    """Make one update; return data loss, penalties of shape (layers,) and outputs from before it."""
    network.begin_update(state.step, total_steps)
    outputs = network.forward(batch.x, training=True, random=random)
    data_loss = batch.loss.value(outputs, batch.targets, batch.weights)
    before = data_loss, network.penalties(), outputs
    if not np.isfinite(data_loss):
        return before
    network.backward(batch.loss.gradient(outputs, batch.targets, batch.weights))
    if optimizer.sam:
        _sharpen(network, optimizer.sam, batch, random)
    for parameter in network.parameters:
        for part in parameter.penalty.smooth.parts:
            parameter.gradient += part.gradient(parameter.value)
    if optimizer.clip_norm is not None:
        _clip(network.gradient, optimizer.clip_norm)
    state.rate = optimizer.rate(state.step, total_steps, state.rate if state.step else optimizer.lr)
    factors = network.lr_factors
    settings = {} if factors is None else {"factors": factors}  # which optimizers of your own need not know
    rule = optimizer.at(state.step, total_steps)
    sizes = rule.update(network.theta, network.gradient, state.memory, rate=state.rate, step=state.step, **settings)
    for parameter, place in zip(network.parameters, network.places(), strict=True):
        nonsmooth = parameter.penalty.nonsmooth
        if nonsmooth.parts:
            size = sizes[place].reshape(parameter.shape) if isinstance(sizes, np.ndarray) else sizes
            parameter.value[...] = nonsmooth.prox(parameter.value, size)
    state.step += 1
    return before


def _sharpen(network: Network, radius: float, batch: Objective, random: Random) -> None:
    """Replace the gradient of the data loss by that a radius uphill (Foret et al., 2021, equations 2 and 3).

    Both are of the same rows under the same noise; what layers gather, they gather from the first.
    """
    norm = float(np.sqrt(np.sum(np.square(network.gradient, dtype=np.float64))))
    if norm > 0:
        here = network.state.copy()
        network.theta += (radius / norm) * network.gradient
        outputs = network.forward(batch.x, training=True, random=random)
        network.backward(batch.loss.gradient(outputs, batch.targets, batch.weights))
        network.state[:] = here


def _clip(gradient: np.ndarray, limit: float) -> None:
    """Shorten a gradient to the Euclidean norm `limit` if it is longer (Pascanu et al., 2013, algorithm 1)."""
    norm = float(np.sqrt(np.sum(np.square(gradient, dtype=np.float64))))
    if norm > limit:
        gradient *= limit / norm


def run_epoch(
    network: Network,
    optimizer: Optimizer,
    objective: Objective,
    state: State,
    *,
    batch_size: int,
    total_epochs: int,
    random: Random,
    average: Average | None = None,
    mixing: Mixing | None = None,
) -> Epoch:
    """Pass once over all rows, in random order unless one batch holds them all; stop at a loss that is not finite."""
    n = len(objective.x)
    total_steps = total_epochs * -(-n // batch_size)
    random = random.at(epoch=state.epoch)
    order = random.at(purpose=Purpose.SHUFFLE).permutation(n) if batch_size < n else None
    data_loss, penalties, rate = 0.0, np.zeros(len(network.layers)), state.rate
    outputs = np.empty((n, network.n_outputs), dtype=objective.x.dtype)
    mixtures: list[Objective] = []
    for start in range(0, n, batch_size):
        rows = slice(start, start + batch_size) if order is None else order[start : start + batch_size]
        batch = objective.take(rows)
        if mixing is not None:
            batch = mixing.mixed(batch, network.n_outputs, random.at(row=start))
            mixtures.append(batch)
        share = len(batch.x) / n
        batch_loss, batch_penalties, outputs[start : start + batch_size] = step(
            network, optimizer, batch, state, total_steps, random.at(row=start)
        )
        data_loss += share * batch_loss
        penalties += share * batch_penalties
        if start == 0:
            rate = state.rate
        if not np.isfinite(batch_loss):
            break
        if average is not None and average.takes_update(state.step - 1, total_steps):
            follow(average, network, state)
    state.epoch += 1
    if not np.isfinite(data_loss):
        return Epoch(data_loss, penalties, float("nan"), rate)
    seen = joined(mixtures) if mixtures else objective if order is None else objective.take(order)
    return Epoch(data_loss, penalties, objective.loss.metric(outputs, seen.targets, seen.weights), rate)


def evaluate(network: Network, objective: Objective) -> tuple[float, float]:
    """Return data loss and metric with all noise off, label smoothing included."""
    outputs, loss = network.predict(objective.x), objective.loss.evaluation()
    return (
        loss.value(outputs, objective.targets, objective.weights),
        loss.metric(outputs, objective.targets, objective.weights),
    )
