"""The contents: numbers on the page are those of the result."""

from __future__ import annotations

import copy
import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from taut import load_sample
from taut.data.schema import ColumnSchema
from taut.network import Dense
from taut.report.confusion import confusion_counts
from taut.report.markup import shorten
from taut.report.numbers import percent
from taut.report.tables import candidate_labels, column_table
from taut.selection import fit_table, reliability
from taut.selection.scores import Margin
from taut.selection.search_result import Ingredient
from taut.selection.wording import plain, plus_minus
from taut.training import Recipe, fit_model

NAMES = ["chosen ensemble", "one network", "unregularized network", "linear model", "constant guess"]


def with_usable_error(score):
    return () if np.isnan(score[0]) else score if score[1] > 0 else score[:1]


def with_trials(result, trials, **changes):
    """Return a result whose search has tried something else."""
    return dataclasses.replace(result, search=dataclasses.replace(result.search, trials=trials, **changes))


def another(candidate):
    """Return a candidate that is surely not the one without regularization."""
    recipe = dataclasses.replace(candidate.recipe, dropout=0.5)
    curves = {name: 1.3 * getattr(candidate, name) for name in ("training_curve", "validation_curve")}
    return dataclasses.replace(candidate, recipe=recipe, **curves)


def with_penalty(result, sample, **settings):
    """Return a result whose network was trained with penalties."""
    frame, target = load_sample(sample)
    recipe = dataclasses.replace(result.model.recipe, l2=0.01, **settings)
    model = fit_model(recipe, frame.drop(columns=target), frame[target], task=result.task)
    return dataclasses.replace(result, model=model)


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_score_table_holds_the_results_numbers(request, read, name):
    result = request.getfixturevalue(name)
    table = read(result).table("scores")
    expected = [
        value
        for entry in result.entries
        for metric in result.metrics
        for pair in (entry.cross_validated[metric], entry.test[metric])
        for value in ((entry.train[metric],) if pair is entry.cross_validated[metric] else ()) + with_usable_error(pair)
    ]
    assert [float(attrs["value"]) for attrs, _ in table.find("data")] == expected
    shown = [float(text.replace("−", "-").lstrip("<")) for _, text in table.find("data")]
    np.testing.assert_allclose(shown, expected, rtol=0.06, atol=6e-3)
    assert all(name in text for name, (_, text) in zip(NAMES, table.find("th", scope="row"), strict=True))


def judged(result, losses, p_values=(1.0, 0.001, 0.001, 0.001), accuracies=(0.9, 0.9, 0.8, 0.7)):
    """Return a result of four models with other test scores; margins are those of the losses."""
    compared = [entry for entry in result.entries if entry.name != "one network"]
    entries = [
        dataclasses.replace(
            entry,
            test={"log_loss": (loss, 0.012), "accuracy": (accuracy, 0.0123)},
            margin=Margin(loss - losses[0], 0.01, p_value),
            is_chosen=row == 0,
        )
        for row, (entry, loss, p_value, accuracy) in enumerate(zip(compared, losses, p_values, accuracies, strict=True))
    ]
    return dataclasses.replace(result, entries=entries)


def marks(table):
    """Return for each row whether its log loss is bold, and whether it is called the best."""
    cells = [(attrs["class"], text) for attrs, text in table.find("td") if attrs["data-label"] == "Log loss, test"]
    return [("best" in kind.split(), text.endswith("best")) for kind, text in cells]


NEITHER, BOLD, BADGE = (False, False), (True, False), (True, True)


