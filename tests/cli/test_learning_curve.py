"""`taut learning-curve`: the advice, the table, the figure, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from taut.cli.main import main


def test_learning_curve_prints_advice_a_row_a_size_and_the_law(tables, workplace, capsys):
    command = ["learning-curve", "iris", "--sizes", "3", "--cv", "2", "--recipe", str(tables / "quick.toml")]
    assert main([*command, "--jobs", "1"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "There are 50 rows of each of the 3 classes." in " ".join(out.split())
    rows = [line.split()[0] for line in out.splitlines() if line.split() and line.split()[0].isdigit()]
    assert rows[-4:] == ["20", "39", "75", "150"]
    assert "× rows^−" in out
    assert list(workplace.iterdir()) == []


def test_learning_curve_as_json_and_as_a_picture(tables, workplace, capsys):
    command = ["learning-curve", str(tables / "people.csv"), "--target", "amount", "--group", "household", "--json"]
    quick = ["--sizes", "3", "--cv", "2", "--repeats", "2", "--seed", "1", "--recipe", str(tables / "quick.toml")]
    assert main([*command, *quick, "--jobs", "1", "--plot", "curve.png"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["metric"], found["target"]) == ("regression", "rmse", "amount")
    assert len(found["sizes"]) == 3
    assert len(found["folds"]["rmse"][0]) == 4
    assert set(found["law"]) == {"a", "b", "c"}
    assert found["advice"]
    assert found["files"] == {"plot": "curve.png"}
    assert (workplace / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["iris", "--plot", "curve.html"], "--plot curve.html: the figure is written as .png"),
        (["iris", "--sizes", "2"], "--sizes"),
        (["iris", "--group", "colour"], "no column 'colour' (--group)"),
        (["nowhere.csv"], "there is no such file"),
    ],
)
def test_bad_input_is_one_line(workplace, capsys, arguments, message):
    assert main(["learning-curve", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("taut: ")
    assert err.count("\n") == 1
    assert message in err


# Ctrl-C as a terminal gives it, when two of the fits are done and others are under way.
INTERRUPT = """
import contextlib, os, signal, sys, taut.cli.learning_curve
@contextlib.contextmanager
def interrupt(what, afterwards):
    yield lambda done, planned, words: os.killpg(os.getpgrp(), signal.SIGINT) if done == 2 else None
command = sys.modules["taut.cli.learning_curve"]
command.progress = interrupt
from taut.cli.main import main
sys.exit(main())
"""


def test_ctrl_c_ends_it_with_one_line_and_leaves_nothing_behind(workplace):
    recipe = workplace / "long.toml"
    recipe.write_text("epochs = 300\n")
    command = [sys.executable, "-c", INTERRUPT, "learning-curve", "wine", "--recipe", "long.toml", "--jobs", "2"]
    finished = subprocess.run(
        [*command, "--plot", "curve.png"], capture_output=True, text=True, timeout=180, start_new_session=True
    )
    assert (finished.returncode, finished.stderr) == (130, "taut: interrupted; nothing was written\n")
    assert list(workplace.iterdir()) == [recipe]
