"""The spiral to its published definition, and the sets that come by name."""

from __future__ import annotations

import numpy as np
import pytest

from taut.data.samples import SAMPLES, load_sample, spiral
from taut.errors import DataError, InvalidValue


def test_spiral_is_the_published_formula_on_the_legacy_generator():
    X, y = spiral(samples=7, classes=3, noise=0.2, seed=5)
    random = np.random.RandomState(5)
    for label in range(3):
        radius = np.linspace(0.0, 1, 7)
        angle = np.linspace(label * 4, (label + 1) * 4, 7) + random.randn(7) * 0.2
        expected = np.c_[radius * np.sin(angle * 2.5), radius * np.cos(angle * 2.5)]
        np.testing.assert_array_equal(X[y == label], expected)
    assert X.dtype == np.float64
    assert y.dtype == np.int64


def test_caller_goes_on_drawing_from_the_generator_of_the_spiral():
    random = np.random.RandomState(0)
    X, _ = spiral(random_state=random)
    np.testing.assert_array_equal(X, spiral(seed=0)[0])
    whole = np.random.RandomState(0).randn(301)
    assert random.randn() == whole[300]


@pytest.mark.parametrize(
    "arguments", [{"samples": 0}, {"classes": 0}, {"noise": -1.0}, {"noise": np.nan}, {"seed": -1}]
)
def test_spiral_refuses_what_cannot_be(arguments):
    with pytest.raises(InvalidValue):
        spiral(**arguments)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_set_loads_with_its_target(name):
    frame, target = load_sample(name)
    assert target in frame
    assert len(frame) >= 150
    assert not frame.isna().any().any()


def test_classes_with_names_carry_them():
    frame, target = load_sample("breast_cancer")
    assert frame[target].value_counts().to_dict() == {"benign": 357, "malignant": 212}


def test_unknown_sample_set_names_those_there_are():
    with pytest.raises(DataError, match=r"'mnist': choose one of breast_cancer, .*wine"):
        load_sample("mnist")