@pytest.mark.parametrize(
    ("losses", "p_values", "expected"),
    [
        ((0.3, 0.5, 0.6, 0.9), (1, 0.001, 0.001, 0.001), [BADGE, NEITHER, NEITHER, NEITHER]),
        ((0.3, 0.31, 0.6, 0.9), (1, 0.4, 0.001, 0.001), [BOLD, NEITHER, NEITHER, NEITHER]),
        ((1.124, 1.119, 1.5, 1.6), (1, 0.4, 0.001, 0.001), [NEITHER, BOLD, NEITHER, NEITHER]),
        ((0.5, 0.3, 0.6, 0.9), (1, 0.001, 0.3, 0.001), [NEITHER, BADGE, NEITHER, NEITHER]),
        ((0.3, 0.3, 0.6, 0.9), (1, 1.0, 0.001, 0.001), [BADGE, BADGE, NEITHER, NEITHER]),
        ((0.3, 0.3, 0.3, 0.3), (1, 1.0, 1.0, 1.0), [BOLD, BOLD, BOLD, BOLD]),
    ],
)
def test_score_table_calls_best_only_a_clear_winner(read, wine, losses, p_values, expected):
    table = read(judged(wine, losses, p_values)).table("scores")
    assert marks(table) == expected
    assert len(table.find("span", class_="mark")) == expected.count(BADGE)


def test_score_table_says_the_direction_and_makes_the_best_of_each_metric_bold(read, wine):
    table = read(judged(wine, (0.3, 0.2, 0.4, 0.9), accuracies=(0.8, 0.9, 0.9, 0.7))).table("scores")
    bold = ["best" in attrs["class"].split() for attrs, _ in table.find("td") if "test" in attrs.get("class", "")]
    assert bold == [False, False, True, True, False, True, False, False]
    groups = [text for _, text in table.find("th", scope="colgroup")]
    assert groups == ["Log losslower is better", "Accuracyhigher is better"]


def test_score_table_says_which_differences_count(read, wine):
    table = read(judged(wine, (0.3, 0.6, 0.4, 0.2), (1, 0.001, 0.3, 0.001))).table("scores")
    assert [text for _, text in table.find("span", class_="verdict")] == ["worse", "no clear difference", "better"]


def test_score_table_has_the_digits_of_the_answer(read, wine):
    result = judged(wine, (0.312, 0.6, 0.4, 0.2))
    read_page = read(result)
    (answer,) = (text for _, text in read_page.find("p", class_="answer"))
    cells = [text for attrs, text in read_page.table("scores").find("td") if attrs["data-label"].endswith("test")]
    assert cells[:2] == ["0.312 ± 0.012", "0.900 ± 0.012"]
    assert all(words in answer for words in cells[:2])


def test_score_table_names_the_power_of_large_numbers_once(read, diabetes):
    entries = [
        dataclasses.replace(entry, test={"rmse": (2906204.1, 1738013.8), "r2": (-13936.5, 9000.0)})
        for entry in diabetes.entries
    ]
    table = read(dataclasses.replace(diabetes, entries=entries)).table("scores")
    assert table.find("th", scope="colgroup")[0][1].startswith("RMSE, in 10⁶")
    cells = {attrs["data-label"]: text for attrs, text in table.find("td") if "test" in attrs.get("class", "")}
    assert cells == {"RMSE, in 10⁶, test": "2.9 ± 1.7", "R², test": "−13936 ± 9000"}


def test_score_table_shows_a_value_without_error_where_there_is_none(read, wine):
    result = judged(wine, (0.3, 0.2, 0.4, 0.9))
    entries = [
        dataclasses.replace(entry, cross_validated={metric: (0.5, float("nan")) for metric in wine.metrics})
        for entry in result.entries
    ]
    table = read(dataclasses.replace(wine, entries=entries)).table("scores")
    assert len(table.find("span", class_="error")) == len(entries) * len(wine.metrics)
    assert "nan" not in table.source


def test_bands_that_lie_on_each_other_are_faint_and_do_not_stretch_the_axis(read, wine):
    def band(error):
        arms = [
            dataclasses.replace(candidate, validation_curve_se=np.full(len(candidate.validation_curve), error))
            for candidate in (wine.unregularized, another(wine.chosen))
        ]
        figure = read(dataclasses.replace(wine, unregularized=arms[0], chosen=arms[1])).figure("curves")
        bands = [trace["fillcolor"] for trace in figure["data"] if "fillcolor" in trace]
        return {float(color.strip(")").split(",")[-1]) for color in bands}, figure["layout"]["yaxis"]["range"]

    narrow, expected = band(1e-6)
    wide, found = band(50.0)
    assert max(wide) < min(narrow)
    assert found == expected


