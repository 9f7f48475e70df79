"""The recipe: all that defines a training run except the data.

Everything that can regularize a network is one field here. The estimators' parameters, the candidates that `taut fit`
chooses among and the model file are statements about these fields, so their defaults stand here and nowhere else.
Floor 4 of the house; a recipe knows nothing of data.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from taut.checks import check_choice, shown
from taut.data.augment import Augmentation
from taut.data.encoding import Encoding
from taut.data.inputs import Inputs
from taut.errors import InvalidType, InvalidValue
from taut.network import Average, Loss, Network, Optimizer
from taut.training import building, refusals, regularizers
from taut.training.callbacks import EarlyStopping

__all__ = ["TASKS", "Recipe"]

TASKS = ("classification", "regression")

PerLayer = float | tuple[float, ...]


@dataclass(frozen=True)
class Recipe:
    """All that defines a training run except the data.

    Strengths that may differ from layer to layer take one number for all, or a tuple with one number for each Dense
    layer, the output layer included (for `dropout` and `dropconnect`: for each hidden layer).

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default (64,)
        Units of each hidden layer; empty makes a linear model.
    activation : str, default "gelu"
        Activation of the hidden layers, a name from `taut.network.kinds.ACTIVATIONS` (not "softmax").
    initializer : str, default "auto"
        What draws the first weights; "auto" suits it to the activation, and takes Glorot's for the output layer.
    normalization : {"none", "layer", "batch"}
        What stands between each hidden Dense layer and its activation: nothing, LayerNorm or BatchNorm.
    residual : bool, default False
        Whether each hidden layer as wide as the one before it is added to what it is given (`Shortcut`).
    embedding_width : int, default 3
        If above 0, each number enters as it is and as so many numbers made of its waves (`PeriodicEmbedding`), unless
        there are more than 300 of them.
    embedding_frequencies : int, default 16
        Waves of each number.
    embedding_deviation : float, default 0.3
        Standard deviation of the first frequencies, in units of the scaled numbers.
    embedding_rectified : bool, default False
        Whether what is made of the waves is rectified.
    category_width : int, default 0
        If above 0, each category of ten levels or more enters as so many numbers (`CategoryEmbedding`), not one-hot.
    input_scale : bool, default False
        Whether a learned factor for each input stands before the first Dense layer (`Scale`).
    parametrization : {"ntk", "standard"}
        "ntk" divides the learning rate of weights by the root of the number of their layer's inputs, and has rates of
        their own for biases, factors of inputs and embeddings (see `Dense`, and `taut.training.building.LR_FACTORS`).
    l1, l2 : float or tuple of float, default 0.0
        Strength of ``l1 * sum(|w|)`` and ``l2 * sum(w**2)`` on weights.
    bias_l1, bias_l2 : float or tuple of float, default 0.0
        The same on biases.
    l1_step : {"proximal", "subgradient"}, default "proximal"
        How L1 is applied: soft thresholding gives exact zeros.
    group_l1 : float, default 0.0
        Strength of the group lasso over inputs, on the first layer. With it, inputs enter as they are, not embedded.
    group_l1_units : float, default 0.0
        Strength of the group lasso over units, on hidden layers.
    orthogonality : float, default 0.0
        Strength of ``sum((W.T @ W - I)**2)`` on hidden layers.
    max_norm : float, optional
        Largest norm of the weights that enter a hidden unit.
    non_negative : bool, default False
        Whether all weights are held at or above zero.
    dropout : float or tuple of float, default 0.2
        Probability of dropping a hidden unit, where there are any.
    input_dropout : float, default 0.0
        Probability of dropping an input.
    dropconnect : float or tuple of float, default 0.0
        Probability of leaving a weight of a hidden layer out of an update.
    dropout_schedule : {"constant", "flat_cosine"}
        Whether `dropout` and `input_dropout` stay, or fade to zero over the second half of the updates.
    input_noise : float, default 0.0
        Standard deviation of the noise on the inputs, after input dropout; numeric inputs have one of about 1.
    label_smoothing : float, default 0.0
        Share of each label that is spread over all classes.
    mixup : float, default 0.0
        If above 0, rows are blended in pairs, with shares from Beta(mixup, mixup).
    cutmix : float, default 0.0
        If above 0, rows take columns from one another, and keep a share of them from Beta(cutmix, cutmix).
    loss : str, default "auto"
        "cross_entropy"; or "mse", "mae", "huber", all on the standardized target; "auto" takes the first of the task.
    optimizer : str, default "adamw"
        A name from `taut.network.kinds.OPTIMIZERS`.
    learning_rate : float, default 0.03
        Learning rate of the first update.
    momentum : float, default 0.9
        For "sgd".
    nesterov : bool, default False
        For "sgd".
    beta_2 : float, default 0.95
        For "adam" and "adamw": how much of the average of squared gradients is kept at each update.
    weight_decay : float, default 0.1
        For "adamw": decoupled weight decay.
    weight_decay_schedule : {"constant", "flat_cosine"}
        Whether `weight_decay` stays, or fades likewise.
    schedule : str, default "cosine"
        How the learning rate changes over all epochs, a name from `taut.network.kinds.SCHEDULES` (not "warm_up").
    decay : float, default 0.0
        For the schedule "inverse_time": decay per update.
    compounding : bool, default False
        For the schedule "inverse_time": whether each update divides the rate of the update before.
    cycles : int, default 4
        For the schedules "cosine_restarts" and "cosine_log": how often the learning rate goes down.
    warm_up : float, default 0.0
        Share of the updates over which the learning rate rises.
    clip_norm : float, optional
        Largest norm of the gradient over all parameters.
    sam : float, default 0.0
        Sharpness-aware minimization: if above 0, the gradient is taken so far uphill, which costs a second pass.
    ema : float, default 0.0
        If above 0, the network is given the moving average of its weights, which keeps so much at each update.
    swa : float, default 0.0
        If above 0, the network is given the mean of its weights over the last epochs, this share of all.
    snapshots : int, default 0
        If above 0, the network is given the mean of its weights at the ends of so many cycles, the last ones, of the
        schedule "cosine_restarts".
    batch_size : int or "all" or "auto", default "auto"
        Samples in an update; "auto" takes all up to 40, then a sixteenth of them, from 32 to 512.
    epochs : int, default 60
        Passes over the data.
    early_stopping : bool, default False
        Whether to hold out rows, stop when they get no better, and restore the best weights.
    monitor : {"loss", "metric"}
        What is to get better then: the data loss, or accuracy or R² of the held-out rows.
    validation_fraction : float, default 0.15
        Share of the rows held out for that.
    patience : int, default 20
        Epochs without improvement before stopping.
    scaling : str, default "robust_clipped"
        How numeric columns are scaled, a name from `taut.data.schema.SCALINGS`.
    bins : int or "auto", default "auto"
        If above 0, each number also becomes up to so many columns, the pieces of its piecewise-linear encoding
        (`taut.data.pieces`); at least 2. "auto" is 12, fewer or none on tables of few rows or of
        very many values (`taut.data.encoding.bins_of`), and none where numbers enter as they are, not embedded.
    components : int or "auto", default "auto"
        If above 0, numbers that tell much the same also become up to so many columns, their principal components of
        little variance (`taut.data.components`). "auto" is as many as there are, none of more than 300 numbers, and
        none where numbers enter as they are or are principal components already.
    augmentation : Augmentation, optional
        What is done to image-shaped rows anew in each epoch.
    dtype : {"float64", "float32"}
        Floating-point type of the network.
    seed : int, default 0
        Seed of first weights, order, dropout, augmentation and the rows held out for early stopping.

    Examples
    --------
    >>> recipe = Recipe(hidden_layer_sizes=(32,), l2=3e-4, dropout=0.1)
    >>> recipe.describe()
    'L2 0.0003 · dropout 0.1 · weight decay 0.1'
    >>> Recipe.from_toml(recipe.to_toml()) == recipe
    True
    >>> network, loss, optimizer = recipe.build(4, n_outputs=3, task="classification")
    >>> network.n_outputs, loss, optimizer.lr
    (3, CrossEntropy(label_smoothing=0.0, class_weight=None), 0.03)
    """

    hidden_layer_sizes: tuple[int, ...] = (64,)
    activation: str = "gelu"
    initializer: str = "auto"
    normalization: str = "none"
    residual: bool = False
    embedding_width: int = 3
    embedding_frequencies: int = 16
    embedding_deviation: float = 0.3
    embedding_rectified: bool = False
    category_width: int = 0
    input_scale: bool = False
    parametrization: str = "ntk"
    l1: PerLayer = 0.0
    l2: PerLayer = 0.0
    bias_l1: PerLayer = 0.0
    bias_l2: PerLayer = 0.0
    l1_step: str = "proximal"
    group_l1: float = 0.0
    group_l1_units: float = 0.0
    orthogonality: float = 0.0
    max_norm: float | None = None
    non_negative: bool = False
    dropout: PerLayer = 0.2
    input_dropout: float = 0.0
    dropconnect: PerLayer = 0.0
    dropout_schedule: str = "constant"
    input_noise: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    loss: str = "auto"
    optimizer: str = "adamw"
    learning_rate: float = 0.03
    momentum: float = 0.9
    nesterov: bool = False
    beta_2: float = 0.95
    weight_decay: float = 0.1
    weight_decay_schedule: str = "constant"
    schedule: str = "cosine"
    decay: float = 0.0
    compounding: bool = False
    cycles: int = 4
    warm_up: float = 0.0
    clip_norm: float | None = None
    sam: float = 0.0
    ema: float = 0.0
    swa: float = 0.0
    snapshots: int = 0
    batch_size: int | str = "auto"
    epochs: int = 60
    early_stopping: bool = False
    monitor: str = "loss"
    validation_fraction: float = 0.15
    patience: int = 20
    scaling: str = "robust_clipped"
    bins: int | str = "auto"
    components: int | str = "auto"
    augmentation: Augmentation | None = None
    dtype: str = "float64"
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _built_in(getattr(self, field.name)))
        sizes: object = self.hidden_layer_sizes
        if not isinstance(sizes, tuple):
            object.__setattr__(self, "hidden_layer_sizes", (sizes,))
        refusals.check(self)

    @property
    def encoding(self) -> Encoding:
        """How the columns of a table become numbers."""
        as_they_are = bool(not self.embedding_width or self.group_l1)
        rotated = self.scaling == "principal_axes"
        return Encoding(
            self.scaling,
            bins=0 if self.bins == "auto" and as_they_are else self.bins,
            components=0 if self.components == "auto" and (as_they_are or rotated) else self.components,
        )

    def build(
        self,
        inputs: int | Inputs,
        n_outputs: int,
        task: str,
        *,
        class_weight: tuple[float, ...] | None = None,
        state: np.ndarray | None = None,
    ) -> tuple[Network, Loss, Optimizer]:
        """Make what `train` takes.

        Parameters
        ----------
        inputs : int or Inputs
            How the columns of the encoded table are laid out, or how many there are, if all are numbers.
        n_outputs : int
            Classes, or numeric targets.
        task : {"classification", "regression"}
            What the network is for.
        class_weight : tuple of float, optional
            One factor a class.
        state : ndarray, shape (parameters + statistics,), optional
            First values of the network; by default they are drawn from `seed`.

        Returns
        -------
        network : Network
            Built, with its first weights.
        loss : Loss
            The data loss.
        optimizer : Optimizer
            With its schedule.
        """
        check_choice("task", task, TASKS)
        layout = inputs if isinstance(inputs, Inputs) else Inputs.of(inputs)
        return (
            building.network(self, layout, n_outputs, state),
            building.loss(self, task, class_weight),
            self.build_optimizer(),
        )

    def build_optimizer(self) -> Optimizer:
        """Return the optimizer with its schedule."""
        return building.optimizer(self)

    def build_average(self) -> Average | None:
        """Return the average of weights that the network is given, or None."""
        return building.average(self)

    def build_stopping(self, loss: Loss) -> EarlyStopping | None:
        """Return what stops a run early by what a data loss or its metric says, or None."""
        return building.stopping(self, loss)

    def batch_rows(self, n_samples: int) -> int:
        """Return how many of `n_samples` samples an update takes."""
        if isinstance(self.batch_size, int):
            return min(self.batch_size, n_samples)
        return n_samples if n_samples <= 40 or self.batch_size == "all" else min(max(n_samples // 16, 32), 512)

    def describe(self) -> str:
        """Return in a few words what regularizes."""
        return regularizers.describe(self)

    def streaming(self) -> Recipe:
        """Return the recipe for a stream of rows, whose end no schedule, average or early stopping can plan for."""
        endless = {"schedule": "constant", "decay": 0.0, "compounding": False, "warm_up": 0.0, "ema": 0.0, "swa": 0.0}
        endless |= {"dropout_schedule": "constant", "weight_decay_schedule": "constant", "snapshots": 0}
        return replace(self, epochs=1, early_stopping=False, **endless)  # type: ignore[arg-type]

    def unregularized(self) -> Recipe:
        """Return the same recipe with all that regularizes taken out."""
        return replace(self, **regularizers.NONE, augmentation=None, early_stopping=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values, one for each field."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Recipe:
        """Make a recipe from a mapping; fields that are not in it take their defaults.

        Raises
        ------
        InvalidValue, InvalidType
            If a field is unknown or its value cannot be used.
        """
        given: object = values
        if not isinstance(given, Mapping):
            raise InvalidType(f"a recipe is made from a mapping of fields to values, got {shown(given)}")
        known = [field.name for field in fields(Recipe)]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise InvalidValue(
                f"a recipe has no field {', '.join(map(shown, unknown))}; the fields are {', '.join(known)}"
            )
        settings = dict(given)
        if isinstance(settings.get("augmentation"), Mapping):
            settings["augmentation"] = Augmentation.from_dict(settings["augmentation"])
        return Recipe(**settings)

    def to_json(self) -> str:
        """Return the recipe as JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    @staticmethod
    def from_json(text: str) -> Recipe:
        """Read a recipe from JSON text; raise `InvalidValue` if it is not one."""
        return Recipe.from_dict(_parsed("JSON", json.loads, text))

    def to_toml(self) -> str:
        """Return the recipe as TOML text; fields that are None are left out."""
        values = self.to_dict()
        table = values.pop("augmentation")
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value is not None]
        if table is not None:
            lines += ["", "[augmentation]"]
            lines += [f"{name} = {json.dumps(value)}" for name, value in table.items() if value is not None]
        return "\n".join(lines) + "\n"

    @staticmethod
    def from_toml(text: str) -> Recipe:
        """Read a recipe from TOML text; raise `InvalidValue` if it is not one."""
        return Recipe.from_dict(_parsed("TOML", tomllib.loads, text))


def _parsed(language: str, parse: Callable[[str], Any], text: object) -> Any:
    if not isinstance(text, str):
        raise InvalidType(f"a recipe in {language} must be text, got {shown(text)}")
    try:
        return parse(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"the recipe is not valid {language}: {' '.join(str(error).split())}") from error


def _built_in(value: Any) -> Any:
    """Return lists as tuples and NumPy's numbers as Python's, so that a recipe can be hashed, compared and written."""
    if isinstance(value, (list, tuple)):
        return tuple(_built_in(item) for item in value)
    if isinstance(value, (bool, int, float)):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, np.generic):
        return value.item()
    return value
