"""What `fit_table` found: all that the command line prints, the report draws and the model file remembers.

Floor 5 of the house; knows nothing of files or screens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from taut.selection.blending import Blend, Member
from taut.selection.cross_validation import Candidate, finite
from taut.selection.growth import LearningCurve
from taut.selection.importance import Importance
from taut.selection.looks import Looks
from taut.selection.scores import Margin
from taut.selection.search_result import SearchResult
from taut.selection.trials import Trial
from taut.selection.wording import plus_minus, rounded
from taut.training.ensemble import Ensemble
from taut.training.model import Model
from taut.training.regions import Regions

__all__ = ["Entry", "FitResult", "View"]


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
        By how much its mean test loss (log loss, or squared error) is above the chosen model's on the same rows.
    is_chosen : bool
        Whether it is the chosen model itself, by whatever name.
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
        """How the chosen model compares with this one: "better than", "worse than", …, for the model's name."""
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
            "cross_validated": {name: [*map(finite, score)] for name, score in self.cross_validated.items()},
            "test": {name: list(value) for name, value in self.test.items()},
            "margin": list(self.margin),
            "p_value": self.margin.p_value,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, eq=False)
class View:
    """What a model answers in the plane of its two inputs, and the rows in it.

    Attributes
    ----------
    regions : Regions
        What it answers.
    training, test : tuple (points, target)
        The rows, points of shape (rows, 2).
    """

    regions: Regions
    training: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


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
        Chosen ensemble and the best single network (or the other way round, if that was to be kept), unregularized
        network, linear model, constant guess.
    search : SearchResult
        All that was tried.
    chosen, unregularized : Candidate
        The choice, and the same without regularization, on the folds.
    rule : str
        By which it was chosen: "min" or "1se".
    kept : Model or Ensemble
        What was to be kept.
    model, unregularized_model : Model
        Both fitted to all rows that are not test rows.
    blend : Blend
        Whose networks answer together, how much each counts, and at which temperature.
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
    looks : Looks
        How often the test rows have been looked at.
    notes : list of str
        What a reader should know, in plain sentences.
    n_seen : int
        Test rows that equal a training row in every column.
    importance : Importance or None
        How much worse the kept model answers for the test rows without each column; None for a table too wide for it.
    growth : LearningCurve or None
        What more rows would bring, for the chosen setting; None where the effort was not worth it.
    view : View or None
        What the kept model answers in the plane of the inputs, if there are two and both are numbers.
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
    search: SearchResult
    chosen: Candidate
    unregularized: Candidate
    rule: str
    kept: Model | Ensemble
    model: Model
    unregularized_model: Model
    blend: Blend
    test_true: np.ndarray
    test_predicted: np.ndarray
    test_probabilities: np.ndarray | None
    seed: int
    seconds: float
    versions: dict[str, str]
    looks: Looks
    notes: list[str] = field(default_factory=list)
    n_seen: int = 0
    importance: Importance | None = None
    growth: LearningCurve | None = None
    view: View | None = None

    @property
    def n_networks(self) -> int:
        """How many networks answer."""
        return len(self.kept.models) if isinstance(self.kept, Ensemble) else 1

    @property
    def members(self) -> tuple[Member, ...]:
        """The settings whose networks answer together, or would; where all rows needed a fit, the heaviest of them."""
        of_the_folds = len(self.blend.members) * len(self.chosen.losses)
        if isinstance(self.kept, Ensemble) and self.n_networks < of_the_folds:
            return self.blend.members[: self.n_networks]
        return self.blend.members

    @property
    def candidates(self) -> list[Trial]:
        """The settings that were tried to their end."""
        return [trial for trial in self.search.trials if trial.is_complete]

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
            f"The {chosen.name} ({chosen.detail}) predicts {self.target} with a {_SPELLED[first]} of "
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
            "rule": self.rule,
            "blend": self.blend.to_dict(),
            "search": self.search.to_dict(),
            "looks": self.looks.to_dict(),
            "seed": self.seed,
            "seconds": self.seconds,
            "versions": self.versions,
            "notes": self.notes,
        }


_SPELLED = {"log_loss": "log loss", "accuracy": "accuracy", "rmse": "root mean squared error", "r2": "R²"}
