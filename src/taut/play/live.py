"""Live: the conversation with one page over its WebSocket.

What the page asks goes to its session; what the session has to say goes to the page, and of how the run stands only
the newest: a page that is slow misses frames, and training does not wait for it. When the page is closed, its
session ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taut.checks import check_number, shown
from taut.errors import InvalidType, InvalidValue, TautError
from taut.play.course import Course
from taut.play.frame import Viewer, rows_message
from taut.play.session import Session, Snapshot
from taut.play.setting import ACTIVATIONS, AXES, DATA_SETS, OPTIMIZERS, Setting
from taut.play.table import MOST_BYTES, SUFFIXES, Table, too_large

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

__all__ = ["converse", "described"]

_MOST_IN_FLIGHT = 2  # frames that the page has not said it has seen
_SECONDS_BETWEEN = 1 / 60  # frames


async def converse(socket: WebSocket, tables: Mapping[str, Table], start: Setting) -> None:
    """Talk with a page until it goes."""
    loop, fresh = asyncio.get_running_loop(), asyncio.Event()

    def on_news() -> None:
        with contextlib.suppress(RuntimeError):  # the server has gone, and its loop with it
            loop.call_soon_threadsafe(fresh.set)

    await socket.accept()
    await socket.send_json(_hello(tables))
    session = await asyncio.to_thread(Session, tables, Course(start), on_news)
    speaker = _Speaker(socket, session, fresh)
    speaking = asyncio.create_task(speaker.speak())
    try:
        async for text in socket.iter_text():
            try:
                _hear(json.loads(text), session, tables, speaker)
            except (TautError, ValueError, RecursionError) as error:
                line = str(error) if isinstance(error, TautError) else "the page said what is no JSON"
                session.replies.append({"type": "error", "text": line})
                fresh.set()
    finally:
        speaking.cancel()
        await asyncio.shield(asyncio.to_thread(session.close))


class _Speaker:
    """Sends a page what its session has to say."""

    def __init__(self, socket: WebSocket, session: Session, fresh: asyncio.Event) -> None:
        self._socket, self._session, self._fresh = socket, session, fresh
        self._viewer, self._in_flight = Viewer(), 0
        self._seen: Snapshot | None = None

    def seen(self) -> None:
        """Be told that the page has drawn a frame."""
        self._in_flight = max(self._in_flight - 1, 0)
        self._fresh.set()

    async def speak(self) -> None:
        """Speak until cancelled."""
        self._fresh.set()
        with contextlib.suppress(Exception):  # the page has gone; whoever hears it goes too
            while True:
                await self._fresh.wait()
                self._fresh.clear()
                while self._session.replies:
                    reply = self._session.replies.popleft()
                    await self._socket.send_json(reply)
                    if reply["type"] == "error":
                        await self._tell_setting(self._session.snapshot())
                snapshot = self._session.snapshot()
                if snapshot is not self._seen and self._in_flight < _MOST_IN_FLIGHT:
                    began = time.monotonic()
                    await self._show(snapshot)
                    await asyncio.sleep(max(began + _SECONDS_BETWEEN - time.monotonic(), 0))

    async def _show(self, snapshot: Snapshot) -> None:
        before, self._seen = self._seen, snapshot
        if before is None or before.rows is not snapshot.rows:
            await self._socket.send_json(rows_message(snapshot.rows))
        if before is None or _knobs(before) != _knobs(snapshot):
            await self._tell_setting(snapshot)
        self._in_flight += 1
        await self._socket.send_bytes(await asyncio.to_thread(self._viewer.frame, snapshot))

    async def _tell_setting(self, snapshot: Snapshot) -> None:
        course = snapshot.course
        await self._socket.send_json(
            {"type": "setting", "setting": course.setting.to_dict(), "turned": [epoch for epoch, _ in course.changes]}
        )


def _knobs(snapshot: Snapshot) -> tuple[Any, ...]:
    return snapshot.course.start, snapshot.course.changes


def described(table: Table) -> dict[str, Any]:
    """Return what the page is told of a table that is at hand."""
    return {
        "table": table.fingerprint,
        "name": table.name,
        "rows": len(table.frame),
        "columns": list(table.frame.columns),
        "numbers": list(table.numbers),
        "target": table.target,
    }


def _hello(tables: Mapping[str, Table]) -> dict[str, Any]:
    return {
        "type": "hello",
        "choices": {
            "data": [name for name in DATA_SETS if name != "table"],
            "activation": ACTIVATIONS,
            "optimizer": list(OPTIMIZERS),
            "axes": AXES,
        },
        "tables": [described(table) for table in tables.values()],
        "most_bytes": MOST_BYTES,
        "too_large": str(too_large("NAME")),
        "suffixes": SUFFIXES,
    }


def _hear(message: Any, session: Session, tables: Mapping[str, Table], speaker: _Speaker) -> None:
    """Do what the page asks; raise in one line if it asks for what there is not."""
    if not isinstance(message, dict):
        raise InvalidType(f"a message is an object, got {shown(message)}")
    kind = message.get("type")
    asks: dict[str, Callable[[], None]] = {
        "seen": speaker.seen,
        "turn": lambda: session.ask("turn", knobs=_mapping(message, "knobs")),
        "table": lambda: session.ask("turn", knobs=_table_knobs(message, tables)),
        "run": lambda: session.ask("run", speed=_number(message, "speed", at_least=0, at_most=1e6)),
        "step": lambda: session.ask("step", epochs=_number(message, "epochs", at_least=1, at_most=100, integer=True)),
        "open": lambda: session.ask("open", address=_words(message, "address")),
        **{word: _asker(session, word) for word in ("pause", "reset", "code", "recipe", "share")},
    }
    if not isinstance(kind, str) or kind not in asks:
        raise InvalidValue(f"the page cannot ask for {shown(kind)}")
    asks[kind]()


def _asker(session: Session, word: str) -> Callable[[], None]:
    return lambda: session.ask(word)


def _table_knobs(message: dict[str, Any], tables: Mapping[str, Table]) -> dict[str, Any]:
    name = message.get("table")
    if not isinstance(name, str) or name not in tables:
        raise InvalidValue("that table is not here any more; load its file again")
    table = tables[name]
    if "target" not in message:
        return table.first_knobs()
    columns = message.get("columns")
    return table.knobs(_words(message, "target"), _words(message, "axes"), columns if isinstance(columns, list) else ())


def _mapping(message: dict[str, Any], name: str) -> dict[str, Any]:
    value = message.get(name)
    if not isinstance(value, dict):
        raise InvalidType(f"{name} must be an object, got {shown(value)}")
    return value


def _words(message: dict[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise InvalidType(f"{name} must be text, got {shown(value)}")
    return value


def _number(message: dict[str, Any], name: str, **bounds: Any) -> Any:
    check_number(name, message.get(name), **bounds)
    return message[name]
