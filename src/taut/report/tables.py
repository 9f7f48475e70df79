"""Tables: what was tried, the curves as numbers, the recipe, and the columns, readable without JavaScript and on paper.

Exact values stand in ``<data value=…>`` behind the rounded ones that people see. Knows nothing of Plotly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from taut.report.markup import Markup, join, name, shorten, tag
from taut.report.numbers import count, percent, plural
from taut.report.sentences import ingredient_label
from taut.selection.wording import plain, plus_minus
from taut.training import Recipe

if TYPE_CHECKING:
    from taut.data.schema import ColumnSchema
    from taut.selection import Candidate, Trial
    from taut.selection.blending import Member
    from taut.selection.search_result import Ingredient

__all__ = [
    "candidate_labels",
    "candidate_table",
    "column_table",
    "epoch_table",
    "exact",
    "facts",
    "folded",
    "ingredient_table",
    "member_table",
    "recipe_tables",
    "scroll",
    "with_error",
]

COLUMNS_SHOWN = 300  # of a table with thousands of columns; all are in the model file
LEVELS_SHOWN = 12
CANDIDATES_SHOWN = 12
EPOCHS_SHOWN = 12


def scroll(table: Markup, label: str) -> Markup:
    """Return a table in a container of its own that scrolls sideways where the page is narrow, also by keyboard."""
    return tag("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def exact(value: float, power: int = 0) -> Markup:
    """Return a rounded number, divided by a power of ten, with the exact one behind it."""
    return _data(plain(value / 10.0**power), value)


def with_error(score: tuple[float, float] | None, power: int = 0) -> Markup:
    """Return a value with its standard error, if it has one, both divided by a power of ten; a dash for no value."""
    if score is None or np.isnan(score[0]):
        return Markup("–")
    value, error = score
    first, _, second = plus_minus(value / 10.0**power, error / 10.0**power).partition(" ± ")
    if not second:
        return _data(first, value)
    return join(_data(first, value), tag("span", " ± ", _data(second, error), class_="error"))


def _data(text: str, value: float) -> Markup:
    return tag("data", text, value=repr(float(value)))


def candidate_labels(candidates: Sequence[Trial]) -> list[str]:
    """Return a few words for each candidate: what regularizes it, and what else is unusual and not of all of them."""
    others = [_what_does_not_regularize(candidate.recipe) for candidate in candidates]
    usual = Recipe().to_dict()
    varied = [name for name in usual if len({repr(other[name]) for other in others if name in other}) > 1]
    return [
        " · ".join(
            [
                candidate.recipe.describe(),
                *(
                    f"{name.replace('_', ' ')} {_setting(other[name])}"
                    for name in varied
                    if name in other and other[name] != usual[name]
                ),
            ]
        )
        for candidate, other in zip(candidates, others, strict=True)
    ]


def _what_does_not_regularize(recipe: Recipe) -> dict[str, object]:
    values = recipe.unregularized().to_dict()
    if recipe.weight_decay:  # there is one optimizer that has it, so that it need not be named
        del values["optimizer"]
    return values


def candidate_table(candidates: Sequence[Trial], labels: Sequence[str], chosen: Candidate) -> Markup:
    """Return the table of all that was tried, best first, each with a dot and its error on a common scale."""
    order = sorted(
        range(len(candidates)), key=lambda i: candidates[i].mean if np.isfinite(candidates[i].mean) else np.inf
    )
    ends = [
        c.mean + side * (c.standard_error if np.isfinite(c.standard_error) else 0.0)
        for c in candidates
        for side in (-1, 1)
    ]
    finite = [end for end in ends if np.isfinite(end)] or [0.0]
    rows = []
    for index in order:
        candidate = candidates[index]
        is_chosen = candidate.recipe == chosen.recipe
        mark = tag("span", "chosen", class_="mark") if is_chosen else ""
        plot = _dot(candidate.mean, candidate.standard_error, min(finite), max(finite), is_chosen=is_chosen)
        value = with_error((candidate.mean, candidate.standard_error))
        rows.append(
            tag(
                "tr",
                tag("th", labels[index], mark, scope="row"),
                tag("td", value, class_="number"),
                tag("td", plot, class_="dots"),
                class_="chosen" if is_chosen else None,
            )
        )
    heads = [("Setting", None), ("Validation loss", "number")]
    cells = [tag("th", words, scope="col", class_=kind) for words, kind in heads]
    cells.append(
        tag(
            "th",
            tag("span", plain(min(finite))),
            tag("span", plain(max(finite))),
            scope="col",
            class_="ends",
        )
    )
    words = "Validation loss after the last epoch, mean over folds ± one standard error."
    caption = tag("caption", tag("span", words))
    head = tag("thead", tag("tr", *cells))
    return folded(rows, CANDIDATES_SHOWN, caption, head, "settings", "Settings that were tried", "candidates")


def member_table(members: Sequence[Member], labels: Sequence[str]) -> Markup:
    """Return whose networks answer together, with the share of each and how well it does alone."""
    whole = sum(member.weight for member in members)
    rows = [
        tag(
            "tr",
            tag("th", label, scope="row"),
            tag("td", percent(member.weight / whole), class_="number"),
            tag("td", with_error((member.trial.mean, member.trial.standard_error)), class_="number"),
        )
        for member, label in zip(members, labels, strict=True)
    ]
    heads = [("Setting", None), ("Share", "number"), ("Validation loss", "number")]
    cells = [tag("th", words, scope="col", class_=kind) for words, kind in heads]
    caption = tag(
        "caption", tag("span", "Validation loss of each setting alone, mean over folds ± one standard error.")
    )
    head = tag("thead", tag("tr", *cells))
    return scroll(tag("table", caption, head, tag("tbody", *rows), class_="members recipe"), "Networks that answer")


def ingredient_table(ingredients: Sequence[Ingredient]) -> Markup:
    """Return what each ingredient of the best setting is worth, the largest first."""
    rows = [
        tag(
            "tr",
            tag("th", ingredient_label(ingredient.name), scope="row"),
            tag("td", _setting(ingredient.value), class_="number"),
            tag("td", with_error((ingredient.worth, ingredient.error)), class_="number"),
        )
        for ingredient in ingredients
    ]
    heads = [("Ingredient", None), ("Value", "number"), ("Worth", "number")]
    cells = [tag("th", words, scope="col", class_=kind) for words, kind in heads]
    words = "Worth: by how much the validation loss rises without it, mean over folds ± one standard error."
    caption = tag("caption", tag("span", words))
    head = tag("thead", tag("tr", *cells))
    return scroll(tag("table", caption, head, tag("tbody", *rows), class_="recipe ingredients"), "Ingredients")


def _dot(mean: float, error: float, low: float, high: float, *, is_chosen: bool) -> Markup:
    """Return a picture of a mean with its standard error; the number stands beside it, so readers aloud skip it."""
    if not np.isfinite(mean):
        return Markup("")
    span = (high - low) or 1.0
    x, reach = 2.0 + 96.0 * (mean - low) / span, 96.0 * (error if np.isfinite(error) else 0.0) / span
    whisker = tag("line", x1=f"{x - reach:.1f}%", x2=f"{x + reach:.1f}%", y1="50%", y2="50%")
    dot = tag("circle", cx=f"{x:.1f}%", cy="50%", r=5 if is_chosen else 3.5)
    return tag("svg", whisker, dot, aria_hidden="true", class_="dot")


def folded(
    rows: Sequence[Markup], shown: int, caption: Markup, head: Markup, noun: str, label: str, kind: str
) -> Markup:
    """Return a table whose later rows are behind a line that opens them, where there are many."""

    def table(body: Sequence[Markup], *above: Markup) -> Markup:
        return scroll(tag("table", *above, head, tag("tbody", *body), class_=kind), label)

    if len(rows) <= shown + 3:
        return table(rows, caption)
    rest = tag("details", tag("summary", f"{count(len(rows) - shown)} more {noun}"), table(rows[shown:]))
    return join(table(rows[:shown], caption), rest)


def epoch_table(columns: Mapping[str, np.ndarray], label: str) -> Markup:
    """Return some epochs of curves as numbers, behind a line that opens them; a figure that can be read aloud."""
    length = max((len(values) for values in columns.values()), default=0)
    if not length:
        return Markup("")
    epochs = np.unique(np.linspace(0, length - 1, min(length, EPOCHS_SHOWN)).round().astype(int))
    heads = [tag("th", words, scope="col", class_="number") for words in ("Epoch", *columns)]
    rows = [
        tag(
            "tr",
            tag("th", count(int(epoch) + 1), scope="row", class_="number"),
            *(
                tag("td", plain(float(values[epoch])) if epoch < len(values) else "–", class_="number")
                for values in columns.values()
            ),
        )
        for epoch in epochs
    ]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    return tag("details", tag("summary", "These curves as numbers"), scroll(table, label))


def recipe_tables(recipe: Recipe) -> Markup:
    """Return the recipe's fields, those that differ from their default first and marked."""
    usual = Recipe()
    values = [(field.name, getattr(recipe, field.name), getattr(usual, field.name)) for field in fields(Recipe)]
    changed = [row for row in values if row[1] != row[2]]
    kept = [row for row in values if row[1] == row[2]]
    heads = [tag("th", words, scope="col") for words in ("Field", "Value", "Default")]
    rows = [
        tag(
            "tr",
            tag("th", tag("code", key), scope="row"),
            tag("td", _setting(value), class_="changed"),
            tag("td", _setting(default)),
        )
        for key, value, default in changed
    ]
    first = tag("p", "Every field has its default value.")
    if rows:
        caption = tag("caption", tag("span", "Fields that differ from their default."))
        first = scroll(
            tag("table", caption, tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="recipe"),
            "Recipe, changed fields",
        )
    others = [tag("tr", tag("th", tag("code", key), scope="row"), tag("td", _setting(value))) for key, value, _ in kept]
    table = tag("table", tag("thead", tag("tr", *heads[:2])), tag("tbody", *others), class_="recipe")
    summary = tag("summary", f"{plural(len(others), 'field')} at the default")
    return join(first, tag("details", summary, scroll(table, "Recipe, fields at their default")))


