"""The scaler that draws in what lies far outside."""

import numpy as np

from taut.data.clipping import RobustClippedScaler
from taut.data.scaling import fit_scaler


def scaled(train, later):
    return fit_scaler("robust_clipped", np.array(train)[:, None], None).transform(np.array(later)[:, None])[:, 0]


def test_scale_is_the_interquartile_range_then_half_the_range_then_nothing():
    values = np.array([[0.0, 7.0, 5.0], [1.0, 7.0, 5.0], [2.0, 7.0, 5.0], [3.0, 7.0, 5.0], [90.0, 11.0, 5.0]])
    scaler = RobustClippedScaler().fit(values)
    np.testing.assert_array_equal(scaler.center_, [2.0, 7.0, 5.0])
    np.testing.assert_array_equal(scaler.scale_, [2.0, 2.0, np.inf])
    z = 4.0 / 2.0
    np.testing.assert_allclose(scaler.transform([[6.0, 11.0, 8.0]])[0], [z / np.sqrt(1 + z**2 / 9)] * 2 + [0.0])


def test_order_is_kept_and_nothing_is_beyond_three():
    values = scaled(np.linspace(-1, 1, 21), [-1e300, -50.0, -2.0, 0.0, 0.001, 2.0, 50.0, 1e300])
    assert (np.diff(values) > 0).all()
    assert np.abs(values).max() == 3.0


def test_tiniest_scale_overflows_nowhere():
    values = scaled([0.0, 1e-310, 2e-310, 3e-310], [0.0, 1.5e-310, 1e140, -1e140])
    np.testing.assert_allclose(values[1:], [0.0, 3.0, -3.0], atol=1e-9)
    assert np.isfinite(values).all()


def test_callers_numbers_stay_as_they_are():
    values = np.arange(12.0).reshape(4, 3)
    kept = values.copy()
    RobustClippedScaler().fit(values).transform(values)
    np.testing.assert_array_equal(values, kept)
