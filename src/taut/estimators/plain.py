"""`TautClassifier` and `TautRegressor`: the networks that answer best for a table, or one fit of a recipe.

All the work is done by `choose`, and without effort by `fit_model`. Floor 6 of the house; knows nothing of how it is
chosen.
"""

from __future__ import annotations

from typing import Any, Self

from sklearn.utils.validation import check_consistent_length

from taut.checks import check_flag
from taut.errors import InvalidValue
from taut.estimators.base import Classifying, Regressing, TautEstimator, keep_model, live_line, parameters_of_recipe
from taut.selection.choosing import choose
from taut.training.model import Model, fit_model, train_further

__all__ = ["TautClassifier", "TautRegressor"]


class _Plain(TautEstimator):
    """What both share."""

    own_parameters = {
        "effort": "standard",
        "objective": "auto",
        "budget": None,
        "cv": "auto",
        "final": "ensemble",
        "n_jobs": None,
        "backend": None,
    }

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Choose networks by cross-validation and keep those that answer best together; or fit one.

        Parameters
        ----------
        X : DataFrame or array-like, shape (rows, columns)
            A table as it is, with categories, dates and gaps, or an array of numbers, NaN for gaps.
        y : array-like, shape (rows,), or for regression also (rows, targets)
            The target.
        sample_weight : array-like, shape (rows,), optional
            How much each row counts.
        groups : array-like, shape (rows,), optional
            Rows with the same value are never parted by a fold.

        Returns
        -------
        self
            The fitted estimator. If the fit of one network is interrupted by Ctrl-C, it keeps what was learned until
            then.

        Raises
        ------
        InvalidValue, InvalidType, DataError
            If a parameter or the data cannot be used.
        NonFiniteLoss
            If the loss became NaN or infinite.
        """
        X, y, sample_weight = self._check(X, y, sample_weight, reset=True)
        check_consistent_length(X, y, groups)
        check_flag("verbose", self.verbose)
        recipe = self._recipe()
        if self.effort == "none":
            weights = {"sample_weight": sample_weight, "class_weight": self._class_weight()}
            self._keep(fit_model(recipe, X, y, task=self.task, progress=self.verbose, **weights))
            return self
        with live_line(self.verbose) as report:
            chosen = choose(
                X,
                y,
                task=self.task,
                recipe=recipe,
                effort=self.effort,
                objective=self.objective,
                budget=self.budget,
                final=self.final,
                cv=self.cv,
                groups=groups,
                sample_weight=sample_weight,
                class_weight=self._class_weight(),
                seed=recipe.seed,
                n_jobs=self.n_jobs,
                backend=self.backend,
                report=report,
            )
        keep_model(self, chosen.model)
        self.search_, self.blend_ = chosen.search, chosen.blend.without_networks()
        return self

    def _keep(self, model: Model) -> None:
        keep_model(self, model)
        if model.history.stopped == "interrupted":
            # What was learned is kept; a search over many fits still ends here.
            raise KeyboardInterrupt

    def _continue(self, X: Any, y: Any, sample_weight: Any, classes: Any) -> Self:
        is_first = not self.__sklearn_is_fitted__()
        if not is_first and not isinstance(self.model_, Model):
            raise InvalidValue("partial_fit goes on from one network, and this is an ensemble: give final='refit'")
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
    """Regularized networks that classify the rows of a table, chosen by cross-validation; or one by a recipe.

    Parameters
    ----------
    effort : {"none", "quick", "standard", "thorough"} or int, default "standard"
        How much to try before networks are chosen, and kept together: see `choose`. Recipe parameters that are not as
        by default stay as they are, the rest is chosen. "none" chooses nothing: it fits one network by the recipe.
    objective : str, default "auto"
        What the networks are chosen by: "log_loss", "accuracy", "balanced_accuracy", "roc_auc" or "brier"; "auto" is
        the first.
    budget : float or str, optional
        Most seconds that choosing may take, or "90s", "2m", "1h".
    cv : int, splitter, or iterable of (train, validation), default "auto"
        Folds, by default ten of up to 1000 rows and five of more; they keep whole groups, if `fit` is given them.
    final : {"ensemble", "refit"}, default "ensemble"
        Whether to keep the networks that answer best together, or one with the best setting, fitted to all rows.
    n_jobs : int, optional
        Threads, or workers of the backend; as many as there are by default. The result does not depend on it.
    backend : str, optional
        A joblib backend, such as "loky" or "dask", to share the work with processes or other machines.
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
    model_ : Ensemble or Model
        The networks that answer, with their encoders, or the one.
    search_ : SearchResult
        What was tried; not without effort.
    blend_ : Blend
        Whose networks answer, how much each counts, and what to expect; not without effort.
    history_ : History or list of History
        The course of training, of an ensemble one a network.
    recipe_ : Recipe
        The recipe that was followed, of an ensemble that with the largest weight.
    n_iter_ : int
        Epochs trained, at most.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : ndarray of str
        Their names, if they have names.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> classifier = TautClassifier(effort="quick").fit(X, y)
    >>> bool(classifier.score(X, y) > 0.9)
    True
    """

    own_parameters = {**_Plain.own_parameters, "class_weight": None}

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
    """Regularized networks that predict one or several numbers for each row, chosen by cross-validation; or one.

    The target is standardized for training; the losses in `history_` are of the standardized target.

    Parameters
    ----------
    effort, budget, cv, final, n_jobs, backend
        See `TautClassifier`.
    objective : str, default "auto"
        What the networks are chosen by: "rmse", "mae" or "r2"; "auto" is the first.
    random_state : int, RandomState or None, default 0
        Seed of everything random.
    verbose : bool, default False
        Show a live line in the terminal.
    **recipe
        Every other field of `Recipe`, with its default: `hidden_layer_sizes`, `l1`, `l2`, `dropout`,
        `learning_rate`, `epochs`, … They may be searched with scikit-learn's own tools.

    Attributes
    ----------
    model_, search_, blend_, history_, recipe_, n_iter_, n_features_in_, feature_names_in_
        See `TautClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> regressor = TautRegressor(effort="none", l2=1e-2, epochs=50).fit(X, y)
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
