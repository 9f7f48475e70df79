"""Make optimizers.json: where PyTorch's optimizers stand after 1, 2, 10 and 100 steps on a small problem.

The figures are stored because PyTorch is no dependency of taut. To make them again, from the root of the repository:

    python -m venv pytorch-environment && pytorch-environment/bin/pip install torch==2.13.0 numpy
    pytorch-environment/bin/python tests/golden/make_optimizer_figures.py

The problem, in float64 with 12 parameters, is ill-conditioned and not quadratic:

    f(theta) = sum_i a_i * theta_i**2 / 2 + cos(b . theta)
    gradient_i = a_i * theta_i - b_i * sin(b . theta)

Its gradient is worked out in NumPy, here and in tests/network/test_optimizers_against_pytorch.py, so that nothing but
the optimizers is compared.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

CURVATURES = [0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0]  # a
DIRECTION = [1.0, -0.5, 0.25, 2.0, -1.5, 0.75, -0.3, 1.2, -0.8, 0.4, 0.6, -0.2]  # b
START = [1.0, -2.0, 0.5, 3.0, -0.1, 0.7, -1.3, 0.2, 0.9, -0.4, 1.1, -0.6]
STEPS = [1, 2, 10, 100]

# Name -> PyTorch's class and every setting that matters, none left to a default. The settings keep each run stable: a
# change of the start by one part in 10**12 grows less than a hundredfold over the 100 steps. Where it does not, as in
# RMSprop with alpha 0.9 at lr 0.01, rounding alone parts any two programs, and the figures would show nothing.
ADAM = {"lr": 0.05, "betas": [0.9, 0.999], "eps": 1e-8}
RUNS = {
    "SGD": ("SGD", {"lr": 0.015, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}),
    "SGD with momentum": ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0}),
    "SGD with Nesterov momentum": ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.0}),
    "SGD with coupled weight decay": ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": False, "weight_decay": 0.3}),
    "Adagrad": ("Adagrad", {"lr": 0.3, "lr_decay": 0.0, "eps": 1e-10, "weight_decay": 0.0}),
    "Adagrad with decay": ("Adagrad", {"lr": 0.3, "lr_decay": 0.05, "eps": 1e-7, "weight_decay": 0.0}),
    "RMSprop": ("RMSprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0}),
    "RMSprop with short memory": ("RMSprop", {"lr": 0.003, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.0}),
    "Adam": ("Adam", {**ADAM, "weight_decay": 0.0}),
    "Adam with other averages": ("Adam", {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-4, "weight_decay": 0.0}),
    "Adam with coupled weight decay": ("Adam", {**ADAM, "weight_decay": 0.3}),
    "AdamW": ("AdamW", {**ADAM, "weight_decay": 0.01}),
    "AdamW with strong decay": ("AdamW", {**ADAM, "weight_decay": 0.5}),
}


def gradient(theta: np.ndarray) -> np.ndarray:
    """Return the gradient of f, shape (12,)."""
    b = np.array(DIRECTION)
    return np.array(CURVATURES) * theta - b * np.sin(b @ theta)


def thetas(kind: str, settings: dict) -> dict[str, list[float]]:
    """Return theta after each number of steps."""
    theta = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, kind)([theta], foreach=False, **settings)
    seen = {}
    for step in range(1, max(STEPS) + 1):
        theta.grad = torch.from_numpy(gradient(theta.detach().numpy()))
        optimizer.step()
        if step in STEPS:
            seen[str(step)] = theta.detach().tolist()
    return seen


def main() -> None:
    """Write the figures beside this script."""
    figures = {
        "made_by": "tests/golden/make_optimizer_figures.py",
        "torch": torch.__version__.partition("+")[0],
        "problem": {"curvatures": CURVATURES, "direction": DIRECTION, "start": START},
        "runs": {
            name: {"kind": kind, "settings": settings, "theta": thetas(kind, settings)}
            for name, (kind, settings) in RUNS.items()
        },
    }
    Path(__file__).with_name("optimizers.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
