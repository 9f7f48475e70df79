r"""The power law of learning curves: :math:`L(n) = a + b\,n^{-c}`, fitted to losses at a few sizes, fold by fold.

With :math:`a` the loss that more rows like these would approach, and :math:`c` how fast. The law is fitted by weighted
least squares: for each :math:`c` the best :math:`a` and :math:`b` have a closed form, and what remains is a search in
one dimension. Its uncertainty is found by fitting it again to resampled folds. Floor 5 of the house; knows nothing of
what made the losses.

References
----------
C. Cortes, L. D. Jackel, S. A. Solla, V. Vapnik and J. S. Denker, "Learning curves: asymptotic values and rate of
convergence", NIPS 6, 1993. J. Hestness et al., "Deep learning scaling is predictable, empirically", arXiv:1712.00409,
2017. T. Viering and M. Loog, "The shape of learning curves: a review", IEEE Transactions on Pattern Analysis and
Machine Intelligence, 2022. Separating the linear from the other parameters: G. Golub and V. Pereyra, 1973.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from taut.random import Purpose, Random

__all__ = ["FittedLaw", "PowerLaw", "fit_law"]

#: How fast a law may be: slower than the one it is flat over any range of rows that there is, faster than the other no
#: learning curve has been seen to be.
SLOWEST, FASTEST = 0.01, 2.0
# Exponents, near enough to one another that a law between two of them predicts the same.
_GRID = np.geomspace(SLOWEST, FASTEST, 100)
_RESAMPLES = 1000
_LEVEL = 0.95


@dataclass(frozen=True)
class PowerLaw:
    """The law ``a + b * n**-c``.

    Attributes
    ----------
    a, b, c : float
        Its numbers.

    Examples
    --------
    >>> PowerLaw(0.5, 2.0, 0.5)(np.array([4.0, 16.0])).tolist()
    [1.5, 1.0]
    """

    a: float
    b: float
    c: float

    def __call__(self, n: Any) -> Any:
        """Return the loss at n rows, a number or an array."""
        return self.a + self.b * n**-self.c


@dataclass(frozen=True, eq=False)
class FittedLaw:
    """A law fitted to some folds, and to resamples of them.

    Attributes
    ----------
    law : PowerLaw
        With 0 ≤ a ≤ the smallest mean loss, b ≥ 0 and 0 < c ≤ 2; if the losses do not fall, b is 0 and a their mean.
    resampled : list of PowerLaw
        The same for each resample of the folds. They may rise (b < 0): or else no resample could say that more rows do
        not help.
    widening : float
        By how much the spread of the resamples is widened: that of k folds is too narrow by ``sqrt((k - 1) / k)``, and
        its quantiles should be those of Student's t.

    References
    ----------
    B. Efron and R. Tibshirani, "An introduction to the bootstrap", 1993. T. Hesterberg, "What teachers should know
    about the bootstrap", The American Statistician 69, 2015: why and how intervals from few values are widened.
    """

    law: PowerLaw
    resampled: list[PowerLaw]
    widening: float

    def interval(self, n: float, *, minus: float | None = None) -> tuple[float, float]:
        """Return the 95 % interval of the loss at n rows, or of its difference from that at `minus` rows."""

        def value(law: PowerLaw) -> float:
            return float(law(n) - (0.0 if minus is None else law(minus)))

        center = value(self.law)
        ends = np.quantile([value(law) for law in self.resampled], [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        low, high = center + self.widening * (ends - center)
        # What is lost can be no less than nothing.
        return float(max(low, 0.0 if minus is None else -self.law(minus))), float(high)


def fit_law(sizes: np.ndarray, losses: np.ndarray, *, random: Random, repeats: int = 1) -> FittedLaw:
    """Fit the law to losses at some sizes.

    Parameters
    ----------
    sizes : ndarray, shape (sizes,)
        Numbers of rows, at least 3 of them, ascending.
    losses : ndarray, shape (sizes, folds)
        The loss of each fold, at least 2 of them; the same folds at all sizes. A fold is resampled with its losses at
        all sizes, because they go together.
    random : Random
        Where resamples are drawn.
    repeats : int, default 1
        How many divisions of the same rows the folds are; as they are no new rows, a resample holds as many folds as
        one division.

    Examples
    --------
    >>> sizes = np.array([50, 100, 200, 400])
    >>> losses = PowerLaw(0.2, 3.0, 0.6)(sizes)[:, None] + np.array([-0.01, 0.0, 0.01])
    >>> fitted = fit_law(sizes, losses, random=Random(0))
    >>> round(fitted.law.a, 3), round(fitted.law.b, 3), round(fitted.law.c, 3)
    (0.2, 3.0, 0.6)
    """
    from scipy.stats import norm, t

    n = np.asarray(sizes, dtype=np.float64)
    folds, k = losses.shape[1], losses.shape[1] // repeats
    weights = _weights(n, losses)
    at = random.at(purpose=Purpose.BOOTSTRAP)
    drawn = np.minimum((at.uniform((_RESAMPLES, k)) * folds).astype(int), folds - 1)
    quantile = (1 + _LEVEL) / 2
    widening = float(t.ppf(quantile, k - 1) / norm.ppf(quantile) * np.sqrt(k / (k - 1)))
    mean = losses.mean(axis=1)
    return FittedLaw(_refined(n, mean, weights), _resampled(n, losses.T[drawn].mean(axis=1), weights), widening)


def _weights(n: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Return weights, one over the variance between folds: few folds tell it badly, so it is smoothed by a line."""
    variance = losses.var(axis=1, ddof=1)
    if not variance.all():
        return np.ones(len(n))
    slope, level = np.polyfit(np.log(n), np.log(variance), 1)
    logs = slope * np.log(n) + level
    return np.exp(logs.min() - logs)


