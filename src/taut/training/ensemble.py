"""An ensemble: models of one recipe that answer together.

Cross-validation fits one model a fold. Kept together, they answer by the mean of what each would say, which is better
than what they say one by one: the squared error of a mean is the mean of the squared errors less the spread of the
answers around it (Krogh & Vedelsby), and the log loss of a mean of probabilities is at most the mean of the log
losses. So there is most to gain where the models differ, as networks on few rows do. An `Ensemble` answers like a
`Model`, and whoever holds either need not know which. Floor 4 of the house; knows nothing of folds, or of how settings
are chosen.

References
----------
L. Breiman, "Bagging predictors", Machine Learning 24, 1996.
A. Krogh and J. Vedelsby, "Neural network ensembles, cross validation, and active learning", NIPS 7, 1995.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import reduce
from typing import Any

import numpy as np

from taut.checks import check_number, shown
from taut.data.targets import ClassTargets, NumberTargets
from taut.errors import InvalidType, InvalidValue
from taut.training.model import Model, Table
from taut.training.recipe import Recipe

__all__ = ["MOST_MODELS", "Ensemble"]

MOST_MODELS = 1000  # beyond some tens, one more changes next to nothing


@dataclass(frozen=True)
class Ensemble:
    """Models that answer together.

    Parameters
    ----------
    models : tuple of Model
        From 1 to 1000, all for the same task, classes and columns, and of the same recipe but for its seed.

    Raises
    ------
    InvalidType, InvalidValue
        If they are something else, or do not belong together.

    References
    ----------
    L. Breiman, "Bagging predictors", Machine Learning 24, 1996.

    Examples
    --------
    >>> from taut.data import folds, load_sample
    >>> from taut.training import fit_model
    >>> frame, target = load_sample("wine")
    >>> X, y = frame.drop(columns=target), frame[target]
    >>> splits = folds(y, n_splits=3, task="classification")
    >>> ensemble = Ensemble(
    ...     tuple(fit_model(Recipe(epochs=5), X.iloc[rows], y.iloc[rows], task="classification") for rows, _ in splits)
    ... )
    >>> ensemble.predict_proba(X).shape
    (178, 3)
    """

    models: tuple[Model, ...]

    def __post_init__(self) -> None:
        models: object = self.models
        if not isinstance(models, tuple) or not all(isinstance(model, Model) for model in models):
            raise InvalidType(f"an ensemble is made of a tuple of models, got {shown(models)}")
        check_number("the number of models", len(models), at_least=1, at_most=MOST_MODELS, integer=True)
        first = _in_common(self.models[0])
        for place, model in enumerate(self.models[1:], 2):
            for what, value in _in_common(model).items():
                if value != first.get(what):
                    raise InvalidValue(
                        f"the models of an ensemble differ in {what}: "
                        f"number 1 has {shown(first.get(what))}, number {place} {shown(value)}"
                    )

    @property
    def recipe(self) -> Recipe:
        """What they were trained by, with the seed of the first."""
        return self.models[0].recipe

    @property
    def task(self) -> str:
        """What they are for: "classification" or "regression"."""
        return self.models[0].task

    @property
    def targets(self) -> ClassTargets | NumberTargets:
        """The targets of the first model; those of the others differ at most in mean and scale."""
        return self.models[0].targets

    def predict(self, X: Table) -> np.ndarray:
        """Return the class of each row whose mean probability is largest, or the mean of the predicted numbers."""
        if self.task == "classification":
            return self.targets.decode(self.predict_proba(X).argmax(axis=1))
        return self._mean(lambda model: model.predict(X))  # decoded, because scales differ from model to model

    def predict_proba(self, X: Table) -> np.ndarray:
        """Return the mean probability of each class, shape (rows, classes), in the order of ``targets.classes_``."""
        return self._mean(lambda model: model.predict_proba(X))

    def surprises(self, X: Table) -> list[str]:
        """Return what is odd about later rows to all of the models, in plain sentences, at most one a column."""
        first, *others = (model.encoder for model in self.models)
        return first.surprises(X, others)

    def _mean(self, answer: Callable[[Model], np.ndarray]) -> np.ndarray:
        return np.asarray(reduce(np.add, map(answer, self.models)) / len(self.models))


def _in_common(model: Model) -> dict[str, Any]:
    """Return what all models of an ensemble must have in common, by what a message calls it."""
    targets, encoder = model.targets, model.encoder
    common: dict[str, Any] = {
        "task": model.task,
        "columns": encoder.names_,
        "whether their columns had names": "feature_names_in_" in vars(encoder),
    }
    if isinstance(targets, ClassTargets):
        common |= {"classes": targets.classes_.tolist(), "the type of their classes": str(targets.classes_.dtype)}
    else:
        common |= {
            "the number of their targets": len(targets.mean_),
            "whether their targets were flat": targets.flat_,
        }
    return common | {field.name: getattr(model.recipe, field.name) for field in fields(Recipe) if field.name != "seed"}
