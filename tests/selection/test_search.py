"""The search: deterministic, resumable, within its budget, and honest about what it found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.plain import plain

from taut.data import folds, load_sample
from taut.errors import InvalidValue, NonFiniteLoss
from taut.selection.candidates import STRENGTHS
from taut.selection.cross_validation import cross_validate
from taut.selection.search import search, seconds_of
from taut.selection.search_result import EFFORTS, Effort, effort_of, simplest
from taut.selection.trials import Trial
from taut.training import Recipe, fit_model

QUICK = plain(hidden_layer_sizes=(8,), epochs=20, learning_rate=0.02)


@pytest.fixture(scope="module")
def wine() -> tuple[pd.DataFrame, pd.Series]:
    frame, target = load_sample("wine")
    return frame.drop(columns=target), frame[target]


@pytest.fixture(scope="module")
def found(wine):
    return search(QUICK, None, *wine, effort=16, cv=3)


def as_told(result) -> list[dict]:
    return [trial.to_dict() for trial in result.trials]


def test_the_first_round_has_the_recipe_as_it_is_none_of_it_and_what_usually_helps(found):
    first = [trial for trial in found.trials if trial.round == 0]
    assert first[0].recipe == QUICK
    assert first[1].recipe == QUICK.unregularized()
    assert first[2].setting == STRENGTHS[2]  # the one before it is the recipe itself
    assert first[0].is_complete
    assert first[1].is_complete


def test_later_rounds_lie_around_the_best_of_those_before(found):
    best = min((trial for trial in found.trials if trial.round == 0), key=lambda trial: (-trial.epochs, trial.mean))
    later = [trial for trial in found.trials if trial.round == 1]
    assert later
    assert sum(bool(set(trial.setting) & set(best.setting)) for trial in later) >= len(later) / 2


def test_the_best_is_the_lowest_of_those_trained_to_their_end(found):
    complete = [trial for trial in found.trials if trial.is_complete]
    assert found.best.mean == min(trial.mean for trial in complete)
    assert {6, 20} <= {trial.epochs for trial in found.trials} <= {6, 12, 20}


def test_scores_are_those_of_cross_validation_and_the_refit_is_the_recipe_on_all_rows(found, wine):
    X, y = wine
    splits = folds(y, n_splits=3, task="classification")
    (candidate,) = cross_validate([found.best.recipe], X, y, task="classification", splits=splits)
    assert candidate.mean == found.best.mean
    assert candidate.scores == found.cross_validated
    np.testing.assert_array_equal(candidate.losses, found.best.losses)
    theta = fit_model(found.best.recipe, X, y, task="classification").network.theta
    np.testing.assert_array_equal(found.refit().network.theta, theta)
    assert found.refit("1se").recipe == found.simplest.recipe


def test_settings_stopped_early_were_worse_than_half_of_their_round_there(found):
    for number in {trial.round for trial in found.trials}:
        ours = [trial for trial in found.trials if trial.round == number]
        for stopped in (trial for trial in ours if trial.epochs == 6):
            at_rung = sorted(trial.course[6] for trial in ours)
            assert stopped.mean >= at_rung[len(at_rung) // 2 - 1]


def test_an_ingredient_is_worth_what_the_loss_rises_without_it(found):
    assert {one.name for one in found.ingredients} == set(found.best.setting)
    assert [one.name for one in found.ingredients] == sorted(
        found.best.setting, key=lambda name: -next(one.worth for one in found.ingredients if one.name == name)
    )
    for one in found.ingredients:
        rest = {name: value for name, value in found.best.setting.items() if name != one.name}
        other = next(trial for trial in found.trials if trial.setting == rest and trial.is_complete)
        differences = other.losses - found.best.losses
        assert one.worth == pytest.approx(differences.mean())
        assert one.error == pytest.approx(differences.std(ddof=1) / np.sqrt(3))
        assert one.worth >= 0, "what does not pay has been taken out"


def test_the_same_seed_gives_the_same_answer_for_any_number_of_threads(found, wine):
    again = search(QUICK, None, *wine, effort=16, cv=3, n_jobs=1)
    assert as_told(again) == as_told(found)
    other = search(replace(QUICK, seed=1), None, *wine, effort=16, cv=3)
    assert as_told(other) != as_told(found)


def test_a_budget_changes_nothing_but_when_it_ends(found, wine):
    again = search(QUICK, None, *wine, effort=16, cv=3, budget="10m")
    assert as_told(again) == as_told(found)
    assert not again.stopped_by_budget


def test_a_budget_that_is_spent_ends_the_search_and_is_said(wine):
    X, y = pd.concat([wine[0]] * 20, ignore_index=True), pd.concat([wine[1]] * 20, ignore_index=True)
    recipe = Recipe(epochs=100)
    began = time.perf_counter()
    cut = search(recipe, None, X, y, effort="thorough", budget=4.0)
    assert time.perf_counter() - began < 30.0  # the search alone would take minutes; benchmarks say how near it comes
    assert cut.stopped_by_budget
    assert cut.trials
    assert "without it" in cut.more()
    assert not cut.ingredients


def test_a_budget_too_short_for_anything_is_refused_in_one_line(wine):
    words = r"a budget of 1e-09 s is too short to try a single setting here; give more, such as \d+ s"
    with pytest.raises(InvalidValue, match=words):
        search(QUICK, None, *wine, budget=1e-9)


def test_the_simplest_is_the_one_that_follows_its_rows_least_within_one_error():
    def trial(mean, training, epochs=20):
        return Trial(0, 0, {}, QUICK, epochs, mean, 0.1, np.zeros(3), training, {}, {})

    best = trial(1.0, 0.2)
    trials = [trial(1.05, 0.5), trial(1.09, 0.7), trial(1.2, 0.9), trial(1.02, 0.95, epochs=6), best]
    assert simplest(trials, best) is trials[1]
    assert simplest([best], best) is best


def test_training_that_diverges_with_every_setting_is_said(wine):
    with pytest.raises(NonFiniteLoss, match="training diverged with every setting"):
        search(Recipe(learning_rate=1e300, epochs=2), None, *wine, effort=4, cv=2)


def test_regression_groups_and_time_go_to_the_folds():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.normal(size=90), "z": random.normal(size=90)})
    y = pd.Series(X["x"] + 0.1 * random.normal(size=90))
    for options in ({"groups": np.repeat(np.arange(30), 3)}, {"time": np.arange(90)}, {"repeats": 2}):
        made = search(QUICK, {"l2": (1e-4, 1.0)}, X, y, effort=4, cv=3, **options)
        assert made.metrics == ("rmse", "r2")
        assert len(made.best.losses) == 3 * options.get("repeats", 1)


def test_efforts_and_budgets_are_read():
    assert effort_of("standard") is EFFORTS["standard"]
    assert Effort.of(20) == Effort(10, (5, 5))
    assert Effort.of(2) == Effort(1, (1,))
    assert EFFORTS["quick"].settings < EFFORTS["standard"].settings < EFFORTS["thorough"].settings
    assert [seconds_of(given) for given in ("90s", "2m", "1.5h", "7", 3)] == [90.0, 120.0, 5400.0, 7.0, 3.0]
    for wrong in ("soon", "-3s", 0, "m"):
        with pytest.raises(InvalidValue, match="budget must be"):
            seconds_of(wrong)
    with pytest.raises(
        InvalidValue, match="effort, if not a number, must be one of quick, standard, thorough; got 'lazy'"
    ):
        effort_of("lazy")


def test_frame_and_dictionary_hold_every_trial(found):
    frame = found.to_frame()
    assert len(frame) == len(found.trials)
    assert frame["validation_loss"].iloc[0] == found.best.mean
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["best"]["mean"] == found.best.mean
    assert len(told["trials"]) == len(found.trials)


def test_a_recipe_of_one_epoch_is_compared_once(wine):
    made = search(Recipe(hidden_layer_sizes=(4,), epochs=1), None, *wine, effort=8, cv=2)
    assert {trial.epochs for trial in made.trials} == {1}


# ------------------------------------------------------------------------------------------------ what is kept on disk


def test_choices_of_several_values_and_of_numpy_numbers_go_to_disk_and_back(wine, tmp_path):
    space = {"hidden_layer_sizes": [[4], [6, 4]], "l2": list(np.geomspace(1e-3, 0.1, 3))}
    options = {"effort": 20, "cv": 2, "storage": tmp_path / "search.db"}
    first = search(QUICK, space, *wine, **options)
    assert {trial.recipe.hidden_layer_sizes for trial in first.trials} >= {(6, 4)}
    assert as_told(search(QUICK, space, *wine, **options, resume=True)) == as_told(first)


def test_a_round_that_was_only_announced_is_given_up(found, wine, tmp_path):
    import optuna

    where = tmp_path / "search.db"
    with pytest.raises(KeyboardInterrupt):
        search(QUICK, None, *wine, effort=16, cv=3, storage=where, report=lambda *_: _interrupt())
    study = optuna.load_study(study_name="taut", storage=f"sqlite:///{where}")
    study.enqueue_trial({"l2": 0.01})  # as a kill between announcing and beginning leaves it
    again = search(QUICK, None, *wine, effort=16, cv=3, storage=where, resume=True)
    assert as_told(again) == as_told(found)
    assert {trial.state.name for trial in study.get_trials()} <= {"COMPLETE", "PRUNED", "FAIL"}


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_a_search_kept_on_disk_is_the_same_and_opens_in_optuna(found, wine, tmp_path):
    import optuna

    kept = search(QUICK, None, *wine, effort=16, cv=3, storage=tmp_path / "search.db")
    assert as_told(kept) == as_told(found)
    study = optuna.load_study(study_name="taut", storage=kept.storage)
    assert study.best_value == found.best.mean
    assert study.best_params == found.best.setting
    states = [trial.state.name for trial in study.trials]
    assert states.count("COMPLETE") == sum(trial.is_complete for trial in found.trials)
    assert states.count("PRUNED") == sum(not trial.is_complete for trial in found.trials)
    pruned = next(trial for trial in study.trials if trial.state.name == "PRUNED")
    assert list(pruned.intermediate_values) == [6] or list(pruned.intermediate_values) == [6, 12]


def test_a_search_that_is_there_is_resumed_only_on_request_and_only_the_same(found, wine, tmp_path, monkeypatch):
    where = tmp_path / "search.db"
    search(QUICK, None, *wine, effort=16, cv=3, storage=where)
    with pytest.raises(InvalidValue, match="holds a search; resume it, or choose another storage"):
        search(QUICK, None, *wine, effort=16, cv=3, storage=where)
    for other in (
        {"recipe": replace(QUICK, epochs=21)},
        {"effort": 17},
        {"X": wine[0] * 2},
        {"cv": 4},
        {"space": {"l2": (1e-4, 1.0)}},
    ):
        options = {"recipe": QUICK, "space": None, "X": wine[0], "y": wine[1], "effort": 16, "cv": 3} | other
        if other.keys() == {"X"}:
            options["X"] = wine[0].assign(**{wine[0].columns[0]: wine[0].iloc[::-1, 0].to_numpy()})
        with pytest.raises(InvalidValue, match="holds a search of other data, or with other settings"):
            search(**options, storage=where, resume=True)
    monkeypatch.setattr("taut.selection.halving.Contest.run", None)  # nothing is trained again
    again = search(QUICK, None, *wine, effort=16, cv=3, storage=where, resume=True)
    assert as_told(again) == as_told(found)


@pytest.mark.parametrize(
    ("storage", "words"),
    [("nowhere/at/all.db", "cannot be used"), ("odd://host/name", "cannot be used")],
)
def test_storage_that_cannot_be_used_is_refused_in_one_line(storage, words, wine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValue, match=words) as caught:
        search(QUICK, None, *wine, effort=4, cv=2, storage=storage)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_not_touched(wine, tmp_path):
    table = tmp_path / "people.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidValue, match="cannot be used"):
        search(QUICK, None, *wine, effort=4, cv=2, storage=table)
    assert table.read_text() == "a,b\n1,2\n"


KILLED = """
import os, signal, sys
from taut.data import load_sample
from taut.selection.search import search
from taut.training import Recipe
frame, target = load_sample("wine")
rounds = []
def report(done, planned, words):
    if words.startswith("round 3"):
        os.kill(os.getpid(), signal.SIGKILL)
search(Recipe.from_toml(sys.argv[2]), None, frame.drop(columns=target), frame[target],
       effort=16, cv=3, storage=sys.argv[1], report=report)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_search_that_was_killed_goes_on_and_loses_the_round_in_hand_at_most(found, wine, tmp_path):
    import optuna

    where = str(tmp_path / "search.db")
    command = [sys.executable, "-c", KILLED, where, QUICK.to_toml()]
    ended = subprocess.run(command, env=os.environ, timeout=300, check=False)
    assert ended.returncode == -signal.SIGKILL
    before = optuna.load_study(study_name="taut", storage=f"sqlite:///{where}").get_trials(deepcopy=False)
    rounds = [trial.user_attrs["taut"]["round"] for trial in before if trial.state.is_finished()]
    assert set(rounds) == {0, 1}
    made = []
    again = search(
        QUICK, None, *wine, effort=16, cv=3, storage=where, resume=True, report=lambda *told: made.append(told[2])
    )
    assert as_told(again) == as_told(found)
    assert not any(words.startswith(("round 1", "round 2")) for words in made)
    states = [t.state.name for t in optuna.load_study(study_name="taut", storage=again.storage).trials]
    assert "RUNNING" not in states
    assert "WAITING" not in states