def _refined(n: np.ndarray, losses: np.ndarray, weights: np.ndarray) -> PowerLaw:
    """Return the law that does not rise with the least weighted sum of squares."""
    from scipy.optimize import minimize_scalar

    unit = n[-1]  # in units of the largest size, so that the sums below are of like magnitude

    def squares(c: Any) -> Any:
        return _best_line((n / unit) ** -np.reshape(c, (-1, 1)), losses, weights, may_rise=False)[2]

    best = int(squares(_GRID).argmin())
    bounds = _GRID[max(best - 1, 0)], _GRID[min(best + 1, len(_GRID) - 1)]
    c = float(minimize_scalar(lambda c: squares(c)[0], bounds=bounds, method="bounded", options={"xatol": 1e-7}).x)
    a, b, _ = _best_line((n / unit) ** -c, losses, weights, may_rise=False)
    return PowerLaw(float(a), float(b * unit**c), c)


def _resampled(n: np.ndarray, losses: np.ndarray, weights: np.ndarray) -> list[PowerLaw]:
    """Return for each row of losses, shape (resamples, sizes), the law that is best among the exponents of the grid."""
    unit = n[-1]
    # Each has the shape (resamples, exponents).
    a, b, squares = _best_line((n / unit) ** -_GRID[:, None], losses[:, None, :], weights, may_rise=True)
    best = squares.argmin(axis=1)
    return [
        PowerLaw(float(a[row, at]), float(b[row, at] * unit ** _GRID[at]), float(_GRID[at]))
        for row, at in enumerate(best)
    ]


def _best_line(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, *, may_rise: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the a from 0 to min(y) and the b for which ``a + b * x`` is nearest to y, and the sum of squares.

    The last axis is that of the sizes.
    """
    share = weights / weights.sum()
    x_mean, y_mean = (share * x).sum(axis=-1), (share * y).sum(axis=-1)
    centered = x - x_mean[..., None]
    b = (share * centered * y).sum(axis=-1) / (share * centered**2).sum(axis=-1)
    a = y_mean - b * x_mean
    # At a bound of a, the best b is that of a line through it, because the sum of squares is convex in both.
    bounded = np.clip(a, 0.0, y.min(axis=-1))
    through = (share * x * (y - bounded[..., None])).sum(axis=-1) / (share * x * x).sum(axis=-1)
    falls = b > 0
    flat_a, flat_b = (a, b) if may_rise else (np.broadcast_to(y_mean, a.shape), 0.0)
    b = np.where(falls, np.where(bounded == a, b, through), flat_b)
    a = np.where(falls, bounded, flat_a)
    return a, b, (weights * (a[..., None] + b[..., None] * x - y) ** 2).sum(axis=-1)
