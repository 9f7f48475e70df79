"""`taut fit`: from a table to a chosen network, its honest test score, a model file and a report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from taut.cli import display
from taut.cli.display import one_line, print_json, progress, say, score_table
from taut.cli.inputs import Source, check_columns, check_outputs, choose_target, read_recipe, source
from taut.cli.options import Data, Group, Jobs, Json, RecipeFile, Target, Task, Time, integer, number, option
from taut.cli.workers import workers
from taut.errors import InvalidValue, ModelFileError, TautError

if TYPE_CHECKING:
    from taut.data.schema import ColumnSchema
    from taut.selection import FitResult

__all__ = ["fit"]


INTERRUPTED = 130
LONGEST = 30  # characters of a column's name
NAMED = 4  # columns that were left out are named up to so many

PLACE = "by default DATA's name in this folder."

TestSize = Annotated[
    float | None,
    option(
        "--test-size",
        metavar="SHARE",
        help="Share of the rows to set aside for the test; by default 0.2.",
        parser=number("--test-size", above=0, below=1),
    ),
]
Test = Annotated[str | None, option("--test", metavar="FILE", help="Test on this table instead; it is looked at once.")]
ModelOut = Annotated[Path | None, option("--model", metavar="OUT.taut", help=f"Model file; {PLACE}")]
ReportOut = Annotated[Path | None, option("--report", metavar="OUT.html", help=f"Report; {PLACE}")]
Seed = Annotated[
    int | None,
    option(
        "--seed",
        metavar="N",
        help="Seed of everything; by default the recipe's, or 0.",
        parser=integer("--seed", at_least=0),
    ),
]
Folds = Annotated[
    int | None,
    option(
        "--cv", metavar="K", help="Folds of the cross-validation; by default 5.", parser=integer("--cv", at_least=2)
    ),
]


def fit(
    data: Data,
    target: Target = None,
    task: Task = None,
    test_size: TestSize = None,
    test: Test = None,
    recipe: RecipeFile = None,
    model: ModelOut = None,
    report: ReportOut = None,
    seed: Seed = None,
    cv: Folds = None,
    group: Group = None,
    time: Time = None,
    jobs: Jobs = None,
    json: Json = False,
) -> None:
    """Choose, fit and test a regularized network for a table."""
    if test is not None and test_size is not None:
        raise InvalidValue("give either --test or --test-size, not both")
    table, tested = source(data), None if test is None else source(test)
    model, report = model or Path(f"{table.stem}.taut"), report or Path(f"{table.stem}.html")
    inputs = [table.path, recipe, None if tested is None else tested.path]
    check_outputs({"--model": model, "--report": report}, inputs)
    start = read_recipe(recipe, seed)
    frame, known = table.read()
    target = choose_target(frame, table.name, target, known)
    roles = {"--target": target, "--group": group, "--time": time}
    check_columns(frame, table.name, roles)
    test_frame = None if tested is None else _read(tested, roles)
    options: dict[str, Any] = {"test_size": test_size, "cv": cv, "test": test_frame}
    try:
        result = _fit(
            frame,
            target,
            task=task,
            recipe=start,
            seed=start.seed,
            group=group,
            time_column=time,
            n_jobs=jobs,
            data_name=table.name,
            **{name: value for name, value in options.items() if value is not None},
        )
    except KeyboardInterrupt:
        print("taut: interrupted; nothing was written", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    summary = result.summary()
    _write(result, summary, model, report)
    files = {"model": str(model), "report": str(report)}
    if json:
        print_json({**summary, **files})
    else:
        _show(summary, files, left_out(result.model.encoder.schema_))


def _read(tested: Source, roles: dict[str, str | None]) -> Any:
    frame, _ = tested.read()
    check_columns(frame, tested.name, roles)
    return frame


def _fit(frame: Any, target: str, *, n_jobs: int | None, **options: Any) -> FitResult:
    from taut.selection import fit_table

    with workers(n_jobs), progress("choosing", "fitting the choice, and testing it") as report:
        return fit_table(frame, target, n_jobs=n_jobs, report=report, **options)


def _write(result: FitResult, summary: dict[str, Any], model: Path, report: Path) -> None:
    from taut.report import write_report
    from taut.storage import save

    try:
        save(result.model, model, summary=summary)
    except ModelFileError as error:  # not what the user gave, but what could not be done
        raise TautError(str(error)) from error
    write_report(result, report)


def left_out(columns: Sequence[ColumnSchema]) -> str:
    """Return in one line which columns were left out and why; nothing if none was.

    Examples
    --------
    >>> from taut.data.schema import ColumnSchema
    >>> left_out([ColumnSchema("age", "number", "scaled", 0, 1), ColumnSchema("notes", "empty", "left out", 9, 0)])
    'Left out: notes (empty)'
    """
    words = [f"{one_line(_shortened(column.name))} ({_why(column)})" for column in columns if not column.n_outputs]
    if not words:
        return ""
    more = len(words) - NAMED
    if more > 1:
        return f"Left out: {', '.join(words[:NAMED])}, and {more} more"
    return f"Left out: {', '.join(words)}"


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _why(column: ColumnSchema) -> str:
    """Return why a column was left out, in a few words."""
    return "free text" if column.kind == "identifier" and "text" in column.treatment else column.kind


def _show(summary: dict[str, Any], files: dict[str, str], columns: str) -> None:
    say(summary["answer"])
    display.show(score_table(summary))
    for note in summary["notes"]:
        say(f"Note: {note}")
    if columns:
        say(columns)
    rows = summary["rows"]
    say(
        f"{rows['train']} rows to learn from, {rows['test']} to test on, {len(summary['candidates'])} settings tried "
        f"in {summary['seconds']:.1f} s (seed {summary['seed']}); taut {summary['versions']['taut']}"
    )
    say(f"model:  {files['model']}")
    say(f"report: {files['report']}")
