"""The main job: search, refit, look at the test rows once, compare."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from taut.data import hold_out, load_sample
from taut.errors import DataError, InvalidValue, NonFiniteLoss
from taut.selection.fit_result import FitResult
from taut.selection.fit_table import fit_table
from taut.selection.halving import Budget
from taut.selection.portfolio import PORTFOLIO
from taut.selection.scores import score_classes
from taut.training.ensemble import Ensemble
from taut.training.recipe import Recipe

QUICK = Recipe(epochs=15, learning_rate=0.02)


def quick_fit(frame: pd.DataFrame, target: str, **options: Any) -> FitResult:
    return fit_table(frame, target, **{"recipe": QUICK, "cv": 2, "effort": 4, "n_jobs": 1} | options)


@pytest.fixture(scope="module")
def wine_result() -> FitResult:
    frame, target = load_sample("wine")
    return quick_fit(frame, target, cv=3, data_name="wine")


def test_chosen_is_the_lowest_cross_validated_loss(wine_result):
    lowest = min(wine_result.candidates, key=lambda trial: trial.mean)
    assert wine_result.chosen.recipe == lowest.recipe == wine_result.search.best.recipe
    assert wine_result.chosen.mean == pytest.approx(lowest.mean, rel=1e-3)  # the search is in float32
    assert wine_result.model.recipe == replace(wine_result.chosen.recipe, dtype="float32")
    assert wine_result.unregularized.recipe == lowest.recipe.unregularized()
    assert wine_result.unregularized_model.recipe == replace(lowest.recipe.unregularized(), dtype="float32")


def test_candidates_are_the_settings_that_were_tried_to_their_end(wine_result):
    trials = wine_result.search.trials
    assert wine_result.candidates == [trial for trial in trials if trial.epochs == trial.recipe.epochs]
    assert set(wine_result.blend.members[0].trial.setting) <= set().union(*(trial.setting for trial in trials))


def test_what_the_recipe_has_other_than_usual_stays_in_all_that_is_tried():
    frame, target = load_sample("wine")
    start = replace(QUICK, max_norm=2.0, dropout=0.3, hidden_layer_sizes=(6,))
    result = quick_fit(frame, target, recipe=start)
    for recipe in [trial.recipe for trial in result.search.trials[1:]]:  # the first is the constant guess
        assert (recipe.max_norm, recipe.dropout, recipe.hidden_layer_sizes) == (2.0, 0.3, (6,))
        assert (recipe.epochs, recipe.learning_rate) == (QUICK.epochs, QUICK.learning_rate)


def test_without_effort_the_recipe_is_fitted_as_it_is_and_kept():
    frame, target = load_sample("wine")
    result = quick_fit(frame, target, effort="none")
    assert result.chosen.recipe == QUICK
    assert result.kept is result.model
    assert len(result.search.trials) == 2  # the constant guess, and itself
    assert [entry.name for entry in result.entries[:2]] == ["chosen network", "ensemble"]


def test_by_one_standard_error_the_chosen_is_the_one_that_follows_its_training_rows_least():
    frame, target = load_sample("diabetes")
    result = quick_fit(frame, target, cv=3, rule="1se", effort=6)
    best = result.search.best
    near = [trial for trial in result.candidates if trial.mean <= best.mean + best.standard_error]
    assert result.rule == "1se"
    assert result.chosen.recipe == max(near, key=lambda trial: trial.training).recipe
    assert result.kept is result.model
    assert result.summary()["rule"] == "1se"


def test_one_network_can_be_kept_and_then_stands_first(wine_result):
    frame, target = load_sample("wine")
    result = quick_fit(frame, target, cv=3, final="refit", data_name="wine")
    assert isinstance(wine_result.kept, Ensemble)
    assert result.kept is result.model
    names = [entry.name for entry in result.entries]
    assert names[:3] == ["chosen network", "ensemble", "unregularized network"]
    # The same fit otherwise: the two have changed places, and nothing else has.
    for here, there in ((0, 1), (1, 0)):
        assert result.entries[here].test == wine_result.entries[there].test
    assert (result.test_probabilities == result.kept.predict_proba(frame.iloc[_held(frame, target)])).all()


def _held(frame: pd.DataFrame, target: str) -> np.ndarray:
    """Return the rows that a fit with the default seed sets aside."""
    return hold_out(frame.drop(columns=target), frame[target], test_size=0.2, task="classification", seed=0)[1]


def test_all_have_cross_validated_scores_that_of_the_ensemble_from_answers_for_rows_not_trained_on(wine_result):
    assert wine_result.entries[0].cross_validated == wine_result.blend.scores
    for entry in wine_result.entries:
        assert np.isfinite([value for score in entry.cross_validated.values() for value in score]).all()


def test_the_members_are_those_whose_networks_answer(wine_result):
    assert wine_result.n_networks == 3 * len(wine_result.blend.members)  # one a fold
    assert wine_result.members == wine_result.blend.members
    # Where all rows needed a fit, there is one network a setting, of the heaviest.
    many = replace(wine_result.blend, members=wine_result.blend.members * 2)
    some = replace(wine_result, kept=Ensemble(wine_result.kept.models[:1]), blend=many)
    assert (some.n_networks, some.members) == (1, many.members[:1])


@pytest.mark.parametrize("other", [{"n_jobs": 2}, {"n_jobs": 3}, {"n_jobs": 2, "backend": "threading"}], ids=str)
def test_who_does_the_work_does_not_change_the_result(wine_result, other):
    frame, target = load_sample("wine")
    result = quick_fit(frame, target, cv=3, data_name="wine", **other)
    assert (result.model.network.theta == wine_result.model.network.theta).all()
    assert [trial.setting for trial in result.search.trials] == [t.setting for t in wine_result.search.trials]
    for one, two in zip(result.search.trials, wine_result.search.trials, strict=True):
        np.testing.assert_array_equal(one.losses, two.losses)
    assert [entry.test for entry in result.entries] == [entry.test for entry in wine_result.entries]


def test_a_budget_that_ends_the_search_is_said(monkeypatch):
    asked = itertools.count()
    monkeypatch.setattr(Budget, "is_spent", property(lambda _: next(asked) > 0))  # after the first round
    frame, target = load_sample("wine")
    result = quick_fit(frame, target, budget="1h", effort=len(PORTFOLIO) + 2)
    assert result.search.stopped_by_budget
    assert any(note.startswith("The budget ended the search; without it, ") for note in result.notes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rule": "2se"}, "rule must be one of 1se, min; got '2se'"),
        ({"final": "best"}, "final must be one of ensemble, refit; got 'best'"),
        ({"effort": "much"}, "effort, if not a number, must be one of none, quick, standard, thorough; got 'much'"),
        ({"effort": 0}, "effort, if not a word, must be an integer at least 1, got 0"),
        ({"budget": "soon"}, "budget must be seconds, or such as '90s', '2m', '1h'; got 'soon'"),
        ({"budget": 0}, "budget must be a number above 0, got 0"),
        ({"backend": "nobody"}, "backend 'nobody' cannot be used"),
    ],
    ids=str,
)
def test_unusable_options_are_refused(options, words):
    frame, target = load_sample("wine")
    with pytest.raises(InvalidValue, match=words):
        quick_fit(frame, target, **options)


def test_test_scores_are_those_of_the_kept_model_on_the_rows_set_aside(wine_result):
    scores = score_classes(wine_result.test_probabilities, wine_result.test_true, wine_result.model.targets).values
    assert wine_result.entries[0].test == scores
    assert wine_result.n_train + wine_result.n_test == 178
    assert wine_result.n_test == 36


def test_network_beats_the_constant_guess_and_says_so(wine_result):
    names = [entry.name for entry in wine_result.entries]
    assert names == ["chosen ensemble", "one network", "unregularized network", "linear model", "constant guess"]
    assert "better than the constant guess" in wine_result.sentence()
    assert wine_result.entries[0].verdict == "the same as"
    assert wine_result.entries[-1].margin.difference > 0.5
    assert wine_result.entries[-1].margin.p_value < 0.01


def test_summary_is_json_and_complete(wine_result):
    summary = json.loads(json.dumps(wine_result.summary(), allow_nan=False))
    assert summary["rows"] == {"train": 142, "test": 36}
    assert summary["entries"][0]["test"]["accuracy"][0] == wine_result.entries[0].test["accuracy"][0]
    assert summary["classes"] == ["class_0", "class_1", "class_2"]
    assert len(summary["search"]["trials"]) == len(wine_result.search.trials)
    assert summary["looks"] == wine_result.looks.to_dict()
    assert summary["looks"]["n_test"] == 36


def test_test_rows_change_nothing_but_test_scores():
    frame, target = load_sample("iris")
    frame = frame.sample(frac=1.0, random_state=0)
    train, test = frame[:100], frame[100:]
    shuffled = test.assign(**{target: np.roll(test[target], 7)})
    one, two = (quick_fit(train, target, test=rows) for rows in (test, shuffled))
    assert (one.model.network.theta == two.model.network.theta).all()
    assert one.entries[0].test != two.entries[0].test


def test_regression_with_gaps_in_the_target_notes_the_rows_left_out():
    frame, target = load_sample("diabetes")
    frame = frame[:150].astype({target: float})
    frame.loc[frame.index[:5], target] = np.nan
    result = quick_fit(frame, target, final="refit")
    assert result.metrics == ("rmse", "r2")
    assert result.notes == [f"5 rows without a value of {target} were left out."]
    assert result.n_train + result.n_test == 145
    assert result.test_probabilities is None


def test_groups_stay_whole_and_are_no_input():
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 6)
    frame = pd.DataFrame({"patient": group, "x": random.normal(size=120), "ill": group % 2 == 0})
    result = quick_fit(frame, "ill", group="patient")
    assert [column.name for column in result.model.encoder.schema_] == ["x"]
    assert "Standard errors count the 4 test groups, not the rows." in result.notes


def test_with_a_time_column_the_last_rows_test():
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=90)[::-1], "x": np.arange(90.0)})
    frame["y"] = 3.0 * frame["x"]
    result = quick_fit(frame, "y", time_column="day")
    assert sorted(result.test_true) == sorted(3.0 * np.arange(18.0))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"target": "z"}, "the table has no target column 'z'; its columns are x, y"),
        ({"target": "y", "group": "z"}, "the table has no group column 'z'"),
        ({"target": "y", "time_column": "y"}, "the target 'y' cannot also be"),
        ({"target": "y", "test": pd.DataFrame({"x": [1.0]})}, "the test table has no target column 'y'"),
    ],
)
def test_wrong_columns_are_refused(arguments, words):
    frame = pd.DataFrame({"x": np.arange(20.0), "y": ["a", "b"] * 10})
    with pytest.raises(ValueError, match=words):
        fit_table(frame, **arguments)


def test_a_target_without_values_is_refused():
    with pytest.raises(DataError, match="no row has a value of the target 'y'"):
        fit_table(pd.DataFrame({"x": [1.0, 2.0], "y": [None, None]}), "y")


def test_a_long_table_is_chosen_on_some_rows_and_fitted_to_all():
    frame, target = load_sample("wine")
    result = quick_fit(frame, target, choose_rows=60, final="refit")
    assert result.notes == ["The choice was made on 60 of the 142 training rows."]
    assert result.n_train == 142
    assert result.entries[0].test["accuracy"][0] > 0.9


def test_a_class_that_is_not_among_the_rows_of_the_choice_is_still_a_class():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=200), "label": ["u", "v"] * 100})
    frame.loc[:1, "label"] = "z, which is rare"
    result = quick_fit(frame, "label", choose_rows=40, cv=2)
    assert result.classes == ["u", "v", "z, which is rare"]
    assert result.kept.predict_proba(frame[:3]).shape == (3, 3)


def test_a_class_with_a_single_row_does_not_end_the_fit():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=80), "label": ["u", "v"] * 40})
    frame.loc[3, "label"] = "rare"
    result = quick_fit(frame, "label", cv=3)
    assert result.classes == ["rare", "u", "v"]


def test_training_that_diverges_with_every_setting_is_said():
    frame, target = load_sample("wine")
    with pytest.raises(NonFiniteLoss, match=r"diverged with every setting; lower learning_rate \(1e\+300\)"):
        quick_fit(frame, target, recipe=Recipe(learning_rate=1e300, epochs=2))


def test_a_linear_network_is_searched_without_what_acts_on_hidden_layers():
    frame, target = load_sample("wine")
    result = quick_fit(frame, target, recipe=replace(QUICK, hidden_layer_sizes=()), effort=20)
    hidden = {"dropout", "max_norm", "group_l1_units", "orthogonality"}
    assert not any(hidden & trial.setting.keys() for trial in result.search.trials)


def test_early_stopping_of_the_recipe_is_left_off_and_that_is_said():
    frame, target = load_sample("wine")
    result = quick_fit(frame, target, recipe=replace(QUICK, early_stopping=True))
    assert not result.model.recipe.early_stopping
    assert any("early stopping was left off" in note for note in result.notes)


def test_rows_that_stand_in_both_sets_are_counted_and_said():
    random = np.random.default_rng(0)
    once = pd.DataFrame({"x": random.normal(size=40), "y": random.choice(["a", "b"], 40)})
    result = quick_fit(pd.concat([once] * 3, ignore_index=True), "y")
    assert result.n_seen > 10
    assert f"of which {result.n_seen} stand among the training rows too" in result.sentence()
    assert any(f"{result.n_seen} of the 24 test rows equal a training row" in note for note in result.notes)


def test_noise_is_not_called_predictable():
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.normal(size=(60, 4)), columns=list("abcd")).assign(y=random.choice(["u", "v"], 60))
    result = quick_fit(frame, "y", cv=3)
    assert "do not show that y can be predicted better than by a constant guess" in result.sentence()


def test_a_class_with_few_test_rows_is_said():
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"x": random.normal(size=200), "y": ["fraud"] * 10 + ["fine"] * 190})
    result = quick_fit(frame, "y")
    assert "The test rows hold only 2 of 'fraud': what is said of them is uncertain." in result.notes


@pytest.mark.parametrize("written", ["{:.2f} €", "{:.1f}%", "{:,.2f}"])
def test_a_numeric_target_written_as_text_is_read(written):
    x = np.linspace(1.0, 9000.0, 60)
    frame = pd.DataFrame({"x": x, "y": [written.format(value) for value in x]})
    result = quick_fit(frame, "y", recipe=Recipe(epochs=60))
    assert result.task == "regression"
    assert result.test_true.dtype == np.float64
    assert result.entries[0].test["r2"][0] > 0.8
