"""The report: docs/performance.md and its figures, made from the file of results and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import NETWORKS, PATHS, POPULATION, TITLES
from benchmarks.contenders.base import Unavailable
from benchmarks.figures import draw_growth, draw_ratios
from benchmarks.results import Results
from benchmarks.session import PATIENCE

__all__ = ["best_peer", "median", "write_page"]

DOCS = Path(__file__).parent.parent / "docs"

#: The contender that the others are compared with, and those that are not peers of it.
OWN = "taut"
HOUSE = ("taut", "taut, reference loop", "taut, reference loop, float64")

#: Losses that part by more are marked: float32 rounding alone moves them by less.
TOLERANCE = 1e-3

SETTINGS = {"one": "One thread", "all": "All threads"}

OPENING = """\
Made by `make bench`; the raw figures are in `benchmarks/results.json`. Every contender trains the same network on the
same data from the same first weights with the same Adam and the same L2, each written as its own users would at its
best; only the regularization paths differ, and it says there in what. Measured on {processor}, {cores} cores,
{system}, Python {python}, {blas}. Another machine gives other ratios."""

ROOFLINE = """\
## Against the machine's limit

Floating-point operations of an epoch (two for each weight and row: once forward, once for the gradient of the weights,
once for that of a layer's inputs, but for the data; nothing else is counted), beside what one core reaches in a float32
matrix product of 2048 × 2048, measured between the turns.

| | millions an epoch | product, GFLOP/s | taut, GFLOP/s (share) | fastest peer, GFLOP/s (share) |
|---|---:|---:|---:|---:|"""

PATH = """\
## A regularization path

From the table as it came to the strength that cross-validation chooses, everything in it: for taut folds, encoding
inside each fold, finding the largest strength, and training. *Networks* are those that were trained along the path;
what taut trains before it, to find the largest strength, is in its time and not in their number. The contenders do
different things, so no loss is checked: the last column is the lowest mean log loss over the folds that each came to.
Measured on {processor}, all {cores} cores."""

#: Seconds that taut's path of L2 was to take on two cores.
PATH_AIM = 3.0

#: What was aimed at before anything was measured: threads, case, contender ("" is the fastest of all), how many times
#: as fast.
AIMS = (
    ("one", "spiral-300", "JAX scan", 2.0),
    ("one", "spiral-3000", "JAX scan", 2.0),
    ("one", "spiral-wide", "JAX scan", 2.0),
    ("one", "spiral-300", "PyTorch eager", 15.0),
    ("one", "spiral-3000", "PyTorch eager", 15.0),
    ("one", "spiral-300", "documents' NumPy", 10.0),
    ("one", "spiral-3000", "documents' NumPy", 10.0),
    ("one", "spiral-wide", "documents' NumPy", 10.0),
    ("one", "population", "", 2.0),
    ("all", "population", "", 2.0),
    ("all", "population", "scikit-learn GridSearchCV", 50.0),
    ("one", "mnist", "PyTorch eager", 1.0),
)


def write_page(results: Results) -> None:
    """Write docs/performance.md and the figures beside it."""
    figures = DOCS / "performance"
    figures.mkdir(parents=True, exist_ok=True)
    has_ratios = draw_ratios(results, figures / "ratios.png")
    has_growth = draw_growth(results, figures / "growth.png")
    parts = ["# How fast taut is, and beside what", _opening(results)]
    if has_ratios:
        parts.append("![Time of each contender as a multiple of taut's, one thread](performance/ratios.png)")
    parts += [_losses_of_taut(results), _aims(results), *_tables(results), _paths(results)]
    parts += [_roofline(results), _memory(results)]
    if has_growth:
        parts.append(_growth())
    parts += [_method(results), _versions(results)]
    page = "\n\n".join(part for part in parts if part) + "\n"
    (DOCS / "performance.md").write_text(page, encoding="utf-8")


def median(entry: dict[str, Any]) -> float:
    """Return the median seconds of an entry."""
    return float(np.median(entry["seconds"]))


def best_peer(entries: dict[str, Any]) -> str | None:
    """Return the fastest contender that is not taut."""
    peers = {name: median(entry) for name, entry in entries.items() if name not in HOUSE and "seconds" in entry}
    return min(peers, key=lambda name: peers[name]) if peers else None


def _opening(results: Results) -> str:
    machine = results.part("machine")
    return OPENING.format(**machine | {"blas": ", ".join(machine["blas"])})


def _losses_of_taut(results: Results) -> str:
    """Say where another is faster, in one sentence each."""
    lines = []
    for threads, setting in SETTINGS.items():
        for case, entries in results.part("timings", threads).items():
            if "seconds" not in entries.get(OWN, {}):
                continue
            own = median(entries[OWN])
            faster = {
                name: own / median(entry)
                for name, entry in entries.items()
                if name not in HOUSE and "seconds" in entry and median(entry) < own
            }
            if faster:
                names = ", ".join(f"{name} ({ratio:.2f}×)" for name, ratio in sorted(faster.items()))
                lines.append(f"- {TITLES[case]}, {setting.lower()}: {names}")
    if lines:
        return "## Where taut loses\n\nFaster than taut's compiled engine, and by how much:\n\n" + "\n".join(lines)
    if any(OWN in entries and "seconds" in entries[OWN] for entries in results.part("timings", "one").values()):
        return "In none of these cases is another contender faster than taut's compiled engine."
    return "taut's compiled engine was not there when this was measured."


def _aims(results: Results) -> str:
    """Return what was aimed at, what was reached, and where it falls short."""
    lines = []
    for threads, case, contender, aim in AIMS:
        entries = results.part("timings", threads).get(case, {})
        peer = contender or best_peer(entries)
        if not peer or any("seconds" not in entries.get(name, {}) for name in (OWN, peer)):
            continue
        reached = median(entries[peer]) / median(entries[OWN])
        words = "reached" if reached >= aim else "**falls short**"
        title = f"{TITLES[case].split(':')[0]}, {SETTINGS[threads].lower()}"
        lines.append(f"| {title} | {peer} | {aim:g}× | {reached:.1f}× | {words} |")
    if not lines:
        return ""
    head = "| case | beside | aim | reached | |\n|---|---|---:|---:|---|"
    return "\n".join(["## Aims", "", "Set before anything was measured: how many times as fast.", "", head, *lines])


def _tables(results: Results) -> list[str]:
    return [
        f"## {setting}\n\n" + "\n\n".join(_table(results, threads, case) for case in _ordered(results, threads))
        for threads, setting in SETTINGS.items()
        if results.part("timings", threads) or results.part("skipped", threads)
    ]


def _ordered(results: Results, threads: str) -> list[str]:
    there = results.part("timings", threads).keys() | results.part("skipped", threads).keys()
    return [case for case in (*NETWORKS, POPULATION) if case in there]


def _table(results: Results, threads: str, case: str) -> str:
    """Return the table of a case, the fastest first."""
    reason = results.part("skipped", threads).get(case)
    if reason:
        return f"### {TITLES[case]}\n\nLeft out: {reason}."
    entries = results.part("timings", threads, case)
    timed = {name: entry for name, entry in entries.items() if "seconds" in entry}
    own = median(timed[OWN]) if OWN in timed else None
    unit, scale = ("s for all", 1.0) if case == POPULATION else _unit(timed)
    loss = "mean validation loss" if case == POPULATION else "training loss"
    lines = [
        f"| contender | median, {unit} | min–max | ratio to taut | before the first epoch, s | {loss} |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    reference = _reference_loss(timed)
    for name in sorted(timed, key=lambda name: median(timed[name])):
        entry = timed[name]
        low, high = min(entry["seconds"]) * scale, max(entry["seconds"]) * scale
        ratio = f"{median(entry) / own:.2f}" if own else "–"
        is_other = bool(abs(entry["loss"] / reference - 1.0) > TOLERANCE)
        bold = "**" if name == OWN else ""
        lines.append(
            f"| {bold}{name}{bold} | {_digits(median(entry) * scale)} | {_digits(low)}–{_digits(high)} | {ratio} "
            f"| {entry['first']:.1f} | {entry['loss']:.5f}{' ¹' if is_other or entry['differs'] else ''} |"
        )
    return "\n".join([f"### {TITLES[case]}", "", *lines, *_notes(entries, timed, reference)])


def _paths(results: Results) -> str:
    """Return what a regularization path takes, beside what others would do for the same end."""
    timings = results.part("timings", "all")
    tables = [_path_table(case, timings[case]) for case in PATHS if case in timings]
    if not tables:
        return ""
    parts = [PATH.format(**results.part("path_machine")), *tables]
    own = timings.get("path-l2", {}).get(OWN, {})
    if "seconds" in own:
        words = "reached" if median(own) <= PATH_AIM else "**falls short**"
        parts.insert(1, f"Aimed at: L2 in {PATH_AIM:g} s on two cores. Taken: {_digits(median(own))} s, {words}.")
    return "\n\n".join(parts)


def _path_table(case: str, entries: dict[str, Any]) -> str:
    timed = {name: entry for name, entry in entries.items() if "seconds" in entry}
    own = median(timed[OWN]) if OWN in timed else None
    lines = [
        "| contender | median, s | min–max | turns | ratio to taut | networks | beyond, the first time, s | log loss |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in sorted(timed, key=lambda name: median(timed[name])):
        entry = timed[name]
        bold = "**" if name == OWN else ""
        ratio = f"{median(entry) / own:.1f}" if own else "–"
        lines.append(
            f"| {bold}{name}{bold} | {_digits(median(entry))} "
            f"| {_digits(min(entry['seconds']))}–{_digits(max(entry['seconds']))} | {len(entry['seconds'])} "
            f"| {ratio} | {entry['networks']:,} | {entry['first']:.1f} | {entry['loss']:.4f} |"
        )
    notes = [f"{name} {entry['differs']}." for name, entry in timed.items() if entry["differs"]]
    notes += [f"Left out: {name}: {entry['skipped']}." for name, entry in entries.items() if "skipped" in entry]
    if len({entry["date"] for entry in timed.values()}) > 1:
        notes.append("Not all of these were measured in one session.")
    return "\n".join([f"### {TITLES[case]}", "", *lines, *(["", " ".join(notes)] if notes else [])])


def _reference_loss(timed: dict[str, Any]) -> float:
    """Return the median loss of those that do exactly the same."""
    return float(np.median([entry["loss"] for entry in timed.values() if not entry["differs"]] or [np.nan]))


def _notes(entries: dict[str, Any], timed: dict[str, Any], reference: float) -> list[str]:
    """Say whose loss differs and why, who was left out, and who was measured at another time."""
    notes = [f"¹ {name} {entry['differs']}." for name, entry in timed.items() if entry["differs"]]
    notes += [
        f"¹ {name}: its loss is {abs(entry['loss'] / reference - 1.0):.1e} off, which is more than rounding."
        for name, entry in timed.items()
        if not entry["differs"] and abs(entry["loss"] / reference - 1.0) > TOLERANCE
    ]
    notes += [f"Left out: {name}: {entry['skipped']}." for name, entry in entries.items() if "skipped" in entry]
    if len({entry["date"] for entry in timed.values()}) > 1:
        notes.append("Not all of these were measured in one session.")
    return ["", " ".join(notes)] if notes else []


def _unit(timed: dict[str, Any]) -> tuple[str, float]:
    fastest = min(map(median, timed.values()), default=1.0)
    units = (("s an epoch", 1.0), ("ms an epoch", 1e3), ("µs an epoch", 1e6))
    return next((unit for unit in units if fastest * unit[1] > 1), units[-1])


def _digits(value: float) -> str:
    """Return three digits without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _roofline(results: Results) -> str:
    """Return how much of one core's rate of matrix products each network reaches."""
    lines = []
    for case, problem in NETWORKS.items():
        entries, rates = results.part("timings", "one", case), results.part("sgemm", "one").get(case)
        if not rates or not any("seconds" in entry for entry in entries.values()):
            continue
        try:
            flops = problem().flops()
        except Unavailable:
            continue
        peak, peer = float(np.median(rates)), best_peer(entries)
        shares = [
            f"{flops / median(entries[name]) / 1e9:.0f} ({flops / median(entries[name]) / peak:.0%}{words})"
            if name and "seconds" in entries.get(name, {})
            else "–"
            for name, words in ((OWN, ""), (peer, f", {peer}"))
        ]
        lines.append(f"| {TITLES[case]} | {flops / 1e6:,.1f} | {peak / 1e9:.0f} | {' | '.join(shares)} |")
    if not lines:
        return ""
    return "\n".join([ROOFLINE, *lines])


def _memory(results: Results) -> str:
    measured = results.part("memory")
    titles = {
        "table": "One epoch over 1,000,000 × 50 float32 rows, 50-64-2, batches of 512",
        "population": "The 100 networks, one thread",
    }
    lines = [
        f"| {titles[name]} | {entry['data'] / 1e6:.1f} | {entry['beyond'] / 1e6:.1f} |"
        for name, entry in measured.items()
        if "skipped" not in entry
    ]
    if not lines:
        return ""
    return "\n".join(
        [
            "## Memory",
            "",
            "The most that a process holds while it trains, beyond the libraries and the data themselves.",
            "",
            "| | data, MB | beyond it, MB |",
            "|---|---:|---:|",
            *lines,
        ]
    )


def _growth() -> str:
    return (
        "## How the cost grows\n\n"
        "taut, one thread. Unless the axis says otherwise: 3000 rows, 20 inputs, one "
        "hidden layer of 64 units, 3 classes, batches of 128; for runs, networks of the population above, 5 epochs. "
        "The dashed line grows in proportion.\n\n"
        "![Seconds against rows, units, depth and runs](performance/growth.png)"
    )


def _method(results: Results) -> str:
    counts = {len(entry["seconds"]) for entry in _entries(results) if "seconds" in entry} or {0}
    text = (Path(__file__).parent / "method.md").read_text(encoding="utf-8")
    return text.format(turns=_range(str(min(counts)), str(max(counts))), patience=PATIENCE).strip()


def _versions(results: Results) -> str:
    found: dict[str, set[str]] = {}
    for entry in _entries(results):
        for package, number in entry.get("versions", {}).items():
            found.setdefault(package, set()).add(number)
    dates = [entry["date"][:10] for entry in _entries(results)]
    if not dates:
        return ""
    text = ", ".join(f"{name} {' and '.join(sorted(numbers))}" for name, numbers in sorted(found.items()))
    return f"Versions: {text}. Measured {_range(min(dates), max(dates))}."


def _entries(results: Results) -> list[dict[str, Any]]:
    """Return the entries of all contenders in all cases."""
    settings = results.part("timings").values()
    return [entry for cases in settings for entries in cases.values() for entry in entries.values()]


def _range(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
