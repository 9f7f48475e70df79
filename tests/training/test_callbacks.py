"""Callbacks: early stopping, stopping by one's own reasons, the progress display, and Ctrl-C."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest
from tests.training.problems import classes, columns, network, numbers, plain

from taut import Adam, EarlyStopping, InvalidValue, TautError, train
from taut.training import Callback

CLASS_MONITORS = [
    "validation_data_loss",
    "validation_loss",
    "validation_accuracy",
    "evaluation_data_loss",
    "loss",
    "data_loss",
    "accuracy",
]


class Remember(Callback):
    """Keep the weights of every epoch, and all that is called."""

    def __init__(self) -> None:
        self.thetas: list[np.ndarray] = []
        self.calls: list[str] = []

    def on_start(self, run):
        self.calls.append("start")

    def on_epoch_end(self, run):
        self.thetas.append(run.network.theta.copy())
        self.calls.append(f"epoch {run.history.epochs} of {run.epochs}")

    def on_end(self, run):
        self.calls.append("end")


class Interrupt(Callback):
    """Press Ctrl-C after some epoch, once or several times."""

    def __init__(self, epoch: int, times: int = 1) -> None:
        self.epoch, self.times = epoch, times

    def on_epoch_end(self, run):
        if run.history.epochs == self.epoch:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


# ------------------------------------------------------------------------------------------------------ early stopping


@pytest.mark.parametrize("monitor", [*CLASS_MONITORS, "validation_r2", "r2"])
def test_early_stopping_restores_the_weights_of_the_best_epoch(monitor):
    (X, y), outputs = (numbers(), 2) if monitor.endswith("r2") else (classes(), 3)
    fresh = numbers(30, seed=3) if monitor.endswith("r2") else classes(30, seed=3)
    net, remember = network(outputs), Remember()
    history = train(
        net,
        X,
        y,
        loss="mse" if outputs == 2 else "cross_entropy",
        optimizer=Adam(0.03),
        epochs=300,
        validation=fresh,
        callbacks=[remember, EarlyStopping(patience=6, monitor=monitor)],
    )
    values = history[monitor]
    best = values.argmax() if monitor.endswith(("accuracy", "r2")) else values.argmin()
    assert history.best_epoch == best
    np.testing.assert_array_equal(net.theta, remember.thetas[best])
    if history.stopped == "early stopping":
        assert history.epochs == best + 1 + 6
    else:
        assert (history.stopped, history.epochs) == ("epochs", 300)


def test_early_stopping_does_stop_where_validation_gets_worse():
    history = train(
        plain(), *classes(), optimizer=Adam(0.1), epochs=500, validation=classes(90, 4), callbacks=[EarlyStopping(5)]
    )
    assert history.stopped == "early stopping"
    assert history.epochs < 200


def test_best_weights_are_restored_though_all_epochs_were_run():
    net, remember = plain(), Remember()
    callbacks = [remember, EarlyStopping(patience=1000)]
    history = train(net, *classes(), optimizer=Adam(0.1), epochs=40, validation=classes(90, 4), callbacks=callbacks)
    best = history["validation_data_loss"].argmin()
    assert history.stopped == "epochs"
    assert history.best_epoch == best < 39
    np.testing.assert_array_equal(net.theta, remember.thetas[best])


def test_last_weights_stay_if_asked_for():
    net, remember = plain(), Remember()
    callbacks = [remember, EarlyStopping(patience=3, restore_best=False)]
    history = train(net, *classes(), optimizer=Adam(0.1), epochs=400, validation=classes(90, 4), callbacks=callbacks)
    assert history.stopped == "early stopping"
    assert history.best_epoch is None
    np.testing.assert_array_equal(net.theta, remember.thetas[-1])


def test_small_improvements_do_not_count_below_min_delta():
    settings = {"epochs": 400, "validation": classes(90, 4), "optimizer": Adam(0.01)}
    every = train(plain(), *classes(), callbacks=[EarlyStopping(4)], **settings)
    large = train(plain(), *classes(), callbacks=[EarlyStopping(4, min_delta=0.05)], **settings)
    assert large.epochs < every.epochs


def test_best_epoch_of_a_resumed_run_is_counted_from_the_first_run():
    net, validation = plain(), classes(90, 4)
    first = train(net, *classes(), optimizer=Adam(0.02), epochs=5, validation=validation)
    second = train(
        net,
        *classes(),
        optimizer=Adam(0.02),
        epochs=60,
        validation=validation,
        callbacks=[EarlyStopping(100)],
        resume=first.state,
    )
    assert second.best_epoch == second["epoch"][second["validation_data_loss"].argmin()]


def test_one_early_stopping_serves_several_runs():
    stopping = EarlyStopping(3)
    histories = [
        train(plain(), *classes(), optimizer=Adam(0.1), epochs=200, validation=classes(90, 4), callbacks=[stopping])
        for _ in range(2)
    ]
    assert columns(histories[0]) == columns(histories[1])


@pytest.mark.parametrize("monitor", ["validation_data_loss", "vlidation_loss"])
def test_early_stopping_without_its_column_is_refused(monitor):
    with pytest.raises(InvalidValue, match=f"early stopping watches '{monitor}', which is no column") as caught:
        train(plain(), *classes(), callbacks=[EarlyStopping(monitor=monitor)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [{"patience": 0}, {"patience": 2.5}, {"min_delta": -1}, {"min_delta": "a"}])
def test_unusable_settings_of_early_stopping_are_refused(settings):
    with pytest.raises(TautError, match=f"^{next(iter(settings))} must be"):
        EarlyStopping(**settings)


# ---------------------------------------------------------------------------------------------------------- callbacks


def test_callbacks_are_told_start_every_epoch_and_end():
    remember = Remember()
    train(plain(), *classes(), epochs=2, callbacks=[remember])
    assert remember.calls == ["start", "epoch 1 of 2", "epoch 2 of 2", "end"]


def test_a_callback_may_stop_for_a_reason_of_its_own():
    class Enough(Callback):
        def on_epoch_end(self, run):
            if run.history["accuracy"][-1] > 0.5:
                run.stop("accurate enough")

    history = train(plain(), *classes(), optimizer=Adam(0.05), epochs=500, callbacks=[Enough()])
    assert history.stopped == "accurate enough"
    assert history["accuracy"][-1] > 0.5 >= history["accuracy"][:-1].max()


def test_callbacks_hear_of_the_end_also_when_one_of_them_fails():
    class Fail(Callback):
        def on_epoch_end(self, run):
            raise RuntimeError("broken")

    remember = Remember()
    with pytest.raises(RuntimeError, match="broken"):
        train(plain(), *classes(), callbacks=[Fail(), remember])
    assert remember.calls == ["start", "end"]


def test_progress_shows_loss_in_two_parts_and_the_validation_loss(capsys):
    history = train(network(), *classes(), epochs=3, progress=True, validation=classes(20, 1))
    shown = " ".join(capsys.readouterr().out.split())
    row = history.last()
    for text in ("3/3", f"data loss {row['data_loss']:.4f}", f"penalty {row['penalty']:.4f}"):
        assert text in shown
    assert f"{row['validation_data_loss']:.4f}" in shown


def test_nothing_is_shown_unless_asked_for(capsys):
    train(plain(), *classes(), epochs=2)
    assert capsys.readouterr() == ("", "")


# -------------------------------------------------------------------------------------------------------------- Ctrl-C


@pytest.fixture
def hears_interrupts():
    """Let Python hear SIGINT, also where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ignored_interrupts_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        history = train(plain(), *classes(), epochs=5, callbacks=[Interrupt(2)])
        assert (history.stopped, history.epochs) == ("epochs", 5)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_interrupts")
