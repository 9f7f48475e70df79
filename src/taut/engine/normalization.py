"""Normalization, compiled: layers that add up a row or a column, and divide by what comes out.

The formulas are those of `taut.network.normalization`, and of the softmax of `taut.network.activations`. Sums along a
row are made in whole vectors, in which padding must not count. Floor 3 of the house.
"""

from __future__ import annotations

from math import sqrt

from taut.engine import fields as f
from taut.engine.arithmetic import exp
from taut.engine.parts import part
from taut.engine.products import count
from taut.engine.vectors import fma, load, splat, square_root, store, total

__all__ = ["batch_norm", "batch_norm_backward", "layer_norm", "layer_norm_backward", "softmax", "softmax_backward"]


@part
def layer_norm(memory, row, epsilon, x, y, first, rows):
    """Standardize each row, then scale and shift it; keep what is standardized for `layer_norm_backward`."""
    step, wide, units = count(memory), row[f.PAD_OUT], row[f.N_OUT]
    for i in range(rows):
        source, target, kept = x + i * wide, y + i * wide, row[f.KEPT] + (first + i) * wide
        summed = squares = splat(memory, 0)
        for column in range(0, wide, step):
            summed += load(memory, source + column)
        mean = splat(memory, total(summed) / units)
        for column in range(0, wide, step):
            centered = (load(memory, source + column) - mean) * load(memory, row[f.UNITS] + column)
            squares = fma(centered, centered, squares)
        scale = 1.0 / sqrt(total(squares) / units + epsilon)
        memory[row[f.SCALES] + first + i] = scale
        for column in range(0, wide, step):
            centered = (load(memory, source + column) - mean) * load(memory, row[f.UNITS] + column)
            normalized = centered * splat(memory, scale)
            store(memory, kept + column, normalized)
            weight, shift = load(memory, row[f.WEIGHTS] + column), load(memory, row[f.BIASES] + column)
            store(memory, target + column, fma(weight, normalized, shift))


@part
def layer_norm_backward(memory, row, dx, dy, first, rows):
    """Write the derivatives by the inputs of layer normalization."""
    step, wide, units = count(memory), row[f.PAD_OUT], row[f.N_OUT]
    for i in range(rows):
        source, target, kept = dy + i * wide, dx + i * wide, row[f.KEPT] + (first + i) * wide
        summed = products = splat(memory, 0)
        for column in range(0, wide, step):
            g = load(memory, source + column) * load(memory, row[f.WEIGHTS] + column)
            summed += g
            products = fma(g, load(memory, kept + column), products)
        mean, slope = splat(memory, total(summed) / units), splat(memory, total(products) / units)
        scale = splat(memory, memory[row[f.SCALES] + first + i])
        for column in range(0, wide, step):
            g = load(memory, source + column) * load(memory, row[f.WEIGHTS] + column)
            change = (g - mean - load(memory, kept + column) * slope) * scale
            store(memory, target + column, change * load(memory, row[f.UNITS] + column))


@part
def batch_norm(memory, row, numbers, x, y, rows, is_training):
    """Standardize each column by the batch, or, not in training, by what was gathered; then scale and shift it."""
    wide = row[f.PAD_OUT]
    momentum, epsilon = splat(memory, numbers[f.FIRST]), splat(memory, numbers[f.SECOND])
    one, inverse = splat(memory, 1), splat(memory, 1.0 / rows)
    unbiased = splat(memory, rows / max(rows - 1, 1))
    for column in range(0, wide, count(memory)):
        running_mean = row[f.STATISTICS] + column
        running_variance = running_mean + wide
        mean, variance = load(memory, running_mean), load(memory, running_variance)
        if is_training:
            summed = squares = splat(memory, 0)
            for i in range(rows):
                summed += load(memory, x + i * wide + column)
            batch_mean = summed * inverse
            for i in range(rows):
                centered = load(memory, x + i * wide + column) - batch_mean
                squares = fma(centered, centered, squares)
            batch_variance = squares * inverse
            store(memory, running_mean, (one - momentum) * mean + momentum * batch_mean)
            store(memory, running_variance, (one - momentum) * variance + momentum * (batch_variance * unbiased))
            mean, variance = batch_mean, batch_variance
        scale = one / square_root(variance + epsilon)
        store(memory, row[f.SCALES] + column, scale)
        weight, shift = load(memory, row[f.WEIGHTS] + column), load(memory, row[f.BIASES] + column)
        for i in range(rows):
            normalized = (load(memory, x + i * wide + column) - mean) * scale
            if is_training:
                store(memory, row[f.KEPT] + i * wide + column, normalized)
            store(memory, y + i * wide + column, fma(weight, normalized, shift))


@part
def batch_norm_backward(memory, row, dx, dy, rows):
    """Write the derivatives by the inputs of batch normalization."""
    wide = row[f.PAD_OUT]
    inverse = splat(memory, 1.0 / rows)
    for column in range(0, wide, count(memory)):
        summed = products = splat(memory, 0)
        for i in range(rows):
            g = load(memory, dy + i * wide + column)
            summed += g
            products = fma(g, load(memory, row[f.KEPT] + i * wide + column), products)
        mean, slope = summed * inverse, products * inverse
        scale = load(memory, row[f.SCALES] + column) * load(memory, row[f.WEIGHTS] + column)
        for i in range(rows):
            place = i * wide + column
            change = load(memory, dy + place) - mean - load(memory, row[f.KEPT] + place) * slope
            store(memory, dx + place, change * scale)


@part
def softmax(memory, row, x, y, rows):
    """Write probabilities: exponentials, each divided by the sum of its row."""
    step, wide, units = count(memory), row[f.PAD_OUT], row[f.N_OUT]
    for i in range(rows):
        source, target = x + i * wide, y + i * wide
        largest = memory[source]
        for column in range(1, units):
            largest = max(largest, memory[source + column])
        summed = splat(memory, 0)
        for column in range(0, wide, step):
            e = exp(load(memory, source + column) - splat(memory, largest)) * load(memory, row[f.UNITS] + column)
            store(memory, target + column, e)
            summed += e
        divisor = splat(memory, total(summed))
        for column in range(0, wide, step):
            store(memory, target + column, load(memory, target + column) / divisor)


@part
def softmax_backward(memory, row, y, dx, dy, rows):
    """Write the derivatives by the inputs of softmax."""
    step, wide = count(memory), row[f.PAD_OUT]
    for i in range(rows):
        summed = splat(memory, 0)
        for column in range(i * wide, (i + 1) * wide, step):
            summed = fma(load(memory, y + column), load(memory, dy + column), summed)
        mean = splat(memory, total(summed))
        for column in range(i * wide, (i + 1) * wide, step):
            store(memory, dx + column, load(memory, y + column) * (load(memory, dy + column) - mean))
