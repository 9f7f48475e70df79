"""`fit_table`: the main job, from a table to chosen networks with an honest test score.

It sets the test rows aside, chooses networks by cross-validation on the rest, fits what they must be compared with, and
looks at the test rows once. Floor 5 of the house; knows nothing of files or screens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import check_choice
from taut.data.encoding import Encoding
from taut.data.targets import ClassTargets, NumberTargets, infer_task
from taut.selection.baselines import fit_baselines
from taut.selection.blending import Blend, blended
from taut.selection.choosing import FINALS, Rest, folds_of_some, notes_on, race
from taut.selection.crew import Crew, Report
from taut.selection.cross_validation import Candidate, outcomes_on
from taut.selection.entrants import entrants
from taut.selection.fit_result import Entry, FitResult
from taut.selection.folds import CV, Folds
from taut.selection.halving import Budget
from taut.selection.looks import Looks
from taut.selection.objectives import METRICS
from taut.selection.rows import Rows
from taut.selection.scores import Margin, RowScores, answers, score
from taut.selection.search import begins, seconds_of
from taut.selection.work import work_of
from taut.training.ensemble import Ensemble
from taut.training.model import Model
from taut.training.recipe import Recipe
from taut.versions import versions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fit_table"]


def fit_table(
    frame: pd.DataFrame,
    target: str,
    *,
    task: str | None = None,
    test: pd.DataFrame | None = None,
    test_size: float = 0.2,
    recipe: Recipe | None = None,
    effort: str | int = "standard",
    budget: float | str | None = None,
    rule: str = "min",
    objective: str = "auto",
    final: str | None = None,
    cv: CV = "auto",
    repeats: int = 1,
    choose_rows: int = 5000,
    group: str | None = None,
    time_column: str | None = None,
    seed: int = 0,
    previous: Mapping[str, Any] | None = None,
    n_jobs: int | None = None,
    backend: str | None = None,
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
        What it has other than `Recipe`'s defaults stays so; all else is chosen.
    effort : {"none", "quick", "standard", "thorough"} or int, default "standard"
        How much to try: see `choose`. "none" chooses nothing and fits the recipe as it is.
    budget : float or str, optional
        Most seconds the whole may take, or "90s", "2m", "1h".
    rule : {"min", "1se"}
        As one network, take the setting with the lowest cross-validated loss, or the most regularized within one
        standard error of it.
    objective : str, default "auto"
        What the ensemble is chosen by: see `choose`.
    final : {"ensemble", "refit"}, optional
        Keep the networks that answer best together, or one, fitted to all rows that are not test rows. Both are
        scored. By default the ensemble, unless the effort is "none" or the rule "1se".
    cv : int, default "auto"
        Folds: see `choose`.
    repeats : int, default 1
        How many times the rows are divided anew.
    choose_rows : int, default 5000
        Of a longer table, the choice is made on so many rows, drawn like a test set; the networks that answer are then
        fitted to all.
    group : str, optional
        Column whose equal values belong together: rows of a group are never divided between sets. It is no input.
    time_column : str, optional
        Column by which rows are ordered: later rows test, earlier ones train.
    seed : int, default 0
        Seed of everything.
    previous : mapping, optional
        What the model file that will be replaced remembers of its test rows: see `Looks`.
    n_jobs : int, optional
        Threads, or workers; as many as there are cores by default. The result does not depend on it.
    backend : str, optional
        A backend of joblib, to share the work with processes or other machines; by default it is threads.
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
    >>> result = fit_table(frame, target, recipe=Recipe(epochs=20), effort=4, cv=2)
    >>> [entry.name for entry in result.entries]
    ['chosen ensemble', 'one network', 'unregularized network', 'linear model', 'constant guess']
    """
    began = begins(budget)
    check_choice("rule", rule, ("min", "1se"))
    final = final or ("refit" if effort == "none" or rule == "1se" else "ensemble")
    check_choice("final", final, FINALS)
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
    crew = Crew(n_jobs, backend)
    folds = folds_of_some(
        rows.X,
        rows.y,
        choose_rows,
        task=task,
        cv=cv,
        repeats=repeats,
        groups=rows.groups,
        time=rows.time,
        seed=seed,
    )
    baselines = fit_baselines(rows.X, rows.y, task=task, folds=folds, encoding=Encoding(recipe.scaling))
    whole = Rest(rows.X, rows.y)
    seconds = None if budget is None else seconds_of(budget)
    limit = Budget(seconds, _fits_afterwards(folds, len(rows.y), n_jobs) + whole.fits(folds), 0.3, began)
    entered, work = whole.enter(entrants(recipe, seed, objective, task), work_of(effort), folds)
    found, finalists = race(entered, folds, work, limit, crew=crew, report=report)
    blend = blended(finalists, folds, objective)
    notes += notes_on(found, blend, len(folds.y), len(rows.y), may_be_constant=final == "ensemble")
    setting = recipe if effort == "none" else found.recipe(rule)
    chosen, unregularized = _cross_validated(folds, setting, setting.unregularized(), crew)
    model, bare = whole.refitted([chosen.recipe, unregularized.recipe], folds, crew)
    members = whole.ensemble(blend, folds, crew)
    kept: Model | Ensemble = model if final == "refit" else members
    contenders = _networks(chosen, unregularized, model, bare, members, blend, final)
    contenders += [_Contender(one.name, one.detail, one.cross_validated, one.answers) for one in baselines]
    entries = _scored(contenders, rows, tested, model.targets)
    notes += tested.warnings(rows, task)
    if final == "ensemble":
        notes.append("What is shown of weights and training is of one network, with the best single setting.")
    looks = _looks(rows, tested, previous)
    notes += [looks.sentence()] if looks.sentence() else []
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
        search=found,
        chosen=chosen,
        unregularized=unregularized,
        rule=rule,
        kept=kept,
        model=model,
        unregularized_model=bare,
        blend=blend,
        test_true=np.asarray(tested.y),
        test_predicted=kept.predict(tested.X),
        test_probabilities=kept.predict_proba(tested.X) if task == "classification" else None,
        seed=seed,
        seconds=time.time() - began,
        versions=versions(),
        looks=looks,
        notes=notes,
        n_seen=tested.seen_in(rows),
    )


