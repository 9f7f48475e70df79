"""Identifiers: columns that name or number the rows, and say nothing about them.

A network that sees a customer's number learns the training rows by heart. Such columns are known by their names
together with what they hold, or by counting the rows of the file one by one. A wrong guess costs a real measurement,
so that each sign must be strong. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

__all__ = ["MANY_ROWS", "is_free_text", "is_running_number", "names_rows"]

MANY_ROWS = 20  # with no more rows than this, what is different in each row may still be a category or a number
_NEARLY_ALL = 0.95  # a few rows may be in the file twice
_WORDS_OF_TEXT = 3  # names have fewer words than this, sentences more
_NOUN = r"id|uuid|guid|key|code|no\.?|nr\.?|num|number|nummer|kennung"
# The whole name, or its last or first word in snake_case, camelCase or with spaces: "id", "customer_id", "PassengerId".
_IDENTIFIER = re.compile(
    rf"(?i:{_NOUN}|index|idx|row|rows|row[ _.]?(names?|numbers?|id)|unnamed:.*)"
    rf"|(?i:.*[ _.-]({_NOUN})|id[ _.-].*|.*nummer|.*nr\.?)"
    r"|.*[a-z](Id|ID|No|Nr|Key|Code|Number|Num)"
)
# Counted in order, these are still what a trend depends on; one letter is a coordinate.
_COORDINATE = re.compile(
    r"(?i:[a-z]\d*|(.*[ _.-])?(time|step|steps|epoch|second|minute|hour|day|week|month|quarter|year|age"
    r"|zeit|tag|woche|monat|jahr|stunde)s?)"
)


def names_rows(name: str, n_different: int, n_present: int) -> bool:
    """Say whether a column is called an identifier and is different in nearly all of many rows."""
    return n_present > MANY_ROWS and n_different >= _NEARLY_ALL * n_present and _IDENTIFIER.fullmatch(name) is not None


def is_running_number(name: str, values: np.ndarray, index: pd.Index) -> bool:
    """Say whether whole numbers count the rows of the file from 0 or 1.

    Parameters
    ----------
    name : str
        The column's name: times are no identifiers.
    values : ndarray of float64, shape (rows,)
        What it holds.
    index : Index, shape (rows,)
        The rows' labels, which tell their places in the file also after splitting and shuffling.
    """
    if len(values) <= MANY_ROWS or _COORDINATE.fullmatch(name) or not pd.api.types.is_integer_dtype(index.dtype):
        return False
    first = values[0] - index[0]
    return first in (0, 1) and bool((values - index.to_numpy() == first).all())


def is_free_text(words: set[str]) -> bool:
    """Say whether words are sentences rather than names."""
    return sum(len(word.split()) for word in words) >= _WORDS_OF_TEXT * len(words)
