"""Threads in step: who waits for whom, and who works on what."""

from __future__ import annotations

import itertools
import math
import threading

import numpy as np
import pytest
from numba import njit

from taut.engine import threads
from taut.engine.threads import SYNC_SIZE


@njit
def share(size, block, thread, of):
    return threads.share(size, block, thread, of)


@njit(nogil=True)
def rounds(sync, of, thread, seen, values, n):
    """In each round, write a number, wait, and add up those that all threads have written."""
    for i in range(n):
        values[thread] = i * of + thread
        threads.wait(sync, of)
        total = 0
        for other in range(of):
            total += values[other]
        seen[thread, i] = total
        threads.wait(sync, of)


@pytest.mark.parametrize("of", [1, 2, 3, 5])
def test_no_thread_passes_before_all_have_come(of):
    n = 2000 if of <= 2 else 20  # with more threads than cores, each round costs time slices
    sync, seen, values = np.zeros(SYNC_SIZE, dtype=np.int64), np.zeros((of, n), dtype=np.int64), np.zeros(of, np.int64)
    rounds(np.zeros(SYNC_SIZE, dtype=np.int64), 1, 0, seen, values, 1)  # compiles
    for _ in range(2):  # what one call leaves behind serves the next
        workers = [threading.Thread(target=rounds, args=(sync, of, i, seen, values, n)) for i in range(of)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert not any(worker.is_alive() for worker in workers)
        expected = np.arange(n) * of * of + of * (of - 1) // 2
        np.testing.assert_array_equal(seen, np.broadcast_to(expected, seen.shape))
        seen[:] = -1


@pytest.mark.parametrize("of", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("block", [1, 4, 16])
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 16, 17, 100, 1000])
def test_shares_are_whole_blocks_that_cover_everything_once(size, block, of):
    shares = [share(size, block, thread, of) for thread in range(of)]
    assert shares[0][0] == 0
    assert shares[-1][1] == size
    for (_, end), (first, _) in itertools.pairwise(shares):
        assert end == first
        assert first % block == 0 or first == size
    longest = max(end - first for first, end in shares)
    blocks = math.ceil(size / block)
    assert longest <= math.ceil(blocks / of) * block
