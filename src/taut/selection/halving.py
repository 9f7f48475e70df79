"""Successive halving: settings are trained side by side, and those that fall behind are stopped early.

At each rung, a share of the epochs, the better half goes on from where it paused, bit for bit as if it had not. K.
Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016.
Floor 5 of the house; knows nothing of how settings are proposed.
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from taut.selection.crew import Deadline, Workers, never
from taut.selection.cross_validation import Progress, in_precision
from taut.selection.folds import EncodedFolds, Folds
from taut.selection.objectives import METRICS
from taut.selection.outcomes import Outcome, Plan
from taut.selection.space import Setting
from taut.selection.trials import Trial
from taut.training.recipe import Recipe
from taut.training.runs import FinishedRun

__all__ = ["RUNGS", "Budget", "Contest", "planned_fits"]

#: Shares of the epochs after which the worse half is stopped. Earlier ones mislead, since the learning rate is high.
RUNGS = (0.3, 0.6)
_KEPT = 0.5
# Runs from which on it is known how long one takes.
_ENOUGH = 8


@dataclass
class Budget:
    """How long a search may take, and how long what follows it will.

    Attributes
    ----------
    seconds : float or None
        The whole; None is as long as it takes.
    fits : float
        Fits to one fold, one after another, that are still to be made when the search has ended.
    rest : float
        Seconds that whatever else follows takes.
    began : float
        When the time began to run.
    """

    seconds: float | None
    fits: float = 0.0
    rest: float = 0.0
    began: float = field(default_factory=time.time)
    _an_epoch: list[float] = field(default_factory=list, repr=False)
    _epochs: int = 0

    def learn(self, run: FinishedRun) -> None:
        """Learn from a run how long a fit takes."""
        seconds = run.columns.get("seconds")
        if self.seconds is not None and seconds is not None and len(seconds):
            insort(self._an_epoch, float(seconds[-1]) / len(seconds))
            self._epochs = run.planned.recipe.epochs

    @property
    def reserve(self) -> float:
        """Seconds that what follows the search will take: a median, because the first runs may wait for the engine."""
        return self.rest + (self.fits * self._a_fit if len(self._an_epoch) >= _ENOUGH else 0.0)

    def needed(self, folds: int) -> float:
        """Return a budget, in whole seconds, with which some settings could be tried."""
        fits = self.fits + _ENOUGH * folds
        return float(np.ceil(2.0 * (self.seconds or 0.0) + self.rest + fits * self._a_fit))

    @property
    def _a_fit(self) -> float:
        return self._an_epoch[len(self._an_epoch) // 2] * self._epochs if self._an_epoch else 0.0

    def deadline(self) -> Deadline | None:
        """Return when the search must end, as far as is known by now."""
        return None if self.seconds is None else Deadline(self.began + self.seconds - self.reserve)

    @property
    def is_spent(self) -> bool:
        """Whether the search must end now."""
        deadline = self.deadline()
        return deadline is not None and deadline.is_over


def planned_fits(settings: int, folds: int, protected: int = 0) -> int:
    """Return of how many fits, from rung to rung, a contest of so many settings is made, or somewhat fewer."""
    total = 0
    for _ in _rungs(settings, protected):
        total += settings
        settings = min(max(_survivors(settings), protected), settings)
    return total * folds


def _rungs(settings: int, protected: int) -> tuple[float, ...]:
    """Return the shares of the epochs at which so many settings are compared."""
    return (*RUNGS, 1.0) if settings > max(protected, 2) else (1.0,)


def _survivors(settings: int) -> int:
    return max(int(np.ceil(_KEPT * settings)), min(settings, 2))


@dataclass(eq=False)
class Contest:
    """One round of settings on the same folds.

    Attributes
    ----------
    encoded : EncodedFolds
        The folds, in every encoding that the recipes ask for.
    workers : Workers
        Who trains, on all of them.
    round : int
        Its number.
    settings, recipes : list
        Who takes part.
    dtype : str or None
        Floating-point type in which the choice is made; None is each recipe's own.
    protected : int
        So many, from the first on, are trained to their end in any case.
    keep : callable or None
        Given the position of each setting that came to its end, and its outcomes, one a fold.
    """

    encoded: EncodedFolds
    workers: Workers
    round: int
    settings: Sequence[Setting]
    recipes: Sequence[Recipe]
    dtype: str | None
    protected: int = 0
    keep: Callable[[int, list[Outcome]], None] | None = None

    @property
    def folds(self) -> Folds:
        """The folds."""
        return self.encoded.folds

    def run(self, budget: Budget, progress: Progress) -> tuple[dict[int, Trial], bool]:
        """Return what became of each setting, and whether the contest came to its end."""
        trials: dict[int, Trial] = {}
        paused: dict[tuple[int, int], FinishedRun] = {}
        alive = list(range(len(self.recipes)))
        expected, made = planned_fits(len(alive), len(self.folds), self.protected), 0
        for rung in self._rungs(len(alive)):
            made += len(alive) * len(self.folds)
            progress.planned += max(made - expected, 0)
            expected = max(made, expected)
            whole, outcomes = self._climb(alive, rung, paused, budget, progress)
            for place in alive:
                if len(outcomes[place]) == len(self.folds):
                    trials[place] = self._trial(place, rung, outcomes[place], trials.get(place))
                    if rung == 1.0 and self.keep is not None:
                        self.keep(place, outcomes[place])
            if not whole:
                return trials, False
            paused = {(place, fold): outcome.run for place in alive for fold, outcome in enumerate(outcomes[place])}
            ranked = sorted(alive, key=lambda place: (trials[place].mean, place))
            kept = set(ranked[: _survivors(len(alive))]) | set(range(self.protected))
            alive = [place for place in alive if place in kept and np.isfinite(trials[place].mean)]
            if not alive:
                break
        progress.planned -= expected - made
        return trials, True

    def _rungs(self, settings: int) -> list[float]:
        """Return the shares of the epochs at which settings are compared, as far as they are different epochs."""
        fewest = min(recipe.epochs for recipe in self.recipes)
        rungs = [rung for rung in _rungs(settings, self.protected) if rung == 1.0 or round(rung * fewest) >= 1]
        return [rung for rung in rungs if rung == 1.0 or _epochs_of(fewest, rung) < fewest]

    def _climb(
        self,
        alive: Sequence[int],
        rung: float,
        paused: dict[tuple[int, int], FinishedRun],
        budget: Budget,
        progress: Progress,
    ) -> tuple[bool, dict[int, list[Outcome]]]:
        """Train to the next rung; return whether all got there, and the outcomes of each that did on every fold."""
        where = [(place, fold) for place in alive for fold in range(len(self.folds))]
        found: dict[tuple[int, int], Outcome] = {}
        left = dict.fromkeys(alive, len(self.folds))
        plans = [
            Plan(
                in_precision(self.recipes[place], self.dtype),
                self.encoded.place(self.recipes[place].encoding, fold),
                _epochs(self.recipes[place], rung),
                paused.get((place, fold)),
            )
            for place, fold in where
        ]

        def keep(index: int, outcome: Outcome) -> None:
            place, _ = where[index]
            found[where[index]] = outcome
            budget.learn(outcome.run)
            left[place] -= 1
            mean = None
            if rung == 1.0 and not left[place]:
                mean = float(np.mean([found[place, fold].loss for fold in range(len(self.folds))]))
            progress.add(f"round {self.round + 1}, {self.recipes[place].describe()}", mean)

        self.workers.make(plans, keep, deadline=never if budget.seconds is None else budget.deadline)
        outcomes = {
            place: [found[place, fold] for fold in range(len(self.folds)) if (place, fold) in found] for place in alive
        }
        return len(found) == len(where), outcomes

    def _trial(self, place: int, rung: float, outcomes: Sequence[Outcome], before: Trial | None) -> Trial:
        recipe, losses = self.recipes[place], np.array([outcome.loss for outcome in outcomes])
        mean, error = self.folds.mean_and_error(losses)
        epochs = _epochs(recipe, rung)
        return Trial(
            round=self.round,
            index=place,
            setting=self.settings[place],
            recipe=recipe,
            epochs=epochs,
            mean=mean,
            standard_error=error,
            losses=losses,
            training=float(np.mean([outcome.training for outcome in outcomes])),
            scores={
                name: self.folds.mean_and_error(np.array([outcome.metrics[name] for outcome in outcomes]))
                for name in METRICS[self.folds.task]
            },
            course=({} if before is None else before.course) | {epochs: mean},
        )


def _epochs(recipe: Recipe, rung: float) -> int:
    return _epochs_of(recipe.epochs, rung)


def _epochs_of(epochs: int, rung: float) -> int:
    return max(round(rung * epochs), 1)
