"""The runs: every method on every problem whose outcome is not there yet; each is kept the moment it is made."""

from __future__ import annotations

import resource
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.tables.figures import measured
from benchmarks.tables.outcomes import Key, Outcomes
from benchmarks.tables.problems import Problem

__all__ = ["Method", "run"]

#: Fits to a problem and answers for its test rows.
Method = Callable[[Problem], np.ndarray]


def run(
    outcomes: Outcomes,
    problems: Iterable[Problem],
    methods: Mapping[str, Method],
    versions: Mapping[str, dict[str, str]],
    *,
    keep: bool = False,
) -> None:
    """Make the outcomes that are not there yet, and say so line by line.

    Parameters
    ----------
    outcomes : Outcomes
        The file they go to, one by one: whoever interrupts loses one fit.
    problems : iterable of Problem
        Cuts of tables.
    methods, versions : mapping
        The methods by name, and what the results of each depend on.
    keep : bool, default False
        Keep what was made with other versions.
    """
    machine = _machine()
    for problem in problems:
        for name in filter(lambda name: _applies(name, problem), methods):
            key = Key(name, problem.table, problem.split)
            if outcomes.is_current(key, None if keep else versions[name]):
                continue
            entry = attempt(methods[name], problem)
            outcomes.add(key, entry | {"versions": versions[name], "machine": machine})
            print(f"{key}: {_words(entry)}", flush=True)


def attempt(method: Method, problem: Problem) -> dict[str, Any]:
    """Return the figures of a method's answer and the seconds it took, or why it failed."""
    began, worked = time.perf_counter(), _processor_seconds()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = method(problem)
        seconds, cpu = time.perf_counter() - began, _processor_seconds() - worked
        return {**measured(problem, answer), "seconds": seconds, "cpu": cpu}
    except Exception as error:  # noqa: BLE001  # whatever a method fails with on a table is told; the others go on
        return {"failed": " ".join(f"{type(error).__name__}: {error}".split())[:200]}


def _applies(method: str, problem: Problem) -> bool:
    """Return whether a method is asked.

    The loss of numbers is their error too, so "X (error)" is for classes alone, as is what says so: "X (classes)".
    """
    return problem.is_classification or not method.endswith(("(error)", "(classes)"))


def _processor_seconds() -> float:
    """Return the seconds of all threads of this process, and of those that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _machine() -> str:
    return "{processor}, {cores} cores, {system}, Python {python}".format(**describe())


def _words(entry: dict[str, Any]) -> str:
    if "failed" in entry:
        return f"FAILED, {entry['failed']}"
    return f"loss {entry['loss']:.4g}, error {entry['error']:.4g}, {entry['seconds']:.1f} s"
