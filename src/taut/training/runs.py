"""Runs: what a population is asked to make, and what became of it.

Floor 4 of the house; knows nothing of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from taut.checks import check_number, shown
from taut.data.inputs import Inputs
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
    table : int, default 0
        Which of the tables it is made on, for `train_population`.
    start : ndarray, shape (parameters + statistics,), optional
        Weights and statistics to start from, such as the `state` of a finished run; by default they are drawn.
    until : int, optional
        Pause after so many epochs, if the recipe has more.
    resume : FinishedRun, optional
        A paused run of the same recipe on the same rows, to go on with as if it had not paused.
    """

    recipe: Recipe
    rows: np.ndarray | None = None
    validation_rows: np.ndarray | None = None
    seed: int | None = None
    table: int = 0
    start: np.ndarray | None = None
    until: int | None = None
    resume: FinishedRun | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.recipe, Recipe):
            raise InvalidType(f"a planned run needs a Recipe, got {shown(self.recipe)}")
        if self.seed is not None:
            object.__setattr__(self, "recipe", replace(self.recipe, seed=self.seed))
        if self.recipe.early_stopping and self.validation_rows is None:
            raise InvalidValue("a recipe with early_stopping=True needs validation_rows")
        if self.until is not None:
            check_number("until", self.until, at_least=1, integer=True)
        if self.recipe.early_stopping and (self.until is not None or self.resume is not None):
            raise InvalidValue("a run that stops early cannot pause or resume; give early_stopping=False")
        if self.resume is not None and self.resume.progress is None:
            raise InvalidValue(f"only a paused run can be resumed, got one that ended by: {self.resume.stopped}")

    @property
    def last_epoch(self) -> int:
        """How many epochs the run is to have made when it ends or pauses."""
        return self.recipe.epochs if self.until is None else min(self.until, self.recipe.epochs)


@dataclass(eq=False)
class FinishedRun:
    """What became of a planned run.

    Attributes
    ----------
    planned : PlannedRun
        What was planned.
    stopped : str
        "epochs", "early stopping", "paused", "cancelled", "interrupted", or "not finite".
    error : NonFiniteLoss or None
        Why it broke off, if its loss was not finite.
    best_epoch : int or None
        The epoch whose weights it has, if it stopped early.
    state : ndarray, shape (parameters + statistics,)
        Weights and statistics of the network.
    columns : dict of str to ndarray, shape (epochs,)
        The columns of its history.
    progress : State or None
        What a paused run needs to go on.
    """

    planned: PlannedRun
    stopped: str
    error: NonFiniteLoss | None
    best_epoch: int | None
    state: np.ndarray
    columns: Columns
    _metric_name: str = field(repr=False)
    _shape: tuple[Inputs, int, str] = field(repr=False)
    progress: State | None = field(default=None, repr=False)

    @cached_property
    def network(self) -> Network:
        """The trained network."""
        inputs, n_outputs, task = self._shape
        return self.planned.recipe.build(inputs, n_outputs, task, state=self.state)[0]

    @cached_property
    def history(self) -> History:
        """The course of the run."""
        history = History(self._metric_name)
        history.add(self.columns)
        history.stopped, history.best_epoch = self.stopped, self.best_epoch
        history.state = State(restored=True)
        return history
