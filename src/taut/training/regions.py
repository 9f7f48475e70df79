"""Decision regions: what a model answers all over a plane of two inputs.

Numbers only, for whoever draws them: a figure, an animation, a report. Floor 4 of the house; knows nothing of ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from taut.checks import check_number, shown
from taut.data.frames import as_frame
from taut.data.targets import ClassTargets
from taut.errors import DataError, InvalidType, InvalidValue
from taut.training.ensemble import Ensemble
from taut.training.model import Model, Table

__all__ = ["Plane", "Regions", "classes_of", "decision_regions", "plane_of", "regions_on"]

_MARGIN = 0.08  # of the range of an input that the plane shows on either side


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane of two inputs, the others held where they usually are.

    Attributes
    ----------
    names : (str, str)
        The inputs along x and along y.
    x, y : ndarray, shape (points,)
        The grid, in the inputs' own units.
    held : dict of str to object
        What each other input is held at: its median, or its most frequent value.
    rows : DataFrame or ndarray
        The points of the grid as a table to ask a model about, x running fastest.
    points : ndarray, shape (rows of the table, 2)
        Where the rows of the table that it was made from are; NaN for a gap.
    """

    names: tuple[str, str]
    x: np.ndarray
    y: np.ndarray
    held: dict[str, Any]
    rows: Table
    points: np.ndarray


@dataclass(frozen=True, eq=False)
class Regions:
    """What a model answers in a plane.

    Attributes
    ----------
    plane : Plane
        The plane.
    classes : ndarray or None
        The classes; None for a regression.
    values : ndarray, shape (points along y, points along x, classes) or (points along y, points along x)
        Their probabilities, or the predicted numbers.
    """

    plane: Plane
    classes: np.ndarray | None
    values: np.ndarray

    @property
    def winners(self) -> np.ndarray:
        """The place of the most probable class, shape (points along y, points along x)."""
        if self.classes is None:
            raise InvalidValue("a regression has no classes; look at `values`")
        return np.asarray(self.values.argmax(axis=2))

    @property
    def confidence(self) -> np.ndarray:
        """The probability of the most probable class, shape (points along y, points along x)."""
        if self.classes is None:
            raise InvalidValue("a regression has no classes; look at `values`")
        return np.asarray(self.values.max(axis=2))


def decision_regions(
    model: Any, X: Table, inputs: Sequence[str | int] | None = None, *, resolution: int = 120
) -> Regions:
    """Return what a model answers all over a plane of two numeric inputs.

    Parameters
    ----------
    model : Model, Ensemble or fitted estimator
        What answers, by `predict_proba` if it knows classes and else by `predict`.
    X : DataFrame or array, shape (rows, columns)
        The table without the target, as the model takes it: the plane is as large as these rows need.
    inputs : sequence of two names or places, optional
        The inputs of the plane; they may be left out if the table has two columns of numbers.
    resolution : int, default 120
        Points along each side of the grid, at least 2.

    Returns
    -------
    Regions
        Probabilities or predictions on the grid. Other columns are held at their median, categories at their most
        frequent value: it is a cut through what the model knows, not all of it.

    Raises
    ------
    InvalidValue, InvalidType
        If `inputs` are not two columns of numbers, or `resolution` is too small.
    DataError
        If an input has fewer than two values.

    Examples
    --------
    >>> from taut import Recipe, spiral
    >>> from taut.training import fit_model
    >>> X, y = spiral(seed=0)
    >>> model = fit_model(Recipe(epochs=5), X, y, task="classification")
    >>> found = decision_regions(model, X, resolution=50)
    >>> found.values.shape, found.plane.names
    ((50, 50, 3), ('x0', 'x1'))
    """
    return regions_on(model, plane_of(X, inputs, resolution=resolution))


