"""Runs in compiled code: however they are cut, shared, paused or broken off, they are the run that was asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from tests.training.problems import classes, columns, network, numbers, plain

from taut import (
    EMA,
    L1,
    L2,
    SGD,
    SWA,
    Adam,
    AdamW,
    Augmentation,
    BatchNorm,
    Cosine,
    CosineRestarts,
    Dense,
    Dropout,
    EarlyStopping,
    GaussianNoise,
    GroupL1,
    History,
    InvalidValue,
    LayerNorm,
    Network,
    NonFiniteLoss,
    Orthogonality,
    ReLU,
    Shortcut,
    Snapshots,
    Softmax,
    Tanh,
    TautError,
    train,
)
from taut.engine.session import Session
from taut.network import PeriodicEmbedding
from taut.notices import say
from taut.training import Callback, loops
from taut.training.loops import CompiledLoop

CUTS = {
    "plain": (network, {}),
    "full batch": (network, {"batch_size": None}),
    "batches of one": (network, {"batch_size": 1}),
    "batch norm and EMA": (
        lambda: Network([Dense(9), BatchNorm(), ReLU(), Dropout(0.2), Dense(3)]),
        {"average": EMA(0.9), "mixup": 0.3},
    ),
    "batch norm and SWA": (lambda: Network([Dense(9), BatchNorm(), Tanh(), Dense(3)]), {"average": SWA(0.5)}),
    "noise and layer norm": (
        lambda: Network([GaussianNoise(0.2), Dense(17), LayerNorm(), ReLU(), Dropout(0.2), Dense(3)]),
        {"mixup": 0.4, "optimizer": Adam(0.02, clip_norm=0.5)},
    ),
    "groups": (
        lambda: Network(
            [Dense(12, GroupL1(1e-3) + L1(1e-3)), ReLU(), Dense(5, Orthogonality(1e-3)), Dense(3, L2(0.1))]
        ),
        {"optimizer": SGD(0.1, momentum=0.9, schedule=Cosine())},
    ),
    "augmentation": (network, {"augment": lambda x, _rows, random: x + 0.3 * random.normal(x.shape), "batch_size": 3}),
    "dropped connections, uphill, of cells that are mixed": (
        lambda: Network(
            [Dense(33, dropconnect=0.3), ReLU(), Dense(3, dropconnect=0.2), Tanh(), Dropout(0.2), Dense(3)]
        ),
        {"optimizer": Adam(0.02, sam=0.1), "cutmix": 0.4},
    ),
    "batch norm, uphill": (
        lambda: Network([Dense(9), BatchNorm(), ReLU(), Dense(3)]),
        {"optimizer": SGD(0.1, sam=0.2, clip_norm=0.5)},
    ),
    "what fades": (
        lambda: Network([Dense(9), ReLU(), Dropout(0.5, schedule="flat_cosine"), Dense(3)]),
        {"optimizer": AdamW(0.02, weight_decay=0.5, weight_decay_schedule="flat_cosine")},
    ),
    "snapshots": (
        network,
        {"optimizer": SGD(0.1, schedule=CosineRestarts(5)), "average": Snapshots(3, cycles=5)},
    ),
    "early stopping": (plain, {"optimizer": Adam(0.1), "epochs": 60}),
    "weights": (network, {"sample_weight": np.linspace(0.0, 2.0, 45)}),
}


def run(name: str, **settings) -> tuple[Network, History]:
    """Make one of the runs of CUTS in compiled code."""
    make, own = CUTS[name]
    given = {"epochs": 12, "batch_size": 16, "seed": 3, "validation": classes(30, seed=9), "optimizer": Adam(0.02)}
    given |= own | settings
    if name == "early stopping":
        given["callbacks"] = [EarlyStopping(4), *given.get("callbacks", [])]
    net = make()
    return net, train(net, *classes(), engine="compiled", **given)


def assert_same_run(first: tuple[Network, History], second: tuple[Network, History]) -> None:
    """Raise unless two runs are the same, bit for bit."""
    (net, history), (other, expected) = first, second
    np.testing.assert_array_equal(net.state, other.state)
    np.testing.assert_equal(columns(history), columns(expected))
    assert (history.stopped, history.best_epoch) == (expected.stopped, expected.best_epoch)
    ours, theirs = vars(history.state), vars(expected.state)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_equal(ours[name], theirs[name], err_msg=name)


class Look(Callback):
    """Keep the state of every epoch."""

    def __init__(self) -> None:
        self.states: list[np.ndarray] = []

    def on_epoch_end(self, run):
        self.states.append(run.network.state.copy())


class StopAfter(Callback):
    """Stop as a Ctrl-C would, with all epochs still planned."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_end(self, run):
        if run.history.epochs == self.epochs:
            run.stop("a pause")


