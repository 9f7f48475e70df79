"""`train_many`: the same networks as one by one, however many threads; how it ends, what it refuses, what it costs."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from tests.training.problems import classes, columns, numbers

from taut import (
    Augmentation,
    EarlyStopping,
    FinishedRun,
    NonFiniteLoss,
    PlannedRun,
    Recipe,
    TautError,
    train,
    train_many,
)

ENDLESS = 10**8  # epochs that nobody waits for
BREAKING = {"activation": "identity", "optimizer": "sgd", "learning_rate": 1e100, "batch_size": 1}  # in epoch 0


def recipe(**settings):
    return Recipe(**({"hidden_layer_sizes": (5,), "epochs": 4, "batch_size": 8} | settings))


def outputs_of(y, task):
    return y.shape[1] if y.ndim == 2 else 1 if task == "regression" else int(y.max()) + 1


def alone(run, X, y, task="classification", sample_weight=None, class_weight=None, **settings):
    """Train a planned run by `train`, on arrays of its own; return network and history."""
    made, rows = run.recipe, np.arange(len(X)) if run.rows is None else np.asarray(run.rows)
    network, loss, optimizer = made.build(X.shape[1], outputs_of(y, task), task, class_weight=class_weight)
    inputs, watched = X.astype(made.dtype), run.validation_rows
    monitor = {"loss": "validation_data_loss", "metric": f"validation_{loss.metric_name}"}[made.monitor]
    history = train(
        network,
        inputs[rows],
        y[rows],
        loss=loss,
        optimizer=optimizer,
        epochs=made.epochs,
        batch_size=made.batch_rows(len(rows)),
        validation=None if watched is None else (inputs[np.asarray(watched)], y[np.asarray(watched)]),
        sample_weight=None if sample_weight is None else np.asarray(sample_weight)[rows],
        augment=None if made.augmentation is None else made.augmentation.apply,
        mixup=made.mixup,
        cutmix=made.cutmix,
        average=made.build_average(),
        seed=made.seed,
        callbacks=[EarlyStopping(made.patience, monitor=monitor)] if made.early_stopping else [],
        engine="compiled" if made.epochs else "auto",
        **settings,
    )
    return network, history


def bits(run):
    """Return all that a run has learned and recorded, but the clock, for comparison bit by bit."""
    kept = {name: (str(values.dtype), values.tobytes()) for name, values in run.columns.items() if name != "seconds"}
    return run.state.dtype.name, run.state.tobytes(), kept, run.stopped, run.best_epoch, str(run.error)


def assert_same_as_alone(finished, X, y, **settings):
    for run in finished:
        network, history = alone(run.planned, X, y, **settings)
        what = run.planned.recipe.describe()
        assert run.error is None
        assert run.state.tobytes() == network.state.tobytes(), what
        np.testing.assert_equal(columns(run.columns), columns(history), err_msg=what)
        assert list(run.columns) == list(history)
        assert (run.stopped, run.best_epoch) == (history.stopped, history.best_epoch), what


# -------------------------------------------------------------------------------------------- the same as one by one

HALF, OTHER = np.arange(0, 45, 2), np.arange(1, 45, 2)
SETTINGS = {
    "defaults": {},
    "strengths": {"l1": (1e-2, 0.0), "l2": 1e-3, "bias_l1": 1e-3, "group_l1": 1e-3, "orthogonality": 1e-3},
    "stronger": {"l1": 3e-2, "l1_step": "subgradient", "max_norm": 0.5, "group_l1_units": 1e-2},
    "dropout": {"dropout": 0.4, "input_dropout": 0.2, "input_noise": 0.1},
    "learning rate": {"learning_rate": 0.1, "schedule": "exponential", "warm_up": 0.3, "clip_norm": 0.1},
    "more epochs": {"epochs": 9},
    "no epochs": {"epochs": 0},
    "wide": {"hidden_layer_sizes": (33,)},
    "deep": {"hidden_layer_sizes": (9, 3, 6), "dropout": (0.1, 0.0, 0.3)},
    "linear": {"hidden_layer_sizes": ()},
    "activation": {"activation": "tanh"},
    "another activation": {"activation": "gelu"},
    "sgd": {"optimizer": "sgd", "nesterov": True},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1},
    "rmsprop": {"optimizer": "rmsprop", "schedule": "inverse_time", "decay": 0.01},
    "one row a batch": {"batch_size": 1},
    "one batch": {"batch_size": "all"},
    "batch larger than the data": {"batch_size": 1000},
    "float32": {"dtype": "float32", "dropout": 0.2},
    "ema": {"ema": 0.9},
    "swa": {"swa": 0.5},
    "mixup": {"mixup": 0.4},
    "cutmix": {"cutmix": 0.4},
    "dropconnect": {"dropconnect": 0.4, "hidden_layer_sizes": (33, 5)},
    "sharpness": {"sam": 0.1, "dropout": 0.3},
    "snapshots": {"schedule": "cosine_restarts", "snapshots": 3},
    "layer normalization": {"normalization": "layer"},
    "batch normalization": {"normalization": "batch"},
    "augmentation": {"augmentation": Augmentation((2, 2), flip="both", noise=0.1)},
    "augmentation in float32": {"augmentation": Augmentation((2, 2), noise=0.1), "dtype": "float32", "ema": 0.5},
    "early stopping": {"early_stopping": True, "patience": 2, "epochs": 60, "learning_rate": 0.1},
    "early stopping by the metric": {
        "early_stopping": True,
        "monitor": "metric",
        "patience": 2,
        "epochs": 60,
        "learning_rate": 0.1,
    },
    "patient": {"early_stopping": True, "patience": 30, "epochs": 8, "learning_rate": 0.1},
    "early stopping of an average": {"early_stopping": True, "patience": 2, "epochs": 40, "swa": 0.9},
    "early stopping in float32": {"early_stopping": True, "patience": 3, "epochs": 60, "dtype": "float32"},
    "early stopping with augmentation": {
        "early_stopping": True,
        "patience": 2,
        "epochs": 40,
        "augmentation": Augmentation((2, 2), noise=0.1),
    },
}
OF_CLASSES = {"label smoothing": {"label_smoothing": 0.1}, "more smoothing": {"label_smoothing": 0.3, "mixup": 0.2}}
OF_NUMBERS = {"absolute error": {"loss": "mae"}, "huber": {"loss": "huber", "dtype": "float32"}}


def population(task="classification", *, rows=HALF, validation_rows=OTHER):
    """Return runs that differ in everything, each with a seed of its own; half of them look at validation rows."""
    kinds = {**SETTINGS, **(OF_CLASSES if task == "classification" else OF_NUMBERS)}
    made = [recipe(**settings) for settings in kinds.values()]
    return [
        PlannedRun(one, rows, validation_rows if one.early_stopping or seed % 2 else None, seed)
        for seed, one in enumerate(made)
    ]


@pytest.mark.parametrize("rows", [HALF, None], ids=["some rows", "all rows"])
def test_classifiers_are_those_trained_one_by_one(rows):
    X, y = classes()
    finished = train_many(population(rows=rows), X, y)
    assert_same_as_alone(finished, X, y)
    stopped = {run.stopped for run in finished}
    assert stopped == {"epochs", "early stopping"}


@pytest.mark.parametrize("targets", ["one", "two"])
def test_regressors_are_those_trained_one_by_one(targets):
    X, y = numbers()
    y = y if targets == "two" else y[:, 0]
    assert_same_as_alone(train_many(population("regression"), X, y, task="regression"), X, y, task="regression")


def test_one_hot_targets_are_taken_as_train_takes_them():
    X, y = classes()
    assert_same_as_alone(train_many(population(), X, np.eye(3)[y]), X, np.eye(3)[y])


@pytest.mark.parametrize("n_threads", [2, 7, None])
def test_result_does_not_depend_on_the_number_of_threads(n_threads):
    X, y = classes()
    runs = [*population(), PlannedRun(recipe(**BREAKING)), *population(rows=None)]
    one, several = (train_many(runs, X, y, n_threads=count) for count in (1, n_threads))
    assert [bits(run) for run in several] == [bits(run) for run in one]


def test_result_does_not_depend_on_the_other_runs_or_their_order():
    (X, y), runs = classes(), population()
    forward, backward = train_many(runs, X, y), train_many(runs[::-1], X, y)
    assert [bits(run) for run in forward] == [bits(run) for run in backward[::-1]]
    assert [run.planned for run in forward] == runs
    assert bits(train_many(runs[3:4], X, y)[0]) == bits(forward[3])


@pytest.mark.parametrize(
    "rows",
    [
        np.arange(45)[::-1],
        [3, 3, 3, 44, 0, 7, 7, 1, 2],
        np.random.default_rng(0).integers(0, 45, 100),
        np.arange(90, dtype=np.uint8)[5:80:2] % 45,
        np.arange(20, dtype=np.int32),
        [17],
        range(5, 25),
    ],
    ids=["backward", "repeats", "more than there are", "every other of an array", "int32", "one", "range"],
)
def test_rows_may_be_in_any_order_and_repeated(rows):
    X, y = classes()
    runs = [
        PlannedRun(recipe(dropout=0.2, **settings), rows, rows[::-1])
        for settings in ({}, {"dtype": "float32"}, {"batch_size": "all"}, {"early_stopping": True, "patience": 1})
    ]
    assert_same_as_alone(train_many(runs, X, y), X, y)


@pytest.mark.parametrize("class_weight", [None, (0.5, 2.0, 0.0)])
@pytest.mark.parametrize("rows", [HALF, None, [5, 1, 1, 30, 30, 30]], ids=["some rows", "all rows", "repeats"])
def test_weights_count_in_each_run_as_for_its_rows_alone(rows, class_weight):
    X, y = classes()
    weights = np.random.default_rng(0).uniform(0, 3, 45)
    settings = {"sample_weight": weights, "class_weight": class_weight}
    finished = train_many(population(rows=rows), X, y, **settings)
    assert_same_as_alone(finished, X, y, **settings)
    twice = train_many(population(rows=rows), X, y, sample_weight=list(2 * weights), class_weight=class_weight)
    assert [bits(run) for run in twice] == [bits(run) for run in finished]  # only the proportions matter
    assert bits(train_many(population(rows=rows), X, y)[0]) != bits(finished[0])


def test_class_weights_alone_count_as_in_train():
    X, y = classes()
    settings = {"class_weight": (0.5, 2.0, 0.0)}
    assert_same_as_alone(train_many(population(), X, y, **settings), X, y, **settings)
    assert_same_as_alone(train_many(population(), X, np.eye(3)[y], **settings), X, np.eye(3)[y], **settings)


def test_rows_of_weight_zero_teach_nothing():
    X, y = classes()
    weights = np.ones(45)
    weights[HALF[::3]] = 0
    changed = X.copy()
    changed[weights == 0] += 1.0
    runs = [PlannedRun(recipe(batch_size="all"), HALF)]
    first, second = (train_many(runs, inputs, y, sample_weight=weights)[0] for inputs in (X, changed))
    assert first.state.tobytes() == second.state.tobytes()


def test_runs_look_only_at_their_rows():
    X, y = classes()
    seen = np.union1d(HALF[:9], OTHER[:9])
    spoiled, labels = np.full_like(X, 1e3), (y + 1) % 3
    spoiled[seen], labels[seen] = X[seen], y[seen]
    runs = population(rows=HALF[:9], validation_rows=OTHER[:9])
    first, second = train_many(runs, X, y), train_many(runs, spoiled, labels)
    assert [bits(run) for run in first] == [bits(run) for run in second]


@pytest.mark.parametrize("layout", ["list", "Fortran", "strided", "int", "read-only"])
def test_inputs_may_lie_in_any_way(layout):
    X, y = classes()
    X = np.round(4 * X)
    given = {
        "list": X.tolist(),
        "Fortran": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=0)[::2],
        "int": X.astype(np.int16),
        "read-only": X.copy(),
    }[layout]
    labels = np.repeat(y, 2)[::2] if layout == "strided" else y.tolist() if layout == "list" else y.astype(np.uint8)
    if layout == "read-only":
        given.flags.writeable = labels.flags.writeable = False
    runs = population()
    assert [bits(run) for run in train_many(runs, given, labels)] == [bits(run) for run in train_many(runs, X, y)]


def test_training_loss_is_evaluated_only_if_asked_for():
    X, y = classes()
    runs = population()[:4]
    quiet = train_many(runs, X, y, evaluate_training=False)
    assert_same_as_alone(quiet, X, y, evaluate_training=False)
    assert np.isnan(quiet[0].columns["evaluation_data_loss"]).all()


def test_early_stopping_restores_the_best_weights():
    X, y = classes()
    run = PlannedRun(recipe(early_stopping=True, patience=4, epochs=200, learning_rate=0.1), HALF, OTHER)
    finished = train_many([run], X, y)[0]
    losses = finished.columns["validation_data_loss"]
    assert finished.stopped == "early stopping"
    assert finished.best_epoch == losses.argmin() == len(losses) - 1 - 4
    _, loss, _ = run.recipe.build(4, 3, "classification")
    found = loss.value(finished.network.predict(X[OTHER]), y[OTHER])
    assert found == pytest.approx(losses.min(), rel=1e-12)


# ----------------------------------------------------------------------------------------------------- a finished run


def test_finished_run_has_its_network_and_its_history():
    X, y = classes()
    runs = [run for run in population() if run.recipe.normalization == "batch" or run.recipe.early_stopping]
    for finished in train_many(runs, X, y):
        network, history = alone(finished.planned, X, y)
        assert isinstance(finished, FinishedRun)
        assert finished.network is finished.network
        assert finished.network.predict(X).tobytes() == network.predict(X).tobytes()
        assert columns(finished.history) == columns(history)
        assert finished.history.metric_name == "accuracy"
        assert (finished.history.stopped, finished.history.best_epoch) == (history.stopped, history.best_epoch)
        with pytest.raises(TautError, match="the run to resume ended"):
            train(finished.network, X, y, epochs=9, resume=finished.history.state)


@pytest.mark.parametrize("is_used", [False, True])
@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_finished_run_can_be_copied(copied, is_used):
    X, y = classes()
    for finished in train_many([population()[1], PlannedRun(recipe(**BREAKING))], X, y):
        if is_used:
            _ = finished.network, finished.history
        other = copied(finished)
        assert bits(other) == bits(finished)
        assert other.network.predict(X).tobytes() == finished.network.predict(X).tobytes()
        assert columns(other.history) == columns(finished.history)


def test_network_of_a_finished_run_is_the_callers_to_change():
    X, y = classes()
    finished = train_many(population()[:1], X, y)[0]
    before = finished.state.copy()
    finished.network.theta[:] = 0
    assert finished.state.tobytes() == before.tobytes()


def test_runs_are_told_apart_by_identity():
    (X, y), runs = classes(), population()[:2]
    assert len({*runs, *runs}) == 2
    assert runs[0] != PlannedRun(runs[0].recipe, HALF)
    finished = train_many([runs[0], runs[0]], X, y)
    assert finished.index(finished[1]) == 1


def test_seed_of_a_planned_run_takes_the_place_of_the_recipes():
    assert PlannedRun(recipe(seed=1), seed=2).recipe == recipe(seed=2)
    assert PlannedRun(recipe(seed=1)).recipe.seed == 1


def test_no_runs_are_no_work():
    X, y = classes()
    assert train_many([], X, y) == []
    assert len(train_many((PlannedRun(recipe()),), X, y)) == 1


# ------------------------------------------------------------------------------------------------------ how runs end


def test_run_that_is_not_finite_does_not_end_the_others():
    X, y = classes()
    broken = [PlannedRun(recipe(**BREAKING, early_stopping=stops), HALF, OTHER) for stops in (False, True)]
    sound = population()
    finished = train_many([broken[0], *sound, broken[1]], X, y)
    assert [bits(run) for run in finished[1:-1]] == [bits(run) for run in train_many(sound, X, y)]
    for run in (finished[0], finished[-1]):
        assert run.stopped == run.history.stopped == "not finite"
        assert isinstance(run.error, NonFiniteLoss)
        assert "in epoch 0; lower the learning rate" in str(run.error)
        assert run.error.__traceback__ is None, "it would keep the memory of the run"
        network, _, _ = run.planned.recipe.build(4, 3, "classification")
        assert run.state.tobytes() == network.state.tobytes(), "what was there before the epoch"
        assert run.best_epoch is None
    assert all(run.error is None for run in finished[1:-1])


def breaking_late(**settings):
    """Return a recipe for a linear model whose loss is finite for some hundred epochs, and then no longer."""
    growing = {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 3.0, "schedule": "constant", "batch_size": "all"}
    plain = {"hidden_layer_sizes": (), "embedding_width": 0, "parametrization": "standard", "epochs": 5000}
    return recipe(**(plain | growing | settings))


def test_run_that_is_not_finite_keeps_the_epochs_before():
    X, y = numbers()
    finished = train_many([PlannedRun(breaking_late(), HALF)], X, y, task="regression")[0]
    assert finished.stopped == "not finite"
    epochs = len(finished.columns["epoch"])
    assert epochs > 100
    assert f"the loss became inf in epoch {epochs};" in str(finished.error)
    until_then = train_many([PlannedRun(breaking_late(epochs=epochs), HALF)], X, y, task="regression")[0]
    assert until_then.stopped == "epochs"
    assert bits(until_then)[:3] == bits(finished)[:3]


def test_run_that_stops_early_keeps_its_best_weights_if_it_breaks_off_later():
    X, y = numbers()
    patient = PlannedRun(breaking_late(early_stopping=True, patience=5000), HALF, OTHER)
    finished, first = train_many([patient, PlannedRun(breaking_late(epochs=1), HALF)], X, y, task="regression")
    assert finished.stopped == "not finite"
    assert finished.best_epoch == finished.history.best_epoch == 0
    assert finished.state.tobytes() == first.state.tobytes()


def test_finished_runs_are_told_in_the_calling_thread():
    (X, y), runs, told = classes(), population(), []

    def on_finish(index, run):
        assert threading.current_thread() is threading.main_thread()
        told.append((index, run))

    finished = train_many(runs, X, y, n_threads=3, on_finish=on_finish)
    assert sorted(index for index, _ in told) == list(range(len(runs)))
    assert all(finished[index] is run for index, run in told)


def test_longest_runs_are_made_first():
    (X, y), order = classes(), []
    runs = [
        PlannedRun(recipe(), HALF),
        PlannedRun(recipe(epochs=50), HALF),
        PlannedRun(recipe()),
        PlannedRun(recipe(hidden_layer_sizes=(9,)), HALF),
        PlannedRun(recipe(hidden_layer_sizes=(9, 9)), HALF),
    ]
    train_many(runs, X, y, n_threads=1, on_finish=lambda index, _: order.append(index))
    assert order == [1, 2, 4, 3, 0]


def test_cancelled_runs_end_and_others_do_not():
    (X, y), asked = classes(), set()
    runs = population()

    def is_cancelled(index):
        asked.add(index)
        return index % 3 == 0

    finished = train_many(runs, X, y, is_cancelled=is_cancelled)
    whole = train_many(runs, X, y)
    assert asked >= {index for index, run in enumerate(runs) if run.recipe.epochs}
    for index, run in enumerate(finished):
        if index % 3:
            assert bits(run) == bits(whole[index])
        else:
            assert run.stopped == "cancelled"
            assert run.history.epochs == 0
            network, _, _ = run.planned.recipe.build(4, 3, "classification")
            assert run.network.state.tobytes() == network.state.tobytes()


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True, "patience": ENDLESS, "learning_rate": 0.1}])
def test_run_that_is_cancelled_under_way_ends_after_an_epoch(settings):
    X, y = classes()
    settings = {"hidden_layer_sizes": (64,), "schedule": "constant", **settings}
    run, began = PlannedRun(recipe(epochs=ENDLESS, **settings), HALF, OTHER), time.perf_counter()
    finished = train_many([run], X, y, is_cancelled=lambda _: time.perf_counter() - began > 0.3)[0]
    assert finished.stopped == "cancelled"
    assert len(finished.columns["epoch"]) > 10
    assert time.perf_counter() - began < 5
    shorter = recipe(epochs=len(finished.columns["epoch"]), **settings)
    again = train_many([PlannedRun(shorter, HALF, OTHER)], X, y)[0]
    assert bits(again)[:3] == bits(finished)[:3]
    assert again.best_epoch == finished.best_epoch


def assert_ends_cleanly(error, message, **settings):
    X, y = classes()
    endless = [PlannedRun(recipe(hidden_layer_sizes=(64,), epochs=ENDLESS)) for _ in range(40)]
    before, began = signal.getsignal(signal.SIGINT), time.perf_counter()
    with pytest.raises(error, match=message):
        train_many(endless, X, y, n_threads=3, **settings)
    assert time.perf_counter() - began < 5
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("taut")]
    assert signal.getsignal(signal.SIGINT) is before


def test_error_of_on_finish_ends_the_population():
    def on_finish(index, run):
        raise ZeroDivisionError("of the caller")

    assert_ends_cleanly(ZeroDivisionError, "of the caller", is_cancelled=lambda index: index == 1, on_finish=on_finish)


def test_error_of_is_cancelled_ends_the_population():
    def is_cancelled(index):
        raise ZeroDivisionError("of the caller")

    assert_ends_cleanly(ZeroDivisionError, "of the caller", is_cancelled=is_cancelled)


def test_error_in_the_middle_of_a_long_epoch_does_not_wait_for_its_end():
    X, y = classes(1_000_000)
    run = PlannedRun(recipe(hidden_layer_sizes=(64,), batch_size=1))
    began = time.perf_counter()

    def is_cancelled(index):
        if time.perf_counter() - began > 0.5:
            raise ZeroDivisionError("of the caller")

    with pytest.raises(ZeroDivisionError):
        train_many([run], X, y, is_cancelled=is_cancelled)
    assert time.perf_counter() - began < 3


def test_population_can_be_made_outside_the_main_thread():
    (X, y), made = classes(), []
    runs = population()[:3]
    thread = threading.Thread(target=lambda: made.extend(train_many(runs, X, y)))
    thread.start()
    thread.join()
    assert [bits(run) for run in made] == [bits(run) for run in train_many(runs, X, y)]


INTERRUPTED = """
import signal, sys, time
import numpy as np
from taut import PlannedRun, Recipe, train_many

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in the background, which ignores it
random = np.random.default_rng(0)
X, y = random.standard_normal(({rows}, 4)), random.integers(0, 3, {rows})
long = PlannedRun(Recipe(epochs=10**7, batch_size=1))
runs = [long, long, *[PlannedRun(long.recipe, rows=[0, 1, 2]) for _ in range(300)]]
waiting = dict.fromkeys((0, 1), 2)
def is_cancelled(index):
    if waiting.get(index):
        waiting[index] -= 1
        if not any(waiting.values()):  # both are under way
            print("running", flush=True)
    return False
