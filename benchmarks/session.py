"""A session: one process with one thread setting, in which the contenders take turns.

Turns, because a machine is never quite idle: what disturbs it for a second then disturbs all alike. What comes before
the first epoch (imports, building, compiling) is measured apart.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from benchmarks import cases
from benchmarks.contenders import NETWORKS, PATHS, POPULATIONS
from benchmarks.contenders.base import Contender, Fit, PathContender, PopulationContender, Unavailable
from benchmarks.machine import sgemm_rate, versions
from benchmarks.problems import PathProblem, Population, Problem, data_loss
from benchmarks.results import Results

__all__ = ["PATIENCE", "Plan", "run_session", "session_environment"]

#: A contender whose turns have taken so many seconds takes no more of them.
PATIENCE = 150.0

AnyContender = Contender | PopulationContender | PathContender


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes
    ----------
    cases : list of str
        Names of cases.
    contenders : list of str
        Names of contenders; empty takes all.
    threads : {"one", "all"}
        Whether every library is held to one thread or runs as its users get it.
    repeats : int
        Turns.
    seconds : float
        About how long one timing takes; as many epochs as that needs.
    """

    cases: list[str]
    contenders: list[str]
    threads: str
    repeats: int
    seconds: float

    def wants(self, contender: AnyContender) -> bool:
        """Return whether a contender takes part."""
        return not self.contenders or contender.name in self.contenders

    @property
    def count(self) -> int:
        """How many threads a library may use."""
        return 1 if self.threads == "one" else os.cpu_count() or 1


@dataclass
class Turn:
    """A contender that is ready, and what was measured of it.

    The time before the first epoch is that of its first run, imports and all, but for what the epochs take later.
    """

    contender: AnyContender
    run: Callable[[], Any]
    reset: Callable[[], None] | None
    epochs: int
    loss: float
    first_run: float
    first_epochs: int
    networks: int | None = None
    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def take(self) -> None:
        """Time one turn, unless those before it have taken long enough."""
        if sum(self.seconds) * self.epochs > PATIENCE:
            return
        if self.reset is not None:
            self.reset()
        began, began_busy = time.perf_counter(), time.process_time()
        self.run()
        took = time.perf_counter() - began
        self.seconds.append(took / self.epochs)
        self.busy.append((time.process_time() - began_busy) / took)

    def entry(self, date: str) -> dict[str, Any]:
        """Return what goes into the file of results."""
        return {
            "seconds": self.seconds,
            "epochs": self.epochs,
            "busy": float(np.median(self.busy)),
            "first": max(self.first_run - self.first_epochs * float(np.median(self.seconds)), 0.0),
            "loss": self.loss,
            "differs": self.contender.differs,
            "versions": versions(self.contender.packages),
            "date": date,
            **({} if self.networks is None else {"networks": self.networks}),
        }


def session_environment(threads: str) -> dict[str, str]:
    """Return the environment of a session; the variables must be set before anything loads BLAS."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if threads == "one":
        for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR", "NUMBA"):
            environment[f"{name}_NUM_THREADS"] = "1"
        environment["NPROC"] = "1"  # the size of XLA's thread pool
    return environment


def run_session(plan: Plan, results: Results) -> None:
    """Run the cases of a plan in this process, and write the results after each."""
    for case in plan.cases:
        say(f"{case}, {plan.threads} thread{'s' if plan.threads == 'all' else ''}")
        try:
            turns, skipped = _prepare_case(case, plan)
        except Unavailable as reason:
            say(f"  skipped: {reason}")
            results.add_skipped_case(plan.threads, case, str(reason))
            results.write()
            continue
        rates = []
        for repeat in range(plan.repeats):
            rates.append(sgemm_rate())
            for turn in turns:
                turn.take()
            say(f"  turn {repeat + 1} of {plan.repeats}")
        date = datetime.now().astimezone().isoformat(timespec="seconds")
        for turn in turns:
            say(f"  {turn.contender.name:34} {np.median(turn.seconds):.6g} s")
            results.add_timing(plan.threads, case, turn.contender.name, turn.entry(date))
        for name, reason in skipped.items():
            results.add_timing(plan.threads, case, name, {"skipped": reason, "date": date})
        results.add_sgemm(plan.threads, case, rates)
        results.write()


def _prepare_case(case: str, plan: Plan) -> tuple[list[Turn], dict[str, str]]:
    """Return the contenders that are ready, and of those that cannot run the reason."""
    turns, skipped = [], {}
    problem = cases.problem_of(case)
    for contender in _contenders(problem):
        if not plan.wants(contender):
            continue
        try:
            turn = _ready(contender, problem, plan)
        except (Unavailable, ImportError) as reason:
            skipped[contender.name] = str(reason)
            say(f"  {contender.name:34} skipped: {reason}")
            continue
        turns.append(turn)
        say(f"  {contender.name:34} loss {turn.loss:.6f}, first run {turn.first_run:.2f} s")
    return turns, skipped


def _contenders(problem: Problem | Population | PathProblem) -> tuple[AnyContender, ...]:
    if isinstance(problem, PathProblem):
        return PATHS[problem.penalty]
    return POPULATIONS if isinstance(problem, Population) else NETWORKS


def _ready(contender: AnyContender, problem: Problem | Population | PathProblem, plan: Plan) -> Turn:
    if isinstance(problem, PathProblem):
        assert isinstance(contender, PathContender)
        return _ready_path(contender, problem, plan)
    if isinstance(problem, Population):
        assert isinstance(contender, PopulationContender)
        return _ready_population(contender, problem, plan)
    assert isinstance(contender, Contender)
    return _ready_network(contender, problem, plan)


def _ready_network(contender: Contender, problem: Problem, plan: Plan) -> Turn:
    """Compile, check the loss, and find how many epochs fill the time of a turn."""
    began = time.perf_counter()
    fit = contender.start(problem, plan.count)
    fit.reset()
    fit.train(problem.check_epochs)
    first = time.perf_counter() - began
    loss = data_loss(fit.weights(), problem.x, problem.y)
    epochs = problem.check_epochs
    pace = _timed(fit, epochs) / epochs
    while pace * epochs < plan.seconds / 2:
        epochs = max(2 * epochs, 2 ** int(np.log2(plan.seconds / pace)))
        fit.reset()
        fit.train(epochs)  # a number of epochs that is new may compile anew
        pace = _timed(fit, epochs) / epochs
    # Two epochs of a slow contender may take several times what a turn should.
    epochs = max(1, min(epochs, round(2 * plan.seconds / pace)))
    fit.reset()
    fit.train(epochs)
    run = partial(fit.train, epochs)
    return Turn(contender, run, fit.reset, epochs, loss, first, problem.check_epochs)


def _timed(fit: Fit, epochs: int) -> float:
    fit.reset()
    began = time.perf_counter()
    fit.train(epochs)
    return time.perf_counter() - began


def _ready_population(contender: PopulationContender, population: Population, plan: Plan) -> Turn:
    """Train once, which compiles."""
    began = time.perf_counter()
    run = contender.start(population, plan.count)
    losses = run()
    first = time.perf_counter() - began
    return Turn(contender, run, None, 1, float(losses.mean()), first, 1)


def _ready_path(contender: PathContender, problem: PathProblem, plan: Plan) -> Turn:
    """Find the path once, which compiles."""
    began = time.perf_counter()
    run = contender.start(problem, plan.count)
    found = run()
    first = time.perf_counter() - began
    return Turn(contender, run, None, 1, found.loss, first, 1, found.networks)


def say(text: str) -> None:
    """Tell the person at the screen how far it is."""
    print(text, file=sys.stderr, flush=True)
