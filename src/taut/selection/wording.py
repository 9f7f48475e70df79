"""Wording: numbers as sentences and tables say them, in one manner everywhere.

A value with a standard error has the decimals that show two digits of the error, and the error has just as many, but
decimals end at the value's fifth digit; a value alone has three digits that count. Whole digits are never rounded away
below a million; from there on, and for very small numbers, a power of ten is easier to read. Knows nothing of
results, screens or HTML.
"""

from __future__ import annotations

from math import isfinite, isnan

__all__ = ["LARGE", "METRIC_WORDS", "plain", "plus_minus", "rounded", "ten_to_the"]

#: What sentences call the metrics.
METRIC_WORDS = {"log_loss": "log loss", "accuracy": "accuracy", "rmse": "RMSE", "r2": "R²"}

SMALL, LARGE = 1e-4, 1e6  # beyond these a power of ten is easier to read
ROUNDING = 1e-9  # a relative error below this is rounding noise of values that are equal
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain(value: float, digits: int = 3) -> str:
    """Return a number to so many digits that count; beside a large power of ten at least four.

    Parameters
    ----------
    value : float
        The number.
    digits : int, default 3
        How many.

    Examples
    --------
    >>> plain(0.081234), plain(54.321), plain(-27431.2), plain(-2906204.1), plain(3e-5), plain(float("nan"))
    ('0.0812', '54.3', '−27431', '−2.906 × 10⁶', '3 × 10⁻⁵', '–')
    """
    if not isfinite(value):
        return _not_finite(value)
    if not value:
        return "0"
    if not _needs_a_power(value):
        return _fixed(value, digits - 1 - _power(value, digits))
    mantissa, _, power = f"{abs(value):.{(max(digits, 4) if abs(value) > 1 else digits) - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{'−' if value < 0 else ''}{mantissa} × {ten_to_the(int(power))}"


def rounded(value: float, error: float) -> str:
    """Return a value with the decimals that `plus_minus` gives it, without the error.

    Examples
    --------
    >>> rounded(0.67012, 0.0112), rounded(0.67012, float("nan"))
    ('0.670', '0.670')
    """
    scale, decimals = _scale(value, error)
    if decimals is None:
        return plain(value)
    return _fixed(value / 10.0**scale, decimals) + (f" × {ten_to_the(scale)}" if scale else "")


def plus_minus(value: float, error: float) -> str:
    """Return a value with its standard error, both to the error's second digit.

    Parameters
    ----------
    value : float
        The value.
    error : float
        Its standard error; without a usable one, the value stands alone.

    Examples
    --------
    >>> plus_minus(0.67012, 0.0112), plus_minus(0.312, 0.04), plus_minus(1234.5, 210.0)
    ('0.670 ± 0.011', '0.312 ± 0.040', '1234 ± 210')
    >>> plus_minus(-2906204.1, 1738013.8), plus_minus(0.5, float("nan"))
    ('(−2.9 ± 1.7) × 10⁶', '0.500')
    """
    scale, decimals = _scale(value, error)
    if decimals is None:
        return plain(value)
    uncertainty = _fixed(error / 10.0**scale, decimals)
    if not float(uncertainty):
        uncertainty = f"<{_fixed(10.0**-decimals, decimals)}"
    pair = f"{_fixed(value / 10.0**scale, decimals)} ± {uncertainty}"
    return f"({pair}) × {ten_to_the(scale)}" if scale else pair


def ten_to_the(power: int) -> str:
    """Return a power of ten.

    Examples
    --------
    >>> ten_to_the(-6)
    '10⁻⁶'
    """
    return f"10{str(power).translate(SUPERSCRIPTS)}"


def _scale(value: float, error: float) -> tuple[int, int | None]:
    """Return the power of ten to divide by, 0 for none, and the decimals then; None if the error is not to be shown."""
    if not (isfinite(value) and isfinite(error)) or error <= ROUNDING * abs(value):
        return 0, None
    largest = max(abs(value), error)
    scale = _power(largest, 3) if _needs_a_power(largest) else 0
    decimals = 1 - _power(error / 10.0**scale, 2)
    if abs(value) > error:  # more than five digits of a value say no more to a reader
        decimals = min(decimals, 4 - _power(value / 10.0**scale, 5))
    return scale, max(0, decimals)


def _needs_a_power(value: float) -> bool:
    return not SMALL <= abs(value) < LARGE - 0.5  # what would be rounded to a million is one


def _power(value: float, digits: int) -> int:
    """Return the power of ten of `value` once it is rounded to so many digits, so that 9.999 counts as 10.0."""
    return int(f"{abs(value):.{digits - 1}e}".partition("e")[2]) if value else 0


def _fixed(value: float, decimals: int) -> str:
    text = f"{abs(value):.{max(0, decimals)}f}"
    return f"−{text}" if value < 0 and float(text) else text


def _not_finite(value: float) -> str:
    if isnan(value):
        return "–"
    return "∞" if value > 0 else "−∞"
