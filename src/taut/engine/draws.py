"""Random numbers, compiled: the same that `taut.random` draws at the same place, by the same rules.

Philox makes four words of each counter, whatever was made before, so as many counters as a register has lanes are
scrambled at once; each function then makes its own numbers of the words. Floor 3 of the house; knows nothing of
networks.
"""

from __future__ import annotations

from math import cos, log, pi, sin, sqrt

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core.extending import intrinsic

from taut.engine.products import count
from taut.engine.vectors import WIDTH, full, interleave, ir_vector, pointer, read, spread, write
from taut.random import Purpose

__all__ = ["add_noise", "masks", "permutation", "word"]

# Salmon et al., SC11, 2011, table 2, as in `taut.random.philox`.
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL_INCREMENTS = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_MASK = 0xFFFFFFFF
_TWO_TO_32 = 4294967296.0

#: Counters that are scrambled at once, a lane of 64 bits each, and how many words that makes.
_COUNTERS = WIDTH // 8
_GROUP = 4 * _COUNTERS

_SHUFFLE, _DROPOUT, _NOISE = int(Purpose.SHUFFLE), int(Purpose.DROPOUT), int(Purpose.NOISE)

_WORD, _LONG = ir.IntType(32), ir.IntType(64)


class _Words:
    """Philox on several counters, as instructions: words lie in the lower halves of lanes of 64 bits."""

    vector = ir.VectorType(_LONG, _COUNTERS)

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder

    def constant(self, number: int) -> ir.Value:
        return ir.Constant(self.vector, [number] * _COUNTERS)

    def spread(self, scalar: ir.Value) -> ir.Value:
        """Return a vector with the lower half of an integer of 64 bits in every lane."""
        return spread(self.builder, self.builder.and_(scalar, _LONG(_MASK)), self.vector)

    def product(self, word: ir.Value, factor: int) -> ir.Value:
        # The compiler sees that the upper halves are zero, and takes the instruction that multiplies the lower ones.
        return self.builder.mul(self.builder.and_(word, self.constant(_MASK)), self.constant(factor))

    def upper(self, value: ir.Value) -> ir.Value:
        return self.builder.lshr(value, self.constant(32))

    def scrambled(self, x: tuple, seed: ir.Value) -> tuple:
        """Return the four words of each counter; their upper halves mean nothing."""
        builder = self.builder
        keys = [seed, builder.lshr(seed, _LONG(32))]
        for _ in range(_ROUNDS):
            products = self.product(x[0], _MULTIPLIERS[0]), self.product(x[2], _MULTIPLIERS[1])
            x = (
                builder.xor(builder.xor(self.upper(products[1]), x[1]), self.spread(keys[0])),
                products[1],
                builder.xor(builder.xor(self.upper(products[0]), x[3]), self.spread(keys[1])),
                products[0],
            )
            keys = [builder.add(key, _LONG(step)) for key, step in zip(keys, _WEYL_INCREMENTS, strict=True)]
        return x

    def in_order(self, x: tuple) -> tuple[ir.Value, ir.Value]:
        """Return the words of each counter side by side, counter after counter."""
        pairs = [
            self.builder.or_(self.builder.and_(x[i], self.constant(_MASK)), self.builder.shl(x[i + 1], self.constant(32)))
            for i in (0, 2)
        ]
        return interleave(self.builder, *pairs)


@intrinsic
def _store_group(typing_context, words, place, block, epoch, item, purpose, seed):
    """Write the words of the counters from `block` on."""
    signature = types.void(words, *[types.int64] * 5, types.uint64)

    def generate(context, builder, signature, arguments):
        array, place, block, epoch, item, purpose, seed = arguments
        philox = _Words(builder)
        ascending = ir.Constant(philox.vector, [*range(_COUNTERS)])
        first = builder.add(spread(builder, block, philox.vector), ascending)
        counter = (first, *(philox.spread(part) for part in (epoch, item, purpose)))
        address = pointer(context, builder, words, array, place)
        for i, value in enumerate(philox.in_order(philox.scrambled(counter, seed))):
            in_words = builder.bitcast(value, ir.VectorType(_WORD, 2 * _COUNTERS))
            write(builder, in_words, builder.gep(address, [_LONG(2 * _COUNTERS * i)]))
        return context.get_dummy_value()

    return signature, generate


