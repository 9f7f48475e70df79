"""Outcomes: a plan is a recipe on a fold, an outcome what became of it.

An outcome depends on its plan alone, so it is the same wherever it was made, and beside whatever else.
Floor 5 of the house; knows nothing of how recipes are chosen, or of where they are made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from taut.network import Dense, Network
from taut.selection.folds import Fold
from taut.selection.objectives import METRICS
from taut.training import building
from taut.training.recipe import Recipe
from taut.training.runs import FinishedRun, PlannedRun

__all__ = ["Outcome", "Plan", "outcome_of"]


@dataclass(frozen=True, eq=False)
class Plan:
    """A recipe on a fold.

    Attributes
    ----------
    recipe : Recipe
        The recipe.
    fold : int
        Position of the fold.
    until : int or None
        Pause after so many epochs.
    resume : FinishedRun or None
        The paused run to go on with.
    start : ndarray or None
        Weights to start from.
    """

    recipe: Recipe
    fold: int
    until: int | None = None
    resume: FinishedRun | None = None
    start: np.ndarray | None = None

    def run(self, fold: Fold) -> PlannedRun:
        """Return what is to be trained."""
        return PlannedRun(
            self.recipe, fold.train_rows, fold.held_rows, None, self.fold, self.start, self.until, self.resume
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a recipe on a fold, after its last epoch or where it paused.

    Attributes
    ----------
    loss : float
        Data loss on the validation rows; for regression, of the standardized target. Infinite if training diverged,
        NaN if there are no validation rows.
    metrics : dict of str to float
        Each metric of the task on the validation rows.
    answers : ndarray, shape (validation rows, classes or targets)
        Probabilities, in float32, or numbers in their own units, in float64: differences of large numbers are small.
        NaN if training diverged.
    training, training_metrics
        The same on the training rows, with all noise off.
    training_curve, validation_curve : ndarray, shape (epochs,)
        The same after each epoch, on either rows, all of which count alike there; that of the training rows is NaN
        unless it was asked for.
    penalty : float
        The penalty in the last epoch.
    norms, zeros : ndarray, shape (layers with parameters,)
        Norm of each layer's weights, and share of its parameters that are exactly zero.
    input_norms : ndarray, shape (inputs,)
        Norm of the weights by which each input enters the first layer.
    run : FinishedRun
        The run, with its weights.
    """

    loss: float
    metrics: dict[str, float]
    answers: np.ndarray
    training: float
    training_metrics: dict[str, float]
    training_curve: np.ndarray
    validation_curve: np.ndarray
    penalty: float
    norms: np.ndarray
    zeros: np.ndarray
    input_norms: np.ndarray
    run: FinishedRun

    @property
    def diverged(self) -> bool:
        """Whether the loss stopped being a finite number."""
        return self.run.error is not None

    def without_columns(self) -> Outcome:
        """Return the outcome without the columns of its history, which are the larger part of it."""
        return replace(self, run=replace(self.run, columns={}))


def _input_norms(network: Network) -> np.ndarray:
    """Return the norm of the weights by which each input, as it is or embedded, enters the first layer."""
    first = next(layer for layer in network.layers if isinstance(layer, Dense))
    squares = np.square(first.weights.value.astype(np.float64)).sum(axis=1)
    return np.sqrt(np.bincount(network.sources(), squares, minlength=network.n_inputs))


def outcome_of(finished: FinishedRun, fold: Fold) -> Outcome:
    """Return the outcome of a run that has ended or paused on a fold."""
    task, columns, recipe = fold.table.task, finished.columns, finished.planned.recipe
    network = finished.network
    layers = [index for index, layer in enumerate(network.layers) if layer.parameters]
    if finished.error is not None:  # this candidate is out; the others are not
        lost, nowhere = np.full(len(layers), np.nan), np.full(network.n_inputs, np.nan)
        curve = np.full(finished.planned.last_epoch, np.inf)
        worst = dict(zip(METRICS[task], (np.inf, -np.inf), strict=True))
        silent = np.full((len(fold.held), network.n_outputs), np.nan)
        return Outcome(np.inf, worst, silent, np.inf, worst, curve, curve, np.inf, lost, lost, nowhere, finished)
    data_loss = building.loss(recipe, task, None).evaluation()
    outputs = network.predict(fold.table.X).astype(np.float64, copy=False)
    rows = data_loss.rows(outputs, data_loss.prepare(fold.table.y, network.n_outputs))
    answers = fold.answers(outputs, data_loss.inverse_link)
    losses, metrics = [], []
    for part in (slice(len(fold.train)), slice(len(fold.train), None)):
        weight = None if fold.weight is None else fold.weight[part]
        loss = float(np.average(rows[part], weights=weight)) if len(rows[part]) else float("nan")
        losses.append(float("inf") if len(rows[part]) and np.isnan(loss) else loss)
        metrics.append(fold.metrics(answers[part], part))
    return Outcome(
        loss=losses[1],
        metrics=metrics[1],
        answers=_kept(answers[len(fold.train) :], task),
        training=losses[0],
        training_metrics=metrics[0],
        training_curve=columns["evaluation_data_loss"],
        validation_curve=columns["validation_data_loss"] if len(fold.held) else np.empty(0),
        penalty=float(columns["penalty"][-1]),
        norms=np.array([columns[f"weight_norm_{index}"][-1] for index in layers]),
        zeros=np.array([columns[f"zeros_{index}"][-1] for index in layers]),
        input_norms=_input_norms(network),
        run=finished,
    )


def _kept(answers: np.ndarray, task: str) -> np.ndarray:
    """Return a copy, so that the answers for the training rows can be forgotten."""
    columns = answers[:, None] if answers.ndim == 1 else answers
    return columns.astype(np.float32 if task == "classification" else np.float64)
