"""Products of matrices: where a network spends its time.

One microkernel computes a block of ``c[m, n] = start[m, n] + sum_p a[m, p] * b[p, n]`` that is held in registers: a few
rows by one or two vectors, so that each number read serves several multiplications and several sums are under way at
once. Strides are free on the side of `a`, so the three products of a layer (forward, gradient of the weights, gradient
of the inputs) are one function; only `b` must lie with its columns side by side. Every sum runs over p in ascending
order, so that a result does not depend on how rows are cut among blocks or threads.

Floor 3 of the house; knows nothing of networks.

References
----------
K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34, 2008.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

from taut.engine.parts import part
from taut.engine.vectors import (
    WIDTH,
    VectorType,
    call,
    full,
    interleave,
    ir_vector,
    load,
    pointer,
    read,
    spread,
    store,
    write,
)

__all__ = [
    "NARROWEST",
    "OPEN",
    "ROW_BLOCK",
    "STRIP_BYTES",
    "copy",
    "count",
    "fill",
    "multiply",
    "multiply_narrow",
    "to_columns",
    "to_rows",
    "transpose",
]

#: Where every memory begins with ones, for as many columns as its widest matrix has: a gate that is always open.
OPEN = 0

#: Rows of the largest block: as many as keep all sums in registers, of which processors with wide ones have 32.
ROW_BLOCK = 8 if WIDTH == 64 else 4

_INDEX = ir.IntType(64)

#: The narrowest rows: they are padded to this many numbers, if not to a whole vector.
NARROWEST = 4


def _exists(memory: types.Array, divisor: int) -> bool:
    """Return whether there are rows of a `divisor`-th of a vector; where vectors are short, there are none."""
    return divisor == 1 or full(memory.dtype).count // divisor >= NARROWEST


class _Block:
    """The instructions of one microkernel: `rows` rows by `vectors` vectors, all sums in registers."""

    def __init__(self, builder: ir.IRBuilder, vector: ir.VectorType, vectors: int) -> None:
        self.builder, self.vector, self.vectors = builder, vector, vectors

    def place(self, base: ir.Value, stride: ir.Value, row: ir.Value, v: int) -> ir.Value:
        """Return the address of the v-th vector of a row."""
        shift = self.builder.add(self.builder.mul(stride, row), _INDEX(v * self.vector.count))
        return self.builder.gep(base, [shift])

    def emit(
        self, rows: int, first: ir.Value, a: tuple, b: tuple, start: tuple, c: tuple, gate: tuple, depth: ir.Value,
        floor: ir.Value,
        is_plain: ir.Value,
    ) -> None:  # fmt: skip
        """Emit the loop for the rows from `first` on; operands are addresses followed by their strides."""
        builder, vectors = self.builder, range(self.vectors)
        lines = [builder.add(first, _INDEX(row)) for row in range(rows)]
        sums = [read(builder, self.vector, self.place(*start, line, v)) for line in lines for v in vectors]
        a_lines = [builder.gep(a[0], [builder.mul(a[1], line)]) for line in lines]
        before, loop = builder.block, builder.append_basic_block("terms")
        after = builder.append_basic_block("terms.end")
        builder.cbranch(builder.icmp_signed(">", depth, _INDEX(0)), loop, after)

        builder.position_at_end(loop)
        term = builder.phi(_INDEX)
        running = [builder.phi(self.vector) for _ in sums]
        columns = [read(builder, self.vector, self.place(*b, term, v)) for v in vectors]
        step = builder.mul(term, a[2])
        grown = []
        for row, line in enumerate(a_lines):
            factor = spread(builder, builder.load(builder.gep(line, [step])), self.vector)
            grown += [call(builder, "llvm.fma", (factor, columns[v], running[row * self.vectors + v])) for v in vectors]
        following = builder.add(term, _INDEX(1))
        for phi, once, later in ((term, _INDEX(0), following), *zip(running, sums, grown, strict=True)):
            phi.add_incoming(once, before)
            phi.add_incoming(later, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)

        builder.position_at_end(after)
        results = [builder.phi(self.vector) for _ in sums]
        for phi, once, later in zip(results, sums, grown, strict=True):
            phi.add_incoming(once, before)
            phi.add_incoming(later, loop)
        zero = ir.Constant(self.vector, [0.0] * self.vector.count)
        with builder.if_else(is_plain) as (plainly, held):
            with plainly:
                for place, result in enumerate(results):
                    row, v = divmod(place, self.vectors)
                    write(builder, result, self.place(*c, lines[row], v))
            with held:
                for place, result in enumerate(results):
                    row, v = divmod(place, self.vectors)
                    opened = read(builder, self.vector, self.place(*gate, lines[row], v))
                    raised = builder.select(builder.fcmp_ordered(">", floor, result), floor, result)
                    passed = builder.select(builder.fcmp_ordered(">", opened, zero), raised, zero)
                    write(builder, passed, self.place(*c, lines[row], v))


def _strip(vectors: int, divisor: int) -> Any:
    """Return the product for all rows and the columns of `vectors` vectors of a `divisor`-th of a register each."""

    @intrinsic
    def strip(
        typing_context, memory, a, a_row, a_step, b, b_step, depth, start, start_row, c, c_row, rows, gate, gate_row,
        floor,
    ):  # fmt: skip
        signature = types.void(memory, *[types.intp] * 13, memory.dtype)

        def generate(context, builder, signature, arguments):
            if not _exists(memory, divisor):
                return context.get_dummy_value()
            array, a, a_row, a_step, b, b_step, depth, start, start_row, c, c_row, rows, gate, gate_row, floor = (
                arguments
            )
            at = [pointer(context, builder, memory, array, place) for place in (a, b, start, c, gate)]
            vector = ir_vector(VectorType(memory.dtype, full(memory.dtype).count // divisor))
            is_plain = builder.and_(
                builder.icmp_signed("==", gate, _INDEX(OPEN)),
                builder.fcmp_ordered("==", floor, ir.Constant(floor.type, -np.inf)),
            )
            block, floor = _Block(builder, vector, vectors), spread(builder, floor, vector)
            strides = ((a_row, a_step), (b_step,), (start_row,), (c_row,), (gate_row,))
            operands = (
                *((address, *stride) for address, stride in zip(at, strides, strict=True)),
                depth,
                floor,
                is_plain,
            )
            with cgutils.for_range(builder, builder.sdiv(rows, _INDEX(ROW_BLOCK))) as loop:
                block.emit(ROW_BLOCK, builder.mul(loop.index, _INDEX(ROW_BLOCK)), *operands)
            some = ROW_BLOCK // 2
            while some:  # what is left, in blocks of half the size, and half of that
                with builder.if_then(builder.icmp_signed("!=", builder.and_(rows, _INDEX(some)), _INDEX(0))):
                    block.emit(some, builder.and_(rows, _INDEX(-2 * some)), *operands)
                some //= 2
            return context.get_dummy_value()

        return signature, generate

    return strip


_two_vectors, _one_vector, _half_vector, _quarter_vector = _strip(2, 1), _strip(1, 1), _strip(1, 2), _strip(1, 4)


@intrinsic
def count(typing_context, memory):
    """Return how many numbers of the array's type a vector holds."""

    def generate(context, builder, signature, arguments):
        return _INDEX(full(memory.dtype).count)

    return types.intp(memory), generate


