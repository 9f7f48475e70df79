"""Ensembles in model files: each model comes back bit by bit, and what does not belong together is refused."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.storage.spoiling import assert_refused, edited, members_of, replaced, sealed, with_member, zipped

from taut import Ensemble, ModelFileError, TautClassifier
from taut.estimators.base import keep_model
from taut.storage import contents, inspect, load, model_file, save

DOCUMENTS = [
    "recipe.json",
    "schema.json",
    "history.json",
    "optimizer.safetensors",
    "preprocessing.skops",
    "network.json",
    "weights.safetensors",
]
LABELS = {
    "words": lambda codes: np.array(["no", "maybe", "yes"])[codes],
    "integers": lambda codes: codes * 10 - 7,
    "booleans": lambda codes: codes > 0,
}
NUMBERS = {
    "one": lambda codes: codes * 1.5 + np.linspace(0, 1, len(codes)),
    "several": lambda codes: np.column_stack([codes, np.linspace(5, 9, len(codes))]),
}


# -------------------------------------------------------------------------------------------------------- round trip


def assert_same(a, b):
    assert a.dtype == b.dtype
    assert a.tolist() == b.tolist()


@pytest.mark.parametrize("labels", LABELS)
def test_classifying_ensemble_predicts_the_same_bits(labels, fit_ensemble, frame, strange_frame, tmp_path):
    ensemble = fit_ensemble(LABELS[labels])
    save(ensemble, tmp_path / "a.taut")
    loaded = load(tmp_path / "a.taut")
    assert type(loaded) is Ensemble
    for table in (frame, strange_frame, frame.iloc[:0]):
        assert_same(loaded.predict_proba(table), ensemble.predict_proba(table))
        assert_same(loaded.predict(table), ensemble.predict(table))
        assert loaded.surprises(table) == ensemble.surprises(table)
    assert loaded.surprises(strange_frame) != []


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_regressing_ensemble_predicts_the_same_bits(numbers, dtype, fit_ensemble, frame, strange_frame, tmp_path):
    ensemble = fit_ensemble(NUMBERS[numbers], task="regression", dtype=dtype)
    save(ensemble, tmp_path / "a.taut")
    loaded = load(tmp_path / "a.taut")
    for table in (frame, strange_frame):
        assert_same(loaded.predict(table), ensemble.predict(table))


def test_every_model_comes_back_in_its_place(ensemble, ensemble_bytes, frame, tmp_path):
    (tmp_path / "a.taut").write_bytes(ensemble_bytes)
    loaded = load(tmp_path / "a.taut")
    assert [model.recipe.seed for model in loaded.models] == [0, 1, 2]
    for back, model in zip(loaded.models, ensemble.models, strict=True):
        assert_same(back.network.state, model.network.state)
        assert_same(back.predict_proba(frame), model.predict_proba(frame))
        assert (back.recipe, back.task, back.loss) == (model.recipe, model.task, model.loss)
        assert back.encoder.schema_ == model.encoder.schema_
        assert back.history.to_dict() == model.history.to_dict()
    assert len({back.network.state.tobytes() for back in loaded.models}) == 3


def test_more_models_than_digits_come_back_in_order(ensemble, tmp_path):
    many = Ensemble(tuple(replace(m, recipe=replace(m.recipe, seed=s)) for s, m in enumerate(ensemble.models[:1] * 12)))
    save(many, tmp_path / "a.taut")
    assert [model.recipe.seed for model in load(tmp_path / "a.taut").models] == list(range(12))


def test_ensemble_of_one_is_an_ensemble(ensemble, frame, tmp_path):
    save(Ensemble(ensemble.models[1:2]), tmp_path / "a.taut")
    loaded = load(tmp_path / "a.taut")
    assert (type(loaded), len(loaded.models), inspect(tmp_path / "a.taut").n_models) == (Ensemble, 1, 1)
    assert_same(loaded.predict_proba(frame), ensemble.models[1].predict_proba(frame))


@pytest.fixture
def mixed(ensemble) -> Ensemble:
    """The models with another recipe among them, weights and a temperature."""
    first, second, third = ensemble.models
    second = replace(second, recipe=replace(second.recipe, l2=0.5))
    return Ensemble((first, second, third), weights=(1.0, 1 / 3, 0.5), temperature=1.25)


def test_weights_and_temperature_come_back_bit_by_bit(mixed, frame, tmp_path):
    save(mixed, tmp_path / "a.taut")
    loaded = load(tmp_path / "a.taut")
    assert (loaded.weights, loaded.temperature) == (mixed.weights, mixed.temperature)
    assert [model.recipe.l2 for model in loaded.models] == [0.0001, 0.5, 0.0001]
    assert_same(loaded.predict_proba(frame), mixed.predict_proba(frame))
    names = list(members_of((tmp_path / "a.taut").read_bytes()))
    assert names.count("ensemble.json") == 1
    info = inspect(tmp_path / "a.taut")
    assert info.shares == tuple(mixed.shares.items())
    assert (info.recipe, info.temperature, info.n_models) == (mixed.recipe, 1.25, 3)


def test_weights_alone_or_temperature_alone_are_kept(ensemble, tmp_path):
    for changes in ({"weights": (1.0, 2.0, 1.0)}, {"temperature": 0.5}):
        changed = replace(ensemble, **changes)
        save(changed, tmp_path / "a.taut")
        loaded = load(tmp_path / "a.taut")
        assert (loaded.weights, loaded.temperature) == (changed.weights, changed.temperature)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b'{"weights": [1.0, 1.0], "temperature": 1.0}', "the weights must be a tuple of 3 numbers, got (1.0, 1.0)"),
        (b'{"weights": [1.0, -1.0, 1.0], "temperature": 1.0}', "got -1.0"),
        (b'{"weights": [1.0, 0.0, 1.0], "temperature": 1.0}', "a weight must be a number above 0"),
        (b'{"weights": [1.0, {"$float": "nan"}, 1.0], "temperature": 1.0}', "got nan"),
        (b'{"weights": [1.0, {"$float": "inf"}, 1.0], "temperature": 1.0}', "got inf"),
        (b'{"weights": [1.0, "2", 1.0], "temperature": 1.0}', "got '2'"),
        (b'{"weights": [1.0, true, 1.0], "temperature": 1.0}', "got True"),
        (b'{"weights": 1.0, "temperature": 1.0}', "'weights' should be list, not float"),
        (b'{"weights": [1.0, 1.0, 1.0], "temperature": 0.0}', "the temperature must be a number at least 0.05"),
        (b'{"weights": [1.0, 1.0, 1.0], "temperature": -1.5}', "the temperature must be a number at least 0.05"),
        (b'{"weights": [1.0, 1.0, 1.0], "temperature": {"$float": "nan"}}', "got nan"),
        (b'{"weights": [1.0, 1.0, 1.0]}', "lacks the field 'temperature'"),
        (b'{"weights": [1.0, 1.0, 1.0], "temperature": 1.0, "bias": 0.0}', "unknown field 'bias'"),
    ],
)
def test_weights_that_mean_nothing_are_refused_by_loading_and_inspection(document, message, mixed, tmp_path):
    save(mixed, tmp_path / "good.taut")
    (tmp_path / "bad.taut").write_bytes(replaced("ensemble.json", document)((tmp_path / "good.taut").read_bytes()))
    for read in (inspect, load):
        with pytest.raises(ModelFileError, match=r"ensemble\.json") as caught:
            read(tmp_path / "bad.taut")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_weights_in_a_file_that_has_one_model_are_refused(model_bytes, tmp_path):
    bad = with_member("ensemble.json")(model_bytes)
    assert_refused(bad, "it holds 'ensemble.json', which a model does not consist of", tmp_path / "bad.taut")


def test_same_ensemble_gives_the_same_bytes(ensemble, ensemble_bytes, tmp_path):
    save(ensemble, tmp_path / "a.taut", summary={"scores": {"accuracy": 0.5}})
    assert (tmp_path / "a.taut").read_bytes() == ensemble_bytes
    save(load(tmp_path / "a.taut"), tmp_path / "b.taut", summary={"scores": {"accuracy": 0.5}})
    assert (tmp_path / "b.taut").read_bytes() == ensemble_bytes


def test_file_has_a_folder_a_model_whose_arrays_are_not_packed(ensemble_bytes):
    with zipfile.ZipFile(io.BytesIO(ensemble_bytes)) as file:
        folders = [f"models/{place}/{name}" for place in range(3) for name in DOCUMENTS]
        assert file.namelist() == ["manifest.json", *folders, "summary.json"]
        stored = {info.filename.rpartition("/")[2] for info in file.infolist() if not info.compress_type}
        assert stored == {"optimizer.safetensors", "preprocessing.skops", "weights.safetensors"}
        assert json.loads(file.read("manifest.json"))["format"] == 1


def test_inspection_tells_how_many_there_are_and_of_the_first(ensemble, ensemble_bytes, tmp_path):
    (tmp_path / "a.taut").write_bytes(ensemble_bytes)
    info, first = inspect(tmp_path / "a.taut"), ensemble.models[0]
    assert (info.kind, info.n_models, info.task, info.format) == ("ensemble", 3, "classification", 1)
    assert (info.recipe, list(info.columns)) == (first.recipe, first.encoder.schema_)
    assert (info.n_inputs, info.n_parameters) == (first.network.n_inputs, first.network.theta.size)
    assert (info.classes, info.epochs, info.dtype) == (["maybe", "no", "yes"], 3, "float64")
    assert info.summary == {"scores": {"accuracy": 0.5}}
    assert len(info.sizes) == 3 * len(DOCUMENTS) + 1


# ----------------------------------------------------------------------------------------------------------- refusals


def without(*prefixes: str) -> Callable[[bytes], bytes]:
    """Leave members out."""
    return lambda good: sealed({name: data for name, data in members_of(good).items() if not name.startswith(prefixes)})


def renamed(folder: str, other: str) -> Callable[[bytes], bytes]:
    """Give a folder another name."""
    return lambda good: sealed({name.replace(folder, other): data for name, data in members_of(good).items()})


def with_many_models(good: bytes) -> bytes:
    members = members_of(good)
    recipes = {f"models/{place}/recipe.json": members["models/0/recipe.json"] for place in range(1001)}
    return sealed({**members, **recipes})


def exchanged(good: bytes) -> bytes:
    members = members_of(good)
    other = {"0": "1", "1": "0", "2": "2"}
    return zipped(
        {
            name: members[f"models/{other[name[7]]}{name[8:]}"] if name.startswith("models/") else data
            for name, data in members.items()
        }
    )


def declaring(name: str, size: int) -> Callable[[bytes], bytes]:
    """Let the directory of the zip file tell another size of a member."""

    def patch(good: bytes) -> bytes:
        start = good.rindex(b"PK\x01\x02", 0, good.rindex(name.encode())) + 24
        return good[:start] + struct.pack("<I", size) + good[start + 4 :]

    return patch


def declaring_much_each(good: bytes) -> bytes:
    """Let the histories tell sizes that each might have alone."""
    for place in range(3):
        good = declaring(f"models/{place}/history.json", 30_000_000)(good)
    return good


APART = "its models do not belong together (the models of an ensemble differ in "
CASES = {
    "a file beside the models": (with_member("recipe.json"), "it holds 'recipe.json', which an ensemble does not"),
    "a file among the models": (with_member("models/harm"), "it holds 'models/harm', which an ensemble does not"),
    "a file in a model": (with_member("models/1/harm.pkl"), "it holds 'models/1/harm.pkl', which an ensemble does not"),
    "the parameters of an estimator": (
        with_member("models/1/parameters.json"),
        "it holds 'models/1/parameters.json', which an ensemble does not consist of",
    ),
    "a folder as a member": (with_member("models/0/"), "it holds 'models/0/', which an ensemble does not consist of"),
    "a name that leads up": (
        with_member("models/0/../../recipe.json"),
        "the member 'models/0/../../recipe.json' has a name that leads out of the file",
    ),
    "a name that stands twice": (
        with_member("models/2/recipe.json"),
        "the member 'models/2/recipe.json' stands in it twice",
    ),
    "one model of four": (with_member("models/3/recipe.json"), "models/3/schema.json is missing: the file is not comp"),
    "a model by another number": (
        renamed("models/2/", "models/02/"),
        "it holds 'models/02/recipe.json', which an ensemble does not consist of",
    ),
    "a model by a word": (renamed("models/2/", "models/two/"), "it holds 'models/two/recipe.json', which an ensemble"),
    "a gap in the numbers": (without("models/1/"), "it holds 'models/2/recipe.json', which an ensemble does not"),
    "a model without weights": (
        without("models/1/weights"),
        "models/1/weights.safetensors is missing: the file is not complete",
    ),
    "a model without a recipe": (without("models/2/recipe"), "it holds 'models/2/schema.json', which an ensemble"),
    "no models": (without("models/"), "an ensemble has from 1 to 1000 models, and this one 0"),
    "too many models": (with_many_models, "an ensemble has from 1 to 1000 models, and this one 1001"),
    "a model as it lies in a file of its own": (
        edited("manifest.json", "kind", "model"),
        "it holds 'models/0/recipe.json', which a model does not consist of",
    ),
    "a model taken out": (
        lambda good: zipped({name: data for name, data in members_of(good).items() if "/2/" not in name}),
        "manifest.json lists other members than there are",
    ),
    "models exchanged": (exchanged, "models/0/recipe.json is not what was saved: its checksum is wrong"),
    "a document that is damaged": (
        replaced("models/1/recipe.json", b'{"seed": '),
        "models/1: recipe.json is not valid JSON (",
    ),
    "an unknown layer": (
        edited("models/2/network.json", "layers", 1, {"kind": "os.system"}),
        "models/2: network.json describes no network (not a known kind: {'kind': 'os.system'})",
    ),
    "a class too few": (
        edited("models/1/schema.json", "targets", "classes", ["no", "yes"]),
        "models/1: its parts do not fit together (network.json has 3 outputs for 2 classes)",
    ),
    "an encoder that is none": (
        replaced("models/1/preprocessing.skops", zipped({"schema.json": b"{}"})),
        "models/1: preprocessing.skops cannot be rebuilt (",
    ),
    "other classes": (
        edited("models/1/schema.json", "targets", "classes", ["maybe", "no", "yo"]),
        f"{APART}classes: number 1 has ['maybe', 'no', 'yes'], number 2 ['maybe', 'no', 'yo'])",
    ),
    "a member that declares too much": (
        declaring("models/1/history.json", 2**31),
        "the member 'models/1/history.json' has 2147483648 bytes, more than the 67108864 allowed",
    ),
    "members that declare too much together": (
        declaring_much_each,
        "the members 'history.json' have more than the 67108864 bytes together that are allowed",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_file_is_refused_in_one_line(case, ensemble_bytes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spoil, message = CASES[case]
    bad = spoil(ensemble_bytes)
    assert bad != ensemble_bytes
    assert_refused(bad, message, tmp_path / "bad.taut")


def test_inspection_refuses_what_is_in_no_ensemble(ensemble_bytes, tmp_path):
    for spoil, message in CASES.values():
        if not message.startswith(("models/1: ", "models/2: ", APART)):  # which shows when it is put together
            (tmp_path / "bad.taut").write_bytes(spoil(ensemble_bytes))
            with pytest.raises(ModelFileError) as caught:
                inspect(tmp_path / "bad.taut")
            assert message in str(caught.value)


@pytest.mark.parametrize(
    ("target", "task", "message"),
    [
        (NUMBERS["one"], "regression", "task: number 1 has 'classification', number 2 'regression')"),
        (LABELS["integers"], "classification", "classes: number 1 has ['maybe', 'no', 'yes'], number 2 [-7, 3, 13])"),
        (LABELS["booleans"], "classification", "classes: number 1 has ['maybe', 'no', 'yes'], number 2 [False, True])"),
    ],
)
def test_model_for_something_else_is_refused_among_the_others(target, task, message, fit, ensemble_bytes, tmp_path):
    save(fit(target, task=task), tmp_path / "other.taut")
    other = members_of((tmp_path / "other.taut").read_bytes())
    foreign = {f"models/1/{name}": other[name] for name in DOCUMENTS}
    (tmp_path / "other.taut").unlink()
    assert_refused(sealed({**members_of(ensemble_bytes), **foreign}), f"{APART}{message}", tmp_path / "bad.taut")


def test_model_said_to_be_an_ensemble_is_refused(model_bytes, tmp_path):
    bad = edited("manifest.json", "kind", "ensemble")(model_bytes)
    assert_refused(bad, "an ensemble has from 1 to 1000 models, and this one 0", tmp_path / "bad.taut")


def test_reader_that_knows_no_ensembles_says_so_and_looks_no_further(ensemble_bytes, tmp_path, monkeypatch):
    monkeypatch.delitem(contents.MEMBERS, "ensemble")
    message = "manifest.json: unknown kind of model 'ensemble'; if a newer taut made it, update taut"
    assert_refused(ensemble_bytes, message, tmp_path / "a.taut")


def test_file_cut_off_anywhere_is_said_to_be_cut_off(ensemble_bytes, tmp_path):
    ends = [ensemble_bytes.index(b"PK\x05\x06"), *range(1, 100)]
    for share in ends[1:]:
        cut = ensemble_bytes[: len(ensemble_bytes) * share // 100]
        assert_refused(cut, "the file is damaged or cut off (", tmp_path / "a.taut")


NOT_SAVED = "not saved, because it could not be loaded again"


def test_ensemble_that_is_too_large_together_is_not_saved(ensemble, tmp_path, monkeypatch):
    save(ensemble, tmp_path / "a.taut")
    largest = 2 * inspect(tmp_path / "a.taut").sizes["models/0/history.json"]
    monkeypatch.setitem(model_file._LIMITS, "history.json", largest)
    message = rf"the members 'history\.json' have more than the {largest} bytes together that are allowed"
    with pytest.raises(ModelFileError, match=f"{NOT_SAVED}: {message}$"):
        save(ensemble, tmp_path / "b.taut")
    with pytest.raises(ModelFileError, match=rf"a\.taut: {message}$"):
        load(tmp_path / "a.taut")
    save(Ensemble(ensemble.models[:1]), tmp_path / "a.taut")
    assert [file.name for file in tmp_path.iterdir()] == ["a.taut"]


def test_ensemble_with_a_model_that_is_too_large_is_not_saved(ensemble, tmp_path, monkeypatch):
    monkeypatch.setitem(model_file._LIMITS, "history.json", 50)
    message = r"the member 'models/0/history\.json' has [0-9]+ bytes, more than the 50 allowed"
    with pytest.raises(ModelFileError, match=f"{NOT_SAVED}: {message}$"):
        save(ensemble, tmp_path / "a.taut")
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------- estimators with an ensemble


@pytest.fixture(scope="module")
def estimator_bytes(ensemble, frame, tmp_path_factory):
    """Return the file of a classifier that keeps an ensemble with weights and a temperature."""
    classifier = TautClassifier(cv=3)
    keep_model(classifier, Ensemble(ensemble.models, weights=(3.0, 2.0, 1.0), temperature=1.5))
    path = tmp_path_factory.mktemp("estimator") / "a.taut"
    save(classifier, path)
    return path.read_bytes()


def test_estimator_with_an_ensemble_has_its_parameters_beside_the_models(estimator_bytes, frame, tmp_path):
    members = members_of(estimator_bytes)
    folders = {f"models/{place}/{name}" for place in range(3) for name in DOCUMENTS}
    assert set(members) - {"manifest.json"} == folders | {"parameters.json", "ensemble.json"}
    (tmp_path / "a.taut").write_bytes(estimator_bytes)
    loaded = load(tmp_path / "a.taut")
    assert type(loaded) is TautClassifier
    assert (loaded.model_.weights, loaded.model_.temperature) == ((3.0, 2.0, 1.0), 1.5)
    assert_same(loaded.predict_proba(frame), loaded.model_.predict_proba(frame))
    info = inspect(tmp_path / "a.taut")
    assert (info.kind, info.n_models, info.task) == ("classifier", 3, "classification")


ESTIMATOR_CASES = {
    "no parameters": (without("parameters"), "parameters.json is missing: the file is not complete"),
    "parameters in a model": (
        with_member("models/1/parameters.json"),
        "it holds 'models/1/parameters.json', which a classifier does not consist of",
    ),
    "no models": (without("models/"), "a classifier has from 1 to 1000 models, and this one 0"),
    "too many models": (with_many_models, "a classifier has from 1 to 1000 models, and this one 1001"),
    "a model without weights": (
        without("models/1/weights"),
        "models/1/weights.safetensors is missing: the file is not complete",
    ),
    "a recipe beside the models": (
        with_member("recipe.json"),
        "it holds 'models/0/recipe.json', which a classifier does not consist of",
    ),
    "a path beside the models": (with_member("path.json"), "it holds 'path.json', which a classifier does not"),
    "unknown parameters": (
        edited("parameters.json", "harm", 1),
        "parameters.json are not the parameters of a classifier (TautClassifier has no parameter",
    ),
    "a weight too few": (edited("ensemble.json", "weights", [3.0, 2.0]), "ensemble.json"),
    "a weight below zero": (edited("ensemble.json", "weights", [3.0, 2.0, -1.0]), "ensemble.json"),
    "a temperature of nothing": (edited("ensemble.json", "temperature", 0.0), "ensemble.json"),
    "another task": (
        edited("manifest.json", "kind", "regressor"),
        "schema.json: a regressor cannot be for classification",
    ),
    "an ensemble by itself": (
        edited("manifest.json", "kind", "ensemble"),
        "it holds 'parameters.json', which an ensemble does not consist of",
    ),
    "one that chose along a path": (
        edited("manifest.json", "kind", "classifier_cv"),
        "path.json is missing: the file is not complete",
    ),
    "other classes": (
        edited("models/1/schema.json", "targets", "classes", ["maybe", "no", "yo"]),
        f"{APART}classes: number 1 has ['maybe', 'no', 'yes'], number 2 ['maybe', 'no', 'yo'])",
    ),
}


@pytest.mark.parametrize("case", ESTIMATOR_CASES)
def test_bad_file_of_an_estimator_with_an_ensemble_is_refused_in_one_line(case, estimator_bytes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spoil, message = ESTIMATOR_CASES[case]
    bad = spoil(estimator_bytes)
    assert bad != estimator_bytes
    assert_refused(bad, message, tmp_path / "bad.taut")
