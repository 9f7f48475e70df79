"""Layers, compiled: forward and backward over the rows of a tile, and the gradients of the parameters.

A tile holds some dozens of samples, or more: for each layer a matrix of outputs and one of derivatives, all in one flat
array, each row padded with zeros to a whole number of vectors. Formulas are those of `taut.network`, where they are
explained. Floor 3 of the house.
"""

from __future__ import annotations

import numpy as np

from taut.engine import fields as f
from taut.engine.activations import activate, differentiate
from taut.engine.draws import add_noise, masks
from taut.engine.embeddings import (
    add_category_gradients,
    add_periodic_gradients,
    add_scale_gradients,
    category,
    category_backward,
    periodic,
    periodic_backward,
    periodic_gate,
    scaled,
)
from taut.engine.normalization import (
    batch_norm,
    batch_norm_backward,
    layer_norm,
    layer_norm_backward,
    softmax,
    softmax_backward,
)
from taut.engine.parts import part
from taut.engine.products import OPEN, ROW_BLOCK, copy, count, fill, multiply, multiply_narrow, transpose
from taut.engine.threads import share
from taut.engine.vectors import fma, load, splat, store
from taut.random import Purpose

__all__ = ["add_weight_gradients", "backward", "forward", "multiply_elements", "transpose_weights"]

_DROPOUT = int(Purpose.DROPOUT)


@part
def transpose_weights(memory, table, thread, threads):
    """Write the transposed weights of every layer that reads them and has them not, each thread those of its layers."""
    for layer in range(thread, len(table), threads):
        row = table[layer]
        if row[f.TRANSPOSED] >= 0 and not row[f.IS_TURNED]:
            transpose(
                memory, row[f.WEIGHTS], row[f.PAD_OUT], row[f.N_IN], row[f.N_OUT], row[f.TRANSPOSED], row[f.PAD_IN]
            )


@part
def forward(memory, table, numbers, settings, first, rows, position, epoch, seed, faded, spare, is_training):
    """Compute the outputs of all layers for rows of a tile, from `first` on, which is at `position` in its epoch.

    `faded` is the share that noise has that fades.
    """
    for layer in range(len(table)):
        row = table[layer]
        kind, x, y = row[f.KIND], row[f.X] + first * row[f.PAD_IN], row[f.Y] + first * row[f.PAD_OUT]
        if kind == f.DENSE:
            _dense(memory, row, settings, x, y, rows, spare)
        elif kind >= f.IDENTITY:
            activate(memory, kind, numbers[layer], x, y, _whole_blocks(rows) * row[f.PAD_OUT])
            if kind == f.SIGMOID and row[f.N_OUT] < row[f.PAD_OUT]:
                for i in range(rows):
                    fill(memory, y + i * row[f.PAD_OUT] + row[f.N_OUT], y + (i + 1) * row[f.PAD_OUT], 0)
        elif kind == f.DROPOUT:
            keep = 1.0 - numbers[layer, f.FIRST] * (faded if numbers[layer, f.SECOND] else 1.0)
            kept = row[f.KEPT] + first * row[f.PAD_OUT]
            width = row[f.N_OUT]
            masks(memory, kept, rows, width, row[f.PAD_OUT], keep, _DROPOUT, seed, row[f.ITEM], epoch, position)
            multiply_elements(memory, x, kept, y, rows * row[f.PAD_OUT])
        elif kind == f.NOISE:
            copy(memory, x, y, rows * row[f.PAD_OUT])
            deviation = numbers[layer, f.FIRST]
            add_noise(memory, y, rows, row[f.N_OUT], row[f.PAD_OUT], deviation, seed, row[f.ITEM], epoch, position)
        elif kind == f.LAYER_NORM:
            layer_norm(memory, row, numbers[layer, f.FIRST], x, y, first, rows)
        elif kind == f.BATCH_NORM:
            batch_norm(memory, row, numbers[layer], x, y, rows, is_training)
        elif kind == f.SCALE:
            scaled(memory, row, x, y, rows)
        elif kind == f.PERIODIC:
            periodic(memory, row, settings, x, y, first, rows, spare)
        elif kind == f.CATEGORY:
            category(memory, row, x, y, rows)
        elif kind == f.SHORTCUT:
            _add_elements(memory, x, row[f.ADDED] + first * row[f.PAD_OUT], y, rows * row[f.PAD_OUT])
        elif kind == f.SOFTMAX:
            softmax(memory, row, x, y, rows)


