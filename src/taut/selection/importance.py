"""Importance: how much worse a model answers when a column no longer says which row is which.

The values of one column are dealt anew among the rows, all else stays, and the loss of each row is compared with what
it was. What is measured is what this model makes of a column, not what the column could tell. Floor 5 of the house.

References
----------
L. Breiman, "Random forests", Machine Learning, 2001, section 10. A. Fisher, C. Rudin and F. Dominici, "All models are
wrong, but many are useful", JMLR, 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from taut.checks import check_number
from taut.data.frames import as_frame
from taut.data.targets import ClassTargets, NumberTargets
from taut.errors import DataError, InvalidType, InvalidValue
from taut.random import Purpose, Random
from taut.selection.objectives import log_losses, squared_errors
from taut.training.ensemble import Ensemble
from taut.training.model import Model, Table

__all__ = ["Importance", "permutation_importance"]

_ROWS_AT_A_TIME = 20_000  # answered in one call, so that many small networks are not asked for little


@dataclass(frozen=True, eq=False)
class Importance:
    """How much the loss rises without each column, the most important first.

    Attributes
    ----------
    columns : list of str
        The columns of the table.
    increase, error : ndarray, shape (columns,)
        Mean rise of the loss over the rows, and its standard error, rows taken in pairs with themselves.
    low, high : ndarray, shape (columns,)
        The 95 % interval of the mean rise.
    loss : float
        The loss with all columns as they are.
    unit : str
        What the loss is: "log loss", or "share of variance" for the squared error over the variance of the target.
    rows, repeats : int
        How many rows were asked about, and how often each column was dealt anew.
    """

    columns: list[str]
    increase: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    loss: float
    unit: str
    rows: int
    repeats: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}


def permutation_importance(
    model: Any, X: Table, y: Any, *, repeats: int = 5, most_rows: int = 2000, seed: int = 0
) -> Importance:
    """Return how much worse a model answers without each column, with intervals.

    Of columns that tell the same, each can stand in for the others, so that none seems to matter. Dealt anew, a column
    also meets values of the others that no row has. And the rows must be ones that the model was not fitted to.

    Parameters
    ----------
    model : Model, Ensemble or fitted estimator of this package
        What answers.
    X : DataFrame or array, shape (rows, columns)
        Rows that it was not fitted to, at least 2.
    y : array-like, shape (rows,) or (rows, targets)
        Their target.
    repeats : int, default 5
        How often each column is dealt anew.
    most_rows : int, default 2000
        Of more rows, so many are asked about, drawn at random.
    seed : int, default 0
        Same seed, same answer.

    Returns
    -------
    Importance
        Intervals are over rows: how far the mean would move with others. They hold for each column alone.

    Raises
    ------
    InvalidType, InvalidValue, DataError
        If an argument or the table cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from taut import TautRegressor
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> model = TautRegressor(effort="none").fit(X[:100], X[:100, 1])
    >>> found = permutation_importance(model, X[100:], X[100:, 1])
    >>> found.columns[0], bool(found.low[0] > 0)
    ('x1', True)
    """
    answering = model if isinstance(model, Model | Ensemble) else getattr(model, "model_", None)
    if not isinstance(answering, Model | Ensemble):
        raise InvalidType(f"model must be a Model, an Ensemble or a fitted estimator, got {type(model).__name__}")
    check_number("repeats", repeats, at_least=1, integer=True)
    check_number("most_rows", most_rows, at_least=2, integer=True)
    frame, is_named = as_frame(X)
    target = np.asarray(y)
    if len(frame) != len(target):
        raise InvalidValue(f"there are {len(frame)} rows and {len(target)} targets")
    if len(frame) < 2:
        raise DataError(f"importance needs at least 2 rows, got {len(frame)}")
    random = Random(seed, Purpose.IMPORTANCE)
    if len(frame) > most_rows:
        kept = np.sort(random.permutation(len(frame))[:most_rows])
        frame, target = frame.iloc[kept], target[kept]
    frame = frame.reset_index(drop=True)
    losses, unit = _losses(answering, target)

    def of(rows: pd.DataFrame) -> np.ndarray:
        return losses(rows if is_named else rows.to_numpy())

    before = of(frame)
    rises = np.zeros((frame.shape[1], len(frame)))
    dealt = [(column, repeat) for column in range(frame.shape[1]) for repeat in range(repeats)]
    size = max(_ROWS_AT_A_TIME // len(frame), 1)
    for first in range(0, len(dealt), size):
        some = dealt[first : first + size]
        made = [_dealt(frame, column, random.at(item=column + 1, epoch=repeat)) for column, repeat in some]
        after = of(pd.concat(made, ignore_index=True)).reshape(len(some), len(frame))
        for (column, _), loss in zip(some, after, strict=True):
            rises[column] += (loss - before) / repeats
    return _importance([str(name) for name in frame.columns], rises, float(before.mean()), unit, repeats)


def _importance(columns: list[str], rises: np.ndarray, loss: float, unit: str, repeats: int) -> Importance:
    from scipy.stats import t

    mean, rows = rises.mean(axis=1), rises.shape[1]
    error = rises.std(axis=1, ddof=1) / np.sqrt(rows)
    reach = float(t.ppf(0.975, rows - 1)) * error
    order = np.argsort(-mean, kind="stable")
    return Importance(
        columns=[columns[place] for place in order],
        increase=mean[order],
        error=error[order],
        low=(mean - reach)[order],
        high=(mean + reach)[order],
        loss=loss,
        unit=unit,
        rows=rows,
        repeats=repeats,
    )


def _dealt(frame: pd.DataFrame, column: int, random: Random) -> pd.DataFrame:
    """Return the table with one column dealt anew among the rows."""
    made = frame.copy(deep=False)
    made.isetitem(column, frame.iloc[random.permutation(len(frame)), column].array)
    return made


def _losses(model: Model | Ensemble, target: np.ndarray) -> tuple[Callable[[Table], np.ndarray], str]:
    """Return what gives the loss of each row of some copies of the table, and what it is called."""
    targets: ClassTargets | NumberTargets = model.targets
    if isinstance(targets, ClassTargets):
        codes = targets.encode(target)
        return lambda rows: log_losses(model.predict_proba(rows), np.resize(codes, len(rows))), "log loss"
    true = np.asarray(targets.decode(targets.encode(target)), dtype=np.float64).reshape(len(target), -1)
    spread = float(np.mean(true.var(axis=0))) or 1.0

    def errors(rows: Table) -> np.ndarray:
        wanted = np.tile(true, (len(rows) // len(true), 1))
        return squared_errors(model.predict(rows), wanted) / spread

    return errors, "share of variance"
