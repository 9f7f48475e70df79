"""Preprocessing: the encoder of the columns, as a skops file inside the model file.

skops writes scikit-learn's objects as a tree of JSON and arrays, and builds them again only from types that are
trusted. Its own trust is wide (every estimator of scikit-learn, every ufunc), and its reader follows whatever the tree
says. So the tree is walked here first, and only what an encoder is made of may pass: a few containers, numbers, plain
arrays, the types in `taut.data.columns.TRUSTED_TYPES`, and scikit-learn's scalers. Each array stands there once and is
as long as it says, and nothing refers to anything else, so that a small file cannot grow into a large object. Floor 7
of the house.

References
----------
The skops persistence format, https://skops.readthedocs.io/en/stable/persistence.html
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from math import prod
from types import NoneType
from typing import Any

from taut.data.columns import SCALERS, TRUSTED_TYPES, TableEncoder
from taut.data.components import WhitenedComponents
from taut.data.kinds import CategoryReader, DateReader, NumberReader
from taut.data.pieces import PiecewiseLinear
from taut.data.schema import ColumnSchema
from taut.errors import InvalidValue, ModelFileError
from taut.storage.archive import Archive, damage, one_line, pack
from taut.storage.documents import check_annotated, read_document

__all__ = ["read_encoder", "write_encoder"]

LARGEST = 256 * 2**20  # bytes of all arrays together, and of the tree
_TREE = "schema.json"

_SCALARS = (
    "bool",
    "bool_",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
)
_ARRAYS = {f"numpy.{name}" for name in (*_SCALARS, "ndarray")}
_PLAIN_TYPES = {f"builtins.{name}" for name in ("bool", "float", "int", "str")}
# What `numpy.save` begins a file with. NumPy's own reader would take the text for Python; this takes it to the letter.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)(?P<text>\{'descr': '[<>|](?P<kind>[biufU])(?P<size>[0-9]{1,9})', "
    rb"'fortran_order': (?:True|False), 'shape': \((?P<shape>[0-9, ]{0,200})\), \} *\n)",
    re.DOTALL,
)
_SCALERS = tuple({type(way.scaler): None for way in SCALERS.values() if way.scaler is not None})
_BORROWED = {f"{kind.__module__}.{kind.__qualname__}" for kind in _SCALERS}

#: What may stand in the tree: how a node is built, and of which types.
_ALLOWED = {
    "DictNode": {"builtins.dict"},
    "JsonNode": {"builtins.str"},
    "ListNode": {"builtins.list"},
    "NdArrayNode": _ARRAYS,
    "ObjectNode": {*TRUSTED_TYPES, *_BORROWED},
    "TupleNode": {"builtins.tuple"},
    "TypeNode": _PLAIN_TYPES | {f"numpy.{name}" for name in _SCALARS},
}


def write_encoder(encoder: TableEncoder) -> bytes:
    """Return a fitted encoder as a skops file, the same bytes for the same encoder."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(encoder))) as archive:
        tree = json.loads(archive.read(_TREE))
        members: dict[str, bytes] = {}
        # skops numbers objects and names arrays by their places in memory, which differ from run to run.
        for node in _nodes(tree):
            node.pop("__id__", None)
            if "file" in node:
                name = f"{len(members)}.npy"
                members[name] = archive.read(node["file"])
                node["file"] = name
    return pack({_TREE: json.dumps(tree).encode(), **members}, stored=members)


def read_encoder(data: bytes, name: str) -> TableEncoder:
    """Read back what `write_encoder` returned.

    Parameters
    ----------
    data : bytes
        The skops file.
    name : str
        What messages call it.

    Raises
    ------
    ModelFileError
        If it is damaged, or holds anything but an encoder.
    """
    try:
        archive = Archive(io.BytesIO(data))
        tree = _check_tree(archive)
    except ModelFileError as error:
        raise ModelFileError(f"{name}: {error}") from error
    import skops.io
    from sklearn.exceptions import InconsistentVersionWarning

    with damage(f"{name} cannot be rebuilt"), warnings.catch_warnings():
        # scikit-learn warns of every other version; whether it works with this one is tried out when the model is made.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        encoder = skops.io.loads(_repacked(archive, tree), trusted=list(TRUSTED_TYPES))
        if not isinstance(encoder, TableEncoder):
            raise ModelFileError(f"{name} should hold a TableEncoder, not a {type(encoder).__name__}")
        _check_parts(encoder)
    return encoder


