"""The main job: choose, refit, look at the test rows once, compare."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from taut.data import load_sample
from taut.errors import DataError, NonFiniteLoss
from taut.selection.candidates import candidates
from taut.selection.fit_table import FitResult, fit_table
from taut.selection.scores import score_classes
from taut.training.recipe import Recipe

QUICK = Recipe(epochs=15, learning_rate=0.02)


@pytest.fixture(scope="module")
def wine_result() -> FitResult:
    frame, target = load_sample("wine")
    return fit_table(frame, target, recipe=QUICK, cv=3, n_jobs=1, data_name="wine")


def test_chosen_is_the_lowest_cross_validated_loss(wine_result):
    assert wine_result.chosen.mean == min(candidate.mean for candidate in wine_result.candidates)
    assert wine_result.model.recipe == wine_result.chosen.recipe
    assert wine_result.unregularized_model.recipe == QUICK.unregularized()


def test_test_scores_are_those_of_the_kept_model_on_the_rows_set_aside(wine_result):
    scores = score_classes(wine_result.test_probabilities, wine_result.test_true, wine_result.model.targets).values
    assert wine_result.entries[0].test == scores
    assert wine_result.n_train + wine_result.n_test == 178
    assert wine_result.n_test == 36


def test_network_beats_the_constant_guess_and_says_so(wine_result):
    names = [entry.name for entry in wine_result.entries]
    assert names == ["chosen network", "unregularized network", "linear model", "constant guess"]
    assert "better than the constant guess" in wine_result.sentence()
    assert wine_result.entries[0].verdict == "the same as"
    assert wine_result.entries[3].margin.difference > 0.5
    assert wine_result.entries[3].margin.p_value < 0.01


def test_summary_is_json_and_complete(wine_result):
    summary = json.loads(json.dumps(wine_result.summary(), allow_nan=False))
    assert summary["rows"] == {"train": 142, "test": 36}
    assert summary["entries"][0]["test"]["accuracy"][0] == wine_result.entries[0].test["accuracy"][0]
    assert summary["classes"] == ["class_0", "class_1", "class_2"]


def test_test_rows_change_nothing_but_test_scores():
    frame, target = load_sample("iris")
    frame = frame.sample(frac=1.0, random_state=0)
    train, test = frame[:100], frame[100:]
    shuffled = test.assign(**{target: np.roll(test[target], 7)})
    one, two = (fit_table(train, target, test=rows, recipe=QUICK, cv=2, n_jobs=1) for rows in (test, shuffled))
    assert (one.model.network.theta == two.model.network.theta).all()
    assert one.entries[0].test != two.entries[0].test


def test_regression_with_gaps_in_the_target_notes_the_rows_left_out():
    frame, target = load_sample("diabetes")
    frame = frame[:150].astype({target: float})
    frame.loc[frame.index[:5], target] = np.nan
    result = fit_table(frame, target, recipe=QUICK, cv=2, n_jobs=1)
    assert result.metrics == ("rmse", "r2")
    assert result.notes == [f"5 rows without a value of {target} were left out."]
    assert result.n_train + result.n_test == 145
    assert result.test_probabilities is None


def test_groups_stay_whole_and_are_no_input():
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 6)
    frame = pd.DataFrame({"patient": group, "x": random.normal(size=120), "ill": group % 2 == 0})
    result = fit_table(frame, "ill", group="patient", recipe=QUICK, cv=2, n_jobs=1)
    assert [column.name for column in result.model.encoder.schema_] == ["x"]
    assert "Standard errors count the 4 test groups, not the rows." in result.notes


def test_with_a_time_column_the_last_rows_test():
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=90)[::-1], "x": np.arange(90.0)})
    frame["y"] = 3.0 * frame["x"]
    result = fit_table(frame, "y", time_column="day", recipe=QUICK, cv=2, n_jobs=1)
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
    result = fit_table(frame, target, recipe=QUICK, cv=2, n_jobs=1, choose_rows=60)
    assert result.notes == ["Strengths were chosen on 60 of the 142 training rows."]
    assert result.n_train == 142
    assert result.entries[0].test["accuracy"][0] > 0.9


def test_a_class_with_a_single_row_does_not_end_the_fit():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=80), "label": ["u", "v"] * 40})
    frame.loc[3, "label"] = "rare"
    result = fit_table(frame, "label", recipe=QUICK, cv=3, n_jobs=1)
    assert result.classes == ["rare", "u", "v"]


def test_training_that_diverges_with_every_setting_is_said():
    frame, target = load_sample("wine")
    with pytest.raises(NonFiniteLoss, match=r"diverged with every setting; lower learning_rate \(1e\+300\)"):
        fit_table(frame, target, recipe=Recipe(learning_rate=1e300, epochs=2), cv=2, n_jobs=1)


def test_what_else_a_recipe_regularizes_with_stays_in_the_candidates():
    found = candidates(Recipe(max_norm=2.0, dropout=0.3))
    assert all(candidate.max_norm == 2.0 for candidate in found[:-1])
    assert found[-1] == Recipe(max_norm=2.0, dropout=0.3).unregularized()
    linear = candidates(Recipe(hidden_layer_sizes=()))
    assert not any(candidate.dropout for candidate in linear)


def test_rows_that_stand_in_both_sets_are_counted_and_said():
    random = np.random.default_rng(0)
    once = pd.DataFrame({"x": random.normal(size=40), "y": random.choice(["a", "b"], 40)})
    result = fit_table(pd.concat([once] * 3, ignore_index=True), "y", recipe=QUICK, cv=2, n_jobs=1)
    assert result.n_seen > 10
    assert f"of which {result.n_seen} stand among the training rows too" in result.sentence()
    assert any(f"{result.n_seen} of the 24 test rows equal a training row" in note for note in result.notes)


def test_noise_is_not_called_predictable():
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.normal(size=(60, 4)), columns=list("abcd")).assign(y=random.choice(["u", "v"], 60))
    result = fit_table(frame, "y", recipe=QUICK, cv=3, n_jobs=1)
    assert "do not show that y can be predicted better than by a constant guess" in result.sentence()


def test_a_class_with_few_test_rows_is_said():
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"x": random.normal(size=200), "y": ["fraud"] * 10 + ["fine"] * 190})
    result = fit_table(frame, "y", recipe=QUICK, cv=2, n_jobs=1)
    assert "The test rows hold only 2 of 'fraud': what is said of them is uncertain." in result.notes


@pytest.mark.parametrize("written", ["{:.2f} €", "{:.1f}%", "{:,.2f}"])
def test_a_numeric_target_written_as_text_is_read(written):
    x = np.linspace(1.0, 9000.0, 60)
    frame = pd.DataFrame({"x": x, "y": [written.format(value) for value in x]})
    result = fit_table(frame, "y", recipe=Recipe(epochs=60), cv=2, n_jobs=1)
    assert result.task == "regression"
    assert result.test_true.dtype == np.float64
    assert result.entries[0].test["r2"][0] > 0.8
