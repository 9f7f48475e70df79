"""One fit, or a population: a recipe in, a history and weights out.

`train` fits a network to arrays, `train_many` and `train_population` many of them at once; `fit_model` fits a recipe to
a table, with the encoding of its columns. This room knows nothing of how settings are chosen, nor of files or screens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taut.training.callbacks import Callback, EarlyStopping, ProgressDisplay, Run
from taut.training.history import History, State
from taut.training.population import train_many, train_population
from taut.training.recipe import Recipe
from taut.training.runs import FinishedRun, PlannedRun
from taut.training.shared_table import SharedTable
from taut.training.train import train

if TYPE_CHECKING:
    from taut.training.ensemble import Ensemble
    from taut.training.model import Model, fit_model

__all__ = [
    "Callback",
    "EarlyStopping",
    "Ensemble",
    "FinishedRun",
    "History",
    "Model",
    "PlannedRun",
    "ProgressDisplay",
    "Recipe",
    "Run",
    "SharedTable",
    "State",
    "fit_model",
    "train",
    "train_many",
    "train_population",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Load what needs pandas and scikit-learn when it is first used: training on arrays does not wait for it."""
        if name not in ("Ensemble", "Model", "fit_model"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from taut.training import ensemble, model

        return getattr(ensemble if name == "Ensemble" else model, name)