def _setting(value: object) -> str:
    """Return a field's value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        return ", ".join(_setting(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:.6g}" if value == 0 or 1e-4 <= abs(value) < 1e7 else plain(value, 6)
    return "none" if value is None else shorten(value, 200)


def column_table(schema: Sequence[ColumnSchema], components: int) -> Markup:
    """Return what each column of the data is and what was done to it, and how many components there are beside."""
    rows = [
        tag(
            "tr",
            tag("th", name(column.name), scope="row"),
            tag("td", column.kind),
            tag("td", name(column.treatment, 400), _content(column)),
            tag("td", count(column.n_missing), class_="number", data_label="missing"),
            tag("td", count(column.n_outputs), class_="number", data_label="inputs"),
            class_=None if column.n_outputs else "dropped",
        )
        for column in schema[:COLUMNS_SHOWN]
    ]
    heads = [("Column", None), ("Kind", None), ("What was done", None), ("Missing", "number"), ("Inputs", "number")]
    cells = [tag("th", words, scope="col", class_=kind) for words, kind in heads]
    more = len(schema) - len(rows)
    words = "Learned from the training rows only." + (f" {plural(more, 'more column')} not shown." if more else "")
    if components:
        words += f" {plural(components, 'more input')}: principal components of all numbers, of little variance."
    caption = tag("caption", tag("span", words))
    return folded(rows, 40, caption, tag("thead", tag("tr", *cells)), "columns", "Columns of the data", "columns")


def _content(column: ColumnSchema) -> Markup:
    """Return the levels of a category or the range of a number, in small print."""
    if column.levels:
        shown = [
            join(", " if place else "", tag("bdi", shorten(level, 40)))
            for place, level in enumerate(column.levels[:LEVELS_SHOWN])
        ]
        more = len(column.levels) - LEVELS_SHOWN
        return tag("small", *shown, f" and {plural(more, 'more level')}" if more > 0 else "")
    if column.minimum is not None and column.maximum is not None:
        return tag("small", f"from {_end(column.minimum)} to {_end(column.maximum)}")
    return Markup("")


def _end(value: float | str) -> str:
    if isinstance(value, str):
        return shorten(value, 40)
    return count(int(value)) if value == round(value) and abs(value) < 1e6 else plain(float(value), 4)


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Return a list of terms and values."""
    return tag("dl", *(tag("div", tag("dt", term), tag("dd", value)) for term, value in pairs))
