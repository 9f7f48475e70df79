"""What regularization is said to do must be seen in small runs: zeros, shrinkage, limits, smaller gaps."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.problems import classes

from taut import (
    L1,
    L2,
    SGD,
    Adam,
    Cosine,
    Dense,
    GaussianNoise,
    GroupL1,
    MaxNorm,
    Network,
    NonNegative,
    ReLU,
    Tanh,
    train,
)
from taut.network.kinds import OPTIMIZERS
from taut.random import Random

COEFFICIENTS = np.array([3.0, -2.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0])


def sparse_problem(rows: int = 80) -> tuple[np.ndarray, np.ndarray]:
    X = Random(1).normal((rows, 8))
    return X, X @ COEFFICIENTS + 0.3 * Random(2).normal(rows)


def linear_fit(penalty, optimizer=None, epochs: int = 1500) -> np.ndarray:
    """Return the weights of a linear fit, shape (8,)."""
    X, y = sparse_problem()
    network = Network([Dense(1, penalty)])
    train(network, X, y, loss="mse", optimizer=optimizer or Adam(0.02), epochs=epochs, batch_size=None)
    return network.parameters[0].value[:, 0].copy()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_proximal_l1_gives_exact_zeros_with_every_optimizer(name):
    rate = {"sgd": 0.05, "adagrad": 0.5, "rmsprop": 0.01, "adam": 0.02, "adamw": 0.02}[name]
    w = linear_fit(L1(0.3), OPTIMIZERS[name](lr=rate))
    assert (w[3:] == 0).all()
    assert (w[:2] != 0).all()


def test_subgradient_l1_only_comes_near_zero():
    w = linear_fit(L1(0.3, proximal=False))
    assert (w != 0).all()
    assert np.abs(w[3:]).max() < 0.05


def test_proximal_l1_finds_the_lasso_of_scikit_learn():
    from sklearn.linear_model import Lasso

    X, y = sparse_problem()
    wanted = Lasso(alpha=0.15, tol=1e-12, max_iter=100_000).fit(X, y)  # its data loss is half the mean of squares
    for optimizer, tolerance in ((SGD(0.05), 1e-10), (Adam(0.02), 1e-3)):
        w = linear_fit(L1(0.3), optimizer, epochs=3000)
        np.testing.assert_allclose(w, wanted.coef_, atol=tolerance)
        np.testing.assert_array_equal(w == 0, wanted.coef_ == 0)


def test_l2_finds_the_ridge_of_scikit_learn():
    from sklearn.linear_model import Ridge

    X, y = sparse_problem()
    wanted = Ridge(alpha=0.1 * len(X), tol=1e-12).fit(X, y)
    np.testing.assert_allclose(linear_fit(L2(0.1), SGD(0.05), epochs=3000), wanted.coef_, atol=1e-10)


def test_l2_shrinks_large_weights_most():
    shrinkage = np.abs(linear_fit(None)) - np.abs(linear_fit(L2(0.5)))
    order = np.argsort(-np.abs(COEFFICIENTS[:3]))
    assert (np.diff(shrinkage[order]) < 0).all()
    assert shrinkage[0] > 0.5


@pytest.mark.parametrize("kind", [L1, L2, GroupL1])
def test_larger_strength_gives_smaller_weights_and_a_larger_training_loss(kind):
    X, y = sparse_problem()
    norms, losses = [], []
    for lam in (0.0, 0.03, 0.1, 0.3, 1.0):
        network = Network([Dense(1, kind(lam))])
        train(network, X, y, loss="mse", optimizer=SGD(0.05), epochs=600, batch_size=None)
        norms.append(np.linalg.norm(network.parameters[0].value))
        losses.append(float(np.mean((network.predict(X)[:, 0] - y) ** 2)))
    assert norms == sorted(norms, reverse=True)
    assert losses == sorted(losses)


def test_noise_on_the_inputs_of_a_linear_fit_is_the_ridge():
    """Of ``(w . (x + noise) - y)**2`` the mean over the noise is ``(w . x - y)**2 + variance * sum(w**2)``."""
    X, y = sparse_problem()
    network = Network([GaussianNoise(0.5), Dense(1)])
    optimizer = SGD(0.05, schedule=Cosine())
    train(network, X, y, loss="mse", optimizer=optimizer, epochs=3000, batch_size=None, evaluate_training=False)
    ridge = linear_fit(L2(0.25), SGD(0.05), epochs=1500)
    np.testing.assert_allclose(network.parameters[0].value[:, 0], ridge, atol=0.03)
    assert np.abs(ridge - linear_fit(None, SGD(0.05))).max() > 0.4  # which is no small change


def test_l1_strong_enough_leaves_nothing():
    assert (linear_fit(L1(20.0), SGD(0.05), epochs=100) == 0).all()


def test_group_lasso_switches_whole_inputs_off():
    X, y = sparse_problem()
    network = Network([Dense(10, GroupL1(0.5)), Tanh(), Dense(1, L2(0.01))])
    train(network, X, y, loss="mse", optimizer=Adam(0.01), epochs=900, batch_size=None)
    weights = network.parameters[0].value
    off = (weights == 0).all(axis=1)
    assert off[3:].all()
    assert not off[:2].any()
    assert (weights[~off] != 0).all()  # groups go as one


def test_group_lasso_switches_whole_units_off():
    X, y = sparse_problem()
    network = Network([Dense(12, GroupL1(0.1, by="unit")), ReLU(), Dense(1)])
    train(network, X, y, loss="mse", optimizer=Adam(0.01), epochs=800, batch_size=None)
    off = (network.parameters[0].value == 0).all(axis=0)
    assert 0 < off.sum() < 12


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_constraints_hold_after_training_with_every_optimizer(name):
    X, y = classes()
    network = Network([Dense(8, MaxNorm(0.5), MaxNorm(0.1)), ReLU(), Dense(3, NonNegative() + L1(1e-3), NonNegative())])
    history = train(network, X, y, optimizer=OPTIMIZERS[name](lr=0.1), epochs=60, batch_size=16)
    hidden, hidden_bias, output, output_bias = (parameter.value for parameter in network.parameters)
    norms = np.sqrt((hidden**2).sum(axis=0))
    assert norms.max() <= 0.5 * (1 + 1e-12)
    assert norms.max() >= 0.5 * (1 - 1e-12)  # the limit was reached at all
    assert np.abs(hidden_bias).max() <= 0.1 * (1 + 1e-12)
    assert output.min() == 0.0
    assert output_bias.min() >= 0.0
    assert history["data_loss"][-1] < history["data_loss"][0]


def test_l2_tames_weights_that_explode():
    X = Random(3).normal((40, 2))
    y = (X[:, 0] > 0).astype(int)  # separable: without a penalty the best weights are infinite
    norms = []
    for penalty in (None, L2(1e-2)):
        network = Network([Dense(2, penalty)])
        history = train(network, X, y, optimizer=Adam(0.1), epochs=2000, batch_size=None)
        norms.append(history["weight_norm_0"])
    assert norms[0][-1] > 10 > 3 > norms[1][-1]
    assert norms[0][-1] > norms[0][1000] * 1.1  # still growing
    assert norms[1][-1] == pytest.approx(norms[1][1000], rel=1e-3)  # settled


def test_regularization_raises_the_training_loss_and_narrows_the_gap():
    X, y = classes(60, seed=1)
    X_fresh, y_fresh = classes(600, seed=2)
    gaps, training = [], []
    for penalty in (None, L2(0.02)):
        network = Network([Dense(64, penalty), ReLU(), Dense(3, penalty)])
        history = train(network, X, y, optimizer=Adam(0.01), epochs=400, batch_size=None, validation=(X_fresh, y_fresh))
        training.append(history["evaluation_data_loss"][-1])
        gaps.append(history["validation_data_loss"][-1] - history["evaluation_data_loss"][-1])
    assert training[0] < training[1]
    assert gaps[1] < 0.5 * gaps[0]
