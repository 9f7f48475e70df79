"""Baselines: the linear model and the constant guess that a network must beat to be worth its trouble.

Both are scikit-learn's. The linear model gets the columns scaled as the network does, and a strength chosen on the
same folds, so that the comparison is fair. Floor 5 of the house.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from taut.blas import one_blas_thread
from taut.data.columns import TableEncoder
from taut.data.encoding import Encoding
from taut.data.targets import ClassTargets, NumberTargets
from taut.selection.folds import Folds
from taut.selection.objectives import METRICS
from taut.training.model import Table

__all__ = ["Baseline", "fit_baselines"]

#: Strengths tried for the linear model: scikit-learn's `alpha` of Ridge, and 1 / C of LogisticRegression.
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline.

    Attributes
    ----------
    name, detail : str
        What it is called, and its settings in a few words.
    cross_validated : dict of str to (float, float)
        For each metric, mean over the folds and standard error.
    """

    name: str
    detail: str
    cross_validated: dict[str, tuple[float, float]]
    encoder: TableEncoder
    targets: ClassTargets | NumberTargets
    fitted: Any  # a scikit-learn estimator on encoded columns

    def answers(self, X: Table) -> np.ndarray:
        """Return probabilities of shape (rows, classes), or predicted numbers in their own units."""
        return _answers(self.fitted, self.encoder.transform(X), self.targets)


def fit_baselines(X: Table, y: Any, *, task: str, folds: Folds, encoding: Encoding) -> list[Baseline]:
    """Fit the linear model and the constant guess.

    Parameters
    ----------
    X, y
        The training table without the target, and the target.
    task : {"classification", "regression"}
        What to fit.
    folds : Folds
        For the linear model's strength and for both models' cross-validated scores; of these rows, or of some of them.
    encoding : Encoding
        How the columns become numbers.

    Returns
    -------
    list of Baseline
        The linear model and the constant guess.
    """
    targets = ClassTargets().fit(y) if task == "classification" else NumberTargets().fit(y)
    guess = partial(_constant, task)
    with one_blas_thread():
        guessed = _cross_validate(guess, folds, encoding)
        tried = {strength: _cross_validate(partial(_linear, task, strength), folds, encoding) for strength in STRENGTHS}
    best = min(tried, key=lambda strength: tried[strength][METRICS[task][0]][0])
    kind = "logistic regression" if task == "classification" else "ridge regression"
    encoder = encoding.encoder().fit(X)
    inputs, encoded = encoder.transform(X), _flat(targets.encode(y))
    found = (
        ("linear model", f"{kind}, strength {best:g}", partial(_linear, task, best), tried[best]),
        ("constant guess", _CONSTANTS[task], guess, guessed),
    )
    with one_blas_thread():
        return [
            Baseline(name, detail, scores, encoder, targets, make().fit(inputs, encoded))
            for name, detail, make, scores in found
        ]


def _cross_validate(make: Callable[[], Any], folds: Folds, encoding: Encoding) -> dict[str, tuple[float, float]]:
    found = []
    for fold in folds.encoded(encoding):
        train, held = slice(len(fold.train)), slice(len(fold.train), None)
        fitted = make().fit(fold.table.X[train], _flat(fold.table.y[train]))
        found.append(fold.metrics(_answers(fitted, fold.table.X[held], fold.targets), held))
    return {name: folds.mean_and_error(np.array([one[name] for one in found])) for name in METRICS[folds.task]}


def _answers(fitted: Any, inputs: np.ndarray, targets: ClassTargets | NumberTargets) -> np.ndarray:
    if isinstance(targets, NumberTargets):
        return targets.decode(np.asarray(fitted.predict(inputs)).reshape(len(inputs), -1))
    # A class that is in no training row has no column in scikit-learn's answer.
    probabilities = np.zeros((len(inputs), len(targets.classes_)))
    probabilities[:, fitted.classes_] = fitted.predict_proba(inputs)
    return probabilities


_CONSTANTS = {"classification": "the share of each class", "regression": "the mean"}


def _flat(encoded: np.ndarray) -> np.ndarray:
    return encoded[:, 0] if encoded.ndim == 2 and encoded.shape[1] == 1 else encoded


def _linear(task: str, strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    return Ridge(alpha=strength) if task == "regression" else LogisticRegression(C=1.0 / strength, max_iter=2000)


def _constant(task: str) -> Any:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyRegressor() if task == "regression" else DummyClassifier(strategy="prior")
