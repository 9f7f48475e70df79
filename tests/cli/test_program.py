"""The program as a whole: help, version, how it ends, and what it looks like."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from rich.console import Console

from taut import __version__
from taut.cli.display import print_json, score_table
from taut.cli.main import main
from taut.storage import read_summary

PROGRAM = [sys.executable, "-c", "import sys; from taut.cli.main import main; sys.exit(main())"]
COMMANDS = [
    ["fit"],
    ["predict"],
    ["show"],
    ["compare"],
    ["path"],
    ["search"],
    ["learning-curve"],
    ["play"],
    ["reproduce"],
    ["reproduce", "spiral"],
]


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=180, **options)


def run_code(code: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Run the program with something in it changed by `code`."""
    program = f"import sys\n{code}\nfrom taut.cli.main import main\nsys.exit(main())"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, **options)


def test_version_is_told():
    finished = run("--version")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, f"taut {__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_examples(command, capsys):
    assert main([*command, "--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"Usage: taut {' '.join(command)} ")
    assert "  Examples:\n    taut " in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert err == ""


def test_help_lists_the_commands_whole(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {command[0]} " in out for command in COMMANDS)
    assert "..." not in out.partition("Commands:")[2]


@pytest.mark.parametrize("command", [[], ["reproduce"]], ids=["taut", "taut reproduce"])
def test_no_command_shows_the_help_and_is_an_error(command, capsys):
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert out.startswith("Usage: taut ")
    assert err == ""


def test_help_takes_under_three_tenths_of_a_second_of_processor_time():
    resource = pytest.importorskip("resource")

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.3


# Ctrl-C as a terminal gives it, to all processes at once, when two pieces of fits are done and others are under way.
INTERRUPT = """
import contextlib, os, signal, taut.cli.fit
@contextlib.contextmanager
def interrupt(what, afterwards):
    yield lambda done, planned, words: os.killpg(os.getpgrp(), signal.SIGINT) if done == 2 else None
taut.cli.fit.progress = interrupt
"""


@pytest.mark.parametrize("crew", [["1"], ["2"], ["2", "--backend", "loky"]], ids=" ".join)
def test_ctrl_c_ends_a_fit_with_one_line_and_leaves_nothing_behind(workplace, crew):
    recipe = workplace / "long.toml"
    recipe.write_text("epochs = 300\n")
    code = INTERRUPT + "\nprint(os.getpgrp(), flush=True)"
    finished = run_code(code, "fit", "wine", "--recipe", "long.toml", "--jobs", *crew, start_new_session=True)
    said = "taut: interrupted; nothing was written\n"
    # The processes of a backend hear Ctrl-C, too, and one that is caught at it says so in its own way before.
    assert finished.returncode == 130
    assert finished.stderr == said or ("loky" in crew and finished.stderr.endswith(said))
    assert list(workplace.iterdir()) == [recipe]
    assert is_gone(int(finished.stdout))


def is_gone(group: int) -> bool:
    """Wait until no process of a group is left; the trackers of its resources take a moment to end."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_ctrl_c_while_a_compiled_module_loads_is_no_bug():
    code = """
import taut.cli.inputs
def source(data):
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        raise ImportError("initialization failed") from error
import taut.cli.fit
taut.cli.fit.source = source
"""
    finished = run_code(code, "fit", "wine")
    assert (finished.returncode, finished.stderr) == (130, "taut: interrupted\n")


BUG = "import taut.cli.fit\ntaut.cli.fit.source = lambda data: 1 / 0"


def test_bug_is_one_line_that_says_so():
    finished = run_code(BUG, "fit", "wine", env={**os.environ, "TAUT_TRACEBACK": ""})
    assert finished.returncode == 1
    assert finished.stderr.startswith(
        "taut: ZeroDivisionError: division by zero: this is a bug in taut; TAUT_TRACEBACK=1"
    )
    assert finished.stderr.count("\n") == 1


def test_bug_is_traced_for_those_who_ask():
    finished = run_code(BUG, "fit", "wine", env={**os.environ, "TAUT_TRACEBACK": "1"})
    assert finished.returncode == 1
    assert "Traceback" in finished.stderr
    assert "ZeroDivisionError" in finished.stderr


def test_lack_of_memory_is_a_failure_and_no_bug():
    code = "import taut.cli.fit\ndef source(data): raise MemoryError\ntaut.cli.fit.source = source"
    finished = run_code(code, "fit", "wine")
    assert (finished.returncode, finished.stderr.count("\n")) == (1, 1)
    assert "not enough memory" in finished.stderr


def test_killed_worker_is_a_failure_and_no_bug(workplace):
    code = """
import os, signal, taut.selection.crew as room
def die(*piece): os.kill(os.getpid(), signal.SIGKILL)
room._piece = die
"""
    finished = run_code(code, "fit", "wine", "--jobs", "2", "--backend", "loky")
    assert (finished.returncode, finished.stderr.count("\n")) == (1, 1)
    assert "a worker of the backend was lost" in finished.stderr
    assert "bug" not in finished.stderr
    assert list(workplace.iterdir()) == []


def test_reader_that_has_seen_enough_is_no_error(tables, workplace):
    people = (tables / "people.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (workplace / "many.csv").write_text(people[0] + "".join(people[1:]) * 300, encoding="utf-8")
    command = [*PROGRAM, "predict", str(tables / "people.taut"), "many.csv", "--proba"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "probability_no,probability_yes\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=180) == 1


def test_reader_that_never_read_is_no_error():
    command = [*PROGRAM, "reproduce", "spiral", "--epochs", "1", "--json"]
    # What is printed is to wait in a buffer until the program ends.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=180) == 1


def test_output_in_a_narrow_code_page_is_no_error(tables):
    finished = run("show", str(tables / "people.taut"), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "unregularized network" in finished.stdout
    assert "+-" in finished.stdout
    assert " ? " not in finished.stdout.partition("Recipe:")[0]


def test_progress_is_shown_on_a_terminal_and_results_stay_clean(tables, workplace):
    pty = pytest.importorskip("pty")
    leader, terminal = pty.openpty()
    (workplace / "long.toml").write_text("epochs = 600\n")  # so that there is something to watch
    arguments = ["compare", "iris", "--seeds", "2", "--recipe", "long.toml", "--jobs", "1", "--json"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=terminal, env=environment)
    os.close(terminal)
    seen = b""
    try:
        while part := os.read(leader, 4096):
            seen += part
    except OSError:  # Linux says so when the other end is closed
        pass
    out, _ = process.communicate(timeout=180)
    os.close(leader)
    assert process.returncode == 0
    assert json.loads(out)["seeds"] == 2
    assert b"comparing: " in seen
    assert b"12/12" in seen


@pytest.mark.parametrize("width", [50, 60, 120])
def test_scores_fit_the_terminal_with_every_number_whole(tables, monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    summary = read_summary(tables / "people.taut")
    console = Console(markup=False)
    console.print(score_table(summary))
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    assert sum(" ± " in line for line in lines) == 2 * len(summary["entries"])
    assert ("settings" in lines[0]) == (width == 120)


def test_json_has_null_for_what_is_not_finite(capsys):
    print_json({"a": float("nan"), "b": [np.inf, (1.5,)], 3: "x"})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, [1.5]], "3": "x"}