try:
    finished = train_many(runs, X, y, n_threads=2, is_cancelled=is_cancelled)
except KeyboardInterrupt:
    print("raised", flush=True)
    raise SystemExit(130)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert {{run.stopped for run in finished}} == {{"interrupted"}}
assert all(run.history.epochs for run in finished[:2]), [run.history.epochs for run in finished[:2]]
assert not any(run.history.epochs for run in finished[2:])
assert all(np.isfinite(run.state).all() for run in finished)
print("returned", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
@pytest.mark.parametrize(
    ("signals", "rows", "last_word", "code"), [(1, 40, "returned", 0), (2, 2_000_000, "raised", 130)]
)
def test_ctrl_c_returns_what_there_is_and_a_second_one_raises(signals, rows, last_word, code):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.format(rows=rows)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout.readline() == "running\n"
        began = time.perf_counter()
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        output, _ = process.communicate(timeout=20)
        assert output.splitlines()[-1:] == [last_word]
        assert process.returncode == code
        assert time.perf_counter() - began < 5
    finally:
        process.kill()
        process.wait()


def test_progress_is_shown_if_asked_for(capsys):
    X, y = classes()
    train_many(population()[:3], X, y)
    assert capsys.readouterr().out == ""
    train_many(population()[:3], X, y, progress=True)
    assert "3/3" in capsys.readouterr().out


# -------------------------------------------------------------------------------------------------- what it refuses

X, Y = classes()
RUN = PlannedRun(recipe())
UNUSABLE = {
    "runs alone": ({"runs": RUN}, "runs must be a list of PlannedRun, got PlannedRun"),
    "recipes": ({"runs": [RUN] * 9 + [recipe()]}, r"runs must be a list of PlannedRun, got Recipe\(.* in it"),
    "generator": ({"runs": (run for run in [RUN])}, "runs must be a list of PlannedRun, got <generator"),
    "no runs at all": ({"runs": None}, "runs must be a list of PlannedRun, got None"),
    "rows too large": ({"rows": [0, 45]}, "rows must be from 0 to 44, got 0 to 45"),
    "rows far too large": ({"rows": np.array([2**64 - 1], np.uint64)}, "rows must be from 0 to 44, got"),
    "negative rows": ({"rows": [0, -1]}, "rows must be from 0 to 44, got -1 to 0"),
    "no rows": ({"rows": []}, r"rows must be a list of row numbers, got \[\]"),
    "no rows of an array": ({"rows": np.arange(0)}, "rows must be a list of row numbers, got array"),
    "rows as floats": ({"rows": [0.0, 1.0]}, r"rows must be a list of row numbers, got \[0.0, 1.0\]"),
    "mask of rows": ({"rows": np.ones(45, bool)}, r"rows must be a list of row numbers, got array\(\[ ?True"),
    "rows as text": ({"rows": ["a"]}, r"rows must be a list of row numbers, got \['a'\]"),
    "one row alone": ({"rows": 3}, "rows must be a list of row numbers, got 3"),
    "rows of two dimensions": ({"rows": [[0, 1]]}, r"rows must be a list of row numbers, got \[\[0, 1\]\]"),
    "ragged rows": ({"rows": [[0, 1], [2]]}, r"rows must be a list of row numbers, got \[\[0, 1\], \[2\]\]"),
    "validation too large": ({"validation_rows": [45]}, "validation_rows must be from 0 to 44, got 45 to 45"),
    "no validation rows": ({"validation_rows": []}, r"validation_rows must be a list of row numbers, got \[\]"),
    "y too short": ({"y": Y[:-1]}, "X and y must have equally many rows, got 45 and 44"),
    "no y": ({"y": Y[:0]}, r"y must have shape \(samples,\) or \(samples, outputs\), got \(0,\)"),
    "scalar y": ({"y": 3}, r"y must have shape \(samples,\) or \(samples, outputs\), got \(\)"),
    "no outputs": ({"y": np.ones((45, 0))}, r"y must have shape .*, got \(45, 0\)"),
    "NaN in X": ({"X": np.where(X > 2, np.nan, X)}, "X must be finite, got NaN or infinity"),
    "X too large": ({"X": 1e300 * X, "recipe": recipe(dtype="float32")}, "X holds numbers too large for float32"),
    "X as text": ({"X": X.astype(str)}, "X must be numbers, got <U"),
    "X of one dimension": ({"X": X[:, 0]}, r"X must have shape \(samples, inputs\) .*, got \(45,\)"),
    "no X": ({"X": X[:0]}, r"X must have shape \(samples, inputs\) .*, got \(0, 4\)"),
    "negative labels": ({"y": Y - 1}, "class labels must be integers from 0, got -1"),
    "labels as floats": ({"y": Y + 0.0}, r"class labels must be integers from 0, got float64: \[0.0, 1.0, 2.0"),
    "labels as text": ({"y": Y.astype(str)}, "class labels must be integers from 0, got <U"),
    "targets are no distribution": ({"y": np.ones((45, 3))}, "one-hot targets must be at least 0 and sum to 1"),
    "NaN in targets": ({"y": X[:, 0] * np.nan, "task": "regression"}, "targets must be finite"),
    "unknown task": ({"task": "ranking"}, "task must be one of classification, regression; got 'ranking'"),
    "loss of another task": ({"recipe": recipe(loss="mse")}, "loss 'mse' is not for classification"),
    "smoothing of numbers": ({"recipe": recipe(label_smoothing=0.1), "task": "regression"}, "label_smoothing is for"),
    "images of another size": ({"recipe": recipe(augmentation=Augmentation((3, 3)))}, r"an image of shape \(3, 3\)"),
    "too few weights": ({"sample_weight": np.ones(44)}, "sample_weight must be 45 finite"),
    "negative weight": ({"sample_weight": np.linspace(-1, 1, 45)}, "sample_weight must be 45 finite"),
    "text weights": ({"sample_weight": ["a"] * 45}, "sample_weight must be numbers"),
    "mask for weights": ({"sample_weight": np.arange(45) > 5, "rows": [1, 2, 3]}, "sample_weight"),
    "no weight at all in a run": (
        {"sample_weight": (np.arange(45) > 5) * 1.0, "rows": [1, 2, 3]},
        r"sample_weight and class_weight are 0 in all rows of a run: \[1, 2, 3\]",
    ),
    "no class of a run counts": (
        {"class_weight": (0.0, 1.0, 1.0), "rows": [0, 3, 6]},
        r"sample_weight and class_weight are 0 in all rows of a run: \[0, 3, 6\]",
    ),
    "weights of too few classes": ({"class_weight": (1.0, 2.0)}, "class_weight has 2 weights for 3 classes"),
    "class weight as text": ({"class_weight": "balanced"}, "class_weight must be one number for each class"),
    "class weights of numbers": ({"class_weight": (1.0,), "task": "regression"}, "class_weight is for classification"),
    "no threads": ({"n_threads": 0}, "n_threads must be an integer at least 1, got 0"),
    "a flag for threads": ({"n_threads": True}, "n_threads must be an integer at least 1, got True"),
    "a number for a flag": ({"evaluate_training": 1}, "evaluate_training must be True or False, got 1"),
    "progress as text": ({"progress": "bar"}, "progress must be True or False, got 'bar'"),
    "on_finish is no function": ({"on_finish": 3}, "on_finish must be a function, got 3"),
    "is_cancelled is no function": ({"is_cancelled": False}, "is_cancelled must be a function, got False"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_argument_is_refused_in_one_line_before_any_run(case):
    settings, message = UNUSABLE[case]
    settings = {"recipe": recipe(), "rows": None, "validation_rows": None, "X": X, "y": Y} | settings
    planned = PlannedRun(*(settings.pop(name) for name in ("recipe", "rows", "validation_rows")))
    told = []
    arguments = {"runs": [RUN, planned], "on_finish": lambda index, _: told.append(index)} | settings
    if arguments.get("task") == "regression":
        arguments["runs"] = [planned]
    with pytest.raises(TautError, match=f"^{message}") as caught:
        train_many(arguments.pop("runs"), arguments.pop("X"), arguments.pop("y"), **arguments)
    assert "\n" not in str(caught.value)
    assert not told


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recipe": {"l2": 1}}, "a planned run needs a Recipe, got {'l2': 1}"),
        ({"recipe": recipe(early_stopping=True)}, "a recipe with early_stopping=True needs validation_rows"),
        ({"recipe": recipe(), "seed": -1}, "seed must be from 0 to"),
        ({"recipe": recipe(), "seed": 0.5}, "seed must be an integer, got 0.5"),
    ],
)
def test_unusable_plan_is_refused(settings, message):
    with pytest.raises(TautError, match=f"^{message}"):
        PlannedRun(**settings)


def test_arrays_of_the_caller_are_untouched():
    (X, y), weights = classes(), np.random.default_rng(0).uniform(0, 3, 45)
    rows, watched = HALF[::-1].copy(), OTHER.copy()
    given = (X, y, weights, rows, watched)
    before = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    train_many(population(rows=rows, validation_rows=watched), X, y, sample_weight=weights, class_weight=(1, 2, 3))
    for array, copied in zip(given, before, strict=True):
        assert array.tobytes() == copied.tobytes()


# ------------------------------------------------------------------------------------------------------ what it costs


def peak_bytes(runs, X, y, **settings):
    """Return how many bytes of Python's and NumPy's a population takes at most, besides what there was."""
    tracemalloc.start()
    try:
        train_many(runs, X, y, n_threads=1, evaluate_training=False, **settings)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("given", "most"), [("float32", 0.6), ("float64", 1.6)])