def test_learning_curves_show_both_networks(read, wine):
    chosen = another(wine.chosen)
    result = dataclasses.replace(wine, chosen=chosen)
    figure = read(result).figure("curves")
    lines = {trace["name"]: trace for trace in figure["data"] if "name" in trace}
    expected = {
        "chosen, validation": (chosen.validation_curve, "solid"),
        "chosen, training": (chosen.training_curve, "dash"),
        "without regularization, validation": (wine.unregularized.validation_curve, "solid"),
        "without regularization, training": (wine.unregularized.training_curve, "dash"),
    }
    assert lines.keys() == expected.keys()
    for name, (curve, dash) in expected.items():
        assert lines[name]["x"] == list(range(1, len(curve) + 1))
        np.testing.assert_allclose(lines[name]["y"], curve, rtol=1e-5)
        assert lines[name]["line"]["dash"] == dash
    colors = {trace["line"]["color"] for trace in lines.values()}
    assert len(colors) == 2


def test_no_regularization_chosen_shows_one_pair_of_curves_and_says_so(read, wine):
    read_page = read(dataclasses.replace(wine, chosen=wine.unregularized))
    names = [trace["name"] for trace in read_page.figure("curves")["data"] if "name" in trace]
    assert names == ["chosen, validation", "chosen, training"]
    caption = next(text for attrs, text in read_page.find("figcaption") if attrs["id"] == "about-curves")
    assert "No regularization was chosen" in caption


def test_loss_stands_in_its_two_parts_and_the_penalty_in_layers(read, diabetes):
    result = with_penalty(diabetes, "diabetes")
    read_page = read(result)
    history = result.model.history
    assert history["penalty"].any()
    data_loss, penalty = read_page.figure("loss")["data"]
    np.testing.assert_allclose(data_loss["y"], history["data_loss"], rtol=1e-5)
    np.testing.assert_allclose(penalty["y"], history["penalty"], rtol=1e-5)
    assert data_loss["stackgroup"] == penalty["stackgroup"]
    layers = read_page.figure("layers")["data"]
    assert [trace["name"] for trace in layers] == ["hidden layer 1", "output layer"]
    np.testing.assert_allclose(np.sum([trace["y"] for trace in layers], axis=0), history["penalty"], rtol=1e-4)


def test_layers_are_counted_by_their_weights_whatever_stands_between(read, diabetes):
    read_page = read(with_penalty(diabetes, "diabetes", normalization="batch", dropout=0.1, input_noise=0.1))
    assert [trace["name"] for trace in read_page.figure("layers")["data"]] == ["hidden layer 1", "output layer"]
    panels = [text for _, text in read_page.find("h3") if text.endswith("layer 1") or text == "Output layer"]
    assert panels == ["Hidden layer 1", "Output layer"]


def test_recipe_without_penalty_says_so_and_draws_none(read, wine):
    read_page = read(dataclasses.replace(wine, model=wine.unregularized_model))
    assert [trace["name"] for trace in read_page.figure("loss")["data"]] == ["data loss"]
    assert not read_page.find("script", data_plot="plot-layers")
    caption = next(text for attrs, text in read_page.find("figcaption") if attrs["id"] == "about-loss")
    assert "adds no penalty" in caption


def test_candidates_are_listed_best_first_with_the_chosen_marked(read, diabetes):
    table = read(diabetes).table("candidates")
    means = [float(attrs["value"]) for attrs, _ in table.find("data")][::2]
    assert means == sorted(candidate.mean for candidate in diabetes.candidates)
    ((_, marked),) = table.find("tr", class_="chosen")
    assert diabetes.chosen.recipe.describe() in marked
    assert len(table.find("svg")) == len(diabetes.candidates)


