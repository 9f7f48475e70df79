"""`TautClassifier` and `TautRegressor`: scikit-learn's contract over a recipe.

Their parameters are the fields of `Recipe` (with scikit-learn's `random_state` for its seed), read from there, so that
a new field is a parameter at once and a default stands in one place. All the work is done by `fit_model`. Floor 6 of
the house; knows nothing of files or screens.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data

from taut.data.targets import ClassTargets
from taut.errors import DataError, InvalidValue
from taut.training.history import History
from taut.training.model import Model, fit_model, train_further
from taut.training.recipe import Recipe

__all__ = ["TautClassifier", "TautRegressor"]


def _parameters_of_recipe(estimator: type) -> type:
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


class _TautEstimator(BaseEstimator, ABC):
    """What both estimators share."""

    own_parameters: dict[str, Any] = {}
    task: str

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : DataFrame or array-like, shape (rows, columns)
            A table as it is, with categories, dates and gaps, or an array of numbers, NaN for gaps.
        y : array-like, shape (rows,), or for regression also (rows, targets)
            The target.
        sample_weight : array-like, shape (rows,), optional
            How much each row counts.

        Returns
        -------
        self
            The fitted estimator. If interrupted by Ctrl-C, it keeps what was learned until then.

        Raises
        ------
        InvalidValue, InvalidType, DataError
            If a parameter or the data cannot be used.
        NonFiniteLoss
            If the loss became NaN or infinite.
        """
        X, y, sample_weight = self._check(X, y, sample_weight, reset=True)
        self._keep(
            fit_model(
                self._recipe(),
                X,
                y,
                task=self.task,
                sample_weight=sample_weight,
                class_weight=self._class_weight(),
                progress=self.verbose,
            )
        )
        return self

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

        Parameters
        ----------
        input_features : ignored
            The names are those seen in `fit`.

        Returns
        -------
        ndarray of str, shape (inputs,)
        """
        check_is_fitted(self)
        return np.asarray(self.model_.encoder.get_feature_names_out(), dtype=object)

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

    def _keep(self, model: Model) -> None:
        self.model_ = model
        self.recipe_ = model.recipe
        self.history_: History = model.history
        self.n_iter_ = model.history.epochs
        if model.history.stopped == "interrupted":
            # What was learned is kept; a search over many fits still ends here.
            raise KeyboardInterrupt

    def _continue(self, X: Any, y: Any, sample_weight: Any, classes: Any) -> Self:
        is_first = not self.__sklearn_is_fitted__()
        X, y, sample_weight = self._check(X, y, sample_weight, reset=is_first)
        if is_first:
            self._keep(
                fit_model(
                    self._recipe().streaming(),
                    X,
                    y,
                    task=self.task,
                    sample_weight=sample_weight,
                    class_weight=self._class_weight(),
                    classes=classes,
                )
            )
        else:
            train_further(self.model_, X, y, sample_weight=sample_weight)
            self._keep(self.model_)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return "model_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


@_parameters_of_recipe
class TautClassifier(ClassifierMixin, _TautEstimator):
    """A regularized network that classifies the rows of a table.

    Parameters
    ----------
    class_weight : mapping of class to float, or "balanced", optional
        Factor for the loss of each class; "balanced" weighs classes inversely to their frequency.
    random_state : int, RandomState or None, default 0
        Seed of everything random.
    verbose : bool, default False
        Show a live line in the terminal.
    **recipe
        Every other field of `Recipe`, with its default: `hidden_layer_sizes`, `l1`, `l2`, `dropout`,
        `learning_rate`, `epochs`, … They may be searched with scikit-learn's own tools.

    Attributes
    ----------
    classes_ : ndarray, shape (classes,)
        The labels, sorted.
    history_ : History
        The course of training.
    model_ : Model
        Network and encoders.
    recipe_ : Recipe
        The recipe that was followed.
    n_iter_ : int
        Epochs trained.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, if they have names.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> classifier = TautClassifier(l2=1e-3, epochs=50).fit(X, y)
    >>> bool(classifier.score(X, y) > 0.9)
    True
    """

    own_parameters = {"class_weight": None}
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

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one more epoch on the given rows, at a constant learning rate.

        The first call fits the encoders of the columns, to which later calls hold.

        Parameters
        ----------
        X, y, sample_weight
            See `fit`.
        classes : array-like, shape (classes,), optional
            All labels that will ever occur; needed in the first call if its rows do not show them all.

        Returns
        -------
        self
        """
        return self._continue(X, y, sample_weight, classes)

    def _check_target(self, y: Any) -> Any:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return y

    def _class_weight(self) -> Any:
        return self.class_weight

    def _keep(self, model: Model) -> None:
        assert isinstance(model.targets, ClassTargets)
        self.classes_ = np.asarray(model.targets.classes_)
        super()._keep(model)


@_parameters_of_recipe
class TautRegressor(RegressorMixin, _TautEstimator):
    """A regularized network that predicts one or several numbers for each row of a table.

    The target is standardized for training; the losses in `history_` are of the standardized target.

    Parameters
    ----------
    random_state : int, RandomState or None, default 0
        Seed of everything random.
    verbose : bool, default False
        Show a live line in the terminal.
    **recipe
        Every other field of `Recipe`, with its default: `hidden_layer_sizes`, `l1`, `l2`, `dropout`,
        `learning_rate`, `epochs`, … They may be searched with scikit-learn's own tools.

    Attributes
    ----------
    history_, model_, recipe_, n_iter_, n_features_in_, feature_names_in_
        See `TautClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> regressor = TautRegressor(l2=1e-2, epochs=50).fit(X, y)
    >>> bool(regressor.score(X, y) > 0.4)
    True
    """

    task = "regression"

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one more epoch on the given rows, at a constant learning rate.

        The first call fits the encoders of the columns and of the target, to which later calls hold.

        Parameters
        ----------
        X, y, sample_weight
            See `fit`.

        Returns
        -------
        self
        """
        return self._continue(X, y, sample_weight, None)

    def _check_target(self, y: Any) -> Any:
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y")
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
