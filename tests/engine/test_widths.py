"""The engine on processors with shorter vectors than this one's: the same numbers, whatever a register holds.

Numba is told of another processor, in a process of its own, which compiles the program for it.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
from taut import L1, L2, Adam, BatchNorm, Dense, Dropout, GaussianNoise, GELU, GroupL1, LayerNorm, MaxNorm
from taut import Network, Orthogonality, ReLU, Softmax, Tanh, train
from taut.engine.vectors import WIDTH

assert int(sys.argv[1]) == WIDTH, WIDTH
random = np.random.default_rng(0)
X, y = random.standard_normal((75, 7)), random.integers(0, 3, 75)
for name, layers in {
    "plain": lambda: [Dense(20), ReLU(), Dropout(0.2), Dense(5), Tanh(), Dense(3)],
    "layer norm": lambda: [GaussianNoise(0.1), Dense(9), LayerNorm(), ReLU(), Dense(3)],
    "batch norm": lambda: [Dense(9), BatchNorm(), ReLU(), Dense(3)],
    "rectifiers": lambda: [Dense(9, Orthogonality(0.01)), ReLU(), Dense(5), ReLU(), Dense(33), ReLU(), Dense(3)],
    "groups": lambda: [Dense(19, GroupL1(2e-3, by="unit")), Tanh(), Dense(5, MaxNorm(0.5), MaxNorm(0.1)), Dense(3)],
    "penalties": lambda: [Dense(7, L1(1e-3) + L2(1e-3)), GELU(), Dense(17, GroupL1(1e-3)), Softmax(), Dense(3)],
}.items():
    states = []
    for engine, n_threads in (("numpy", None), ("compiled", 1), ("compiled", 3)):
        network = Network(layers())
        train(network, X, y, optimizer=Adam(0.01), epochs=20, batch_size=13, mixup=0.2, validation=(X[:11], y[:11]),
              engine=engine, n_threads=n_threads)
        states.append(network.state)
    assert np.allclose(states[0], states[1], rtol=1e-9, atol=1e-9), (name, abs(states[0] - states[1]).max())
    assert (states[1] == states[2]).all(), name
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names the features of x86 processors")
@pytest.mark.parametrize(
    ("width", "processor", "features"),
    [(32, "haswell", "+sse2,+sse4.2,+avx,+avx2,+fma"), (16, "x86-64", "+sse2")],
)
def test_shorter_vectors_give_the_numbers_of_the_reference(width, processor, features, tmp_path):
    told = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(width)],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
