"""The crew: who makes the plans of a choice, threads of this process or the workers of a joblib backend.

Without a backend, all plans are one population on threads, over one copy of each fold. With one (``"loky"``,
``"dask"``, ``"ray"``, …), they go out in pieces, to workers on this machine or others; the folds go to each worker
once. An outcome depends on its plan alone, so the answer does not depend on who made it, nor on how often a piece had
to be made again because its worker was lost. Floor 5 of the house; knows nothing of what is chosen.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from taut.blas import one_blas_thread
from taut.checks import check_number, shown
from taut.errors import InvalidType, InvalidValue, TautError
from taut.selection.folds import Fold
from taut.selection.outcomes import Outcome, Plan, outcome_of
from taut.training.population import train_population
from taut.training.runs import FinishedRun

__all__ = ["Crew", "Deadline", "Report", "WhenOver", "Workers", "never"]

#: Told ``(done, planned, words)``.
Report = Callable[[int, int, str], None]

# So many pieces a worker: few enough that their overhead is small, many enough that all end at about the same time.
_PIECES = 8
# A piece is not larger, so that what a lost worker had in hand is soon made again.
_LARGEST = 32


@dataclass(frozen=True)
class Deadline:
    """When to stop: a moment of the clock that all machines share."""

    moment: float

    @staticmethod
    def after(seconds: float) -> Deadline:
        """Return the deadline that is so many seconds away."""
        return Deadline(time.time() + seconds)

    @property
    def is_over(self) -> bool:
        """Whether it has passed."""
        return time.time() >= self.moment


#: Asked again and again when to stop, for it may become known only on the way; None is never.
WhenOver = Callable[[], Deadline | None]


def never() -> Deadline | None:
    """Return no deadline."""
    return None


@dataclass(frozen=True)
class Crew:
    """Who makes the plans.

    Parameters
    ----------
    n_jobs : int, optional
        Threads, or workers of the backend; by default as many as there are cores, or workers.
    backend : str, optional
        A backend of joblib; None is threads of this process. "dask" needs a `distributed.Client` that is connected.

    Examples
    --------
    >>> Crew(n_jobs=2)
    Crew(n_jobs=2, backend=None)
    """

    n_jobs: int | None = None
    backend: str | None = None

    def __post_init__(self) -> None:
        if self.n_jobs is not None:
            check_number("n_jobs", self.n_jobs, at_least=1, integer=True)
        if self.backend is not None and not isinstance(self.backend, str):
            raise InvalidType(f"backend must be the name of a joblib backend, got {shown(self.backend)}")

    @contextmanager
    def at_work(self, folds: Sequence[Fold]) -> Iterator[Workers]:
        """Have workers who know the folds, for the block."""
        if self.backend is None:
            yield _Threads(folds, self.n_jobs)
            return
        import joblib

        # Dask is told once what it is to have at hand; others keep large arrays in files that all workers map.
        scatter: dict[str, Any] = {"scatter": [folds]} if self.backend == "dask" else {}
        try:
            context = joblib.parallel_config(self.backend, n_jobs=self.n_jobs or -1, **scatter)
        except (ValueError, ImportError) as error:
            raise InvalidValue(f"backend {self.backend!r} cannot be used: {error}") from error
        with context:
            yield _Backend(folds)


class Workers(ABC):
    """Those who make plans on some folds."""

    def __init__(self, folds: Sequence[Fold]) -> None:
        self.folds = folds

    @abstractmethod
    def make(
        self,
        plans: Sequence[Plan],
        done: Callable[[int, Outcome], None],
        *,
        curves: bool = False,
        deadline: WhenOver = never,
    ) -> None:
        """Make plans, and tell `done` the position of each and its outcome; after the deadline, no more are made.

        With `curves`, the loss on the training rows is recorded after each epoch, which takes a fourth more time.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C.
        """


class _Threads(Workers):
    def __init__(self, folds: Sequence[Fold], n_threads: int | None) -> None:
        super().__init__(folds)
        self._n_threads = n_threads

    def make(
        self,
        plans: Sequence[Plan],
        done: Callable[[int, Outcome], None],
        *,
        curves: bool = False,
        deadline: WhenOver = never,
    ) -> None:
        _make(plans, self.folds, curves, deadline, self._n_threads, done)


class _Backend(Workers):
    def make(
        self,
        plans: Sequence[Plan],
        done: Callable[[int, Outcome], None],
        *,
        curves: bool = False,
        deadline: WhenOver = never,
    ) -> None:
        from joblib import Parallel, delayed

        parallel = Parallel(return_as="generator_unordered")
        size = min(max(len(plans) // (_PIECES * max(parallel._effective_n_jobs(), 1)), 1), _LARGEST)
        pieces = [range(first, min(first + size, len(plans))) for first in range(0, len(plans), size)]
        calls = (
            delayed(_piece)(self.folds, piece, [plans[place] for place in piece], curves, deadline())
            for piece in pieces
        )
        try:
            for made in parallel(calls):
                for place, outcome in made:
                    done(place, outcome)
        except BrokenExecutor as error:
            raise TautError(
                "a worker of the backend was lost, most often for lack of memory; give fewer n_jobs, or no backend"
            ) from error


def _piece(
    folds: Sequence[Fold], places: Sequence[int], plans: Sequence[Plan], curves: bool, deadline: Deadline | None
) -> list[tuple[int, Outcome]]:
    made: list[tuple[int, Outcome]] = []
    _make(plans, folds, curves, lambda: deadline, 1, lambda place, outcome: made.append((places[place], outcome)))
    return made


def _make(
    plans: Sequence[Plan],
    folds: Sequence[Fold],
    curves: bool,
    deadline: WhenOver,
    n_threads: int | None,
    done: Callable[[int, Outcome], None],
) -> None:
    """Make plans as one population."""

    def finish(place: int, finished: FinishedRun) -> None:
        if finished.stopped == "interrupted":
            raise KeyboardInterrupt
        if finished.stopped != "cancelled":
            done(place, outcome_of(finished, folds[plans[place].fold]))

    with one_blas_thread():  # which scores what the threads have trained, and must not get in their way
        train_population(
            [plan.run(folds[plan.fold]) for plan in plans],
            [fold.table for fold in folds],
            evaluate_training=curves,
            n_threads=n_threads,
            on_finish=finish,
            in_order=deadline is not never,
            is_cancelled=lambda _place: (when := deadline()) is not None and when.is_over,
        )
