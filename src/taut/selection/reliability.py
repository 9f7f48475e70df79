"""Reliability: how often a model is right, beside how sure it was.

Rows are sorted by the probability of the class that was answered; where a model is calibrated, it is right in as many
of them as that probability says. Floor 5 of the house.

References
----------
C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML, 2017.
E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA, 1927.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taut.checks import check_number
from taut.errors import InvalidValue

__all__ = ["Reliability", "reliability", "wilson_interval"]

_QUANTILE = 1.959963984540054  # of the normal distribution, for 95 %


@dataclass(frozen=True, eq=False)
class Reliability:
    """How sure a model was and how often it was right, in bins of equal width that hold rows.

    Attributes
    ----------
    confidence : ndarray, shape (bins,)
        Mean probability of the class that was answered.
    accuracy : ndarray, shape (bins,)
        Share of the rows whose class that was.
    low, high : ndarray, shape (bins,)
        The 95 % interval of that share (Wilson, 1927).
    rows : ndarray of int, shape (bins,)
        How many rows each bin holds.
    error : float
        Expected calibration error: the mean over rows of the distance between the two in their bin.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rows: np.ndarray
    error: float


def reliability(probabilities: np.ndarray, true: np.ndarray, *, bins: int = 15) -> Reliability:
    """Return how sure a model was and how often it was right.

    Parameters
    ----------
    probabilities : ndarray, shape (rows, classes)
        Of rows that it was not trained on.
    true : ndarray of int, shape (rows,)
        The place of each row's class.
    bins : int, default 15
        Bins of equal width from 0 to 1.

    Examples
    --------
    >>> found = reliability(np.array([[0.75, 0.25]] * 10), np.repeat([0, 1], [7, 3]))
    >>> found.confidence.tolist(), found.accuracy.tolist(), round(found.error, 3)
    ([0.75], [0.7], 0.05)
    >>> found.low.round(2).tolist(), found.high.round(2).tolist()
    ([0.4], [0.89])
    """
    check_number("bins", bins, at_least=1, integer=True)
    if probabilities.ndim != 2 or len(probabilities) != len(true) or not len(true):
        raise InvalidValue(f"probabilities must have a row for each of {len(true)} classes, got {probabilities.shape}")
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == true
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    rows = np.bincount(place, minlength=bins)
    there = rows > 0
    sure, right = (np.bincount(place, values, minlength=bins)[there] for values in (confidence, is_right))
    rows = rows[there]
    low, high = wilson_interval(right, rows)
    return Reliability(sure / rows, right / rows, low, high, rows, float(np.abs(sure - right).sum() / len(true)))


def wilson_interval(hits: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % interval of a share, of so many hits among so many rows (Wilson, 1927).

    Examples
    --------
    >>> low, high = wilson_interval(np.array([0, 5]), np.array([10, 10]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.237], [0.278, 0.763])
    """
    share, spread = hits / rows, _QUANTILE**2 / rows
    centre = share + spread / 2.0
    half = np.sqrt(spread * (share * (1.0 - share) + spread / 4.0))
    return np.clip((centre - half) / (1.0 + spread), 0.0, 1.0), np.clip((centre + half) / (1.0 + spread), 0.0, 1.0)