def test_inputs_are_not_copied_but_to_change_their_type(given, most):
    random = np.random.default_rng(0)
    X, y = random.standard_normal((20_000, 100)).astype(given), random.integers(0, 2, 20_000)
    settings = {"dtype": "float32", "hidden_layer_sizes": (2,), "epochs": 1, "batch_size": 512}
    runs = [
        PlannedRun(Recipe(**settings, label_smoothing=0.1 * seed), np.arange(seed, 20_000), np.arange(100), seed)
        for seed in range(5)
    ]
    assert peak_bytes(runs, X, y) < most * X.size * 4


def test_float32_inputs_of_different_losses_are_one_array():
    X, y = numbers(20_000)
    X = np.tile(X.astype(np.float32), 25)
    settings = {"dtype": "float32", "hidden_layer_sizes": (2,), "epochs": 1, "batch_size": 512}
    runs = [PlannedRun(Recipe(**settings, loss=loss)) for loss in ("mse", "mae", "huber")]
    assert peak_bytes(runs, X, y, task="regression") < 0.6 * X.nbytes


MEMORY = """
import resource, sys
import numpy as np
from taut import PlannedRun, Recipe, train_many

random = np.random.default_rng(0)
X, y = random.standard_normal((200, 8)), random.integers(0, 3, 200)
def runs(count, learning_rate):
    plain = {"hidden_layer_sizes": (4,), "activation": "relu", "embedding_width": 0, "parametrization": "standard"}
    made = Recipe(**plain, dropout=0.0, epochs=3, optimizer="sgd", learning_rate=learning_rate)
    return [PlannedRun(made, np.arange(150), np.arange(150, 200), seed) for seed in range(count)]
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
train_many(runs(50, 0.01), X, y, n_threads=2)
before = peak()
finished = train_many(runs(1500, 0.01), X, y, n_threads=2) + train_many(runs(500, 1e30), X, y, n_threads=2)
assert len(finished) == 2000
assert sum(run.error is not None for run in finished) == 500
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")
def test_ten_thousand_small_runs_take_little_memory():
    finished = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=60)
    assert 5 * int(finished.stdout) < 300e6
