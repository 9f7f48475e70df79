"""One-line checks of arguments, so that every room refuses a bad number in the same words.

Floor 1 of the house: knows nothing of networks or data.
"""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite
from numbers import Integral, Real
from reprlib import Repr
from typing import Any

from taut.errors import InvalidType, InvalidValue

__all__ = ["check_choice", "check_flag", "check_number", "shown"]


def shown(value: object) -> str:
    """Return how a message shows a value: on one line, and not at length.

    Examples
    --------
    >>> shown("relu"), shown([[1.0] * 100] * 2)
    ("'relu'", '[[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, ...], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, ...]]')
    """
    if isinstance(value, Integral) and abs(int(value)) >= 10**40:
        return f"an integer of {int(value).bit_length()} bits"  # Python refuses to write the longest in digits
    text = " ".join(_SHORT.repr(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def check_number(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    integer: bool = False,
) -> None:
    """Raise unless `value` is a finite number within the bounds.

    Parameters
    ----------
    name : str
        What the message calls the value.
    value : object
        The value to check.
    at_least, at_most : float, optional
        Bounds that are themselves allowed.
    above, below : float, optional
        Bounds that are themselves excluded.
    integer : bool, default False
        Whether only whole numbers are allowed.

    Raises
    ------
    InvalidType
        If `value` is not a number of that kind.
    InvalidValue
        If `value` is not finite or out of bounds.

    Examples
    --------
    >>> check_number("dropout", 0.1, at_least=0, below=1)
    >>> check_number("dropout", 1.5, at_least=0, below=1)
    Traceback (most recent call last):
        ...
    taut.errors.InvalidValue: dropout must be a number at least 0 and below 1, got 1.5
    """
    wanted = [f"{word} {bound:g}" for word, bound in (("at least", at_least), ("above", above)) if bound is not None]
    wanted += [f"{word} {bound:g}" for word, bound in (("at most", at_most), ("below", below)) if bound is not None]
    message = f"{name} must be {'an integer' if integer else 'a number'} {' and '.join(wanted)}".rstrip()
    if isinstance(value, bool) or not isinstance(value, Integral if integer else Real):
        raise InvalidType(f"{message}, got {shown(value)}")
    number: Any = value  # compared as it is: a float cannot hold every integer
    if (
        not _is_finite(number)
        or (at_least is not None and number < at_least)
        or (above is not None and number <= above)
        or (at_most is not None and number > at_most)
        or (below is not None and number >= below)
    ):
        raise InvalidValue(f"{message}, got {shown(value)}")


def _is_finite(value: Any) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False


def check_flag(name: str, value: object) -> None:
    """Raise `InvalidType` unless `value` is True or False.

    Examples
    --------
    >>> check_flag("nesterov", True)
    """
    if not isinstance(value, bool):
        raise InvalidType(f"{name} must be True or False, got {shown(value)}")


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Raise `InvalidValue` unless `value` is one of `choices`.

    Examples
    --------
    >>> check_choice("by", "input", ("input", "unit"))
    """
    if not isinstance(value, str) or value not in choices:
        raise InvalidValue(f"{name} must be one of {', '.join(sorted(choices))}; got {shown(value)}")
