"""Augmented images: what is switched on happens, and depends on nothing but seed, epoch and position."""

from __future__ import annotations

import json

import numpy as np
import pytest

from taut.data.augment import Augmentation
from taut.errors import DataError, TautError
from taut.random import Purpose, Random

RANDOM = Random(3).at(purpose=Purpose.AUGMENTATION, epoch=5)
EVERYTHING = Augmentation(shape=(6, 5), rotate=20, shift=2, flip="both", noise=0.1)


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=(40, 30))


def test_a_row_does_not_depend_on_its_batch(images):
    whole = EVERYTHING.apply(images, np.arange(40), RANDOM)
    some = np.array([31, 2, 17])
    np.testing.assert_array_equal(EVERYTHING.apply(images[some], some, RANDOM), whole[some])


def test_each_epoch_and_seed_draws_anew(images):
    rows = np.arange(40)
    first = EVERYTHING.apply(images, rows, RANDOM)
    assert not np.array_equal(first, EVERYTHING.apply(images, rows, RANDOM.at(epoch=6)))
    assert not np.array_equal(
        first, EVERYTHING.apply(images, rows, Random(4).at(purpose=Purpose.AUGMENTATION, epoch=5))
    )


def test_nothing_switched_on_changes_nothing_and_the_input_is_never_touched(images):
    before = images.copy()
    same = Augmentation(shape=(6, 5)).apply(images, np.arange(40), RANDOM)
    np.testing.assert_array_equal(same, images)
    assert not np.shares_memory(same, images)
    EVERYTHING.apply(images, np.arange(40), RANDOM)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize(("flip", "axes"), [("horizontal", [1]), ("vertical", [0]), ("both", [0, 1])])
def test_flips_mirror_about_half_of_the_images(flip, axes):
    image = np.arange(30.0)
    result = Augmentation(shape=(6, 5), flip=flip).apply(np.tile(image, (400, 1)), np.arange(400), RANDOM)
    variants = {image.tobytes()}
    for axis in axes:
        variants |= {np.flip(np.frombuffer(v).reshape(6, 5), axis).tobytes() for v in variants}
    seen, counts = np.unique(result, axis=0, return_counts=True)
    assert {row.tobytes() for row in seen} == variants
    assert counts.min() > 0.6 * 400 / len(variants)


def test_shift_moves_by_whole_pixels_and_repeats_the_edge():
    image = np.arange(30.0).reshape(6, 5)
    result = Augmentation(shape=(6, 5), shift=1).apply(np.tile(image.ravel(), (300, 1)), np.arange(300), RANDOM)
    padded = np.pad(image, 1, mode="edge")
    expected = {padded[i : i + 6, j : j + 5].tobytes() for i in range(3) for j in range(3)}
    assert {row.tobytes() for row in np.round(result, 9)} == expected


def test_rotation_stays_within_its_angle_and_keeps_the_middle():
    image = np.zeros((11, 11))
    image[5, :] = 1.0
    result = Augmentation(shape=(11, 11), rotate=30).apply(np.tile(image.ravel(), (200, 1)), np.arange(200), RANDOM)
    pictures = result.reshape(-1, 11, 11)
    np.testing.assert_allclose(pictures[:, 5, 5], 1.0)
    right = (pictures[:, :, 9] * np.arange(11)).sum(axis=1) / pictures[:, :, 9].sum(axis=1) - 5
    angles = np.degrees(np.arctan2(right, 4))
    assert np.abs(angles).max() < 32
    assert angles.min() < -20
    assert angles.max() > 20


def test_noise_has_the_asked_standard_deviation():
    flat = np.zeros((200, 30))
    result = Augmentation(shape=(6, 5), noise=0.3).apply(flat, np.arange(200), RANDOM)
    assert result.std() == pytest.approx(0.3, rel=0.05)
    assert abs(result.mean()) < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_type_is_kept_and_bytes_do_not_wrap_around(dtype):
    white = np.full((20, 30), 255, dtype=dtype)
    result = Augmentation(shape=(6, 5), noise=2.0).apply(white, np.arange(20), RANDOM)
    assert result.dtype == dtype
    assert result.min() > 200


def test_channels_move_together():
    gray = np.random.default_rng(0).uniform(size=(8, 6, 5))
    color = np.repeat(gray[..., None], 3, axis=3).reshape(8, -1)
    result = Augmentation(shape=(6, 5, 3), rotate=40, shift=2, flip="both").apply(color, np.arange(8), RANDOM)
    plain = Augmentation(shape=(6, 5), rotate=40, shift=2, flip="both").apply(gray.reshape(8, -1), np.arange(8), RANDOM)
    for channel in range(3):
        np.testing.assert_array_equal(result.reshape(8, 30, 3)[:, :, channel], plain)


def test_no_rows_give_no_rows():
    assert EVERYTHING.apply(np.empty((0, 30)), np.empty(0, dtype=np.int64), RANDOM).shape == (0, 30)


def test_fields_return_through_json():
    assert Augmentation.from_dict(json.loads(json.dumps(EVERYTHING.to_dict()))) == EVERYTHING


@pytest.mark.parametrize(
    "arguments",
    [{"shape": (28,)}, {"shape": (0, 3)}, {"rotate": -1}, {"rotate": 181}, {"shift": 28}, {"shift": 0.5},
     {"flip": "up"}, {"noise": -0.1}, {"noise": np.inf}],
)  # fmt: skip
def test_impossible_settings_are_refused(arguments):
    with pytest.raises(TautError):
        Augmentation(**arguments)


def test_rows_of_another_length_are_refused():
    with pytest.raises(DataError, match="has 784 values"):
        Augmentation().apply(np.zeros((2, 30)), np.arange(2), RANDOM)
    with pytest.raises(DataError, match="one position is needed"):
        EVERYTHING.apply(np.zeros((2, 30)), np.arange(3), RANDOM)
