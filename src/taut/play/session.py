"""The session: a run that goes on in a thread of its own, while somebody turns its knobs.

Whoever holds a session asks it for things (`ask`) and takes what it has to say (`replies`, `snapshot`); it never waits
for them. Everything that changes a run happens in its thread, between two calls of `train`, so that the course knows
after which epoch it happened. Knows nothing of the page.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from taut.errors import InvalidValue, NonFiniteLoss, TautError
from taut.play import code
from taut.play.course import MOST_EPOCHS, Course
from taut.play.pair import Pair, Record
from taut.play.rows import Rows, RowSource, source_of
from taut.play.table import Table

__all__ = ["Session", "Snapshot"]

_SECONDS = 0.02  # of training in a row, after which the knobs are looked at


@dataclass(frozen=True)
class Snapshot:
    """How a run stands: what is drawn of it.

    Attributes
    ----------
    course : Course
        The run so far.
    rows : Rows
        What is learned from now.
    weights : list of ndarray
        The numbers of both networks.
    records : list of Record
        The courses of both, of which the first `epoch` values belong to this snapshot.
    is_running : bool
        Whether training goes on.
    goal : int or None
        Up to which epoch a run is being repeated.
    """

    course: Course
    rows: Rows
    weights: list[np.ndarray]
    records: list[Record]
    is_running: bool
    goal: int | None

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.course.epoch

    @property
    def fingerprints(self) -> list[str]:
        """Eight digits for each network, which two share only if every bit of their weights is the same."""
        return [sha256(weights.tobytes()).hexdigest()[:8] for weights in self.weights]


class Session:
    """A run in a thread.

    Parameters
    ----------
    tables : mapping of str to Table
        The tables at hand, by fingerprint; may grow while the session lives.
    course : Course
        What to begin with: its epochs are trained again.
    on_news : callable
        Called, from the session's thread, whenever there is something new to take.

    Examples
    --------
    >>> session = Session({}, Course().at(5))
    >>> session.wait_until_idle()
    >>> session.snapshot().epoch
    5
    >>> session.close()
    """

    def __init__(self, tables: Mapping[str, Table], course: Course, on_news: Callable[[], None] = lambda: None) -> None:
        self.replies: deque[dict[str, Any]] = deque()
        self._tables, self._on_news = tables, on_news
        self._asked: deque[tuple[str, dict[str, Any]]] = deque()
        self._wake, self._idle, self._is_closed = threading.Condition(), threading.Event(), False
        self._speed: float | None = None  # epochs a second; 0 for as many as there can be; None while it stands still
        self._goal: Course | None = None
        self._table: Table | None = None
        self._pace, self._due = 1.0, 0.0
        try:
            self._begin(course)
        except TautError as error:
            self._begin(Course())
            self._complain(error)
        self._thread = threading.Thread(target=self._work, daemon=True, name="taut play")
        self._thread.start()

    # ------------------------------------------------------------------------------------- for the one who holds it

    def ask(self, what: str, **arguments: Any) -> None:
        """Ask for something; it is done after the epochs that are under way.

        "turn" (knobs), "run" (speed), "pause", "step" (epochs), "reset", "open" (address), "code", "recipe", "share".
        """
        with self._wake:
            self._asked.append((what, arguments))
            self._idle.clear()
            self._wake.notify()

    def snapshot(self) -> Snapshot:
        """Return how the run stands."""
        return self._snapshot

    def wait_until_idle(self, timeout: float = 60.0) -> None:
        """Wait until everything asked for is done, and nothing trains."""
        if not self._idle.wait(timeout):
            raise TimeoutError("the session is still at work")

    def close(self) -> None:
        """End training, and the thread."""
        with self._wake:
            self._is_closed = True
            self._wake.notify()
        self._thread.join()

    # ------------------------------------------------------------------------------------------------ in its thread

    def _work(self) -> None:
        try:
            self._live()
        finally:
            if not self._is_closed:  # only a bug leads here; whoever waits must not wait for ever
                self._complain(TautError("training ended because of a bug in taut; the terminal says more"))
                self._idle.set()

    def _live(self) -> None:
        while True:
            with self._wake:
                while not (self._is_closed or self._asked or self._is_at_work):
                    self._idle.set()
                    self._wake.wait()
                if self._is_closed:
                    return
                asked = self._asked.popleft() if self._asked else None
            try:
                if asked is not None:
                    self._answer(*asked)
                else:
                    self._train()
            except TautError as error:
                self._complain(error)
                self._publish()

    @property
    def _is_at_work(self) -> bool:
        return self._goal is not None or self._speed is not None

    def _answer(self, what: str, arguments: dict[str, Any]) -> None:
        answers: dict[str, Callable[..., None]] = {
            "turn": self._turn,
            "run": self._run,
            "pause": self._pause,
            "step": self._step,
            "reset": lambda: self._begin(Course(self._course.setting)),
            "open": lambda address: self._begin(Course.from_address(address)),
            "code": lambda: self._say("code", text=code.script(self._course, self._pair.rows.task, self._table)),
            "recipe": lambda: self._say("recipe", text=code.recipe(self._course)),
            "share": lambda: self._say("share", text=self._course.address()),
        }
        answers[what](**arguments)

    def _begin(self, course: Course) -> None:
        """Begin a run, and train it as far as a course says."""
        setting = course.start
        table = None
        if setting.data == "table":
            # The table of this run stays with it, also when there are too many for all of them to be kept.
            is_mine = self._table is not None and self._table.fingerprint == setting.table
            table = self._table if is_mine else self._tables.get(setting.table)
        source: RowSource = source_of(setting, table)
        pair = Pair(setting, source.rows(setting))
        # Nothing of the run before is given up until the new one stands.
        self._table, self._source, self._pair, self._course = table, source, pair, Course(setting)
        self._goal = course if course.epoch else None
        if course.epoch:
            self._speed = None
        self._publish()

    def _turn(self, knobs: dict[str, Any]) -> None:
        course = self._course.turned(knobs)
        self._goal = None  # whoever turns a knob goes on from here
        if not course.epoch:
            self._begin(course)
            return
        setting = course.setting
        self._pair.turn(setting, self._source.rows(setting))
        self._course = course
        self._publish()

    def _run(self, speed: float) -> None:
        self._speed, self._due, self._goal = speed, time.perf_counter(), None
        self._publish()

    def _pause(self) -> None:
        self._speed = self._goal = None
        self._publish()

    def _step(self, epochs: int) -> None:
        self._speed = self._goal = None
        until = min(self._course.epoch + epochs, MOST_EPOCHS)
        while self._course.epoch < until:
            self._advance(min(until - self._course.epoch, self._most))
        self._publish()

    @property
    def _most(self) -> int:
        """How many epochs are trained in a row."""
        return max(int(_SECONDS / self._pace), 1)

    def _train(self) -> None:
        """Train for a while: to the goal if there is one, else as fast as was asked for."""
        here, most = self._course.epoch, self._most
        if self._goal is None:
            epochs = min(self._awaited(), most, MOST_EPOCHS - here)
        else:
            following = [epoch for epoch, _ in self._goal.changes if epoch > here]
            epochs = min(min([*following, self._goal.epoch]) - here, most)
        if epochs > 0:
            self._advance(epochs)
        if self._goal is not None:
            self._repeat(self._goal)
        elif self._course.epoch >= MOST_EPOCHS:
            self._pause()
            raise InvalidValue(f"{MOST_EPOCHS} epochs are the most; reset to begin anew")

    def _repeat(self, goal: Course) -> None:
        """Turn the knobs that were turned here in the run that is repeated, and stop where it stopped."""
        knobs, here = dict(goal.changes).get(self._course.epoch), self._course
        if knobs is not None and (here.epoch, knobs) not in here.changes:
            self._course = here.turned(knobs)
            self._pair.turn(self._course.setting, self._source.rows(self._course.setting))
        if here.epoch >= goal.epoch:
            self._goal = None
            self._publish()

    def _awaited(self) -> int:
        """Return how many epochs are due at the speed asked for, after waiting for the next if none is."""
        if not self._speed:
            return MOST_EPOCHS
        now = time.perf_counter()
        if now < self._due:
            with self._wake:
                if not (self._asked or self._is_closed):
                    self._wake.wait(min(self._due - now, 0.1))
            return 0
        # At most forty looks a second: faster runs make several epochs at each.
        epochs = max(round(self._speed / 40), 1)
        self._due = max(self._due + epochs / self._speed, now - 0.1)
        return epochs

    def _advance(self, epochs: int) -> None:
        began = time.perf_counter()
        try:
            self._pair.advance(epochs)
        except NonFiniteLoss:
            if epochs > 1:  # which of them it is, one at a time will tell
                self._pace = _SECONDS
                return
            self._speed = self._goal = None
            raise
        self._pace = max((time.perf_counter() - began) / epochs, 1e-7)
        self._course = self._course.at(self._pair.epoch)
        self._publish()

    # ---------------------------------------------------------------------------------------------- what it has to say

    def _publish(self) -> None:
        pair = self._pair
        self._snapshot = Snapshot(
            self._course,
            pair.rows,
            pair.weights(),
            [arm.record for arm in pair.arms],
            self._is_at_work,
            None if self._goal is None else self._goal.epoch,
        )
        self._on_news()

    def _complain(self, error: TautError) -> None:
        self._say("error", text=str(error))

    def _say(self, kind: str, **content: Any) -> None:
        self.replies.append({"type": kind, "epoch": self._course.epoch, **content})
        self._on_news()
