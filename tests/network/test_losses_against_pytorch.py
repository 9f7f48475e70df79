"""Losses and activations hold against golden figures of PyTorch's (made by tests/golden/make_loss_figures.py)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from taut.network.activations import ELU, GELU, SELU, LeakyReLU, Mish, ReLU, Sigmoid, SiLU, Softmax, Tanh
from taut.network.losses import CrossEntropy, Huber, MeanAbsoluteError, MeanSquaredError, SigmoidCrossEntropy

FIGURES = json.loads((Path(__file__).parents[1] / "golden" / "losses.json").read_text(encoding="utf-8"))

LOSSES = {
    "cross_entropy": CrossEntropy(),
    "cross_entropy, label smoothing 0.1": CrossEntropy(label_smoothing=0.1),
    "cross_entropy, class weights": CrossEntropy(class_weight=(0.5, 2.0, 1.0, 3.0)),
    "binary_cross_entropy": SigmoidCrossEntropy(),
    "mse": MeanSquaredError(),
    "mae": MeanAbsoluteError(),
    "huber, delta 1": Huber(1.0),
    "huber, delta 0.5": Huber(0.5),
}
ACTIVATIONS = {
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(0.01),
    "elu": ELU(),
    "selu": SELU(),
    "gelu": GELU(),
    "silu": SiLU(),
    "mish": Mish(),
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
}
# A float64 holds 16 digits; far out on the flat side of an activation, one library or the other cancels some of them.
TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}


def as_columns(values) -> np.ndarray:
    values = np.array(values)
    return values[:, None] if values.ndim == 1 else values


def test_every_stored_figure_is_compared():
    assert set(LOSSES) == set(FIGURES["losses"])
    assert set(ACTIVATIONS) == set(FIGURES["activations"])


@pytest.mark.parametrize("name", LOSSES)
def test_loss_of_each_sample_and_its_gradient_equal_pytorch(name):
    loss, figures = LOSSES[name], FIGURES["losses"][name]
    outputs = as_columns(figures["inputs"])
    targets = loss.prepare(np.array(figures["targets"]), outputs.shape[1])
    weights = loss.row_weights(targets)
    weights = np.ones(len(outputs)) if weights is None else weights
    # taut averages over the outputs of a sample; PyTorch's classes are one loss already, its numbers are not.
    values, gradient = as_columns(figures["values"]).mean(axis=1), as_columns(figures["gradient"])
    n_losses = 1 if name.startswith("cross_entropy") else outputs.shape[1]
    np.testing.assert_allclose(weights * loss.rows(outputs, targets), values, **TOLERANCE)
    np.testing.assert_allclose(
        weights[:, None] * loss.row_gradients(outputs, targets), gradient / n_losses, **TOLERANCE
    )


@pytest.mark.parametrize(
    "name", ["cross_entropy", "cross_entropy, label smoothing 0.1", "cross_entropy, class weights"]
)
def test_one_hot_labels_give_the_loss_of_integer_labels(name):
    loss, figures = LOSSES[name], FIGURES["losses"][name]
    outputs, labels = np.array(figures["inputs"]), np.array(figures["targets"])
    one_hot = loss.prepare(np.eye(outputs.shape[1])[labels], outputs.shape[1])
    weights = loss.row_weights(one_hot)
    weights = np.ones(len(outputs)) if weights is None else weights
    np.testing.assert_allclose(weights * loss.rows(outputs, one_hot), figures["values"], **TOLERANCE)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_and_its_derivative_equal_pytorch(name):
    activation, figures = ACTIVATIONS[name], FIGURES["activations"][name]
    z = np.array(figures["inputs"])
    y = activation.function(z)
    np.testing.assert_allclose(y, figures["values"], **TOLERANCE)
    np.testing.assert_allclose(activation.derivative(z, y), figures["derivative"], **TOLERANCE)


def test_softmax_and_what_it_hands_back_equal_pytorch():
    layer, figures = Softmax(), FIGURES["softmax"]
    y = layer.forward(np.array(figures["inputs"]), training=False, random=None)
    np.testing.assert_allclose(y, figures["values"], **TOLERANCE)
    handed_back = layer.backward(np.array(figures["output_gradient"]))
    np.testing.assert_allclose(handed_back, figures["input_gradient"], **TOLERANCE)
