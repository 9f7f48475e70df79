"""Normalization: against golden figures of PyTorch's, and what becomes of the statistics that batches leave behind."""

from __future__ import annotations

import copy
import json
import pickle  # noqa: TID251 - copies of estimators and worker processes go this way; model files do not
from pathlib import Path

import numpy as np
import pytest
from tests.network.differences import derivative, relative_error
from tests.training.problems import classes

from taut import SGD, Adam, BatchNorm, Dense, LayerNorm, Network, NonFiniteLoss, ReLU, train
from taut.training import Callback, EarlyStopping

FIGURES = json.loads((Path(__file__).parents[1] / "golden" / "normalization.json").read_text(encoding="utf-8"))
KINDS = {"layer_norm": LayerNorm, "batch_norm": BatchNorm}
# Two cancelling digits of inputs around 1000 are lost in the mean, and three more by a deviation near 1e-3.
TOLERANCE = {"rtol": 1e-9, "atol": 1e-9}


def layer_of(name: str) -> Network:
    figures = FIGURES["layers"][name]
    network = Network([KINDS[name.partition(",")[0]](**figures["settings"])]).build(4)
    network.theta[:] = FIGURES["scale"] + FIGURES["shift"]
    return network


def assert_pass(network: Network, figures: dict, training: bool) -> None:
    """Check one pass forward and backward, and what it left behind."""
    outputs = network.forward(np.array(figures["inputs"]), training=training)
    np.testing.assert_allclose(outputs, figures["outputs"], **TOLERANCE)
    dy = np.arange(1.0, len(outputs) + 1)[:, None] * np.array(FIGURES["output_gradient"])
    np.testing.assert_allclose(network.backward(dy), figures["input_gradient"], **TOLERANCE)
    wanted = figures["scale_gradient"] + figures["shift_gradient"]
    np.testing.assert_allclose(network.gradient, wanted, **TOLERANCE)
    np.testing.assert_allclose(network.statistics, figures.get("mean", []) + figures.get("variance", []), rtol=1e-12)


@pytest.mark.parametrize("name", FIGURES["layers"])
def test_passes_in_training_and_evaluation_equal_pytorch(name):
    network = layer_of(name)
    for figures in FIGURES["layers"][name]["training"]:
        assert_pass(network, figures, training=True)
    assert_pass(network, FIGURES["layers"][name]["evaluation"], training=False)


def test_both_kinds_are_held_against_figures():
    assert {name.partition(",")[0] for name in FIGURES["layers"]} == KINDS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_gradients_outside_training_equal_central_differences(name):
    network, random = layer_of(name), np.random.default_rng(0)
    for _ in range(5):
        network.forward(3.0 + 2.0 * random.standard_normal((20, 4)), training=True)
    x, direction = random.standard_normal((6, 4)), random.standard_normal((6, 4))

    def projection() -> float:
        return float((network.forward(x, training=False) * direction).sum())

    projection()
    by_inputs = network.backward(direction)
    assert relative_error(by_inputs, derivative(projection, x)) < 1e-9
    assert relative_error(network.gradient, derivative(projection, network.theta)) < 1e-9


def test_layer_norm_treats_a_row_alike_whatever_stands_beside_it():
    network, x = layer_of("layer_norm"), np.random.default_rng(0).standard_normal((6, 4))
    alone = np.concatenate([network.forward(row[None], training=True) for row in x])
    np.testing.assert_array_equal(network.forward(x, training=True), alone)
    np.testing.assert_array_equal(network.predict(x), alone)


def test_running_statistics_come_to_those_of_the_data():
    network, random = Network([BatchNorm(0.05)]).build(3), np.random.default_rng(1)
    for _ in range(400):
        network.forward([1.0, -2.0, 5.0] + [1.0, 3.0, 0.5] * random.standard_normal((50, 3)), training=True)
    np.testing.assert_allclose(network.statistics, [1.0, -2.0, 5.0, 1.0, 9.0, 0.25], rtol=0.1)


