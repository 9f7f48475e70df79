"""Choosing: from a table to the networks that answer for it together.

A portfolio of recipes is raced on common folds, and the best are crossed and moved in further rounds. All networks that
came to their end are kept, with their answers for the rows that they were not trained on, and the best of them are
blended. Floor 5 of the house; knows nothing of files or screens.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from taut.checks import check_choice, check_number, shown
from taut.data.frames import take
from taut.data.splits import hold_out
from taut.data.targets import ClassTargets, ClassWeight
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.selection.blending import Blend, Finalists, blended
from taut.selection.crew import Crew, Report
from taut.selection.cross_validation import CHOOSING, Progress, in_precision
from taut.selection.entrants import Entrants, entrants
from taut.selection.fold_models import fit_models
from taut.selection.folds import CV, Folds, splits_of
from taut.selection.halving import Budget
from taut.selection.hunt import Hunt, planned
from taut.selection.objectives import objective_of
from taut.selection.search import begins, seconds_of
from taut.selection.search_result import SearchResult, rank, simplest
from taut.selection.work import Work, work_of
from taut.training.ensemble import Ensemble
from taut.training.model import Model, Table
from taut.training.recipe import TASKS, Recipe

__all__ = ["FINALS", "Chosen", "Rest", "choose", "folds_of_some", "notes_on", "race"]

FINALS = ("ensemble", "refit")

# Of few rows each counts: there, networks that learn from nine tenths of them do better than from four fifths, and ten
# that answer together do better than five. Of more rows, it only takes longer.
_FOLDS, _MORE_FOLDS, _FEW_ROWS = 5, 10, 1000
# So many networks, of the heaviest members, are fitted to all rows where the choice was made on some.
_MOST_REFITS = 3
# A pass over more rows makes more updates, so fewer passes are needed: with four times the rows half of them, but no
# fewer than these.
_FEWEST_EPOCHS = 15
# Where networks are fitted to all rows afterwards, so much of the work is left for that.
_SHARE_OF_RACE = 0.5


@dataclass(frozen=True, eq=False)
class Chosen:
    """What was chosen for a table.

    Attributes
    ----------
    search : SearchResult
        All that was tried.
    blend : Blend
        Who answers, and how well.
    model : Ensemble or Model
        What answers.
    notes : list of str
        What a reader should know, in plain sentences.
    """

    search: SearchResult
    blend: Blend
    model: Ensemble | Model
    notes: list[str]


def choose(
    X: Table,
    y: Any,
    *,
    task: str,
    recipe: Recipe | None = None,
    effort: str | int = "standard",
    objective: str = "auto",
    budget: float | str | None = None,
    final: str = "ensemble",
    cv: CV = "auto",
    repeats: int = 1,
    groups: Any = None,
    time: Any = None,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    choose_rows: int = 5000,
    seed: int = 0,
    n_jobs: int | None = None,
    backend: str | None = None,
    report: Report | None = None,
) -> Chosen:
    """Choose networks for a table by cross-validation, and let them answer together.

    Parameters
    ----------
    X : DataFrame or array, shape (rows, columns)
        The table without the target, as it is.
    y : Series or array, shape (rows,)
        The target.
    task : {"classification", "regression"}
        What to fit.
    recipe : Recipe, optional
        What it has other than `Recipe`'s defaults stays so; all else is chosen.
    effort : {"none", "quick", "standard", "thorough"} or int, default "standard"
        How much work it is worth: a word, or a number of settings. "none" is the recipe as it is, fitted once to all
        rows, whatever `final` says. It counts what is done, not seconds: same seed, same answer.
    objective : str, default "auto"
        What the ensemble is chosen by: "log_loss", "accuracy", "balanced_accuracy", "roc_auc", "brier"; "rmse", "mae",
        "r2"; "auto" is the first of the task.
    budget : float or str, optional
        Most seconds it may take, or "90s", "2m", "1h".
    final : {"ensemble", "refit"}, default "ensemble"
        Keep the networks of the folds, which answer together, or one network with the best setting, fitted to all
        rows.
    cv : int, splitter, or iterable of (train, validation), default "auto"
        Folds; "auto" makes ten of up to 1000 rows, where a tenth more to learn from tells, and five of more rows, or
        with `groups` or `time`.
    repeats, groups, time, sample_weight, class_weight
        See `regularization_path`.
    choose_rows : int, default 5000
        Of a longer table, the choice is made on so many rows; the networks that answer are then fitted to all of them.
    seed : int, default 0
        Seed of everything.
    n_jobs, backend, report
        See `search`.

    Returns
    -------
    Chosen
        What was tried, who answers, and what to expect.

    Raises
    ------
    InvalidValue, InvalidType, DataError
        If an argument or the table cannot be used, or the budget is too short to try a single setting.
    NonFiniteLoss
        If training diverged at every setting.

    References
    ----------
    R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from libraries of models", ICML, 2004.
    A. Kadra, M. Lindauer, F. Hutter and J. Grabocka, "Well-tuned simple nets excel on tabular datasets", NeurIPS, 2021.

    Examples
    --------
    >>> from taut.data import load_sample
    >>> frame, target = load_sample("wine")
    >>> chosen = choose(frame.drop(columns=target), frame[target], task="classification", effort="quick", cv=3)
    >>> chosen.model.predict(frame.head(3)).tolist()
    ['class_0', 'class_0', 'class_0']
    """
    check_choice("task", task, TASKS)
    check_choice("final", final, FINALS)
    check_number("choose_rows", choose_rows, at_least=1, integer=True)
    if recipe is not None and not isinstance(recipe, Recipe):
        raise InvalidType(f"recipe must be a Recipe, got {shown(recipe)}")
    work = work_of(effort)
    objective_of(objective, task)
    began, crew = begins(budget), Crew(n_jobs, backend)
    folds = folds_of_some(
        X,
        y,
        choose_rows,
        task=task,
        cv=cv,
        repeats=repeats,
        groups=groups,
        time=time,
        sample_weight=sample_weight,
        class_weight=class_weight,
        seed=seed,
    )
    seconds = None if budget is None else seconds_of(budget)
    whole = Rest(X, y, sample_weight)
    limit = Budget(seconds, whole.fits(folds) if final == "ensemble" else 2.0 * len(y) / len(folds.y), 0.2, began)
    entered, work = whole.enter(entrants(recipe or Recipe(), seed, objective, task), work, folds)
    found, finalists = race(entered, folds, work, limit, crew=crew, report=report)
    blend = blended(finalists, folds, objective)
    notes = notes_on(found, blend, len(folds.y), len(y), may_be_constant=effort != "none")
    if effort == "none":
        best = entered.space.base
    elif final == "ensemble":
        return Chosen(found, blend, whole.ensemble(blend, folds, crew), notes)
    else:
        best = blend.members[0].trial.recipe if blend.is_constant else found.best.recipe
    return Chosen(found, blend, whole.refitted([best], folds, crew)[0], notes)


@dataclass(frozen=True, eq=False)
class Rest:
    """All rows there are, of which the choice may have seen some."""

    X: Table
    y: Any
    sample_weight: np.ndarray | None = None

    def is_in(self, folds: Folds) -> bool:
        """Say whether the folds have all rows."""
        return len(folds.y) == len(self.y)

    def enter(self, entered: Entrants, work: Work, folds: Folds) -> tuple[Entrants, Work]:
        """Return who enters a race on the folds, and what it is worth: less, if fits to all rows follow."""
        if self.is_in(folds):
            return entered, work
        # Of many rows, so many columns of pieces would take too much memory; the usual recipe has fewer of them then.
        return entered.without("bins"), replace(work, multiplications=_SHARE_OF_RACE * work.multiplications)

    def fits(self, folds: Folds) -> float:
        """Return how many fits to a fold the ensemble takes that is fitted after the choice."""
        return 0.0 if self.is_in(folds) else _MOST_REFITS * 1.25 * len(self.y) / len(folds.y)

    def ensemble(self, blend: Blend, folds: Folds, crew: Crew) -> Ensemble:
        """Return the networks of the folds, if these have all rows; or else networks fitted to all rows."""
        if self.is_in(folds):
            return blend.ensemble(folds)
        members = blend.members[:_MOST_REFITS]
        models = self.refitted([member.trial.recipe for member in members], folds, crew)
        return Ensemble(tuple(models), tuple(member.weight for member in members), blend.temperature)

    def refitted(self, recipes: Sequence[Recipe], folds: Folds, crew: Crew) -> list[Model]:
        """Return networks fitted to all rows, in the precision of the choice; of more rows, in fewer passes."""
        share = np.sqrt(len(folds.y) / len(self.y))
        shorter = [
            replace(one, epochs=max(round(share * one.epochs), min(one.epochs, _FEWEST_EPOCHS))) for one in recipes
        ]
        return fit_models(
            [in_precision(recipe, CHOOSING) for recipe in shorter],
            self.X,
            self.y,
            task=folds.task,
            sample_weight=self.sample_weight,
            class_weight=folds.class_weight,
            crew=crew,
        )


def race(
    entered: Entrants,
    folds: Folds,
    work: Work,
    limit: Budget,
    *,
    crew: Crew,
    report: Report | None = None,
) -> tuple[SearchResult, Finalists]:
    """Race as many entrants as the work is enough for, and refine the best.

    Parameters
    ----------
    entered : Entrants
        Who enters.
    folds : Folds
        The folds.
    work : Work
        How much it is worth.
    limit : Budget
        How long it may take.
    crew : Crew
        Who trains.
    report : callable, optional
        Told ``(fits done, fits planned, words)``.

    Returns
    -------
    SearchResult, Finalists
        All that was tried, and the best that came to their end, with their networks.
    """
    some, effort = entered.affordable(folds, work)
    space, encoded, finalists = some.space, some.encoded(folds), Finalists()
    progress = Progress(planned(effort, len(folds), len(some.plain)), report)
    with crew.at_work(encoded.all) as workers:
        hunt = Hunt(
            space,
            encoded,
            workers,
            None,
            limit,
            effort,
            CHOOSING,
            progress,
            first=some.settings,
            protected=len(some.plain),
            barren=1,  # the constant guess
            removals=int(bool(effort.finer)),
            keep=finalists.add,
        )
        hunt.run()
    if finalists.constant is None or not finalists.best:
        if hunt.is_cut_short:
            raise InvalidValue(
                f"a budget of {limit.seconds:g} s is too short to try a single setting here; "
                f"give more, such as {limit.needed(len(folds)):.0f} s"
            )
        raise NonFiniteLoss(f"training diverged with every setting; lower learning_rate ({space.base.learning_rate:g})")
    best = min(hunt.trials, key=rank)
    found = SearchResult(
        trials=hunt.trials,
        best=best,
        simplest=simplest(hunt.trials, best),
        ingredients=hunt.ingredients(),
        stopped_by_budget=hunt.is_cut_short,
        effort=effort,
        seconds=clock.time() - limit.began,
        storage=None,
        task=folds.task,
        beyond=work.beyond(),
        _folds=None,
    )
    return found, finalists


def folds_of_some(
    X: Table,
    y: Any,
    most: int,
    *,
    task: str,
    cv: CV,
    repeats: int,
    groups: Any,
    time: Any,
    sample_weight: np.ndarray | None = None,
    class_weight: ClassWeight = None,
    seed: int,
) -> Folds:
    """Return folds of the rows, or of so many of them, drawn like a test set; `cv` as `choose` takes it."""
    classes = ClassTargets().fit(y) if task == "classification" else None  # rare ones may not be among some rows
    if len(y) > most:
        rows = hold_out(X, y, test_size=most, task=task, groups=groups, time=time, seed=seed)[1]
        X, y = take(X, rows), take(y, rows)
        groups, time, sample_weight = (
            None if each is None else take(each, rows) for each in (groups, time, sample_weight)
        )
    if isinstance(cv, str) and cv == "auto":
        is_few = 2 * _MORE_FOLDS <= len(y) <= _FEW_ROWS
        cv = _MORE_FOLDS if is_few and groups is None and time is None else _FOLDS
    splits = splits_of(cv, X, y, task=task, repeats=repeats, groups=groups, time=time, seed=seed)
    return Folds(X, y, task, splits, repeats, sample_weight, class_weight, classes, dtype=CHOOSING, groups=groups)


def notes_on(
    found: SearchResult, blend: Blend, n_chosen: int, n_rows: int, *, may_be_constant: bool = True
) -> list[str]:
    """Return what a reader should know; whether the constant guess answers where nothing is better is for who asks."""
    notes = []
    if n_chosen < n_rows:
        notes.append(f"The choice was made on {n_chosen} of the {n_rows} training rows.")
    if blend.is_constant:
        answer = ", so the constant guess is the answer." if may_be_constant else "."
        notes.append(f"No network was clearly better than a constant guess on rows that it was not trained on{answer}")
    if found.stopped_by_budget:
        notes.append(found.more())
    lost = sum(not np.isfinite(trial.mean) for trial in found.trials)
    if lost:
        notes.append(
            f"With {lost} of the {len(found.trials)} settings, training diverged in a fold; they were left out."
        )
    return notes
