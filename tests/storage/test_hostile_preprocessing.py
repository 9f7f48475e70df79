"""Preprocessing that is damaged, or made to do harm: it is refused in one line, and nothing of it is run."""

from __future__ import annotations

import io
import json
import operator
import os
import struct
import zipfile
from functools import partial

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.storage.spoiling import (
    assert_refused,
    attributes,
    edited,
    members_of,
    node,
    replaced,
    sealed,
    with_arrays,
    with_attribute,
    with_attributes,
    with_tree,
    zipped,
)

from taut import ModelFileError
from taut.storage import load

HARM = "touch taut_was_harmed"
REDUCED = node(
    "ConstructorFromReduceNode",
    "subprocess",
    "Popen",
    content=node("TupleNode", "builtins", "tuple", content=[node("JsonNode", "builtins", "str", content=f'"{HARM}"')]),
)
JUST_A_LIST = {**node("ListNode", "builtins", "list", content=[]), "protocol": 2, "_skops_version": "0.16.0"}
JUST_A_SCALER = skops.io.dumps(StandardScaler().fit([[1.0], [2.0]]))


def array_of_shape(shape: str) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(88)


def rename(content: dict, old: str, new: str) -> None:
    content[new] = content.pop(old)


def pickled_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def inner_zip_bomb(good: bytes) -> bytes:
    members = members_of(good)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("schema.json", b" " * 30_000_000)
    return sealed({**members, "preprocessing.skops": buffer.getvalue()})


