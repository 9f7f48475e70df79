"""The run, compiled: the training loop of `taut.training.reference`, batch by batch and epoch by epoch.

A batch passes in tiles of rows that fit the near caches: forward, loss, backward, then the tile's part of the
gradients. After the last tile comes the update. Threads share the rows of a tile, then the weights, and wait for one
another in between; every sum is made by one thread in one order, so that the result does not depend on how many there
are.

A call makes some number of updates and returns, so that whoever called can look, stop, or go on: all that a run is made
of lies in its arrays. Floor 3 of the house.
"""

from __future__ import annotations

from math import isfinite, sqrt

import numpy as np

from taut.engine import fields as f
from taut.engine.averages import follow_epoch, follow_update
from taut.engine.draws import permutation
from taut.engine.dropconnect import drop_gradients, drop_weights
from taut.engine.groups import add_penalty_gradients, apply_groups, mixing_values
from taut.engine.layers import (
    add_weight_gradients,
    backward,
    forward,
    transpose_weights,
)
from taut.engine.losses import score
from taut.engine.parts import part
from taut.engine.products import ROW_BLOCK, copy, count, fill
from taut.engine.records import add_tallies, clear_metric, describe_weights, metric_of, watch
from taut.engine.rows import choose_rows, gather_rows
from taut.engine.threads import share, wait
from taut.engine.update import faded_of, penalty_values, rate_of, squared_norm, update
from taut.engine.vectors import flush_tiny, fma, load, restore_tiny, splat, store

__all__ = ["run"]


