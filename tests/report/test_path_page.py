"""The page of a path: whole, self-contained, unbroken by what stands in the table, and with every value."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from taut.data import load_sample
from taut.report.path_figures import path_losses, path_weights
from taut.report.path_page import path_page
from taut.selection import regularization_path
from taut.selection.path_view import scale_of, sentence
from taut.training import Recipe

HOSTILE = ["<script>alert(1)</script>", '"onmouseover="alert(3)', "a'b&amp;<b>", "x" * 500, "<!--<script>"]


def small_path(X, y, **options):
    return regularization_path(Recipe(epochs=3, hidden_layer_sizes=(6,)), X, y, cv=2, n_jobs=1, **options)


@pytest.fixture(scope="module")
def l2():
    frame, target = load_sample("wine")
    return small_path(frame.drop(columns=target), frame[target], values=[0.0, 0.001, 0.003, 0.01])


@pytest.fixture(scope="module")
def hostile():
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(60, len(HOSTILE))), columns=HOSTILE)
    return small_path(X, X.sum(axis=1) + random.normal(size=60), penalty="group", values=[1.0, 0.01, 0.001])


@pytest.fixture
def read(monkeypatch, request):
    """Return a function from a path to its page, taken apart; without Plotly's script, which takes long to read."""
    conftest = request.getfixturevalue("read_whole").__globals__

    def taken_apart(path, **names):
        names = {"data_name": "wine", "target": "class"} | names
        return conftest["Page"](path_page(path, **names).replace(get_plotlyjs(), ""))

    return taken_apart


def test_page_has_answer_figures_and_table_in_order(read, l2):
    page = read(l2)
    assert page.unbalanced == []
    assert [attrs["id"] for attrs, _ in page.find("section")] == ["answer", "losses", "weights", "values"]
    assert [attrs["href"] for attrs, _ in page.find("a")] == ["#answer", "#answer", "#losses", "#weights", "#values"]
    assert [text for _, text in page.find("p", class_="answer")] == [sentence(l2)]
    assert [text for _, text in page.find("title")] == ["wine: L2"]
    assert [text for _, text in page.find("h2")][2] == "The weights along the path"


def test_table_has_every_value_and_marks_the_choices(read, l2):
    path = replace(l2, index_min=2, index_1se=1)
    page = read(path).table("path")
    exact = [float(attrs["value"]) for attrs, _ in page.find("data")]
    assert set(path.values.tolist()) <= set(exact)
    assert set(path.mean.tolist()) | set(path.standard_error.tolist()) <= set(exact)
    assert [text for _, text in page.find("span", class_="mark")] == ["1 SE", "min"]
    assert len(page.find("tr")) == 1 + len(path.values)


def test_nothing_is_requested_from_elsewhere_and_two_scripts_run(read, l2, hostile):
    for path in (l2, hostile):
        page = read(path)
        for element, attrs, _ in page.elements:
            assert element not in {"img", "iframe", "object", "embed", "form", "base"}
            assert not {"src", "action", "data", "poster"} & attrs.keys()
        assert len([attrs for attrs, _ in page.find("script") if "type" not in attrs]) == 2
        ((attrs, _),) = page.find("meta", http_equiv="Content-Security-Policy")
        assert attrs["content"].startswith("default-src 'none'; script-src 'sha256-")


def test_hostile_names_make_no_element_and_are_shown(read, hostile):
    page = read(hostile, data_name="</title><script>alert(7)</script>", target="<b>", remarks=["<i>a remark"])
    assert not any(key.startswith("on") for _, attrs, _ in page.elements for key in attrs)
    assert not {"i", "b"} & {element for element, _, _ in page.elements}
    shown = {text for _, text in page.find("bdi")}
    assert set(HOSTILE[:3]) <= shown | set(HOSTILE) - set(hostile.entry_order)
    assert any("<i>a remark" in text for _, text in page.find("p", class_="note"))
    texts = [annotation["text"] for annotation in page.figure("weights")["layout"]["annotations"]]
    assert not any("<" in text for text in texts)


def test_every_figure_has_a_name_and_a_sentence(read, l2, hostile):
    for path in (l2, hostile):
        page = read(path)
        sentences = {attrs.get("id"): text for attrs, text in page.find("figcaption")}
        plots = page.find("div", role="img")
        assert len(plots) == 2
        assert all(attrs["aria-label"] and len(sentences[attrs["aria-describedby"]]) > 20 for attrs, _ in plots)


def test_figure_of_inputs_says_in_which_order_they_enter(read, hostile):
    page = read(hostile)
    assert [text for _, text in page.find("h2")][2] == "Which inputs are used"
    (order,) = [text for _, text in page.find("p") if text.startswith("In the order in which they enter: ")]
    places = [order.find(name[:30]) for name in hostile.entry_order]
    assert places == sorted(places)
    assert -1 not in places
    assert [a["text"] for a in page.figure("losses")["layout"]["annotations"]][-1] == "inputs used"


def test_losses_are_drawn_with_their_errors_on_the_scale_of_the_other_figure(l2):
    figure = path_losses(l2)
    validation, training = figure.data
    scale = scale_of(l2)
    np.testing.assert_allclose([*validation.x[:3], validation.x[4]], scale.positions, rtol=1e-5)
    np.testing.assert_allclose([*validation.y[:3], validation.y[4]], l2.mean, rtol=1e-5)
    np.testing.assert_allclose([*training.y[:3], training.y[4]], l2.training, rtol=1e-5)
    assert validation.x[3] is validation.y[3] is None  # a zero stands apart
    assert validation.customdata[4][1] == 0
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.ticktext[0] == "0"


def test_choices_are_dotted_lines_with_names(l2):
    path = replace(l2, index_min=2, index_1se=1)
    for figure in (path_losses(path), path_weights(path)):
        assert [shape.x0 for shape in figure.layout.shapes] == [path.value_min, path.value_1se]
        named = {annotation.text: annotation for annotation in figure.layout.annotations}
        assert (named["min"].xanchor, named["1 SE"].xanchor) == ("right", "left")
        assert 10 ** named["min"].x == pytest.approx(path.value_min)


def test_what_diverged_or_towers_is_drawn_within_reach(l2):
    mean = np.array([1e30, np.inf, 0.5, 0.6])
    path = replace(l2, mean=mean, index_min=2, index_1se=2, training=np.array([1e30, np.nan, 0.4, 0.4]))
    figure = path_losses(path)
    low, high = figure.layout.yaxis.range
    assert high < 2
    drawn = [value for trace in figure.data for value in trace.y if value is not None]
    assert max(drawn) < 100 * (high - low)
    assert figure.data[0].customdata[0][0] == 1e30
    assert figure.data[2].name == "diverged"


def test_names_of_inputs_stand_apart_at_the_weak_end(hostile):
    figure = path_weights(hostile)
    names = [annotation for annotation in figure.layout.annotations if annotation.showarrow]
    foot, top = figure.layout.yaxis.range
    plot = 420 - 110
    heights = [(name.y - foot) / (top - foot) * plot - name.ay for name in names]
    assert len(names) == np.count_nonzero(hostile.input_norms[-1]) > 2
    assert (-np.diff(heights) >= 15).all()
    np.testing.assert_allclose([10**name.x for name in names], hostile.values[-1])


def test_same_path_makes_the_same_page(l2):
    first, second = (path_page(l2, data_name="wine", target="class") for _ in range(2))
    assert first == second
    assert not re.search(r"0x[0-9a-f]{6,}", first.replace(get_plotlyjs(), ""))
