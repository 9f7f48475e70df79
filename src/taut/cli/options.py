"""Options: those that several commands have, said once.

An option that is not given is None, so that its default stands where it is used and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from taut.checks import check_number
from taut.errors import InvalidType, InvalidValue

__all__ = [
    "Backend",
    "Budget",
    "Data",
    "Effort",
    "Folds",
    "FoldsOfAChoice",
    "Group",
    "Jobs",
    "Json",
    "RecipeFile",
    "Repeats",
    "Rule",
    "Seed",
    "Target",
    "Task",
    "Time",
    "effort",
    "effort_option",
    "integer",
    "number",
    "option",
]

LARGEST = 2**64 - 1  # the largest seed, and more than any count


def number(option: str, **bounds: float) -> Callable[[Any], Any]:
    """Return a parser for the value of an option: a number within bounds, as `check_number` takes them.

    Its message names the offending value, which those of typer do not.
    """
    return _parser(option, float, bounds)


def integer(option: str, *, at_least: int, at_most: int = LARGEST) -> Callable[[Any], Any]:
    """Return a parser for the value of an option: an integer within bounds."""
    return _parser(option, int, {"at_least": at_least, "at_most": at_most})


def _parser(option: str, kind: type[int] | type[float], bounds: dict[str, float]) -> Callable[[Any], Any]:
    def parse(given: Any) -> Any:
        if not isinstance(given, str):  # the default
            return given
        try:
            value: Any = kind(given)
        except ValueError:
            value = given  # which the check refuses, and shows
        try:
            check_number("it", value, integer=kind is int, **bounds)
        except (InvalidValue, InvalidType) as error:
            raise typer.BadParameter(str(error).replace(f" and at most {LARGEST:g}", ""), param_hint=option) from error
        except OverflowError as error:
            raise typer.BadParameter(f"it is too large, got {given[:20]}…", param_hint=option) from error
        return value

    return parse


SAMPLES_HELP = "or a sample set: breast_cancer, diabetes, digits, iris, spiral, wine"


def option(*names: str, metavar: str | None, help: str, parser: Callable[[Any], Any] | None = None) -> Any:  # noqa: A002
    """Return an option that is None unless it is given."""
    return typer.Option(*names, metavar=metavar, help=help, parser=parser, show_default=False)


Data = Annotated[str, typer.Argument(metavar="DATA", help=f"A table (CSV, TSV or Parquet), {SAMPLES_HELP}.")]
Target = Annotated[str | None, option("--target", metavar="COLUMN", help="Column to predict; sample sets know theirs.")]
Task = Annotated[
    Literal["classification", "regression"] | None,
    option("--task", metavar=None, help="What to fit; by default inferred from the target."),
]
RecipeFile = Annotated[Path | None, option("--recipe", metavar="FILE", help="Recipe to start from, .toml or .json.")]
Group = Annotated[
    str | None, option("--group", metavar="COLUMN", help="Rows with equal values are never divided between sets.")
]
Time = Annotated[str | None, option("--time", metavar="COLUMN", help="Earlier rows train, later ones test.")]
Jobs = Annotated[
    int | None,
    option(
        "--jobs",
        metavar="N",
        help="Threads, or workers of --backend; by default all cores.",
        parser=integer("--jobs", at_least=1),
    ),
]
Backend = Annotated[
    str | None,
    option("--backend", metavar="NAME", help="Share the work by a joblib backend, such as loky or dask."),
]


def effort_option(words: str) -> Any:
    """Return the option that says how much to try: some words, or a number."""
    told = f"How much to try: {words}, or a number of settings; by default standard."
    return option("--effort", metavar="WORD|N", help=told)


Effort = Annotated[str | None, effort_option("quick, standard, thorough")]
Budget = Annotated[
    str | None,
    option("--budget", metavar="TIME", help="Most time it may take, such as 90s, 2m or 1h; by default no limit."),
]
Rule = Annotated[
    Literal["min", "1se"] | None,
    option(
        "--rule",
        metavar=None,
        help="Take the lowest cross-validated loss, or the most regularized within one standard error of it.",
    ),
]
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
        "--cv",
        metavar="K",
        help="Folds of the cross-validation; by default 5.",
        parser=integer("--cv", at_least=2),
    ),
]
FoldsOfAChoice = Annotated[
    int | None,
    option(
        "--cv",
        metavar="K",
        help="Folds of the cross-validation; by default 10 of up to 1000 rows, and 5 of more.",
        parser=integer("--cv", at_least=2),
    ),
]
Repeats = Annotated[
    int | None,
    option(
        "--repeats",
        metavar="N",
        help="How many times the rows are divided anew; by default 1.",
        parser=integer("--repeats", at_least=1),
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def effort(given: str | None) -> dict[str, str | int]:
    """Return what `--effort` says as an argument, or nothing if it is not given."""
    if given is None:
        return {}
    return {"effort": int(given) if given.isdecimal() else given}
