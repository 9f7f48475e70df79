"""Every layer, activation and loss of the tables, and whole networks: derivatives against central differences.

The same tables are run for what else every kind owes: float32 stays float32, the caller's arrays stay as they were,
and large inputs give finite numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.kinds import EXAMPLES, examples, placed
from tests.network.differences import away_from_kinks, derivative, relative_error

from taut.network import (
    L2,
    BatchNorm,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    CrossEntropy,
    Dense,
    Dropout,
    GaussianNoise,
    GroupL1,
    Huber,
    LayerNorm,
    MeanSquaredError,
    Network,
    Normal,
    Orthogonality,
    Shortcut,
    SigmoidCrossEntropy,
)
from taut.network.activations import ELU, GELU, SELU, Identity, LeakyReLU, Mish, ReLU, Sigmoid, SiLU, Softmax, Tanh
from taut.network.initializers import Ones
from taut.network.kinds import ACTIVATIONS, LAYERS, LOSSES
from taut.random import Purpose, Random

TOLERANCE = 1e-6
RANDOM = Random(3, epoch=1)  # the same place at every pass: the mask of dropout is frozen
PROBABILITIES = {"categorical_cross_entropy", "binary_cross_entropy_on_probabilities"}


def single(factory: Any, dtype: str = "float64") -> Network:
    """Return a network of one layer, and those it needs, for five inputs, every parameter away from zero."""
    network = Network(placed(factory())).build(5, seed=1, dtype=dtype)
    network.theta[:] = away_from_kinks(network.theta.shape, seed=2)
    return network


# ------------------------------------------------------------------------------------------------------------- layers


@pytest.mark.parametrize("factory", examples(LAYERS, ACTIVATIONS))
def test_layer_gradients_equal_central_differences(factory):
    network, x = single(factory), away_from_kinks((4, 5))
    direction = np.random.default_rng(1).standard_normal((4, network.n_outputs))

    def projection() -> float:
        return float((network.forward(x, training=True, random=RANDOM) * direction).sum())

    projection()
    by_inputs = network.backward(direction)
    assert relative_error(by_inputs, derivative(projection, x)) < TOLERANCE
    projection()
    network.backward(direction)
    assert relative_error(network.gradient, derivative(projection, network.theta)) < TOLERANCE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factory", examples(LAYERS, ACTIVATIONS))
def test_layer_keeps_type_and_arrays(factory, dtype):
    network, x = single(factory, dtype), away_from_kinks((4, 5)).astype(dtype)
    dy = np.ones((4, network.n_outputs), dtype=dtype)
    kept = x.copy(), dy.copy(), network.theta.copy()
    for training in (True, False):
        outputs = network.forward(x, training=training, random=RANDOM)
        assert outputs.dtype == network.backward(dy).dtype == network.gradient.dtype == np.dtype(dtype)
    for array, before in zip((x, dy, network.theta), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factory", examples(LAYERS, ACTIVATIONS))
def test_layer_is_finite_at_large_inputs(factory, dtype):
    network = single(factory, dtype)
    x = np.array([[-1e4, -50.0, 0.0, 50.0, 1e4], [1e4] * 5, [-1e4] * 5, [0.0] * 5], dtype=dtype)
    outputs = network.forward(x, training=True, random=RANDOM)
    assert np.isfinite(outputs).all()
    assert np.isfinite(network.backward(np.ones_like(outputs))).all()
    assert np.isfinite(network.gradient).all()


def test_dropout_in_training_without_random_numbers_is_refused():
    with pytest.raises(ValueError, match=r"dropout in training needs random=Random\(seed\)"):
        Dropout(0.5).forward(np.ones((2, 2)), training=True, random=None)


def test_dropout_does_nothing_outside_training():
    layer, x = Dropout(0.5), np.ones((3, 4))
    layer.forward(x, training=True, random=RANDOM)
    np.testing.assert_array_equal(layer.forward(x, training=False, random=None), x)
    np.testing.assert_array_equal(layer.backward(x), x)  # not the mask of the pass before


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_masks_the_gradient_alike(rate):
    layer, x = Dropout(rate), np.ones((500, 200))
    y = layer.forward(x, training=True, random=RANDOM)
    keep = 1 - rate
    assert set(np.unique(y)) == {0.0, 1 / keep}
    assert abs(y.mean() - 1) < 4 * np.sqrt(rate / keep / x.size)
    np.testing.assert_array_equal(layer.backward(np.ones_like(x)), y)


def test_dropout_that_fades_drops_the_share_that_an_update_has():
    network = Network([Dropout(0.8, schedule="flat_cosine")]).build(200)
    for step, rate in ((0, 0.8), (50, 0.8), (75, 0.4), (100, 0.0)):
        network.begin_update(step, 100)
        y = network.forward(np.ones((500, 200)), training=True, random=RANDOM)
        assert (y == 0).mean() == pytest.approx(rate, abs=0.01)
        assert y.max() == pytest.approx(1 / (1 - rate))


def test_dropout_draws_anew_for_each_layer_epoch_and_row():
    def drawn(random: Random) -> bytes:
        return Dropout(0.5).forward(np.ones((8, 16)), training=True, random=random).tobytes()

    places = [RANDOM, RANDOM.at(item=1), RANDOM.at(epoch=2), RANDOM.at(row=8), Random(4, epoch=1)]
    assert len({drawn(place) for place in places}) == len(places)


def test_layers_of_dropout_in_one_network_have_masks_of_their_own():
    network = Network([Dropout(0.5), Dropout(0.5)]).build(200)
    kept = network.forward(np.ones((50, 200)), training=True, random=RANDOM) > 0
    assert kept.mean() == pytest.approx(0.25, abs=0.02)


def test_dropconnect_without_random_numbers_is_refused():
    network = Network([Dense(2, dropconnect=0.5)]).build(2)
    with pytest.raises(ValueError, match=r"DropConnect in training needs random=Random\(seed\)"):
        network.forward(np.ones((2, 2)), training=True)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropconnect_leaves_weights_out_for_all_rows_alike_and_keeps_their_mean(rate):
    layer = Dense(200, dropconnect=rate, initializer=Ones())
    network = Network([layer]).build(300)
    x, keep = np.eye(300), 1 - rate
    y = network.forward(x, training=True, random=RANDOM)
    assert set(np.unique(y)) == {0.0, 1 / keep}
    assert abs(y.mean() - 1) < 4 * np.sqrt(rate / keep / y.size)
    np.testing.assert_allclose(network.forward(x + 1, training=True, random=RANDOM), y + y.sum(axis=0))
    np.testing.assert_array_equal(layer.weights.value, 1.0)
    network.backward(np.ones_like(y))
    np.testing.assert_array_equal(layer.weights.gradient != 0, y != 0)


def test_dropconnect_draws_anew_for_each_layer_epoch_and_update_and_not_outside_training():
    network = Network([Dense(9, dropconnect=0.5)]).build(8, seed=1)
    x = np.ones((4, 8))
    places = [RANDOM, RANDOM.at(epoch=2), RANDOM.at(row=16), Random(4, epoch=1)]
    assert len({network.forward(x, training=True, random=place).tobytes() for place in places}) == len(places)
    dense = network.layers[0].weights.value
    np.testing.assert_array_equal(network.forward(x, training=False), x @ dense)
    np.testing.assert_array_equal(network.backward(np.ones((4, 9))), np.ones((4, 9)) @ dense.T)


def test_noise_in_training_without_random_numbers_is_refused():
    with pytest.raises(ValueError, match=r"noise in training needs random=Random\(seed\)"):
        GaussianNoise(0.5).forward(np.ones((2, 2)), training=True, random=None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_has_the_stated_spread_and_a_stream_of_its_own(dtype):
    x = np.full((500, 200), 3.0, dtype=dtype)
    drawn = GaussianNoise(0.2).forward(x, training=True, random=RANDOM) - x
    assert abs(drawn.mean()) < 4 * 0.2 / np.sqrt(x.size)
    assert drawn.std() == pytest.approx(0.2, rel=4 / np.sqrt(2 * x.size))
    wanted = Random(3, Purpose.NOISE, epoch=1).normal(x.shape)
    np.testing.assert_allclose(drawn, 0.2 * wanted, atol=1e-15 if dtype == "float64" else 1e-6)


def test_noise_of_a_batch_is_that_of_its_rows_in_the_epoch():
    layer, x = GaussianNoise(0.5), np.zeros((10, 3))
    whole = layer.forward(x, training=True, random=RANDOM)
    parts = [layer.forward(x[start : start + 3], training=True, random=RANDOM.at(row=start)) for start in (0, 3, 6, 9)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_noise_is_off_outside_training():
    layer, x = GaussianNoise(0.5), np.ones((3, 4))
    assert layer.forward(x, training=False, random=None) is x
    np.testing.assert_array_equal(layer.backward(x), x)


# ------------------------------------------------------------------------------------------------------------- losses


def outputs_for(name: str, n_outputs: int, rows: int = 6) -> np.ndarray:
    random = np.random.default_rng(7)
    if name == "categorical_cross_entropy":
        return random.dirichlet(np.full(n_outputs, 3.0), rows)
    if name in PROBABILITIES:
        return random.uniform(0.05, 0.95, (rows, n_outputs))
    return random.uniform(-2.0, 2.0, (rows, n_outputs))


def targets_for(loss: Any, rows: int = 6) -> Iterator[tuple[str, np.ndarray, int]]:
    """Yield what the targets are called, the targets, and the number of outputs."""
    random = np.random.default_rng(8)
    if isinstance(loss, (CrossEntropy, CategoricalCrossEntropy)):
        labels = random.integers(3, size=rows)
        yield "labels", labels, 3
        yield "one-hot", np.eye(3)[labels], 3
        yield "one-hot integers", np.eye(3, dtype=int)[labels], 3
        yield "soft", random.dirichlet(np.ones(3), rows), 3
    elif isinstance(loss, (SigmoidCrossEntropy, BinaryCrossEntropy)):
        yield "one output", random.integers(2, size=rows), 1
        yield "three outputs", random.integers(2, size=(rows, 3)).astype(bool), 3
        yield "soft", random.uniform(size=(rows, 3)), 3
    else:
        yield "one output", random.standard_normal(rows), 1
        yield "three outputs", random.standard_normal((rows, 3)), 3


LOSS_CASES = [
    pytest.param(factory, what, y, n_outputs, id=f"{name}-{position}-{what}")
    for name in LOSSES
    for position, factory in enumerate(EXAMPLES[name])
    for what, y, n_outputs in targets_for(factory())
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("factory", "what", "y", "n_outputs"), LOSS_CASES)
def test_loss_gradient_equals_central_differences(factory, what, y, n_outputs, weighted):
    loss = factory()
    name = next(name for name, kind in LOSSES.items() if kind is type(loss))
    outputs, targets = outputs_for(name, n_outputs), loss.prepare(y, n_outputs)
    weights = loss.row_weights(targets)
    if weighted:
        weights = np.array([0.0, 1.0, 2.5, 0.3, 1.0, 4.0]) * (1.0 if weights is None else weights)
    gradient = loss.gradient(outputs, targets, weights)
    differences = derivative(lambda: loss.value(outputs, targets, weights), outputs, step=1e-4)
    assert relative_error(gradient, differences) < TOLERANCE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("factory", "what", "y", "n_outputs"), LOSS_CASES)
def test_loss_keeps_type_and_arrays(factory, what, y, n_outputs, dtype):
    loss, kept_y = factory(), y.copy()
    name = next(name for name, kind in LOSSES.items() if kind is type(loss))
    outputs, targets = outputs_for(name, n_outputs).astype(dtype), loss.prepare(y, n_outputs)
    kept = outputs.copy()
    weights = np.linspace(0.5, 2.0, len(y))
    kept_weights = weights.copy()
    assert loss.gradient(outputs, targets).dtype == np.dtype(dtype)
    assert loss.gradient(outputs, targets, weights).dtype == np.dtype(dtype)
    assert loss.inverse_link(outputs).dtype == np.dtype(dtype)
    assert type(loss.value(outputs, targets, weights)) is float
    assert type(loss.metric(outputs, targets, weights)) is float
    np.testing.assert_array_equal(outputs, kept)
    np.testing.assert_array_equal(y, kept_y)
    np.testing.assert_array_equal(weights, kept_weights)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("factory", "what", "y", "n_outputs"), LOSS_CASES)
def test_loss_is_finite_at_large_outputs(factory, what, y, n_outputs, dtype):
    loss = factory()
    name = next(name for name, kind in LOSSES.items() if kind is type(loss))
    extremes = [0.0, 1.0] if name in PROBABILITIES else [-1e4, 0.0, 1e4]
    outputs = np.random.default_rng(0).choice(extremes, (len(y), n_outputs)).astype(dtype)
    targets = loss.prepare(y, n_outputs)
    assert np.isfinite(loss.value(outputs, targets))
    assert np.isfinite(loss.gradient(outputs, targets)).all()
    assert np.isfinite(loss.inverse_link(outputs)).all()


@pytest.mark.parametrize("factory", examples({"cross_entropy": CrossEntropy}))
def test_integer_and_one_hot_labels_are_one_loss(factory):
    loss, labels = factory(), np.array([0, 2, 1, 1])
    outputs, one_hot = outputs_for("cross_entropy", 3, rows=4), np.eye(3)[labels]
    assert loss.value(outputs, labels) == pytest.approx(loss.value(outputs, one_hot), rel=1e-14)
    np.testing.assert_allclose(loss.gradient(outputs, labels), loss.gradient(outputs, one_hot), rtol=1e-14)
    if loss.class_weight is not None:
        np.testing.assert_allclose(loss.row_weights(labels), loss.row_weights(one_hot))
    assert loss.metric(outputs, labels) == loss.metric(outputs, one_hot)


def test_fused_losses_equal_the_activation_followed_by_the_loss_of_probabilities():
    scores, labels = outputs_for("cross_entropy", 3), np.array([0, 2, 1, 1, 0, 2])
    probabilities = Softmax().forward(scores, training=False, random=None)
    for settings in ({}, {"label_smoothing": 0.2}):
        fused, plain = CrossEntropy(**settings), CategoricalCrossEntropy(**settings)
        assert fused.value(scores, labels) == pytest.approx(plain.value(probabilities, labels), rel=1e-12)
    np.testing.assert_allclose(fused.inverse_link(scores), probabilities, rtol=1e-14)
    yes = Sigmoid().forward(scores, training=False, random=None)
    t = (scores > 0.5).astype(float)
    assert SigmoidCrossEntropy().value(scores, t) == pytest.approx(BinaryCrossEntropy().value(yes, t), rel=1e-12)


def test_label_smoothing_spreads_the_stated_share():
    scores, labels = outputs_for("cross_entropy", 3), np.array([0, 2, 1, 1, 0, 2])
    smoothed = 0.7 * np.eye(3)[labels] + 0.3 / 3
    assert CrossEntropy(0.3).value(scores, labels) == pytest.approx(CrossEntropy().value(scores, smoothed), rel=1e-14)


def test_evaluation_leaves_label_smoothing_out_and_class_weights_in():
    loss = CrossEntropy(label_smoothing=0.1, class_weight=(1.0, 2.0))
    assert loss.evaluation() == CrossEntropy(class_weight=(1.0, 2.0))
    assert MeanSquaredError().evaluation() == MeanSquaredError()


@pytest.mark.parametrize(
    ("loss", "y", "n_outputs", "message"),
    [
        (CrossEntropy(), [0, 3], 3, r"class labels must be from 0 to 2, got 0 to 3"),
        (CrossEntropy(), [-1, 1], 3, r"class labels must be from 0 to 2, got -1 to 1"),
        (CrossEntropy(), [0.0, 1.0], 3, r"class labels must be integers from 0, got float64"),
        (CrossEntropy(), ["a", "b"], 3, r"class labels must be integers"),
        (CrossEntropy(), [[0], [1]], 3, r"shape \(samples,\) or \(samples, 3\), got \(2, 1\)"),
        (CrossEntropy(), [[0.5, 0.2, 0.2]], 3, r"one-hot targets must be at least 0 and sum to 1"),
        (CrossEntropy(), [[1.5, -0.5, 0.0]], 3, r"one-hot targets must be at least 0 and sum to 1"),
        (CrossEntropy(), [[np.nan, 0.5, 0.5]], 3, r"one-hot targets must be at least 0 and sum to 1"),
        (CrossEntropy(), [["a", "b", "c"]], 3, r"one-hot targets must be numbers"),
        (CrossEntropy(class_weight=(1.0, 2.0)), [0, 1], 3, r"class_weight has 2 weights for 3 classes"),
        (SigmoidCrossEntropy(), [0, 2], 1, r"binary targets must be from 0 to 1, got 0 to 2"),
        (BinaryCrossEntropy(), [-0.1, 1], 1, r"binary targets must be from 0 to 1, got -0.1 to 1"),
        (MeanSquaredError(), [1.0, np.nan], 1, r"targets must be finite"),
        (MeanSquaredError(), ["a"], 1, r"targets must be numbers"),
        (MeanSquaredError(), [1.0, 2.0], 3, r"targets must have shape \(samples, 3\)"),
        (MeanSquaredError(), [[[1.0, 2.0]]], 2, r"targets must have shape \(samples, 2\)"),
    ],
)
def test_unusable_targets_are_refused_in_one_line(loss, y, n_outputs, message):
    with pytest.raises(ValueError if "numbers" not in message and "integers" not in message else TypeError) as caught:
        loss.prepare(np.array(y), n_outputs)
    assert caught.match(message)
    assert "\n" not in str(caught.value)


def test_r2_is_one_minus_the_share_of_variance_left():
    targets = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    outputs = np.array([[1.5, 5.0], [2.0, 4.0], [3.0, 5.0]])
    center = 7 / 3
    first = 1 - (0.25 + 1.0) / ((1 - center) ** 2 + (2 - center) ** 2 + (4 - center) ** 2)
    assert MeanSquaredError().metric(outputs, targets) == pytest.approx(first / 2)  # the second does not vary: 0
    repeated = MeanSquaredError().metric(outputs[[0, 1, 1, 2, 2, 2]], targets[[0, 1, 1, 2, 2, 2]])
    assert MeanSquaredError().metric(outputs, targets, np.array([1.0, 2.0, 3.0])) == pytest.approx(repeated)


# ----------------------------------------------------------------------------------------------------- whole networks

WIDE = Normal(0.8)
NETWORKS = {
    "classifier": (
        lambda: [
            Dropout(0.2),
            Dense(6, L2(0.01), L2(0.02), initializer=WIDE),
            Tanh(),
            Dropout(0.4),
            Dense(5, GroupL1(0.01, by="unit"), initializer=WIDE),
            SiLU(),
            Dense(3, Orthogonality(0.01), initializer=WIDE),
        ],
        CrossEntropy(0.1),
        3,
    ),
    "every activation": (
        lambda: [
            layer
            for activation in (ELU(0.7), GELU(), SELU(), Identity(), LeakyReLU(), Mish(), ReLU(), Sigmoid(), Tanh())
            for layer in (Dense(5, L2(0.01), initializer=WIDE, bias_initializer=WIDE), activation)
        ],
        MeanSquaredError(),
        5,
    ),
    "probabilities": (
        lambda: [Dense(6, initializer=WIDE), GELU(), Dropout(0.3), Dense(3, initializer=WIDE), Softmax()],
        CategoricalCrossEntropy(0.2),
        3,
    ),
    "yes or no": (lambda: [Dense(6, initializer=WIDE), Mish(), Dense(1), Sigmoid()], BinaryCrossEntropy(), 1),
    "linear": (lambda: [Dense(2, L2(0.1), L2(0.1))], Huber(0.7), 2),
    "normalized": (
        lambda: [
            GaussianNoise(0.3),
            Dense(6, L2(0.01), initializer=WIDE),
            BatchNorm(),
            Tanh(),
            Dropout(0.2),
            Dense(5, initializer=WIDE),
            LayerNorm(),
            GELU(),
            Dense(3, initializer=WIDE),
        ],
        CrossEntropy(),
        3,
    ),
    "residual": (
        lambda: [
            Dense(6, L2(0.01), initializer=WIDE),
            LayerNorm(),
            Dense(6, initializer=WIDE),
            SiLU(),
            Dropout(0.3),
            Dense(6, L2(0.01), initializer=WIDE),
            Shortcut(5),
            Tanh(),
            Shortcut(7),
            Dense(6, initializer=WIDE),
            Shortcut(1),
            Dense(3, initializer=WIDE),
        ],
        CrossEntropy(),
        3,
    ),
}


def objective_of(network: Network, loss: Any, x: np.ndarray, targets: np.ndarray) -> float:
    outputs = network.forward(x, training=True, random=RANDOM)
    return loss.value(outputs, targets) + float(network.penalties().sum())


@pytest.mark.parametrize("name", NETWORKS)
def test_gradient_of_the_whole_objective_equals_central_differences(name):
    make, loss, n_outputs = NETWORKS[name]
    network, x = Network(make()).build(4, seed=3), away_from_kinks((7, 4))
    y = next(y for what, y, outputs in targets_for(loss, rows=7)) if n_outputs != 2 else np.ones((7, 2))
    if name == "every activation":
        y = np.random.default_rng(0).standard_normal((7, 5))
    targets = loss.prepare(y, n_outputs)
    outputs = network.forward(x, training=True, random=RANDOM)
    by_inputs = network.backward(loss.gradient(outputs, targets))
    gradient = network.gradient.copy()
    for parameter, place in zip(network.parameters, network.places(), strict=True):
        gradient[place] += parameter.penalty.gradient(parameter.value).ravel()

    def objective() -> float:
        return objective_of(network, loss, x, targets)

    assert relative_error(gradient, derivative(objective, network.theta, step=1e-4)) < TOLERANCE
    assert relative_error(by_inputs, derivative(objective, x, step=1e-4)) < TOLERANCE
