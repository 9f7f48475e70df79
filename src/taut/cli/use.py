"""`taut predict` and `taut show`: what can be done with a model file."""

from __future__ import annotations

import io
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taut.cli import display
from taut.cli.display import one_line, print_json, say, score_table, table
from taut.cli.inputs import check_outputs, source
from taut.cli.options import Data, Json, option
from taut.errors import InvalidValue

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from taut.network import Network
    from taut.storage import ModelInfo
    from taut.training import Ensemble, Model, Recipe

__all__ = ["predict", "show"]

ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file that taut fit has written.")]

Output = Annotated[
    Path | None,
    option("-o", "--output", metavar="OUT", help="Write here (.csv, .tsv or .parquet), and not to stdout."),
]
Probabilities = Annotated[bool, typer.Option("--proba", help="Give the probability of each class.")]

DIGITS = "%.10g"  # more digits than any prediction has, and none that come from rounding
FORMATS = (".csv", ".tsv", ".parquet")
LEVELS_SHOWN = 5
RECIPES_SHOWN = 10


def predict(
    model: ModelFile,
    data: Data,
    output: Output = None,
    proba: Probabilities = False,
    json: Json = False,
) -> None:
    """Predict the target for the rows of a table.

    The columns may stand in any order; more of them, the target among them, do no harm.
    """
    from taut.storage import load

    where = source(data)
    if output is not None and output.suffix.lower() not in FORMATS:
        raise InvalidValue(f"-o {output}: cannot tell what kind of table to write; end it in {', '.join(FORMATS)}")
    check_outputs({"-o": output}, [model, where.path])
    loaded = _with_columns(load(model), model)
    frame, _ = where.read(allow_no_rows=True)
    predicted = _predictions(loaded, frame, proba=proba)
    notes = loaded.surprises(frame)
    if output is not None:
        _write(predicted, output)
    if json:
        about = {"model": str(model), "data": data, "output": None if output is None else str(output)}
        rows = {"predictions": predicted.to_dict(orient="records")} if output is None else {}
        found = {"rows": len(predicted), "columns": list(predicted.columns), "notes": notes}
        print_json({**about, **found, **rows})
        return
    for note in notes:
        print(f"taut: note: {one_line(note)}", file=sys.stderr)
    if output is None:
        predicted.to_csv(sys.stdout, index=False, lineterminator="\n", float_format=DIGITS)
    else:
        say(f"{len(predicted)} predictions in {output}")


def _with_columns(found: Any, path: Path) -> Model | Ensemble:
    """Return the model or ensemble that was in a file, whether it stood alone or in an estimator."""
    from taut.network import Network
    from taut.training import Ensemble, Model

    if isinstance(found, Network):
        raise InvalidValue(f"{path}: this is a bare network, which knows no columns; save a model or an estimator")
    return found if isinstance(found, (Ensemble, Model)) else found.model_


def _predictions(model: Model | Ensemble, frame: pd.DataFrame, *, proba: bool) -> pd.DataFrame:
    import pandas as pd

    from taut.data.targets import ClassTargets

    if proba:
        if not isinstance(model.targets, ClassTargets):
            raise InvalidValue("--proba: a regression model has no class probabilities; leave it out")
        names = [f"probability_{label}" for label in model.targets.classes_]
        return pd.DataFrame(model.predict_proba(frame), columns=names)
    values: np.ndarray = model.predict(frame)
    if values.ndim == 2:
        return pd.DataFrame(values, columns=[f"prediction_{position}" for position in range(values.shape[1])])
    return pd.DataFrame({"prediction": values})


