"""taut: its compiled engine, its reference loop, its population, and its regularization path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import taut
from benchmarks.contenders.base import Contender, Fit, FoundPath, PathContender, PopulationContender
from benchmarks.problems import BETA_1, BETA_2, EPSILON, PLAIN, PathProblem, Population, Problem, Weights

__all__ = ["Taut", "TautCompiled", "TautMany", "TautPath", "TautReference32", "TautReference64"]


class TautFit(Fit):
    """One network."""

    def __init__(self, problem: Problem, dtype: str, settings: dict[str, Any]) -> None:
        self.problem, self.dtype, self.settings = problem, dtype, settings
        self.x = problem.x.astype(dtype, copy=False)
        self.reset()

    def reset(self) -> None:
        layers: list[Any] = []
        for index, (units, strengths) in enumerate(zip(self.problem.sizes[1:], self.problem.l2, strict=True)):
            layers += [taut.ReLU()] if index else []
            layers.append(taut.Dense(units, *(taut.L2(lam) if lam else None for lam in strengths)))
        self.network = taut.Network(layers).build(self.problem.sizes[0], dtype=self.dtype)
        first = [values for layer in self.problem.weights for values in layer]
        for parameter, values in zip(self.network.parameters, first, strict=True):
            parameter.value[...] = values

    def train(self, epochs: int) -> np.ndarray:
        history = taut.train(
            self.network,
            self.x,
            self.problem.y,
            optimizer=taut.Adam(
                self.problem.lr, decay=self.problem.decay, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON
            ),
            epochs=epochs,
            batch_size=self.problem.batch_size,
            seed=self.problem.seed,
            evaluate_training=False,
            **self.settings,
        )
        return history["data_loss"]

    def weights(self) -> Weights:
        values = [parameter.value for parameter in self.network.parameters]
        return list(zip(values[::2], values[1::2], strict=True))


class Taut(Contender):
    """One of taut's engines in one type."""

    packages = ("taut", "numpy", "numba")
    engine: str
    dtype = "float32"

    def start(self, problem: Problem, threads: int) -> Fit:
        # With all threads, `train` decides itself whether an update is long enough to be shared.
        settings: dict[str, Any] = {"engine": self.engine, "n_threads": 1 if threads == 1 else None}
        return TautFit(problem, self.dtype, settings)


class TautCompiled(Taut):
    """The compiled engine, float32."""

    name = "taut"
    engine = "compiled"


class TautReference32(Taut):
    """The reference loop in plain NumPy, float32."""

    name = "taut, reference loop"
    engine = "numpy"


class TautReference64(Taut):
    """The reference loop in plain NumPy, float64."""

    name = "taut, reference loop, float64"
    engine = "numpy"
    dtype = "float64"


class TautMany(PopulationContender):
    """`taut.train_many`."""

    name = "taut"
    packages = ("taut", "numpy", "numba")

    def start(self, population: Population, threads: int) -> Callable[[], np.ndarray]:
        runs = [
            taut.PlannedRun(
                taut.Recipe(
                    **PLAIN
                    | {
                        "hidden_layer_sizes": (population.hidden,),
                        "l2": run.lam,
                        "learning_rate": population.lr,
                        "schedule": "constant",
                        "batch_size": population.batch_size,
                        "epochs": population.epochs,
                        "dtype": "float32",
                        "seed": population.seed,
                    }
                ),
                rows=run.rows,
                validation_rows=run.validation_rows,
            )
            for run in population.runs
        ]

        def train_all() -> np.ndarray:
            finished = taut.train_many(runs, population.x, population.y, n_threads=threads, evaluate_training=False)
            return np.array([run.history["validation_data_loss"][-1] for run in finished])

        return train_all


class TautPath(PathContender):
    """`taut.regularization_path`, as it is."""

    name = "taut"
    packages = ("taut", "numpy", "numba")

    def start(self, problem: PathProblem, threads: int) -> Callable[[], FoundPath]:
        def find() -> FoundPath:
            path = taut.regularization_path(
                taut.Recipe(**PLAIN),
                problem.x,
                problem.y,
                penalty=problem.penalty,
                n_values=problem.n_values,
                cv=len(problem.folds),
                n_jobs=threads,
            )
            # Where inputs are selected, the networks on all rows show which.
            on_all = 0 if path.input_norms is None else len(path.values)
            return FoundPath(float(path.mean.min()), path.losses.size + on_all)

        return find
