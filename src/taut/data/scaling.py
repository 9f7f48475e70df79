"""Scaling: bringing the inputs of a network to a common size, by name.

A column in thousands would drown one in thousandths, so each is moved and stretched by numbers found on the rows that
train. This file is the table of ways to do so; all scalers but one are scikit-learn's. Floor 1 of the house: knows
nothing of networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from taut.checks import check_choice
from taut.data.clipping import RobustClippedScaler
from taut.data.rotation import PrincipalAxesScaler

__all__ = ["SCALERS", "Scaling", "fit_scaler"]


@dataclass(frozen=True)
class Scaling:
    """One way to scale.

    Parameters
    ----------
    scaler : transformer or None
        Cloned for each fit; None leaves numbers as they are.
    words : str
        What it does, to finish the sentence "numbers are …".
    bounds : tuple of two float, optional
        Smallest and largest value there can be, instead of those found in the data: 0 and 255 for 8-bit images.
    """

    scaler: Any
    words: str
    bounds: tuple[float, float] | None = None


SCALERS: Mapping[str, Scaling] = MappingProxyType(
    {
        "standard": Scaling(StandardScaler(), "scaled to mean 0 and standard deviation 1"),
        "minus_one_one": Scaling(MinMaxScaler(feature_range=(-1, 1)), "scaled to the range from -1 to 1"),
        "zero_one": Scaling(MinMaxScaler(), "scaled to the range from 0 to 1"),
        "robust": Scaling(RobustScaler(), "scaled to median 0 and interquartile range 1"),
        "robust_clipped": Scaling(
            RobustClippedScaler(), "scaled to median 0 and interquartile range 1, and smoothly kept within -3 and 3"
        ),
        "principal_axes": Scaling(
            PrincipalAxesScaler(), "scaled to mean 0 and standard deviation 1, and rotated onto their principal axes"
        ),
        "max_abs": Scaling(MaxAbsScaler(), "divided by the largest absolute value"),
        "eight_bit": Scaling(
            MinMaxScaler(feature_range=(-1, 1)), "moved from 0…255 to the range from -1 to 1", (0, 255)
        ),
        "eight_bit_zero_one": Scaling(MinMaxScaler(), "divided by 255", (0, 255)),
        "none": Scaling(None, "left as it is"),
    }
)


def fit_scaler(scaling: str, values: np.ndarray, sample_weight: np.ndarray | None) -> Any:
    """Return the fitted scaler, or None for "none".

    Parameters
    ----------
    scaling : str
        A key of `SCALERS`.
    values : ndarray of float64, shape (rows, columns)
        Without gaps.
    sample_weight : ndarray, shape (rows,), optional
        How much each row counts; only mean and standard deviation can tell.

    Raises
    ------
    InvalidValue
        If there is no such scaling.

    Examples
    --------
    >>> fit_scaler("zero_one", np.array([[2.0], [4.0]]), None).transform([[3.0]]).tolist()
    [[0.5]]
    """
    check_choice("scaling", scaling, SCALERS)
    way = SCALERS[scaling]
    if way.scaler is None or values.shape[1] == 0:
        return None
    scaler = clone(way.scaler)
    if isinstance(scaler, (StandardScaler, PrincipalAxesScaler)):
        return scaler.fit(values, sample_weight=sample_weight)
    if way.bounds is not None:
        values = np.repeat(np.array(way.bounds, dtype=np.float64)[:, None], values.shape[1], axis=1)
    return scaler.fit(values)