def test_candidates_are_told_apart_by_whatever_differs(wine):
    first = wine.candidates[0]
    usual, narrow, wide = (
        dataclasses.replace(first, recipe=Recipe(hidden_layer_sizes=sizes))
        for sizes in (Recipe().hidden_layer_sizes, (8,), (128, 64))
    )
    words = usual.recipe.describe()
    expected = [words, f"{words} · hidden layer sizes 8", f"{words} · hidden layer sizes 128, 64"]
    assert candidate_labels([usual, narrow, wide]) == expected
    assert candidate_labels([wide]) == [words]


def test_many_candidates_are_folded_and_none_is_lost(read, wine):
    read_page = read(with_trials(wine, wine.candidates * 4))
    assert len(read_page.find("svg")) == 4 * len(wine.candidates)
    assert any("more settings" in text for _, text in read_page.find("summary"))


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_report_without_a_setting_that_was_trained_to_its_end_is_whole(request, read, name):
    result = request.getfixturevalue(name)
    halted = [dataclasses.replace(trial, epochs=1) for trial in result.candidates]
    read_page = read(with_trials(result, halted, ingredients=[], stopped_by_budget=True))
    assert len(read_page.find("section")) == (15 if result.classes is not None else 14)
    told = " ".join(text for _, text in read_page.find("p"))
    assert "No setting was trained to its end" in told
    assert "The budget ended the search before all that was planned had been tried." in told
    assert "candidates" not in [attrs.get("class") for attrs, _ in read_page.find("table")]


def test_settings_that_were_stopped_early_are_counted_and_not_listed(read, wine):
    first = wine.candidates[0]
    recipes = [dataclasses.replace(first.recipe, l2=0.123 + step) for step in range(5)]
    halted = [dataclasses.replace(first, epochs=3, mean=recipe.l2, recipe=recipe) for recipe in recipes]
    read_page = read(with_trials(wine, [*wine.candidates, *halted]))
    assert len(read_page.table("candidates").find("svg")) == len(wine.candidates)
    assert any("5 more settings were stopped early, because others were ahead." in t for _, t in read_page.find("p"))
    assert any(f"among {len(wine.candidates) + 5} settings" in text for _, text in read_page.find("p"))


def test_ingredients_are_listed_with_what_each_is_worth(read, diabetes):
    found = [Ingredient("group_l1", 0.012, 0.25, 0.03), Ingredient("swa", 0.25, -0.01, 0.02)]
    best = dataclasses.replace(diabetes.search.best, setting={"group_l1": 0.012, "swa": 0.25})
    read_page = read(
        dataclasses.replace(diabetes, search=dataclasses.replace(diabetes.search, ingredients=found, best=best))
    )
    table = read_page.table("recipe ingredients")
    assert [text for _, text in table.find("th", scope="row")] == ["group L1 by input", "SWA"]
    assert [float(attrs["value"]) for attrs, _ in table.find("data")] == [0.25, 0.03, -0.01, 0.02]
    assert [text for _, text in table.find("td")] == ["0.012", "0.250 ± 0.030", "0.25", "−0.010 ± 0.020"]
    told = " ".join(text for _, text in read_page.find("p"))
    assert "Worth most is group L1 by input: 0.250 ± 0.030. 1 of 2 is worth more than one standard error." in told
    assert "flatter a little, because the setting was chosen on the same folds" in told


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_who_answers_is_listed_with_its_share_and_what_it_is_worth_alone(request, read, name):
    result = request.getfixturevalue(name)
    read_page = read(result)
    table = read_page.table("members recipe")
    members = result.blend.members
    shares = [text for attrs, text in table.find("td") if "%" in text]
    assert shares == [percent(member.weight) for member in members]
    shown = [float(attrs["value"]) for attrs, _ in table.find("data")]
    alone = [with_usable_error((member.trial.mean, member.trial.standard_error)) for member in members]
    assert shown == [value for pair in alone for value in pair]
    told = " ".join(text for _, text in read_page.find("p"))
    assert f"{2 * len(members)} networks of {len(members)} setting" in told
    assert ("temperature" in told) == (name == "wine")


