"""Columns: a table as people keep it becomes the matrix of numbers that a network takes.

A table has numbers, words, dates, yes and no, gaps, row numbers. The encoder decides once, on the rows that train,
what each column is; it fills gaps and says where they were, gives each level of a category a column of its own,
places dates in time and in the calendar, and scales. Later rows, from a test set or a new file, go through the very
same steps. What was done to each column stands in `schema_` in plain words.

Most scalers are scikit-learn's. The parts stand side by side and not in a ColumnTransformer, because that cannot hand
sample weights to one of its steps, and because here each part writes straight into its place in the result; so do the
levels of categories, where OneHotEncoder would make two more copies of a wide table. Medians are taken column by
column: on a million rows of fifty columns that takes one second, SimpleImputer eight. Rare levels are put together, so
that no model file holds a hundred thousand names. Floor 1 of the house: knows nothing of networks.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from taut.checks import check_choice, check_number
from taut.data.components import WhitenedComponents
from taut.data.decimals import DECIMAL
from taut.data.encoding import bins_of, check_bins, check_components, components_of
from taut.data.frames import as_frame
from taut.data.inputs import Inputs
from taut.data.kinds import (
    CategoryReader,
    DateReader,
    Reader,
    Unused,
    choose_reader,
    group_rare,
)
from taut.data.numbers import n_numbers, read_numbers
from taut.data.pieces import PiecewiseLinear
from taut.data.rotation import PrincipalAxesScaler
from taut.data.scaling import SCALERS, fit_scaler
from taut.data.schema import ColumnSchema, describe
from taut.data.surprises import surprises
from taut.errors import DataError, InvalidValue

__all__ = ["SCALERS", "TRUSTED_TYPES", "TableEncoder"]

TRUSTED_TYPES = (  # the types that an encoder saved by skops is made of, besides arrays, lists, dicts and words
    "sklearn.preprocessing._data.MaxAbsScaler",
    "sklearn.preprocessing._data.MinMaxScaler",
    "sklearn.preprocessing._data.RobustScaler",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.preprocessing._encoders.OneHotEncoder",  # of which earlier model files have one
    "taut.data.clipping.RobustClippedScaler",
    "taut.data.columns.TableEncoder",
    "taut.data.components.WhitenedComponents",
    "taut.data.kinds.CategoryReader",
    "taut.data.kinds.DateReader",
    "taut.data.kinds.NumberReader",
    "taut.data.pieces.PiecewiseLinear",
    "taut.data.rotation.PrincipalAxesScaler",
    "taut.data.schema.ColumnSchema",
)
_SHARE_OF_ROWS = 50  # on small tables a level is not rare if it has one row in so many


class TableEncoder(TransformerMixin, BaseEstimator):
    """Turns a table with columns of any kind into a matrix of numbers.

    Parameters
    ----------
    scaling : str, default "standard"
        How numbers are scaled: a key of `SCALERS`.
    bins : int or "auto", default 0
        If above 0, each number, and each part of a date, also becomes up to so many columns, the pieces of its
        piecewise-linear encoding (`taut.data.pieces`); at least 2. "auto" is 12, fewer or none on tables of few rows
        or of very many values (`taut.data.encoding.bins_of`).
    components : int or "auto", default 0
        If above 0, numbers that tell much the same also become up to so many columns, their principal components of
        little variance (`taut.data.components`). "auto" is as many as there are, none of more than 300 numbers.
    rare_below : int or float, default 5
        Levels of a category with fewer rows share one column. A number of rows (on tables of fewer than 50 times as
        many rows, one row in 50), or a share of the rows between 0 and 1.
    max_categories : int, default 100
        Most columns that one category may become; the levels beyond share one.

    Attributes
    ----------
    schema_ : list of ColumnSchema
        What each column is and what was done with it.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Names of the columns, if the table had names.
    readers_ : list of NumberReader, DateReader or CategoryReader
        How each column that is used is read, in the order of the outputs.
    positions_ : list of int
        Where each of them stood in the table.
    fills_ : ndarray, shape (numeric outputs,)
        Medians that fill gaps.
    scaler_ : transformer or None
        Scales the numeric outputs.
    pieces_ : PiecewiseLinear or None
        Spreads numbers over the stretches between their quantiles, before they are scaled.
    components_ : WhitenedComponents or None
        Makes components of the numbers, before they are scaled.

    Notes
    -----
    The outputs stand in this order: numbers and dates, then categories of two levels (-1 and 1; 0 if the value is
    neither), then those of more levels (0 and 1), then where numbers and dates were missing (0 and 1), then the
    pieces of numbers and dates, then the components of all of them.

    Rows of weight 0 are as if they were not there. Other weights count in means, deviations, pieces and components.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [20.0, None, 40.0], "sex": ["f", "m", "f"]})
    >>> encoder = TableEncoder().fit(frame)
    >>> encoder.get_feature_names_out().tolist()
    ['age', 'sex=m', 'age is missing']
    >>> encoder.transform(pd.DataFrame({"sex": ["m"], "age": ["30"]})).tolist()
    [[0.0, 1.0, 0.0]]
    >>> encoder.schema_[1].treatment
    "one column: -1 is 'f', 1 is 'm'"
    """

    def __init__(
        self,
        *,
        scaling: str = "standard",
        bins: int | str = 0,
        components: int | str = 0,
        rare_below: float = 5,
        max_categories: int = 100,
    ) -> None:
        self.scaling = scaling
        self.bins = bins
        self.components = components
        self.rare_below = rare_below
        self.max_categories = max_categories

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Decide what each column is, and learn medians, levels and scales.

        Parameters
        ----------
        X : DataFrame or array, shape (rows, columns)
            The rows that train, and no others.
        y : ignored
            Here because scikit-learn's pipelines pass it.
        sample_weight : array, shape (rows,), optional
            How much each row counts, 0 or more.

        Raises
        ------
        DataError
            If the table has no rows or columns, a name twice, an infinite value, or no column to learn from.
        InvalidValue
            If a parameter is out of range.
        """
        self._check_parameters()
        frame, named = as_frame(X)
        if len(frame) == 0:
            raise DataError(f"Found a table with 0 sample(s) (shape={frame.shape}) while a minimum of 1 is required.")
        self.n_features_in_ = frame.shape[1]
        if named:
            self.feature_names_in_ = np.array(frame.columns, dtype=object)
        elif "feature_names_in_" in vars(self):
            del self.feature_names_in_
        self.names_ = [str(name) for name in frame.columns]
        weight = _weights(sample_weight, len(frame))
        if weight is not None and not weight.all():
            frame, weight = frame[weight > 0], weight[weight > 0]
        self._choose(frame)
        matrix, missing = self._fit_numbers(frame, weight)
        self._fit_categories()
        self._fit_pieces(matrix, weight)
        self._fit_components(matrix, missing, weight)
        self._name_axes()
        self._describe(frame, matrix, missing)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the table as numbers.

        Parameters
        ----------
        X : DataFrame or array, shape (rows, columns)
            A frame may have its columns in any order, and more of them; levels never seen are welcome.

        Returns
        -------
        ndarray of float64, shape (rows, outputs)
            Without gaps.

        Raises
        ------
        DataError
            If columns that are used are missing, or a cell is not what its column is made of.
        """
        check_is_fitted(self, "readers_")
        frame = self._matched(X)
        result = np.zeros((len(frame), len(self.outputs_)))
        if len(frame) == 0:
            return result
        inputs = self.inputs_
        block = result[:, : inputs.numbers]
        read_numbers(frame, self.readers_, self.positions_, block)
        gaps = np.isnan(block)
        result[:, inputs.gap_columns] = gaps[:, self.gaps_]
        if gaps.any():
            np.copyto(block, self.fills_, where=gaps)
        if self.pieces_ is not None:
            self.pieces_.write(block, result[:, inputs.gap_columns.stop : inputs.component_columns.start])
        if self.components_ is not None:
            self.components_.write(block, result[:, inputs.component_columns.start :], gaps)
        if self.scaler_ is not None:
            block[...] = self.scaler_.transform(block)
        for position, (reader, place) in enumerate(self._categories(binary=True), start=inputs.numbers):
            codes = reader.read(frame.iloc[:, place])[:, 0]
            result[:, position] = np.where(codes < 0, 0.0, 2.0 * codes - 1.0)
        for (first, _), (reader, place) in zip(inputs.category_blocks, self._categories(binary=False), strict=True):
            codes = reader.read(frame.iloc[:, place])[:, 0].astype(np.int64)
            known = np.flatnonzero(codes >= 0)
            result[known, first + codes[known]] = 1.0
        return result

    def surprises(self, X: Any, others: Sequence[TableEncoder] = ()) -> list[str]:
        """Say what is odd about later rows, in plain sentences, at most one a column.

        Levels that training never had, numbers and dates farther outside the range of training than that is wide,
        and columns that are empty here but were not in training. `transform` takes all of these in silence.

        Parameters
        ----------
        X : DataFrame or array, shape (rows, columns)
            As for `transform`.
        others : sequence of TableEncoder, optional
            Fitted on other rows of the same columns; what one of them has met is no surprise.

        Raises
        ------
        DataError
            As `transform` does.

        Examples
        --------
        >>> encoder = TableEncoder().fit(pd.DataFrame({"age": [20, 30, 40], "sex": ["f", "m", "f"]}))
        >>> encoder.surprises(pd.DataFrame({"age": [35, 420], "sex": ["M", "x"]}))  # doctest: +NORMALIZE_WHITESPACE
        ["Column 'age' is far outside the range of training (20 to 40), such as 420, in 1 row.",
         "Column 'sex' has a level never seen in training, such as 'x', in 1 row."]
        """
        check_is_fitted(self, "readers_")
        columns: dict[int, list[tuple[Reader, ColumnSchema]]] = {}
        for encoder in (self, *others):
            for reader, place in zip(encoder.readers_, encoder.positions_, strict=True):
                columns.setdefault(place, []).append((reader, encoder.schema_[place]))
        return surprises(columns, self._matched(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the outputs, such as "age", "sex=m", "age is missing"; shape (outputs,).

        Parameters
        ----------
        input_features : ignored unless it contradicts the names seen by `fit`
            Here because scikit-learn passes it.
        """
        check_is_fitted(self, "readers_")
        if input_features is not None:
            given = [str(name) for name in input_features]
            if len(given) != self.n_features_in_:
                raise InvalidValue(
                    f"input_features should have length equal to {self.n_features_in_}, got {len(given)}"
                )
            if "feature_names_in_" in vars(self) and given != self.names_:
                raise InvalidValue("input_features is not equal to feature_names_in_")
            return np.array(
                [self._output_name(output, dict(zip(self.names_, given, strict=True))) for output in self.outputs_],
                dtype=object,
            )
        return np.array([self._output_name(output, {}) for output in self.outputs_], dtype=object)

    @property
    def inputs_(self) -> Inputs:
        """How the outputs are laid out, for the network whose inputs they are."""
        check_is_fitted(self, "readers_")
        return Inputs(
            numbers=len(self.fills_),
            binaries=len(self._categories(binary=True)),
            categories=tuple(len(reader.names) for reader, _ in self._categories(binary=False)),
            gaps=len(self.gaps_),
            pieces=() if self.pieces_ is None else self.pieces_.counts(len(self.fills_)),
            components=0 if self.components_ is None else self.components_.count,
        )

    @staticmethod
    def _output_name(output: tuple[str, str], renamed: dict[str, str]) -> str:
        name, suffix = output
        return renamed.get(name, name) + suffix

    def __setstate__(self, state: dict[str, Any]) -> None:
        # In earlier model files, an encoder has no pieces or components, and scikit-learn's encoder of categories.
        state = {name: value for name, value in state.items() if name != "one_hot_"}
        for name, value in (("bins", 0), ("pieces_", None), ("components", 0), ("components_", None)):
            state.setdefault(name, value)
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    # --- fitting

    def _check_parameters(self) -> None:
        check_choice("scaling", self.scaling, SCALERS)
        check_bins(self.bins)
        check_components(self.components)
        check_number("rare_below", self.rare_below, at_least=0)
        check_number("max_categories", self.max_categories, at_least=2, integer=True)

    def _choose(self, frame: pd.DataFrame) -> None:
        """Choose a reader for each column and put them in the order of their outputs."""
        self.unused_: dict[str, tuple[str, str]] = {}  # name -> kind and reason
        chosen: list[tuple[int, Reader, int]] = []
        least = self._least_rows(len(frame))
        for place, name in enumerate(self.names_):
            series = frame.iloc[:, place]
            # A single column is all there is to learn from, even if it counts the rows.
            reader = choose_reader(name, series, decimal=frame.attrs.get(DECIMAL, ""), alone=len(self.names_) == 1)
            if isinstance(reader, CategoryReader):
                reader = group_rare(reader, series, least, int(self.max_categories))
            if isinstance(reader, Unused):
                self.unused_[name] = (reader.kind, reader.reason)
                continue
            rank = 0 if not isinstance(reader, CategoryReader) else 1 if len(reader.names) == 2 else 2
            chosen.append((rank, reader, place))
        if not chosen:
            why = "; ".join(f"{name!r} {reason}" for name, (_, reason) in list(self.unused_.items())[:3])
            raise DataError(f"the table has no column to learn from ({why}): add columns or rows")
        chosen.sort(key=lambda item: item[0])
        self.readers_ = [reader for _, reader, _ in chosen]
        self.positions_ = [place for _, _, place in chosen]

    def _least_rows(self, n: int) -> float:
        if 0 < self.rare_below < 1:
            return self.rare_below * n
        return min(float(self.rare_below), max(1.0, n / _SHARE_OF_ROWS))

    def _fit_numbers(self, frame: pd.DataFrame, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Learn medians and scales; return the numbers as read, with gaps, and which of them are gaps."""
        matrix = np.empty((len(frame), sum(n_numbers(reader) for reader in self.readers_)))
        read_numbers(frame, self.readers_, self.positions_, matrix)
        gaps: np.ndarray = np.isnan(matrix)
        with_gaps = np.asarray(gaps.any(axis=0))
        self.fills_ = np.empty(matrix.shape[1])
        for column in range(matrix.shape[1]):
            values = matrix[:, column]
            self.fills_[column] = np.median(values[~np.isnan(values)] if with_gaps[column] else values)
        filled = np.where(gaps, self.fills_, matrix) if with_gaps.any() else matrix
        self.scaler_ = fit_scaler(self.scaling, filled, weight)
        self.outputs_: list[tuple[str, str]] = []
        starts = []
        for reader in self.readers_:
            if not isinstance(reader, CategoryReader):
                starts.append(len(self.outputs_))
                suffixes = reader.names if isinstance(reader, DateReader) else ("",)
                self.outputs_ += [(reader.name, suffix) for suffix in suffixes]
        # A date becomes several numbers, all missing together: one column says so for all of them.
        self.gaps_ = [start for start in starts if with_gaps[start]]
        return matrix, gaps

    def _fit_categories(self) -> None:
        for reader, _ in self._categories(binary=True):
            self.outputs_.append((reader.name, f"={reader.names[1]}"))
        many = [reader for reader, _ in self._categories(binary=False)]
        self.outputs_ += [(reader.name, f"={level}") for reader in many for level in reader.names]
        self.outputs_ += [(self.outputs_[place][0], " is missing") for place in self.gaps_]

    def _fit_pieces(self, matrix: np.ndarray, weight: np.ndarray | None) -> None:
        """Learn the pieces from the numbers as read, with gaps."""
        bins = bins_of(self.bins, *matrix.shape)
        pieces = PiecewiseLinear(bins).fit(matrix, weight) if bins else None
        self.pieces_ = pieces if pieces is not None and len(pieces.columns_) else None
        counts = () if self.pieces_ is None else self.pieces_.counts(len(self.fills_))
        self.outputs_ += [
            (name, f"{suffix} piece {piece}")
            for (name, suffix), count in zip(self.outputs_, counts, strict=False)
            for piece in range(1, count + 1)
        ]

    def _fit_components(self, matrix: np.ndarray, gaps: np.ndarray, weight: np.ndarray | None) -> None:
        """Learn the components from the numbers as read, with gaps, which are filled."""
        self.components_: WhitenedComponents | None = None
        most = components_of(self.components, *matrix.shape)
        if not most or matrix.shape[1] < 2:
            return
        filled = np.where(gaps, self.fills_, matrix) if gaps.any() else matrix
        components = WhitenedComponents(most).fit(filled, weight, gaps)
        if components.count:
            self.components_ = components
            self.outputs_ += [(f"component {n}", "") for n in range(1, components.count + 1)]

    def _name_axes(self) -> None:
        """Call numbers that were rotated by what they are now, after all others have their names by the columns."""
        if isinstance(self.scaler_, PrincipalAxesScaler):
            self.outputs_[: len(self.fills_)] = [(f"principal axis {n}", "") for n in range(1, len(self.fills_) + 1)]

    def _describe(self, frame: pd.DataFrame, matrix: np.ndarray, gaps: np.ndarray) -> None:
        described = {
            name: ColumnSchema(name, kind, reason, int(frame[name].isna().sum()), 0)
            for name, (kind, reason) in self.unused_.items()
        }
        scaling = SCALERS[self.scaling].words
        start = 0
        for reader, place in zip(self.readers_, self.positions_, strict=True):
            width = n_numbers(reader)
            values = matrix[:, start] if width else None
            n_missing = int(gaps[:, start].sum()) if width else int(frame.iloc[:, place].isna().sum())
            fill = self.fills_[start] if width else None
            pieces = sum(self.inputs_.pieces[start : start + width])
            described[reader.name] = describe(reader, values, n_missing, fill, scaling, pieces)
            start += width
        self.schema_ = [described[name] for name in self.names_]

    # --- reading

    def _categories(self, *, binary: bool) -> list[tuple[CategoryReader, int]]:
        return [
            (reader, place)
            for reader, place in zip(self.readers_, self.positions_, strict=True)
            if isinstance(reader, CategoryReader) and (len(reader.names) == 2) is binary
        ]

    def _matched(self, X: Any) -> pd.DataFrame:
        """Return the table with its columns where they were when fitted; columns that are not used may be absent."""
        frame, named = as_frame(X)
        fitted_named = "feature_names_in_" in vars(self)
        if named and fitted_named:
            absent = [self.names_[place] for place in sorted(self.positions_) if self.names_[place] not in frame]
            if absent:
                raise DataError(f"the table lacks the column(s) {', '.join(map(repr, absent))}: add them")
            return frame if list(frame.columns) == self.names_ else frame.reindex(columns=self.names_)
        if frame.shape[1] != self.n_features_in_:
            raise DataError(
                f"X has {frame.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                "features as input: give the same columns as in training"
            )
        if named or fitted_named:
            how = "has feature names, but" if named else "does not have valid feature names, but"
            other = "without" if named else "with"
            warnings.warn(f"X {how} {type(self).__name__} was fitted {other} feature names", UserWarning, stacklevel=3)
        return frame.set_axis(self.names_, axis=1)


def _weights(sample_weight: Any, n: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,):
        raise InvalidValue(f"sample_weight must have shape ({n},), got {weight.shape}")
    if not (np.isfinite(weight) & (weight >= 0)).all() or not weight.any():
        raise InvalidValue("sample_weight must be finite, 0 or more, and not zero in every row")
    return weight
