"""The space of a search: every regularizer is in it, and whatever is drawn or moved stays in it."""

from __future__ import annotations

import numpy as np
import pytest

from taut.data.encoding import Encoding
from taut.errors import InvalidType, InvalidValue
from taut.random import Random
from taut.selection.space import SPACE, Choice, Range, Space
from taut.training import Recipe
from taut.training.regularizers import REGULARIZERS


def space(task="classification", fields=None, **recipe) -> Space:
    return Space(Recipe(**recipe), fields, task)


def test_the_space_has_every_field_that_regularizes():
    assert set(SPACE) == set(REGULARIZERS) - {"snapshots"}  # which need a schedule of their own


@pytest.mark.parametrize("name", sorted(SPACE))
def test_both_ends_of_every_dimension_make_a_recipe_that_builds(name):
    dimension = SPACE[name]
    for uniform in (0.0, 1.0 - 1e-9):
        recipe = space().recipe({name: dimension.drawn(uniform)})
        assert recipe.describe() != "no regularization"
        recipe.build(4, 3, "classification")


def test_an_empty_setting_is_the_recipe_without_regularization():
    base = Recipe(l2=0.3, dropout=0.2, max_norm=2.0, ema=0.9)
    assert Space(base, None, "classification").recipe({}) == base.unregularized()


def test_the_recipe_as_it_is_is_a_setting_also_beyond_the_usual_bounds():
    base = Recipe(l2=7.0, dropout=0.85, ema=0.9, weight_decay=0.0)
    made = Space(base, None, "classification")
    assert made.setting(base) == {"l2": 7.0, "dropout": 0.85, "ema": 0.9}
    assert made.recipe(made.setting(base)) == base


def test_an_average_takes_the_place_of_the_snapshots_of_the_recipe():
    made = space(snapshots=2, schedule="cosine_restarts")
    assert made.recipe({"l2": 0.1}).snapshots == 2
    assert made.recipe({"ema": 0.99}).snapshots == made.recipe({"swa": 0.2}).snapshots == 0


def test_draws_and_moves_stay_within_the_bounds_and_are_the_same_for_the_same_seed():
    made = space()
    drawn = [made.drawn(Random(3).at(item=place)) for place in range(200)]
    moved = [made.refined(drawn[:5], 0.3, Random(3).at(item=place)) for place in range(200)]
    assert drawn == [made.drawn(Random(3).at(item=place)) for place in range(200)]
    for setting in drawn + moved:
        assert made.has(setting), setting
        assert not {"ema", "swa"} <= set(setting)
        assert not {"mixup", "cutmix"} <= set(setting)
        made.recipe(setting)
    assert all(drawn)
    assert {name for setting in drawn for name in setting} >= set(SPACE) - {"non_negative", "bias_l1", "bias_l2"}


def test_moves_are_shorter_the_smaller_the_reach():
    made = space(fields={"l2": Range(1e-6, 1.0, log=True)})
    near, far = (
        [made.refined([{"l2": 1e-3}], reach, Random(1).at(item=place)).get("l2", 1e-3) for place in range(300)]
        for reach in (0.02, 0.3)
    )
    assert np.std(np.log(near)) < np.std(np.log(far)) / 5
    assert np.median(near) == pytest.approx(1e-3, rel=0.1)


def test_what_is_for_the_other_task_or_for_hidden_layers_is_left_out():
    assert "label_smoothing" not in space("regression").dimensions
    assert "label_smoothing" in space().dimensions
    linear = space(hidden_layer_sizes=()).dimensions
    assert not {"dropout", "max_norm", "group_l1_units", "orthogonality"} & set(linear)
    layered = space(hidden_layer_sizes=(4, 4), l2=(0.1, 0.2, 0.3)).dimensions
    assert "l2" not in layered


def test_pairs_and_lists_are_ranges_and_choices():
    made = space(fields={"l2": (1e-5, 1.0), "dropout": (0.1, 0.5), "hidden_layer_sizes": [[32], [64, 32]]}).dimensions
    assert made["l2"] == Range(1e-5, 1.0, log=True)
    assert made["dropout"] == Range(0.1, 0.5)
    assert made["hidden_layer_sizes"].values[:2] == ((32,), (64, 32))


def test_values_have_two_digits_that_count_and_integers_stay_integers():
    assert Range(1e-4, 1.0, log=True).at(0.37) == 0.003
    assert Range(3, 40, integer=True).at(0.5) == 22
    assert isinstance(Range(3, 40, integer=True).at(0.21), int)
    assert space(fields={"epochs": (5, 50), "l2": (0, 1)}).dimensions["epochs"].integer
    assert not space(fields={"epochs": (5, 50), "l2": (0, 1)}).dimensions["l2"].integer
    assert Range(1e-4, 1.0, log=True).place(0.01) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"l3": (0, 1)}, InvalidValue, "space names 'l3', which is not one of: hidden_layer_sizes"),
        ({"seed": (0, 1)}, InvalidValue, "space names 'seed'"),
        ({"scaling": ["robust"]}, InvalidValue, "space names 'scaling'"),
        ({"bins": [4]}, InvalidValue, "space names 'bins'"),
        ({"components": [4]}, InvalidValue, "space names 'components'"),
        ({"activation": ["relu", "step", "tanh"]}, InvalidValue, "activation must be one of"),
        ({"dropout": (0.1, 1.5)}, InvalidValue, "dropout must be a number at least 0 and below 1, got 1.5"),
        ({"l2": 3}, InvalidType, "space of 'l2' must be a Range, a Choice, a pair"),
        ({"activation": ["relu", "step"]}, InvalidValue, "activation must be one of"),
        ({}, InvalidType, "space must be a mapping"),
        ([1], InvalidType, "space must be a mapping"),
        ({"l2": (1.0, 0.1)}, InvalidValue, "high must be a number above 1, got 0.1"),
    ],
)
def test_spaces_that_no_recipe_has_are_refused_in_one_line(fields, error, words):
    with pytest.raises(error, match=words.replace("(", r"\(")):
        space(fields=fields)


def test_a_choice_needs_values():
    with pytest.raises(InvalidValue, match="at least one value"):
        Choice(())


def test_every_way_in_which_settings_encode_a_table_is_known_beforehand():
    auto, none = Encoding(Recipe().scaling, "auto", "auto"), Encoding(Recipe().scaling, 0, 0)
    assert space().encodings([{}]) == [auto, none]  # the group lasso is for numbers as they are
    assert space(group_l1=0.1, fields={"l2": (1e-4, 1e-2)}).encodings([{}]) == [none]
    assert space(fields={"l2": (1e-4, 1e-2)}).encodings([{}]) == [auto]
    both = [Encoding(Recipe().scaling, 4, 2), Encoding("standard", 4, 2)]
    assert space(bins=4, components=2).encodings([{}, {"scaling": "standard"}]) == both