def test_sections_of_one_network_say_so_where_an_ensemble_answers(read, wine):
    words = "This is the one network, with the best single setting, "
    notes = [text for _, text in read(wine).find("p", class_="note") if text.startswith(words)]
    assert notes == [f"{words}{where}." for where in ("on the folds", *["fitted to all training rows"] * 3)]
    refitted = read(dataclasses.replace(wine, kept=wine.model))
    assert not any(text.startswith(words) for _, text in refitted.find("p"))
    assert any(text == "The ensemble it is compared with" for _, text in refitted.find("h3"))


def test_the_constant_guess_is_called_that(read, wine):
    rows = [text for _, text in read(wine).table("candidates").find("th", scope="row")]
    assert rows.count("a constant guess") == 1


def test_weight_decay_is_no_second_difference_by_its_optimizer(wine):
    first, decayed, slow = (
        dataclasses.replace(wine.candidates[0], recipe=Recipe(weight_decay=decay, optimizer=optimizer))
        for decay, optimizer in ((0.0, "adam"), (0.1, "adamw"), (0.0, "sgd"))
    )
    words = [one.recipe.describe() for one in (first, decayed)]
    assert candidate_labels([first, slow, decayed])[2] == words[1]
    assert candidate_labels([first, decayed, slow]) == [
        f"{words[0]} · optimizer adam",
        words[1],
        f"{words[0]} · optimizer sgd",
    ]


def test_curves_that_are_not_finite_leave_gaps(read, wine):
    curve = np.array([1.0, 0.5, np.inf, np.nan, 0.7, np.nan])
    broken = dataclasses.replace(
        another(wine.chosen), training_curve=curve, validation_curve=curve, validation_curve_se=np.full(6, np.nan)
    )
    hopeless = dataclasses.replace(
        wine.unregularized, mean=np.nan, standard_error=np.nan, validation_curve=np.full(6, np.nan)
    )
    lost = [dataclasses.replace(trial, mean=np.nan, standard_error=np.nan) for trial in wine.candidates[1:]]
    first = dataclasses.replace(wine.candidates[0], recipe=broken.recipe)
    read_page = read(with_trials(dataclasses.replace(wine, chosen=broken, unregularized=hopeless), [first, *lost]))
    lines = {trace["name"]: trace["y"] for trace in read_page.figure("curves")["data"] if "name" in trace}
    words = "chosen, validation"
    assert lines[words] == [1.0, 0.5, None, None, 0.7, None]


def test_weights_show_the_share_of_exact_zeros_and_leave_them_out_of_the_bars(read, wine):
    model = copy.deepcopy(wine.model)
    weights = next(layer for layer in model.network.layers if isinstance(layer, Dense)).parameters[0].value
    weights[:] = np.where(np.arange(weights.size).reshape(weights.shape) % 4 == 0, 0.0, 0.5)
    read_page = read(dataclasses.replace(wine, model=model))
    chosen, unregularized = read_page.figure("weights-0")["data"]
    assert (chosen["name"], unregularized["name"]) == ("chosen", "without regularization")
    assert sum(chosen["y"][:-1]) == pytest.approx(0.75, abs=1e-4)
    assert sum(unregularized["y"][:-1]) == pytest.approx(1.0, abs=1e-4)
    caption = next(text for attrs, text in read_page.find("figcaption") if attrs["id"] == "about-weights-0")
    assert f"25\u202f% of {weights.size} are exactly zero, the largest is 0.500 in size" in caption
    assert f"none of {weights.size} is exactly zero" in caption


