"""The figures of an answer, against plain sums and against draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.tables.figures import measured
from benchmarks.tables.problems import Problem


def problem_of(y_test, y):
    nothing = pd.DataFrame({"column": np.zeros(len(y))})
    return Problem("invented", 0, nothing, y, nothing, y_test)


def test_figures_of_classes():
    y = np.array(["b", "a", "a", "b"], dtype=object)
    figures = measured(problem_of(y, y), np.array([[0.25, 0.75], [0.5, 0.5], [0.9, 0.1], [0.8, 0.2]]))
    losses = -np.log([0.75, 0.5, 0.9, 0.2])
    assert figures["loss"] == pytest.approx(losses.mean())
    assert figures["loss_se"] == pytest.approx(losses.std(ddof=1) / 2.0)
    assert figures["error"] == 0.25
    assert figures["ece"] == pytest.approx((0.25 + 0.5 + 0.1 + 0.8) / 4)


def test_a_class_ruled_out_in_vain_has_a_finite_loss():
    y = np.array(["a", "b"], dtype=object)
    assert measured(problem_of(y, y), np.array([[1.0, 0.0], [1.0, 0.0]]))["loss"] == pytest.approx(-np.log(1e-7) / 2)


def test_figures_of_numbers():
    y = np.array([1.0, 2.0, 3.0, 4.0])
    figures = measured(problem_of(y, y), np.array([1.0, 2.0, 3.0, 6.0]))
    assert figures["loss"] == figures["error"] == 1.0
    assert figures["mae"] == 0.5
    assert figures["loss_se"] == pytest.approx(np.std([0.0, 0.0, 0.0, 4.0], ddof=1) / 2.0 / 2.0)


def test_the_standard_error_of_a_root_mean_square_is_how_much_it_varies():
    draws = np.random.default_rng(0).normal(size=(500, 400))
    figures = [measured(problem_of(np.zeros(400), np.zeros(400)), residuals) for residuals in draws]
    spread = np.std([found["loss"] for found in figures])
    assert np.mean([found["loss_se"] for found in figures]) == pytest.approx(spread, rel=0.1)


def test_an_answer_without_a_fault_is_sure():
    y = np.array([1.0, 2.0])
    assert measured(problem_of(y, y), y)["loss_se"] == 0.0
