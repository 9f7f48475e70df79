"""Clipping: the gradient of data loss and smooth penalties keeps its direction and gets no longer than the limit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.problems import classes, columns, network

from taut import L1, L2, SGD, Adam, CrossEntropy, Dense, Network, ReLU, train


def linear() -> Network:
    return Network([Dense(3, L2(0.5) + L1(0.2), bias_penalty=L2(0.3))]).build(4, seed=2)


def gradient_of(net: Network) -> np.ndarray:
    """Return the gradient of the data loss and the smooth penalties."""
    (X, y), loss = classes(), CrossEntropy()
    net.backward(loss.gradient(net.forward(X, training=False), y))
    weights, biases = net.parameters
    weights.gradient += 2 * 0.5 * weights.value
    biases.gradient += 2 * 0.3 * biases.value
    return net.gradient.copy()


@pytest.mark.parametrize("limit", [1e-3, 0.1, 1.0, 2.0, 100.0])
def test_a_step_is_along_the_whole_gradient_and_no_longer_than_the_limit(limit):
    net, net_without_proximal = linear(), Network([Dense(3, L2(0.5), L2(0.3))]).build(4, seed=2)
    net_without_proximal.theta[:] = net.theta
    gradient, before = gradient_of(net), net.theta.copy()
    train(net_without_proximal, *classes(), optimizer=SGD(0.1, clip_norm=limit), epochs=1, batch_size=None)
    norm = np.linalg.norm(gradient)
    assert 2.0 < norm < 100.0
    step = 0.1 * gradient * min(1.0, limit / norm)
    np.testing.assert_allclose(net_without_proximal.theta, before - step, rtol=1e-13)
    # Soft thresholding comes after the step and is not shortened with it.
    train(net, *classes(), optimizer=SGD(0.1, clip_norm=limit), epochs=1, batch_size=None)
    weights = (before - step)[:12]
    np.testing.assert_allclose(net.theta[:12], np.sign(weights) * np.maximum(np.abs(weights) - 0.02, 0), atol=1e-14)


@pytest.mark.parametrize(("engine", "tolerance"), [("numpy", 0), ("compiled", 1e-12)])
def test_a_limit_that_is_never_reached_changes_nothing(engine, tolerance):
    """To clip, compiled code adds penalties to the gradient in a pass of its own, where they are rounded once more."""
    nets = network(), network()
    histories = [
        train(net, *classes(), optimizer=Adam(0.01, clip_norm=limit), epochs=4, batch_size=16, engine=engine)
        for net, limit in zip(nets, (None, 1e6), strict=True)
    ]
    np.testing.assert_allclose(nets[0].theta, nets[1].theta, rtol=0, atol=tolerance)
    first, second = (columns(history) for history in histories)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=tolerance, err_msg=name)


def test_clipping_keeps_float32_and_counts_in_float64():
    X, y = classes()
    net = Network([Dense(8), ReLU(), Dense(3)]).build(4, dtype="float32")
    train(net, 1e30 * X, y, loss="cross_entropy", optimizer=SGD(0.1, clip_norm=0.5), epochs=1, batch_size=None)
    # The squares of the gradient overflow in float32; the step is as long as the limit says all the same.
    fresh = Network([Dense(8), ReLU(), Dense(3)]).build(4, dtype="float32")
    assert net.gradient.dtype == np.float32
    assert np.linalg.norm((net.theta - fresh.theta).astype(np.float64)) == pytest.approx(0.05, rel=1e-5)


def test_clipping_tames_steps_that_would_diverge():
    X, y = classes()
    net = Network([Dense(3)])
    history = train(net, 1e4 * X, y, optimizer=SGD(0.01, clip_norm=1e-3), epochs=50, batch_size=16)
    wild = train(Network([Dense(3)]), 1e4 * X, y, optimizer=SGD(0.01), epochs=50, batch_size=16)
    assert history["data_loss"][-1] < 0.2 * wild["data_loss"][-1]
