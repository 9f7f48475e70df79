"""The page to play on: two networks train live, side by side, while a person turns the knobs.

A `Setting` is all the knobs at one moment, a `Course` is a run from its start to now with every turn of a knob, and
goes into the page's address; `Session` trains it in a thread; `server` shows it on 127.0.0.1. The top floor of the
house, beside the command line. Names load when they are first used; the server needs ``pip install 'taut[play]'``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {"Course": "course", "Session": "session", "Setting": "setting", "Table": "table"}

__all__ = ["Course", "Session", "Setting", "Table"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
