"""Updates, compiled: penalties, optimizers and proximal steps over the flat vector of parameters.

What acts on each value by itself is done in one pass that reads a parameter once: its part of the penalty, the
gradient of the smooth penalties, the optimizer's rule, soft thresholding, the projection to zero and above. What looks
at a whole matrix (groups, orthogonality) is done before or after it. Formulas are those of `taut.network.penalties` and
`taut.network.optimizers`. Floor 3 of the house.
"""

from __future__ import annotations

from math import cos, pi, sqrt

import numpy as np

from taut.engine import fields as f
from taut.engine.parts import part
from taut.engine.products import OPEN, count, fill, multiply, transpose
from taut.engine.vectors import (
    absolute,
    fma,
    load,
    maximum,
    quick_reciprocal,
    quick_root,
    splat,
    store,
    total,
    where_greater,
    with_sign_of,
)

__all__ = [
    "BLOCK",
    "add_penalty_gradients",
    "apply_groups",
    "mixing_values",
    "penalty_values",
    "rate_of",
    "squared_norm",
    "update",
]

#: Numbers in a piece of work that one thread does; sums are made piece by piece, so that they do not depend on threads.
BLOCK = 4096

# As in `taut.network.penalties._root`.
_NEWTON_STEPS, _SMALLEST = 16, 1e-100


@part
def rate_of(schedules, lr, step, total_steps, previous):
    """Return the learning rate of a step; each row of the table is a schedule, a warm-up before the one it leads to."""
    for row in range(len(schedules)):
        kind, first = schedules[row, 0], schedules[row, 1]
        if kind == f.WARM_UP:
            rise = round(first * total_steps)
            if step < rise:
                return lr * (step + 1) / rise
            previous = lr if step == rise else previous
            step, total_steps = step - rise, max(total_steps - rise, 1)
        elif kind == f.CONSTANT:
            return lr
        elif kind == f.INVERSE_TIME:
            return lr * (1.0 / (1.0 + first * step))
        elif kind == f.COMPOUNDING:
            return previous * (1.0 / (1.0 + first * step))
        elif kind == f.EXPONENTIAL:
            return lr * first ** (step / total_steps)
        else:
            return lr * (first + (1.0 - first) * 0.5 * (1.0 + cos(pi * min(step / total_steps, 1.0))))
    return lr


@part
def _pieces(size):
    return (size + BLOCK - 1) // BLOCK


@part
def update(
    memory, settings, options, parameters, strengths, rate, step, factor, adds_penalties, partials, thread, threads
):  # fmt: skip
    """Make one step of the optimizer for all parameters, with the elementwise proximal steps.

    Write to `partials`, for each piece of work, the sums of squares and of absolute values from before the step.
    """
    piece = 0
    for p in range(len(parameters)):
        for begin in range(0, parameters[p, f.SIZE], BLOCK):
            if piece % threads == thread:
                end = min(begin + BLOCK, parameters[p, f.SIZE])
                _update_piece(
                    memory, settings, options, parameters[p, f.PLACE] + begin, end - begin, strengths[p], rate, step,
                    factor, adds_penalties, partials[piece],
                )  # fmt: skip
            piece += 1


