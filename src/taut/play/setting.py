"""The setting: every knob of the page, at one moment.

A frozen dataclass that refuses what no knob can show, and becomes the `Recipe` by which taut trains. Knows nothing of
data, of training, or of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from taut.checks import check_choice, check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.training import Recipe

__all__ = ["ACTIVATIONS", "AXES", "DATA_SETS", "OPTIMIZERS", "TURNED_LIVE", "Setting"]

#: Sets that are drawn anew for every setting; "table" is one's own.
DATA_SETS = ("spiral", "moons", "circles", "xor", "table")

#: What of a table the network is given: two of its columns, its first two principal components, or all of it.
AXES = ("columns", "projection", "all")

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "silu", "leaky_relu", "elu", "identity")

#: The optimizers by the names of the page, as fields of a recipe; Adam is the textbook's.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    name: {"optimizer": kind, "momentum": momentum, "nesterov": name == "nesterov", "beta_2": 0.999}
    for name, kind, momentum in (
        ("sgd", "sgd", 0.0),
        ("momentum", "sgd", 0.9),
        ("nesterov", "sgd", 0.9),
        ("adagrad", "adagrad", 0.9),
        ("rmsprop", "rmsprop", 0.9),
        ("adam", "adam", 0.9),
    )
}

#: The knobs that may be turned while it trains; any other makes the networks begin anew.
TURNED_LIVE = (
    "noise",
    "label_noise",
    "samples",
    "l1",
    "l2",
    "bias_l1",
    "bias_l2",
    "dropout",
    "learning_rate",
    "optimizer",
    "batch_size",
)

_STRENGTHS = ("l1", "l2", "bias_l1", "bias_l2")
_MOST_LAYERS, _MOST_UNITS = 6, 512
_LONGEST_NAME = 300  # characters

PerLayer = float | tuple[float, ...]


@dataclass(frozen=True)
class Setting:
    """Every knob of the page.

    Strengths take one number for all layers, or one for each, the output layer included (`dropout`: for each hidden
    layer); they are kept as tuples.

    Parameters
    ----------
    data : str, default "spiral"
        A name from `DATA_SETS`.
    table, target : str
        For "table": its fingerprint, and the column to predict.
    axes : {"columns", "projection", "all"}
        For "table": what the network is given.
    columns : tuple of str
        For "columns": the two.
    noise : float, default 0.2
        How far drawn points are scattered.
    label_noise : float, default 0.1
        Share of the labels to learn from that are wrong; for numbers, the standard deviation of what is added to them,
        in units of their own.
    samples : int, default 150
        Rows to learn from, if there are so many.
    layers : tuple of int, default (32, 32)
        Units of each hidden layer.
    activation, optimizer : str
        Names from `ACTIVATIONS` and `OPTIMIZERS`.
    l1, l2, bias_l1, bias_l2 : float or tuple of float
        Strengths on weights and biases.
    dropout : float or tuple of float
        Probability of dropping a hidden unit.
    learning_rate : float, default 0.01
        The same at every update.
    batch_size : int or "all", default 32
        Rows in an update.
    seed : int, default 0
        Seed of points, first weights, order and dropout.

    Examples
    --------
    >>> setting = Setting(layers=(8, 4), l2=0.001)
    >>> setting.l2, setting.dropout
    ((0.001, 0.001, 0.001), (0.0, 0.0))
    >>> setting.changed({"optimizer": "sgd"}).recipe().optimizer
    'sgd'
    >>> Setting.from_dict(setting.to_dict()) == setting
    True
    """

    data: str = "spiral"
    table: str = ""
    target: str = ""
    axes: str = "columns"
    columns: tuple[str, ...] = ()
    noise: float = 0.2
    label_noise: float = 0.1
    samples: int = 150
    layers: tuple[int, ...] = (32, 32)
    activation: str = "relu"
    l1: PerLayer = 0.0
    l2: PerLayer = 0.001
    bias_l1: PerLayer = 0.0
    bias_l2: PerLayer = 0.0
    dropout: PerLayer = 0.0
    learning_rate: float = 0.01
    optimizer: str = "adam"
    batch_size: int | str = 32
    seed: int = 0

    def __post_init__(self) -> None:
        self._settle_layers()
        check_choice("data", self.data, DATA_SETS)
        check_choice("axes", self.axes, AXES)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        for name in ("table", "target"):
            _check_name(name, getattr(self, name))
        given: object = self.columns
        if not isinstance(given, (list, tuple)) or len(given) not in (0, 2):
            raise InvalidType(f"columns must be two names, or none, got {shown(given)}")
        object.__setattr__(self, "columns", tuple(self.columns))
        for name in self.columns:
            _check_name("columns", name)
        if (self.data == "table") != bool(self.table and self.target):
            raise InvalidValue('table and target are for data "table", which needs both')
        check_number("noise", self.noise, at_least=0, at_most=1)
        check_number("label_noise", self.label_noise, at_least=0, at_most=0.5)
        check_number("samples", self.samples, at_least=12, at_most=5000, integer=True)
        check_number("learning_rate", self.learning_rate, above=0, at_most=10)
        if self.batch_size != "all":
            check_number('batch_size, if not "all",', self.batch_size, at_least=1, at_most=5000, integer=True)
        check_number("seed", self.seed, at_least=0, at_most=2**31 - 1, integer=True)  # and one more draws validation

    def _settle_layers(self) -> None:
        """Check what there is one of for each layer, and make tuples of it."""
        given: object = self.layers
        if not isinstance(given, (list, tuple)) or len(given) > _MOST_LAYERS:
            raise InvalidType(f"layers must be at most {_MOST_LAYERS} numbers of units, got {shown(given)}")
        for units in self.layers:
            check_number("units of a layer", units, at_least=1, at_most=_MOST_UNITS, integer=True)
        object.__setattr__(self, "layers", tuple(self.layers))
        for name in (*_STRENGTHS, "dropout"):
            value, count = getattr(self, name), len(self.layers) + (name != "dropout")
            values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
            if len(values) != count:
                raise InvalidValue(f"{name} needs one number, or one for each of {count} layers, got {shown(value)}")
            for number in values:
                check_number(name, number, at_least=0, at_most=0.95 if name == "dropout" else 10)
            object.__setattr__(self, name, tuple(float(number) for number in values))

    def changed(self, changes: Mapping[str, Any]) -> Setting:
        """Return the setting with some knobs turned; raise `InvalidValue` for a knob that there is not."""
        return replace(self, **_known(changes))

    def recipe(self, epochs: int = 0) -> Recipe:
        """Return what trains the regularized network; the other one's is its `unregularized`."""
        return Recipe(**self.recipe_fields(), epochs=epochs)

    def recipe_fields(self) -> dict[str, Any]:
        """Return the fields of the recipe that this setting decides on: everything but the epochs."""
        return {
            "hidden_layer_sizes": self.layers,
            "activation": self.activation,
            **{name: getattr(self, name) for name in (*_STRENGTHS, "dropout")},
            **OPTIMIZERS[self.optimizer],
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "seed": self.seed,
            **_PLAIN,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values, one for each knob."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Setting:
        """Make a setting from a mapping; knobs that are not in it stand as by default."""
        return Setting(**_known(values))


#: What the page leaves out: how inputs are embedded, and how rates change.
_PLAIN = {
    "embedding_width": 0,
    "parametrization": "standard",
    "schedule": "constant",
    "weight_decay": 0.0,
    "scaling": "standard",
    "bins": 0,
    "components": 0,
}


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    given: object = values
    if not isinstance(given, Mapping):
        raise InvalidType(f"a setting is a mapping of knobs to values, got {shown(given)}")
    unknown = [name for name in given if name not in {field.name for field in fields(Setting)}]
    if unknown:
        raise InvalidValue(f"there is no knob {shown(unknown[0])}")
    return dict(given)


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        raise InvalidType(f"{what} must be a name of at most {_LONGEST_NAME} characters, got {shown(name)}")
