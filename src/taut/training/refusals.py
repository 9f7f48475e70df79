"""Refusals: which values a recipe does not take, each said in one line.

Choices that there are not, numbers out of their range, and fields that mean something only beside another. Floor 4 of
the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taut.checks import check_choice, check_flag, check_number, shown
from taut.data.augment import Augmentation
from taut.data.encoding import check_bins, check_components
from taut.data.schema import SCALINGS
from taut.errors import InvalidType, InvalidValue
from taut.network.kinds import ACTIVATIONS, INITIALIZERS, OPTIMIZERS, SCHEDULES
from taut.network.layers import PARAMETRIZATIONS
from taut.network.network import DTYPES
from taut.network.schedules import FADES
from taut.random import Random
from taut.training import building

if TYPE_CHECKING:
    from taut.training.recipe import Recipe

__all__ = ["check"]


def check(recipe: Recipe) -> None:
    """Raise `InvalidValue` or `InvalidType` for the first value that cannot be used."""
    for size in recipe.hidden_layer_sizes:
        check_number("hidden_layer_sizes", size, at_least=1, integer=True)
    _check_choices(recipe)
    _check_numbers(recipe)
    _check_partners(recipe)
    for name, count in _PER_LAYER.items():
        _check_per_layer(recipe, name, len(recipe.hidden_layer_sizes) + count)
    if recipe.augmentation is not None and not isinstance(recipe.augmentation, Augmentation):
        raise InvalidType(f"augmentation must be an Augmentation, got {shown(recipe.augmentation)}")


def _check_choices(recipe: Recipe) -> None:
    check_choice("activation", recipe.activation, ACTIVATIONS.keys() - {"softmax"})
    check_choice("initializer", recipe.initializer, ["auto", *INITIALIZERS])
    check_choice("normalization", recipe.normalization, ["none", *building.NORMALIZATIONS])
    check_choice("parametrization", recipe.parametrization, PARAMETRIZATIONS)
    check_choice("l1_step", recipe.l1_step, ("proximal", "subgradient"))
    check_choice("loss", recipe.loss, ["auto", *building.TASK_LOSSES])
    check_choice("optimizer", recipe.optimizer, OPTIMIZERS)
    for name in ("dropout_schedule", "weight_decay_schedule"):
        check_choice(name, getattr(recipe, name), FADES)
    check_choice("schedule", recipe.schedule, SCHEDULES.keys() - {"warm_up"})
    check_choice("monitor", recipe.monitor, ("loss", "metric"))
    check_choice("scaling", recipe.scaling, SCALINGS)
    check_choice("dtype", recipe.dtype, DTYPES)


def _check_numbers(recipe: Recipe) -> None:
    strengths = ("group_l1", "group_l1_units", "orthogonality", "weight_decay", "decay", "input_noise")
    for name in (*strengths, "mixup", "cutmix", "sam"):
        check_number(name, getattr(recipe, name), at_least=0)
    for name in ("input_dropout", "label_smoothing", "momentum", "beta_2", "warm_up", "ema"):
        check_number(name, getattr(recipe, name), at_least=0, below=1)
    for name in ("embedding_width", "category_width"):
        check_number(name, getattr(recipe, name), at_least=0, integer=True)
    check_number("embedding_frequencies", recipe.embedding_frequencies, at_least=1, integer=True)
    check_number("embedding_deviation", recipe.embedding_deviation, above=0)
    check_number("cycles", recipe.cycles, at_least=1, at_most=64, integer=True)
    check_number("snapshots", recipe.snapshots, at_least=0, at_most=recipe.cycles, integer=True)
    check_number("epochs", recipe.epochs, at_least=0, integer=True)
    check_bins(recipe.bins)
    check_components(recipe.components)
    check_number("patience", recipe.patience, at_least=1, integer=True)
    Random(recipe.seed)  # refuses what is no seed
    network = ("residual", "embedding_rectified", "input_scale", "non_negative")
    for name in (*network, "nesterov", "compounding", "early_stopping"):
        check_flag(name, getattr(recipe, name))
    check_number("learning_rate", recipe.learning_rate, above=0)
    check_number("validation_fraction", recipe.validation_fraction, above=0, below=1)
    check_number("swa", recipe.swa, at_least=0, at_most=1)
    for name in ("max_norm", "clip_norm"):
        if getattr(recipe, name) is not None:
            check_number(name, getattr(recipe, name), above=0)
    if not isinstance(recipe.batch_size, str) or recipe.batch_size not in ("all", "auto"):
        check_number('batch_size, if not "all" or "auto",', recipe.batch_size, at_least=1, integer=True)


def _check_partners(recipe: Recipe) -> None:
    for name, partner, needed in (
        ("nesterov", "optimizer", "sgd"),
        ("decay", "schedule", "inverse_time"),
        ("compounding", "schedule", "inverse_time"),
        ("snapshots", "schedule", "cosine_restarts"),
    ):
        if getattr(recipe, name) and getattr(recipe, partner) != needed:
            raise InvalidValue(f"{name} needs {partner}={needed!r}, got {getattr(recipe, partner)!r}")
    for one, other in (("ema", "swa"), ("ema", "snapshots"), ("swa", "snapshots"), ("mixup", "cutmix")):
        if (first := getattr(recipe, one)) and (second := getattr(recipe, other)):
            raise InvalidValue(f"give either {one} or {other}, got {one}={first} and {other}={second}")
    hidden = ("dropconnect", "max_norm", "group_l1_units", "orthogonality", "normalization", "residual")
    for name in hidden:
        if not recipe.hidden_layer_sizes and getattr(recipe, name) and getattr(recipe, name) != "none":
            raise InvalidValue(f"{name} is for hidden layers, and hidden_layer_sizes names none")


def _check_per_layer(recipe: Recipe, name: str, layers: int) -> None:
    value = getattr(recipe, name)
    if isinstance(value, tuple) and len(value) != layers:
        raise InvalidValue(f"{name} needs one number, or one for each of {layers} layers; got {value}")
    for number in value if isinstance(value, tuple) else (value,):
        check_number(name, number, at_least=0, below=1 if name in ("dropout", "dropconnect") else None)


# How many strengths a tuple holds, beyond one for each hidden layer.
_PER_LAYER = {"l1": 1, "l2": 1, "bias_l1": 1, "bias_l2": 1, "dropout": 0, "dropconnect": 0}
