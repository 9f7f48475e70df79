"""The server: the page, its files, the tables that are given by hand, and a conversation for each page that is open.

It listens on 127.0.0.1 and nowhere else. Starlette and uvicorn come with ``pip install 'taut[play]'``.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from taut.errors import DataError, TautError
from taut.play.setting import Setting
from taut.play.table import MOST_BYTES, Table, too_large

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket

    from taut.play.guard import Guard

__all__ = ["FIRST_PORT", "Tables", "listen", "make_app", "make_server", "serve"]

HOST = "127.0.0.1"
#: Where it listens unless told otherwise, or on one of the ports behind it.
FIRST_PORT, _PORTS_TRIED = 8765, 20

_MOST_TABLES, _MOST_PAGES = 20, 16

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Tables(dict[str, Table]):
    """The tables at hand, by fingerprint: the first is the one of the command line, of the others the latest stay."""

    def keep(self, table: Table) -> Table:
        """Keep a table, and give up the oldest but the first if there are too many."""
        if table.fingerprint not in self and len(self) >= _MOST_TABLES:
            del self[list(self)[1]]
        return self.setdefault(table.fingerprint, table)


def make_app(tables: Tables, port: int, start: Setting | None = None) -> Guard:
    """Return the application.

    Parameters
    ----------
    tables : Tables
        The tables at hand; those that are given by hand come to it.
    port : int
        Where it will listen.
    start : Setting, optional
        What a page begins with.
    """
    return _App(tables, start or Setting()).guarded(port)


class _App:
    def __init__(self, tables: Tables, start: Setting) -> None:
        self._tables, self._start = tables, start
        self._pages, self._reading = 0, asyncio.Lock()

    def guarded(self, port: int) -> Guard:
        from starlette.applications import Starlette
        from starlette.routing import Route, WebSocketRoute

        from taut.play.guard import Guard

        page = files("taut.play") / "page"
        routes: list[Any] = [
            Route("/" if file.name == "index.html" else f"/{file.name}", _file(file), methods=["GET"])
            for file in page.iterdir()
            if file.is_file()
        ]
        routes += [Route("/table", self._take_table, methods=["POST"]), WebSocketRoute("/live", self._live)]
        app: Starlette = Starlette(routes=routes)
        return Guard(app, port)

    async def _live(self, websocket: WebSocket) -> None:
        from taut.play.live import converse

        if self._pages >= _MOST_PAGES:
            await websocket.accept()
            await websocket.send_json(
                {"type": "error", "text": f"{_MOST_PAGES} pages are open, which is the most; close one"}
            )
            await websocket.close(1013)
            return
        self._pages += 1
        try:
            await converse(websocket, self._tables, self._start)
        finally:
            self._pages -= 1

    async def _take_table(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        from taut.play.live import described

        name = request.query_params.get("name", "")[-200:]
        try:
            content = await _body(request, name)
            async with self._reading:  # one at a time: reading takes memory
                table = await asyncio.to_thread(Table.from_bytes, name, content)
                table = self._tables.keep(table)
                return JSONResponse(await asyncio.to_thread(described, table))
        except _TooMuch as error:
            return JSONResponse({"error": str(error)}, status_code=413, headers={"connection": "close"})
        except TautError as error:  # an answer like any other: a file can be sent and still not be a table
            return JSONResponse({"error": str(error)})


class _TooMuch(DataError):
    """More was sent than is read, or nobody said how much."""


async def _body(request: Request, name: str) -> bytes:
    """Return what was sent, of a length that was announced, so that too much is refused before any of it is read."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise _TooMuch(f"{name}: say how many bytes it has")
    if int(length) > MOST_BYTES:
        raise _TooMuch(str(too_large(name)))
    return await request.body()


def _file(file: Any) -> Callable[[Request], Any]:
    from starlette.responses import Response

    content, kind = file.read_bytes(), _TYPES[file.name.rpartition(".")[2]]

    async def send(_request: Request) -> Response:
        return Response(content, media_type=kind)

    return send


def listen(port: int | None) -> socket.socket:
    """Return a socket that listens on 127.0.0.1: on a port, or on the first that is free.

    Raises
    ------
    TautError
        If the port is taken.
    """
    for tried in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # where it means that a port is free again at once; elsewhere, that two may share it
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            found.bind((HOST, tried))
            found.listen(64)
            return found
        found.close()
    taken = f"port {port} is" if port is not None else f"ports {FIRST_PORT} to {FIRST_PORT + _PORTS_TRIED - 1} are"
    raise TautError(f"{taken} taken; choose another with --port")


def make_server(listening: socket.socket, tables: Tables, start: Setting | None = None) -> uvicorn.Server:
    """Return what serves on a socket: its `run` takes ``sockets=[listening]``; Ctrl-C or `should_exit` ends it."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            make_app(tables, listening.getsockname()[1], start),
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            http="h11",
            ws="websockets-sansio",
            ws_max_size=1 << 20,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,
        )
    )


def serve(listening: socket.socket, tables: Tables, start: Setting | None = None) -> None:
    """Serve until Ctrl-C."""
    with suppress(KeyboardInterrupt):  # which uvicorn raises again, when all is closed
        make_server(listening, tables, start).run(sockets=[listening])
