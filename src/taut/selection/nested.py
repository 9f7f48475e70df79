"""Nested cross-validation: what the choosing itself costs.

Whoever tries many settings on the same folds and reports the best one's score reports luck as well. Here the whole of
the choosing is repeated inside each fold of an outer cross-validation, and what it chose is scored on rows that no part
of it has seen. The difference from what it promised is its optimism. Floor 5 of the house; knows nothing of how the
choosing is done.

References
----------
S. Varma and R. Simon, "Bias in error estimation when using cross-validation for model selection", BMC Bioinformatics 7,
2006. G. Cawley and N. Talbot, "On over-fitting in model selection and subsequent selection bias in performance
evaluation", Journal of Machine Learning Research 11, 2010.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from taut.checks import check_choice, shown
from taut.data.frames import take
from taut.data.targets import ClassTargets, infer_task
from taut.errors import InvalidType
from taut.selection.crew import Report
from taut.selection.folds import CV, splits_of
from taut.selection.objectives import METRICS
from taut.selection.path_result import RegularizationPath
from taut.selection.scores import score
from taut.selection.search_result import SearchResult
from taut.selection.wording import METRIC_WORDS, plus_minus
from taut.training.ensemble import Ensemble
from taut.training.model import Model, Table
from taut.training.recipe import TASKS, Recipe

__all__ = ["ByRule", "Chosen", "Nested", "nested_cross_validation"]


class Chosen(Protocol):
    """What a way to choose returns: a `RegularizationPath`, a `SearchResult`, or anything else that has these two."""

    @property
    def cross_validated(self) -> dict[str, tuple[float, float]]:
        """For each metric, mean and standard error of the choice over the folds it was chosen on."""

    def refit(self) -> Model | Ensemble:
        """Fit the choice to all rows that it was chosen on."""


@dataclass(frozen=True)
class ByRule:
    """A path or a search, as it is when a rule chooses from it.

    Attributes
    ----------
    found : RegularizationPath or SearchResult
        What was found.
    rule : {"min", "1se"}
        The rule.
    """

    found: RegularizationPath | SearchResult
    rule: str

    @property
    def cross_validated(self) -> dict[str, tuple[float, float]]:
        """For each metric, mean and standard error over the folds of what the rule chooses."""
        return self.found.scores(self.rule)

    def refit(self) -> Model:
        """Fit it to all rows."""
        return self.found.refit(self.rule)


@dataclass(frozen=True, eq=False)
class Nested:
    """What choosing promised, and what it kept, metric by metric.

    Attributes
    ----------
    metrics : tuple of str
        The metrics; the first one decides.
    outer : dict of str to ndarray, shape (folds,)
        Scores of what was chosen in each outer fold, on that fold's validation rows.
    inner : dict of str to ndarray, shape (folds,)
        What the choosing promised there.
    recipes : list of Recipe
        What was chosen, fold by fold. Much difference between them says that the rows do not tell the settings apart.

    Notes
    -----
    The outer scores are those of the procedure, not of one recipe. Inner models train on fewer rows than the refitted
    ones, which hides some of the optimism.

    References
    ----------
    S. Varma and R. Simon, "Bias in error estimation when using cross-validation for model selection", BMC
    Bioinformatics 7, 2006. G. Cawley and N. Talbot, "On over-fitting in model selection and subsequent selection bias
    in performance evaluation", Journal of Machine Learning Research 11, 2010.
    """

    metrics: tuple[str, ...]
    outer: dict[str, np.ndarray]
    inner: dict[str, np.ndarray]
    recipes: list[Recipe]

    @property
    def scores(self) -> dict[str, tuple[float, float]]:
        """Mean of the outer scores and its standard error, for each metric: what to expect of the procedure."""
        return {name: _mean_and_error(values) for name, values in self.outer.items()}

    @property
    def promised(self) -> dict[str, tuple[float, float]]:
        """Mean over the outer folds of what the choosing promised, and its standard error, for each metric."""
        return {name: _mean_and_error(values) for name, values in self.inner.items()}

    @property
    def optimism(self) -> dict[str, tuple[float, float]]:
        """Outer minus inner score and its standard error, paired by outer fold, for each metric.

        Of log loss and root mean squared error, above 0 where too much was promised; of accuracy and R², below 0.
        """
        return {name: _mean_and_error(self.outer[name] - self.inner[name]) for name in self.metrics}

    def sentence(self) -> str:
        """Return in a plain sentence what was promised and what was kept, in the first metric."""
        name = self.metrics[0]
        words, (difference, error) = METRIC_WORDS[name], self.optimism[name]
        outer, inner = plus_minus(*self.scores[name]), plus_minus(*self.promised[name])
        if np.isfinite(error) and abs(difference) <= 2 * error:
            verdict = "within two standard errors"
        else:
            verdict = "too much was promised" if difference > 0 else "more was kept than promised"
        return (
            f"On rows that no part of the choosing saw, the {words} was {outer}; its own folds had promised {inner}. "
            f"The difference is {plus_minus(difference, error)}: {verdict}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "metrics": list(self.metrics),
            "scores": {name: list(score) for name, score in self.scores.items()},
            "promised": {name: list(score) for name, score in self.promised.items()},
            "optimism": {name: list(score) for name, score in self.optimism.items()},
            "outer": {name: values.tolist() for name, values in self.outer.items()},
            "inner": {name: values.tolist() for name, values in self.inner.items()},
            "recipes": [recipe.to_dict() for recipe in self.recipes],
            "answer": self.sentence(),
        }


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def nested_cross_validation(
    choose: Callable[..., Chosen],
    X: Table,
    y: Any,
    *,
    cv: CV = 5,
    task: str | None = None,
    groups: Any = None,
    time: Any = None,
    seed: int = 0,
    report: Report | None = None,
) -> Nested:
    """Price a way to choose: repeat all of it inside each fold of an outer cross-validation.

    Parameters
    ----------
    choose : callable
        Called with ``(X, y)`` of the training rows of an outer fold, and with their `groups` or `time` if those were
        given, by name. It returns what has ``cross_validated`` and ``refit()``, such as a `RegularizationPath`, which
        is then priced for the rule of one standard error that its `refit` takes.
    X : DataFrame or array, shape (rows, columns)
        The table without the target, as it is.
    y : Series or array, shape (rows,)
        The target.
    cv : int, iterable of (train, validation), or splitter, default 5
        The outer folds.
    task : {"classification", "regression"}, optional
        Inferred from the target by default.
    groups : array, shape (rows,), optional
        Rows with the same value are never parted.
    time : array, shape (rows,), optional
        Each outer fold is validated by what was chosen on the rows before it.
    seed : int, default 0
        Seed of the outer folds.
    report : callable, optional
        Told ``(outer folds done, outer folds planned, words)``.

    Returns
    -------
    Nested
        What was promised, and what was kept.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used; `DataError` if the table cannot.

    Examples
    --------
    >>> from taut import Recipe, load_sample, nested_cross_validation, regularization_path
    >>> frame, target = load_sample("wine")
    >>> def choose(X, y):
    ...     return regularization_path(Recipe(epochs=20), X, y, values=[1e-3, 1e-2, 1e-1], cv=3)
    >>> nested = nested_cross_validation(choose, frame.drop(columns=target), frame[target], cv=3)
    >>> nested.outer["log_loss"].shape, len(nested.recipes)
    ((3,), 3)
    """
    if not callable(choose):
        raise InvalidType(f"choose must be a function of (X, y), got {shown(choose)}")
    task = infer_task(y) if task is None else task
    check_choice("task", task, TASKS)
    splits = splits_of(cv, X, y, task=task, groups=groups, time=time, seed=seed)
    classes = ClassTargets().fit(y) if task == "classification" else None
    roles = {name: values for name, values in (("groups", groups), ("time", time)) if values is not None}
    outer: list[dict[str, float]] = []
    inner: list[dict[str, float]] = []
    recipes = []
    for done, (train, held) in enumerate(splits, 1):
        chosen = choose(take(X, train), take(y, train), **{name: take(values, train) for name, values in roles.items()})
        model = chosen.refit()
        _check_whole(model)
        outer.append(_scored(model, take(X, held), take(y, held), classes))
        inner.append({name: mean for name, (mean, _) in chosen.cross_validated.items()})
        recipes.append(model.recipe)
        if report is not None:
            report(done, len(splits), f"chose {model.recipe.describe()}")
    metrics = METRICS[task]
    kept, promised = ({name: np.array([one[name] for one in side]) for name in metrics} for side in (outer, inner))
    return Nested(metrics, kept, promised, recipes)


def _check_whole(model: Model | Ensemble) -> None:
    """Raise KeyboardInterrupt if Ctrl-C ended the fit early: what is not fitted to its end must not be scored."""
    models = model.models if isinstance(model, Ensemble) else (model,)
    if any(one.history.stopped == "interrupted" for one in models):
        raise KeyboardInterrupt


def _scored(model: Model | Ensemble, X: Table, y: Any, classes: ClassTargets | None) -> dict[str, float]:
    """Return each metric on rows that are not trained on; a class that the model has not met has probability 0."""
    if classes is None:
        found = score(model.predict(X), y, model.targets)
    else:
        assert isinstance(model.targets, ClassTargets)
        probabilities = np.zeros((len(y), len(classes.classes_)))
        probabilities[:, classes.encode(model.targets.classes_)] = model.predict_proba(X)
        found = score(probabilities, y, classes)
    return {name: value for name, (value, _) in found.values.items()}
