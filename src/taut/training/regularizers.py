"""Regularizers: which fields of a recipe regularize, what each is called, and what it is where nothing does.

Floor 4 of the house; knows a recipe's fields by name alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taut.training.recipe import Recipe

__all__ = ["NONE", "REGULARIZERS", "describe"]

#: The fields, with the words that `describe` has for them; augmentation is one more.
REGULARIZERS = {
    "l2": "L2",
    "l1": "L1",
    "bias_l2": "bias L2",
    "bias_l1": "bias L1",
    "dropout": "dropout",
    "input_dropout": "input dropout",
    "dropconnect": "DropConnect",
    "input_noise": "input noise",
    "group_l1": "group L1 by input",
    "group_l1_units": "group L1 by unit",
    "orthogonality": "orthogonality",
    "max_norm": "max-norm",
    "non_negative": "non-negative weights",
    "label_smoothing": "label smoothing",
    "mixup": "mixup",
    "cutmix": "CutMix",
    "weight_decay": "weight decay",
    "sam": "SAM",
    "ema": "EMA",
    "swa": "SWA",
    "snapshots": "snapshots",
}

#: The same fields with nothing regularized.
NONE: dict[str, Any] = {**dict.fromkeys(REGULARIZERS, 0.0), "max_norm": None, "non_negative": False, "snapshots": 0}


def describe(recipe: Recipe) -> str:
    """Return in a few words what regularizes."""
    idle = {"dropout"} if not recipe.hidden_layer_sizes else set()
    idle |= {"weight_decay"} if recipe.optimizer != "adamw" else set()
    words = [
        f"{label} {_plain(value)}".rstrip()
        for name, label in REGULARIZERS.items()
        if name not in idle and (any(value) if isinstance(value := getattr(recipe, name), tuple) else value)
    ]
    words += ["augmentation"] if recipe.augmentation is not None else []
    return " · ".join(words) if words else "no regularization"


def _plain(value: float | tuple[float, ...]) -> str:
    if isinstance(value, bool):
        return ""
    return ", ".join(f"{number:g}" for number in value) if isinstance(value, tuple) else f"{value:g}"
