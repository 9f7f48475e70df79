"""Reliability: the bins, the intervals, the calibration error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from taut.errors import InvalidValue
from taut.selection.reliability import reliability, wilson_interval


def test_the_calibration_error_is_that_of_guo_et_al_written_out():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), size=500)
    true = random.integers(0, 3, 500)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == true
    expected = 0.0
    for low in np.arange(15) / 15:
        here = (confidence >= low) & (confidence < low + 1 / 15)
        if here.any():
            expected += here.mean() * abs(confidence[here].mean() - right[here].mean())
    found = reliability(probabilities, true)
    assert found.error == pytest.approx(expected)
    assert found.rows.sum() == 500
    assert (found.rows > 0).all()
    assert found.accuracy @ found.rows == pytest.approx(right.sum())


def test_intervals_are_wilsons():
    hits, rows = np.array([0, 3, 20, 20]), np.array([7, 9, 40, 20])
    low, high = wilson_interval(hits, rows)
    for place, (hit, row) in enumerate(zip(hits, rows, strict=True)):
        expected = binomtest(int(hit), int(row)).proportion_ci(method="wilson")
        assert (low[place], high[place]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_certainty_is_in_the_last_bin_and_nothing_is_refused():
    found = reliability(np.array([[1.0, 0.0]]), np.array([0]))
    assert (found.confidence.tolist(), found.error) == ([1.0], 0.0)
    for probabilities, true in ((np.ones(3), np.ones(3)), (np.ones((2, 2)), np.ones(3)), (np.ones((0, 2)), np.ones(0))):
        with pytest.raises(InvalidValue, match="a row for each"):
            reliability(probabilities, true)
