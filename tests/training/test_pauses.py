"""Pauses: a run that pauses and is resumed learns, bit for bit, what it would have learned without; and many tables."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.problems import classes, columns, numbers

from taut import FinishedRun, PlannedRun, Recipe, TautError, train_many
from taut.training.population import train_population
from taut.training.shared_table import SharedTable

TRAIN, HELD = np.arange(0, 45, 2), np.arange(1, 45, 2)

#: Whatever a run carries from one epoch to the next: what an optimizer remembers, where the random numbers are, live
#: weights behind an average, statistics of batches, a learning rate that comes down.
SETTINGS = {
    "defaults": {},
    "dropout": {"dropout": 0.3, "input_dropout": 0.1},
    "dropout that fades": {"dropout": 0.5, "dropout_schedule": "flat_cosine"},
    "DropConnect": {"dropconnect": 0.3},
    "SAM": {"sam": 0.1, "dropout": 0.3, "normalization": "batch"},
    "snapshots": {"schedule": "cosine_restarts", "cycles": 5, "snapshots": 4},
    "noise": {"input_noise": 0.3},
    "mixup": {"mixup": 0.4},
    "CutMix": {"cutmix": 0.4},
    "EMA": {"ema": 0.9},
    "SWA, pause before it begins": {"swa": 0.5},
    "SWA, pause after it began": {"swa": 0.9},
    "batch norm": {"normalization": "batch"},
    "batch norm and EMA": {"normalization": "batch", "ema": 0.9},
    "SGD": {"optimizer": "sgd", "momentum": 0.9},
    "AdamW": {"optimizer": "adamw", "weight_decay": 0.1},
    "AdamW whose decay fades": {"optimizer": "adamw", "weight_decay": 3.0, "weight_decay_schedule": "flat_cosine"},
    "cycles": {"schedule": "cosine_restarts", "cycles": 3},
    "float32": {"dtype": "float32", "dropout": 0.3},
    "compounding decay": {"schedule": "inverse_time", "decay": 0.1, "compounding": True},
    "warm-up": {"warm_up": 0.5},
    "proximal": {"l1": 1e-2, "group_l1": 1e-3},
}


def recipe(**settings) -> Recipe:
    return Recipe(**({"hidden_layer_sizes": (6, 5), "epochs": 8, "batch_size": 8} | settings))


def one(run: PlannedRun, X, y, **options) -> FinishedRun:
    return train_many([run], X, y, **options)[0]


def assert_same(found: FinishedRun, expected: FinishedRun) -> None:
    assert found.state.dtype == expected.state.dtype
    assert found.state.tobytes() == expected.state.tobytes()
    np.testing.assert_equal(columns(found.columns), columns(expected.columns))
    assert (found.stopped, found.error) == (expected.stopped, None)


@pytest.mark.parametrize("pauses", [[3], [1, 2, 7]], ids=["one pause", "three pauses"])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_run_that_pauses_is_that_without_pause(settings, pauses):
    X, y = classes()
    made = recipe(**settings)
    whole = one(PlannedRun(made, TRAIN, HELD), X, y)
    paused = None
    for until in pauses:
        paused = one(PlannedRun(made, TRAIN, HELD, until=until, resume=paused), X, y)
        assert paused.stopped == "paused"
        assert len(paused.columns["epoch"]) == until
    assert_same(one(PlannedRun(made, TRAIN, HELD, resume=paused), X, y), whole)


def test_regression_that_pauses_is_that_without_pause():
    X, y = numbers()
    made = recipe(dropout=0.2, ema=0.9)
    whole = one(PlannedRun(made, TRAIN, HELD), X, y, task="regression")
    paused = one(PlannedRun(made, TRAIN, HELD, until=4), X, y, task="regression")
    assert_same(one(PlannedRun(made, TRAIN, HELD, resume=paused), X, y, task="regression"), whole)


def test_pause_is_what_the_run_had_learned_until_then():
    X, y = classes()
    whole = one(PlannedRun(recipe(), TRAIN, HELD), X, y)
    paused = one(PlannedRun(recipe(), TRAIN, HELD, until=3), X, y)
    for name, values in columns(paused.columns).items():
        assert values == columns(whole.columns)[name][:3], name
    assert paused.network.state.tobytes() == paused.state.tobytes()


def test_paused_run_can_be_resumed_more_than_once():
    X, y = classes()
    made = recipe(dropout=0.3, normalization="batch")
    paused = one(PlannedRun(made, TRAIN, until=3), X, y)
    first, second = train_many([PlannedRun(made, TRAIN, resume=paused)] * 2, X, y, n_threads=2)
    assert_same(first, second)
    assert_same(one(PlannedRun(made, TRAIN, resume=paused), X, y), second)


def test_pause_at_the_last_epoch_or_behind_it_is_none():
    X, y = classes()
    whole = one(PlannedRun(recipe(), TRAIN), X, y)
    for until in (8, 100):
        found = one(PlannedRun(recipe(), TRAIN, until=until), X, y)
        assert_same(found, whole)
        assert found.progress is None


# ------------------------------------------------------------------------------------------------------ many tables


def test_runs_on_many_tables_are_those_on_each_alone():
    problems = [classes(45, seed=0), classes(30, seed=1), classes(60, seed=2)]
    tables = [SharedTable(X, y, "classification") for X, y in problems]
    runs = [PlannedRun(recipe(dropout=0.2, seed=seed), table=table) for seed in (0, 1) for table in (2, 0, 1)]
    found = train_population(runs, tables, n_threads=2)
    for run, finished in zip(runs, found, strict=True):
        X, y = problems[run.table]
        assert finished.planned.table == run.table
        assert_same(finished, one(PlannedRun(run.recipe), X, y))


def test_tables_may_be_of_unequal_width_and_weighted():
    (X, y), weights = classes(), np.linspace(0.5, 2.0, 45)
    narrow = X[:, :2]
    tables = [SharedTable(X, y, "classification"), SharedTable(narrow, y, "classification", weights)]
    wide, weighted = train_population([PlannedRun(recipe(), table=0), PlannedRun(recipe(), table=1)], tables)
    assert_same(wide, one(PlannedRun(recipe()), X, y))
    assert_same(weighted, one(PlannedRun(recipe()), narrow, y, sample_weight=weights))


def test_tables_of_which_one_lacks_the_last_class_have_networks_alike():
    X, y = classes()
    seen = y < 2
    tables = [SharedTable(X, y, "classification"), SharedTable(X[seen], y[seen], "classification", n_classes=3)]
    first, second = train_population([PlannedRun(recipe(), table=0), PlannedRun(recipe(), table=1)], tables)
    assert first.network.n_outputs == second.network.n_outputs == 3


# ------------------------------------------------------------------------------------------------------------ start


@pytest.mark.parametrize("settings", [{}, {"normalization": "batch"}, {"dtype": "float32"}], ids=str)
def test_run_starts_from_the_weights_it_is_given(settings):
    X, y = classes()
    made = recipe(**settings)
    before = one(PlannedRun(made, TRAIN), X, y)
    start = before.state.copy()
    still = one(PlannedRun(recipe(**settings, learning_rate=1e-300), TRAIN, start=start), X, y)
    if "normalization" not in settings:  # whose statistics are of the batches, whatever the learning rate
        np.testing.assert_array_equal(still.state, before.state)
    moved = one(PlannedRun(made, TRAIN, start=start), X, y)
    assert moved.columns["data_loss"][0] < before.columns["data_loss"][0]
    np.testing.assert_array_equal(start, before.state)  # the caller's array is the caller's


def test_run_that_starts_from_given_weights_can_pause_too():
    X, y = classes()
    start = one(PlannedRun(recipe(), TRAIN), X, y).state
    whole = one(PlannedRun(recipe(seed=1), TRAIN, start=start), X, y)
    paused = one(PlannedRun(recipe(seed=1), TRAIN, start=start, until=5), X, y)
    assert_same(one(PlannedRun(recipe(seed=1), TRAIN, resume=paused), X, y), whole)


# --------------------------------------------------------------------------------------------------------- refusals


def test_run_that_did_not_pause_cannot_be_resumed():
    X, y = classes()
    ended = one(PlannedRun(recipe(), TRAIN), X, y)
    with pytest.raises(TautError, match="only a paused run can be resumed, got one that ended by: epochs"):
        PlannedRun(recipe(), TRAIN, resume=ended)


def test_run_whose_loss_is_not_finite_cannot_be_resumed():
    X, y = classes()
    wild = recipe(activation="identity", optimizer="sgd", learning_rate=1e100, batch_size=1)
    broken = one(PlannedRun(wild, TRAIN, until=3), X, y)
    with pytest.raises(TautError, match="only a paused run can be resumed, got one that ended by: not finite"):
        PlannedRun(wild, TRAIN, resume=broken)


def test_run_that_stops_early_cannot_pause_or_resume():
    X, y = classes()
    paused = one(PlannedRun(recipe(), TRAIN, HELD, until=3), X, y)
    for settings in ({"until": 3}, {"resume": paused}):
        with pytest.raises(TautError, match="a run that stops early cannot pause or resume; give early_stopping=False"):
            PlannedRun(recipe(early_stopping=True), TRAIN, HELD, **settings)


@pytest.mark.parametrize("until", [0, -1, 2.5, "3", True])
def test_pause_that_is_no_number_of_epochs_is_refused(until):
    with pytest.raises(TautError, match="until must be an integer"):
        PlannedRun(recipe(), until=until)


@pytest.mark.parametrize("table", [-1, 1])
def test_table_that_is_not_there_is_refused_before_any_run(table):
    X, y = classes()
    with pytest.raises(TautError, match=f"table must be from 0 to 0, got {table}"):
        one(PlannedRun(recipe(), table=table), X, y)


@pytest.mark.parametrize("size", [0, 3, 1000])
def test_start_of_a_wrong_shape_is_refused(size):
    X, y = classes()
    with pytest.raises(TautError, match=rf"state must have shape \(\d+,\), got \({size},\)"):
        one(PlannedRun(recipe(), start=np.zeros(size)), X, y)