# -------------------------------------------------------------------------------------------------- cut, shared, paused


@pytest.mark.parametrize("name", CUTS)
def test_a_run_is_the_same_in_however_many_calls(name, monkeypatch):
    whole = run(name)
    calls = []
    advance = CompiledLoop.advance

    def counted(self, until_epoch):
        calls.append(until_epoch)
        return advance(self, until_epoch)

    monkeypatch.setattr(CompiledLoop, "advance", counted)
    monkeypatch.setattr(loops, "_CALL_SECONDS", 1e-12)  # one update a call
    assert_same_run(run(name), whole)
    assert len(calls) == whole[1].state.step or name == "early stopping"


@pytest.mark.parametrize("name", CUTS)
def test_a_run_is_the_same_if_somebody_looks(name):
    look = Look()
    net, history = run(name, callbacks=[look])
    assert_same_run((net, history), run(name))
    assert len(look.states) == history.epochs
    last = history.epochs - 1 if history.best_epoch is None else history.best_epoch
    np.testing.assert_array_equal(net.state, look.states[last])


def test_many_short_epochs_with_a_callback_do_not_overflow():
    assert train(plain(), *classes(6), epochs=3000, batch_size=None, callbacks=[Look()]).epochs == 3000


@pytest.mark.parametrize("pause", [1, 5, 11])
@pytest.mark.parametrize("name", sorted(CUTS.keys() - {"early stopping"}))
def test_a_paused_run_goes_on_bit_by_bit(name, pause):
    whole, expected = run(name)
    make, own = CUTS[name]
    net = make()
    settings = {"epochs": 12, "batch_size": 16, "seed": 3, "validation": classes(30, seed=9), "optimizer": Adam(0.02)}
    settings |= own | {"engine": "compiled"}
    first = train(net, *classes(), callbacks=[StopAfter(pause)], **settings)
    assert (first.epochs, first.stopped) == (pause, "a pause")
    second = train(net, *classes(), resume=first.state, **settings)
    joined = {column: values + columns(second)[column] for column, values in columns(first).items()}
    np.testing.assert_equal(joined, columns(expected))
    np.testing.assert_array_equal(net.state, whole.state)
    np.testing.assert_equal(vars(second.state), vars(expected.state))


@pytest.mark.parametrize("engines", [("compiled", "numpy"), ("numpy", "compiled")])
@pytest.mark.parametrize("name", sorted(CUTS.keys() - {"early stopping"}))
def test_a_run_goes_on_in_the_other_engine(name, engines):
    whole, _ = run(name)
    make, own = CUTS[name]
    net = make()
    settings = {"epochs": 12, "batch_size": 16, "seed": 3, "optimizer": Adam(0.02)} | own
    first = train(net, *classes(), callbacks=[StopAfter(5)], engine=engines[0], **settings)
    train(net, *classes(), resume=first.state, engine=engines[1], **settings)
    np.testing.assert_allclose(net.state, whole.state, rtol=1e-7, atol=1e-9)


