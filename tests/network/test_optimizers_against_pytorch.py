"""Optimizers hold against golden figures of PyTorch's (made by tests/golden/make_optimizer_figures.py)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from taut.network.conventions import convert
from taut.network.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from taut.network.penalties import L2

FIGURES = json.loads((Path(__file__).parents[1] / "golden" / "optimizers.json").read_text(encoding="utf-8"))
CURVATURES = np.array(FIGURES["problem"]["curvatures"])
DIRECTION = np.array(FIGURES["problem"]["direction"])


def gradient(theta):
    return CURVATURES * theta - DIRECTION * np.sin(DIRECTION @ theta)


def optimizer_of(run) -> Optimizer:
    settings = dict(run["settings"])
    lr = settings.pop("lr")
    decay = settings.pop("weight_decay")
    if run["kind"] == "SGD":
        return SGD(lr, **settings)
    epsilon = settings.pop("eps")
    if run["kind"] == "Adagrad":
        return Adagrad(lr, decay=settings.pop("lr_decay"), epsilon=epsilon)
    if run["kind"] == "RMSprop":
        return RMSprop(lr, rho=settings.pop("alpha"), epsilon=epsilon)
    beta_1, beta_2 = settings.pop("betas")
    if run["kind"] == "AdamW":
        return AdamW(lr, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, weight_decay=decay)
    return Adam(lr, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)


def coupled_penalty_of(run) -> L2:
    # PyTorch's weight_decay is decoupled in AdamW only; elsewhere it is an L2 penalty in the "half" convention.
    coupled = 0.0 if run["kind"] == "AdamW" else run["settings"]["weight_decay"]
    return L2(convert(coupled, source="half"))


def test_every_optimizer_is_held_against_figures():
    kinds = {type(optimizer_of(run)) for run in FIGURES["runs"].values()}
    assert kinds == {SGD, Adagrad, RMSprop, Adam, AdamW}


@pytest.mark.parametrize("name", FIGURES["runs"])
def test_hundred_steps_equal_pytorch(name):
    run = FIGURES["runs"][name]
    optimizer, penalty = optimizer_of(run), coupled_penalty_of(run)
    theta = np.array(FIGURES["problem"]["start"])
    memory = optimizer.start(theta)
    total = max(map(int, run["theta"]))
    assert total == 100
    rate = optimizer.lr
    for step in range(total):
        rate = optimizer.rate(step, total, rate)
        optimizer.update(theta, gradient(theta) + penalty.gradient(theta), memory, rate=rate, step=step)
        if str(step + 1) in run["theta"]:
            np.testing.assert_allclose(theta, run["theta"][str(step + 1)], rtol=1e-9, atol=1e-12)
