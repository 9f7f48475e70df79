"""A model: a trained network together with what turns a table into its inputs and its outputs into answers.

`fit_model` is the one way from a recipe and a table to a model; the estimators, cross-validation and the command line
all take it. The encoder of the columns is fitted on the training rows only and travels inside the model. Floor 4 of
the house; knows nothing of how settings are chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import check_choice
from taut.data.columns import TableEncoder
from taut.data.frames import take
from taut.data.splits import hold_out
from taut.data.targets import ClassTargets, ClassWeight, NumberTargets, class_weights
from taut.errors import InvalidValue
from taut.network import Loss, Network
from taut.random import Random
from taut.training.callbacks import Callback
from taut.training.history import History, State
from taut.training.recipe import TASKS, Recipe
from taut.training.train import train

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Model", "Table", "augment_raw", "fit_model", "train_further"]

Table = Any  # a pandas DataFrame, or an array of shape (rows, columns)


@dataclass
class Model:
    """A trained network with its encoders.

    Attributes
    ----------
    recipe : Recipe
        What it was trained by.
    task : str
        "classification" or "regression".
    encoder : TableEncoder
        Turns a table into inputs of shape (rows, inputs).
    targets : ClassTargets or NumberTargets
        Turns classes into integers, or numbers into standardized numbers, and back.
    network : Network
        The network.
    loss : Loss
        The data loss it was trained on.
    history : History
        The course of training.

    Examples
    --------
    >>> from taut.data import load_sample
    >>> frame, target = load_sample("wine")
    >>> model = fit_model(Recipe(epochs=30), frame.drop(columns=target), frame[target], task="classification")
    >>> model.predict_proba(frame).shape
    (178, 3)
    """

    recipe: Recipe
    task: str
    encoder: TableEncoder
    targets: ClassTargets | NumberTargets
    network: Network
    loss: Loss
    history: History

    def outputs(self, X: Table) -> np.ndarray:
        """Return the network's outputs for the rows of a table, float64, shape (rows, outputs)."""
        return self.network.predict(self.encoder.transform(X)).astype(np.float64, copy=False)

    def predict(self, X: Table) -> np.ndarray:
        """Return the most probable class of each row, or the predicted numbers in their own units."""
        outputs = self.outputs(X)
        return self.targets.decode(outputs.argmax(axis=1) if self.task == "classification" else outputs)

    def predict_proba(self, X: Table) -> np.ndarray:
        """Return the probability of each class, shape (rows, classes), in the order of ``targets.classes_``."""
        if self.task != "classification":
            raise InvalidValue("a regression model has no class probabilities; use predict")
        return self.loss.inverse_link(self.outputs(X))

    def surprises(self, X: Table) -> list[str]:
        """Return what is odd about later rows, in plain sentences, at most one a column."""
        return self.encoder.surprises(X)

    def data_loss(self, X: Table, y: Any) -> float:
        """Return the mean data loss on the rows of a table; for regression, of the standardized target."""
        outputs = self.outputs(X)
        return self.loss.value(outputs, self.loss.prepare(self.targets.encode(y), outputs.shape[1]))