def _fits_afterwards(folds: Folds, n_rows: int, n_jobs: int | None) -> float:
    """Return about how many fits to a fold, of those that a choice makes, all that follows it will take.

    That is two fits to all rows, side by side, and two to every fold, with curves.
    """
    own = float(np.mean([len(train) for train, _ in folds.splits]))
    alone = 1.5 if n_jobs == 1 else 1.0  # two threads of one core take less than twice as long for twice the work
    return alone * (1.5 * n_rows / own + 1.5 * len(folds))


def _cross_validated(folds: Folds, chosen: Recipe, unregularized: Recipe, crew: Crew) -> tuple[Candidate, Candidate]:
    """Return both candidates with their curves."""
    recipes = list(dict.fromkeys((chosen, unregularized)))
    outcomes = outcomes_on(folds, [[recipe] * len(folds) for recipe in recipes], curves=True, crew=crew)
    made = [Candidate.of(recipe, found, folds) for recipe, found in zip(recipes, outcomes, strict=True)]
    return made[0], made[-1]


def _networks(
    chosen: Candidate,
    unregularized: Candidate,
    model: Model,
    bare: Model,
    members: Ensemble,
    blend: Blend,
    final: str,
) -> list[_Contender]:
    """Return the rows of the table of results that are networks, the chosen one first."""
    one = _Contender("one network", chosen.recipe.describe(), chosen.scores, answers(model))
    many = _Contender("chosen ensemble", blend.describe(len(members.models)), blend.scores, answers(members))
    if final == "refit":
        many, one = replace(one, name="chosen network"), replace(many, name="ensemble")
    is_same = final == "refit" and chosen is unregularized
    return [
        many,
        one,
        _Contender(
            "unregularized network", f"the {one.name}, all strengths 0", unregularized.scores, answers(bare), is_same
        ),
    ]


def _scored(
    contenders: list[_Contender], rows: Rows, tested: Rows, targets: ClassTargets | NumberTargets
) -> list[Entry]:
    """Return the table of results; here the test rows are looked at."""
    groups = None if tested.groups is None else np.asarray(tested.groups)
    on_test = [score(contender.answers(tested.X), tested.y, targets, groups) for contender in contenders]
    return [
        contender.entry(
            score(contender.answers(rows.X), rows.y, targets),
            scores,
            on_test[0].margin(scores),
            contender.is_chosen or scores is on_test[0],
        )
        for contender, scores in zip(contenders, on_test, strict=True)
    ]


def _looks(rows: Rows, tested: Rows, previous: Mapping[str, Any] | None) -> Looks:
    import pandas as pd

    return Looks.first(tested.table(), pd.concat([rows.table(), tested.table()])).after(previous)


@dataclass(frozen=True)
class _Contender:
    """A fitted model that the table of results has a row for."""

    name: str
    detail: str
    cross_validated: dict[str, tuple[float, float]]
    answers: Callable[[Any], np.ndarray]
    is_chosen: bool = False

    def entry(self, on_train: RowScores, on_test: RowScores, margin: Margin, is_chosen: bool) -> Entry:
        train = {metric: value for metric, (value, _) in on_train.values.items()}
        return Entry(self.name, self.detail, train, self.cross_validated, on_test.values, margin, is_chosen)
