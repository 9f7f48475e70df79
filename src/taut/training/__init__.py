"""One fit, or a population: a recipe in, a history and weights out.

`train` fits a network to arrays, `train_many` and `train_population` many of them at once; `fit_model` fits a recipe to
a table, with the encoding of its columns. This room knows nothing of how settings are chosen, nor of files or screens.
"""

from __future__ import annotations

from importlib import import_module
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
    from taut.training.regions import Plane, Regions, decision_regions

__all__ = [
    "Callback",
    "EarlyStopping",
    "Ensemble",
    "FinishedRun",
    "History",
    "Model",
    "Plane",
    "PlannedRun",
    "ProgressDisplay",
    "Recipe",
    "Regions",
    "Run",
    "SharedTable",
    "State",
    "decision_regions",
    "fit_model",
    "train",
    "train_many",
    "train_population",
]


_WITH_TABLES = {
    "Ensemble": "ensemble",
    "Model": "model",
    "Plane": "regions",
    "Regions": "regions",
    "decision_regions": "regions",
    "fit_model": "model",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Load what needs pandas and scikit-learn when it is first used: training on arrays does not wait for it."""
        if name not in _WITH_TABLES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"taut.training.{_WITH_TABLES[name]}"), name)
