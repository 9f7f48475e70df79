"""Zip files that are damaged, or made to do harm, and places where there is no file: each is refused in one line."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.storage.spoiling import (
    assert_refused,
    just,
    members_of,
    sealed,
    with_member,
    zipped,
)

from taut import ModelFileError
from taut.storage import inspect, load


def patched_directory(name: str, offset: int, value: bytes) -> Callable[[bytes], bytes]:
    """Overwrite bytes in a member's entry of the central directory."""

    def patch(good: bytes) -> bytes:
        start = good.rindex(b"PK\x01\x02", 0, good.rindex(name.encode()))
        return good[: start + offset] + value + good[start + offset + len(value) :]

    return patch


def zip_bomb(good: bytes) -> bytes:
    members = members_of(good)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, b" " * 30_000_000 if name == "history.json" else data)
    return buffer.getvalue()


def fill_the_middle(good: bytes) -> bytes:
    place = good.index(b"weights.safetensors") + 200
    return good[:place] + bytes(40) + good[place + 40 :]


CASES = {
    "an empty file": (just(b""), "not a taut model, nor any other zip file"),
    "text": (just(b"a,b\n1,2\n"), "not a taut model, nor any other zip file"),
    "an empty zip": (just(zipped({})), "not a taut model, nor any other zip file"),
    "something before the zip": (lambda good: b"#!/bin/sh\n" + good, "not a taut model, nor any other zip file"),
    "a zip of something else": (just(zipped({"a.txt": b"a"})), "not a taut model: it holds no manifest.json"),
    "half of the file": (
        lambda good: good[: len(good) // 2],
        "the file is damaged or cut off (File is not a zip file)",
    ),
    "all but the last byte": (lambda good: good[:-1], "the file is damaged or cut off (File is not a zip file)"),
    "zeros in the middle": (
        fill_the_middle,
        "the member 'weights.safetensors' is damaged (Bad CRC-32 for file 'weights.safetensors')",
    ),
    "a name that leads up": (
        with_member("../../harm.sh"),
        "the member '../../harm.sh' has a name that leads out of the file",
    ),
    "an absolute name": (with_member("/etc/harm"), "the member '/etc/harm' has a name that leads out of the file"),
    "a name of Windows": (with_member("C:harm"), "the member 'C:harm' has a name that leads out of the file"),
    "a link": (
        with_member("harm", external_attr=0o120777 << 16),
        "the member 'harm' is a link or a device, not a file",
    ),
    "a name that stands twice": (with_member("recipe.json"), "the member 'recipe.json' stands in it twice"),
    "a member too many": (with_member("harm.pkl"), "it holds 'harm.pkl', which a model does not consist of"),
    "a folder": (with_member("folder/"), "it holds 'folder/', which a model does not consist of"),
    "an encrypted member": (
        patched_directory("history.json", 8, b"\x01"),
        "the member 'history.json' is encrypted",
    ),
    "a way of packing unknown here": (
        patched_directory("history.json", 10, b"\x0e"),
        "the member 'history.json' is packed in a way (method 14) unknown here",
    ),
    "a member that declares too much": (
        patched_directory("history.json", 24, struct.pack("<I", 2**31)),
        "the member 'history.json' has 2147483648 bytes, more than the 67108864 allowed",
    ),
    "a member that declares a bit more": (
        patched_directory("recipe.json", 24, struct.pack("<I", 5000)),
        "the member 'recipe.json' has ",  # however many bytes a recipe has
    ),
    "a zip bomb": (zip_bomb, "the member 'history.json' unpacks 29"),
    "a missing member": (
        lambda good: sealed({name: data for name, data in members_of(good).items() if name != "weights.safetensors"}),
        "weights.safetensors is missing: the file is not complete",
    ),
    "a changed member": (
        lambda good: zipped({**members_of(good), "recipe.json": b"{}"}),
        "recipe.json is not what was saved: its checksum is wrong",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_file_is_refused_in_one_line(case, model_bytes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spoil, message = CASES[case]
    bad = spoil(model_bytes)
    assert bad != model_bytes
    assert_refused(bad, message, tmp_path / "bad.taut")


def test_inspection_refuses_it_too(model_bytes, tmp_path):
    for spoil, message in CASES.values():
        (tmp_path / "bad.taut").write_bytes(spoil(model_bytes))
        with pytest.raises(ModelFileError) as caught:
            inspect(tmp_path / "bad.taut")
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.exists, "there is no such file"),
        (Path.mkdir, "this is a folder, not a taut model"),
        pytest.param(
            os.mkfifo,
            "this is not a regular file, not a taut model",
            marks=pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX"),
        ),
        pytest.param(
            lambda path: (path.touch(), path.chmod(0)),
            "cannot be read (Permission denied)",
            marks=pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read anything"),
        ),
    ],
)
def test_place_without_a_readable_file_is_one_line(make: Callable[[Path], object], message, tmp_path):
    make(tmp_path / "a.taut")
    for function in (load, inspect):
        with pytest.raises(ModelFileError) as caught:
            function(tmp_path / "a.taut")
        assert str(caught.value) == f"{tmp_path / 'a.taut'}: {message}"


def test_path_that_is_none_is_one_line():
    with pytest.raises(ModelFileError, match=r"^a\?b: cannot be read \(embedded null byte\)$"):
        load("a\0b")


def test_file_without_permission_is_one_line(model_bytes, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.taut").write_bytes(model_bytes)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelFileError, match=r"a\.taut: cannot be read \(Permission denied\)"):
        load(tmp_path / "a.taut")
