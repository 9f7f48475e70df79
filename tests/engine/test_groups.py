"""Groups, compiled: one proximal step by the engine and by the penalty itself, on groups of every shape."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numba import njit

from taut import Dense, GroupL1, MaxNorm, Network
from taut.engine import fields as f
from taut.engine import groups
from taut.engine.program import Program
from taut.engine.threads import CALLED_OFF, SYNC_SIZE
from taut.engine.vectors import lanes

PENALTIES = {
    "inputs": GroupL1(0.3),
    "units": GroupL1(0.3, by="unit"),
    "max-norm": MaxNorm(0.7),
}

# (inputs, units): a part of a vector, whole ones, several and a bit, and few units, whose weights lie transposed.
SHAPES = [(1, 1), (3, 5), (7, 64), (16, 16), (30, 64), (33, 17), (50, 1), (45, 3), (129, 40)]

#: What no number may differ by, as a share of the largest in its group.
TOLERANCES = {"float32": 3e-6, "float64": 1e-13}


@njit(error_model="numpy")
def apply_groups(memory, settings, parameters, of, lams, sync, thread, threads):
    groups.apply_groups(memory, settings, parameters, of, lams, sync, thread, threads)


def step_sizes(kind, shape, random):
    return {
        "even": lambda: np.full(shape, 0.4),
        "uneven": lambda: random.uniform(0.1, 1.0, shape),
        "wild": lambda: 10.0 ** random.uniform(-6, 1, shape),
        "with zeros": lambda: random.uniform(0.1, 1.0, shape) * (random.random(shape) < 0.5),
        "zero": lambda: np.zeros(shape),
    }[kind]()


def of_every_length(shape, by_input, random):
    """Return weights whose groups reach from nothing to many times what their penalty allows."""
    lengths = np.geomspace(1e-3, 1e2, shape[0 if by_input else 1])
    lengths[len(lengths) // 2] = 0.0 if len(lengths) > 1 else 5.0
    return random.normal(size=shape) * (lengths[:, None] if by_input else lengths)


def one_step(penalty, w, sizes, dtype, optimizer, threads=1):
    """Return the weights after a proximal step in the engine; raise if it writes to any other number of the state."""
    network = Network([Dense(w.shape[1], penalty)])
    network.build(len(w), dtype=dtype)
    program = Program(
        network, lanes=lanes(dtype), batch_size=8, threads=threads, averages=False, keeps_best=False, ascends=False,
        strip=64, tile_bytes=1 << 12,
    )  # fmt: skip
    memory, settings = np.zeros(program.size, dtype=dtype), np.zeros(f.SETTINGS, dtype=np.int64)
    for name, value in program.places.items():
        settings[name] = value
    settings[f.OPTIMIZER] = optimizer
    theta, span = settings[f.THETA], program.spans[0]
    memory[theta : theta + settings[f.THETA_SIZE]] = 7.0  # biases and what lies behind them
    memory[theta : theta + program.parameters[0, f.SIZE]] = 0.0
    memory[settings[f.SIZES] : settings[f.SIZES] + settings[f.THETA_SIZE]] = 3.0
    span.of(memory, int(theta))[:], span.of(memory, int(settings[f.SIZES]))[:] = w, sizes
    before = memory.copy()
    sync = np.zeros(SYNC_SIZE, dtype=np.int64)
    sync[CALLED_OFF] = 1  # the threads come one after the other
    for thread in reversed(range(threads)):
        apply_groups(memory, settings, program.parameters, program.groups, program.lams, sync, thread, threads)
    found = span.of(memory, int(theta)).copy()
    span.of(memory, int(theta))[:] = w
    unchanged = slice(0, int(settings[f.GROUP_ROOM]))
    np.testing.assert_array_equal(memory[unchanged], before[unchanged])
    return found


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize(
    ("name", "kind"),
    # Where some steps are zero and a weight is above the limit, there may be no projection.
    [
        pair
        for pair in itertools.product(PENALTIES, ("even", "uneven", "wild", "with zeros", "zero"))
        if pair != ("max-norm", "with zeros")
    ],
)
def test_a_step_is_that_of_the_penalty(name, kind, dtype):
    penalty, random = PENALTIES[name], np.random.default_rng(0)
    optimizers = (f.ADAM, f.SGD) if kind in ("even", "zero") else (f.ADAM,)
    for shape, optimizer in itertools.product(SHAPES, optimizers):
        w = of_every_length(shape, name == "inputs", random).astype(dtype)
        sizes = step_sizes(kind, shape, random).astype(dtype)
        expected = penalty.prox(w.astype(np.float64), sizes.astype(np.float64))
        found = one_step(penalty, w, sizes, dtype, optimizer)
        largest = np.abs(w).max(axis=1 if name == "inputs" else 0, keepdims=True)  # each group by its own measure
        assert (np.abs(found - expected) <= TOLERANCES[dtype] * largest).all(), shape
        assert ((found == 0) == (expected == 0)).all(), shape


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", PENALTIES)
def test_threads_share_a_step_and_change_no_bit_of_it(name, dtype):
    random = np.random.default_rng(1)
    for shape in SHAPES:
        w = of_every_length(shape, name == "inputs", random).astype(dtype)
        sizes = random.uniform(0.1, 1.0, shape).astype(dtype)
        alone, shared = (one_step(PENALTIES[name], w, sizes, dtype, f.ADAM, threads) for threads in (1, 3))
        np.testing.assert_array_equal(alone, shared)


def test_numbers_near_the_ends_of_float32_stay_numbers():
    """Steps of next to nothing, and weights far beyond a penalty's reach."""
    w = np.full((30, 64), 1e17, dtype=np.float32)
    w[::2] = 1e-30
    sizes = np.full(w.shape, 1e-25, dtype=np.float32)
    sizes[:, ::2] = 0.01
    for penalty in PENALTIES.values():
        assert np.isfinite(one_step(penalty, w, sizes, "float32", f.ADAM)).all()
