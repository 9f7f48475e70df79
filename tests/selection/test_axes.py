"""Axes: every numeric field has one, it comes back in the recipe, and it knows its direction."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from taut.errors import InvalidType, InvalidValue
from taut.selection.axes import FALLING, SHARES, SPARSE, STRENGTHS, axis_of
from taut.training.recipe import Recipe
from taut.training.regularizers import REGULARIZERS

# A pair of values of each numeric field, the more regularized or else the larger one first.
PAIRS = {
    **dict.fromkeys((*STRENGTHS, *SHARES), (0.5, 0.25)),
    "max_norm": (0.5, 2.0),
    "epochs": (3, 7),
    "learning_rate": (0.1, 0.01),
    "momentum": (0.9, 0.5),
    "beta_2": (0.99, 0.9),
    "category_width": (4, 2),
    "embedding_width": (3, 1),
    "embedding_frequencies": (8, 4),
    "embedding_deviation": (0.5, 0.2),
    "decay": (0.1, 0.01),
    "warm_up": (0.5, 0.1),
    "cycles": (5, 2),
    "snapshots": (3, 1),
    "clip_norm": (2.0, 1.0),
    "batch_size": (64, 32),
    "validation_fraction": (0.3, 0.1),
    "patience": (9, 3),
}


def numeric_fields() -> list[str]:
    taken = [field.name for field in fields(Recipe) if type(field.default) in (int, float) and field.name != "seed"]
    return [*taken, "max_norm", "clip_norm", "batch_size"]


def test_every_numeric_field_is_here_with_a_pair():
    assert set(PAIRS) == set(numeric_fields())


@pytest.mark.parametrize("name", PAIRS)
def test_every_numeric_field_gives_an_axis_and_comes_back_from_its_recipe(name):
    axis, base = axis_of(name), Recipe(hidden_layer_sizes=(3,), schedule="inverse_time", seed=7)  # "decay" is its own
    assert (axis.name, axis.field, axis.l1_ratio) == (name, name, None)
    for value in PAIRS[name]:
        made = axis.recipe(base, np.float64(value) if isinstance(value, float) else np.int64(value))
        assert getattr(made, name) == value
        assert type(getattr(made, name)) is type(value)
        assert (made.hidden_layer_sizes, made.seed) == ((3,), 7)


@pytest.mark.parametrize("name", PAIRS)
def test_values_are_ordered_from_the_most_to_the_least_regularized(name):
    axis, pair = axis_of(name), PAIRS[name]
    assert axis.ordered(pair[::-1]).tolist() == list(pair)
    assert axis.ordered([*pair, *pair]).tolist() == list(pair)
    assert axis.ordered(pair).dtype == (np.int64 if isinstance(pair[0], int) else np.float64)


def test_directions_are_those_of_regularizers_and_none_where_taut_knows_none():
    found = {name: axis_of(name).direction for name in PAIRS}
    assert {name for name, direction in found.items() if direction < 0} == set(FALLING)
    assert {name for name, direction in found.items() if direction > 0} == set(REGULARIZERS) & set(PAIRS) - set(FALLING)
    assert found["learning_rate"] == found["batch_size"] == found["patience"] == 0


def test_only_what_empties_weights_is_sparse():
    sparse = {name for name in PAIRS if axis_of(name).is_sparse}
    assert sparse == set(SPARSE)
    assert axis_of("l1_ratio=0.5").is_sparse
    assert not axis_of("l1_ratio=0").is_sparse


@pytest.mark.parametrize(("short", "field"), [("group", "group_l1"), ("noise", "input_noise")])
def test_short_names_stand_for_fields(short, field):
    axis = axis_of(short)
    assert (axis.name, axis.field, axis.label) == (short, field, REGULARIZERS[field])


@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0])
def test_l1_ratio_shares_a_strength_between_l1_and_l2_as_glmnet_does(ratio):
    axis = axis_of(f"l1_ratio={ratio}")
    made = axis.recipe(Recipe(l1=9.0, l2=9.0), 0.8)
    assert (made.l1, made.l2) == (pytest.approx(0.8 * ratio), pytest.approx(0.8 * (1 - ratio) / 2))
    assert axis.l1_ratio == ratio
    assert axis.is_strength
    assert axis.direction == 1
    assert axis.label == f"elastic net (L1 ratio {ratio:g})"


def test_weight_decay_takes_the_optimizer_that_has_it_and_averages_exclude_each_other():
    assert axis_of("weight_decay").recipe(Recipe(), 0.1).optimizer == "adamw"
    assert axis_of("ema").recipe(Recipe(swa=0.5), 0.9).swa == 0
    assert axis_of("swa").recipe(Recipe(ema=0.9), 0.5).ema == 0
    assert axis_of("ema").recipe(Recipe(snapshots=2, schedule="cosine_restarts"), 0.9).snapshots == 0
    assert axis_of("cutmix").recipe(Recipe(mixup=0.2), 0.5).mixup == 0


def test_grid_of_a_strength_falls_by_equal_factors():
    grid = axis_of("l2").grid(5, 8.0, 1e-4)
    np.testing.assert_allclose(grid, 8.0 * 10.0 ** -np.arange(5.0))


@pytest.mark.parametrize("name", [name for name in SHARES if name != "ema"])
def test_grid_of_a_share_falls_by_equal_steps_to_zero_and_recipes_take_it(name):
    grid = axis_of(name).grid(4, None, 1e-4)
    np.testing.assert_allclose(np.diff(grid), -SHARES[name] / 3)
    assert (grid[0], grid[-1]) == (SHARES[name], 0)
    assert [getattr(axis_of(name).recipe(Recipe(), value), name) for value in grid] == grid.tolist()


def test_grid_of_a_moving_average_falls_by_equal_factors_of_what_is_forgotten():
    grid = axis_of("ema").grid(4, None, 1e-4)
    assert (grid[0], grid[-1]) == (pytest.approx(0.999), 0.0)
    np.testing.assert_allclose(np.diff(np.log(1.0 - grid[:-1])), np.log(0.5 / 0.001) / 2)
    assert [axis_of("ema").recipe(Recipe(swa=0.2), value).ema for value in grid] == grid.tolist()


def test_values_of_whole_numbers_are_whole():
    with pytest.raises(InvalidValue, match=r"values of epochs must be whole numbers, got \[1.5, 3\]"):
        axis_of("epochs").ordered([1.5, 3])


def test_grid_of_max_norm_grows():
    grid = axis_of("max_norm").grid(3, None, 1e-4)
    np.testing.assert_allclose(grid, [0.1, 1.0, 10.0])


@pytest.mark.parametrize("name", ["learning_rate", "epochs", "clip_norm"])
def test_without_a_usual_grid_values_are_asked_for(name):
    with pytest.raises(InvalidValue, match=f"no usual grid for '{name}': give values="):
        axis_of(name).grid(5, None, 1e-4)


@pytest.mark.parametrize("name", ["L2", "seed", "activation", "nesterov", "hidden_layer_sizes", "dtype", ""])
def test_what_is_no_numeric_field_is_refused_with_the_fields_there_are(name):
    with pytest.raises(
        InvalidValue, match=r"penalty must be one of l2, l1, l1_ratio=…, group, .*learning_rate"
    ) as caught:
        axis_of(name)
    assert str(caught.value).endswith(f"got {name!r}")


@pytest.mark.parametrize(
    ("penalty", "error", "words"),
    [
        ("l1_ratio=half", InvalidValue, "needs a number, as in 'l1_ratio=0.5'; got 'l1_ratio=half'"),
        ("l1_ratio=", InvalidValue, "needs a number"),
        ("l1_ratio=1.5", InvalidValue, "l1_ratio must be a number at least 0 and at most 1, got 1.5"),
        ("l1_ratio=nan", InvalidValue, "got nan"),
        (None, InvalidType, "penalty must be a name such as 'l2', got None"),
        (0.5, InvalidType, "penalty must be a name such as 'l2', got 0.5"),
    ],
)
def test_refusals_name_what_was_given(penalty, error, words):
    with pytest.raises(error) as caught:
        axis_of(penalty)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_all_values_have_in_common_encodes_a_table_as_each_of_them_does():
    for name in ("group", "group_l1", "l2", "dropout"):
        axis = axis_of(name)
        encodings = {axis.recipe(Recipe(), value).encoding for value in (0.0, 0.5)}
        assert encodings == {axis.base(Recipe()).encoding}
    assert axis_of("group").base(Recipe()).encoding.bins == 0
