"""Subsets: an order of rows whose every beginning is a fair sample of them, so that a smaller one is part of a larger.

Learning curves and stability selection train on parts of the rows. What they take is the beginning of one random order:
classes keep their shares in it as far as they go, groups come whole, and where rows have a time the latest are first.
Floor 5 of the house; knows nothing of training.
"""

from __future__ import annotations

import numpy as np

from taut.random import Random

__all__ = ["beginning", "fair_order"]


def fair_order(
    random: Random,
    n: int,
    *,
    strata: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    time: np.ndarray | None = None,
) -> np.ndarray:
    """Return an order of rows whose every beginning is a fair sample.

    Parameters
    ----------
    random : Random
        Where the order is drawn.
    n : int
        Rows.
    strata : ndarray of int, shape (n,), optional
        Classes, which keep their shares: of a class with `m` rows, the k-th comes after the share ``(k - 1/2) / m`` of
        the order. Where rows come in groups, the shares are left to chance.
    groups : ndarray of int, shape (n,), optional
        Rows with the same value come one after another.
    time : ndarray of int, shape (n,), optional
        The place of each row in time: the latest come first, and nothing is random.

    Returns
    -------
    ndarray of int64, shape (n,)
        Positions of rows.

    Examples
    --------
    >>> strata = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1])
    >>> strata[fair_order(Random(0), 9, strata=strata)].tolist()
    [0, 1, 0, 0, 1, 0, 0, 1, 0]
    """
    if time is not None:
        return np.argsort(time, kind="stable")[::-1]
    shuffled = random.permutation(n)
    if groups is not None:
        _, first, codes = np.unique(groups[shuffled], return_index=True, return_inverse=True)
        return shuffled[np.argsort(first[codes], kind="stable")]
    if strata is None:
        return shuffled
    strata = strata[shuffled]
    share = np.empty(n)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        share[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return shuffled[np.argsort(share, kind="stable")]


def beginning(order: np.ndarray, size: int, groups: np.ndarray | None = None) -> np.ndarray:
    """Return the first rows of an order, so many, or with `groups` as many as makes the last group whole.

    Parameters
    ----------
    order : ndarray of int64, shape (rows,)
        From `fair_order`.
    size : int
        How many, at least 1.
    groups : ndarray of int, shape (rows,), optional
        The group of each row, at its position.

    Examples
    --------
    >>> beginning(np.array([3, 2, 0, 1]), 3, groups=np.array([7, 7, 5, 5])).tolist()
    [3, 2, 0, 1]
    """
    if groups is None:
        return order[:size]
    return order[np.isin(groups[order], groups[order[:size]])]