def test_interrupt_stops_after_the_epoch_and_keeps_what_was_learned():
    handler, net, remember = signal.getsignal(signal.SIGINT), network(), Remember()
    history = train(net, *classes(), epochs=50, batch_size=16, callbacks=[remember, Interrupt(3)])
    assert (history.stopped, history.epochs) == ("interrupted", 3)
    np.testing.assert_array_equal(net.theta, remember.thetas[-1])
    assert signal.getsignal(signal.SIGINT) is handler
    rest = train(net, *classes(), epochs=50, batch_size=16, resume=history.state)
    whole = network()
    train(whole, *classes(), epochs=50, batch_size=16)
    assert rest.epochs == 47
    np.testing.assert_array_equal(net.theta, whole.theta)


@pytest.mark.usefixtures("hears_interrupts")
def test_interrupted_run_restores_the_best_weights_too():
    net, remember = plain(), Remember()
    callbacks = [remember, EarlyStopping(1000), Interrupt(40)]
    history = train(net, *classes(), optimizer=Adam(0.1), epochs=90, validation=classes(90, 4), callbacks=callbacks)
    assert history.stopped == "interrupted"
    np.testing.assert_array_equal(net.theta, remember.thetas[history.best_epoch])


@pytest.mark.usefixtures("hears_interrupts")
def test_second_interrupt_stops_at_once():
    handler, remember = signal.getsignal(signal.SIGINT), Remember()
    with pytest.raises(KeyboardInterrupt):
        train(plain(), *classes(), epochs=50, callbacks=[Interrupt(3, times=2), remember])
    assert remember.calls[-1] == "end"
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.usefixtures("hears_interrupts")
def test_interrupt_raises_if_the_run_is_not_interruptible():
    with pytest.raises(KeyboardInterrupt):
        train(plain(), *classes(), epochs=50, callbacks=[Interrupt(3)], interruptible=False)


@pytest.mark.usefixtures("hears_interrupts")
def test_handler_is_put_back_after_a_failure():
    class Fail(Callback):
        def on_epoch_end(self, run):
            raise RuntimeError("broken")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError):
        train(plain(), *classes(), callbacks=[Fail()])
    assert signal.getsignal(signal.SIGINT) is handler


def test_training_runs_outside_the_main_thread():
    here, there = plain(), plain()
    train(here, *classes(), epochs=3)
    thread = threading.Thread(target=train, args=(there, *classes()), kwargs={"epochs": 3})
    thread.start()
    thread.join()
    np.testing.assert_array_equal(there.theta, here.theta)
