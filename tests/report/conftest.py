"""Small real fits, and a reader of the pages made from them."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from taut.data import load_sample
from taut.report.html import page
from taut.selection import fit_table
from taut.training import Recipe

HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"onmouseover="alert(3)',
    "a'b&amp;<b>",
    "日本語 العربية",
    "x" * 500,
    "<img src=https://evil.example/x.png>",
    "${title} $body {0} %s",
    "<!--<script>",
    "]]> --> url(https://evil.example)",
]
HOSTILE_LEVELS = ["<i>level</i>", "</script>", "plain"]
HOSTILE_CLASSES = ["yes</td>", "<script>alert(5)</script>", "y" * 300]
VOID = {"meta", "link", "br", "img", "input", "base", "hr"}


class Page(HTMLParser):
    """A page as a browser takes it apart: elements with their attributes and all text inside them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()
        self.unbalanced += [element[0] for element in self._open]

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs), [])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        for element in self._open:
            element[2].append(data)

    def find(self, tag, **attributes):
        """Return (attributes, text) of every element of a kind with these attributes."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            (attrs, "".join(text))
            for name, attrs, text in self.elements
            if name == tag and all(key in attrs and attrs[key] == value for key, value in wanted.items())
        ]

    def figure(self, name):
        """Return the data and layout of a figure."""
        ((_, text),) = self.find("script", data_plot=f"plot-{name}")
        return json.loads(text)

    def table(self, kind):
        """Return the part of the page that is a table of a kind, as a page of its own."""
        start = self.source.index(f'<table class="{kind}')
        return Page(self.source[start : self.source.index("</table>", start) + len("</table>")])


@pytest.fixture(scope="session")
def read():
    """Return a function from a result to its page, taken apart; without Plotly's script, which takes long to read."""
    return lambda result: Page(page(result).replace(get_plotlyjs(), ""))


@pytest.fixture(scope="session")
def read_whole():
    """Return a function from a result to its page, taken apart with everything in it."""
    return lambda result: Page(page(result))


def small_fit(frame, target, **options):
    return fit_table(
        frame, target, cv=2, effort=6, n_jobs=1, recipe=Recipe(epochs=6, hidden_layer_sizes=(8,)), **options
    )


@pytest.fixture(scope="session")
def wine():
    return small_fit(*load_sample("wine"), data_name="wine")


@pytest.fixture(scope="session")
def diabetes():
    return small_fit(*load_sample("diabetes"), data_name="diabetes")


@pytest.fixture(scope="session")
def hostile():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(90, len(HOSTILE_NAMES))), columns=HOSTILE_NAMES)
    frame["category </script>"] = random.choice(HOSTILE_LEVELS, 90)
    target = "target </title><script>alert(9)</script>"
    frame[target] = np.resize(HOSTILE_CLASSES, 90)
    result = small_fit(frame, target, data_name="../</title></script><script>alert(7)</script>.csv")
    result.notes.append("a note <img src=x onerror=alert(8)>")
    result.versions['<b onclick="alert(6)">'] = "<b>1</b>"
    return result


@pytest.fixture(scope="session")
def hostile_regression(hostile, diabetes):
    names = {"target": hostile.target, "data_name": hostile.data_name, "notes": hostile.notes}
    return dataclasses.replace(diabetes, **names)


@pytest.fixture(scope="session")
def classes_result():
    """Return a function that fits a table with so many classes."""

    def fit(count):
        random = np.random.default_rng(1)
        labels = np.resize(np.arange(count), 12 * count)
        frame = pd.DataFrame(random.normal(size=(count, 3))[labels] + random.normal(size=(len(labels), 3)))
        frame.columns = ["a", "b", "c"]
        frame["kind"] = [f"class {label}" for label in labels]
        return small_fit(frame, "kind")

    return fit
