"""Embeddings: layers that give a column of the inputs several numbers to speak with.

A network whose first layer adds up columns bends only along straight lines; a number that acts through some of its
digits, or a category through what its levels have in common, is easier to learn from when it comes as several numbers
of its own that are learned with the rest. `PeriodicEmbedding` does that for numbers, `CategoryEmbedding` for the blocks
of one-hot columns; `Scale` lets each column grow or shrink before the layers that all columns share. Floor 2 of the
house; knows nothing of tables, losses or training.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import tau

import numpy as np

from taut.checks import check_flag, check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.network.initializers import Normal, Ones, Uniform, Zeros
from taut.network.layers import Layer, Parameter
from taut.network.penalties import Sum
from taut.random import Random

__all__ = ["CategoryEmbedding", "PeriodicEmbedding", "Scale"]


@dataclass(eq=False)
class Scale(Layer):
    """A factor for each input: ``y = x * scale``, which starts at 1.

    With a larger learning rate than that of the layers behind it, it soon fades inputs that do not help.

    Parameters
    ----------
    lr_factor : float, default 1.0
        Factor of the learning rate.

    References
    ----------
    D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS, 2024.

    Examples
    --------
    >>> from taut import Network
    >>> network = Network([Scale()]).build(n_inputs=2)
    >>> network.theta[:] = [2.0, 0.5]
    >>> network.predict(np.array([[1.0, 1.0]])).tolist()
    [[2.0, 0.5]]
    """

    lr_factor: float = 1.0

    def __post_init__(self) -> None:
        check_number("lr_factor", self.lr_factor, above=0)

    def build(self, n_inputs: int) -> int:
        self.scale = Parameter("scale", (n_inputs,), Ones(), Sum(()), self.lr_factor)
        self.parameters = (self.scale,)
        return n_inputs

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        self._x = x
        return x * self.scale.value

    def backward(self, dy: np.ndarray) -> np.ndarray:
        np.sum(dy * self._x, axis=0, out=self.scale.gradient)
        return dy * self.scale.value


@dataclass(eq=False)
class PeriodicEmbedding(Layer):
    """Waves of a number, weighed: ``h = cos(2 pi f x + b)``, ``e = h @ V + c`` for each of the first columns.

    The outputs are all inputs as they came, then the embeddings, column by column: so a column is there as it is and
    as its waves show it (the concatenation of DenseNet).

    Parameters
    ----------
    columns : int
        How many inputs are embedded: the first so many.
    frequencies : int, default 16
        Waves of each column.
    width : int, default 3
        Numbers that each column is embedded in.
    deviation : float, default 0.1
        Standard deviation of the first frequencies f; the larger, the finer the steps that can be told apart.
    rectified : bool, default False
        Whether ``e = max(0, h @ V + c)``.
    lr_factor : float, default 1.0
        Factor of the learning rate.

    References
    ----------
    Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS,
    2022: waves, a linear map of each column's own, a rectifier ("PLR").
    D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS, 2024: the phase b, the number itself beside its waves, no rectifier ("PBLD").

    Examples
    --------
    >>> layer = PeriodicEmbedding(columns=1, frequencies=4, width=2)
    >>> layer.build(3)
    5
    >>> [(parameter.name, parameter.shape) for parameter in layer.parameters]
    [('frequencies', (1, 4)), ('phases', (1, 4)), ('projections', (2, 4)), ('shifts', (2,))]
    """

    columns: int
    frequencies: int = 16
    width: int = 3
    deviation: float = 0.1
    rectified: bool = False
    lr_factor: float = 1.0

    def __post_init__(self) -> None:
        for name in ("columns", "frequencies", "width"):
            check_number(name, getattr(self, name), at_least=1, integer=True)
        check_number("deviation", self.deviation, above=0)
        check_number("lr_factor", self.lr_factor, above=0)
        check_flag("rectified", self.rectified)

    def build(self, n_inputs: int) -> int:
        if self.columns > n_inputs:
            raise InvalidValue(f"an embedding of {self.columns} columns has only {n_inputs} inputs")
        waves, outputs = (self.columns, self.frequencies), self.columns * self.width
        even = Uniform(self.frequencies**-0.5)
        self.waves, self.phases, self.projections, self.shifts = self.parameters = (
            Parameter("frequencies", waves, Normal(self.deviation), Sum(()), self.lr_factor),
            Parameter("phases", waves, Uniform(tau / 2), Sum(()), self.lr_factor),
            Parameter("projections", (outputs, self.frequencies), even, Sum(()), self.lr_factor),
            Parameter("shifts", (outputs,), Zeros(), Sum(()), self.lr_factor),
        )
        return n_inputs + outputs

    def sources(self, n_inputs: int) -> np.ndarray:
        return np.concatenate([np.arange(n_inputs), np.repeat(np.arange(self.columns), self.width)])

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        self._x = x[:, : self.columns]
        self._angles = tau * self.waves.value * self._x[:, :, None] + self.phases.value  # (samples, columns, waves)
        self._cosines = np.cos(self._angles)
        self._out = np.einsum("rck,cdk->rcd", self._cosines, self._by_column(self.projections.value))
        self._out = self._out.reshape(len(x), -1) + self.shifts.value
        if self.rectified:
            self._out = np.maximum(self._out, 0)
        return np.concatenate([x, self._out], axis=1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        n_inputs = dy.shape[1] - self._out.shape[1]
        de = dy[:, n_inputs:]
        if self.rectified:
            de = np.where(self._out > 0, de, 0)
        np.sum(de, axis=0, out=self.shifts.gradient)
        de = de.reshape(len(dy), self.columns, self.width)
        projections = self._by_column(self.projections.value)
        np.einsum("rcd,rck->cdk", de, self._cosines, out=self._by_column(self.projections.gradient))
        slopes = -np.sin(self._angles) * np.einsum("rcd,cdk->rck", de, projections)
        np.sum(slopes, axis=0, out=self.phases.gradient)
        np.einsum("rck,rc->ck", slopes, tau * self._x, out=self.waves.gradient)
        dx = dy[:, :n_inputs].copy()
        dx[:, : self.columns] += np.einsum("rck,ck->rc", slopes, tau * self.waves.value)
        return dx

    def _by_column(self, projections: np.ndarray) -> np.ndarray:
        return projections.reshape(self.columns, self.width, self.frequencies)


@dataclass(eq=False)
class CategoryEmbedding(Layer):
    """Some numbers for each level of a category, instead of its one-hot columns: ``e = onehot @ table``.

    The outputs are the inputs that are no one-hot columns of these categories, in their order, then the embeddings,
    category by category.

    Parameters
    ----------
    first : int
        Where the one-hot columns begin.
    levels : tuple of int
        How many of them each category has; they lie side by side.
    width : int, default 8
        Numbers that each category is embedded in.
    lr_factor : float, default 1.0
        Factor of the learning rate.

    References
    ----------
    C. Guo and F. Berkhahn, "Entity embeddings of categorical variables", arXiv:1604.06737, 2016.

    Examples
    --------
    >>> layer = CategoryEmbedding(first=1, levels=(3, 4), width=2)
    >>> layer.build(8)
    5
    >>> layer.parameters[0].shape
    (7, 2)
    """

    first: int
    levels: tuple[int, ...]
    width: int = 8
    lr_factor: float = 1.0

    def __post_init__(self) -> None:
        check_number("first", self.first, at_least=0, integer=True)
        levels: object = self.levels
        if not isinstance(levels, tuple) or not levels:
            raise InvalidType(f"levels must be a tuple with one number for each category, got {shown(levels)}")
        for count in self.levels:
            check_number("levels", count, at_least=1, integer=True)
        check_number("width", self.width, at_least=1, integer=True)
        check_number("lr_factor", self.lr_factor, above=0)

    @property
    def last(self) -> int:
        """Where the one-hot columns end."""
        return self.first + sum(self.levels)

    @property
    def blocks(self) -> list[slice]:
        """The levels of each category among the rows of the table."""
        ends = np.cumsum(self.levels)
        return [slice(int(end - count), int(end)) for end, count in zip(ends, self.levels, strict=True)]

    def build(self, n_inputs: int) -> int:
        if self.last > n_inputs:
            raise InvalidValue(f"one-hot columns {self.first} to {self.last} are embedded of only {n_inputs} inputs")
        self.table = Parameter("table", (sum(self.levels), self.width), Normal(1.0), Sum(()), self.lr_factor)
        self.parameters = (self.table,)
        return n_inputs - sum(self.levels) + len(self.levels) * self.width

    def sources(self, n_inputs: int) -> np.ndarray:
        starts = [self.first + block.start for block in self.blocks]
        return np.concatenate([self._kept(np.arange(n_inputs)[None])[0], np.repeat(starts, self.width)])

    def _kept(self, x: np.ndarray) -> np.ndarray:
        return np.delete(x, np.s_[self.first : self.last], axis=1)

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None) -> np.ndarray:
        self._hot = x[:, self.first : self.last]
        embedded = [self._hot[:, block] @ self.table.value[block] for block in self.blocks]
        return np.concatenate([self._kept(x), *embedded], axis=1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        kept = dy.shape[1] - len(self.levels) * self.width
        parts = np.split(dy[:, kept:], len(self.levels), axis=1)
        for block, part in zip(self.blocks, parts, strict=True):
            np.matmul(self._hot[:, block].T, part, out=self.table.gradient[block])
        hot = [part @ self.table.value[block].T for block, part in zip(self.blocks, parts, strict=True)]
        return np.concatenate([dy[:, : self.first], *hot, dy[:, self.first : kept]], axis=1)
