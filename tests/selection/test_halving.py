"""Halving and its budget: how long a fit takes is each recipe's own, and a short time is for fewer settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from taut.selection.crew import Crew, Workers
from taut.selection.cross_validation import Progress
from taut.selection.folds import EncodedFolds, Folds, splits_of
from taut.selection.halving import Budget, Contest, planned_fits
from taut.selection.outcomes import Plan
from taut.training.recipe import Recipe
from taut.training.runs import FinishedRun, PlannedRun

SMALL, LARGE = Recipe(epochs=10), Recipe(hidden_layer_sizes=(256,), epochs=100)


def run(recipe: Recipe, seconds: float, epochs: int) -> FinishedRun:
    columns = {"seconds": np.linspace(seconds / epochs, seconds, epochs)}
    return FinishedRun(PlannedRun(recipe), "paused", None, None, np.zeros(1), columns, "accuracy", (None, 1, ""))


def test_a_fit_takes_as_long_as_the_longest_that_is_likely():
    budget = Budget(100.0, fits=4.0, rest=1.0, began=1000.0)
    assert budget.reserve == 1.0
    for seconds in (9.0, 0.1, 0.1):  # the first one waited for the engine
        budget.learn(run(SMALL, seconds, 10))
    assert budget.reserve == pytest.approx(1.0 + 4 * 0.1)
    budget.learn(run(LARGE, 0.9, 30))
    budget.expect([SMALL, LARGE], [])
    assert budget.reserve == pytest.approx(1.0 + 4 * 3.0)
    assert budget.deadline().moment == pytest.approx(1087.0)
    assert budget.deadline(1037.0, 0.5).moment == pytest.approx(1062.0)
    budget.expect([SMALL], [SMALL, LARGE])
    assert budget.reserve == pytest.approx(1.4)


def test_what_follows_never_takes_all_the_time_and_a_recipe_with_which_it_would_is_not_afforded():
    budget = Budget(10.0, fits=4.0)
    budget.learn(run(LARGE, 3.0, 30))
    budget.learn(run(SMALL, 0.1, 10))
    assert not budget.affords(LARGE)
    assert budget.affords(SMALL)
    budget.expect([LARGE], [])
    assert budget.reserve == pytest.approx(8.0)


def test_without_a_budget_there_is_no_deadline():
    budget = Budget(None, fits=3.0)
    budget.learn(run(LARGE, 3.0, 30))
    assert budget.affords(LARGE)
    assert budget.deadline() is None
    assert not budget.is_spent


class Hasty(Workers):
    """Workers that make no more than so many plans of each call."""

    def __init__(self, workers: Workers, most: Sequence[int]) -> None:
        super().__init__(workers.folds)
        self._workers, self._most = workers, iter(most)

    def make(self, plans: Sequence[Plan], done: Any, **options: Any) -> None:
        self._workers.make(plans[: next(self._most)], done, curves=options.get("curves", False))


@pytest.fixture(scope="module")
def encoded() -> EncodedFolds:
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3))
    y = (X[:, 0] > 0).astype(int)
    folds = Folds(X, y, "classification", splits_of(2, X, y, task="classification"))
    return EncodedFolds(folds, [Recipe().encoding])


def contest(encoded: EncodedFolds, workers: Workers, kept: list[Any]) -> Contest:
    settings = [{"l2": 10.0**-place} for place in range(8)]
    recipes = [Recipe(hidden_layer_sizes=(4,), epochs=10, **setting) for setting in settings]
    return Contest(encoded, workers, 0, settings, recipes, "float32", 1, lambda trial, _: kept.append(trial.index))


def test_settings_that_are_late_are_out_and_the_others_come_to_their_end(encoded):
    kept: list[int] = []
    with Crew(1).at_work(encoded.all) as workers:
        progress = Progress(planned_fits(8, 2, 1), None)
        # At each rung: the protected one, on two folds; then the others, of which some are not made in time.
        made, is_whole = contest(encoded, Hasty(workers, [9, 7, 9, 99, 9, 99]), kept).run(Budget(1e6), progress)
    assert not is_whole
    assert sorted(made) == [0, 1, 2, 3], "of the fourth, one fold was made, and of those behind it none"
    assert {0} < set(kept) < set(made)
    assert all(made[place].is_complete for place in kept)
    assert progress.planned == progress.done


def test_settings_that_cannot_come_to_their_end_in_time_are_out_and_those_that_must_are_not(encoded, monkeypatch):
    monkeypatch.setattr(Budget, "fit", lambda _self, recipe: 1e9 if recipe.l2 > 1e-5 else 1e-3)
    kept: list[int] = []
    with Crew(1).at_work(encoded.all) as workers:
        made, is_whole = contest(encoded, workers, kept).run(Budget(1e6), Progress(0, None))
    assert not is_whole
    assert len(made) == 8
    assert 0 in kept
    assert set(kept) <= {0, 5, 6, 7}


def test_who_is_at_the_end_is_not_asked_for_more_time(encoded, monkeypatch):
    monkeypatch.setattr(Budget, "affords", lambda _self, _recipe: False)
    recipes = [Recipe(hidden_layer_sizes=(4,), epochs=2, l2=l2) for l2 in (0.1, 0.01)]
    with Crew(1).at_work(encoded.all) as workers:
        last = Contest(encoded, workers, 0, [{}, {}], recipes, "float32")
        made, is_whole = last.run(Budget(1e6), Progress(4, None))
    assert is_whole
    assert len(made) == 2


def test_a_budget_that_suffices_changes_nothing(encoded):
    kept: list[int] = []
    with Crew(1).at_work(encoded.all) as workers:
        progresses = [Progress(planned_fits(8, 2, 1), None) for _ in range(2)]
        one, is_whole = contest(encoded, workers, kept).run(Budget(None), progresses[0])
        two, _ = contest(encoded, workers, kept).run(Budget(1e6), progresses[1])
    assert is_whole
    assert [trial.to_dict() for trial in one.values()] == [trial.to_dict() for trial in two.values()]
    assert kept[: len(kept) // 2] == kept[len(kept) // 2 :]
    assert all(progress.planned == progress.done for progress in progresses)
