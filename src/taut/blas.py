"""BLAS on one thread, where results must be the same for any number of them.

Floor 1 of the house: knows nothing else.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

__all__ = ["one_blas_thread"]


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep BLAS to one thread: the result must not depend on how many there are, and small matrices gain nothing."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")