@part
def backward(memory, table, numbers, settings, first, rows, spare):
    """Compute the derivatives of all layers by their inputs, for the rows of a tile from `first` on."""
    for layer in range(len(table) - 1, -1, -1):
        row = table[layer]
        kind = row[f.KIND]
        if kind == f.PERIODIC:
            periodic_gate(memory, row, first, rows)
        if row[f.DX] < 0:
            break  # no layer before this one has parameters
        x, y = row[f.X] + first * row[f.PAD_IN], row[f.Y] + first * row[f.PAD_OUT]
        dx, dy = row[f.DX] + first * row[f.PAD_IN], row[f.DY] + first * row[f.PAD_OUT]
        if kind == f.DENSE:
            zeros, wide = settings[f.ZEROS], row[f.PAD_IN]
            gate, gate_row = (x, wide) if row[f.IS_GATED] else (OPEN, 0)
            multiply(
                memory, dy, row[f.PAD_OUT], 1, row[f.TRANSPOSED], wide, row[f.N_OUT], zeros, 0, dx, wide,
                _whole_blocks(rows), wide, spare, gate, gate_row, -np.inf,
            )  # fmt: skip
        elif kind >= f.IDENTITY:
            differentiate(memory, kind, numbers[layer], x, y, dx, dy, _whole_blocks(rows) * row[f.PAD_OUT])
        elif kind == f.DROPOUT:
            multiply_elements(memory, dy, row[f.KEPT] + first * row[f.PAD_OUT], dx, rows * row[f.PAD_OUT])
        elif kind in (f.NOISE, f.SHORTCUT):
            copy(memory, dy, dx, rows * row[f.PAD_OUT])
        elif kind == f.BRANCH:
            _add_elements(memory, dy, row[f.ADDED] + first * row[f.PAD_OUT], dx, rows * row[f.PAD_OUT])
        elif kind == f.LAYER_NORM:
            layer_norm_backward(memory, row, dx, dy, first, rows)
        elif kind == f.BATCH_NORM:
            batch_norm_backward(memory, row, dx, dy, rows)
        elif kind == f.SCALE:
            scaled(memory, row, dy, dx, rows)
        elif kind == f.PERIODIC:
            periodic_backward(memory, row, settings, first, rows)
        elif kind == f.CATEGORY:
            category_backward(memory, row, first, rows)
        elif kind == f.SOFTMAX:
            softmax_backward(memory, row, y, dx, dy, rows)


@part
def add_weight_gradients(memory, table, settings, rows, is_first, thread, threads, spare):
    """Add, or write if `is_first`, what the rows of a tile give to the gradients of all parameters.

    Threads share rows or columns of each matrix of weights, so that every sum is made by one of them.
    """
    for layer in range(len(table)):
        row = table[layer]
        pad_out, wide = row[f.PAD_OUT], count(memory)
        first, end = share(pad_out, wide, thread, threads)
        if first < end:
            if row[f.BIASES] >= 0:
                _add_rows(memory, row[f.DY], rows, pad_out, first, end, row[f.D_BIASES], is_first, spare)
            if row[f.KIND] in (f.LAYER_NORM, f.BATCH_NORM):
                _add_products(memory, row[f.DY], row[f.KEPT], rows, pad_out, first, end, row[f.D_WEIGHTS], is_first)
        if row[f.KIND] == f.SCALE:
            add_scale_gradients(memory, row, rows, is_first, thread, threads)
        elif row[f.KIND] == f.PERIODIC:
            add_periodic_gradients(memory, row, settings, rows, is_first, thread, threads)
        elif row[f.KIND] == f.CATEGORY:
            add_category_gradients(memory, row, rows, is_first, thread, threads)
        if row[f.KIND] != f.DENSE:
            continue
        if row[f.IS_TURNED]:
            _add_turned(memory, row, settings[f.ZEROS], rows, is_first, thread, threads, spare)
        else:
            _add_outer_products(memory, row, settings[f.ZEROS], rows, is_first, thread, threads, spare)


