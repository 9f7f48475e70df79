"""Pairs: the same run by both engines, and what it means that they agree."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from taut import BatchNorm, Dense, Dropout, History, Network, Tanh, train
from taut.network import Loss
from taut.network.kinds import LOSSES, resolve

#: Two runs are equal if no number differs by more than this share of the largest of its array.
TOLERANCE = 1e-9

#: Losses on probabilities, and what makes probabilities.
PROBABILITIES = {"CategoricalCrossEntropy": "softmax", "BinaryCrossEntropy": "sigmoid"}


@dataclass
class Case:
    """A run that both engines make: 203 rows in batches of 16, so that the last one is smaller; 208 updates."""

    make: Callable[[], Network] = lambda: noisy()
    loss: str | Loss = "cross_entropy"
    inputs: int = 5
    outputs: int = 3
    rows: int = 203
    dtype: str = "float64"
    one_hot: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Callable[[], Any]] = field(default_factory=dict)  # arguments that a run changes

    def data(self) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Return rows to train on and 37 rows to look at."""
        random = np.random.default_rng(1)
        x = random.normal(size=(self.rows + 37, self.inputs))
        loss: Loss = resolve("loss", self.loss, LOSSES)
        slopes = random.normal(size=(self.inputs, self.outputs))
        y = x @ slopes + random.normal(size=(len(x), self.outputs))
        if loss.metric_name == "accuracy":
            y = (y > 0).astype(float) if "Binary" in (name := type(loss).__name__) or "Sigmoid" in name else y.argmax(1)
        if self.one_hot:
            y = np.eye(self.outputs)[y]
        x = x.astype(self.dtype)
        return (x[: self.rows], y[: self.rows]), (x[self.rows :], y[self.rows :])

    def run(self, engine: str, **settings: Any) -> tuple[Network, History]:
        """Train by one engine."""
        network, (data, validation) = self.make(), self.data()
        given = {"epochs": 16, "batch_size": 16, "seed": 3, "validation": validation} | self.settings | settings
        given |= {name: make() for name, make in self.made.items()}
        return network, train(network, *data, loss=self.loss, engine=engine, **given)


def noisy(*between: Any, outputs: int = 3, units: int = 20) -> Network:
    """Return a network with dropout and some layers between two dense ones."""
    return Network([Dense(units), *(between or (Tanh(),)), Dropout(0.2), Dense(outputs)])


def assert_close(actual: np.ndarray, expected: np.ndarray, what: str, tolerance: float = TOLERANCE) -> None:
    """Raise if two arrays differ by more than a share of the largest number in them."""
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * largest, err_msg=what)


def assert_equal_runs(
    compiled: tuple[Network, History], reference: tuple[Network, History], but: Sequence[str] = ("seconds",)
) -> None:
    """Raise if two runs differ in a parameter, a statistic, the memory of the optimizer, or a column of the history."""
    (network, history), (expected_network, expected) = compiled, reference
    # The scale is that of all parameters: some come to nothing but noise, as biases before batch normalization do.
    assert_close(network.theta, expected_network.theta, "parameters")
    assert_close(network.statistics, expected_network.statistics, "statistics")
    assert list(history) == list(expected)
    assert history.stopped == expected.stopped
    assert history.best_epoch == expected.best_epoch
    # What a layer adds before batch normalization has no gradient: whether it is exactly zero is chance.
    pairs = itertools.pairwise(network.layers)
    chance = {f"zeros_{i}" for i, (_, following) in enumerate(pairs) if isinstance(following, BatchNorm)}
    for name in set(expected) - set(but) - chance:
        assert history[name].shape == expected[name].shape, name
        assert_close(history[name], expected[name], name)
    ours, theirs = history.state, expected.state
    assert (ours.epoch, ours.step, ours.averaged) == (theirs.epoch, theirs.step, theirs.averaged)
    assert ours.restored == theirs.restored
    assert_close(np.array(ours.rate), np.array(theirs.rate), "rate")
    assert ours.memory.keys() == theirs.memory.keys()
    pairs = {name: (ours.memory[name], theirs.memory[name]) for name in ours.memory}
    pairs |= {"average": (ours.average, theirs.average), "live": (ours.live, theirs.live)}
    for name, (mine, other) in pairs.items():
        assert (mine is None) == (other is None), name
        if mine is not None:
            assert_close(mine, other, name)


def assert_engines_agree(case: Case, updates: int = 200) -> tuple[Network, History]:
    """Run a case by both engines; raise if they differ, or if nothing was learned from so many updates."""
    compiled, reference = case.run("compiled"), case.run("numpy")
    assert reference[1].state.step >= updates
    assert_equal_runs(compiled, reference)
    assert (compiled[0].theta != case.make().build(case.inputs, seed=3).theta).any()
    return compiled
