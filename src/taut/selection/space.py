"""The space of a search: which fields of a recipe it may set, within which bounds, and how it moves among them.

A setting is a mapping from fields to values; a field that it does not name is off, as in a recipe without
regularization. So an ingredient is present or absent, and where present it has a value: a draw takes each with its own
probability, a refinement moves values by ever smaller steps and now and then takes an ingredient in or out. Bounds
are data: `SPACE` has every field that regularizes. Floor 5 of the house; knows nothing of training.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import check_flag, check_number, shown
from taut.data.encoding import Encoding
from taut.errors import InvalidType, InvalidValue
from taut.random import Random
from taut.training.recipe import Recipe
from taut.training.regularizers import NONE

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["DESIGN", "SPACE", "Choice", "Range", "Setting", "Space"]

Setting = dict[str, Any]

DIGITS = 2  # of a value that is drawn, so that people can read it


@dataclass(frozen=True)
class Range:
    """Numbers between two bounds.

    Parameters
    ----------
    low, high : float
        The bounds.
    log : bool, default False
        Whether equal ratios, and not equal differences, are equally likely.
    share : float, default 0.2
        How often a draw takes the ingredient in.
    integer : bool, default False
        Whether values are whole numbers.

    Examples
    --------
    >>> Range(1e-4, 1.0, log=True).at(0.5)
    0.01
    """

    low: float
    high: float
    log: bool = False
    share: float = 0.2
    integer: bool = False

    def __post_init__(self) -> None:
        check_flag("log", self.log)
        check_flag("integer", self.integer)
        check_number("low", self.low, above=0 if self.log else None)
        check_number("high", self.high, above=self.low)
        check_number("share", self.share, at_least=0, at_most=1)

    def at(self, place: float) -> float:
        """Return the value at a place between 0 and 1, to two digits that count."""
        value = self.low + place * (self.high - self.low)
        if self.log:
            value = self.low * (self.high / self.low) ** place
        if self.integer:
            return int(min(max(round(value), self.low), self.high))
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def place(self, value: float) -> float:
        """Return where a value is, between 0 and 1."""
        if self.log:
            return log(value / self.low) / log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def drawn(self, uniform: float) -> float:
        """Return a value for a uniform number."""
        return self.at(uniform)

    def moved(self, value: float, normal: float, uniform: float, reach: float) -> float:
        """Return a value near another: a normal step, whose standard deviation is a share of the range."""
        return self.at(min(max(self.place(value) + reach * normal, 0.0), 1.0))

    def ends(self) -> tuple[float, float]:
        """Return the bounds."""
        return self.low, self.high

    def told(self, value: Any) -> Any:
        """Return a value as Optuna is told it."""
        return value

    def has(self, value: object) -> bool:
        """Say whether a value is within the bounds."""
        return isinstance(value, (int, float)) and not isinstance(value, bool) and self.low <= value <= self.high

    def including(self, value: object) -> Range:
        """Return the range, widened so that it has a value, if that can be."""
        if self.has(value) or not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
            return self
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def distribution(self) -> BaseDistribution:
        """Return the same in Optuna's terms."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.integer:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Choice:
    """One of several values.

    Parameters
    ----------
    values : tuple
        The values: numbers, strings, booleans.
    share : float, default 0.2
        How often a draw takes the ingredient in.
    """

    values: tuple[Any, ...]
    share: float = 0.2

    def __post_init__(self) -> None:
        if not self.values:
            raise InvalidValue("a choice needs at least one value")
        check_number("share", self.share, at_least=0, at_most=1)

    def drawn(self, uniform: float) -> Any:
        """Return a value for a uniform number."""
        return self.values[int(uniform * len(self.values))]

    def moved(self, value: Any, normal: float, uniform: float, reach: float) -> Any:
        """Return the same value or, the likelier the larger the reach, another."""
        return self.drawn(uniform) if abs(normal) * reach > 0.1 else value

    def ends(self) -> tuple[Any, ...]:
        """Return all values."""
        return self.values

    def told(self, value: Any) -> Any:
        """Return a value as Optuna is told it: a database has no tuples."""
        return value if isinstance(value, (bool, int, float, str)) else json.dumps(value)

    def has(self, value: object) -> bool:
        """Say whether it is one of the values."""
        return value in self.values

    def including(self, value: object) -> Choice:
        """Return the choice, with one more value if it has not that one; what is off is none."""
        return self if self.has(value) or not value else replace(self, values=(*self.values, value))

    def distribution(self) -> BaseDistribution:
        """Return the same in Optuna's terms."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(tuple(map(self.told, self.values)))


#: Every field that regularizes but snapshots, which need a schedule of their own: from where it hardly shows to where
#: it all but silences the network, inputs and targets of unit variance taken for granted. Shares say how often the
#: coarse round tries it: often what is known to matter on tables (Kadra et al., "Well-tuned simple nets excel on
#: tabular datasets", 2021, has the frequencies with which a cocktail of 13 was taken), seldom the rest.
SPACE: dict[str, Range | Choice] = {
    "l2": Range(1e-5, 0.3, log=True, share=0.7),
    "l1": Range(1e-5, 0.03, log=True, share=0.25),
    "bias_l2": Range(1e-4, 0.1, log=True, share=0.03),
    "bias_l1": Range(1e-4, 0.1, log=True, share=0.03),
    "dropout": Range(0.05, 0.6, share=0.5),
    "input_dropout": Range(0.02, 0.4, share=0.2),
    "dropconnect": Range(0.05, 0.6, share=0.1),
    "input_noise": Range(0.03, 0.6, log=True, share=0.2),
    "group_l1": Range(1e-4, 0.3, log=True, share=0.1),
    "group_l1_units": Range(1e-4, 0.1, log=True, share=0.05),
    "orthogonality": Range(1e-5, 0.1, log=True, share=0.05),
    "max_norm": Range(0.1, 4.0, log=True, share=0.1),
    "non_negative": Choice((True,), share=0.02),
    "label_smoothing": Range(0.01, 0.3, log=True, share=0.15),
    "mixup": Range(0.05, 1.0, log=True, share=0.15),
    "cutmix": Range(0.05, 1.0, log=True, share=0.1),
    "weight_decay": Range(1e-3, 3.0, log=True, share=0.1),
    "sam": Range(0.01, 1.0, log=True, share=0.1),
    "ema": Choice((0.98, 0.99, 0.995), share=0.15),
    "swa": Range(0.1, 0.5, share=0.1),
}

#: What else a refinement may move, where a setting has it. All of these come from one parent, for a learning rate is
#: right for its own network only.
DESIGN: dict[str, Range | Choice] = {
    "hidden_layer_sizes": Choice(((64,), (128,), (64, 64), (128, 128), (256, 256), (128, 128, 128))),
    "activation": Choice(("relu", "selu", "silu", "mish", "gelu")),
    "embedding_deviation": Range(0.03, 1.0, log=True),
    "learning_rate": Range(1e-3, 0.3, log=True),
    "epochs": Choice((30, 60, 100, 150)),
}

# What no search sets: with other encodings or losses its losses could not be compared, the rest is not for it to say.
_FIXED = (
    *("seed", "early_stopping", "monitor", "validation_fraction", "patience"),
    *("scaling", "bins", "components", "loss", "dtype"),
)
# What it may set, and how a table is encoded depends on.
_ENCODING = ("embedding_width", "group_l1")
# Of two that exclude each other, the first stays.
_EXCLUSIVE = (("ema", "swa"), ("mixup", "cutmix"))
# Fields for hidden layers only, and for classification only.
_HIDDEN = ("dropout", "dropconnect", "max_norm", "group_l1_units", "orthogonality")
_CLASSES = ("label_smoothing",)
# Items of the draws for the design are so far from those of the rest.
_APART = 1 << 20
# How often a refinement takes an ingredient out, and brings one in, as a share of how often a draw would.
_OUT, _IN = 0.15, 0.25


@dataclass(frozen=True, eq=False)
class Space:
    """What a search may set, around a recipe that says the rest.

    Parameters
    ----------
    base : Recipe
        What stays; its values of the fields of the space are off, unless a setting has them.
    fields : mapping of str to Range or Choice, optional
        The fields; by default `SPACE`. A pair of numbers is a range, a list a choice.
    task : {"classification", "regression"}
        What is fitted; what is for the other task only is left out.
    design : mapping of str to Range or Choice, optional
        Other fields that settings may have: a refinement has all of them from one parent, moved.
    """

    base: Recipe
    fields: Mapping[str, Any] | None
    task: str
    design: Mapping[str, Range | Choice] = field(default_factory=dict)
    dimensions: Mapping[str, Range | Choice] = field(init=False)

    def __post_init__(self) -> None:
        given: object = SPACE if self.fields is None else self.fields
        if not isinstance(given, Mapping) or not given:
            raise InvalidType(f"space must be a mapping from fields of a recipe to ranges, got {shown(given)}")
        known = [name for name in self.base.to_dict() if name not in _FIXED]
        made = {}
        for name, value in given.items():
            if name not in known:
                raise InvalidValue(f"space names {shown(name)}, which is not one of: {', '.join(known)}")
            if self.fields is not None or self._applies(name):
                made[name] = _dimension(name, value).including(getattr(self.base, name))
        object.__setattr__(self, "dimensions", made)
        for name, dimension in made.items():
            for value in dimension.ends():
                self.recipe({name: value})  # refuses what a recipe would

    def _applies(self, name: str) -> bool:
        """Say whether a field is for this task and network, and has one value for all layers."""
        if isinstance(getattr(self.base, name), tuple):
            return False
        return (self.base.hidden_layer_sizes != () or name not in _HIDDEN) and (
            self.task == "classification" or name not in _CLASSES
        )

    def recipe(self, setting: Setting) -> Recipe:
        """Return the recipe of a setting."""
        off = {name: NONE[name] for name in self.dimensions if name in NONE}
        changes = off | setting
        if changes.get("weight_decay"):
            changes["optimizer"] = "adamw"
        if changes.get("ema") or changes.get("swa"):
            changes["snapshots"] = 0
        return replace(self.base, **changes)

    def encodings(self, settings: Iterable[Setting]) -> list[Encoding]:
        """Return every way in which settings, and what may be made of them, encode a table."""
        dimensions = {name: self.dimensions[name] for name in _ENCODING if name in self.dimensions}
        others = [{}, *({name: end} for name, dimension in dimensions.items() for end in dimension.ends())]
        made = [setting | other for setting in settings for other in others]
        return list(dict.fromkeys(self.recipe(setting).encoding for setting in made if self.allows(setting)))

    def allows(self, setting: Setting) -> bool:
        """Say whether there is a recipe of a setting: what it has and what stays may not go together."""
        try:
            self.recipe(setting)
        except InvalidValue:
            return False
        return True

    def has(self, setting: Setting) -> bool:
        """Say whether a setting is within the space."""
        return all(name in self.dimensions and self.dimensions[name].has(value) for name, value in setting.items())

    def setting(self, recipe: Recipe) -> Setting:
        """Return the setting that a recipe shows, as far as the space has it."""
        values = {name: getattr(recipe, name) for name in self.dimensions}
        return {
            name: value
            for name, value in values.items()
            if self.dimensions[name].has(value) and value != NONE.get(name)
        }

    def drawn(self, random: Random) -> Setting:
        """Return a random setting, with at least one ingredient."""
        draws = random.uniform((len(self.dimensions), 2))
        shares = np.array([dimension.share for dimension in self.dimensions.values()])
        names = list(self.dimensions)
        taken = draws[:, 0] < shares
        if not taken.any():
            taken[int(np.argmin(draws[:, 0] - shares))] = True
        return self.consistent(
            {name: self.dimensions[name].drawn(draws[i, 1]) for i, name in enumerate(names) if taken[i]}
        )

    def refined(self, parents: Sequence[Setting], reach: float, random: Random) -> Setting:
        """Return a setting near good ones: each ingredient from one of two parents, then moved.

        Parameters
        ----------
        parents : sequence of Setting
            The best so far, best first.
        reach : float
            Standard deviation of a step, as a share of a range.
        random : Random
            Where the numbers come from.
        """
        draws = random.uniform((len(self.dimensions) + 1, 4))
        steps = random.at(epoch=random.epoch + 1).normal(len(self.dimensions))
        # The better a parent, the likelier.
        first, second = (parents[int(len(parents) * draws[-1, side] ** 2)] for side in (0, 1))
        # What is not of the space, such as an architecture, is whole: it comes from one parent.
        made: Setting = {name: value for name, value in first.items() if name not in self.dimensions}
        moves = random.at(epoch=random.epoch + 1, item=random.item + _APART)
        for (name, dimension), step, draw in zip(
            self.design.items(), moves.normal(len(self.design)), moves.uniform(len(self.design)), strict=True
        ):
            if made.get(name):  # a linear model stays one
                made[name] = dimension.moved(made[name], float(step), float(draw), reach)
        for row, (name, dimension) in enumerate(self.dimensions.items()):
            parent = first if draws[row, 0] < 0.7 else second
            if name in parent and draws[row, 1] >= _OUT:
                made[name] = dimension.moved(parent[name], float(steps[row]), float(draws[row, 2]), reach)
            elif name not in parent and draws[row, 1] < _IN * dimension.share:
                made[name] = dimension.drawn(float(draws[row, 3]))
        return self.consistent(made)

    def consistent(self, setting: Setting) -> Setting:
        """Return a setting without what it cannot have beside the rest of it."""
        setting = dict(setting)
        for stays, goes in _EXCLUSIVE:
            if setting.get(stays):
                setting.pop(goes, None)
        if not setting.get("hidden_layer_sizes", self.base.hidden_layer_sizes):
            for name in _HIDDEN:
                setting.pop(name, None)
        return setting


def _dimension(name: object, given: Any) -> Range | Choice:
    if isinstance(given, (Range, Choice)):
        return given
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(bound, (int, float)) for bound in given):
        low, high = given
        # Several powers of ten are a range of powers.
        is_integer = isinstance(getattr(Recipe, str(name), None), int) or name == "batch_size"
        return Range(low, high, log=bool(low > 0 and high / low >= 30), integer=is_integer)
    if isinstance(given, list):
        plain = [value.item() if isinstance(value, np.generic) else value for value in given]
        return Choice(tuple(tuple(value) if isinstance(value, list) else value for value in plain), share=1.0)
    raise InvalidType(
        f"space of {shown(name)} must be a Range, a Choice, a pair (low, high) or a list, got {shown(given)}"
    )
