"""`taut animate`: what it writes and says, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image

from taut.cli.main import main

QUICK = ["--epochs", "5", "--frames", "3", "--width", "4"]


def test_a_film_of_the_spiral_is_written_beside_its_losses(workplace, capsys):
    assert main(["animate", "spiral", "--l2", "0.01", "--units", "8", *QUICK]) == 0
    said = capsys.readouterr().out
    assert "regularized (L2 0.01 · dropout 0.1): data loss" in said
    assert "film: spiral.gif (3 frames," in said
    with Image.open(workplace / "spiral.gif") as film:
        assert film.n_frames == 3


def test_two_columns_of_a_wider_table_and_json(workplace, capsys):
    command = ["animate", "wine", "--inputs", "alcohol, hue", "-o", "film.html", "--l1", "0.001", "--json", *QUICK]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"] == {"film": "film.html"}
    assert found["losses"]["regularized"]["penalty"] > found["losses"]["unregularized"]["penalty"] == 0
    assert (workplace / "film.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["spiral", "-o", "film.png"], "a film is written as .gif, .html, .mp4"),
        (["wine"], "two inputs, and the table has 13: say which, as in --inputs alcohol,malic_acid"),
        (["wine", "--inputs", "alcohol,hju"], "no column 'hju' (--inputs hju); did you mean 'hue'?"),
        (["wine", "--inputs", "alcohol"], "inputs must be two columns"),
        (["spiral", "--target", "z"], "no column 'z'"),
        (["spiral", "--frames", "1"], "invalid value for --frames: it must be an integer at least 2, got 1"),
    ],
)
def test_what_cannot_be_shown_is_one_line(arguments, words, workplace, capsys):
    assert main(["animate", *arguments]) in (1, 2)
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not list(workplace.glob("*.gif"))


def test_ctrl_c_leaves_nothing_behind(workplace):
    program = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from taut.plots import animation\nwas = animation._image\n"
    program += "def slow(figure):\n    print('drawing', flush=True)\n    import time; time.sleep(60)\n"
    program += "animation._image = slow\nfrom taut.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "animate", "spiral", *QUICK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "drawing\n"
        os.kill(run.pid, signal.SIGINT)
        said = run.communicate(timeout=60)[1]
    assert run.returncode == 130
    assert said == "taut: interrupted; nothing was written\n"
    assert not list(workplace.iterdir())
