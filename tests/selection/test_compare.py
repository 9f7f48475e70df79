"""The comparison: paired, corrected for overlapping splits and for the number of arms, and not fooled by noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from taut.data import load_sample
from taut.errors import TautError
from taut.selection.compare import _holm, _paired_tests, compare
from taut.training.recipe import Recipe


def test_arms_share_splits_and_first_weights():
    frame, target = load_sample("wine")
    found = compare(
        frame.drop(columns=target),
        frame[target],
        task="classification",
        recipe=Recipe(epochs=3),
        arms={"none": {}, "same": {}, "L2": {"l2": 0.3}},
        seeds=3,
        n_jobs=1,
    )
    assert found.arms[1].difference == 0.0
    assert found.arms[1].p_value == 1.0
    assert (found.scores["L2"] != found.scores["none"]).all()
    assert found.to_frame().shape == (3, 3)
    assert len(set(found.scores["none"])) == 3


def test_the_number_of_threads_does_not_change_the_result():
    frame, target = load_sample("wine")
    recipe, arms = Recipe(epochs=2), {"none": {}, "dropout": {"dropout": 0.3}}
    one, *others = (
        compare(frame.drop(columns=target), frame[target], task="classification", recipe=recipe, arms=arms, **who)
        for who in ({"n_jobs": 1}, {"n_jobs": 2}, {"n_jobs": 2, "backend": "threading"})
    )
    assert all(other.to_dict() == one.to_dict() for other in others)


def test_training_that_diverges_in_a_pair_is_said():
    frame, target = load_sample("wine")
    with pytest.raises(TautError, match=r"training diverged in 4 fits; lower learning_rate \(1e\+300\)"):
        compare(
            frame.drop(columns=target),
            frame[target],
            task="classification",
            recipe=Recipe(epochs=2, learning_rate=1e300),
            arms={"none": {}, "L2": {"l2": 0.1}},
            seeds=2,
        )


def test_one_pair_agrees_with_the_corrected_t_test_by_hand():
    first, second = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 1.0, 2.75, 3.0])
    (_, (mean, interval, p, wins)) = _paired_tests([first, second], held_per_train=1 / 3)
    d = second - first
    error = np.sqrt((1 / 4 + 1 / 3) * d.var(ddof=1))
    assert mean == d.mean()
    assert interval == pytest.approx(
        (d.mean() - stats.t.ppf(0.975, 3) * error, d.mean() + stats.t.ppf(0.975, 3) * error)
    )
    assert p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, 3))
    assert wins == 4


def test_holm_multiplies_and_keeps_the_order():
    assert _holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert _holm([0.6, 0.9]) == [1.0, 1.0]


def test_pure_noise_is_seldom_called_a_difference():
    random = np.random.default_rng(0)
    p_values = [
        _paired_tests([random.normal(size=10), random.normal(size=10)], held_per_train=1 / 3)[1][2] for _ in range(500)
    ]
    assert np.mean(np.array(p_values) < 0.05) < 0.05


def test_a_real_effect_is_called_better():
    random = np.random.default_rng(3)
    X = random.normal(size=(60, 30))
    y = (X[:, 0] + random.normal(size=60) > 0).astype(int)
    recipe = Recipe(epochs=150, learning_rate=0.01)
    found = compare(X, y, task="classification", recipe=recipe, arms={"none": {}, "L2": {"l2": 0.1}}, seeds=8, n_jobs=1)
    assert found.arms[1].verdict == "better"
    assert found.arms[1].wins == 8
    assert found.arms[1].gap < found.arms[0].gap
    assert found.arms[0].verdict == ""


def test_one_seed_is_refused():
    with pytest.raises(TautError, match="seeds must be an integer at least 2, got 1"):
        compare([[0.0], [1.0]], [0, 1], task="classification", seeds=1)


def test_arrays_of_numbers_are_compared_by_their_error():
    random = np.random.default_rng(6)
    X = random.normal(size=(40, 2))
    arms = {"none": {}, "L2": {"l2": 10.0}}
    found = compare(X, X[:, 0], task="regression", recipe=Recipe(epochs=30), arms=arms, seeds=2, n_jobs=1)
    assert found.metrics == ("rmse", "r2")
    assert found.arms[1].difference > 0.3
