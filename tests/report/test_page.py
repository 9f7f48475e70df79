"""The page: whole, self-contained, and unbroken by what stands in the table."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from taut import files
from taut.data.schema import ColumnSchema
from taut.errors import InvalidValue, TautError
from taut.report import html, write_report
from taut.report.html import page
from taut.report.sections import CONTENTS

SECTIONS = ["answer", "scores", "overfitting", "test-set", "curves", "rows", "importance", "loss", "tried", "weights"]
SECTIONS += ["errors", "calibration", "regions", "recipe", "columns", "provenance"]
RESULTS = ("wine", "diabetes", "hostile", "hostile_regression")


@pytest.fixture(params=RESULTS)
def result(request):
    return request.getfixturevalue(request.param)


def test_page_has_every_section_in_order_with_its_heading(read, result):
    read_page = read(result)
    sections = [attrs["id"] for attrs, text in read_page.find("section") if len(text.strip()) > 40]
    there = [one for one in SECTIONS if one != "regions" and (one != "calibration" or result.classes is not None)]
    assert [identity for identity, _, _ in CONTENTS] == SECTIONS
    assert sections == there
    titles = {attrs["id"]: text for attrs, text in read_page.find("h2")}
    assert all(titles[attrs["aria-labelledby"]] for attrs, _ in read_page.find("section"))
    assert [attrs["href"] for attrs, _ in read_page.find("a")][1:] == [f"#{name}" for name in there]


def test_elements_are_closed_in_order_and_identities_are_unique(read, result):
    read_page = read(result)
    assert read_page.unbalanced == []
    identities = [attrs["id"] for _, attrs, _ in read_page.elements if "id" in attrs]
    assert len(identities) == len(set(identities))


def test_title_and_answer_are_those_of_the_result(read, wine):
    read_page = read(wine)
    assert [text for _, text in read_page.find("h1")] == ["wine"]
    assert [text for _, text in read_page.find("p", class_="answer")] == [wine.sentence()]
    assert read_page.find("html")[0][0]["lang"] == "en"


def test_nothing_is_requested_from_elsewhere(read, result):
    read_page = read(result)
    for tag, attrs, _ in read_page.elements:
        assert tag not in {"img", "iframe", "object", "embed", "form", "base", "video", "audio"}
        for key in ("src", "srcset", "action", "data", "poster", "background"):
            assert key not in attrs
        assert attrs.get("href", "#") == "data:," or attrs.get("href", "#").startswith("#")
    for _, style in read_page.find("style"):
        assert not re.search(r"url\(|@import|https?:", style)
    assert not any(re.search(r"url\(|http", attrs.get("style") or "") for _, attrs, _ in read_page.elements)
    *_, script = [text for attrs, text in read_page.find("script") if "type" not in attrs]
    assert not re.search(r"https?:|import|fetch|XMLHttp", script)


def test_policy_names_the_two_scripts_and_allows_no_other_and_no_connection(read_whole, hostile):
    read_page = read_whole(hostile)
    ((attrs, _),) = read_page.find("meta", http_equiv="Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in attrs["content"].split(";"))
    scripts = [text for attrs, text in read_page.find("script") if attrs.get("type") != "application/json"]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts}
    assert len(scripts) == 2
    assert set(rules["script-src"].split()) == hashes
    assert rules["default-src"] == "'none'"
    assert not {"connect-src", "frame-src", "font-src"} & rules.keys()


def test_size_is_below_six_megabytes(result):
    assert len(page(result).encode()) < 6_000_000


def test_size_stays_below_six_megabytes_for_a_very_large_fit(wine):
    curve = np.linspace(1, 2, 100_000)
    many = {"training_curve": curve, "validation_curve": curve, "validation_curve_se": curve}
    recipe = dataclasses.replace(wine.chosen.recipe, l2=0.123)
    large = dataclasses.replace(
        wine,
        chosen=dataclasses.replace(wine.chosen, recipe=recipe, **many),
        unregularized=dataclasses.replace(wine.unregularized, **many),
        search=dataclasses.replace(wine.search, trials=wine.search.trials * 40),
    )
    encoder = wine.model.encoder
    columns, encoder.schema_ = (
        encoder.schema_,
        [
            ColumnSchema("n" * 500 + str(number), "category", "t" * 500, 0, 1, ("level" * 40,) * 50)
            for number in range(5000)
        ],
    )
    try:
        assert len(page(large).encode()) < 6_000_000
    finally:
        encoder.schema_ = columns


def test_hostile_text_makes_no_element_and_no_attribute(read, hostile, hostile_regression, wine, diabetes):
    for evil, plain in ((hostile, wine), (hostile_regression, diabetes)):
        found, expected = read(evil), read(plain)
        assert {tag for tag, _, _ in found.elements} == {tag for tag, _, _ in expected.elements}
        assert not any(key.startswith("on") for _, attrs, _ in found.elements for key in attrs)
        plain_scripts = [attrs for attrs, _ in found.find("script") if "data-plot" not in attrs]
        assert plain_scripts == [{}, {}]
        assert [text for _, text in found.find("h1")] == [evil.data_name]
        assert found.find("title")[0][1].endswith("</title><script>alert(9)</script>")


def test_hostile_text_is_shown_as_it_is(read, hostile):
    read_page = read(hostile)
    shown = {text for _, text in read_page.find("bdi")}
    names = [column.name for column in hostile.model.encoder.schema_]
    assert {name for name in names if len(name) <= 80} <= shown
    assert {"<i>level</i>", "</script>", "yes</td>", "<script>alert(5)</script>"} <= shown
    assert "x" * 500 not in "".join(shown)
    assert any(re.fullmatch("x+…x+", text) for text in shown)
    assert any("a note <img src=x onerror=alert(8)>" in text for _, text in read_page.find("li"))


def test_data_blocks_hold_nothing_that_could_end_them(read, result):
    blocks = [text for attrs, text in read(result).find("script") if attrs.get("type") == "application/json"]
    assert len(blocks) >= 4
    for block in blocks:
        assert not re.search("[<>&]", block)
        json.loads(block, parse_constant=pytest.fail)


def test_text_inside_figures_cannot_be_a_link(read, hostile_regression):
    axis = read(hostile_regression).figure("errors-0")["layout"]["xaxis"]["title"]["text"]
    assert axis.startswith("true target &lt;/title&gt;")
    assert "<" not in axis


def test_what_cannot_be_printed_is_replaced(read, wine, tmp_path):
    spoiled = dataclasses.replace(wine, data_name="half \ud800 turned \u202e nul \x00 end", target="a\nb")
    assert write_report(spoiled, tmp_path / "report.html").read_text(encoding="utf-8")
    assert [text for _, text in read(spoiled).find("h1")] == ["half � turned � nul � end"]


def test_every_figure_has_a_name_and_a_sentence(read, result):
    read_page = read(result)
    sentences = {attrs.get("id"): text for attrs, text in read_page.find("figcaption")}
    plots = read_page.find("div", role="img")
    assert len(plots) >= 4
    for attrs, _ in plots:
        assert attrs["aria-label"]
        assert len(sentences[attrs["aria-describedby"]]) > 20
        assert read_page.figure(attrs["id"].removeprefix("plot-"))["data"]


def test_every_table_scrolls_in_a_named_place_of_its_own_that_the_keyboard_reaches(read, result):
    read_page = read(result)
    places = read_page.find("div", class_="scroll")
    assert len(places) == len(read_page.find("table"))
    assert all(attrs["tabindex"] == "0" and attrs["role"] == "region" and attrs["aria-label"] for attrs, _ in places)


def test_same_result_makes_the_same_page(wine):
    assert page(wine) == page(wine)


def test_recipe_stands_there_to_copy_and_what_differs_is_marked(read, wine):
    read_page = read(wine)
    recipe = wine.model.recipe
    assert read_page.find("code", id="toml")[0][1] == recipe.to_toml()
    marked = read_page.table("recipe")
    assert "hidden_layer_sizes" in [text for _, text in marked.find("code")]
    assert ("8", "64") in list(
        zip(
            [t for a, t in marked.find("td", class_="changed")], [t for a, t in marked.find("td") if not a], strict=True
        )
    )
    assert "schedule" not in [text for _, text in marked.find("code")]


def test_columns_notes_seed_and_versions_are_listed(read, wine):
    noted = dataclasses.replace(wine, notes=["3 rows were left out."], seed=1234)
    read_page = read(noted)
    columns = read_page.table("columns")
    for column in wine.model.encoder.schema_:
        assert column.name in columns.source
        assert column.treatment in columns.source
    assert "3 rows were left out." in [text for _, text in read_page.find("li")]
    values = [text for _, text in read_page.find("dd")]
    assert {"1234", *wine.versions.values()} <= set(values)


def test_report_replaces_a_file_only_when_it_is_complete(wine, tmp_path, monkeypatch):
    place = tmp_path / "report.html"
    place.write_text("old")

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(TautError, match=r"cannot write the report .*report.html: No space left on device"):
        write_report(wine, place)
    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]
    monkeypatch.undo()
    assert write_report(wine, str(place)) == place
    assert place.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [place]


def test_report_writes_through_a_link(wine, tmp_path):
    place, link = tmp_path / "real.html", tmp_path / "link.html"
    place.write_text("old")
    link.symlink_to(place)
    write_report(wine, link)
    assert link.is_symlink()
    assert place.stat().st_size > 1_000_000


def test_report_refuses_a_place_that_is_none(wine, tmp_path):
    with pytest.raises(InvalidValue, match=r"there is no folder .*nowhere; make it first"):
        write_report(wine, tmp_path / "nowhere" / "report.html")
    with pytest.raises(InvalidValue, match="it is a folder; name a file in it"):
        write_report(wine, tmp_path)


def test_files_of_the_page_are_in_the_package():
    folder = Path(html.__file__).parent
    assert {path.name for path in folder.glob("page.*")} == {"page.html", "page.css", "page.js"}
