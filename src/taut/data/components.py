"""Components: the directions along which numbers differ little, each as a column of its own.

Where columns rise and fall together, as the channels of a spectrum or several sizes of one thing do, much of what
matters lies in their small differences. To a network that gets the columns alone a small difference is small: along
it the loss is so flat that no descent gets there in the epochs there are, and any decay of the weights keeps it out.
As inputs of their own, scaled like all others, such differences are seen from the first update on; where no columns
tell much the same, there are none. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

from taut.data.rotation import PrincipalAxesScaler

__all__ = ["WhitenedComponents"]

_FLAT = 0.3  # share of a column's variance; what varies more along an axis is seen in the columns
_SAME = 1e-6  # of the deviation along the first axis: below, numbers of six digits that tell the same
_SINGLE = 2.0**-24  # share of a number that single precision may change in it
_ABOVE_ROUNDING = 4.0  # times the variance that rounding makes, of an axis that tells more than it
_ROWS_FOR_ONE = 15  # the fewest rows for each axis that is looked at: of further ones too little is known
_OUTLYING = 10.0  # interquartile ranges from the middle half: a row with a number farther away may teach no axes
_FEW = 0.05  # share of the rows; more that lie so far are no accident
_FARTHEST = 5.0  # deviations; rows that break a rule which all in training keep would else be a thousand away
_SATURATED = 1e9  # deviations of a column; beyond, sums of huge parts of either sign would be no number
_ROWS = 4096  # turned at a time, which bounds what they take beside the table


class WhitenedComponents(BaseEstimator):
    """The principal components of numbers with little variance, scaled to variance 1.

    The columns are scaled to mean 0 and standard deviation 1. Of their principal axes, the first are looked at, one for
    each 15 rows; of these, the components with a variance below 0.3 are taken, where the mean over all axes is 1, and
    none that single precision explains. Each is divided by its standard deviation and clipped to within 5.

    A few rows that are not like the others must not turn the axes. Left out are those with gaps, where half of the rows
    or 15 for each column have none; and those with a number more than 10 interquartile ranges from the middle half of
    its column, where they are a twentieth at most. Where gaps leave more of a component open than its own variance, it
    is 0, its mean.

    Parameters
    ----------
    most : int, optional
        The most components; those of the largest variance are taken first. By default there is no other bound.

    Attributes
    ----------
    mean_, scale_ : ndarray, shape (columns,)
        Mean and standard deviation of each column; infinite for a column of one value.
    directions_ : ndarray, shape (columns, components)
        What the scaled columns are multiplied by.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, "Efficient backprop", in Neural networks: tricks of the trade,
    Springer, 1998, section 4.3: inputs are to be decorrelated and of one variance.

    Examples
    --------
    >>> x = np.linspace(-1.0, 1.0, 60)
    >>> X = np.column_stack([x, x + 0.01 * np.sin(9.0 * x)])
    >>> components = WhitenedComponents().fit(X)
    >>> out = np.empty((60, 1))
    >>> components.write(X, out)
    >>> float((X[:, 1] - X[:, 0]).std().round(3)), float(out.std().round(3))
    (0.007, 1.0)
    """

    def __init__(self, most: int | None = None) -> None:
        self.most = most

    def fit(self, X: np.ndarray, weight: np.ndarray | None = None, gaps: np.ndarray | None = None) -> Self:
        """Learn the directions.

        Parameters
        ----------
        X : ndarray, shape (rows, columns)
            Numbers, with something in place of gaps.
        weight : ndarray, shape (rows,), optional
            How much each row counts, above 0. The axes that are looked at go by the number of rows.
        gaps : ndarray of bool, shape (rows, columns), optional
            Where the gaps were.
        """
        kept = _whole(gaps, *X.shape) & ~_outlying(X, gaps)
        X, weight = X[kept], None if weight is None else weight[kept]
        turned = PrincipalAxesScaler().fit(X, sample_weight=weight)
        axes = turned.axes_[:, : len(X) // _ROWS_FOR_ONE]
        variance = turned.variances_[: axes.shape[1]]
        rounding = _SINGLE * np.abs(X).max(axis=0) / np.sqrt(3.0) / turned.scale_  # of uniform errors
        least = np.maximum(_SAME**2 * variance.max(initial=0.0), _ABOVE_ROUNDING * rounding**2 @ axes**2)
        taken = np.flatnonzero((variance < _FLAT) & (variance > least))[: self.most]
        self.mean_, self.scale_ = turned.mean_, turned.scale_
        self.directions_ = axes[:, taken] / np.sqrt(variance[taken])
        return self

    @property
    def count(self) -> int:
        """How many components there are."""
        return int(self.directions_.shape[1])

    def write(self, X: np.ndarray, out: np.ndarray, gaps: np.ndarray | None = None) -> None:
        """Write the components of X, shape (rows, columns), into `out`, shape (rows, components).

        Of the rows in which `gaps`, shaped like X, says that something stands in place of a number, a component is 0
        if the deviation of what is not known would be more than its own.
        """
        unknown = self.directions_**2
        with np.errstate(over="ignore"):
            for first in range(0, len(X), _ROWS):
                block = slice(first, first + _ROWS)
                scaled = (X[block] - self.mean_) / self.scale_
                np.clip(scaled, -_SATURATED, _SATURATED, out=scaled)
                np.clip(scaled @ self.directions_, -_FARTHEST, _FARTHEST, out=out[block])
                if gaps is not None and gaps[block].any():
                    out[block][gaps[block] @ unknown > 1.0] = 0.0


def _whole(gaps: np.ndarray | None, rows: int, columns: int) -> np.ndarray:
    """Return which rows have no gaps; all, where those are too few."""
    everyone = np.ones(rows, dtype=bool)
    if gaps is None:
        return everyone
    whole: np.ndarray = np.logical_not(gaps.any(axis=1))
    return whole if np.count_nonzero(whole) >= min(rows / 2, _ROWS_FOR_ONE * columns) else everyone


def _outlying(X: np.ndarray, gaps: np.ndarray | None) -> np.ndarray:
    """Return which rows have a known number far from the middle half of its column; none, where they are many."""
    first, third = np.empty((2, X.shape[1]))
    for column, values in enumerate(X.T):
        known = values if gaps is None else values[~gaps[:, column]]
        first[column], third[column] = np.quantile(known, [0.25, 0.75])
    with np.errstate(over="ignore"):
        farthest = np.where(third > first, _OUTLYING * (third - first), np.inf)
        far = np.asarray(((first - farthest > X) | (third + farthest < X)).any(axis=1))
    return far if np.count_nonzero(far) <= _FEW * len(X) else np.zeros(len(X), dtype=bool)
