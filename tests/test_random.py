"""Random numbers: the published test vectors, independence of the batch, and the shape of the distributions."""

from __future__ import annotations

from itertools import permutations
from math import erf, sqrt

import numpy as np
import pytest

from taut.errors import InvalidType, InvalidValue
from taut.random import Purpose, Random, philox

ONES = 0xFFFFFFFF


# "kat_vectors" of the authors' library Random123, philox4x32 with 10 rounds.
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "digits of pi"],
)
def test_philox_gives_the_published_vectors(counter, key, words):
    assert philox(np.array(counter, dtype=np.uint32)[:, None], key)[:, 0].tolist() == list(words)


def test_bits_lay_out_counter_and_key_as_documented():
    place = Random(0xA4093822 + (0x299F31D0 << 32), purpose=3, item=5, epoch=7)
    counter = np.array([[2], [7], [5], [3]], dtype=np.uint32)
    assert place.bits(4, start=8).tolist() == philox(counter, (0xA4093822, 0x299F31D0))[:, 0].tolist()


@pytest.mark.parametrize("start", range(9))
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 11])
def test_bits_are_a_window_into_one_sequence(start, count):
    assert Random(3).bits(count, start).tolist() == Random(3).bits(40)[start : start + count].tolist()


@pytest.mark.parametrize("width", [(), (1,), (3,), (4,), (7,), (3, 5)])
@pytest.mark.parametrize("draw", ["uniform", "normal", "bernoulli"])
def test_a_batch_draws_what_the_whole_would_have_drawn_for_its_rows(draw, width):
    def drawn(place, rows):
        shape = (rows, *width)
        return place.bernoulli(0.3, shape) if draw == "bernoulli" else getattr(place, draw)(shape)

    place = Random(11, Purpose.DROPOUT, item=1, epoch=2)
    whole = drawn(place, 13)
    for size in (1, 2, 5):
        batches = [drawn(place.at(row=row), min(size, 13 - row)) for row in range(0, 13, size)]
        np.testing.assert_array_equal(np.concatenate(batches), whole)


def test_places_that_differ_in_anything_give_other_numbers():
    first = Random(1)
    places = [
        first,
        first.at(purpose=Purpose.SHUFFLE),
        first.at(purpose=Purpose.DROPOUT),
        first.at(item=1),
        first.at(item=2),
        first.at(epoch=1),
        first.at(epoch=2),
        Random(2),
        Random(1 + 2**32),
        Random(2**64 - 1),
    ]
    drawn = np.array([place.uniform(2000) for place in places])
    assert len(np.unique(drawn[:, 0])) == len(places)
    correlations = np.corrcoef(drawn) - np.eye(len(places))
    assert np.abs(correlations).max() < 5 / sqrt(2000)


def test_same_place_gives_same_numbers():
    assert Random(5, Purpose.USER, 1, 2).uniform(9).tolist() == Random(5).at(item=1, epoch=2).uniform(9).tolist()


def test_uniform_values_are_uniform_on_the_half_open_interval():
    values = Random(0).uniform((1000, 100)).ravel()
    assert values.min() >= 0.0
    assert values.max() < 1.0
    # Kolmogorov's statistic exceeds 1.95 / sqrt(n) with probability 0.001.
    distances = np.abs(np.sort(values) - (np.arange(values.size) + 0.5) / values.size)
    assert distances.max() < 1.95 / sqrt(values.size)


def test_normal_values_are_standard_normal():
    values = Random(0).normal((1000, 101)).ravel()
    n = values.size
    assert abs(values.mean()) < 4 / sqrt(n)
    assert abs(values.var() - 1) < 4 * sqrt(2 / n)
    assert abs((values**3).mean()) < 4 * sqrt(15 / n)
    assert abs((values**4).mean() - 3) < 4 * sqrt(96 / n)
    expected = np.array([0.5 * (1 + erf(z / sqrt(2))) for z in np.sort(values)[::50]])
    assert np.abs(expected - np.arange(0, n, 50) / n).max() < 1.95 / sqrt(n)


def test_the_two_normals_made_from_one_pair_of_words_are_uncorrelated():
    pairs = Random(4).normal((20_000, 2))
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 4 / sqrt(20_000)
    assert abs(np.corrcoef((pairs**2).T)[0, 1]) < 4 / sqrt(20_000)


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_bernoulli_is_true_as_often_as_asked(probability):
    drawn = Random(2).bernoulli(probability, (300, 300))
    assert drawn.dtype == bool
    spread = sqrt(probability * (1 - probability) / drawn.size)
    assert abs(drawn.mean() - probability) <= 4 * spread


@pytest.mark.parametrize("count", [0, 1, 2, 10, 1001])
def test_permutation_holds_every_integer_once(count):
    permutation = Random(8).permutation(count)
    assert permutation.dtype == np.int64
    assert sorted(permutation.tolist()) == list(range(count))


@pytest.mark.parametrize("count", [3, 4])
def test_every_permutation_is_about_equally_frequent(count):
    trials, kinds = 6000, list(permutations(range(count)))
    seen = [tuple(Random(1, Purpose.SHUFFLE, epoch=epoch).permutation(count).tolist()) for epoch in range(trials)]
    expected = trials / len(kinds)
    chi_squared = sum((seen.count(kind) - expected) ** 2 / expected for kind in kinds)
    # Exceeded with probability 0.001 for 5 and for 23 degrees of freedom.
    assert chi_squared < {3: 20.5, 4: 49.7}[count]


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_out_of_range_is_refused(seed):
    with pytest.raises(InvalidValue, match=f"seed must be .*, got {seed}"):
        Random(seed)


@pytest.mark.parametrize("seed", ["1", None, 1.5, True])
def test_seed_that_is_no_integer_is_refused(seed):
    with pytest.raises(InvalidType, match="seed must be an integer"):
        Random(seed)


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8, np.uint64])
def test_numpy_integers_are_seeds_like_any_other(kind):
    assert Random(kind(7)).uniform(5).tolist() == Random(7).uniform(5).tolist()