@pytest.mark.parametrize("count", [2, 12])
def test_confusion_matrix_counts_every_test_row(read, classes_result, count):
    result = classes_result(count)
    table = read(result).table("confusion")
    cells = [text for attrs, text in table.find("td") if "total" not in attrs["class"]]
    counts = np.zeros((count, count), dtype=int)
    position = {label: place for place, label in enumerate(result.classes)}
    for true, said in zip(result.test_true, result.test_predicted, strict=True):
        counts[position[true], position[said]] += 1
    expected = [
        f"{value}{share}" if value else "0"
        for row in counts
        for value in row
        for share in [percent(value / row.sum()) if row.sum() else ""]
    ]
    assert cells == expected
    heads = [attrs["title"] for attrs, _ in table.find("th") if "title" in attrs]
    assert heads == [str(label) for label in result.classes]
    assert [int(text) for attrs, text in table.find("td") if "total" in attrs["class"]] == counts.sum(axis=1).tolist()


def test_confusion_matrix_of_many_classes_groups_the_rarest_and_loses_no_row(read, classes_result):
    result = classes_result(30)
    table = read(result).table("confusion")
    assert len(table.find("tr")) == 1 + 20
    assert sum(int(text) for attrs, text in table.find("td") if "total" in attrs["class"]) == result.n_test
    assert any("11 other classes" in text for _, text in table.find("th", scope="row"))


def test_confusion_matrix_without_room_for_shares_tells_them_in_titles(read, classes_result):
    result = classes_result(30)
    cells = [
        (attrs, text) for attrs, text in read(result).table("confusion").find("td") if "total" not in attrs["class"]
    ]
    assert all(text.isdigit() for _, text in cells)
    assert all(("title" in attrs) == (text != "0") for attrs, text in cells)


def test_confusion_counts_add_repeated_pairs():
    counts = confusion_counts(np.array([2, 2, 0]), np.array([1, 1, 0]), 3)
    assert counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 2, 0]]


def test_predicted_against_true_shows_every_test_row(read, diabetes):
    diagonal, points = read(diabetes).figure("errors-0")["data"]
    order = np.argsort(diabetes.test_true, kind="stable")
    np.testing.assert_allclose(points["x"], diabetes.test_true[order], rtol=1e-5)
    np.testing.assert_allclose(points["y"], diabetes.test_predicted[order], rtol=1e-5)
    assert diagonal["x"] == diagonal["y"]


def test_predicted_against_true_of_many_rows_is_thinned_and_says_so(read, diabetes):
    many = dataclasses.replace(
        diabetes,
        n_test=5000,
        test_true=np.resize(diabetes.test_true, 5000),
        test_predicted=np.resize(diabetes.test_predicted, 5000),
    )
    read_page = read(many)
    assert len(read_page.figure("errors-0")["data"][1]["x"]) == 2000
    assert "2000 of 5000 rows are drawn." in read_page.source


def test_numbers_stored_as_words_are_drawn_as_numbers(read, diabetes):
    words = np.array([str(value) for value in diabetes.test_true], dtype=object)
    points = read(dataclasses.replace(diabetes, test_true=words)).figure("errors-0")["data"][1]
    np.testing.assert_allclose(points["x"], np.sort(diabetes.test_true), rtol=1e-5)


def test_import_loads_nothing_that_draws_or_computes():
    code = "import json, sys, taut.report; print(json.dumps([n for n in sys.modules if '.' not in n]))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = json.loads(finished.stdout)
    assert not {"plotly", "numpy", "pandas", "sklearn", "scipy"}.intersection(loaded)


def section(read_page, name):
    ((_, text),) = read_page.find("section", id=name)
    return text


