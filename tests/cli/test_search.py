"""`taut search`: the answer, what is kept on disk, and going on after an end that nobody planned."""

from __future__ import annotations

import json

import pytest

from taut.cli.main import main
from taut.storage import load


def search(tables, *words: str) -> int:
    quick = ["--recipe", str(tables / "quick.toml"), "--cv", "2", "--jobs", "1", "--effort", "8"]
    return main(["search", *words, *quick])


def test_search_says_the_answer_and_keeps_its_trials(tables, workplace, capsys):
    assert search(tables, "wine") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Of ")
    assert "the best is" in out
    assert "with a log loss of" in out
    assert "the loss rises without it by" in out
    assert "--effort quick would try some 24 settings." in out
    assert "trials: sqlite:///wine.search.db" in out
    assert [path.name for path in workplace.iterdir()] == ["wine.search.db"]


def test_search_goes_on_only_if_it_is_told_to(tables, workplace, capsys):
    assert search(tables, "wine", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert search(tables, "wine") == 2
    assert "holds a search; resume it, or choose another storage" in capsys.readouterr().err
    assert search(tables, "wine", "--resume", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["trials"] == first["trials"]
    assert search(tables, "wine", "--storage", "other.db") == 0


def test_search_saves_the_choice_of_the_rule(tables, workplace, capsys):
    people = str(tables / "people.csv")
    words = [people, "--target", "amount", "--rule", "1se", "--model", "chosen.taut", "--json"]
    assert search(tables, *words, "--group", "household", "--seed", "3") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["rule"], found["model"]) == ("regression", "1se", "chosen.taut")
    recipe = load("chosen.taut").recipe
    assert recipe.describe() == found["simplest"]["describe"]
    assert recipe.seed == 3
    assert {"name", "value", "worth", "error"} <= set(found["ingredients"][0]) if found["ingredients"] else True


def test_search_prices_the_choice_in_outer_folds(tables, workplace, capsys):
    assert search(tables, "iris", "--nested", "2", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert "optimism" in json.dumps(found["nested"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "soon"], "budget must be seconds, or such as '90s', '2m', '1h'; got 'soon'"),
        (["--budget", "1e-9s"], "too short to try a single setting"),
        (["--effort", "lazy"], "must be one of quick, standard, thorough; got 'lazy'"),
        (["--effort", "1"], "effort, if not a word, must be an integer at least 2, got 1"),
        (["--storage", "no/such/folder/x.db"], "storage 'no/such/folder/x.db' cannot be used"),
        (["--storage", "wine.csv"], "storage 'wine.csv' cannot be used"),
        (["--backend", "pigeon"], "backend 'pigeon' cannot be used"),
    ],
)
def test_bad_options_are_one_line(words, said, tables, workplace, capsys):
    (workplace / "wine.csv").write_text("a,b\n1,2\n")
    quick = ["--recipe", str(tables / "quick.toml"), "--cv", "2", "--jobs", "1"]
    assert main(["search", "wine", *quick, *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("taut: ")
    assert err.count("\n") == 1
    assert said in err
    assert (workplace / "wine.csv").read_text() == "a,b\n1,2\n"
