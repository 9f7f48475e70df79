"""Choosing: the same for any number of threads, faithful to what must stay, no braver than the rows allow."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from taut.data import folds as folds_of
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.random import Purpose, Random
from taut.selection import entrants as entering
from taut.selection import work as working
from taut.selection.choosing import Chosen, choose
from taut.selection.entrants import entrants
from taut.selection.objectives import objective_of
from taut.selection.portfolio import PLAIN, PORTFOLIO, Entry
from taut.selection.search_result import Effort
from taut.selection.work import EFFORTS, Work, work_of
from taut.training.ensemble import Ensemble
from taut.training.model import Model
from taut.training.recipe import Recipe

SMALL = (
    Entry({"hidden_layer_sizes": (8,), "epochs": 20, "l2": 0.01, "learning_rate": 0.03}, "for tests"),
    Entry({"hidden_layer_sizes": (12,), "epochs": 10, "dropout": 0.1, "scaling": "robust_clipped"}, "for tests"),
    Entry({"hidden_layer_sizes": (8, 8), "epochs": 20, "weight_decay": 0.1, "activation": "silu"}, "for tests"),
    Entry({"hidden_layer_sizes": (6,), "epochs": 15, "ema": 0.98, "bins": 4}, "for tests"),
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a portfolio that takes no time."""
    monkeypatch.setattr(entering, "PORTFOLIO", SMALL)
    monkeypatch.setattr(working, "PORTFOLIO", SMALL)


def classes(n: int = 90, seed: int = 0, signal: float = 2.0) -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n, 3)), columns=list("abc"))
    return X, pd.Series(np.where(signal * X["a"] + random.normal(size=n) > 0, "yes", "no"))


def numbers(n: int = 90, seed: int = 0, noise: float = 0.3) -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n, 3)), columns=list("abc"))
    return X, 5.0 + 3.0 * X["a"] - 2.0 * X["b"] + noise * random.normal(size=n)


def quick(X: Any, y: Any, task: str = "classification", **options: Any) -> Chosen:
    return choose(X, y, task=task, **{"effort": 6, "cv": 2, "n_jobs": 1} | options)


def told(chosen: Chosen) -> tuple[list[dict], dict]:
    return [trial.to_dict() for trial in chosen.search.trials], chosen.blend.to_dict()


@pytest.fixture(scope="module")
def chosen() -> Chosen:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entering, "PORTFOLIO", SMALL)
        patch.setattr(working, "PORTFOLIO", SMALL)
        return quick(*classes())


# ------------------------------------------------------------------------------------------------------- same answers


def test_the_same_seed_gives_the_same_answer_bit_for_bit_for_any_number_of_threads(chosen):
    X, y = classes()
    again = quick(X, y, n_jobs=2)
    assert told(again) == told(chosen)
    np.testing.assert_array_equal(again.blend.answers, chosen.blend.answers)
    np.testing.assert_array_equal(again.model.predict_proba(X), chosen.model.predict_proba(X))
    assert told(quick(X, y, seed=1)) != told(chosen)


def test_a_budget_that_is_not_used_up_changes_nothing(chosen):
    again = quick(*classes(), budget="10m")
    assert told(again) == told(chosen)
    assert not again.search.stopped_by_budget


# -------------------------------------------------------------------------------------------------------- what stays

HELD = [
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (5, 4)},
    {"activation": "tanh"},
    {"l2": 0.02},
    {"l2": (0.01, 0.001)},
    {"l1": 1e-3},
    {"l1": 1e-3, "l1_step": "subgradient"},
    {"dropout": 0.25},
    {"dropout": (0.1,)},
    {"normalization": "batch"},
    {"ema": 0.9},
    {"swa": 0.3},
    {"mixup": 0.2},
    {"embedding_width": 2},
    {"optimizer": "sgd"},
    {"snapshots": 2, "schedule": "cosine_restarts"},
    {"label_smoothing": 0.1, "bins": 4, "epochs": 12, "seed": 7},
]


@pytest.mark.parametrize("held", HELD, ids=str)
def test_what_a_recipe_sets_stays_in_every_trial_but_the_constant_guess(held):
    X, y = classes(48)
    found = quick(X, y, recipe=Recipe(**held), effort=8)
    guess, *others = found.search.trials
    for trial in others:
        assert {name: getattr(trial.recipe, name) for name in held} == held
    assert len(others) >= 4
    assert len({trial.recipe for trial in found.search.trials}) == len(found.search.trials)
    assert guess.is_complete
    assert guess.losses == pytest.approx(np.log(2.0), abs=0.08)
    assert all(member.trial.is_complete for member in found.blend.members)


