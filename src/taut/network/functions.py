"""Functions that activations and losses share, in the form that never overflows.

Floor 2 of the house.
"""

from __future__ import annotations

import numpy as np

__all__ = ["log_softmax", "sigmoid", "softmax", "softplus"]


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return ``1 / (1 + exp(-z))``, same shape."""
    # exp of a negative number only, so that nothing overflows.
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1.0, e) / (1.0 + e))


def softplus(z: np.ndarray) -> np.ndarray:
    """Return ``log(1 + exp(z))``, same shape."""
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Return the logarithms of the softmax of each row, shape (samples, classes)."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return the softmax of each row, shape (samples, classes)."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))
