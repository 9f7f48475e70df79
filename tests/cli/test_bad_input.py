"""Bad input: what a person can get wrong, the one line that says so, and the exit code.

In the table `{}` stands for the folder of tables that `conftest.py` writes. Every case must leave stdout and the
current folder empty.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass

import pytest

from taut.cli.main import main

FIT = "fit {}/people.csv --target label --recipe {}/quick.toml --cv 2 --effort 4 --jobs 1"


@dataclass(frozen=True)
class Case:
    name: str
    command: str
    words: tuple[str, ...]  # all of them stand in the line
    code: int = 2


def case(name: str, command: str, *words: str, code: int = 2) -> Case:
    return Case(name, command, words, code)


FILES = [
    case("missing file", "fit {}/nowhere.csv --target label", "nowhere.csv: there is no such file"),
    case("missing folder", "fit nowhere/people.csv --target label", "nowhere/people.csv: there is no such file"),
    case("folder", "fit {} --target label", "this is a folder"),
    case("folder with a table's name", "fit {}/folder.csv --target label", "folder.csv: this is a folder"),
    case("empty file", "fit {}/empty.csv --target label", "empty.csv", "is empty"),
    case("header only", "fit {}/header.csv --target label", "header.csv", "column names but no rows"),
    case("bytes that are no text", "fit {}/junk.csv --target label", "junk.csv", "not text"),
    case("bytes that are no Parquet", "fit {}/junk.parquet --target label", "junk.parquet", "not a readable Parquet"),
    case("unknown kind of file", "fit {}/table.xyz --target label", "table.xyz", "cannot tell what kind of table"),
    case("row that is too long", "fit {}/ragged.csv --target label", "ragged.csv", "32"),
    case("row that is too short", "fit {}/short.csv --target label", "short.csv", "line 32 has 2 fields"),
    case("column name twice", "fit {}/twice.csv --target label", "more than one column is named 'age'"),
    case("unknown sample set", "fit wien", "no sample set 'wien'", "did you mean 'wine'?"),
    case("unknown sample set, nothing like it", "fit zzz", "no sample set 'zzz'", "breast_cancer, diabetes"),
    case("missing test file", "fit wine --test {}/nowhere.csv", "nowhere.csv: there is no such file"),
    case("test file without the columns", FIT + " --test {}/words.csv", "words.csv has no column 'label' (--target)"),
    case("test file with a class of its own", FIT + " --test {}/new_class.csv", "'perhaps' is not one of those"),
]

TARGETS = [
    case("no target", "fit {}/people.csv", "--target COLUMN", "age, city, joined"),
    case("target misspelled", "fit {}/people.csv --target Lable", "no column 'Lable'", "did you mean 'label'?"),
    case("target unlike any column", "fit {}/people.csv --target zzz", "no column 'zzz'", "its columns are age, city"),
    case("target without values", "fit {}/no_target.csv --target label", "no row has a value", "'label'"),
    case("target with one class", "fit {}/one_class.csv --target label --jobs 1", "one class", "'yes'"),
    case("target of essays", "fit {}/essay.csv --target label --jobs 1", "30 different words", "it is text"),
    case("target of dates", "fit {}/people.csv --target joined --jobs 1", "not a class"),
    case("infinite target", "fit {}/infinite_target.csv --target amount --jobs 1", "infinit"),
    case("regression on words", FIT + " --task regression", "numbers", "'label'"),
    case("classification of amounts", FIT.replace("label", "amount") + " --task classification", "use regression"),
    case("unknown task", FIT + " --task sorting", "--task", "'sorting'", "classification"),
]

ROWS_AND_COLUMNS = [
    case("one row", "fit {}/one_row.csv --target label --jobs 1", "1 row"),
    case("two rows", "fit {}/two_rows.csv --target label --jobs 1", "row"),
    case("more folds than rows", FIT.replace("--cv 2", "--cv 1000"), "1000", "48"),
    case(
        "no useful column",
        "fit {}/useless.csv --target label --cv 2 --jobs 1",
        "no column to learn from",
        "'age'",
        "'city'",
    ),
    case("infinite value", "fit {}/infinite.csv --target label --cv 2 --jobs 1", "'age'", "infinit"),
    case("group is the target", FIT + " --group label", "'label' cannot also be the group"),
    case("unknown group", FIT + " --group hosehold", "--group", "did you mean 'household'?"),
    case("unknown time", FIT + " --time zzz", "no column 'zzz' (--time)"),
    case("time that is no time", FIT + " --time city", "no date", "'Bern'"),
]

OPTIONS = [
    case("test size 0", FIT + " --test-size 0", "--test-size", "above 0 and below 1, got 0.0"),
    case("test size 1", FIT + " --test-size 1", "--test-size", "above 0 and below 1", "1.0"),
    case("test size below 0", FIT + " --test-size -1", "--test-size", "-1.0"),
    case("test size that is no number", FIT + " --test-size abc", "--test-size", "'abc'"),
    case("test size nan", FIT + " --test-size nan", "--test-size", "nan"),
    case("test size and test file", FIT + " --test-size 0.3 --test {}/people.csv", "either --test or --test-size"),
    case("one fold", FIT + " --cv 1", "--cv", "at least 2, got 1"),
    case("seed below 0", FIT + " --seed -1", "--seed", "at least 0, got -1"),
    case("seed that is no integer", FIT + " --seed 1.5", "--seed", "'1.5'"),
    case("seed larger than any number", FIT + " --seed 1" + 400 * "0", "--seed", "integer"),
    case("no threads", FIT + " --jobs 0", "--jobs", "at least 1, got 0"),
    case("unknown backend", FIT + " --backend nobody", "backend 'nobody' cannot be used"),
    case("unknown effort", FIT + " --effort much", "effort", "quick, standard, thorough", "'much'"),
    case("effort of no setting", FIT + " --effort 0", "effort", "at least 1, got 0"),
    case("budget that is no time", FIT + " --budget soon", "budget must be seconds, or such as '90s'", "'soon'"),
    case("budget of nothing", FIT + " --budget 0s", "budget", "above 0"),
    case("budget below 0", FIT + " --budget -3s", "budget", "above 0"),
    case("unknown rule", FIT + " --rule 2se", "--rule", "'2se'", "1se"),
    case("unknown final", FIT + " --final best", "--final", "'best'", "ensemble"),
    case("unknown option", FIT + " --targt x", "--targt", "--target", "taut fit --help"),
    case("option without its value", "fit wine --seed", "--seed", "requires an argument"),
    case("unknown command", "fti wine", "'fti'", "did you mean 'fit'?", "taut --help"),
    case("no data", "fit", "missing argument 'DATA'", "taut fit --help"),
    case("an argument too many", "fit wine iris", "unexpected extra argument", "iris"),
]

RECIPES = [
    case("missing recipe", "fit wine --recipe {}/nowhere.toml", "nowhere.toml", "cannot be read"),
    case("recipe that is a folder", "fit wine --recipe {}", "a recipe is a .toml or .json file"),
    case("recipe of unknown kind", "fit wine --recipe {}/recipe.yaml", "recipe.yaml", ".toml or .json"),
    case("invalid TOML", "fit wine --recipe {}/broken.toml", "broken.toml: the recipe is not valid TOML", "line 1"),
    case("invalid JSON", "fit wine --recipe {}/broken.json", "broken.json: the recipe is not valid JSON"),
    case("recipe that is a list", "fit wine --recipe {}/list.json", "list.json: a recipe", "[1, 2]"),
    case("recipe that is no text", "fit wine --recipe {}/latin.toml", "latin.toml", "UTF-8"),
    case("unknown field", "fit wine --recipe {}/unknown.toml", "unknown.toml: a recipe has no field 'epoch'", "epochs"),
    case("bad value", "fit wine --recipe {}/bad_value.toml", "bad_value.toml: dropout", "below 1", "1.5"),
    case("bad type", "fit wine --recipe {}/bad_type.toml", "bad_type.toml: epochs must be an integer", "'many'"),
    case("loss of the other task", "fit wine --recipe {}/regression.toml --jobs 1", "'mse' is not for classification"),
    case("loss that explodes", FIT.replace("quick", "wild"), "training diverged", "lower learning_rate", code=1),
]

OUTPUTS = [
    case("model in a missing folder", FIT + " --model no/x.taut", "--model no/x.taut", "there is no folder no"),
    case("report in a missing folder", FIT + " --report no/x.html", "--report no/x.html", "there is no folder no"),
    case("model that is a folder", FIT + " --model {}", "--model", "this is a folder"),
    case("model where nothing can be", FIT + " --model /dev/null/x.taut", "--model", "there is no folder /dev/null"),
    case("model over the table", FIT + " --model {}/people.csv", "would overwrite", "people.csv"),
    case("report over the recipe", FIT + " --report {}/quick.toml", "would overwrite", "quick.toml"),
    case("report over the model", FIT + " --model a.x --report a.x", "--report a.x", "would overwrite --model"),
    case("pipe as model", FIT + " --model {}/pipe.taut", "pipe.taut: this cannot be written"),
]

PREDICT = [
    case("missing model", "predict {}/nowhere.taut {}/people.csv", "nowhere.taut: there is no such file"),
    case("table as model", "predict {}/people.csv {}/people.csv", "people.csv: not a taut model"),
    case("text as model", "predict {}/text.taut {}/people.csv", "text.taut: not a taut model"),
    case("zip file that is no model", "predict {}/zip.taut {}/people.csv", "zip.taut: not a taut model", "manifest"),
    case("model cut off", "predict {}/cut.taut {}/people.csv", "cut.taut", "damaged or cut off"),
    case("model of a newer format", "predict {}/newer.taut {}/people.csv", "newer taut", "99", "update"),
    case("folder as model", "predict {} {}/people.csv", "this is a folder, not a taut model"),
    case("missing data", "predict {}/people.taut {}/nowhere.csv", "nowhere.csv: there is no such file"),
    case("empty data", "predict {}/people.taut {}/empty.csv", "empty.csv", "is empty"),
    case("missing column", "predict {}/people.taut {}/no_age.csv", "'age'"),
    case("no known column", "predict {}/people.taut {}/nothing_known.csv", "'age'", "'city'", "'joined'"),
    case("word among numbers", "predict {}/people.taut {}/words.csv", "'age' should hold numbers but has 'old'"),
    case("probabilities of a number", "predict {}/amounts.taut {}/people.csv --proba", "no class probabilities"),
    case("output of unknown kind", "predict {}/people.taut {}/people.csv -o out.xyz", "-o out.xyz", ".parquet"),
    case("output in a missing folder", "predict {}/people.taut {}/people.csv -o no/x.csv", "there is no folder no"),
    case("output over the data", "predict {}/people.taut {}/people.csv -o {}/people.csv", "would overwrite"),
    case("no model", "predict", "missing argument 'MODEL'", "taut predict --help"),
    case("show a missing model", "show nowhere.taut", "nowhere.taut: there is no such file"),
    case("show a model cut off", "show {}/cut.taut", "cut.taut", "damaged or cut off"),
]

COMPARE = [
    case("compare with an unknown backend", "compare wine --seeds 2 --backend nobody", "backend 'nobody' cannot be"),
    case("one seed", "compare wine --seeds 1", "--seeds", "at least 2, got 1"),
    case("negative strength", "compare wine --l2 -1", "--l2", "above 0, got -1"),
    case("strength nan", "compare wine --l1 nan", "--l1", "nan"),
    case("dropout of everything", "compare wine --dropout 1", "--dropout", "below 1"),
    case("compare without target", "compare {}/people.csv", "--target COLUMN"),
    case("compare a target without values", "compare {}/no_target.csv --target label", "no row has a value"),
    case("compare by the target", "compare {}/people.csv --target label --time label", "cannot also be"),
]

REPRODUCE = [
    case("unknown run", "reproduce spirl", "'spirl'", "did you mean 'spiral'?"),
    case("no epochs", "reproduce spiral --epochs 0", "--epochs", "at least 1, got 0"),
    case("half a unit", "reproduce spiral --units 0.5", "--units", "'0.5'"),
    case("negative L2", "reproduce spiral --l2 -1", "--l2", "at least 0", "-1"),
    case("learning rate 0", "reproduce spiral --lr 0", "--lr", "above 0"),
    case("learning rate nan", "reproduce spiral --lr nan", "--lr", "nan"),
    case("infinite decay", "reproduce spiral --decay inf", "--decay", "inf"),
    case("seed too large", "reproduce spiral --seed 4294967296", "--seed", "4294967296"),
    case("learning rate that explodes", "reproduce spiral --lr 1e300 --json", "the loss became", "lower", code=1),
]

CASES = [*FILES, *TARGETS, *ROWS_AND_COLUMNS, *OPTIONS, *RECIPES, *OUTPUTS, *PREDICT, *COMPARE, *REPRODUCE]
IN_A_PROCESS = [
    one
    for one in CASES
    if one.name
    in {
        "missing file",
        "unknown command",
        "unknown option",
        "one class",
        "model cut off",
        "learning rate that explodes",
    }
]


def arguments_of(one: Case, tables) -> list[str]:
    return [word.replace("{}", str(tables)) for word in shlex.split(one.command)]


def check(one: Case, code: int, out: str, err: str) -> None:
    assert err.startswith("taut: "), err
    assert err.count("\n") == 1, err
    assert err.endswith("\n"), err
    assert "bug" not in err
    for word in one.words:
        assert word in err
    assert (code, out) == (one.code, "")


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_bad_input_is_one_line_and_an_exit_code(one, tables, workplace, capsys):
    before = sorted(tables.iterdir())
    code = main(arguments_of(one, tables))
    check(one, code, *capsys.readouterr())
    assert list(workplace.iterdir()) == []
    assert sorted(tables.iterdir()) == before


@pytest.mark.parametrize("one", IN_A_PROCESS, ids=lambda one: one.name)
def test_bad_input_is_the_same_for_a_process(one, tables, workplace):
    command = [sys.executable, "-c", "import sys; from taut.cli.main import main; sys.exit(main())"]
    finished = subprocess.run([*command, *arguments_of(one, tables)], capture_output=True, text=True, timeout=180)
    check(one, finished.returncode, finished.stdout, finished.stderr)
    assert list(workplace.iterdir()) == []


def test_names_of_cases_are_distinct_and_there_are_enough():
    assert len({one.name for one in CASES}) == len(CASES) >= 40
