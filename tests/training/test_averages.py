"""Averages of weights: what is averaged, when the network shows it, and that training itself does not notice."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.problems import classes, columns, network

from taut import (
    EMA,
    SGD,
    SWA,
    Adam,
    BatchNorm,
    CosineRestarts,
    CrossEntropy,
    Dense,
    Dropout,
    EarlyStopping,
    GaussianNoise,
    Network,
    NonFiniteLoss,
    ReLU,
    Snapshots,
    TautError,
    WarmUp,
    train,
)
from taut.training import Callback, State

EPOCHS = 12


class Remember(Callback):
    """Keep the state of the network after every epoch."""

    def __init__(self) -> None:
        self.states: list[np.ndarray] = []

    def on_epoch_end(self, run):
        self.states.append(run.network.state.copy())


class StopAfter(Callback):
    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_end(self, run):
        if run.history.epochs == self.epochs:
            run.stop("a pause")


def noisy() -> Network:
    """Return a network with all that is drawn or gathered in training, not built."""
    return Network([GaussianNoise(0.1), Dense(8), BatchNorm(), ReLU(), Dropout(0.2), Dense(3)])


def run(average, make=noisy, epochs: int = EPOCHS, **settings):
    """Train on the classes; return the network, its history and its states after each epoch."""
    net, remember = make(), Remember()
    settings = {"optimizer": SGD(0.3), "batch_size": 16, "validation": classes(30, seed=9)} | settings
    callbacks = [remember, *settings.pop("callbacks", [])]
    history = train(net, *classes(), epochs=epochs, average=average, callbacks=callbacks, **settings)
    return net, history, np.array(remember.states)


# ------------------------------------------------------------------------------------------------------------ the mean


def ema(states: np.ndarray, decay: float) -> np.ndarray:
    """Return the mean in which each state weighs `decay` as much as the next."""
    weights = decay ** np.arange(len(states) - 1, -1, -1.0)
    return weights @ states / weights.sum()


@pytest.mark.parametrize("decay", [0.0, 0.6, 0.99])
def test_ema_is_the_weighted_mean_of_the_states_after_the_updates(decay):
    net, history, shown = run(EMA(decay), batch_size=None)
    _, _, live = run(None, batch_size=None)  # one update an epoch
    for epoch in range(EPOCHS):
        np.testing.assert_allclose(shown[epoch], ema(live[: epoch + 1], decay), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(net.state, shown[-1])
    assert history.state.averaged == EPOCHS


def test_ema_takes_every_update_of_an_epoch_in():
    seen: list[np.ndarray] = []

    class Watch(Dense):
        def forward(self, x, *, training, random):
            if training:
                seen.append(np.concatenate([self.weights.value.ravel(), self.biases.value]))
            return super().forward(x, training=training, random=random)

    _, history, shown = run(EMA(0.8), make=lambda: Network([Watch(3)]), epochs=3)
    assert len(seen) == history.state.averaged == 9
    live = np.array([*seen[1:], history.state.live])
    np.testing.assert_allclose(shown[-1], ema(live, 0.8), rtol=1e-12)
    np.testing.assert_allclose(shown[0], ema(live[:3], 0.8), rtol=1e-12)


@pytest.mark.parametrize(("fraction", "count"), [(0.25, 3), (1.0, 12), (0.01, 1), (0.2, 2)])
def test_swa_is_the_plain_mean_over_the_last_epochs(fraction, count):
    _, history, shown = run(SWA(fraction))
    _, _, live = run(None)
    first = EPOCHS - count
    np.testing.assert_array_equal(shown[:first], live[:first])
    for epoch in range(first, EPOCHS):
        np.testing.assert_allclose(shown[epoch], live[first : epoch + 1].mean(axis=0), rtol=1e-12, atol=1e-14)
    assert history.state.averaged == count


@pytest.mark.parametrize("warm_up", [0.0, 0.25])
def test_snapshots_are_the_plain_mean_of_the_states_at_the_ends_of_the_last_cycles(warm_up):
    schedule = WarmUp(warm_up, CosineRestarts(3))
    settings = {"optimizer": SGD(0.3, schedule=schedule), "batch_size": None}  # one update an epoch
    average = Snapshots(2, cycles=3, warm_up=warm_up)
    _, history, shown = run(average, **settings)
    _, expected, live = run(None, **settings)
    # A cycle ends before the update whose rate is whole again.
    whole = np.flatnonzero(expected["learning_rate"] == 0.3)
    second, third = whole[-1] - 1, EPOCHS - 1
    assert (second, third) == ((7, 11) if not warm_up else (8, 11))
    np.testing.assert_array_equal(shown[:second], live[:second])
    for epoch in range(second, third):
        np.testing.assert_allclose(shown[epoch], live[second], rtol=1e-14)
    np.testing.assert_allclose(shown[third], (live[second] + live[third]) / 2, rtol=1e-12, atol=1e-14)
    assert history.state.averaged == 2


@pytest.mark.parametrize(("steps", "cycles"), [(7, 3), (10, 4), (100, 7), (5, 5), (1, 1)])
def test_snapshots_are_taken_where_the_schedule_restarts(steps, cycles):
    rates = [CosineRestarts(cycles).rate(1.0, step, steps, 1.0) for step in range(steps)]
    restarts = [step for step in range(1, steps) if rates[step] >= rates[step - 1]]
    taken = [step for step in range(steps) if Snapshots(cycles, cycles=cycles).takes_update(step, steps)]
    assert taken == [step - 1 for step in restarts] + [steps - 1]
    for count in range(1, cycles + 1):
        last = [step for step in range(steps) if Snapshots(count, cycles=cycles).takes_update(step, steps)]
        assert last == taken[-count:]


@pytest.mark.parametrize("average", [EMA(0.9), SWA(0.5), "ema", "swa", Snapshots(2, cycles=4)], ids=str)
def test_training_goes_on_from_the_live_weights_as_if_nothing_was_averaged(average):
    net, history, _ = run(average)
    plain, expected, _ = run(None)
    for name in ("loss", "data_loss", "penalty", "accuracy", "learning_rate"):
        np.testing.assert_array_equal(history[name], expected[name])
    np.testing.assert_array_equal(history.state.live, plain.state)
    assert (net.theta != plain.theta).any()
    assert (net.statistics != plain.statistics).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_average_is_kept_in_the_type_of_the_network(dtype):
    X, y = classes()
    for average in (EMA(0.9), SWA(0.5)):
        net = noisy()
        history = train(net, X.astype(dtype), y, epochs=4, average=average)
        assert net.state.dtype == history.state.average.dtype == history.state.live.dtype == np.dtype(dtype)


# ------------------------------------------------------------------------------------------------- what shows between


@pytest.mark.parametrize("average", [EMA(0.9), SWA(0.5)], ids=str)
def test_history_callbacks_and_result_are_of_the_average(average):
    net, history, shown = run(average)
    (X, y), (X_fresh, y_fresh), loss = classes(), classes(30, seed=9), CrossEntropy()
    for epoch in (EPOCHS - 2, EPOCHS - 1):
        net.state[:] = shown[epoch]
        expected = loss.value(net.predict(X), y), loss.value(net.predict(X_fresh), y_fresh)
        assert history["evaluation_data_loss"][epoch] == pytest.approx(expected[0], rel=1e-13)
        assert history["validation_data_loss"][epoch] == pytest.approx(expected[1], rel=1e-13)
        assert history["weight_norm_1"][epoch] == pytest.approx(np.linalg.norm(net.layers[1].weights.value))


@pytest.mark.parametrize("average", [EMA(0.9), SWA(1.0)], ids=str)
def test_early_stopping_restores_the_best_average(average):
    net, history, shown = run(average, epochs=60, optimizer=Adam(0.1), callbacks=[EarlyStopping(1000)])
    assert history.best_epoch < 59
    np.testing.assert_array_equal(net.state, shown[history.best_epoch])
    with pytest.raises(TautError, match="ended with its best weights"):
        run(average, make=lambda: net, epochs=70, optimizer=Adam(0.1), resume=history.state)


def test_a_run_that_ends_before_the_last_epochs_has_its_live_weights():
    net, history, _ = run(SWA(0.25), callbacks=[StopAfter(5)])
    _, _, live = run(None)
    np.testing.assert_array_equal(net.state, live[4])
    assert (history.state.averaged, history.state.live) == (0, None)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("average", [EMA(0.9), SWA(1.0)], ids=str)
def test_network_keeps_what_it_showed_when_the_loss_is_not_finite(average, engine):
    def explode(x, rows, random):
        return x + np.inf if random.epoch == 4 else x

    remember, net, settings = Remember(), network(), {"epochs": 9, "batch_size": 16, "augment": explode}
    with pytest.raises(NonFiniteLoss, match="in epoch 4"):
        train(net, *classes(), average=average, callbacks=[remember], engine=engine, **settings)
    assert len(remember.states) == 4
    np.testing.assert_array_equal(net.state, remember.states[-1])


def test_averages_are_smoother_than_the_way():
    """At a constant rate, single updates are noise around the best weights; their mean is not."""
    X, y = classes(300)
    losses = []
    for average in (None, EMA(0.98), SWA(0.5)):
        settings = {"optimizer": SGD(0.5), "epochs": 40, "batch_size": 8}
        history = train(Network([Dense(3)]), X, y, average=average, **settings)
        losses.append(history["evaluation_data_loss"][-10:])
    best = train(Network([Dense(3)]), X, y, optimizer=SGD(0.5), epochs=400, batch_size=None)["data_loss"][-1]
    excess = np.mean(losses, axis=1) - best
    assert (excess[1:] < 0.25 * excess[0]).all()


# ----------------------------------------------------------------------------------------------------------- resumption


@pytest.mark.parametrize("pause", [2, 8, 11])
@pytest.mark.parametrize("average", [None, EMA(0.9), SWA(0.5), Snapshots(2, cycles=4)], ids=str)
def test_paused_run_goes_on_bit_by_bit(average, pause):
    settings = {"optimizer": Adam(0.02, clip_norm=1.0), "seed": 3}
    whole, expected, _ = run(average, **settings)
    parts, first, _ = run(average, callbacks=[StopAfter(pause)], **settings)
    kept = None if first.state.average is None else first.state.average.copy()
    _, second, _ = run(average, make=lambda: parts, resume=first.state, **settings)
    assert (first.epochs, second.epochs) == (pause, EPOCHS - pause)
    np.testing.assert_array_equal(parts.state, whole.state)
    joined = {name: values + columns(second)[name] for name, values in columns(first).items()}
    assert joined == columns(expected)
    assert second.state.averaged == expected.state.averaged
    if average is not None:
        np.testing.assert_array_equal(second.state.live, expected.state.live)
        np.testing.assert_array_equal(second.state.average, expected.state.average)
        np.testing.assert_array_equal(first.state.average, kept)  # the earlier run keeps its own


def test_resuming_a_finished_run_leaves_its_average():
    net, history, shown = run(EMA(0.9))
    assert run(EMA(0.9), make=lambda: net, resume=history.state)[1].epochs == 0
    np.testing.assert_array_equal(net.state, shown[-1])


def test_averaging_may_begin_where_a_run_goes_on():
    net, history, _ = run(None, epochs=4)
    _, second, shown = run(EMA(0.9), make=lambda: net, epochs=6, batch_size=None, resume=history.state)
    assert second.state.averaged == 2
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("average", "message"),
    [
        ("mean", "average must be one of ema, swa, snapshots; got 'mean'"),
        (0.99, "average must be one of ema, swa, snapshots or a Average, got 0.99"),
        (EMA, "average must be one of ema, swa, snapshots or a Average, got <class"),
    ],
)
def test_what_is_no_average_is_refused(average, message):
    with pytest.raises(TautError, match=f"^{message}"):
        run(average)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EMA(1.0), "decay must be a number at least 0 and below 1, got 1.0"),
        (lambda: EMA("a"), "decay must be a number at least 0 and below 1, got 'a'"),
        (lambda: SWA(0), "fraction must be a number above 0 and at most 1, got 0"),
        (lambda: Snapshots(5), "count of snapshots must be an integer at least 1 and at most 4, got 5"),
        (lambda: Snapshots(cycles=0), "cycles must be an integer at least 1, got 0"),
        (lambda: SWA(1.5), "fraction must be a number above 0 and at most 1, got 1.5"),
    ],
)
def test_unusable_settings_are_refused(make, message):
    with pytest.raises(TautError, match=f"^{message}"):
        make()


def test_states_that_do_not_belong_are_refused():
    net, history, _ = run(EMA(0.9))
    with pytest.raises(TautError, match="the run to resume averaged its weights; give the average of that run"):
        run(None, make=lambda: net, epochs=20, resume=history.state)
    other = State(memory=history.state.memory, average=np.zeros(3), averaged=1, live=np.zeros(3))
    with pytest.raises(TautError, match=f"the average to resume is not of a network with {net.state.size} numbers"):
        run(EMA(0.9), make=lambda: net, epochs=20, resume=other)
