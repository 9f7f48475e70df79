"""The documents' own code: a network from scratch in NumPy, class by class, as the books write it, in float64."""

from __future__ import annotations

import numpy as np

from benchmarks.contenders.base import Contender, Fit
from benchmarks.problems import BETA_1, BETA_2, EPSILON, Problem, Weights

__all__ = ["Book"]


class LayerDense:
    """A dense layer with L2 on weights and biases."""

    def __init__(self, weights: np.ndarray, biases: np.ndarray, weight_l2: float, bias_l2: float) -> None:
        self.weights = weights
        self.biases = biases
        self.weight_l2 = weight_l2
        self.bias_l2 = bias_l2
        self.weight_momentums = np.zeros_like(weights)
        self.weight_cache = np.zeros_like(weights)
        self.bias_momentums = np.zeros_like(biases)
        self.bias_cache = np.zeros_like(biases)

    def forward(self, inputs: np.ndarray) -> None:
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues: np.ndarray) -> None:
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        if self.weight_l2 > 0:
            self.dweights += 2 * self.weight_l2 * self.weights
        if self.bias_l2 > 0:
            self.dbiases += 2 * self.bias_l2 * self.biases
        self.dinputs = np.dot(dvalues, self.weights.T)


class ActivationReLU:
    """Rectified linear units."""

    def forward(self, inputs: np.ndarray) -> None:
        self.inputs = inputs
        self.output = np.maximum(0, inputs)

    def backward(self, dvalues: np.ndarray) -> None:
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0


class SoftmaxLoss:
    """Softmax and categorical cross-entropy in one."""

    def forward(self, inputs: np.ndarray, y_true: np.ndarray) -> float:
        exp_values = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = exp_values / np.sum(exp_values, axis=1, keepdims=True)
        clipped = np.clip(self.output, 1e-7, 1 - 1e-7)
        return float(np.mean(-np.log(clipped[range(len(y_true)), y_true])))

    def backward(self, y_true: np.ndarray) -> None:
        samples = len(y_true)
        self.dinputs = self.output.copy()
        self.dinputs[range(samples), y_true] -= 1
        self.dinputs = self.dinputs / samples

    @staticmethod
    def regularization_loss(layer: LayerDense) -> float:
        loss = 0.0
        if layer.weight_l2 > 0:
            loss += layer.weight_l2 * float(np.sum(layer.weights * layer.weights))
        if layer.bias_l2 > 0:
            loss += layer.bias_l2 * float(np.sum(layer.biases * layer.biases))
        return loss


class OptimizerAdam:
    """Adam with decay of the learning rate."""

    def __init__(self, learning_rate: float, decay: float) -> None:
        self.learning_rate = learning_rate
        self.current_learning_rate = learning_rate
        self.decay = decay
        self.iterations = 0

    def pre_update_params(self) -> None:
        if self.decay:
            self.current_learning_rate = self.learning_rate * (1.0 / (1.0 + self.decay * self.iterations))

    def update_params(self, layer: LayerDense) -> None:
        layer.weight_momentums = BETA_1 * layer.weight_momentums + (1 - BETA_1) * layer.dweights
        layer.bias_momentums = BETA_1 * layer.bias_momentums + (1 - BETA_1) * layer.dbiases
        weight_momentums_corrected = layer.weight_momentums / (1 - BETA_1 ** (self.iterations + 1))
        bias_momentums_corrected = layer.bias_momentums / (1 - BETA_1 ** (self.iterations + 1))
        layer.weight_cache = BETA_2 * layer.weight_cache + (1 - BETA_2) * layer.dweights**2
        layer.bias_cache = BETA_2 * layer.bias_cache + (1 - BETA_2) * layer.dbiases**2
        weight_cache_corrected = layer.weight_cache / (1 - BETA_2 ** (self.iterations + 1))
        bias_cache_corrected = layer.bias_cache / (1 - BETA_2 ** (self.iterations + 1))
        layer.weights += (
            -self.current_learning_rate * weight_momentums_corrected / (np.sqrt(weight_cache_corrected) + EPSILON)
        )
        layer.biases += (
            -self.current_learning_rate * bias_momentums_corrected / (np.sqrt(bias_cache_corrected) + EPSILON)
        )

    def post_update_params(self) -> None:
        self.iterations += 1


class BookFit(Fit):
    """The books' training loop."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.x, self.y = problem.x.astype(np.float64), problem.y
        self.reset()

    def reset(self) -> None:
        self.layers = [
            LayerDense(w.astype(np.float64), b.astype(np.float64)[None, :], *l2)
            for (w, b), l2 in zip(self.problem.weights, self.problem.l2, strict=True)
        ]
        self.activations = [ActivationReLU() for _ in self.problem.hidden]
        self.loss = SoftmaxLoss()
        self.optimizer = OptimizerAdam(self.problem.lr, self.problem.decay)

    def update(self, x: np.ndarray, y: np.ndarray) -> float:
        """Make one update and return the data loss before it."""
        for dense, activation in zip(self.layers[:-1], self.activations, strict=True):
            dense.forward(x)
            activation.forward(dense.output)
            x = activation.output
        self.layers[-1].forward(x)
        data_loss = self.loss.forward(self.layers[-1].output, y)
        regularization_loss = sum(self.loss.regularization_loss(layer) for layer in self.layers)
        self.printed = data_loss + regularization_loss, np.mean(np.argmax(self.loss.output, axis=1) == y)

        self.loss.backward(y)
        self.layers[-1].backward(self.loss.dinputs)
        dvalues = self.layers[-1].dinputs
        for dense, activation in zip(self.layers[-2::-1], self.activations[::-1], strict=True):
            activation.backward(dvalues)
            dense.backward(activation.dinputs)
            dvalues = dense.dinputs

        self.optimizer.pre_update_params()
        for layer in self.layers:
            self.optimizer.update_params(layer)
        self.optimizer.post_update_params()
        return data_loss

    def train(self, epochs: int) -> np.ndarray:
        losses = np.zeros(epochs)
        orders = None if self.problem.batch_size is None else self.problem.orders(epochs)
        for epoch in range(epochs):
            if orders is None:
                losses[epoch] = self.update(self.x, self.y)
                continue
            for rows in self.problem.batches(orders[epoch]):
                losses[epoch] += self.update(self.x[rows], self.y[rows]) * len(rows) / len(self.y)
        return losses

    def weights(self) -> Weights:
        return [(layer.weights, layer.biases[0]) for layer in self.layers]


class Book(Contender):
    """The documents' own NumPy code."""

    name = "documents' NumPy"
    packages = ("numpy",)

    def start(self, problem: Problem, threads: int) -> Fit:
        return BookFit(problem)
