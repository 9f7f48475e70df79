"""The machine: processor, versions, BLAS, how fast one core multiplies matrices, how much memory a process took."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["describe", "memory_now", "memory_peak", "reset_memory_peak", "sgemm_rate", "versions"]


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the installed versions of packages; those that are not installed are left out."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, Any]:
    """Return processor, number of cores, system, Python, and what threadpoolctl says of BLAS."""
    from threadpoolctl import threadpool_info

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "blas": [
            f"{info['internal_api']} {info['version']} ({info.get('architecture', 'unknown')})"
            for info in threadpool_info()
            if info["user_api"] == "blas"
        ],
    }


def _processor() -> str:
    """Return the processor's name and its widest vectors, if the system tells."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor() or platform.machine()
    lines = path.read_text(encoding="utf-8").splitlines()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    vectors = [name for name in ("avx512f", "avx2") if name in fields.get("flags", "").split()]
    return " ".join([fields.get("model name", platform.machine()), *vectors[:1]])


def sgemm_rate(size: int = 2048) -> float:
    """Return the floating-point operations a second of a float32 matrix product on one core, the best of three."""
    from threadpoolctl import threadpool_limits

    a = np.ones((size, size), dtype=np.float32)
    out = np.empty_like(a)
    best = np.inf
    with threadpool_limits(1, user_api="blas"):
        for _ in range(3):
            began = time.perf_counter()
            np.dot(a, a, out=out)
            best = min(best, time.perf_counter() - began)
    return 2.0 * size**3 / best


def memory_now() -> int:
    """Return the bytes this process holds; where the system does not tell, the most it ever held."""
    return _status("VmRSS") or memory_peak()


def memory_peak() -> int:
    """Return the most bytes this process held, since `reset_memory_peak` where that works."""
    unit = 1 if sys.platform == "darwin" else 1024
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset_memory_peak() -> None:
    """Forget the most bytes held so far, if the system is Linux."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5", encoding="ascii")


def _status(name: str) -> int:
    path = Path("/proc/self/status")
    if not path.exists():
        return 0
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
