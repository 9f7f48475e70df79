"""The tables of kinds: every layer, loss, penalty, optimizer, schedule, initializer and average, by name.

Recipes and `train` take these names, the model file stores them, and the generic tests run over the tables, so that a
new kind is tested from the day it is listed. A kind is a dataclass; `to_spec` writes one as plain JSON-able values and
`from_spec` reads it back. Floor 2 of the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

from taut.checks import shown
from taut.errors import InvalidType, InvalidValue, TautError
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

__all__ = [
    "ACTIVATIONS",
    "AVERAGES",
    "INITIALIZERS",
    "KINDS",
    "LAYERS",
    "LOSSES",
    "OPTIMIZERS",
    "PENALTIES",
    "SCHEDULES",
    "from_spec",
    "resolve",
    "to_spec",
]

LAYERS: dict[str, type[layers.Layer]] = {
    "dense": layers.Dense,
    "dropout": layers.Dropout,
    "gaussian_noise": layers.GaussianNoise,
    "layer_norm": normalization.LayerNorm,
    "batch_norm": normalization.BatchNorm,
    "shortcut": shortcut.Shortcut,
    "scale": embeddings.Scale,
    "periodic_embedding": embeddings.PeriodicEmbedding,
    "category_embedding": embeddings.CategoryEmbedding,
}
ACTIVATIONS: dict[str, type[layers.Layer]] = {
    "identity": activations.Identity,
    "relu": activations.ReLU,
    "leaky_relu": activations.LeakyReLU,
    "elu": activations.ELU,
    "selu": activations.SELU,
    "gelu": activations.GELU,
    "silu": activations.SiLU,
    "mish": activations.Mish,
    "sigmoid": activations.Sigmoid,
    "tanh": activations.Tanh,
    "softmax": activations.Softmax,
}
LOSSES: dict[str, type[losses.Loss]] = {
    "cross_entropy": losses.CrossEntropy,
    "categorical_cross_entropy": losses.CategoricalCrossEntropy,
    "binary_cross_entropy": losses.SigmoidCrossEntropy,
    "binary_cross_entropy_on_probabilities": losses.BinaryCrossEntropy,
    "mse": losses.MeanSquaredError,
    "mae": losses.MeanAbsoluteError,
    "huber": losses.Huber,
}
PENALTIES: dict[str, type[penalties.Penalty]] = {
    "l1": penalties.L1,
    "l2": penalties.L2,
    "sum": penalties.Sum,
    "group_l1": penalties.GroupL1,
    "max_norm": penalties.MaxNorm,
    "non_negative": penalties.NonNegative,
    "orthogonality": penalties.Orthogonality,
}
OPTIMIZERS: dict[str, type[optimizers.Optimizer]] = {
    "sgd": optimizers.SGD,
    "adagrad": optimizers.Adagrad,
    "rmsprop": optimizers.RMSprop,
    "adam": optimizers.Adam,
    "adamw": optimizers.AdamW,
}
SCHEDULES: dict[str, type[schedules.Schedule]] = {
    "constant": schedules.Constant,
    "inverse_time": schedules.InverseTime,
    "exponential": schedules.Exponential,
    "cosine": schedules.Cosine,
    "cosine_restarts": schedules.CosineRestarts,
    "cosine_log": schedules.CosineLog,
    "warm_up": schedules.WarmUp,
}
INITIALIZERS: dict[str, type[initializers.Initializer]] = {
    "zeros": initializers.Zeros,
    "ones": initializers.Ones,
    "normal": initializers.Normal,
    "uniform": initializers.Uniform,
    "he_normal": initializers.HeNormal,
    "he_uniform": initializers.HeUniform,
    "glorot_normal": initializers.GlorotNormal,
    "glorot_uniform": initializers.GlorotUniform,
    "lecun_normal": initializers.LeCunNormal,
    "lecun_uniform": initializers.LeCunUniform,
    "orthogonal": initializers.Orthogonal,
}
AVERAGES: dict[str, type[averages.Average]] = {
    "ema": averages.EMA,
    "swa": averages.SWA,
    "snapshots": averages.Snapshots,
}
KINDS: dict[str, type] = {
    **LAYERS,
    **ACTIVATIONS,
    **LOSSES,
    **PENALTIES,
    **OPTIMIZERS,
    **SCHEDULES,
    **INITIALIZERS,
    **AVERAGES,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def resolve(what: str, value: object, table: Mapping[str, type]) -> Any:
    """Return `value` if it is an instance of a kind in `table`'s family, or the kind of that name with its defaults.

    Parameters
    ----------
    what : str
        What the message calls it.
    value : str or object
        A name from `table`, or an instance.
    table : mapping of str to type
        The kinds allowed.

    Raises
    ------
    InvalidValue, InvalidType
        If there is no such name, or the instance is of another family.

    Examples
    --------
    >>> resolve("loss", "mse", LOSSES)
    MeanSquaredError()
    """
    if isinstance(value, str):
        if value not in table:
            raise InvalidValue(f"{what} must be one of {', '.join(table)}; got {shown(value)}")
        return table[value]()
    family = next(iter(table.values())).__mro__[-3]  # the abstract base below ABC and object
    if not isinstance(value, family):
        raise InvalidType(f"{what} must be one of {', '.join(table)} or a {family.__name__}, got {shown(value)}")
    return value


def to_spec(kind: object) -> dict[str, Any]:
    """Write an instance of a kind as plain values.

    Parameters
    ----------
    kind : object
        A layer, loss, penalty, optimizer, schedule, initializer or average of the tables.

    Returns
    -------
    dict
        Its name under "kind", and its settings.

    Raises
    ------
    InvalidType
        If it is not in the tables, such as a layer of your own.

    Examples
    --------
    >>> to_spec(penalties.L2(0.1))
    {'kind': 'l2', 'lam': 0.1}
    """
    if type(kind) not in _NAMES:
        raise InvalidType(f"{type(kind).__name__} is not in the tables of kinds, so it cannot be stored")
    settings = {field.name: _to_plain(getattr(kind, field.name)) for field in fields(kind) if field.init}  # type: ignore[arg-type]
    return {"kind": _NAMES[type(kind)], **settings}


def _to_plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Real):  # NumPy's numbers included
        return int(value) if isinstance(value, Integral) else float(value)
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    return to_spec(value)


def from_spec(spec: object, family: type | None = None) -> Any:
    """Read back what `to_spec` wrote.

    Parameters
    ----------
    spec : mapping of str to object
        A name under "kind", and settings.
    family : type, optional
        The abstract base that the kind must descend from.

    Raises
    ------
    InvalidValue, InvalidType
        If the kind or a setting is unknown, or a setting has a value that the kind refuses.

    Examples
    --------
    >>> from_spec({"kind": "l2", "lam": 0.1})
    L2(lam=0.1)
    """
    return _read(spec, family, 0)


def _read(spec: object, family: type | None, depth: int) -> Any:
    name = spec.get("kind") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(name, str) or name not in KINDS:
        raise InvalidValue(f"not a known kind: {shown(spec)}")
    if depth > _DEEPEST:
        raise InvalidValue(f"kinds are nested more than {_DEEPEST} deep")
    kind = KINDS[name]
    if family is not None and not issubclass(kind, family):
        raise InvalidValue(f"{name!r} is not a {family.__name__}")
    known = {field.name for field in fields(kind) if field.init}
    unknown = [setting for setting in spec if setting != "kind" and setting not in known]
    if unknown:
        raise InvalidValue(f"{name!r} has no setting {', '.join(map(shown, unknown))}")
    settings = {setting: _from_plain(value, depth + 1) for setting, value in spec.items() if setting != "kind"}
    try:
        return kind(**settings)
    except TautError:
        raise
    except TypeError as error:
        raise InvalidType(f"{name!r} cannot be made from {shown(settings)}: {error}") from error


def _from_plain(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return _read(value, None, depth)
    if isinstance(value, list):
        return tuple(_from_plain(item, depth) for item in value)
    return value


# Deep enough for a schedule within a warm-up within an optimizer, and for sums of sums.
_DEEPEST = 10
