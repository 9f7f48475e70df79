"""History: what happened during training, one row an epoch.

The loss always stands in its two parts, ``loss = data_loss + penalty``, with the penalty of each layer beside it.
Floor 4 of the house; knows nothing of how settings are chosen, or of screens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import shown
from taut.errors import InvalidValue

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History", "State"]


@dataclass
class State:
    """What a run needs to go on where it stopped, besides the parameters.

    Attributes
    ----------
    epoch : int
        Epochs done.
    step : int
        Updates done.
    rate : float
        Learning rate of the last update.
    memory : dict of str to ndarray, shape (parameters,)
        What the optimizer remembers.
    restored : bool
        Whether the network has been given the weights of an earlier epoch, to which the memory does not belong.
    average : ndarray, shape (parameters + statistics,), or None
        The running mean of the network's states, if the run averages them.
    averaged : int
        How many states it holds.
    live : ndarray, shape (parameters + statistics,), or None
        Where training goes on, while the network shows the average.
    """

    epoch: int = 0
    step: int = 0
    rate: float = 0.0
    memory: dict[str, np.ndarray] = field(default_factory=dict)
    restored: bool = False
    average: np.ndarray | None = None
    averaged: int = 0
    live: np.ndarray | None = None


class History(Mapping[str, np.ndarray]):
    """The course of a training run: a mapping from column to array, one value an epoch.

    Columns
    -------
    epoch
        From 0.
    loss, data_loss, penalty
        Means over the batches of the epoch, in training mode, each before its update; ``loss = data_loss + penalty``.
    accuracy or r2
        The metric in training mode.
    evaluation_data_loss
        Data loss on the training data after the epoch, with all noise off (NaN if not asked for).
    validation_loss, validation_data_loss, validation_accuracy or validation_r2
        The same on validation data after the epoch (only with validation data).
    learning_rate
        Rate of the first update of the epoch.
    seconds
        Time since training began.
    penalty_<i>, weight_norm_<i>, zeros_<i>
        For each layer i with parameters: its part of `penalty`, the Euclidean norm of its weights after the epoch, and
        the share of its parameters that are exactly zero.

    Attributes
    ----------
    stopped : str
        Why training ended: "epochs", "early stopping", "interrupted", or what a callback said.
    best_epoch : int or None
        The epoch, as in the column of that name, whose weights were restored, if early stopping did so.
    metric_name : str
        "accuracy" or "r2".
    state : State
        What `train` needs to go on.

    Examples
    --------
    >>> history = History("accuracy")
    >>> history.append({"epoch": 0, "loss": 1.1, "data_loss": 1.0, "penalty": 0.1})
    >>> history["penalty"].tolist(), history.epochs
    ([0.1], 1)
    """

    def __init__(self, metric_name: str) -> None:
        self.metric_name = metric_name
        self.stopped = "epochs"
        self.best_epoch: int | None = None
        self.state = State()
        self._columns: dict[str, list[float]] = {}

    def add(self, columns: Mapping[str, np.ndarray]) -> None:
        """Add some epochs; every call has the same columns."""
        for name, values in columns.items():
            self._columns.setdefault(name, []).extend(values.tolist())

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch; every row has the same columns."""
        if self._columns and row.keys() != self._columns.keys():
            raise InvalidValue(f"a history row needs the columns {', '.join(self._columns)}; got {', '.join(row)}")
        for name, value in row.items():
            self._columns.setdefault(name, []).append(value)

    def extend(self, later: History) -> None:
        """Add the epochs of a run that went on where this one stopped."""
        columns = {name: list(values) for name, values in later._columns.items()}
        if self.epochs:
            columns["seconds"] = [self._columns["seconds"][-1] + seconds for seconds in columns["seconds"]]
            if self._columns.keys() > columns.keys():  # such as those of validation, when there is none any more
                columns |= {name: [math.nan] * later.epochs for name in self._columns.keys() - columns.keys()}
        for index in range(later.epochs):
            self.append({name: columns[name][index] for name in (self._columns or columns)})
        self.stopped, self.state = later.stopped, later.state

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._columns:
            raise KeyError(f"{name!r}; the columns are {', '.join(self._columns)}")
        return np.array(self._columns[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def epochs(self) -> int:
        """How many epochs were recorded."""
        return len(next(iter(self._columns.values()), []))

    def last(self) -> dict[str, float]:
        """Return the row of the last epoch."""
        return {name: values[-1] for name, values in self._columns.items()}

    def __repr__(self) -> str:
        if not self.epochs:
            return "History(no epochs)"
        row = self.last()
        text = f"loss {row['loss']:.4g} = data loss {row['data_loss']:.4g} + penalty {row['penalty']:.4g}"
        if "validation_data_loss" in row:
            text += f", validation data loss {row['validation_data_loss']:.4g}"
        return f"History({self.epochs} epochs, {text}, stopped: {self.stopped})"

    def to_frame(self) -> pd.DataFrame:
        """Return the columns as a pandas DataFrame, one row an epoch."""
        import pandas as pd

        return pd.DataFrame(self._columns)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values, None for what is not finite; the optimizer's memory is left out."""
        return {
            "metric_name": self.metric_name,
            "stopped": self.stopped,
            "best_epoch": self.best_epoch,
            "columns": {
                name: [float(value) if np.isfinite(value) else None for value in values]
                for name, values in self._columns.items()
            },
        }

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> History:
        """Read back what `to_dict` returned; raise `InvalidValue` if it is something else."""
        try:
            history = History(str(values["metric_name"]))
            history.stopped, best = str(values["stopped"]), values["best_epoch"]
            history.best_epoch = None if best is None else int(best)
            history._columns = {
                str(name): [float("nan") if value is None else float(value) for value in column]
                for name, column in values["columns"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InvalidValue(f"not a history: {type(error).__name__}: {shown(error)}") from error
        if len({len(column) for column in history._columns.values()}) > 1:
            raise InvalidValue("the columns of a history must be equally long")
        return history
