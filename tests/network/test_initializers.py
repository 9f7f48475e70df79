"""Initializers: the stated spread, orthonormality, and the same draw for the same place."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from tests.kinds import examples

from taut.errors import InvalidValue
from taut.network import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
    Normal,
    Ones,
    Orthogonal,
    Zeros,
)
from taut.network.kinds import INITIALIZERS
from taut.random import Random

SHAPE = (120, 250)
VARIANCES = {
    Normal(0.3): 0.09,
    HeNormal(): 2 / 120,
    HeUniform(): 2 / 120,
    GlorotNormal(): 2 / 370,
    GlorotUniform(): 2 / 370,
    LeCunNormal(): 1 / 120,
    LeCunUniform(): 1 / 120,
}


@pytest.mark.parametrize("initializer", VARIANCES, ids=repr)
def test_mean_is_zero_and_variance_as_stated(initializer):
    drawn, variance = initializer.draw(SHAPE, Random(0)), VARIANCES[initializer]
    assert abs(drawn.mean()) < 4 * sqrt(variance / drawn.size)
    assert drawn.var() == pytest.approx(variance, rel=4 * sqrt(2 / drawn.size))


@pytest.mark.parametrize("initializer", [HeUniform(), GlorotUniform(), LeCunUniform()], ids=repr)
def test_uniform_draws_stay_within_their_bounds(initializer):
    drawn, bound = initializer.draw(SHAPE, Random(0)), sqrt(3 * VARIANCES[initializer])
    assert np.abs(drawn).max() <= bound
    assert np.abs(drawn).max() > 0.999 * bound
    # Kurtosis tells a uniform (1.8) from a normal distribution (3).
    assert (drawn**4).mean() / (drawn**2).mean() ** 2 == pytest.approx(1.8, abs=0.05)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 6), (6, 1), (7,)], ids=str)
def test_orthogonal_draws_are_orthonormal_on_the_smaller_side(shape):
    drawn = Orthogonal(1.5).draw(shape, Random(1)) / 1.5
    assert drawn.shape == shape
    matrix = drawn.reshape(-1, shape[-1])
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(min(matrix.shape)), atol=1e-13)


def test_orthogonal_draws_favour_no_direction():
    drawn = np.array([Orthogonal().draw((2, 2), Random(seed))[0] for seed in range(2000)])
    assert np.abs(drawn.mean(axis=0)).max() < 4 * sqrt(0.5 / 2000)


@pytest.mark.parametrize("shape", [(3, 4), (5,)], ids=str)
@pytest.mark.parametrize("factory", examples(INITIALIZERS))
def test_draw_is_a_function_of_the_place(factory, shape):
    initializer = factory()
    first, again = initializer.draw(shape, Random(3)), initializer.draw(shape, Random(3))
    assert first.shape == shape
    assert first.dtype == np.float64
    np.testing.assert_array_equal(first, again)
    if isinstance(initializer, (Zeros, Ones)):
        assert (first == float(isinstance(initializer, Ones))).all()
    else:
        assert (first != initializer.draw(shape, Random(4))).any()


@pytest.mark.parametrize("make", [lambda: Normal(-1), lambda: Orthogonal(0), lambda: Normal(float("nan"))])
def test_unusable_settings_are_refused(make):
    with pytest.raises(InvalidValue, match=r"^(sigma|gain) must be a number"):
        make()