@part
def fill(array, first, end, value):
    """Write the same number from one place up to another."""
    for place in range(first, end):
        array[place] = value


@part
def copy(memory, source, target, size):
    """Copy a whole number of vectors."""
    for i in range(0, size, count(memory)):
        store(memory, target + i, load(memory, source + i))


@part
def multiply(
    memory, a, a_row, a_step, b, b_step, depth, start, start_row, c, c_row, rows, columns, spare, gate, gate_row, floor
):  # fmt: skip
    """Compute ``c[m, n] = start[m, n] + sum_p a[m, p] * b[p, n]``; all operands lie in one array.

    What is below `floor` is raised to it, and where `gate` is not above zero the result is zero: so a rectifier and its
    derivative cost no pass of their own.

    Parameters
    ----------
    memory : ndarray, shape (size,)
        Where everything lies.
    a, b, start, c : int
        Places of the operands.
    a_row, a_step : int
        How far apart the rows of `a` lie, and its terms p.
    b_step, start_row, c_row : int
        How far apart the rows of `b`, `start` and `c` lie; a `start_row` of 0 starts every row with the same numbers.
    depth, rows, columns : int
        Terms of each sum, and size of the result; `columns` is a width of `padded`.
    spare : int
        Place of room for `STRIP_BYTES` bytes.
    gate, gate_row, floor : int, int, float
        Place of the gate and how far apart its rows lie; the least that a result can be.
    """
    wide = count(memory)
    if columns < wide:
        if columns * 2 == wide:
            _half_vector(
                memory, a, a_row, a_step, b, b_step, depth, start, start_row, c, c_row, rows, gate, gate_row, floor
            )
        else:
            _quarter_vector(
                memory, a, a_row, a_step, b, b_step, depth, start, start_row, c, c_row, rows, gate, gate_row, floor
            )
        return
    across = 0 if gate == OPEN else 1
    packs = rows >= _ROWS_TO_PACK and depth * b_step >= _NUMBERS_TO_PACK
    column = 0
    while column + 2 * wide <= columns:
        if packs:
            for first in range(0, depth, _STRIP):
                some = min(_STRIP, depth - first)
                for p in range(some):
                    source = b + (first + p) * b_step + column
                    store(memory, spare + 2 * wide * p, load(memory, source))
                    store(memory, spare + 2 * wide * p + wide, load(memory, source + wide))
                from_place, from_row = (start + column, start_row) if first == 0 else (c + column, c_row)
                is_last = first + some == depth  # only whole sums are held to the floor and the gate
                _two_vectors(
                    memory, a + first * a_step, a_row, a_step, spare, 2 * wide, some, from_place, from_row, c + column,
                    c_row, rows, gate + across * column if is_last else OPEN, gate_row if is_last else 0,
                    floor if is_last else -np.inf,
                )  # fmt: skip
        else:
            _two_vectors(
                memory, a, a_row, a_step, b + column, b_step, depth, start + column, start_row, c + column, c_row, rows,
                gate + across * column, gate_row, floor,
            )  # fmt: skip
        column += 2 * wide
    if column < columns:
        _one_vector(
            memory, a, a_row, a_step, b + column, b_step, depth, start + column, start_row, c + column, c_row, rows,
            gate + across * column, gate_row, floor,
        )  # fmt: skip


