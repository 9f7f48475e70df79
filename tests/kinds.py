"""Examples of every kind in the tables of `taut.network.kinds`, for the tests that run over the tables.

A kind that is listed without an example fails `test_every_kind_has_an_example`; an example that leaves a setting at its
default in all of them fails `test_every_setting_is_exercised` (tests/network/test_kinds.py). Factories, not instances:
layers remember their last pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from taut.network import (
    activations,
    averages,
    embeddings,
    initializers,
    layers,
    losses,
    normalization,
    optimizers,
    penalties,
    schedules,
    shortcut,
)
from taut.network.penalties import L1, L2, GroupL1, MaxNorm, NonNegative, Orthogonality

Factory = Callable[[], Any]


def _dense_with_everything() -> layers.Dense:
    return layers.Dense(
        4,
        weight_penalty=L1(0.02) + L2(0.03) + GroupL1(0.01),
        bias_penalty=L1(0.01, proximal=False, at_zero=1.0) + L2(0.02),
        initializer=initializers.Normal(0.5),
        bias_initializer=initializers.Normal(0.3),
    )


EXAMPLES: dict[str, tuple[Factory, ...]] = {
    # layers
    "dense": (
        lambda: layers.Dense(3),
        _dense_with_everything,
        lambda: layers.Dense(3, parametrization="ntk", bias_lr_factor=0.1),
        lambda: layers.Dense(9, dropconnect=0.2),
    ),
    "dropout": (lambda: layers.Dropout(0.4), lambda: layers.Dropout(0.5, schedule="flat_cosine")),
    "gaussian_noise": (lambda: layers.GaussianNoise(0.3),),
    "layer_norm": (normalization.LayerNorm, lambda: normalization.LayerNorm(0.1)),
    "batch_norm": (normalization.BatchNorm, lambda: normalization.BatchNorm(0.3, epsilon=0.1)),
    "shortcut": (lambda: shortcut.Shortcut(1), lambda: shortcut.Shortcut(3)),
    "scale": (embeddings.Scale, lambda: embeddings.Scale(lr_factor=3.0)),
    "periodic_embedding": (
        lambda: embeddings.PeriodicEmbedding(2),
        lambda: embeddings.PeriodicEmbedding(3, frequencies=5, width=2, deviation=0.5, rectified=True, lr_factor=0.5),
    ),
    "category_embedding": (
        lambda: embeddings.CategoryEmbedding(1, (2,), lr_factor=0.5),
        lambda: embeddings.CategoryEmbedding(0, (2, 1), width=3),
    ),
    # activations
    "identity": (activations.Identity,),
    "relu": (activations.ReLU,),
    "leaky_relu": (activations.LeakyReLU, lambda: activations.LeakyReLU(0.2)),
    "elu": (activations.ELU, lambda: activations.ELU(0.7)),
    "selu": (activations.SELU,),
    "gelu": (activations.GELU,),
    "silu": (activations.SiLU,),
    "mish": (activations.Mish,),
    "sigmoid": (activations.Sigmoid,),
    "tanh": (activations.Tanh,),
    "softmax": (activations.Softmax,),
    # losses, for three outputs
    "cross_entropy": (
        losses.CrossEntropy,
        lambda: losses.CrossEntropy(label_smoothing=0.1),
        lambda: losses.CrossEntropy(class_weight=(0.5, 1.0, 2.0)),
        lambda: losses.CrossEntropy(label_smoothing=0.2, class_weight=(2.0, 0.0, 1.5)),
    ),
    "categorical_cross_entropy": (
        losses.CategoricalCrossEntropy,
        lambda: losses.CategoricalCrossEntropy(label_smoothing=0.2, class_weight=(2.0, 0.5, 1.5)),
    ),
    "binary_cross_entropy": (losses.SigmoidCrossEntropy,),
    "binary_cross_entropy_on_probabilities": (losses.BinaryCrossEntropy,),
    "mse": (losses.MeanSquaredError,),
    "mae": (losses.MeanAbsoluteError,),
    "huber": (losses.Huber, lambda: losses.Huber(0.3)),
    # penalties
    "l1": (lambda: L1(0.3), lambda: L1(0.2, proximal=False, at_zero=1.0)),
    "l2": (lambda: L2(0.3),),
    "sum": (penalties.Sum, lambda: L1(0.3) + L2(0.2), lambda: GroupL1(0.2, by="unit") + L1(0.1)),
    "group_l1": (lambda: GroupL1(0.3), lambda: GroupL1(0.2, by="unit", proximal=False)),
    "max_norm": (MaxNorm, lambda: MaxNorm(0.5)),
    "non_negative": (NonNegative,),
    "orthogonality": (lambda: Orthogonality(0.3),),
    # optimizers
    "sgd": (
        optimizers.SGD,
        lambda: optimizers.SGD(0.02, decay=1e-3, clip_norm=0.5, sam=0.1),
        lambda: optimizers.SGD(0.02, momentum=0.8, nesterov=True, schedule=schedules.Cosine(0.1)),
    ),
    "adagrad": (
        lambda: optimizers.Adagrad(0.05, schedule=schedules.Exponential(0.5), epsilon=1e-5),
        lambda: optimizers.Adagrad(0.05, decay=1e-3, clip_norm=0.5, sam=0.1),
    ),
    "rmsprop": (
        lambda: optimizers.RMSprop(0.002, schedule=schedules.InverseTime(1e-2), rho=0.8, epsilon=1e-5),
        lambda: optimizers.RMSprop(0.005, decay=1e-3, clip_norm=0.5, sam=0.1),
    ),
    "adam": (
        lambda: optimizers.Adam(0.01, decay=1e-3, beta_1=0.8, beta_2=0.99, epsilon=1e-5),
        lambda: optimizers.Adam(0.01, schedule=schedules.WarmUp(0.2, schedules.Cosine()), clip_norm=0.5, sam=0.1),
    ),
    "adamw": (
        lambda: optimizers.AdamW(0.01, decay=1e-3, beta_1=0.8, beta_2=0.99, epsilon=1e-5, weight_decay=0.1),
        lambda: optimizers.AdamW(0.01, weight_decay=0.5, weight_decay_schedule="flat_cosine"),
        lambda: optimizers.AdamW(0.01, schedule=schedules.InverseTime(1e-3, compounding=True), clip_norm=0.5, sam=0.1),
    ),
    # schedules
    "constant": (schedules.Constant,),
    "inverse_time": (schedules.InverseTime, lambda: schedules.InverseTime(0.02, compounding=True)),
    "exponential": (lambda: schedules.Exponential(0.2),),
    "cosine": (lambda: schedules.Cosine(0.1),),
    "cosine_restarts": (schedules.CosineRestarts, lambda: schedules.CosineRestarts(3)),
    "cosine_log": (schedules.CosineLog, lambda: schedules.CosineLog(3)),
    "warm_up": (schedules.WarmUp, lambda: schedules.WarmUp(0.3, schedules.Exponential(0.1))),
    # initializers
    "zeros": (initializers.Zeros,),
    "ones": (initializers.Ones,),
    "normal": (lambda: initializers.Normal(0.2),),
    "uniform": (lambda: initializers.Uniform(0.2),),
    "he_normal": (initializers.HeNormal,),
    "he_uniform": (initializers.HeUniform,),
    "glorot_normal": (initializers.GlorotNormal,),
    "glorot_uniform": (initializers.GlorotUniform,),
    "lecun_normal": (initializers.LeCunNormal,),
    "lecun_uniform": (initializers.LeCunUniform,),
    "orthogonal": (lambda: initializers.Orthogonal(1.4),),
    # averages of weights
    "ema": (averages.EMA, lambda: averages.EMA(0.7)),
    "swa": (averages.SWA, lambda: averages.SWA(0.5)),
    "snapshots": (averages.Snapshots, lambda: averages.Snapshots(3, cycles=5, warm_up=0.2)),
}


def examples(*tables: Mapping[str, type]) -> list[Any]:
    """Return a pytest parameter for each example of each kind in the tables: a factory, named after the kind."""
    return [
        pytest.param(factory, id=name if position == 0 else f"{name}-{position}")
        for table in tables
        for name in table
        for position, factory in enumerate(EXAMPLES[name])
    ]


def placed(layer: layers.Layer) -> list[layers.Layer]:
    """Return a layer behind those without which it can stand nowhere: what a shortcut passes over keeps the width."""
    passed = layer.over if isinstance(layer, shortcut.Shortcut) else 0
    return [[activations.Tanh(), layers.Dropout(0.3), activations.SiLU()][i % 3] for i in range(passed)] + [layer]
