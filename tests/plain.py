"""A plain recipe: one hidden layer of rectifiers and a little L2, without what the usual recipe has beside them."""

from __future__ import annotations

from typing import Any

from benchmarks.problems import PLAIN
from taut import Recipe


def plain(**fields: Any) -> Recipe:
    """Return the plain recipe, but for some fields."""
    return Recipe(**PLAIN | {"l2": 1e-4} | fields)