#: A strip of `b` is copied side by side before it is used, so that it stays in the nearest cache: terms in a strip,
#: and from how many rows that use it and how many numbers in `b` on it pays.
_STRIP, _ROWS_TO_PACK, _NUMBERS_TO_PACK = 256, 32, 8192

#: Bytes of room that `multiply` needs at `spare`.
STRIP_BYTES = _STRIP * 2 * WIDTH


def _add_across(builder: ir.IRBuilder, rows: list[ir.Value]) -> ir.Value:
    """Return the vector whose i-th lane is the sum over the i-th of the given vectors."""
    while len(rows) > 1:
        half = len(rows) // 2
        rows = [builder.fadd(*interleave(builder, rows[i], rows[i + half])) for i in range(half)]
    return rows[0]


def _dots(part_of: int | None) -> Any:
    """Return the product for results of a part of a register, None for single ones: each a sum along two rows."""

    @intrinsic
    def dots(typing_context, memory, a, a_row, b, b_row, depth, start, c, rows):
        signature = types.void(memory, *[types.intp] * 8)

        def generate(context, builder, signature, arguments):
            divisor = part_of or full(memory.dtype).count
            if part_of and not _exists(memory, divisor):
                return context.get_dummy_value()
            array, a, a_row, b, b_row, depth, start, c, rows = arguments
            vector = ir_vector(full(memory.dtype))
            width = vector.count // divisor
            at_a, at_b, at_start, at_c = (pointer(context, builder, memory, array, place) for place in (a, b, start, c))
            first = read(builder, ir.VectorType(vector.element, width), at_start)
            lanes = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [*range(width)] * divisor)
            first = builder.shuffle_vector(first, ir.Constant(first.type, ir.Undefined), lanes)
            b_lines = [builder.gep(at_b, [builder.mul(b_row, _INDEX(j))]) for j in range(width)]
            blocks = builder.sdiv(builder.add(rows, _INDEX(divisor - 1)), _INDEX(divisor))
            with cgutils.for_range(builder, blocks) as loop:
                row = builder.mul(loop.index, _INDEX(divisor))
                a_lines = [builder.gep(at_a, [builder.mul(a_row, builder.add(row, _INDEX(i)))]) for i in range(divisor)]
                before, terms = builder.block, builder.append_basic_block("terms")
                after = builder.append_basic_block("terms.end")
                builder.branch(terms)
                builder.position_at_end(terms)
                term = builder.phi(_INDEX)
                running = [builder.phi(vector) for _ in range(vector.count)]
                left = [read(builder, vector, builder.gep(line, [term])) for line in a_lines]
                right = [read(builder, vector, builder.gep(line, [term])) for line in b_lines]
                grown = [
                    call(builder, "llvm.fma", (left[i], right[j], running[i * width + j]))
                    for i in range(divisor)
                    for j in range(width)
                ]
                following = builder.add(term, _INDEX(vector.count))
                zero = ir.Constant(vector, [0.0] * vector.count)
                for phi, once, later in (
                    (term, _INDEX(0), following),
                    *((r, zero, g) for r, g in zip(running, grown, strict=True)),
                ):
                    phi.add_incoming(once, before)
                    phi.add_incoming(later, terms)
                builder.cbranch(builder.icmp_signed("<", following, depth), terms, after)
                builder.position_at_end(after)
                target = builder.gep(at_c, [builder.mul(row, _INDEX(width))])
                write(builder, builder.fadd(_add_across(builder, grown), first), target)
            return context.get_dummy_value()

        return signature, generate

    return dots


