"""Runs: what a population is asked to make, and what became of it.

Floor 4 of the house; knows nothing of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from taut.checks import shown
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.network import Network
from taut.training.history import History, State
from taut.training.loops import Columns
from taut.training.recipe import Recipe

__all__ = ["FinishedRun", "PlannedRun"]


@dataclass(frozen=True, eq=False)
class PlannedRun:
    """A run that is still to be made.

    Parameters
    ----------
    recipe : Recipe
        All that defines the run but the data.
    rows : array of int, optional
        The rows to train on; all by default.
    validation_rows : array of int, optional
        Rows to look at after each epoch; if the recipe stops early, they say when.
    seed : int, optional
        Takes the place of the recipe's.
    """

    recipe: Recipe
    rows: np.ndarray | None = None
    validation_rows: np.ndarray | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.recipe, Recipe):
            raise InvalidType(f"a planned run needs a Recipe, got {shown(self.recipe)}")
        if self.seed is not None:
            object.__setattr__(self, "recipe", replace(self.recipe, seed=self.seed))
        if self.recipe.early_stopping and self.validation_rows is None:
            raise InvalidValue("a recipe with early_stopping=True needs validation_rows")


@dataclass(eq=False)
class FinishedRun:
    """What became of a planned run.

    Attributes
    ----------
    planned : PlannedRun
        What was planned.
    stopped : str
        "epochs", "early stopping", "cancelled", "interrupted", or "not finite".
    error : NonFiniteLoss or None
        Why it broke off, if its loss was not finite.
    best_epoch : int or None
        The epoch whose weights it has, if it stopped early.
    state : ndarray, shape (parameters + statistics,)
        Weights and statistics of the network.
    columns : dict of str to ndarray, shape (epochs,)
        The columns of its history.
    """

    planned: PlannedRun
    stopped: str
    error: NonFiniteLoss | None
    best_epoch: int | None
    state: np.ndarray
    columns: Columns
    _metric_name: str = field(repr=False)
    _shape: tuple[int, int, str] = field(repr=False)

    @cached_property
    def network(self) -> Network:
        """The trained network."""
        n_inputs, n_outputs, task = self._shape
        network, _, _ = self.planned.recipe.build(n_inputs, n_outputs, task)
        network.state[:] = self.state
        return network

    @cached_property
    def history(self) -> History:
        """The course of the run."""
        history = History(self._metric_name)
        history.add(self.columns)
        history.stopped, history.best_epoch = self.stopped, self.best_epoch
        history.state = State(restored=True)
        return history
