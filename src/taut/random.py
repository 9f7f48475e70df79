"""Counter-based random numbers: a value is a pure function of (seed, purpose, item, epoch, index).

An ordinary generator hands out numbers in the order in which they are asked for, so two programs that ask in another
order, or on two threads, part ways. A counter-based generator has no such memory: it is a keyed bijection (here
Philox4x32-10), and the number at any place is computed from the place alone. That is why the readable reference loop
and a compiled engine can draw the same dropout mask for row 17 in epoch 3, whatever the batch or the thread.

Floor 1 of the house: knows nothing of networks or data.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from math import prod

import numpy as np

from taut.checks import check_number, shown
from taut.errors import InvalidValue

__all__ = ["Purpose", "Random", "philox"]

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL_INCREMENTS = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_TWO_TO_32 = 2**32


def philox(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Philox4x32-10: scramble 128-bit counters under a 64-bit key.

    Parameters
    ----------
    counter : ndarray of uint32, shape (4, count)
        One counter a column, least significant word first.
    key : tuple of two int
        Two 32-bit words.

    Returns
    -------
    ndarray of uint32, shape (4, count)
        Four independent random words for each counter.

    References
    ----------
    Salmon et al., SC11, 2011, section 5.3; constants from table 2 there.

    Examples
    --------
    >>> [hex(word) for word in philox(np.zeros((4, 1), dtype=np.uint32), (0, 0))[:, 0].tolist()]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    # Words are held in 64 bits so that one multiplication gives both halves of the product.
    x0, x1, x2, x3 = (word.astype(np.uint64) for word in counter)
    key0, key1 = key
    for _ in range(_ROUNDS):
        product0, product1 = x0 * _MULTIPLIERS[0], x2 * _MULTIPLIERS[1]
        x0, x1, x2, x3 = (
            (product1 >> _HALF) ^ x1 ^ np.uint64(key0),
            product1 & _MASK,
            (product0 >> _HALF) ^ x3 ^ np.uint64(key1),
            product0 & _MASK,
        )
        key0, key1 = (key0 + _WEYL_INCREMENTS[0]) % _TWO_TO_32, (key1 + _WEYL_INCREMENTS[1]) % _TWO_TO_32
    return np.stack([x0, x1, x2, x3]).astype(np.uint32)


class Purpose(IntEnum):
    """What random numbers are drawn for: one stream each, so that adding a use never shifts another."""

    WEIGHTS = 0
    SHUFFLE = 1
    DROPOUT = 2
    AUGMENTATION = 3
    SPLIT = 4
    BOOTSTRAP = 5
    NOISE = 6
    MIXUP = 7
    SEARCH = 8
    DROPCONNECT = 9
    IMPORTANCE = 10
    USER = 255


@dataclass(frozen=True)
class Random:
    """A place in the space of random numbers.

    Parameters
    ----------
    seed : int
        From 0 to 2**64 - 1.
    purpose : Purpose, default Purpose.USER
        What the numbers are for.
    item : int, default 0
        Which one of several drawers with that purpose, such as the index of a layer.
    epoch : int, default 0
        The pass over the data.
    row : int, default 0
        Where the rows asked for begin: an array of shape (rows, width) holds the values with indices from
        ``row * width``, so that a batch draws what the whole epoch would have drawn for its rows.

    Notes
    -----
    The 128-bit counter is (block, epoch, item, purpose) in 32-bit words; block ``index // 4`` yields the four values
    with indices ``4 * block`` to ``4 * block + 3``. There is room for 2**34 values at each place.

    Examples
    --------
    >>> masks = Random(7).at(purpose=Purpose.DROPOUT, item=2, epoch=3)
    >>> whole = masks.uniform((4, 3))
    >>> bool((masks.at(row=2).uniform((2, 3)) == whole[2:]).all())
    True
    """

    seed: int
    purpose: Purpose = Purpose.USER
    item: int = 0
    epoch: int = 0
    row: int = 0

    def __post_init__(self) -> None:
        if type(self.seed) is not int:
            check_number("seed", self.seed, integer=True)
            object.__setattr__(self, "seed", int(self.seed))
        if not 0 <= self.seed < 2**64:
            raise InvalidValue(f"seed must be from 0 to 2**64 - 1, got {shown(self.seed)}")

    def at(self, **place: int) -> Random:
        """Return another place with the same seed: any of `purpose`, `item`, `epoch`, `row`; the rest stays."""
        return replace(self, **place)  # type: ignore[arg-type]  # IntEnum and int are one to the generator

    def _start(self, shape: tuple[int, ...]) -> int:
        return self.row * prod(shape[1:])

    def bits(self, count: int, start: int = 0) -> np.ndarray:
        """Return the uint32 words with indices from `start` to ``start + count - 1``, shape (count,)."""
        first, last = start // 4, -(-(start + count) // 4)
        counter = np.empty((4, last - first), dtype=np.uint32)
        counter[0] = np.arange(first, last, dtype=np.uint64)
        counter[1], counter[2], counter[3] = self.epoch, self.item, int(self.purpose)
        words = philox(counter, (self.seed % _TWO_TO_32, self.seed // _TWO_TO_32))
        return words.T.reshape(-1)[start - 4 * first : start - 4 * first + count]

    def uniform(self, shape: int | tuple[int, ...]) -> np.ndarray:
        """Return float64 values from [0, 1) with the given shape, a multiple of 2**-32 each."""
        shape = (shape,) if isinstance(shape, int) else shape
        return (self.bits(prod(shape), self._start(shape)) / _TWO_TO_32).reshape(shape)

    def normal(self, shape: int | tuple[int, ...]) -> np.ndarray:
        """Return standard normal float64 values (Box and Muller, 1958) with the given shape.

        The values with indices 2j and 2j + 1 are made from the words 2j and 2j + 1.
        """
        shape = (shape,) if isinstance(shape, int) else shape
        count, start = prod(shape), self._start(shape)
        first = start - start % 2
        pairs = -(-(start + count - first) // 2)
        words = self.bits(2 * pairs, first).reshape(pairs, 2)
        radius = np.sqrt(-2.0 * np.log((words[:, 0] + 1.0) / _TWO_TO_32))
        angle = 2.0 * np.pi / _TWO_TO_32 * words[:, 1]
        values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)
        return values[start - first : start - first + count].reshape(shape)

    def bernoulli(self, probability: float, shape: int | tuple[int, ...]) -> np.ndarray:
        """Return booleans with the given shape, each true with the given probability.

        Whole words are compared, so the outcome is the same in every floating-point type.
        """
        shape = (shape,) if isinstance(shape, int) else shape
        threshold = np.uint64(min(max(round(probability * _TWO_TO_32), 0), _TWO_TO_32))
        return (self.bits(prod(shape), self._start(shape)).astype(np.uint64) < threshold).reshape(shape)

    def permutation(self, count: int) -> np.ndarray:
        """Return the integers from 0 to ``count - 1`` in random order, int64, shape (count,).

        Each integer gets a random word; they are sorted by (word, integer), which has one answer whatever the
        sorting algorithm.
        """
        keys = (self.bits(count).astype(np.uint64) << _HALF) | np.arange(count, dtype=np.uint64)
        keys.sort()
        return (keys & _MASK).astype(np.int64)
