"""Conventions of L2: every conversion is proven by the objective it stands for."""

from __future__ import annotations

import numpy as np
import pytest

from taut.errors import InvalidType, InvalidValue
from taut.network import L2, SGD, CrossEntropy, Dense, Network, ReLU
from taut.network.conventions import CONVENTIONS, convert, equivalents
from taut.training import train

N = 30
W = np.random.default_rng(0).standard_normal((4, 3))

# What each convention adds to the mean data loss, written as its users write it.
ADDED = {
    "taut": lambda lam: lam * (W**2).sum(),
    "half": lambda lam: lam / 2 * (W**2).sum(),
    "lambda/2n": lambda lam: lam / (2 * N) * np.linalg.norm(W) ** 2,
    "lambda/n": lambda lam: lam / N * (W**2).sum(),
    "sklearn": lambda alpha: 0.5 * alpha * (W**2).sum() / N,
}


def test_every_convention_has_its_objective_here():
    assert ADDED.keys() == CONVENTIONS.keys()


@pytest.mark.parametrize("target", CONVENTIONS)
@pytest.mark.parametrize("source", CONVENTIONS)
def test_converted_strength_gives_the_same_objective(source, target):
    converted = convert(0.37, source=source, target=target, n_samples=N)
    assert ADDED[target](converted) == pytest.approx(ADDED[source](0.37), rel=1e-14)
    assert convert(converted, source=target, target=source, n_samples=N) == pytest.approx(0.37, rel=1e-14)


@pytest.mark.parametrize("source", CONVENTIONS)
def test_taut_penalty_of_the_converted_strength_has_value_and_gradient_of_the_source(source):
    penalty = L2(convert(0.37, source=source, n_samples=N))
    assert penalty.value(W) == pytest.approx(ADDED[source](0.37), rel=1e-14)
    if source == "lambda/2n":  # the gradient of the documents: lam / n * W
        np.testing.assert_allclose(penalty.gradient(W), 0.37 / N * W, rtol=1e-14)


def test_equivalents_are_one_objective_in_every_convention():
    for name, strength in equivalents(0.02, N).items():
        assert ADDED[name](strength) == pytest.approx(ADDED["taut"](0.02), rel=1e-14)


def test_alpha_is_the_one_of_scikit_learn():
    """One full-batch step of scikit-learn's own network equals taut's with the converted strength."""
    from sklearn.neural_network import MLPClassifier

    random = np.random.default_rng(1)
    X, y = random.standard_normal((N, 4)), random.integers(3, size=N)
    theirs = MLPClassifier(
        (5,), solver="sgd", alpha=0.9, batch_size=N, learning_rate_init=0.5, momentum=0.0, max_iter=1, random_state=0
    )
    theirs._random_state = np.random.RandomState(0)
    penalty = L2(convert(0.9, source="sklearn", n_samples=N))
    network = Network([Dense(5, weight_penalty=penalty), ReLU(), Dense(3, weight_penalty=penalty)]).build(4)
    theirs.partial_fit(X, y, classes=[0, 1, 2])  # makes the arrays
    for parameter, array in zip(network.parameters, interleaved(theirs), strict=True):
        array[...] = parameter.value
    theirs.partial_fit(X, y)
    train(network, X, y, loss=CrossEntropy(), optimizer=SGD(0.5), epochs=1, batch_size=None)
    for parameter, array in zip(network.parameters, interleaved(theirs), strict=True):
        np.testing.assert_allclose(parameter.value, array, rtol=1e-10, atol=1e-14)


def interleaved(model):
    return [array for pair in zip(model.coefs_, model.intercepts_, strict=True) for array in pair]


def test_coupled_weight_decay_of_plain_gradient_descent_is_half():
    theta, gradient, decay = np.array([1.0, -2.0]), np.array([0.3, 0.1]), 0.05
    wanted = theta - 0.1 * (gradient + decay * theta)  # PyTorch's update
    penalty = L2(convert(decay, source="half"))
    SGD().update(theta, gradient + penalty.gradient(theta), SGD().start(theta), rate=0.1, step=0)
    np.testing.assert_allclose(theta, wanted, rtol=1e-15)


def test_number_of_samples_is_needed_only_where_it_matters():
    assert convert(1.0, source="half") == 0.5
    assert convert(1.0, source="sklearn", target="lambda/2n") == 1.0
    with pytest.raises(InvalidValue, match="converting from 'taut' to 'sklearn' needs n_samples, got None"):
        convert(1.0, source="taut", target="sklearn")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"strength": -1, "source": "half"}, InvalidValue, "strength must be a number at least 0, got -1"),
        ({"strength": "1", "source": "half"}, InvalidType, "strength must be a number"),
        ({"strength": 1, "source": "keras"}, InvalidValue, "source must be one of half, lambda/2n"),
        ({"strength": 1, "source": "half", "target": "w"}, InvalidValue, "target must be one of"),
        ({"strength": 1, "source": "sklearn", "n_samples": 0}, InvalidValue, "n_samples must be an integer at least 1"),
        ({"strength": 1, "source": "sklearn", "n_samples": 2.5}, InvalidType, "n_samples must be an integer"),
    ],
)
def test_unusable_arguments_are_refused_in_one_line(settings, error, message):
    with pytest.raises(error, match=f"^{message}"):
        convert(**settings)
