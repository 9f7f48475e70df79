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
_ROWS_FOR_ONE = 15  # the fewest rows for each axis that is looked at: of further ones too little is known
_FARTHEST = 5.0  # deviations; rows that break a rule which all in training keep would else be a thousand away
_SATURATED = 1e9  # deviations of a column; beyond, sums of huge parts of either sign would be no number
_ROWS = 4096  # turned at a time, which bounds what they take beside the table


class WhitenedComponents(BaseEstimator):
    """The principal components of numbers with little variance, scaled to variance 1.

    The columns are scaled to mean 0 and standard deviation 1. Of their principal axes, the first are looked at, one for
    each 15 rows; of these, the components with a variance below 0.3 are taken, where the mean over all axes is 1. Each
    is divided by its standard deviation and clipped to within 5.

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

    def fit(self, X: np.ndarray, weight: np.ndarray | None = None) -> Self:
        """Learn the directions from numbers without gaps, shape (rows, columns)."""
        turned = PrincipalAxesScaler().fit(X, sample_weight=weight)
        axes = turned.axes_[:, : len(X) // _ROWS_FOR_ONE]
        variance = turned.variances_[: axes.shape[1]]
        taken = np.flatnonzero(variance < _FLAT)[: self.most]
        self.mean_, self.scale_ = turned.mean_, turned.scale_
        self.directions_ = axes[:, taken] / np.sqrt(variance[taken])
        return self

    @property
    def count(self) -> int:
        """How many components there are."""
        return int(self.directions_.shape[1])

    def write(self, X: np.ndarray, out: np.ndarray) -> None:
        """Write the components of X, shape (rows, columns) without gaps, into `out`, shape (rows, components)."""
        with np.errstate(over="ignore"):
            for first in range(0, len(X), _ROWS):
                scaled = (X[first : first + _ROWS] - self.mean_) / self.scale_
                np.clip(scaled, -_SATURATED, _SATURATED, out=scaled)
                np.clip(scaled @ self.directions_, -_FARTHEST, _FARTHEST, out=out[first : first + _ROWS])
