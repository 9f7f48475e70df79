"""How much memory taut takes: one epoch over a large table, and a population; each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import cases
from benchmarks.contenders.tauts import TautCompiled, TautMany
from benchmarks.machine import memory_now, memory_peak, reset_memory_peak
from benchmarks.problems import Problem
from benchmarks.session import Plan

__all__ = ["MEASURES"]

ROWS, INPUTS = 1_000_000, 50


def large_table(plan: Plan) -> dict[str, Any]:
    """Return the bytes of 1,000,000 × 50 float32 rows, and of what one epoch over them takes beyond these."""
    _train(_table(1000), plan)
    before = memory_now()
    problem = _table(ROWS)
    data = problem.x.nbytes + problem.y.nbytes
    reset_memory_peak()
    _train(problem, plan)
    return {"data": data, "beyond": memory_peak() - before - data}


def _table(rows: int) -> Problem:
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, INPUTS), dtype=np.float32)
    return cases.table_network("table", x, np.arange(rows) % 2, (64,), batch_size=512)


def _train(problem: Problem, plan: Plan) -> None:
    TautCompiled().start(problem, plan.count).train(1)


def population(plan: Plan) -> dict[str, Any]:
    """Return the bytes that training the population takes beyond the libraries and the data."""
    everything = cases.population()
    _train(_table(1000), plan)
    run = TautMany().start(everything, plan.count)
    before = memory_now()
    reset_memory_peak()
    run()
    data = everything.x.nbytes + everything.y.nbytes
    return {"data": data, "beyond": memory_peak() - before}


MEASURES: dict[str, Callable[[Plan], dict[str, Any]]] = {"table": large_table, "population": population}
