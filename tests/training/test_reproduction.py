"""The published run, and what L2 does over many seeds."""

from __future__ import annotations

import numpy as np
import pytest

from taut import L2, Adam, CrossEntropy, Dense, InverseTime, Network, Normal, ReLU, spiral, train


def published_network(generator: np.random.RandomState) -> Network:
    """Return the published network with the published first weights: drawn after the data, layer by layer."""
    network = Network([Dense(64, L2(1e-5), L2(1e-5)), ReLU(), Dense(3)]).build(2)
    hidden, _, output, _ = network.parameters
    hidden.value[...] = 0.01 * generator.randn(2, 64)
    output.value[...] = 0.01 * generator.randn(64, 3)
    return network


@pytest.fixture(scope="module", params=["numpy", "compiled"])
def history(request):
    generator = np.random.RandomState(0)
    X, y = spiral(100, 3, random_state=generator)
    optimizer = Adam(0.05, schedule=InverseTime(1e-8, compounding=True))
    settings = {"optimizer": optimizer, "epochs": 201, "batch_size": None, "engine": request.param}
    return train(published_network(generator), X, y, **settings)


@pytest.mark.parametrize(
    ("epoch", "accuracy", "loss", "data_loss", "penalty", "rate"),
    [
        (0, 0.360, 1.099, 1.099, 0.000, 0.05),
        (100, 0.707, 0.698, 0.696, 0.002, 0.04999752506207612),
        (200, 0.797, 0.527, 0.523, 0.004, 0.049990050996574775),
    ],
)
def test_published_run_is_reproduced_to_the_printed_digits(history, epoch, accuracy, loss, data_loss, penalty, rate):
    assert f"{history['accuracy'][epoch]:.3f}" == f"{accuracy:.3f}"
    assert f"{history['loss'][epoch]:.3f}" == f"{loss:.3f}"
    assert f"{history['data_loss'][epoch]:.3f}" == f"{data_loss:.3f}"
    assert f"{history['penalty'][epoch]:.3f}" == f"{penalty:.3f}"
    # The document prints the rate of the update before; all its digits are the same.
    assert history["learning_rate"][max(epoch - 1, 0)] == rate


def test_penalty_of_the_published_run_belongs_to_the_hidden_layer(history):
    np.testing.assert_array_equal(history["penalty_0"], history["penalty"])
    np.testing.assert_array_equal(history["penalty_2"], 0.0)


def validation_loss(penalty: L2 | None, seed: int, epochs: int) -> float:
    generator = np.random.RandomState(seed)
    X, y = spiral(100, 3, random_state=generator)
    X_fresh, y_fresh = spiral(100, 3, random_state=generator)
    layers = [Dense(64, penalty, penalty, initializer=Normal(0.01)), ReLU(), Dense(3, initializer=Normal(0.01))]
    network = Network(layers)
    optimizer = Adam(0.02, schedule=InverseTime(5e-7, compounding=True))
    train(network, X, y, optimizer=optimizer, epochs=epochs, batch_size=None, seed=seed, evaluate_training=False)
    return CrossEntropy().value(network.predict(X_fresh), y_fresh)


def test_l2_lowers_the_validation_loss_over_paired_seeds():
    """A short form of docs/studies/run_d.py: same data and first weights in both arms, 20 seeds."""
    epochs = 500
    differences = np.array(
        [validation_loss(L2(5e-4), seed, epochs) - validation_loss(None, seed, epochs) for seed in range(20)]
    )
    resampled = np.random.default_rng(0).choice(differences, (10_000, len(differences)))
    low, high = np.quantile(np.median(resampled, axis=1), [0.025, 0.975])
    assert low < np.median(differences) < high < 0
