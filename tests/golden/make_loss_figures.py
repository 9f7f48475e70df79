"""Make losses.json: PyTorch's losses and activations with their gradients, in float64.

The figures are stored because PyTorch is no dependency of taut. To make them again, from the root of the repository:

    python -m venv pytorch-environment && pytorch-environment/bin/pip install torch==2.13.0 numpy
    pytorch-environment/bin/python tests/golden/make_loss_figures.py

A loss is stored sample by sample (``reduction="none"``), because PyTorch's means divide by the sum of the class
weights and taut's do not; its gradient is that of the sum. The inputs reach far enough for a careless formula to
overflow.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch.nn import functional

SCORES = [
    [0.2, -1.3, 2.0, 0.7],
    [5.0, 5.0, 5.0, 5.0],
    [-3.0, 0.0, 1e-3, 4.5],
    [1000.0, 0.0, -1000.0, 10.0],
    [-40.0, 40.0, 0.0, 39.0],
    [1e-8, -1e-8, 0.0, 2e-8],
]
LABELS = [2, 0, 1, 2, 1, 3]
CLASS_WEIGHTS = [0.5, 2.0, 1.0, 3.0]
BINARY_SCORES = [-1000.0, -40.0, -3.0, -0.1, 0.0, 0.1, 3.0, 40.0, 1000.0]
PREDICTED = [[0.0, 2.0], [-1.5, 0.3], [1e3, -1e3], [0.5, 1.0], [2.25, -0.75]]
TRUE = [[0.0, 1.0], [1.0, 0.3], [0.0, 0.0], [1.0, 0.75], [2.0, -3.0]]
MAGNITUDES = [1e-8, 1e-3, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 100.0, 1000.0]
GRID = [-z for z in reversed(MAGNITUDES)] + [0.0, *MAGNITUDES]
ACTIVATIONS = {
    "relu": functional.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


def tensor(values: list) -> torch.Tensor:
    """Return `values` in float64."""
    return torch.tensor(values, dtype=torch.float64)


def figures_of(loss: object, inputs: list, targets: torch.Tensor, **settings: object) -> dict:
    """Return a loss of each sample and the gradient of their sum by the inputs."""
    x = tensor(inputs).requires_grad_()
    values = loss(x, targets, reduction="none", **settings)
    values.sum().backward()
    return {"inputs": inputs, "targets": targets.tolist(), "values": values.tolist(), "gradient": x.grad.tolist()}


def losses() -> dict:
    """Return the figures of all losses."""
    scored = (functional.cross_entropy, SCORES, torch.tensor(LABELS))
    # Each score meets both labels.
    binary = (BINARY_SCORES * 2, tensor([0.0] * len(BINARY_SCORES) + [1.0] * len(BINARY_SCORES)))
    return {
        "cross_entropy": figures_of(*scored),
        "cross_entropy, label smoothing 0.1": figures_of(*scored, label_smoothing=0.1),
        "cross_entropy, class weights": {
            **figures_of(*scored, weight=tensor(CLASS_WEIGHTS)),
            "class_weights": CLASS_WEIGHTS,
        },
        "binary_cross_entropy": figures_of(functional.binary_cross_entropy_with_logits, *binary),
        "mse": figures_of(functional.mse_loss, PREDICTED, tensor(TRUE)),
        "mae": figures_of(functional.l1_loss, PREDICTED, tensor(TRUE)),
        "huber, delta 1": figures_of(functional.huber_loss, PREDICTED, tensor(TRUE), delta=1.0),
        "huber, delta 0.5": figures_of(functional.huber_loss, PREDICTED, tensor(TRUE), delta=0.5),
    }


def activations() -> dict:
    """Return value and derivative of all activations."""
    figures = {}
    for name, function in ACTIVATIONS.items():
        z = tensor(GRID).requires_grad_()
        y = function(z)
        y.sum().backward()
        figures[name] = {"inputs": GRID, "values": y.tolist(), "derivative": z.grad.tolist()}
    return figures


def softmax() -> dict:
    """Return softmax of the scores and what it hands back for a gradient by its outputs."""
    z = tensor(SCORES).requires_grad_()
    handed_in = tensor([[1.0, -2.0, 0.5, 3.0]] * len(SCORES))
    y = functional.softmax(z, dim=1)
    y.backward(handed_in)
    return {
        "inputs": SCORES,
        "values": y.tolist(),
        "output_gradient": handed_in.tolist(),
        "input_gradient": z.grad.tolist(),
    }


def main() -> None:
    """Write the figures beside this script."""
    figures = {
        "made_by": "tests/golden/make_loss_figures.py",
        "torch": torch.__version__.partition("+")[0],
        "losses": losses(),
        "activations": activations(),
        "softmax": softmax(),
    }
    text = json.dumps(figures, indent=1, allow_nan=False)
    Path(__file__).with_name("losses.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
