"""A plain recipe: one hidden layer of rectifiers and a little L2, without what the usual recipe has beside them."""

from __future__ import annotations

from typing import Any

from taut import Recipe

PLAIN: dict[str, Any] = {
    "activation": "relu",
    "embedding_width": 0,
    "parametrization": "standard",
    "l2": 1e-4,
    "dropout": 0.0,
    "optimizer": "adam",
    "learning_rate": 0.01,
    "beta_2": 0.999,
    "weight_decay": 0.0,
    "scaling": "standard",
}


def plain(**fields: Any) -> Recipe:
    """Return the plain recipe, but for some fields."""
    return Recipe(**PLAIN | fields)
