"""The population: many fits at once, on threads over one copy of the data, or of each of several tables.

A planned run is a recipe, the rows it trains on, the rows it is validated on, and a seed. Each thread takes the longest
run that is left and trains it in compiled code, which needs no other thread; so the result does not depend on how many
there are, and is that of the same runs trained one by one. Floor 4 of the house; knows nothing of how settings are
chosen.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from types import FrameType

import numpy as np

from taut.checks import check_choice, check_flag, check_number, shown
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.random import Random
from taut.training.callbacks import Run
from taut.training.history import History, State
from taut.training.loops import Columns, CompiledLoop
from taut.training.mixing import mixing_of
from taut.training.recipe import TASKS
from taut.training.runs import FinishedRun, PlannedRun
from taut.training.setup import Setup
from taut.training.shared_table import SharedTable

__all__ = ["train_many", "train_population"]


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
    table = SharedTable(X, y, task, sample_weight, class_weight)
    return train_population(
        runs,
        [table],
        evaluate_training=evaluate_training,
        n_threads=n_threads,
        on_finish=on_finish,
        is_cancelled=is_cancelled,
        progress=progress,
    )


def train_population(
    runs: Sequence[PlannedRun],
    tables: Sequence[SharedTable],
    *,
    evaluate_training: bool = True,
    n_threads: int | None = None,
    on_finish: Callable[[int, FinishedRun], None] | None = None,
    is_cancelled: Callable[[int], bool] | None = None,
    in_order: bool = False,
    progress: bool = False,
) -> list[FinishedRun]:
    """Train a population of networks on several tables, such as the folds of a cross-validation.

    Parameters
    ----------
    runs : sequence of PlannedRun
        What to train; `table` says on which table.
    tables : sequence of SharedTable
        The data.
    evaluate_training, n_threads, on_finish, is_cancelled, progress
        See `train_many`.
    in_order : bool, default False
        Begin the runs in the order of `runs`, for whoever may have to stop on the way; by default the longest first.

    Returns
    -------
    list of FinishedRun
        As `train_many`. A run that has paused can be resumed by another, with the same result as without the pause.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used.
    """
    check_flag("evaluate_training", evaluate_training)
    check_flag("progress", progress)
    if n_threads is not None:
        check_number("n_threads", n_threads, at_least=1, integer=True)
    for name, function in (("on_finish", on_finish), ("is_cancelled", is_cancelled)):
        if function is not None and not callable(function):
            raise InvalidType(f"{name} must be a function, got {shown(function)}")
    given: object = runs
    if not isinstance(given, (list, tuple)):
        raise InvalidType(f"runs must be a list of PlannedRun, got {shown(given)}")
    for run in given:
        if not isinstance(run, PlannedRun):
            raise InvalidType(f"runs must be a list of PlannedRun, got {shown(run)} in it")
        if not 0 <= run.table < len(tables):
            raise InvalidValue(f"table must be from 0 to {len(tables) - 1}, got {shown(run.table)}")
        tables[run.table].admit(run)
    if not runs:
        return []
    from joblib import cpu_count  # those that this process may use

    crew = _Team(tables, list(runs), evaluate_training, is_cancelled, in_order)
    return crew.work(min(n_threads or cpu_count(), len(runs)), on_finish, progress)


class _Team:
    """The threads that make the runs of a population."""

    def __init__(
        self,
        tables: Sequence[SharedTable],
        runs: list[PlannedRun],
        evaluates: bool,
        is_cancelled: Callable[[int], bool] | None,
        in_order: bool,
    ) -> None:
        self.tables, self.runs, self.evaluates, self._is_cancelled = tables, runs, evaluates, is_cancelled
        costs = [0.0 if in_order else tables[run.table].cost(run) for run in runs]
        self._left = deque(sorted(range(len(runs)), key=lambda index: -costs[index]))
        self._ended: SimpleQueue[tuple[int, FinishedRun | BaseException]] = SimpleQueue()
        self._is_interrupted = self._is_over = False  # end after the epoch; end at once

    def work(
        self, n_threads: int, on_finish: Callable[[int, FinishedRun], None] | None, progress: bool
    ) -> list[FinishedRun]:
        """Make all runs."""
        finished: dict[int, FinishedRun] = {}
        with (
            ThreadPoolExecutor(n_threads, thread_name_prefix="taut") as pool,
            self._until_it_is_over(),
            _display(len(self.runs), progress) as show,
        ):
            for _ in range(n_threads):
                pool.submit(self._serve)
            while len(finished) < len(self.runs):
                try:
                    index, outcome = self._ended.get(timeout=_LISTENS_SECONDS)
                except Empty:
                    continue
                if isinstance(outcome, BaseException):
                    raise outcome
                finished[index] = outcome
                show(len(finished))
                if on_finish is not None:
                    on_finish(index, outcome)
        return [finished[index] for index in range(len(self.runs))]

    @contextmanager
    def _until_it_is_over(self) -> Iterator[None]:
        """Let the first Ctrl-C end the runs after their epochs; whatever ends the population ends them at once."""
        # As in `train`: only the main thread hears signals, and a process in the background goes on ignoring them.
        is_heard = signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None)
        is_heard = is_heard and threading.current_thread() is threading.main_thread()

        def stop(_signum: int, _frame: FrameType | None) -> None:
            if self._is_interrupted:
                raise KeyboardInterrupt
            self._is_interrupted = True

        previous = signal.signal(signal.SIGINT, stop) if is_heard else None
        try:
            yield
        finally:
            self._is_over = True
            if is_heard:
                signal.signal(signal.SIGINT, previous)

    def _serve(self) -> None:
        """Make one run after the other, until none is left."""
        while not self._is_over:
            try:
                index = self._left.popleft()
            except IndexError:
                return
            outcome: FinishedRun | BaseException
            try:
                outcome = self._make(index)
            except BaseException as error:  # noqa: BLE001  # told to the thread that waits for it
                outcome = error
            self._ended.put((index, outcome))

    def _make(self, index: int) -> FinishedRun:
        planned = self.runs[index]
        table, recipe = self.tables[planned.table], planned.recipe
        shape = table.inputs, table.n_outputs, table.task
        earlier = planned.resume
        start = planned.start if earlier is None else earlier.state
        network, loss, optimizer = recipe.build(*shape, class_weight=table.class_weight, state=start)
        pieces = [] if earlier is None or not earlier.columns else [earlier.columns]
        if earlier is not None:
            planned = replace(planned, resume=None)  # of which nothing is needed any more
        outcome = partial(FinishedRun, planned, _metric_name=loss.metric_name, _shape=shape)
        if self._ends(index):
            return outcome(self._reason, None, None, network.state.copy(), pieces[0] if pieces else {})
        objective = table.objective(planned)
        setup = Setup(
            network=network,
            loss=loss,
            optimizer=optimizer,
            objective=objective,
            validation=table.validation(planned),
            batch_size=recipe.batch_rows(objective.n_rows),
            epochs=recipe.epochs,
            random=Random(recipe.seed),
            average=recipe.build_average(),
            mixing=mixing_of(recipe.mixup, recipe.cutmix),
            augment=table.augment(recipe),
            evaluate_training=self.evaluates,
        )
        state = deepcopy(earlier.progress) if earlier is not None else None
        state = state or State(memory=setup.optimizer.start(network.theta))
        made, stopped, error, best = self._run(setup, state, planned, index)
        pieces += made
        columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]} if pieces else {}
        if earlier is not None and len(pieces) > 1:
            before = earlier.columns["seconds"]
            columns["seconds"][len(before) :] += before[-1]
        progress = state if stopped == "paused" else None
        return outcome(stopped, error, best, network.state.copy(), columns, progress=progress)

    def _run(
        self, setup: Setup, state: State, planned: PlannedRun, index: int
    ) -> tuple[list[Columns], str, NonFiniteLoss | None, int | None]:
        """Run a setup to its end or pause; return pieces of its history, why it stopped, and its best epoch."""
        recipe, last = planned.recipe, planned.last_epoch
        stopping = recipe.build_stopping(setup.loss)
        if stopping is not None:
            stopping.on_start(Run(setup.network, History(setup.loss.metric_name), setup.epochs))
        loop = CompiledLoop(setup, state, stopping, n_threads=1)  # which knows every kind that a recipe can name
        pieces: list[Columns] = []
        stopped, error = "epochs" if last == recipe.epochs else "paused", None
        try:
            while loop.session.epoch < last and not loop.stopped_early:
                ends = self._ends(index)
                if self._is_over or (ends and loop.is_between_epochs):
                    stopped = self._reason
                    break
                pieces.append(loop.advance(loop.session.epoch + 1 if ends else last))
        except NonFiniteLoss as broke:
            error = broke.with_traceback(None)  # which would keep all that the run needed
        loop.finish()
        best = loop.session.best_epoch if stopping is not None else -1
        if best >= 0:
            loop.session.read_best()
        stopped = "not finite" if error is not None else "early stopping" if loop.stopped_early else stopped
        return pieces, stopped, error, best if best >= 0 else None

    def _ends(self, index: int) -> bool:
        return self._is_interrupted or (self._is_cancelled is not None and self._is_cancelled(index))

    @property
    def _reason(self) -> str:
        return "interrupted" if self._is_interrupted else "cancelled"


# How long the calling thread may wait before it looks whether there is a signal, where waiting is deaf to them.
_LISTENS_SECONDS = 0.5


@contextmanager
def _display(planned: int, is_shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many runs are done, and shows it if that is wanted."""
    if not is_shown:
        yield lambda _done: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("runs"), MofNCompleteColumn(), BarColumn())
    with Progress(*columns, TimeRemainingColumn(compact=True), TextColumn("left")) as display:
        task = display.add_task("", total=planned)
        yield lambda done: display.update(task, completed=done)
