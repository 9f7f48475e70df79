"""`fit_table`: the main job, from a table to a chosen network with an honest test score.

It sets the test rows aside, chooses among candidates by cross-validation on the rest, refits the choice on all of the
rest, fits what it must be compared with, and looks at the test rows once. Floor 5 of the house; knows nothing of files
or screens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.data.splits import folds
from taut.data.targets import ClassTargets, infer_task
from taut.errors import NonFiniteLoss
from taut.selection.baselines import fit_baselines
from taut.selection.candidates import candidates
from taut.selection.cross_validation import Candidate, cross_validate
from taut.selection.jobs import Report
from taut.selection.rows import Rows
from taut.selection.scores import METRICS, Margin, RowScores, answers, score
from taut.selection.wording import plus_minus, rounded
from taut.training.model import Model, fit_model
from taut.training.recipe import Recipe
from taut.versions import versions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Entry", "FitResult", "fit_table"]


@dataclass(frozen=True)
class Entry:
    """One row of the table of results.

    Attributes
    ----------
    name, detail : str
        Which model, and its settings in a few words.
    train : dict of str to float
        For each metric, the score on the rows it was fitted to.
    cross_validated, test : dict of str to (float, float)
        For each metric, the score and its standard error, over the folds and over the test rows.
    margin : Margin
        By how much its mean test loss (log loss, or squared error) is above the chosen network's on the same rows.
    is_chosen : bool
        Whether it is the chosen network itself, by whatever name.
    """

    name: str
    detail: str
    train: dict[str, float]
    cross_validated: dict[str, tuple[float, float]]
    test: dict[str, tuple[float, float]]
    margin: Margin
    is_chosen: bool = False

    @property
    def verdict(self) -> str:
        """How the chosen network compares with this model: "better than", "worse than", …, for the model's name."""
        if self.is_chosen:
            return "the same as"
        if self.margin.p_value >= 0.05:
            return "not clearly different from"
        return "better than" if self.margin.difference > 0 else "worse than"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "name": self.name,
            "detail": self.detail,
            "train": self.train,
            "cross_validated": {name: list(value) for name, value in self.cross_validated.items()},
            "test": {name: list(value) for name, value in self.test.items()},
            "margin": list(self.margin),
            "p_value": self.margin.p_value,
            "verdict": self.verdict,
        }