def _write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table so that a file is there only when it is complete."""
    from taut.files import replace_file

    buffer = io.BytesIO()
    if path.suffix.lower() == ".parquet":
        frame.to_parquet(buffer, index=False)
    else:
        separator = "\t" if path.suffix.lower() == ".tsv" else ","
        frame.to_csv(buffer, index=False, sep=separator, lineterminator="\n", float_format=DIGITS)
    replace_file(path, buffer.getvalue())


def show(model: ModelFile, json: Json = False) -> None:
    """Show what a model file holds.

    That is its scores, its recipe, what each column is and what was done with it, the network, and the versions of
    what it was made with.
    """
    from taut.storage import inspect, load

    info = inspect(model)
    network = _first_network(load(model), model)
    if json:
        print_json(_as_json(info, network))
        return
    _show_head(info)
    if info.summary is not None:
        display.show(score_table(info.summary))
        for note in info.summary["notes"]:
            say(f"Note: {note}")
    if len(info.shares) > 1:
        _show_shares(info)
    if info.recipe is not None:
        _show_recipe(info.recipe)
    if info.columns:
        _show_columns(info)
    say("Network" if info.n_models == 1 else f"The first of {info.n_models} networks", style="bold")
    say(repr(network))
    say()
    say("Made with " + ", ".join(f"{name} {version}" for name, version in info.versions.items()))


def _first_network(found: Any, path: Path) -> Network:
    """Return the network of what was in a file, of an ensemble the first."""
    from taut.network import Network
    from taut.training import Ensemble

    if isinstance(found, Network):
        return found
    model = _with_columns(found, path)
    return (model.models[0] if isinstance(model, Ensemble) else model).network


def _as_json(info: ModelInfo, network: Network) -> dict[str, Any]:
    values = {field.name: getattr(info, field.name) for field in fields(info)}
    return {
        **values,
        "path": str(info.path),
        "recipe": None if info.recipe is None else info.recipe.to_dict(),
        "shares": [{"recipe": recipe.to_dict(), "share": share} for recipe, share in info.shares],
        "columns": [column.to_dict() for column in info.columns],
        "network": network.to_spec(),
    }


def _show_head(info: ModelInfo) -> None:
    size = sum(info.sizes.values()) / 1024
    summary = info.summary or {}
    of = f" of {summary['target']}, fitted to {summary['data']}" if summary else ""
    what = f"a {info.kind}" if info.task is None else f"{info.task}{of}"
    if info.kind == "ensemble" or info.n_models > 1:
        what += f", an ensemble of {info.n_models} network{'' if info.n_models == 1 else 's'}"
    if info.temperature != 1.0:
        what += f" at temperature {info.temperature:.3g}"
    say(f"{info.path}: {what} ({size:.0f} kB unpacked, format {info.format})")
    if info.classes is not None:
        shown = ", ".join(map(str, info.classes[:20])) + (", …" if len(info.classes) > 20 else "")
        say(f"{len(info.classes)} classes: {shown}")
    if summary:
        say()
        say(summary["answer"])


def _show_shares(info: ModelInfo) -> None:
    """Show which recipes most of an ensemble's answer comes from, by the fields in which they differ."""
    settings = [asdict(recipe) for recipe, _ in info.shares]
    differing = [name for name in settings[0] if name != "seed" and any(s[name] != settings[0][name] for s in settings)]
    say(f"{len(info.shares)} recipes, by their share of the answer", style="bold")
    for own, (_, share) in zip(settings[:RECIPES_SHOWN], info.shares, strict=False):
        say(f"  {share:4.0%}  {', '.join(f'{name} {_plain(own[name])}' for name in differing)}")
    rest = info.shares[RECIPES_SHOWN:]
    if rest:
        say(f"  {sum(share for _, share in rest):4.0%}  {len(rest)} more")
    say()


def _show_recipe(recipe: Recipe) -> None:
    """Show the fields that are not as they would be by default, then the rest in a paragraph."""
    default = asdict(type(recipe)())
    values = asdict(recipe)
    own = {name: value for name, value in values.items() if value != default[name]}
    say(f"Recipe: {recipe.describe()}", style="bold")
    for name, value in own.items():
        say(f"  {name} = {_plain(value)}")
    rest = ", ".join(f"{name} {_plain(value)}" for name, value in values.items() if name not in own)
    say(f"{'  all others' if own else '  all'} as by default: {rest}", style="dim")
    say()


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "none" if value is None else str(value)


def _show_columns(info: ModelInfo) -> None:
    made = table("column", "kind", "what was done", "range or levels", "missing", "inputs", numbers=(4, 5))
    for column in info.columns:
        levels = ", ".join(column.levels[:LEVELS_SHOWN]) + (", …" if len(column.levels) > LEVELS_SHOWN else "")
        span = "" if column.minimum is None else f"{_short(column.minimum)} to {_short(column.maximum)}"
        made.add_row(
            column.name, column.kind, column.treatment, levels or span, str(column.n_missing), str(column.n_outputs)
        )
    beside = info.n_inputs - sum(column.n_outputs for column in info.columns)
    words = f", {beside} of them principal components of all numbers" if beside else ""
    say(f"{len(info.columns)} columns, {info.n_inputs} inputs{words}", style="bold")
    display.show(made)


def _short(value: float | str | None) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)
