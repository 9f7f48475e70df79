"""`taut path`: one strength from where it silences the network to where it hardly shows, cross-validated."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taut.cli import display
from taut.cli.display import METRIC_NAMES, number, one_line, plus_minus, print_json, progress, say, table
from taut.cli.inputs import check_columns, check_outputs, choose_target, read_recipe, source
from taut.cli.options import (
    Backend,
    Data,
    Folds,
    Group,
    Jobs,
    Json,
    RecipeFile,
    Repeats,
    Rule,
    Seed,
    Target,
    Task,
    Time,
    integer,
    option,
)
from taut.errors import InvalidValue, ModelFileError, TautError

if TYPE_CHECKING:
    import pandas as pd

    from taut.selection import RegularizationPath, Rows
    from taut.training import Model, Recipe

__all__ = ["path", "rows_shown"]

INTERRUPTED = 130
ROWS = 12  # of the table on a screen
NAMED = 15  # inputs of which it is said when they enter
PLOTS = (".html", ".png")
DOTS_AN_INCH = 150


def _values(given: Any) -> Any:
    """Return the numbers of a list such as "0.1,0.01"."""
    if not isinstance(given, str):  # the default
        return given
    try:
        return [float(value) for value in given.split(",")]
    except ValueError as error:
        words = f"it must be numbers with commas between them, got {given[:60]!r}"
        raise typer.BadParameter(words, param_hint="--values") from error


Penalty = Annotated[
    str | None,
    option(
        "--penalty",
        metavar="NAME",
        help="l2, l1, l1_ratio=0.5, group, dropout, or any numeric field of a recipe; by default l2.",
    ),
]
Count = Annotated[
    int | None,
    option(
        "--n-values", metavar="N", help="Values of the grid; by default 30.", parser=integer("--n-values", at_least=2)
    ),
]
Values = Annotated[
    Any, option("--values", metavar="LIST", help="The values themselves, as in 0.1,0.01,0.", parser=_values)
]
Features = Annotated[
    int | None,
    option(
        "--features",
        metavar="K",
        help="End where K inputs are used; for l1 and group.",
        parser=integer("--features", at_least=1),
    ),
]
WarmStart = Annotated[
    bool | None,
    typer.Option(
        "--warm-start/--no-warm-start",
        help="Start each value from the weights of the next weaker one; by default only for group.",
        show_default=False,
    ),
]
PlotOut = Annotated[Path | None, option("--plot", metavar="OUT", help="Figures: a page, .html, or a picture, .png.")]
ModelOut = Annotated[
    Path | None, option("--model", metavar="OUT.taut", help="Fit the choice of --rule, by default 1se, to all rows.")
]


def path(
    data: Data,
    target: Target = None,
    task: Task = None,
    penalty: Penalty = None,
    n_values: Count = None,
    values: Values = None,
    cv: Folds = None,
    repeats: Repeats = None,
    features: Features = None,
    warm_start: WarmStart = None,
    recipe: RecipeFile = None,
    group: Group = None,
    time: Time = None,
    rule: Rule = None,
    plot: PlotOut = None,
    model: ModelOut = None,
    seed: Seed = None,
    jobs: Jobs = None,
    backend: Backend = None,
    json: Json = False,
) -> None:
    """Cross-validate one penalty from strong to weak.

    The path tells the value with the lowest validation loss, and the most regularized one within a standard error of
    it. With l1 and group it also tells in which order inputs enter.
    """
    if values is not None and n_values is not None:
        raise InvalidValue("give either --values or --n-values, not both")
    if plot is not None and plot.suffix.lower() not in PLOTS:
        raise InvalidValue(f"--plot {plot}: figures are written as .html or .png")
    where = source(data)
    check_outputs({"--plot": plot, "--model": model}, [where.path, recipe])
    start = read_recipe(recipe, seed)
    frame, known = where.read()
    target = choose_target(frame, where.name, target, known)
    check_columns(frame, where.name, {"--group": group, "--time": time})
    remarks: list[str] = []
    rows, task = _rows(frame, target, task, group, time, remarks)  # type: ignore[assignment]  # one of the two words
    options = {"penalty": penalty, "n_values": n_values, "values": values, "cv": cv, "repeats": repeats}
    options |= {"warm_start": warm_start, "stop_at_features": features, "n_jobs": jobs, "backend": backend}
    chosen = rule or "1se"
    try:
        found = _run(rows, start, task=task, **{name: value for name, value in options.items() if value is not None})
        fitted = None if model is None else found.refit(chosen)
        picture = None if plot is None else _picture(found, plot, where.name, target, remarks)
    except KeyboardInterrupt:
        print("taut: interrupted; nothing was written", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    files = _write(plot, picture, model, fitted)
    if json:
        about = {"data": where.name, "target": target, "task": task, "rule": chosen, "notes": remarks}
        print_json({**about, **found.to_dict(), "files": files})
    else:
        _show(found, remarks, files)


def _rows(
    frame: pd.DataFrame, target: str, task: str | None, group: str | None, time: str | None, remarks: list[str]
) -> tuple[Rows, str]:
    """Return the table divided, and what is to be fitted."""
    from taut.data.targets import infer_task
    from taut.selection.rows import Rows

    rows = Rows.of(frame, target, group=group, time_column=time, notes=remarks)
    task = task or infer_task(rows.y)
    return rows.for_task(task), task


def _run(rows: Rows, recipe: Recipe, **options: Any) -> RegularizationPath:
    from taut.selection.path import regularization_path

    with progress("along the path", "summing up") as report:
        return regularization_path(recipe, rows.X, rows.y, groups=rows.groups, time=rows.time, report=report, **options)


def _picture(found: RegularizationPath, place: Path, data_name: str, target: str, remarks: list[str]) -> bytes:
    """Return the figures as the kind of file that `place` names."""
    if place.suffix.lower() == ".html":
        from taut.report.path_page import path_page

        return path_page(found, data_name=data_name, target=target, remarks=remarks).encode("utf-8")
    from taut.selection.path_figures import draw_path

    buffer = io.BytesIO()
    draw_path(found).savefig(buffer, format="png", dpi=DOTS_AN_INCH)
    return buffer.getvalue()


def _write(plot: Path | None, picture: bytes | None, model: Path | None, fitted: Model | None) -> dict[str, str]:
    """Write what was asked for and return the names of the files."""
    from taut.files import replace_file
    from taut.storage import save

    files = {}
    if model is not None and fitted is not None:
        try:
            save(fitted, model)
        except ModelFileError as error:  # not what the user gave, but what could not be done
            raise TautError(str(error)) from error
        files["model"] = str(model)
    if plot is not None and picture is not None:
        replace_file(plot, picture)
        files["plot"] = str(plot)
    return files


def rows_shown(length: int, marked: Sequence[int], most: int = ROWS) -> list[int]:
    """Return which rows of a long table are shown: its ends, those that are marked and around them, and some between.

    Examples
    --------
    >>> rows_shown(30, [12, 15], most=10)
    [0, 5, 11, 12, 13, 14, 15, 16, 22, 29]
    """
    if length <= most:
        return list(range(length))
    shown = {0, length - 1, *marked}
    shown |= {near for place in marked for near in (place - 1, place + 1) if 0 <= near < length}
    while len(shown) < most:  # the middle of the widest gap
        places = sorted(shown)
        before, after = max(pairwise(places), key=lambda pair: pair[1] - pair[0])
        shown.add((before + after) // 2)
    return sorted(shown)


def _show(found: RegularizationPath, remarks: list[str], files: dict[str, str]) -> None:
    from taut.selection.path_view import choices, notes, sentence, setting, top_labels

    say(display.printable(sentence(found)))
    marks = dict(choices(found))
    places = rows_shown(len(found.values), list(marks))
    top = top_labels(found)
    # The loss of classification is the log loss; that of regression is of the standardized target.
    metrics = [metric for metric in found.metric_names if metric != "log_loss"]
    heads = [found.axis.label, "validation loss", "training loss", *(METRIC_NAMES[metric] for metric in metrics)]
    heads += [] if top is None else [top[0]]
    made = table(*heads, "", numbers=range(len(heads)))
    for place in places:
        made.add_row(
            display.printable(setting(found.values[place].item())),
            plus_minus((float(found.mean[place]), float(found.standard_error[place]))),
            number(float(found.training[place])),
            *(number(float(found.metrics[metric][place].mean())) for metric in metrics),
            *([] if top is None else [top[1][place]]),
            marks.get(place, ""),
        )
    display.show(made)
    if len(places) < len(found.values):
        say(f"{len(places)} of {len(found.values)} values are shown; --json has all.", style="dim")
    if found.input_norms is not None and top is not None:
        say(_entering(found))
    for note in [*remarks, *notes(found)]:
        say(f"Note: {note}")
    for name, file in files.items():
        say(f"{name + ':':6} {file}")


def _entering(found: RegularizationPath) -> str:
    """Return in which order inputs enter."""
    order = [one_line(name) for name in found.entry_order]
    if not order:
        return "No input enters along this path."
    more = len(order) - NAMED
    named = order if more <= 1 else order[:NAMED]
    return f"Inputs in the order in which they enter: {', '.join(named)}{f', and {more} more' if more > 1 else ''}."
