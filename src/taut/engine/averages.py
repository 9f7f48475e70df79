"""Averages of weights, compiled: what enters the running mean, and when the network shows it.

Formulas are those of `taut.network.averages`, the order of things is that of `taut.training.averaging`. Floor 3 of the
house.
"""

from __future__ import annotations

from taut.engine import fields as f
from taut.engine.parts import part
from taut.engine.products import copy, count
from taut.engine.vectors import load, splat, store

__all__ = ["follow_epoch", "follow_update"]


@part
def follow_update(memory, settings, options, counters, step, total_steps):
    """Take the state after an update into the running mean, if the average does that."""
    if settings[f.AVERAGE_KIND] == f.EMA:
        counters[f.AVERAGED] += 1
        mean, theta, decay = settings[f.MEAN], settings[f.THETA], options[f.AVERAGE_DECAY]
        kept, added = splat(memory, decay), splat(memory, 1.0 - decay)
        for i in range(0, settings[f.STATE_SIZE], count(memory)):
            store(memory, mean + i, kept * load(memory, mean + i) + added * load(memory, theta + i))
    elif settings[f.AVERAGE_KIND] == f.SNAPSHOTS and _ends_cycle(settings, step, total_steps):
        _fold(memory, settings, counters)


@part
def follow_epoch(memory, settings, options, counters, epoch):
    """Take the state after an epoch into the running mean, if the average does that; then show the mean of now."""
    kind, size, theta, mean = settings[f.AVERAGE_KIND], settings[f.STATE_SIZE], settings[f.THETA], settings[f.MEAN]
    if kind == f.SWA and epoch >= settings[f.AVERAGE_FROM]:
        _fold(memory, settings, counters)
    if kind != f.NO_AVERAGE and counters[f.AVERAGED] > 0:
        copy(memory, theta, settings[f.LIVE], size)
        scale = 1.0
        if kind == f.EMA:
            scale = 1.0 / (1.0 - options[f.AVERAGE_DECAY] ** counters[f.AVERAGED])
        for i in range(0, size, count(memory)):
            store(memory, theta + i, load(memory, mean + i) * splat(memory, scale))
        counters[f.SHOWS_AVERAGE] = 1


@part
def _fold(memory, settings, counters):
    """Take the state into the plain mean."""
    counters[f.AVERAGED] += 1
    mean, theta, share = settings[f.MEAN], settings[f.THETA], splat(memory, 1.0 / counters[f.AVERAGED])
    for i in range(0, settings[f.STATE_SIZE], count(memory)):
        old = load(memory, mean + i)
        store(memory, mean + i, old + (load(memory, theta + i) - old) * share)


@part
def _ends_cycle(settings, step, total_steps):
    """Return whether an update is the last of a cycle whose end is averaged."""
    rise, cycles = settings[f.SNAPSHOT_RISE], settings[f.SNAPSHOT_CYCLES]
    done, planned = step + 1 - rise, max(total_steps - rise, 1)
    ended = done * cycles // planned
    return done > 0 and ended > (done - 1) * cycles // planned and ended > settings[f.AVERAGE_FROM]
