"""How taut's cost grows: with rows, units, depth, and runs; taut only, one thread unless it says otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks import cases
from benchmarks.contenders.base import Contender
from benchmarks.contenders.tauts import TautCompiled, TautMany
from benchmarks.problems import Problem
from benchmarks.session import Plan, say

__all__ = ["measure_growth"]

INPUTS, CLASSES, ROWS, UNITS = 20, 3, 3000, 64
TURNS = 3


def measure_growth(plan: Plan) -> dict[str, Any]:
    """Return for each axis the sizes and the seconds, an epoch each; for runs, five epochs of all."""
    engine = TautCompiled()
    axes: dict[str, tuple[list[int], Callable[[int], Problem]]] = {
        "rows": ([300, 1000, 3000, 10_000, 30_000, 100_000, 300_000], lambda rows: _network(rows, (UNITS,))),
        "units": ([8, 16, 32, 64, 128, 256, 512, 1024], lambda units: _network(ROWS, (units,))),
        "depth": ([1, 2, 3, 4, 5, 6], lambda depth: _network(ROWS, (UNITS,) * depth)),
    }
    found: dict[str, Any] = {}
    for axis, (sizes, problem) in axes.items():
        found[axis] = {"sizes": sizes, "seconds": [_epoch(engine, problem(size), plan) for size in sizes]}
        say(f"  {axis}: {', '.join(f'{seconds:.3g}' for seconds in found[axis]['seconds'])} s")
    found["runs"] = _runs(plan)
    return found


def _network(rows: int, hidden: tuple[int, ...]) -> Problem:
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, INPUTS), dtype=np.float32)
    return cases.table_network("growth", x, np.arange(rows) % CLASSES, hidden)


def _epoch(engine: Contender, problem: Problem, plan: Plan) -> float:
    """Return the median seconds of an epoch."""
    fit = engine.start(problem, plan.count)
    fit.train(1)
    seconds, epochs = [], 1
    while len(seconds) < TURNS:
        fit.reset()
        began = time.perf_counter()
        fit.train(epochs)
        took = time.perf_counter() - began
        if took < plan.seconds / 4:
            epochs *= 2
        else:
            seconds.append(took / epochs)
    return float(np.median(seconds))


def _runs(plan: Plan) -> dict[str, Any]:
    sizes, seconds = [1, 3, 10, 30, 100, 300, 1000], []
    whole = cases.population()
    for size in sizes:
        strengths = np.resize(whole.strengths, -(-size // len(whole.folds)))
        part = replace(whole, strengths=strengths, epochs=5)
        part.__dict__["runs"] = part.runs[:size]
        run = TautMany().start(part, plan.count)
        turns = []
        for _ in range(TURNS + 1):
            began = time.perf_counter()
            run()
            turns.append(time.perf_counter() - began)
        seconds.append(float(np.median(turns[1:])))
    return {"sizes": sizes, "seconds": seconds}
