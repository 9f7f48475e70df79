"""The sentences: what is said under a figure is what its numbers say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from taut.report import sentences
from taut.selection import Candidate, SearchResult, Trial
from taut.selection.search_result import Effort, Ingredient
from taut.training import History, Recipe


def candidate(validation, training=None, error=0.01, **recipe):
    validation = np.asarray(validation, dtype=float)
    training = np.linspace(1.0, 0.1, len(validation)) if training is None else np.asarray(training, dtype=float)
    low = int(np.nanargmin(validation)) if np.isfinite(validation).any() else 0
    return Candidate(
        Recipe(**recipe),
        float(validation[low]),
        error,
        float(training[-1]),
        training,
        validation,
        np.full(len(validation), error),
        {},
        np.full(2, float(validation[low])),
    )


def tried(mean, error=0.01, epochs=5, **recipe):
    made = Recipe(**{"epochs": 5} | recipe)
    return Trial(0, 0, {}, made, epochs, mean, error, np.full(2, mean), 0.1, {}, {epochs: mean})


def search_of(trials, *, ingredients=(), is_cut_short=False, best=None):
    best = best or trials[0]
    return SearchResult(
        trials=trials,
        best=best,
        simplest=best,
        ingredients=list(ingredients),
        stopped_by_budget=is_cut_short,
        effort=Effort.of(4),
        seconds=1.0,
        storage=None,
        task="classification",
        beyond=None,
        _folds=None,
    )


def told(chosen, unregularized):
    return " ".join(sentences.about_curves(chosen, unregularized))


FALLING = candidate([1.0, 0.8, 0.6, 0.5, 0.45], l2=0.1)
RISING = candidate([1.0, 0.5, 0.4, 0.6, 0.9], training=[0.9, 0.5, 0.3, 0.2, 0.05], l2=0.0)


def test_rise_is_named_with_its_epochs_and_the_falling_training_loss():
    words = told(FALLING, RISING)
    assert (
        "Without regularization, validation loss is lowest after epoch 3 (0.400) and rises to 0.900 by epoch 5" in words
    )
    assert "while training loss falls on from 0.300 to 0.0500" in words


def test_training_loss_that_does_not_fall_is_not_said_to_fall():
    rising = candidate([1.0, 0.4, 0.9], training=[0.9, 0.3, 0.35], l2=0.0)
    assert "training loss goes from 0.300 to 0.350" in told(FALLING, rising)


def test_rise_within_a_standard_error_is_called_that():
    flat = candidate([1.0, 0.5, 0.4, 0.41, 0.405], error=0.02, l2=0.0)
    words = told(FALLING, flat)
    assert "Without regularization, validation loss is lowest after epoch 3 (0.400)" in words
    assert "rises by less than one standard error" in words


def test_loss_lowest_at_the_end_is_called_that():
    assert "With the chosen regularization, validation loss is lowest at the last epoch (5), at 0.450." in told(
        FALLING, RISING
    )


def test_gap_is_that_at_the_end():
    words = told(FALLING, RISING)
    gap = FALLING.validation_curve[-1] - FALLING.training_curve[-1]
    assert f"At the end, validation loss is {gap:.3f} above training loss with the chosen regularization" in words
    assert "and 0.850 above it without" in words


def test_loss_that_stops_being_finite_is_said():
    broken = candidate([1.0, 0.5, np.inf, np.nan], l2=0.0)
    assert "lowest after epoch 2 (0.500) and then stops being finite" in told(FALLING, broken)
    hopeless = candidate([np.nan, np.nan], l2=0.0)
    assert "Without regularization, no validation loss is a finite number." in told(FALLING, hopeless)


def test_chosen_that_is_not_the_lowest_is_said():
    trials = [tried(0.45, l2=0.1), tried(0.4, l2=0.0)]
    labels = ["heavy", "none"]
    heavy, none = (candidate([trial.mean], epochs=5, l2=trial.recipe.l2) for trial in trials)
    words = " ".join(sentences.about_candidates(trials, heavy, labels))
    assert "The lowest loss is that of none: 0.400." in words
    assert "The chosen one lies 0.0500 above it: of those within one standard error, it is the one that" in words
    assert "above it" not in " ".join(sentences.about_candidates(trials, none, labels))


def test_one_setting_or_none_that_came_to_its_end_is_said():
    (one,) = sentences.about_candidates([tried(0.4)], candidate([0.4], epochs=5), ["a"])
    assert one == "One setting was trained to its end, so there was nothing to choose."
    (none,) = sentences.about_candidates([], candidate([0.4], epochs=5), [])
    assert none.startswith("No setting was trained to its end")


@pytest.mark.parametrize(
    ("halted", "words"),
    [
        ([], ""),
        ([0.5], "1 more setting was stopped early, because others were ahead."),
        ([0.5, 0.6], "2 more settings were stopped early, because others were ahead."),
        ([np.inf, np.inf], "2 more settings were stopped early, because training diverged."),
        (
            [0.5, np.inf, 0.7],
            "3 more settings were stopped early, because others were ahead or, with 1 of them, training diverged.",
        ),
    ],
)
def test_settings_that_were_stopped_early_are_one_sentence(halted, words):
    found = search_of([tried(0.4), *(tried(mean, epochs=2) for mean in halted)])
    told = sentences.about_search(found)
    assert told == [*([words] if words else []), "The search came to its planned end; no budget cut it short."]


def test_a_search_that_the_budget_ended_is_said():
    found = search_of([tried(0.4)], is_cut_short=True)
    assert sentences.about_search(found) == ["The budget ended the search before all that was planned had been tried."]


def test_ingredients_are_of_the_setting_they_were_taken_from():
    best = dataclasses.replace(tried(0.4, l2=0.1), setting={"l2": 0.1})
    found = search_of([best], ingredients=[Ingredient("l2", 0.1, 0.2, 0.05)])
    of_chosen = " ".join(sentences.about_ingredients(found, candidate([0.4], epochs=5, l2=0.1)))
    assert "taken out of the chosen setting" in of_chosen
    assert "Worth most is L2: 0.200 ± 0.050. These figures flatter a little" in of_chosen
    of_another = " ".join(sentences.about_ingredients(found, candidate([0.4], epochs=5, l2=0.9)))
    assert "taken out of the setting with the lowest loss" in of_another


def test_ingredients_whose_worth_is_not_known_are_not_guessed():
    best = dataclasses.replace(tried(0.4, l2=0.1), setting={"l2": 0.1})
    chosen = candidate([0.4], epochs=5, l2=0.1)
    (cut,) = sentences.about_ingredients(search_of([best], is_cut_short=True), chosen)
    assert "the budget ended the search before" in cut
    (bare,) = sentences.about_ingredients(search_of([tried(0.4)]), chosen)
    assert bare == "The setting with the lowest loss has no ingredient that could be taken out."
    (broken,) = sentences.about_ingredients(search_of([best]), chosen)
    assert broken.startswith("That is not known")


@pytest.mark.parametrize(("error", "words"), [(0.01, "No other is within"), (0.06, "1 other is within")])
def test_candidates_within_a_standard_error_are_counted(error, words):
    trials, low = [tried(0.45, l2=0.1), tried(0.4, error, l2=0.0)], candidate([0.4], epochs=5, l2=0.0)
    assert words in " ".join(sentences.about_candidates(trials, low, ["a", "b"]))


def history(penalties):
    rows = History("accuracy")
    for epoch, (first, second) in enumerate(penalties):
        total = first + second
        row = {
            "epoch": epoch,
            "loss": 0.5 + total,
            "data_loss": 0.5,
            "penalty": total,
            "penalty_0": first,
            "penalty_2": second,
        }
        rows.append(row)
    return rows


def test_loss_is_said_in_its_parts():
    words = " ".join(
        sentences.about_loss(history([(0.1, 0.0), (0.4, 0.1)]), Recipe(l2=0.1, dropout=0.0), "classification")
    )
    assert "the loss, 1.00, is data loss 0.500 plus penalty 0.500: 50\u202f% is penalty" in words
    assert "dropout" not in words
    assert "standard deviation" not in words


def test_noise_and_scaling_of_the_data_loss_are_said():
    recipe = Recipe(dropout=0.2, input_dropout=0.1, input_noise=0.1, mixup=0.2)
    words = " ".join(sentences.about_loss(history([(0.1, 0.0)]), recipe, "regression"))
    assert "with dropout and input dropout and input noise and mixup on" in words
    assert "target scaled to standard deviation 1" in words


def test_layer_that_carries_most_of_the_penalty_is_named():
    layers = {0: "hidden layer 1", 2: "output layer"}
    words = " ".join(sentences.about_layers(history([(0.1, 0.0), (0.1, 0.4)]), layers))
    assert "the penalty grew from 0.100 to 0.500" in words
    assert "80\u202f% of it lies on the output layer" in words


def test_confusion_names_the_most_frequent_mistake_and_the_class_least_found():
    counts = np.array([[8, 2, 0], [0, 10, 0], [1, 4, 5]])
    words = " ".join(sentences.about_classes(counts, ["a", "b", "c"]))
    assert "23 of 30 test rows are right (77\u202f%)" in words
    assert "The most frequent mistake: c taken for b (4 rows)." in words
    assert "The class least often found is c: 5 of its 10 rows." in words


def test_confusion_without_mistakes_names_none():
    words = " ".join(sentences.about_classes(np.diag([3, 4]), ["a", "b"]))
    assert "7 of 7 test rows are right (100\u202f%)" in words
    assert "mistake" not in words


def test_predictions_drawn_to_the_middle_are_said_to_be():
    true = np.arange(40.0)
    words = " ".join(sentences.about_numbers(true, 19.5 + 0.5 * (true - 19.5)))
    assert (
        "Half of the predictions are within 5.00 of the truth; the largest error is 9.75 (true 0, predicted 9.75)."
        in words
    )
    assert "the lowest quarter of true values is predicted 7.50 too high and the highest 7.50 too low" in words


def test_few_predictions_are_not_divided_into_quarters():
    assert "quarter" not in " ".join(sentences.about_numbers(np.arange(10.0), np.arange(10.0)))


def test_test_set_sentence_names_rows_and_settings(wine):
    words = " ".join(sentences.test_use(wine))
    assert f"The {wine.n_test} test rows were set apart" in words
    assert (
        f"among {len(wine.search.trials)} settings was made by cross-validation on the {wine.n_train} training rows"
        in words
    )
    assert "The test set was then looked at once, at the end" in words


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        ({"count": 2}, "These 36 test rows have now been scored twice for this model file"),
        ({"count": 5}, "These 36 test rows have now been scored 5 times for this model file"),
        ({"moved": True}, "These 36 test rows were part of an earlier fit for this model file"),
    ],
    ids=str,
)
def test_a_second_look_is_said_once_and_the_first_is_not_claimed(wine, looks, words):
    again = dataclasses.replace(wine, looks=dataclasses.replace(wine.looks, **looks))
    told = sentences.test_use(again)
    assert [sentence.startswith(words) for sentence in told].count(True) == 1
    whole = " ".join(told)
    assert "once" not in whole
    assert whole.count("flatters") == 1
    assert told[-1] == "New rows, set apart for that, give an honest one."
