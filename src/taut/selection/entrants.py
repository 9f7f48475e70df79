"""Entrants: the settings that enter a race around what a recipe says must stay.

They are the portfolio without what stays, as much of it as the work is worth, and what refinements may move. Floor 5 of
the house; knows nothing of how they are raced.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from taut.errors import InvalidValue
from taut.selection.folds import EncodedFolds, Folds
from taut.selection.outcomes import Plan
from taut.selection.portfolio import PLAIN, PORTFOLIO, Entry
from taut.selection.search_result import Effort
from taut.selection.space import DESIGN, SPACE, Setting, Space
from taut.selection.work import Work
from taut.training.recipe import Recipe

__all__ = ["Entrants", "entrants"]

_USUAL = Recipe()


@dataclass(frozen=True, eq=False)
class Entrants:
    """Who enters a race.

    Attributes
    ----------
    space : Space
        What may be set, around what stays.
    plain : list of Setting
        The constant guess, which owes nothing to what stays, and linear models, as far as there may be some.
    portfolio : list of Setting
        All others, in the order in which they are left out last.
    """

    space: Space
    plain: list[Setting]
    portfolio: list[Setting]

    @property
    def settings(self) -> list[Setting]:
        """All of them, the constant guess first."""
        return [*self.plain, *self.portfolio]

    def without(self, name: str) -> Entrants:
        """Return those of the portfolio that do not set a field, or set it to 0."""
        return replace(self, portfolio=[setting for setting in self.portfolio if not setting.get(name)])

    def encoded(self, folds: Folds) -> EncodedFolds:
        """Return folds in every encoding that they ask for."""
        return EncodedFolds(folds, self.space.encodings(self.settings))

    def affordable(self, folds: Folds, work: Work) -> tuple[Entrants, Effort]:
        """Return as many of them as an amount of work is enough for, and the rounds that they make."""
        if not work.effort.coarse:  # the recipe as it is
            as_it_is = Entrants(self.space, self.plain[:1], [self.space.setting(self.space.base)])
            return as_it_is, Effort(len(as_it_is.settings), ())
        costs = []
        for setting in self.portfolio:
            recipe = self.space.recipe(setting)
            first = folds.encoded(recipe.encoding)[0]
            costs.append(first.table.cost(Plan(recipe, 0).run(first)) * len(folds))
        effort = work.within(len(folds.y), costs)
        some = replace(self, portfolio=self.portfolio[: effort.coarse])
        return some, Effort(len(some.settings), effort.finer)


def entrants(recipe: Recipe, seed: int, objective: str, task: str) -> Entrants:
    """Return who enters a race where all stays that a recipe has other than `Recipe`'s defaults.

    Examples
    --------
    >>> made = entrants(Recipe(hidden_layer_sizes=(32,), dropout=0.25), 0, "auto", "regression")
    >>> {made.space.recipe(setting).dropout for setting in made.settings[1:]}
    {0.25}
    """
    stays = {field.name for field in fields(Recipe) if getattr(recipe, field.name) != getattr(_USUAL, field.name)}
    changes: dict[str, Any] = {"early_stopping": False}
    if "seed" not in stays:
        changes["seed"] = seed
    if objective == "mae" and "loss" not in stays:
        changes["loss"] = "mae"
    base = replace(recipe, **changes)
    free = {name: dimension for name, dimension in SPACE.items() if _is_free(name, base, stays, task)}
    design = {name: dimension for name, dimension in DESIGN.items() if name not in stays}
    space = Space(base, free, task, design)

    def around(entries: Iterable[Entry]) -> list[Setting]:
        kept = [
            {name: value for name, value in entry.setting.items() if name in free or name not in {*SPACE, *stays}}
            for entry in entries
        ]
        return [setting for setting in map(space.consistent, kept) if space.allows(setting)]

    guess = {**PLAIN[0].setting, **({"l1_step": _USUAL.l1_step} if "l1_step" in stays else {})}
    if not space.allows(guess):  # what stays is for hidden layers, whose weights can all be zero as well
        del guess["hidden_layer_sizes"]
    plain = _distinct(around(PLAIN[1:]), [])
    return Entrants(space, [guess, *plain], _distinct(around(PORTFOLIO), plain))


def _is_free(name: str, base: Recipe, stays: set[str], task: str) -> bool:
    """Say whether a field that regularizes may be set beside what stays."""
    if name in stays or (name == "label_smoothing" and task != "classification"):
        return False
    # A space would give these another optimizer, or no snapshots.
    if (name == "weight_decay" and "optimizer" in stays) or (name in ("ema", "swa") and base.snapshots):
        return False
    try:
        Space(base, {name: SPACE[name]}, task)
    except InvalidValue:
        return False
    return True


def _distinct(settings: list[Setting], others: list[Setting]) -> list[Setting]:
    """Return the settings that are not among others, each once."""
    known = {json.dumps(setting, sort_keys=True) for setting in others}
    found = {key: setting for setting in settings if (key := json.dumps(setting, sort_keys=True)) not in known}
    return list(found.values())
