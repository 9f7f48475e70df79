"""Threads: how several of them run one program in step.

All threads of a run execute the same compiled function; each takes its share of a piece of work and then waits for the
others. Waiting is counting: the last to arrive opens the gate. Floor 3 of the house.
"""

from __future__ import annotations

import os

from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic

from taut.engine.parts import part
from taut.engine.vectors import IS_X86, pointer

__all__ = ["CALLED_OFF", "SYNC_SIZE", "share", "wait"]

#: Whole numbers that `wait` needs, zero at the start; those in use lie in cache lines of their own. Where not all
#: threads came to be, whoever notices writes a one to the place that is called off, and nobody waits any more.
SYNC_SIZE, CALLED_OFF = 48, 32
_ARRIVED, _ROUND = 0, 16

# Looks at the gate, some microseconds of them, before a thread gives way to others.
_PATIENCE = 2000


@intrinsic
def _add(typing_context, array, place, number):
    """Add to an element of an array, visibly to all threads at once; return what it was."""

    def generate(context, builder, signature, arguments):
        address = pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        return builder.atomic_rmw("add", address, arguments[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), generate


@intrinsic
def _read(typing_context, array, place):
    """Read an element of an array that other threads write."""

    def generate(context, builder, signature, arguments):
        address = pointer(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(address, "seq_cst", 8)

    return types.int64(array, types.intp), generate


@intrinsic
def _pause(typing_context):
    """Tell the processor that this thread waits in a loop, where there is a word for that."""

    def generate(context, builder, signature, arguments):
        if IS_X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), kind), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _give_way(typing_context):
    """Let another thread have this core, where the system has a word for that."""

    def generate(context, builder, signature, arguments):
        if os.name == "posix":
            name = "sched_yield"
            kind = ir.FunctionType(ir.IntType(32), [])
            builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), generate


@part
def wait(sync, threads):
    """Return when all threads have called this."""
    if threads == 1:
        return
    before = _read(sync, _ROUND)
    if _add(sync, _ARRIVED, 1) == threads - 1:
        _add(sync, _ARRIVED, -threads)
        _add(sync, _ROUND, 1)
        return
    looks = 0
    while _read(sync, _ROUND) == before and _read(sync, CALLED_OFF) == 0:
        looks += 1
        if looks < _PATIENCE:
            _pause()
        else:  # the others may be waiting for this core
            _give_way()


@part
def share(size, block, thread, threads):
    """Return the part of `size` things, in whole blocks, that a thread works on: first, and one past the last."""
    blocks = (size + block - 1) // block
    first, end = blocks * thread // threads * block, blocks * (thread + 1) // threads * block
    return min(first, size), min(end, size)
