"""Losses, compiled: value, derivative and metric of the outputs in a tile.

A block of rows, as many as a vector has lanes, is turned into columns first: one vector for each output, one lane for
each sample. Every loss is then a few lines without a loop over samples, and softmax needs no sum across a vector.
Formulas are those of `taut.network.losses`. Floor 3 of the house.
"""

from __future__ import annotations

from taut.engine import fields as f
from taut.engine.arithmetic import exp, log, log1p, sigmoid, softplus
from taut.engine.parts import part
from taut.engine.products import count, to_columns, to_rows
from taut.engine.vectors import absolute, load, maximum, minimum, splat, store, total, where_greater, with_sign_of

__all__ = ["score"]

_FLOOR = 1e-7


@part
def score(
    memory, settings, options, first, rows, batch_rows, labels, dense, weights, chosen, partners, shares, centers,
    tallies, room, source, smoothing, wants_gradient,
):  # fmt: skip
    """Score the rows of a tile from `first` on; write the derivative of the mean loss by the outputs, if wanted.

    The room holds, for a block, outputs and targets as columns, weights, and marks of the rows that count.
    `chosen[i]` is the row of the data that row i of the tile is; with `shares`, it is mixed with row `partners[i]`.
    `source` is the place of the tile's outputs; `tallies` has a row for each block of the tile.
    """
    step, wide, outputs = count(memory), settings[f.PAD_OUTPUTS], settings[f.OUTPUTS]
    z, t = room, room + wide * step
    weight_place, mark_place = t + wide * step, t + wide * step + step
    for block in range(first, first + rows, step):
        some = min(step, first + rows - block)
        to_columns(memory, source + block * wide, wide, z)
        _targets(memory, t, step, some, block, outputs, labels, dense, chosen, partners, shares, smoothing)
        for i in range(step):
            memory[mark_place + i] = 1 if i < some else 0
            memory[weight_place + i] = memory[mark_place + i]
        if len(weights):
            for i in range(some):
                own = weights[chosen[block + i]]
                if len(shares):
                    own = own * shares[block + i] + weights[partners[block + i]] * (1 - shares[block + i])
                memory[weight_place + i] = own
        zero, mark, weight = splat(memory, 0), load(memory, mark_place), load(memory, weight_place)
        tally = tallies[block // step]
        hits = _hits(memory, settings[f.LOSS], z, t, step, outputs)
        tally[1] = total(where_greater(mark, zero, hits * weight, zero))
        tally[2] = total(weight)
        if settings[f.LOSS] >= f.SQUARED:
            _tally_numbers(memory, tally, z, t, step, outputs, weight, mark, centers)
        loss = _columns(memory, settings[f.LOSS], z, t, step, outputs, options[f.DELTA])
        tally[0] = total(where_greater(mark, zero, loss * weight, zero))
        if wants_gradient:
            factor = weight / splat(memory, batch_rows)
            for k in range(outputs):
                store(memory, z + k * step, load(memory, z + k * step) * factor)
            for k in range(outputs, wide):
                store(memory, z + k * step, zero)
            to_rows(memory, z, wide, settings[f.D_OUTPUT_TILE] + block * wide)


@part
def _targets(memory, t, step, some, block, outputs, labels, dense, chosen, partners, shares, smoothing):
    """Write the targets of a block as columns; integer labels become probabilities."""
    rest = splat(memory, smoothing / outputs)
    for k in range(outputs):
        store(memory, t + k * step, rest)
    for i in range(some):
        row = chosen[block + i]
        share = shares[block + i] if len(shares) else 1.0
        if len(labels):
            memory[t + labels[row] * step + i] += (1 - smoothing) * share
            if len(shares):
                memory[t + labels[partners[block + i]] * step + i] += (1 - smoothing) * (1 - share)
        elif len(shares):
            for k in range(outputs):
                mixed = dense[row, k] * share + dense[partners[block + i], k] * (1 - share)
                memory[t + k * step + i] += (1 - smoothing) * mixed
        else:
            for k in range(outputs):
                memory[t + k * step + i] += (1 - smoothing) * dense[row, k]


@part
def _hits(memory, kind, z, t, step, outputs):
    """Return for each row whether, or for yes-or-no outputs how often, the outputs say what the targets say."""
    zero, one, half = splat(memory, 0), splat(memory, 1), splat(memory, 0.5)
    if kind in (f.CROSS_ENTROPY, f.CATEGORICAL):
        best_output, best_target = load(memory, z), load(memory, t)
        output_index = target_index = zero
        for k in range(1, outputs):
            index, out, target = splat(memory, k), load(memory, z + k * step), load(memory, t + k * step)
            output_index = where_greater(out, best_output, index, output_index)
            best_output = where_greater(out, best_output, out, best_output)
            target_index = where_greater(target, best_target, index, target_index)
            best_target = where_greater(target, best_target, target, best_target)
        return where_greater(half, absolute(output_index - target_index), one, zero)
    hits = zero
    if kind in (f.SIGMOID_CROSS_ENTROPY, f.BINARY):
        threshold = zero if kind == f.SIGMOID_CROSS_ENTROPY else half
        for k in range(outputs):
            says = where_greater(load(memory, z + k * step), threshold, one, zero)
            means = where_greater(load(memory, t + k * step), half, one, zero)
            hits += where_greater(half, absolute(says - means), one, zero)
        hits = hits / splat(memory, outputs)
    return hits


@part
def _tally_numbers(memory, tally, z, t, step, outputs, weight, mark, centers):
    """Add up what the coefficient of determination needs: residuals, targets and their squares, from a center."""
    zero = splat(memory, 0)
    for k in range(outputs):
        target = load(memory, t + k * step)
        error = load(memory, z + k * step) - target
        shifted = target - splat(memory, centers[k])
        tally[3 + 3 * k] = total(where_greater(mark, zero, weight * error * error, zero))
        tally[4 + 3 * k] = total(where_greater(mark, zero, weight * shifted, zero))
        tally[5 + 3 * k] = total(where_greater(mark, zero, weight * shifted * shifted, zero))


@part
def _columns(memory, kind, z, t, step, outputs, delta):
    """Return the loss of each row, and write its derivative by the outputs in their place."""
    zero, one, loss = splat(memory, 0), splat(memory, 1), splat(memory, 0)
    share = splat(memory, 1.0 / outputs)
    if kind == f.CROSS_ENTROPY:
        largest = load(memory, z)
        for k in range(1, outputs):
            largest = maximum(largest, load(memory, z + k * step))
        summed = zero
        for k in range(outputs):
            shifted = load(memory, z + k * step) - largest
            e = exp(shifted)
            summed += e
            loss -= load(memory, t + k * step) * shifted
            store(memory, z + k * step, e)
        logarithm = log(summed)
        scale = one / summed
        for k in range(outputs):
            target = load(memory, t + k * step)
            loss += target * logarithm
            store(memory, z + k * step, load(memory, z + k * step) * scale - target)
        return loss
    for k in range(outputs):
        out, target = load(memory, z + k * step), load(memory, t + k * step)
        if kind == f.CATEGORICAL:
            floor = splat(memory, _FLOOR)
            clipped = maximum(out, floor)
            loss -= target * log(clipped)
            slope = where_greater(out, floor, -(target / clipped), zero)
        elif kind == f.SIGMOID_CROSS_ENTROPY:
            loss += (softplus(out) - target * out) * share
            slope = (sigmoid(out) - target) * share
        elif kind == f.BINARY:
            floor, ceiling = splat(memory, _FLOOR), splat(memory, 1.0 - _FLOOR)
            p = minimum(maximum(out, floor), ceiling)
            loss -= (target * log(p) + (one - target) * log1p(-p)) * share
            distance = absolute(p - out)
            slope = where_greater(distance, zero, zero, (p - target) / (p * (one - p)) * share)
        else:
            error = out - target
            size = absolute(error)
            if kind == f.SQUARED:
                loss += error * error * share
                slope = (error + error) * share
            elif kind == f.ABSOLUTE:
                loss += size * share
                slope = where_greater(size, zero, with_sign_of(share, error), zero)
            else:
                edge, half = splat(memory, delta), splat(memory, 0.5)
                far = edge * (size - half * edge)
                loss += where_greater(size, edge, far, half * size * size) * share
                slope = minimum(maximum(error, -edge), edge) * share
        store(memory, z + k * step, slope)
    return loss
