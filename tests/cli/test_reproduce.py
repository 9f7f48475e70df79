"""`taut reproduce spiral`: the figures that were published."""

from __future__ import annotations

import json

import pytest

from taut.cli.main import main

# Epoch, accuracy, loss, data loss and penalty to three digits, learning rate to the last.
PUBLISHED = [
    (0, 0.360, 1.099, 1.099, 0.000, 0.05),
    (100, 0.707, 0.698, 0.696, 0.002, 0.04999752506207612),
    (200, 0.797, 0.527, 0.523, 0.004, 0.049990050996574775),
]
NAMES = ["epoch", "accuracy", "loss", "data_loss", "penalty", "learning_rate"]


def test_json_holds_the_published_figures(capsys):
    assert main(["reproduce", "spiral", "--epochs", "201", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [list(row) for row in rows] == [NAMES] * 3
    for row, published in zip(rows, PUBLISHED, strict=True):
        *rounded, rate = published
        assert [round(row[name], 3) for name in NAMES[:-1]] == rounded
        assert row["learning_rate"] == rate


def test_lines_are_those_that_were_published(capsys):
    assert main(["reproduce", "spiral", "--epochs", "101"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "epoch: 0, acc: 0.360, loss: 1.099 (data_loss: 1.099, penalty: 0.000), lr: 0.05",
        "epoch: 100, acc: 0.707, loss: 0.698 (data_loss: 0.696, penalty: 0.002), lr: 0.04999752506207612",
    ]


@pytest.mark.parametrize(("epochs", "printed"), [("1", [0]), ("100", [0]), ("101", [0, 100])])
def test_every_hundredth_epoch_is_printed(capsys, epochs, printed):
    arguments = ["--samples", "5", "--units", "4", "--epochs", epochs, "--json"]
    assert main(["reproduce", "spiral", *arguments]) == 0
    assert [row["epoch"] for row in json.loads(capsys.readouterr().out)] == printed


def test_options_reach_the_run(capsys):
    def last(*options: str) -> dict[str, float]:
        assert main(["reproduce", "spiral", "--samples", "9", "--epochs", "101", "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)[-1]

    usual = last()
    assert last("--l2", "0")["penalty"] == 0
    assert last("--lr", "0.01", "--decay", "0")["learning_rate"] == 0.01
    for options in (["--units", "8"], ["--classes", "2"], ["--seed", "1"]):
        assert last(*options)["loss"] != usual["loss"]
