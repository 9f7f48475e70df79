"""`TautClassifierCV` and `TautRegressorCV`: one strength of the recipe chosen by cross-validation, then fitted.

They are to `TautClassifier` what LassoCV is to Lasso. All the work is done by `regularization_path`, which these
classes give scikit-learn's names to. Floor 6 of the house; knows nothing of how a path is made.
"""

from __future__ import annotations

from typing import Any, Self

from sklearn.utils.validation import check_consistent_length

from taut.checks import check_choice, check_flag
from taut.errors import InvalidValue
from taut.estimators.base import (
    Classifying,
    Regressing,
    TautEstimator,
    keep_model,
    live_line,
    models_of,
    parameters_of_recipe,
)
from taut.estimators.results import cv_results
from taut.selection.path import regularization_path
from taut.selection.path_result import RULES, RegularizationPath
from taut.training.recipe import Recipe

__all__ = ["FINALS", "TautClassifierCV", "TautRegressorCV", "keep_path"]

FINALS = ("refit", "ensemble")


class _CrossValidated(TautEstimator):
    """What the estimators share that choose along a path."""

    own_parameters = {
        "penalty": "l2",
        "values": None,
        "n_values": 30,
        "min_ratio": 1e-4,
        "cv": 5,
        "repeats": 1,
        "rule": "min",
        "final": "refit",
        "n_jobs": None,
        "backend": None,
    }

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Choose the strength by cross-validation, and fit the network with it.

        Parameters
        ----------
        X : DataFrame or array-like, shape (rows, columns)
            A table as it is, with categories, dates and gaps, or an array of numbers, NaN for gaps.
        y : array-like, shape (rows,), or for regression also (rows, targets)
            The target.
        sample_weight : array-like, shape (rows,), optional
            How much each row counts, in training and in validation.
        groups : array-like, shape (rows,), optional
            Rows with the same value are never parted by a fold; a splitter may need them.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        InvalidValue, InvalidType, DataError
            If a parameter or the data cannot be used.
        NonFiniteLoss
            If the loss became NaN or infinite at every value, or in the final fit.
        KeyboardInterrupt
            After Ctrl-C. If that came in the final fit, what was learned until then is kept.
        """
        X, y, sample_weight = self._check(X, y, sample_weight, reset=True)
        check_consistent_length(X, y, groups)
        recipe = self._recipe_to_vary()
        with live_line(self.verbose) as report:
            path = regularization_path(
                recipe,
                X,
                y,
                penalty=self.penalty,
                values=self.values,
                n_values=self.n_values,
                min_ratio=self.min_ratio,
                cv=self.cv,
                repeats=self.repeats,
                task=self.task,
                groups=groups,
                sample_weight=sample_weight,
                class_weight=self._class_weight(),
                n_jobs=self.n_jobs,
                backend=self.backend,
                report=report,
            )
            if self.final == "ensemble":
                keep_model(self, path.ensemble(self.rule, n_jobs=self.n_jobs, backend=self.backend, report=report))
        if self.final == "refit":
            keep_model(self, path.refit(self.rule, progress=self.verbose))
        keep_path(self, path)
        if any(model.history.stopped == "interrupted" for model in models_of(self.model_)):
            raise KeyboardInterrupt
        return self

    def _recipe_to_vary(self) -> Recipe:
        """Return the recipe that the parameters say, after a look at those that are not for the path to check."""
        check_choice("rule", self.rule, RULES)
        check_choice("final", self.final, FINALS)
        check_flag("verbose", self.verbose)
        recipe = self._recipe()
        if recipe.early_stopping:
            raise InvalidValue(
                "early_stopping=True is not for cross-validation, whose rows must not say how long to train; "
                "give early_stopping=False, or penalty='epochs' with values=[…]"
            )
        return recipe


def keep_path(estimator: Any, path: RegularizationPath) -> None:
    """Give a fitted estimator the path to its model, without the table, and the attributes that say what it found."""
    estimator.path_ = path.without_table()
    estimator.values_, estimator.cv_results_ = path.values, cv_results(path)
    estimator.value_ = path.values[path.recipes.index(estimator.recipe_)].item()
    estimator.value_min_, estimator.value_1se_ = path.value_min, path.value_1se


@parameters_of_recipe
class TautClassifierCV(Classifying, _CrossValidated):
    """A network that classifies the rows of a table, with one strength chosen by cross-validation.

    Parameters
    ----------
    penalty : str, default "l2"
        What is chosen: "l2"; "l1"; "l1_ratio=0.5" (elastic net); "group" (group lasso by input, which selects inputs);
        "dropout"; or any numeric field of `Recipe`, whose own parameter is then not looked at.
    values : sequence of float, optional
        The values to choose from; by default a grid of `n_values`.
    n_values : int, default 30
        Values of the grid, for a strength of powers down from the largest that matters, which is found by training.
    min_ratio : float, default 1e-4
        The smallest strength of the grid, as a share of the largest.
    cv : int, splitter, or iterable of (train, validation), default 5
        Folds: for a number, shuffled by `random_state` and stratified by class, or whole groups if `fit` is given
        them.
    repeats : int, default 1
        How many times the rows are divided anew into `cv` folds.
    rule : {"min", "1se"}, default "min"
        The value with the lowest mean validation loss, or the most regularized one within a standard error of it.
    final : {"refit", "ensemble"}, default "refit"
        Whether the model is a fit to all rows, or the models of the folds, which answer together. `cv_results_` says
        what to expect of one network; of the ensemble the same folds give no honest estimate.
    class_weight : mapping of class to float, or "balanced", optional
        Factor for the loss of each class in training; "balanced" weighs classes inversely to their frequency.
    random_state : int, RandomState or None, default 0
        Seed of everything random, the folds too.
    verbose : bool, default False
        Show a live line in the terminal.
    n_jobs : int, optional
        Threads, or workers of the backend; as many as there are by default. The result does not depend on it.
    backend : str, optional
        A joblib backend, such as "loky" or "dask", to share the work with processes or other machines.
    **recipe
        Every other field of `Recipe`, with its default: `hidden_layer_sizes`, `dropout`, `learning_rate`, `epochs`, …
        `early_stopping` must stay False.

    Attributes
    ----------
    path_ : RegularizationPath
        All that was found, with `plot`, `to_frame` and more; without the table, so that it cannot be refitted.
    values_ : ndarray, shape (values,)
        The grid, from the most to the least regularized.
    value_, value_min_, value_1se_ : float
        The value that was chosen, and what each rule says.
    cv_results_ : dict
        As of GridSearchCV, a row a value: `params`, ``param_<field>``; ``split<k>_test_score``, `mean_test_score`,
        `std_test_score` and `rank_test_score`, where the score is minus the data loss; and the first three of them
        for each metric, such as ``mean_test_accuracy``, with its own sign.
    model_ : Model or Ensemble
        Network and encoders, or those of each fold.
    history_ : History or list of History
        The course of training, of an ensemble one a model.
    recipe_ : Recipe
        The recipe that was chosen.
    n_iter_ : int
        Epochs trained.
    classes_ : ndarray, shape (classes,)
        The labels, sorted.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, if they have names.

    See Also
    --------
    taut.regularization_path : The same without scikit-learn, for rows in time, warm starts and the choice of features.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> classifier = TautClassifierCV(n_values=5, epochs=30, rule="1se").fit(X, y)
    >>> bool(classifier.score(X, y) > 0.9)
    True
    >>> classifier.value_ == classifier.value_1se_ == classifier.recipe_.l2
    True
    """

    own_parameters = {**_CrossValidated.own_parameters, "class_weight": None}


@parameters_of_recipe
class TautRegressorCV(Regressing, _CrossValidated):
    """A network that predicts one or several numbers for each row, with one strength chosen by cross-validation.

    The target is standardized for training; losses are of the standardized target, and metrics in its own units.

    Parameters
    ----------
    penalty, values, n_values, min_ratio, cv, repeats, rule, final, random_state, verbose, n_jobs, backend, **recipe
        See `TautClassifierCV`.

    Attributes
    ----------
    path_, values_, value_, value_min_, value_1se_, cv_results_, model_, history_, recipe_, n_iter_
        See `TautClassifierCV`.
    n_features_in_, feature_names_in_
        See `TautClassifierCV`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> regressor = TautRegressorCV(n_values=5, epochs=30, final="ensemble").fit(X, y)
    >>> bool(regressor.score(X, y) > 0.4)
    True
    >>> len(regressor.model_.models)
    5
    """