@part
def _update_piece(
    memory, settings, options, begin, size, strengths, rate, step, factor, adds_penalties, partial
):  # fmt: skip
    kind, wide = settings[f.OPTIMIZER], count(memory)
    theta, gradient = settings[f.THETA] + begin, settings[f.GRADIENT] + begin
    momentum, squares, sizes = settings[f.MOMENTUM] + begin, settings[f.SQUARES] + begin, settings[f.SIZES]
    zero, one, plain, epsilon = (
        splat(memory, 0),
        splat(memory, 1),
        splat(memory, rate),
        splat(memory, options[f.EPSILON]),
    )
    two_l2, sign, at_zero = (
        splat(memory, 2.0 * strengths[f.L2]),
        splat(memory, strengths[f.L1_SIGN]),
        splat(memory, strengths[f.L1_AT_ZERO]),
    )
    has_sign = strengths[f.L1_SIGN] != 0 or strengths[f.L1_AT_ZERO] != 0
    threshold, is_thresholded = splat(memory, strengths[f.L1_PROXIMAL]), strengths[f.L1_PROXIMAL] > 0
    is_non_negative, scale, is_scaled = strengths[f.IS_NON_NEGATIVE] > 0, splat(memory, factor), factor != 1.0
    b1, b2 = splat(memory, options[f.BETA_1]), splat(memory, options[f.BETA_2])
    c1, c2 = splat(memory, 1.0 - options[f.BETA_1]), splat(memory, 1.0 - options[f.BETA_2])
    correction, corrections = one, one
    if kind == f.ADAM:
        correction = splat(memory, 1.0 / (1.0 - options[f.BETA_1] ** (step + 1)))
        corrections = splat(memory, 1.0 / (1.0 - options[f.BETA_2] ** (step + 1)))
    shrink, shrinks = splat(memory, 1.0 - rate * options[f.WEIGHT_DECAY]), options[f.WEIGHT_DECAY] > 0
    nesterov = options[f.IS_NESTEROV] > 0
    summed = magnitudes = zero
    for i in range(0, size, wide):
        w, g = load(memory, theta + i), load(memory, gradient + i)
        summed = fma(w, w, summed)
        magnitude = absolute(w)
        magnitudes += magnitude
        if adds_penalties:
            g = fma(two_l2, w, g)
            if has_sign:
                g += where_greater(magnitude, zero, with_sign_of(sign, w), at_zero)
        if is_scaled:
            g = g * scale
        if kind == f.SGD:
            m = fma(b1, load(memory, momentum + i), g)
            store(memory, momentum + i, m)
            size_ = plain
            w -= plain * (fma(b1, m, g) if nesterov else m)
        elif kind == f.ADAM:
            if shrinks:
                w = w * shrink
            m = fma(b1, load(memory, momentum + i), c1 * g)
            s = fma(b2, load(memory, squares + i), c2 * g * g)
            store(memory, momentum + i, m)
            store(memory, squares + i, s)
            hat = s * corrections
            size_ = where_greater(hat, zero, plain * quick_reciprocal(quick_root(hat) + epsilon), plain)
            w -= size_ * (m * correction)
        else:
            s = load(memory, squares + i)
            s = fma(b2, s, c2 * g * g) if kind == f.RMSPROP else fma(g, g, s)
            store(memory, squares + i, s)
            size_ = where_greater(s, zero, plain * quick_reciprocal(quick_root(s) + epsilon), plain)
            w -= size_ * g
        if is_thresholded:
            w = with_sign_of(maximum(absolute(w) - threshold * size_, zero), w)
        if is_non_negative:
            w = maximum(w, zero)
        store(memory, theta + i, w)
        if sizes >= 0:
            store(memory, sizes + begin + i, size_)
    partial[0], partial[1] = total(summed), total(magnitudes)


@part
def penalty_values(parameters, strengths, partials, portion, values):
    """Add to `values`, for each layer with parameters, a portion of its penalties from before the step."""
    piece = 0
    for p in range(len(parameters)):
        squares = magnitudes = 0.0
        for _ in range(_pieces(parameters[p, f.SIZE])):
            squares += partials[piece, 0]
            magnitudes += partials[piece, 1]
            piece += 1
        # A strength of zero must not meet a sum that overflowed.
        value = strengths[p, f.L2] * squares if strengths[p, f.L2] > 0 else 0.0
        value += strengths[p, f.L1] * magnitudes if strengths[p, f.L1] > 0 else 0.0
        values[parameters[p, f.OWNER]] += portion * value


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
        place, by_input = settings[f.THETA] + parameter[f.PLACE], kind in (f.BY_INPUT, f.BY_INPUT_SMOOTH)
        norms = 0.0
        for group in range(_n_groups(parameter, by_input)):
            norms += sqrt(_group_square(memory, place, parameter, by_input, group))
        values[parameter[f.OWNER]] += lams[g] * norms


@part
def _n_groups(parameter, by_input):
    by_row = parameter[f.IS_MATRIX] and by_input != parameter[f.IS_TURNED_MATRIX]
    return parameter[f.ROWS] if by_row else parameter[f.COLUMNS]


@part
def _extent(parameter, by_input, group):
    """Return where a group begins in its parameter, how many values it has, and how far apart they lie."""
    if not parameter[f.IS_MATRIX]:
        return group, 1, 1
    if by_input != parameter[f.IS_TURNED_MATRIX]:
        return group * parameter[f.PADDED], parameter[f.COLUMNS], 1
    return group, parameter[f.ROWS], parameter[f.PADDED]