def plane_of(X: Table, inputs: Sequence[str | int] | None = None, *, resolution: int = 120) -> Plane:
    """Return the plane of two inputs of a table; see `decision_regions`."""
    check_number("resolution", resolution, at_least=2, integer=True)
    frame, is_named = as_frame(X)
    numeric = [place for place in range(frame.shape[1]) if _is_numeric(frame.iloc[:, place])]
    chosen = _chosen(frame, inputs, numeric)
    points = frame.iloc[:, chosen].to_numpy(dtype=np.float64, na_value=np.nan)
    names = [str(name) for name in frame.columns]
    x, y = (_side(points[:, side], names[place], resolution) for side, place in enumerate(chosen))
    grid = dict(zip(chosen, (values.ravel() for values in np.meshgrid(x, y)), strict=True))
    others = [place for place in range(frame.shape[1]) if place not in grid]
    held = {place: _usual(frame.iloc[:, place], place in numeric) for place in others}
    rows = pd.DataFrame(
        {names[place]: (grid | held)[place] for place in range(frame.shape[1])}, index=range(resolution**2)
    )
    return Plane(
        names=(names[chosen[0]], names[chosen[1]]),
        x=x,
        y=y,
        held={names[place]: value for place, value in held.items()},
        rows=rows if is_named else rows.to_numpy(),
        points=points,
    )


def regions_on(model: Any, plane: Plane) -> Regions:
    """Return what a model answers on a plane."""
    shape = (len(plane.y), len(plane.x))
    classes = classes_of(model)
    if classes is None:
        return Regions(plane, None, np.asarray(model.predict(plane.rows), dtype=np.float64).reshape(shape))
    return Regions(plane, classes, np.asarray(model.predict_proba(plane.rows)).reshape(*shape, len(classes)))


def classes_of(model: Any) -> np.ndarray | None:
    """Return the classes that a model knows, in the order of its probabilities, or None if it predicts numbers."""
    if isinstance(model, Model | Ensemble):
        return np.asarray(model.targets.classes_) if isinstance(model.targets, ClassTargets) else None
    from sklearn.base import BaseEstimator, is_classifier, is_regressor
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(model, BaseEstimator) or not (is_classifier(model) or is_regressor(model)):
        raise InvalidType(f"model must be a Model, an Ensemble or a fitted estimator, got {shown(model)}")
    check_is_fitted(model)
    return np.asarray(model.classes_) if is_classifier(model) else None


def _chosen(frame: pd.DataFrame, inputs: Any, numeric: list[int]) -> list[int]:
    if inputs is None:
        if frame.shape[1] == len(numeric) == 2:
            return numeric
        raise InvalidValue(
            f"a plane has two inputs, and the table has {frame.shape[1]} ({len(numeric)} of numbers): name two of them"
        )
    if isinstance(inputs, str) or not isinstance(inputs, Sequence | np.ndarray) or len(inputs) != 2:
        raise InvalidValue(f"inputs must be two columns, got {shown(inputs)}")
    places = [_place(frame, each) for each in inputs]
    if places[0] == places[1]:
        raise InvalidValue(f"inputs must be two different columns, got {frame.columns[places[0]]!r} twice")
    for place in places:
        if place not in numeric:
            raise InvalidValue(f"inputs must be columns of numbers, and {frame.columns[place]!r} is none")
    return places


def _place(frame: pd.DataFrame, wanted: object) -> int:
    names = list(frame.columns)
    if isinstance(wanted, str):
        if wanted not in names:
            raise InvalidValue(f"inputs names {wanted!r}, and the table has no such column")
        return names.index(wanted)
    check_number("inputs, if not names,", wanted, at_least=0, at_most=len(names) - 1, integer=True)
    return int(wanted)  # type: ignore[call-overload]


def _is_numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _side(values: np.ndarray, name: str, resolution: int) -> np.ndarray:
    there = values[np.isfinite(values)]
    low, high = (there.min(), there.max()) if len(there) else (0.0, 0.0)
    if not low < high:
        raise DataError(f"{name!r} has fewer than two values, so it has no extent in a plane: choose another input")
    margin = _MARGIN * (high - low)
    return np.linspace(low - margin, high + margin, resolution)


def _usual(values: pd.Series, is_numeric: bool) -> Any:
    there = values.dropna()
    if not len(there):
        return None
    return there.median() if is_numeric else there.mode().iloc[0]
