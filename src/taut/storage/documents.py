"""Documents: values as strict JSON, and back exactly as they were.

JSON knows neither NaN nor tuples nor keys that are numbers. What it lacks is written as an object whose single key
begins with "$", such as ``{"$float": "nan"}``. Reading refuses what a writer of ours would never write: bare NaN, keys
that stand twice, towers of brackets, fields nobody knows. Floor 7 of the house.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from taut.data.augment import Augmentation
from taut.errors import InvalidType, InvalidValue, ModelFileError
from taut.network.kinds import KINDS, from_spec, to_spec
from taut.storage.archive import damage
from taut.training.recipe import Recipe

__all__ = ["check_annotated", "checked_fields", "read_document", "write_document"]

_DEEPEST = 60
_UNNUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_KINDS = tuple(KINDS.values())


def write_document(value: Mapping[str, Any], *, exact: bool = False) -> bytes:
    """Return a mapping as JSON text in UTF-8.

    Parameters
    ----------
    value : mapping
        Numbers, strings, booleans, None, lists, tuples, mappings and NumPy's versions of these.
    exact : bool, default False
        Whether tuples come back as tuples and not as lists, and whether kinds such as ``L2(0.1)``, a `Recipe` and an
        `Augmentation` are allowed as values.

    Raises
    ------
    InvalidType
        If a value is nothing of these.

    Examples
    --------
    >>> print(write_document({"widths": (64, 32), "best": math.nan}).decode())
    {"widths": [64, 32], "best": {"$float": "nan"}}
    >>> read_document(write_document({"widths": (64, 32)}, exact=True), "example", exact=True)
    {'widths': (64, 32)}
    """
    return json.dumps(_plain(value, exact, 0), ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")


def _plain(value: Any, exact: bool, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InvalidValue(f"values nested more than {_DEEPEST} deep cannot be stored")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (np.generic, np.ndarray)):
        return _plain(value.tolist(), exact, depth + 1) if value.dtype.kind in "biufUO" else _refuse(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, (list, tuple)):
        items = [_plain(item, exact, depth + 1) for item in value]
        return {"$tuple": items} if exact and isinstance(value, tuple) else items
    if isinstance(value, Mapping):
        pairs = [[key if isinstance(key, str) else _plain(key, exact, depth + 1), item] for key, item in value.items()]
        pairs = [[key, _plain(item, exact, depth + 1)] for key, item in pairs]
        if all(isinstance(key, str) and not key.startswith("$") for key, _ in pairs):
            return {str(key): item for key, item in pairs}
        return {"$pairs": pairs}
    return _plain_object(value, depth) if exact else _refuse(value)


def _plain_object(value: Any, depth: int) -> Any:
    if isinstance(value, Recipe):
        return {"$recipe": _plain(value.to_dict(), False, depth + 1)}
    if isinstance(value, Augmentation):
        return {"$augmentation": _plain(value.to_dict(), False, depth + 1)}
    if isinstance(value, _KINDS):
        return {"$kind": _plain(to_spec(value), False, depth + 1)}
    return _refuse(value)


def _refuse(value: Any) -> Any:
    raise InvalidType(f"a {type(value).__name__} cannot be stored, got {value!r:.60}")


def read_document(data: bytes, name: str, *, exact: bool = False, foreign: bool = False) -> dict[str, Any]:
    """Read back what `write_document` returned.

    Parameters
    ----------
    data : bytes
        The text.
    name : str
        What messages call it.
    exact : bool, default False
        As it was written.
    foreign : bool, default False
        Whether another program wrote it, so that "$" means nothing special.

    Raises
    ------
    ModelFileError
        If it is not such a document.
    """
    unwrap = _EXACT if exact else _LOOSE

    def build(pairs: list[tuple[str, Any]]) -> Any:
        values = dict(pairs)
        if len(values) < len(pairs):
            raise ModelFileError(f"{name} has a field twice")
        tags = [key for key in values if key.startswith("$")]
        if foreign or not tags:
            return values
        if len(values) > 1 or tags[0] not in unwrap:
            raise ModelFileError(f"{name} has an unknown field {tags[0]!r:.60}")
        return unwrap[tags[0]](values[tags[0]])

    with damage(f"{name} is not valid JSON"):
        text = data.decode("utf-8", "surrogatepass")
        value = json.loads(text, object_pairs_hook=build, parse_constant=_no_constant, parse_float=_finite)
    if not isinstance(value, dict):
        raise ModelFileError(f"{name} should hold an object, not a {type(value).__name__}")
    _check_depth(value, name)
    return value


def _no_constant(word: str) -> float:
    raise InvalidValue(f"it holds {word}")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise InvalidValue(f"it holds the number {digits:.40}, which is too large")
    return number


def _check_depth(value: Any, name: str) -> None:
    level = [value]
    for _ in range(_DEEPEST + 10):  # tags stand a little deeper than what they wrap
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list, tuple))
        ]
        if not level:
            return
    raise ModelFileError(f"{name} is nested too deep")


def _pairs(pairs: Any) -> dict[Any, Any]:
    return {key: value for key, value in pairs}  # noqa: C416 - pairs that are no pairs must raise


_LOOSE: dict[str, Callable[[Any], Any]] = {"$float": lambda word: _UNNUMBERS[word], "$pairs": _pairs}
_EXACT: dict[str, Callable[[Any], Any]] = {
    **_LOOSE,
    "$tuple": tuple,
    "$recipe": Recipe.from_dict,
    "$augmentation": Augmentation.from_dict,
    "$kind": from_spec,
}


def checked_fields(document: Any, name: str, types: Mapping[str, type | UnionType]) -> tuple[Any, ...]:
    """Return the fields of a document in the order of `types`, which names all of them with their types.

    Raises
    ------
    ModelFileError
        If one is missing, unknown or of another type.

    Examples
    --------
    >>> checked_fields({"width": 3, "name": "a"}, "example.json", {"name": str, "width": int})
    ('a', 3)
    >>> checked_fields({"width": True, "name": "a"}, "example.json", {"name": str, "width": int})
    Traceback (most recent call last):
        ...
    taut.errors.ModelFileError: example.json: 'width' should be int, not bool
    """
    if not isinstance(document, dict):
        raise ModelFileError(f"{name} should hold an object, not a {type(document).__name__}")
    unknown = sorted(map(str, document.keys() - types.keys()))
    if unknown:
        raise ModelFileError(f"{name} has an unknown field {unknown[0]!r:.60}")
    for field, kind in types.items():
        if field not in document:
            raise ModelFileError(f"{name} lacks the field {field!r}")
        value = document[field]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            wanted = kind.__name__ if isinstance(kind, type) else str(kind)
            raise ModelFileError(f"{name}: {field!r} should be {wanted}, not {type(value).__name__}")
    return tuple(document[field] for field in types)


def check_annotated(kind: Any) -> None:
    """Raise `InvalidValue` if a field of a dataclass, or of one in it, is not of the type it is annotated with.

    Dataclasses themselves do not look, and what was made from a document may hold anything. Other values pass.
    """
    if not is_dataclass(kind):
        return
    annotations = _annotations(kind.__class__)
    for field in fields(kind):
        value = getattr(kind, field.name)
        if not _fits(value, annotations[field.name]):
            raise InvalidValue(f"{type(kind).__name__}: {field.name!r} cannot be {value!r:.60}")
        for part in value if isinstance(value, tuple) else (value,):
            check_annotated(part)


@cache
def _annotations(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a value is of an annotated type: a class, a union, or a tuple of any length.

    Examples
    --------
    >>> _fits((0.5, 2), tuple[float, ...] | None), _fits("wide", int), _fits(True, int)
    (True, False, False)
    """
    if isinstance(annotation, UnionType):
        return any(_fits(value, choice) for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        return isinstance(value, tuple) and all(_fits(item, get_args(annotation)[0]) for item in value)
    if annotation in (int, float):
        return isinstance(value, (int, annotation)) and not isinstance(value, bool)
    return isinstance(value, annotation)
