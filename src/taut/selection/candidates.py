"""The candidates that every search begins with: a few sensible strengths of L2, L1 and dropout.

Data, not code. Half-decades of L2 reach from where it hardly shows to where the network all but predicts a constant;
L1 with a thousandth of it on inputs of unit variance begins to empty the first layer; dropout is tried at the two
rates of its paper (Srivastava et al., 2014: 0.2 for light and 0.5 for hidden layers) beside a middling L2, with which
it is most often combined. Floor 5 of the house.
"""

from __future__ import annotations

from typing import Any

__all__ = ["ARMS", "STRENGTHS"]

#: What is set; what is not named is off.
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