def _check_parts(encoder: TableEncoder) -> None:
    """Refuse an encoder that is made of the right types in the wrong places."""
    places = (
        ((encoder.scaler_,), (*_SCALERS, NoneType)),
        ((encoder.pieces_,), (PiecewiseLinear, NoneType)),
        ((encoder.components_,), (WhitenedComponents, NoneType)),
        (encoder.readers_, (NumberReader, DateReader, CategoryReader)),
        (encoder.schema_, (ColumnSchema,)),
        (encoder.names_, (str,)),
    )
    for values, types in places:
        for value in values:
            if not isinstance(value, types):
                raise InvalidValue(f"a {type(value).__name__} stands where a {types[0].__name__} belongs")
            check_annotated(value)


def _repacked(archive: Archive, tree: dict[str, Any]) -> bytes:
    """Return the file anew from what was checked, so that skops reads exactly this and no other part of it."""
    arrays = {member: archive.read(member, at_most=LARGEST) for member in archive.names if member != _TREE}
    return pack({_TREE: json.dumps(tree).encode(), **arrays}, stored=[_TREE, *arrays])


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every node of a tree, parents first."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "__loader__" in value or "__class__" in value or "__module__" in value:
                yield value
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)


def _check_tree(archive: Archive) -> dict[str, Any]:
    if sum(map(archive.size, archive.names)) > LARGEST:
        raise ModelFileError(f"it unpacks to more than the {LARGEST} bytes allowed")
    tree = read_document(archive.read(_TREE, at_most=LARGEST), _TREE, foreign=True)
    files = [file for node in _nodes(tree) for file in _check_node(node)]
    unused = set(archive.names) - {_TREE} - set(files)
    if unused:
        raise ModelFileError(one_line(f"the member {min(unused)!r} is unknown"))
    if len(set(files)) < len(files):
        raise ModelFileError("two arrays are read from one member")
    for file in files:
        _check_array(archive.read(file, at_most=LARGEST), file)
    return tree


def _check_node(node: dict[str, Any]) -> Iterator[str]:
    """Refuse a node that an encoder does not consist of, or yield the array it is read from."""
    loader, kind = node.get("__loader__"), f"{node.get('__module__')}.{node.get('__class__')}"
    if not isinstance(loader, str) or kind not in _ALLOWED.get(loader, ()):
        raise ModelFileError(
            one_line(f"holds a {kind!r:.80}, which no encoder is made of ({loader!r:.40}); do not trust it")
        )
    if "__id__" in node:
        raise ModelFileError("objects refer to each other by number, as taut writes none")
    if "file" in node:
        if loader != "NdArrayNode" or not isinstance(node["file"], str):
            raise ModelFileError(one_line(f"a {loader:.40} names a file"))
        yield node["file"]


def _check_array(data: bytes, name: str) -> None:
    """Refuse an array that is not as long as its header says, before anything is allocated for it."""
    header = _HEADER.match(data)
    if header is None or int.from_bytes(header["length"], "little") != len(header["text"]):
        raise ModelFileError(one_line(f"the array {name!r:.80} is damaged, or of a type that no encoder has"))
    size = int(header["size"]) * (4 if header["kind"] == b"U" else 1)  # a letter takes four bytes
    count = prod(int(side) for side in header["shape"].replace(b",", b" ").split())
    if size == 0 or size * count != len(data) - header.end():
        raise ModelFileError(one_line(f"the array {name!r:.80} has another length than it says"))
