"""Nested cross-validation: the choosing is repeated in each fold, and its optimism is found where there is some."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from taut import Recipe, load_sample, nested_cross_validation, regularization_path
from taut.data import folds
from taut.errors import InvalidType, InvalidValue
from taut.selection import Candidate, cross_validate
from taut.training.model import Model, fit_model

QUICK = Recipe(epochs=4, hidden_layer_sizes=(4,), learning_rate=0.05)


@dataclass
class Luckiest:
    """The best of some recipes by their cross-validated log loss."""

    best: Candidate
    X: pd.DataFrame
    y: pd.Series

    @property
    def cross_validated(self) -> dict[str, tuple[float, float]]:
        return self.best.scores

    def refit(self) -> Model:
        return fit_model(self.best.recipe, self.X, self.y, task="classification")


def luckiest(X, y, count: int = 12) -> Luckiest:
    splits = folds(y, n_splits=3, task="classification")
    recipes = [replace(QUICK, seed=seed) for seed in range(count)]
    found = cross_validate(recipes, X, y, task="classification", splits=splits, n_jobs=1)
    return Luckiest(min(found, key=lambda one: one.mean), X, y)


def noise(seed: int) -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(seed)
    return pd.DataFrame(random.normal(size=(60, 6))), pd.Series(random.permutation(np.repeat(["a", "b"], 30)))


def test_on_pure_noise_the_choice_promises_more_than_it_keeps():
    found = [nested_cross_validation(luckiest, *noise(seed), cv=3, seed=seed) for seed in range(5)]
    assert np.mean([one.optimism["log_loss"][0] for one in found]) > 0
    assert np.mean([one.optimism["accuracy"][0] for one in found]) < 0


def test_the_optimism_is_paired_by_fold():
    nested = nested_cross_validation(luckiest, *noise(0), cv=3)
    difference = nested.outer["log_loss"] - nested.inner["log_loss"]
    assert nested.optimism["log_loss"] == pytest.approx((difference.mean(), difference.std(ddof=1) / 3**0.5))
    assert nested.to_dict()["answer"] == nested.sentence()
    assert nested.sentence().startswith("On rows that no part of the choosing saw, the log loss was ")
    assert len(nested.recipes) == 3


def test_no_part_of_the_choosing_sees_the_rows_it_is_scored_on_and_roles_go_with_the_rows():
    X, y = noise(1)
    groups = pd.Series(np.arange(60) // 3)
    seen = []

    def choose(X, y, *, groups):
        assert X.index.equals(y.index)
        assert X.index.equals(groups.index)
        seen.append(set(X.index))
        return luckiest(X, y, count=1)

    told = []
    nested = nested_cross_validation(choose, X, y, cv=3, groups=groups, report=lambda *words: told.append(words))
    held = [set(X.index) - train for train in seen]
    assert set.union(*held) == set(X.index)
    assert sum(map(len, held)) == len(X)
    for train, rest in zip(seen, held, strict=True):
        assert not set(groups[list(train)]) & set(groups[list(rest)])
    assert [(done, planned) for done, planned, _ in told] == [(1, 3), (2, 3), (3, 3)]
    assert nested.outer["accuracy"].shape == (3,)


def test_the_outer_score_is_that_of_the_refitted_choice():
    X, y = noise(2)
    splits = folds(y, n_splits=2, task="classification")
    nested = nested_cross_validation(lambda X, y: luckiest(X, y, count=2), X, y, cv=splits)
    train, held = splits[0]
    model = luckiest(X.iloc[train], y.iloc[train], count=2).refit()
    chosen = model.predict_proba(X.iloc[held])[np.arange(len(held)), (y.iloc[held] == "b").astype(int)]
    assert nested.outer["log_loss"][0] == pytest.approx(-np.log(chosen).mean())


def test_a_path_is_priced_by_the_rule_that_its_refit_takes():
    frame, target = load_sample("wine")
    X, y = frame.drop(columns=target), frame[target]
    path = regularization_path(QUICK, X, y, values=[1e-3, 1e-2, 1e-1], cv=3)
    mean, error = path.cross_validated["log_loss"]
    assert mean == pytest.approx(path.mean[path.index_1se], rel=1e-6)
    assert error == pytest.approx(path.standard_error[path.index_1se], rel=1e-6)
    assert path.scores("min")["log_loss"][0] == pytest.approx(path.mean.min(), rel=1e-6)
    nested = nested_cross_validation(
        lambda X, y: regularization_path(QUICK, X, y, values=[1e-3, 1e-2], cv=2), X, y, cv=2
    )
    assert {recipe.l2 for recipe in nested.recipes} <= {1e-3, 1e-2}


def test_a_class_that_no_training_row_has_counts_as_impossible():
    X, y = noise(3)
    y.iloc[0] = "c"
    splits = [(np.arange(20, 60), np.arange(20)), (np.arange(40), np.arange(40, 60))]
    nested = nested_cross_validation(lambda X, y: luckiest(X, y, count=1), X, y, cv=splits)
    assert nested.outer["log_loss"][0] > -np.log(np.finfo(float).eps) / 20
    assert np.isfinite(nested.outer["log_loss"]).all()


def test_a_fit_that_ctrl_c_has_cut_short_is_not_scored():
    X, y = noise(4)

    class Cut(Luckiest):
        def refit(self) -> Model:
            model = super().refit()
            model.history.stopped = "interrupted"
            return model

    with pytest.raises(KeyboardInterrupt):
        nested_cross_validation(lambda X, y: Cut(**vars(luckiest(X, y, count=1))), X, y, cv=2)


def test_arguments_that_cannot_be_used_are_refused():
    X, y = noise(0)
    with pytest.raises(InvalidType, match="choose must be a function of"):
        nested_cross_validation("path", X, y)
    with pytest.raises(InvalidValue, match="task must be one of"):
        nested_cross_validation(luckiest, X, y, task="ranking")
