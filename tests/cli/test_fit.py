"""`taut fit`: from a table to a model, a report and a word about both."""

from __future__ import annotations

import gzip
import inspect
import itertools
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import taut.selection
from taut.cli.fit import left_out
from taut.cli.main import main
from taut.data.schema import ColumnSchema
from taut.errors import InvalidValue
from taut.selection import compare, fit_table
from taut.selection.halving import Budget
from taut.selection.portfolio import PORTFOLIO
from taut.selection.search import search
from taut.storage import load
from taut.training import Ensemble, Model, Recipe


def fit(tables, *words: str) -> int:
    quick = ["--recipe", str(tables / "quick.toml"), "--cv", "2", "--effort", "4", "--jobs", "1"]
    return main(["fit", *quick, *words])


def test_fit_of_a_sample_set_says_the_answer_and_writes_model_and_report(tables, workplace, capsys):
    assert fit(tables, "wine") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("The chosen ensemble (")
    names = ("chosen ensemble", "one network", "unregularized network", "linear model", "constant guess")
    for name in names:
        assert len(re.findall(rf"^  {name} +\d", out, flags=re.MULTILINE)) == 2, name
    assert "log loss, lower is better" in out
    assert "accuracy, higher is better" in out
    assert "–" not in out
    assert out.endswith("model:  wine.taut\nreport: wine.html\n")
    assert sorted(path.name for path in workplace.iterdir()) == ["wine.html", "wine.taut"]
    assert load("wine.taut").task == "classification"
    assert (workplace / "wine.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_fit_with_json_prints_one_document_with_the_places_of_its_files(tables, workplace, capsys):
    (workplace / "here").mkdir()
    files = ["--model", "here/a.taut", "--report", "here/b.html"]
    assert fit(tables, str(tables / "people.csv"), "--target", "amount", "--seed", "7", "--json", *files) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert (found["task"], found["target"], found["seed"]) == ("regression", "amount", 7)
    assert (found["model"], found["report"]) == ("here/a.taut", "here/b.html")
    assert found["rows"] == {"train": 48, "test": 12}
    assert found["entries"][0]["name"] == "chosen ensemble"
    assert sorted(path.name for path in (workplace / "here").iterdir()) == ["a.taut", "b.html"]
    assert load("here/a.taut").recipe.seed == 7


def test_fit_calls_its_files_like_the_table_and_takes_the_seed_of_the_recipe(tables, workplace, capsys):
    packed = workplace / "in" / "folk.v2.csv.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress((tables / "people.csv").read_bytes()))
    (workplace / "mine.json").write_text(Recipe(epochs=3, hidden_layer_sizes=(4,), seed=5).to_json())
    arguments = ["fit", str(packed), "--target", "label", "--recipe", "mine.json", "--cv", "2", "--effort", "4"]
    assert main([*arguments, "--group", "household", "--test-size", "0.3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["seed"] == 5
    assert sorted(path.name for path in workplace.glob("folk*")) == ["folk.v2.html", "folk.v2.taut"]
    assert "household" not in [column.name for column in load("folk.v2.taut").models[0].encoder.schema_]
    assert found["rows"]["test"] in range(12, 25)


def test_fit_tests_on_a_table_of_its_own_and_orders_rows_by_time(tables, workplace, capsys):
    people = str(tables / "people.csv")
    assert fit(tables, people, "--target", "label", "--test", people, "--time", "joined", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == {"train": 60, "test": 60}


def test_fit_says_in_one_line_which_columns_were_left_out_and_why(tables, workplace, capsys):
    people = pd.read_csv(tables / "people.csv").assign(notes=np.nan, unit="kg", person=lambda frame: frame.index)
    people["person"] = [f"P-{number:04}" for number in people["person"]]
    people.to_csv("more.csv", index=False)
    assert fit(tables, "more.csv", "--target", "amount") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Left out")]
    assert len(lines) == 1
    assert set(re.findall(r"(\w+) \(([^)]*)\)", lines[0])) >= {("notes", "empty"), ("unit", "constant")}


def test_columns_left_out_are_named_up_to_a_number():
    columns = [ColumnSchema(f"c{number}", "empty", "left out", 9, 0) for number in range(7)]
    assert left_out(columns) == "Left out: c0 (empty), c1 (empty), c2 (empty), c3 (empty), and 3 more"
    assert left_out(columns[:5]).endswith("c3 (empty), c4 (empty)")
    assert left_out([ColumnSchema("x\ny" * 40, "constant", "left out", 0, 0)]).count("\n") == 0
    assert left_out([ColumnSchema("age", "number", "scaled", 0, 1)]) == ""


def test_fit_into_the_same_file_counts_the_looks_at_its_test_rows(tables, workplace, capsys):
    first, second, third = (_looked(tables, capsys) for _ in range(3))
    assert [found["looks"]["count"] for found in (first, second, third)] == [1, 2, 3]
    assert first["looks"]["test_hash"] == second["looks"]["test_hash"]
    assert not any("scored" in note for note in first["notes"])
    words = "These 36 test rows have now been scored twice for this model file"
    assert [note.startswith(words) for note in second["notes"]].count(True) == 1
    assert any("scored 3 times for this model file" in note for note in third["notes"])


def test_a_second_look_is_said_on_the_screen_and_in_the_report_which_claims_no_first(tables, workplace, capsys):
    reports = []
    for _ in range(2):
        assert fit(tables, "wine") == 0
        reports.append((workplace / "wine.html").read_text(encoding="utf-8").partition("<main>")[2])
    out = capsys.readouterr().out
    sentence = "These 36 test rows have now been scored twice for this model file: whoever changed settings in between"
    assert " ".join(out.split()).count(f"Note: {sentence}") == 1
    assert "looked at once" in reports[0]
    assert sentence not in reports[0]
    assert "looked at once" not in reports[1]
    assert sentence in reports[1]
    assert main(["show", "wine.taut"]) == 0
    assert sentence in " ".join(capsys.readouterr().out.split())


def test_fit_with_another_seed_into_the_same_file_says_that_its_test_rows_had_a_part(tables, workplace, capsys):
    first, other = _looked(tables, capsys), _looked(tables, capsys, "--seed", "1")
    assert first["looks"]["test_hash"] != other["looks"]["test_hash"]
    assert (other["looks"]["count"], other["looks"]["moved"]) == (1, True)
    words = "These 36 test rows were part of an earlier fit for this model file"
    assert [note.startswith(words) for note in other["notes"]].count(True) == 1
    elsewhere = _looked(tables, capsys, "--seed", "1", "--model", "other.taut")
    assert (elsewhere["looks"]["count"], elsewhere["looks"]["moved"]) == (1, False)


@pytest.mark.parametrize("before", ["no model", None], ids=["damaged", "another's"])
def test_a_file_that_is_no_model_of_these_rows_counts_as_no_look(tables, workplace, capsys, before):
    if before is None:
        shutil.copy(tables / "people.taut", "wine.taut")
    else:
        (workplace / "wine.taut").write_text(before)
    found = _looked(tables, capsys)
    assert (found["looks"]["count"], found["looks"]["moved"]) == (1, False)


def _looked(tables, capsys, *words: str) -> dict:
    assert fit(tables, "wine", "--json", *words) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "kind", "names"),
    [
        ([], Ensemble, ["chosen ensemble", "one network"]),
        (["--final", "refit"], Model, ["chosen network", "ensemble"]),
        (["--rule", "1se"], Model, ["chosen network", "ensemble"]),
        (["--effort", "none"], Model, ["chosen network", "ensemble"]),
        (["--effort", "none", "--final", "ensemble"], Ensemble, ["chosen ensemble", "one network"]),
    ],
    ids=str,
)
def test_fit_keeps_the_ensemble_unless_one_network_is_asked_for(options, kind, names, tables, workplace, capsys):
    assert fit(tables, "wine", "--json", *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in found["entries"][:2]] == names
    kept = load("wine.taut")
    assert type(kept) is kind
    if kind is Ensemble:
        assert len(kept.models) == 2 * len(found["blend"]["members"])
    assert names[0] in (workplace / "wine.html").read_text(encoding="utf-8")


def test_fit_hands_its_options_to_the_search(workplace, capsys, monkeypatch):
    seen = {}

    def stop(frame, target, **options):
        seen.update(options)
        raise InvalidValue("enough")

    monkeypatch.setattr(taut.selection, "fit_table", stop)
    given = {"effort": "quick", "budget": "90s", "rule": "1se", "final": "ensemble", "backend": "loky"}
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    assert main(["fit", "wine", *options, "--jobs", "2"]) == 2
    assert {name: seen[name] for name in given} == given
    assert seen["n_jobs"] == 2
    assert main(["fit", "wine", "--effort", "12"]) == 2
    assert seen["effort"] == 12


def test_a_budget_that_ended_the_search_is_said(tables, workplace, capsys, monkeypatch):
    asked = itertools.count()
    monkeypatch.setattr(Budget, "is_spent", property(lambda _: next(asked) > 0))  # after the first round
    assert fit(tables, "wine", "--budget", "1h", "--effort", str(len(PORTFOLIO) + 2), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["search"]["stopped_by_budget"]
    assert any(note.startswith("The budget ended the search") for note in found["notes"])
    assert "The budget ended the search" in (workplace / "wine.html").read_text(encoding="utf-8")


def test_file_with_the_name_of_a_sample_set_wins(tables, workplace, capsys):
    (workplace / "wine").write_text("a,b\n1,2\n")
    assert fit(tables, "wine") == 2
    assert "wine: cannot tell what kind of table" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "option", "function", "parameter"),
    [
        ("fit", "--test-size", fit_table, "test_size"),
        ("search", "--cv", search, "cv"),
        ("fit", "--seed", Recipe, "seed"),
        ("fit", "--effort", fit_table, "effort"),
        ("compare", "--seeds", compare, "seeds"),
    ],
)
def test_help_states_the_defaults_of_the_functions(command, option, function, parameter, capsys):
    assert main([command, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    default = inspect.signature(function).parameters[parameter].default
    assert re.search(rf"{option} [\w|]+ .{{0,130}}?\b(?:by default|or) (?:the recipe's, or )?{default}\.", text)
