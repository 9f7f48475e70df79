"""The compiled random numbers are those of taut.random, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from taut.engine import draws
from taut.random import Purpose, Random


@njit
def word(seed, purpose, item, epoch, index):
    return draws.word(seed, purpose, item, epoch, index)


@njit
def permutation(order, keys, seed, epoch):
    draws.permutation(order, keys, seed, epoch)


@njit
def masks(memory, target, rows, width, padded, keep, purpose, seed, item, epoch, row):
    draws.masks(memory, target, rows, width, padded, keep, purpose, seed, item, epoch, row)


@njit
def add_noise(memory, target, rows, width, padded, deviation, seed, item, epoch, row):
    draws.add_noise(memory, target, rows, width, padded, deviation, seed, item, epoch, row)


SEEDS = [0, 7, 2**32 - 1, 2**32, 0xA4093822299F31D0, 2**64 - 1]
#: Rows, width and how far apart the rows lie.
SHAPES = [
    (0, 5, 8),
    (1, 1, 4),
    (5, 3, 4),
    (7, 4, 4),
    (6, 5, 8),
    (3, 8, 8),
    (32, 10, 16),
    (9, 13, 16),
    (5, 16, 16),
    (32, 64, 64),
    (11, 61, 64),
    (3, 17, 32),
    (2, 4095, 4096),
    (3, 1500, 1504),
    (2, 4099, 4112),
    (150, 64, 64),
]
TYPES = [np.float32, np.float64]
MARGIN = 5  # numbers before and after the matrix that must stay as they are


@pytest.mark.parametrize("seed", SEEDS)
def test_word(seed):
    place = Random(seed, Purpose.MIXUP, item=3, epoch=2**31 + 5)
    expected = place.bits(9, 1)
    drawn = [word(np.uint64(seed), 7, 3, 2**31 + 5, index) for index in range(1, 10)]
    assert drawn == expected.tolist()
    assert word(np.uint64(seed), 7, 3, 2**31 + 5, 2**34 - 1) == place.bits(1, 2**34 - 1)[0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 31, 33, 364, 1000, 70_001])
def test_permutation(n, seed):
    order, keys = np.full(n, -1), np.full(2 * n + 1024, 2**64 - 1, dtype=np.uint64)
    permutation(order, keys, np.uint64(seed), 6)
    expected = Random(seed).at(purpose=Purpose.SHUFFLE, epoch=6).permutation(n)
    np.testing.assert_array_equal(order, expected)


def test_permutation_keeps_the_order_of_equal_words():
    # A million words of 32 bits hold about 116 equal pairs.
    n = 1_000_000
    order, keys = np.empty(n, dtype=np.int64), np.empty(2 * n + 1024, dtype=np.uint64)
    permutation(order, keys, np.uint64(1), 0)
    place = Random(1, Purpose.SHUFFLE)
    assert len(np.unique(place.bits(n))) < n
    np.testing.assert_array_equal(order, place.permutation(n))


def matrix(memory, rows, width, padded):
    """Return the inside of a matrix that lies in memory, and everything around it."""
    inside = memory[MARGIN : MARGIN + rows * padded].reshape(rows, padded)
    return inside[:, :width], inside[:, width:], np.concatenate([memory[:MARGIN], memory[MARGIN + rows * padded :]])


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("keep", [0.8, 0.5, 1 / 3, 1.0, 1e-11, 1e-9])
@pytest.mark.parametrize("shape", SHAPES)
def test_masks(shape, keep, kind):
    rows, width, padded = shape
    purposes = (Purpose.DROPOUT, Purpose.DROPCONNECT) * 3
    for seed, row, purpose in zip(SEEDS, (0, 1, 2, 3, 100, 12345), purposes, strict=True):
        memory = np.full(rows * padded + 2 * MARGIN, 9.0, dtype=kind)
        masks(memory, MARGIN, rows, width, padded, keep, int(purpose), np.uint64(seed), 4, 11, row)
        place = Random(seed).at(purpose=purpose, item=4, epoch=11, row=row)
        inside, padding, outside = matrix(memory, rows, width, padded)
        np.testing.assert_array_equal(inside, place.bernoulli(keep, (rows, width)).astype(kind) / kind(keep))
        assert (padding == 0).all()
        assert (outside == 9).all()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_noise(shape, kind):
    rows, width, padded = shape
    for seed, row in zip(SEEDS, (0, 1, 2, 3, 100, 12345), strict=True):
        before = np.random.default_rng(3).normal(size=rows * padded + 2 * MARGIN).astype(kind)
        memory = before.copy()
        add_noise(memory, MARGIN, rows, width, padded, 0.3, np.uint64(seed), 4, 11, row)
        normal = Random(seed).at(purpose=Purpose.NOISE, item=4, epoch=11, row=row).normal((rows, width))
        inside, padding, outside = matrix(memory, rows, width, padded)
        x, padding_before, outside_before = matrix(before, rows, width, padded)
        np.testing.assert_allclose(inside, x + 0.3 * normal.astype(kind), rtol=0, atol=4 * np.finfo(kind).eps)
        np.testing.assert_array_equal(padding, padding_before)
        np.testing.assert_array_equal(outside, outside_before)


def test_normal_numbers_agree_to_the_last_digits():
    memory = np.zeros(40_000)
    add_noise(memory, 0, 400, 100, 100, 1.0, np.uint64(5), 0, 0, 0)
    expected = Random(5, Purpose.NOISE).normal((400, 100)).ravel()
    np.testing.assert_allclose(memory, expected, rtol=1e-15)
