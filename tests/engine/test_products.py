"""The products of matrices and the transpositions that the compiled run is made of, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from taut.engine import products
from taut.engine.products import OPEN, STRIP_BYTES
from taut.engine.vectors import lanes


@njit
def multiply(memory, a, a_row, a_step, b, b_step, depth, start, start_row, c, c_row, rows, columns, spare, gate,
             gate_row, floor):  # fmt: skip
    products.multiply(
        memory, a, a_row, a_step, b, b_step, depth, start, start_row, c, c_row, rows, columns, spare, gate, gate_row,
        memory.dtype.type(floor),
    )  # fmt: skip


@njit
def multiply_narrow(memory, a, a_row, b, b_row, depth, start, c, rows, columns):
    products.multiply_narrow(memory, a, a_row, b, b_row, depth, start, c, rows, columns)


@njit
def transpose(memory, source, source_row, rows, columns, target, target_row):
    products.transpose(memory, source, source_row, rows, columns, target, target_row)


@njit
def to_columns(memory, source, wide, target):
    products.to_columns(memory, source, wide, target)


@njit
def to_rows(memory, source, wide, target):
    products.to_rows(memory, source, wide, target)


TYPES = [np.float32, np.float64]
MARK = 1234.5  # what stands where nothing may be written


class Memory:
    """One array, in which matrices are laid out one behind the other with something between them."""

    def __init__(self, kind: type, columns: int = 0) -> None:
        self.kind, self.random = kind, np.random.default_rng(4)
        self.pieces: list[np.ndarray] = [np.ones(max(columns, lanes(kind)), dtype=kind)]  # the open gate
        self.size = self.pieces[0].size

    def take(self, values: np.ndarray) -> int:
        """Lay an array out and return its place."""
        margin = lanes(self.kind) + 3
        self.pieces += [values.astype(self.kind).ravel(), np.full(margin, MARK, dtype=self.kind)]
        place = self.size
        self.size += values.size + margin
        return place

    def draw(self, *shape: int) -> tuple[np.ndarray, int]:
        """Return a matrix of random numbers, and its place."""
        values = self.random.normal(size=shape).astype(self.kind)
        return values, self.take(values)

    def whole(self) -> np.ndarray:
        return np.concatenate(self.pieces)


def assert_only_changed(before: np.ndarray, after: np.ndarray, *places: tuple[int, int]) -> None:
    """Raise if numbers have changed elsewhere than in some places of some size."""
    changed = np.flatnonzero(before != after)
    for place, size in places:
        changed = changed[(changed < place) | (changed >= place + size)]
    assert changed.size == 0


def widths(kind: type) -> list[int]:
    """Return the widths that rows can have: parts of a vector, and whole vectors."""
    wide = lanes(kind)
    return sorted({width for width in (wide // 4, wide // 2) if width >= 4} | {n * wide for n in (1, 2, 3, 5)})


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 7, 8, 9, 15, 33, 64])
@pytest.mark.parametrize("kind", TYPES)
def test_multiply(kind, rows):
    for columns in widths(kind):
        for depth in (0, 1, 2, 5, 16, 33):
            memory = Memory(kind, columns)
            left, a = memory.draw(rows, depth + 3)
            right, b = memory.draw(max(depth, 1), columns + 4)
            first, start = memory.draw(columns)
            _, c = memory.draw(rows, columns + 8)
            spare = memory.take(np.zeros(STRIP_BYTES))
            before = memory.whole()
            after = before.copy()
            place = (a, depth + 3, 1, b, columns + 4, depth, start, 0, c, columns + 8)
            multiply(after, *place, rows, columns, spare, OPEN, 0, -np.inf)
            expected = first + left[:, :depth].astype(float) @ right[:depth, :columns].astype(float)
            made = after[c : c + rows * (columns + 8)].reshape(rows, columns + 8)
            np.testing.assert_allclose(made[:, :columns], expected, rtol=0, atol=200 * np.finfo(kind).eps)
            lines = [(c + row * (columns + 8), columns) for row in range(rows)]
            assert_only_changed(before, after, *lines, (spare, STRIP_BYTES))


@pytest.mark.parametrize("kind", TYPES)
def test_multiply_with_the_left_side_transposed_adds_to_what_is_there(kind):
    for rows, depth, columns in [(5, 7, lanes(kind)), (33, 20, 3 * lanes(kind)), (9, 300, 4)]:
        memory = Memory(kind, columns)
        left, a = memory.draw(depth, rows + 2)
        right, b = memory.draw(depth, columns)
        made, c = memory.draw(rows, columns)
        spare = memory.take(np.zeros(STRIP_BYTES))
        after = memory.whole()
        place = (a, 1, rows + 2, b, columns, depth, c, columns, c, columns)
        multiply(after, *place, rows, columns, spare, OPEN, 0, -np.inf)
        expected = made + left[:, :rows].T.astype(float) @ right.astype(float)
        tolerance = 20 * depth * np.finfo(kind).eps
        np.testing.assert_allclose(after[c : c + rows * columns].reshape(rows, columns), expected, atol=tolerance)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("depth", [255, 256, 257, 600])
def test_multiply_of_large_matrices_packs_strips_and_changes_no_sum(kind, depth):
    """Sums run over the terms in order: a row's result is the same alone, where nothing is packed, as among many."""
    rows, columns = 45, 5 * lanes(kind)
    memory = Memory(kind, columns)
    left, a = memory.draw(rows, depth)
    right, b = memory.draw(depth, columns)
    first, start = memory.draw(rows, columns)
    gates, gate = memory.draw(rows, columns)
    _, c = memory.draw(rows, columns)
    spare = memory.take(np.zeros(STRIP_BYTES))
    before = memory.whole()
    together, alone = before.copy(), before.copy()
    multiply(
        together, a, depth, 1, b, columns, depth, start, columns, c, columns, rows, columns, spare, gate, columns, 0
    )
    for row in range(rows):
        shift = row * columns
        place = (a + row * depth, depth, 1, b, columns, depth, start + shift, columns, c + shift, columns)
        multiply(alone, *place, 1, columns, spare, gate + shift, columns, 0)
    made = together[c : c + rows * columns].reshape(rows, columns)
    np.testing.assert_array_equal(made, alone[c : c + rows * columns].reshape(rows, columns))
    sums = first + left.astype(float) @ right.astype(float)
    expected = np.where(gates > 0, np.maximum(sums, 0), 0)
    np.testing.assert_allclose(made, expected, rtol=0, atol=20 * depth * np.finfo(kind).eps)
    assert_only_changed(before, together, (c, rows * columns), (spare, STRIP_BYTES))


