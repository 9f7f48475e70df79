"""``python -m benchmarks`` runs sessions, each in a process of its own; with the word ``report`` it writes the page."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from benchmarks import cases
from benchmarks.contenders import NETWORKS, PATHS, POPULATIONS
from benchmarks.contenders.base import Unavailable
from benchmarks.growth import measure_growth
from benchmarks.machine import describe
from benchmarks.memory import MEASURES
from benchmarks.results import Results
from benchmarks.session import Plan, run_session, say, session_environment

TIMED = [*cases.NETWORKS, cases.POPULATION]
PARTS = [*TIMED, "path", "growth", "memory"]


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return what was asked for."""
    paths = [contender for contenders in PATHS.values() for contender in contenders]
    names = sorted({contender.name for contender in (*NETWORKS, *POPULATIONS, *paths)})
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("task", nargs="?", choices=("run", "report", "session"), default="run", help="default: run")
    parser.add_argument("--case", action="append", choices=PARTS, help="only this; repeatable")
    parser.add_argument("--contender", action="append", choices=names, default=[], help="only this; repeatable")
    parser.add_argument("--threads", choices=("one", "all"), help="only this setting; default: first one, then all")
    parser.add_argument("--repeats", type=int, default=7, help="turns of each contender (default: 7)")
    parser.add_argument("--seconds", type=float, default=0.5, help="about how long a timing takes (default: 0.5)")
    chosen = parser.parse_args(arguments)
    if chosen.task == "session" and chosen.threads is None:
        parser.error("a session has one thread setting: give --threads")
    return chosen


def run(arguments: list[str], chosen: argparse.Namespace) -> int:
    """Start a session for each thread setting."""
    for threads in [chosen.threads] if chosen.threads else ["one", "all"]:
        command = [sys.executable, "-m", "benchmarks", "session", "--threads", threads]
        own = [value for value in arguments if value != "run"]
        done = subprocess.run([*command, *own], env=session_environment(threads), check=False)
        if done.returncode:
            return done.returncode
    return 0


def session(chosen: argparse.Namespace) -> None:
    """Run the cases in this process, whose environment is that of the thread setting."""
    wanted = chosen.case or PARTS
    timed = [case for case in TIMED if case in wanted]
    if "path" in wanted and chosen.threads == "all":
        timed += cases.PATHS
    plan = Plan(timed, chosen.contender, chosen.threads, chosen.repeats, chosen.seconds)
    results = Results()
    # The paths may be measured again on another machine than the rest.
    if set(wanted) != {"path"}:
        results.part("machine").update(describe())
    if "path" in wanted and plan.threads == "all":
        results.part("path_machine").update(describe())
    run_session(plan, results)
    if "growth" in wanted and plan.threads == "one":
        say("growth")
        results.values["growth"] = measure_growth(plan)
    if "memory" in wanted and plan.threads == "one":
        say("memory")
        for name in MEASURES:
            results.part("memory")[name] = _measured_apart(name)
    results.write()


def _measured_apart(name: str) -> dict[str, object]:
    """Measure memory in a process of its own, where nothing else has taken any."""
    code = (
        "import json; from benchmarks.memory import MEASURES; from benchmarks.session import Plan\n"
        f"print(json.dumps(MEASURES[{name!r}](Plan([], [], 'one', 1, 0.5))))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1].removeprefix(f"{Unavailable.__module__}.Unavailable: ")
        say(f"  {name} skipped: {reason}")
        return {"skipped": reason}
    measured: dict[str, object] = json.loads(done.stdout)
    say(f"  {name} {measured}")
    return measured


def main() -> int:
    """Run what the command line asks for."""
    arguments = sys.argv[1:]
    chosen = parse(arguments)
    if chosen.task == "report":
        from benchmarks.report import write_page

        write_page(Results())
        return 0
    if chosen.task == "session":
        session(chosen)
        return 0
    return run(arguments, chosen)


if __name__ == "__main__":
    sys.exit(main())
