"""Displays: every figure against a stored picture, what they are made from, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images
from tests.plots.figures import BASELINES, FIGURES, calibration, draw, history, plane, regions_display, weights

import taut.plots
from taut import Recipe, TautClassifier, TautRegressor, spiral
from taut.errors import InvalidType, InvalidValue
from taut.training import fit_model

#: Root of the mean squared difference over all pixels, of 255. Other versions of the text renderer differ by about 1 to
#: 2; one curve of another colour by 5 and more (`test_the_tolerance_sees_a_line_of_another_colour`).
TOLERANCE = 3.0


@pytest.fixture(autouse=True)
def no_figures_left():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_as_its_stored_picture(name, tmp_path):
    assert compare_images(str(BASELINES / f"{name}.png"), str(draw(name, tmp_path)), tol=TOLERANCE) is None


def test_every_display_has_a_picture():
    drawn = {name for name in taut.plots.__all__ if any(name in str(one.__code__.co_names) for one in FIGURES.values())}
    assert drawn | {"CalibrationDisplay", "DecisionRegionsDisplay"} == set(taut.plots.__all__)
    assert {path.stem for path in BASELINES.glob("*.png")} == set(FIGURES)
    assert sum(path.stat().st_size for path in BASELINES.glob("*.png")) < 1e6


def test_the_tolerance_sees_a_line_of_another_colour(tmp_path, monkeypatch):
    monkeypatch.setattr("taut.plots.curves.REGULARIZED", "#888888")
    assert compare_images(str(BASELINES / "curves.png"), str(draw("curves", tmp_path)), tol=TOLERANCE)


def test_axes_come_back():
    mine = Figure().subplots()
    for display in (
        taut.plots.LearningCurvesDisplay(history(1.0)),
        regions_display(2),
        taut.plots.WeightsDisplay(weights(1.0, 3)),
        calibration(),
    ):
        assert display.plot(mine).ax_ is mine
        assert display.figure_ is mine.figure
    pair = Figure().subplots(1, 2)
    for display in (
        taut.plots.FitPairDisplay(regions_display(2), regions_display(2)),
        taut.plots.PenaltyGeometryDisplay(),
    ):
        assert list(display.plot(pair).axes_) == list(pair)
        with pytest.raises(InvalidValue, match="axes must be two, got 1"):
            display.plot([mine])


def test_curves_are_the_columns_of_the_history():
    model = fit_model(
        Recipe(epochs=6, l2=0.1), *spiral(samples=20), task="classification", validation=spiral(samples=9)
    )
    lines = taut.plots.LearningCurvesDisplay.from_estimator(model).plot().ax_.lines
    drawn = {line.get_label(): line.get_ydata() for line in lines}
    assert set(drawn) == {"validation", "training", "penalty"}
    np.testing.assert_array_equal(drawn["validation"], model.history["validation_data_loss"])
    np.testing.assert_array_equal(drawn["penalty"], model.history["penalty"])
    ax = taut.plots.LearningCurvesDisplay.from_history(model.history).plot(penalty=False).ax_
    assert {line.get_label() for line in ax.lines} == {"validation", "training"}
    one = TautClassifier(effort="none", epochs=3).fit(*spiral(samples=20))
    assert len(taut.plots.LearningCurvesDisplay.from_estimator(one).history["data_loss"]) == 3


def test_points_are_drawn_where_the_rows_are_training_behind_validation():
    X, y = spiral(samples=30)
    model = fit_model(Recipe(epochs=3), X, y, task="classification")
    display = taut.plots.DecisionRegionsDisplay.from_estimator(model, X, y, validation=(X[:9], y[:9]), resolution=20)
    clouds = display.plot().ax_.collections
    clouds = [cloud for cloud in clouds if len(cloud.get_offsets()) and cloud.get_zorder() >= 2]
    dots = [cloud for cloud in clouds if type(cloud).__name__ == "PathCollection"]
    assert sum(len(cloud.get_offsets()) for cloud in dots if cloud.get_zorder() == 2) == 90
    assert sum(len(cloud.get_offsets()) for cloud in dots if cloud.get_zorder() == 3) == 9


def test_weights_are_those_of_the_layer_and_zeros_are_counted():
    model = fit_model(Recipe(epochs=20, l1=0.05), *spiral(samples=20), task="classification")
    display = taut.plots.WeightsDisplay.from_estimator(model, layer=-1)
    np.testing.assert_array_equal(display.weights, model.network.layers[-1].weights.value)
    assert display.zeros == np.mean(display.weights == 0) > 0
    label = display.plot().ax_.get_legend().get_texts()[0].get_text()
    assert label == f"weights: {np.count_nonzero(display.weights)} of {display.weights.size} not zero"


def test_l1_and_l2_touch_where_calculus_says():
    display = taut.plots.PenaltyGeometryDisplay(minimum=(1.0, 0.8), l1=0.1)
    curve, lowest = np.array(display.curvature), np.array(display.minimum)
    np.testing.assert_allclose(curve @ (display.with_l1 - lowest) + 0.1 * np.sign(display.with_l1), 0.0, atol=1e-12)
    np.testing.assert_allclose(curve @ (display.with_l2 - lowest) + 2 * display.l2 * display.with_l2, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: taut.plots.LearningCurvesDisplay([1.0]), InvalidType, "must map columns to arrays, got list"),
        (lambda: taut.plots.LearningCurvesDisplay({}), InvalidValue, "needs the column data_loss"),
        (lambda: taut.plots.LearningCurvesDisplay.from_estimator(3), InvalidType, "int has no history"),
        (lambda: taut.plots.WeightsDisplay.from_estimator(3), InvalidType, "int is no single network"),
        (lambda: taut.plots.PenaltyGeometryDisplay(l1=0.0), InvalidValue, "l1 must be"),
        (lambda: taut.plots.PenaltyGeometryDisplay(curvature=((1, 2), (2, 1))), InvalidValue, "positive definite"),
        (
            lambda: taut.plots.CalibrationDisplay.from_predictions(["x"], np.ones((1, 1)), ["a"]),
            InvalidValue,
            "'x' is none of the classes",
        ),
        (
            lambda: taut.plots.CalibrationDisplay.from_estimator(
                TautRegressor(effort="none", epochs=1).fit(np.arange(20.0)[:, None], np.arange(20.0)), [[1.0]], [1.0]
            ),
            InvalidValue,
            "no probabilities",
        ),
        (
            lambda: taut.plots.DecisionRegionsDisplay(plane(2), (np.zeros((3, 2)), ["a"])).plot(),
            InvalidValue,
            "3 rows to draw and 1 targets",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_an_unknown_display_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'PieDisplay'"):
        taut.plots.PieDisplay  # noqa: B018
