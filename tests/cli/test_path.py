"""`taut path`: the sentence, the table, the files, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from taut.cli.main import main
from taut.cli.path import rows_shown
from taut.selection.path import regularization_path
from taut.storage import load


@pytest.fixture
def quick(tables):
    return ["--recipe", str(tables / "quick.toml"), "--cv", "2", "--jobs", "1"]


@pytest.fixture
def people(tables):
    return ["path", str(tables / "people.csv"), "--target"]


def test_path_prints_a_sentence_and_a_table_with_both_choices(people, quick, workplace, capsys):
    assert main([*people, "label", *quick, "--n-values", "5"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Over 2 folds, L2 ")
    assert "has the lowest validation loss, " in out
    lines = out.splitlines()
    (head,) = (place for place, line in enumerate(lines) if "validation loss  training loss" in line)
    rows = [line for line in lines[head + 2 : head + 7] if line.strip()]
    assert len(rows) == 5
    assert sum("min" in row for row in rows) == 1
    assert sum("1 SE" in row for row in rows) == 1
    assert all(len(line) <= 80 for line in lines[head:])
    assert list(workplace.iterdir()) == []


def test_long_path_is_cut_on_the_screen_and_whole_in_json(people, quick, workplace, capsys):
    command = [*people, "label", *quick, "--n-values", "20", "--penalty", "dropout"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "12 of 20 values are shown; --json has all." in out
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["values"]) == 20
    assert (found["penalty"], found["rule"], found["files"]) == ("dropout", "1se", {})
    assert (found["data"].endswith("people.csv"), found["target"], found["task"]) == (True, "label", "classification")


def test_sparse_path_tells_in_which_order_inputs_enter(people, quick, workplace, capsys):
    command = [*people, "amount", *quick, "--penalty", "group", "--values", "100,0.1,0.001,0"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "inputs used" in out
    assert "Inputs in the order in which they enter: " in out
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["group_l1"] for row in found["values"]] == [100, 0.1, 0.001, 0]
    assert out.partition("they enter: ")[2].replace("\n", " ").startswith(found["entry_order"][0])


def test_options_reach_the_path(people, tables, workplace, capsys, monkeypatch):
    seen = {}

    def run(recipe, X, y, **options):
        seen.update(options, recipe=recipe, columns=list(X.columns), rows=len(y))
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules[regularization_path.__module__], "regularization_path", run)
    options = ["--penalty", "l1", "--n-values", "7", "--cv", "3", "--repeats", "2", "--features", "4", "--warm-start"]
    options += ["--jobs", "2", "--backend", "loky", "--seed", "5", "--recipe", str(tables / "quick.toml")]
    with pytest.raises(SystemExit) as ended:
        main([*people, "amount", "--group", "household", "--time", "joined", *options])
    assert ended.value.code == 130
    assert seen["recipe"].seed == 5
    assert seen["recipe"].hidden_layer_sizes == (4,)
    assert seen["columns"] == ["age", "city", "joined", "label"]
    assert (seen["groups"].name, seen["time"].name, seen["task"], seen["rows"]) == (
        "household",
        "joined",
        "regression",
        60,
    )
    wanted = {"penalty": "l1", "n_values": 7, "cv": 3, "repeats": 2, "stop_at_features": 4, "warm_start": True}
    wanted |= {"n_jobs": 2, "backend": "loky"}
    assert {name: seen[name] for name in wanted} == wanted
    assert capsys.readouterr().err == "taut: interrupted; nothing was written\n"


@pytest.mark.parametrize(("rule", "choice"), [("min", "value_min"), ("1se", "value_1se")])
def test_files_are_written_with_the_choice_of_the_rule(people, quick, workplace, capsys, rule, choice):
    outputs = ["--plot", "path.html", "--model", "path.taut", "--rule", rule, "--json"]
    assert main([*people, "label", *quick, "--n-values", "3", *outputs]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"] == {"model": "path.taut", "plot": "path.html"}
    assert sorted(file.name for file in workplace.iterdir()) == ["path.html", "path.taut"]
    assert load(workplace / "path.taut").recipe.l2 == found[choice]
    assert (workplace / "path.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_plot_can_be_a_picture_and_its_place_is_told(people, quick, workplace, capsys):
    assert main([*people, "label", *quick, "--values", "0.1,0.01", "--plot", "path.png"]) == 0
    assert (workplace / "path.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert "plot:  path.png" in capsys.readouterr().out


def test_rows_without_a_target_are_left_out_and_told(tables, quick, workplace, capsys):
    text = (tables / "people.csv").read_text(encoding="utf-8")
    (workplace / "gaps.csv").write_text(text + "33,Bern,2024-01-01,15,,50\n", encoding="utf-8")
    assert main(["path", "gaps.csv", "--target", "label", *quick, "--values", "0.1,0.01", "--plot", "p.html"]) == 0
    words = "1 row without a value of label was left out."
    assert f"Note: {words}" in capsys.readouterr().out
    assert words in (workplace / "p.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--plot", "out.pdf"], "--plot out.pdf: figures are written as .html or .png"),
        (["--plot", "nowhere/out.html"], "--plot nowhere/out.html: there is no folder nowhere"),
        (["--model", "nowhere/out.taut"], "--model nowhere/out.taut: there is no folder nowhere"),
        (["--plot", "a.png", "--model", "a.png"], "--model a.png: this would overwrite --plot"),
        (["--values", "0.1,0.01", "--n-values", "5"], "give either --values or --n-values"),
        (["--values", "0.1,much"], "--values: it must be numbers with commas between them, got '0.1,much'"),
        (["--values", "0.1"], "a path needs at least 2 different values"),
        (["--values", "0.1,inf"], "got inf"),
        (["--n-values", "1"], "--n-values"),
        (["--penalty", "L2"], "penalty must be one of l2, l1"),
        (["--penalty", "learning_rate"], "there is no usual grid for 'learning_rate'"),
        (["--features", "3"], "stop_at_features needs a penalty that brings weights to zero"),
        (["--rule", "2se"], "--rule"),
        (["--group", "hosehold"], "did you mean 'household'?"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(people, workplace, capsys, options, words):
    assert main([*people, "label", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("taut: ")
    assert err.count("\n") == 1
    assert words in err
    assert list(workplace.iterdir()) == []


def test_outputs_are_checked_before_the_table_is_read(workplace, capsys):
    (workplace / "table.csv").write_text("not,a\ntable", encoding="utf-8")
    assert main(["path", "table.csv", "--target", "x", "--model", "table.csv"]) == 2
    assert "--model table.csv: this would overwrite table.csv" in capsys.readouterr().err


# Ctrl-C as a terminal gives it, when two of the fits are done and others are under way.
INTERRUPT = """
import contextlib, os, signal, sys, taut.cli.path
@contextlib.contextmanager
def interrupt(what, afterwards):
    yield lambda done, planned, words: os.kill(os.getpid(), signal.SIGINT) if done == 2 else None
