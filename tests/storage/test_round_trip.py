"""What is saved comes back the same: predictions bit by bit, and everything that says what the model is."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.kinds import examples, placed
from tests.storage.spoiling import assert_refused, with_weights

import taut
from taut import (
    Augmentation,
    InvalidType,
    InvalidValue,
    ModelFileError,
    Network,
    Recipe,
    TautClassifier,
    TautClassifierCV,
    TautRegressor,
    TautRegressorCV,
)
from taut.data.schema import SCALINGS
from taut.estimators.base import keep_model
from taut.network import BatchNorm, Dense, Layer, Loss, Penalty
from taut.network.initializers import Initializer
from taut.network.kinds import (
    ACTIVATIONS,
    AVERAGES,
    INITIALIZERS,
    LAYERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
    to_spec,
)
from taut.storage import inspect, load, read_summary, save
from taut.training import Ensemble, fit_model, train
from taut.versions import versions

LABELS = {
    "words": lambda codes: np.array(["no", "maybe", "yes"])[codes],
    "categories": lambda codes: pd.Categorical.from_codes(codes, ["no", "maybe", "yes"]),
    "integers": lambda codes: codes * 10 - 7,
    "booleans": lambda codes: codes > 0,
    "whole floats": lambda codes: codes * 2.0,
}
NUMBERS = {
    "one": lambda codes: codes * 1.5 + np.linspace(0, 1, len(codes)),
    "one column": lambda codes: (codes * 1e6).reshape(-1, 1),
    "several": lambda codes: np.column_stack([codes, np.sin(codes), np.full(len(codes), 4.0)]),
}


@pytest.fixture
def again(tmp_path):
    """Return a function that saves and loads."""

    def saved_and_loaded(thing, **options):
        save(thing, tmp_path / "a.taut", **options)
        return load(tmp_path / "a.taut")

    return saved_and_loaded


def assert_same(a, b):
    assert a.dtype == b.dtype
    assert a.tolist() == b.tolist()


@pytest.mark.parametrize("labels", LABELS)
def test_classifying_model_predicts_the_same_bits(labels, fit, again, frame, strange_frame):
    model = fit(LABELS[labels])
    loaded = again(model)
    for table in (frame, strange_frame, frame.iloc[:0]):
        assert_same(loaded.predict_proba(table), model.predict_proba(table))
        assert_same(loaded.predict(table), model.predict(table))
    assert loaded.recipe == model.recipe
    assert loaded.task == model.task
    assert loaded.loss == model.loss
    assert loaded.encoder.schema_ == model.encoder.schema_


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_regression_model_predicts_the_same_bits(numbers, dtype, fit, again, frame, strange_frame):
    model = fit(NUMBERS[numbers], task="regression", dtype=dtype, loss="huber")
    loaded = again(model)
    for table in (frame, strange_frame):
        assert_same(loaded.predict(table), model.predict(table))
    assert loaded.network.theta.dtype == dtype


@pytest.mark.parametrize(
    "encoding", [*({"scaling": name} for name in SCALINGS), {"bins": 4}, {"components": 2}], ids=repr
)
def test_every_encoding_of_a_table_without_names_comes_back(encoding, again):
    x = np.random.default_rng(0).normal(size=(60, 3))
    x[:, 2] += 9.0 * x[:, 0]
    x[::7, 1] = np.nan
    model = fit_model(Recipe(epochs=2, **encoding), x, x[:, 0] > 0, task="classification")
    rotated = encoding.get("scaling") == "principal_axes"
    assert model.encoder.inputs_.components == (0 if rotated else 1)  # with every other, by default
    assert_same(again(model).predict_proba(x), model.predict_proba(x))


def test_history_comes_back_with_what_was_not_asked_for(fit, again):
    model = fit(LABELS["words"])
    model.history._columns["evaluation_data_loss"] = [math.nan, 1.0, math.nan]
    loaded = again(model).history
    assert list(loaded) == list(model.history)
    for column in model.history:
        np.testing.assert_array_equal(loaded[column], model.history[column])
    assert (loaded.stopped, loaded.best_epoch, loaded.metric_name) == ("epochs", None, "accuracy")


def test_class_weights_are_kept_in_the_loss(frame, again):
    y = np.arange(len(frame)) % 3
    model = fit_model(Recipe(epochs=1), frame, y, task="classification", class_weight={0: 2.0, 2: 0.5})
    assert again(model).loss.class_weight == (2.0, 1.0, 0.5)


def test_recipe_with_every_field_set_comes_back(fit, again, frame):
    pixels = frame[["size", "gaps", "price", "customer_id"]]
    pixels = pixels.assign(gaps=1.0 + pixels["size"] ** 2, price=pixels["size"] * 2, customer_id=pixels["size"] * 3)
    recipe = Recipe(
        hidden_layer_sizes=(5, 4),
        activation="tanh",
        l1=(0.1, 0.0, 0.2),
        dropout=(0.1, 0.2),
        max_norm=2.0,
        early_stopping=True,
        batch_size="all",
        epochs=2,
        augmentation=Augmentation(shape=(2, 2), noise=0.1),
        optimizer="adamw",
        schedule="cosine",
        warm_up=0.1,
    )
    model = fit_model(recipe, pixels, np.arange(len(pixels)) % 2, task="classification")
    assert again(model).recipe == recipe


# ------------------------------------------------------------------------------------------------------------- kinds


def network_of(kind):
    """Return a network that holds the kind where it belongs."""
    if isinstance(kind, Penalty):
        return Network([Dense(4, weight_penalty=kind, bias_penalty=None), Dense(2)])
    if isinstance(kind, Initializer):
        return Network([Dense(3, initializer=kind, bias_initializer=kind), Dense(2)])
    return Network([Dense(3), *placed(kind), Dense(3)])


@pytest.mark.parametrize("factory", examples(LAYERS, ACTIVATIONS, PENALTIES, INITIALIZERS))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_kind_in_a_network_comes_back_with_its_settings(factory, dtype, again):
    kind = factory()
    assert isinstance(kind, (Layer, Penalty, Initializer))
    network = network_of(kind).build(n_inputs=5, seed=3, dtype=dtype)
    loaded = again(network)
    assert loaded.to_spec() == network.to_spec()
    assert_same(loaded.theta, network.theta)
    x = np.random.default_rng(0).normal(size=(6, 5))
    assert_same(loaded.predict(x), network.predict(x))
    assert_same(loaded.penalties(), network.penalties())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_statistics_come_back_and_are_no_parameters(dtype, again, tmp_path):
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(30, 4)).astype(dtype)
    network = Network([Dense(5), BatchNorm(), Dense(3), BatchNorm(0.5), Dense(2)])
    train(network, x, np.arange(30) % 2, epochs=3)
    assert (network.statistics != np.repeat([0.0, 1.0, 0.0, 1.0], [5, 5, 3, 3])).all()
    loaded = again(network)
    assert_same(loaded.state, network.state)
    assert_same(loaded.predict(x), network.predict(x))
    assert inspect(tmp_path / "a.taut").n_parameters == network.theta.size


@pytest.mark.parametrize(
    ("value", "message"),
    [(-0.5, "'1.variance' holds values below 0"), (np.nan, "'1.variance' holds values that are not finite")],
)
def test_statistics_that_cannot_be_are_refused(value, message, tmp_path):
    save(Network([Dense(2), BatchNorm()]).build(3), tmp_path / "a.taut")
    spoil = with_weights(lambda weights: weights["1.variance"].__setitem__(0, value))
    assert_refused(spoil((tmp_path / "a.taut").read_bytes()), f"weights.safetensors: {message}", tmp_path / "a.taut")


@pytest.mark.parametrize("factory", examples(LOSSES))
def test_every_loss_comes_back_with_a_model(factory, fit, again, frame):
    loss = factory()
    assert isinstance(loss, Loss)
    if loss.metric_name == "r2":
        model = fit(NUMBERS["several"], task="regression")
    else:
        model = fit(LABELS["words"])
    assert again(replace(model, loss=loss)).loss == loss


@pytest.mark.parametrize("name", [*OPTIMIZERS, *(name for name in SCHEDULES if name != "warm_up")])
def test_every_optimizer_and_schedule_comes_back_with_what_it_remembers(name, fit, again):
    model = fit(LABELS["words"], **{"optimizer" if name in OPTIMIZERS else "schedule": name})
    loaded = again(model)
    assert loaded.recipe == model.recipe
    state, loaded_state = model.history.state, loaded.history.state
    assert (loaded_state.epoch, loaded_state.step, loaded_state.rate) == (state.epoch, state.step, state.rate)
    assert loaded_state.memory.keys() == state.memory.keys()
    for memory, values in state.memory.items():
        assert_same(loaded_state.memory[memory], values)


@pytest.mark.parametrize(
    "factory", examples(OPTIMIZERS, SCHEDULES, LOSSES, LAYERS, PENALTIES, INITIALIZERS, ACTIVATIONS, AVERAGES)
)
def test_every_kind_passes_a_document(factory):
    from taut.storage.documents import read_document, write_document

    kind = factory()
    loaded = read_document(write_document({"kind": kind}, exact=True), "test", exact=True)["kind"]
    assert type(loaded) is type(kind)
    assert to_spec(loaded) == to_spec(kind)


# -------------------------------------------------------------------------------------------------------- estimators


def test_classifier_comes_back_fitted_with_its_parameters(frame, strange_frame, again):
    y = np.array([0, 3, 5])[np.arange(len(frame)) % 3]
    classifier = TautClassifier(
        effort="none",
        hidden_layer_sizes=(5,),
        epochs=2,
        l2=np.float64(0.01),
        class_weight={0: 2.0, 5: np.float32(0.5)},
    ).fit(frame, y)
    loaded = again(classifier)
    assert type(loaded) is TautClassifier
    assert loaded.get_params() == classifier.get_params()
    assert_same(loaded.predict_proba(frame), classifier.predict_proba(frame))
    assert_same(loaded.predict(frame), classifier.predict(frame))
    assert_same(loaded.classes_, classifier.classes_)
    assert_same(loaded.feature_names_in_, classifier.feature_names_in_)
    assert_same(loaded.get_feature_names_out(), classifier.get_feature_names_out())
    assert vars(loaded).keys() == vars(classifier).keys()
    assert (loaded.n_features_in_, loaded.n_iter_) == (classifier.n_features_in_, 2)
    assert loaded.history_ is loaded.model_.history


def test_regressor_of_several_targets_comes_back_fitted(again):
    x = np.random.default_rng(0).normal(size=(50, 4))
    regressor = TautRegressor(effort="none", epochs=2, hidden_layer_sizes=()).fit(x, x[:, :2])
    loaded = again(regressor)
    assert_same(loaded.predict(x), regressor.predict(x))
    assert loaded.score(x, x[:, :2]) == regressor.score(x, x[:, :2])
    assert vars(loaded).keys() == vars(regressor).keys()
    assert loaded.fit(x, x[:, :2]).n_iter_ == 2


def test_loaded_classifier_trains_on_as_if_it_had_never_been_away(frame, again):
    y = np.arange(len(frame)) % 2
    classifier = TautClassifier(effort="none", epochs=2, dropout=0.2).fit(frame, y)
    loaded = again(classifier)
    classifier.partial_fit(frame, y)
    loaded.partial_fit(frame, y)
    assert loaded.n_iter_ == 3
    assert_same(loaded.predict_proba(frame), classifier.predict_proba(frame))


def test_generator_as_random_state_comes_back_as_the_seed_it_gave(again):
    x = np.random.default_rng(0).normal(size=(30, 2))
    regressor = TautRegressor(effort="none", epochs=1, random_state=np.random.RandomState(4)).fit(x, x[:, 0])
    loaded = again(regressor)
    assert loaded.random_state == regressor.recipe_.seed
    assert_same(loaded.fit(x, x[:, 0]).predict(x), regressor.predict(x))


def test_estimator_that_keeps_an_ensemble_comes_back_with_all_of_its_networks(frame, strange_frame, again):
    y = np.array([0, 3, 5])[np.arange(len(frame)) % 3]
    classifier = TautClassifier(
        effort=2, cv=2, hidden_layer_sizes=(5,), epochs=2, objective="accuracy", class_weight={0: 2.0}
    ).fit(frame, y)
    loaded = again(classifier)
    assert type(loaded) is TautClassifier
    assert type(loaded.model_) is Ensemble
    assert loaded.get_params() == classifier.get_params()
    for table in (frame, strange_frame[frame.columns]):
        assert_same(loaded.predict_proba(table), classifier.predict_proba(table))
    assert_same(loaded.get_feature_names_out(), classifier.get_feature_names_out())
    assert (loaded.model_.weights, loaded.model_.temperature) == (
        classifier.model_.weights,
        classifier.model_.temperature,
    )
    assert (loaded.recipe_, loaded.n_iter_) == (classifier.recipe_, classifier.n_iter_)
    # How it was chosen is not of the model, and not in its file.
    assert vars(classifier).keys() - vars(loaded).keys() == {"search_", "blend_"}


def test_regressor_with_an_ensemble_of_weights_comes_back(again):
    x = np.random.default_rng(0).normal(size=(50, 4))
    regressor = TautRegressor(effort=2, cv=2, epochs=3).fit(x, x[:, :2])
    mixed = Ensemble(regressor.model_.models[:2], weights=(3.0, 1.0))
    keep_model(regressor, mixed)
    loaded = again(regressor)
    assert loaded.model_.weights == mixed.weights
    assert_same(loaded.predict(x), regressor.predict(x))


@pytest.mark.parametrize("final", ["refit", "ensemble"])
@pytest.mark.parametrize("penalty", ["l2", "l1_ratio=0.5", "weight_decay", "epochs"])
def test_classifier_that_chose_comes_back_with_what_it_found(final, penalty, frame, again):
    y = np.array(["no", "maybe", "yes"])[np.arange(len(frame)) % 3]
    values = np.array([2, 3]) if penalty == "epochs" else np.geomspace(0.1, 0.001, 3)
    classifier = TautClassifierCV(
        hidden_layer_sizes=(5,), epochs=2, cv=2, penalty=penalty, values=values, final=final, class_weight={"no": 2.0}
    ).fit(frame, y)
    loaded = again(classifier)
    assert type(loaded) is TautClassifierCV
    assert loaded.get_params() == classifier.get_params() | {"values": values.tolist()}
    assert_same(loaded.predict_proba(frame), classifier.predict_proba(frame))
    assert_same(loaded.get_feature_names_out(), classifier.get_feature_names_out())
    assert_same(loaded.classes_, classifier.classes_)
    assert vars(loaded).keys() == vars(classifier).keys()
    assert type(loaded.model_) is type(classifier.model_)
    assert (loaded.recipe_, loaded.n_iter_, loaded.n_features_in_) == (classifier.recipe_, classifier.n_iter_, 9)
    assert (loaded.value_, loaded.value_1se_) == (classifier.value_, classifier.value_1se_)
    assert loaded.path_.recipes == classifier.path_.recipes
    assert loaded.path_.to_dict() == classifier.path_.to_dict()
    assert loaded.cv_results_.keys() == classifier.cv_results_.keys()
    for name, column in classifier.cv_results_.items():
        np.testing.assert_array_equal(loaded.cv_results_[name], column)


def test_regressor_that_chose_comes_back_though_training_diverged_at_a_value(again, tmp_path):
    x = np.random.default_rng(0).normal(size=(50, 4))
    regressor = TautRegressorCV(
        penalty="learning_rate", values=[1e30, 0.01], optimizer="sgd", epochs=9, cv=[(range(25), range(25, 50))] * 2
    )
    with pytest.raises(InvalidType, match="parameter 'cv': a range cannot be stored"):
        again(regressor.fit(x, x[:, :2]))
    regressor.cv = [(np.arange(25), np.arange(25, 50)), (np.arange(25, 50), np.arange(25))]
    loaded = again(regressor.fit(x, x[:, :2]))
    assert_same(loaded.predict(x), regressor.predict(x))
    assert loaded.cv_results_["mean_test_score"][0] == -np.inf
    assert loaded.fit(x, x[:, :2]).path_.losses.tolist() == regressor.path_.losses.tolist()
    assert inspect(tmp_path / "a.taut").kind == "regressor_cv"
    assert inspect(tmp_path / "a.taut").n_models == 1


# ---------------------------------------------------------------------------------------------- summary and inspection


def test_summary_comes_back_with_plain_values(model, tmp_path):
    save(
        model,
        tmp_path / "a.taut",
        summary={"mean": np.float64(0.1), "se": math.nan, "rows": np.arange(2), "by": {3: "x"}},
    )
    summary = read_summary(tmp_path / "a.taut")
    assert math.isnan(summary.pop("se"))
    assert summary == {"mean": 0.1, "rows": [0, 1], "by": {3: "x"}}
    save(model, tmp_path / "b.taut")
    assert read_summary(tmp_path / "b.taut") is None


def test_inspection_says_what_is_in_the_file(model, tmp_path):
    save(model, tmp_path / "a.taut", summary={"scores": [1, 2]})
    info = inspect(tmp_path / "a.taut")
    assert (info.kind, info.task, info.format, info.summary) == ("model", "classification", 1, {"scores": [1, 2]})
    assert (info.recipe, info.n_models) == (model.recipe, 1)
    assert list(info.columns) == model.encoder.schema_
    assert info.classes == ["maybe", "no", "yes"]
    assert (info.n_inputs, info.n_parameters) == (model.network.n_inputs, model.network.theta.size)
    assert (info.dtype, info.epochs) == ("float64", 3)
    assert info.versions["taut"] == taut.__version__
    assert info.versions == versions()
    assert info.sizes["weights.safetensors"] > 8 * info.n_parameters


def test_inspection_of_regressor_and_network(tmp_path, fit):
    save(fit(NUMBERS["several"], task="regression"), tmp_path / "a.taut")
    assert (inspect(tmp_path / "a.taut").n_targets, inspect(tmp_path / "a.taut").classes) == (3, None)
    save(Network([Dense(2)]).build(3), tmp_path / "b.taut")
    info = inspect(tmp_path / "b.taut")
    assert (info.kind, info.task, info.recipe, info.n_parameters, info.columns) == ("network", None, None, 8, ())


# ----------------------------------------------------------------------------------------------- what cannot be stored


class Doubling(Layer):
    def forward(self, x, *, training, random):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


class OwnClassifier(TautClassifier):
    pass


def broken(network):
    network.theta[0] = np.nan
    return network


REFUSED = {
    "a network that is not built": (lambda: Network([Dense(2)]), InvalidValue, "call build"),
    "a layer of one's own": (
        lambda: Network([Doubling(), Dense(2)]).build(2),
        InvalidType,
        "Doubling is not in the tables",
    ),
    "weights that are not finite": (lambda: broken(Network([Dense(2)]).build(2)), InvalidValue, "weights of layer 0"),
    "an estimator that is not fitted": (TautClassifier, InvalidValue, "not fitted yet; call fit"),
    "a class derived from ours": (OwnClassifier, InvalidType, "got a OwnClassifier"),
    "a recipe": (Recipe, InvalidType, "only a network, a model, an ensemble or an estimator of taut can"),
    "nothing": (lambda: None, InvalidType, "got None"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_stored_is_refused_and_leaves_no_file(case, tmp_path):
    make, error, message = REFUSED[case]
    with pytest.raises(error, match=message) as caught:
        save(make(), tmp_path / "a.taut")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_parameter_that_cannot_be_stored_is_named(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 2))
    regressor = TautRegressor(effort="none", epochs=1).fit(x, x[:, 0]).set_params(verbose=object())
    with pytest.raises(InvalidType, match="parameter 'verbose': a object cannot be stored"):
        save(regressor, tmp_path / "a.taut")


def test_summary_that_is_not_plain_is_refused(model, tmp_path):
    with pytest.raises(InvalidType, match="a date cannot be stored"):
        save(model, tmp_path / "a.taut", summary={"when": date(2024, 1, 1)})


def test_model_whose_parts_do_not_fit_is_not_saved(model, tmp_path):
    other = Network([Dense(3)]).build(2)
    with pytest.raises(ModelFileError, match=r"a\.taut: not saved, because it could not be loaded again: .* inputs"):
        save(replace(model, network=other), tmp_path / "a.taut")
    assert list(tmp_path.iterdir()) == []