LARGE = {
    "small": (lambda: Network([Dense(8), Dropout(0.3), Tanh(), Dense(3)]), 45, 4, {}),
    "layer norm": (
        lambda: Network(
            [GaussianNoise(0.1), Dense(33), LayerNorm(), ReLU(), Dropout(0.2), Dense(17), ReLU(), Dense(3)]
        ),
        300,
        7,
        {"batch_size": 50, "mixup": 0.3},
    ),
    "batch norm": (lambda: Network([Dense(20), BatchNorm(), ReLU(), Dense(3)]), 300, 7, {"batch_size": 50}),
    "embedded and residual": (
        lambda: Network(
            [
                PeriodicEmbedding(5, width=4, rectified=True),
                *(Dense(33), ReLU()),
                *(Dense(33), ReLU(), Dropout(0.1), Shortcut(3)),
                Dense(3),
            ]
        ),
        300,
        7,
        {"batch_size": 100},
    ),
    "large": (
        lambda: Network([Dense(256, L2(1e-3)), ReLU(), Dropout(0.1), Dense(200, L1(1e-4)), ReLU(), Dense(10)]),
        900,
        100,
        {"batch_size": 400, "average": EMA(0.9)},
    ),
    "groups": (
        lambda: Network([Dense(64, GroupL1(1e-3)), ReLU(), Dense(40, Orthogonality(1e-3)), Softmax(), Dense(3)]),
        200,
        40,
        {"batch_size": 64, "optimizer": Adam(0.01, clip_norm=0.1)},
    ),
    "full batch": (lambda: Network([Dense(64), ReLU(), Dense(3)]), 1000, 2, {"batch_size": None}),
    "one input, one unit": (lambda: Network([Dense(1), Tanh(), Dense(3)]), 100, 1, {"batch_size": 30}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LARGE)
def test_a_run_is_the_same_by_however_many_threads(name, dtype):
    make, rows, inputs, settings = LARGE[name]
    random = np.random.default_rng(2)
    X, y = random.normal(size=(rows, inputs)).astype(dtype), random.integers(0, 3, rows)
    given = {"epochs": 3, "batch_size": 16, "seed": 5, "validation": (X[:21], y[:21]), "optimizer": Adam(0.01)}
    runs = []
    for threads in (1, 2, 3):
        net = make()
        runs.append((net, train(net, X, y, engine="compiled", n_threads=threads, **(given | settings))))
    assert_same_run(runs[1], runs[0])
    assert_same_run(runs[2], runs[0])
    if dtype == "float64":
        net = make()
        train(net, X, y, engine="numpy", **(given | settings))
        np.testing.assert_allclose(runs[0][0].state, net.state, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["plain", "noise and layer norm", "early stopping"])
def test_a_run_by_two_threads_is_the_same_in_many_calls(name, monkeypatch):
    whole = run(name)
    monkeypatch.setattr(loops, "_CALL_SECONDS", 1e-12)
    assert_same_run(run(name, n_threads=2), whole)


def test_runs_at_the_same_time_do_not_meet():
    expected, made = {name: run(name) for name in CUTS}, {}

    def work(names):
        for name in names:
            made[name] = run(name)

    workers = [threading.Thread(target=work, args=(names,)) for names in (list(CUTS), list(CUTS)[::-1])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for name, pair in expected.items():
        assert_same_run(made[name], pair)


# --------------------------------------------------------------------------------------------------------------- Ctrl-C

hears_interrupts = pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) is not signal.default_int_handler, reason="this process does not hear Ctrl-C"
)


@pytest.fixture
def press(monkeypatch):
    """Return a function that says in which calls into compiled code, of one update each, Ctrl-C is pressed."""
    calls, run_calls = [], Session.run

    def counted(self, *arguments):
        calls.append(self)
        rows = run_calls(self, *arguments)
        for _ in range(pressed.count(len(calls))):
            signal.raise_signal(signal.SIGINT)  # is heard when compiled code returns, as one that came before
        return rows

    pressed: list[int] = []
    monkeypatch.setattr(Session, "run", counted)

    def press_in(*numbers):
        monkeypatch.setattr(loops, "_CALL_SECONDS", 1e-12)
        calls.clear()
        pressed.extend(numbers)

    return press_in


