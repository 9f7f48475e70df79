"""`fit_model`: all that a recipe says reaches the training, and a model goes on learning from what it predicts by."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest

from taut import TautClassifier, load, save, train
from taut.training import Model, Recipe, fit_model
from taut.training.model import train_further

SMALL = {"hidden_layer_sizes": (6,), "epochs": 8, "batch_size": 16}
TRAINED_WITH = {
    "plain": {},
    "batch normalization": {"normalization": "batch"},
    "layer normalization": {"normalization": "layer"},
    "noise": {"input_noise": 0.2},
    "mixup": {"mixup": 0.4},
    "CutMix": {"cutmix": 0.4},
    "DropConnect": {"dropconnect": 0.3},
    "SAM": {"sam": 0.1},
    "snapshots": {"schedule": "cosine_restarts", "snapshots": 2},
    "clipping": {"clip_norm": 0.05},
    "EMA": {"ema": 0.9},
    "SWA": {"swa": 0.5},
    "everything": {
        "normalization": "batch",
        "input_noise": 0.1,
        "mixup": 0.3,
        "clip_norm": 0.5,
        "ema": 0.8,
        "dropout": 0.1,
        "dtype": "float32",
    },
}


def table(rows: int = 70) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(rows, 4)), columns=list("abcd"))
    return frame, (frame["a"] + frame["b"] + random.normal(size=rows) > 0).to_numpy()


def fitted(name: str, **settings) -> Model:
    return fit_model(Recipe(**SMALL | TRAINED_WITH[name] | settings), *table(), task="classification")


@pytest.mark.parametrize("name", TRAINED_WITH)
def test_a_model_is_what_train_makes_of_the_recipes_parts(name):
    model, (frame, y) = fitted(name), table()
    recipe, inputs = model.recipe, model.encoder.transform(frame)
    network, loss, optimizer = recipe.build(inputs.shape[1], 2, "classification")
    train(
        network,
        inputs,
        y.astype(int),
        loss=loss,
        optimizer=optimizer,
        epochs=8,
        batch_size=16,
        mixup=recipe.mixup,
        cutmix=recipe.cutmix,
        average=recipe.build_average(),
    )
    np.testing.assert_array_equal(model.network.state, network.state)
    if name != "plain":
        assert model.network.predict(inputs).tolist() != fitted("plain").network.predict(inputs).tolist()


@pytest.mark.parametrize("name", TRAINED_WITH)
def test_same_recipe_same_bits(name):
    np.testing.assert_array_equal(fitted(name).network.state, fitted(name).network.state)


@pytest.mark.parametrize("name", ["EMA", "SWA", "everything"])
def test_a_stream_goes_on_from_the_average_and_without_one(name):
    model = fitted(name)
    shown = model.network.state.copy()
    assert (model.history.state.live != shown).any()
    # Weights that are shown, a rule that remembers nothing, and one epoch at a constant rate.
    expected = fitted(name)
    inputs, (frame, y), recipe = model.encoder.transform(table()[0]), table(), model.recipe
    train(
        expected.network,
        inputs.astype(shown.dtype),
        y.astype(int),
        optimizer=recipe.streaming().build_optimizer(),
        batch_size=16,
        mixup=recipe.mixup,
        cutmix=recipe.cutmix,
        epochs=9,
        resume=type(model.history.state)(epoch=8, memory=recipe.build_optimizer().start(expected.network.theta)),
    )
    train_further(model, frame, y)
    np.testing.assert_array_equal(model.network.state, expected.network.state)
    assert model.history.state.live is None
    assert model.history.epochs == 9
    train_further(model, frame, y)
    assert model.history.epochs == 10


def test_a_stream_has_noise_that_does_not_fade():
    frame, y = table()
    faded = fitted("plain", dropout=0.6, dropout_schedule="flat_cosine", optimizer="adamw", weight_decay=0.5)
    whole = fitted("plain", dropout=0.6, optimizer="adamw", weight_decay=0.5)
    whole.network.state[:] = faded.network.state
    whole.history.state = deepcopy(faded.history.state)
    for model in (faded, whole):
        train_further(model, frame, y)
    np.testing.assert_array_equal(faded.network.state, whole.network.state)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", TRAINED_WITH)
def test_saved_model_predicts_and_learns_on_as_if_it_had_never_been_away(name, early_stopping, tmp_path):
    frame, y = table()
    model = TautClassifier(effort="none", **SMALL | TRAINED_WITH[name], early_stopping=early_stopping, patience=2).fit(
        frame, y
    )
    save(model, tmp_path / "a.taut")
    loaded = load(tmp_path / "a.taut")
    state, loaded_state = model.history_.state, loaded.history_.state
    for kept, back in ((state.average, loaded_state.average), (state.live, loaded_state.live)):
        if state.averaged:
            np.testing.assert_array_equal(back, kept)
            assert back.dtype == kept.dtype
        else:
            assert back is None
    assert loaded_state.averaged == state.averaged
    for one in (model, loaded):
        one.predict_proba(frame)
        one.partial_fit(frame, y)
    np.testing.assert_array_equal(loaded.predict_proba(frame), model.predict_proba(frame))


@pytest.mark.parametrize("name", ["EMA", "SWA"])
def test_a_run_of_a_saved_model_is_resumed_bit_by_bit(name, tmp_path):
    frame, y = table()
    model = fitted(name)
    save(model, tmp_path / "a.taut")
    loaded = load(tmp_path / "a.taut")
    for one in (model, loaded):
        settings = {"optimizer": one.recipe.build_optimizer(), "average": one.recipe.build_average()}
        inputs = one.encoder.transform(frame)
        train(one.network, inputs, y.astype(int), epochs=12, resume=one.history.state, **settings)
    np.testing.assert_array_equal(loaded.network.state, model.network.state)


def test_early_stopping_ends_with_the_best_average():
    model = fitted("EMA", early_stopping=True, patience=3, epochs=200, learning_rate=0.1)
    history = model.history
    assert history.stopped == "early stopping"
    assert history["validation_data_loss"].argmin() == history.best_epoch < history.epochs - 1
