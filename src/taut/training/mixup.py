"""Mixup: in training each row is blended with another of its batch, inputs and targets alike.

The network so learns to go straight from one row to the next, instead of leaping somewhere between. Partner and share
of a row are functions of its place in the epoch, as all that is random. Floor 4 of the house.

References
----------
H. Zhang, M. Cisse, Y. N. Dauphin and D. Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR, 2018.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from taut.random import Purpose, Random
from taut.training.objective import Objective

__all__ = ["mixed", "partners", "quantiles", "shares"]

#: Steps of the table of quantiles that shares are read from.
_STEPS = 1024
_HALF = np.uint64(32)


def mixed(batch: Objective, alpha: float, n_outputs: int, random: Random) -> Objective:
    """Return a batch whose rows are ``lam * row + (1 - lam) * partner``: inputs, targets and weights.

    Parameters
    ----------
    batch : Objective
        Rows in the order of the epoch.
    alpha : float
        Shares are drawn from Beta(alpha, alpha): near 0 or 1 if it is small, near one half if it is large.
    n_outputs : int
        Outputs of the network: integer labels become one-hot rows of that many classes.
    random : Random
        Its `row` is the position of the first row in the epoch.

    Returns
    -------
    Objective
        Its arrays in the type of the inputs, its targets dense.
    """
    dtype, count = batch.x.dtype, len(batch.x)
    partner = partners(count, random)
    lam = shares(count, alpha, random).astype(dtype)
    rest = 1 - lam
    targets = np.eye(n_outputs, dtype=dtype)[batch.targets] if batch.targets.ndim == 1 else batch.targets.astype(dtype)
    x, column, rest_column = batch.x, lam[:, None], rest[:, None]
    weights = batch.weights
    return Objective(
        batch.loss,
        column * x + rest_column * x[partner],
        column * targets + rest_column * targets[partner],
        None if weights is None else lam * weights + rest * weights[partner],
    )


def partners(count: int, random: Random) -> np.ndarray:
    """Return the partner of each row of a batch, with replacement: ``word * count / 2**32``, int64, shape (count,)."""
    words = random.at(purpose=Purpose.MIXUP, item=0).bits(count, random.row).astype(np.uint64)
    return ((words * np.uint64(count)) >> _HALF).astype(np.int64)


def shares(count: int, alpha: float, random: Random) -> np.ndarray:
    """Return how much of each row of a batch is its own, float64, shape (count,).

    The quantile of Beta(alpha, alpha) at ``word / 2**32``, linear between those of a table, so that one multiplication
    draws it wherever it is drawn.
    """
    words = random.at(purpose=Purpose.MIXUP, item=1).bits(count, random.row)
    place = words * (_STEPS / 2**32)
    step = place.astype(np.int64)
    table = quantiles(float(alpha))
    return table[step] + (place - step) * (table[step + 1] - table[step])


@cache
def quantiles(alpha: float) -> np.ndarray:
    """Return the quantiles of Beta(alpha, alpha) at 0, 1/1024, ..., 1, float64, shape (1025,)."""
    from scipy.special import betaincinv

    return betaincinv(alpha, alpha, np.linspace(0.0, 1.0, _STEPS + 1))
