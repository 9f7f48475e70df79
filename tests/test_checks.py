"""Checks of arguments: what passes, what is refused, and in which words."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from taut.checks import check_choice, check_number
from taut.errors import InvalidType, InvalidValue


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.25), np.float64(1), np.int8(1), Fraction(1, 3)])
def test_numbers_within_bounds_pass(value):
    check_number("share", value, at_least=0, at_most=1)


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (-1e-9, {"at_least": 0}),
        (0, {"above": 0}),
        (1 + 1e-9, {"at_most": 1}),
        (1, {"below": 1}),
        (float("nan"), {}),
        (float("inf"), {}),
        (-float("inf"), {}),
        (np.float32("nan"), {"at_least": 0}),
        (10**400, {"at_least": 0}),
    ],
)
def test_numbers_out_of_bounds_are_refused_in_one_line(value, bounds):
    with pytest.raises(InvalidValue, match=r"^share must be a number.*, got ") as caught:
        check_number("share", value, **bounds)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", ["1", None, True, np.bool_(True), 1j, Decimal(1), [1], np.ones(2), object])
def test_what_is_no_number_is_refused_in_one_line(value):
    with pytest.raises(InvalidType, match=r"^share must be a number at least 0, got ") as caught:
        check_number("share", value, at_least=0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [1.0, 2.5, "3", True, None, np.float64(3)])
def test_only_integers_pass_where_an_integer_is_wanted(value):
    with pytest.raises(InvalidType, match="epochs must be an integer at least 1"):
        check_number("epochs", value, at_least=1, integer=True)


def test_numpy_integers_pass_where_an_integer_is_wanted():
    check_number("epochs", np.int64(3), at_least=1, integer=True)


def test_message_names_the_bounds_and_the_value():
    with pytest.raises(InvalidValue) as caught:
        check_number("dropout", 1.5, at_least=0, below=1)
    assert str(caught.value) == "dropout must be a number at least 0 and below 1, got 1.5"


@pytest.mark.parametrize("value", ["c", "", None, 1, ["a"], np.array(["a"])])
def test_what_is_no_choice_is_refused_with_the_choices(value):
    with pytest.raises(InvalidValue, match="letter must be one of a, b; got "):
        check_choice("letter", value, ("b", "a"))


def test_a_choice_passes():
    check_choice("letter", "a", {"a": 1, "b": 2})
