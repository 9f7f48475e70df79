"""Derivatives by central differences, against which formulas are held."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def derivative(function: Callable[[], float], x: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Return the derivative of `function`, which reads `x`, by each entry of `x`.

    Central differences over two distances, whose combination is exact to the fourth order in `step`. `x` is changed
    in place and put back.
    """
    result = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        kept = x[index]
        values = []
        for distance in (-2, -1, 1, 2):
            x[index] = kept + distance * step
            values.append(function())
        x[index] = kept
        result[index] = (values[0] - 8.0 * values[1] + 8.0 * values[2] - values[3]) / (12.0 * step)
    return result


def relative_error(given: np.ndarray, wanted: np.ndarray) -> float:
    """Return the largest difference, relative to the largest entry of either."""
    scale = max(np.abs(given).max(initial=0.0), np.abs(wanted).max(initial=0.0), 1e-12)
    return float(np.abs(given - wanted).max(initial=0.0) / scale)


def away_from_kinks(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return values of both signs whose distance from 0 is at least 0.05, for functions with a bend there."""
    random = np.random.default_rng(seed)
    return random.choice([-1.0, 1.0], shape) * random.uniform(0.05, 2.0, shape)
