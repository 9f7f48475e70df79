"""What every estimator of taut is: scikit-learn's contract over a recipe.

Parameters are the fields of `Recipe` (with scikit-learn's `random_state` for its seed), read from there, so that a new
field is a parameter at once and a default stands in one place. Here is what does not depend on how the recipe comes to
its model: parameters, checks of what is given, answers. Floor 6 of the house; knows nothing of files or screens.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from taut.data.targets import ClassTargets
from taut.errors import DataError, InvalidValue
from taut.selection.crew import Report
from taut.training.ensemble import Ensemble
from taut.training.history import History
from taut.training.model import Model
from taut.training.recipe import Recipe

__all__ = ["Classifying", "Regressing", "TautEstimator", "keep_model", "live_line", "models_of", "parameters_of_recipe"]


def parameters_of_recipe(estimator: type) -> type:
    """Give an estimator class an ``__init__`` that stores `random_state`, its own defaults, and the recipe's fields."""
    defaults = {field.name: field.default for field in fields(Recipe) if field.name != "seed"}
    defaults |= {"random_state": Recipe.seed, "verbose": False} | estimator.own_parameters  # type: ignore[attr-defined]

    def initialize(self: Any, **parameters: Any) -> None:
        unknown = parameters.keys() - defaults.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no parameter {', '.join(sorted(unknown))}")
        for name, default in defaults.items():
            setattr(self, name, parameters.get(name, default))

    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in defaults.items()
    ]
    self_parameter = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    initialize.__signature__ = inspect.Signature([self_parameter, *keywords])  # type: ignore[attr-defined]
    estimator.__init__ = initialize  # type: ignore[misc]
    return estimator


class TautEstimator(BaseEstimator, ABC):
    """What all estimators share."""

    own_parameters: dict[str, Any] = {}
    task: str

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted class of each row, or the predicted numbers.

        Parameters
        ----------
        X : DataFrame or array-like, shape (rows, columns)
            The same columns as in `fit`.

        Returns
        -------
        ndarray, shape (rows,) or (rows, targets)
        """
        check_is_fitted(self)
        return self.model_.predict(self._check_inputs(X, reset=False))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the network's inputs, which the columns of the table were encoded as.

        Of an ensemble, the names of all of its networks: levels of categories may differ from fold to fold.

        Parameters
        ----------
        input_features : ignored
            The names are those seen in `fit`.

        Returns
        -------
        ndarray of str, shape (inputs,)
        """
        check_is_fitted(self)
        names = [name for model in models_of(self.model_) for name in model.encoder.get_feature_names_out()]
        return np.asarray(list(dict.fromkeys(names)), dtype=object)

    def _recipe(self) -> Recipe:
        """Return the recipe that the parameters say; this is where they are validated."""
        parameters = self.get_params(deep=False)
        state = parameters["random_state"]
        seed = int(state) if isinstance(state, (int, np.integer)) else int(check_random_state(state).randint(2**31))
        chosen = {field.name: parameters[field.name] for field in fields(Recipe) if field.name != "seed"}
        return Recipe(**chosen, seed=seed)

    def _class_weight(self) -> Any:
        return None

    def _check_inputs(self, X: Any, *, reset: bool) -> Any:
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if not len(X) or not X.shape[1]:
                raise DataError(
                    f"Found array with {len(X)} sample(s) and {X.shape[1]} feature(s): at least one is needed"
                )
            return X
        return validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Any, Any, np.ndarray | None]:
        if y is None:
            raise InvalidValue(f"{type(self).__name__} requires y to be passed, but the target y is None")
        X = self._check_inputs(X, reset=reset)
        y = self._check_target(y)
        check_consistent_length(X, y)
        if reset and len(y) < 2:
            raise DataError("at least 2 rows are needed, got n_samples = 1")
        if sample_weight is not None:
            sample_weight = check_array(
                sample_weight, ensure_2d=False, dtype="numeric", ensure_min_features=0, input_name="sample_weight"
            )
            if sample_weight.ndim != 1:
                raise InvalidValue(f"sample_weight must have shape (rows,), got {sample_weight.shape}")
            check_consistent_length(X, sample_weight)
        return X, y, sample_weight

    @abstractmethod
    def _check_target(self, y: Any) -> Any:
        """Return the target, checked, or raise."""

    def __sklearn_is_fitted__(self) -> bool:
        return "model_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


class Classifying(ClassifierMixin, TautEstimator):
    """What the classifiers share."""

    task = "classification"

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like, shape (rows, columns)
            The same columns as in `fit`.

        Returns
        -------
        ndarray, shape (rows, classes)
            In the order of `classes_`.
        """
        check_is_fitted(self)
        return self.model_.predict_proba(self._check_inputs(X, reset=False))

    def _check_target(self, y: Any) -> Any:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return y

    def _class_weight(self) -> Any:
        return self.class_weight


class Regressing(RegressorMixin, TautEstimator):
    """What the regressors share."""

    task = "regression"

    def _check_target(self, y: Any) -> Any:
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y")
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def models_of(fitted: Model | Ensemble) -> tuple[Model, ...]:
    """Return the models of an ensemble, or the one there is."""
    return fitted.models if isinstance(fitted, Ensemble) else (fitted,)


def keep_model(estimator: Any, model: Model | Ensemble) -> None:
    """Give an estimator what was fitted, and the attributes that say what it is."""
    histories: list[History] = [one.history for one in models_of(model)]
    estimator.model_, estimator.recipe_ = model, model.recipe
    estimator.history_ = histories if isinstance(model, Ensemble) else histories[0]
    estimator.n_iter_ = max(history.epochs for history in histories)
    if isinstance(model.targets, ClassTargets):
        estimator.classes_ = np.asarray(model.targets.classes_)


@contextmanager
def live_line(is_shown: bool) -> Iterator[Report | None]:
    """Yield what is told how many fits are done, and shows it if that is wanted."""
    if not is_shown:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("fits"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, TimeRemainingColumn(compact=True), TextColumn("left")) as display:
        task = display.add_task("", total=None)
        yield lambda done, planned, words: display.update(task, completed=done, total=planned, description=words)
