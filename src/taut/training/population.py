"""The population: many fits at once, on threads over one copy of the data.

A planned run is a recipe, the rows it trains on, the rows it is validated on, and a seed. Each thread takes the longest
run that is left and trains it in compiled code, which needs no other thread; so the result does not depend on how many
there are, and is that of the same runs trained one by one. Floor 4 of the house; knows nothing of how settings are
chosen.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from taut.checks import check_choice, check_flag, check_number, shown
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.network import Loss, Network
from taut.random import Random
from taut.training.callbacks import EarlyStopping, Run
from taut.training.history import History, State
from taut.training.loops import Columns, CompiledLoop
from taut.training.objective import Objective, objective_of
from taut.training.recipe import TASKS, Recipe
from taut.training.setup import Setup

__all__ = ["FinishedRun", "PlannedRun", "train_many"]


@dataclass(frozen=True)
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

    @property
    def cost(self) -> float:
        """A measure of how long the run takes, for the order in which runs are made."""
        rows = 1 if self.rows is None else len(self.rows)
        widths = (1, *self.recipe.hidden_layer_sizes, 1)
        return float(self.recipe.epochs * rows * sum(a * b for a, b in pairwise(widths)))


@dataclass
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


def train_many(
    runs: Sequence[PlannedRun],
    X: np.ndarray,
    y: np.ndarray,
    *,
    task: str = "classification",
    sample_weight: np.ndarray | None = None,
    class_weight: tuple[float, ...] | None = None,
    evaluate_training: bool = True,
    n_threads: int | None = None,
    on_finish: Callable[[int, FinishedRun], None] | None = None,
    is_cancelled: Callable[[int], bool] | None = None,
    progress: bool = False,
) -> list[FinishedRun]:
    """Train a population of networks on one table.

    Parameters
    ----------
    runs : sequence of PlannedRun
        What to train; they may differ in every field of their recipes.
    X : array-like, shape (samples, inputs)
        Inputs, as numbers, scaled; of the runs' floating-point type there is one copy at most.
    y : array-like, shape (samples,) or (samples, outputs)
        Integer labels from 0, or numbers.
    task : {"classification", "regression"}, default "classification"
        What the networks are for.
    sample_weight : array-like, shape (samples,), optional
        How much each sample counts; in each run, its training rows have mean weight 1.
    class_weight : tuple of float, optional
        One factor a class.
    evaluate_training : bool, default True
        Record the training data loss with all noise off after each epoch.
    n_threads : int, optional
        Threads; as many as there are cores by default. The result does not depend on it.
    on_finish : callable, optional
        Told ``(index, finished run)`` as each run ends, in the thread that called `train_many`.
    is_cancelled : callable, optional
        Asked ``(index)`` several times a second, from other threads; a run for which it returns True ends.
    progress : bool, default False
        Show a live line in the terminal.

    Returns
    -------
    list of FinishedRun
        In the order of `runs`. A run whose loss was not finite says so, and does not end the others. After Ctrl-C, runs
        that were under way have the epochs until then, and others none; a second Ctrl-C raises KeyboardInterrupt.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used.

    Examples
    --------
    >>> from taut import PlannedRun, Recipe, spiral, train_many
    >>> X, y = spiral(samples=50, classes=3)
    >>> runs = [PlannedRun(Recipe(l2=l2, epochs=20)) for l2 in (1e-4, 1e-2)]
    >>> finished = train_many(runs, X, y)
    >>> [run.history.epochs for run in finished]
    [20, 20]
    >>> bool(finished[0].history["data_loss"][-1] < finished[1].history["data_loss"][-1])
    True
    """
    check_choice("task", task, TASKS)
    check_flag("evaluate_training", evaluate_training)
    if n_threads is not None:
        check_number("n_threads", n_threads, at_least=1, integer=True)
    given: object = runs
    if not isinstance(given, (list, tuple)) or not all(isinstance(run, PlannedRun) for run in given):
        raise InvalidType(f"runs must be a list of PlannedRun, got {shown(given)}")
    table = _Table(X, y, task, sample_weight, class_weight)
    for run in runs:
        table.check(run)
    if not runs:
        return []
    crew = _Crew(table, list(runs), evaluate_training, is_cancelled)
    return crew.work(min(n_threads or os.cpu_count() or 1, len(runs)), on_finish, progress)


class _Table:
    """The data that all runs share, checked once for each loss and floating-point type."""

    def __init__(
        self, X: Any, y: Any, task: str, sample_weight: np.ndarray | None, class_weight: tuple[float, ...] | None
    ) -> None:
        self.X, self.y, self.task = np.asarray(X), np.asarray(y), task
        self.sample_weight, self.class_weight = sample_weight, class_weight
        if self.X.ndim != 2 or not self.X.size or self.y.ndim not in (1, 2):
            raise InvalidValue(f"X must have shape (samples, inputs) and y one row a sample, got {self.X.shape}")
        if task == "regression" or self.y.ndim == 2:
            self.n_outputs = self.y.shape[1] if self.y.ndim == 2 else 1
        elif self.y.dtype.kind not in "iub" or not self.y.size or self.y.min() < 0:
            raise InvalidType(f"class labels must be integers from 0, got {self.y.dtype}: {shown(self.y[:5].tolist())}")
        else:
            self.n_outputs = int(self.y.max()) + 1
        self._wholes: dict[tuple[Loss, str], Objective] = {}
        self._lock = threading.Lock()

    def check(self, run: PlannedRun) -> None:
        """Raise if the rows of a run are not rows of the table."""
        for name, given in (("rows", run.rows), ("validation_rows", run.validation_rows)):
            if given is None:
                continue
            rows = np.asarray(given)
            if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
                raise InvalidValue(f"{name} must be a list of row numbers, got {shown(rows.tolist())}")
            if rows.min() < 0 or rows.max() >= len(self.X):
                raise InvalidValue(f"{name} must be from 0 to {len(self.X) - 1}, got {rows.min()} to {rows.max()}")

    def objective(self, network: Network, loss: Loss, run: PlannedRun) -> Objective:
        """Return what a run minimizes: its rows of the table, without a copy of them."""
        whole = self._whole(network, loss)
        rows = None if run.rows is None else np.asarray(run.rows, dtype=np.int64)
        weights = whole.weights
        if rows is not None and weights is not None and self.sample_weight is not None:
            weights = weights / weights.dtype.type(
                np.asarray(self.sample_weight, dtype=float)[rows].mean() / self._mean
            )
        if run.recipe.augmentation is not None and rows is not None:
            return replace(whole, weights=weights).take(rows)  # what is drawn anew needs an array of its own
        return replace(whole, weights=weights, subset=rows)

    def validation(self, network: Network, loss: Loss, run: PlannedRun) -> Objective | None:
        """Return the rows that a run looks at."""
        if run.validation_rows is None:
            return None
        rows = np.asarray(run.validation_rows, dtype=np.int64)
        return replace(self._whole(network, loss), weights=None, subset=rows)

    def _whole(self, network: Network, loss: Loss) -> Objective:
        key = loss, network.theta.dtype.name
        with self._lock:
            if key not in self._wholes:
                made = objective_of(network, loss, self.X, self.y, self.sample_weight, seed=0)
                same = [other for (_, dtype), other in self._wholes.items() if dtype == key[1]]
                self._wholes[key] = replace(made, x=same[0].x) if same else made
            return self._wholes[key]

    @property
    def _mean(self) -> float:
        return float(np.asarray(self.sample_weight, dtype=float).mean())


class _Crew:
    """The threads that make the runs of a population."""

    def __init__(
        self, table: _Table, runs: list[PlannedRun], evaluates: bool, is_cancelled: Callable[[int], bool] | None
    ) -> None:
        self.table, self.runs, self.evaluates = table, runs, evaluates
        self._is_cancelled, self._is_interrupted = is_cancelled, threading.Event()

    def work(
        self, n_threads: int, on_finish: Callable[[int, FinishedRun], None] | None, progress: bool
    ) -> list[FinishedRun]:
        """Make all runs, longest first."""
        order = sorted(range(len(self.runs)), key=lambda index: -self.runs[index].cost)
        finished: dict[int, FinishedRun] = {}
        with ThreadPoolExecutor(n_threads, thread_name_prefix="taut") as pool, _display(len(order), progress) as show:
            waiting: dict[Future[FinishedRun], int] = {pool.submit(self._make, index): index for index in order}
            while waiting:
                try:
                    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        index = waiting.pop(future)
                        finished[index] = future.result()
                        show(len(finished), finished[index])
                        if on_finish is not None:
                            on_finish(index, finished[index])
                except BaseException as error:
                    was_interrupted = self._is_interrupted.is_set()
                    self._is_interrupted.set()
                    if was_interrupted or not isinstance(error, KeyboardInterrupt):
                        raise
        return [finished[index] for index in range(len(self.runs))]

    def _make(self, index: int) -> FinishedRun:
        planned, table = self.runs[index], self.table
        recipe = planned.recipe
        shape = table.X.shape[1], table.n_outputs, table.task
        network, loss, optimizer = recipe.build(*shape, class_weight=table.class_weight)
        objective = table.objective(network, loss, planned)
        setup = Setup(
            network=network,
            loss=loss,
            optimizer=optimizer,
            objective=objective,
            validation=table.validation(network, loss, planned),
            batch_size=recipe.batch_rows(objective.n_rows),
            epochs=recipe.epochs,
            random=Random(recipe.seed),
            average=recipe.build_average(),
            mixup=recipe.mixup,
            augment=None if recipe.augmentation is None else recipe.augmentation.apply,
            evaluate_training=self.evaluates,
        )
        pieces, stopped, error, best = self._run(setup, recipe, index)
        columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]} if pieces else {}
        return FinishedRun(planned, stopped, error, best, network.state.copy(), columns, loss.metric_name, shape)

    def _run(
        self, setup: Setup, recipe: Recipe, index: int
    ) -> tuple[list[Columns], str, NonFiniteLoss | None, int | None]:
        """Run a setup to its end; return pieces of its history, why it stopped, and its best epoch."""
        history = History(setup.loss.metric_name)
        state = history.state = State(memory=setup.optimizer.start(setup.network.theta))
        stopping = EarlyStopping(recipe.patience) if recipe.early_stopping else None
        run = Run(setup.network, history, setup.epochs)
        if stopping is not None:
            stopping.on_start(run)
        loop = CompiledLoop(setup, state, stopping, n_threads=1)  # which knows every kind that a recipe can name
        pieces: list[Columns] = []
        done, error = 0, None
        try:
            while done < setup.epochs and run.stop_reason is None:
                ends = self._ends(index)
                if ends and loop.is_between_epochs:
                    run.stop("interrupted" if self._is_interrupted.is_set() else "cancelled")
                    break
                pieces.append(loop.advance(done + 1 if ends else setup.epochs))
                done += len(pieces[-1]["epoch"])
                if loop.stopped_early:
                    run.stop("early stopping")
        except NonFiniteLoss as broke:
            error = broke
            run.stop("not finite")
        loop.finish()
        if stopping is not None:
            for piece in pieces:
                history.add(piece)
            stopping.on_end(run)
        return pieces, run.stop_reason or "epochs", error, history.best_epoch

    def _ends(self, index: int) -> bool:
        return self._is_interrupted.is_set() or (self._is_cancelled is not None and self._is_cancelled(index))


@contextmanager
def _display(planned: int, is_shown: bool) -> Iterator[Callable[[int, FinishedRun], None]]:
    """Yield what is told how many runs are done, and shows it if that is wanted."""
    if not is_shown:
        yield lambda _done, _run: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("runs"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeRemainingColumn(compact=True), TextColumn("left")) as display:
        task = display.add_task("", total=planned)
        yield lambda done, run: display.update(task, completed=done, description=run.planned.recipe.describe())
