"""An ensemble: models that answer together, each with its weight.

Cross-validation fits one model a fold, a search many recipes. Kept together, they answer by the mean of what each would
say, which is better than what they say one by one: the squared error of a mean is the mean of the squared errors less
the spread of the answers around it (Krogh & Vedelsby), and the log loss of a mean of probabilities is at most the mean
of the log losses. So there is most to gain where the models differ, as networks on few rows do, and still more those of
different recipes. A mean of probabilities is less sure than its parts; a temperature may make up for that. An
`Ensemble` answers like a `Model`, and whoever holds either need not know which. Floor 4 of the house; knows nothing of
folds, or of how settings and weights are chosen.

References
----------
L. Breiman, "Bagging predictors", Machine Learning 24, 1996.
A. Krogh and J. Vedelsby, "Neural network ensembles, cross validation, and active learning", NIPS 7, 1995.
C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML, 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from taut.checks import check_number, shown
from taut.data.targets import ClassTargets, NumberTargets
from taut.errors import InvalidType, InvalidValue
from taut.training.model import Model, Table
from taut.training.recipe import Recipe

__all__ = ["COLDEST", "HOTTEST", "MOST_MODELS", "Ensemble", "check_mixture", "shares_of", "tempered"]

MOST_MODELS = 1000  # beyond some tens, one more changes next to nothing
#: Beyond these temperatures, the most probable class is certain, or all are alike.
COLDEST, HOTTEST = 0.05, 20.0
_LARGEST_WEIGHT = 1e6  # so that sums stay far from overflow


@dataclass(frozen=True)
class Ensemble:
    """Models that answer together.

    Parameters
    ----------
    models : tuple of Model
        From 1 to 1000, all for the same task, classes and columns, of whatever recipes.
    weights : tuple of float, optional
        How much each of them counts, above 0 and at most 1e6; all alike by default. Only their ratios matter.
    temperature : float, default 1.0
        What the mean probabilities are made less sure by, or surer if it is below 1; see `tempered`.

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
    weights: tuple[float, ...] = ()
    temperature: float = 1.0

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

        weights = self.weights if self.weights != () else (1.0,) * len(self.models)
        check_mixture(weights, self.temperature, len(self.models))
        if self.task != "classification" and self.temperature != 1.0:
            raise InvalidValue(f"temperature is for probabilities; for regression it must be 1, got {self.temperature}")
        object.__setattr__(self, "weights", tuple(map(float, weights)))
        object.__setattr__(self, "temperature", float(self.temperature))

    @property
    def recipe(self) -> Recipe:
        """What most of the answer comes from, by the weights, with the seed of the first model of that recipe."""
        return next(iter(self.shares))

    @property
    def shares(self) -> dict[Recipe, float]:
        """The share of the weights that the models of each recipe have together, see `shares_of`."""
        return shares_of([model.recipe for model in self.models], self.weights)

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
        """Return the probability of each class, shape (rows, classes), in the order of ``targets.classes_``.

        It is the weighted mean over the models, at the ensemble's temperature.
        """
        return tempered(self._mean(lambda model: model.predict_proba(X)), self.temperature)

    def surprises(self, X: Table) -> list[str]:
        """Return what is odd about later rows to all of the models, in plain sentences, at most one a column."""
        first, *others = (model.encoder for model in self.models)
        return first.surprises(X, others)

    def _mean(self, answer: Callable[[Model], np.ndarray]) -> np.ndarray:
        parts = (weight * answer(model) for weight, model in zip(self.weights, self.models, strict=True))
        return np.asarray(reduce(np.add, parts) / sum(self.weights))


def check_mixture(weights: object, temperature: object, n_models: int) -> None:
    """Raise unless these can be the weights of so many models, and their temperature."""
    if not isinstance(weights, tuple) or len(weights) != n_models:
        raise InvalidValue(f"the weights must be a tuple of {n_models} numbers, got {shown(weights)}")
    for weight in weights:
        check_number("a weight", weight, above=0, at_most=_LARGEST_WEIGHT)
    check_number("the temperature", temperature, at_least=COLDEST, at_most=HOTTEST)


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return ``p ** (1 / temperature)``, normalized, shape (rows, classes): the softmax of scores / temperature.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks", ICML, 2017.

    Examples
    --------
    >>> tempered(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    if temperature == 1.0:
        return probabilities
    # The largest becomes 1, so that a low temperature does not bring all of them to zero.
    powers = (probabilities / probabilities.max(axis=1, keepdims=True)) ** (1.0 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def shares_of(recipes: Sequence[Recipe], weights: Sequence[float]) -> dict[Recipe, float]:
    """Return the share of the weights that each recipe has, the largest first, of equals the earlier.

    Recipes that differ in their seeds alone are one; it is the first of them that is shown.

    Examples
    --------
    >>> shares = shares_of([Recipe(), Recipe(l2=0.1), Recipe(l2=0.1, seed=1)], [1.0, 1.0, 2.0])
    >>> [(recipe.l2, share) for recipe, share in shares.items()]
    [(0.1, 0.75), (0.0, 0.25)]
    """
    first: dict[Recipe, Recipe] = {}
    shares: dict[Recipe, float] = {}
    for recipe, weight in zip(recipes, weights, strict=True):
        shown_as = first.setdefault(replace(recipe, seed=0), recipe)
        shares[shown_as] = shares.get(shown_as, 0.0) + weight / sum(weights)
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


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
    return common
