"""Documents and weights that are damaged, or made to do harm: refused in one line, however right the checksums."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from tests.storage.spoiling import (
    assert_refused,
    edited,
    replaced,
    with_member,
    with_weights,
)

from taut import ModelFileError, TautClassifier
from taut.storage import inspect, load, save

BRACKETS = 100_000
DOCUMENTS = {
    "a newer format": (
        edited("manifest.json", "format", 3),
        "made by a newer taut (format 3, this version reads up to 1): update taut",
    ),
    "a newer format with other members": (
        lambda good: with_member("future.bin")(edited("manifest.json", "format", 2)(good)),
        "made by a newer taut (format 2, this version reads up to 1): update taut",
    ),
    "format 0": (edited("manifest.json", "format", 0), "manifest.json: there is no format 0"),
    "a format that is no number": (
        edited("manifest.json", "format", "1"),
        "manifest.json: 'format' should be int, not str",
    ),
    "no format": (edited("manifest.json", "format", ...), "manifest.json lacks the field 'format'"),
    "an unknown kind of model": (
        edited("manifest.json", "kind", "forest"),
        "manifest.json: unknown kind of model 'forest'; if a newer taut made it, update taut",
    ),
    "a list of members that is another": (
        edited("manifest.json", "members", "recipe.json", ...),
        "manifest.json lists other members than there are",
    ),
    "checksums that are no strings": (
        edited("manifest.json", "members", "recipe.json", 1),
        "manifest.json: versions and checksums should be strings",
    ),
    "JSON cut off": (replaced("recipe.json", b'{"seed": '), "recipe.json is not valid JSON ("),
    "JSON that is no text": (replaced("recipe.json", b"\xff\xfe"), "recipe.json is not valid JSON ("),
    "a list where an object belongs": (replaced("recipe.json", b"[]"), "recipe.json should hold an object, not a list"),
    "a tower of brackets": (
        replaced("history.json", b"[" * BRACKETS + b"]" * BRACKETS),
        "history.json is not valid JSON (maximum recursion depth exceeded",
    ),
    "a lower tower of brackets": (
        replaced("history.json", b'{"a":' * 200 + b"1" + b"}" * 200),
        "history.json is nested too deep",
    ),
    "NaN": (replaced("recipe.json", b'{"l2": NaN}'), "recipe.json is not valid JSON (it holds NaN)"),
    "a number too large": (
        replaced("recipe.json", b'{"l2": 1e999}'),
        "recipe.json is not valid JSON (it holds the number 1e999, which is too large)",
    ),
    "an integer of a million digits": (
        replaced("recipe.json", b'{"seed": ' + b"9" * 1_000_000 + b"}"),
        "recipe.json is not valid JSON (Exceeds the limit",
    ),
    "a field twice": (replaced("recipe.json", b'{"seed": 1, "seed": 2}'), "recipe.json has a field twice"),
    "an unknown tag": (replaced("recipe.json", b'{"seed": {"$call": 1}}'), "recipe.json has an unknown field '$call'"),
    "a field of the recipe nobody knows": (
        edited("recipe.json", "harm", 1),
        "recipe.json is no recipe (",
    ),
    "a setting that is not finite": (
        edited("recipe.json", "l2", {"$float": "nan"}),
        "recipe.json is no recipe (l2 must be a number at least 0, got nan)",
    ),
    "a setting of a wrong type": (edited("recipe.json", "epochs", "all"), "recipe.json is no recipe (epochs must be"),
    "an unknown task": (
        edited("schema.json", "task", "magic"),
        "schema.json: 'task' should be one of classification, regression, not 'magic'",
    ),
    "the other task": (edited("schema.json", "task", "regression"), "schema.json is no schema (not the targets of"),
    "one class": (
        edited("schema.json", "targets", "classes", ["no"]),
        "schema.json is no schema (a classifier has two classes or more",
    ),
    "a class twice": (
        edited("schema.json", "targets", "classes", ["no", "no", "yes"]),
        "schema.json is no schema (a class stands twice)",
    ),
    "classes that are lists": (
        edited("schema.json", "targets", "classes", [["no"], {}, "yes"]),
        "schema.json is no schema (the classes are not strings, numbers or booleans of one type)",
    ),
    "a class too few": (
        edited("schema.json", "targets", "classes", ["no", "yes"]),
        "its parts do not fit together (network.json has 3 outputs for 2 classes)",
    ),
    "a column described otherwise": (
        edited("schema.json", "columns", 0, "treatment", "left as it is"),
        "its parts do not fit together (schema.json and preprocessing.skops describe different columns)",
    ),
    "a column of an unknown kind": (
        edited("schema.json", "columns", 0, "kind", "magic"),
        "schema.json is no schema (kind of column 'size' must be one of",
    ),
    "a range of dates that ends nowhere": (
        edited("schema.json", "columns", 5, "minimum", "long ago"),
        "schema.json is no schema (the range of column 'day', a date, cannot end at 'long ago')",
    ),
    "a range of dates that ends at no date": (
        edited("schema.json", "columns", 5, "maximum", "NaT"),
        "schema.json is no schema (the range of column 'day', a date, cannot end at 'NaT')",
    ),
    "a range of dates that ends at a number": (
        edited("schema.json", "columns", 5, "maximum", 20240101),
        "schema.json is no schema (the range of column 'day', a date, cannot end at 20240101)",
    ),
    "a range of numbers that ends at a word": (
        edited("schema.json", "columns", 0, "minimum", "2024-01-01"),
        "schema.json is no schema (the range of column 'size', a number, cannot end at '2024-01-01')",
    ),
    "a column whose name is a number": (
        edited("schema.json", "columns", 0, "name", 3),
        "schema.json is no schema (ColumnSchema: 'name' cannot be 3)",
    ),
    "a history of unequal columns": (
        edited("history.json", "columns", "loss", [1.0]),
        "history.json is no history (the columns of a history must be equally long)",
    ),
    "a history of words": (edited("history.json", "columns", "loss", ["a", "b", "c"]), "history.json is no history ("),
    "an average of nothing": (
        edited("history.json", "state", "averaged", 0),
        "history.json: 'averaged' should be at least 1, not 0",
    ),
    "an average that is not there": (
        edited("history.json", "state", "averaged", 5),
        "its parts do not fit together (optimizer.safetensors holds no average of ",
    ),
    "an average of a fractional number of states": (
        edited("history.json", "state", "averaged", 1.5),
        "history.json: 'averaged' should be int, not float",
    ),
    "a state of training that is none": (
        edited("history.json", "state", "step", 1.5),
        "history.json: 'step' should be int, not float",
    ),
}

NETWORK = {
    "an unknown layer": (
        edited("network.json", "layers", 1, {"kind": "os.system"}),
        "network.json describes no network (not a known kind: {'kind': 'os.system'})",
    ),
    "a layer that is an optimizer": (
        edited("network.json", "layers", 1, {"kind": "adam"}),
        "network.json describes no network ('adam' is not a Layer)",
    ),
    "an unknown setting": (
        edited("network.json", "layers", 1, "harm", 1),
        "network.json describes no network ('relu' has no setting ",
    ),
    "an initializer that is a penalty": (
        edited("network.json", "layers", 0, "initializer", {"kind": "l2", "lam": 1.0}),
        "network.json describes no network (initializer must be an initializer such as HeNormal(), got L2(lam=1.0))",
    ),
    "a setting that is a word": (
        edited("network.json", "layers", 1, {"kind": "leaky_relu", "slope": "steep"}),
        "network.json describes no network (slope must be a number at least 0, got 'steep')",
    ),
    "no layers": (edited("network.json", "layers", []), "network.json describes no network (a network needs at least"),
    "absurdly many inputs": (
        edited("network.json", "n_inputs", 10**12),
        "weights.safetensors: '0.weights' should be float64 of shape (1000000000000, 6), not float64 of (",
    ),
    "absurdly many units": (
        edited("network.json", "layers", 0, "units", 10**15),
        "weights.safetensors: '0.weights' should be float64 of shape (",
    ),
    "a field nobody knows": (edited("network.json", "harm", 1), "network.json has an unknown field 'harm'"),
    "no inputs": (
        edited("network.json", "n_inputs", 0),
        "network.json describes no network ('n_inputs' should be at least 1, not 0)",
    ),
    "a type nobody computes in": (
        edited("network.json", "dtype", "object"),
        "network.json: 'dtype' should be one of float32, float64, not 'object'",
    ),
    "the other type": (
        edited("network.json", "dtype", "float32"),
        "weights.safetensors: '0.weights' should be float32 of shape (",
    ),
    "no loss": (edited("network.json", "loss", None), "network.json names no loss"),
    "a loss for numbers": (
        edited("network.json", "loss", {"kind": "mse"}),
        "its parts do not fit together (the loss MeanSquaredError is not for such targets)",
    ),
    "a loss for two classes": (
        edited("network.json", "loss", "class_weight", [1.0, 2.0]),
        "its parts do not fit together (class_weight has 2 weights for 3 classes)",
    ),
    "weights that are no safetensors": (
        replaced("weights.safetensors", b"\x80\x04harm."),
        "weights.safetensors is damaged (",
    ),
    "weights whose header lies": (
        replaced("weights.safetensors", struct.pack("<Q", 2**60) + b"{}"),
        "weights.safetensors is damaged (",
    ),
    "weights that are missing": (with_weights(lambda w: w.pop("2.biases")), "weights.safetensors lacks '2.biases'"),
    "weights too many": (
        with_weights(lambda w: w.update({"7.weights": np.zeros(2)})),
        "weights.safetensors holds '7.weights', which belongs to no layer",
    ),
    "weights of a wrong shape": (
        with_weights(lambda w: w.update({"2.biases": np.zeros(4)})),
        "weights.safetensors: '2.biases' should be float64 of shape (3,), not float64 of (4,)",
    ),
    "weights of a wrong type": (
        with_weights(lambda w: w.update({"2.biases": np.zeros(3, dtype=np.int64)})),
        "weights.safetensors: '2.biases' should be float64 of shape (3,), not int64 of (3,)",
    ),
    "weights that are not finite": (
        with_weights(lambda w: w.update({"2.biases": np.array([0.0, np.nan, 0.0])})),
        "weights.safetensors: '2.biases' holds values that are not finite",
    ),
    "the memory of another optimizer": (
        edited("recipe.json", "optimizer", "sgd"),
        "its parts do not fit together (optimizer.safetensors is not of sgd with ",
    ),
}

CASES = {**DOCUMENTS, **NETWORK}


@pytest.mark.parametrize("case", CASES)
def test_bad_file_is_refused_in_one_line(case, model_bytes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spoil, message = CASES[case]
    bad = spoil(model_bytes)
    assert bad != model_bytes
    assert_refused(bad, message, tmp_path / "bad.taut")


@pytest.mark.parametrize("case", ["a newer format", "JSON cut off", "an unknown task"])
def test_inspection_refuses_what_it_reads(case, model_bytes, tmp_path):
    spoil, message = DOCUMENTS[case]
    (tmp_path / "bad.taut").write_bytes(spoil(model_bytes))
    with pytest.raises(ModelFileError) as caught:
        inspect(tmp_path / "bad.taut")
    assert message in str(caught.value)


@pytest.fixture(scope="module")
def classifier_bytes(tmp_path_factory):
    x = np.random.default_rng(0).normal(size=(30, 2))
    path = tmp_path_factory.mktemp("classifier") / "a.taut"
    save(TautClassifier(effort="none", epochs=1, hidden_layer_sizes=(3,)).fit(x, x[:, 0] > 0), path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            edited("parameters.json", "harm", 1),
            "are not the parameters of a classifier (TautClassifier has no parameter",
        ),
        (edited("manifest.json", "kind", "regressor"), "schema.json: a regressor cannot be for classification"),
        (edited("manifest.json", "kind", "model"), "it holds 'parameters.json', which a model does not consist of"),
        (
            edited("parameters.json", "l2", {"$kind": {"kind": "harm"}}),
            "parameters.json is not valid JSON (not a known",
        ),
    ],
)
def test_bad_file_of_an_estimator_is_refused_in_one_line(spoil, message, classifier_bytes, tmp_path):
    (tmp_path / "a.taut").write_bytes(spoil(classifier_bytes))
    with pytest.raises(ModelFileError) as caught:
        load(tmp_path / "a.taut")
    assert message in str(caught.value)
