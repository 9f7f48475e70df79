"""Axes: along what a regularization path goes, and in which direction it regularizes more.

An axis is a numeric field of a recipe, or an elastic net of two of them, with what taut knows of it: whether larger
values regularize more, and whether its grid is one of powers, down from the largest strength that matters, or of equal
steps between bounds. Data beside code: `STRENGTHS`, `SHARES`. Floor 5 of the house; knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from taut.checks import check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.training.recipe import Recipe
from taut.training.regularizers import NONE, REGULARIZERS

__all__ = ["SHARES", "STRENGTHS", "Axis", "axis_of"]

#: Fields whose grid is one of powers, down from a largest strength that is found by training.
STRENGTHS = (
    "l1",
    "l2",
    "bias_l1",
    "bias_l2",
    "group_l1",
    "group_l1_units",
    "orthogonality",
    "input_noise",
    "weight_decay",
)

#: Fields that are a share, with the largest value of their grid, in equal steps: beyond it hardly anything is learned.
SHARES = {
    "dropout": 0.9,
    "input_dropout": 0.9,
    "dropconnect": 0.9,
    "label_smoothing": 0.9,
    "ema": 0.999,
    "swa": 1.0,
    "mixup": 2.0,
    "cutmix": 2.0,
    "sam": 1.0,
}

#: Fields of which less regularizes more.
FALLING = ("max_norm", "epochs")

#: Fields that empty inputs, units or single weights, by exact zeros.
SPARSE = ("l1", "group_l1", "group_l1_units")

# What draws weights in, as decay does.
_OF_WEIGHTS = ("l1", "l2", "group_l1", "group_l1_units")
_SHORT = {"group": "group_l1", "noise": "input_noise"}


@dataclass(frozen=True)
class Axis:
    """Along what a path goes.

    Attributes
    ----------
    name : str
        As it was asked for: a field of `Recipe`, or "l1_ratio=…".
    field : str
        The field that varies; of an elastic net, "l1".
    l1_ratio : float or None
        Of an elastic net of strength s: L1 has ``s * l1_ratio`` and L2 ``s * (1 - l1_ratio) / 2``.

    Examples
    --------
    >>> axis_of("l1_ratio=0.5").recipe(Recipe(dropout=0.0), 0.01).describe()
    'L2 0.0025 · L1 0.005'
    """

    name: str
    field: str
    l1_ratio: float | None = None

    @property
    def label(self) -> str:
        """What it is called on a figure."""
        if self.l1_ratio is not None:
            return f"elastic net (L1 ratio {self.l1_ratio:g})"
        return REGULARIZERS.get(self.field, self.field.replace("_", " "))

    @property
    def direction(self) -> int:
        """1 if larger values regularize more, -1 if smaller ones do, 0 if neither can be said."""
        return 1 if self.field in REGULARIZERS and self.field not in FALLING else -1 if self.field in FALLING else 0

    @property
    def is_strength(self) -> bool:
        """Whether its largest value is found by training, and its grid is one of powers."""
        return self.field in STRENGTHS

    @property
    def is_sparse(self) -> bool:
        """Whether it brings weights to exactly zero."""
        return self.field in SPARSE and self.l1_ratio != 0

    def base(self, recipe: Recipe) -> Recipe:
        """Return what the recipes at all values have in common, how they encode a table among it."""
        if self.field in _OF_WEIGHTS:  # a path of what draws weights in has nothing else that does
            recipe = replace(recipe, weight_decay=0.0)
        if self.field == "group_l1":  # at every value, 0 too: inputs enter as they are
            recipe = replace(recipe, embedding_width=0, category_width=0)
        return recipe

    def recipe(self, base: Recipe, value: float) -> Recipe:
        """Return the recipe at a value of the axis, all else as in `base`."""
        base, value = self.base(base), value.item() if isinstance(value, np.generic) else value
        if self.l1_ratio is not None:
            return replace(base, l1=value * self.l1_ratio, l2=value * (1.0 - self.l1_ratio) / 2.0)
        changes: dict[str, object] = {self.field: value}
        if self.field == "weight_decay":
            changes["optimizer"] = "adamw"
        if self.field == "snapshots":
            changes["schedule"] = "cosine_restarts"
        for alike in (("ema", "swa", "snapshots"), ("mixup", "cutmix")):
            if self.field in alike:
                changes = {name: NONE[name] for name in alike} | changes
        return replace(base, **changes)  # type: ignore[arg-type]

    def ordered(self, values: Sequence[float]) -> np.ndarray:
        """Return values from the most to the least regularized; where neither can be said, from large to small."""
        made = np.unique(np.asarray(values, dtype=np.float64))
        if self._is_integer and (made != np.floor(made)).any():
            raise InvalidValue(f"values of {self.name} must be whole numbers, got {shown(list(values))}")
        ordered = made if self.direction < 0 else made[::-1]
        return ordered.astype(np.int64) if self._is_integer else ordered

    def grid(self, n_values: int, largest: float | None, min_ratio: float) -> np.ndarray:
        """Return values from the most to the least regularized.

        Parameters
        ----------
        n_values : int
            How many.
        largest : float or None
            The strength to begin at, for an axis that `is_strength`.
        min_ratio : float
            The smallest strength, as a share of the largest.

        Raises
        ------
        InvalidValue
            If taut knows no grid for this axis.
        """
        if largest is not None:
            return np.geomspace(largest, largest * min_ratio, n_values)
        if self.field == "ema":  # what matters is how much is forgotten
            return np.append(1.0 - np.geomspace(1.0 - SHARES["ema"], 0.5, n_values - 1), 0.0)
        if self.field in SHARES:
            return np.linspace(SHARES[self.field], 0.0, n_values)
        if self.field == "max_norm":
            return np.geomspace(0.1, 10.0, n_values)
        raise InvalidValue(f"there is no usual grid for {self.name!r}: give values=…")

    @property
    def _is_integer(self) -> bool:
        return isinstance(getattr(Recipe, self.field), int) or self.field == "batch_size"


def axis_of(penalty: str) -> Axis:
    """Return the axis of a name: "l2", "l1", "l1_ratio=0.5", "group", "dropout", or any numeric field of `Recipe`.

    Raises
    ------
    InvalidValue, InvalidType
        If there is no such axis.

    Examples
    --------
    >>> axis_of("group")
    Axis(name='group', field='group_l1', l1_ratio=None)
    """
    if not isinstance(penalty, str):
        raise InvalidType(f"penalty must be a name such as 'l2', got {shown(penalty)}")
    if penalty.startswith("l1_ratio="):
        try:
            ratio = float(penalty.removeprefix("l1_ratio="))
        except ValueError as error:
            raise InvalidValue(f"penalty 'l1_ratio=…' needs a number, as in 'l1_ratio=0.5'; got {penalty!r}") from error
        check_number("l1_ratio", ratio, at_least=0, at_most=1)
        return Axis(penalty, "l1" if ratio else "l2", ratio)
    field = _SHORT.get(penalty, penalty)
    numeric = [one.name for one in fields(Recipe) if _is_numeric(one.name, one.default)]
    if field not in numeric:
        known = ", ".join(["l2", "l1", "l1_ratio=…", "group", *(name for name in numeric if name not in ("l1", "l2"))])
        raise InvalidValue(f"penalty must be one of {known}; got {shown(penalty)}")
    return Axis(penalty, field)


def _is_numeric(name: str, default: object) -> bool:
    is_number = isinstance(default, (int, float)) and not isinstance(default, bool)
    return name != "seed" and (is_number or name in ("max_norm", "clip_norm", "batch_size"))