@part
def _add_turned(memory, row, zeros, rows, is_first, thread, threads, spare):
    """Add to the gradient of a layer with few outputs, whose weights lie transposed: long rows of whole vectors."""
    pad_in = row[f.PAD_IN]
    first, end = share(pad_in, 2 * count(memory), thread, threads)
    target = row[f.D_WEIGHTS] + first
    start, start_row = (zeros, 0) if is_first else (target, pad_in)
    if first < end:
        multiply(
            memory, row[f.DY], 1, row[f.PAD_OUT], row[f.X] + first, pad_in, rows, start, start_row, target, pad_in,
            row[f.PAD_OUT], end - first, spare, OPEN, 0, -np.inf,
        )  # fmt: skip


@part
def _add_outer_products(memory, row, zeros, rows, is_first, thread, threads, spare):
    pad_in, pad_out = row[f.PAD_IN], row[f.PAD_OUT]
    by_rows = row[f.N_IN] >= threads * 4 * ROW_BLOCK
    first, end = share(row[f.N_IN], ROW_BLOCK, thread, threads) if by_rows else (0, row[f.N_IN])
    left, right = (0, pad_out) if by_rows else share(pad_out, 2 * count(memory), thread, threads)
    target = row[f.D_WEIGHTS] + first * pad_out + left
    start, start_row = (zeros, 0) if is_first else (target, pad_out)
    if first < end and left < right:
        multiply(
            memory, row[f.X] + first, 1, pad_in, row[f.DY] + left, pad_out, rows, start, start_row, target, pad_out,
            end - first, right - left, spare, OPEN, 0, -np.inf,
        )  # fmt: skip


@part
def _whole_blocks(rows):
    return (rows + ROW_BLOCK - 1) // ROW_BLOCK * ROW_BLOCK


@part
def _dense(memory, row, settings, x, y, rows, spare):
    pad_in, pad_out = row[f.PAD_IN], row[f.PAD_OUT]
    if row[f.IS_TURNED]:
        multiply_narrow(memory, x, pad_in, row[f.TRANSPOSED], pad_in, pad_in, row[f.BIASES], y, rows, pad_out)
    else:
        multiply(
            memory, x, pad_in, 1, row[f.WEIGHTS], pad_out, row[f.N_IN], row[f.BIASES], 0, y, pad_out,
            _whole_blocks(rows), pad_out, spare, OPEN, 0, 0.0 if row[f.IS_RECTIFIED] else -np.inf,
        )  # fmt: skip


@part
def _add_rows(memory, source, rows, wide, first, end, target, is_first, spare):
    """Add up the rows of a matrix, four sums at a time so that they do not wait for one another."""
    step = count(memory)
    if wide < step:  # several rows are one vector
        together, each = splat(memory, 0), step // wide
        for i in range(rows // each):
            together += load(memory, source + i * step)
        store(memory, spare, together)
        for column in range(wide):
            summed = memory[target + column] * (0 if is_first else 1)
            for i in range(each):
                summed += memory[spare + i * wide + column]
            for i in range(rows // each * each, rows):
                summed += memory[source + i * wide + column]
            memory[target + column] = summed
        return
    for column in range(first, end, step):
        a = b = c = d = splat(memory, 0)
        i = 0
        place = source + column
        while i + 4 <= rows:
            a += load(memory, place)
            b += load(memory, place + wide)
            c += load(memory, place + 2 * wide)
            d += load(memory, place + 3 * wide)
            place += 4 * wide
            i += 4
        while i < rows:
            a += load(memory, place)
            place += wide
            i += 1
        summed = (a + b) + (c + d)
        store(memory, target + column, summed if is_first else summed + load(memory, target + column))


@part
def _add_products(memory, left, right, rows, wide, first, end, target, is_first):
    """Add up the rows of the elementwise product of two matrices."""
    for column in range(first, end, count(memory)):
        summed = splat(memory, 0) if is_first else load(memory, target + column)
        for i in range(rows):
            place = i * wide + column
            summed = fma(load(memory, left + place), load(memory, right + place), summed)
        store(memory, target + column, summed)


@part
def _add_elements(memory, left, right, target, size):
    """Write the sums of numbers that lie side by side."""
    for i in range(0, size, count(memory)):
        store(memory, target + i, load(memory, left + i) + load(memory, right + i))


@part
def multiply_elements(memory, left, right, target, size):
    """Write the products of numbers that lie side by side."""
    for i in range(0, size, count(memory)):
        store(memory, target + i, load(memory, left + i) * load(memory, right + i))
