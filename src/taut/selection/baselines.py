"""Baselines: the linear model and the constant guess that a network must beat to be worth its trouble.

Both are scikit-learn's. The linear model gets the network's own encoding of the columns and a strength chosen on the
same folds, so that the comparison is fair. Floor 5 of the house.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from taut.data.columns import TableEncoder
from taut.data.targets import ClassTargets, NumberTargets
from taut.selection.cross_validation import Splits
from taut.selection.scores import METRICS, RowScores, mean_and_error, score_classes, score_numbers
from taut.training.model import Table, take

__all__ = ["Baseline", "fit_baselines", "fit_targets", "score"]

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
    task: str
    encoder: TableEncoder
    targets: ClassTargets | NumberTargets
    fitted: Any  # a scikit-learn estimator on encoded columns

    def answers(self, X: Table) -> np.ndarray:
        """Return probabilities of shape (rows, classes), or predicted numbers in their own units."""
        inputs = self.encoder.transform(X)
        if self.task == "regression":
            return self.targets.decode(np.asarray(self.fitted.predict(inputs)).reshape(len(inputs), -1))
        # A class that is in no training row has no column in scikit-learn's answer.
        probabilities = np.zeros((len(inputs), len(self.targets.classes_)))
        probabilities[:, self.fitted.classes_] = self.fitted.predict_proba(inputs)
        return probabilities


def score(task: str, answers: np.ndarray, y: Any, targets: ClassTargets | NumberTargets) -> RowScores:
    """Score the answers of any model by the metrics of the task."""
    if isinstance(targets, ClassTargets):
        return score_classes(answers, y, targets)
    return score_numbers(answers, y, targets)


def fit_targets(task: str, y: Any) -> ClassTargets | NumberTargets:
    """Return the fitted encoding of a target."""
    return ClassTargets().fit(y) if task == "classification" else NumberTargets().fit(y)


def fit_baselines(X: Table, y: Any, *, task: str, splits: Splits, scaling: str) -> list[Baseline]:
    """Fit the linear model and the constant guess.

    Parameters
    ----------
    X, y
        The training table without the target, and the target.
    task : {"classification", "regression"}
        What to fit.
    splits : sequence of (train_index, validation_index)
        Folds, for the linear model's strength and for both models' cross-validated scores.
    scaling : str
        How numeric columns are scaled.

    Returns
    -------
    list of Baseline
        The linear model and the constant guess.
    """
    targets = fit_targets(task, y)
    encoded = [(TableEncoder(scaling=scaling).fit(take(X, train)), train, held) for train, held in splits]
    rows = [(encoder, encoder.transform(take(X, train)), train, held) for encoder, train, held in encoded]
    encoder = TableEncoder(scaling=scaling).fit(X)
    inputs = encoder.transform(X)

    def cross_validate(make: Any) -> dict[str, tuple[float, float]]:
        found = []
        for fold_encoder, fold_inputs, train, held in rows:
            fitted = make().fit(fold_inputs, _plain(targets, take(y, train)))
            baseline = Baseline("", "", {}, task, fold_encoder, targets, fitted)
            found.append(score(task, baseline.answers(take(X, held)), take(y, held), targets).values)
        return {name: mean_and_error(np.array([fold[name][0] for fold in found])) for name in METRICS[task]}

    def baseline(name: str, detail: str, make: Any, scores: dict[str, tuple[float, float]]) -> Baseline:
        return Baseline(name, detail, scores, task, encoder, targets, make().fit(inputs, _plain(targets, y)))

    makers = {strength: _linear(task, strength) for strength in STRENGTHS}
    tried = {strength: cross_validate(make) for strength, make in makers.items()}
    best = min(tried, key=lambda strength: tried[strength][METRICS[task][0]][0])
    kind = "logistic regression" if task == "classification" else "ridge regression"
    guess = _constant(task)
    return [
        baseline("linear model", f"{kind}, strength {best:g}", makers[best], tried[best]),
        baseline("constant guess", _CONSTANTS[task], guess, cross_validate(guess)),
    ]


_CONSTANTS = {"classification": "the share of each class", "regression": "the mean"}


def _plain(targets: ClassTargets | NumberTargets, y: Any) -> np.ndarray:
    encoded = targets.encode(y)
    return encoded[:, 0] if encoded.ndim == 2 and encoded.shape[1] == 1 else encoded


def _linear(task: str, strength: float) -> Any:
    def make() -> Any:
        from sklearn.linear_model import LogisticRegression, Ridge

        if task == "regression":
            return Ridge(alpha=strength)
        return LogisticRegression(C=1.0 / strength, max_iter=2000)

    return make


def _constant(task: str) -> Any:
    def make() -> Any:
        from sklearn.dummy import DummyClassifier, DummyRegressor

        return DummyRegressor() if task == "regression" else DummyClassifier(strategy="prior")

    return make