taut.cli.path.progress = interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)
from taut.cli.main import main
sys.exit(main())
"""


def test_ctrl_c_ends_a_path_with_one_line_and_leaves_nothing_behind(workplace):
    recipe = workplace / "long.toml"
    recipe.write_text("epochs = 300\n")
    command = [sys.executable, "-c", INTERRUPT, "path", "wine", "--recipe", "long.toml", "--values", "0.1,0.01,0.001"]
    outputs = ["--plot", "out.html", "--model", "out.taut", "--jobs", "2"]
    finished = subprocess.run([*command, *outputs], capture_output=True, text=True, timeout=180)
    assert (finished.returncode, finished.stderr) == (130, "taut: interrupted; nothing was written\n")
    assert list(workplace.iterdir()) == [recipe]


def test_rows_shown_are_the_ends_the_choices_their_neighbours_and_some_between():
    shown = rows_shown(40, [20, 25])
    assert len(shown) == 12
    assert {0, 19, 20, 21, 24, 25, 26, 39} <= set(shown)
    assert np.diff(shown).max() < 12
    assert rows_shown(12, [3]) == list(range(12))
    assert {0, 1, 29, 28} <= set(rows_shown(30, [0, 29]))


def test_group_walks_from_dense_to_sparse_unless_it_is_told_not_to(tables, workplace, monkeypatch):
    seen = []
    path = sys.modules["taut.selection.path"]
    whole = path.regularization_path

    def watched(*given, **options):
        seen.append(whole(*given, **options)._walk.warm_start)
        raise KeyboardInterrupt

    monkeypatch.setattr(path, "regularization_path", watched)
    words = ["path", "wine", "--recipe", str(tables / "quick.toml"), "--cv", "2", "--n-values", "3"]
    for more in (["--penalty", "group"], ["--penalty", "group", "--no-warm-start"], ["--penalty", "l1"]):
        with pytest.raises(SystemExit):
            main([*words, *more])
    assert seen == [True, False, False]
