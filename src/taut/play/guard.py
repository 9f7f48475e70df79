"""The guard: who may speak to the server at all, and what the browser may do with what it is sent.

The page is for the person at this machine. A page from elsewhere that the same browser shows must not reach it: its
requests carry a foreign `Origin`, or, if a name was made to point here (DNS rebinding), a foreign `Host`. Both are
refused before anything else is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]


class Guard:
    """ASGI middleware that lets in this machine's own pages alone.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    port : int
        The port it listens on, which is part of `Host` and `Origin`.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = [f"127.0.0.1:{port}", f"localhost:{port}"]
        sockets = " ".join(f"ws://{host}" for host in self._hosts)
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cache-control", b"no-store"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if scope["type"] == "websocket":
            if refusal:
                await send({"type": "websocket.close", "code": 1008, "reason": refusal})
                return
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        if refusal:
            text = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
            await send_with_headers({"type": "http.response.start", "status": 403, "headers": text})
            await send_with_headers({"type": "http.response.body", "body": refusal.encode()})
            return
        await self._app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> str:
        """Return in one line why a request is refused; nothing if it is not."""
        given: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            given.setdefault(name, []).append(value.decode("latin-1"))
        if len(given.get(b"host", [])) != 1 or given[b"host"][0] not in self._hosts:
            return f"this server answers to {self._hosts[0]} alone"
        origins = given.get(b"origin", [])
        is_own = origins in [[f"http://{host}"] for host in self._hosts]
        changes_something = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if (origins or changes_something) and not is_own:
            return "this server answers to its own page alone"
        return ""