def test_what_stays_alone_leaves_out_what_cannot_stand_beside_it():
    made = entrants(Recipe(optimizer="sgd", snapshots=2, schedule="cosine_restarts"), 0, "auto", "regression")
    assert not {"weight_decay", "ema", "swa", "label_smoothing"} & made.space.dimensions.keys()
    assert made.space.base.snapshots == 2


def test_refined_settings_of_linear_models_have_nothing_that_is_for_hidden_layers():
    space = entrants(Recipe(), 0, "auto", "classification").space
    source = Random(0).at(purpose=Purpose.SEARCH)
    parents = [{"hidden_layer_sizes": (), "l2": 0.01}, {"hidden_layer_sizes": (8,), "dropout": 0.2, "max_norm": 1.0}]
    made = [space.refined(parents, 0.1, source.at(item=place, epoch=2)) for place in range(200)]
    linear = [setting for setting in made if not setting["hidden_layer_sizes"]]
    assert 50 < len(linear) < 200
    assert all(map(space.allows, made))
    for setting in linear:
        assert not {"dropout", "dropconnect", "max_norm", "group_l1_units", "orthogonality"} & setting.keys()


def test_nothing_is_refined_from_the_constant_guess():
    X, y = classes(60, signal=0.0)
    found = quick(X, y, effort=20, recipe=Recipe(l1=1e-3))
    assert found.search.trials[0].mean < np.median([trial.mean for trial in found.search.trials])
    assert {trial.recipe.l1 for trial in found.search.trials[1:]} == {1e-3}


def test_a_refinement_that_does_not_go_with_what_stays_is_not_tried(monkeypatch):
    one = Entry({"hidden_layer_sizes": (8,), "epochs": 5}, "for tests")
    monkeypatch.setattr(entering, "PORTFOLIO", (one, replace(one, setting={"hidden_layer_sizes": (9,), "epochs": 5})))
    found = quick(*classes(48), recipe=Recipe(dropout=(0.1,)), effort=20)
    assert {len(trial.recipe.hidden_layer_sizes) for trial in found.search.trials} == {1}
    assert any(trial.round for trial in found.search.trials)


def test_the_recipe_as_it_is_is_tried_alone_without_effort():
    recipe = Recipe(hidden_layer_sizes=(7,), epochs=30, learning_rate=0.05, dropout=0.1)
    found = quick(*classes(), recipe=recipe, effort="none", final="refit")
    assert [trial.recipe for trial in found.search.trials][1:] == [recipe]
    assert not found.blend.is_constant
    assert isinstance(found.model, Model)
    assert found.model.recipe == replace(recipe, dtype="float32")


# -------------------------------------------------------------------------------------------------- what is chosen by


def test_an_objective_changes_the_weights_and_is_what_it_says(chosen):
    X, y = classes()
    true = (y == "yes").to_numpy().astype(int)
    for name in ("accuracy", "roc_auc"):
        other = quick(X, y, objective=name)
        assert [t.to_dict() for t in other.search.trials] == told(chosen)[0]
        judge = objective_of(name, "classification")
        assert judge.loss(other.blend.answers, true) <= judge.loss(chosen.blend.answers, true)
    weights = {
        tuple(member.weight for member in quick(X, y, objective=name).blend.members)
        for name in ("log_loss", "accuracy", "roc_auc")
    }
    assert len(weights) > 1


def test_absolute_errors_are_what_is_trained_for_if_they_are_what_counts():
    X, y = numbers()
    assert all(trial.recipe.loss == "mae" for trial in quick(X, y, "regression", objective="mae").search.trials)
    held = quick(X, y, "regression", objective="mae", recipe=Recipe(loss="huber"))
    assert all(trial.recipe.loss == "huber" for trial in held.search.trials)
    with pytest.raises(InvalidValue, match="the objective must be one of"):
        quick(X, y, "regression", objective="accuracy")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_noise_gets_the_constant_guess_and_is_told(task):
    random = np.random.default_rng(3)
    X = pd.DataFrame(random.normal(size=(80, 4)), columns=list("abcd"))
    y = random.integers(0, 2, 80) if task == "classification" else random.normal(size=80)
    found = quick(X, pd.Series(y), task)
    assert found.blend.is_constant
    assert any("constant guess is the answer" in note for note in found.notes)
    answers = found.model.predict_proba(X) if task == "classification" else found.model.predict(X)
    assert np.ptp(answers, axis=0).max() < 1e-6
    refit = quick(X, pd.Series(y), task, final="refit")
    assert isinstance(refit.model, Model)
    assert refit.model.recipe.l1 == 1000.0


