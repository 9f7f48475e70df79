"""A setting refuses what no knob shows; a course says the whole run in an address."""

from __future__ import annotations

from dataclasses import fields

import pytest

from taut import Recipe
from taut.errors import TautError
from taut.play.course import Course
from taut.play.setting import ACTIVATIONS, OPTIMIZERS, TURNED_LIVE, Setting

OTHER = {
    "data": "moons",
    "axes": "all",
    "noise": 0.1,
    "label_noise": 0.25,
    "samples": 90,
    "layers": (5, 4, 3),
    "activation": "tanh",
    "l1": (1e-5, 0.0, 0.1, 0.3),
    "l2": 0.01,
    "bias_l1": 0.003,
    "bias_l2": (0.0, 0.0, 0.0, 1.0),
    "dropout": (0.1, 0.2, 0.0),
    "learning_rate": 0.1 + 0.2,
    "optimizer": "nesterov",
    "batch_size": "all",
    "seed": 7,
}


def test_address_brings_back_every_knob_to_the_last_bit():
    course = Course(Setting(**OTHER)).at(10).turned({"l2": [1 / 3, 0, 0, 0]}).at(25).turned({"batch_size": 8}).at(40)
    again = Course.from_address("#" + course.address())
    assert again == course
    assert again.setting.l2 == (1 / 3, 0.0, 0.0, 0.0)


def test_address_holds_names_that_no_address_could_hold():
    names = {"table": "0" * 16, "target": "a=b&c#d %é\n\"'<x>", "columns": ("größe, €", "[1]")}
    course = Course(Setting(data="table", **names))
    assert course.address().isascii()
    assert not set(course.address()) & set(" #\"'<>\n")
    assert Course.from_address(course.address()) == course


def test_address_of_the_usual_setting_is_empty():
    assert Course().address() == ""
    assert Course.from_address("") == Course()


def test_other_values_cover_all_knobs_of_points_that_are_drawn():
    assert OTHER.keys() == {field.name for field in fields(Setting)} - {"table", "target", "columns"}


@pytest.mark.parametrize(
    "address",
    [
        "layers=[999]",
        "layers=[1,2,3,4,5,6,7]",
        "l2=[0.1]",
        "l2=-1",
        "l2=NaN",
        "l2=1e999",
        "dropout=1",
        "seed=-1",
        "seed=true",
        "samples=1e9",
        "data=mnist",
        "data=table",
        "activation=softmax",
        "optimizer=magic",
        "batch_size=0",
        "label_noise=0.9",
        "columns=[1,2]",
        "knob=1",
        "layers=" + "[" * 5000,
        "epoch=1e9",
        "epoch=-1",
        "epoch=5&changes=[[9,{}]]",
        "epoch=5&changes=[[0,{%22l2%22:0}]]",
        "epoch=5&changes=[[3,{%22l2%22:0}],[3,{%22l2%22:1}]]",
        "epoch=5&changes=[[3,{%22layers%22:[4]}]]",
        "epoch=5&changes=[[3,{%22l2%22:[0]}]]",
        "epoch=5&changes=[3]",
        "epoch=5&changes=7",
        "nothing",
        "x" * 300_000,
    ],
)
def test_address_that_says_no_run_is_refused_in_one_line(address):
    with pytest.raises(TautError) as refused:
        Course.from_address(address)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_turning_a_live_knob_is_a_change_and_turning_another_begins_anew():
    course = Course().at(50)
    assert course.turned({"l2": 0.1}).changes == ((50, {"l2": [0.1, 0.1, 0.1]}),)
    anew = course.turned({"l2": 0.1}).turned({"seed": 4})
    assert (anew.epoch, anew.changes, anew.start.seed, anew.start.l2[0]) == (0, (), 4, 0.1)


def test_turns_at_one_epoch_are_one_change_and_a_turn_to_the_same_is_none():
    course = Course().at(50).turned({"l2": 0.1}).turned({"l2": 0.2, "samples": 90})
    assert course.changes == ((50, {"l2": [0.2, 0.2, 0.2], "samples": 90}),)
    assert course.turned({"samples": 90}) is course


def test_before_the_first_epoch_a_turn_changes_the_start():
    course = Course().turned({"l2": 0.1})
    assert (course.changes, course.start.l2[0]) == ((), 0.1)


def test_course_cut_short_forgets_what_came_later():
    course = Course().at(10).turned({"l2": 0.1}).at(20).turned({"l2": 0.2}).at(30)
    assert course.at(15).setting.l2[0] == 0.1


def test_run_with_too_many_changes_is_refused():
    with pytest.raises(TautError, match="at most 2000 changes"):
        Course(Setting(), tuple((epoch, {"seed": 0}) for epoch in range(1, 2002)), 5000)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_choice_makes_a_recipe(optimizer, activation):
    recipe = Setting(optimizer=optimizer, activation=activation).recipe(epochs=3)
    network, _, _ = recipe.build(2, 3, "classification")
    assert network.built
    assert recipe.epochs == 3


def test_recipe_without_regularization_has_nothing_that_the_page_sets():
    recipe = Setting(l1=0.1, l2=0.2, bias_l1=0.3, bias_l2=0.4, dropout=0.5).recipe()
    assert recipe.describe().count("·") == 4
    assert recipe.unregularized().describe() == "no regularization"


def test_live_knobs_are_knobs():
    assert set(TURNED_LIVE) < {field.name for field in fields(Setting)}
    assert isinstance(Setting().recipe(), Recipe)
