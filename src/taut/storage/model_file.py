"""The model file: everything that a trained network needs to be used again, in one ``.taut`` file.

It is a zip with these members. The manifest names the format, the versions that wrote it and a checksum of each other
member; a reader looks at it first, so that a file from a later version is refused with advice and not by accident.

===========================  ==========================================================================================
``manifest.json``            format, kind (such as network, model, ensemble or classifier), versions, checksums
``recipe.json``              the recipe
``schema.json``              the task, the targets, and what each column is
``network.json``             layers with every setting, number of inputs, type, loss
``weights.safetensors``      one array for each parameter, and for each statistic such as a running mean
``history.json``             the course of training
``optimizer.safetensors``    what the optimizer remembers, and an average of weights, so that training can go on
``preprocessing.skops``      the encoder of the columns
``parameters.json``          the parameters of an estimator
``ensemble.json``            the weights of the models of an ensemble, and its temperature, if they are not all 1
``path.json``                what an estimator that chose by cross-validation has found, without the table
``path.safetensors``         the same, its arrays
``summary.json``             what `taut fit` found, if it wrote the file
===========================  ==========================================================================================

An ensemble has the recipe and all below it, down to the encoder of the columns, once for each of its models, in the
folders ``models/0``, ``models/1``, …; so has an estimator that chose by cross-validation, for its one model or more.

Floor 7 of the house; knows nothing of screens.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taut.errors import InvalidType, ModelFileError, TautError
from taut.files import replace_file
from taut.network import Network
from taut.storage import contents
from taut.storage.archive import Archive, one_line, pack, refusal
from taut.storage.documents import checked_fields, read_document, write_document
from taut.storage.networks import WEIGHTS
from taut.storage.paths import PATH_ARRAYS
from taut.training.ensemble import Ensemble
from taut.training.model import Model
from taut.versions import LIBRARIES, versions

if TYPE_CHECKING:
    from taut.estimators import TautClassifier, TautClassifierCV, TautRegressor, TautRegressorCV

__all__ = ["FORMAT", "SUMMARY", "Manifest", "load", "read_members", "save"]

#: The number of the format. A change that this version's reader would stumble over takes the next one; a new kind of
#: model does not, because a reader that does not know it says so and looks no further.
FORMAT = 1

_MANIFEST, SUMMARY = "manifest.json", "summary.json"

# The most bytes that a member may have, and all members of this name in an ensemble together.
_MEGABYTE = 2**20
_LIMITS = {
    _MANIFEST: _MEGABYTE,
    "recipe.json": 4 * _MEGABYTE,
    "network.json": 16 * _MEGABYTE,
    "parameters.json": 4 * _MEGABYTE,
    contents.MIXTURE: _MEGABYTE,
    "path.json": 64 * _MEGABYTE,
    "path.safetensors": 256 * _MEGABYTE,
    "schema.json": 64 * _MEGABYTE,
    "history.json": 64 * _MEGABYTE,
    "optimizer.safetensors": 4096 * _MEGABYTE,
    SUMMARY: 64 * _MEGABYTE,
    "preprocessing.skops": 256 * _MEGABYTE,
    WEIGHTS: 4096 * _MEGABYTE,
}
_STORED = (WEIGHTS, contents.MEMORY, contents.PREPROCESSING, PATH_ARRAYS)  # not compressed


def save(
    model: Network | Model | Ensemble | TautClassifier | TautRegressor | TautClassifierCV | TautRegressorCV,
    path: str | os.PathLike[str],
    *,
    summary: Mapping[str, Any] | None = None,
) -> None:
    """Write a model into a file.

    The file is opened and read once before it takes the place of an older one, so that what is saved can be loaded.

    Parameters
    ----------
    model : Network, Model, Ensemble, TautClassifier, TautRegressor, TautClassifierCV or TautRegressorCV
        Built or fitted. An estimator whose `random_state` is a generator comes back with the seed that it gave the
        fit.
    path : path
        The file, by custom with the suffix ``.taut``; one that is there is replaced.
    summary : mapping, optional
        JSON-able values to keep in the file, such as the scores that `taut fit` found.

    Raises
    ------
    InvalidType, InvalidValue
        If the model is not fitted, or holds something that cannot be stored, such as a layer of your own.
    ModelFileError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from taut import Dense, Network
    >>> network = Network([Dense(3)]).build(n_inputs=2, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(network, f"{folder}/small.taut")
    ...     again = load(f"{folder}/small.taut")
    >>> bool((again.theta == network.theta).all())
    True
    """
    target = _path(path)
    kind, members = contents.write_contents(model)
    if summary is not None:
        members[SUMMARY] = write_document(summary)
    manifest = {
        "format": FORMAT,
        "kind": kind,
        "versions": versions(),
        "members": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    members = {_MANIFEST: write_document(manifest), **members}
    try:
        _check_sizes({name: len(data) for name, data in members.items()})
        contents.read_contents(kind, members)
    except ModelFileError as error:
        raise refusal(target, f"not saved, because it could not be loaded again: {error}") from error
    try:
        replace_file(target, pack(members, stored=[name for name in members if _document(name) in _STORED]))
    except (OSError, ValueError) as error:
        raise refusal(target, f"cannot be written ({_reason(error)})") from error


def load(path: str | os.PathLike[str]) -> Any:
    """Read a model from a file.

    Parameters
    ----------
    path : path
        A file that `save` wrote, in this version of taut or an earlier one.

    Returns
    -------
    Network, Model, Ensemble, TautClassifier, TautRegressor, TautClassifierCV or TautRegressorCV
        What was saved; it predicts the same.

    Raises
    ------
    ModelFileError
        If there is no such file, it is not a model, is damaged, of a newer format, or holds anything that a model
        does not consist of.

    Examples
    --------
    >>> load("nowhere.taut")
    Traceback (most recent call last):
        ...
    taut.errors.ModelFileError: nowhere.taut: there is no such file
    """
    with read_members(path) as (manifest, members):
        try:
            return contents.read_contents(manifest.kind, members)
        except ModelFileError as error:
            is_ours = error.__cause__ is None or isinstance(error.__cause__, TautError)
            raise ModelFileError(f"{error}{'' if is_ours else _advice(manifest.versions)}") from error


@dataclass(frozen=True)
class Manifest:
    """What a file says about itself."""

    format: int
    kind: str
    versions: dict[str, str]
    members: dict[str, str]


def _path(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path)
    except TypeError as error:
        raise InvalidType(f"the path of a model must be a string or a path, got {path!r:.60}") from error


@contextmanager
def read_members(path: str | os.PathLike[str]) -> Iterator[tuple[Manifest, dict[str, bytes]]]:
    """Read a file, and put its name before whatever turns out to be wrong with it while it is taken apart."""
    file_path = _path(path)
    try:
        mode = file_path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "this is a folder" if stat.S_ISDIR(mode) else "this is not a regular file"
            raise ModelFileError(f"{what}, not a taut model")
        with file_path.open("rb") as file:
            archive = Archive(file)
            manifest = _read_manifest(archive)
            members = _read_members(archive, manifest)
        yield manifest, members
    except FileNotFoundError as error:
        raise refusal(file_path, "there is no such file") from error
    except ModelFileError as error:
        raise refusal(file_path, error) from error
    except (OSError, ValueError) as error:
        raise refusal(file_path, f"cannot be read ({_reason(error)})") from error


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _read_manifest(archive: Archive) -> Manifest:
    if _MANIFEST not in archive.names:
        raise ModelFileError(f"not a taut model: it holds no {_MANIFEST}")
    document = read_document(archive.read(_MANIFEST, _LIMITS[_MANIFEST]), _MANIFEST)
    number = document.get("format")
    if isinstance(number, int) and not isinstance(number, bool) and number > FORMAT:
        raise ModelFileError(f"made by a newer taut (format {number}, this version reads up to {FORMAT}): update taut")
    types = {"format": int, "kind": str, "versions": dict, "members": dict}
    manifest = Manifest(*checked_fields(document, _MANIFEST, types))
    if manifest.format < 1:
        raise ModelFileError(f"{_MANIFEST}: there is no format {manifest.format}")
    if manifest.kind not in contents.MEMBERS:
        unknown = one_line(f"unknown kind of model {manifest.kind!r:.40}")
        raise ModelFileError(f"{_MANIFEST}: {unknown}; if a newer taut made it, update taut")
    for field in (manifest.versions, manifest.members):
        if not all(isinstance(value, str) for value in field.values()):
            raise ModelFileError(f"{_MANIFEST}: versions and checksums should be strings")
    return manifest


def _read_members(archive: Archive, manifest: Manifest) -> dict[str, bytes]:
    needed = contents.needed_members(manifest.kind, archive.names)
    known, whole = {*needed, SUMMARY, _MANIFEST}, f"{'an' if manifest.kind == 'ensemble' else 'a'} {manifest.kind}"
    for name in archive.names:
        if name not in known:
            raise ModelFileError(one_line(f"it holds {name!r:.80}, which {whole} does not consist of"))
    for name in needed:
        if name not in archive.names:
            raise ModelFileError(f"{name} is missing: the file is not complete")
    names = [name for name in archive.names if name != _MANIFEST]
    if set(names) != manifest.members.keys():
        raise ModelFileError(f"{_MANIFEST} lists other members than there are")
    _check_sizes({name: archive.size(name) for name in archive.names})
    members = {name: archive.read(name, _LIMITS[_document(name)]) for name in names}
    for name, data in members.items():
        if hashlib.sha256(data).hexdigest() != manifest.members[name]:
            raise ModelFileError(f"{name} is not what was saved: its checksum is wrong")
    return members


def _check_sizes(sizes: Mapping[str, int]) -> None:
    """Refuse members that are too large; the models of an ensemble may together be no larger than one alone."""
    totals: Counter[str] = Counter()
    for name, size in sizes.items():
        document = _document(name)
        limit = _LIMITS[document]
        totals[document] += size
        if size > limit:
            raise ModelFileError(f"the member {name!r} has {size} bytes, more than the {limit} allowed")
        if totals[document] > limit:
            raise ModelFileError(f"the members {document!r} have more than the {limit} bytes together that are allowed")


def _document(name: str) -> str:
    """Return what a member is called in the folder of its model."""
    return name.rpartition("/")[2]


def _advice(made_with: Mapping[str, str]) -> str:
    """Return what to do if the libraries that wrote the file are others than these."""
    here = versions()
    others = [f"{name}=={made_with[name]}" for name in LIBRARIES if made_with.get(name, here[name]) != here[name]]
    return f"; it was made with other libraries: if it should load, install {' '.join(others)}" if others else ""
