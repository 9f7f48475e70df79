"""The page: one HTML file that holds a whole report, or a path, and asks nothing of any network.

The style, the script and Plotly's own script stand in the file. A content security policy names the two scripts by
their hashes and forbids everything else, so that nothing a table could smuggle in would run. The file is complete
before it takes its name. Knows the sections by name only.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from os import PathLike
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from taut.errors import InvalidValue, TautError
from taut.files import replace_file
from taut.report.markup import Markup, join, shorten

if TYPE_CHECKING:
    from taut.selection import FitResult

__all__ = ["document", "page", "write_report"]


def write_report(result: FitResult, path: str | PathLike[str]) -> Path:
    """Write the report of a fit: one HTML file that opens anywhere, also offline.

    Parameters
    ----------
    result : FitResult
        What `taut.selection.fit_table` returned.
    path : str or path
        Where to write; a file that is there is replaced once the new one is complete.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    InvalidValue
        If the folder does not exist, or `path` is a folder itself.
    TautError
        If the file cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from taut import Recipe
    >>> from taut.data import load_sample
    >>> from taut.selection import fit_table
    >>> frame, target = load_sample("wine")
    >>> result = fit_table(frame, target, recipe=Recipe(epochs=2), effort=4, cv=2)
    >>> with TemporaryDirectory() as folder:
    ...     write_report(result, f"{folder}/wine.html").stat().st_size < 6_000_000
    True
    """
    place = Path(path)
    if not place.parent.is_dir():
        raise InvalidValue(f"cannot write the report {place}: there is no folder {place.parent}; make it first")
    if place.is_dir():
        raise InvalidValue(f"cannot write the report {place}: it is a folder; name a file in it")
    content = page(result).encode("utf-8")
    try:
        replace_file(place, content)
    except OSError as error:
        raise TautError(f"cannot write the report {place}: {error.strerror}; choose another place") from error
    return place


def page(result: FitResult) -> str:
    """Return the report as HTML text.

    Parameters
    ----------
    result : FitResult
        What `taut.selection.fit_table` returned.
    """
    from taut.report.sections import body

    title = join(f"{shorten(result.data_name)}: {shorten(result.target)}")
    return document(title, body(result), result.versions.get("taut", ""))


def document(title: Markup, body: Markup, version: str) -> str:
    """Return a whole page as HTML text.

    Parameters
    ----------
    title : Markup
        What the browser calls it.
    body : Markup
        What stands between its head and its scripts; with a section "answer", to which the keyboard can skip.
    version : str
        Of taut, which made it.
    """
    from plotly.offline import get_plotlyjs

    plotly, script = get_plotlyjs(), _part("page.js")
    policy = (
        f"default-src 'none'; script-src {_hash(plotly)} {_hash(script)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return Template(_part("page.html")).substitute(
        policy=policy,
        generator=join(f"taut {version}".strip()).replace('"', "&quot;"),
        title=title,
        style=_part("page.css"),
        body=body,
        plotly=plotly,
        script=script,
    )


def _part(name: str) -> str:
    """Return a file of this room, with the line ends that a browser sees, for its hash must be the browser's."""
    return files("taut.report").joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"
