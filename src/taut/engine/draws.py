"""Random numbers, compiled: the same that `taut.random` draws at the same place, by the same rules.

Philox makes four words of each counter, whatever was made before, so as many counters as a register has lanes are
scrambled at once; each function then makes its own numbers of the words. Floor 3 of the house; knows nothing of
networks.
"""

from __future__ import annotations

from math import cos, log, pi, sin, sqrt
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic

from taut.engine.parts import part
from taut.engine.products import count
from taut.engine.vectors import WIDTH, full, interleave, ir_vector, pointer, read, spread, write
from taut.random import Purpose

__all__ = ["add_noise", "masks", "permutation", "take_cells", "word"]

# Salmon et al., SC11, 2011, table 2, as in `taut.random.philox`.
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL_INCREMENTS = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_MASK = 0xFFFFFFFF
_TWO_TO_32 = 4294967296.0

#: Counters that are scrambled at once, a lane of 64 bits each, and how many words that makes.
_COUNTERS = WIDTH // 8
_GROUP = 4 * _COUNTERS

_ONE = np.uint64(1)
_SHUFFLE, _NOISE, _MIXUP = int(Purpose.SHUFFLE), int(Purpose.NOISE), int(Purpose.MIXUP)

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

    def scrambled(self, x: tuple[ir.Value, ...], seed: ir.Value) -> tuple[ir.Value, ...]:
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

    def in_order(self, x: tuple[ir.Value, ...]) -> tuple[ir.Value, ir.Value]:
        """Return the words of each counter side by side, counter after counter."""
        pairs = [
            self.builder.or_(
                self.builder.and_(x[i], self.constant(_MASK)), self.builder.shl(x[i + 1], self.constant(32))
            )
            for i in (0, 2)
        ]
        return interleave(self.builder, *pairs)


#: Words that are drawn before they are used.
_ROOM = 4096


@intrinsic
def _room(typing_context):
    """Return the address of room for the words of one function, on the stack, as it comes."""
    kind = types.CPointer(types.uint32)

    def generate(context, builder, signature, arguments):
        with builder.goto_entry_block():
            return builder.alloca(_WORD, _ROOM + 2 * _GROUP)

    return kind(), generate


def _address(context: Any, builder: ir.IRBuilder, kind: Any, words: ir.Value, place: ir.Value) -> ir.Value:
    """Return the address of a word in a `_room` or in an array of any type."""
    if isinstance(kind, types.Array):
        words = builder.bitcast(pointer(context, builder, kind, words, _LONG(0)), _WORD.as_pointer())
    return builder.gep(words, [place])


@intrinsic
def _word_at(typing_context, words, place):
    """Return a word as int64."""

    def generate(context, builder, signature, arguments):
        return builder.zext(builder.load(_address(context, builder, words, *arguments)), _LONG)

    return types.int64(words, types.int64), generate


@intrinsic
def _store_group(typing_context, words, place, block, purpose, item, epoch, seed):
    """Write the words of the counters from `block` on."""
    signature = types.void(words, *[types.int64] * 5, types.uint64)

    def generate(context, builder, signature, arguments):
        _, _, block, purpose, item, epoch, seed = arguments
        philox = _Words(builder)
        ascending = ir.Constant(philox.vector, [*range(_COUNTERS)])
        first = builder.add(spread(builder, block, philox.vector), ascending)
        counter = (first, *(philox.spread(part) for part in (epoch, item, purpose)))
        address = _address(context, builder, words, *arguments[:2])
        for i, value in enumerate(philox.in_order(philox.scrambled(counter, seed))):
            in_words = builder.bitcast(value, ir.VectorType(_WORD, 2 * _COUNTERS))
            write(builder, in_words, builder.gep(address, [_LONG(2 * _COUNTERS * i)]))
        return context.get_dummy_value()

    return signature, generate


