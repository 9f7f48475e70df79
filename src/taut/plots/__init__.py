"""Figures for notebooks and papers, in the way of scikit-learn's displays: from a model or a history, onto axes.

Each display has the numbers that it shows, `plot(ax=None)` draws them, and `ax_` and `figure_` are where it was drawn.
Colours are Okabe and Ito's, which colour-blind readers tell apart; lines differ in style and points in shape too, for
those who print in grey. This room knows nothing of files or of the command line.

Examples
--------
>>> from taut import Recipe, spiral
>>> from taut.plots import LearningCurvesDisplay
>>> from taut.training import fit_model
>>> model = fit_model(Recipe(epochs=5), *spiral(seed=0), task="classification")
>>> LearningCurvesDisplay.from_history(model.history).plot().ax_.get_xlabel()
'epoch'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taut.plots.calibration import CalibrationDisplay as CalibrationDisplay
    from taut.plots.curves import LearningCurvesDisplay as LearningCurvesDisplay
    from taut.plots.geometry import PenaltyGeometryDisplay as PenaltyGeometryDisplay
    from taut.plots.path import PathDisplay as PathDisplay
    from taut.plots.regions import DecisionRegionsDisplay as DecisionRegionsDisplay
    from taut.plots.regions import FitPairDisplay as FitPairDisplay
    from taut.plots.weights import WeightsDisplay as WeightsDisplay

_ROOMS = {
    "CalibrationDisplay": "calibration",
    "DecisionRegionsDisplay": "regions",
    "FitPairDisplay": "regions",
    "LearningCurvesDisplay": "curves",
    "PathDisplay": "path",
    "PenaltyGeometryDisplay": "geometry",
    "WeightsDisplay": "weights",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605 - the table is the list

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Load a display, and matplotlib with it, when it is first used."""
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"taut.plots.{_ROOMS[name]}"), name)