@hears_interrupts
@pytest.mark.parametrize(("call", "threads"), [(1, 1), (7, 1), (8, 1), (9, 1), (10, 1), (4, 2)])
@pytest.mark.parametrize("name", ["plain", "batch norm and EMA", "augmentation"])
def test_interrupt_in_an_epoch_is_heard_after_it(name, call, threads, press):
    whole = run(name)
    handler = signal.getsignal(signal.SIGINT)
    press(call)
    net, history = run(name, n_threads=threads)
    assert history.stopped == "interrupted"
    per_epoch = 15 if name == "augmentation" else 3
    assert history.epochs == -(-call // per_epoch)
    assert signal.getsignal(signal.SIGINT) is handler
    _, own = CUTS[name]
    settings = {"epochs": 12, "batch_size": 16, "seed": 3, "validation": classes(30, seed=9), "optimizer": Adam(0.02)}
    rest = train(net, *classes(), engine="compiled", resume=history.state, **(settings | own))
    np.testing.assert_array_equal(net.state, whole[0].state)
    assert history.epochs + rest.epochs == 12


@hears_interrupts
@pytest.mark.parametrize(
    ("calls", "threads"), [((4, 4), 1), ((4, 5), 1), ((6, 6), 1), ((20, 20), 1), ((35, 35), 1), ((4, 5), 2)]
)
@pytest.mark.parametrize("name", ["plain", "batch norm and EMA", "early stopping"])
def test_second_interrupt_leaves_what_was_there_before_the_epoch(name, calls, threads, press):
    handler, whole = signal.getsignal(signal.SIGINT), Look()
    run(name, callbacks=[whole])
    press(*calls)
    make, own = CUTS[name]
    net = make()
    settings = {"epochs": 60, "batch_size": 16, "seed": 3, "validation": classes(30, seed=9), "optimizer": Adam(0.02)}
    callbacks = [EarlyStopping(1000)] if name == "early stopping" else []
    with pytest.raises(KeyboardInterrupt):
        train(net, *classes(), engine="compiled", n_threads=threads, callbacks=callbacks, **(settings | own))
    assert signal.getsignal(signal.SIGINT) is handler
    assert np.isfinite(net.state).all()
    done = calls[1] // 3
    shown = [make().build(4, seed=3).state, *whole.states]
    if name == "early stopping":
        assert any((net.state == state).all() for state in shown)
    else:
        np.testing.assert_array_equal(net.state, shown[done])
    again = train(net, *classes(), epochs=3)
    assert (again.epochs, again.stopped) == (3, "epochs")


@hears_interrupts
def test_interrupt_raises_at_once_if_the_run_is_not_interruptible(press):
    press(5)
    net = network()
    with pytest.raises(KeyboardInterrupt):
        train(net, *classes(), epochs=9, batch_size=16, engine="compiled", interruptible=False)
    expected = network()
    train(expected, *classes(), epochs=1, batch_size=16, engine="compiled")
    np.testing.assert_array_equal(net.state, expected.state)


PROLOGUE = """
import os, signal, threading
import numpy as np
from taut import Dense, Dropout, Network, ReLU, SGD, train
from taut.engine.compiled import compiled_run
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in the background, which ignores it
compiled_run("float64")
random = np.random.default_rng(0)
X, y = random.normal(size=(150_000, 4)), random.integers(0, 3, 150_000)
settings = {"optimizer": SGD(0.01), "batch_size": 2, "evaluate_training": False}

def make():
    return Network([Dense(96), ReLU(), Dropout(0.1), Dense(96), ReLU(), Dense(3)])

def press(*seconds):
    for after in seconds:
        threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT)).start()
"""
ONCE = """
net, whole = make(), make()
press(0.4)
history = train(net, X, y, epochs=1000, **settings)
assert (history.stopped, history.epochs) == ("interrupted", 1), history
train(whole, X, y, epochs=1, **settings)
assert (net.state == whole.state).all()
"""
TWICE = """
net, X, y = make(), np.tile(X, (4, 1)), np.tile(y, 4)  # an epoch that is not over by then
press(0.4, 0.6)
try:
    train(net, X, y, epochs=1000, **settings)
except KeyboardInterrupt:
    pass
else:
    raise SystemExit("not interrupted")
assert (net.state == make().build(4).state).all()  # of before the epoch
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert train(net, X[:50], y[:50], epochs=3).epochs == 3
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals that a process could send to itself")
@pytest.mark.parametrize("script", [ONCE, TWICE], ids=["once", "twice"])
def test_interrupt_from_outside(script):
    ended = subprocess.run([sys.executable, "-c", PROLOGUE + script], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")


# -------------------------------------------------------------------------------------------------- what is not finite


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("rate", [1e5, 1e10, 1e200])
def test_what_is_not_finite_is_refused_in_the_same_words(rate, batch_size, dtype):
    X, y = numbers()
    words, states = [], []
    for engine in ("numpy", "compiled"):
        net, look = plain(2), Look()
        with pytest.raises(NonFiniteLoss) as caught:
            train(
                net,
                X.astype(dtype),
                1e3 * y,
                loss="mse",
                optimizer=SGD(rate),
                epochs=400,
                batch_size=batch_size,
                engine=engine,
                callbacks=[look],
                average=EMA(0.5),
            )
        words.append(str(caught.value))
        states.append(net.state)
        expected = look.states[-1] if look.states else plain(2).build(4, dtype=dtype).state
        np.testing.assert_array_equal(net.state, expected)
    assert words[1] == words[0]


def test_weights_that_are_not_finite_are_noticed_after_the_last_update_too():
    X, y = numbers()
    for engine in ("numpy", "compiled"):
        net = Network([Dense(2)])
        with pytest.raises(NonFiniteLoss, match="weights became infinite or NaN in epoch 0"):
            train(net, 1e3 * X, 1e300 * y, loss="mae", optimizer=SGD(1e308), epochs=1, batch_size=None, engine=engine)
        np.testing.assert_array_equal(net.state, Network([Dense(2)]).build(4).state)


# --------------------------------------------------------------------------------------------------- which engine runs


class Doubled(Tanh):
    """An activation that no engine knows."""


def test_a_kind_of_ones_own_trains_in_numpy_and_that_is_said_once(capfd):
    say.cache_clear()
    make = lambda: Network([Dense(4), Doubled(), Dense(3)])  # noqa: E731
    nets = make(), make(), make()
    train(nets[0], *classes(), epochs=3, engine="auto")
    train(nets[1], *classes(), epochs=3, engine="auto")
    said = capfd.readouterr()
    assert said.err == "taut: Doubled is not in the compiled engine; training runs in NumPy\n"
    assert said.out == ""
    train(nets[2], *classes(), epochs=3, engine="numpy")
    assert capfd.readouterr().err == ""
    np.testing.assert_array_equal(nets[0].state, nets[2].state)
    np.testing.assert_array_equal(nets[1].state, nets[2].state)
    with pytest.raises(InvalidValue, match=r'^Doubled is not in the compiled engine; use engine="auto" or "numpy"$'):
        train(make(), *classes(), epochs=3, engine="compiled")


def test_a_network_without_parameters_runs_in_numpy():
    assert train(Network([Tanh()]), np.ones((4, 3)), [0, 1, 2, 0], epochs=2).epochs == 2
    with pytest.raises(InvalidValue, match="a network without parameters is not in the compiled engine"):
        train(Network([Tanh()]), np.ones((4, 3)), [0, 1, 2, 0], epochs=2, engine="compiled")


def test_every_known_kind_is_compiled_without_a_word(capfd, monkeypatch):
    say.cache_clear()
    monkeypatch.setattr(loops.ReferenceLoop, "advance", None)
    train(network(), *classes(), epochs=2)
    train(network(), *classes(), epochs=2, engine="compiled")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"engine": "fast"}, "engine must be one of auto, compiled, numpy; got 'fast'"),
        ({"engine": None}, "engine must be one of auto, compiled, numpy; got None"),
        ({"n_threads": 0}, "n_threads must be an integer at least 1, got 0"),
        ({"n_threads": 1.5}, "n_threads must be an integer at least 1, got 1.5"),
        ({"n_threads": "2"}, "n_threads must be an integer at least 1, got '2'"),
    ],
)
def test_unusable_engines_are_refused(settings, words):
    with pytest.raises(TautError, match=f"^{words}"):
        train(plain(), *classes(), epochs=1, **settings)


# -------------------------------------------------------------------------------------------------- the caller's arrays


def variants(array: np.ndarray) -> dict[str, np.ndarray]:
    """Return the same numbers in every way that they may lie in memory."""
    fixed = array.copy()
    fixed.flags.writeable = False
    room = np.zeros(array.nbytes + 1, dtype=np.uint8)
    askew = room[1:].view(array.dtype).reshape(array.shape)
    askew[...] = array
    wide = np.zeros((2 * len(array), *array.shape[1:]), dtype=array.dtype)
    wide[::2] = array
    return {
        "fixed": fixed,
        "columns first": np.asfortranarray(array),
        "askew": askew,
        "every other row": wide[::2],
        "backwards": array[::-1].copy()[::-1],
        "other byte order": array.astype(array.dtype.newbyteorder()),
        "list": array.tolist(),
    }


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("name", variants(np.zeros(4)))
def test_the_callers_arrays_may_lie_as_they_like_and_stay_so(name, batch_size, loss):
    X, y = numbers() if loss == "mse" else classes()
    weights = np.linspace(0.0, 2.0, 45)
    settings = {"loss": loss, "epochs": 3, "batch_size": batch_size, "engine": "compiled", "average": "swa"}
    expected = network(2 if loss == "mse" else 3)
    train(expected, X, y, sample_weight=weights, validation=(X[:20], y[:20]), **settings)
    given = [variants(array)[name] for array in (X, y, weights, X[:20], y[:20])]
    kept = [np.array(array) for array in given]
    net = network(2 if loss == "mse" else 3)
    train(net, given[0], given[1], sample_weight=given[2], validation=(given[3], given[4]), **settings)
    np.testing.assert_array_equal(net.state, expected.state)
    for array, before in zip(given, kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "uint64"])
def test_labels_may_be_of_any_type_of_numbers(kind):
    X, y = classes()
    nets = network(), network()
    train(nets[0], X, y, epochs=3, engine="compiled")
    train(nets[1], X, y.astype(kind), epochs=3, engine="compiled")
    np.testing.assert_array_equal(nets[1].state, nets[0].state)


@pytest.mark.parametrize("augment", [None, Augmentation(shape=(2, 2), shift=1).apply], ids=["plain", "augmented"])
def test_float32_in_float32_out(augment):
    X, y = classes()
    net = network()
    settings = {"epochs": 4, "engine": "compiled", "average": EMA(0.9), "augment": augment, "validation": (X, y)}
    history = train(net, X.astype(np.float32), y, sample_weight=np.linspace(0, 1, 45), **settings)
    state = history.state
    arrays = [
        net.theta,
        net.state,
        state.average,
        state.live,
        *state.memory.values(),
        net.predict(X.astype(np.float32)),
    ]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    assert np.isfinite(net.state).all()


def test_inputs_changed_after_training_do_not_reach_into_it():
    X, y = classes()
    nets = network(), network()
    first = train(nets[0], X, y, epochs=2, engine="compiled")
    other, _ = classes()
    second = train(nets[1], other, y, epochs=2, engine="compiled")
    other[:] = np.nan
    assert_same_run((nets[1], second), (nets[0], first))


def test_weights_that_a_callback_changes_are_trained_on():
    class Halve(Callback):
        def on_epoch_end(self, run):
            run.network.theta *= 0.5

    states = []
    for engine in ("numpy", "compiled"):
        network = Network([Dense(8), ReLU(), Dense(3)])
        random = np.random.default_rng(0)
        X, y = random.standard_normal((60, 4)), random.integers(0, 3, 60)
        train(network, X, y, epochs=5, callbacks=[Halve()], engine=engine)
        states.append(network.state)
    np.testing.assert_allclose(*states, rtol=1e-9)
