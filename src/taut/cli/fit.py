"""`taut fit`: from a table to chosen networks, their honest test score, a model file and a report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from taut.cli.display import one_line, print_json, progress, say, score_table, show
from taut.cli.inputs import Source, check_columns, check_outputs, choose_target, read_recipe, source
from taut.cli.options import (
    Backend,
    Budget,
    Data,
    FoldsOfAChoice,
    Group,
    Jobs,
    Json,
    RecipeFile,
    Rule,
    Seed,
    Target,
    Task,
    Time,
    effort_option,
    number,
    option,
)
from taut.cli.options import effort as parse_effort
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
Final = Annotated[
    Literal["refit", "ensemble"] | None,
    option(
        "--final",
        metavar=None,
        help="Keep the networks that answer best together, or one fitted to all training rows; by default ensemble, "
        "with --effort none or --rule 1se refit.",
    ),
]
Objective = Annotated[
    Literal["log_loss", "accuracy", "balanced_accuracy", "roc_auc", "brier", "rmse", "mae", "r2"] | None,
    option("--objective", metavar="NAME", help="What the ensemble is chosen by; by default log_loss or rmse."),
]
Effort = Annotated[str | None, effort_option("none (one network by the recipe), quick, standard, thorough")]


def fit(
    data: Data,
    target: Target = None,
    task: Task = None,
    test_size: TestSize = None,
    test: Test = None,
    recipe: RecipeFile = None,
    effort: Effort = None,
    objective: Objective = None,
    budget: Budget = None,
    rule: Rule = None,
    final: Final = None,
    model: ModelOut = None,
    report: ReportOut = None,
    seed: Seed = None,
    cv: FoldsOfAChoice = None,
    group: Group = None,
    time: Time = None,
    jobs: Jobs = None,
    backend: Backend = None,
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
    options: dict[str, Any] = {"test_size": test_size, "cv": cv, "test": test_frame, "rule": rule, "final": final}
    options |= {"objective": objective}
    options |= {"budget": budget, **parse_effort(effort)}
    try:
        result = _fit(
            frame,
            target,
            task=task,
            recipe=start,
            seed=start.seed,
            group=group,
            time_column=time,
            previous=_looks_before(model),
            n_jobs=jobs,
            backend=backend,
            data_name=table.name,
            **{name: value for name, value in options.items() if value is not None},
        )
    except KeyboardInterrupt:
        print("taut: interrupted; nothing was written", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    summary = result.summary()
    _write(result, summary, model, report)
    more = "" if result.search.stopped_by_budget else result.search.more()
    files = {"model": str(model), "report": str(report)}
    if json:
        print_json({**summary, **files})
    else:
        _show(summary, files, left_out(result.model.encoder.schema_), more)


def _read(tested: Source, roles: dict[str, str | None]) -> Any:
    frame, _ = tested.read()
    check_columns(frame, tested.name, roles)
    return frame


def _looks_before(model: Path) -> Any:
    """Return what the model file that will be replaced remembers of its test rows, if it is one."""
    from taut.storage import read_summary

    try:
        return (read_summary(model) or {}).get("looks")
    except ModelFileError:
        return None


def _fit(frame: Any, target: str, *, n_jobs: int | None, **options: Any) -> FitResult:
    from taut.selection import fit_table

    with progress("choosing", "fitting the choice, and testing it") as report:
        return fit_table(frame, target, n_jobs=n_jobs, report=report, **options)


def _write(result: FitResult, summary: dict[str, Any], model: Path, report: Path) -> None:
    from taut.report import write_report
    from taut.storage import save

    try:
        save(result.kept, model, summary=summary)
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


def _show(summary: dict[str, Any], files: dict[str, str], columns: str, more: str) -> None:
    say(summary["answer"])
    show(score_table(summary))
    for note in summary["notes"]:
        say(f"Note: {note}")
    if columns:
        say(columns)
    rows, tried = summary["rows"], summary["search"]["n_settings"]
    say(
        f"{rows['train']} rows to learn from, {rows['test']} to test on, {tried} settings tried "
        f"in {summary['seconds']:.1f} s (seed {summary['seed']}); taut {summary['versions']['taut']}"
        + (f". {more}" if more else "")
    )
    say(f"model:  {files['model']}")
    say(f"report: {files['report']}")
