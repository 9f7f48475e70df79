"""The figures of the report: time as a multiple of taut's, case by case; and how the cost grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import NETWORKS, POPULATION
from benchmarks.results import Results

__all__ = ["draw_growth", "draw_ratios"]

#: One colour and one mark for each library (colours of Okabe and Ito, told apart in grey by the marks).
STYLES = {
    "taut": ("#000000", "D"),
    "taut, reference loop": ("#7F7F7F", "d"),
    "documents' NumPy": ("#7F7F7F", "s"),
    "scikit-learn": ("#E69F00", "o"),
    "PyTorch eager": ("#D55E00", "^"),
    "PyTorch compiled": ("#D55E00", "v"),
    "Keras on JAX": ("#CC79A7", "P"),
    "JAX scan": ("#0072B2", "X"),
    "JAX scan, features first": ("#56B4E9", "X"),
}

#: The mark of each form of a population, and of those that a figure shows with another name.
ALIASES = {
    "scikit-learn GridSearchCV": "scikit-learn",
    "PyTorch eager, one after the other": "PyTorch eager",
    "PyTorch eager, batched": "PyTorch compiled",
    "JAX scan, one after the other": "JAX scan",
    "JAX scan, vmap": "JAX scan, features first",
}

ROWS = {
    "spiral-300": "spiral, 300 rows\n2-64-3",
    "spiral-3000": "spiral, 3000 rows\n2-64-3",
    "spiral-wide": "spiral, 3000 rows\n2-512-3",
    "digits": "digits\n64-64-10",
    "mnist": "MNIST 10k\n784-512-512-10",
    POPULATION: "100 networks\n30-64-2",
}


def draw_ratios(results: Results, path: Path) -> bool:
    """Draw the time of each contender over taut's, or the fastest's; return whether there is anything to draw."""
    timings = results.part("timings", "one")
    cases = [case for case in (*NETWORKS, POPULATION) if any("seconds" in e for e in timings.get(case, {}).values())]
    if not cases:
        return False
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 0.72 * len(cases) + 1.9), layout="constrained")
    seen: dict[str, Any] = {}
    for row, case in enumerate(cases):
        medians = {
            name: float(np.median(entry["seconds"])) for name, entry in timings[case].items() if "seconds" in entry
        }
        base = medians.get("taut", min(medians.values()))
        axes.axhline(row, color="#DDDDDD", linewidth=0.8, zorder=0)
        for name, seconds in medians.items():
            known = ALIASES.get(name, name)
            if known in STYLES:
                color, marker = STYLES[known]
                seen[known] = axes.scatter(
                    seconds / base, row, s=46, color=color, marker=marker, linewidths=0, zorder=2, label=known
                )
    axes.axvline(1.0, color="black", linewidth=0.8, zorder=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    axes.set_yticks(range(len(cases)), [ROWS[case] for case in cases])
    axes.set_ylim(len(cases) - 0.5, -0.5)
    unit = "taut's" if _has_taut(timings) else "the fastest's"
    axes.set_xlabel(f"time as a multiple of {unit}, one thread")
    _plain(axes)
    handles = [seen[name] for name in STYLES if name in seen]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=9, handletextpad=0.3)
    _save(figure, path)
    return True


def _has_taut(timings: dict[str, Any]) -> bool:
    return any("seconds" in entries.get("taut", {}) for entries in timings.values())


def draw_growth(results: Results, path: Path) -> bool:
    """Draw seconds against rows, units, depth and runs; return whether there is anything to draw."""
    growth = results.part("growth")
    axes_there = [axis for axis in ("rows", "units", "depth", "runs") if axis in growth]
    if not axes_there:
        return False
    from matplotlib import pyplot

    figure, grid = pyplot.subplots(2, 2, figsize=(6.4, 4.8), layout="constrained")
    words = {"rows": "rows", "units": "hidden units", "depth": "hidden layers", "runs": "runs (5 epochs of each)"}
    for axes, axis in zip(grid.flat, words, strict=True):
        if axis not in growth:
            axes.set_visible(False)
            continue
        sizes, seconds = np.array(growth[axis]["sizes"]), np.array(growth[axis]["seconds"])
        axes.loglog(sizes, seconds[-1] * sizes / sizes[-1], color="#999999", linestyle=(0, (4, 3)), linewidth=1.0)
        axes.loglog(sizes, seconds, color="#0072B2", marker="o", markersize=4.5, linewidth=1.6)
        if axis == "depth":
            axes.set_xticks(sizes, [str(size) for size in sizes])
            axes.set_xticks([], minor=True)
        axes.set_xlabel(words[axis])
        axes.set_ylabel("s" if axis == "runs" else "s an epoch")
        _plain(axes)
    _save(figure, path)
    return True


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#EEEEEE", linewidth=0.8, zorder=0)
    axes.tick_params(labelsize=9)


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot

    figure.savefig(path, dpi=200)
    pyplot.close(figure)
