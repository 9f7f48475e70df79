"""Figures of a path: what is drawn, where choices and zeros stand, and that nothing overlaps."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text

from taut.data import load_sample
from taut.selection.path import regularization_path
from taut.selection.path_figures import draw_path, plot_losses, plot_weights
from taut.selection.path_view import (
    choices,
    curves_of,
    loss_range,
    notes,
    scale_of,
    sentence,
    separated,
    top_labels,
    weight_names,
)
from taut.training.recipe import Recipe

INF = np.inf


def path_on_wine(**options):
    frame, target = load_sample("wine")
    recipe = options.pop("recipe", Recipe(epochs=5, hidden_layer_sizes=(8,)))
    return regularization_path(recipe, frame.drop(columns=target), frame[target], cv=3, n_jobs=1, **options)


@pytest.fixture(scope="module")
def l2():
    return path_on_wine(values=[1e-4, 1e-3, 1e-2, 0.1, 1.0])


@pytest.fixture(scope="module")
def group():
    return path_on_wine(penalty="group", values=[0.0, 1e-3, 1e-2, 0.1, 1.0, 10.0])


@pytest.fixture(scope="module")
def dropout():
    return path_on_wine(penalty="dropout", n_values=4)


@pytest.fixture(scope="module")
def max_norm():
    return path_on_wine(penalty="max_norm", n_values=4)


@pytest.fixture(scope="module", params=["l2", "group", "dropout", "max_norm"])
def path(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def agg(monkeypatch):
    monkeypatch.setattr(mpl, "rcParams", mpl.rcParams.copy())
    mpl.use("agg")
    from matplotlib import pyplot

    yield
    pyplot.close("all")


def with_curve(path, mean, index_min, index_1se, error=0.01, training=None):
    mean = np.array(mean, dtype=float)
    training = mean if training is None else np.array(training)
    errors = np.broadcast_to(error, mean.shape)
    chosen = {"index_min": index_min, "index_1se": index_1se}
    return replace(path, mean=mean, standard_error=errors, training=training, **chosen)


def axes_of(pixels):
    from matplotlib.figure import Figure

    return Figure(figsize=(pixels / 100, pixels / 150), dpi=100, layout="constrained").subplots()


def label_of(axes, words):
    return next(text for text in axes.texts if text.get_text() == words)


def top_axis(axes):
    (child,) = axes.child_axes
    return child


def boxes(axes):
    """Return where each text inside and along the axes is on the drawn figure."""
    axes.figure.draw_without_rendering()
    ticks = [axes.get_xticklabels(), axes.get_yticklabels(), *(child.get_xticklabels() for child in axes.child_axes)]
    legend = axes.get_legend()
    texts = [*axes.texts, *(label for labels in ticks for label in labels), *(legend.get_texts() if legend else [])]
    # Without the stroke that leads to it, which `text.get_window_extent` would count in.
    return [(text.get_text(), Text.get_window_extent(text)) for text in texts if text.get_text()]


@pytest.mark.parametrize("draw", [plot_losses, plot_weights])
@pytest.mark.parametrize("pixels", [600, 1200])
def test_no_text_lies_on_another_or_leaves_the_figure(path, draw, pixels):
    found = boxes(draw(path, axes_of(pixels)))
    assert len(found) > 6
    for place, (words, box) in enumerate(found):
        assert -1 <= box.x0 < box.x1 <= pixels + 1, words
        for other, second in found[place + 1 :]:
            is_apart = box.x1 <= second.x0 or second.x1 <= box.x0 or box.y1 <= second.y0 + 2 or second.y1 <= box.y0 + 2
            assert is_apart, (words, other)


def test_axes_come_back_and_new_ones_are_made(l2):
    mine = axes_of(600)
    assert l2.plot(mine) is mine
    assert l2.plot_weights().get_xlabel() == "L2 (more regularized →)"


def test_validation_stands_with_its_errors_and_training_beside_it(l2):
    axes = plot_losses(l2, axes_of(600))
    (container,) = axes.containers
    dots, _, (bars,) = container.lines
    np.testing.assert_array_equal(dots.get_xdata(), l2.values)
    np.testing.assert_array_equal(dots.get_ydata(), l2.mean)
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, np.stack([l2.mean - l2.standard_error, l2.mean + l2.standard_error], axis=1))
    training = next(line for line in axes.get_lines() if line.get_label() == "training")
    np.testing.assert_array_equal(training.get_ydata(), l2.training)
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["validation, mean ± 1 SE", "training"]


def test_strengths_are_logarithmic_shares_are_not_and_larger_is_on_the_right(l2, dropout, max_norm):
    for path, kind in ((l2, "log"), (dropout, "linear"), (max_norm, "log")):
        for axes in (plot_losses(path, axes_of(600)), plot_weights(path, axes_of(600))):
            assert axes.get_xscale() == kind
            low, high = axes.get_xlim()
            assert low < path.values.min() < path.values.max() < high
    assert plot_losses(max_norm, axes_of(600)).get_xlabel() == "max-norm (← more regularized)"


def test_zero_has_a_place_of_its_own_on_a_logarithmic_axis(group):
    axes = plot_losses(group, axes_of(600))
    assert axes.get_xscale() == "log"
    labels = dict(zip([label.get_text() for label in axes.get_xticklabels()], axes.get_xticks(), strict=True))
    assert 0 < labels["0"] < group.values[-2]
    (container,) = axes.containers
    assert container.lines[0].get_xdata()[-1] == labels["0"]
    training = next(line for line in axes.get_lines() if line.get_label() == "training")
    assert np.isnan(training.get_ydata()[-2])  # no line leads to it
    assert training.get_ydata()[-1] == group.training[-1]


def test_zero_of_a_share_is_an_end_like_any_other(dropout):
    scale = scale_of(dropout)
    assert scale.zero is None
    np.testing.assert_array_equal(scale.positions, dropout.values)
    assert scale.ticks[0] == (0.0, "0")


def test_both_choices_are_marked_at_their_values_with_names_on_their_outer_sides(l2):
    path = with_curve(l2, [0.9, 0.31, 0.3, 0.4, 0.5], 2, 1)
    for draw in (plot_losses, plot_weights):
        axes = draw(path, axes_of(600))
        dotted = {line.get_xdata()[0] for line in axes.get_lines() if len(set(line.get_xdata())) == 1}
        assert dotted == {path.value_min, path.value_1se}
        assert (label_of(axes, "min").xy[0], label_of(axes, "min").get_ha()) == (path.value_min, "right")
        assert (label_of(axes, "1 SE").xy[0], label_of(axes, "1 SE").get_ha()) == (path.value_1se, "left")


def test_one_value_that_both_rules_choose_has_one_name(l2):
    assert choices(with_curve(l2, [0.9, 0.5, 0.3, 0.4, 0.5], 2, 2)) == [(2, "min = 1 SE")]


def test_silenced_end_does_not_crush_the_rest(l2):
    path = with_curve(l2, [90.0, 0.5, 0.3, 0.32, 0.35], 2, 2)
    low, high = loss_range(path)
    assert low < 0.29
    assert 0.51 < high < 1.0
    assert plot_losses(path, axes_of(600)).get_ylim()[1] < 1.2


def test_most_values_are_in_sight_even_of_few(l2):
    path = with_curve(l2, [0.9, 0.8, 0.7, 0.6, 0.3], 4, 4, error=0.03)
    assert (path.mean < loss_range(path)[1]).mean() >= 0.6


def test_diverged_values_are_crosses_and_stretch_nothing(l2):
    path = with_curve(l2, [0.9, 0.5, 0.3, INF, np.nan], 2, 2, error=[0.01, 0.01, INF, np.nan, 0.01])
    low, high = loss_range(path)
    assert np.isfinite([low, high]).all()
    assert high < 1.5
    axes = plot_losses(path, axes_of(600))
    crosses = next(line for line in axes.get_lines() if line.get_label() == "diverged")
    assert crosses.get_xdata().tolist() == path.values[3:].tolist()
    assert np.isfinite(axes.get_ylim()).all()
    assert notes(path)[0] == "Training diverged at 2 of the 5 values; they cannot be chosen."


def test_top_counts_the_inputs_that_are_used(group):
    axes = plot_losses(group, axes_of(1200))
    above = top_axis(axes)
    assert above.get_xlabel() == "inputs used"
    shown = dict(zip(above.get_xticks(), [label.get_text() for label in above.get_xticklabels()], strict=True))
    wanted = dict(zip(scale_of(group).positions, map(str, group.inputs_used), strict=True))
    assert shown.items() <= wanted.items()
    assert {"13", "0"} <= set(shown.values())


def test_top_tells_the_share_of_zeros_where_there_are_any(l2):
    assert top_labels(l2) is None
    assert not plot_losses(l2, axes_of(600)).child_axes
    zeros = l2.zeros.copy()
    zeros[:, 0] = [1.0, 0.5, 0.25, 0.0, np.nan]
    assert top_labels(replace(l2, zeros=zeros)) == ("zeros in the first layer", ["100 %", "50 %", "25 %", "0 %", "–"])


def test_eight_inputs_with_the_largest_norms_are_named_and_the_rest_is_grey(group):
    axes = plot_weights(group, axes_of(600))
    order = np.argsort(-group.input_norms[-1])
    names = [text.get_text() for text in axes.texts if text.get_text() not in ("min", "1 SE", "min = 1 SE")]
    assert names == [
        name if len(name) <= 24 else f"{name[:12]}…{name[-11:]}" for name in np.take(group.input_names, order[:8])
    ]
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 2]
    assert len(lines) == 13
    grey = [line for line in lines if line.get_color() == "#BBBBBB"]
    np.testing.assert_array_equal(
        sorted(line.get_ydata()[-1] for line in grey), np.sort(group.input_norms[-1])[: len(order) - 8]
    )


def test_named_lines_differ_in_colour_or_style(group):
    axes = plot_weights(group, axes_of(600))
    named = [line for line in axes.get_lines() if len(line.get_xdata()) > 2 and line.get_color() != "#BBBBBB"]
    assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in named}) == len(named) == 8


@pytest.mark.parametrize("normalization", ["none", "layer"])
def test_other_penalties_have_a_line_for_the_weights_of_each_layer(normalization):
    recipe = Recipe(epochs=2, hidden_layer_sizes=(5, 4), normalization=normalization)
    path = path_on_wine(recipe=recipe, values=[0.01, 0.1])
    curves = curves_of(path)
    assert curves.names == ["hidden layer 1", "hidden layer 2", "output layer"]
    assert list(weight_names(path)) == ([0, 1, 2] if normalization == "none" else [0, 2, 4])
    np.testing.assert_array_equal(curves.values, path.norms[:, list(weight_names(path))])


def test_norms_of_a_run_that_went_astray_do_not_crush_the_others(l2):
    norms = l2.norms.copy()
    norms[-1] = 1e9
    path = replace(with_curve(l2, [0.9, 0.5, 0.3, 0.3, 1e7], 2, 2), norms=norms)
    assert plot_weights(path, axes_of(600)).get_ylim()[1] < 2 * norms[:-1].max()


def test_figure_of_both_is_drawn_without_a_window(group):
    from matplotlib import pyplot

    figure = draw_path(group)
    assert [axes.get_ylabel() for axes in figure.axes] == ["data loss", "norm of each input's weights"]
    assert pyplot.get_fignums() == []


def test_sentence_names_both_choices_with_their_losses(l2):
    path = with_curve(l2, [0.9, 0.31, 0.3, 0.4, 0.5], 2, 1, error=0.02)
    assert sentence(path) == (
        "Over 3 folds, L2 0.01 has the lowest validation loss, 0.300 ± 0.020; L2 0.1 is the most regularized value "
        "within one standard error of it, 0.310 ± 0.020."
    )
    alone = with_curve(l2, [0.9, 0.5, 0.3, 0.4, 0.5], 2, 2, error=0.02)
    assert sentence(alone).endswith("0.300 ± 0.020; no more regularized value is within one standard error of it.")


@pytest.mark.parametrize(("best", "end"), [(0, "largest"), (4, "smallest"), (2, None)])
def test_note_warns_where_the_best_is_at_an_end(l2, best, end):
    path = with_curve(l2, np.where(np.arange(5) == best, 0.1, 0.5), best, best)
    assert notes(path) == (
        [f"The lowest loss is at the {end} value that was tried; it may be lower beyond."] if end else []
    )


def test_separated_places_keep_their_order_their_distance_and_the_bounds():
    wanted = np.sort(np.random.default_rng(0).uniform(0.0, 1.0, (50, 8)) ** 3)[:, ::-1]
    for places in wanted:
        made = separated(places, 0.1, 0.0, 1.0)
        assert (-np.diff(made) >= 0.1 - 1e-9).all()
        assert made.min() >= -1e-9
        assert made.max() <= 1 + 1e-9
    np.testing.assert_allclose(separated(np.linspace(1, 0, 5), 0.1, 0.0, 1.0), np.linspace(1, 0, 5))
    np.testing.assert_allclose(separated(np.zeros(5), 1.0, 0.0, 1.0), np.linspace(1, 0, 5))