WORD = node("JsonNode", "builtins", "str", content='"harm"')
CASES = {
    "no skops": (replaced("preprocessing.skops", b"harm"), "preprocessing.skops: not a taut model, nor any other zip"),
    "a scaler alone": (
        replaced("preprocessing.skops", JUST_A_SCALER),
        "preprocessing.skops: objects refer to each other",
    ),
    "os.system as a function": (
        replaced("preprocessing.skops", skops.io.dumps(FunctionTransformer(os.system))),
        "preprocessing.skops: holds a 'sklearn.preprocessing._function_transformer.FunctionTransformer', which no",
    ),
    "os.system as an attribute": (
        with_attribute("scaler_", node("FunctionNode", "os", "system")),
        "preprocessing.skops: holds a 'os.system', which no encoder is made of ('FunctionNode'); do not trust it",
    ),
    "os.system as a type": (
        with_attribute("scaler_", node("TypeNode", "os", "system")),
        "preprocessing.skops: holds a 'os.system', which no encoder is made of ('TypeNode'); do not trust it",
    ),
    "os.system as a container": (
        with_attribute("scaler_", node("ListNode", "os", "system", content=[])),
        "preprocessing.skops: holds a 'os.system', which no encoder is made of ('ListNode'); do not trust it",
    ),
    "a method caller": (
        replaced("preprocessing.skops", skops.io.dumps(operator.methodcaller("fit", 1))),
        "preprocessing.skops: holds a 'operator.methodcaller', which no encoder is made of",
    ),
    "a partial": (
        replaced("preprocessing.skops", skops.io.dumps(partial(print, HARM))),
        "preprocessing.skops: holds a 'functools.partial', which no encoder is made of",
    ),
    "a call of a constructor": (
        with_attribute("scaler_", REDUCED),
        "preprocessing.skops: holds a 'subprocess.Popen', which no encoder is made of ('ConstructorFromReduceNode')",
    ),
    "a bound method": (
        with_attribute("scaler_", node("MethodNode", "taut.data.columns", "TableEncoder", content={"func": "fit"})),
        "preprocessing.skops: holds a 'taut.data.columns.TableEncoder', which no encoder is made of ('MethodNode')",
    ),
    "a ufunc that skops trusts": (
        with_attribute("scaler_", node("FunctionNode", "numpy", "exp")),
        "preprocessing.skops: holds a 'numpy.exp', which no encoder is made of",
    ),
    "an estimator that skops trusts": (
        with_attribute("scaler_", node("ObjectNode", "sklearn.svm._classes", "SVC", content=None)),
        "preprocessing.skops: holds a 'sklearn.svm._classes.SVC', which no encoder is made of",
    ),
    "a loader that does not exist": (
        with_attribute("scaler_", node("HarmNode", "builtins", "dict")),
        "preprocessing.skops: holds a 'builtins.dict', which no encoder is made of ('HarmNode')",
    ),
    "a reference": (
        with_attribute("scaler_", node("ListNode", "builtins", "list", content=[], __id__=1)),
        "preprocessing.skops: objects refer to each other by number, as taut writes none",
    ),
    "a newer protocol": (
        with_tree(lambda tree, _: tree.update(protocol=99)),
        "preprocessing.skops cannot be rebuilt (The file was saved with skops protocol 99",
    ),
    "an array of objects": (
        with_arrays(lambda inner: inner.update({"0.npy": pickled_array()})),
        "preprocessing.skops: the array '0.npy' is damaged, or of a type that no encoder has",
    ),
    "an array that claims to be huge": (
        with_arrays(lambda inner: inner.update({"0.npy": array_of_shape("9999999999999,")})),
        "preprocessing.skops: the array '0.npy' has another length than it says",
    ),
    "an array whose shape is a formula": (
        with_arrays(lambda inner: inner.update({"0.npy": array_of_shape("10**9,")})),
        "preprocessing.skops: the array '0.npy' is damaged, or of a type that no encoder has",
    ),
    "an array that is too short": (
        with_arrays(lambda inner: inner.update({"0.npy": inner["0.npy"][:-1]})),
        "preprocessing.skops: the array '0.npy' has another length than it says",
    ),
    "one array read twice": (
        with_tree(lambda tree, inner: attributes(tree)["fills_"].update(file="1.npy") or inner.pop("0.npy")),
        "preprocessing.skops: two arrays are read from one member",
    ),
    "a missing array": (
        with_arrays(lambda inner: inner.pop("0.npy")),
        "preprocessing.skops: the member '0.npy' is missing",
    ),
    "an array too many": (
        with_arrays(lambda inner: inner.update({"harm.npy": b""})),
        "preprocessing.skops: the member 'harm.npy' is unknown",
    ),
    "no tree": (
        with_arrays(lambda inner: inner.pop("schema.json")),
        "preprocessing.skops: the member 'schema.json' is missing",
    ),
    "a bomb in the inner zip": (inner_zip_bomb, "preprocessing.skops: the member 'schema.json' unpacks 29"),
    "another object where the encoder belongs": (
        replaced("preprocessing.skops", zipped({"schema.json": json.dumps(JUST_A_LIST).encode()})),
        "preprocessing.skops should hold a TableEncoder, not a list",
    ),
    "a missing attribute": (
        with_attributes(lambda values: values.pop("names_")),
        "preprocessing.skops cannot be rebuilt ('TableEncoder' object has no attribute 'names_')",
    ),
    "a word where a reader belongs": (
        with_attributes(lambda values: values["readers_"]["content"].__setitem__(0, WORD)),
        "preprocessing.skops cannot be rebuilt (a str stands where a NumberReader belongs)",
    ),
    "a list where the scaler belongs": (
        with_attributes(
            lambda values: values.update(scaler_=node("ListNode", "builtins", "list", content=[values["scaler_"]]))
        ),
        "preprocessing.skops cannot be rebuilt (a list stands where a StandardScaler belongs)",
    ),
    "a type where the positions belong": (
        with_attribute("positions_", node("TypeNode", "builtins", "int")),
        "its parts do not fit together (",
    ),
    "an encoder of another width": (
        edited("network.json", "layers", 0, {"kind": "dropout", "rate": 0.5}),
        "weights.safetensors holds '0.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_file_is_refused_in_one_line(case, model_bytes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spoil, message = CASES[case]
    bad = spoil(model_bytes)
    assert bad != model_bytes
    assert_refused(bad, message, tmp_path / "bad.taut")


def test_files_are_taken_apart_and_sealed_again_without_harm(model_bytes, frame, tmp_path):
    # What the cases do to a file must not by itself make it a bad one.
    (tmp_path / "a.taut").write_bytes(with_arrays(len)(model_bytes))
    assert load(tmp_path / "a.taut").predict(frame).shape == (len(frame),)


def test_other_version_of_scikit_learn_is_no_obstacle_by_itself(model, model_bytes, frame, tmp_path):
    def age(values):
        attributes(values["scaler_"])["_sklearn_version"]["content"] = '"1.2.0"'

    (tmp_path / "a.taut").write_bytes(
        edited("manifest.json", "versions", "scikit-learn", "1.2.0")(with_attributes(age)(model_bytes))
    )
    assert load(tmp_path / "a.taut").predict(frame).tolist() == model.predict(frame).tolist()


def test_preprocessing_that_another_version_cannot_use_says_which_to_install(model_bytes, tmp_path):
    broken = with_attributes(lambda values: rename(attributes(values["scaler_"]), "scale_", "spread_"))(model_bytes)
    (tmp_path / "a.taut").write_bytes(edited("manifest.json", "versions", "scikit-learn", "1.2.0")(broken))
    with pytest.raises(ModelFileError) as caught:
        load(tmp_path / "a.taut")
    assert str(caught.value).endswith("made with other libraries: if it should load, install scikit-learn==1.2.0")
