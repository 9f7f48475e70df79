"""The candidates that `taut fit` chooses among: a few sensible strengths of L2, L1 and dropout.

Data, not code. Half-decades of L2 reach from where it hardly shows to where the network all but predicts a constant;
L1 with a thousandth of it on inputs of unit variance begins to empty the first layer; dropout is tried at the two
rates of its paper (Srivastava et al., 2014: 0.2 for light and 0.5 for hidden layers) beside a middling L2, with which
it is most often combined. Floor 5 of the house.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from taut.training.recipe import Recipe

__all__ = ["ARMS", "STRENGTHS", "candidates"]

#: What is set; the strengths of L1, L2 and dropout that are not named are 0.
STRENGTHS: tuple[dict[str, Any], ...] = (
    {},
    {"l2": 1e-4},
    {"l2": 3e-4},
    {"l2": 1e-3},
    {"l2": 3e-3},
    {"l2": 1e-2},
    {"l2": 3e-2},
    {"l2": 1e-1},
    {"l1": 1e-4},
    {"l1": 1e-3},
    {"dropout": 0.2},
    {"l2": 3e-4, "dropout": 0.2},
    {"l2": 1e-3, "dropout": 0.5},
)

#: What `taut compare` compares with no regularization.
ARMS: dict[str, dict[str, Any]] = {
    "none": {},
    "L1": {"l1": 1e-4},
    "L2": {"l2": 1e-3},
    "L1 + L2": {"l1": 1e-4, "l2": 1e-3},
    "dropout": {"dropout": 0.2},
    "all": {"l1": 1e-4, "l2": 1e-3, "dropout": 0.2},
}


def candidates(recipe: Recipe) -> list[Recipe]:
    """Return the recipes to choose among: `recipe` as it is, with each of `STRENGTHS` in place of its own, and bare.

    What else regularizes in `recipe`, such as augmentation or max-norm, stays, except in the last one, with which the
    choice is compared.

    Examples
    --------
    >>> found = [candidate.describe() for candidate in candidates(Recipe(l2=0.5, max_norm=2.0))]
    >>> found[:3], found[-1]
    (['L2 0.5 · max-norm 2', 'max-norm 2', 'L2 0.0001 · max-norm 2'], 'no regularization')
    """
    usable = [strengths for strengths in STRENGTHS if recipe.hidden_layer_sizes or "dropout" not in strengths]
    varied = [replace(recipe, **{"l1": 0.0, "l2": 0.0, "dropout": 0.0} | strengths) for strengths in usable]
    return list(dict.fromkeys([recipe, *varied, recipe.unregularized()]))