@pytest.mark.parametrize("is_gated", [True, False])
@pytest.mark.parametrize("floor", [0.25, 0.0, -np.inf])
@pytest.mark.parametrize("kind", TYPES)
def test_multiply_holds_to_floor_and_gate(kind, floor, is_gated):
    for columns in widths(kind):
        memory = Memory(kind, columns)
        left, a = memory.draw(9, 6)
        right, b = memory.draw(6, columns)
        gates, gate = memory.draw(9, columns)
        start = memory.take(np.zeros(columns))
        _, c = memory.draw(9, columns)
        spare = memory.take(np.zeros(STRIP_BYTES))
        after = memory.whole()
        place = (a, 6, 1, b, columns, 6, start, 0, c, columns)
        multiply(after, *place, 9, columns, spare, *((gate, columns) if is_gated else (OPEN, 0)), floor)
        expected = np.maximum(left.astype(float) @ right.astype(float), floor)
        expected = np.where(gates > 0, expected, 0) if is_gated else expected
        made = after[c : c + 9 * columns].reshape(9, columns)
        np.testing.assert_allclose(made, expected, rtol=0, atol=60 * np.finfo(kind).eps)


@pytest.mark.parametrize("kind", TYPES)
def test_multiply_passes_on_what_is_not_a_number(kind):
    columns = lanes(kind)
    memory = Memory(kind, columns)
    a, b = memory.take(np.full((1, 2), np.nan)), memory.take(np.ones((2, columns)))
    start, c = memory.take(np.zeros(columns)), memory.take(np.zeros(columns))
    spare = memory.take(np.zeros(STRIP_BYTES))
    for floor in (-np.inf, 0.0):
        after = memory.whole()
        multiply(after, a, 2, 1, b, columns, 2, start, 0, c, columns, 1, columns, spare, OPEN, 0, floor)
        assert np.isnan(after[c : c + columns]).all()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 8, 13, 64])
def test_multiply_narrow(kind, rows):
    wide = lanes(kind)
    for columns in {1, *(width for width in (wide // 2, wide // 4) if width >= 4)}:
        for depth in (wide, 2 * wide, 7 * wide):
            memory = Memory(kind)
            left, a = memory.draw(rows + wide - 1, depth)
            right, b = memory.draw(columns, depth + wide)
            first, start = memory.draw(columns)
            room = -(-rows * columns // wide) * wide // columns
            _, c = memory.draw(room, columns)
            before = memory.whole()
            after = before.copy()
            multiply_narrow(after, a, depth, b, depth + wide, depth, start, c, rows, columns)
            expected = first + left[:rows].astype(float) @ right[:, :depth].T.astype(float)
            made = after[c : c + rows * columns].reshape(rows, columns)
            np.testing.assert_allclose(made, expected, rtol=0, atol=10 * depth * np.finfo(kind).eps)
            assert_only_changed(before, after, (c, room * columns))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 5), (8, 8), (16, 16), (17, 33), (7, 64), (64, 7), (40, 100)])
def test_transpose(kind, shape):
    rows, columns = shape
    memory = Memory(kind)
    matrix, source = memory.draw(rows, columns + 5)
    _, target = memory.draw(columns, rows + 3)
    before = memory.whole()
    after = before.copy()
    transpose(after, source, columns + 5, rows, columns, target, rows + 3)
    made = after[target : target + columns * (rows + 3)].reshape(columns, rows + 3)
    np.testing.assert_array_equal(made[:, :rows], matrix[:, :columns].T)
    assert_only_changed(before, after, *[(target + row * (rows + 3), rows) for row in range(columns)])


@pytest.mark.parametrize("kind", TYPES)
def test_blocks_of_rows_become_columns_and_rows_again(kind):
    step = lanes(kind)
    for wide in widths(kind):
        memory = Memory(kind)
        matrix, source = memory.draw(step, wide)
        _, target = memory.draw(wide, step)
        _, back = memory.draw(step, wide)
        before = memory.whole()
        after = before.copy()
        to_columns(after, source, wide, target)
        np.testing.assert_array_equal(after[target : target + wide * step].reshape(wide, step), matrix.T)
        to_rows(after, target, wide, back)
        np.testing.assert_array_equal(after[back : back + wide * step].reshape(step, wide), matrix)
        assert_only_changed(before, after, (target, wide * step), (back, wide * step))