@njit
def _draw(words, place, block, blocks, purpose, item, epoch, seed):
    """Write the words of some blocks, and of up to a group more than that, to an array of uint32."""
    for i in range(0, blocks, _COUNTERS):
        _store_group(words, place + 4 * i, block + i, epoch, item, purpose, seed)


@njit
def word(seed, purpose, item, epoch, index):
    """Return one word as int64: the value of ``Random(seed, purpose, item, epoch).bits(1, index)``."""
    words = np.empty(_GROUP, dtype=np.uint32)
    _store_group(words, 0, index // 4, epoch, item, purpose, seed)
    return np.int64(words[index % 4])


@njit
def permutation(order, keys, seed, epoch):
    """Write the integers from 0 on in random order: ``Random(seed, SHUFFLE, epoch=epoch).permutation(len(order))``.

    Parameters
    ----------
    order : ndarray of int64, shape (n,)
        Where the permutation goes.
    keys : ndarray of uint64, shape (2 * n + 1024,) or longer
        Room: whatever it holds is lost.
    seed : uint64
        Seed of the run.
    epoch : int
        The pass over the data.
    """
    n = len(order)
    words = keys.view(np.uint32)
    _draw(words, 2 * n, 0, (n + 3) // 4, _SHUFFLE, 0, epoch, seed)
    # A key is a word above an index; those with equal words stay in the order of their indices, as the sort is stable.
    counts = keys[2 * n : 2 * n + 1024]
    for i in range(n):
        keys[i] = (np.uint64(words[2 * n + i]) << np.uint64(32)) | np.uint64(i)
    counts[:] = 0
    for i in range(n):
        key = keys[i]
        for digit in range(4):
            counts[256 * digit + np.int64((key >> np.uint64(32 + 8 * digit)) & np.uint64(255))] += np.uint64(1)
    for digit in range(4):
        before = np.uint64(0)
        for value in range(256 * digit, 256 * digit + 256):
            before, counts[value] = before + counts[value], before
    source, target = 0, n
    for digit in range(3):
        shift = np.uint64(32 + 8 * digit)
        for i in range(n):
            key = keys[source + i]
            value = 256 * digit + np.int64((key >> shift) & np.uint64(255))
            keys[target + np.int64(counts[value])] = key
            counts[value] += np.uint64(1)
        source, target = target, source
    for i in range(n):
        key = keys[source + i]
        value = 768 + np.int64(key >> np.uint64(56))
        order[np.int64(counts[value])] = np.int64(key & np.uint64(_MASK))
        counts[value] += np.uint64(1)


@intrinsic
def _store_mask(typing_context, memory, place, words, at, highest, kept, lanes):
    """Write `kept` where a word is at most `highest`, zero elsewhere and from the lane `lanes` on."""
    vector = full(memory.dtype)
    signature = types.void(memory, types.intp, words, types.intp, types.uint32, memory.dtype, types.intp)

    def generate(context, builder, signature, arguments):
        array, place, words_array, at, highest, kept, lanes = arguments
        numbers, integers = ir_vector(vector), ir.VectorType(_WORD, vector.count)
        drawn = read(builder, integers, pointer(context, builder, words, words_array, at))
        few = builder.icmp_unsigned("<=", drawn, spread(builder, highest, integers))
        ascending = ir.Constant(integers, [*range(vector.count)])
        within = builder.icmp_signed("<", ascending, spread(builder, builder.trunc(lanes, _WORD), integers))
        zero = ir.Constant(numbers, [0.0] * vector.count)
        chosen = builder.select(builder.and_(few, within), spread(builder, kept, numbers), zero)
        write(builder, chosen, pointer(context, builder, memory, array, place))
        return context.get_dummy_value()

    return signature, generate


#: Words that are drawn before they are used, unless one row has more.
_ROOM = 4096


@njit
def masks(memory, place, rows, width, padded, keep, seed, item, epoch, row):
    """Write the masks of dropout for some rows: 1 / keep or 0, and 0 where the padding begins.

    What is kept is what ``Random(seed, DROPOUT, item, epoch, row).bernoulli(keep, (rows, width))`` says.

    Parameters
    ----------
    memory : ndarray of float32 or float64, shape (size,)
        Where everything lies.
    place : int
        Where the masks begin.
    rows, width, padded : int
        Size of the matrix, and how far apart its rows lie.
    keep : float
        Probability that a value is kept.
    seed : uint64
        Seed of the run.
    item, epoch, row : int
        Index of the layer, pass over the data, and first row.
    """
    kept = memory.dtype.type(1) / memory.dtype.type(keep)
    first, threshold = row * width, np.int64(np.rint(keep * _TWO_TO_32))
    if threshold <= 0:
        memory[place : place + rows * padded] = 0
        return
    highest, wide = np.uint32(threshold - 1), count(memory)
    if width == padded:
        # Without padding the matrix is one long row, which is cut where that suits.
        longest = max(_ROOM, wide)
        words = np.empty(min(rows * width, longest) + 2 * _GROUP, dtype=np.uint32)
        for done in range(0, rows * width, longest):
            some, skipped = min(longest, rows * width - done), (first + done) % 4
            _draw(words, 0, (first + done) // 4, (skipped + some + 3) // 4, _DROPOUT, item, epoch, seed)
            _mask_row(memory, place + done, words, skipped, some, some, highest, kept)
        return
    at_once = max(_ROOM // max(width, 1), 1)
    words = np.empty(min(at_once, rows) * width + 2 * _GROUP, dtype=np.uint32)
    for top in range(0, rows, at_once):
        some, start = min(at_once, rows - top), first + top * width
        _draw(words, 0, start // 4, (start % 4 + some * width + 3) // 4, _DROPOUT, item, epoch, seed)
        for i in range(some):
            target, at = place + (top + i) * padded, start % 4 + i * width
            _mask_row(memory, target, words, at, width, padded, highest, kept)


@njit
def _mask_row(memory, place, words, at, width, padded, highest, kept):
    column, wide = 0, count(memory)
    while column + wide <= padded:
        _store_mask(memory, place + column, words, at + column, highest, kept, width - column)
        column += wide
    for last in range(column, padded):
        is_kept = last < width and words[at + last] <= highest
        memory[place + last] = kept if is_kept else 0


@njit
def add_noise(memory, place, rows, width, padded, standard_deviation, seed, item, epoch, row):
    """Add normal numbers to some rows: ``standard_deviation * Random(seed, NOISE, item, epoch, row).normal(...)``.

    Parameters as in `masks`; the padding is left as it is.
    """
    deviation = memory.dtype.type(standard_deviation)
    at_once = max(_ROOM // max(width, 1), 1)
    words = np.empty(min(at_once, rows) * width + 2 * _GROUP, dtype=np.uint32)
    for top in range(0, rows, at_once):
        some, start = min(at_once, rows - top), (row + top) * width
        block = start // 4
        _draw(words, 0, block, (start % 4 + some * width + 5) // 4, _NOISE, item, epoch, seed)
        for i in range(some):
            target, index = place + (top + i) * padded, start + i * width
            column = 0
            while column < width:
                # Two words make two numbers (Box and Muller, 1958); the first or last of a row may be half of a pair.
                is_second = (index + column) % 2
                pair = index + column - is_second - 4 * block
                radius = sqrt(-2.0 * log((words[pair] + 1.0) / _TWO_TO_32))
                angle = 2.0 * pi / _TWO_TO_32 * words[pair + 1]
                if not is_second:
                    memory[target + column] += deviation * memory.dtype.type(radius * cos(angle))
                    column += 1
                if column < width:
                    memory[target + column] += deviation * memory.dtype.type(radius * sin(angle))
                    column += 1
