"""Calibration: one number that makes probabilities as sure as they have a right to be.

A temperature above 1 makes all of them less sure, one below 1 surer; which class is the most probable stays. It is
fitted to probabilities of rows that nothing was trained on, by log loss. The mean of several networks, each sure of
something else, is most often less sure than it is right. Floor 5 of the house; knows nothing of networks.

References
----------
C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML, 2017.
"""

from __future__ import annotations

import numpy as np

from taut.training.ensemble import COLDEST, HOTTEST, tempered

__all__ = ["fit_temperature"]

# Standard deviation of the logarithm of temperatures before any row is seen: most are between 1/2 and 2.
_SPREAD = np.log(2.0) / 2.0


def fit_temperature(probabilities: np.ndarray, true: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return the temperature with the lowest log loss, on few rows drawn towards 1.

    Drawn, because a handful of rows that are all right would ask for certainty. With b = 1 / temperature, what is
    minimized is ``sum_i w_i (log sum_k p_ik**b - b log p_i,true) + log(b)**2 / (2 s**2)``: the negative logarithm of
    the posterior where log b is normal around 0 with standard deviation s = log(2) / 2, so that temperatures are
    within 1/2 and 2 at first, and as many rows as there are say otherwise. Weights are normalized to mean 1. The sum is
    convex in b; the loss is searched along log b, between temperatures of 1/20 and 20.

    Parameters
    ----------
    probabilities : ndarray, shape (rows, classes)
        Of rows that were not trained on.
    true : ndarray of int, shape (rows,)
        Codes of the classes.
    weight : ndarray, shape (rows,), optional
        How much each row counts.

    Returns
    -------
    float
        The temperature.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML, 2017.

    Examples
    --------
    >>> sure = np.array([[0.99, 0.01]] * 100)
    >>> true = np.repeat([0, 1], [80, 20])  # right in 80 of 100 rows
    >>> temperature = fit_temperature(sure, true)
    >>> round(temperature, 1), tempered(sure[:1], temperature).round(1).tolist()
    (2.7, [[0.8, 0.2]])
    """
    from scipy.optimize import minimize_scalar

    weight = np.ones(len(true)) if weight is None else weight * (len(true) / weight.sum())
    rows = np.arange(len(true))

    def posterior(logarithm: float) -> float:
        chosen = tempered(probabilities, np.exp(logarithm))[rows, true]
        surprise = -np.log(np.maximum(chosen, np.finfo(float).eps))
        return float(weight @ surprise + 0.5 * (logarithm / _SPREAD) ** 2)

    found = minimize_scalar(posterior, bounds=(np.log(COLDEST), np.log(HOTTEST)), options={"xatol": 1e-6})
    return float(np.exp(found.x))
