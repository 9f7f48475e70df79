"""DropConnect, compiled: which weights an update leaves in, and that only those have a gradient.

A layer with DropConnect reads its weights, in training, from a place of their own, where each update writes those that
it leaves in; so no other function knows of it. Formulas are those of `taut.network.layers.Dense`. Floor 3 of the house.
"""

from __future__ import annotations

from taut.engine import fields as f
from taut.engine.draws import masks
from taut.engine.layers import multiply_elements
from taut.engine.parts import part
from taut.engine.products import transpose
from taut.random import Purpose

__all__ = ["drop_gradients", "drop_weights"]

_DROPCONNECT = int(Purpose.DROPCONNECT)


@part
def drop_weights(memory, table, numbers, position, epoch, seed, thread, threads):
    """Draw which weights an update at a position of its epoch leaves, where there is DropConnect, and write those.

    Each thread works for the same layers as in `transpose_weights`.
    """
    for layer in range(thread, len(table), threads):
        row = table[layer]
        if row[f.WEIGHT_MASK] >= 0:
            keep, n_in, n_out, mask = 1.0 - numbers[layer, f.FIRST], row[f.N_IN], row[f.N_OUT], row[f.WEIGHT_MASK]
            drawn = row[f.MASK_ROOM] if row[f.IS_TURNED] else mask
            # The weights of a position are a row of numbers: that many rows of the matrix lie before them.
            first = position * n_in
            masks(memory, drawn, n_in, n_out, row[f.PAD_OUT], keep, _DROPCONNECT, seed, row[f.ITEM], epoch, first)
            if row[f.IS_TURNED]:
                transpose(memory, drawn, row[f.PAD_OUT], n_in, n_out, mask, row[f.PAD_IN])
            multiply_elements(memory, row[f.SOURCE], mask, row[f.WEIGHTS], _weights_size(row))


@part
def drop_gradients(memory, table, thread, threads):
    """Leave the gradients of the weights that `drop_weights` left, each thread those of its layers."""
    for layer in range(thread, len(table), threads):
        row = table[layer]
        if row[f.WEIGHT_MASK] >= 0:
            multiply_elements(memory, row[f.D_WEIGHTS], row[f.WEIGHT_MASK], row[f.D_WEIGHTS], _weights_size(row))


@part
def _weights_size(row):
    return row[f.N_OUT] * row[f.PAD_IN] if row[f.IS_TURNED] else row[f.N_IN] * row[f.PAD_OUT]
