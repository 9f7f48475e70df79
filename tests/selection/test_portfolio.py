"""The portfolio: every recipe of it can be trained for either task, is like no other, and regularizes."""

from __future__ import annotations

import pytest

from taut.data.schema import SCALINGS
from taut.selection.entrants import entrants
from taut.selection.portfolio import PLAIN, PORTFOLIO, Entry
from taut.selection.space import SPACE, Space
from taut.training.recipe import TASKS, Recipe

ENTRIES = (*PLAIN, *PORTFOLIO)


def named(*entries: Entry) -> list:
    return [pytest.param(entry, id=str(place)) for place, entry in enumerate(entries)]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("entry", named(*ENTRIES))
def test_every_entry_is_a_recipe_for_either_task(entry, task):
    setting = {name: value for name, value in entry.setting.items() if task == "classification" or name in FOR_BOTH}
    recipe = Space(Recipe(), None, task).recipe(setting)
    assert {name: getattr(recipe, name) for name in setting} == setting
    network, _, _ = recipe.build(12, 3, task)
    assert network.n_outputs == 3


FOR_BOTH = set(Recipe().to_dict()) - {"label_smoothing"}


def test_no_two_entries_are_alike():
    recipes = [Space(Recipe(), None, "classification").recipe(entry.setting) for entry in ENTRIES]
    assert len(set(recipes)) == len(recipes)


@pytest.mark.parametrize("entry", named(*(entry for entry in ENTRIES if entry.setting)))
def test_every_entry_regularizes_but_the_one_that_is_nothing(entry):
    assert any(entry.setting.get(name) for name in SPACE)


def test_what_regularizes_is_within_what_a_search_may_set():
    for entry in PORTFOLIO:
        for name in SPACE.keys() & entry.setting.keys():
            assert SPACE[name].has(entry.setting[name]), name


def test_entries_complement_one_another_by_their_kind():
    settings = [entry.setting for entry in PORTFOLIO]
    assert {setting.get("scaling", Recipe().scaling) for setting in settings} <= set(SCALINGS)
    assert any(setting.get("bins") for setting in settings)
    widths = {setting.get("embedding_width", Recipe().embedding_width) > 0 for setting in settings}
    assert widths == {True, False}


def test_the_first_is_a_constant_guess_and_others_are_linear():
    first, *others = entrants(Recipe(), 0, "auto", "regression").plain
    assert first == PLAIN[0].setting
    assert all(setting["hidden_layer_sizes"] == () for setting in others)
    assert len(others) == 4
