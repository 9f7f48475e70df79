"""Rotation: a scaler for numbers that tell much the same, such as the channels of a spectrum.

Where columns rise and fall together, what matters often lies in their small differences, along which the loss is so
flat that no descent gets there. On their principal axes the numbers are uncorrelated, and an optimizer with a step
size for each weight goes along each axis at its own pace. A rotation keeps lengths: L2 asks the same of a linear model
as without. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from taut.blas import one_blas_thread

__all__ = ["PrincipalAxesScaler"]

_FLAT = 1e-10  # an axis along which the rows deviate by less than this share of the first is rounding noise
_ROUNDING = 1e-14  # and so is what is left of a column's values beside their mean
_LARGEST = 1.0 - 1e-6  # share of an axis's largest part from which another is as large


class PrincipalAxesScaler(TransformerMixin, BaseEstimator):
    """Scales columns to mean 0 and standard deviation 1, then rotates them onto their principal axes.

    There are as many axes as columns, in the order of the variance along them; an axis without variance, of which there
    are some where rows are fewer than columns, becomes 0.

    Attributes
    ----------
    mean_, scale_ : ndarray, shape (columns,)
        Mean and standard deviation of each column; infinite for a column of one value.
    axes_ : ndarray, shape (columns, axes with variance)
        One axis a column, of length 1.
    variances_ : ndarray, shape (axes with variance,)
        Of the rows along each axis; over all columns that vary, the mean is 1.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, "Efficient backprop", in Neural networks: tricks of the trade,
    Springer, 1998, section 4.3: inputs are to be decorrelated.

    Examples
    --------
    >>> scaler = PrincipalAxesScaler().fit(np.array([[0.0, 10.0], [1.0, 20.0], [2.0, 30.0], [3.0, 41.0]]))
    >>> scaler.transform([[3.0, 41.0]]).round(3).tolist()
    [[1.916, -0.018]]
    """

    def fit(self, X: np.ndarray, y: Any = None, sample_weight: np.ndarray | None = None) -> Self:
        """Learn means, deviations and axes from numbers without gaps, shape (rows, columns)."""
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        weight = weight / weight.sum()
        self.mean_ = weight @ X
        centred = X - self.mean_
        farthest = np.abs(centred).max(axis=0)
        is_flat = farthest <= _ROUNDING * np.abs(X).max(axis=0)
        centred /= np.where(is_flat, np.inf, farthest)  # whose squares can be taken
        deviation = np.sqrt(weight @ np.square(centred))
        self.scale_ = np.where(is_flat, np.inf, farthest * deviation)
        centred *= np.sqrt(weight)[:, None] / np.where(is_flat, np.inf, deviation)
        with one_blas_thread():
            triangle = np.linalg.qr(centred, mode="r")  # as exact as the rows, and no larger than the columns
            _, lengths, axes = np.linalg.svd(triangle, full_matrices=False)
        has_variance = lengths > _FLAT * lengths[0]
        axes, self.variances_ = axes[has_variance], lengths[has_variance] ** 2
        # Either direction would be an axis: the largest part is above 0, the first of several that only rounding parts.
        sizes = np.abs(axes)
        largest = (sizes >= _LARGEST * sizes.max(axis=1, keepdims=True)).argmax(axis=1)
        self.axes_ = (axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]).T
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the rotated numbers, shape (rows, columns)."""
        scaled = (np.asarray(X, dtype=np.float64) - self.mean_) / self.scale_
        rotated = np.zeros_like(scaled)
        rotated[:, : self.axes_.shape[1]] = scaled @ self.axes_
        return rotated
