"""Embeddings, compiled: the layers of `taut.network.embeddings`, over the rows of a tile.

The waves of a column lie side by side, a whole number of vectors; the numbers of its embedding are few and are made
one by one. A one-hot block is nearly all zeros, so only what is not zero is looked at. Floor 3 of the house.
"""

from __future__ import annotations

from math import tau

from taut.engine import fields as f
from taut.engine.arithmetic import cosine, sine
from taut.engine.parts import part
from taut.engine.products import count, fill
from taut.engine.vectors import fma, load, splat, store, total

__all__ = [
    "add_category_gradients",
    "add_periodic_gradients",
    "add_scale_gradients",
    "category",
    "category_backward",
    "periodic",
    "periodic_backward",
    "scaled",
]


@part
def scaled(memory, row, x, y, rows):
    """Multiply the numbers of each column by its factor."""
    wide, step = row[f.PAD_OUT], count(memory)
    for i in range(rows):
        whole = wide - wide % step
        for column in range(0, whole, step):
            place = i * wide + column
            store(memory, y + place, load(memory, x + place) * load(memory, row[f.WEIGHTS] + column))
        for column in range(whole, wide):
            memory[y + i * wide + column] = memory[x + i * wide + column] * memory[row[f.WEIGHTS] + column]


@part
def add_scale_gradients(memory, row, rows, is_first, thread, threads):
    """Add what the rows of a tile give to the gradients of the factors."""
    wide, step = row[f.PAD_OUT], count(memory)
    if thread > 0:
        return
    whole = wide - wide % step
    for column in range(0, whole, step):
        summed = splat(memory, 0) if is_first else load(memory, row[f.D_WEIGHTS] + column)
        for i in range(rows):
            place = i * wide + column
            summed = fma(load(memory, row[f.X] + place), load(memory, row[f.DY] + place), summed)
        store(memory, row[f.D_WEIGHTS] + column, summed)
    for column in range(whole, wide):
        one = memory[row[f.D_WEIGHTS] + column] * (0 if is_first else 1)
        for i in range(rows):
            one += memory[row[f.X] + i * wide + column] * memory[row[f.DY] + i * wide + column]
        memory[row[f.D_WEIGHTS] + column] = one


@part
def periodic(memory, row, x, y, first, rows):
    """Write the inputs as they are, then their waves, weighed; keep the waves for `periodic_backward`."""
    step, stride, each, n_in = count(memory), row[f.STRIDE], row[f.EACH], row[f.N_IN]
    in_turns = splat(memory, 1.0 / tau)
    for i in range(rows):
        source, target = x + i * row[f.PAD_IN], y + i * row[f.PAD_OUT]
        kept = row[f.KEPT] + (first + i) * row[f.COLUMNS_IN] * 2 * stride
        for column in range(n_in):
            memory[target + column] = memory[source + column]
        for column in range(row[f.COLUMNS_IN]):
            value, waves, phases = splat(memory, memory[source + column]), row[f.WEIGHTS], row[f.PHASES]
            for k in range(0, stride, step):
                place = column * stride + k
                turns = fma(load(memory, waves + place), value, load(memory, phases + place) * in_turns)
                store(memory, kept + k, cosine(turns))
                store(memory, kept + stride + k, sine(turns))
            for out in range(column * each, (column + 1) * each):
                summed = splat(memory, 0)
                for k in range(0, stride, step):
                    weight = load(memory, row[f.PROJECTIONS] + out * stride + k)
                    summed = fma(load(memory, kept + k), weight, summed)
                result = total(summed) + memory[row[f.SHIFTS] + out]
                memory[target + n_in + out] = 0 if row[f.IS_RECTIFIED] and result < 0 else result
            kept += 2 * stride


@part
def _derivative(memory, row, i, out):
    """Return the derivative by what an embedding is before its rectifier."""
    place = row[f.N_IN] + out + i * row[f.PAD_OUT]
    return memory[row[f.DY] + place] * (0 if row[f.IS_RECTIFIED] and memory[row[f.Y] + place] <= 0 else 1)


@part
def _slope(memory, row, i, column, kept, k):
    """Return the derivatives by the angles of some waves."""
    stride, each, summed = row[f.STRIDE], row[f.EACH], splat(memory, 0)
    for out in range(column * each, (column + 1) * each):
        weight = load(memory, row[f.PROJECTIONS] + out * stride + k)
        summed -= splat(memory, _derivative(memory, row, i, out)) * weight
    return summed * load(memory, kept + stride + k)


@part
def periodic_backward(memory, row, first, rows):
    """Write the derivatives by the inputs, of rows from `first` on."""
    step, stride, n_in = count(memory), row[f.STRIDE], row[f.N_IN]
    for i in range(first, first + rows):
        source, target = row[f.DY] + i * row[f.PAD_OUT], row[f.DX] + i * row[f.PAD_IN]
        fill(memory, target, target + row[f.PAD_IN], 0)
        for column in range(n_in):
            memory[target + column] = memory[source + column]
        for column in range(row[f.COLUMNS_IN]):
            kept, summed = row[f.KEPT] + (i * row[f.COLUMNS_IN] + column) * 2 * stride, splat(memory, 0)
            for k in range(0, stride, step):
                wave = load(memory, row[f.WEIGHTS] + column * stride + k)
                summed = fma(_slope(memory, row, i, column, kept, k), wave, summed)
            memory[target + column] += tau * total(summed)


