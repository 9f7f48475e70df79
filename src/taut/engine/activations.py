"""Activations, compiled: what happens to each number by itself.

The formulas are those of `taut.network.activations`. Floor 3 of the house.
"""

from __future__ import annotations

from math import sqrt, tau

from taut.engine import fields as f
from taut.engine.arithmetic import exp, expm1, normal_distribution, sigmoid, softplus, tanh
from taut.engine.parts import part
from taut.engine.products import copy, count
from taut.engine.vectors import load, maximum, splat, store, where_greater

__all__ = ["activate", "differentiate"]

_DENSITY_AT_ZERO = 1.0 / sqrt(tau)


@part
def activate(memory, kind, numbers, x, y, size):
    """Apply an activation to numbers that lie side by side."""
    step = count(memory)
    zero = splat(memory, 0)
    a, b = splat(memory, numbers[f.FIRST]), splat(memory, numbers[f.SECOND])
    if kind == f.IDENTITY and y != x:
        copy(memory, x, y, size)
    elif kind == f.RELU:
        for i in range(0, size, step):
            store(memory, y + i, maximum(load(memory, x + i), zero))
    elif kind == f.LEAKY_RELU:
        for i in range(0, size, step):
            z = load(memory, x + i)
            store(memory, y + i, where_greater(z, zero, z, a * z))
    elif kind == f.EXPONENTIAL_UNIT:
        for i in range(0, size, step):
            z = load(memory, x + i)
            store(memory, y + i, where_greater(z, zero, a * z, b * expm1(where_greater(z, zero, zero, z))))
    elif kind == f.GELU:
        for i in range(0, size, step):
            z = load(memory, x + i)
            store(memory, y + i, z * normal_distribution(z))
    elif kind == f.SILU:
        for i in range(0, size, step):
            z = load(memory, x + i)
            store(memory, y + i, z * sigmoid(z))
    elif kind == f.MISH:
        for i in range(0, size, step):
            z = load(memory, x + i)
            store(memory, y + i, z * tanh(softplus(z)))
    elif kind == f.SIGMOID:
        for i in range(0, size, step):
            store(memory, y + i, sigmoid(load(memory, x + i)))
    elif kind == f.TANH:
        for i in range(0, size, step):
            store(memory, y + i, tanh(load(memory, x + i)))


@part
def differentiate(memory, kind, numbers, x, y, dx, dy, size):
    """Multiply derivatives by that of an activation; see `taut.network.activations` for the formulas."""
    step = count(memory)
    zero, one = splat(memory, 0), splat(memory, 1)
    a, b = splat(memory, numbers[f.FIRST]), splat(memory, numbers[f.SECOND])
    if kind == f.IDENTITY and dx != dy:
        copy(memory, dy, dx, size)
    elif kind == f.RELU:
        for i in range(0, size, step):
            store(memory, dx + i, where_greater(load(memory, y + i), zero, load(memory, dy + i), zero))
    elif kind == f.LEAKY_RELU:
        for i in range(0, size, step):
            g = load(memory, dy + i)
            store(memory, dx + i, where_greater(load(memory, y + i), zero, g, a * g))
    elif kind == f.EXPONENTIAL_UNIT:
        for i in range(0, size, step):
            out = load(memory, y + i)
            store(memory, dx + i, load(memory, dy + i) * where_greater(out, zero, a, out + b))
    elif kind == f.GELU:
        for i in range(0, size, step):
            z = load(memory, x + i)
            density = exp(splat(memory, -0.5) * z * z) * splat(memory, _DENSITY_AT_ZERO)
            store(memory, dx + i, load(memory, dy + i) * (normal_distribution(z) + z * density))
    elif kind == f.SILU:
        for i in range(0, size, step):
            s = sigmoid(load(memory, x + i))
            store(memory, dx + i, load(memory, dy + i) * (s + load(memory, y + i) * (one - s)))
    elif kind == f.MISH:
        for i in range(0, size, step):
            z = load(memory, x + i)
            t = tanh(softplus(z))
            store(memory, dx + i, load(memory, dy + i) * (t + z * (one - t * t) * sigmoid(z)))
    elif kind == f.SIGMOID:
        for i in range(0, size, step):
            out = load(memory, y + i)
            store(memory, dx + i, load(memory, dy + i) * (out * (one - out)))
    elif kind == f.TANH:
        for i in range(0, size, step):
            out = load(memory, y + i)
            store(memory, dx + i, load(memory, dy + i) * (one - out * out))
