"""The largest strength of a path: at it the penalized weights are zero, a little below they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from taut.data.encoding import Encoding
from taut.network.kinds import ACTIVATIONS
from taut.selection.axes import axis_of
from taut.selection.crew import Crew
from taut.selection.folds import Folds
from taut.selection.largest import FINE, largest_strength, penalized
from taut.training import PlannedRun, Recipe, train_population

WITH_ZERO_AT_ZERO = sorted(
    name
    for name, activation in ACTIVATIONS.items()
    if name != "softmax" and not np.any(activation().forward(np.zeros((1, 2)), training=False, random=None))
)


def table(task: str) -> Folds:
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(70, 4)), columns=list("abcd"))
    signal = X["a"] + X["b"] * X["c"] + 0.3 * random.normal(size=70)
    y = signal if task == "regression" else pd.cut(signal, 3, labels=["low", "middle", "high"])
    return Folds(X, y, task, [(np.arange(70), np.arange(0))])


def networks_at(folds: Folds, recipes: list[Recipe]):
    fold = folds.encoded(Encoding())[0]
    runs = [PlannedRun(recipe, fold.train_rows) for recipe in recipes]
    return [run.network for run in train_population(runs, [fold.table])]


def found_by_training(folds: Folds, penalty: str, recipe: Recipe) -> float:
    with Crew(n_jobs=1).at_work(folds.encoded(Encoding())) as workers:
        return largest_strength(axis_of(penalty), recipe, workers, 0)


def test_activations_that_keep_zero_are_the_usual_ones():
    assert WITH_ZERO_AT_ZERO == ["elu", "gelu", "identity", "leaky_relu", "mish", "relu", "selu", "silu", "tanh"]


@pytest.mark.parametrize("penalty", ["l1", "group", "l1_ratio=0.9"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "mae", "huber"])
@pytest.mark.parametrize("activation", WITH_ZERO_AT_ZERO)
def test_all_penalized_weights_are_zero_at_the_largest_strength_and_some_are_not_below_it(penalty, loss, activation):
    folds = table("classification" if loss == "cross_entropy" else "regression")
    epochs = 25 if "ratio" not in penalty else 80  # beside L2, the soft threshold is smaller
    recipe = Recipe(hidden_layer_sizes=(6,), activation=activation, loss=loss, epochs=epochs, dtype="float32")
    largest, axis = found_by_training(folds, penalty, recipe), axis_of(penalty)
    at, below = networks_at(folds, [axis.recipe(recipe, largest), axis.recipe(recipe, FINE * largest)])
    assert not any(layer.weights.value.any() for layer in penalized(at, axis))
    assert any(layer.weights.value.any() for layer in penalized(below, axis))


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_without_hidden_layers_it_is_what_the_subdifferential_says(loss):
    folds = table("classification" if loss == "cross_entropy" else "regression")
    plain = {"hidden_layer_sizes": (), "embedding_width": 0, "parametrization": "standard", "scaling": "standard"}
    recipe = Recipe(**plain, loss=loss, epochs=400, batch_size="all", learning_rate=0.02)
    found = found_by_training(folds, "l1", recipe)
    data = folds.encoded(Encoding())[0].table
    if loss == "cross_entropy":  # the gradient of the loss by the outputs, at the best constant ones
        gradient = np.bincount(data.y) / len(data.y) - np.eye(3)[data.y]
    else:
        gradient = 2.0 * (data.y.mean() - data.y)
    exact = np.abs(data.X.T @ gradient / len(data.y)).max()
    assert exact * 0.95 <= found <= exact * 1.1


def test_with_too_few_updates_to_empty_the_network_the_path_begins_where_more_changes_nothing():
    assert found_by_training(table("regression"), "l1", Recipe(hidden_layer_sizes=(6,), epochs=1)) < 1e4


def test_what_never_reaches_zero_begins_where_more_of_it_changes_next_to_nothing():
    folds, recipe = table("regression"), Recipe(hidden_layer_sizes=(6,), epochs=25)
    axis, fold = axis_of("l2"), folds.encoded(Encoding())[0]
    largest = found_by_training(folds, "l2", recipe)
    strengths = [0.0, largest / 10, largest, 1e4]
    runs = [PlannedRun(axis.recipe(recipe, strength), fold.train_rows) for strength in strengths]
    none, weak, strong, most = (run.columns["evaluation_data_loss"][-1] for run in train_population(runs, [fold.table]))
    assert none < weak < strong
    assert strong >= none + 0.99 * (most - none)
    assert weak < none + 0.99 * (most - none)
