"""Inputs: what a command is given, checked before anything takes long.

A table by its path or a sample set by its name, columns with a suggestion for a slip of the pen, recipes from files,
and the places where results will be written. Knows nothing of screens.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from taut.errors import DataError, InvalidValue

if TYPE_CHECKING:
    import pandas as pd

    from taut.training import Recipe

__all__ = ["Source", "check_outputs", "read_recipe", "source", "suggest"]


@dataclass(frozen=True)
class Source:
    """Where a table comes from.

    Attributes
    ----------
    name : str
        What the user called it.
    path : Path or None
        Its file; None for a sample set.
    """

    name: str
    path: Path | None

    @property
    def stem(self) -> str:
        """What files that are made from it are called by default."""
        if self.path is None:
            return self.name
        return Path(self.path.stem).stem if self.path.suffix.lower() == ".gz" else self.path.stem

    def read(self, *, allow_no_rows: bool = False) -> tuple[pd.DataFrame, str | None]:
        """Return the table, and the target column if the source knows it."""
        from taut.data.reading import read_table
        from taut.data.samples import load_sample

        if self.path is None:
            return load_sample(self.name)
        return read_table(self.path, allow_no_rows=allow_no_rows), None


def source(data: str) -> Source:
    """Return the source that DATA names: a file if there is one of that name, else a sample set.

    Raises
    ------
    DataError
        If it is neither, or a folder.
    """
    from taut.data.samples import SAMPLES

    path = Path(data)
    if path.is_dir():
        raise DataError(f"{data}: this is a folder; name a file in it")
    if path.exists():
        return Source(data, path)
    if data in SAMPLES:
        return Source(data, None)
    if path.suffix or os.sep in data:
        raise DataError(f"{data}: there is no such file; check the path")
    raise DataError(f"there is no file and no sample set {data!r}{suggest(data, SAMPLES, 'the sample sets are')}")


def suggest(word: str, known: Iterable[object], otherwise: str) -> str:
    """Return the end of a message about an unknown word: the one that was meant, or those that there are.

    Examples
    --------
    >>> suggest("Incme", ["age", "income"], "the columns are")
    "; did you mean 'income'?"
    >>> suggest("x", ["age", "income"], "the columns are")
    '; the columns are age, income'
    """
    words = [str(one) for one in known]
    folded = {one.casefold(): one for one in reversed(words)}
    close = get_close_matches(word.casefold(), folded, n=1)
    if close:
        return f"; did you mean {folded[close[0]]!r}?"
    shown = ", ".join(words[:20]) + (f", … ({len(words)} in all)" if len(words) > 20 else "")
    return f"; {otherwise} {shown}"


def check_columns(frame: pd.DataFrame, where: str, columns: dict[str, str | None]) -> None:
    """Raise `DataError` unless the table has the column that each option names."""
    for option, column in columns.items():
        if column is not None and column not in frame.columns:
            raise DataError(f"{where} has no column {column!r} ({option}){suggest(column, frame, 'its columns are')}")


def choose_target(frame: pd.DataFrame, where: str, given: str | None, known: str | None) -> str:
    """Return the target column that was given, or the one that a sample set has."""
    target = given or known
    if target is None:
        columns = suggest("", frame, "its columns are")
        raise InvalidValue(f"say which column of {where} to predict, as in --target COLUMN{columns}")
    check_columns(frame, where, {"--target": target})
    return target


def read_recipe(path: Path | None, seed: int | None) -> Recipe:
    """Return the recipe in a TOML or JSON file, or the default one; `seed` takes the place of its own."""
    from taut.training import Recipe

    if path is None:
        return Recipe() if seed is None else Recipe(seed=seed)
    readers = {".toml": Recipe.from_toml, ".json": Recipe.from_json}
    if path.suffix.lower() not in readers:
        raise InvalidValue(f"{path}: a recipe is a .toml or .json file")
    try:
        recipe = readers[path.suffix.lower()](path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidValue(f"{path}: the recipe cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{path}: the recipe is not text in UTF-8") from error
    except (InvalidValue, TypeError) as error:
        raise InvalidValue(f"{path}: {error}") from error
    return recipe if seed is None else replace(recipe, seed=seed)


def check_outputs(outputs: dict[str, Path | None], inputs: Sequence[Path | None]) -> None:
    """Raise `InvalidValue` unless each file can be written and takes the place of nothing that is read.

    Parameters
    ----------
    outputs : dict of str to path or None
        For each option, where it will write.
    inputs : sequence of path or None
        What is read.
    """
    taken = {path.resolve(): str(path) for path in inputs if path is not None}
    for option, path in outputs.items():
        if path is None:
            continue
        if path.is_dir():
            raise InvalidValue(f"{option} {path}: this is a folder; name a file in it")
        if not path.parent.is_dir():
            raise InvalidValue(f"{option} {path}: there is no folder {path.parent}; make it first")
        if path.resolve() in taken:
            raise InvalidValue(f"{option} {path}: this would overwrite {taken[path.resolve()]}; choose another name")
        if not _is_writable(path):
            raise InvalidValue(f"{option} {path}: this cannot be written; choose another place")
        taken[path.resolve()] = option


def _is_writable(path: Path) -> bool:
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        return False
    try:  # to make a file there is the only test that is true on every system
        with tempfile.TemporaryFile(dir=path.parent):
            return True
    except OSError:
        return False
