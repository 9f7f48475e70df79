"""Temperatures make up for what probabilities are too sure of, and stay near 1 on few rows."""

from __future__ import annotations

import numpy as np
import pytest

from taut.network.functions import softmax
from taut.selection.calibration import fit_temperature
from taut.selection.objectives import OBJECTIVES
from taut.training.ensemble import tempered


def scored(rows: int, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return scores whose softmax is the chance of each class, and classes drawn so."""
    random = np.random.default_rng(seed)
    scores = 2.0 * random.normal(size=(rows, n_classes))
    chances = softmax(scores).cumsum(axis=1)
    return scores, (random.random(rows)[:, None] > chances).sum(axis=1)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_temperature_that_scores_were_divided_by_is_found(temperature, n_classes):
    scores, true = scored(5000, n_classes)
    found = fit_temperature(softmax(scores * temperature), true)
    assert found == pytest.approx(temperature, rel=0.08)


def test_temperature_has_the_lowest_log_loss_when_rows_are_many():
    scores, true = scored(5000, 3)
    probabilities = softmax(2.0 * scores).astype(np.float32)
    found = fit_temperature(probabilities, true)
    losses = [OBJECTIVES["log_loss"].value(tempered(probabilities, found * by), true, None) for by in (0.95, 1.0, 1.05)]
    assert losses[1] == min(losses)


def test_few_rows_that_are_all_right_do_not_ask_for_certainty():
    probabilities = np.array([[0.8, 0.2], [0.3, 0.7], [0.75, 0.25]])
    few = fit_temperature(probabilities, np.array([0, 1, 0]))
    many = fit_temperature(np.repeat(probabilities, 200, axis=0), np.repeat([0, 1, 0], 200))
    assert 0.6 < few < 1.0
    assert many < 0.4


def test_rows_count_as_much_as_they_weigh_whatever_the_scale():
    scores, true = scored(60, 3)
    probabilities = softmax(2.0 * scores)
    weight = np.arange(60) % 3 * 1.5
    expected = fit_temperature(probabilities, true, weight)
    assert fit_temperature(probabilities, true, 10.0 * weight) == pytest.approx(expected)
    assert fit_temperature(probabilities, true, np.ones(60)) == fit_temperature(probabilities, true) != expected
    only = np.where(np.arange(60) < 30, 2.0, 0.0)
    assert fit_temperature(probabilities, true, only) != pytest.approx(fit_temperature(probabilities, true))


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0, 20.0])
def test_tempered_probabilities_are_the_softmax_of_divided_scores(temperature):
    scores, _ = scored(50, 4)
    probabilities = tempered(softmax(scores), temperature)
    np.testing.assert_allclose(probabilities, softmax(scores / temperature), atol=1e-12)
    assert (probabilities.argmax(axis=1) == scores.argmax(axis=1)).all()


def test_certain_answers_stay_certain():
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert tempered(certain, 3.0).tolist() == certain.tolist()
    assert np.isfinite(fit_temperature(certain, np.array([0, 0])))


def test_many_equal_chances_do_not_vanish_in_the_cold():
    equal = np.full((1, 1000), 0.001, dtype=np.float32)
    np.testing.assert_allclose(tempered(equal, 0.05), equal, rtol=1e-6)
