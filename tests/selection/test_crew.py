"""The crew: whoever makes the plans, and in how many hands, the outcomes are the same to the last bit."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from taut import Recipe, load_sample
from taut.data.encoding import Encoding
from taut.errors import InvalidType, InvalidValue, TautError
from taut.selection import crew as room
from taut.selection.crew import Crew, Deadline
from taut.selection.cross_validation import cross_validate
from taut.selection.folds import Fold, Folds, splits_of
from taut.selection.outcomes import Outcome, Plan

RECIPES = [
    Recipe(epochs=4, hidden_layer_sizes=(6,), batch_size=16, **settings)
    for settings in (
        {},
        {"dropout": 0.3, "dtype": "float32"},
        {"normalization": "batch", "ema": 0.9},
        {"mixup": 0.3, "l1": 1e-3},
        {"optimizer": "sgd", "learning_rate": 1e300, "activation": "identity"},  # which diverges
    )
]


@pytest.fixture(scope="module")
def folds() -> list[Fold]:
    frame, target = load_sample("wine")
    X, y = frame.drop(columns=target), frame[target]
    return Folds(X, y, "classification", splits_of(3, X, y, task="classification")).encoded(Encoding())


def plans(folds: list[Fold]) -> list[Plan]:
    return [Plan(recipe, fold) for recipe in RECIPES for fold in range(len(folds))]


def made(crew: Crew, folds: list[Fold], planned: list[Plan], **options) -> list[Outcome]:
    found: dict[int, Outcome] = {}
    with crew.at_work(folds) as workers:
        workers.make(planned, found.__setitem__, **options)
    assert sorted(found) == list(range(len(planned)))
    return [found[place] for place in range(len(planned))]


def bits(outcome: Outcome) -> dict[str, object]:
    """Return everything in an outcome but the clock, for comparison bit by bit."""
    arrays = ("answers", "training_curve", "validation_curve", "norms", "zeros", "input_norms")
    numbers = np.array([outcome.loss, outcome.training, outcome.penalty])
    columns = {name: values.tobytes() for name, values in outcome.run.columns.items() if name != "seconds"}
    return {
        **{name: getattr(outcome, name).tobytes() for name in arrays},
        "numbers": numbers.tobytes(),
        "metrics": repr((outcome.metrics, outcome.training_metrics)),
        "state": (outcome.run.state.dtype.name, outcome.run.state.tobytes()),
        "columns": columns,
        "stopped": (outcome.run.stopped, str(outcome.run.error), outcome.diverged),
    }


@pytest.fixture(scope="module")
def alone(folds) -> list[dict[str, object]]:
    """Return the outcomes of one thread."""
    return [bits(outcome) for outcome in made(Crew(n_jobs=1), folds, plans(folds), curves=True)]


@pytest.mark.parametrize(
    "crew",
    [Crew(), Crew(n_jobs=2), Crew(n_jobs=7), Crew(2, "threading"), Crew(2, "loky"), Crew(1, "sequential")],
    ids=str,
)
def test_who_makes_the_plans_does_not_change_a_bit(folds, alone, crew):
    assert [bits(outcome) for outcome in made(crew, folds, plans(folds), curves=True)] == alone


def test_outcomes_do_not_depend_on_what_else_is_planned(folds, alone):
    planned = plans(folds)
    for crew in (Crew(n_jobs=2), Crew(2, "threading")):
        found = made(crew, folds, planned[::-2], curves=True)
        assert [bits(outcome) for outcome in found] == alone[::-2]


def test_a_plan_that_diverges_does_not_end_the_others(folds):
    outcomes = made(Crew(n_jobs=2), folds, plans(folds))
    lost = [outcome.diverged for outcome in outcomes]
    assert lost == [False] * 12 + [True] * 3
    assert all(outcome.loss == np.inf for outcome in outcomes[12:])
    assert all(np.isfinite(outcome.loss) for outcome in outcomes[:12])


@pytest.mark.parametrize("backend", [None, "threading", "loky"])
def test_a_plan_that_pauses_goes_on_in_other_hands_as_if_it_had_not(folds, alone, backend):
    planned = plans(folds)[:12]
    paused = made(Crew(2, backend), folds, [Plan(plan.recipe, plan.fold, until=2) for plan in planned], curves=True)
    assert all(outcome.run.stopped == "paused" for outcome in paused)
    rest = [Plan(plan.recipe, plan.fold, resume=one.run) for plan, one in zip(planned, paused, strict=True)]
    assert [bits(outcome) for outcome in made(Crew(2, backend), folds, rest, curves=True)] == alone[:12]


@pytest.mark.parametrize("backend", [None, "threading"])
def test_after_the_deadline_nothing_more_is_made(folds, backend):
    found: dict[int, Outcome] = {}
    with Crew(1, backend).at_work(folds) as workers:
        workers.make(plans(folds), found.__setitem__, deadline=lambda: Deadline.after(-1.0))
        assert found == {}
        workers.make(plans(folds)[:3], found.__setitem__, deadline=lambda: Deadline.after(3600.0))
    assert sorted(found) == [0, 1, 2]


@pytest.mark.parametrize("backend", [None, "threading"])
def test_an_error_of_whom_it_is_told_comes_back(folds, backend):
    def refuse(place: int, outcome: Outcome) -> None:
        raise ZeroDivisionError(place)

    with pytest.raises(ZeroDivisionError), Crew(1, backend).at_work(folds) as workers:
        workers.make(plans(folds)[:3], refuse)


def test_a_worker_that_is_lost_is_said_in_one_line(folds, monkeypatch):
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(room, "_piece", die)
    with (
        pytest.raises(TautError, match="a worker of the backend was lost") as caught,
        Crew(2, "loky").at_work(folds) as w,
    ):
        w.make(plans(folds)[:4], lambda *_: None)
    assert "\n" not in str(caught.value)


def test_the_backend_is_that_of_the_block_only(folds):
    from joblib.parallel import get_active_backend

    before = type(get_active_backend()[0])
    with Crew(2, "threading").at_work(folds):
        assert type(get_active_backend()[0]).__name__ == "ThreadingBackend"
    assert type(get_active_backend()[0]) is before


# --------------------------------------------------------------------------------------------------------- refusals


def test_an_unknown_backend_is_refused_in_one_line(folds):
    with (
        pytest.raises(InvalidValue, match="backend 'nobody' cannot be used: ") as caught,
        Crew(1, "nobody").at_work(folds),
    ):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"n_jobs": 0}, InvalidValue, "n_jobs must be an integer at least 1, got 0"),
        ({"n_jobs": -1}, InvalidValue, "n_jobs must be an integer at least 1, got -1"),
        ({"n_jobs": 1.5}, TautError, "n_jobs must be an integer at least 1, got 1.5"),
        ({"n_jobs": "all"}, InvalidType, "n_jobs must be an integer at least 1, got 'all'"),
        ({"backend": 3}, InvalidType, "backend must be the name of a joblib backend, got 3"),
    ],
    ids=str,
)
def test_an_unusable_crew_is_refused_in_one_line(given, error, words):
    with pytest.raises(error, match=words) as caught:
        Crew(**given)
    assert "\n" not in str(caught.value)


def test_cross_validation_hands_its_crew_on():
    frame, target = load_sample("wine")
    X, y = frame.drop(columns=target), frame[target]
    options = {"task": "classification", "splits": splits_of(2, X, y, task="classification")}
    one, two = (
        cross_validate(RECIPES[:2], X, y, **options, **who) for who in ({"n_jobs": 1}, {"backend": "threading"})
    )
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left.losses, right.losses)
    with pytest.raises(InvalidValue, match="backend 'nobody' cannot be used"):
        cross_validate(RECIPES[:1], X, y, **options, backend="nobody")
