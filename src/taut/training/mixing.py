"""Mixing: in training each row is mixed with another of its batch, inputs and targets alike.

Mixup blends the two, so that the network learns to go straight from one row to the next instead of leaping somewhere
between. CutMix takes some columns from the one and the rest from the other, so that no few columns are relied upon.
Partner and share of a row are functions of its place in the epoch, as all that is random. Floor 4 of the house.

References
----------
H. Zhang, M. Cisse, Y. N. Dauphin and D. Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR, 2018.
S. Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features", ICCV, 2019;
for rows of tables: A. Kadra, M. Lindauer, F. Hutter and J. Grabocka, "Well-tuned simple nets excel on tabular
datasets", NeurIPS, 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from taut.checks import check_number
from taut.errors import InvalidValue
from taut.random import Purpose, Random
from taut.training.objective import Objective

__all__ = ["Mixing", "mixing_of", "partners", "quantiles", "shares"]

#: Steps of the table of quantiles that shares are read from.
_STEPS = 1024
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Mixing:
    """How rows are mixed.

    Parameters
    ----------
    alpha : float
        Shares are drawn from Beta(alpha, alpha): near 0 or 1 if it is small, near one half if it is large.
    by_cell : bool, default False
        Whether each input is the row's own, with the share as probability, or else its partner's (CutMix); by default
        it is a blend of both (mixup).
    """

    alpha: float
    by_cell: bool = False

    def mixed(self, batch: Objective, n_outputs: int, random: Random) -> Objective:
        """Return a batch whose targets and weights, and by mixup its inputs, are ``lam * row + (1 - lam) * partner``.

        Parameters
        ----------
        batch : Objective
            Rows in the order of the epoch.
        n_outputs : int
            Outputs of the network: integer labels become one-hot rows of that many classes.
        random : Random
            Its `row` is the position of the first row in the epoch.

        Returns
        -------
        Objective
            Its arrays in the type of the inputs, its targets dense.
        """
        x, dtype, count = batch.x, batch.x.dtype, len(batch.x)
        partner, share = partners(count, random), shares(count, self.alpha, random)
        lam = share.astype(dtype)
        rest = 1 - lam
        column, rest_column = lam[:, None], rest[:, None]
        if self.by_cell:
            kept = random.at(purpose=Purpose.MIXUP, item=2).uniform(x.shape) < share[:, None]
            x = np.where(kept, x, x[partner])
        else:
            x = column * x + rest_column * x[partner]
        targets = batch.targets
        targets = np.eye(n_outputs, dtype=dtype)[targets] if targets.ndim == 1 else targets.astype(dtype)
        weights = batch.weights
        return Objective(
            batch.loss,
            x,
            column * targets + rest_column * targets[partner],
            None if weights is None else lam * weights + rest * weights[partner],
        )


def mixing_of(mixup: float, cutmix: float) -> Mixing | None:
    """Return how rows are mixed, if they are; raise if that cannot be, or is to be in both ways at once."""
    for name, alpha in (("mixup", mixup), ("cutmix", cutmix)):
        check_number(name, alpha, at_least=0)
    if mixup and cutmix:
        raise InvalidValue(f"give either mixup or cutmix, got mixup={mixup} and cutmix={cutmix}")
    return Mixing(float(mixup or cutmix), bool(cutmix)) if mixup or cutmix else None


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
