"""Numeric targets: what is to be regressed, as people write it, becomes float64.

A price may be 9.13, "9,13" or "€9.13"; a weight of "9.1 kg" is refused, because what is to be done about its unit is
not for a program to guess. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from taut.errors import DataError, InvalidValue

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["numeric_target", "refuse_gaps", "refuse_unit", "target_frame", "target_numbers", "written_style"]


def numeric_target(y: pd.Series) -> pd.Series:
    """Return a target to be regressed as float64, whether it holds numbers or text such as "0,13" or "€9.13".

    Parameters
    ----------
    y : Series, shape (rows,)
        The target, without gaps; all of its rows, since how numbers are written may show in only a few of them.

    Returns
    -------
    Series of float64, shape (rows,)
        With the same index and name.

    Raises
    ------
    DataError
        If a value is missing, infinite or no number.

    Examples
    --------
    >>> import pandas as pd
    >>> numeric_target(pd.Series(["1.250", "0,13"])).tolist()
    [1250.0, 0.13]
    """
    import pandas as pd

    frame, _ = target_frame(y)
    return pd.Series(target_numbers(frame, (written_style(frame.iloc[:, 0]),))[:, 0], index=y.index, name=y.name)


def target_frame(y: Any) -> tuple[pd.DataFrame, bool]:
    """Return the targets as columns, and whether they came as one flat column."""
    import pandas as pd

    if np.ndim(y) not in (1, 2):
        raise InvalidValue(f"targets must have shape (rows,) or (rows, targets), got {np.shape(y)}")
    frame = y if isinstance(y, pd.DataFrame) else pd.DataFrame(y)
    if frame.shape[1] == 0:
        raise DataError("the target has no rows or no columns")
    return frame, not isinstance(y, pd.DataFrame) and np.ndim(y) == 1


def target_numbers(frame: pd.DataFrame, styles: tuple[str, ...]) -> np.ndarray:
    """Return float64, shape (rows, targets), read in the style of each target."""
    import pandas as pd

    from taut.data.cells import not_a
    from taut.data.kinds import NumberReader

    columns = []
    for position, style in enumerate(styles):
        series = frame.iloc[:, position]
        label = str(frame.columns[position])
        name = "target" if label == str(position) else label  # pandas numbers columns that have no names
        if isinstance(series.dtype, pd.CategoricalDtype):
            series = series.astype(series.dtype.categories.dtype)
        refuse_gaps(int(series.isna().sum()))
        if pd.api.types.is_timedelta64_dtype(series.dtype):
            raise not_a("numbers", name, series.iloc[0])
        if not style:
            refuse_unit(_words(series))
        columns.append(NumberReader(name, style).read(series)[:, 0])
    values = np.column_stack(columns)
    refuse_gaps(int(np.isnan(values).any(axis=1).sum()))
    return values


def written_style(series: pd.Series) -> str:
    """Return how text writes its numbers, "" where the target is no text."""
    from taut.data.cells import number_style

    return number_style(_words(series)) or ""


def _words(series: pd.Series) -> list[str]:
    """Return the distinct words of a target that is text; none of one that holds numbers or dates."""
    import pandas as pd

    from taut.data.cells import distinct, text

    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return []
    return [text(value) for value in distinct(series)[1] if isinstance(value, (str, bytes))]


def refuse_gaps(count: int) -> None:
    """Raise `DataError` if some rows have no target."""
    if count:
        raise DataError(f"the target is missing (NaN) in {count} row(s): drop these rows or fill them in")


def refuse_unit(words: list[str]) -> None:
    """Raise `DataError` if the words are measures such as "9.1 kg"."""
    from taut.data.cells import unit

    found = unit(words)
    if found is not None:
        raise DataError(
            f"the target looks like numbers with the unit {found!r}, such as {words[0]!r}: "
            "leave the unit out of the cells (it can stand in the column's name)"
        )