_half_dots, _quarter_dots, _single_dots = _dots(2), _dots(4), _dots(None)


@part
def multiply_narrow(memory, a, a_row, b, b_row, depth, start, c, rows, columns):
    """Compute ``c[m, n] = start[n] + sum_p a[m, p] * b[n, p]`` for half a vector's width, or a quarter's, or for one.

    `b` is transposed, its rows are as many as `columns`; both rows of `a` and `b` are a whole number of vectors, with
    zeros where they end sooner. Rows are computed in groups of as many as fill a vector: `c` has room for whole groups.
    """
    if columns == 1:
        _single_dots(memory, a, a_row, b, b_row, depth, start, c, rows)
    elif columns * 2 == count(memory):
        _half_dots(memory, a, a_row, b, b_row, depth, start, c, rows)
    else:
        _quarter_dots(memory, a, a_row, b, b_row, depth, start, c, rows)


@intrinsic
def _transpose_block(typing_context, memory, source, source_row, target, target_row):
    """Transpose a square of as many rows as a vector has lanes."""
    signature = types.void(memory, *[types.intp] * 4)

    def generate(context, builder, signature, arguments):
        array, source, source_row, target, target_row = arguments
        at_source, at_target = (pointer(context, builder, memory, array, place) for place in (source, target))
        vector = ir_vector(full(memory.dtype))
        places = [_INDEX(i) for i in range(vector.count)]
        rows = [read(builder, vector, builder.gep(at_source, [builder.mul(source_row, i)])) for i in places]
        half = vector.count // 2
        for _ in range(vector.count.bit_length() - 1):
            rows = [woven for i in range(half) for woven in interleave(builder, rows[i], rows[i + half])]
        for i, row in zip(places, rows, strict=True):
            write(builder, row, builder.gep(at_target, [builder.mul(target_row, i)]))
        return context.get_dummy_value()

    return signature, generate


@part
def transpose(memory, source, source_row, rows, columns, target, target_row):
    """Write the transposed of a matrix of `rows` by `columns`; places and distances as in `multiply`."""
    wide = count(memory)
    whole_rows, whole_columns = rows - rows % wide, columns - columns % wide
    for row in range(0, whole_rows, wide):
        for column in range(0, whole_columns, wide):
            _transpose_block(
                memory, source + row * source_row + column, source_row, target + column * target_row + row, target_row
            )
    for row in range(rows):
        for column in range(whole_columns if row < whole_rows else 0, columns):
            memory[target + column * target_row + row] = memory[source + row * source_row + column]


def _turn(divisor: int, *, back: bool) -> Any:
    """Return the transposition of as many rows as a vector has lanes, each a `divisor`-th of a vector long, or back."""

    @intrinsic
    def turn(typing_context, memory, source, target):
        signature = types.void(memory, types.intp, types.intp)

        def generate(context, builder, signature, arguments):
            if not _exists(memory, divisor):
                return context.get_dummy_value()
            at_source, at_target = (pointer(context, builder, memory, arguments[0], place) for place in arguments[1:])
            vector = ir_vector(full(memory.dtype))
            width = vector.count // divisor
            places = [_INDEX(i * vector.count) for i in range(width)]
            rows = [read(builder, vector, builder.gep(at_source, [place])) for place in places]
            # Each round moves the highest bit of a number's place to the lowest: of (row, column), row has this many.
            for _ in range((width if back else vector.count).bit_length() - 1):
                half = width // 2
                rows = [woven for i in range(half) for woven in interleave(builder, rows[i], rows[i + half])]
            for place, row in zip(places, rows, strict=True):
                write(builder, row, builder.gep(at_target, [place]))
            return context.get_dummy_value()

        return signature, generate

    return turn


_half_turn, _quarter_turn = _turn(2, back=False), _turn(4, back=False)
_half_turn_back, _quarter_turn_back = _turn(2, back=True), _turn(4, back=True)


@part
def to_columns(memory, source, wide, target):
    """Write a block of rows, as many as a vector has lanes and `wide` apart, as columns: one vector each."""
    step = count(memory)
    if wide >= step:
        transpose(memory, source, wide, step, wide, target, step)
    elif wide * 2 == step:
        _half_turn(memory, source, target)
    else:
        _quarter_turn(memory, source, target)


@part
def to_rows(memory, source, wide, target):
    """Write the columns that `to_columns` made as rows again."""
    step = count(memory)
    if wide >= step:
        transpose(memory, source, step, wide, step, target, wide)
    elif wide * 2 == step:
        _half_turn_back(memory, source, target)
    else:
        _quarter_turn_back(memory, source, target)
