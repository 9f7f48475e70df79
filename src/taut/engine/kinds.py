"""Kinds: what the engine knows of those in `taut.network.kinds`, and by which numbers its tables name them.

Whatever stands here is held to `taut.network` by a test over the tables of kinds. Floor 3 of the house.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from taut.engine import fields as f
from taut.network import (
    activations,
    averages,
    embeddings,
    layers,
    losses,
    normalization,
    optimizers,
    penalties,
    schedules,
    shortcut,
)
from taut.network.losses import Loss
from taut.network.network import Network
from taut.network.optimizers import Optimizer

__all__ = ["LAYERS", "settings_of", "unsupported"]

_ACTIVATIONS: dict[type, tuple[int, Callable[[Any], tuple[float, float]]]] = {
    activations.Identity: (f.IDENTITY, lambda _: (0.0, 0.0)),
    activations.ReLU: (f.RELU, lambda _: (0.0, 0.0)),
    activations.LeakyReLU: (f.LEAKY_RELU, lambda layer: (layer.slope, 0.0)),
    activations.ELU: (f.EXPONENTIAL_UNIT, lambda layer: (1.0, layer.alpha)),
    activations.SELU: (f.EXPONENTIAL_UNIT, lambda layer: (layer.SCALE, layer.SCALE * layer.ALPHA)),
    activations.GELU: (f.GELU, lambda _: (0.0, 0.0)),
    activations.SiLU: (f.SILU, lambda _: (0.0, 0.0)),
    activations.Mish: (f.MISH, lambda _: (0.0, 0.0)),
    activations.Sigmoid: (f.SIGMOID, lambda _: (0.0, 0.0)),
    activations.Tanh: (f.TANH, lambda _: (0.0, 0.0)),
}
LAYERS: dict[type, tuple[int, Callable[[Any], tuple[float, float]]]] = {
    layers.Dense: (f.DENSE, lambda layer: (layer.dropconnect, 0.0)),
    layers.Dropout: (f.DROPOUT, lambda layer: (layer.rate, float(layer.schedule == "flat_cosine"))),
    layers.GaussianNoise: (f.NOISE, lambda layer: (layer.standard_deviation, 0.0)),
    normalization.LayerNorm: (f.LAYER_NORM, lambda layer: (layer.epsilon, 0.0)),
    normalization.BatchNorm: (f.BATCH_NORM, lambda layer: (layer.momentum, layer.epsilon)),
    shortcut.Shortcut: (f.SHORTCUT, lambda _: (0.0, 0.0)),
    embeddings.Scale: (f.SCALE, lambda _: (0.0, 0.0)),
    embeddings.PeriodicEmbedding: (f.PERIODIC, lambda _: (0.0, 0.0)),
    embeddings.CategoryEmbedding: (f.CATEGORY, lambda _: (0.0, 0.0)),
    activations.Softmax: (f.SOFTMAX, lambda _: (0.0, 0.0)),
    **_ACTIVATIONS,
}
_LOSSES: dict[type, int] = {
    losses.CrossEntropy: f.CROSS_ENTROPY,
    losses.CategoricalCrossEntropy: f.CATEGORICAL,
    losses.SigmoidCrossEntropy: f.SIGMOID_CROSS_ENTROPY,
    losses.BinaryCrossEntropy: f.BINARY,
    losses.MeanSquaredError: f.SQUARED,
    losses.MeanAbsoluteError: f.ABSOLUTE,
    losses.Huber: f.HUBER,
}
_OPTIMIZERS: dict[type, int] = {
    optimizers.SGD: f.SGD,
    optimizers.Adagrad: f.ADAGRAD,
    optimizers.RMSprop: f.RMSPROP,
    optimizers.Adam: f.ADAM,
    optimizers.AdamW: f.ADAM,
}
_SCHEDULES: dict[type, Callable[[Any], tuple[int, float]]] = {
    schedules.Constant: lambda _: (f.CONSTANT, 0.0),
    schedules.InverseTime: lambda rule: (f.COMPOUNDING if rule.compounding else f.INVERSE_TIME, rule.decay),
    schedules.Exponential: lambda rule: (f.EXPONENTIAL, rule.factor),
    schedules.Cosine: lambda rule: (f.COSINE, rule.final),
    schedules.CosineRestarts: lambda rule: (f.COSINE_RESTARTS, rule.cycles),
    schedules.CosineLog: lambda rule: (f.COSINE_LOG, rule.cycles),
    schedules.WarmUp: lambda rule: (f.WARM_UP, rule.fraction),
}
_PENALTIES: tuple[type, ...] = (
    penalties.L1,
    penalties.L2,
    penalties.GroupL1,
    penalties.MaxNorm,
    penalties.NonNegative,
    penalties.Orthogonality,
)
_AVERAGES: dict[type, int] = {averages.EMA: f.EMA, averages.SWA: f.SWA, averages.Snapshots: f.SNAPSHOTS}


def unsupported(network: Network, loss: Loss, optimizer: Optimizer, average: object = None) -> str | None:
    """Return the name of the first kind that the engine does not know, or None if it knows them all."""
    found: list[tuple[object, Any]] = [(layer, LAYERS) for layer in network.layers]
    found += [(part, _PENALTIES) for parameter in network.parameters for part in parameter.penalty.parts]
    found += [(loss, _LOSSES), (optimizer, _OPTIMIZERS)]
    found += [(rule, _SCHEDULES) for rule in _chain(optimizer)]
    found += [] if average is None else [(average, _AVERAGES)]
    unknown = next((type(kind).__name__ for kind, table in found if type(kind) not in table), None)
    return unknown if network.parameters else "a network without parameters"


def _chain(optimizer: Optimizer) -> list[schedules.Schedule]:
    """Return the schedule of an optimizer; after a warm-up, the one that it leads to."""
    plain = schedules.InverseTime(optimizer.decay) if optimizer.decay else schedules.Constant()
    chain = [optimizer.schedule or plain]
    while type(chain[-1]) is schedules.WarmUp:
        chain.append(chain[-1].then)
    return chain


def settings_of(loss: Loss, optimizer: Optimizer) -> tuple[dict[int, int], dict[int, float], np.ndarray]:
    """Return settings, options and schedules of a loss and an optimizer."""
    settings = {f.LOSS: _LOSSES[type(loss)], f.OPTIMIZER: _OPTIMIZERS[type(optimizer)]}
    options = {f.LR: optimizer.lr, f.CLIP_NORM: optimizer.clip_norm or 0.0, f.SAM: optimizer.sam}
    if isinstance(loss, (losses.CrossEntropy, losses.CategoricalCrossEntropy)):
        options[f.SMOOTHING] = loss.label_smoothing
    if isinstance(loss, losses.Huber):
        options[f.DELTA] = loss.delta
    if isinstance(optimizer, optimizers.SGD):
        options |= {f.BETA_1: optimizer.momentum, f.IS_NESTEROV: float(optimizer.nesterov)}
    elif isinstance(optimizer, optimizers.RMSprop):
        options |= {f.BETA_2: optimizer.rho, f.EPSILON: optimizer.epsilon}
    elif isinstance(optimizer, optimizers.Adagrad):
        options |= {f.EPSILON: optimizer.epsilon}
    elif isinstance(optimizer, (optimizers.Adam, optimizers.AdamW)):
        options |= {f.BETA_1: optimizer.beta_1, f.BETA_2: optimizer.beta_2, f.EPSILON: optimizer.epsilon}
    if isinstance(optimizer, optimizers.AdamW):
        options[f.WEIGHT_DECAY] = optimizer.weight_decay
        options[f.FADES_DECAY] = float(optimizer.weight_decay_schedule == "flat_cosine")
    table = np.array([_SCHEDULES[type(rule)](rule) for rule in _chain(optimizer)], dtype=np.float64)
    return settings, options, table
