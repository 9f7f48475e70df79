"""What the tests of the command line share: a folder of tables, good and bad, and a model made from one of them."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from tests.plain import plain

from taut.cli.main import main

ROWS = 60
QUICK = plain(epochs=4, hidden_layer_sizes=(4,)).to_toml()


def write_people(path: Path, rows: int = ROWS, separator: str = ",") -> None:
    """Write a table with a number, a category, a date, groups, a label and an amount."""
    lines = [["age", "city", "joined", "household", "label", "amount"]]
    for row in range(rows):
        label = "yes" if (row * 7) % 11 > 5 else "no"
        age, city = 20 + (row * 13) % 47, ("Bern", "Oslo", "Lima")[row % 3]
        lines.append([age, city, f"2024-{1 + row % 12:02}-{1 + row % 28:02}", row // 4, label, age * 1.5 + len(city)])
    path.write_text("\n".join(separator.join(map(str, line)) for line in lines) + "\n", encoding="utf-8")


def write_bad_tables(folder: Path) -> None:
    header, rows = (
        "age,city,label\n",
        [f"{20 + row},{'AB'[row % 2]},{'no' if row % 3 else 'yes'}\n" for row in range(30)],
    )
    files = {
        "empty.csv": "",
        "header.csv": header,
        "ragged.csv": header + "".join(rows) + "1,2,3,4,5\n",
        "short.csv": header + "".join(rows) + "1,A\n",
        "twice.csv": "age,age,label\n1,2,yes\n3,4,no\n",
        "one_row.csv": header + rows[0],
        "two_rows.csv": header + rows[0] + rows[1],
        "no_target.csv": header + "".join(f"{20 + row},A,\n" for row in range(30)),
        "one_class.csv": header + "".join(f"{20 + row},A,yes\n" for row in range(30)),
        "essay.csv": header + "".join(f"{20 + row},A,text number {row} says this\n" for row in range(30)),
        "useless.csv": header + "".join(f"7,,{'no' if row % 3 else 'yes'}\n" for row in range(30)),
        "infinite.csv": header + "".join(rows) + "inf,A,yes\n",
        "infinite_target.csv": "age,amount\n" + "".join(f"{row},{row * 1.5}\n" for row in range(30)) + "7,inf\n",
        "words.csv": "age,city,joined,household,amount\nold,Bern,2024-01-01,1,3\n",
        "no_age.csv": "city,joined,household,amount\nBern,2024-01-01,1,3\n",
        "nothing_known.csv": "a,b\n1,2\n",
        "new_class.csv": "age,city,joined,household,label,amount\n30,Bern,2024-01-01,1,perhaps,3\n",
        "table.xyz": header + "".join(rows),
        "broken.toml": "epochs = = 3\n",
        "unknown.toml": "epoch = 3\n",
        "bad_value.toml": "dropout = 1.5\n",
        "bad_type.toml": 'epochs = "many"\n',
        "regression.toml": 'epochs = 2\nloss = "mse"\n',
        "list.json": "[1, 2]\n",
        "broken.json": "{",
        "recipe.yaml": "epochs: 3\n",
        "quick.toml": QUICK,
        "wild.toml": plain(epochs=4, hidden_layer_sizes=(4,), learning_rate=1e300, optimizer="sgd").to_toml(),
        "text.taut": "this is no model\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "junk.csv").write_bytes(bytes(range(256)) * 20)
    (folder / "junk.parquet").write_bytes(b"PAR1" + bytes(range(256)) + b"PAR1")
    (folder / "latin.toml").write_bytes(b"# caf\xe9\n")
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.taut")


def write_bad_models(folder: Path, model: Path) -> None:
    whole = model.read_bytes()
    (folder / "cut.taut").write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile(folder / "zip.taut", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with zipfile.ZipFile(model) as old, zipfile.ZipFile(folder / "newer.taut", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "manifest.json":
                data = json.dumps({**json.loads(data), "format": 99}).encode()
            new.writestr(name, data)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `people.csv`, bad tables, recipes and models; tests write into folders of their own."""
    folder = tmp_path_factory.mktemp("tables")
    write_people(folder / "people.csv")
    write_bad_tables(folder)
    for model, target in (("people.taut", "label"), ("amounts.taut", "amount")):
        options = ["--recipe", folder / "quick.toml", "--model", folder / model, "--report", folder / "report.html"]
        options += ["--cv", "2", "--effort", "none", "--jobs", "1"]
        assert main(list(map(str, ["fit", folder / "people.csv", "--target", target, *options]))) == 0
    write_bad_models(folder, folder / "people.taut")
    return folder


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print as on a terminal of 80 columns, whatever the one that the tests run in."""
    monkeypatch.setenv("COLUMNS", "80")