def test_the_constant_guess_of_rare_classes_is_how_often_they_are():
    X, _ = classes(200)
    y = pd.Series(np.where(np.arange(200) % 20 == 0, "rare", "usual"))
    guess = quick(X, y).search.trials[0]
    assert guess.mean == pytest.approx(-0.05 * np.log(0.05) - 0.95 * np.log(0.95), abs=0.005)


def test_a_linear_truth_is_found():
    X, y = numbers(120)
    found = quick(X, y, "regression", recipe=Recipe(epochs=150))
    slope, *_ = np.linalg.lstsq(np.c_[X, np.ones(len(X))], y, rcond=None)
    best = np.sqrt(np.mean((np.c_[X, np.ones(len(X))] @ slope - y) ** 2))
    assert found.blend.scores["rmse"][0] < 1.25 * best


# ------------------------------------------------------------------------------------------------------------ budgets


def test_a_budget_too_short_for_anything_is_refused_in_one_line():
    with pytest.raises(InvalidValue, match=r"^a budget of 1e-09 s is too short to try a single setting here; give"):
        quick(*classes(), budget=1e-9)


def test_a_budget_that_ends_the_choice_is_told_and_what_was_tried_by_then_answers(monkeypatch):
    monkeypatch.setattr(entering, "PORTFOLIO", PORTFOLIO)
    monkeypatch.setattr(working, "PORTFOLIO", PORTFOLIO)
    seen: list[tuple[int, int]] = []
    options = {"effort": "thorough", "cv": 3, "report": lambda done, planned, _: seen.append((done, planned))}
    found = quick(*classes(1200), budget=2.0, **options)
    assert found.search.seconds < 10.0  # a busy machine is slow to hear
    assert found.search.stopped_by_budget
    assert any(note.startswith("The budget ended the search; without it, ") for note in found.notes)
    assert found.search.best.is_complete
    assert not found.blend.is_constant
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.parametrize("effort", [2, 6, 9])
def test_what_is_planned_is_done_in_the_end(effort):
    seen: list[tuple[int, int]] = []
    quick(*classes(60), effort=effort, report=lambda done, planned, _: seen.append((done, planned)))
    assert [done for done, _ in seen[:-1]] == list(range(1, len(seen)))
    assert all(done <= planned for done, planned in seen)
    assert seen[-1][0] == seen[-1][1]


# --------------------------------------------------------------------------------------------------------------- work


def test_more_rows_or_costlier_recipes_are_fewer_settings():
    work = Work(Effort(8, (6,)), 1e9, rows=100)
    efforts = [work.within(rows, [rows * 1e5] * 8) for rows in (100, 1000, 2000, 10000)]
    assert [effort.settings for effort in efforts] == sorted((effort.settings for effort in efforts), reverse=True)
    assert efforts[0] == Effort(8, (6,))
    assert efforts[-1] == Effort(4, ()), "some are tried in any case"
    assert work.within(50, [1.0] * 8) == Effort(8, (3,)), "few rows cannot tell small steps apart"
    assert work.within(100, [1.0] * 3) == Effort(3, (6,))


def test_a_limit_of_work_is_the_same_choice_each_time(monkeypatch):
    monkeypatch.setitem(EFFORTS, "quick", Work(Effort(4, (4,)), 2e7, 10))
    few, many = (quick(*classes(n), effort="quick").search for n in (60, 600))
    assert len(many.trials) < len(few.trials)
    again = quick(*classes(600), effort="quick", n_jobs=2).search
    assert [t.to_dict() for t in again.trials] == [t.to_dict() for t in many.trials]


def test_words_and_numbers_are_work():
    assert work_of("quick") < work_of("standard") < work_of("thorough")
    assert work_of("quick").beyond() == ("standard", EFFORTS["standard"].effort.settings + len(PLAIN))
    assert work_of("thorough").beyond() is None
    assert [work_of(n).effort for n in (1, 4, 10)] == [Effort(1, ()), Effort(4, ()), Effort(5, (5,))]
    for wrong in ("lazy", 0, 1.5):
        with pytest.raises((InvalidValue, InvalidType), match="effort, if not a"):
            work_of(wrong)


# --------------------------------------------------------------------------------------------------------------- rows


def test_of_a_long_table_some_rows_choose_and_all_are_fitted():
    X, y = classes(400)
    y.iloc[[3, 200, 399]] = "rare"
    found = quick(X, y, choose_rows=80)
    assert isinstance(found.model, Ensemble)
    assert found.notes[0] == "The choice was made on 80 of the 400 training rows."
    assert found.model.targets.classes_.tolist() == ["no", "rare", "yes"]
    assert found.model.predict_proba(X).shape == (400, 3)
    assert len(found.model.models) == min(len(found.blend.members), 3)
    whole = quick(X, y, choose_rows=80, final="refit").model
    best = found.search.best.recipe  # which passes over five times the rows fewer times
    assert whole.recipe == replace(
        best, dtype="float32", epochs=max(round(best.epochs / np.sqrt(5)), min(best.epochs, 15))
    )


