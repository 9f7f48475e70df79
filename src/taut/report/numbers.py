"""Numbers as people read them: three digits that count, no noise, one manner on the whole page.

Knows nothing of results or HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, isfinite, isnan, log10

__all__ = ["count", "decimals_for", "duration", "fixed", "percent", "plural", "significant"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALL, _LARGE = 1e-4, 1e7  # beyond these a power of ten is easier to read
_THIN_SPACE = "\u202f"


def significant(value: float, digits: int = 3) -> str:
    """Return `value` to `digits` significant digits; whole digits are never rounded away.

    Examples
    --------
    >>> significant(0.081234), significant(54.321), significant(-1234.5), significant(3e-5), significant(float("nan"))
    ('0.0812', '54.3', '−1234', '3 × 10⁻⁵', '–')
    """
    if not isfinite(value) or value == 0 or not _SMALL <= abs(value) < _LARGE:
        return _special(value, digits)
    return fixed(value, max(0, digits - 1 - _exponent(value, digits)))


def fixed(value: float, decimals: int) -> str:
    r"""Return `value` with a number of decimals, for columns of numbers that line up.

    Examples
    --------
    >>> fixed(0.5, 3), fixed(-12345.6, 0), fixed(1e-9, 2)
    ('0.500', '−12\u202f346', '<0.01')
    """
    if not isfinite(value) or abs(value) >= _LARGE:
        return _special(value, 3)
    text = f"{abs(value):,.{decimals}f}"
    if value > 0 and not float(text.replace(",", "")):
        return f"<{10.0**-decimals:.{decimals}f}"
    whole = text.partition(".")[0]
    text = text.replace(",", _THIN_SPACE if len(whole) > 5 else "")
    return text if value >= 0 or not float(text.replace(_THIN_SPACE, "")) else f"−{text}"


def decimals_for(values: Iterable[float], digits: int = 3) -> int:
    """Return the decimals that give the first usable of `values` that many significant digits.

    Examples
    --------
    >>> decimals_for([0.0812]), decimals_for([54.3]), decimals_for([float("nan"), 12345.0])
    (4, 1, 0)
    """
    for value in values:
        if isfinite(value) and value:
            return min(max(0, digits - 1 - _exponent(value, digits)), 6)
    return digits


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
    return fixed(value, 0)


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
        return f"{significant(seconds, 2 if seconds < 10 else 3)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _exponent(value: float, digits: int) -> int:
    """Return the power of ten of `value` once it is rounded, so that 9.999 counts as 10.0."""
    exponent = floor(log10(abs(value)))
    return floor(log10(round(abs(value), digits - 1 - exponent)))


def _special(value: float, digits: int) -> str:
    if isnan(value):
        return "–"
    if not isfinite(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    mantissa, _, power = f"{abs(value):.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{'−' if value < 0 else ''}{mantissa} × 10{str(int(power)).translate(_SUPERSCRIPTS)}"
