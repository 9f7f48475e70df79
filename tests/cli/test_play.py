"""`taut play` on the command line: what it refuses in one line, and that Ctrl-C ends it cleanly."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from websockets.sync.client import connect

from taut.cli import play as command
from taut.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["spirale"], 2, "did you mean 'spiral'?"),
        (["nowhere.csv"], 2, "there is no such file"),
        (["moons", "--target", "y"], 2, "--target is for a table"),
        (["people.csv", "--target", "colour"], 2, "no column 'colour'"),
        (["essay.csv", "--target", "label"], 2, "it is text, not a class"),
        (["junk.csv"], 2, "not text"),
        (["--port", "0"], 2, "at least 1"),
        (["--port", "x"], 2, "'x'"),
    ],
)
def test_what_cannot_be_played_is_one_line(arguments, code, words, tables, monkeypatch, capsys):
    monkeypatch.chdir(tables)
    assert main(["play", "--no-browser", *arguments]) == code
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_lacking_packages_are_named_with_how_to_get_them(monkeypatch, capsys):
    monkeypatch.setattr(command, "NEEDED", ("starlette", "no_such_package"))
    assert main(["play"]) == 1
    assert capsys.readouterr().err == "taut: the page needs no_such_package: pip install 'taut[play]'\n"


def test_taken_port_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["play", "--no-browser", "--port", str(port)]) == 1
    assert capsys.readouterr().err == f"taut: port {port} is taken; choose another with --port\n"


def test_ctrl_c_ends_it_cleanly_while_a_page_trains(tables):
    code = "import sys; from taut.cli.main import main; sys.exit(main())"
    playing = subprocess.Popen(
        [sys.executable, "-c", code, "play", "people.csv", "--target", "label", "--no-browser"],
        cwd=tables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    address = re.search(r"http://(127\.0\.0\.1:\d+)/", playing.stdout.readline())[1]
    with connect(f"ws://{address}/live", origin=f"http://{address}", max_size=None) as page:
        setting = [json.loads(page.recv(timeout=20)) for _ in range(3)][-1]["setting"]
        assert (setting["target"], setting["columns"]) == ("label", ["age", "household"])
        page.send('{"type": "run", "speed": 0}')
        while page.recv(timeout=20)[4:].count(b'"epoch":0,'):
            page.send('{"type": "seen"}')
        playing.send_signal(signal.SIGINT)
        _, error = playing.communicate(timeout=20)
    assert (playing.returncode, error) == (0, "")
