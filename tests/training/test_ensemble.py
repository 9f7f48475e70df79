"""`Ensemble`: models, of whatever recipes, answer by their mean, which is better than what they say one by one."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from taut import Ensemble, InvalidType, InvalidValue, Recipe
from taut.selection.scores import answers, score
from taut.training import Model, fit_model
from taut.training.ensemble import MOST_MODELS, tempered

ROWS = 60


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(ROWS, 3)), columns=list("abc"))
    return frame.assign(color=np.where(np.arange(ROWS) % 2, "red", "blue"))


@pytest.fixture(scope="module")
def label(table) -> np.ndarray:
    return np.where(table["a"] + table["b"] > 0, "yes", "no")


@pytest.fixture(scope="module")
def amount(table) -> np.ndarray:
    return 1000.0 + 300.0 * np.arange(ROWS) + 50.0 * table["a"].to_numpy()  # of another mean in each part of the rows


def fitted(X, y, task: str = "classification", **settings) -> Model:
    return fit_model(Recipe(**{"hidden_layer_sizes": (4,), "epochs": 4} | settings), X, y, task=task)


def parts() -> list[slice]:
    return [slice(0, 40), slice(20, ROWS), slice(10, 50)]


@pytest.fixture(scope="module")
def classifier(table, label) -> Ensemble:
    return Ensemble(tuple(fitted(table[rows], label[rows], seed=seed) for seed, rows in enumerate(parts())))


@pytest.fixture(scope="module")
def regressor(table, amount) -> Ensemble:
    return Ensemble(tuple(fitted(table[rows], amount[rows], "regression") for rows in parts()))


@pytest.fixture(scope="module")
def mixed(table, label) -> Ensemble:
    """Two models of one recipe, which count 3 of 6, around one of another."""
    other = fitted(table, label, l2=0.5, hidden_layer_sizes=(3, 3), scaling="robust")
    return Ensemble((fitted(table, label), other, fitted(table, label, seed=1)), weights=(1.0, 3.0, 2.0))


def test_probabilities_are_the_mean_of_the_models_and_the_class_is_the_most_probable_of_that(classifier, table):
    each = [model.predict_proba(table) for model in classifier.models]
    mean = (each[0] + each[1] + each[2]) / 3
    np.testing.assert_array_equal(classifier.predict_proba(table), mean)
    assert classifier.predict(table).tolist() == [["no", "yes"][code] for code in mean.argmax(axis=1)]
    votes = np.stack([values.argmax(axis=1) for values in each]).mean(axis=0) > 0.5
    assert (votes != mean.argmax(axis=1)).any()  # it is no vote


def test_numbers_are_averaged_in_their_own_units(regressor, table, amount):
    each = [model.predict(table) for model in regressor.models]
    np.testing.assert_array_equal(regressor.predict(table), (each[0] + each[1] + each[2]) / 3)
    outputs = np.mean([model.outputs(table) for model in regressor.models], axis=0)
    assert np.abs(regressor.targets.decode(outputs) - regressor.predict(table)).min() > 100


def test_several_numbers_keep_their_shape(table, amount):
    both = np.column_stack([amount, -amount])
    ensemble = Ensemble(tuple(fitted(table[rows], both[rows], "regression") for rows in parts()))
    assert ensemble.predict(table).shape == (ROWS, 2)
    assert ensemble.predict(table.iloc[:0]).shape == (0, 2)


def test_squared_error_is_the_mean_of_the_models_less_their_spread(regressor, table, amount):
    each = np.stack([model.predict(table) for model in regressor.models])
    mean = regressor.predict(table)
    spread = np.mean((each - mean) ** 2)
    assert spread > 0
    assert np.mean((mean - amount) ** 2) == pytest.approx(np.mean((each - amount) ** 2) - spread)


def test_log_loss_is_below_the_mean_of_the_models(classifier, table, label):
    def loss(model: Model | Ensemble) -> float:
        return score(model.predict_proba(table), label, model.targets).values["log_loss"][0]

    assert loss(classifier) < np.mean([loss(model) for model in classifier.models])


def test_ensemble_is_scored_like_a_model(classifier, regressor, table, label, amount):
    for ensemble, y in ((classifier, label), (regressor, amount)):
        alone = Ensemble(ensemble.models[:1])
        found, expected = (score(answers(one)(table), y, one.targets) for one in (alone, ensemble.models[0]))
        np.testing.assert_array_equal(found.losses, expected.losses)
        assert alone.predict(table).tolist() == ensemble.models[0].predict(table).tolist()


def test_what_it_is_it_has_of_its_first_model(classifier, regressor):
    for ensemble in (classifier, regressor):
        first = ensemble.models[0]
        assert (ensemble.task, ensemble.recipe, ensemble.targets) == (first.task, first.recipe, first.targets)


def test_regression_has_no_probabilities(regressor, table):
    with pytest.raises(InvalidValue, match="a regression model has no class probabilities"):
        regressor.predict_proba(table)


def test_it_cannot_be_changed(classifier):
    with pytest.raises(FrozenInstanceError):
        classifier.models = ()


# --------------------------------------------------------------------------------------------------------- surprises


def test_what_surprises_every_model_is_said_once_in_the_order_of_the_columns(classifier, table):
    odd = table.iloc[:3].assign(color="violet", b=[1e6, 0.0, -1e6], a=np.nan)
    low, high = table["b"].min(), table["b"].max()
    expected = [
        "Column 'a' is empty in every row, as it was not in training.",
        f"Column 'b' is far outside the range of training ({low:.6g} to {high:.6g}), such as 1e+06, in 2 rows.",
        "Column 'color' has a level never seen in training, such as 'violet', in 3 rows.",
    ]
    assert classifier.surprises(odd[odd.columns[::-1]]) == expected
    assert len({note for model in classifier.models for note in model.surprises(odd)}) > 3  # each has ranges of its own
    assert classifier.surprises(table) == classifier.surprises(table.iloc[:0]) == []


def test_what_any_of_the_models_has_seen_is_no_surprise(table, label):
    levels = table.assign(color=np.array(["red", "green", "blue"])[np.arange(ROWS) // 20])
    held = [levels.index // 20 != fold for fold in range(3)]
    ensemble = Ensemble(tuple(fitted(levels[rows], label[rows]) for rows in held))
    assert [len(model.surprises(levels)) for model in ensemble.models] == [1, 1, 1]  # its own level held out from each
    assert ensemble.surprises(levels) == []
    assert ensemble.surprises(levels.assign(color=["new", *levels["color"][1:]])) == [
        "Column 'color' has a level never seen in training, such as 'new', in 1 row."
    ]


# ------------------------------------------------------------------------------------------------ what belongs together


def test_models_that_do_not_belong_together_are_refused_with_what_differs(table, label, amount):
    first = fitted(table, label)
    codes = (label == "yes").astype(int)
    pair = np.column_stack([amount, amount])
    cases = {
        "task: number 1 has 'classification', number 2 'regression'": (first, fitted(table, amount, "regression")),
        "classes: number 1 has ['no', 'yes'], number 2 ['no', 'very', 'yes']": (
            first,
            fitted(table, np.where(table["a"] > 1, "very", label)),
        ),
        "the type of their classes: number 1 has 'int64', number 2 'float64'": (
            fitted(table, codes),
            fitted(table, codes * 1.0),
        ),
        "columns: number 1 has ['a', 'b', 'c', 'color'], number 2 ['a', 'c', 'color']": (
            first,
            fitted(table.drop(columns="b"), label),
        ),
        "whether their columns had names: number 1 has True, number 2 False": (
            fitted(table[["a", "b"]].set_axis(["x0", "x1"], axis=1), label),
            fitted(table[["a", "b"]].to_numpy(), label),
        ),
        "the number of their targets: number 1 has 2, number 2 1": (
            fitted(table, pair, "regression"),
            fitted(table, pair[:, :1], "regression"),
        ),
        "whether their targets were flat: number 1 has True, number 2 False": (
            fitted(table, amount, "regression"),
            fitted(table, pair[:, :1], "regression"),
        ),
    }
    for message, models in cases.items():
        with pytest.raises(InvalidValue) as caught:
            Ensemble(models)
        assert str(caught.value) == f"the models of an ensemble differ in {message}"


def test_models_of_several_recipes_and_encoders_answer_together(mixed, table):
    weights = np.array([1.0, 3.0, 2.0]) / 6.0
    each = np.stack([model.predict_proba(table) for model in mixed.models])
    np.testing.assert_allclose(mixed.predict_proba(table), np.tensordot(weights, each, 1), rtol=1e-14)
    assert len({model.encoder.transform(table).tobytes() for model in mixed.models}) > 1


def test_recipe_is_that_of_most_of_the_answer_and_seeds_make_no_other(mixed):
    first, second, third = (model.recipe for model in mixed.models)
    assert (first.seed, third.seed) == (0, 1)
    assert list(mixed.shares.items()) == [(first, 0.5), (second, 0.5)]
    assert mixed.recipe == first
    heavier = replace(mixed, weights=(1.0, 4.0, 2.0))
    assert heavier.recipe == second
    assert sum(heavier.shares.values()) == pytest.approx(1.0)


def test_weights_of_numbers_and_their_scale(regressor, table):
    each = np.stack([model.predict(table) for model in regressor.models])
    for scale in (1.0, 0.25):
        weighted = Ensemble(regressor.models, tuple(scale * weight for weight in (5, 1, 2)))
        np.testing.assert_allclose(weighted.predict(table), np.array([5, 1, 2]) / 8 @ each)
    assert Ensemble(regressor.models).weights == (1.0, 1.0, 1.0)


def test_temperature_makes_less_sure_and_changes_no_class(classifier, table):
    warm = replace(classifier, temperature=3)
    plain = classifier.predict_proba(table)
    np.testing.assert_array_equal(warm.predict_proba(table), tempered(plain, 3.0))
    assert (warm.predict_proba(table).max(axis=1) < plain.max(axis=1)).all()
    assert warm.predict(table).tolist() == classifier.predict(table).tolist()
    assert replace(warm, temperature=1.0) == classifier


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": (1.0, 1.0)}, r"the weights must be a tuple of 3 numbers, got \(1.0, 1.0\)"),
        ({"weights": [1.0, 1.0, 1.0]}, "the weights must be a tuple of 3 numbers"),
        ({"weights": (1.0, -1.0, 1.0)}, "a weight must be a number above 0 and at most 1e\\+06, got -1.0"),
        ({"weights": (1.0, 0.0, 1.0)}, "a weight must be a number above 0"),
        ({"weights": (1.0, np.nan, 1.0)}, "got nan"),
        ({"weights": (1.0, 1e7, 1.0)}, "at most 1e\\+06"),
        ({"temperature": 0.0}, "the temperature must be a number at least 0.05 and at most 20, got 0.0"),
        ({"temperature": np.inf}, "the temperature must be"),
    ],
)
def test_weights_and_temperatures_that_mean_nothing_are_refused(changes, message, classifier):
    with pytest.raises(InvalidValue, match=message):
        replace(classifier, **changes)


def test_temperature_is_not_for_numbers(regressor):
    with pytest.raises(InvalidValue, match="for regression it must be 1, got 2"):
        replace(regressor, temperature=2.0)


@pytest.mark.parametrize("count", [0, MOST_MODELS + 1])
def test_no_models_or_too_many_are_refused(count, classifier):
    with pytest.raises(InvalidValue, match=f"the number of models must be .* at most 1000, got {count}"):
        Ensemble(classifier.models[:1] * count)


def test_as_many_models_as_there_may_be_are_taken(classifier):
    assert len(Ensemble(classifier.models[:1] * MOST_MODELS).models) == MOST_MODELS


@pytest.mark.parametrize("wrap", [list, lambda models: models[0], lambda models: (*models, SimpleNamespace(task="x"))])
def test_what_is_no_tuple_of_models_is_refused(wrap, classifier):
    with pytest.raises(InvalidType, match="an ensemble is made of a tuple of models, got "):
        Ensemble(wrap(classifier.models))