def test_overfitting_is_told_by_the_losses_of_the_kept_model(read, wine):
    text = section(read(wine), "overfitting")
    kept, guess = wine.entries[0], wine.entries[-1]
    assert plain(kept.train["log_loss"]) in text
    assert plus_minus(*kept.cross_validated["log_loss"]) in text

    def told(known, unseen, error=0.01):
        entry = dataclasses.replace(
            kept, train={**kept.train, "log_loss": known}, cross_validated={"log_loss": (unseen, error)}
        )
        return section(read(dataclasses.replace(wine, entries=[entry, *wine.entries[1:]])), "overfitting")

    start = guess.cross_validated["log_loss"][0]
    assert "No: what it learned holds" in told(0.1, 0.11)
    assert "A little, as good fits do" in told(0.1, 0.1 + 0.3 * (start - 0.1))
    assert "much better than others" in told(0.1, 0.1 + 0.6 * (start - 0.1))
    assert "learned nothing" in told(0.1, start + 0.05)
    assert "not a finite number" in told(0.1, np.inf)


def test_columns_are_drawn_with_their_intervals_the_most_important_on_top(read, wine):
    read_page, found = read(wine), wine.importance
    (dots,) = read_page.figure("importance")["data"]
    np.testing.assert_allclose(dots["x"], found.increase, rtol=1e-5)
    np.testing.assert_allclose(dots["error_x"]["array"], found.high - found.increase, rtol=1e-4)
    assert read_page.figure("importance")["layout"]["yaxis"]["ticktext"] == [
        str(shorten(name, 22)) for name in found.columns
    ]
    assert found.columns[0] in section(read_page, "importance")
    nothing = dataclasses.replace(found, low=-np.ones(len(found.columns)))
    assert "No column by itself" in section(read(dataclasses.replace(wine, importance=nothing)), "importance")
    assert "too wide" in section(read(dataclasses.replace(wine, importance=None)), "importance")


def test_calibration_is_that_of_the_test_rows(read, wine):
    read_page = read(wine)
    expected = reliability(wine.test_probabilities, wine.model.targets.encode(wine.test_true))
    dots = read_page.figure("calibration")["data"][1]
    np.testing.assert_allclose(dots["x"], expected.confidence, rtol=1e-5)
    np.testing.assert_allclose(dots["y"], expected.accuracy, rtol=1e-5, atol=1e-12)
    assert f"calibration error is {plain(expected.error)}" in section(read_page, "calibration")
    sure = np.tile([0.98, 0.01, 0.01], (wine.n_test, 1))
    assert "too sure" in section(read(dataclasses.replace(wine, test_probabilities=sure)), "calibration")


def test_two_columns_of_numbers_are_drawn_as_regions_and_more_rows_are_told_of(read):
    frame, target = load_sample("spiral")
    recipe = Recipe(epochs=6, hidden_layer_sizes=(8,))
    result = fit_table(frame, target, recipe=recipe, cv=2, effort=40, n_jobs=1)
    read_page = read(result)
    *regions, first, _, _ = read_page.figure("regions")["data"][:6]
    assert len(regions) == 3
    z = np.array([layer["z"] for layer in regions], dtype=float)
    assert (np.isfinite(z).sum(axis=0) == 1).all()  # one class a point
    np.testing.assert_allclose(np.nanmax(z, axis=0), result.view.regions.confidence, rtol=1e-5)
    assert first["name"] == "0, training rows"
    assert len(result.view.training[0]) == result.n_train
    dots = read_page.figure("rows")["data"][2]
    np.testing.assert_allclose(dots["y"], result.growth.score("log_loss")[0], rtol=1e-5)
    assert result.growth.advice().split(":")[0] in section(read_page, "rows")


def test_two_columns_of_which_one_is_a_category_have_no_regions(read):
    frame, target = load_sample("iris")
    frame = frame.iloc[:, [0, -1]].assign(colour=np.resize(["red", "blue"], len(frame)))
    result = fit_table(frame, target, recipe=Recipe(epochs=2), cv=2, effort=1, n_jobs=1)
    assert result.view is None
    assert not read(result).find("section", id="regions")


def test_inputs_that_are_no_columns_own_are_told_under_the_columns():
    schema = [ColumnSchema(name, "number", "scaled", 0, 1) for name in "abc"]
    told = "2 more inputs: principal components of all numbers, of little variance."
    assert told in str(column_table(schema, 2))
    assert "principal" not in str(column_table(schema, 0))
