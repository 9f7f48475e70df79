"""The compiled functions of vectors against longer arithmetic, in units in the last place."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy.special import erfc

from taut.engine import arithmetic
from taut.engine.products import count
from taut.engine.vectors import load, store

EXACT = np.longdouble

#: Largest errors in ulp that the docstring of the module promises: float32, float64.
BOUNDS = {
    "exp": (1.1, 1.1),
    "expm1": (1.9, 2.0),
    "log": (0.9, 0.9),
    "log1p": (1.0, 1.0),
    "tanh": (1.4, 1.4),
    "sigmoid": (2.3, 2.3),
    "softplus": (1.7, 1.7),
    "cosine": (4.0, 3.4),
    "sine": (4.0, 3.4),
    "normal_distribution": (5.5, 7.0),
}
TYPES = [np.float32, np.float64]

needs_longer_doubles = pytest.mark.skipif(
    np.finfo(EXACT).nmant < 60, reason="this machine has no floating-point type longer than float64"
)


def in_loop(function):
    @njit
    def run(x, y):
        for place in range(0, x.size, count(x)):
            store(y, place, function(load(x, place)))

    return run


LOOPS = {name: in_loop(getattr(arithmetic, name)) for name in BOUNDS}


def compiled(name, x):
    """Return the compiled function of an array of any length."""
    padded = np.concatenate([x, np.zeros(-x.size % 64, dtype=x.dtype)])
    y = np.empty_like(padded)
    LOOPS[name](padded, y)
    return y[: x.size]


def tail(a):
    """Return the standard normal distribution at -a for a ≥ 0, in longer arithmetic."""
    a = a.astype(EXACT)
    # Near zero the series of the distribution (Abramowitz and Stegun 26.2.11), beyond Laplace's continued fraction.
    near, far = np.minimum(a, 3), np.maximum(a, 3)
    term = series = near
    for i in range(1, 70):
        term = term * near * near / (2 * i + 1)
        series = series + term
    fraction = far
    for i in range(150, 0, -1):
        fraction = far + i / fraction
    density = np.exp(-a * a / 2) / np.sqrt(2 * EXACT("3.14159265358979323846264338327950288"))
    return np.where(a < 3, EXACT(0.5) - density * series, density / fraction)


def distribution(x):
    lower = tail(np.abs(x))
    return np.where(x < 0, lower, 1 - lower)


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def of_quarter(u):
    """Return sin(2πu) in longer arithmetic for |u| ≤ 1/4, where a small u loses nothing."""
    return np.sin(2 * EXACT("3.14159265358979323846264338327950288") * u)


def cosine(x):
    return of_quarter(EXACT(0.25) - np.abs(x - np.round(x)))


def sine(x):
    turn = x - np.round(x)
    a = np.abs(turn)
    return np.copysign(of_quarter(np.minimum(a, EXACT(0.5) - a)), turn)


REFERENCES = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "cosine": cosine,
    "sine": sine,
    "normal_distribution": distribution,
}


def arguments(name, kind):
    """Return many arguments from the whole range with a normal, finite result, most of them where most happens."""
    limits = np.finfo(kind)
    lowest, highest = float(np.log(limits.tiny)) + 0.01, float(np.log(limits.max)) - 0.01
    random = np.random.default_rng(17)
    many, signs = 40_000, random.choice([-1.0, 1.0], 40_000)
    powers = np.exp(random.uniform(lowest, highest, many))
    small = np.exp(random.uniform(-40.0, 0.0, many)) * signs
    tail_end = 13.0 if kind is np.float32 else 37.4
    ranges = {
        "exp": (lowest, highest),
        "expm1": (-50.0, highest),
        "tanh": (-25.0, 25.0),
        "sigmoid": (lowest, highest),
        "softplus": (lowest, highest),
        "cosine": (-1000.0, 1000.0),
        "sine": (-1000.0, 1000.0),
        "normal_distribution": (-tail_end, 10.0),
    }
    if name == "log":
        drawn = [powers, random.uniform(0.5, 2.0, many), 1.0 + small / 2]
    elif name == "log1p":
        drawn = [powers, random.uniform(-1.0, 2.0, many), small]
    else:
        drawn = [random.uniform(*ranges[name], many), random.uniform(-4.0, 4.0, many), small]
        drawn += [random.uniform(-0.8, 0.8, many)]
    x = np.concatenate(drawn).astype(kind)
    return x[x > -1] if name == "log1p" else x


def ulps(y, exact):
    return np.abs(y.astype(EXACT) - exact) / np.spacing(np.abs(exact).astype(y.dtype)).astype(EXACT)


@needs_longer_doubles
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", BOUNDS)
def test_the_error_is_what_the_docstring_says(name, kind):
    x = arguments(name, kind)
    y = compiled(name, x)
    assert y.dtype == kind
    errors = ulps(y, REFERENCES[name](x.astype(EXACT)))
    worst = np.argmax(errors)
    assert errors[worst] <= BOUNDS[name][TYPES.index(kind)], f"at {x[worst]!r}"


@needs_longer_doubles
@pytest.mark.parametrize(("kind", "bound"), [(np.float32, 1.3e-7), (np.float64, 3.5e-16)])
def test_the_normal_distribution_is_right_to_an_absolute_bound(kind, bound):
    x = arguments("normal_distribution", kind)
    assert np.abs(compiled("normal_distribution", x) - distribution(x)).max() < bound


def test_the_reference_of_the_normal_distribution_agrees_with_scipy():
    a = np.linspace(0.0, 25.0, 1001)
    np.testing.assert_allclose(tail(a).astype(np.float64), erfc(a / np.sqrt(2.0)) / 2, rtol=1e-12)


inf, nan = np.inf, np.nan
EDGES = {
    "exp": ([0, 1000, -1000, inf, -inf, nan, 1e30, -1e30], [1, inf, 0, inf, 0, nan, inf, 0]),
    "expm1": ([0, 1000, -1000, inf, -inf, nan, 1e30, -1e30], [0, inf, -1, inf, -1, nan, inf, -1]),
    "log": ([1, 0, -0.0, inf, -inf, nan, -1, -1e-30], [0, -inf, -inf, inf, nan, nan, nan, nan]),
    "log1p": ([0, -1, inf, -inf, nan, -2, 1e-20], [0, -inf, inf, nan, nan, nan, 1e-20]),
    "tanh": ([0, 1000, -1000, inf, -inf, nan, 1e-20], [0, 1, -1, 1, -1, nan, 1e-20]),
    "sigmoid": ([0, 1000, -1000, inf, -inf, nan], [0.5, 1, 0, 1, 0, nan]),
    "softplus": ([1000, -1000, inf, -inf, nan], [1000, 0, inf, 0, nan]),
    "cosine": ([0.25, -0.25, 0.75, 1000.25, inf, -inf, nan], [0, 0, 0, 0, nan, nan, nan]),
    "sine": ([0, 0.5, -0.5, 1, 1000, inf, -inf, nan], [0, 0, 0, 0, 0, nan, nan, nan]),
    "normal_distribution": ([0, 1000, -1000, inf, -inf, nan], [0.5, 1, 0, 1, 0, nan]),
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", BOUNDS)
def test_edges(name, kind):
    x, expected = (np.array(values, dtype=kind) for values in EDGES[name])
    np.testing.assert_array_equal(compiled(name, x), expected)


@pytest.mark.parametrize("kind", TYPES)
def test_exp_is_zero_below_the_smallest_normal_number_and_infinite_above_the_largest(kind):
    limits = np.finfo(kind)
    for bound, inside, outside in ((limits.tiny, 1, 0.0), (limits.max, -1, np.inf)):
        edge = np.log(EXACT(bound)).astype(kind)
        spacing = np.spacing(edge) if edge > 0 else -np.spacing(edge)
        last, beyond = edge + 2 * inside * spacing, edge - 2 * inside * spacing
        y = compiled("exp", np.array([last, beyond], dtype=kind))
        np.testing.assert_allclose(y[0].astype(EXACT), np.exp(EXACT(last)), rtol=2 * limits.eps)
        assert y[1] == outside


@pytest.mark.parametrize("kind", TYPES)
def test_logarithms_below_the_smallest_normal_number(kind):
    x = (np.finfo(kind).tiny * np.array([0.9, 0.5, 0.01, 1e-5])).astype(kind)
    np.testing.assert_allclose(compiled("log", x), np.log(x.astype(EXACT)).astype(kind), rtol=2 * np.finfo(kind).eps)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", BOUNDS)
def test_a_lane_does_not_depend_on_its_neighbours(name, kind):
    x = arguments(name, kind)[:64]
    alone = np.concatenate([compiled(name, np.full(64, value))[:1] for value in x])
    np.testing.assert_array_equal(compiled(name, x), alone)
