"""Writing a model file: all of it or nothing, and the same bytes for the same model."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from taut import Dense, InvalidType, ModelFileError, Network
from taut.storage import archive, load, save
from taut.storage.model_file import FORMAT

NETWORK = Network([Dense(2)]).build(3)


def test_file_is_a_zip_of_json_safetensors_and_skops_and_nothing_else(model, tmp_path):
    save(model, tmp_path / "a.taut", summary={})
    with zipfile.ZipFile(tmp_path / "a.taut") as file:
        assert file.testzip() is None
        assert file.namelist() == [
            "manifest.json",
            "recipe.json",
            "schema.json",
            "history.json",
            "optimizer.safetensors",
            "preprocessing.skops",
            "network.json",
            "weights.safetensors",
            "summary.json",
        ]
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert FORMAT == 1


def test_no_pickle_is_in_the_file(model, tmp_path):
    save(model, tmp_path / "a.taut")
    with zipfile.ZipFile(tmp_path / "a.taut") as file, file.open("preprocessing.skops") as inner:
        members = {name: file.read(name) for name in file.namelist()}
        with zipfile.ZipFile(inner) as skops:
            members |= {name: skops.read(name) for name in skops.namelist()}
    assert not [name for name, data in members.items() if data[:1] == b"\x80" and data[-1:] == b"."]
    assert {Path(name).suffix for name in members} == {".json", ".safetensors", ".skops", ".npy"}


def test_same_model_gives_the_same_bytes(model, model_bytes, tmp_path):
    for name in ("a.taut", "b.taut"):
        save(model, tmp_path / name, summary={"scores": {"accuracy": 0.5}})
        assert (tmp_path / name).read_bytes() == model_bytes
    save(load(tmp_path / "a.taut"), tmp_path / "c.taut", summary={"scores": {"accuracy": 0.5}})
    assert (tmp_path / "c.taut").read_bytes() == model_bytes


TRAINING = """
from taut import Recipe, load_sample, save
from taut.training import fit_model
frame, target = load_sample("iris")
model = fit_model(Recipe(epochs=2), frame.drop(columns=target), frame[target], task="classification")
model.history._columns["seconds"] = [0.0, 0.0]  # the one thing that differs
save(model, path)
"""


def test_same_training_in_another_process_gives_the_same_bytes(tmp_path):
    exec(TRAINING, {"path": tmp_path / "here.taut"})
    code = f"import sys; path = sys.argv[1]\n{TRAINING}"
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", code, tmp_path / "there.taut"], env=environment, check=True, timeout=60)
    assert (tmp_path / "there.taut").read_bytes() == (tmp_path / "here.taut").read_bytes()


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failure_while_writing_keeps_the_old_file_and_leaves_nothing_else(step, error, tmp_path, monkeypatch):
    path = tmp_path / "a.taut"
    save(NETWORK, path)
    before = path.read_bytes()

    def fail(*arguments, **options):
        raise error

    def open_and_write_half(file, mode="r", *arguments, **options):
        if mode != "xb":
            return open_file(file, mode, *arguments, **options)
        with open_file(file, mode) as half:
            half.write(b"half of it")
        raise error

    open_file = Path.open
    owner, name = {"write": (Path, "open"), "fsync": (os, "fsync"), "replace": (Path, "replace")}[step]
    monkeypatch.setattr(owner, name, open_and_write_half if step == "write" else fail)
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else ModelFileError
    with pytest.raises(expected) as caught:
        save(Network([Dense(5)]).build(3), path)
    monkeypatch.undo()
    if expected is ModelFileError:
        assert str(caught.value) == f"{path}: cannot be written (No space left on device)"
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.taut"]


def test_bytes_reach_the_disk_before_the_name_does(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("fsync"), fsync(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda path, target: (steps.append("replace"), replace(path, target))[1])
    save(NETWORK, tmp_path / "a.taut")
    assert steps[:2] == ["fsync", "replace"]


def test_what_cannot_be_read_again_does_not_replace_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.taut"
    save(NETWORK, path)
    before = path.read_bytes()
    monkeypatch.setattr("taut.storage.networks.write_tensors", lambda _: b"nonsense")
    with pytest.raises(ModelFileError, match="not saved, because it could not be loaded again"):
        save(NETWORK, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere/a.taut", "cannot be written (No such file or directory)"),
        ("", "cannot be written (Is a directory)"),
        ("x" * 300, "cannot be written (File name too long)"),
        ("zero\0byte", "cannot be written (embedded null byte)"),
    ],
)
def test_place_that_cannot_be_written_is_one_line(name, reason, tmp_path):
    with pytest.raises(ModelFileError) as caught:
        save(NETWORK, tmp_path / name)
    assert str(caught.value).endswith(reason)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_folder_without_permission_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ModelFileError, match=r"a\.taut: cannot be written \(Permission denied\)"):
        save(NETWORK, tmp_path / "a.taut")


def test_path_of_a_wrong_type_is_refused():
    for function in (lambda: save(NETWORK, 3), lambda: load(3)):
        with pytest.raises(InvalidType, match="the path of a model must be a string or a path, got 3"):
            function()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_are_those_of_any_new_file_or_of_the_old_one(tmp_path):
    path = tmp_path / "a.taut"
    (tmp_path / "other").touch()
    save(NETWORK, path)
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode
    path.chmod(0o640)
    save(NETWORK, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_link_stays_a_link_to_the_new_file(tmp_path):
    (tmp_path / "a.taut").symlink_to(tmp_path / "real.taut")
    save(NETWORK, tmp_path / "a.taut")
    assert (tmp_path / "a.taut").is_symlink()
    assert isinstance(load(tmp_path / "real.taut"), Network)


def test_relative_paths_and_strings_are_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(NETWORK, "a.taut")
    np.testing.assert_array_equal(load("a.taut").theta, NETWORK.theta)


def test_messages_are_one_line_without_control_characters():
    assert archive.one_line("a\n\tb\x1b[0m\u2028c") == "a b [0m c"
    assert len(archive.one_line("x" * 1000)) == 300