def fit_model(
    recipe: Recipe,
    X: Table,
    y: Any,
    *,
    task: str,
    validation: tuple[Table, Any] | None = None,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    classes: Any = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    evaluate_training: bool = True,
    interruptible: bool = True,
) -> Model:
    """Fit a recipe to a table.

    Parameters
    ----------
    recipe : Recipe
        All that defines the training run.
    X : DataFrame or array, shape (rows, columns)
        The table without the target; numbers, categories, dates, gaps as they are.
    y : Series or array, shape (rows,) or (rows, targets)
        The target.
    task : {"classification", "regression"}
        What to fit.
    validation : tuple (X, y), optional
        Rows that are only looked at, or, if the recipe stops early, that decide when.
    sample_weight : array, shape (rows,), optional
        How much each row counts.
    class_weight : mapping of class to float, or "balanced", optional
        Factor for the loss of each class; "balanced" weighs classes inversely to their frequency.
    classes : array-like, shape (classes,), optional
        All labels, if the target may not show them all.
    callbacks, progress, evaluate_training, interruptible
        See `train`.

    Returns
    -------
    Model
        The fitted model.

    Raises
    ------
    InvalidValue, InvalidType
        If the table or an argument cannot be used; `DataError` if a column or the target cannot.
    NonFiniteLoss
        If the loss became NaN or infinite.
    """
    check_choice("task", task, TASKS)
    targets: ClassTargets | NumberTargets
    if task == "classification":
        targets = ClassTargets().fit(y, classes)  # before rows are held out, which may be all of a small class
    if recipe.early_stopping and validation is None:
        fit_rows, held_rows = hold_out(X, y, test_size=recipe.validation_fraction, task=task, seed=recipe.seed)
        validation = take(X, held_rows), take(y, held_rows)
        X, y = take(X, fit_rows), take(y, fit_rows)
        sample_weight = None if sample_weight is None else np.asarray(sample_weight)[fit_rows]
    encoder = recipe.encoding.encoder().fit(X, sample_weight=sample_weight)
    if task == "regression":
        targets = NumberTargets().fit(y, sample_weight=sample_weight)
    inputs, encoded = encoder.transform(X), targets.encode(y)
    n_outputs = len(targets.classes_) if isinstance(targets, ClassTargets) else encoded.shape[1]
    if not inputs.shape[1]:
        raise InvalidValue("no column of the table can be used: all are empty, constant or identifiers")
    weights = class_weights(class_weight, targets, encoded, sample_weight) if class_weight is not None else None
    network, loss, optimizer = recipe.build(encoder.inputs_, n_outputs, task, class_weight=weights)
    stopping = recipe.build_stopping(loss)
    if stopping is not None:
        callbacks = [stopping, *callbacks]
    dtype = network.theta.dtype
    history = train(
        network,
        inputs.astype(dtype, copy=False),
        encoded,
        loss=loss,
        optimizer=optimizer,
        epochs=recipe.epochs,
        batch_size=recipe.batch_rows(len(inputs)),
        validation=None if validation is None else (encoder.transform(validation[0]), targets.encode(validation[1])),
        sample_weight=sample_weight,
        augment=None if recipe.augmentation is None else augment_raw(recipe, encoder, X),
        mixup=recipe.mixup,
        cutmix=recipe.cutmix,
        average=recipe.build_average(),
        seed=recipe.seed,
        callbacks=callbacks,
        progress=progress,
        evaluate_training=evaluate_training,
        interruptible=interruptible,
    )
    return Model(recipe, task, encoder, targets, network, loss, history)


def train_further(model: Model, X: Table, y: Any, *, sample_weight: np.ndarray | None = None) -> None:
    """Train a model for one more epoch on the given rows, at a constant learning rate, from the weights it predicts by.

    Its encoders stay as they are, and its history grows.
    """
    recipe, state = model.recipe.streaming(), model.history.state
    shape = model.encoder.inputs_, model.network.n_outputs
    network, _, optimizer = recipe.build(*shape, model.task, state=model.network.state)  # whose noise does not fade
    if state.restored or state.live is not None:  # what the optimizer remembers is not of these weights
        state = State(epoch=state.epoch, memory=optimizer.start(network.theta))
    inputs = model.encoder.transform(X)
    history = train(
        network,
        inputs.astype(network.theta.dtype, copy=False),
        model.targets.encode(y),
        loss=model.loss,
        optimizer=optimizer,
        epochs=state.epoch + 1,
        batch_size=recipe.batch_rows(len(inputs)),
        sample_weight=sample_weight,
        augment=None if recipe.augmentation is None else augment_raw(recipe, model.encoder, X),
        mixup=recipe.mixup,
        cutmix=recipe.cutmix,
        seed=recipe.seed,
        resume=state,
    )
    model.network.state[:] = network.state
    model.history.extend(history)


def augment_raw(recipe: Recipe, encoder: TableEncoder, X: Table) -> Any:
    """Return a function that augments the rows as they came, before scaling, and encodes the result."""
    import pandas as pd

    augmentation = recipe.augmentation
    assert augmentation is not None
    pixels = np.asarray(X, dtype=np.float64)

    def augment(inputs: np.ndarray, rows: np.ndarray, random: Random) -> np.ndarray:
        drawn = augmentation.apply(pixels[rows], rows, random)
        table: pd.DataFrame | np.ndarray = (
            pd.DataFrame(drawn, columns=X.columns) if isinstance(X, pd.DataFrame) else drawn
        )
        return np.asarray(encoder.transform(table), dtype=inputs.dtype)

    return augment
