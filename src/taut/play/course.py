"""The course: a run from its start to now, with every turn of a knob, and the address that says all of it.

Whoever has the course can repeat the run to its last bit: the first setting, what was changed at which epoch, and how
many epochs there were. Knows nothing of training, or of the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from taut.checks import check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.play.setting import TURNED_LIVE, Setting

__all__ = ["MOST_EPOCHS", "Course"]

MOST_EPOCHS = 200_000
_MOST_CHANGES = 2000
_LONGEST = 200_000  # characters of an address

Change = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Course:
    """A run from its start to now.

    Parameters
    ----------
    start : Setting
        How it began.
    changes : tuple of (int, dict)
        After how many epochs which knobs were turned to what, in order.
    epoch : int
        How many epochs there were.

    Examples
    --------
    >>> course = Course(Setting(layers=(8,), l2=0)).at(200).turned({"l2": [0.01, 0.0]}).at(300)
    >>> course.address()
    'layers=[8]&l2=0.0&epoch=300&changes=[[200,{%22l2%22:[0.01,0.0]}]]'
    >>> Course.from_address(course.address()) == course
    True
    >>> [(until, setting.l2) for until, setting in course.stages()]
    [(200, (0.0, 0.0)), (300, (0.01, 0.0))]
    """

    start: Setting = field(default_factory=Setting)
    changes: tuple[Change, ...] = ()
    epoch: int = 0

    def __post_init__(self) -> None:
        check_number("epoch", self.epoch, at_least=0, at_most=MOST_EPOCHS, integer=True)
        given: Any = self.changes
        if not isinstance(given, (list, tuple)) or len(given) > _MOST_CHANGES:
            raise InvalidValue(f"a run has at most {_MOST_CHANGES} changes; reset it to go on")
        setting, before, kept = self.start, 0, []
        for change in given:
            if not isinstance(change, (list, tuple)) or len(change) != 2 or not isinstance(change[1], Mapping):
                raise InvalidType(f"a change is an epoch and what was turned, got {shown(change)}")
            at, knobs = change
            check_number("epoch of a change", at, above=before, at_most=self.epoch, integer=True)
            _check_live(knobs)
            setting, before = setting.changed(knobs), at
            kept.append((at, dict(knobs)))
        object.__setattr__(self, "changes", tuple(kept))

    @property
    def setting(self) -> Setting:
        """The knobs as they stand now."""
        setting = self.start
        for _, knobs in self.changes:
            setting = setting.changed(knobs)
        return setting

    def at(self, epoch: int) -> Course:
        """Return the course after so many epochs; changes that come later have not happened."""
        return replace(self, epoch=epoch, changes=tuple(change for change in self.changes if change[0] <= epoch))

    def turned(self, knobs: Mapping[str, Any]) -> Course:
        """Return the course with knobs turned now; those that cannot be turned live make it begin anew."""
        setting = self.setting
        if not self.epoch or any(name not in TURNED_LIVE for name in knobs):
            return Course(setting.changed(knobs))
        turned = setting.changed(knobs)
        names = [name for name in TURNED_LIVE if getattr(turned, name) != getattr(setting, name)]
        if not names:
            return self
        values = turned.to_dict()
        earlier, now = self.changes, {name: values[name] for name in names}
        if earlier and earlier[-1][0] == self.epoch:
            earlier, now = earlier[:-1], {**earlier[-1][1], **now}
        return replace(self, changes=(*earlier, (self.epoch, now)))

    def stages(self) -> list[tuple[int, Setting]]:
        """Return until which epoch each setting held, the last one until now."""
        stages, setting = [], self.start
        for at, knobs in self.changes:
            stages.append((at, setting))
            setting = setting.changed(knobs)
        return [*stages, (self.epoch, setting)]

    def address(self) -> str:
        """Return the course as the fragment of an address; knobs as by default are left out."""
        # Strengths are counted by the layers, so what is usual for them depends on these.
        usual = Setting(layers=self.start.layers).to_dict() | {"layers": list(Setting().layers)}
        values = self.start.to_dict()
        parts: dict[str, Any] = {name: _short(name, values[name]) for name in values if values[name] != usual[name]}
        parts |= {"epoch": self.epoch} if self.epoch else {}
        parts |= {"changes": self.changes} if self.changes else {}
        written = {name: value if isinstance(value, str) else _json(value) for name, value in parts.items()}
        return urlencode(written, quote_via=quote, safe="[]{}:,")

    @staticmethod
    def from_address(text: str) -> Course:
        """Read back what `address` returned; raise `InvalidValue` or `InvalidType` if it is something else."""
        if len(text) > _LONGEST:
            raise InvalidValue(f"the address is too long: {len(text)} characters, {_LONGEST} at most")
        try:
            pairs = parse_qsl(text.removeprefix("#"), keep_blank_values=True, strict_parsing=bool(text.strip("#")))
        except ValueError as error:
            raise InvalidValue(f"the address is not one of this page: {shown(text)}") from error
        values: dict[str, Any] = {name: value if name in _WORDS else _parsed(name, value) for name, value in pairs}
        changes, epoch = values.pop("changes", ()), values.pop("epoch", 0)
        return Course(Setting.from_dict(values), changes, epoch)


#: The knobs whose values are words, written as they are.
_WORDS = ("data", "table", "target", "axes", "activation", "optimizer")


def _short(name: str, value: Any) -> Any:
    """Return one number for strengths that are the same in all layers."""
    is_strength = name not in ("layers", "columns") and isinstance(value, list)
    return value[0] if is_strength and value and len(set(value)) == 1 else value


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _parsed(name: str, value: str) -> Any:
    if name == "batch_size" and value == "all":
        return value
    try:
        return json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"the address has a value for {shown(name)} that cannot be read: {shown(value)}") from error


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _check_live(knobs: Mapping[str, Any]) -> None:
    fixed = [name for name in knobs if name not in TURNED_LIVE]
    if fixed:
        raise InvalidValue(f"{shown(fixed[0])} cannot be changed in the middle of a run")
