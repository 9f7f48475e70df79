"""taut as it comes: its estimators, told nothing but how much effort to spend."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

import taut
from benchmarks.tables.problems import Problem
from taut.engine.compiled import compiled_run

__all__ = ["EFFORTS", "TAUTS", "prepare", "versions_of"]

EFFORTS = ("none", "quick", "standard")
SEED = 0
#: What its numbers depend on beside itself.
PACKAGES = ("numpy", "numba", "scipy", "scikit-learn", "pandas")


def fit(effort: str, problem: Problem) -> np.ndarray:
    """Fit to the table as it is, and answer for the test rows."""
    kind = taut.TautClassifier if problem.is_classification else taut.TautRegressor
    fitted = kind(effort=effort, random_state=SEED).fit(problem.X, problem.y)
    return problem.answer_of(fitted, problem.X_test)


#: taut's methods by name.
TAUTS: dict[str, Callable[[Problem], np.ndarray]] = {f"taut {effort}": partial(fit, effort) for effort in EFFORTS}


def prepare() -> None:
    """Compile the engine, which happens once after installing and is nobody's fit."""
    for dtype in ("float32", "float64"):
        compiled_run(dtype)


def versions_of(methods: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what each method's results depend on: packages, taut's own version, and a hash of its sources."""
    found = {package: version(package) for package in PACKAGES} | {"taut": taut.__version__, "taut sources": _sources()}
    return dict.fromkeys(methods, found)


def _sources() -> str:
    digest = hashlib.sha256()
    folder = Path(taut.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
