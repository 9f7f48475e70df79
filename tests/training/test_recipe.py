"""Recipe: what it refuses, how it is written and read, and how it is described."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taut import (
    Augmentation,
    CrossEntropy,
    Dropout,
    GaussianNoise,
    Recipe,
    TautError,
)

FIELDS = [field.name for field in dataclasses.fields(Recipe)]

#: A value other than the default for every field.
OTHER = {
    "hidden_layer_sizes": (16, 8),
    "activation": "tanh",
    "initializer": "orthogonal",
    "normalization": "batch",
    "residual": True,
    "embedding_width": 2,
    "embedding_frequencies": 4,
    "embedding_deviation": 0.4,
    "embedding_rectified": True,
    "category_width": 4,
    "input_scale": True,
    "parametrization": "standard",
    "l1": (1e-3, 0.0, 2e-3),
    "l2": (1e-5, 3e-4, 0.0),
    "bias_l1": 1e-6,
    "bias_l2": (0.0, 0.0, 1e-3),
    "l1_step": "subgradient",
    "group_l1": 1e-4,
    "group_l1_units": 2e-4,
    "orthogonality": 1e-3,
    "max_norm": 2.5,
    "non_negative": True,
    "dropout": (0.1, 0.25),
    "input_dropout": 0.05,
    "dropconnect": (0.2, 0.1),
    "dropout_schedule": "flat_cosine",
    "input_noise": 0.15,
    "label_smoothing": 0.02,
    "mixup": 0.3,
    "cutmix": 0.6,
    "loss": "cross_entropy",
    "optimizer": "sgd",
    "learning_rate": 1e-5,
    "momentum": 0.5,
    "nesterov": True,
    "beta_2": 0.9,
    "weight_decay": 1e-3,
    "weight_decay_schedule": "flat_cosine",
    "schedule": "inverse_time",
    "decay": 1e-7,
    "compounding": True,
    "cycles": 3,
    "warm_up": 0.1,
    "clip_norm": 1.5,
    "sam": 0.05,
    "ema": 0.95,
    "swa": 0.5,
    "snapshots": 2,
    "batch_size": 48,
    "epochs": 17,
    "early_stopping": True,
    "monitor": "metric",
    "validation_fraction": 0.2,
    "patience": 7,
    "scaling": "minus_one_one",
    "bins": 8,
    "components": 5,
    "augmentation": Augmentation(shape=(8, 8), rotate=10.0, shift=1, flip="horizontal", noise=0.1),
    "dtype": "float32",
    "seed": 2**63,
}


#: Fields that mean something only beside another.
PARTNERS = {
    "nesterov": {"optimizer": "sgd"},
    "decay": {"schedule": "inverse_time"},
    "compounding": {"schedule": "inverse_time"},
    "snapshots": {"schedule": "cosine_restarts"},
}
# Without what does not go with SGD, with EMA and with mixup, with embeddings.
EVERYTHING = OTHER | {"swa": 0.0, "snapshots": 0, "cutmix": 0.0, "group_l1": 0.0}


def test_every_field_is_tested_with_another_value():
    assert list(OTHER) == FIELDS
    assert all(getattr(Recipe(), name) != value for name, value in OTHER.items())


def single(name: str) -> Recipe:
    """Return a recipe in which one field, and what it needs, is not the default."""
    needs = {"hidden_layer_sizes": (16, 8)} if isinstance(OTHER[name], tuple) else PARTNERS.get(name, {})
    return Recipe(**needs | {name: OTHER[name]})


RECIPES = {"defaults": Recipe(), "everything": Recipe(**EVERYTHING)} | {name: single(name) for name in FIELDS}


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_comes_back_from_dict_json_and_toml(name):
    recipe = RECIPES[name]
    assert list(recipe.to_dict()) == FIELDS
    for back in (
        Recipe.from_dict(recipe.to_dict()),
        Recipe.from_dict(json.loads(json.dumps(recipe.to_dict(), allow_nan=False))),
        Recipe.from_json(recipe.to_json()),
        Recipe.from_toml(recipe.to_toml()),
    ):
        assert back == recipe
        assert hash(back) == hash(recipe)
        assert repr(back) == repr(recipe)


def test_missing_fields_take_their_defaults():
    assert Recipe.from_dict({"l2": 0.1}) == Recipe(l2=0.1)
    assert Recipe.from_toml("l2 = 0.1\nhidden_layer_sizes = [8]") == Recipe(l2=0.1, hidden_layer_sizes=(8,))
    assert Recipe.from_json("{}") == Recipe.from_toml("") == Recipe()


def test_recipe_cannot_be_changed_and_can_be_a_key():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().l2 = 0.1
    assert len({Recipe(), Recipe(), Recipe(l2=0.1)}) == 2


def test_lists_and_numbers_of_numpy_are_taken_as_plain_ones():
    given_ = Recipe(
        hidden_layer_sizes=[np.int64(16), 8],
        l2=[np.float32(0.5), 0.25, np.float64(0.125)],
        batch_size=np.int64(32),
        learning_rate=np.float64(0.01),
        epochs=np.int32(3),
        early_stopping=np.bool_(True),
        seed=np.uint64(2**63),
    )
    wanted = Recipe(
        hidden_layer_sizes=(16, 8),
        l2=(0.5, 0.25, 0.125),
        batch_size=32,
        learning_rate=0.01,
        epochs=3,
        early_stopping=True,
        seed=2**63,
    )
    assert given_ == wanted
    assert repr(given_) == repr(wanted)
    assert Recipe.from_json(given_.to_json()) == wanted
    assert given_.batch_rows(1000) == 32
    assert Recipe(hidden_layer_sizes=12) == Recipe(hidden_layer_sizes=(12,))


# Values of every kind that somebody might pass by mistake; each field takes some of them and must refuse the rest.
MISTAKES = [
    None,
    True,
    -1,
    0,
    1,
    10**400,
    2**64,
    0.5,
    1.5,
    float("nan"),
    float("inf"),
    1j,
    "",
    "relu",
    "0.1",
    "l2",
    b"relu",
    [],
    [1],
    [[1]],
    ["a"],
    (),
    (0.1, 0.1),
    (0.1, "a"),
    (0.1, None),
    {},
    {"shape": 1},
    {1: 2},
    {1},
    object(),
    print,
    Recipe,
    np.ones(2),
    np.array("a"),
    np.float64("nan"),
    np.datetime64("2020-01-01"),
    slice(3),
]


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_takes_a_value_or_refuses_it_in_one_line(name):
    refused: list[str] = []
    for value in MISTAKES:
        for make in (Recipe, lambda **values: Recipe.from_dict(values)):
            try:
                recipe = make(**{name: value})
            except TautError as error:
                refused.append(str(error))
            else:
                hash(recipe)
                assert Recipe.from_json(recipe.to_json()) == recipe == Recipe.from_toml(recipe.to_toml())
    assert all("\n" not in message and 0 < len(message) < 400 for message in refused)
    assert len(refused) > len(MISTAKES)  # that is, more than half


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"l3": 0.1}, "a recipe has no field 'l3'; the fields are hidden_layer_sizes, activation"),
        ({5: 0.1}, "a recipe has no field 5; the fields are"),
        ({"l2": -0.1}, "l2 must be a number at least 0, got -0.1"),
        ({"l2": (0.1,)}, r"l2 needs one number, or one for each of 2 layers; got \(0.1,\)"),
        ({"dropout": 1.0}, "dropout must be a number at least 0 and below 1, got 1.0"),
        ({"dropout": (0.1, 0.1)}, "dropout needs one number, or one for each of 1 layers"),
        ({"activation": "softmax"}, "activation must be one of elu, gelu"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be an integer at least 1, got 0"),
        ({"schedule": "warm_up"}, "schedule must be one of constant, cosine"),
        ({"batch_size": "some"}, 'batch_size, if not "all" or "auto", must be an integer at least 1, got \'some\''),
        ({"learning_rate": 0}, "learning_rate must be a number above 0, got 0"),
        ({"seed": 2**64}, "seed must be from 0 to"),
        *(({name: OTHER[name]}, f"{name} needs {next(iter(PARTNERS[name]))}=") for name in PARTNERS),
        ({"normalization": "group"}, "normalization must be one of batch, layer, none; got 'group'"),
        ({"normalization": "layer", "hidden_layer_sizes": ()}, "normalization is for hidden layers, and hidden_layer"),
        ({"input_noise": -1}, "input_noise must be a number at least 0, got -1"),
        ({"mixup": "a"}, "mixup must be a number at least 0, got 'a'"),
        ({"clip_norm": 0}, "clip_norm must be a number above 0, got 0"),
        ({"ema": 1}, "ema must be a number at least 0 and below 1, got 1"),
        ({"swa": 1.1}, "swa must be a number at least 0 and at most 1, got 1.1"),
        ({"ema": 0.9, "swa": 0.25}, "give either ema or swa, got ema=0.9 and swa=0.25"),
        (
            {"swa": 0.5, "snapshots": 1, "schedule": "cosine_restarts"},
            "give either swa or snapshots, got swa=0.5 and snapshots=1",
        ),
        ({"snapshots": 5}, "snapshots must be an integer at least 0 and at most 4, got 5"),
        ({"dropconnect": 1.0}, "dropconnect must be a number at least 0 and below 1, got 1.0"),
        ({"mixup": 0.1, "cutmix": 0.2}, "give either mixup or cutmix, got mixup=0.1 and cutmix=0.2"),
        ({"nesterov": 1}, "nesterov must be True or False, got 1"),
        ({"augmentation": {"shape": "a"}}, ""),
    ],
)
def test_unusable_fields_are_refused_in_one_line(values, message):
    with pytest.raises(TautError, match=f"^{message}") as caught:
        Recipe.from_dict(values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[", "{", "[]", "3", "null", '"a"', '{"l2": NaN}', "[" * 100_000, '{"l2": ' + "9" * 5000]
)
def test_text_that_is_no_json_recipe_is_refused_in_one_line(text):
    with pytest.raises(TautError) as caught:
        Recipe.from_json(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "text", ["l2", "l2 = ", "[l2", "l2 = 1979-05-27", "l2 = nan", "x" * 50, "l2 = " + "[" * 100_000, "l2=" + "9" * 5000]
)
def test_text_that_is_no_toml_recipe_is_refused_in_one_line(text):
    with pytest.raises(TautError) as caught:
        Recipe.from_toml(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("value", [None, 5, b"l2 = 1", [], "l2"])
def test_what_is_neither_text_nor_mapping_is_refused(value):
    with pytest.raises(TautError):
        Recipe.from_dict(value)
    if not isinstance(value, str):
        for read in (Recipe.from_json, Recipe.from_toml):
            with pytest.raises(TautError, match="must be text"):
                read(value)


strength = st.floats(0, 10, allow_subnormal=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=3), st.data())
def test_any_recipe_comes_back_to_the_last_bit(sizes, data):
    per_layer = strength | st.tuples(*[strength] * (len(sizes) + 1))
    recipe = Recipe(
        hidden_layer_sizes=tuple(sizes),
        l1=data.draw(per_layer),
        l2=data.draw(per_layer),
        learning_rate=data.draw(st.floats(1e-300, 1e300)),
        max_norm=data.draw(st.none() | st.floats(1e-9, 1e9)),
        seed=data.draw(st.integers(0, 2**64 - 1)),
        batch_size=data.draw(st.sampled_from(["all", "auto"]) | st.integers(1, 10**9)),
    )
    assert Recipe.from_toml(recipe.to_toml()) == recipe == Recipe.from_json(recipe.to_json())


# ------------------------------------------------------------------------------------------------------------- in words


def bare(**fields):
    return dataclasses.replace(Recipe().unregularized(), **fields)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(), "dropout 0.2 · weight decay 0.1"),
        (Recipe(hidden_layer_sizes=(), optimizer="sgd"), "no regularization"),  # which has nothing to drop or to decay
        (bare(l2=3e-4, dropout=0.1), "L2 0.0003 · dropout 0.1"),
        (bare(), "no regularization"),
        (bare(l2=(0.0, 0.0), dropout=(0.0,)), "no regularization"),
        (bare(l2=(0.1, 0.0)), "L2 0.1, 0"),
        (bare(non_negative=True, max_norm=2.0), "max-norm 2 · non-negative weights"),
        (
            bare(l1=1e-3, group_l1=0.5, label_smoothing=0.1),
            "L1 0.001 · group L1 by input 0.5 · label smoothing 0.1",
        ),
        (bare(input_noise=0.1, mixup=0.2, ema=0.99), "input noise 0.1 · mixup 0.2 · EMA 0.99"),
        (bare(swa=0.25), "SWA 0.25"),
        (bare(normalization="batch", clip_norm=1.0), "no regularization"),
    ],
)
def test_description_names_what_regularizes(recipe, words):
    assert recipe.describe() == words


def test_unregularized_takes_all_that_regularizes_out_and_nothing_else():
    bare = Recipe(**EVERYTHING).unregularized()
    assert bare.describe() == "no regularization"
    network, loss, _ = bare.build(4, 3, "classification")
    assert not any(parameter.penalty.parts for parameter in network.parameters)
    assert not any(isinstance(layer, (Dropout, GaussianNoise)) for layer in network.layers)
    assert loss == CrossEntropy()
    assert (bare.mixup, bare.build_average()) == (0.0, None)
    kept = ["hidden_layer_sizes", "activation", "initializer", "optimizer", "learning_rate", "epochs", "seed", "dtype"]
    kept += ["normalization", "clip_norm"]
    assert all(getattr(bare, name) == OTHER[name] for name in kept)
    assert bare.unregularized() == bare
