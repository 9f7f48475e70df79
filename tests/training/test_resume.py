"""A run that stopped goes on as if it had not, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kinds import examples
from tests.training.problems import classes, columns, network

from taut import SGD, Adam, Cosine, Dense, EarlyStopping, InverseTime, Network, TautError, WarmUp, train
from taut.network.kinds import OPTIMIZERS
from taut.training import Callback


class StopAfter(Callback):
    """Stop as a Ctrl-C would, with all epochs still planned."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_end(self, run):
        if run.history.epochs == self.epochs:
            run.stop("a pause")


def assert_resumes(optimizer, pauses: bool) -> None:
    X, y = classes()
    settings = {"optimizer": optimizer, "batch_size": 16, "seed": 3, "validation": classes(20, seed=1)}
    whole, parts = network(), network()
    expected = train(whole, X, y, epochs=10, **settings)
    if pauses:
        first = train(parts, X, y, epochs=10, callbacks=[StopAfter(4)], **settings)
        assert first.stopped == "a pause"
    else:
        first = train(parts, X, y, epochs=4, **settings)
    second = train(parts, X, y, epochs=10, resume=first.state, **settings)
    assert (first.epochs, second.epochs) == (4, 6)
    np.testing.assert_array_equal(parts.theta, whole.theta)
    joined = {name: values + columns(second)[name] for name, values in columns(first).items()}
    assert joined == columns(expected)
    for name, values in expected.state.memory.items():
        np.testing.assert_array_equal(second.state.memory[name], values)
    assert (second.state.epoch, second.state.step) == (10, 30)


@pytest.mark.parametrize("factory", examples(OPTIMIZERS))
def test_paused_run_goes_on_bit_by_bit(factory):
    assert_resumes(factory(), pauses=True)


@pytest.mark.parametrize("kind", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_shorter_run_is_lengthened_bit_by_bit_where_the_rate_does_not_depend_on_the_length(kind):
    for schedule in (None, InverseTime(1e-2), InverseTime(1e-2, compounding=True)):
        assert_resumes(kind(lr=0.02, schedule=schedule), pauses=False)


@pytest.mark.parametrize("schedule", [Cosine(), WarmUp(0.3, Cosine(0.1))], ids=repr)
def test_paused_run_keeps_to_the_schedule_of_the_whole(schedule):
    assert_resumes(SGD(0.1, momentum=0.9, schedule=schedule), pauses=True)


def test_earlier_history_keeps_its_state():
    X, y = classes()
    net = network()
    first = train(net, X, y, optimizer=Adam(), epochs=2)
    kept = first.state.epoch, first.state.step, first.state.memory["momentum"].copy()
    train(net, X, y, optimizer=Adam(), epochs=4, resume=first.state)
    assert (first.state.epoch, first.state.step) == kept[:2]
    np.testing.assert_array_equal(first.state.memory["momentum"], kept[2])


def test_resuming_a_finished_run_does_nothing():
    X, y = classes()
    net = network()
    first = train(net, X, y, epochs=2)
    theta = net.theta.copy()
    assert train(net, X, y, epochs=2, resume=first.state).epochs == 0
    np.testing.assert_array_equal(net.theta, theta)


def test_a_run_that_restored_its_best_weights_is_not_resumed():
    X, y = np.linspace(-1, 1, 20)[:, None], np.linspace(-1, 1, 20)
    line = Network([Dense(1)])
    stop = EarlyStopping(patience=2)
    history = train(line, X, y, loss="mse", optimizer=Adam(0.2), epochs=200, validation=(X, -y), callbacks=[stop])
    assert history.state.restored
    with pytest.raises(TautError, match="ended with its best weights"):
        train(line, X, y, loss="mse", optimizer=Adam(0.2), epochs=300, resume=history.state)
