"""Callbacks: what may look at a run after each epoch, and stop it.

A callback sees the `Run`: the network, the history so far, and how many epochs are planned. Early stopping and the
progress display are callbacks; so is whatever a user writes. Floor 4 of the house.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from taut.checks import check_number
from taut.errors import InvalidValue
from taut.network import Network
from taut.training.history import History

if TYPE_CHECKING:
    from rich.progress import Progress

    from taut.engine.session import Watch

__all__ = ["Callback", "EarlyStopping", "ProgressDisplay", "Run"]


@dataclass
class Run:
    """A training run as its callbacks see it.

    Attributes
    ----------
    network : Network
        The network, with the parameters of now.
    history : History
        All epochs so far.
    epochs : int
        How many are planned.
    stop_reason : str or None
        Set by `stop`.
    """

    network: Network
    history: History
    epochs: int
    stop_reason: str | None = None

    def stop(self, reason: str) -> None:
        """End training after this epoch; `reason` becomes `History.stopped`."""
        self.stop_reason = reason


class Callback:
    """Something that is told how a run goes. Override what you need.

    Examples
    --------
    >>> class StopAtAccuracy(Callback):
    ...     def on_epoch_end(self, run):
    ...         if run.history["accuracy"][-1] > 0.99:
    ...             run.stop("accurate enough")
    """

    def on_start(self, run: Run) -> None:
        """Called before the first epoch."""

    def on_epoch_end(self, run: Run) -> None:
        """Called after each epoch, its row already in the history."""

    def on_end(self, run: Run) -> None:
        """Called once at the end, however training ended."""


class EarlyStopping(Callback):
    """Stop when a column of the history has not improved for a while, and restore the best weights.

    Parameters
    ----------
    patience : int, default 20
        Epochs without improvement before training stops.
    min_delta : float, default 0.0
        Smallest change that counts as improvement.
    monitor : str, default "validation_data_loss"
        The column; accuracies and R² are to rise, everything else is to fall.
    restore_best : bool, default True
        Whether the network ends with the weights of the best epoch, even if training was not stopped early.

    References
    ----------
    L. Prechelt, "Early stopping - but when?", Neural Networks: Tricks of the Trade, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from taut import Adam, Dense, Network, train
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> validation = (X[1::2], X[1::2] + 0.1)
    >>> history = train(Network([Dense(1)]), X[::2], X[::2], loss="mse", optimizer=Adam(0.05), epochs=500,
    ...                 validation=validation, callbacks=[EarlyStopping(patience=5)])
    >>> history.stopped, bool(history.best_epoch == history["validation_data_loss"].argmin())
    ('early stopping', True)
    """

    def __init__(
        self,
        patience: int = 20,
        min_delta: float = 0.0,
        monitor: str = "validation_data_loss",
        restore_best: bool = True,
    ) -> None:
        check_number("patience", patience, at_least=1, integer=True)
        check_number("min_delta", min_delta, at_least=0)
        self.patience, self.min_delta = patience, min_delta
        self.monitor, self.restore_best = monitor, restore_best

    def on_start(self, run: Run) -> None:
        self._best, self._best_row = np.inf, -1
        self._best_state = run.network.state.copy()

    def on_epoch_end(self, run: Run) -> None:
        row = run.history.last()
        if self.monitor not in row:
            raise InvalidValue(
                f"early stopping watches {self.monitor!r}, which is no column of the history: {', '.join(row)}; "
                "columns named validation_... need validation=(X, y) in train"
            )
        rises = self.monitor.endswith(("accuracy", "r2"))
        value = -row[self.monitor] if rises else row[self.monitor]
        if value < self._best - self.min_delta:
            self._best, self._best_row = value, run.history.epochs - 1
            self._best_state[:] = run.network.state
        elif run.history.epochs - 1 - self._best_row >= self.patience:
            run.stop("early stopping")

    def watch(self, metric_name: str) -> Watch | None:
        """Return what compiled code needs to watch in its stead, or None if it does not know the column."""
        from taut.engine import fields as f
        from taut.engine.session import Watch

        columns = {
            "data_loss": f.H_LOSS,
            "validation_data_loss": f.H_VALIDATION,
            f"validation_{metric_name}": f.H_VALIDATION_METRIC,
        }
        column, rises = columns.get(self.monitor), self.monitor.endswith(("accuracy", "r2"))
        return None if column is None else Watch(column, rises, self.patience, self.min_delta)

    def adopt(self, best_row: int, best_state: np.ndarray) -> None:
        """Take what compiled code has found best: a row of the history, and the state of the network there."""
        self._best_row = best_row
        self._best_state[:] = best_state

    def on_end(self, run: Run) -> None:
        # A run that was broken off may lack the rows of the epochs of its last call into compiled code.
        if self.restore_best and 0 <= self._best_row < run.history.epochs:
            run.network.state[:] = self._best_state
            run.history.state.restored |= self._best_row < run.history.epochs - 1
            run.history.best_epoch = int(run.history["epoch"][self._best_row])


class ProgressDisplay(Callback):
    """A live line in the terminal: epoch, data loss + penalty, validation loss, time left."""

    def on_start(self, run: Run) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"))
        self._progress: Progress = Progress(*columns, TimeRemainingColumn(compact=True), TextColumn("left"))
        self._task = self._progress.add_task("", total=run.epochs)
        self._progress.start()

    def on_epoch_end(self, run: Run) -> None:
        row = run.history.last()
        text = f"data loss {row['data_loss']:.4f} + penalty {row['penalty']:.4f}"
        if "validation_data_loss" in row:
            text += f" · validation loss {row['validation_data_loss']:.4f}"
        self._progress.update(self._task, completed=run.history.epochs, description=text)

    def on_end(self, run: Run) -> None:
        self._progress.stop()
