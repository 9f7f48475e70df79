"""Building: from a recipe to the network, the loss, the optimizer and the average that `train` takes.

`Recipe.build` is the way in. Floor 4 of the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taut.data.encoding import MOST_EMBEDDED
from taut.errors import InvalidValue
from taut.network import (
    EMA,
    L1,
    L2,
    SWA,
    Average,
    BatchNorm,
    CategoryEmbedding,
    CosineLog,
    CosineRestarts,
    CrossEntropy,
    Dense,
    Dropout,
    GaussianNoise,
    GroupL1,
    Initializer,
    InverseTime,
    Layer,
    LayerNorm,
    Loss,
    MaxNorm,
    Network,
    NonNegative,
    Optimizer,
    Orthogonality,
    Penalty,
    PeriodicEmbedding,
    Scale,
    Schedule,
    Shortcut,
    Snapshots,
    Sum,
    WarmUp,
)
from taut.network.kinds import ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS, SCHEDULES
from taut.training.callbacks import EarlyStopping

if TYPE_CHECKING:
    import numpy as np

    from taut.data.inputs import Inputs
    from taut.training.recipe import Recipe

__all__ = [
    "AUTO_INITIALIZERS",
    "FEWEST_LEVELS",
    "LR_FACTORS",
    "NORMALIZATIONS",
    "TASK_LOSSES",
    "average",
    "loss",
    "network",
    "optimizer",
    "stopping",
]

#: The losses a recipe may name, and the task each is for; "auto" takes the first of the task.
TASK_LOSSES = {"cross_entropy": "classification", "mse": "regression", "mae": "regression", "huber": "regression"}

#: The initializer that "auto" takes for each activation, after the papers that `taut.network.initializers` cites.
AUTO_INITIALIZERS = {
    "relu": "he_normal",
    "leaky_relu": "he_normal",
    "elu": "he_normal",
    "gelu": "he_normal",
    "silu": "he_normal",
    "mish": "he_normal",
    "selu": "lecun_normal",
    "tanh": "glorot_normal",
    "sigmoid": "glorot_normal",
    "identity": "glorot_normal",
}

#: The layers that a recipe may put between a hidden Dense layer and its activation.
NORMALIZATIONS: dict[str, type[Layer]] = {"layer": LayerNorm, "batch": BatchNorm}


#: Factors of the learning rate of what is no weight of a Dense layer, by the parametrization (RealMLP's: Holzmüller,
#: Grinsztajn and Steinwart, NeurIPS, 2024, table B.1).
LR_FACTORS = {
    "standard": {"biases": 1.0, "embeddings": 1.0, "scale": 1.0},
    "ntk": {"biases": 0.1, "embeddings": 0.1, "scale": 6.0},
}

#: The fewest levels of a category that is embedded (the same table).
FEWEST_LEVELS = 10


#: The schedules that have cycles.
CYCLIC: dict[str, type[CosineRestarts | CosineLog]] = {"cosine_restarts": CosineRestarts, "cosine_log": CosineLog}


def network(recipe: Recipe, inputs: Inputs, n_outputs: int, state: np.ndarray | None = None) -> Network:
    """Return the network, built, with its first weights, drawn or given."""
    layers: list[Layer] = [Dropout(recipe.input_dropout, recipe.dropout_schedule)] if recipe.input_dropout else []
    layers += [GaussianNoise(recipe.input_noise)] if recipe.input_noise else []
    layers += _embeddings(recipe, inputs)
    layers += [Scale(LR_FACTORS[recipe.parametrization]["scale"])] if recipe.input_scale else []
    sizes = recipe.hidden_layer_sizes
    for index, units in enumerate(sizes):
        hidden = _hidden(recipe, index, units)
        is_residual = recipe.residual and index > 0 and units == sizes[index - 1]
        layers += [*hidden, Shortcut(len(hidden))] if is_residual else hidden
    layers.append(_dense(recipe, len(sizes), n_outputs))
    return Network(layers).build(inputs.width, seed=recipe.seed, dtype=recipe.dtype, state=state)


def _hidden(recipe: Recipe, index: int, units: int) -> list[Layer]:
    """Return a hidden layer: Dense, normalization, activation, dropout."""
    layers: list[Layer] = [_dense(recipe, index, units)]
    if recipe.normalization != "none":
        layers.append(NORMALIZATIONS[recipe.normalization]())
    layers.append(ACTIVATIONS[recipe.activation]())
    if _at(recipe.dropout, index):
        layers.append(Dropout(_at(recipe.dropout, index), recipe.dropout_schedule))
    return layers


def _embeddings(recipe: Recipe, inputs: Inputs) -> list[Layer]:
    """Return what stands before what all columns share; the last category first, as each moves those behind."""
    factor = LR_FACTORS[recipe.parametrization]["embeddings"]
    layers: list[Layer] = []
    if recipe.group_l1:  # an input that is to leave as a whole has one row of weights
        return layers
    for first, last in reversed(inputs.category_blocks if recipe.category_width else []):
        if last - first >= FEWEST_LEVELS:
            layers.append(CategoryEmbedding(first, (last - first,), recipe.category_width))
    if recipe.embedding_width and 0 < inputs.numbers <= MOST_EMBEDDED:
        waves, spread = recipe.embedding_frequencies, recipe.embedding_deviation
        rectified = recipe.embedding_rectified
        layers.append(
            PeriodicEmbedding(inputs.numbers, waves, recipe.embedding_width, spread, rectified, lr_factor=factor)
        )
    return layers


def _at(value: float | tuple[float, ...], layer: int) -> float:
    return float(value[layer] if isinstance(value, tuple) else value)


def _dense(recipe: Recipe, layer: int, units: int) -> Dense:
    is_hidden = layer < len(recipe.hidden_layer_sizes)
    name = recipe.initializer
    if name == "auto":
        name = AUTO_INITIALIZERS[recipe.activation] if is_hidden else "glorot_normal"
    initializer: Initializer = INITIALIZERS[name]()
    weights = _l1_l2(recipe, recipe.l1, recipe.l2, layer) + _structured(recipe, layer, is_hidden)
    biases = _l1_l2(recipe, recipe.bias_l1, recipe.bias_l2, layer)
    return Dense(
        units,
        Sum(tuple(weights)) if weights else None,
        Sum(tuple(biases)) if biases else None,
        initializer,
        parametrization=recipe.parametrization,
        bias_lr_factor=LR_FACTORS[recipe.parametrization]["biases"],
        dropconnect=_at(recipe.dropconnect, layer) if is_hidden else 0.0,
    )


def _l1_l2(recipe: Recipe, l1: float | tuple[float, ...], l2: float | tuple[float, ...], layer: int) -> list[Penalty]:
    parts: list[Penalty] = [L1(_at(l1, layer), proximal=recipe.l1_step == "proximal")] if _at(l1, layer) else []
    return [*parts, L2(_at(l2, layer))] if _at(l2, layer) else parts


def _structured(recipe: Recipe, layer: int, is_hidden: bool) -> list[Penalty]:
    """Return the penalties that look at more than one weight at a time, and the constraints."""
    wanted: list[tuple[bool, type[Penalty], dict[str, Any]]] = [
        (bool(recipe.group_l1) and layer == 0, GroupL1, {"lam": recipe.group_l1, "by": "input"}),
        (bool(recipe.group_l1_units) and is_hidden, GroupL1, {"lam": recipe.group_l1_units, "by": "unit"}),
        (bool(recipe.orthogonality) and is_hidden, Orthogonality, {"lam": recipe.orthogonality}),
        (recipe.max_norm is not None and is_hidden, MaxNorm, {"limit": recipe.max_norm}),
        (recipe.non_negative, NonNegative, {}),
    ]
    return [kind(**settings) for is_wanted, kind, settings in wanted if is_wanted]


def loss(recipe: Recipe, task: str, class_weight: tuple[float, ...] | None) -> Loss:
    """Return the data loss of a task."""
    name = recipe.loss
    if name == "auto":
        name = next(loss for loss, its_task in TASK_LOSSES.items() if its_task == task)
    if TASK_LOSSES[name] != task:
        raise InvalidValue(f"loss {name!r} is not for {task}")
    if name == "cross_entropy":
        return CrossEntropy(recipe.label_smoothing, class_weight)
    if recipe.label_smoothing:
        raise InvalidValue(f"label_smoothing is for classification, got {recipe.label_smoothing} for {task}")
    return LOSSES[name]()


def optimizer(recipe: Recipe) -> Optimizer:
    """Return the optimizer with its schedule."""
    schedule: Schedule = SCHEDULES[recipe.schedule]()
    if recipe.schedule == "inverse_time":
        schedule = InverseTime(recipe.decay, recipe.compounding)
    elif recipe.schedule in CYCLIC:
        schedule = CYCLIC[recipe.schedule](recipe.cycles)
    if recipe.warm_up:
        schedule = WarmUp(recipe.warm_up, schedule)
    own: dict[str, Any] = {"clip_norm": recipe.clip_norm, "sam": recipe.sam}
    if recipe.optimizer == "sgd":
        own |= {"momentum": recipe.momentum, "nesterov": recipe.nesterov}
    elif recipe.optimizer == "adam":
        own |= {"beta_2": recipe.beta_2}
    elif recipe.optimizer == "adamw":
        own |= {
            "beta_2": recipe.beta_2,
            "weight_decay": recipe.weight_decay,
            "weight_decay_schedule": recipe.weight_decay_schedule,
        }
    return OPTIMIZERS[recipe.optimizer](lr=recipe.learning_rate, schedule=schedule, **own)


def average(recipe: Recipe) -> Average | None:
    """Return the average of weights, if there is to be one."""
    if recipe.ema:
        return EMA(recipe.ema)
    if recipe.snapshots:
        return Snapshots(recipe.snapshots, recipe.cycles, recipe.warm_up)
    return SWA(recipe.swa) if recipe.swa else None


def stopping(recipe: Recipe, loss: Loss) -> EarlyStopping | None:
    """Return what stops early, if something is to."""
    if not recipe.early_stopping:
        return None
    monitor = "validation_data_loss" if recipe.monitor == "loss" else f"validation_{loss.metric_name}"
    return EarlyStopping(recipe.patience, monitor=monitor)