@part
def run(
    memory, settings, options, counters, sums, history, table, numbers, quiet_table, quiet_numbers, parameters,
    strengths, groups, lams, schedules, quantiles, centers, x, still_x, labels, dense, weights,
    subset, other_x, other_labels, other_dense, other_subset, order, keys, chosen, partners, shares, tallies, partials,
    sync, until_epoch, most_steps, thread,
):  # fmt: skip
    """Train until an epoch or for some updates; see `taut.engine.session` for the arrays."""
    threads, seed = settings[f.THREADS], np.uint64(settings[f.SEED])
    n, batch_size = settings[f.N_ROWS], settings[f.BATCH_SIZE]
    spare = settings[f.SPARE] + thread * settings[f.SPARE_SIZE]
    room = settings[f.BLOCK_ROOM] + thread * settings[f.BLOCK_ROOM_SIZE]
    total_steps = settings[f.TOTAL_EPOCHS] * ((n + batch_size - 1) // batch_size)
    steps, shuffles = 0, batch_size < n
    before = flush_tiny()
    wait(sync, threads)
    while counters[f.EPOCH] < until_epoch and counters[f.STATUS] == f.RUNNING and steps < most_steps:
        epoch, position, step = counters[f.EPOCH], counters[f.POSITION], counters[f.STEP]
        wait(sync, threads)
        if position == 0 and thread == 0:
            _begin_epoch(memory, settings, counters, sums, order, keys, seed, epoch, shuffles)
        wait(sync, threads)
        is_finite = True
        while position < n and steps < most_steps and is_finite:
            batch_rows = min(batch_size, n - position)
            faded = faded_of(step, total_steps)
            loss = _gradients(
                memory, settings, options, sums, table, numbers, quantiles, centers, x, labels, dense, weights, subset,
                order, chosen, partners, shares, tallies, sync, seed, epoch, position, batch_rows, faded, shuffles,
                room, spare, thread, True,
            )  # fmt: skip
            loss /= batch_rows
            is_finite = isfinite(loss)
            if is_finite and options[f.SAM] > 0:
                if thread == 0:
                    _ascend(memory, settings, options[f.SAM])
                wait(sync, threads)
                _gradients(
                    memory, settings, options, sums, table, numbers, quantiles, centers, x, labels, dense, weights,
                    subset, order, chosen, partners, shares, tallies, sync, seed, epoch, position, batch_rows, faded,
                    shuffles, room, spare, thread, False,
                )  # fmt: skip
                if thread == 0:
                    copy(memory, settings[f.HERE], settings[f.THETA], settings[f.STATE_SIZE])
            if is_finite:
                _step(
                    memory, settings, options, counters, sums, parameters, strengths, groups, lams, schedules, partials,
                    sync, step, total_steps, faded, batch_rows / n, thread,
                )  # fmt: skip
            if thread == 0:
                sums[f.DATA_LOSS] += loss * (batch_rows / n)
            position += batch_rows
            step += 1
            steps += 1
        wait(sync, threads)
        if thread == 0:
            counters[f.POSITION], counters[f.STEP] = position, step
        if position >= n or not is_finite:
            if thread == 0:
                _end_updates(memory, settings, options, counters, sums, is_finite, epoch)
            wait(sync, threads)
            if counters[f.STATUS] == f.RUNNING:
                _record(
                    memory, settings, options, counters, sums, history, quiet_table, quiet_numbers, parameters,
                    strengths, groups, lams, centers, still_x, labels, dense, weights, subset, other_x, other_labels,
                    other_dense, other_subset, chosen, tallies, partials, sync, room, spare, thread,
                )  # fmt: skip
        wait(sync, threads)
    restore_tiny(before)


@part
def _begin_epoch(memory, settings, counters, sums, order, keys, seed, epoch, shuffles):
    size, theta = settings[f.STATE_SIZE], settings[f.THETA]
    copy(memory, theta, settings[f.BEFORE], size)
    if counters[f.SHOWS_AVERAGE]:
        copy(memory, settings[f.LIVE], theta, size)
    counters[f.SHOWS_AVERAGE] = 0
    if shuffles:
        permutation(order, keys, seed, epoch)
    rate = sums[f.RATE]
    best = sums[f.BEST_VALUE]
    fill(sums, 0, len(sums), 0.0)
    sums[f.RATE], sums[f.FIRST_RATE], sums[f.BEST_VALUE] = rate, -1.0, best


@part
def _gradients(
    memory, settings, options, sums, table, numbers, quantiles, centers, x, labels, dense, weights, subset, order,
    chosen, partners, shares, tallies, sync, seed, epoch, position, batch_rows, faded, shuffles, room, spare, thread,
    is_recorded,
):  # fmt: skip
    """Compute the gradient of a batch's data loss, tile by tile; return the sum of the losses of its rows."""
    threads, tile, loss = settings[f.THREADS], settings[f.TILE_ROWS], 0.0
    drop_weights(memory, table, numbers, position, epoch, seed, thread, threads)
    transpose_weights(memory, table, thread, threads)
    wait(sync, threads)
    for offset in range(0, batch_rows, tile):
        rows = min(tile, batch_rows - offset)
        first, end = share(rows, max(count(memory), ROW_BLOCK), thread, threads)
        if first < end:
            place = position + offset + first
            choose_rows(
                options, seed, epoch, position, batch_rows, place, end - first, order, shuffles, subset, quantiles,
                chosen[first:], partners[first:], shares[first:],
            )  # fmt: skip
            gather_rows(
                memory, settings, table, x, chosen, partners, shares, first, end, seed, epoch, position + offset
            )
            forward(memory, table, numbers, settings, first, end - first, place, epoch, seed, faded, spare, True)
            score(
                memory, settings, options, first, end - first, batch_rows, labels, dense, weights, chosen, partners,
                shares, centers, tallies, room, settings[f.OUTPUT_TILE], options[f.SMOOTHING], True,
            )  # fmt: skip
            backward(memory, table, numbers, settings, first, end - first, spare)
        wait(sync, threads)
        loss += add_tallies(tallies, sums, settings, rows, count(memory), is_recorded and thread == 0)
        add_weight_gradients(memory, table, settings, rows, offset == 0, thread, threads, spare)
        wait(sync, threads)
    if settings[f.DROPS_WEIGHTS]:
        drop_gradients(memory, table, thread, threads)
        wait(sync, threads)
    return loss


@part
def _ascend(memory, settings, radius):
    """Go uphill by a radius, along the gradient; keep the state from before."""
    theta, gradient = settings[f.THETA], settings[f.GRADIENT]
    copy(memory, theta, settings[f.HERE], settings[f.STATE_SIZE])
    norm = sqrt(squared_norm(memory, settings))
    if norm > 0:
        pace = splat(memory, radius / norm)
        for i in range(0, settings[f.THETA_SIZE], count(memory)):
            store(memory, theta + i, fma(pace, load(memory, gradient + i), load(memory, theta + i)))


@part
def _step(
    memory, settings, options, counters, sums, parameters, strengths, groups, lams, schedules, partials, sync, step,
    total_steps, faded, portion, thread,
):  # fmt: skip
    """Make the update from the gradients that all threads have finished, and add up the penalties from before it."""
    threads, values = settings[f.THREADS], sums[f.OWNERS : f.OWNERS + settings[f.N_OWNERS]]
    rate = rate_of(schedules, options[f.LR], step, total_steps, sums[f.RATE] if step else options[f.LR])
    needs_first, factor, mixes = settings[f.NEEDS_GRADIENT_FIRST], 1.0, settings[f.HAS_MIXING]
    wait(sync, threads)
    if needs_first or mixes:
        if thread == 0:
            if mixes:
                values_now = sums[len(sums) - settings[f.N_OWNERS] :]
                fill(values_now, 0, len(values_now), 0.0)
                mixing_values(memory, settings, parameters, strengths, groups, lams, values_now)
                for owner in range(settings[f.N_OWNERS]):
                    values[owner] += portion * values_now[owner]
            if needs_first:
                add_penalty_gradients(memory, settings, parameters, strengths, groups, lams)
        wait(sync, threads)
        if options[f.CLIP_NORM] > 0:
            norm = sqrt(squared_norm(memory, settings))
            if norm > options[f.CLIP_NORM]:
                factor = options[f.CLIP_NORM] / norm
            wait(sync, threads)
    decay = options[f.WEIGHT_DECAY] * (faded if options[f.FADES_DECAY] else 1.0)
    update(
        memory, settings, options, parameters, strengths, rate, decay, step, factor, not needs_first, partials, thread,
        threads,
    )  # fmt: skip
    wait(sync, threads)
    apply_groups(memory, settings, parameters, groups, lams, sync, thread, threads)
    if thread == 0:
        penalty_values(parameters, strengths, partials, portion, values)
        sums[f.RATE] = rate
        if sums[f.FIRST_RATE] < 0:
            sums[f.FIRST_RATE] = rate
        follow_update(memory, settings, options, counters, step, total_steps)
    wait(sync, threads)


@part
def _end_updates(memory, settings, options, counters, sums, is_finite, epoch):
    """Check that all is finite, or put back the state from before the epoch; then show the average, if there is one."""
    theta, size = settings[f.THETA], settings[f.STATE_SIZE]
    penalty = 0.0
    for owner in range(settings[f.N_OWNERS]):
        penalty += sums[f.OWNERS + owner]
    is_finite = is_finite and isfinite(penalty)
    status = f.RUNNING if is_finite else f.NOT_FINITE_LOSS
    if is_finite:
        for i in range(theta, theta + size):
            if not isfinite(memory[i]):
                status = f.NOT_FINITE_WEIGHTS
    counters[f.STATUS] = status
    if status != f.RUNNING:
        copy(memory, settings[f.BEFORE], theta, size)
        return
    follow_epoch(memory, settings, options, counters, epoch)


@part
def _evaluate(
    memory, settings, options, table, numbers, x, labels, dense, weights, subset, n, centers, chosen, tallies, sums,
    sync, room, spare, thread,
):  # fmt: skip
    """Return the mean loss over some data with all noise off; leave what its metric needs in `sums`."""
    threads, tile, loss = settings[f.THREADS], settings[f.TILE_ROWS], 0.0
    nobody, nothing = chosen[:0], sums[:0]
    for position in range(0, n, tile):
        rows = min(tile, n - position)
        first, end = share(rows, max(count(memory), ROW_BLOCK), thread, threads)
        if first < end:
            for i in range(first, end):
                chosen[i] = subset[position + i] if len(subset) else position + i
            seed = np.uint64(0)
            gather_rows(memory, settings, table, x, chosen, nobody, nothing, first, end, seed, 0, 0)
            forward(memory, table, numbers, settings, first, end - first, 0, 0, seed, 1.0, spare, False)
            score(
                memory, settings, options, first, end - first, rows, labels, dense, weights, chosen, nobody, nothing,
                centers, tallies, room, settings[f.QUIET_OUTPUT_TILE], 0.0, False,
            )  # fmt: skip
        wait(sync, threads)
        loss += add_tallies(tallies, sums, settings, rows, count(memory), thread == 0)
        wait(sync, threads)
    return loss / n


@part
def _record(
    memory, settings, options, counters, sums, history, table, numbers, parameters, strengths, groups, lams, centers, x,
    labels, dense, weights, subset, other_x, other_labels, other_dense, other_subset, chosen, tallies, partials, sync,
    room, spare, thread,
):  # fmt: skip
    """Write the epoch's row of the history, and decide whether to stop early."""
    threads, row = settings[f.THREADS], history[counters[f.RECORDED]]
    owners = sums[f.OWNERS : f.OWNERS + settings[f.N_OWNERS]]
    if thread == 0:
        row[f.H_LOSS], row[f.H_METRIC], row[f.H_RATE] = sums[f.DATA_LOSS], metric_of(sums, settings), sums[f.FIRST_RATE]
        for owner in range(len(owners)):
            row[f.H_OWNERS + 3 * owner] = owners[owner]
    if settings[f.EVALUATES_TRAINING] or settings[f.N_VALIDATION]:
        transpose_weights(memory, table, thread, threads)
    wait(sync, threads)
    if settings[f.EVALUATES_TRAINING]:
        loss = _evaluate(
            memory, settings, options, table, numbers, x, labels, dense, weights, subset, settings[f.N_ROWS], centers,
            chosen, tallies, sums, sync, room, spare, thread,
        )  # fmt: skip
        if thread == 0:
            row[f.H_EVALUATION] = loss
    if settings[f.N_VALIDATION]:
        wait(sync, threads)
        if thread == 0:
            clear_metric(sums, settings)
        wait(sync, threads)
        loss = _evaluate(
            memory, settings, options, table, numbers, other_x, other_labels, other_dense, weights[:0],
            other_subset, settings[f.N_VALIDATION], centers, chosen, tallies, sums, sync, room, spare, thread,
        )  # fmt: skip
        if thread == 0:
            row[f.H_VALIDATION], row[f.H_VALIDATION_METRIC] = loss, metric_of(sums, settings)
    wait(sync, threads)
    if thread == 0:
        describe_weights(memory, settings, sums, parameters, strengths, groups, lams, row)
        watch(memory, settings, options, counters, sums, row)
        counters[f.EPOCH] += 1
        counters[f.POSITION] = 0
        counters[f.RECORDED] += 1