@part
def add_periodic_gradients(memory, row, settings, rows, is_first, thread, threads):
    """Add what the rows of a tile give to the gradients of an embedding; threads share its columns."""
    step, stride, each, columns = count(memory), row[f.STRIDE], row[f.EACH], row[f.COLUMNS_IN]
    shift = settings[f.GRADIENT] - settings[f.THETA]
    waves, phases = row[f.WEIGHTS] + shift, row[f.PHASES] + shift
    projections, shifts = row[f.PROJECTIONS] + shift, row[f.SHIFTS] + shift
    for column in range(thread, columns, threads):
        if is_first:
            fill(memory, waves + column * stride, waves + (column + 1) * stride, 0)
            fill(memory, phases + column * stride, phases + (column + 1) * stride, 0)
            fill(memory, projections + column * each * stride, projections + (column + 1) * each * stride, 0)
            fill(memory, shifts + column * each, shifts + (column + 1) * each, 0)
        for i in range(rows):
            kept = row[f.KEPT] + (i * columns + column) * 2 * stride
            angle = splat(memory, tau * memory[row[f.X] + i * row[f.PAD_IN] + column])
            for k in range(0, stride, step):
                place, slope = column * stride + k, _slope(memory, row, i, column, kept, k)
                store(memory, phases + place, load(memory, phases + place) + slope)
                store(memory, waves + place, fma(slope, angle, load(memory, waves + place)))
                wave = load(memory, kept + k) * load(memory, row[f.UNITS] + k)
                for out in range(column * each, (column + 1) * each):
                    place = projections + out * stride + k
                    change = splat(memory, _derivative(memory, row, i, out))
                    store(memory, place, fma(change, wave, load(memory, place)))
            for out in range(column * each, (column + 1) * each):
                memory[shifts + out] += _derivative(memory, row, i, out)


@part
def category(memory, row, x, y, rows):
    """Write the other inputs as they are, then for each category what its levels say, each times its input."""
    begin, end, each = row[f.FIRST_COLUMN], row[f.FIRST_COLUMN] + row[f.COLUMNS_IN], row[f.EACH]
    others = row[f.N_IN] - row[f.COLUMNS_IN]
    for i in range(rows):
        source, target = x + i * row[f.PAD_IN], y + i * row[f.PAD_OUT]
        for column in range(begin):
            memory[target + column] = memory[source + column]
        for column in range(end, row[f.N_IN]):
            memory[target + column - row[f.COLUMNS_IN]] = memory[source + column]
        fill(memory, target + others, target + row[f.N_OUT], 0)
        for level in range(row[f.COLUMNS_IN]):
            value = memory[source + begin + level]
            if value != 0:
                place = target + others + int(memory[row[f.UNITS] + level]) * each
                for k in range(each):
                    memory[place + k] += value * memory[row[f.WEIGHTS] + level * row[f.STRIDE] + k]


@part
def category_backward(memory, row, first, rows):
    """Write the derivatives by the inputs, of rows from `first` on."""
    begin, end, each = row[f.FIRST_COLUMN], row[f.FIRST_COLUMN] + row[f.COLUMNS_IN], row[f.EACH]
    others = row[f.N_IN] - row[f.COLUMNS_IN]
    for i in range(first, first + rows):
        source, target = row[f.DY] + i * row[f.PAD_OUT], row[f.DX] + i * row[f.PAD_IN]
        fill(memory, target, target + row[f.PAD_IN], 0)
        for column in range(begin):
            memory[target + column] = memory[source + column]
        for column in range(end, row[f.N_IN]):
            memory[target + column] = memory[source + column - row[f.COLUMNS_IN]]
        for level in range(row[f.COLUMNS_IN]):
            place = source + others + int(memory[row[f.UNITS] + level]) * each
            for k in range(each):
                weight = memory[row[f.WEIGHTS] + level * row[f.STRIDE] + k]
                memory[target + begin + level] += memory[place + k] * weight


@part
def add_category_gradients(memory, row, rows, is_first, thread, threads):
    """Add what the rows of a tile give to the gradients of the tables; threads share the levels."""
    begin, each, stride = row[f.FIRST_COLUMN], row[f.EACH], row[f.STRIDE]
    others = row[f.N_IN] - row[f.COLUMNS_IN]
    for level in range(thread, row[f.COLUMNS_IN], threads):
        target = row[f.D_WEIGHTS] + level * stride
        if is_first:
            fill(memory, target, target + stride, 0)
        block = int(memory[row[f.UNITS] + level])
        for i in range(rows):
            value = memory[row[f.X] + i * row[f.PAD_IN] + begin + level]
            if value != 0:
                place = row[f.DY] + i * row[f.PAD_OUT] + others + block * each
                for k in range(each):
                    memory[target + k] += value * memory[place + k]
