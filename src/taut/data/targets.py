"""Targets: between what is predicted as people write it and the numbers that a network puts out.

Classes become codes 0, 1, …; numbers are standardized, because a network that starts near zero learns them best
there. Both remember how to go back, and can be written into a model file as JSON. Floor 1 of the house: knows
nothing of networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from taut.checks import check_number
from taut.data.numeric_targets import refuse_gaps, refuse_unit, target_frame, target_numbers, written_style
from taut.errors import DataError, InvalidType, InvalidValue

__all__ = ["ClassTargets", "ClassWeight", "NumberTargets", "class_weights", "infer_task"]

FEW_CLASSES = 20  # integers with more distinct values than this are numbers
FEW_SHARE = 0.05  # and so are those with more distinct values than this share of the rows
_STYLES = ("", "point", "comma")
TEXT_SHARE = 0.5  # words with more distinct values than this share of the rows are text, not classes


def infer_task(y: Any) -> str:
    """Say whether a target is to be classified or is a number.

    Parameters
    ----------
    y : Series or array, shape (rows,)
        The target.

    Returns
    -------
    {"classification", "regression"}
        Classification for words, categories and booleans, for whole numbers with two distinct values, and for
        integers with at most 20 distinct values that are fewer than 5 % of the rows; else regression.

    Raises
    ------
    DataError
        If the target has no values, is a date, or is text that differs in most rows.

    Examples
    --------
    >>> infer_task(["yes", "no", "yes"]), infer_task([0.5, 1.7, 2.9])
    ('classification', 'regression')
    """
    import pandas as pd

    from taut.data.cells import distinct, number_style, text, words_to_numbers

    series = (y if isinstance(y, pd.Series) else pd.Series(np.asarray(y).ravel())).dropna()
    if len(series) == 0:
        raise DataError("the target has no values: choose another column")
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        return "classification"
    if not pd.api.types.is_numeric_dtype(dtype):
        _, values = distinct(series)
        content = pd.api.types.infer_dtype(values)
        if "date" in content or "time" in content or content == "period":
            raise DataError(f"the target holds dates, such as {values[0]}: turn it into a number, such as days")
        if content == "boolean":
            return "classification"
        words = [text(value) for value in values]
        style = number_style(words)
        if style is None:
            # "1 star" to "5 star" may be classes; weights in kg are not.
            if len(words) > FEW_CLASSES or any("." in word or "," in word for word in words):
                refuse_unit(words)
            if len(values) > max(FEW_CLASSES, TEXT_SHARE * len(series)):
                raise DataError(
                    f"the target has {len(values)} different words in {len(series)} rows: it is text, not a class"
                )
            return "classification"
        numeric = words_to_numbers(words, style)[0]
        integer = bool((numeric == np.floor(numeric)).all())
    else:
        numeric = np.unique(series.to_numpy(dtype=np.float64))
        integer = pd.api.types.is_integer_dtype(dtype)
    count = len(np.unique(numeric))
    if count <= 2 and (numeric == np.floor(numeric)).all():
        return "classification"
    return "classification" if integer and count <= FEW_CLASSES and count < FEW_SHARE * len(series) else "regression"


def _column(y: Any) -> np.ndarray:
    """Return the target as a plain array, shape (rows,), after refusing gaps."""
    import pandas as pd

    if isinstance(y, pd.DataFrame):
        y = y.to_numpy()
    series = y if isinstance(y, pd.Series) else pd.Series(_one_column(np.asarray(y)))
    refuse_gaps(int(series.isna().sum()))
    dtype = series.dtype.categories.dtype if isinstance(series.dtype, pd.CategoricalDtype) else series.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return series.to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(dtype):
        return series.to_numpy(dtype=np.int64 if pd.api.types.is_integer_dtype(dtype) else np.float64)
    return series.to_numpy(dtype=object)


def _one_column(values: np.ndarray) -> np.ndarray:
    if values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1):
        return values.reshape(-1)
    raise InvalidValue(f"class labels must have shape (rows,), got {values.shape}")


class ClassTargets:
    """Class labels as codes 0, 1, … and back.

    Attributes
    ----------
    classes_ : ndarray, shape (classes,)
        The labels in ascending order: strings (dtype object), int64, float64 or bool.

    Examples
    --------
    >>> targets = ClassTargets().fit(["no", "yes", "no"])
    >>> targets.encode(["yes", "no"]).tolist(), targets.decode([1, 0]).tolist()
    ([1, 0], ['yes', 'no'])
    >>> ClassTargets.from_dict(targets.to_dict()).classes_.tolist()
    ['no', 'yes']
    """

    classes_: np.ndarray

    def fit(self, y: Any, classes: Any = None) -> ClassTargets:
        """Learn the labels.

        Parameters
        ----------
        y : array or Series, shape (rows,)
            Strings, integers, booleans or whole floats.
        classes : array, shape (classes,), optional
            All labels there are, where `y` may not hold each of them.

        Raises
        ------
        DataError
            If labels are missing, of mixed types, or continuous numbers, or there are fewer than two.
        """
        labels = _column(y if classes is None else classes)
        if len(labels) == 0:
            raise DataError("the target has no rows")
        if labels.dtype.kind == "f" and not (np.isfinite(labels) & (labels == np.floor(labels))).all():
            raise DataError(f"Unknown label type: continuous; {labels[0]!r} is a number, not a class: use regression")
        try:
            self.classes_ = np.unique(labels)
        except TypeError as error:
            kinds = sorted({type(label).__name__ for label in labels})
            raise DataError(f"class labels mix the types {' and '.join(kinds)}: make them all strings") from error
        if len(self.classes_) < 2:
            raise DataError(f"the target has one class, {self.classes_[0]!r}, in all rows: a classifier needs two")
        if classes is not None:
            self.encode(y)
        return self

    def encode(self, y: Any) -> np.ndarray:
        """Return the codes of labels, int64, shape (rows,).

        Raises
        ------
        DataError
            If a label is missing or was not there when fitted.
        """
        import pandas as pd

        labels = _column(y)
        codes = pd.Index(self.classes_).get_indexer(pd.Index(labels))
        if (codes < 0).any():
            unknown = labels[int((codes < 0).argmax())]
            raise DataError(f"the class {unknown!r} is not one of those trained on: {_some(self.classes_)}")
        return codes.astype(np.int64)

    def decode(self, codes: Any) -> np.ndarray:
        """Return the labels of codes, in the type they were fitted in, shape (rows,)."""
        return self.classes_[np.asarray(codes, dtype=np.int64)]

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        kind = {"i": "int64", "f": "float64", "b": "bool"}.get(self.classes_.dtype.kind, "object")
        return {"kind": "classes", "dtype": kind, "classes": self.classes_.tolist()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> ClassTargets:
        """Make targets from what `to_dict` returned.

        Raises
        ------
        InvalidValue
            If the fields are not those of class targets.
        """
        if fields.get("kind") != "classes" or fields.get("dtype") not in ("int64", "float64", "bool", "object"):
            raise InvalidValue(f"not the targets of a classifier: {str(fields)[:80]}")
        targets = cls()
        targets.classes_ = np.array(fields["classes"], dtype=fields["dtype"])
        if targets.classes_.ndim != 1 or len(targets.classes_) < 2:
            raise InvalidValue(f"a classifier has two classes or more, got {str(fields['classes'])[:80]}")
        return targets


def _some(classes: np.ndarray) -> str:
    words = [str(label) for label in classes[:5]]
    return ", ".join(words) + (f", … ({len(classes)} in all)" if len(classes) > 5 else "")


ClassWeight = Mapping[Any, float] | str | None


def class_weights(
    class_weight: ClassWeight,
    targets: ClassTargets | NumberTargets,
    encoded: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> tuple[float, ...]:
    """Return one factor a class.

    Parameters
    ----------
    class_weight : mapping of class to float, or "balanced"
        Classes that a mapping does not name get 1; "balanced" weighs them inversely to their frequency.
    targets : ClassTargets
        The classes, in the order of the result.
    encoded : ndarray of int64, shape (rows,)
        The codes of the rows.
    sample_weight : ndarray, shape (rows,), optional
        How much each row counts towards the frequency of its class.

    Raises
    ------
    InvalidValue, InvalidType
        If `targets` has no classes, `class_weight` names another class, or balancing needs a class that has no rows.
    """
    if not isinstance(targets, ClassTargets):
        raise InvalidValue("class_weight is for classification")
    classes = targets.classes_.tolist()
    if class_weight == "balanced":
        counts = np.bincount(encoded, weights=sample_weight, minlength=len(classes)).astype(float)
        if not counts.all():
            raise InvalidValue(f"'balanced' cannot weigh the class {classes[counts.argmin()]!r}: it has no rows here")
        return tuple((counts.sum() / (len(classes) * counts)).tolist())
    if not isinstance(class_weight, Mapping):
        raise InvalidType(f'class_weight must be a mapping from class to number or "balanced", got {class_weight!r}')
    unknown = [label for label in class_weight if label not in classes]
    if unknown:
        raise InvalidValue(f"class_weight names {unknown[0]!r}, which is no class; the classes are {classes}")
    for label, weight in class_weight.items():
        check_number(f"class_weight of {label!r}", weight, at_least=0)
    return tuple(float(class_weight.get(label, 1.0)) for label in classes)


class NumberTargets:
    """Numbers standardized to mean 0 and standard deviation 1, and back to their own units.

    Attributes
    ----------
    mean_, scale_ : ndarray of float64, shape (targets,)
        Mean and standard deviation; the scale of a constant target is 1.
    flat_ : bool
        Whether it was fitted on shape (rows,), which `decode` then returns.
    styles_ : tuple of {"", "point", "comma"}
        How each target is written where it is text; later text is read the same way.

    Examples
    --------
    >>> targets = NumberTargets().fit([10.0, 20.0, 30.0])
    >>> targets.encode([20.0]).tolist(), targets.decode([[0.0]]).tolist()
    ([[0.0]], [20.0])
    """

    mean_: np.ndarray
    scale_: np.ndarray
    flat_: bool
    styles_: tuple[str, ...] = ()

    def fit(self, y: Any, sample_weight: Any = None) -> NumberTargets:
        """Learn mean and scale.

        Parameters
        ----------
        y : array, Series or DataFrame, shape (rows,) or (rows, targets)
            Numbers; also as text, such as ``"1,234"``, ``"0,13"``, ``"€9.13"`` or ``"19.5%"``.
        sample_weight : array, shape (rows,), optional
            How much each row counts.

        Raises
        ------
        DataError
            If a target is missing, infinite or no number.
        """
        frame, self.flat_ = target_frame(y)
        self.styles_ = tuple(written_style(frame.iloc[:, place]) for place in range(frame.shape[1]))
        values = target_numbers(frame, self.styles_)
        if len(values) == 0:
            raise DataError("the target has no rows")
        # Subtracting a first guess keeps the rounding error of the mean from passing for spread.
        shift = values[0]
        self.mean_ = shift + np.average(values - shift, axis=0, weights=sample_weight)
        spread = np.sqrt(np.average((values - self.mean_) ** 2, axis=0, weights=sample_weight))
        negligible = 10 * np.finfo(np.float64).eps * np.abs(self.mean_)
        self.scale_ = np.where(spread > negligible, spread, 1.0)
        return self

    def encode(self, y: Any) -> np.ndarray:
        """Return standardized targets, float64, shape (rows, targets)."""
        frame, _ = target_frame(y)
        if frame.shape[1] != len(self.mean_):
            raise DataError(f"expected {len(self.mean_)} target(s), got {frame.shape[1]}")
        values = target_numbers(frame, self.styles_ or ("",) * len(self.mean_))
        return (values - self.mean_) / self.scale_

    def decode(self, outputs: Any) -> np.ndarray:
        """Return outputs in the units of the targets, float64, shape (rows,) or (rows, targets) as fitted."""
        values = np.asarray(outputs, dtype=np.float64).reshape(-1, len(self.mean_)) * self.scale_ + self.mean_
        return values[:, 0] if self.flat_ else values

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        fields = {"kind": "numbers", "mean": self.mean_.tolist(), "scale": self.scale_.tolist(), "flat": self.flat_}
        return fields | ({"styles": list(self.styles_)} if any(self.styles_) else {})

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> NumberTargets:
        """Make targets from what `to_dict` returned.

        Raises
        ------
        InvalidValue
            If the fields are not those of number targets.
        """
        targets = cls()
        try:
            targets.mean_ = np.array(fields["mean"], dtype=np.float64)
            targets.scale_ = np.array(fields["scale"], dtype=np.float64)
            targets.flat_ = bool(fields["flat"])
            targets.styles_ = tuple(fields.get("styles", [""] * len(targets.mean_)))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidValue(f"not the targets of a regressor: {str(fields)[:80]}") from error
        usable = np.isfinite(targets.mean_).all() and np.isfinite(targets.scale_).all() and (targets.scale_ > 0).all()
        known = len(targets.styles_) == len(targets.mean_) and all(style in _STYLES for style in targets.styles_)
        if targets.mean_.ndim != 1 or targets.mean_.shape != targets.scale_.shape or not usable or not known:
            raise InvalidValue(f"not the targets of a regressor: {str(fields)[:80]}")
        return targets
