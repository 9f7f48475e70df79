"""Make normalization.json: PyTorch's layer and batch normalization, forward, backward and gathered, in float64.

The figures are stored because PyTorch is no dependency of taut. To make them again, from the root of the repository:

    python -m venv pytorch-environment && pytorch-environment/bin/pip install torch==2.13.0 numpy
    pytorch-environment/bin/python tests/golden/make_normalization_figures.py

Each layer meets three batches of different sizes in training mode, and then the first again in evaluation mode. One
unit lies far from zero, one is constant in the second batch, and one row is constant: there the variance is zero and
epsilon alone divides.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

BATCHES = [
    [
        [0.2, -1.3, 1002.0, 0.7],
        [5.0, 5.0, 1005.0, 5.5],
        [-3.0, 0.0, 999.5, 4.5],
        [2.5, 2.5, 2.5, 2.5],
        [-40.0, 40.0, 1000.0, 39.0],
    ],
    [[1.0, 0.5, 1001.0, -2.0], [1.0, -0.5, 998.0, 3.0]],
    [[0.0, 1e-3, 1000.0, -1e-3], [1e-4, -1e-3, 1000.001, 2e-3], [2e-4, 0.0, 999.999, 1e-3]],
]
OUTPUT_GRADIENT = [0.3, -1.0, 2.0, 0.25]
SCALE, SHIFT = [1.5, -0.5, 2.0, 0.1], [0.0, 1.0, -2.0, 0.5]
LAYERS = {
    "layer_norm": (torch.nn.LayerNorm, {"epsilon": 1e-5}),
    "layer_norm, large epsilon": (torch.nn.LayerNorm, {"epsilon": 0.3}),
    "batch_norm": (torch.nn.BatchNorm1d, {"momentum": 0.1, "epsilon": 1e-5}),
    "batch_norm, long memory": (torch.nn.BatchNorm1d, {"momentum": 0.01, "epsilon": 1e-3}),
}


def tensor(values: list) -> torch.Tensor:
    """Return `values` in float64."""
    return torch.tensor(values, dtype=torch.float64)


def passed(layer: torch.nn.Module, batch: list) -> dict:
    """Return what the layer makes of a batch, and the gradients for an uneven sum of its outputs."""
    x = tensor(batch).requires_grad_()
    layer.zero_grad()
    y = layer(x)
    rows = torch.arange(1, len(batch) + 1, dtype=torch.float64)[:, None]
    y.backward(rows * tensor(OUTPUT_GRADIENT))
    figures = {
        "inputs": batch,
        "outputs": y.tolist(),
        "input_gradient": x.grad.tolist(),
        "scale_gradient": layer.weight.grad.tolist(),
        "shift_gradient": layer.bias.grad.tolist(),
    }
    if isinstance(layer, torch.nn.BatchNorm1d):
        figures |= {"mean": layer.running_mean.tolist(), "variance": layer.running_var.tolist()}
    return figures


def figures_of(kind: type, settings: dict) -> dict:
    """Return the figures of one layer."""
    own = {"eps": settings["epsilon"]} | ({"momentum": settings["momentum"]} if "momentum" in settings else {})
    layer = kind(4, dtype=torch.float64, **own)
    with torch.no_grad():
        layer.weight.copy_(tensor(SCALE))
        layer.bias.copy_(tensor(SHIFT))
    training = [passed(layer.train(), batch) for batch in BATCHES]
    return {"settings": settings, "training": training, "evaluation": passed(layer.eval(), BATCHES[0])}


def main() -> None:
    """Write the figures beside this script."""
    figures = {
        "made_by": "tests/golden/make_normalization_figures.py",
        "torch": torch.__version__.partition("+")[0],
        "scale": SCALE,
        "shift": SHIFT,
        "output_gradient": OUTPUT_GRADIENT,
        "layers": {name: figures_of(kind, settings) for name, (kind, settings) in LAYERS.items()},
    }
    text = json.dumps(figures, indent=1, allow_nan=False)
    Path(__file__).with_name("normalization.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