@part
def _draw(words, place, start, count, purpose, item, epoch, seed):
    """Write `count` words, from that with index `start` on; before them up to three more, behind them up to a group.

    Returns where the first is.
    """
    skipped = start & 3
    for i in range(0, (skipped + count + 3) >> 2, _COUNTERS):
        _store_group(words, place + 4 * i, (start >> 2) + i, purpose, item, epoch, seed)
    return place + skipped


@part
def word(seed, purpose, item, epoch, index):
    """Return one word as int64: the value of ``Random(seed, purpose, item, epoch).bits(1, index)``."""
    words = _room()
    return _word_at(words, _draw(words, 0, index, 1, purpose, item, epoch, seed))


@part
def _digit(key, digit):
    """Return a digit, of eight bits, of the word of a key."""
    return (np.int64(key) >> (32 + 8 * digit)) & 255


@part
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
    # The upper half holds the words first, as an array of half as wide integers; what follows it, the counts.
    n, counts = len(order), 2 * len(order)
    _draw(keys, 2 * n, 0, n, _SHUFFLE, 0, epoch, seed)
    # A key is a word above an index; those with equal words stay in the order of their indices, as the sort is stable.
    for i in range(n):
        keys[i] = (_word_at(keys, 2 * n + i) << 32) | i
    for value in range(4 * 256):
        keys[counts + value] = 0
    for i in range(n):
        for digit in range(4):
            keys[counts + 256 * digit + _digit(keys[i], digit)] += _ONE
    for digit in range(4):
        before = keys[counts] - keys[counts]
        for value in range(256):
            before, keys[counts + 256 * digit + value] = before + keys[counts + 256 * digit + value], before
    source, target = 0, n
    for digit in range(3):
        for i in range(n):
            value = counts + 256 * digit + _digit(keys[source + i], digit)
            keys[target + np.int64(keys[value])] = keys[source + i]
            keys[value] += _ONE
        source, target = target, source
    for i in range(n):
        value = counts + 768 + _digit(keys[source + i], 3)
        order[np.int64(keys[value])] = np.int64(keys[source + i]) & _MASK
        keys[value] += _ONE


@intrinsic
def _store_mask(typing_context, memory, place, words, at, highest, kept, lanes):
    """Write `kept` where a word is at most `highest`, zero elsewhere and from the lane `lanes` on."""
    vector = full(memory.dtype)
    signature = types.void(memory, types.intp, words, types.intp, types.uint32, memory.dtype, types.intp)

    def generate(context, builder, signature, arguments):
        array, place, room, at, highest, kept, lanes = arguments
        numbers, integers = ir_vector(vector), ir.VectorType(_WORD, vector.count)
        drawn = read(builder, integers, _address(context, builder, words, room, at))
        few = builder.icmp_unsigned("<=", drawn, spread(builder, highest, integers))
        ascending = ir.Constant(integers, [*range(vector.count)])
        within = builder.icmp_signed("<", ascending, spread(builder, builder.trunc(lanes, _WORD), integers))
        zero = ir.Constant(numbers, [0.0] * vector.count)
        chosen = builder.select(builder.and_(few, within), spread(builder, kept, numbers), zero)
        write(builder, chosen, pointer(context, builder, memory, array, place))
        return context.get_dummy_value()

    return signature, generate


