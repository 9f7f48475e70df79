"""Scores agree with scikit-learn, and their standard errors with the spread over many test sets."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error

from taut.data.targets import ClassTargets, NumberTargets
from taut.selection.scores import mean_and_error, score_classes, score_numbers, sign_flip_test


def test_class_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b", "c"], 50)
    probabilities = random.dirichlet(np.ones(3), 50)
    found = score_classes(probabilities, labels, ClassTargets().fit(labels)).values
    assert found["log_loss"][0] == pytest.approx(log_loss(labels, probabilities))
    assert found["accuracy"][0] == pytest.approx(
        accuracy_score(labels, np.array(["a", "b", "c"])[probabilities.argmax(1)])
    )


def test_a_certain_error_costs_as_much_as_in_scikit_learn():
    found = score_classes(np.array([[1.0, 0.0], [1.0, 0.0]]), ["a", "b"], ClassTargets().fit(["a", "b"]))
    assert found.values["log_loss"][0] == pytest.approx(log_loss(["a", "b"], [[1.0, 0.0], [1.0, 0.0]]))


def test_number_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(1)
    y = 100.0 + 10.0 * random.normal(size=40)
    predicted = y + random.normal(size=40)
    found = score_numbers(predicted, y, NumberTargets().fit(y)).values
    assert found["rmse"][0] == pytest.approx(root_mean_squared_error(y, predicted))
    assert found["r2"][0] == pytest.approx(r2_score(y, predicted))


def test_the_standard_error_of_rmse_is_its_spread_over_test_sets():
    random = np.random.default_rng(2)
    values = []
    for _ in range(400):
        y = random.normal(size=100)
        values.append(score_numbers(y + random.normal(size=100), y, NumberTargets().fit(y)).values["rmse"])
    found, errors = np.array(values).T
    assert np.mean(errors) == pytest.approx(found.std(), rel=0.1)


def test_the_margin_is_paired():
    targets = ClassTargets().fit(["a", "b"])
    first = score_classes(np.array([[0.9, 0.1], [0.6, 0.4]]), ["a", "a"], targets)
    second = score_classes(np.array([[0.45, 0.55], [0.3, 0.7]]), ["a", "a"], targets)
    margin = first.margin(second)
    assert (margin.difference, margin.error) == (pytest.approx(np.log(2)), pytest.approx(0.0))
    assert margin.p_value > 0.2  # two rows show nothing


def test_rows_of_a_group_count_as_one():
    random = np.random.default_rng(4)
    of_group = random.normal(size=30)
    groups, values = np.repeat(np.arange(30), 8), np.repeat(of_group, 8)
    assert mean_and_error(values, groups) == (
        pytest.approx(of_group.mean()),
        pytest.approx(of_group.std(ddof=1) / np.sqrt(30)),
    )
    assert mean_and_error(values)[1] < mean_and_error(values, groups)[1] / 2
    eight = np.repeat([1.0, -1.0, 1.0, 1.0, 1.0], 40)
    assert sign_flip_test(eight) < 0.001
    assert sign_flip_test(eight, np.repeat(np.arange(5), 40)) > 0.3


def test_the_sign_flip_test_holds_its_level_and_is_not_blinded_by_one_outlier():
    random = np.random.default_rng(5)
    null = [sign_flip_test(random.standard_t(2, size=30)) for _ in range(300)]
    assert 0.01 < np.mean(np.array(null) < 0.05) < 0.1
    heavy = np.append(random.uniform(0.5, 1.5, 80), 1000.0)
    mean, error = mean_and_error(heavy)
    assert mean < 2 * error
    assert sign_flip_test(heavy) < 0.001
    many = random.normal(size=5000)
    assert sign_flip_test(many + 0.1) < 0.001
    assert 0.001 < sign_flip_test(many - many.mean() + 0.01) < 1.0


def test_the_error_of_one_value_is_not_a_number():
    assert np.isnan(mean_and_error(np.array([1.0]))[1])
