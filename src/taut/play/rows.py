"""Rows: what the networks learn from and are validated on, drawn or from a table, and where they lie in the plane.

`code` writes the same steps as a script, in the same order; a test holds the two to the same bits. Knows nothing of
training or of the page.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from taut.checks import shown
from taut.data import ClassTargets, NumberTargets, TableEncoder, hold_out, infer_task, spiral
from taut.errors import DataError
from taut.play.setting import Setting
from taut.play.table import Table, one_line
from taut.random import Random

__all__ = ["CLASSES", "MOST_ROWS", "VALIDATION", "Plane", "RowSource", "Rows", "draw", "source_of"]

#: Fresh points to validate on, and the most rows of a table that validate.
VALIDATION = 600

#: Of a larger table, so many rows are drawn.
MOST_ROWS = 20_000

#: How many classes a drawn set has.
CLASSES = {"spiral": 3, "moons": 2, "circles": 2, "xor": 2}

_MOST_CLASSES = 10  # as many colours as are told apart
_MARGIN = 0.08  # around the points, as a share of their extent


@dataclass(frozen=True)
class Plane:
    """The plane that is drawn: a point of it as inputs of the network, ``origin + point @ axes``.

    Attributes
    ----------
    origin : ndarray, shape (inputs,)
        The inputs at (0, 0).
    axes : ndarray, shape (2, inputs)
        What one step to the right, and one up, adds to them.
    low, high : ndarray, shape (2,)
        The corners of what is drawn.
    names : tuple of str
        What stands at the axes.
    scale, offset : ndarray, shape (2,)
        What is written at the axes: ``offset + scale * point``.
    """

    origin: np.ndarray
    axes: np.ndarray
    low: np.ndarray
    high: np.ndarray
    names: tuple[str, str]
    scale: np.ndarray
    offset: np.ndarray

    def grid(self, size: int) -> np.ndarray:
        """Return the inputs at size × size points, row by row from the top left, shape (size**2, inputs)."""
        across, down = (np.linspace(low, high, size) for low, high in zip(self.low, self.high, strict=True))
        points = np.stack(np.meshgrid(across, down[::-1]), axis=-1).reshape(-1, 2)
        return self.origin + points @ self.axes

    def points(self, x: np.ndarray) -> np.ndarray:
        """Return where inputs lie in the plane, shape (rows, 2)."""
        return (x - self.origin) @ self.axes.T


@dataclass(frozen=True)
class Rows:
    """What is learned from, and what is validated on.

    Attributes
    ----------
    x, validation_x : ndarray, shape (rows, inputs)
        Inputs.
    y, validation_y : ndarray, shape (rows,) of codes, or (rows, 1) of numbers
        Targets, those to learn from with their noise.
    wrong : ndarray of bool, shape (rows,)
        Which labels to learn from are wrong.
    task : str
        "classification" or "regression".
    classes : tuple of str
        Names of the classes; empty for numbers.
    plane : Plane
        What is drawn.
    """

    x: np.ndarray
    y: np.ndarray
    validation_x: np.ndarray
    validation_y: np.ndarray
    wrong: np.ndarray
    task: str
    classes: tuple[str, ...]
    plane: Plane

    @property
    def n_outputs(self) -> int:
        """How many outputs the networks have."""
        return len(self.classes) or 1


def draw(data: str, samples: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return so many points of a set, shape (samples, 2), and their classes, shape (samples,).

    Examples
    --------
    >>> X, y = draw("xor", 100, 0.0, seed=0)
    >>> bool((y == (X[:, 0] * X[:, 1] > 0)).all())
    True
    """
    if data == "spiral":
        return spiral(samples // 3, 3, noise, seed)
    if data == "xor":
        corners = 2 * Random(seed).uniform((samples, 2)) - 1
        y = (corners[:, 0] * corners[:, 1] > 0).astype(np.int64)
        return corners + noise * Random(seed).at(item=1).normal((samples, 2)), y
    from sklearn.datasets import make_circles, make_moons

    if data == "moons":
        return make_moons(samples, noise=noise, random_state=seed)
    return make_circles(samples, noise=noise, factor=0.5, random_state=seed)


class RowSource(ABC):
    """Where rows come from; made once a run, and asked again whenever a live knob is turned."""

    @abstractmethod
    def rows(self, setting: Setting) -> Rows:
        """Return the rows for the live knobs of a setting."""


class DrawnRows(RowSource):
    """Points that are drawn."""

    def rows(self, setting: Setting) -> Rows:
        classes = CLASSES[setting.data]
        x, clean = draw(setting.data, setting.samples, setting.noise, setting.seed)
        validation_x, validation_y = draw(setting.data, VALIDATION, setting.noise, setting.seed + 1)
        y = _mislabelled(clean, classes, setting)
        low, high = _extent(np.concatenate([x, validation_x]), aspect=True)
        plane = Plane(np.zeros(2), np.eye(2), low, high, ("x", "y"), np.ones(2), np.zeros(2))
        names = tuple(f"class {label}" for label in range(classes))
        return Rows(x, y, validation_x, validation_y, y != clean, "classification", names, plane)


class TableRows(RowSource):
    """A table, divided and encoded; raises `DataError` in one line if it cannot be used."""

    def __init__(self, setting: Setting, table: Table) -> None:
        with one_line(table.name):
            self._read(setting, table)

    def _read(self, setting: Setting, table: Table) -> None:
        target = setting.target
        if target not in table.frame.columns:
            raise DataError(f"{table.name} has no column {shown(target)}")
        frame = table.frame.dropna(subset=[target])
        if len(frame) > MOST_ROWS:
            frame = frame.iloc[np.sort(Random(setting.seed).permutation(len(frame))[:MOST_ROWS])]
        if len(frame) < 20:
            raise DataError(f"{table.name}: {len(frame)} rows have a value of {shown(target)}; 20 is the fewest")
        self.task = infer_task(frame[target])
        inputs = frame.drop(columns=target)
        columns = _axes(setting, table)
        inputs = inputs[list(columns)] if columns else inputs
        self.learn, held = hold_out(inputs, frame[target], test_size=0.3, task=self.task, seed=setting.seed)
        encoder = TableEncoder().fit(inputs.iloc[self.learn])
        self.x = encoder.transform(inputs)
        self.classes: tuple[str, ...] = ()
        if self.task == "classification":
            targets = ClassTargets().fit(frame[target])
            self.y = targets.encode(frame[target])
            self.classes = tuple(str(label)[:40] for label in targets.classes_)
            if len(self.classes) > _MOST_CLASSES:
                raise DataError(
                    f"{table.name}: {shown(target)} has {len(self.classes)} classes; {_MOST_CLASSES} is the most"
                )
        else:
            self.y = NumberTargets().fit(frame[target].iloc[self.learn]).encode(frame[target])
        self._lay_plane(setting, columns, encoder, inputs)
        self.held = held[Random(setting.seed).at(item=2).permutation(len(held))[:VALIDATION]]

    def _lay_plane(self, setting: Setting, columns: tuple[str, ...], encoder: TableEncoder, inputs: Any) -> None:
        """Lay the plane through the inputs, and project them on it if that is what the network is given."""
        if columns and encoder.inputs_.numbers != 2:
            names = " or ".join(map(shown, columns))
            raise DataError(f"{names} has one value in all rows to learn from; choose another")
        width = self.x.shape[1]
        origin, axes = np.zeros(width), np.eye(2, width)
        at_axes: tuple[str, ...] = columns or ("first principal component", "second principal component")
        if setting.axes != "columns":
            if width < 2:
                raise DataError("the page draws a plane, which takes two inputs, and the table has one that varies")
            learned = self.x[self.learn]
            center = learned.mean(axis=0)
            axes = np.linalg.svd(learned - center, full_matrices=False)[2][:2]
            origin = center
            if setting.axes == "projection":
                self.x = (self.x - center) @ axes.T
                origin, axes = np.zeros(2), np.eye(2)
        points = (self.x - origin) @ axes.T
        low, high = _extent(points)
        scale, offset = np.ones(2), np.zeros(2)
        for place, reader in enumerate(encoder.readers_ if columns else ()):
            # What was subtracted and divided by, read off the column itself.
            scale[place], offset[place] = _line(points[:, place], reader.read(inputs[reader.name])[:, 0])
        self.plane = Plane(origin, axes, low, high, (at_axes[0], at_axes[1]), scale, offset)

    def rows(self, setting: Setting) -> Rows:
        learn = self.learn[Random(setting.seed).permutation(len(self.learn))[: setting.samples]]
        clean = self.y[learn]
        if self.task == "classification":
            y = _mislabelled(clean, len(self.classes), setting)
            wrong = y != clean
        else:
            y = clean + setting.label_noise * Random(setting.seed).normal(clean.shape)
            wrong = np.zeros(len(y), dtype=bool)
        held = self.held
        return Rows(self.x[learn], y, self.x[held], self.y[held], wrong, self.task, self.classes, self.plane)


def _mislabelled(y: np.ndarray, classes: int, setting: Setting) -> np.ndarray:
    """Return labels of which a share has become another class; a larger share spoils the same ones and more."""
    wrong = Random(setting.seed).uniform(len(y)) < setting.label_noise
    shift = 1 + (Random(setting.seed).at(item=1).uniform(len(y)) * (classes - 1)).astype(np.int64)
    return np.where(wrong, (y + shift) % classes, y)


def _axes(setting: Setting, table: Table) -> tuple[str, ...]:
    """Return the two columns that are the inputs, or none if all are."""
    if setting.axes != "columns":
        return ()
    numbers = [name for name in table.numbers if name != setting.target]
    if len(set(setting.columns)) != 2 or not set(setting.columns) <= set(numbers):
        found = ", ".join(numbers[:8]) or "none"
        raise DataError(
            f"{table.name}: the axes must be two columns of numbers, got {shown(list(setting.columns))}; "
            f"there are {found}"
        )
    return setting.columns


def _line(at: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return slope and value at 0 of the line that a scaled column lies on."""
    known = np.isfinite(values)
    first, last = at[known].argmin(), at[known].argmax()
    rise, run = values[known][last] - values[known][first], at[known][last] - at[known][first]
    slope = float(rise / run) if run else 1.0
    return slope, float(values[known][first] - slope * at[known][first])


def _extent(points: np.ndarray, *, aspect: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of what is drawn: all points, but for a few that lie far out; a square if `aspect`."""
    low, high = np.quantile(points, 0.002, axis=0), np.quantile(points, 0.998, axis=0)
    if aspect:
        middle, half = (low + high) / 2, np.max(high - low) / 2
        low, high = middle - half, middle + half
    room = np.maximum(high - low, 1e-9) * _MARGIN
    return low - room, high + room


def source_of(setting: Setting, table: Table | None) -> RowSource:
    """Return where the rows of a setting come from; raise `DataError` if its table is not at hand or cannot be used."""
    if setting.data != "table":
        return DrawnRows()
    if table is None:
        raise DataError("this run is about a table that is not here; load its file again")
    return TableRows(setting, table)
