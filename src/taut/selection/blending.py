"""Blending: which networks answer for a table together, and how much each counts.

Networks that came to the end of a race are judged by their answers for the rows that they were not trained on. By
those, some are taken into the ensemble, each with a weight, and their mean probabilities get the temperature that they
deserve. If all of that is not clearly better than a constant guess, the constant guess is the answer. Floor 5 of the
house; knows nothing of how the networks were found.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from taut.errors import InvalidValue
from taut.selection.calibration import fit_temperature
from taut.selection.ensemble_selection import select_ensemble
from taut.selection.fold_models import model_of
from taut.selection.folds import Folds
from taut.selection.objectives import METRICS, OBJECTIVES, objective_of
from taut.selection.outcomes import Outcome
from taut.selection.scores import mean_and_error
from taut.selection.trials import Trial
from taut.training.ensemble import Ensemble, tempered

__all__ = ["Blend", "Finalists", "Member", "blended"]

# Of the trials that came to their end, so many of the best may enter the ensemble.
_MOST_MEMBERS = 12
# Less than this share of the answer is not worth a network's room and time.
_LEAST_WEIGHT = 0.02
# Standard errors by which an ensemble must be better than a constant guess. Of many candidates, the best ones are
# better by chance, on the rows they were chosen by: on noise, one error was not enough.
_CLEAR = 2.0


class Finalists:
    """The trials of a race that a blend may take, with their networks, which are too large to keep those of all.

    Attributes
    ----------
    constant : (Trial, list of Outcome) or None
        The first setting of a race, which is a constant guess, once it came to its end.
    best : list of (Trial, list of Outcome)
        Of all others that did, those with the lowest loss, best first.
    """

    def __init__(self) -> None:
        self.constant: tuple[Trial, list[Outcome]] | None = None
        self.best: list[tuple[Trial, list[Outcome]]] = []

    def add(self, trial: Trial, outcomes: list[Outcome]) -> None:
        """Take a trial that came to its end, and its outcomes, one a fold; leave the worst out if there are too many.

        Of equals, the one that came first stays.
        """
        if trial.round == trial.index == 0:
            self.constant = trial, outcomes
        elif np.isfinite(trial.mean):
            insort(self.best, (trial, outcomes), key=lambda one: one[0].mean)
            del self.best[_MOST_MEMBERS:]


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
        By how much the mean loss of the constant guess is above theirs on the same rows, and its standard error, in
        which rows of a group count as one.
    is_constant : bool
        Whether the constant guess is the answer, because nothing was clearly better.
    """

    members: tuple[Member, ...]
    temperature: float
    answers: np.ndarray
    scores: dict[str, tuple[float, float]]
    over_constant: tuple[float, float]
    is_constant: bool

    def describe(self, n_networks: int) -> str:
        """Return in a few words who answers."""
        if self.is_constant:
            return "a constant guess"
        heaviest = self.members[0]
        if len(self.members) == 1:
            return f"{n_networks} networks: {heaviest.trial.recipe.describe()}"
        settings = f"{n_networks} networks of {len(self.members)} settings"
        return f"{settings}, {heaviest.weight:.0%} of one with {heaviest.trial.recipe.describe()}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "members": [
                {"weight": member.weight, "setting": member.trial.setting, "describe": member.trial.recipe.describe()}
                for member in self.members
            ],
            "temperature": self.temperature,
            "scores": {name: list(score) for name, score in self.scores.items()},
            "over_constant": list(self.over_constant),
            "is_constant": self.is_constant,
        }

    def without_networks(self) -> Blend:
        """Return what is known of the members, without their networks, which are the larger part."""
        return replace(self, members=tuple(replace(member, outcomes=[]) for member in self.members))

    def ensemble(self, folds: Folds) -> Ensemble:
        """Return the networks of all members as one model."""
        models, weights = [], []
        for member in self.members:
            encoded = folds.encoded(member.trial.recipe.encoding)
            models += [model_of(outcome, fold) for outcome, fold in zip(member.outcomes, encoded, strict=True)]
            weights += [member.weight / len(encoded)] * len(encoded)
        return Ensemble(tuple(models), tuple(weights), self.temperature)


def blended(finalists: Finalists, folds: Folds, objective: str = "auto") -> Blend:
    """Choose who answers, how much each counts, and the temperature, by the answers for rows not trained on.

    Parameters
    ----------
    finalists : Finalists
        Trials that came to their end, among them the constant guess.
    folds : Folds
        The folds that they were made on.
    objective : str, default "auto"
        By what they are judged, a name from `taut.selection.objectives.OBJECTIVES`.
    """
    judge = objective_of(objective, folds.task)
    if finalists.constant is None:
        raise InvalidValue("there is no constant guess among the finalists")
    candidates = [*finalists.best, finalists.constant]
    true, rows = folds.held_truth, folds.held_rows
    weight = None if folds.sample_weight is None else np.asarray(folds.sample_weight, np.float64)[rows]
    groups = None if folds.groups is None else np.asarray(folds.groups)[rows]
    answers = np.stack([folds.out_of_fold([one.answers for one in outcomes]) for _, outcomes in candidates])
    weights = select_ensemble(answers, true, judge, weight=weight).weights
    weights = np.where(weights >= _LEAST_WEIGHT, weights, 0.0)
    weights /= weights.sum()
    mean, temperature = np.tensordot(weights, answers, axes=1), 1.0
    if folds.task == "classification":
        temperature = fit_temperature(mean, true, weight)
        mean = tempered(mean, temperature)
    gain = judge.row_losses(answers[-1], true) - judge.row_losses(mean, true)
    over = mean_and_error(gain, groups, weight)
    is_constant = not over[0] > _CLEAR * over[1]
    if is_constant:
        weights, temperature, mean = np.eye(len(candidates))[-1], 1.0, answers[-1]
    order = np.argsort(-weights, kind="stable")[: np.count_nonzero(weights)]
    return Blend(
        tuple(Member(candidates[place][0], candidates[place][1], float(weights[place])) for place in order),
        temperature,
        mean,
        _scores(mean, folds),
        over,
        is_constant,
    )


def _scores(answers: np.ndarray, folds: Folds) -> dict[str, tuple[float, float]]:
    """Return each metric of the answers for the held rows: mean over the folds, and standard error."""
    rows, true, found = folds.held_rows, folds.held_truth, []
    for _, held in folds.splits:
        place = np.searchsorted(rows, held)
        weight = None if folds.sample_weight is None else np.asarray(folds.sample_weight, np.float64)[held]
        metrics = {name: OBJECTIVES[name].value(answers[place], true[place], weight) for name in METRICS[folds.task]}
        found.append(metrics)
    return {name: folds.mean_and_error(np.array([one[name] for one in found])) for name in METRICS[folds.task]}
