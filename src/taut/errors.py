"""The errors that taut raises on purpose.

Each carries one line: what is wrong, the offending value, and what to do about it. All descend from `TautError`, so
one ``except`` catches them; those that a wrong argument causes are also the built-in `ValueError` or `TypeError` that
scikit-learn's users expect. The command line turns them into exit codes. Knows nothing of the rest of the house.
"""

from __future__ import annotations

__all__ = ["DataError", "InvalidType", "InvalidValue", "ModelFileError", "NonFiniteLoss", "TautError"]


class TautError(Exception):
    """Base of every error that taut raises on purpose."""


class InvalidValue(TautError, ValueError):
    """An argument has a value that cannot be used."""


class InvalidType(TautError, TypeError):
    """An argument has a type that cannot be used."""


class DataError(InvalidValue):
    """A table, a column or a target cannot be used as it is."""


class ModelFileError(InvalidValue):
    """A file is not a model that this version of taut can open safely."""


class NonFiniteLoss(TautError, ArithmeticError):
    """Training produced a loss that is not a finite number."""