@dataclass
class FitResult:
    """What `fit_table` found.

    Attributes
    ----------
    task, target, data_name : str
        What was predicted, from what.
    classes : list or None
        The labels, for classification.
    n_train, n_test, n_inputs : int
        Rows fitted to, rows set aside, and encoded columns.
    metrics : tuple of str
        The first one decides.
    entries : list of Entry
        Chosen network, unregularized network, linear model, constant guess.
    candidates : list of Candidate
        All that was tried; `chosen` and `unregularized` are two of them.
    model, unregularized_model : Model
        Both fitted to all rows that are not test rows.
    test_true, test_predicted : ndarray, shape (test rows,)
        Labels, or numbers in their own units.
    test_probabilities : ndarray, shape (test rows, classes), or None
        For classification.
    seed : int
        Seed of everything.
    seconds : float
        How long it took.
    versions : dict of str to str
        Of what it was made with.
    notes : list of str
        What a reader should know, in plain sentences.
    n_seen : int
        Test rows that equal a training row in every column.
    """

    task: str
    target: str
    data_name: str
    classes: list[Any] | None
    n_train: int
    n_test: int
    n_inputs: int
    metrics: tuple[str, ...]
    entries: list[Entry]
    candidates: list[Candidate]
    chosen: Candidate
    unregularized: Candidate
    model: Model
    unregularized_model: Model
    test_true: np.ndarray
    test_predicted: np.ndarray
    test_probabilities: np.ndarray | None
    seed: int
    seconds: float
    versions: dict[str, str]
    notes: list[str] = field(default_factory=list)
    n_seen: int = 0

    def sentence(self) -> str:
        """Return the answer in one sentence, or two where the table does not support more than a constant guess."""
        chosen, *others = self.entries
        first, second = self.metrics
        verb = "stands" if self.n_seen == 1 else "stand"
        words = [f"{entry.verdict} the {entry.name} ({rounded(*entry.test[first])})" for entry in others]
        seen = (
            "that it had never seen"
            if not self.n_seen
            else f"of which {self.n_seen} {verb} among the training rows too"
        )
        answer = (
            f"The chosen network ({self.chosen.recipe.describe()}) predicts {self.target} with a {_SPELLED[first]} of "
            f"{plus_minus(*chosen.test[first])} ({_SPELLED[second]} {plus_minus(*chosen.test[second])}) on "
            f"{self.n_test} test rows {seen}: {', '.join(words[:-1])} and {words[-1]}."
        )
        if self.entries[-1].verdict != "better than":
            answer += f" These rows do not show that {self.target} can be predicted better than by a constant guess."
        return answer

    def summary(self) -> dict[str, Any]:
        """Return all but the models and the test rows as plain JSON-able values."""
        return {
            "task": self.task,
            "target": self.target,
            "data": self.data_name,
            "classes": self.classes,
            "rows": {"train": self.n_train, "test": self.n_test},
            "inputs": self.n_inputs,
            "metrics": list(self.metrics),
            "answer": self.sentence(),
            "entries": [entry.to_dict() for entry in self.entries],
            "chosen": self.chosen.to_dict(),
            "candidates": [candidate.to_dict() for candidate in self.candidates],
            "seed": self.seed,
            "seconds": self.seconds,
            "versions": self.versions,
            "notes": self.notes,
        }


_SPELLED = {"log_loss": "log loss", "accuracy": "accuracy", "rmse": "root mean squared error", "r2": "R²"}


