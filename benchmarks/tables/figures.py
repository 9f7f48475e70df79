"""What is measured of an answer: loss, error and calibration on the test rows."""

from __future__ import annotations

import numpy as np

from benchmarks.tables.problems import Problem

__all__ = ["expected_calibration_error", "measured"]

BINS = 15


def measured(problem: Problem, answer: np.ndarray) -> dict[str, float]:
    """Return the figures of an answer.

    Parameters
    ----------
    problem : Problem
        The table.
    answer : ndarray, shape (rows, classes) or (rows,)
        Probabilities in the order of `problem.classes`, or predictions, for the test rows.

    Returns
    -------
    dict
        For classes: "loss", the log loss; "error", the share of wrong classes; "ece". For numbers: "loss", the root
        mean squared error, and "error", the same once more, so that both rankings are over all tables; "mae".
    """
    if not problem.is_classification:
        residuals = np.asarray(answer, dtype=np.float64).ravel() - problem.y_test
        rmse = float(np.sqrt(np.mean(residuals**2)))
        return {"loss": rmse, "error": rmse, "mae": float(np.abs(residuals).mean())}
    probabilities = np.clip(np.asarray(answer, dtype=np.float64), 1e-7, None)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    codes = np.searchsorted(problem.classes, problem.y_test)
    true = probabilities[np.arange(len(codes)), codes]
    return {
        "loss": float(-np.log(true).mean()),
        "error": float((probabilities.argmax(axis=1) != codes).mean()),
        "ece": expected_calibration_error(probabilities, codes),
    }


def expected_calibration_error(probabilities: np.ndarray, codes: np.ndarray) -> float:
    """Return the expected calibration error of the likeliest class, over bins of equal width (Guo et al., 2017).

    Parameters
    ----------
    probabilities : ndarray, shape (rows, classes)
        Rows sum to 1.
    codes : ndarray of int, shape (rows,)
        True classes.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == codes
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, confidence - correct, minlength=BINS)
    return float(np.abs(gaps).sum() / len(codes))
