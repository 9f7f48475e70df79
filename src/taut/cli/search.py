"""`taut search`: what regularizes best on a table, and what each ingredient is worth; the trials are kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taut.cli import display
from taut.cli.display import METRIC_NAMES, number, plus_minus, print_json, progress, say, table
from taut.cli.inputs import check_columns, check_outputs, choose_target, read_recipe, source
from taut.cli.options import (
    Backend,
    Budget,
    Data,
    Effort,
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
from taut.cli.options import effort as parse_effort
from taut.errors import ModelFileError, TautError

if TYPE_CHECKING:
    from taut.selection import SearchResult
    from taut.selection.nested import Nested
    from taut.selection.rows import Rows

__all__ = ["search"]

SHOWN = 8  # settings, best first

Storage = Annotated[
    str | None,
    option(
        "--storage",
        metavar="FILE|URL",
        help="Where Optuna keeps the trials: a file, for SQLite, or the URL of a database; "
        "by default DATA's name.search.db in this folder.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the search that the storage holds.")]
NestedFolds = Annotated[
    int | None,
    option(
        "--nested",
        metavar="K",
        help="Price the choosing: search anew in each of K outer folds, and score on its rows; "
        "--budget is for each search.",
        parser=integer("--nested", at_least=2),
    ),
]
ModelOut = Annotated[
    Path | None, option("--model", metavar="OUT.taut", help="Fit the choice to all rows, and save it here.")
]


def search(
    data: Data,
    target: Target = None,
    task: Task = None,
    recipe: RecipeFile = None,
    effort: Effort = None,
    budget: Budget = None,
    rule: Rule = None,
    cv: Folds = None,
    repeats: Repeats = None,
    nested: NestedFolds = None,
    storage: Storage = None,
    resume: Resume = False,
    model: ModelOut = None,
    seed: Seed = None,
    group: Group = None,
    time: Time = None,
    jobs: Jobs = None,
    backend: Backend = None,
    json: Json = False,
) -> None:
    """Search, from coarse to fine, for what regularizes best.

    All rows are used to choose. For a score on rows that had no part in it, take taut fit, or --nested.
    """
    from taut.data.targets import infer_task
    from taut.selection.rows import Rows

    where = source(data)
    kept = storage or f"{where.stem}.search.db"
    check_outputs({"--model": model}, [where.path, recipe])
    start = read_recipe(recipe, seed)
    frame, known = where.read()
    target = choose_target(frame, where.name, target, known)
    check_columns(frame, where.name, {"--group": group, "--time": time})
    rows = Rows.of(frame, target, group=group, time_column=time)
    chosen_task = task or infer_task(rows.y)
    rows = rows.for_task(chosen_task)
    options: dict[str, Any] = {"cv": cv, "repeats": repeats, "budget": budget, **parse_effort(effort)}
    options = {name: value for name, value in options.items() if value is not None}
    options |= {"task": chosen_task, "n_jobs": jobs, "backend": backend}
    from taut.selection.search import search as run

    with progress("searching", "weighing the ingredients") as report:
        found = run(
            start,
            None,
            rows.X,
            rows.y,
            groups=rows.groups,
            time=rows.time,
            storage=kept,
            resume=resume,
            report=report,
            **options,
        )
    priced = None if nested is None else _price(start, rows, nested, rule or "min", options)
    if model is not None:
        _save(found, rule or "min", model)
    if json:
        about = {"data": where.name, "target": target, "task": chosen_task, "rule": rule or "min"}
        files = {"model": None if model is None else str(model)}
        extra = {} if priced is None else {"nested": priced.to_dict()}
        print_json({**about, "answer": sentence(found), **found.to_dict(), **extra, **files})
        return
    _show(found)
    if priced is not None:
        say(priced.sentence())
    say(f"trials: {found.storage}   (optuna-dashboard opens them)")
    if model is not None:
        say(f"model:  {model}")


def _price(start: Any, rows: Rows, outer: int, rule: str, options: dict[str, Any]) -> Nested:
    """Search anew in each of some outer folds; the trials of these are not kept."""
    from taut.selection.nested import ByRule, nested_cross_validation
    from taut.selection.search import search as run

    def choose(X: Any, y: Any, **parts: Any) -> ByRule:
        return ByRule(run(start, None, X, y, **options, **parts), rule)

    with progress("pricing the choice", "weighing it") as report:
        return nested_cross_validation(
            choose,
            rows.X,
            rows.y,
            cv=outer,
            task=options["task"],
            groups=rows.groups,
            time=rows.time,
            seed=start.seed,
            report=report,
        )


def _save(found: SearchResult, rule: str, model: Path) -> None:
    from taut.storage import save

    try:
        save(found.refit(rule, interruptible=False), model)
    except ModelFileError as error:  # not what the user gave, but what could not be done
        raise TautError(str(error)) from error


def sentence(found: SearchResult) -> str:
    """Return the answer in one sentence."""
    best, simple, metric = found.best, found.simplest, found.metrics[0]
    name = METRIC_NAMES[metric]
    folds = len(best.losses)
    text = (
        f"Of {found.n_settings} settings on {folds} folds, the best is {best.recipe.describe()}, with a {name} of "
        f"{plus_minus(best.scores[metric])} over the folds"
    )
    if simple is best:
        return f"{text}; none that regularizes more is within one standard error of it."
    return (
        f"{text}; the one that regularizes most within one standard error of it is {simple.recipe.describe()}, with "
        f"{plus_minus(simple.scores[metric])}."
    )


def _show(found: SearchResult) -> None:
    say(sentence(found))
    first, second = found.metrics
    made = table(f"validation {METRIC_NAMES[first]}", METRIC_NAMES[second], "epochs", "settings", numbers=(0, 1, 2))
    complete = sorted((trial for trial in found.trials if trial.is_complete), key=lambda trial: trial.mean)
    for trial in complete[:SHOWN]:
        made.add_row(
            plus_minus(trial.scores[first]),
            plus_minus(trial.scores[second]),
            str(trial.epochs),
            trial.recipe.describe(),
        )
    display.show(made)
    stopped = found.n_settings - len(complete)
    if stopped:
        say(f"{stopped} of the {found.n_settings} settings fell behind and were stopped early.")
    if found.ingredients:
        worth = table("ingredient of the best", "value", "the loss rises without it by", numbers=(1, 2))
        for one in found.ingredients:
            value = number(one.value) if isinstance(one.value, float) else str(one.value)
            worth.add_row(one.name, value, plus_minus((one.worth, one.error)))
        display.show(worth)
        say(
            "Chosen on the same folds, both the best loss and what its ingredients are worth flatter a little.",
            style="dim",
        )
    more = found.more()
    say(f"{found.seconds:.1f} s.{' ' + more if more else ''}")
