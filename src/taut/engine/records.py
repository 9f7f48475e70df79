"""Records, compiled: what an epoch's row of the history says, and whether it says to stop.

Metrics are summed up tile by tile; norms, zeros and penalties are looked up in the weights when the epoch has ended.
Floor 3 of the house.
"""

from __future__ import annotations

from math import sqrt

from taut.engine import fields as f
from taut.engine.groups import mixing_values
from taut.engine.parts import part
from taut.engine.products import copy, count, fill
from taut.engine.update import BLOCK
from taut.engine.vectors import absolute, fma, load, splat, total, where_greater

__all__ = ["add_tallies", "clear_metric", "describe_weights", "metric_of", "watch"]


@part
def add_tallies(tallies, sums, settings, rows, step, keeps):
    """Return the sum of the losses of a tile's rows; keep what the epoch's metric needs."""
    loss = 0.0
    n_sums = 3 * settings[f.OUTPUTS] if settings[f.LOSS] >= f.SQUARED else 0
    for block in range((rows + step - 1) // step):
        loss += tallies[block, 0]
        if keeps:
            sums[f.HITS] += tallies[block, 1]
            sums[f.WEIGHT] += tallies[block, 2]
            for k in range(n_sums):
                sums[f.OWNERS + settings[f.N_OWNERS] + k] += tallies[block, 3 + k]
    return loss


@part
def metric_of(sums, settings):
    """Return accuracy, or the coefficient of determination, of what was summed."""
    if settings[f.LOSS] < f.SQUARED:
        return sums[f.HITS] / sums[f.WEIGHT]
    explained = 0.0
    for k in range(settings[f.OUTPUTS]):
        place = f.OWNERS + settings[f.N_OWNERS] + 3 * k
        spread = sums[place + 2] - sums[place + 1] * sums[place + 1] / sums[f.WEIGHT]
        if spread > 1e-14 * sums[place + 2]:
            explained += 1.0 - sums[place] / spread
    return explained / settings[f.OUTPUTS]


@part
def clear_metric(sums, settings):
    """Begin to sum up a metric."""
    sums[f.HITS] = sums[f.WEIGHT] = 0.0
    fill(sums, f.OWNERS + settings[f.N_OWNERS], len(sums), 0.0)


@part
def describe_weights(memory, settings, sums, parameters, strengths, groups, lams, row):
    """Record norms, zeros, and what the penalties add to the validation loss."""
    penalty = 0.0
    for p in range(len(parameters)):
        parameter, zeros, square, magnitude = parameters[p], 0.0, 0.0, 0.0
        zero, one = splat(memory, 0), splat(memory, 1)
        for begin in range(0, parameter[f.SIZE], BLOCK):
            place = settings[f.THETA] + parameter[f.PLACE]
            squares = magnitudes = others = zero
            for i in range(place + begin, place + min(begin + BLOCK, parameter[f.SIZE]), count(memory)):
                w = load(memory, i)
                size = absolute(w)
                squares = fma(w, w, squares)
                magnitudes += size
                others += where_greater(size, zero, one, zero)
            square += total(squares)
            magnitude += total(magnitudes)
            zeros -= total(others)
        zeros += parameter[f.ROWS] * parameter[f.COLUMNS]
        if strengths[p, f.L2] > 0:  # a strength of zero must not meet a sum that overflowed
            penalty += strengths[p, f.L2] * square
        if strengths[p, f.L1] > 0:
            penalty += strengths[p, f.L1] * magnitude
        place = f.H_OWNERS + 3 * parameter[f.OWNER]
        if parameter[f.IS_FIRST]:
            row[place + 1], row[place + 2] = sqrt(square), 0.0
        row[place + 2] += zeros / parameter[f.OWNED]
    if settings[f.HAS_MIXING]:
        values = sums[len(sums) - settings[f.N_OWNERS] :]
        fill(values, 0, len(values), 0.0)
        mixing_values(memory, settings, parameters, strengths, groups, lams, values)
        for value in values:
            penalty += value
    row[f.H_VALIDATION_PENALTY] = penalty


@part
def watch(memory, settings, options, counters, sums, row):
    """Keep the best state, and stop when there has been no better for a while."""
    if settings[f.MONITOR] < 0:
        return
    value = row[settings[f.MONITOR]]
    value = -value if settings[f.MONITOR_RISES] else value
    if value < sums[f.BEST_VALUE] - options[f.MIN_DELTA]:
        sums[f.BEST_VALUE] = value
        counters[f.BEST_EPOCH], counters[f.WAITED] = counters[f.EPOCH], 0
        copy(memory, settings[f.THETA], settings[f.BEST], settings[f.STATE_SIZE])
    else:
        counters[f.WAITED] += 1
        if counters[f.WAITED] >= settings[f.PATIENCE]:
            counters[f.STATUS] = f.STOPPED_EARLY
