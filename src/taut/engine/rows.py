"""Rows, compiled: which rows of the data stand in a tile, and what each is mixed with.

Floor 3 of the house; the order of rows and the shares of mixing are those of `taut.training`.
"""

from __future__ import annotations

from taut.engine import fields as f
from taut.engine.draws import take_cells, word
from taut.engine.parts import part
from taut.engine.products import count
from taut.engine.vectors import load, splat, store
from taut.random import Purpose

__all__ = ["choose_rows", "gather_rows"]

_MIXUP = int(Purpose.MIXUP)


@part
def choose_rows(
    options, seed, epoch, position, batch_rows, place, rows, order, shuffles, subset, quantiles, chosen, partners,
    shares,
):  # fmt: skip
    """Write which rows of the data the rows of a tile are, and what each is mixed with."""
    for i in range(rows):
        chosen[i] = order[place + i] if shuffles else place + i
    if len(shares):
        for i in range(rows):
            partner = position + ((word(seed, _MIXUP, 0, epoch, place + i) * batch_rows) >> 32)
            partners[i] = order[partner] if shuffles else partner
            at = word(seed, _MIXUP, 1, epoch, place + i) * ((len(quantiles) - 1) / 4294967296.0)
            below = int(at)
            shares[i] = quantiles[below] + (at - below) * (quantiles[below + 1] - quantiles[below])
    if len(subset):
        for i in range(rows):
            chosen[i] = subset[chosen[i]]
        for i in range(min(len(partners), rows)):
            partners[i] = subset[partners[i]]


@part
def gather_rows(memory, settings, table, x, chosen, partners, shares, first, end, seed, epoch, place):
    """Copy rows of the data, or what they are mixed to, into the tile of inputs, which is at a place in its epoch."""
    n_in, wide, step = table[0, f.N_IN], table[0, f.PAD_IN], count(memory)
    for i in range(first, end):
        target, source = settings[f.INPUT_TILE] + i * wide, chosen[i] * n_in
        whole = n_in - n_in % step
        for column in range(0, whole, step):
            store(memory, target + column, load(x, source + column))
        if 0 < whole < n_in:  # the last vector begins where it still fits
            store(memory, target + n_in - step, load(x, source + n_in - step))
        elif whole < n_in:
            for column in range(n_in):
                memory[target + column] = x[source + column]
        if len(shares) and settings[f.MIXES_BY_CELL]:
            take_cells(memory, target, x, partners[i] * n_in, n_in, shares[i], seed, epoch, place + i)
        elif len(shares):
            own, other, partner = splat(memory, shares[i]), splat(memory, 1.0 - shares[i]), partners[i] * n_in
            for column in range(0, whole, step):
                mixed = own * load(memory, target + column) + other * load(x, partner + column)
                store(memory, target + column, mixed)
            for column in range(whole, n_in):
                mixed = shares[i] * memory[target + column] + (1.0 - shares[i]) * x[partner + column]
                memory[target + column] = mixed