@part
def masks(memory, place, rows, width, padded, keep, purpose, seed, item, epoch, row):
    """Write the masks of dropout or DropConnect for some rows: 1 / keep or 0, and 0 where the padding begins.

    What is kept is what ``Random(seed, purpose, item, epoch, row).bernoulli(keep, (rows, width))`` says.

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
    purpose : int
        What is drawn.
    seed : uint64
        Seed of the run.
    item, epoch, row : int
        Index of the layer, pass over the data, and first row.
    """
    kept = memory.dtype.type(1) / memory.dtype.type(keep)
    threshold = np.int64(np.rint(keep * _TWO_TO_32))
    if threshold <= 0:
        kept, threshold = kept - kept, 1
    highest, words, start = np.uint32(threshold - 1), _room(), row * width
    if width == padded:
        # Without padding the matrix is one long row.
        rows, width, padded = 1, rows * width, rows * width
    # As many rows at once as there is room for, or parts of one.
    at_once = _ROOM // width if 0 < width <= _ROOM else 1
    for top in range(0, rows, at_once):
        some = min(at_once, rows - top)
        for left in range(0, width, _ROOM):
            columns = min(_ROOM, width - left)
            at = _draw(words, 0, start + top * width + left, (some - 1) * width + columns, purpose, item, epoch, seed)
            to_fill = columns if left + columns < width else padded - left
            for i in range(some):
                _mask_row(
                    memory, place + (top + i) * padded + left, words, at + i * width, columns, to_fill, highest, kept
                )


@part
def _mask_row(memory, place, words, at, columns, to_fill, highest, kept):
    column, wide = 0, count(memory)
    while column + wide <= to_fill:
        _store_mask(memory, place + column, words, at + column, highest, kept, columns - column)
        column += wide
    for last in range(column, to_fill):
        memory[place + last] = kept if last < columns and _word_at(words, at + last) <= highest else 0


@part
def add_noise(memory, place, rows, width, padded, standard_deviation, seed, item, epoch, row):
    """Add normal numbers to some rows: ``standard_deviation * Random(seed, NOISE, item, epoch, row).normal(...)``.

    Parameters as in `masks`; the padding is left as it is.
    """
    deviation, words, start = memory.dtype.type(standard_deviation), _room(), row * width
    at_once = _ROOM // width if 0 < width <= _ROOM else 1
    for top in range(0, rows, at_once):
        some = min(at_once, rows - top)
        for left in range(0, width, _ROOM):
            columns = min(_ROOM, width - left)
            index = start + top * width + left
            at = _draw(words, 0, index, (some - 1) * width + columns, _NOISE, item, epoch, seed)
            for i in range(some):
                _add_noise_to_row(
                    memory,
                    place + (top + i) * padded + left,
                    words,
                    at + i * width,
                    index + i * width,
                    columns,
                    deviation,
                )


@part
def _add_noise_to_row(memory, place, words, at, index, columns, deviation):
    # Two words make two numbers (Box and Muller, 1958); the first of a row may be the second of a pair.
    column = -(index & 1)
    while column < columns:
        radius = sqrt(-2.0 * log((_word_at(words, at + column) + 1.0) / _TWO_TO_32))
        angle = 2.0 * pi / _TWO_TO_32 * _word_at(words, at + column + 1)
        if column >= 0:
            memory[place + column] += deviation * memory.dtype.type(radius * cos(angle))
        if column + 1 < columns:
            memory[place + column + 1] += deviation * memory.dtype.type(radius * sin(angle))
        column += 2


@part
def take_cells(memory, place, others, other, width, keep, seed, epoch, row):
    """Write cells of another row over those of a row, each with probability ``1 - keep``.

    What stays is where ``Random(seed, MIXUP, 2, epoch, row).uniform((1, width)) < keep``.

    Parameters
    ----------
    memory, others : ndarray of float32 or float64, shape (size,)
        Where the row lies that is written, and the other.
    place, other : int
        Where they begin.
    width : int
        How many cells they have.
    keep : float
        Probability that a cell stays.
    seed : uint64
        Seed of the run.
    epoch, row : int
        Pass over the data, and position of the row in it.
    """
    words = _room()
    for left in range(0, width, _ROOM):
        columns = min(_ROOM, width - left)
        at = _draw(words, 0, row * width + left, columns, _MIXUP, 2, epoch, seed)
        for column in range(columns):
            if _word_at(words, at + column) >= keep * _TWO_TO_32:
                memory[place + left + column] = others[other + left + column]
