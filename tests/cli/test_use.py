"""`taut predict` and `taut show`: a model file in use."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from taut import Dense, Ensemble, Network, Recipe, TautClassifier, TautRegressor, save
from taut.cli.main import main
from taut.storage import load
from taut.training import fit_model


@pytest.fixture
def people(tables) -> pd.DataFrame:
    return pd.read_csv(tables / "people.csv")


def predict(tables, frame: pd.DataFrame, capsys, *options: str, model: str = "people.taut") -> pd.DataFrame:
    """Return what `taut predict` prints for a table that was written to a file."""
    frame.to_csv("new.csv", index=False)
    assert main(["predict", str(tables / model), "new.csv", *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return pd.read_csv(io.StringIO(out))


def test_predict_prints_what_the_model_predicts(tables, people, workplace, capsys):
    found = predict(tables, people, capsys)
    assert list(found.columns) == ["prediction"]
    assert found["prediction"].tolist() == load(tables / "people.taut").predict(people).tolist()


def test_predicted_numbers_are_printed_to_ten_digits(tables, people, workplace, capsys):
    found = predict(tables, people, capsys, model="amounts.taut")
    expected = load(tables / "amounts.taut").predict(people)
    assert np.unique(expected).size > 10
    assert found["prediction"].tolist() == [float(f"{value:.10g}") for value in expected]


def test_predict_with_proba_prints_a_column_a_class(tables, people, workplace, capsys):
    found = predict(tables, people, capsys, "--proba")
    assert list(found.columns) == ["probability_no", "probability_yes"]
    np.testing.assert_allclose(found, load(tables / "people.taut").predict_proba(people), rtol=1e-9)


def test_predict_takes_columns_in_any_order_more_of_them_and_none_of_the_target(tables, people, workplace, capsys):
    expected = predict(tables, people, capsys)
    other = people[people.columns[::-1]].drop(columns="label").assign(more=1)
    assert predict(tables, other, capsys).equals(expected)


def test_predict_takes_categories_it_has_not_seen_and_gaps_and_says_so(tables, people, workplace, capsys):
    people.assign(city="Atlantis", age=np.nan).to_csv("strange.csv", index=False)
    command = ["predict", str(tables / "people.taut"), "strange.csv"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert pd.read_csv(io.StringIO(out))["prediction"].isin(["yes", "no"]).all()
    notes = err.splitlines()
    assert len(notes) == 2
    assert all(note.startswith("taut: note: Column '") for note in notes)
    assert main([*command, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [f"taut: note: {note}" for note in json.loads(out)["notes"]] == notes


@pytest.mark.parametrize("options", [[], ["--proba"]])
def test_predict_of_no_rows_is_a_header(tables, people, workplace, capsys, options):
    found = predict(tables, people.head(0), capsys, *options)
    assert len(found) == 0
    assert list(found.columns) == (["probability_no", "probability_yes"] if options else ["prediction"])


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".CSV"])
def test_predict_writes_the_kind_of_file_that_its_name_says(tables, people, workplace, capsys, suffix):
    expected = predict(tables, people, capsys, "--proba")
    assert main(["predict", str(tables / "people.taut"), "new.csv", "--proba", "-o", f"out{suffix}"]) == 0
    assert capsys.readouterr().out == f"60 predictions in out{suffix}\n"
    readers = {".csv": pd.read_csv, ".tsv": lambda path: pd.read_csv(path, sep="\t"), ".parquet": pd.read_parquet}
    found = readers[suffix.lower()](workplace / f"out{suffix}")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9)
    assert (found.to_numpy() == expected.to_numpy()).all() == (suffix != ".parquet")  # which has every digit
    assert sorted(path.name for path in workplace.iterdir()) == sorted(["new.csv", f"out{suffix}"])


def test_predict_with_json_prints_rows_or_where_they_are(tables, people, workplace, capsys):
    people.head(3).to_csv("new.csv", index=False)
    command = ["predict", str(tables / "people.taut"), "new.csv", "--json"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["columns"], found["output"]) == (3, ["prediction"], None)
    assert [set(row) for row in found["predictions"]] == [{"prediction"}] * 3
    assert main([*command, "-o", "out.csv"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["output"] == "out.csv"
    assert "predictions" not in found


def test_predict_keeps_the_old_file_when_the_disk_is_full(tables, people, workplace, capsys, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("taut.files.replace_file", full)
    (workplace / "out.csv").write_text("old")
    assert main(["predict", str(tables / "people.taut"), str(tables / "people.csv"), "-o", "out.csv"]) == 1
    assert capsys.readouterr() == ("", "taut: out.csv: No space left on device\n")
    assert (workplace / "out.csv").read_text() == "old"


@pytest.fixture
def estimator(people, workplace) -> TautClassifier:
    estimator = TautClassifier(effort="none", hidden_layer_sizes=(3,), epochs=2)
    estimator.fit(people[["age", "city"]], people["label"])
    save(estimator, "estimator.taut")
    return estimator


def test_saved_estimator_predicts_and_is_shown(people, estimator, workplace, capsys):
    assert predict(workplace, people, capsys, model="estimator.taut")["prediction"].tolist() == list(
        estimator.predict(people[["age", "city"]])
    )
    assert main(["show", "estimator.taut"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("estimator.taut: classification (")
    assert "hidden_layer_sizes = 3" in out


def test_bare_network_is_shown_but_cannot_predict(tables, workplace, capsys):
    save(Network([Dense(3)]).build(n_inputs=2), "bare.taut")
    assert main(["show", "bare.taut"]) == 0
    assert "9 parameters, 2 inputs, float64" in capsys.readouterr().out
    assert main(["predict", "bare.taut", str(tables / "people.csv")]) == 2
    assert "bare.taut: this is a bare network" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------------- ensembles


@pytest.fixture(params=["label", "amount"])
def ensemble(people, workplace, request) -> Ensemble:
    """Return an ensemble of three networks, each fitted to four fifths of the rows, that lies in `folds.taut`."""
    task = "classification" if request.param == "label" else "regression"
    recipe, X, y = Recipe(hidden_layer_sizes=(3,), epochs=2), people[["age", "city"]].copy(), people[request.param]
    X.loc[0, "age"] = np.nan  # a gap that the first network does not see, and so has an input less
    parts = [people.index % 5 != fold for fold in range(3)]
    ensemble = Ensemble(tuple(fit_model(recipe, X[part], y[part], task=task) for part in parts))
    save(ensemble, "folds.taut")
    return ensemble


def test_predict_prints_what_an_ensemble_predicts(ensemble, people, workplace, capsys):
    found = predict(workplace, people, capsys, model="folds.taut")["prediction"].tolist()
    expected = ensemble.predict(people)
    if ensemble.task == "regression":
        assert found == [float(f"{value:.10g}") for value in expected]
        assert main(["predict", "folds.taut", "new.csv", "--proba"]) == 2
        assert "--proba: a regression model has no class probabilities" in capsys.readouterr().err
    else:
        assert found == expected.tolist()
        probabilities = predict(workplace, people, capsys, "--proba", model="folds.taut")
        assert list(probabilities.columns) == ["probability_no", "probability_yes"]
        np.testing.assert_allclose(probabilities, ensemble.predict_proba(people), rtol=1e-9)


def test_predict_by_an_ensemble_notes_each_odd_column_once(ensemble, people, workplace, capsys):
    people.assign(city="Atlantis", age=900 + people["age"]).to_csv("strange.csv", index=False)
    assert main(["predict", "folds.taut", "strange.csv"]) == 0
    notes = capsys.readouterr().err.splitlines()
    assert [note.split()[:4] for note in notes] == [["taut:", "note:", "Column", name] for name in ("'age'", "'city'")]


def test_show_says_how_many_inputs_are_components(tmp_path, capsys):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 3))
    save(TautRegressor(effort="none", epochs=1).fit(X, X[:, 0]), tmp_path / "alike.taut")
    assert main(["show", str(tmp_path / "alike.taut")]) == 0
    assert "3 columns, 5 inputs, 2 of them principal components of all numbers" in capsys.readouterr().out


def test_show_says_how_many_networks_an_ensemble_has_and_shows_the_first(ensemble, workplace, capsys):
    assert main(["show", "folds.taut"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"folds.taut: {ensemble.task}, an ensemble of 3 networks (")
    out = "\n".join(lines)
    assert "hidden_layer_sizes = 3" in out
    assert "2 columns, 4 inputs" in out
    assert "The first of 3 networks" in lines
    first = ensemble.models[0].network
    assert first.n_inputs < ensemble.models[1].network.n_inputs
    assert f"{first.theta.size} parameters, {first.n_inputs} inputs, float64" in out
    save(Ensemble(ensemble.models[:1]), "one.taut")
    assert main(["show", "one.taut"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"one.taut: {ensemble.task}, an ensemble of 1 network (")
    assert "Network" in lines


def test_show_with_json_holds_how_many_networks_there_are_and_the_first(ensemble, workplace, capsys):
    assert main(["show", "folds.taut", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["n_models"], found["task"]) == ("ensemble", 3, ensemble.task)
    assert found["recipe"]["hidden_layer_sizes"] == [3]
    assert found["network"] == ensemble.models[0].network.to_spec()
    assert [column["name"] for column in found["columns"]] == ["age", "city"]
    assert "models/2/weights.safetensors" in found["sizes"]


def test_damaged_ensemble_is_one_line(ensemble, people, workplace, capsys):
    data = (workplace / "folds.taut").read_bytes()
    (workplace / "folds.taut").write_bytes(data[: len(data) // 2])
    people.to_csv("new.csv", index=False)
    for command in (["show", "folds.taut"], ["predict", "folds.taut", "new.csv"]):
        assert main(command) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("taut: folds.taut: the file is damaged or cut off (")
        assert err.count("\n") == 1


# ---------------------------------------------------------------------------------------------------------------- show


def test_show_says_scores_recipe_columns_network_and_versions(tables, capsys):
    assert main(["show", str(tables / "people.taut")]) == 0
    out = capsys.readouterr().out
    assert "classification of label, fitted to" in out
    assert "2 classes: no, yes" in out
    assert "The chosen network (" in out
    assert "unregularized network" in out
    assert "epochs = " in out
    assert "activation = relu" in out
    assert "Bern, Lima, Oslo" in out
    assert "20 to 66" in out
    assert "layer  kind" in out
    assert "numpy " in out.splitlines()[-1]


def test_show_with_json_holds_everything(tables, capsys):
    assert main(["show", str(tables / "people.taut"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["n_models"]) == ("model", 1)
    assert found["recipe"]["hidden_layer_sizes"] == [4]
    assert [column["name"] for column in found["columns"]] == ["age", "city", "joined", "household", "amount"]
    assert found["summary"]["entries"][0]["name"] == "chosen network"
    assert found["network"][0]["kind"] == "dense"
    assert found["versions"]["taut"]


def test_show_tells_which_recipes_most_of_the_answer_comes_from(people, workplace, capsys):
    X, y = people[["age", "city"]], people["label"]
    recipes = [Recipe(epochs=1, hidden_layer_sizes=(width,)) for width in range(2, 14)]
    models = tuple(fit_model(recipe, X, y, task="classification") for recipe in recipes)
    save(Ensemble(models, weights=(*[1.0] * 11, 9.0), temperature=1.5), "mixed.taut")
    assert main(["show", "mixed.taut"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "an ensemble of 12 networks at temperature 1.5" in lines[0]
    start = lines.index("12 recipes, by their share of the answer")
    assert lines[start + 1].split() == ["45%", "hidden_layer_sizes", "13"]
    assert lines[start + 11].split() == ["10%", "2", "more"]
    assert "  hidden_layer_sizes = 13" in lines
    assert main(["show", "mixed.taut", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["recipe"] == found["shares"][0]["recipe"] == recipes[-1].to_dict()
    assert (found["temperature"], found["shares"][0]["share"]) == (1.5, 0.45)
