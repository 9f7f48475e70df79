"""Counts, shares and times as people read them, in one manner on the whole page.

Other numbers are worded as in the answer, by `taut.selection.wording`. Knows nothing of results or HTML.
"""

from __future__ import annotations

from math import isnan

from taut.selection.wording import plain

__all__ = ["count", "duration", "percent", "plural"]

_THIN_SPACE = "\u202f"


def percent(share: float) -> str:
    r"""Return a share of one as a percentage that is "0 %" and "100 %" only for none and all.

    Examples
    --------
    >>> percent(0.6249), percent(0.0421), percent(1.0), percent(0.9996), percent(0.0001)
    ('62\u202f%', '4.2\u202f%', '100\u202f%', 'over 99.9\u202f%', 'under 0.1\u202f%')
    """
    if isnan(share):
        return "–"
    if 0 < share < 0.0005:
        return f"under 0.1{_THIN_SPACE}%"
    if 0.9995 <= share < 1:
        return f"over 99.9{_THIN_SPACE}%"
    decimals = 1 if 0 < share < 0.0995 or 0.9905 <= share < 1 else 0
    return f"{100 * share:.{decimals}f}{_THIN_SPACE}%"


def count(value: int) -> str:
    r"""Return a whole number with its thousands set apart.

    Examples
    --------
    >>> count(1797), count(12345)
    ('1797', '12\u202f345')
    """
    return f"{value:,}".replace(",", _THIN_SPACE if abs(value) >= 10_000 else "")


def plural(value: int, noun: str, nouns: str | None = None) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "row"), plural(3, "row"), plural(2, "class", "classes")
    ('1 row', '3 rows', '2 classes')
    """
    return f"{count(value)} {noun if value == 1 else nouns or noun + 's'}"


def duration(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> duration(0.42), duration(12.34), duration(125), duration(7260)
    ('0.42 s', '12.3 s', '2 min 5 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{plain(seconds, 2 if seconds < 10 else 3)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
