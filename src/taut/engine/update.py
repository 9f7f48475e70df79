"""Updates, compiled: penalties, optimizers and proximal steps over the flat vector of parameters.

What acts on each value by itself is done in one pass that reads a parameter once: its part of the penalty, the
gradient of the smooth penalties, the optimizer's rule, soft thresholding, the projection to zero and above. What looks
at a whole matrix is in `groups`. Formulas are those of `taut.network.penalties` and
`taut.network.optimizers`. Floor 3 of the house.
"""

from __future__ import annotations

from math import cos, log2, pi

import numpy as np

from taut.engine import fields as f
from taut.engine.parts import part
from taut.engine.products import count
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

__all__ = ["BLOCK", "faded_of", "penalty_values", "rate_of", "squared_norm", "update"]

#: Numbers in a piece of work that one thread does; sums are made piece by piece, so that they do not depend on threads.
BLOCK = 4096


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
        elif kind == f.COSINE_RESTARTS:
            done = np.int64(first) * step % total_steps / total_steps if step < total_steps else 1.0
            return lr * 0.5 * (1.0 + cos(pi * done))
        elif kind == f.COSINE_LOG:
            passed = log2(1.0 + (2.0**first - 1.0) * min(step / total_steps, 1.0))
            return lr * 0.5 * (1.0 - cos(2.0 * pi * passed))
        else:
            return lr * (first + (1.0 - first) * 0.5 * (1.0 + cos(pi * min(step / total_steps, 1.0))))
    return lr


@part
def faded_of(step, total_steps):
    """Return the share that noise and decay have at a step if they fade; see `taut.network.schedules.fade`."""
    return 0.5 * (1.0 + cos(pi * max(2.0 * min(step / total_steps, 1.0) - 1.0, 0.0)))


@part
def _pieces(size):
    return (size + BLOCK - 1) // BLOCK


@part
def update(
    memory, settings, options, parameters, strengths, rate, decay, step, factor, adds_penalties, partials, thread,
    threads,
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
                    memory, settings, options, parameters[p, f.PLACE] + begin, end - begin, strengths[p], rate, decay,
                    step, factor, adds_penalties, partials[piece],
                )  # fmt: skip
            piece += 1


@part
def _update_piece(
    memory, settings, options, begin, size, strengths, rate, decay, step, factor, adds_penalties, partial
):  # fmt: skip
    kind, wide = settings[f.OPTIMIZER], count(memory)
    theta, gradient = settings[f.THETA] + begin, settings[f.GRADIENT] + begin
    momentum, squares, sizes = settings[f.MOMENTUM] + begin, settings[f.SQUARES] + begin, settings[f.SIZES]
    zero, one, plain, epsilon = (
        splat(memory, 0),
        splat(memory, 1),
        splat(memory, rate * strengths[f.RATE_FACTOR]),
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
    shrink, shrinks = splat(memory, 1.0 - rate * decay), decay > 0
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
def squared_norm(memory, settings):
    """Return the square of the norm of the gradient."""
    square = 0.0
    for i in range(settings[f.GRADIENT], settings[f.GRADIENT] + settings[f.THETA_SIZE]):
        value = np.float64(memory[i])
        square += value * value
    return square
