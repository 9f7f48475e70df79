"""scikit-learn: `MLPClassifier`, and `GridSearchCV` over it, in float64 as they are.

``alpha`` is scikit-learn's strength: it adds ``alpha / (2 * batch rows) * sum(w**2)`` over all weights, and nothing
on biases.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.contenders.base import Contender, Fit, FoundPath, PathContender, PopulationContender
from benchmarks.problems import BETA_1, BETA_2, EPSILON, PathProblem, Population, Problem, Weights
from taut.network import conventions

__all__ = ["Scikit", "ScikitGrid", "ScikitPath"]


def classifier(hidden: tuple[int, ...], lam: float, batch_size: int, lr: float, epochs: int) -> Any:
    """Return an MLPClassifier that trains for a number of epochs, whatever the loss does."""
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        hidden,
        alpha=2.0 * batch_size * lam,
        batch_size=batch_size,
        learning_rate_init=lr,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=epochs + 1,
        beta_1=BETA_1,
        beta_2=BETA_2,
        epsilon=EPSILON,
        random_state=0,
    )


class ScikitFit(Fit):
    """One network, which starts warm from the first weights."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.reset()

    def reset(self) -> None:
        problem, size = self.problem, self.problem.batch_size or self.problem.rows
        self.model = classifier(problem.hidden, max(lam for lam, _ in problem.l2), size, problem.lr, 1)
        self.model.set_params(shuffle=problem.batch_size is not None, warm_start=True)
        self._fit()
        self.model.coefs_ = [w.astype(np.float64) for w, _ in problem.weights]
        self.model.intercepts_ = [b.astype(np.float64) for _, b in problem.weights]
        self.done = len(self.model.loss_curve_)

    def _fit(self) -> None:
        from sklearn.exceptions import ConvergenceWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(self.problem.x, self.problem.y)

    def train(self, epochs: int) -> np.ndarray:
        self.model.set_params(max_iter=epochs, n_iter_no_change=epochs + 1)
        self._fit()
        return np.array(self.model.loss_curve_[self.done :])

    def weights(self) -> Weights:
        return list(zip(self.model.coefs_, self.model.intercepts_, strict=True))


class Scikit(Contender):
    """MLPClassifier."""

    name = "scikit-learn"
    packages = ("scikit-learn",)
    differs = (
        "has one L2 strength for all weights, none for biases, no decay, adds epsilon before it corrects Adam's "
        "moments, and draws its own order of the rows"
    )

    def start(self, problem: Problem, threads: int) -> Fit:
        return ScikitFit(problem)


class ScikitGrid(PopulationContender):
    """GridSearchCV over MLPClassifier, in as many processes as there are threads."""

    name = "scikit-learn GridSearchCV"
    packages = ("scikit-learn", "joblib")
    differs = "has one logistic output for two classes, and draws its own first weights and order of the rows"

    def start(self, population: Population, threads: int) -> Callable[[], np.ndarray]:
        from sklearn.model_selection import GridSearchCV

        size = population.batch_size
        model = classifier((population.hidden,), 0.0, size, population.lr, population.epochs)
        grid = GridSearchCV(
            model,
            {"alpha": 2.0 * size * population.strengths},
            scoring="neg_log_loss",
            cv=population.folds,
            n_jobs=threads,
            refit=False,
        )

        def search() -> np.ndarray:
            found = quietly_searched(grid, population.x, population.y)
            scores = [found[f"split{fold}_test_score"] for fold in range(len(population.folds))]
            return -np.stack(scores, axis=1).ravel()

        return search


class ScikitPath(PathContender):
    """GridSearchCV over a pipeline of StandardScaler and MLPClassifier, in as many processes as there are threads."""

    name = "scikit-learn GridSearchCV"
    packages = ("scikit-learn", "joblib")
    differs = (
        "is told the strengths and the folds, has one logistic output, draws its own first weights and order of the "
        "rows, keeps Adam's learning rate as it begins, and computes in float64"
    )

    def start(self, problem: PathProblem, threads: int) -> Callable[[], FoundPath]:
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        assert problem.strengths is not None
        size = problem.batch_size
        alphas = [
            conventions.convert(lam, source="taut", target="sklearn", n_samples=size)
            for lam in problem.strengths.tolist()
        ]
        grid = GridSearchCV(
            make_pipeline(StandardScaler(), classifier(problem.hidden, 0.0, size, problem.lr, problem.epochs)),
            {"mlpclassifier__alpha": alphas},
            scoring="neg_log_loss",
            cv=problem.folds,
            n_jobs=threads,
            refit=False,
        )

        def find() -> FoundPath:
            means = quietly_searched(grid, problem.x, problem.y)["mean_test_score"]
            return FoundPath(-float(np.max(means)), len(alphas) * len(problem.folds))

        return find


def quietly_searched(grid: Any, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Return what GridSearchCV found, without a warning for each network that trains to the last epoch."""
    # The processes that joblib starts read their warning filters here.
    os.environ["PYTHONWARNINGS"] = "ignore"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return grid.fit(x, y).cv_results_
