"""Successive halving: settings are trained side by side, and those that fall behind are stopped early.

At each rung, a share of the epochs, the better half goes on from where it paused, bit for bit as if it had not. K.
Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016.
Floor 5 of the house; knows nothing of how settings are proposed.
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from taut.selection.crew import Deadline, Workers
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
# With so many runs on each fold there is something to choose from.
_ENOUGH = 8
# More than this share of the time is never set aside for what follows.
_MOST_RESERVED = 0.8
# Where next to nothing was trained, nothing is known of the pace.
_SLOWEST = 0.1


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
    _fits_of: dict[Recipe, list[float]] = field(default_factory=dict, repr=False)
    _likely: set[Recipe] = field(default_factory=set, repr=False)

    def learn(self, run: FinishedRun) -> None:
        """Learn from a run how long a whole fit of its recipe takes."""
        recipe, epochs = run.planned.recipe, len(run.columns.get("seconds", ()))
        if self.seconds is not None and epochs:
            insort(self._fits_of.setdefault(recipe, []), _seconds(run) / epochs * recipe.epochs)

    def expect(self, kept: Iterable[Recipe], out: Iterable[Recipe]) -> None:
        """Reckon with fits of those that were kept, and no more of those that are out."""
        self._likely = (self._likely - set(out)) | set(kept)

    def affords(self, recipe: Recipe) -> bool:
        """Say whether in the time that is left a recipe can be fitted as often as will be asked, with some to spare."""
        if self.seconds is None:
            return True
        return self.rest + self.fits * self.fit(recipe) <= _MOST_RESERVED * (self.began + self.seconds - time.time())

    @property
    def reserve(self) -> float:
        """Seconds that what follows the search may take, at most a share of all, so that there is a search."""
        return min(self.rest + self.fits * self._a_fit, _MOST_RESERVED * (self.seconds or 0.0))

    def needed(self, folds: int) -> float:
        """Return a budget, in whole seconds, with which some settings could be tried."""
        fits = self.fits + _ENOUGH * folds
        return float(np.ceil(2.0 * (self.seconds or 0.0) + self.rest + fits * self._a_fit))

    @property
    def _a_fit(self) -> float:
        """Seconds of the longest fit that is likely to be asked for; as long as none is, of an ordinary one."""
        if self._likely:
            return max(map(self.fit, self._likely))
        fits = sorted(map(self.fit, list(self._fits_of)))  # a copy: threads ask, while another learns
        return fits[len(fits) // 2] if fits else 0.0

    def fit(self, recipe: Recipe) -> float:
        """Return the seconds of a fit, in the median, because the first runs may wait for the engine."""
        own = self._fits_of.get(recipe)
        return own[len(own) // 2] if own else 0.0

    def deadline(self, since: float | None = None, share: float = 1.0) -> Deadline | None:
        """Return when the search must end, as far as is known by now, or when a share of it since a moment is over."""
        if self.seconds is None:
            return None
        end = self.began + self.seconds - self.reserve
        return Deadline(end if since is None else since + share * (end - since))

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


def _shares_of_time(rungs: Sequence[float]) -> list[float]:
    """Return of the time that is left at each rung how much it may take, so that it is enough for those behind it."""
    work = np.diff([0.0, *rungs]) * _KEPT ** np.arange(len(rungs))
    return (work / np.cumsum(work[::-1])[::-1]).tolist()


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
        Given each trial that came to its end, and its outcomes, one a fold.
    """

    encoded: EncodedFolds
    workers: Workers
    round: int
    settings: Sequence[Setting]
    recipes: Sequence[Recipe]
    dtype: str | None
    protected: int = 0
    keep: Callable[[Trial, list[Outcome]], None] | None = None

    @property
    def folds(self) -> Folds:
        """The folds."""
        return self.encoded.folds

    def run(self, budget: Budget, progress: Progress) -> tuple[dict[int, Trial], bool]:
        """Return what became of each setting, and whether the contest came to its end.

        Each rung has its share of the time that is left. A setting that is not there by then is out, as is one with
        which there would be no time for what follows, and the others go on: so a short budget tries fewer settings, not
        all of them halfway.
        """
        trials: dict[int, Trial] = {}
        paused: dict[tuple[int, int], FinishedRun] = {}
        alive, rungs, is_whole = list(range(len(self.recipes))), self._rungs(len(self.recipes)), True
        before, expected = progress.done, planned_fits(len(alive), len(self.folds), self.protected)
        for rung, share in zip(rungs, _shares_of_time(rungs), strict=True):
            surplus = progress.done - before + len(alive) * len(self.folds) - expected
            if surplus > 0:
                expected, progress.planned = expected + surplus, progress.planned + surplus
            began = time.time()
            outcomes = self._climb(alive, rung, share, paused, budget, progress)
            there = [place for place in alive if len(outcomes[place]) == len(self.folds)]
            for place in there:
                trials[place] = self._trial(place, rung, outcomes[place], trials.get(place))
                if rung == 1.0 and self.keep is not None:
                    self.keep(trials[place], outcomes[place])
            sure = self.protected if rung < 1.0 else len(self.recipes)  # who is at the end needs no more time
            able = [place for place in there if place < sure or budget.affords(self._recipes[place])]
            better = self._kept(able, trials)
            kept = self._in_time(better, outcomes, paused, rung, time.time() - began, budget)
            is_whole = is_whole and len(able) == len(alive) and len(kept) == len(better)
            budget.expect((self._recipes[place] for place in kept), (self._recipes[place] for place in alive))
            alive = kept
            paused = {(place, fold): outcome.run for place in alive for fold, outcome in enumerate(outcomes[place])}
            if not alive:
                break
        progress.planned -= expected - (progress.done - before)
        return trials, is_whole

    @cached_property
    def _recipes(self) -> list[Recipe]:
        """The recipes as they are trained."""
        return [in_precision(recipe, self.dtype) for recipe in self.recipes]

    def _kept(self, there: Sequence[int], trials: dict[int, Trial]) -> list[int]:
        """Return who goes on: those that must, and the better half, best first, for whom the time is to be enough."""
        ranked = sorted(there, key=lambda place: (place >= self.protected, trials[place].mean, place))
        better = sorted(there, key=lambda place: (trials[place].mean, place))[: _survivors(len(there))]
        return [
            place for place in ranked if (place < self.protected or place in better) and np.isfinite(trials[place].mean)
        ]

    def _in_time(
        self,
        kept: Sequence[int],
        outcomes: dict[int, list[Outcome]],
        paused: dict[tuple[int, int], FinishedRun],
        rung: float,
        elapsed: float,
        budget: Budget,
    ) -> list[int]:
        """Return those of the kept, best first, that can come to their end, at the pace of the last rung, in time."""
        deadline = budget.deadline()
        if deadline is None or rung == 1.0:
            return list(kept)
        ends = [_seconds(outcome.run) for own in outcomes.values() for outcome in own]
        starts = [_seconds(run) for (place, _), run in paused.items() if outcomes[place]]
        # Seconds of training in a second, on however many threads.
        pace = max((sum(ends) - sum(starts)) / elapsed, _SLOWEST)
        left, able = deadline.moment - time.time(), []
        for place in kept:
            way = (1.0 - rung) * budget.fit(self._recipes[place]) * len(self.folds) / pace
            if place < self.protected or way <= left:
                able.append(place)
                left -= (_KEPT if rung < RUNGS[-1] else 1.0) * way  # of several, some will fall behind
        return able

    def _rungs(self, settings: int) -> list[float]:
        """Return the shares of the epochs at which settings are compared, as far as they are different epochs."""
        fewest = min(recipe.epochs for recipe in self.recipes)
        rungs = [rung for rung in _rungs(settings, self.protected) if rung == 1.0 or round(rung * fewest) >= 1]
        return [rung for rung in rungs if rung == 1.0 or _epochs_of(fewest, rung) < fewest]

    def _climb(
        self,
        alive: Sequence[int],
        rung: float,
        share: float,
        paused: dict[tuple[int, int], FinishedRun],
        budget: Budget,
        progress: Progress,
    ) -> dict[int, list[Outcome]]:
        """Train to the next rung, in a share of the time that is left; return the outcomes of each, one a fold."""
        where = [(place, fold) for place in alive for fold in range(len(self.folds))]
        found: dict[tuple[int, int], Outcome] = {}
        left = dict.fromkeys(alive, len(self.folds))
        plans = [
            Plan(
                self._recipes[place],
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

        if budget.seconds is None:
            self.workers.make(plans, keep)
        else:  # first those that must come to their end, which stand first, in whatever time there is
            sure = sum(place < self.protected for place, _ in where)
            self.workers.make(plans[:sure], keep, deadline=budget.deadline)
            when = partial(budget.deadline, time.time(), share)
            self.workers.make(plans[sure:], lambda index, outcome: keep(sure + index, outcome), deadline=when)
        return {
            place: [found[place, fold] for fold in range(len(self.folds)) if (place, fold) in found] for place in alive
        }

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


def _seconds(run: FinishedRun) -> float:
    """Return how long a run has been trained; one that broke at once has no history."""
    seconds = run.columns.get("seconds")
    return 0.0 if seconds is None or not len(seconds) else float(seconds[-1])


def _epochs(recipe: Recipe, rung: float) -> int:
    return _epochs_of(recipe.epochs, rung)


def _epochs_of(epochs: int, rung: float) -> int:
    return max(round(rung * epochs), 1)
