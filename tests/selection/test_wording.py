"""Wording: a value and its error have the same decimals, and no number is longer than it needs to be."""

from __future__ import annotations

import re

import numpy as np
import pytest

from taut.selection.wording import plain, plus_minus, rounded


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.67012, 0.0112, "0.670 ± 0.011"),
        (0.312, 0.04, "0.312 ± 0.040"),
        (1.08571, 0.00351, "1.0857 ± 0.0035"),
        (3.220085, 0.000024, "3.2201 ± <0.0001"),
        (1.7198, 0.00052, "1.7198 ± 0.0005"),
        (27431.2, 12.3, "27431 ± 12"),
        (54.32, 2.41, "54.3 ± 2.4"),
        (0.5, 0.0996, "0.50 ± 0.10"),
        (27431.2, 2112.9, "27431 ± 2113"),
        (-13936.5, 9000.0, "−13936 ± 9000"),
        (-2906204.111, 1738013.823, "(−2.9 ± 1.7) × 10⁶"),
        (999999.9, 12.0, "(1.0000 ± <0.0001) × 10⁶"),
        (3.12e-6, 4.0e-7, "(3.12 ± 0.40) × 10⁻⁶"),
        (0.0, 0.02, "0.000 ± 0.020"),
        (-0.001, 0.5, "0.00 ± 0.50"),
        (1.0, 0.0, "1.00"),
        (0.5, float("nan"), "0.500"),
        (0.5, float("inf"), "0.500"),
        (0.5, 1e-17, "0.500"),
        (float("nan"), 0.1, "–"),
        (float("inf"), 0.1, "∞"),
    ],
)
def test_value_and_error_have_the_same_decimals(value, error, text):
    assert plus_minus(value, error) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.081234, "0.0812"),
        (0.5, "0.500"),
        (1.0, "1.00"),
        (9.999, "10.0"),
        (54.321, "54.3"),
        (27431.2, "27431"),
        (999999.4, "999999"),
        (999999.9, "1 × 10⁶"),
        (-2906204.1, "−2.906 × 10⁶"),
        (0.0001, "0.000100"),
        (3.14e-5, "3.14 × 10⁻⁵"),
        (0.0, "0"),
        (-0.0, "0"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
        (5e-324, "4.94 × 10⁻³²⁴"),
        (1.7e308, "1.7 × 10³⁰⁸"),
    ],
)
def test_number_alone_has_three_digits_that_count(value, text):
    assert plain(value) == text


def test_any_pair_has_as_many_decimals_in_its_error_and_stays_close_to_it():
    random = np.random.default_rng(0)
    for value, error in random.normal(size=(500, 2)) * 10 ** random.uniform(-4, 5, size=(500, 1)):
        text = plus_minus(value, abs(error))
        shown = re.fullmatch(r"\(?(−?\d+\.?(\d*)) ± <?(\d+\.?(\d*))\)?(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", text)
        assert shown, text
        assert len(shown[2]) == len(shown[4])
        if len(shown[1].replace(".", "").lstrip("−0")) >= 5:  # where the fifth digit ends both
            continue
        power = int((shown[5] or "0").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
        assert float(shown[3]) * 10.0**power == pytest.approx(abs(error), rel=0.051)
        assert text.removeprefix("(").startswith(rounded(value, abs(error)).partition(" ")[0])
