"""Embeddings, compiled: the layers of `taut.network.embeddings`, over the rows of a tile.

The waves of a column lie side by side, a whole number of vectors; columns are passed one after the other, each over all
rows, so that what belongs to a column stays in registers and in the nearest cache. A one-hot block is nearly all zeros,
so only what is not zero is looked at. Floor 3 of the house.
"""

from __future__ import annotations

from math import tau

from taut.engine import fields as f
from taut.engine.arithmetic import cosine, sine
from taut.engine.parts import part
from taut.engine.products import count, fill, multiply_narrow
from taut.engine.vectors import fma, load, maximum, splat, store, total, where_greater

__all__ = [
    "add_category_gradients",
    "add_periodic_gradients",
    "add_scale_gradients",
    "category",
    "category_backward",
    "periodic",
    "periodic_backward",
    "periodic_gate",
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
def _waves_of(row, settings, column):
    """Return where the waves of a column are kept: for each row of the tile the cosines, then the sines."""
    return row[f.KEPT] + column * settings[f.TILE_ROWS] * 2 * row[f.STRIDE]


@part
def periodic(memory, row, settings, x, y, first, rows, spare):
    """Write the inputs as they are, then their waves, weighed; keep the waves for `periodic_backward`."""
    stride, each, n_in = row[f.STRIDE], row[f.EACH], row[f.N_IN]
    wide_in, wide, step = row[f.PAD_IN], row[f.PAD_OUT], count(memory)
    for i in range(rows):
        for column in range(n_in):
            memory[y + i * wide + column] = memory[x + i * wide_in + column]
    for column in range(row[f.COLUMNS_IN]):
        kept = _waves_of(row, settings, column) + first * 2 * stride
        for k in range(0, stride, step):
            place = column * stride + k
            wave = load(memory, row[f.WEIGHTS] + place)
            phase = load(memory, row[f.PHASES] + place) * splat(memory, 1.0 / tau)
            for i in range(rows):
                turns = fma(wave, splat(memory, memory[x + i * wide_in + column]), phase)
                store(memory, kept + i * 2 * stride + k, cosine(turns))
                store(memory, kept + i * 2 * stride + stride + k, sine(turns))
        for out in range(column * each, (column + 1) * each):
            weights, shift, target = row[f.PROJECTIONS] + out * stride, row[f.SHIFTS] + out, y + n_in + out
            for block in range(0, rows, step):
                cosines = kept + block * 2 * stride
                multiply_narrow(memory, cosines, 2 * stride, weights, stride, stride, shift, spare, step, 1)
                if row[f.IS_RECTIFIED]:
                    store(memory, spare, maximum(load(memory, spare), splat(memory, 0)))
                for i in range(block, min(block + step, rows)):
                    memory[target + i * wide] = memory[spare + i - block]


@part
def periodic_gate(memory, row, first, rows):
    """Make the derivatives by what embeddings are those by what they are before their rectifier."""
    step, width, zero = count(memory), row[f.N_OUT] - row[f.N_IN], splat(memory, 0)
    for i in range(first, first + rows if row[f.IS_RECTIFIED] else first):
        y, dy = row[f.Y] + i * row[f.PAD_OUT] + row[f.N_IN], row[f.DY] + i * row[f.PAD_OUT] + row[f.N_IN]
        if width < step:
            for k in range(width):
                memory[dy + k] = memory[dy + k] if memory[y + k] > 0 else 0.0
        else:
            for begin in range(0, width, step):
                k = min(begin, width - step)  # the last vector begins where it still fits
                store(memory, dy + k, where_greater(load(memory, y + k), zero, load(memory, dy + k), zero))


@part
def _slope(memory, dy, projections, each, stride, sines):
    """Return the derivatives by the angles of some waves, from those by what they are weighed to."""
    summed = splat(memory, 0)
    for out in range(each):
        summed -= splat(memory, memory[dy + out]) * load(memory, projections + out * stride)
    return summed * load(memory, sines)


@part
def periodic_backward(memory, row, settings, first, rows):
    """Write the derivatives by the inputs, of rows from `first` on."""
    step, stride, each, n_in = count(memory), row[f.STRIDE], row[f.EACH], row[f.N_IN]
    wide_in, wide = row[f.PAD_IN], row[f.PAD_OUT]
    dx, dy = row[f.DX] + first * wide_in, row[f.DY] + first * wide
    for i in range(rows):
        for column in range(n_in):
            memory[dx + i * wide_in + column] = memory[dy + i * wide + column]
        fill(memory, dx + i * wide_in + n_in, dx + (i + 1) * wide_in, 0)
    for column in range(row[f.COLUMNS_IN]):
        kept = _waves_of(row, settings, column) + first * 2 * stride
        waves, projections = row[f.WEIGHTS] + column * stride, row[f.PROJECTIONS] + column * each * stride
        for i in range(rows):
            summed, source = splat(memory, 0), dy + i * wide + n_in + column * each
            for k in range(0, stride, step):
                sines = kept + i * 2 * stride + stride + k
                slope = _slope(memory, source, projections + k, each, stride, sines)
                summed = fma(slope, load(memory, waves + k), summed)
            memory[dx + i * wide_in + column] += tau * total(summed)


@part
def add_periodic_gradients(memory, row, settings, rows, is_first, thread, threads):
    """Add what the rows of a tile give to the gradients of an embedding; threads share its columns."""
    step, stride, each, wide_in, wide = count(memory), row[f.STRIDE], row[f.EACH], row[f.PAD_IN], row[f.PAD_OUT]
    shift = settings[f.GRADIENT] - settings[f.THETA]
    for column in range(thread, row[f.COLUMNS_IN], threads):
        kept, dy = _waves_of(row, settings, column), row[f.DY] + row[f.N_IN] + column * each
        x, projections = row[f.X] + column, row[f.PROJECTIONS] + column * each * stride
        for k in range(0, stride, step):
            by_wave = by_phase = splat(memory, 0)
            for i in range(rows):
                sines = kept + i * 2 * stride + stride + k
                slope = _slope(memory, dy + i * wide, projections + k, each, stride, sines)
                by_phase += slope
                by_wave = fma(slope, splat(memory, memory[x + i * wide_in]), by_wave)
            place = column * stride + k + shift
            _add(memory, row[f.WEIGHTS] + place, by_wave * splat(memory, tau), is_first)
            _add(memory, row[f.PHASES] + place, by_phase, is_first)
            mark = load(memory, row[f.UNITS] + k)
            for out in range(each):
                summed = _sum_of_products(memory, dy + out, wide, kept + k, 2 * stride, rows)
                _add(memory, projections + out * stride + k + shift, summed * mark, is_first)
        for out in range(each):
            place, summed = row[f.SHIFTS] + column * each + out + shift, _sum(memory, dy + out, wide, rows)
            memory[place] = summed if is_first else memory[place] + summed


@part
def _add(memory, place, vector, is_first):
    """Add a vector to what stands in a place, or write it there if it is the first."""
    store(memory, place, vector if is_first else vector + load(memory, place))


@part
def _sum_of_products(memory, factors, factor_row, vectors, vector_row, rows):
    """Add up vectors, each times a number; four sums at a time so that they do not wait for one another."""
    a = b = c = d = splat(memory, 0)
    i = 0
    while i + 4 <= rows:
        a = fma(splat(memory, memory[factors]), load(memory, vectors), a)
        b = fma(splat(memory, memory[factors + factor_row]), load(memory, vectors + vector_row), b)
        c = fma(splat(memory, memory[factors + 2 * factor_row]), load(memory, vectors + 2 * vector_row), c)
        d = fma(splat(memory, memory[factors + 3 * factor_row]), load(memory, vectors + 3 * vector_row), d)
        factors += 4 * factor_row
        vectors += 4 * vector_row
        i += 4
    while i < rows:
        a = fma(splat(memory, memory[factors]), load(memory, vectors), a)
        factors += factor_row
        vectors += vector_row
        i += 1
    return (a + b) + (c + d)


@part
def _sum(memory, place, distance, rows):
    """Add up numbers that lie a distance apart, four sums at a time."""
    a = b = c = d = 0.0
    whole = rows - rows % 4
    for i in range(0, whole, 4):
        a += memory[place + i * distance]
        b += memory[place + (i + 1) * distance]
        c += memory[place + (i + 2) * distance]
        d += memory[place + (i + 3) * distance]
    for i in range(whole, rows):
        a += memory[place + i * distance]
    return (a + b) + (c + d)


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
