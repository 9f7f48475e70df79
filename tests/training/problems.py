"""Small problems that the tests of training share."""

from __future__ import annotations

from typing import Any

import numpy as np

from taut import L1, L2, Dense, Dropout, Network, ReLU, Tanh


def classes(rows: int = 45, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return three overlapping clouds in four dimensions: X (rows, 4), y (rows,)."""
    random = np.random.default_rng(seed)
    y = np.arange(rows) % 3
    centers = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]])
    return centers[y] + random.standard_normal((rows, 4)), y


def numbers(rows: int = 45, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (rows, 4) and two noisy linear targets (rows, 2)."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((rows, 4))
    return X, X @ [[1.0, 0.0], [-1.0, 0.5], [0.0, 2.0], [0.0, 0.0]] + 0.1 * random.standard_normal((rows, 2))


def network(outputs: int = 3) -> Network:
    """Return a network with dropout and both kinds of penalty, not built."""
    hidden = Dense(8, L1(1e-3) + L2(1e-2), bias_penalty=L2(1e-2))
    return Network([Dropout(0.1), hidden, ReLU(), Dropout(0.3), Dense(6, L2(1e-3)), Tanh(), Dense(outputs)])


def plain(outputs: int = 3) -> Network:
    """Return a network without noise or penalties, not built."""
    return Network([Dense(8), Tanh(), Dense(outputs)])


def columns(history: Any) -> dict[str, list[float]]:
    """Return all columns but the clock, for comparison bit by bit."""
    return {name: history[name].tolist() for name in history if name != "seconds"}
