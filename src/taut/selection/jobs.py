"""Jobs: many independent fits, in processes, with word of how far they are.

Floor 5 of the house; knows nothing of what a job does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Report", "run_jobs"]

#: Told ``(done, planned, words)``.
Report = Callable[[int, int, str], None]


def run_jobs(
    function: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int | None,
    report: Report | None,
    words: Callable[[Sequence[Any]], str],
) -> list[Any]:
    """Call `function` on every job's arguments, in processes, and return the results in the jobs' order.

    `words` is given the results so far and says what `report` is told.
    """
    from joblib import Parallel, cpu_count, delayed

    workers = min(n_jobs or cpu_count(), len(jobs))
    results = []
    calls = (delayed(function)(*job) for job in jobs)
    for result in Parallel(n_jobs=workers, return_as="generator")(calls):
        results.append(result)
        if report is not None:
            report(len(results), len(jobs), words(results))
    return results
