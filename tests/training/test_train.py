"""`train`: what the history records, what weights of rows mean, what may not matter, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kinds import examples
from tests.training.problems import classes, columns, network, numbers, plain

from taut import L1, L2, SGD, Adam, CrossEntropy, Dense, Dropout, Network, NonFiniteLoss, TautError, train
from taut.network import Cosine, NonNegative
from taut.network.kinds import LOSSES, OPTIMIZERS
from taut.random import Purpose, Random
from taut.training import Callback, State

# ------------------------------------------------------------------------------------------------------- the history


@pytest.fixture(scope="module")
def recorded():
    X, y = classes()
    net = network()
    return net, train(net, X, y, optimizer=Adam(0.01), epochs=6, batch_size=16, validation=classes(30, seed=9))


def test_history_has_its_columns_in_order(recorded):
    _, history = recorded
    layers = [f"{name}_{i}" for i in (1, 4, 6) for name in ("penalty", "weight_norm", "zeros")]
    assert list(history) == [
        *["epoch", "loss", "data_loss", "penalty", "accuracy", "evaluation_data_loss"],
        *["validation_loss", "validation_data_loss", "validation_accuracy", "learning_rate", "seconds", *layers],
    ]
    assert history.epochs == 6
    assert history["epoch"].tolist() == [0, 1, 2, 3, 4, 5]
    assert history.stopped == "epochs"


def test_loss_is_data_loss_plus_penalty_exactly(recorded):
    _, history = recorded
    np.testing.assert_array_equal(history["loss"], history["data_loss"] + history["penalty"])
    np.testing.assert_allclose(history["penalty"], sum(history[f"penalty_{i}"] for i in (1, 4, 6)), rtol=1e-14)
    np.testing.assert_array_equal(history["penalty_6"], 0.0)


def test_evaluation_columns_are_of_the_weights_after_the_epoch(recorded):
    net, history = recorded
    (X, y), (X_fresh, y_fresh), loss = classes(), classes(30, seed=9), CrossEntropy()
    assert history["evaluation_data_loss"][-1] == pytest.approx(loss.value(net.predict(X), y), rel=1e-13)
    assert history["validation_data_loss"][-1] == pytest.approx(loss.value(net.predict(X_fresh), y_fresh), rel=1e-13)
    assert history["validation_accuracy"][-1] == np.mean(net.predict(X_fresh).argmax(axis=1) == y_fresh)
    penalty = net.penalties().sum()
    assert history["validation_loss"][-1] == pytest.approx(history["validation_data_loss"][-1] + penalty, rel=1e-13)
    assert history["weight_norm_1"][-1] == pytest.approx(np.linalg.norm(net.layers[1].weights.value))
    values = np.concatenate([parameter.value.ravel() for parameter in net.layers[1].parameters])
    assert history["zeros_1"][-1] == np.mean(values == 0)


@pytest.mark.parametrize("batch_size", [1, 7, 16, 44, 45, 100, None])
def test_columns_are_means_over_the_batches_before_their_updates(batch_size):
    """At a learning rate of zero nothing moves, so the means over batches are the means over all rows."""
    (X, y), net = classes(), plain()
    history = train(net, X, y, optimizer=SGD(0.0), epochs=2, batch_size=batch_size)
    outputs, loss = net.predict(X), CrossEntropy()
    np.testing.assert_allclose(history["data_loss"], loss.value(outputs, y), rtol=1e-13)
    np.testing.assert_allclose(history["accuracy"], loss.metric(outputs, y), rtol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_r2_is_of_the_whole_epoch_however_small_the_batches(batch_size):
    (X, y), net = numbers(), plain(2)
    history = train(net, X, y, loss="mse", optimizer=SGD(0.0), epochs=1, batch_size=batch_size)
    assert history["r2"][0] == pytest.approx(LOSSES["mse"]().metric(net.predict(X), y))


def test_two_batches_worked_out_by_hand():
    X, y = np.array([[1.0], [2.0], [-1.0]]), np.array([1.0, 0.0, 2.0])
    net = Network([Dense(1, L2(0.1))]).build(1, seed=1)
    w, b = float(net.theta[0]), 0.0
    order, losses, penalties = Random(1, Purpose.SHUFFLE).permutation(3), 0.0, 0.0
    history = train(net, X, y, loss="mse", optimizer=SGD(0.1), epochs=1, batch_size=2, seed=1)
    for rows in (order[:2], order[2:]):
        error = X[rows, 0] * w + b - y[rows]
        losses += len(rows) / 3 * np.mean(error**2)
        penalties += len(rows) / 3 * 0.1 * w**2
        by_w, by_b = np.mean(2 * error * X[rows, 0]) + 0.2 * w, np.mean(2 * error)
        w, b = w - 0.1 * by_w, b - 0.1 * by_b
    np.testing.assert_allclose(net.theta, [w, b], rtol=1e-14)
    assert history["data_loss"][0] == pytest.approx(losses, rel=1e-14)
    assert history["penalty"][0] == pytest.approx(penalties, rel=1e-14)


def test_learning_rate_is_that_of_the_first_update_of_the_epoch():
    X, y = classes()
    history = train(plain(), X, y, optimizer=SGD(0.1, schedule=Cosine()), epochs=4, batch_size=15)
    np.testing.assert_allclose(history["learning_rate"], 0.05 * (1 + np.cos(np.pi * np.arange(0, 12, 3) / 12)))


def test_training_is_evaluated_only_if_asked_for():
    X, y = classes()
    history = train(plain(), X, y, epochs=2, evaluate_training=False)
    assert np.isnan(history["evaluation_data_loss"]).all()
    with_it = train(plain(), X, y, epochs=2)
    np.testing.assert_array_equal(history["data_loss"], with_it["data_loss"])


def test_label_smoothing_is_for_training_alone():
    (X, y), net = classes(), plain()
    history = train(net, X, y, loss=CrossEntropy(label_smoothing=0.3), epochs=3, batch_size=None, validation=(X, y))
    plainly = CrossEntropy().value(net.predict(X), y)
    assert history["validation_data_loss"][-1] == pytest.approx(plainly, rel=1e-13)
    assert history["evaluation_data_loss"][-1] == pytest.approx(plainly, rel=1e-13)
    again = train(net, X, y, loss=CrossEntropy(label_smoothing=0.3), optimizer=SGD(0.0), epochs=1, batch_size=None)
    assert again["data_loss"][0] == pytest.approx(CrossEntropy(label_smoothing=0.3).value(net.predict(X), y))


# ------------------------------------------------------------------------------------------------- what may not matter


def test_validation_data_does_not_influence_training():
    (X, y), nets = classes(), (network(), network(), network())
    histories = [
        train(nets[0], X, y, epochs=4, batch_size=16),
        train(nets[1], X, y, epochs=4, batch_size=16, validation=classes(20, seed=5)),
        train(nets[2], X, y, epochs=4, batch_size=16, validation=(1e3 * X[:2], y[:2]), evaluate_training=False),
    ]
    for net, history in zip(nets[1:], histories[1:], strict=True):
        np.testing.assert_array_equal(net.theta, nets[0].theta)
        np.testing.assert_array_equal(history["data_loss"], histories[0]["data_loss"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_callers_arrays_stay_as_they_were(dtype):
    X, y = classes()
    X, weights = X.astype(dtype), np.linspace(0.5, 2.0, len(y))
    kept = X.copy(), y.copy(), weights.copy()
    train(network(), X, y, epochs=2, sample_weight=weights, validation=(X, y))
    for array, before in zip((X, y, weights), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_layout_and_type_of_the_inputs_do_not_matter():
    X, y = classes()
    X = np.round(X * 4)
    reference = columns(train(plain(), X, y, epochs=2))
    for same, labels in ((np.asfortranarray(X), y), (X.astype(int), y.tolist()), (X.tolist(), y.astype(np.uint8))):
        assert columns(train(plain(), same, labels, epochs=2)) == reference
    assert columns(train(plain(), np.repeat(X, 2, axis=0)[::2], y, epochs=2)) == reference


@pytest.mark.parametrize("factory", examples(OPTIMIZERS))
def test_same_seed_same_bits_and_another_seed_others(factory):
    X, y = classes()
    nets = [network() for _ in range(3)]
    first, again, other = (
        train(net, X, y, optimizer=factory(), epochs=3, batch_size=16, seed=seed)
        for net, seed in zip(nets, (5, 5, 2**40), strict=True)
    )
    assert columns(first) == columns(again)
    np.testing.assert_array_equal(nets[0].theta, nets[1].theta)
    assert (nets[0].theta != nets[2].theta).any()
    assert columns(first) != columns(other)


def test_seed_chooses_first_weights_order_and_dropout():
    X, y = classes()

    def end(net: Network, seed: int, **settings) -> bytes:
        train(net, X, y, optimizer=SGD(0.1), epochs=2, seed=seed, **settings)
        return net.theta.tobytes()

    built = lambda layers: Network(layers).build(4, seed=7)  # noqa: E731
    assert end(plain(), 0, batch_size=None) != end(plain(), 1, batch_size=None)
    assert end(built([Dense(3)]), 0, batch_size=None) == end(built([Dense(3)]), 1, batch_size=None)
    assert end(built([Dense(3)]), 0, batch_size=16) != end(built([Dense(3)]), 1, batch_size=16)
    noisy = [Dropout(0.5), Dense(3)]
    assert end(built(noisy), 0, batch_size=None) != end(built(noisy), 1, batch_size=None)


def test_rows_are_shuffled_anew_in_each_epoch_and_every_row_is_seen_once():
    seen: list[np.ndarray] = []

    class Watch(Dense):
        def forward(self, x, *, training, random):
            if training:
                seen.append(x[:, 0].copy())
            return super().forward(x, training=training, random=random)

    X, y = np.arange(10.0)[:, None], np.zeros(10)
    train(Network([Watch(1)]), X, y, loss="mse", optimizer=SGD(0.0), epochs=2, batch_size=4)
    assert [len(batch) for batch in seen] == [4, 4, 2, 4, 4, 2]
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("batch_size", [1, 3, 4, None])
def test_batches_share_the_mask_that_the_whole_epoch_would_draw(batch_size):
    seen: list[np.ndarray] = []

    class Watch(Dense):
        def forward(self, x, *, training, random):
            if training:
                seen.append(x > 0)
            return super().forward(x, training=training, random=random)

    settings = {"loss": "mse", "optimizer": SGD(0.0), "epochs": 2, "batch_size": batch_size, "seed": 6}
    train(Network([Dropout(0.5), Watch(1)]), np.ones((10, 5)), np.zeros(10), **settings)
    drawn = [Random(6, Purpose.DROPOUT, item=0, epoch=epoch).bernoulli(0.5, (10, 5)) for epoch in (0, 1)]
    np.testing.assert_array_equal(np.concatenate(seen), np.concatenate(drawn))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains_in_float32_without_a_float64_in_between(loss):
    X, y = numbers() if LOSSES[loss].metric_name == "r2" else classes()
    probabilities = {"categorical_cross_entropy": "softmax", "binary_cross_entropy_on_probabilities": "sigmoid"}
    if loss.startswith("binary"):
        y = (y == 1).astype(float)
    outputs = 2 if y.ndim == 2 else 1 if loss.startswith("binary") else 3
    net = network(outputs)
    if loss in probabilities:
        from taut.network.kinds import ACTIVATIONS

        net = Network([*net.layers, ACTIVATIONS[probabilities[loss]]()])
    types = set()

    class Watch(Callback):
        def on_epoch_end(self, run):
            types.update(parameter.gradient.dtype for parameter in run.network.parameters)
            types.update(values.dtype for values in run.history.state.memory.values())
            types.add(run.network.forward(X.astype(np.float32), training=False).dtype)

    history = train(net, X.astype(np.float32), y, loss=loss, epochs=30, batch_size=16, callbacks=[Watch()])
    assert net.theta.dtype == np.float32
    assert types == {np.dtype(np.float32)}
    assert history["data_loss"][-1] < history["data_loss"][0]


# ---------------------------------------------------------------------------------------------------- weights of rows

WEIGHTED = {
    "cross_entropy": (classes, 3, CrossEntropy()),
    "cross_entropy, class weights": (classes, 3, CrossEntropy(class_weight=(0.5, 2.0, 1.0))),
    "mse": (numbers, 2, LOSSES["mse"]()),
    "huber": (numbers, 2, LOSSES["huber"]()),
}


def fitted(problem: str, rows: np.ndarray, weights: np.ndarray | None):
    """Train on some rows of a problem, full batch; return the network and its history."""
    make, outputs, loss = WEIGHTED[problem]
    X, y = make()
    net = plain(outputs)
    history = train(net, X[rows], y[rows], loss=loss, epochs=20, batch_size=None, sample_weight=weights)
    return net, history


@pytest.mark.parametrize("problem", WEIGHTED)
def test_whole_weights_equal_repeated_rows(problem):
    weights = np.arange(45) % 4
    weighted, history = fitted(problem, np.arange(45), weights)
    repeated, expected = fitted(problem, np.repeat(np.arange(45), weights), None)
    if "class weights" not in problem:
        np.testing.assert_allclose(weighted.theta, repeated.theta, rtol=1e-9, atol=1e-12)
        for name in ("data_loss", "evaluation_data_loss", WEIGHTED[problem][2].metric_name):
            np.testing.assert_allclose(history[name], expected[name], rtol=1e-9)
    else:  # a row's weights multiply
        np.testing.assert_allclose(weighted.theta, repeated.theta, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("problem", WEIGHTED)
def test_weight_of_zero_equals_an_absent_row(problem):
    weights = (np.arange(45) % 3 > 0).astype(float)
    weighted, history = fitted(problem, np.arange(45), weights)
    absent, expected = fitted(problem, np.flatnonzero(weights), None)
    np.testing.assert_allclose(weighted.theta, absent.theta, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(history["data_loss"], expected["data_loss"], rtol=1e-10)


def test_only_the_proportions_of_weights_matter():
    weights = np.linspace(0.1, 3.0, 45)
    first, _ = fitted("mse", np.arange(45), weights)
    second, _ = fitted("mse", np.arange(45), 1000 * weights)
    np.testing.assert_allclose(first.theta, second.theta, rtol=1e-10)
    ones, _ = fitted("mse", np.arange(45), np.full(45, 3))
    none, _ = fitted("mse", np.arange(45), None)
    np.testing.assert_allclose(ones.theta, none.theta, rtol=1e-12)


@pytest.mark.parametrize(("problem", "loss"), [(classes, "cross_entropy"), (numbers, "mse")])
def test_batches_in_which_every_weight_is_zero_are_no_obstacle(problem, loss):
    X, y = problem()
    weights = np.zeros(45)
    weights[:5] = 1.0
    history = train(plain(3 if y.ndim == 1 else 2), X, y, loss=loss, epochs=3, batch_size=4, sample_weight=weights)
    metric = history[history.metric_name]
    assert np.isfinite(metric).all()
    assert np.isfinite(history["data_loss"]).all()


def test_mini_batches_weigh_rows_as_the_whole_does():
    X, y = classes()
    weights, net = np.linspace(0.0, 2.0, 45), plain()
    history = train(net, X, y, optimizer=SGD(0.0), epochs=1, batch_size=7, sample_weight=weights)
    loss, outputs = CrossEntropy(), net.predict(X)
    assert history["data_loss"][0] == pytest.approx(np.average(loss.rows(outputs, y), weights=weights))
    assert history["accuracy"][0] == pytest.approx(np.average(outputs.argmax(axis=1) == y, weights=weights))


# -------------------------------------------------------------------------------------------------------- augmentation


def test_augmentation_is_drawn_anew_each_epoch_and_only_for_training():
    X, y = classes()
    calls: list[tuple[int, bytes]] = []

    def augment(x, rows, random):
        assert rows.tolist() == list(range(45))
        drawn = x + random.normal(x.shape)
        calls.append((random.epoch, drawn.tobytes()))
        return drawn

    nets = plain(), plain()
    for net in nets:
        history = train(net, X, y, epochs=3, augment=augment, validation=(X, y))
    assert [epoch for epoch, _ in calls] == [0, 1, 2, 0, 1, 2]
    assert len({drawn for _, drawn in calls}) == 3
    np.testing.assert_array_equal(nets[0].theta, nets[1].theta)
    expected = CrossEntropy().value(nets[1].predict(X), y)
    assert history["validation_data_loss"][-1] == pytest.approx(expected, rel=1e-13)
    assert history["evaluation_data_loss"][-1] == history["validation_data_loss"][-1]


def test_augmentation_of_another_shape_is_refused():
    X, y = classes()
    with pytest.raises(TautError, match=r"augment must return inputs of shape \(45, 4\), got \(45, 3\)"):
        train(plain(), X, y, augment=lambda x, _rows, _random: x[:, :3])


# ------------------------------------------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize("batch_size", [None, 16])
def test_loss_that_is_not_finite_stops_at_once_and_keeps_the_last_finite_weights(batch_size):
    X, y = numbers()
    net, kept = plain(2), []

    class Keep(Callback):
        def on_epoch_end(self, run):
            kept.append(run.network.theta.copy())

    settings = {"loss": "mse", "optimizer": SGD(1e10), "epochs": 50, "batch_size": batch_size, "callbacks": [Keep()]}
    with pytest.raises(NonFiniteLoss) as caught:
        train(net, 1e3 * X, 1e150 * y, **settings)
    assert np.isfinite(net.theta).all()
    assert caught.match(rf"^the (loss became (inf|nan)|weights became infinite or NaN) in epoch {len(kept)}; lower")
    assert "learning rate (1e+10)" in str(caught.value)
    assert "\n" not in str(caught.value)
    np.testing.assert_array_equal(net.theta, kept[-1] if kept else plain(2).build(4).theta)
    assert np.isfinite(net.predict(X)).all()


def test_penalty_that_is_not_finite_is_noticed_too():
    X, y = classes()
    net = Network([Dense(3, L2(1.0))]).build(4, dtype="float32")
    net.theta[:] = 1e25
    with pytest.raises(NonFiniteLoss, match="the loss became inf in epoch 0"):
        train(net, 1e-30 * X, y, optimizer=SGD(0.0), epochs=1)


def test_no_epochs_are_no_training():
    X, y = classes()
    history = train(net := plain(), X, y, epochs=0)
    assert history.epochs == 0
    assert repr(history) == "History(no epochs)"
    np.testing.assert_array_equal(net.theta, plain().build(4).theta)


def test_proximal_penalties_take_whole_numbers_as_learning_rates():
    X, y = classes()
    net = Network([Dense(3, L1(0.5) + NonNegative())])
    train(net, X, y, optimizer=SGD(1), epochs=2)
    assert (net.parameters[0].value >= 0).all()


X, Y = classes()
UNUSABLE = {
    "network of another type": ({"network": [Dense(3)]}, "network must be a Network, got list"),
    "unknown loss": ({"loss": "hinge"}, "loss must be one of cross_entropy, .*; got 'hinge'"),
    "loss of another type": ({"loss": Adam()}, "loss must be one of .* or a Loss, got Adam"),
    "unknown optimizer": ({"optimizer": "lion"}, "optimizer must be one of sgd, .*; got 'lion'"),
    "optimizer class": ({"optimizer": Adam}, "optimizer must be one of .* or a Optimizer, got <class"),
    "negative epochs": ({"epochs": -1}, "epochs must be an integer at least 0, got -1"),
    "fractional epochs": ({"epochs": 2.5}, "epochs must be an integer at least 0, got 2.5"),
    "no batch": ({"batch_size": 0}, "batch_size must be an integer at least 1, got 0"),
    "batch as text": ({"batch_size": "auto"}, "batch_size must be an integer at least 1, got 'auto'"),
    "negative seed": ({"seed": -1}, "seed must be from 0 to"),
    "seed as text": ({"seed": "0"}, "seed must be an integer, got '0'"),
    "no seed": ({"seed": None}, "seed must be an integer, got None"),
    "X as text": ({"X": X.astype(str)}, "X must be numbers, got <U"),
    "X of objects": ({"X": X.astype(object)}, "X must be numbers, got object; TautClassifier"),
    "complex X": ({"X": X + 1j}, "X must be numbers, got complex128"),
    "X of one dimension": ({"X": X[:, 0]}, r"X must have shape \(samples, inputs\) .*, got \(45,\)"),
    "X of three dimensions": ({"X": X[None]}, r"X must have shape \(samples, inputs\) .*, got \(1, 45, 4\)"),
    "no rows": ({"X": X[:0], "y": Y[:0]}, r"X must have shape .* at least one of each, got \(0, 4\)"),
    "no columns": ({"X": X[:, :0]}, r"X must have shape .* at least one of each, got \(45, 0\)"),
    "NaN in X": ({"X": np.where(X > 2, np.nan, X)}, "X must be finite, got NaN or infinity"),
    "infinity in X": ({"X": np.where(X > 2, np.inf, X)}, "X must be finite, got NaN or infinity"),
    "too few y": ({"y": Y[:-1]}, "X and y must have equally many rows, got 45 and 44"),
    "scalar y": ({"y": 3}, "X and y must have equally many rows, got 45 and a scalar"),
    "labels out of range": ({"y": Y + 1}, "class labels must be from 0 to 2, got 1 to 3"),
    "text labels": ({"y": Y.astype(str)}, "class labels must be integers"),
    "NaN in y": ({"loss": "mse", "y": np.full((45, 3), np.nan)}, "targets must be finite"),
    "y of another width": ({"loss": "mse", "y": np.ones((45, 2))}, r"targets must have shape \(samples, 3\)"),
    "too few weights": ({"sample_weight": np.ones(44)}, "sample_weight must be 45 finite"),
    "negative weight": ({"sample_weight": np.linspace(-1, 1, 45)}, "sample_weight must be 45 finite"),
    "no weight": ({"sample_weight": np.zeros(45)}, "sample_weight must be 45 finite"),
    "NaN weight": ({"sample_weight": np.full(45, np.nan)}, "sample_weight must be 45 finite"),
    "text weights": ({"sample_weight": ["a"] * 45}, "sample_weight must be numbers"),
    "no class counts": ({"loss": CrossEntropy(class_weight=(0, 0, 0))}, "every row has weight 0"),
    "validation is no pair": ({"validation": X}, r"validation must be a pair \(X, y\), got ndarray"),
    "validation of three": ({"validation": (X, Y, Y)}, r"validation must be a pair \(X, y\), got tuple"),
    "validation of other width": ({"validation": (X[:, :3], Y)}, "X must have the network's 4 inputs, got 3"),
    "validation of other length": ({"validation": (X, Y[:3])}, "X and y must have equally many rows"),
    "callback of another type": ({"callbacks": [print]}, "callbacks must be a list of instances such as"),
    "one callback alone": ({"callbacks": Callback()}, "callbacks must be a list of instances such as"),
    "resume of another type": ({"resume": {}}, "resume must be the state of a history, got dict"),
    "resume of another optimizer": ({"resume": State()}, "the state to resume is not of Adam with 67 parameters"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_argument_is_refused_in_one_line(case):
    settings, message = UNUSABLE[case]
    arguments = {"network": plain(), "X": X, "y": Y, "epochs": 1} | settings
    with pytest.raises(TautError, match=f"^{message}") as caught:
        train(arguments.pop("network"), arguments.pop("X"), arguments.pop("y"), **arguments)
    assert "\n" not in str(caught.value)


def test_inputs_too_large_for_the_type_of_the_network_are_refused():
    net = plain().build(4, dtype="float32")
    with pytest.raises(TautError, match="X holds numbers too large for float32"):
        train(net, 1e300 * X, Y, epochs=1)
