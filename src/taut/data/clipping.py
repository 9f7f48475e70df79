"""Clipping: a scaler for numbers among which some lie far out.

One value a thousand deviations away would rule a network's first steps, and a column's scale with them. So the scale is
that of the middle half of the rows, and what lies far outside is drawn in, smoothly and in its order. Floor 1 of the
house: knows nothing of networks.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

__all__ = ["RobustClippedScaler"]

_FARTHEST = 3.0  # no scaled value is farther from 0
_SATURATED = 1e9  # beyond, the clipped value is `_FARTHEST` to the last bit, and squares could overflow


class RobustClippedScaler(TransformerMixin, BaseEstimator):
    """Moves columns to median 0, divides by the interquartile range, and clips smoothly.

    Where the interquartile range is 0, half the whole range takes its place; a column of one value becomes 0. The
    scaled value z becomes ``z / sqrt(1 + (z / 3)**2)``, which is near z around 0 and never beyond 3.

    Attributes
    ----------
    center_, scale_ : ndarray, shape (columns,)
        The medians, and what is divided by; infinite for a column of one value.

    References
    ----------
    D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS 2024, section 3.

    Examples
    --------
    >>> scaler = RobustClippedScaler().fit(np.array([[1.0], [2.0], [3.0]]))
    >>> scaler.transform([[2.0], [2.4], [1e9]]).round(2).tolist()
    [[0.0], [0.4], [3.0]]
    """

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Learn medians and ranges from numbers without gaps, shape (rows, columns)."""
        low, first, self.center_, third, high = np.quantile(X, [0.0, 0.25, 0.5, 0.75, 1.0], axis=0)
        between = third - first
        scale = np.where(between > 0, between, (high - low) / 2.0)
        self.scale_ = np.where(scale > 0, scale, np.inf)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the scaled numbers, shape (rows, columns)."""
        with np.errstate(over="ignore"):
            scaled = (np.asarray(X, dtype=np.float64) - self.center_) / self.scale_
        np.clip(scaled, -_SATURATED, _SATURATED, out=scaled)
        root = np.square(scaled / _FARTHEST)
        root += 1.0
        scaled /= np.sqrt(root, out=root)  # in place: on large tables new memory costs more than the arithmetic
        return scaled
