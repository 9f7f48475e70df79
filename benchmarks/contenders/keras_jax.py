"""Keras 3 on JAX: `compile` and `fit`, with several updates in one execution."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contenders.base import Contender, Fit
from benchmarks.problems import BETA_1, BETA_2, EPSILON, Problem, Weights

__all__ = ["Keras"]

#: Updates in one execution. Keras unrolls them, so more cost seconds of compiling and gain next to nothing.
STEPS = 16


class KerasFit(Fit):
    """One network.

    In full batch an epoch is one update, and what Keras does between epochs would dwarf it. So the data are handed
    over many times as one long table, which makes one epoch of Keras out of many of ours.
    """

    def __init__(self, problem: Problem) -> None:
        import keras

        self.problem = problem
        layers: list[Any] = [keras.Input((problem.x.shape[1],))]
        for index, (units, (weight_l2, bias_l2)) in enumerate(zip(problem.sizes[1:], problem.l2, strict=True)):
            layers.append(
                keras.layers.Dense(
                    units,
                    activation="relu" if index < len(problem.hidden) else None,
                    kernel_regularizer=keras.regularizers.L2(weight_l2) if weight_l2 else None,
                    bias_regularizer=keras.regularizers.L2(bias_l2) if bias_l2 else None,
                )
            )
        self.model = keras.Sequential(layers)
        self.model.compile(
            keras.optimizers.Adam(
                keras.optimizers.schedules.InverseTimeDecay(problem.lr, 1, problem.decay)
                if problem.decay
                else problem.lr,
                BETA_1,
                BETA_2,
                EPSILON,
            ),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=True,
            steps_per_execution=STEPS,
        )
        self.copies: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.reset()

    def reset(self) -> None:
        self.model.set_weights([values for layer in self.problem.weights for values in layer])
        for variable in self.model.optimizer.variables:
            if "learning_rate" not in variable.path:
                variable.assign(np.zeros(variable.shape, dtype=variable.dtype))

    def train(self, epochs: int) -> np.ndarray:
        rows, size = self.problem.rows, self.problem.batch_size
        if size is None:
            if epochs not in self.copies:
                self.copies[epochs] = np.tile(self.problem.x, (epochs, 1)), np.tile(self.problem.y, epochs)
            course = self.model.fit(*self.copies[epochs], batch_size=rows, epochs=1, shuffle=False, verbose=0)
        else:
            course = self.model.fit(self.problem.x, self.problem.y, batch_size=size, epochs=epochs, verbose=0)
        return np.array(course.history["loss"])

    def weights(self) -> Weights:
        values = self.model.get_weights()
        return list(zip(values[::2], values[1::2], strict=True))


class Keras(Contender):
    """Keras on JAX."""

    name = "Keras on JAX"
    packages = ("keras", "jax")
    differs = "adds epsilon before it corrects Adam's moments, and draws its own order of the rows"

    def start(self, problem: Problem, threads: int) -> Fit:
        return KerasFit(problem)
