"""`taut animate`: a film of two networks that learn the same rows, one regularized and one not."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from taut.cli.display import number as shown
from taut.cli.display import print_json, progress, say
from taut.cli.inputs import check_columns, check_outputs, choose_target, read_recipe, source
from taut.cli.options import Data, Json, RecipeFile, Seed, Target, Task, integer, number, option
from taut.errors import DataError, InvalidValue

__all__ = ["animate"]

INTERRUPTED = 130

Out = Annotated[Path | None, option("-o", "--out", metavar="FILE", help="Where to write it: .gif, .html or .mp4.")]
Inputs = Annotated[
    str | None, option("--inputs", metavar="A,B", help="The two columns to look at, for a table of more than two.")
]
Frames = Annotated[
    int | None,
    option("--frames", metavar="N", help="Most frames; by default 60.", parser=integer("--frames", at_least=2)),
]
Epochs = Annotated[
    int | None,
    option(
        "--epochs", metavar="N", help="Passes over the rows; by default 200.", parser=integer("--epochs", at_least=1)
    ),
]
Speed = Annotated[
    float | None,
    option("--fps", metavar="N", help="Frames a second; by default 10.", parser=number("--fps", above=0, at_most=60)),
]
Strength1 = Annotated[
    float | None, option("--l1", metavar="X", help="L1 of the regularized one.", parser=number("--l1", at_least=0))
]
Strength2 = Annotated[
    float | None,
    option("--l2", metavar="X", help="Its L2; by default 0.0003.", parser=number("--l2", at_least=0)),
]
Dropout = Annotated[
    float | None,
    option(
        "--dropout",
        metavar="P",
        help="Its dropout; by default 0.1.",
        parser=number("--dropout", at_least=0, below=1),
    ),
]
Units = Annotated[
    int | None,
    option("--units", metavar="N", help="Units of its hidden layers.", parser=integer("--units", at_least=1)),
]
Width = Annotated[
    float | None,
    option(
        "--width",
        metavar="INCHES",
        help="Width, at 100 dots an inch; by default 7.2.",
        parser=number("--width", at_least=3, at_most=30),
    ),
]

#: Where no recipe is given: long enough for noise to be learned, with a penalty to be seen.
USUAL: dict[str, Any] = {"epochs": 200, "l2": 3e-4, "dropout": 0.1, "weight_decay": 0.0}


def animate(
    data: Data,
    target: Target = None,
    out: Out = None,
    inputs: Inputs = None,
    task: Task = None,
    recipe: RecipeFile = None,
    frames: Frames = None,
    epochs: Epochs = None,
    fps: Speed = None,
    l1: Strength1 = None,
    l2: Strength2 = None,
    dropout: Dropout = None,
    units: Units = None,
    width: Width = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Show how a network learns, in a film.

    Two networks learn the same rows from the same start, one regularized as the recipe says, one not at all. The film
    shows what each answers all over a plane of two inputs, and its losses in training and on rows set aside, the
    penalty apart.
    """
    from taut.plots.animation import check_place

    where = source(data)
    place = Path(f"{where.stem}.gif") if out is None else out
    check_place(place)
    check_outputs({"--out": place}, [where.path, recipe])
    start = read_recipe(recipe, seed)
    changes = dict(USUAL) if recipe is None else {}
    if l1 is not None:
        changes.pop("l2", None)
    given = {"epochs": epochs, "l1": l1, "l2": l2, "dropout": dropout}
    changes |= {name: value for name, value in given.items() if value is not None}
    if units is not None:
        changes["hidden_layer_sizes"] = tuple(units for _ in start.hidden_layer_sizes) or (units,)
    start = replace(start, **{name: value for name, value in changes.items() if value is not None})
    frame, known = where.read()
    target = choose_target(frame, where.name, target, known)
    plane = None if inputs is None else [name.strip() for name in inputs.split(",")]
    check_columns(frame, where.name, {f"--inputs {name}": name for name in plane or ()})
    try:
        film = _film(frame, target, task, start, plane, place, frames, fps, width)
    except KeyboardInterrupt:
        print("taut: interrupted; nothing was written", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    losses = {
        name: {each: float(history[each][-1]) for each in ("data_loss", "validation_data_loss", "penalty")}
        for name, history in zip(("regularized", "unregularized"), film.histories, strict=True)
    }
    if json:
        files = {"film": str(place)}
        print_json({"data": where.name, "target": target, "frames": len(film), "losses": losses, "files": files})
        return
    for (name, found), words in zip(losses.items(), film.words, strict=True):
        say(
            f"{name} ({words}): data loss {shown(found['data_loss'])} in training, "
            f"{shown(found['validation_data_loss'])} on rows set aside, penalty {shown(found['penalty'])}"
        )
    say(f"film: {place} ({len(film)} frames, {place.stat().st_size / 1e6:.1f} MB)")


def _film(
    frame: Any,
    target: str,
    task: str | None,
    recipe: Any,
    inputs: list[str] | None,
    place: Path,
    frames: int | None,
    fps: float | None,
    width: float | None,
) -> Any:
    """Train, draw and write; return the film."""
    from taut.plots.animation import Film
    from taut.selection import Rows

    rows = Rows.of(frame, target)
    if inputs is None and rows.X.shape[1] != 2:
        raise InvalidValue(
            f"a film shows two inputs, and the table has {rows.X.shape[1]}: say which, as in --inputs "
            f"{','.join(map(str, rows.X.columns[:2]))}"
        )
    if len(rows.y) < 10:
        raise DataError(f"a film needs at least 10 rows, and the table has {len(rows.y)}")
    options = {name: value for name, value in (("fps", fps), ("width", width)) if value is not None}
    with progress("two networks", "drawing") as report:
        film = Film.record(
            rows.X,
            rows.y,
            recipe=recipe,
            task=task,
            inputs=inputs,
            report=report,
            **({"frames": frames} if frames else {}),
        )
    with progress("film", "writing") as report:
        film.save(place, report=report, **options)
    return film
