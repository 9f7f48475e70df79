"""Groups, compiled: penalties that look at a whole matrix of weights, before or after the optimizer's step.

Group L1 and max-norm by their proximal operators, in the metric of the step; group L1 by its subgradient and
orthogonality by their gradients. They cost little beside the products and are rarely asked for, so their loops are
plain ones, in double precision as in `taut.network.penalties`, where the formulas are. Floor 3 of the house.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from taut.engine import fields as f
from taut.engine.parts import part
from taut.engine.products import OPEN, fill, multiply, transpose

__all__ = ["add_penalty_gradients", "apply_groups", "mixing_values"]

# As in `taut.network.penalties._root`.
_NEWTON_STEPS, _SMALLEST = 16, 1e-100


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
    if adds_gradient:
        left, left_row, right, depth = (theta, wide, room, columns) if rows >= columns else (room, tall, theta, rows)
        multiply(
            memory, left, left_row, 1, right, wide, depth, gradient, wide, gradient, wide, rows, wide, spare, OPEN, 0,
            -np.inf,
        )  # fmt: skip
    return lam * value


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
