"""Display: how results and progress look on a screen, and as JSON.

Results go to stdout, everything else to stderr; progress only where somebody watches it. Rich lays the tables out for
the width at hand; where stdout is a file or a pipe, nothing is wrapped.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = [
    "METRIC_NAMES",
    "WIDE",
    "number",
    "one_line",
    "plus_minus",
    "print_json",
    "printable",
    "progress",
    "say",
    "score_table",
    "screen",
    "show",
    "table",
]

WIDTH_OF_A_PIPE = 120
WIDE = 100  # from here on there is room for settings beside the scores

METRIC_NAMES = {"log_loss": "log loss", "accuracy": "accuracy", "rmse": "RMSE", "r2": "R²"}
SUPERSCRIPTS = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
PLAIN = str.maketrans(dict(zip(SUPERSCRIPTS + "−–×", "-0123456789--x", strict=True)) | {"±": "+-", "→": "->", "·": "+"})
LOWER_IS_BETTER = ("log_loss", "rmse")


def one_line(message: object) -> str:
    r"""Return a message without line breaks and control characters.

    Examples
    --------
    >>> one_line("no such\n\tcolumn")
    'no such column'
    """
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(message)).split())


def screen(*, stderr: bool = False) -> Console:
    """Return what to print on: names from a table are never taken for markup."""
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH_OF_A_PIPE
    return console


def say(text: str = "", *, style: str | None = None) -> None:
    """Print a paragraph, broken between words on a terminal and not at all in a pipe."""
    console = screen()
    console.print(printable(text), style=style, soft_wrap=not console.is_terminal)


def print_json(value: Any) -> None:
    """Print plain values as JSON; what is not finite becomes null, because JSON has no word for it."""
    sys.stdout.write(json.dumps(_strict(value), indent=2, allow_nan=False) + "\n")


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show(made: Table) -> None:
    """Print a table with a line of air above and below it."""
    console = screen()
    for part in ("", made, ""):
        console.print(part)


def table(*columns: str, numbers: Sequence[int] = ()) -> Table:
    """Return an empty table; the columns with the positions `numbers` are aligned to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for position, column in enumerate(columns):
        is_number = position in numbers
        made.add_column(column, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    return made


def plus_minus(score: Sequence[float] | None) -> str:
    """Return a value with its standard error as the answer says it, or a dash where there is none."""
    from taut.selection import wording

    return "–" if score is None else printable(wording.plus_minus(*map(_number, score)))


def number(value: float | None) -> str:
    """Return a number as the answer says it, or a dash where there is none."""
    from taut.selection import wording

    return printable(wording.plain(_number(value)))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def printable(text: str) -> str:
    """Return text whose signs stdout can show: a lost minus would be worse than a plain one."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return in_ascii(text)
    return text


def in_ascii(text: str) -> str:
    """Return text with the signs of numbers as they were on typewriters.

    Examples
    --------
    >>> in_ascii("(−2.9 ± 1.7) × 10⁻⁶")
    '(-2.9 +- 1.7) x 10^-6'
    """
    text = re.sub(f"[{SUPERSCRIPTS}]+", lambda power: f"^{power[0].translate(PLAIN)}", text)
    return text.translate(PLAIN)


def score_table(summary: Mapping[str, Any]) -> Table:
    """Return the table of a fit's scores from its summary: each model in training, cross-validation and test."""
    wide = screen().width >= WIDE
    made = table("", "training", "cross-validated", "test", *(["settings"] if wide else []), numbers=(1, 2, 3))
    for metric in summary["metrics"]:
        made.add_section()
        made.add_row(f"{METRIC_NAMES[metric]}, {'lower' if metric in LOWER_IS_BETTER else 'higher'} is better")
        for entry in summary["entries"]:
            scores = (plus_minus(entry[side][metric]) for side in ("cross_validated", "test"))
            settings = [entry["detail"]] if wide and metric == summary["metrics"][0] else []
            made.add_row(f"  {entry['name']}", number(entry["train"][metric]), *scores, *settings)
    return made


Report = Callable[[int, int, str], None]


@contextmanager
def progress(what: str, afterwards: str) -> Iterator[Report | None]:
    """Show a live line on stderr while the block runs, if a terminal is there to show it on.

    Parameters
    ----------
    what : str
        What is being done.
    afterwards : str
        What is being done once all that was planned is.

    Yields
    ------
    callable or None
        To be told ``(done, planned, words)``.
    """
    console = screen(stderr=True)
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("left · {task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, planned: int, words: str) -> None:
            description = afterwards if done == planned else f"{what}: {words}"
            bar.update(task, completed=done, total=planned, description=description)

        yield report
