"""One fit: a recipe in, a history and weights out.

`train` fits a network to arrays; `fit_model` fits a recipe to a table, with the encoding of its columns. This room
knows nothing of how settings are chosen, nor of files or screens.
"""

from taut.training.callbacks import Callback, EarlyStopping, ProgressDisplay, Run
from taut.training.history import History, State
from taut.training.model import Model, fit_model
from taut.training.population import FinishedRun, PlannedRun, train_many
from taut.training.recipe import Recipe
from taut.training.train import train

__all__ = [
    "Callback",
    "EarlyStopping",
    "FinishedRun",
    "History",
    "Model",
    "PlannedRun",
    "ProgressDisplay",
    "Recipe",
    "Run",
    "State",
    "fit_model",
    "train",
    "train_many",
]
