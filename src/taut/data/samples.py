"""Sample data: the spiral, and the small sets that scikit-learn ships, by name.

The spiral is the classic test of a small network: arms that turn around each other, which no straight line can
separate. The other sets are real tables that need no download. Both come ready to be fed to everything else here.
Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from taut.errors import DataError, InvalidValue

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SAMPLES", "TARGET", "load_sample", "spiral"]

TARGET = "target"
SAMPLES = ("breast_cancer", "diabetes", "digits", "iris", "spiral", "wine")
_TURNS = 2.5  # the angle t of the definition is wound this many times as far


def spiral(
    samples: int = 100,
    classes: int = 3,
    noise: float = 0.2,
    seed: int = 0,
    *,
    random_state: np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Make points on the noisy arms of a spiral, one arm a class.

    Class j of the classes has radius ``linspace(0, 1, samples)`` and angle
    ``t = linspace(4j, 4(j + 1), samples) + noise * normal(samples)``; its points are ``(r sin 2.5t, r cos 2.5t)``.

    Parameters
    ----------
    samples : int, default 100
        Points in each class.
    classes : int, default 3
        Number of arms.
    noise : float, default 0.2
        Standard deviation of the angle t, in radians before the winding by 2.5.
    seed : int, default 0
        Seed of NumPy's legacy generator, from 0 to 2**32 - 1, so that published figures can be repeated.
    random_state : numpy.random.RandomState, optional
        Draw from this generator instead of a new one; the caller can go on drawing from it afterwards.

    Returns
    -------
    X : ndarray of float64, shape (classes * samples, 2)
        Coordinates, class after class.
    y : ndarray of int64, shape (classes * samples,)
        Class of each point.

    Raises
    ------
    InvalidValue
        If `samples` or `classes` is below 1, `noise` is negative, or `seed` is out of range.

    References
    ----------
    A. Karpathy, "CS231n: a minimal neural network case study", 2015; H. Kinsley and D. Kukieła, "Neural Networks from
    Scratch in Python", 2020.

    Examples
    --------
    >>> X, y = spiral(samples=50, classes=2)
    >>> X.shape, y.tolist().count(1)
    ((100, 2), 50)
    """
    if samples < 1 or classes < 1:
        raise InvalidValue(f"samples and classes must be at least 1, got samples={samples}, classes={classes}")
    if not noise >= 0:
        raise InvalidValue(f"noise must be 0 or more, got {noise}")
    if not 0 <= seed < 2**32:
        raise InvalidValue(f"seed must be from 0 to 2**32 - 1, got {seed}")
    random = np.random.RandomState(seed) if random_state is None else random_state
    radius = np.linspace(0.0, 1.0, samples)
    points = np.empty((classes, samples, 2))
    for label in range(classes):
        angle = np.linspace(4 * label, 4 * (label + 1), samples) + random.randn(samples) * noise
        points[label] = np.column_stack([radius * np.sin(angle * _TURNS), radius * np.cos(angle * _TURNS)])
    return points.reshape(-1, 2), np.repeat(np.arange(classes), samples)


def load_sample(name: str) -> tuple[pd.DataFrame, str]:
    """Return a sample set as one table.

    Parameters
    ----------
    name : {"breast_cancer", "diabetes", "digits", "iris", "spiral", "wine"}
        Which set.

    Returns
    -------
    frame : pandas.DataFrame, shape (rows, columns + 1)
        The inputs and the target; classes that have names carry them.
    target : str
        Name of the target column.

    Raises
    ------
    DataError
        If there is no such set.

    Examples
    --------
    >>> frame, target = load_sample("iris")
    >>> frame.shape, sorted(frame[target].unique())
    ((150, 5), ['setosa', 'versicolor', 'virginica'])
    """
    import pandas as pd
    from sklearn import datasets

    if name not in SAMPLES:
        raise DataError(f"there is no sample set {name!r}: choose one of {', '.join(SAMPLES)}")
    if name == "spiral":
        points, labels = spiral()
        return pd.DataFrame({"x": points[:, 0], "y": points[:, 1], TARGET: labels}), TARGET
    bunch: Any = {
        "breast_cancer": datasets.load_breast_cancer,
        "diabetes": datasets.load_diabetes,
        "digits": datasets.load_digits,
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
    }[name](as_frame=True)
    frame: pd.DataFrame = bunch.frame
    if name in ("breast_cancer", "iris", "wine"):
        frame[TARGET] = np.asarray(bunch.target_names, dtype=object)[frame[TARGET].to_numpy()]
    return frame, TARGET
