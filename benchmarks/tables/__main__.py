"""``python -m benchmarks.tables peers``, ``taut`` and ``ablation`` make what outcomes are missing, ``report`` the page.

The peers and taut each run in an environment of their own, and neither side imports the other. Several processes may
run at once, say one a method. All hold to one thread, so that their seconds compare.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

#: Whom the cuts are for that nothing was decided on: taut, and of its peers those that it is nearest to.
METHODS_ON_FRESH = (
    *("taut none", "taut quick", "taut standard"),
    *("RealMLP-TD bagged (loss)", "RealMLP-TD bagged (error)", "sklearn MLP"),
)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("task", choices=("peers", "taut", "ablation", "report"))
    parser.add_argument("--tables", type=Path, metavar="FOLDER", help="where the tables are: Parquet files")
    parser.add_argument("--method", action="append", metavar="NAME", default=[], help="only this; repeatable")
    parser.add_argument("--table", action="append", metavar="NAME", default=[], help="only this; repeatable")
    parser.add_argument("--split", action="append", type=int, metavar="N", default=[], help="only this; repeatable")
    parser.add_argument("--keep", action="store_true", help="keep what was made with other versions")
    chosen = parser.parse_args(arguments)
    if chosen.task != "report" and (chosen.tables is None or not chosen.tables.is_dir()):
        parser.error(f"--tables must be a folder of tables, not {chosen.tables}")
    return chosen


def run(chosen: argparse.Namespace) -> None:
    """Make the outcomes of one side that are not there yet."""
    # Set before anything loads what reads them: BLAS, OpenMP, Numba; the last holds taut, through joblib.
    for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = "1"
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
    from benchmarks.tables import outcomes, problems, runs

    splits, most_rows = problems.SPLITS, problems.MOST_ROWS
    if chosen.task == "peers":
        from benchmarks.tables import peers

        path, methods, versions_of = outcomes.PEERS_FILE, peers.PEERS, peers.versions_of
    else:
        from benchmarks.tables import ablation, tauts

        path, methods, versions_of = outcomes.TAUT_FILE, tauts.TAUTS, tauts.versions_of
        if chosen.task == "ablation":
            path, methods = outcomes.ABLATION_FILE, ablation.ABLATIONS
            splits, most_rows = ablation.SPLITS, ablation.MOST_ROWS
        tauts.prepare()
    names = _known("--method", chosen.method, list(methods))
    tables = _known("--table", chosen.table, problems.table_names(chosen.tables))
    on = dict.fromkeys(splits, tuple(names))
    if chosen.task != "ablation":
        on |= dict.fromkeys(problems.FRESH, tuple(name for name in names if name in METHODS_ON_FRESH))
    for split in _known("--split", chosen.split, list(on)):
        cuts = problems.problems(chosen.tables, tables if on[split] else [], [split])
        runs.run(
            outcomes.Outcomes(path),
            (problems.shortened(cut, most_rows) for cut in cuts),
            {name: methods[name] for name in on[split]},
            versions_of(on[split]),
            keep=chosen.keep,
        )


def _known(option: str, wanted: list[Any], known: list[Any]) -> list[Any]:
    """Return what is wanted, in the order in which it is known; all, if nothing is named."""
    if unknown := [value for value in wanted if value not in known]:
        sys.exit(f"{option} {unknown[0]} is not known: choose from {', '.join(map(str, known))}")
    return [value for value in known if value in wanted or not wanted]


def main() -> None:
    """Do what the command line asks for."""
    chosen = parse(sys.argv[1:])
    if chosen.task == "report":
        from benchmarks.tables.report import write_page

        write_page()
        return
    try:
        run(chosen)
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed here: `make tables` has the environment that `{chosen.task}` needs")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
