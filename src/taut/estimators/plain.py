"""`TautClassifier` and `TautRegressor`: one fit of the recipe that the parameters say.

All the work is done by `fit_model`. Floor 6 of the house; knows nothing of how a recipe is chosen.
"""

from __future__ import annotations

from typing import Any, Self

from taut.estimators.base import Classifying, Regressing, TautEstimator, keep_model, parameters_of_recipe
from taut.training.model import Model, fit_model, train_further

__all__ = ["TautClassifier", "TautRegressor"]


class _Plain(TautEstimator):
    """What the estimators share that fit one recipe."""

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

    def _keep(self, model: Model) -> None:
        keep_model(self, model)
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


@parameters_of_recipe
class TautClassifier(Classifying, _Plain):
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


@parameters_of_recipe
class TautRegressor(Regressing, _Plain):
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