@part
def _group_square(memory, place, parameter, by_input, group):
    begin, size, stride = _extent(parameter, by_input, group)
    square = 0.0
    for i in range(size):
        value = np.float64(memory[place + begin + i * stride])
        square += value * value
    return square


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
    for group in range(_n_groups(parameter, by_input)):
        begin, size, stride = _extent(parameter, by_input, group)
        norm = sqrt(_group_square(memory, theta, parameter, by_input, group))
        factor = lam / norm if norm > 0 else 0.0
        for i in range(begin, begin + size * stride, stride):
            memory[gradient + i] += factor * memory[theta + i]


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
    if adds_gradient and rows >= columns:
        multiply(
            memory,
            theta,
            wide,
            1,
            room,
            wide,
            columns,
            gradient,
            wide,
            gradient,
            wide,
            rows,
            wide,
            spare,
            OPEN,
            0,
            -np.inf,
        )
    elif adds_gradient:
        multiply(
            memory,
            room,
            tall,
            1,
            theta,
            wide,
            rows,
            gradient,
            wide,
            gradient,
            wide,
            rows,
            wide,
            spare,
            OPEN,
            0,
            -np.inf,
        )
    return lam * value


@part
def squared_norm(memory, settings):
    """Return the square of the norm of the gradient."""
    square = 0.0
    for i in range(settings[f.GRADIENT], settings[f.GRADIENT] + settings[f.THETA_SIZE]):
        value = np.float64(memory[i])
        square += value * value
    return square


@part
def apply_groups(memory, settings, parameters, groups, lams):
    """Apply the proximal operators of penalties over groups, after the step, in the metric of its sizes."""
    for g in range(len(groups)):
        kind, parameter = groups[g, f.GROUP_KIND], parameters[groups[g, f.GROUP_PARAMETER]]
        if kind == f.MAX_NORM:
            _project(memory, settings, parameter, lams[g])
        elif kind in (f.BY_INPUT, f.BY_UNIT) and lams[g] > 0:
            _shrink_groups(memory, settings, parameter, kind == f.BY_INPUT, lams[g])


@part
def _root(memory, theta, sizes, begin, end, stride, p, by_step, q, radius):
    """Return the t >= 0 at which the norm of ``w / (a + b * t)`` falls to `radius`; see `taut.network.penalties._root`.

    With `by_step` the step size s of each value enters as ``a = p * s`` (and b = q), else as ``b = q * s`` (and a = p).
    """
    t = 0.0
    for i in range(begin, end, stride):
        step = np.float64(memory[sizes + i])
        a, b = (p * step, q) if by_step else (p, q * step)
        if b > 0:
            t = max(t, (abs(np.float64(memory[theta + i])) / radius - a) / b)
    for _ in range(_NEWTON_STEPS):
        norm, slope = 0.0, 0.0
        for i in range(begin, end, stride):
            step, w = np.float64(memory[sizes + i]), np.float64(memory[theta + i])
            a, b = (p * step, q) if by_step else (p, q * step)
            line = max(a + b * t, _SMALLEST)
            share = (w / line) * (w / line)
            norm += share
            slope += share * b / line
        following = max(t + norm * (sqrt(norm) / radius - 1.0) / (slope if slope > 0 else 1.0), 0.0)
        if following == t:
            break
        t = following
    return t


@part
def _shrink_groups(memory, settings, parameter, by_input, lam):
    theta, sizes = settings[f.THETA] + parameter[f.PLACE], settings[f.SIZES] + parameter[f.PLACE]
    for group in range(_n_groups(parameter, by_input)):
        begin, size, stride = _extent(parameter, by_input, group)
        end = begin + size * stride
        norm = _root(memory, theta, sizes, begin, end, stride, lam, True, 1.0, 1.0)
        for i in range(begin, end, stride):
            memory[theta + i] *= norm / max(norm + lam * memory[sizes + i], _SMALLEST)


@part
def _project(memory, settings, parameter, limit):
    theta, sizes = settings[f.THETA] + parameter[f.PLACE], settings[f.SIZES] + parameter[f.PLACE]
    summed = 0.0
    for row in range(parameter[f.ROWS]):
        for i in range(row * parameter[f.PADDED], row * parameter[f.PADDED] + parameter[f.COLUMNS]):
            summed += memory[sizes + i]
    # Scaling the steps scales the multiplier alone; by their mean, so that it is of order one.
    scale = parameter[f.ROWS] * parameter[f.COLUMNS] / summed if summed > 0 else 0.0
    for group in range(_n_groups(parameter, False)):
        begin, size, stride = _extent(parameter, False, group)
        end = begin + size * stride
        if summed <= 0:
            for i in range(begin, end, stride):
                memory[sizes + i] = 1
        multiplier = _root(memory, theta, sizes, begin, end, stride, 1.0, False, scale if summed > 0 else 1.0, limit)
        for i in range(begin, end, stride):
            step = memory[sizes + i] * (scale if summed > 0 else 1.0)
            memory[theta + i] /= 1.0 + multiplier * step
