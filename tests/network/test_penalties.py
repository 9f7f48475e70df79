"""Penalties: values, gradients, types, and what regularizing does to single weights."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kinds import examples
from tests.network.differences import away_from_kinks, derivative, relative_error

from taut.errors import InvalidType, InvalidValue
from taut.network import L1, L2, GroupL1, MaxNorm, NonNegative, Orthogonality, Sum
from taut.network.kinds import PENALTIES

SHAPES = [(4, 3), (3, 4), (1, 5), (5, 1), (6,)]


def suits(penalty, shape) -> bool:
    return len(shape) == 2 or not any(isinstance(part, Orthogonality) for part in penalty.parts)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("factory", examples(PENALTIES))
def test_gradient_equals_central_differences_of_the_value(factory, shape):
    penalty, w = factory(), away_from_kinks(shape)
    if suits(penalty, shape):
        assert relative_error(penalty.gradient(w), derivative(lambda: penalty.value(w), w)) < 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("factory", examples(PENALTIES))
def test_type_and_arrays_are_kept(factory, shape, dtype):
    penalty, w = factory(), away_from_kinks(shape).astype(dtype)
    if not suits(penalty, shape):
        return
    steps = np.random.default_rng(0).uniform(0.1, 1.0, shape)  # float64, as an optimizer may return
    kept, kept_steps = w.copy(), steps.copy()
    assert type(penalty.value(w)) is float
    results = [penalty.gradient(w)]
    if not isinstance(penalty, Orthogonality):
        results += [penalty.prox(w, 0.5), penalty.prox(w, np.float64(0.5)), penalty.prox(w, steps)]
    for result in results:
        assert result.dtype == np.dtype(dtype)
        assert result.shape == shape
        assert not np.shares_memory(result, w) or isinstance(penalty, Sum)
    np.testing.assert_array_equal(w, kept)
    np.testing.assert_array_equal(steps, kept_steps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factory", examples(PENALTIES))
def test_large_and_zero_weights_give_finite_numbers(factory, dtype):
    penalty = factory()
    for w in (np.array([[1e4, -1e4, 0.0], [0.0, 1e4, 1e-30]], dtype=dtype), np.zeros((2, 3), dtype=dtype)):
        assert np.isfinite(penalty.value(w))
        assert np.isfinite(penalty.gradient(w)).all()
        if not isinstance(penalty, Orthogonality):
            for step in (0.0, 1e-8, 1e6, np.full(w.shape, 1e-3), np.zeros(w.shape)):
                assert np.isfinite(penalty.prox(w, step)).all()


def test_values_are_the_stated_sums():
    w = np.array([[3.0, 0.0], [-4.0, 2.0]])
    assert L1(0.5).value(w) == 4.5
    assert L2(0.5).value(w) == 14.5
    assert GroupL1(0.5, by="input").value(w) == pytest.approx(0.5 * (3 + np.sqrt(20)))
    assert GroupL1(0.5, by="unit").value(w) == pytest.approx(0.5 * (5 + 2))
    assert Orthogonality(0.5).value(w) == pytest.approx(0.5 * (24**2 + 2 * 8**2 + 3**2))
    assert (L1(0.5) + L2(0.5) + GroupL1(0.5, by="unit")).value(w) == pytest.approx(4.5 + 14.5 + 3.5)
    assert MaxNorm(1.0).value(w) == NonNegative().value(w) == Sum().value(w) == 0.0


def test_group_lasso_on_biases_is_the_lasso():
    w = np.array([3.0, 0.0, -0.2])
    assert GroupL1(0.5).value(w) == pytest.approx(L1(0.5).value(w))
    np.testing.assert_allclose(GroupL1(0.5).prox(w, 1.0), L1(0.5).prox(w, 1.0), rtol=1e-14)


@pytest.mark.parametrize("at_zero", [-1.0, 0.0, 0.5, 1.0])
def test_sign_at_zero_of_the_l1_subgradient_can_be_chosen(at_zero):
    gradient = L1(0.5, proximal=False, at_zero=at_zero).gradient(np.array([2.0, 0.0, -0.0, -3.0]))
    assert gradient.tolist() == [0.5, 0.5 * at_zero, 0.5 * at_zero, -0.5]


def test_l1_pulls_all_weights_alike_and_l2_large_ones_most():
    w = np.array([0.1, 10.0])
    assert L1(0.5).gradient(w).tolist() == [0.5, 0.5]
    assert L2(0.5).gradient(w).tolist() == pytest.approx([0.1, 10.0])
    # Relative to the weight, L1 hits the small one harder and L2 both alike.
    l1_left, l2_left = L1(0.05).prox(w, 1.0) / w, L2(0.05).prox(w, 1.0) / w
    assert l1_left[0] < l1_left[1]
    assert l2_left[0] == pytest.approx(l2_left[1])


@pytest.mark.parametrize("kind", [L1, L2, GroupL1, Orthogonality])
def test_larger_strength_penalizes_more(kind):
    w = away_from_kinks((4, 3))
    values = [kind(lam).value(w) for lam in (0.0, 1e-4, 1e-2, 1.0)]
    assert values == sorted(values)
    assert values[0] == 0.0 < values[1]


def test_orthogonality_is_zero_for_orthonormal_rows_or_columns_only():
    q = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 3)))[0]
    for w in (q, q.T):
        assert Orthogonality(1.0).value(w) == pytest.approx(0.0, abs=1e-24)
        assert Orthogonality(1.0).value(1.1 * w) > 0.1
    with pytest.raises(InvalidValue, match=r"orthogonality is for weights of shape .*, got shape \(3,\)"):
        Orthogonality(1.0).value(np.ones(3))
    with pytest.raises(InvalidValue, match="no proximal operator"):
        Orthogonality(1.0).prox(q, 0.1)


def test_sums_are_flat_and_split_by_how_training_applies_them():
    l1, l2, slope, group = L1(0.1), L2(0.2), L1(0.3, proximal=False), GroupL1(0.1)
    assert (l1 + l2 + (slope + group)).parts == (l1, l2, slope, group)
    nested = Sum((Sum((l1, l2)), Sum(), Sum((Sum((slope, group)),))))
    assert nested.parts == (l1, l2, slope, group)
    assert nested.smooth.parts == (l2, slope)
    assert nested.nonsmooth.parts == (l1, group)
    assert (Sum() + l1) == l1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L1(-0.1), "L1 lam must be a number at least 0, got -0.1"),
        (lambda: L2("a"), "L2 lam must be a number at least 0, got 'a'"),
        (lambda: L1(0.1, at_zero=2), "at_zero must be a number at least -1 and at most 1, got 2"),
        (lambda: L1(0.1, proximal="yes"), "proximal must be True or False, got 'yes'"),
        (lambda: GroupL1(0.1, by="row"), "by must be one of input, unit; got 'row'"),
        (lambda: MaxNorm(0), "max-norm limit must be a number above 0, got 0"),
        (lambda: L1(0.1) + 3, "only penalties can be added to a penalty, got 3"),
        (lambda: Sum((1,)), r"a sum needs a tuple of penalties, got \(1,\)"),
    ],
)
def test_unusable_settings_are_refused_in_one_line(make, message):
    with pytest.raises((InvalidValue, InvalidType), match=f"^{message}$"):
        make()
