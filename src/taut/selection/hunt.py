"""The hunt: the rounds of a search, from the usual and the random to what lies around the best.

What a round tries is a function of the seed, its number and the trials before it, so that a search that goes on where
another was killed comes to the same end. Floor 5 of the house; knows nothing of tables or results.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from taut.random import Purpose, Random
from taut.selection.candidates import STRENGTHS
from taut.selection.crew import Workers
from taut.selection.cross_validation import Progress
from taut.selection.folds import EncodedFolds, Folds
from taut.selection.halving import Budget, Contest, planned_fits
from taut.selection.outcomes import Outcome
from taut.selection.search_result import Effort, Ingredient, rank
from taut.selection.space import Setting, Space
from taut.selection.trials import Ledger, Trial

__all__ = ["Hunt", "planned"]

# Parents of a refinement, and the reach of its first steps, as a share of a range.
_PARENTS, _REACH = 5, 0.12
# The recipe as it is, and the one without regularization, with which the choice is compared: trained to their end.
PROTECTED = 2


def planned(effort: Effort, folds: int, protected: int = PROTECTED) -> int:
    """Return how many fits, from rung to rung, the rounds of an effort are made of, those that remove aside."""
    finer = sum(planned_fits(settings, folds) for settings in effort.finer)
    return planned_fits(effort.coarse, folds, protected) + finer


@dataclass(eq=False)
class Hunt:
    """The rounds of a search.

    Attributes
    ----------
    space : Space
        What may be set.
    encoded : EncodedFolds
        The folds, in every encoding that the settings ask for.
    workers : Workers
        Who trains, on all of them.
    ledger : Ledger or None
        Where the trials are kept.
    budget, effort, dtype, progress
        How long it may take, how many settings it tries, in which floating-point type, and how far it is.
    first : sequence of Setting, optional
        The first round; by default the usual strengths, and random settings.
    protected : int
        So many of them are trained to their end in any case.
    barren : int
        From so many of them, nothing is refined, and nothing taken out.
    removals : int
        Most rounds that take the best setting's ingredients out, one by one.
    keep : callable, optional
        Given each trial that came to its end, and its outcomes.
    """

    space: Space
    encoded: EncodedFolds
    workers: Workers
    ledger: Ledger | None
    budget: Budget
    effort: Effort
    dtype: str | None
    progress: Progress
    first: Sequence[Setting] | None = None
    protected: int = PROTECTED
    barren: int = 0
    removals: int = 1000
    keep: Callable[[Trial, list[Outcome]], None] | None = None
    trials: list[Trial] = field(default_factory=list)
    is_cut_short: bool = False
    weighed: Trial | None = None

    @property
    def folds(self) -> Folds:
        """The folds."""
        return self.encoded.folds

    def run(self) -> None:
        """Make all rounds, until the budget is spent."""
        self._rounds()
        self.progress.end()

    def _rounds(self) -> None:
        sizes = (self.effort.coarse, *self.effort.finer)
        for number in count():
            if number >= len(sizes) + self.removals:
                return
            if number < len(sizes):
                settings = _new(self._proposed(number, sizes[number]), self.trials)[: sizes[number]]
                self.progress.planned -= self._planned(number, sizes[number]) - self._planned(number, len(settings))
            else:
                self.weighed = min(self.trials, key=rank)
                if self._is_barren(self.weighed):
                    return
                best = self.weighed.setting
                less = [_less(best, name) for name in best if name in self.space.dimensions]
                settings = _new(less, [one for one in self.trials if one.is_complete])
                if not settings:  # what each ingredient of the best is worth is known
                    return
            if settings and not self._make(number, settings):
                self.is_cut_short = True
                return

    def ingredients(self) -> list[Ingredient]:
        """Return what each ingredient of the best is worth; nothing, if there was no time to take them out."""
        best = self.weighed
        if self.is_cut_short or best is None:
            return []
        found = []
        tried = {_key(trial.setting): trial for trial in self.trials if trial.is_complete}
        for name, value in best.setting.items():
            other = tried.get(_key(_less(best.setting, name)))
            if other is not None:
                worth, error = self.folds.mean_and_error(other.losses - best.losses)
                found.append(Ingredient(name, value, worth, error))
        return sorted(found, key=lambda ingredient: -ingredient.worth)

    def _make(self, number: int, settings: list[Setting]) -> bool:
        """Make a round, or take it from the ledger; return whether it is whole."""
        known = None if self.ledger is None else self.ledger.recorded(number, settings, self.space)
        if known is not None:
            self.trials += known
            if number < len(self.effort.finer) + 1:
                self.progress.planned -= self._planned(number, len(settings))
            return True
        if self.budget.is_spent:
            return False
        is_removal = number > len(self.effort.finer)
        protected = len(settings) if is_removal else self.protected if number == 0 else 0
        if is_removal:
            self.progress.planned += len(settings) * len(self.folds)
        recipes = [self.space.recipe(setting) for setting in settings]
        contest = Contest(self.encoded, self.workers, number, settings, recipes, self.dtype, protected, self.keep)
        if self.ledger is None:
            made, whole = contest.run(self.budget, self.progress)
        else:
            with self.ledger.round(number, settings, self.space) as told:
                made, whole = contest.run(self.budget, self.progress)
                told.trials = made if whole else {}
        if whole or not self.trials:
            self.trials += made.values()
        else:  # only those that can be compared
            self.trials += [trial for trial in made.values() if trial.is_complete]
        return whole

    def _is_barren(self, trial: Trial) -> bool:
        return trial.round == 0 and trial.index < self.barren

    def _planned(self, number: int, settings: int) -> int:
        """Return how many fits a round of so many settings was planned with."""
        return planned_fits(settings, len(self.folds), 0 if number else self.protected)

    def _proposed(self, number: int, wanted: int) -> list[Setting]:
        """Return settings for a round, more than are needed, for some may have been tried."""
        space, random = self.space, Random(self.space.base.seed).at(purpose=Purpose.SEARCH)
        if number == 0 and self.first is not None:
            return list(self.first)
        if number == 0:
            usual = [strengths for strengths in STRENGTHS if space.has(strengths)]
            draws = [space.drawn(random.at(item=place, epoch=0)) for place in range(2 * wanted)]
            return [space.setting(space.base), {}, *usual, *draws]
        able = (trial for trial in self.trials if np.isfinite(trial.mean) and not self._is_barren(trial))
        parents = [trial.setting for trial in sorted(able, key=rank)[:_PARENTS]]
        if not parents:
            return []
        sources = (random.at(item=place, epoch=2 * number) for place in range(3 * wanted))
        made = [space.refined(parents, _REACH / 2 ** (number - 1), source) for source in sources]
        return [setting for setting in made if space.allows(setting)]


def _new(settings: list[Setting], tried: list[Trial]) -> list[Setting]:
    """Return the settings that were not tried yet, each once."""
    known = {_key(trial.setting) for trial in tried}
    return list({key: setting for setting in settings if (key := _key(setting)) not in known}.values())


def _less(setting: Setting, name: str) -> Setting:
    return {other: value for other, value in setting.items() if other != name}


def _key(setting: Setting) -> str:
    return json.dumps(setting, sort_keys=True)
