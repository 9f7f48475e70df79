"""Damage at random places: a file is refused, or what was hit did not matter. Nothing else is ever raised."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from tests.storage.spoiling import (
    members_of,
    sealed,
    zipped,
)

from taut import ModelFileError
from taut.storage import load
from taut.training import Ensemble, Model

KINDS = ["model", "ensemble"]


def spoiled(data: bytes, place: random.Random) -> bytes:
    """Return the bytes with a bit flipped, a run overwritten, a piece cut out or put in, or the end cut off."""
    where = place.randrange(len(data))
    length = place.randrange(1, 20)
    match place.randrange(5):
        case 0:
            return data[:where] + bytes([data[where] ^ 1 << place.randrange(8)]) + data[where + 1 :]
        case 1:
            return data[:where] + place.randbytes(length) + data[where + length :]
        case 2:
            return data[:where] + data[where + length :]
        case 3:
            return data[:where] + place.randbytes(length) + data[where:]
        case _:
            return data[:where]


def loaded_or_refused(path: Path) -> Model | Ensemble | None:
    try:
        return load(path)
    except ModelFileError as error:
        message = str(error)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_damage_anywhere_is_refused_or_changes_nothing(seed, kind, frame, tmp_path, request):
    place = random.Random(seed)
    path = tmp_path / "a.taut"
    saved, data = request.getfixturevalue(kind), request.getfixturevalue(f"{kind}_bytes")
    for _ in range(50):
        path.write_bytes(spoiled(data, place))
        loaded = loaded_or_refused(path)
        if loaded is not None:
            np.testing.assert_array_equal(loaded.predict_proba(frame), saved.predict_proba(frame))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_damage_under_a_right_checksum_is_refused_or_gives_a_model_that_works(seed, kind, frame, tmp_path, request):
    place = random.Random(seed)
    path = tmp_path / "a.taut"
    members = members_of(request.getfixturevalue(f"{kind}_bytes"))
    encoder = next(name for name in members if name.endswith("preprocessing.skops"))
    inner = members_of(members[encoder])
    for _ in range(50):
        name = place.choice([*(name for name in members if name != "manifest.json"), *inner])
        if name in inner:
            skops_file = zipped({**inner, name: spoiled(inner[name], place)})
            path.write_bytes(sealed({**members, encoder: skops_file}))
        else:
            path.write_bytes(sealed({**members, name: spoiled(members[name], place)}))
        loaded = loaded_or_refused(path)
        if loaded is not None:
            assert len(loaded.predict(frame.iloc[:0])) == 0