def fit_table(
    frame: pd.DataFrame,
    target: str,
    *,
    task: str | None = None,
    test: pd.DataFrame | None = None,
    test_size: float = 0.2,
    recipe: Recipe | None = None,
    cv: int = 5,
    choose_rows: int = 20_000,
    group: str | None = None,
    time_column: str | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    report: Report | None = None,
    data_name: str = "the table",
) -> FitResult:
    """Choose, fit and test a network for a table.

    Parameters
    ----------
    frame : DataFrame
        The table, target included.
    target : str
        The column to predict.
    task : {"classification", "regression"}, optional
        Inferred from the target by default.
    test : DataFrame, optional
        Rows to test on; by default `test_size` of `frame` is set aside.
    test_size : float, default 0.2
        Share of the rows to set aside.
    recipe : Recipe, optional
        What to start from; the candidates differ from it in strengths only.
    cv : int, default 5
        Folds.
    choose_rows : int, default 20000
        Of a longer table, strengths are chosen on so many rows, drawn like a test set; the choice is then fitted to
        all.
    group : str, optional
        Column whose equal values belong together: rows of a group are never divided between sets. It is no input.
    time_column : str, optional
        Column by which rows are ordered: later rows test, earlier ones train.
    seed : int, default 0
        Seed of everything.
    n_jobs : int, optional
        Processes; as many as there are cores by default.
    report : callable, optional
        Told ``(fits done, fits planned, words)``.
    data_name : str, default "the table"
        What to call it.

    Returns
    -------
    FitResult
        Models, scores and everything a report needs.

    Raises
    ------
    DataError
        If the table cannot be used.

    Examples
    --------
    >>> from taut.data import load_sample
    >>> frame, target = load_sample("wine")
    >>> result = fit_table(frame, target, recipe=Recipe(epochs=20), cv=2, n_jobs=1)
    >>> [entry.name for entry in result.entries]
    ['chosen network', 'unregularized network', 'linear model', 'constant guess']
    """
    began = time.perf_counter()
    recipe = recipe or Recipe(seed=seed)
    notes: list[str] = []
    if recipe.early_stopping:
        notes.append("The recipe's early stopping was left off: what it would do, the chosen strengths do.")
        recipe = replace(recipe, early_stopping=False)
    rows = Rows.of(frame, target, group=group, time_column=time_column, notes=notes)
    task = task or infer_task(rows.y)
    rows = rows.for_task(task)
    if test is None:
        keep, held = rows.split(test_size, task, seed)
        tested, rows = rows.take(held), rows.take(keep)
    else:
        tested = Rows.of(test, target, group=group, time_column=time_column, notes=notes, what="the test table")
        tested = tested.for_task(task)
    some = rows
    if len(rows.y) > choose_rows:
        some = rows.take(rows.split(choose_rows, task, seed)[1])
        notes.append(f"Strengths were chosen on {len(some.y)} of the {len(rows.y)} training rows.")
    splits = folds(some.y, n_splits=cv, task=task, groups=some.groups, time=some.time, seed=seed)
    tried = cross_validate(candidates(recipe), some.X, some.y, task=task, splits=splits, n_jobs=n_jobs, report=report)
    chosen = min(tried, key=lambda candidate: candidate.mean)
    if not np.isfinite(chosen.mean):
        raise NonFiniteLoss(f"training diverged with every setting; lower learning_rate ({recipe.learning_rate:g})")
    lost = sum(not np.isfinite(candidate.mean) for candidate in tried)
    if lost:
        notes.append(f"With {lost} of the {len(tried)} settings, training diverged in a fold; they were left out.")
    unregularized = next(candidate for candidate in tried if candidate.recipe == recipe.unregularized())
    model, bare = (
        fit_model(one.recipe, rows.X, rows.y, task=task, interruptible=False) for one in (chosen, unregularized)
    )
    others = fit_baselines(rows.X, rows.y, task=task, splits=splits, scaling=recipe.scaling, choosing=(some.X, some.y))
    contenders = [
        _Contender("chosen network", chosen.recipe.describe(), chosen.scores, answers(model)),
        _Contender("unregularized network", "the same, all strengths 0", unregularized.scores, answers(bare)),
        *(_Contender(other.name, other.detail, other.cross_validated, other.answers) for other in others),
    ]
    groups = None if tested.groups is None else np.asarray(tested.groups)
    on_test = [score(contender.answers(tested.X), tested.y, model.targets, groups) for contender in contenders]
    same = [True, chosen is unregularized, False, False]
    entries = [
        contender.entry(
            score(contender.answers(rows.X), rows.y, model.targets), scores, on_test[0].margin(scores), is_it
        )
        for contender, scores, is_it in zip(contenders, on_test, same, strict=True)
    ]
    notes += tested.warnings(rows, task)
    is_classification = task == "classification"
    return FitResult(
        task=task,
        target=target,
        data_name=data_name,
        classes=model.targets.classes_.tolist() if isinstance(model.targets, ClassTargets) else None,
        n_train=len(rows.y),
        n_test=len(tested.y),
        n_inputs=model.network.n_inputs,
        metrics=METRICS[task],
        entries=entries,
        candidates=tried,
        chosen=chosen,
        unregularized=unregularized,
        model=model,
        unregularized_model=bare,
        test_true=np.asarray(tested.y),
        test_predicted=model.predict(tested.X),
        test_probabilities=model.predict_proba(tested.X) if is_classification else None,
        seed=seed,
        seconds=time.perf_counter() - began,
        versions=versions(),
        notes=notes,
        n_seen=tested.seen_in(rows),
    )


@dataclass(frozen=True)
class _Contender:
    """A fitted model that the table of results has a row for."""

    name: str
    detail: str
    cross_validated: dict[str, tuple[float, float]]
    answers: Callable[[Any], np.ndarray]

    def entry(self, on_train: RowScores, on_test: RowScores, margin: Margin, is_chosen: bool) -> Entry:
        train = {metric: value for metric, (value, _) in on_train.values.items()}
        return Entry(self.name, self.detail, train, self.cross_validated, on_test.values, margin, is_chosen)
