"""Sharpness-aware minimization: a step along the gradient that stands a radius uphill, all else as without."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.problems import classes, columns, plain

from taut import L1, L2, SGD, Adam, BatchNorm, CrossEntropy, Dense, Dropout, Network, ReLU, train
from taut.random import Random


def linear(*penalties) -> Network:
    return Network([Dense(3, *penalties)]).build(4, seed=2)


def gradient_of(net: Network, random: Random | None = None) -> np.ndarray:
    """Return the gradient of the data loss, with noise if it is drawn from somewhere."""
    (X, y), loss = classes(), CrossEntropy()
    net.backward(loss.gradient(net.forward(X, training=random is not None, random=random), y))
    return net.gradient.copy()


def uphill(net: Network, radius: float, random: Random | None = None) -> np.ndarray:
    """Return the gradient a radius uphill, by the formula."""
    kept, gradient = net.theta.copy(), gradient_of(net, random)
    net.theta += radius * gradient / np.linalg.norm(gradient)
    found = gradient_of(net, random)
    net.theta[:] = kept
    return found


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("radius", [0.05, 2.0])
def test_a_step_is_along_the_gradient_uphill_and_penalties_are_of_where_the_weights_are(radius, engine):
    net = linear(L2(0.5))
    before, gradient = net.theta.copy(), uphill(linear(), radius)
    gradient[:12] += 2 * 0.5 * before[:12]
    train(net, *classes(), optimizer=SGD(0.1, sam=radius), epochs=1, batch_size=None, engine=engine)
    np.testing.assert_allclose(net.theta, before - 0.1 * gradient, rtol=1e-12)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_both_passes_drop_the_same_units(engine):
    net = Network([Dense(9), ReLU(), Dropout(0.5), Dense(3)]).build(4, seed=2)
    before, gradient = net.theta.copy(), uphill(net, 0.3, Random(7))
    train(net, *classes(), optimizer=SGD(0.1, sam=0.3), epochs=1, batch_size=None, seed=7, engine=engine)
    np.testing.assert_allclose(net.theta, before - 0.1 * gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_what_is_recorded_and_gathered_is_of_the_first_pass(engine):
    def first(sam: float):
        net = Network([Dense(9, L1(1e-3)), BatchNorm(), ReLU(), Dense(3)]).build(4, seed=2)
        history = train(net, *classes(), optimizer=SGD(0.1, sam=sam), epochs=1, batch_size=None, engine=engine)
        return net, history

    (net, history), (plain, expected) = first(0.5), first(0.0)
    for name in ("loss", "data_loss", "penalty", "accuracy", "learning_rate"):
        assert history[name] == expected[name], name
    np.testing.assert_array_equal(net.statistics, plain.statistics)
    assert (net.theta != plain.theta).any()


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_where_the_gradient_is_zero_nothing_moves(engine):
    X, y, net = np.zeros((9, 4)), np.zeros(9), Network([Dense(1)]).build(4, seed=2)
    before = net.theta.copy()
    train(net, X, y, loss="mse", optimizer=SGD(0.1, sam=0.5), epochs=1, batch_size=None, engine=engine)
    np.testing.assert_array_equal(net.theta, before)


def test_sharpness_narrows_the_gap_between_training_and_fresh_rows():
    X, y = classes(60, seed=1)
    ends = []
    for sam in (0.0, 0.5):
        rule = Adam(0.02, sam=sam)
        history = train(plain(), X, y, optimizer=rule, epochs=300, batch_size=None, validation=classes(600, 2))
        ends.append((history["evaluation_data_loss"][-1], history["validation_data_loss"][-1]))
    (fit, fresh), (flat_fit, flat_fresh) = ends
    assert flat_fit > fit
    assert flat_fresh < fresh


def test_float32_stays_float32():
    X, y = classes()
    net = Network([Dense(8), ReLU(), Dense(3)]).build(4, dtype="float32")
    history = train(net, X, y, optimizer=Adam(0.01, sam=0.1), epochs=3, batch_size=16, engine="numpy")
    assert net.theta.dtype == np.float32
    assert all(np.isfinite(values).all() for values in columns(history).values())
