"""Pieces: numbers spread over the stretches between their quantiles.

A network bends along a number where its units happen to have their kinks. With a column for each stretch that holds as
many rows as any other, it can have a slope of its own on each: what a linear model makes of the pieces of one number is
any curve with its kinks at the quantiles. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["PiecewiseLinear"]

# The paper lets the first and the last piece run on without end. Here they run on for one length of theirs: in training
# nothing lies outside, so a row that does must not drive the network where it has never been.
_BELOW, _ABOVE = -1.0, 2.0
_ROWS = 256  # encoded at a time, so that the steps find their numbers in the near caches


class PiecewiseLinear(BaseEstimator):
    """The piecewise-linear encoding of numbers.

    Of a column x with the edges b_0 < … < b_T, piece t is ``2 * (clip((x - b_{t-1}) / (b_t - b_{t-1}), 0, 1) - m_t)``,
    where m_t makes its mean 0 over the rows of `fit`. It is a category of two levels, below the stretch and above it,
    with a slope between them; so it is as wide as one, from -1 to 1 about its mean, and the pieces in the middle have a
    standard deviation of about 1. All have one scale: a weight is half of what is gained along a stretch, and a penalty
    on it holds all stretches alike.

    Parameters
    ----------
    bins : int
        Most pieces of a column. Its edges are quantiles of the rows, those that are equal taken once; or all its
        values, if there are few enough. A column without a value between its edges has no pieces.

    Attributes
    ----------
    columns_ : ndarray of int, shape (pieces,)
        The column that each piece is of, ascending.
    starts_, lengths_, means_ : ndarray, shape (pieces,)
        Where each piece begins, how long it is, and m_t.

    References
    ----------
    Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS
    2022, section 3.2.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [9.0], [10.0]])
    >>> pieces = PiecewiseLinear(bins=2).fit(X)
    >>> out = np.empty((7, 2))
    >>> pieces.write(X, out)
    >>> out[[0, 3, 6]].round(2).tolist()
    [[-1.43, -0.57], [0.57, -0.57], [0.57, 1.43]]
    """

    def __init__(self, bins: int) -> None:
        self.bins = bins

    def fit(self, X: np.ndarray, weight: np.ndarray | None = None) -> Self:
        """Learn edges and means from the values there are in X, shape (rows, columns); NaN is no value.

        A row of weight 2, all above 0, counts as two rows do.
        """
        found: list[tuple[np.ndarray, ...]] = []
        weight = np.ones(len(X)) if weight is None else weight
        for column in range(X.shape[1]):
            order = np.argsort(X[:, column], kind="stable")
            order = order[: len(order) - np.count_nonzero(np.isnan(X[:, column]))]  # NaN comes last
            values = X[order, column]
            edges = _edges(values, np.cumsum(weight[order]), self.bins)
            if len(edges) > 2:
                starts, lengths = edges[:-1], np.diff(edges)
                means = _means(values, weight[order], starts, lengths)
                found.append((np.full(len(starts), column), starts, lengths, means))
        none = (np.empty(0, dtype=np.int64), *[np.empty(0)] * 3)
        self.columns_, self.starts_, self.lengths_, self.means_ = map(np.concatenate, zip(none, *found, strict=True))
        return self

    def counts(self, n_columns: int) -> tuple[int, ...]:
        """Return how many pieces each of the columns has."""
        return tuple(int(np.count_nonzero(self.columns_ == column)) for column in range(n_columns))

    def write(self, X: np.ndarray, out: np.ndarray) -> None:
        """Write the pieces of X, shape (rows, columns) without gaps, into `out`, shape (rows, pieces)."""
        lowest = np.where(np.diff(self.columns_, prepend=-1) != 0, _BELOW, 0.0)
        highest = np.where(np.diff(self.columns_, append=-1) != 0, _ABOVE, 1.0)
        with np.errstate(over="ignore"):  # infinite is far outside, and clipped
            for first in range(0, len(X), _ROWS):
                part = X[first : first + _ROWS].take(self.columns_, axis=1)
                part -= self.starts_
                part /= self.lengths_
                np.maximum(part, lowest, out=part)  # a third of the time of np.clip with arrays
                np.minimum(part, highest, out=part)
                part -= self.means_
                np.multiply(part, 2.0, out=out[first : first + _ROWS])


def _edges(values: np.ndarray, up_to: np.ndarray, bins: int) -> np.ndarray:
    """Return the edges for sorted values; they are values themselves, so that each piece begins at one.

    Of the weight, `up_to` says how much lies on each value and those before it.
    """
    distinct = np.unique(values)
    if len(distinct) <= bins + 1:
        return distinct
    places = np.searchsorted(up_to, np.linspace(0.0, up_to[-1], bins + 1))
    return np.unique(values[np.minimum(places, len(values) - 1)])


def _means(values: np.ndarray, weight: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the mean over sorted values of each piece: those on it count their share, those above it count 1."""
    first = np.searchsorted(values, starts)
    on_each = np.add.reduceat(weight, first)
    above = on_each[::-1].cumsum()[::-1] - on_each
    rows = np.diff(first, append=len(values))
    shares = np.add.reduceat(weight * (values - np.repeat(starts, rows)), first) / lengths
    return np.asarray((shares + above) / weight.sum())
