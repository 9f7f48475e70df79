"""Choosing: from a table to the networks that answer for it together.

A portfolio of recipes is raced on common folds, the best are crossed and moved in further rounds, and all networks that
came to their end are kept with their answers for the rows that they were not trained on. By those answers some are
taken into the ensemble, each with a weight, and their probabilities get the temperature that they deserve. If all of
that is not clearly better than a constant guess, the constant guess is the answer. Floor 5 of the house; knows nothing of files or
screens.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from taut.data.frames import take
from taut.errors import InvalidValue, NonFiniteLoss
from taut.selection.calibration import fit_temperature
from taut.selection.crew import Crew, Report
from taut.selection.cross_validation import CHOOSING, Progress
from taut.selection.ensemble_selection import select_ensemble
from taut.selection.fold_models import model_of
from taut.selection.folds import EncodedFolds, Folds
from taut.selection.halving import Budget
from taut.selection.hunt import Hunt, planned
from taut.selection.objectives import METRICS, objective_of
from taut.selection.outcomes import Outcome
from taut.selection.scores import mean_and_error
from taut.selection.search_result import Effort, SearchResult, rank, simplest
from taut.selection.space import Setting, Space
from taut.selection.trials import Trial
from taut.training.ensemble import Ensemble, tempered
from taut.training.recipe import Recipe

__all__ = ["Blend", "Member", "blended", "raced"]

# Of the trials that came to their end, so many of the best may enter the ensemble.
_MOST_MEMBERS = 12
# Less than this share of the answer is not worth a network's room and time.
_LEAST_WEIGHT = 0.02


@dataclass(frozen=True, eq=False)
class Member:
    """A trial in an ensemble: its networks, one a fold, and how much they count together."""

    trial: Trial
    outcomes: list[Outcome]
    weight: float


@dataclass(frozen=True, eq=False)
class Blend:
    """Networks that answer together, and how well they do on rows that they were not trained on.

    Attributes
    ----------
    members : tuple of Member
        Whose networks answer, the heaviest first.
    temperature : float
        Of their mean probabilities; 1 for numbers.
    answers : ndarray, shape (rows, outputs)
        Of the ensemble, each row's from networks that were not trained on it.
    scores : dict of str to (float, float)
        Each metric of these answers, mean over the folds and standard error. Weights and temperature were chosen on the
        same rows, which flatters them a little.
    over_constant : tuple of float
        By how much the mean loss of the constant guess is above theirs on the same rows, and its standard error.
    is_constant : bool
        Whether the constant guess is the answer, because nothing was clearly better.
    """

    members: tuple[Member, ...]
    temperature: float
    answers: np.ndarray
    scores: dict[str, tuple[float, float]]
    over_constant: tuple[float, float]
    is_constant: bool

    def ensemble(self, folds: Folds) -> Ensemble:
        """Return the networks of all members as one model."""
        models, weights = [], []
        for member in self.members:
            encoded = folds.encoded(member.trial.recipe.encoding)
            models += [model_of(outcome, fold) for outcome, fold in zip(member.outcomes, encoded, strict=True)]
            weights += [member.weight / len(encoded)] * len(encoded)
        return Ensemble(tuple(models), tuple(weights), self.temperature)


Finished = list[tuple[Trial, list[Outcome]]]


def raced(
    base: Recipe,
    settings: Sequence[Setting],
    plain: int,
    folds: Folds,
    *,
    effort: Effort,
    budget: Budget,
    dtype: str | None = CHOOSING,
    crew: Crew | None = None,
    report: Report | None = None,
) -> tuple[SearchResult, Finished]:
    """Race settings on folds, refine the best, and keep what came to its end.

    Parameters
    ----------
    base : Recipe
        What the settings change.
    settings : sequence of dict
        The first round; the first `plain` of them are trained to their end in any case.
    plain : int
        How many those are.
    folds : Folds
        The folds.
    effort : Effort
        How many settings the further rounds try.
    budget : Budget
        How long it may take.
    dtype, crew, report
        See `search`.

    Returns
    -------
    SearchResult, list of (Trial, list of Outcome)
        All that was tried; and of what came to its end, the networks.
    """
    space = Space(base, None, folds.task)
    settings = [_for_task(setting, folds.task) for setting in settings]
    encoded = EncodedFolds(folds, [space.recipe(setting).encoding for setting in settings])
    finished: Finished = []
    progress = Progress(planned(effort, len(folds)), report)
    with (crew or Crew()).at_work(encoded.all) as workers:
        hunt = Hunt(
            space,
            encoded,
            workers,
            None,
            budget,
            effort,
            dtype,
            progress,
            first=settings,
            protected=plain,
            weighs=False,
            keep=lambda trial, outcomes: finished.append((trial, outcomes)),
        )
        hunt.run()
    trials = hunt.trials
    if not finished:
        raise InvalidValue(
            f"a budget of {budget.seconds:g} s is too short to try a single setting here; "
            f"give more, such as {budget.needed(len(folds)):.0f} s"
        )
    best = min(trials, key=rank)
    if not np.isfinite(best.mean):
        raise NonFiniteLoss(f"training diverged with every setting; lower learning_rate ({base.learning_rate:g})")
    found = SearchResult(
        trials=trials,
        best=best,
        simplest=simplest(trials, best),
        ingredients=[],
        stopped_by_budget=hunt.is_cut_short,
        effort=effort,
        seconds=clock.time() - budget.began,
        storage=None,
        task=folds.task,
        _folds=replace(folds, _encoded={}),
    )
    return found, finished


def _for_task(setting: Setting, task: str) -> Setting:
    """Return a setting without what is for classification only, unless that is the task."""
    return {name: value for name, value in setting.items() if task == "classification" or name != "label_smoothing"}


def blended(finished: Finished, folds: Folds, objective: str = "auto") -> Blend:
    """Choose who answers, how much each counts, and the temperature, by the answers for rows not trained on.

    Parameters
    ----------
    finished : list of (Trial, list of Outcome)
        Trials that came to their end; the first is a constant guess.
    folds : Folds
        The folds that they were made on.
    objective : str, default "auto"
        By what they are judged, a name from `taut.selection.objectives.OBJECTIVES`.
    """
    judge = objective_of(objective, folds.task)
    constant, *others = finished
    ranked = sorted((one for one in others if np.isfinite(one[0].mean)), key=lambda one: one[0].mean)
    candidates = [*ranked[:_MOST_MEMBERS], constant]
    rows, true = _held(folds)
    weight = None if folds.sample_weight is None else np.asarray(folds.sample_weight, dtype=np.float64)[rows]
    answers = np.stack([_out_of_fold(outcomes, folds)[rows] for _, outcomes in candidates])
    weights = select_ensemble(answers, true, judge, weight=weight).weights
    weights = np.where(weights >= _LEAST_WEIGHT, weights, 0.0)
    weights /= weights.sum()
    mean, temperature = np.tensordot(weights, answers, axes=1), 1.0
    if folds.task == "classification":
        temperature = fit_temperature(mean, true, weight)
        mean = tempered(mean, temperature)
    gain = judge.row_losses(answers[-1], true) - judge.row_losses(mean, true)
    over = mean_and_error(gain)
    is_constant = not over[0] > over[1]
    if is_constant:
        weights, temperature, mean = np.eye(len(candidates))[-1], 1.0, answers[-1]
    order = sorted(np.flatnonzero(weights), key=lambda place: -weights[place])
    return Blend(
        tuple(Member(*candidates[place], float(weights[place])) for place in order),
        temperature,
        mean,
        _scores(mean, rows, folds),
        over,
        is_constant,
    )


def _held(folds: Folds) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that some fold validates, and the truth there: codes of classes, or numbers."""
    rows = np.unique(np.concatenate([held for _, held in folds.splits]))
    y = take(folds.y, rows)
    if folds.classes is not None:
        return rows, folds.classes.encode(y)
    return rows, np.asarray(y, dtype=np.float64)


def _out_of_fold(outcomes: Sequence[Outcome], folds: Folds) -> np.ndarray:
    """Return for each row the mean answer of the networks that were not trained on it; NaN where there is none."""
    total, count = np.zeros(0), np.zeros(len(folds.y))
    for outcome, (_, held) in zip(outcomes, folds.splits, strict=True):
        answers = outcome.answers.reshape(len(held), -1)
        if not total.size:
            total = np.zeros((len(folds.y), answers.shape[1]))
        total[held] += answers
        count[held] += 1
    with np.errstate(invalid="ignore"):
        return total / count[:, None]


def _scores(answers: np.ndarray, rows: np.ndarray, folds: Folds) -> dict[str, tuple[float, float]]:
    """Return each metric of answers for some rows: mean over the folds, and standard error."""
    place = np.empty(len(folds.y), dtype=np.int64)
    place[rows] = np.arange(len(rows))
    encoded = next(iter(folds._encoded.values()))
    found = [fold.metrics(answers[place[fold.held]], slice(len(fold.train), None)) for fold in encoded]
    return {name: folds.mean_and_error(np.array([metrics[name] for metrics in found])) for name in METRICS[folds.task]}
