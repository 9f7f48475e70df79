"""The figures of an answer, on the test rows: its loss and how sure that is, its error, its calibration."""

from __future__ import annotations

import numpy as np

from benchmarks.tables.problems import Problem

__all__ = ["expected_calibration_error", "measured"]

#: Bins of the calibration error.
BINS = 15
#: No probability counts as less: one class ruled out in vain would otherwise make the loss infinite.
LEAST_PROBABILITY = 1e-7


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
        For classes: "loss", the log loss; "error", the share of wrong classes; "ece", the calibration error. For
        numbers: "loss", the root mean squared error; "error", the same once more, so that both rankings are over all
        tables; "mae", the mean absolute error. For both "loss_se", the standard error of the loss over the test rows;
        that of a root mean square comes by the delta method: the standard error of the mean square over twice the root.
    """
    if not problem.is_classification:
        residuals = np.asarray(answer, dtype=np.float64).ravel() - problem.y_test
        rmse = float(np.sqrt(np.mean(residuals**2)))
        rmse_se = _standard_error(residuals**2) / (2.0 * rmse) if rmse else 0.0
        return {"loss": rmse, "loss_se": rmse_se, "error": rmse, "mae": float(np.abs(residuals).mean())}
    probabilities = np.clip(np.asarray(answer, dtype=np.float64), LEAST_PROBABILITY, None)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    codes = np.searchsorted(problem.classes, problem.y_test)
    losses = -np.log(probabilities[np.arange(len(codes)), codes])
    return {
        "loss": float(losses.mean()),
        "loss_se": _standard_error(losses),
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


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
