"""PyTorch: eager with the fused Adam, and compiled; a population one after the other, or as one batched network."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders.base import Contender, Fit, PopulationContender, Unavailable
from benchmarks.problems import BETA_1, BETA_2, EPSILON, Population, Problem, Weights

__all__ = ["Torch", "TorchBatched", "TorchCompiled", "TorchPopulation"]


def network(weights: Weights) -> Any:
    """Return the network as a module."""
    from torch import nn

    layers: list[Any] = []
    for index, (w, _) in enumerate(weights):
        layers += [nn.Linear(*w.shape)] + ([nn.ReLU()] if index + 1 < len(weights) else [])
    model = nn.Sequential(*layers)
    assign(model, weights)
    return model


def assign(model: Any, weights: Weights) -> None:
    """Give the module these weights."""
    import torch

    with torch.no_grad():
        for layer, (w, b) in zip(model[::2], weights, strict=True):
            layer.weight.copy_(torch.from_numpy(w.T.copy()))
            layer.bias.copy_(torch.from_numpy(b))


def fused_adam(model: Any, l2: tuple[tuple[float, float], ...], lr: Any) -> Any:
    """Return Adam whose weight decay is the gradient of the L2 penalty, one group for each strength."""
    import torch

    groups: dict[float, list[Any]] = {}
    for layer, (weight_l2, bias_l2) in zip(model[::2], l2, strict=True):
        groups.setdefault(weight_l2, []).append(layer.weight)
        groups.setdefault(bias_l2, []).append(layer.bias)
    return torch.optim.Adam(
        [{"params": values, "weight_decay": 2.0 * lam} for lam, values in groups.items()],
        lr=lr,
        betas=(BETA_1, BETA_2),
        eps=EPSILON,
        fused=True,
    )


class TorchFit(Fit):
    """One network, eager."""

    def __init__(self, problem: Problem, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self.problem = problem
        self.x, self.y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)
        self.orders: dict[int, Any] = {}
        self.model = network(problem.weights)
        self.reset()

    def reset(self) -> None:
        assign(self.model, self.problem.weights)
        self.optimizer = fused_adam(self.model, self.problem.l2, self.problem.lr)
        self.step = 0

    def update(self, x: Any, y: Any) -> Any:
        """Make one update and return the data loss before it."""
        from torch.nn.functional import cross_entropy

        self.optimizer.zero_grad()
        loss = cross_entropy(self.model(x), y)
        loss.backward()
        if self.problem.decay:
            for group in self.optimizer.param_groups:
                group["lr"] = self.problem.rate(self.step)
        self.optimizer.step()
        self.step += 1
        return loss.detach()

    def train(self, epochs: int) -> np.ndarray:
        import torch

        losses, rows = torch.zeros(epochs), self.problem.rows
        orders = self._orders(epochs)
        for epoch in range(epochs):
            if orders is None:
                losses[epoch] = self.update(self.x, self.y)
                continue
            for batch in orders[epoch].split(self.problem.batch_size):
                losses[epoch] += self.update(self.x[batch], self.y[batch]) * (len(batch) / rows)
        return losses.numpy()

    def _orders(self, epochs: int) -> Any:
        import torch

        if self.problem.batch_size is None:
            return None
        if epochs not in self.orders:
            self.orders[epochs] = torch.from_numpy(self.problem.orders(epochs)).long()
        return self.orders[epochs]

    def weights(self) -> Weights:
        return [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in self.model[::2]]


class CompiledFit(Fit):
    """One network; loss, gradients and Adam are one compiled function, which beats compiling the module alone."""

    def __init__(self, problem: Problem, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        torch._dynamo.reset()
        self.problem = problem
        self.x, self.y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)
        self.strengths = [lam for layer in problem.l2 for lam in layer]
        self.gradient = torch.func.grad(self._objective, has_aux=True)
        self.update = torch.compile(self._update, dynamic=False, fullgraph=True)
        self.prepared: dict[int, tuple[Any, Any]] = {}
        self.reset()

    def reset(self) -> None:
        import torch

        self.parameters = [torch.tensor(values) for layer in self.problem.weights for values in layer]
        self.first = [torch.zeros_like(values) for values in self.parameters]
        self.second = [torch.zeros_like(values) for values in self.parameters]

    def _objective(self, parameters: list[Any], x: Any, y: Any) -> tuple[Any, Any]:
        from torch.nn.functional import cross_entropy

        for index in range(0, len(parameters) - 2, 2):
            x = (x @ parameters[index] + parameters[index + 1]).relu()
        data_loss = cross_entropy(x @ parameters[-2] + parameters[-1], y)
        penalties = [lam * w.square().sum() for lam, w in zip(self.strengths, parameters, strict=True) if lam]
        return data_loss + sum(penalties), data_loss

    def _update(self, parameters: list[Any], first: list[Any], second: list[Any], scales: Any, x: Any, y: Any) -> Any:
        gradients, data_loss = self.gradient(parameters, x, y)
        for w, m, s, g in zip(parameters, first, second, gradients, strict=True):
            m.mul_(BETA_1).add_(g, alpha=1.0 - BETA_1)
            s.mul_(BETA_2).addcmul_(g, g, value=1.0 - BETA_2)
            w.sub_(scales[0] * m / ((scales[1] * s).sqrt() + EPSILON))
        return data_loss

    def train(self, epochs: int) -> np.ndarray:
        import torch

        losses, step, rows = torch.zeros(epochs), 0, self.problem.rows
        orders, scales = self._prepare(epochs)
        state = self.parameters, self.first, self.second
        for epoch in range(epochs):
            if orders is None:
                losses[epoch] = self.update(*state, scales[epoch], self.x, self.y)
                continue
            for batch in orders[epoch].split(self.problem.batch_size):
                losses[epoch] += self.update(*state, scales[step], self.x[batch], self.y[batch]) * (len(batch) / rows)
                step += 1
        return losses.numpy()

    def _prepare(self, epochs: int) -> tuple[Any, Any]:
        """Return the orders of the rows, and the scales of Adam's moments at each update."""
        import torch

        if epochs not in self.prepared:
            full = self.problem.batch_size is None
            orders = None if full else torch.from_numpy(self.problem.orders(epochs)).long()
            updates = epochs * (1 if full else -(-self.problem.rows // self.problem.batch_size))
            scales = [
                (self.problem.rate(step) / (1.0 - BETA_1 ** (step + 1)), 1.0 / (1.0 - BETA_2 ** (step + 1)))
                for step in range(updates)
            ]
            self.prepared[epochs] = orders, torch.tensor(scales, dtype=torch.float32)
        return self.prepared[epochs]

    def weights(self) -> Weights:
        values = [parameter.numpy() for parameter in self.parameters]
        return list(zip(values[::2], values[1::2], strict=True))


class Torch(Contender):
    """Eager, with the fused Adam."""

    name = "PyTorch eager"
    packages = ("torch",)

    def start(self, problem: Problem, threads: int) -> Fit:
        return TorchFit(problem, threads)


class TorchCompiled(Contender):
    """`torch.compile`."""

    name = "PyTorch compiled"
    packages = ("torch",)

    def start(self, problem: Problem, threads: int) -> Fit:
        if not any(map(shutil.which, ("c++", "g++", "clang++"))):
            raise Unavailable("torch.compile needs a C++ compiler")
        if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
            raise Unavailable("torch.compile needs the header files of Python")
        return CompiledFit(problem, threads)


class TorchPopulation(PopulationContender):
    """One run after the other, eager with the fused Adam."""

    name = "PyTorch eager, one after the other"
    packages = ("torch",)

    def start(self, population: Population, threads: int) -> Callable[[], np.ndarray]:
        import torch
        from torch.nn.functional import cross_entropy

        torch.set_num_threads(threads)
        x, y = torch.from_numpy(population.x), torch.from_numpy(population.y)
        orders = {len(rows): torch.from_numpy(population.orders(len(rows))).long() for rows, _ in population.folds}

        def train_all() -> np.ndarray:
            losses = []
            for run in population.runs:
                model = network(population.weights)
                optimizer = fused_adam(model, ((run.lam, 0.0),) * 2, population.lr)
                x_run, y_run = x[run.rows], y[run.rows]
                for order in orders[len(run.rows)]:
                    for batch in order.split(population.batch_size):
                        optimizer.zero_grad()
                        cross_entropy(model(x_run[batch]), y_run[batch]).backward()
                        optimizer.step()
                with torch.no_grad():
                    held = run.validation_rows
                    losses.append(cross_entropy(model(x[held]), y[held]).item())
            return np.array(losses)

        return train_all


class TorchBatched(PopulationContender):
    """All runs at once: parameters with one more axis, batched products, one fused Adam."""

    name = "PyTorch eager, batched"
    packages = ("torch",)

    def start(self, population: Population, threads: int) -> Callable[[], np.ndarray]:
        import torch

        torch.set_num_threads(threads)
        x, y = torch.from_numpy(population.x), torch.from_numpy(population.y)
        folds = [
            torch.from_numpy(rows[population.orders(len(rows))]).long().split(population.batch_size, dim=1)
            for rows, _ in population.folds
        ]
        lams = torch.tensor([run.lam for run in population.runs], dtype=torch.float32)
        steps = [_stacked([fold[index] for fold in folds], len(lams)) for index in range(len(folds[0]))]
        held = [torch.from_numpy(run.validation_rows) for run in population.runs]

        def train_all() -> np.ndarray:
            parameters = [
                torch.from_numpy(values).expand(len(lams), *values.shape).clone().requires_grad_()
                for layer in population.weights
                for values in layer
            ]
            optimizer = torch.optim.Adam(parameters, lr=population.lr, betas=(BETA_1, BETA_2), eps=EPSILON, fused=True)
            for epoch in range(population.epochs):
                for rows, shares in steps:
                    batch = rows[:, epoch]
                    optimizer.zero_grad()
                    data_loss = (_losses(parameters, x[batch], y[batch]) * shares).sum()
                    penalty = sum((lams * values.square().sum((1, 2))).sum() for values in parameters[::2])
                    (data_loss + penalty).backward()
                    optimizer.step()
            with torch.no_grad():
                return np.array(
                    [
                        _losses([values[run : run + 1] for values in parameters], x[rows][None], y[rows][None])
                        .mean()
                        .item()
                        for run, rows in enumerate(held)
                    ]
                )

        return train_all


def _losses(parameters: list[Any], x: Any, y: Any) -> Any:
    """Return the loss of each row of each run, shape (runs, rows)."""
    import torch
    from torch.nn.functional import cross_entropy

    w1, b1, w2, b2 = parameters
    outputs = torch.baddbmm(b2[:, None], torch.baddbmm(b1[:, None], x, w1).relu(), w2)
    return cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)


def _stacked(batches: list[Any], runs: int) -> tuple[Any, Any]:
    """Return the rows of an update for all runs, shape (runs, epochs, rows), and their weights, shape (runs, rows)."""
    import torch

    most = max(batch.shape[1] for batch in batches)
    rows = torch.zeros(len(batches), len(batches[0]), most, dtype=torch.long)
    shares = torch.zeros(len(batches), most)
    for fold, batch in enumerate(batches):
        rows[fold, :, : batch.shape[1]] = batch
        shares[fold, : batch.shape[1]] = 1.0 / batch.shape[1]
    fold_of_run = torch.arange(runs) % len(batches)
    return rows[fold_of_run], shares[fold_of_run]
