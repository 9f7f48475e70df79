"""Ensemble selection: how much each of many candidates counts in their mean.

Greedily: into a bag goes, again and again, with replacement, the candidate whose addition lowers the loss of the bag's
mean most; how often each is in it are the weights. They are chosen on answers for rows that the candidates were not
trained on, yet on few rows even so they follow chance. Two remedies, both of the bag's beginning. It begins with the
mean of the best candidates, as many as have the lowest loss together (Caruana's sorted initialization), or more, as
long as a mean of more is not worse than by one standard error: to take one too many costs little, because equals are
only averaged, to leave one out by chance costs its share of the averaging. And this mean counts as many steps as are
taken after it, so that it keeps half of the weight. In simulations (10 or 40 candidates, all equal, one much better or
of all qualities, 50 to 2000 rows) that half was the best share or next to it everywhere; the greedy steps alone lost
up to a tenth on 50 rows. Floor 5 of the house; knows nothing of networks.

References
----------
R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from libraries of models", ICML, 2004.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from taut.checks import check_number
from taut.errors import InvalidValue
from taut.selection.objectives import Objective

__all__ = ["EnsembleSelection", "select_ensemble"]

_STEPS = 40


@dataclass(frozen=True, eq=False)
class EnsembleSelection:
    """How much each candidate counts.

    Attributes
    ----------
    weights : ndarray, shape (candidates,)
        At least 0, with sum 1.
    losses : ndarray, shape (1 + steps,)
        The loss of the mean the bag begins with, and of the bag after each step; lower is better.
    n_first : int
        Of how many of the best candidates is the mean that it begins with.
    """

    weights: np.ndarray
    losses: np.ndarray
    n_first: int

    @property
    def loss(self) -> float:
        """The loss with these weights, on the rows that they were chosen on."""
        return float(self.losses.min())


def select_ensemble(
    answers: np.ndarray,
    true: np.ndarray,
    objective: Objective,
    *,
    weight: np.ndarray | None = None,
    n_steps: int = _STEPS,
    shrink: float = _STEPS,
) -> EnsembleSelection:
    """Choose the weights of candidates by greedy selection with replacement.

    Parameters
    ----------
    answers : ndarray, shape (candidates, rows, outputs)
        Probabilities, or numbers in their own units, for rows that the candidates were not trained on.
    true : ndarray, shape (rows,) or (rows, outputs)
        Codes of the classes, or numbers.
    objective : Objective
        What is to be low, or high.
    weight : ndarray, shape (rows,), optional
        How much each row counts.
    n_steps : int, default 40
        How many candidates go into the bag at most; as many are left as have the lowest loss.
    shrink : float, default 40
        How many steps the mean that the bag begins with counts; 0 forgets it as soon as the first step is taken.

    Returns
    -------
    EnsembleSelection
        The weights; of equal candidates the earlier one is preferred.

    Raises
    ------
    InvalidValue
        If there is no candidate with a finite loss.

    References
    ----------
    R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from libraries of models", ICML, 2004.

    Examples
    --------
    >>> from taut.selection.objectives import OBJECTIVES
    >>> true = np.array([0.0, 0.0, 1.0, 1.0])
    >>> answers = true[:, None] + np.array([[0.2, -0.2, 0.2, -0.2], [-0.2, 0.2, -0.2, 0.2], [2, 1, 2, 1]])[:, :, None]
    >>> found = select_ensemble(answers, true, OBJECTIVES["rmse"])
    >>> found.weights.tolist(), round(found.loss, 6)
    ([0.5, 0.5, 0.0], 0.0)
    """
    check_number("n_steps", n_steps, at_least=0, integer=True)
    check_number("shrink", shrink, at_least=0)
    judge = _Judge(true, objective, weight)
    alone = [judge.keys(one) for one in answers]
    places = [place for place, keys in enumerate(alone) if np.isfinite(keys).all()]
    if not places:
        raise InvalidValue(f"none of {len(answers)} candidates has a finite loss on the {len(true)} rows")
    ranking = sorted(places, key=lambda place: alone[place])
    first = ranking[: _n_first(answers, ranking, judge)]
    mean = answers[first].mean(axis=0, dtype=np.float64)
    counts = np.bincount(first, minlength=len(answers)) / len(first)
    losses, bags = [judge.keys(mean)[0]], [counts]
    counts, total = shrink * counts, shrink * mean
    for size in shrink + np.arange(1, n_steps + 1):
        tried = {place: judge.keys((total + answers[place]) / size) for place in places}
        best = min(tried, key=tried.__getitem__)  # the first of equals
        counts[best] += 1.0
        total += answers[best]
        losses.append(tried[best][0])
        bags.append(counts / size)
    return EnsembleSelection(bags[int(np.argmin(losses))], np.array(losses), len(first))


@dataclass(frozen=True, eq=False)
class _Judge:
    """An objective with the rows that answers are judged on."""

    true: np.ndarray
    objective: Objective
    weight: np.ndarray | None

    def keys(self, answers: np.ndarray) -> tuple[float, ...]:
        """Return the loss, and if that stays the same while answers change a little, behind it one that does not."""
        loss = self.objective.loss(answers, self.true, self.weight)
        if self.objective.is_smooth:
            return (loss,)
        return loss, float(np.average(self.objective.row_losses(answers, self.true), weights=self.weight))

    def is_worse(self, answers: np.ndarray, than: np.ndarray) -> bool:
        """Whether the mean of the losses of the rows is higher by more than its standard error."""
        rows = self.objective.row_losses
        differences = rows(answers, self.true) - rows(than, self.true)
        weight = np.ones(len(differences)) if self.weight is None else self.weight
        mean = np.average(differences, weights=weight)
        return bool(mean > np.sqrt(np.sum(np.square(weight * (differences - mean)))) / weight.sum())


def _n_first(answers: np.ndarray, ranking: list[int], judge: _Judge) -> int:
    """Return the largest number of the best candidates whose mean is not worse than that of the best number of them."""

    def means() -> Iterator[np.ndarray]:
        total = np.zeros(answers.shape[1:])
        for size, place in enumerate(ranking, 1):
            total += answers[place]
            yield total / size

    keys = [judge.keys(mean) for mean in means()]
    lowest = next(islice(means(), keys.index(min(keys)), None))
    return max(size for size, mean in enumerate(means(), 1) if not judge.is_worse(mean, lowest))
