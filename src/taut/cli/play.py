"""`taut play`: the page to play on, until Ctrl-C."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from taut.cli.display import say
from taut.cli.inputs import check_columns, source, suggest
from taut.cli.options import Target, integer, option
from taut.errors import DataError, InvalidValue, TautError

if TYPE_CHECKING:
    from taut.play import Setting, Table

__all__ = ["play"]

NEEDED = ("starlette", "uvicorn", "websockets")

Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="Points that are drawn: spiral (the default), moons, circles, xor; a table (CSV, TSV or Parquet); "
        "or a sample set: breast_cancer, diabetes, digits, iris, wine.",
        show_default=False,
    ),
]
Port = Annotated[
    int | None,
    option(
        "--port",
        metavar="N",
        help="Where to listen on 127.0.0.1; by default the first free one from 8765.",
        parser=integer("--port", at_least=1, at_most=65535),
    ),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the address and open nothing.")]


def play(data: Data = None, target: Target = None, port: Port = None, no_browser: NoBrowser = False) -> None:
    """Train two networks live on a page, and turn the knobs.

    Both learn from the same data and start from the same weights; one is regularized, the other is not.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise TautError(f"the page needs {', '.join(missing)}: pip install 'taut[play]'")
    start, table = _start(data, target)
    from taut.play.server import Tables, listen, serve

    tables = Tables()
    if table is not None:
        tables.keep(table)
    listening = listen(port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    say(f"taut plays at {address}   (Ctrl-C ends it)")
    sys.stdout.flush()
    if not no_browser and _has_screen():
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    serve(listening, tables, start)


def _start(data: str | None, target: str | None) -> tuple[Setting, Table | None]:
    """Return what a page begins with, and the table it is about, if it is about one."""
    from taut.play import Setting, Table
    from taut.play.rows import source_of
    from taut.play.setting import DATA_SETS

    drawn = [name for name in DATA_SETS if name != "table"]
    if data is None or data in drawn:
        if target is not None:
            raise InvalidValue(f"--target is for a table, got {target!r} for points that are drawn")
        return Setting(data=data or "spiral"), None
    try:
        given = source(data)
    except DataError as error:
        if "no sample set" not in str(error):
            raise
        raise DataError(
            f"there is no file and no set {data!r}{suggest(data, drawn, 'those that are drawn are')}"
        ) from error
    frame, known = given.read()
    check_columns(frame, given.name, {"--target": target})
    expression = f"load_sample({given.name!r})" if given.path is None else f"read_table({str(given.path)!r})"
    table = Table(given.name if given.path is None else given.path.name, frame, expression, target or known)
    setting = Setting(**table.first_knobs())
    source_of(setting, table)  # what cannot be used is said here, and not by the page
    return setting, table


def _has_screen() -> bool:
    """Say whether a browser would open a window, and not take the terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
