"""`taut learning-curve`: the loss by how many rows are trained on, and what twice as many would bring."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from taut.cli import display
from taut.cli.display import METRIC_NAMES, number, plus_minus, print_json, progress, say, table
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
    Seed,
    Target,
    Task,
    Time,
    integer,
    option,
)
from taut.errors import InvalidValue

if TYPE_CHECKING:
    from taut.selection import LearningCurve

__all__ = ["learning_curve"]

INTERRUPTED = 130
DOTS_AN_INCH = 150

Sizes = Annotated[
    int | None,
    option(
        "--sizes",
        metavar="N",
        help="How many sizes, each about half of the next; by default 6.",
        parser=integer("--sizes", at_least=3),
    ),
]
PlotOut = Annotated[Path | None, option("--plot", metavar="OUT.png", help="Draw the curve and its law.")]


def learning_curve(
    data: Data,
    target: Target = None,
    task: Task = None,
    recipe: RecipeFile = None,
    cv: Folds = None,
    repeats: Repeats = None,
    sizes: Sizes = None,
    group: Group = None,
    time: Time = None,
    plot: PlotOut = None,
    seed: Seed = None,
    jobs: Jobs = None,
    backend: Backend = None,
    json: Json = False,
) -> None:
    """Say what more rows would bring.

    Growing parts of the training rows of each fold are trained on. A power law through the validation losses tells what
    twice the rows would bring, and how certain that is.
    """
    if plot is not None and plot.suffix.lower() != ".png":
        raise InvalidValue(f"--plot {plot}: the figure is written as .png")
    where = source(data)
    check_outputs({"--plot": plot}, [where.path, recipe])
    start = read_recipe(recipe, seed)
    frame, known = where.read()
    target = choose_target(frame, where.name, target, known)
    check_columns(frame, where.name, {"--group": group, "--time": time})
    options: dict[str, Any] = {
        "task": task,
        "cv": cv,
        "repeats": repeats,
        "n_sizes": sizes,
        "n_jobs": jobs,
        "backend": backend,
    }
    try:
        found, remarks = _run(
            (frame, target, group, time),
            start,
            **{name: value for name, value in options.items() if value is not None},
        )
    except KeyboardInterrupt:
        print("taut: interrupted; nothing was written", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    files = {} if plot is None else _draw(found, plot)
    if json:
        print_json({"data": where.name, "target": target, "notes": remarks, **found.to_dict(), "files": files})
    else:
        _show(found, remarks, files)


def _run(
    where: tuple[Any, str, str | None, str | None], recipe: Any, *, task: str | None = None, **options: Any
) -> tuple[LearningCurve, list[str]]:
    """Return the curve, and what is to be known about the rows."""
    from taut.data.targets import infer_task
    from taut.selection import Rows
    from taut.selection import learning_curve as run

    frame, target, group, time = where
    remarks: list[str] = []
    rows = Rows.of(frame, target, group=group, time_column=time, notes=remarks)
    task = task or infer_task(rows.y)
    rows = rows.for_task(task)
    with progress("on growing parts", "fitting the law") as report:
        found = run(recipe, rows.X, rows.y, task=task, groups=rows.groups, time=rows.time, report=report, **options)
    return found, remarks


def _draw(found: LearningCurve, place: Path) -> dict[str, str]:
    from matplotlib.figure import Figure

    from taut.files import replace_file

    figure, buffer = Figure(layout="constrained"), io.BytesIO()
    found.plot(figure.subplots())
    figure.savefig(buffer, format="png", dpi=DOTS_AN_INCH)
    replace_file(place, buffer.getvalue())
    return {"plot": str(place)}


def _show(found: LearningCurve, remarks: list[str], files: dict[str, str]) -> None:
    say(display.printable(found.advice()))
    # The loss of regression is that of the standardized target, which nobody measures in.
    scores = {name: found.score(name) for name in found.metrics}
    made = table("rows", *(METRIC_NAMES[name] for name in scores), "law", numbers=range(len(scores) + 2))
    for place, size in enumerate(found.sizes.tolist()):
        cells = (plus_minus((float(means[place]), float(errors[place]))) for means, errors in scores.values())
        made.add_row(str(size), *cells, number(found.predict(size)))
    made.add_row(str(found.doubling.rows), *("" for _ in scores), number(found.doubling.loss))
    display.show(made)
    law = found.law
    say(f"law: {number(law.a)} + {number(law.b)} × rows^−{number(law.c)}, fitted to the {METRIC_NAMES[found.metric]}")
    for remark in remarks:
        say(f"Note: {remark}")
    for what, file in files.items():
        say(f"{what}: {file}")
