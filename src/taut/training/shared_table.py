"""The shared table: one copy of some data, on which many runs of a population are made.

It is checked once for each loss and floating-point type, and each run before the first begins; a run sees its rows by
their numbers. Floor 4 of the house; knows nothing of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from taut.checks import shown
from taut.data.inputs import Inputs
from taut.errors import InvalidType, InvalidValue
from taut.network import Loss
from taut.random import Random
from taut.training import building
from taut.training.objective import Augment, Objective, objective_of
from taut.training.recipe import Recipe
from taut.training.runs import PlannedRun

__all__ = ["SharedTable"]

# An update of the weights takes about as long as so many rows.
_ROWS_OF_AN_UPDATE = 8
# A wave of an embedding takes about as long as so many multiplications.
_A_WAVE = 12


class SharedTable:
    """Data that many runs share, checked once for each loss and floating-point type.

    Parameters
    ----------
    X : array-like, shape (samples, inputs)
        Inputs, as numbers, scaled.
    y : array-like, shape (samples,) or (samples, outputs)
        Integer labels from 0, or numbers.
    task : {"classification", "regression"}
        What the networks are for.
    sample_weight : array-like, shape (samples,), optional
        How much each sample counts; in each run, its training rows have mean weight 1.
    class_weight : tuple of float, optional
        One factor a class.
    n_classes : int, optional
        How many classes there are, if `y` may not show the last of them.
    inputs : Inputs, optional
        How the columns of `X` are laid out; by default, all are numbers.
    augment : callable, optional
        From a recipe to what makes the inputs of a run's training rows for each epoch; by default, augmentation is
        applied to the rows of `X` as they are.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        task: str,
        sample_weight: np.ndarray | None = None,
        class_weight: tuple[float, ...] | None = None,
        *,
        n_classes: int | None = None,
        inputs: Inputs | None = None,
        augment: Callable[[Recipe], Augment] | None = None,
    ) -> None:
        self.X, self.y, self.task = np.asarray(X), np.asarray(y), task
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        self.class_weight, self._augment = class_weight, augment
        if self.X.ndim != 2 or not self.X.size:
            raise InvalidValue(f"X must have shape (samples, inputs) with at least one of each, got {self.X.shape}")
        self.inputs = Inputs.of(self.X.shape[1]) if inputs is None else inputs
        if self.inputs.width != self.X.shape[1]:
            raise InvalidValue(f"X has {self.X.shape[1]} columns, and its layout {self.inputs.width}: {self.inputs}")
        if self.y.ndim not in (1, 2) or not self.y.size:
            raise InvalidValue(f"y must have shape (samples,) or (samples, outputs), got {self.y.shape}")
        if class_weight is not None and task != "classification":
            raise InvalidValue(f"class_weight is for classification, got {shown(class_weight)} for {task}")
        if task == "regression" or self.y.ndim == 2:
            self.n_outputs = self.y.shape[1] if self.y.ndim == 2 else 1
        elif self.y.dtype.kind not in "iub":
            raise InvalidType(f"class labels must be integers from 0, got {self.y.dtype}: {shown(self.y[:5].tolist())}")
        elif self.y.min() < 0:
            raise InvalidValue(f"class labels must be integers from 0, got {self.y.min()}")
        else:
            self.n_outputs = int(self.y.max()) + 1 if n_classes is None else n_classes
        self._wholes: dict[tuple[Loss, str], Objective] = {}
        self._factors: dict[tuple[Loss, str], np.ndarray | None] = {}  # of the classes, for each row

    def admit(self, run: PlannedRun) -> None:
        """Prepare the table for a run, or raise if that cannot be made."""
        rows = self._rows("rows", run.rows)
        self._rows("validation_rows", run.validation_rows)
        recipe = run.recipe
        key = self._key(recipe)
        if key not in self._wholes:
            network, loss, _ = recipe.build(self.inputs, self.n_outputs, self.task, class_weight=self.class_weight)
            same = [whole.x for (_, dtype), whole in list(self._wholes.items()) if dtype == recipe.dtype]
            made = objective_of(network, loss, same[0] if same else self.X, self.y, self.sample_weight, seed=0)
            self._factors[key] = loss.row_weights(made.targets)
            dtype = np.int64 if made.targets.ndim == 1 else made.x.dtype
            self._wholes[key] = replace(made, targets=np.ascontiguousarray(made.targets, dtype))
        weights = self._wholes[key].weights
        if rows is not None and weights is not None and not weights[rows].any():
            raise InvalidValue(f"sample_weight and class_weight are 0 in all rows of a run: {shown(rows.tolist())}")
        if (
            recipe.augmentation is not None and self._augment is None
        ):  # applied to no image, it still says which it is for
            recipe.augmentation.apply(self.X[:0], np.arange(0), Random(recipe.seed))

    def cost(self, run: PlannedRun) -> float:
        """Return about how many multiplications a run makes: forward, backward, and as many rows' worth an update."""
        recipe, rows = run.recipe, len(self.X) if run.rows is None else len(run.rows)
        widths = (self.X.shape[1], *recipe.hidden_layer_sizes, self.n_outputs)
        waves = 0
        if recipe.embedding_width and not recipe.group_l1:
            widths = (widths[0] + self.inputs.numbers * recipe.embedding_width, *widths[1:])
            waves = self.inputs.numbers * recipe.embedding_frequencies
        an_update = _ROWS_OF_AN_UPDATE * -(-rows // recipe.batch_rows(rows))
        return (
            3.0
            * recipe.epochs
            * ((rows + an_update) * sum(a * b for a, b in pairwise(widths)) + rows * _A_WAVE * waves)
        )

    def augment(self, recipe: Recipe) -> Augment | None:
        """Return what makes the inputs of each epoch, if the recipe augments."""
        if recipe.augmentation is None:
            return None
        return recipe.augmentation.apply if self._augment is None else self._augment(recipe)

    def objective(self, run: PlannedRun) -> Objective:
        """Return what a run minimizes: its rows of the table, without a copy of them."""
        key = self._key(run.recipe)
        whole, rows = self._wholes[key], self._rows("rows", run.rows)
        weights = whole.weights
        if self.sample_weight is not None and rows is not None:
            given = self.sample_weight.astype(np.float64, copy=False)
            given, factors = given / given[rows].mean(), self._factors[key]
            weights = (given if factors is None else factors * given).astype(whole.x.dtype)
        if run.recipe.augmentation is not None and rows is not None:
            return replace(whole, weights=weights).take(rows)  # what is drawn anew needs an array of its own
        return replace(whole, weights=weights, subset=rows)

    def validation(self, run: PlannedRun) -> Objective | None:
        """Return the rows that a run looks at."""
        rows = self._rows("validation_rows", run.validation_rows)
        return None if rows is None else replace(self._wholes[self._key(run.recipe)], weights=None, subset=rows)

    def _key(self, recipe: Recipe) -> tuple[Loss, str]:
        """Return on what the table's preparation depends."""
        return building.loss(recipe, self.task, self.class_weight).evaluation(), recipe.dtype

    def _rows(self, name: str, given: Any) -> np.ndarray | None:
        """Return numbers of rows as an array, or raise if they are none of the table."""
        if given is None:
            return None
        try:
            rows = np.asarray(given)
        except ValueError:  # lists of unequal length
            rows = np.empty(0)
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
            raise InvalidValue(f"{name} must be a list of row numbers, got {shown(given)}")
        if rows.min() < 0 or rows.max() >= len(self.X):
            raise InvalidValue(f"{name} must be from 0 to {len(self.X) - 1}, got {rows.min()} to {rows.max()}")
        return np.ascontiguousarray(rows, dtype=np.int64)
