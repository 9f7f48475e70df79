"""Workers: the processes that fit in parallel, and how they die.

Ctrl-C reaches every process of a terminal. The workers must not answer it with tracebacks of their own, so they are
started while it is blocked, which they inherit; the program itself hears it, and ends them.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from taut.errors import TautError

__all__ = ["workers"]


@contextmanager
def workers(jobs: int | None) -> Iterator[None]:
    """Have processes ready for the block; raise `TautError` if one of them is killed.

    Parameters
    ----------
    jobs : int or None
        How many; one a core if None. They start while the caller goes on.
    """
    from joblib import cpu_count
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    count = jobs or cpu_count()
    if count > 1:
        _start(count)
    try:
        yield
    except TerminatedWorkerError as error:
        raise TautError(
            "a process that was fitting has been killed, as happens without enough memory: try --jobs 1"
        ) from error


def _start(count: int) -> None:
    from multiprocessing import resource_tracker as standard_tracker

    from joblib import Parallel, delayed
    from joblib.externals.loky.backend import resource_tracker as loky_tracker

    # The trackers of both libraries must run by now: starting one would undo the block in some versions of Python.
    for tracker in (standard_tracker, loky_tracker):
        tracker.ensure_running()
    # The first call starts all processes before it returns; joblib gives them to whoever asks for as many next.
    with _interrupts_blocked():
        started = Parallel(n_jobs=count, return_as="generator")(delayed(abs)(0) for _ in range(count))
    for _ in started:
        pass


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Put Ctrl-C off until the end of the block; processes and threads started in it never hear of it."""
    if sys.platform == "win32":  # there, it is not inherited
        yield
        return
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