def test_groups_are_not_divided_and_count_as_one():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 8)
    X = pd.DataFrame(np.repeat(random.normal(size=(12, 3)), 8, axis=0) + 0.01 * random.normal(size=(96, 3)))
    X.columns = list("abc")
    y = pd.Series(np.where(X["a"] > 0, "yes", "no"))
    found = quick(X, y, groups=groups, cv=3)
    splits = folds_of(y, n_splits=3, task="classification", groups=groups)
    assert all(not np.intersect1d(groups[train], groups[held]).size for train, held in splits)
    alone = quick(X, y, cv=splits)
    assert told(found)[0] == told(alone)[0]
    assert found.blend.over_constant[0] == alone.blend.over_constant[0]
    assert found.blend.over_constant[1] > 2.0 * alone.blend.over_constant[1]


def test_forward_in_time_only_later_rows_are_answered():
    X, y = numbers()
    found = quick(X, y, "regression", time=np.arange(len(y)), cv=3)
    held = folds_of(y, n_splits=3, task="regression", time=np.arange(len(y)))
    assert len(found.blend.answers) == sum(len(rows) for _, rows in held) < len(y)


def test_rows_of_weight_zero_are_as_if_they_were_not_there():
    X, y = classes(80)
    weight = np.r_[np.ones(60), np.zeros(20)]
    splits = [(np.r_[0:30, 60:70], np.r_[30:60, 70:80]), (np.r_[30:60, 70:80], np.r_[0:30, 60:70])]
    one = quick(X, y, sample_weight=weight, cv=splits)
    spoiled = X.copy()
    spoiled.iloc[60:] = 50.0
    y_spoiled = y.copy()
    y_spoiled.iloc[60:] = "no"
    two = quick(spoiled, y_spoiled, sample_weight=weight, cv=splits)
    assert two.blend.over_constant == pytest.approx(one.blend.over_constant)
    for name, score in one.blend.scores.items():
        assert two.blend.scores[name] == pytest.approx(score)
    assert two.blend.temperature == pytest.approx(one.blend.temperature)
    np.testing.assert_allclose(two.model.predict_proba(X), one.model.predict_proba(X), rtol=1e-5)


def test_weights_of_classes_are_trained_with():
    X, _ = classes(120)
    y = pd.Series(np.where(X["a"] + np.random.default_rng(1).normal(size=120) > 1.5, "rare", "usual"))
    share = [quick(X, y, class_weight=w).model.predict_proba(X)[:, 0].mean() for w in (None, {"rare": 8, "usual": 1})]
    assert share[1] > 1.5 * share[0]


def test_several_targets_and_repeated_folds():
    X, y = numbers()
    both = np.c_[y, -2.0 * X["c"]]
    found = quick(X, both, "regression", repeats=2)
    assert found.model.predict(X).shape == both.shape
    assert found.blend.answers.shape == both.shape
    assert len(found.model.models) == 4 * len(found.blend.members)
    assert not found.blend.is_constant


# ------------------------------------------------------------------------------------------------------------- errors


def test_arguments_that_cannot_be_used_are_refused_in_one_line():
    X, y = classes(30)
    for options, words in (
        ({"task": "ranking"}, "task must be one of classification, regression; got 'ranking'"),
        ({"final": "all"}, "final must be one of"),
        ({"choose_rows": 0}, "choose_rows must be"),
        ({"recipe": "good"}, "recipe must be a Recipe, got 'good'"),
        ({"budget": "soon"}, "budget must be"),
    ):
        with pytest.raises((InvalidValue, InvalidType), match=words):
            quick(X, y, **options)


def test_training_that_diverges_with_every_setting_is_said():
    with pytest.raises(NonFiniteLoss, match="training diverged with every setting; lower learning_rate"):
        quick(*classes(40), recipe=Recipe(learning_rate=1e300))


def test_after_ctrl_c_there_is_an_interrupt_and_no_thread():
    def interrupt(done: int, planned: int, words: str) -> None:
        if done == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        quick(*classes(60), report=interrupt)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("taut")]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_effort_the_recipe_is_fitted_once_to_all_rows_whatever_is_to_be_kept():
    X, y = classes(60)
    recipe = Recipe(hidden_layer_sizes=(4,), epochs=3)
    found = choose(X, y, task="classification", recipe=recipe, effort="none", cv=3, n_jobs=1)
    assert isinstance(found.model, Model)
    assert replace(found.model.recipe, dtype="float64") == recipe
    assert not any("is the answer" in note for note in found.notes)
