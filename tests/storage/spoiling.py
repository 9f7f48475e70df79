"""Spoiling model files: what the tests of bad files share."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from taut import ModelFileError
from taut.storage import load

Members = dict[str, bytes]


def members_of(data: bytes) -> Members:
    """Return the members of a zip file."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(members: Members) -> bytes:
    """Return a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def sealed(members: Members) -> bytes:
    """Return a file whose checksums are right: whoever means harm gets them right."""
    manifest = json.loads(members["manifest.json"])
    manifest["members"] = {
        name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name != "manifest.json"
    }
    return zipped({**members, "manifest.json": json.dumps(manifest).encode()})


# What follows returns functions that take a good file and return a bad one.


def replaced(name: str, data: bytes) -> Callable[[bytes], bytes]:
    """Replace a member."""
    return lambda good: sealed({**members_of(good), name: data})


def edited(name: str, *places: object) -> Callable[[bytes], bytes]:
    """Put the last of `places` into a JSON member, where the others lead."""
    *way, last, value = places

    def edit(good: bytes) -> bytes:
        members = members_of(good)
        document = json.loads(members[name])
        inner = document
        for place in way:
            inner = inner[place]
        if value is Ellipsis:
            del inner[last]
        else:
            inner[last] = value
        members[name] = json.dumps(document).encode()
        return zipped(members) if name == "manifest.json" else sealed(members)

    return edit


def with_weights(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[bytes], bytes]:
    """Change the weights."""

    def edit(good: bytes) -> bytes:
        members = members_of(good)
        weights = safetensors.numpy.load(members["weights.safetensors"])
        change(weights)
        return sealed({**members, "weights.safetensors": safetensors.numpy.save(weights)})

    return edit


def with_member(name: str, **fields: object) -> Callable[[bytes], bytes]:
    """Add a member with whatever name and fields."""

    def add(good: bytes) -> bytes:
        buffer = io.BytesIO(good)
        with warnings.catch_warnings(), zipfile.ZipFile(buffer, "a") as file:
            warnings.simplefilter("ignore")  # zipfile warns of names that stand twice
            info = zipfile.ZipInfo(name)
            for field, value in fields.items():
                setattr(info, field, value)
            file.writestr(info, b"harm")
        return buffer.getvalue()

    return add


def just(data: bytes) -> Callable[[bytes], bytes]:
    """Put these bytes in the place of the file."""
    return lambda _: data


def with_tree(change: Callable[[dict, Members], object]) -> Callable[[bytes], bytes]:
    """Change the tree of the skops file, and its members."""

    def edit(good: bytes) -> bytes:
        members = members_of(good)
        inner = members_of(members["preprocessing.skops"])
        tree = json.loads(inner["schema.json"])
        change(tree, inner)
        inner = {**inner, "schema.json": json.dumps(tree).encode()} if "schema.json" in inner else inner
        return sealed({**members, "preprocessing.skops": zipped(inner)})

    return edit


def with_arrays(change: Callable[[Members], object]) -> Callable[[bytes], bytes]:
    """Change the members of the skops file."""
    return with_tree(lambda _, inner: change(inner))


def with_attributes(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:
    """Change the attributes of the encoder in the tree."""
    return with_tree(lambda tree, _: change(attributes(tree)))


def attributes(tree: dict) -> dict:
    """Return the attributes of an object in the tree."""
    return tree["content"]["content"]


def node(loader: str, module: str, name: str, **rest: object) -> dict:
    """Return an object as skops writes it."""
    return {"__loader__": loader, "__module__": module, "__class__": name, **rest}


def with_attribute(name: str, value: object) -> Callable[[bytes], bytes]:
    """Replace an attribute of the encoder."""
    return with_attributes(lambda values: values.update({name: value}))


def assert_refused(bad: bytes, message: str, path: Path) -> None:
    """Hold that a file is refused in one line that begins with the message, and that nothing else happens."""
    path.write_bytes(bad)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 450
    assert [file.name for file in path.parent.iterdir()] == [path.name]
