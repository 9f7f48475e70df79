"""The walk: who trains what along the values of a path, all at once, or each from where the one before it ended.

With warm starts a walk goes from the weakest to the strongest penalty, from dense to sparse: the other way, a network
that has been silenced would never speak again. That is how inputs leave one by one: trained from the start at each
strength, a network has many of them or none, because zero is a local minimum at any strength (see
`taut.selection.largest`), and which side of it training ends on is decided for all of them at once. Walking from dense
to sparse is what LassoNet does (I. Lemhadri, F. Ruan, L. Abraham and R. Tibshirani, JMLR 22, 2021). Floor 5 of the
house; knows nothing of what is made of the outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from taut.selection.axes import Axis
from taut.selection.crew import Crew, Report, Workers
from taut.selection.cross_validation import Progress, in_precision
from taut.selection.fold_models import model_of
from taut.selection.folds import Folds
from taut.selection.outcomes import Outcome, Plan
from taut.training.model import Model
from taut.training.recipe import Recipe

__all__ = ["Walk"]

# So many values more than were asked for, at most, until no input is left.
_FURTHER = 100


@dataclass(frozen=True, eq=False)
class Walk:
    """The values of a path, and the folds to walk along them.

    Attributes
    ----------
    axis : Axis
        Along what.
    grid : ndarray, shape (values,)
        The values, from the most to the least regularized.
    base : Recipe
        What stays as it is.
    folds : Folds
        The folds, and as the last of them, all rows.
    warm_start : bool
        Whether each value starts from the weights of the one before it.
    """

    axis: Axis
    grid: np.ndarray
    base: Recipe
    folds: Folds
    warm_start: bool

    @property
    def recipes(self) -> list[Recipe]:
        """The recipe at each value."""
        return [self.axis.recipe(self.base, value) for value in self.grid]

    @property
    def on_all(self) -> int:
        """The position of the fold that is all rows."""
        return len(self.folds) - 1

    def outcomes(
        self,
        workers: Workers,
        positions: Sequence[int],
        progress: Progress,
        *,
        dtype: str | None,
        until: int = 0,
        curves: bool = False,
        starts: Sequence[np.ndarray | None] | None = None,
    ) -> list[list[Outcome]]:
        """Return for each value its outcome on some of the folds.

        Parameters
        ----------
        workers : Workers
            Who trains.
        positions : sequence of int
            Which folds.
        progress : Progress
            Told of each fit.
        dtype : str or None
            Floating-point type of the networks; None is that of the recipe.
        until : int, default 0
            The value to end at, with warm starts; the outcomes of those before it are empty lists.
        curves : bool, default False
            Keep the whole history of the runs.
        starts : sequence of ndarray, optional
            With warm starts, the weights to begin with on each fold.
        """
        recipes = [in_precision(recipe, dtype) for recipe in self.recipes]
        found: list[list[Any]] = [[] if place < until else [None] * len(positions) for place in range(len(recipes))]
        places = range(until, len(recipes))
        steps = [[place] for place in reversed(places)] if self.warm_start else [list(places)]
        begin: list[np.ndarray | None] = list(starts or [None] * len(positions))
        for step in steps:
            where = [(place, fold) for place in step for fold in range(len(positions))]
            plans = [Plan(recipes[place], positions[fold], start=begin[fold]) for place, fold in where]

            def keep(index: int, outcome: Outcome, where: list[tuple[int, int]] = where) -> None:
                place, fold = where[index]
                found[place][fold] = outcome if curves else outcome.without_columns()
                is_complete = all(found[place]) and len(positions) > 1
                mean = float(np.mean([one.loss for one in found[place]])) if is_complete else None
                progress.add(f"{self.axis.label} {self.grid[place]:.3g}", mean)

            workers.make(plans, keep, curves=curves)
            if self.warm_start:
                begin = [None if one.diverged else one.run.state for one in found[step[0]]]
        return found

    def further(
        self, workers: Workers, on_all: list[Outcome], progress: Progress, *, dtype: str | None
    ) -> tuple[Walk, list[Outcome]]:
        """Walk on beyond the strongest value, in steps as large as the last, until no input is left on all rows."""
        grid, ratio = list(self.grid), self.grid[0] / self.grid[1]
        while np.any(on_all[0].input_norms > 0) and not on_all[0].diverged and len(grid) < len(self.grid) + _FURTHER:
            grid.insert(0, grid[0] * ratio)
            one = replace(self, grid=np.array(grid[:1]))
            progress.planned += 1
            made = one.outcomes(workers, [self.on_all], progress, dtype=dtype, starts=[on_all[0].run.state])
            on_all = [made[0][0], *on_all]
        return replace(self, grid=np.array(grid)), on_all

    def models(
        self, value: int, positions: Sequence[int], crew: Crew | None = None, report: Report | None = None
    ) -> list[Model]:
        """Walk again up to a value, in the recipe's own type, and return the models there, one for each fold."""
        encoded = self.folds.encoded(self.base.encoding)
        progress = Progress((len(self.grid) - value) * len(positions), report)
        with (crew or Crew()).at_work(encoded) as workers:
            found = self.outcomes(workers, positions, progress, dtype=None, until=value, curves=True)[value]
        return [model_of(outcome, encoded[fold]) for outcome, fold in zip(found, positions, strict=True)]
