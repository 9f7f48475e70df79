"""What a search found: its trials, the best and the simplest of them, and what each ingredient is worth.

Here is also what the words for effort mean. Floor 5 of the house; knows nothing of how settings are proposed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import check_choice, check_number
from taut.errors import InvalidValue
from taut.selection.crew import Crew, Report
from taut.selection.cross_validation import finite
from taut.selection.fold_models import fold_models
from taut.selection.folds import Folds
from taut.selection.objectives import METRICS
from taut.selection.trials import Trial
from taut.training.ensemble import Ensemble
from taut.training.model import Model, fit_model
from taut.training.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EFFORTS", "Effort", "Ingredient", "SearchResult", "effort_of", "rank", "simplest"]


@dataclass(frozen=True)
class Effort:
    """How much a search does: settings in the coarse round, and in each of the finer ones.

    Work, not time: the same effort with the same seed gives the same answer on any machine.
    """

    coarse: int
    finer: tuple[int, ...]

    @property
    def settings(self) -> int:
        """How many it tries, beside those that give up an ingredient of the best."""
        return self.coarse + sum(self.finer)

    @staticmethod
    def of(n_runs: int) -> Effort:
        """Return the effort of so many settings in all: half coarse, the rest in up to three rounds."""
        check_number("effort, if not a word,", n_runs, at_least=2, integer=True)
        rest = n_runs // 2
        rounds = min(3, max(rest // 4, 1))
        return Effort(n_runs - rest, tuple(len(part) for part in np.array_split(np.arange(rest), rounds)))


#: What the words mean: standard takes half a minute or less on most tables of some thousand rows on two cores.
EFFORTS = {
    "quick": Effort(16, (8,)),
    "standard": Effort(32, (16, 12, 8)),
    "thorough": Effort(96, (48, 48, 32, 32)),
}


def effort_of(effort: str | int) -> Effort:
    """Return the effort of a word or a number of settings."""
    if isinstance(effort, str):
        check_choice("effort, if not a number,", effort, EFFORTS)
        return EFFORTS[effort]
    return Effort.of(effort)


@dataclass(frozen=True)
class Ingredient:
    """What one ingredient of the best setting is worth.

    Attributes
    ----------
    name : str
        A field of the recipe.
    value : object
        Its value.
    worth, error : float
        By how much the mean validation loss rises without it, all else equal and on the same folds, and the standard
        error of that. The setting was chosen on these folds, so both flatter it a little.
    """

    name: str
    value: Any
    worth: float
    error: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {"name": self.name, "value": self.value, "worth": finite(self.worth), "error": finite(self.error)}


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    trials : list of Trial
        All that was tried, in order.
    best, simplest : Trial
        The one with the lowest mean validation loss; and of those within one standard error of it, the one that
        follows its training rows least, which is the most regularized.
    ingredients : list of Ingredient
        What each ingredient of the best is worth, the largest first; empty if the search was stopped before.
    stopped_by_budget : bool
        Whether the budget, and not the effort, ended the search.
    effort : Effort
        What was planned.
    seconds : float
        How long it took.
    storage : str or None
        Where the trials are kept.
    task : {"classification", "regression"}
        What was fitted.
    beyond : tuple of (str, int), or None
        The word for the next larger effort, and about how many settings that would try.
    """

    trials: list[Trial]
    best: Trial
    simplest: Trial
    ingredients: list[Ingredient]
    stopped_by_budget: bool
    effort: Effort
    seconds: float
    storage: str | None
    task: str
    beyond: tuple[str, int] | None
    _folds: Folds | None = field(repr=False)

    def trial(self, rule: str = "min") -> Trial:
        """Return the trial that a rule chooses, "min" or "1se"."""
        check_choice("rule", rule, ("min", "1se"))
        return self.best if rule == "min" else self.simplest

    def recipe(self, rule: str = "min") -> Recipe:
        """Return the recipe that a rule chooses."""
        return self.trial(rule).recipe

    def refit(self, rule: str = "min", *, progress: bool = False, interruptible: bool = True) -> Model:
        """Fit the chosen recipe to all rows.

        Parameters
        ----------
        rule : {"min", "1se"}
            Which trial to take.
        progress, interruptible
            See `train`.

        Returns
        -------
        Model
            The fitted model.
        """
        folds = self._its_folds()
        return fit_model(
            self.recipe(rule),
            folds.X,
            folds.y,
            task=folds.task,
            sample_weight=folds.sample_weight,
            class_weight=folds.class_weight,
            progress=progress,
            interruptible=interruptible,
        )

    def ensemble(
        self,
        rule: str = "min",
        *,
        n_jobs: int | None = None,
        backend: str | None = None,
        report: Report | None = None,
    ) -> Ensemble:
        """Fit the chosen recipe to the training rows of each fold, and keep the models as an ensemble.

        Only rows that none of them has seen say how good it is.

        Parameters
        ----------
        rule : {"min", "1se"}
            Which trial to take.
        n_jobs, backend, report
            See `search`.
        """
        return fold_models(self.recipe(rule), self._its_folds(), crew=Crew(n_jobs, backend), report=report)

    def without_table(self) -> SearchResult:
        """Return what was found without the table, which nobody expects in a copy; it cannot be refitted."""
        return replace(self, _folds=None)

    def _its_folds(self) -> Folds:
        if self._folds is None:
            raise InvalidValue("this search was kept without its table, on which nothing can be fitted any more")
        return self._folds

    @property
    def n_settings(self) -> int:
        """How many settings were tried; one that fell behind may have been taken up again at the end."""
        return len({trial.recipe for trial in self.trials})

    def scores(self, rule: str = "min") -> dict[str, tuple[float, float]]:
        """Return for each metric its mean over the folds, and standard error, of the trial that a rule chooses."""
        return self.trial(rule).scores

    @property
    def cross_validated(self) -> dict[str, tuple[float, float]]:
        """The `scores` of what `refit` fits by default."""
        return self.scores()

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of the task; the first one belongs to the loss."""
        return METRICS[self.task]

    def more(self) -> str:
        """Return in one sentence what more effort would try; nothing if there is no more."""
        if self.stopped_by_budget:
            missing = max(self.effort.settings - self.n_settings, 1)
            return f"The budget ended the search; without it, some {missing} more settings would have been tried."
        return "" if self.beyond is None else "--effort {} would try some {} settings.".format(*self.beyond)

    def to_frame(self) -> pd.DataFrame:
        """Return the trials as a pandas DataFrame, one row a trial, best first."""
        import pandas as pd

        rows = [
            {
                "round": trial.round,
                "epochs": trial.epochs,
                "validation_loss": trial.mean,
                "standard_error": trial.standard_error,
                "training_loss": trial.training,
                **{name: value for name, (value, _) in trial.scores.items()},
                **trial.setting,
            }
            for trial in sorted(self.trials, key=rank)
        ]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "best": self.best.to_dict(),
            "simplest": self.simplest.to_dict(),
            "ingredients": [ingredient.to_dict() for ingredient in self.ingredients],
            "stopped_by_budget": self.stopped_by_budget,
            "effort": {"coarse": self.effort.coarse, "finer": list(self.effort.finer)},
            "n_settings": self.n_settings,
            "seconds": self.seconds,
            "storage": self.storage,
            "trials": [trial.to_dict() for trial in self.trials],
        }

    def __repr__(self) -> str:
        return (
            f"SearchResult({self.n_settings} settings in {self.seconds:.1f} s, best: {self.best.recipe.describe()}, "
            f"loss {self.best.mean:.4g} ± {self.best.standard_error:.2g})"
        )


def simplest(trials: list[Trial], best: Trial) -> Trial:
    """Return, of the complete trials within one standard error of the best, the one with the largest training loss."""
    reach = best.mean + (best.standard_error if np.isfinite(best.standard_error) else 0.0)
    far = best.epochs / best.recipe.epochs
    near = [trial for trial in trials if trial.epochs / trial.recipe.epochs == far and trial.mean <= reach]
    return max(near, key=lambda trial: (trial.training, -trial.mean))


def rank(trial: Trial) -> tuple[float, float, int, int]:
    """Order trials: those that were trained furthest first, then by their loss."""
    return -trial.epochs / trial.recipe.epochs, trial.mean, trial.round, trial.index