def test_a_batch_of_one_row_is_finite_and_leaves_a_variance_of_zero():
    network = Network([BatchNorm(momentum=1.0)]).build(2)
    outputs = network.forward(np.array([[3.0, -1.0]]), training=True)
    np.testing.assert_array_equal(outputs, 0.0)
    np.testing.assert_array_equal(network.statistics, [3.0, -1.0, 0.0, 0.0])
    assert np.isfinite(network.backward(np.ones((1, 2)))).all()


def test_prediction_does_not_move_the_statistics():
    network = layer_of("batch_norm")
    before = network.state.copy()
    network.predict(np.random.default_rng(0).standard_normal((50, 4)))
    np.testing.assert_array_equal(network.state, before)


# --------------------------------------------------------------------------------- statistics at the tail of the state


def normalized() -> Network:
    return Network([Dense(6), BatchNorm(), ReLU(), LayerNorm(), Dense(5), BatchNorm(), ReLU(), Dense(3)])


def test_state_is_the_parameters_and_then_the_statistics():
    network = normalized().build(4)
    assert network.statistics.size == 2 * 6 + 2 * 5
    assert network.state.size == network.theta.size + network.statistics.size == network.gradient.size + 22
    np.testing.assert_array_equal(network.statistics, np.repeat([0.0, 1.0, 0.0, 1.0], [6, 6, 5, 5]))
    network.state[:] = np.arange(network.state.size)
    gathered = [statistic.value for layer in network.layers for statistic in layer.statistics]
    values = [parameter.value for parameter in network.parameters] + gathered
    flat = np.concatenate([value.ravel() for value in values])
    np.testing.assert_array_equal(flat, network.state)
    assert all(np.shares_memory(value, network.state) for value in [network.theta, network.statistics, *values])


def test_network_without_statistics_has_parameters_alone():
    network = Network([Dense(3)]).build(2)
    assert network.statistics.shape == (0,)
    np.testing.assert_array_equal(network.state, network.theta)
    assert np.shares_memory(network.state, network.theta)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))], ids=["deepcopy", "pickle"])
def test_a_copy_has_statistics_of_its_own(copied):
    X, y = classes()
    network = normalized()
    train(network, X, y, epochs=2)
    twin = copied(network)
    np.testing.assert_array_equal(twin.state, network.state)
    before = network.state.copy()
    for one in (twin, network):
        train(one, X, y, epochs=2)
    np.testing.assert_array_equal(twin.state, network.state)
    assert (network.statistics != before[network.theta.size :]).all()
    np.testing.assert_array_equal(twin.layers[1].variance.value, twin.statistics[6:12])


def test_early_stopping_restores_statistics_with_the_weights():
    states = []

    class Remember(Callback):
        def on_epoch_end(self, run):
            states.append(run.network.state.copy())

    X, y = classes()
    network, fresh = normalized(), classes(60, seed=4)
    callbacks = [Remember(), EarlyStopping(patience=1000)]
    history = train(network, X, y, optimizer=Adam(0.1), epochs=40, validation=fresh, callbacks=callbacks)
    assert history.best_epoch < 39
    np.testing.assert_array_equal(network.state, states[history.best_epoch])
    assert (network.statistics != states[-1][network.theta.size :]).all()


def test_statistics_from_before_a_diverging_epoch_are_put_back():
    X, y = classes()
    network = normalized().build(4)
    train(network, X, y, epochs=2)
    before = network.state.copy()
    with pytest.raises(NonFiniteLoss):
        train(network, X, y, optimizer=SGD(1e300), epochs=5, batch_size=16)
    np.testing.assert_array_equal(network.state, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_fits_and_validation_is_by_the_running_statistics(dtype):
    X, y = classes(90)
    X = (100.0 + 30.0 * X).astype(dtype)  # as no network without normalization would like it
    network = normalized()
    history = train(network, X, y, optimizer=Adam(0.02), epochs=60, batch_size=30, validation=(X, y))
    assert network.state.dtype == network.statistics.dtype == np.dtype(dtype)
    assert history["data_loss"][-1] < 0.5 < history["data_loss"][0]
    assert history["validation_data_loss"][-1] == history["evaluation_data_loss"][-1]
    assert history["evaluation_data_loss"][-1] < 0.6
