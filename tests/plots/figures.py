"""The figures that are compared with stored pictures, from numbers that do not depend on the machine.

``python -m tests.plots.figures`` draws the pictures anew; look at each of them before they are committed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from taut import Recipe, load_sample, regularization_path
from taut.plots import (
    CalibrationDisplay,
    DecisionRegionsDisplay,
    FitPairDisplay,
    LearningCurvesDisplay,
    PathDisplay,
    PenaltyGeometryDisplay,
    WeightsDisplay,
)
from taut.plots.animation import Film
from taut.training.regions import Plane, Regions

BASELINES = Path(__file__).parent / "baselines"
STYLE = {"figure.dpi": 100, "savefig.dpi": 100, "font.family": "DejaVu Sans", "svg.hashsalt": "taut"}


def history(shrink: float) -> dict[str, np.ndarray]:
    epochs = np.arange(60)
    training = 0.9 * np.exp(-epochs / 18) + 0.15 + 0.1 * shrink
    rise = (1 - shrink) * np.maximum(epochs - 20, 0) / 90
    return {
        "data_loss": training,
        "penalty": 0.12 * shrink * (1 - np.exp(-epochs / 10)),
        "validation_data_loss": training + 0.12 + rise,
    }


def plane(n_classes: int, sharp: float = 4.0) -> Regions:
    x, y = np.linspace(-2, 2, 90), np.linspace(-1.5, 1.5, 80)
    points = np.column_stack([1.7 * np.cos(np.arange(40) * 1.7), 1.2 * np.sin(np.arange(40) * 2.3)])
    where = Plane(("width of the leaf", "length"), x, y, {}, np.empty((0, 2)), points)
    X, Y = np.meshgrid(x, y)
    if not n_classes:
        return Regions(where, None, np.sin(2 * X) + Y)
    angles = 2 * np.pi * np.arange(n_classes) / n_classes
    scores = sharp * np.stack([np.cos(a) * (X + 0.4 * np.sin(3 * Y)) + np.sin(a) * Y for a in angles], axis=-1)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return Regions(
        where, np.array(["setosa", "versicolor", "virginica"][:n_classes]), shares / shares.sum(-1)[..., None]
    )


def rows(regions: Regions, start: int) -> tuple[np.ndarray, np.ndarray]:
    points = regions.plane.points[start::2]
    if regions.classes is None:
        return points, np.sin(2 * points[:, 0]) + points[:, 1]
    return points, regions.classes[np.arange(len(points)) % len(regions.classes)]


def regions_display(n_classes: int, sharp: float = 4.0) -> DecisionRegionsDisplay:
    regions = plane(n_classes, sharp)
    return DecisionRegionsDisplay(regions, rows(regions, 0), rows(regions, 1))


def weights(spread: float, zeros: int) -> np.ndarray:
    values = spread * np.tan(np.linspace(-1.2, 1.2, 200))
    values[:zeros] = 0.0
    return values


@cache
def path():
    frame, target = load_sample("wine")
    recipe = Recipe(epochs=15, components=0)  # whose axes would be LAPACK's to the last bits
    return regularization_path(recipe, frame.drop(columns=target), frame[target], n_values=6, cv=3)


def calibration() -> CalibrationDisplay:
    sure = np.linspace(0.34, 0.99, 400)
    probabilities = np.column_stack([sure, 0.6 * (1 - sure), 0.4 * (1 - sure)])
    true = np.where((np.arange(400) * 0.618) % 1 < sure**1.3, 0, 1)
    return CalibrationDisplay.from_predictions(true, probabilities, [0, 1, 2])


def film() -> Figure:
    made = Film(
        planes=[[plane(3, sharp) for sharp in (1.0, 4.0)] for _ in range(2)],
        histories=(history(1.0), history(0.0)),
        epochs=[5, 60],
        training=rows(plane(3), 0),
        validation=rows(plane(3), 1),
    )
    return made.figure(1)


#: What is drawn, by the name of its picture.
FIGURES: dict[str, Callable[[], Figure]] = {
    "curves": lambda: LearningCurvesDisplay.from_history(history(1.0)).plot().figure_,
    "curves_pair": lambda: LearningCurvesDisplay.from_history(history(1.0), history(0.0)).plot().figure_,
    "regions_two": lambda: regions_display(2).plot().figure_,
    "regions_three": lambda: regions_display(3).plot().figure_,
    "regions_numbers": lambda: regions_display(0).plot().figure_,
    "fit_pair": lambda: FitPairDisplay(regions_display(3, 20.0), regions_display(3, 2.0)).plot().figure_,
    "weights": lambda: WeightsDisplay(weights(0.3, 0)).plot().figure_,
    "weights_pair": lambda: WeightsDisplay(weights(0.2, 120), weights(0.4, 0)).plot().figure_,
    "geometry": lambda: PenaltyGeometryDisplay().plot().figure_,
    "calibration": lambda: calibration().plot().figure_,
    "path_losses": lambda: PathDisplay.from_path(path()).plot().figure_,
    "path_weights": lambda: PathDisplay.from_path(path()).plot(what="weights").figure_,
    "film": film,
}


def draw(name: str, folder: Path) -> Path:
    """Draw a figure into a folder; return where it is."""
    from matplotlib import pyplot

    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE}):
        mpl.use("agg")
        figure = FIGURES[name]()
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"{name}.png", metadata={"Software": None})
        pyplot.close("all")
    return folder / f"{name}.png"


if __name__ == "__main__":
    for each in FIGURES:
        draw(each, BASELINES)
