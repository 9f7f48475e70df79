"""Markup: HTML that cannot be broken by the data it shows.

Column names, labels and file names come from strangers. Text becomes HTML in one place, `tag`: whatever is not already
`Markup` is cleaned and escaped there, so forgetting to escape is not possible. Knows nothing of results or figures.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

__all__ = ["Markup", "clean", "join", "name", "script_json", "shorten", "tag"]

# Controls, halves of surrogate pairs, non-characters, and the marks that turn the direction of all text behind them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def clean(value: object) -> str:
    r"""Return `value` as text with whatever cannot be printed replaced by "�" and white space made plain.

    Examples
    --------
    >>> clean("two\nlines")
    'two lines'
    """
    return " ".join(_UNPRINTABLE.sub("�", str(value)).split())


def shorten(value: object, length: int = 80) -> str:
    """Return cleaned text, cut to `length` characters with "…" in its middle, where long names differ least.

    Examples
    --------
    >>> shorten("a_very_long_column_name", 11)
    'a_ver…_name'
    """
    text = clean(value)
    if len(text) <= length:
        return text
    return text[: length // 2] + "…" + text[len(text) - (length - 1 - length // 2) :]


def tag(element: str, *children: object, **attributes: object) -> Markup:
    """Return an element.

    Parameters
    ----------
    element : str
        Its name.
    *children : object
        What it holds; all but `Markup` is escaped.
    **attributes : object
        Its attributes, escaped; ``class_`` is written "class", other underscores become hyphens; None and False are
        left out, and True stands for an attribute without a value.

    Examples
    --------
    >>> tag("p", "1 < 2 ", tag("b", "& so on"), class_="note")
    '<p class="note">1 &lt; 2 <b>&amp; so on</b></p>'
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(_plain(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{element}{written}>{join(*children)}</{element}>")


def join(*children: object) -> Markup:
    """Return children one after the other; all but `Markup` is escaped."""
    return Markup(
        "".join(child if isinstance(child, Markup) else escape(_plain(child), quote=False) for child in children)
    )


def name(value: object, length: int = 80) -> Markup:
    """Return a name that came with the data: cut if long, and kept from turning the direction of the text around it."""
    text, whole = shorten(value, length), clean(value)
    return tag("bdi", text, title=None if text == whole else shorten(whole, 300))


def script_json(values: Any) -> Markup:
    r"""Return JSON that is safe inside a script element: nothing in it can end the element or begin a comment.

    Examples
    --------
    >>> script_json(["</script>"])
    '["\\u003c/script\\u003e"]'
    """
    text = json.dumps(values, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _plain(value: object) -> str:
    return _UNPRINTABLE.sub("�", str(value))
