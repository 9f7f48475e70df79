"""`taut compare`: the arms, the table and the sentence."""

from __future__ import annotations

import json
import re
import sys

import numpy as np

from taut.cli.compare import sentence
from taut.cli.main import main
from taut.selection.compare import Arm, Comparison


def comparison(**verdicts: str) -> Comparison:
    arms = [Arm(name, name, {}, {}, 0.0, 0.0, (0.0, 0.0), 1.0, 0, verdict) for name, verdict in verdicts.items()]
    return Comparison(arms, ("log_loss", "accuracy"), 10, {arm.name: np.zeros(10) for arm in arms})


def test_compare_prints_a_sentence_and_a_row_an_arm(tables, workplace, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    assert main(["compare", "iris", "--seeds", "2", "--recipe", str(tables / "quick.toml"), "--jobs", "1"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Over 2 paired seeds and by the log loss on validation rows, ")
    rows = [line.split("  ")[0] for line in out.splitlines()]
    assert [name for name in rows if name in {"none", "L1", "L2", "L1 + L2", "dropout", "all"}] == [
        "none",
        "L1",
        "L2",
        "L1 + L2",
        "dropout",
        "all",
    ]
    number = r"[+−]?\d+\.\d+"
    assert len(re.findall(rf"{number} \({number} to {number}\)", out)) == 5
    assert list(workplace.iterdir()) == []


def test_compare_with_json_trains_with_the_strengths_that_were_given(tables, workplace, capsys):
    command = ["compare", str(tables / "people.csv"), "--target", "amount", "--group", "household", "--json"]
    strengths = ["--l1", "0.5", "--l2", "0.25", "--dropout", "0.125"]
    quick = ["--seeds", "2", "--recipe", str(tables / "quick.toml"), "--jobs", "1"]
    assert main([*command, *strengths, *quick]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["target"], found["metrics"], found["seeds"]) == (
        "regression",
        "amount",
        ["rmse", "r2"],
        2,
    )
    assert [arm["detail"] for arm in found["arms"]] == [
        "no regularization",
        "L1 0.5",
        "L2 0.25",
        "L2 0.25 · L1 0.5",
        "dropout 0.125",
        "L2 0.25 · L1 0.5 · dropout 0.125",
    ]
    assert found["answer"].startswith("Over 2 paired seeds and by the RMSE")


def test_compare_gives_recipe_groups_and_rows_with_a_target_to_the_comparison(tables, workplace, monkeypatch, capsys):
    seen = {}

    def run(X, y, **options):
        seen.update(options, columns=list(X.columns), rows=len(X), target=y.name)
        return comparison(none="", L2="better")

    monkeypatch.setattr(sys.modules[Comparison.__module__], "compare", run)
    lines = (tables / "people.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (workplace / "gaps.csv").write_text("".join(lines) + "33,Bern,2024-01-01,15,,50\n", encoding="utf-8")
    arguments = ["gaps.csv", "--target", "label", "--group", "household", "--time", "joined", "--jobs", "1"]
    assert main(["compare", *arguments, "--recipe", str(tables / "quick.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "classification"
    assert seen["columns"] == ["age", "city", "joined", "amount"]
    assert (seen["rows"], seen["target"], seen["task"]) == (60, "label", "classification")
    assert (seen["groups"].name, seen["time"].name) == ("household", "joined")
    assert seen["recipe"].hidden_layer_sizes == (4,)
    assert seen["n_jobs"] == 1


def test_sentence_names_what_is_beyond_noise_and_what_is_not():
    found = comparison(none="", L1="worse", L2="better", dropout="within noise", all="better")
    assert sentence(found) == (
        "Over 10 paired seeds and by the log loss on validation rows, L2 and all are better and L1 is worse than no "
        "regularization beyond noise; within noise: dropout."
    )


def test_sentence_says_when_all_is_noise():
    found = comparison(none="", L1="within noise", L2="within noise")
    assert sentence(found).endswith("no difference from no regularization is beyond noise.")
