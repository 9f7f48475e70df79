"""Groups, compiled: penalties that look at a whole matrix of weights, before or after the optimizer's step.

Group L1 and max-norm by their proximal operators, in the metric of the step; group L1 by its subgradient and
orthogonality by their gradients. Formulas are those of `taut.network.penalties`.

Groups are worked on as many at a time as a vector has lanes, each in a lane of its own: such a *block* is copied side
by side first, one vector for each value, whether groups are rows or columns. So no sum runs across lanes, and Newton's
method climbs for a whole block at once. Blocks know nothing of one another, and threads share them. Floor 3 of the
house.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from taut.engine import fields as f
from taut.engine.parts import part
from taut.engine.products import OPEN, copy, count, fill, multiply, to_columns, to_rows, transpose
from taut.engine.threads import wait
from taut.engine.vectors import (
    absolute,
    any_greater,
    fma,
    load,
    maximum,
    quick_reciprocal,
    splat,
    square_root,
    store,
    total,
    where_greater,
)

__all__ = ["add_penalty_gradients", "apply_groups", "mixing_values"]

# Steps at most, as in `taut.network.penalties`; and what a line is taken to be where step and values are both zero: one
# over it, summed over a group, is still a number in float32.
_NEWTON_STEPS, _SMALLEST = 16, 1e-30


@part
def mixing_values(memory, settings, parameters, strengths, groups, lams, values):
    """Add to `values` what penalties that look at a whole matrix add to the loss now."""
    for p in range(len(parameters)):
        if strengths[p, f.ORTHOGONALITY] > 0:
            value = _orthogonality(memory, settings, parameters[p], strengths[p, f.ORTHOGONALITY], False)
            values[parameters[p, f.OWNER]] += value
    for g in range(len(groups)):
        kind, parameter = groups[g, f.GROUP_KIND], parameters[groups[g, f.GROUP_PARAMETER]]
        if kind == f.MAX_NORM:
            continue
        theta, room = settings[f.THETA] + parameter[f.PLACE], settings[f.GROUP_ROOM]
        by_row, n_groups, size = _shape(parameter, kind in (f.BY_INPUT, f.BY_INPUT_SMOOTH))
        norms = splat(memory, 0)
        for first in range(0, n_groups, count(memory)):
            _take_block(memory, parameter, theta, by_row, first, room, room + _block_room(memory, parameter))
            norms += _norms(memory, room, size)
        values[parameter[f.OWNER]] += lams[g] * np.float64(total(norms))


@part
def add_penalty_gradients(memory, settings, parameters, strengths, groups, lams):
    """Add the gradients of all smooth penalties to that of the data loss, where the whole must be known first."""
    for p in range(len(parameters)):
        parameter, strength = parameters[p], strengths[p]
        theta, gradient = settings[f.THETA] + parameter[f.PLACE], settings[f.GRADIENT] + parameter[f.PLACE]
        for row in range(parameter[f.ROWS]):
            for i in range(row * parameter[f.PADDED], row * parameter[f.PADDED] + parameter[f.COLUMNS]):
                w = np.float64(memory[theta + i])
                slope = 2.0 * strength[f.L2] * w
                slope += strength[f.L1_AT_ZERO] if w == 0 else strength[f.L1_SIGN] * np.sign(w)
                memory[gradient + i] += slope
        if strength[f.ORTHOGONALITY] > 0:
            _orthogonality(memory, settings, parameter, strength[f.ORTHOGONALITY], True)
    for g in range(len(groups)):
        kind = groups[g, f.GROUP_KIND]
        if kind in (f.BY_INPUT_SMOOTH, f.BY_UNIT_SMOOTH):
            _add_group_gradients(
                memory, settings, parameters[groups[g, f.GROUP_PARAMETER]], kind == f.BY_INPUT_SMOOTH, lams[g]
            )


@part
def _add_group_gradients(memory, settings, parameter, by_input, lam):
    theta, gradient = settings[f.THETA] + parameter[f.PLACE], settings[f.GRADIENT] + parameter[f.PLACE]
    room, wide, zero = _block_room(memory, parameter), count(memory), splat(memory, 0)
    values = settings[f.GROUP_ROOM]
    slopes, spare = values + room, values + 2 * room
    by_row, n_groups, size = _shape(parameter, by_input)
    for first in range(0, n_groups, wide):
        _take_block(memory, parameter, theta, by_row, first, values, spare)
        _take_block(memory, parameter, gradient, by_row, first, slopes, spare)
        norms = _norms(memory, values, size)
        factor = where_greater(norms, zero, splat(memory, lam) / norms, zero)
        for i in range(0, size * wide, wide):
            store(memory, slopes + i, fma(factor, load(memory, values + i), load(memory, slopes + i)))
        _put_block(memory, parameter, slopes, by_row, first, gradient, spare)


@part
def _orthogonality(memory, settings, parameter, lam, adds_gradient):
    """Return ``lam * sum((W.T @ W - I)**2)``, or with W.T for W if that is taller; add its gradient if asked to."""
    theta, gradient = settings[f.THETA] + parameter[f.PLACE], settings[f.GRADIENT] + parameter[f.PLACE]
    rows, columns, wide, tall = parameter[f.ROWS], parameter[f.COLUMNS], parameter[f.PADDED], parameter[f.PADDED_ROWS]
    zeros, room, spare = settings[f.ZEROS], settings[f.GROUP_ROOM], settings[f.SPARE]
    if rows >= columns:
        size, apart = columns, wide
        multiply(
            memory, theta, 1, wide, theta, wide, rows, zeros, 0, room, wide, columns, wide, spare, OPEN, 0, -np.inf
        )
    else:
        size, apart = rows, tall
        turned = room + tall * tall
        fill(memory, turned, turned + tall * columns, 0)
        transpose(memory, theta, wide, rows, columns, turned, tall)
        multiply(
            memory, theta, wide, 1, turned, tall, columns, zeros, 0, room, tall, rows, tall, spare, OPEN, 0, -np.inf
        )
    value = 0.0
    for i in range(size):
        memory[room + i * apart + i] -= 1
        for j in range(size):
            entry = np.float64(memory[room + i * apart + j])
            value += entry * entry
            memory[room + i * apart + j] *= 4.0 * lam
    if adds_gradient:
        left, left_row, right, depth = (theta, wide, room, columns) if rows >= columns else (room, tall, theta, rows)
        multiply(
            memory, left, left_row, 1, right, wide, depth, gradient, wide, gradient, wide, rows, wide, spare, OPEN, 0,
            -np.inf,
        )  # fmt: skip
    return lam * value


@part
def apply_groups(memory, settings, parameters, groups, lams, sync, thread, threads):
    """Apply the proximal operators of penalties over groups, after the step, in the metric of its sizes."""
    values, wide = settings[f.GROUP_ROOM] + thread * settings[f.GROUP_ROOM_SIZE], count(memory)
    is_even = settings[f.OPTIMIZER] == f.SGD  # whose steps are all of one size
    for g in range(len(groups)):
        kind, parameter, strength = groups[g, f.GROUP_KIND], parameters[groups[g, f.GROUP_PARAMETER]], lams[g]
        if kind == f.MAX_NORM or (kind in (f.BY_INPUT, f.BY_UNIT) and strength > 0):
            theta, sizes = settings[f.THETA] + parameter[f.PLACE], settings[f.SIZES] + parameter[f.PLACE]
            by_row, n_groups, size = _shape(parameter, kind == f.BY_INPUT)
            room = _block_room(memory, parameter)
            steps, spare = values + room, values + 2 * room
            for first in range(thread * wide, n_groups, threads * wide):
                _take_block(memory, parameter, theta, by_row, first, values, spare)
                if kind == f.MAX_NORM and not any_greater(_norms(memory, values, size), splat(memory, strength)):
                    continue
                _take_block(memory, parameter, sizes, by_row, first, steps, spare)
                if kind == f.MAX_NORM:
                    _project(memory, values, steps, size, strength, is_even)
                else:
                    _shrink(memory, values, steps, size, strength, is_even)
                _put_block(memory, parameter, values, by_row, first, theta, spare)
        wait(sync, threads)


@part
def _shape(parameter, by_input):
    """Return whether the groups of a parameter are its rows, how many there are, and how many values each has."""
    if parameter[f.IS_MATRIX] and by_input != parameter[f.IS_TURNED_MATRIX]:
        return True, parameter[f.ROWS], parameter[f.COLUMNS]
    return False, parameter[f.COLUMNS], parameter[f.ROWS]


@part
def _block_room(memory, parameter):
    """Return how many numbers a block may have; there is room for three."""
    return count(memory) * max(parameter[f.ROWS], parameter[f.PADDED])


@part
def _take_block(memory, parameter, source, by_row, first, target, spare):
    """Copy the groups from `first` on, as many as a vector has lanes, side by side; lanes without a group are zero."""
    wide, padded, rows = count(memory), parameter[f.PADDED], parameter[f.ROWS]
    if by_row:
        begin = source + first * padded
        if rows - first < wide:
            fill(memory, spare, spare + wide * padded, 0)
            copy(memory, begin, spare, (rows - first) * padded)
            begin = spare
        to_columns(memory, begin, padded, target)
    elif padded >= wide:
        for row in range(rows):
            store(memory, target + row * wide, load(memory, source + first + row * padded))
    else:
        fill(memory, target, target + rows * wide, 0)
        for row in range(rows):
            for column in range(parameter[f.COLUMNS]):
                memory[target + row * wide + column] = memory[source + row * padded + column]


@part
def _put_block(memory, parameter, source, by_row, first, target, spare):
    """Copy a block back to where its groups are from."""
    wide, padded, rows = count(memory), parameter[f.PADDED], parameter[f.ROWS]
    if by_row and rows - first < wide:
        to_rows(memory, source, padded, spare)
        copy(memory, spare, target + first * padded, (rows - first) * padded)
    elif by_row:
        to_rows(memory, source, padded, target + first * padded)
    elif padded >= wide:
        for row in range(rows):
            store(memory, target + first + row * padded, load(memory, source + row * wide))
    else:
        for row in range(rows):
            for column in range(parameter[f.COLUMNS]):
                memory[target + row * padded + column] = memory[source + row * wide + column]


@part
def _norms(memory, values, size):
    """Return the norms of the groups of a block."""
    squares = splat(memory, 0)
    for i in range(values, values + size * count(memory), count(memory)):
        w = load(memory, i)
        squares = fma(w, w, squares)
    return square_root(squares)


@part
def _shrink(memory, values, steps, size, lam, is_even):
    """Do to the groups of a block what `taut.network.penalties.GroupL1.prox` does; leave the thresholds in `steps`.

    The norm t that a group falls to is the root of ``sum (w / (t + threshold))**2 = 1``. One over a square is convex:
    so the root lies above where it would be if all thresholds were their mean, weighted by w², and there Newton's
    method starts; where they are one number, that is the root. It also lies above what is left of any single value, so
    that no share of the sum exceeds 1.
    """
    wide, factor = count(memory), splat(memory, lam)
    zero, smallest = splat(memory, 0), splat(memory, _SMALLEST)
    squares = weighted = norms = zero
    for i in range(0, size * wide, wide):
        w, threshold = load(memory, values + i), factor * load(memory, steps + i)
        store(memory, steps + i, threshold)
        square = w * w
        squares += square
        weighted = fma(square, threshold, weighted)
        norms = maximum(norms, absolute(w) - threshold)
    mean = where_greater(squares, zero, weighted / squares, zero)
    norms = maximum(norms, square_root(squares) - mean)
    if not is_even:
        norms = _root(memory, values, steps, size, norms, mean, 1.0, True)
    for i in range(0, size * wide, wide):
        line = maximum(norms + load(memory, steps + i), smallest)
        store(memory, values + i, load(memory, values + i) * (norms / line))


@part
def _project(memory, values, steps, size, limit, is_even):
    """Do to the groups of a block what `taut.network.penalties.MaxNorm.prox` does; scale the steps.

    The multiplier is the root of ``sum (w / (1 + multiplier * step))**2 = limit**2``, and lies above where it would be
    if all steps were their mean, as above. Steps are scaled by that mean, so that the multiplier is of order one; a
    group whose steps are zero, as before a warm-up, takes them for equal.
    """
    wide, zero, one = count(memory), splat(memory, 0), splat(memory, 1)
    squares = weighted = zero
    for i in range(0, size * wide, wide):
        w = load(memory, values + i)
        square = w * w
        squares += square
        weighted = fma(square, load(memory, steps + i), weighted)
    scale = where_greater(weighted, zero, squares / weighted, zero)
    rest = where_greater(weighted, zero, zero, one)
    for i in range(0, size * wide, wide):
        store(memory, steps + i, fma(scale, load(memory, steps + i), rest))
    multipliers = maximum(square_root(squares) * splat(memory, 1.0 / limit) - one, zero)
    if not is_even:
        multipliers = _root(memory, values, steps, size, multipliers, one, limit, False)
    for i in range(0, size * wide, wide):
        line = fma(multipliers, load(memory, steps + i), one)
        store(memory, values + i, load(memory, values + i) / line)


@part
def _root(memory, values, steps, size, t, unit, radius, shrinks):
    """Return the t >= 0 at which the norm of ``w / line`` falls to `radius`, by Newton's method from a t left of it.

    The line of a value is ``step + t`` if the groups are being shrunk, else ``1 + step * t``; see
    `taut.network.penalties._root`. It ends when no lane moves by more than about the root of the precision, in terms of
    ``t + unit``: the next step would be the square of that.
    """
    wide, inverse_radius = count(memory), splat(memory, 1.0 / radius)
    zero, one, smallest = splat(memory, 0), splat(memory, 1), splat(memory, _SMALLEST)
    near = splat(memory, 0.25 * sqrt(np.finfo(memory.dtype).eps))
    for _ in range(_NEWTON_STEPS):
        squares = slope = zero
        for i in range(0, size * wide, wide):
            w, step = load(memory, values + i), load(memory, steps + i)
            inverse = quick_reciprocal(maximum(step + t, smallest) if shrinks else fma(step, t, one))
            share = w * inverse
            share = share * share
            squares += share
            slope = fma(share, inverse if shrinks else step * inverse, slope)
        climb = squares * (square_root(squares) * inverse_radius - one) / where_greater(slope, zero, slope, one)
        following = maximum(t + climb, zero)
        moved = absolute(following - t)
        t = following
        if not any_greater(moved, near * (t + unit)):
            break
    return t
