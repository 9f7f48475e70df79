"""The page of a path: both choices in a sentence, the two figures, and every value in a table.

One HTML file in the manner of the report, which asks nothing of any network. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from taut.report.html import document
from taut.report.markup import Markup, join, name, shorten, tag
from taut.report.numbers import count, percent
from taut.report.path_figures import HEIGHT, path_losses, path_weights
from taut.report.placing import footer, placed
from taut.report.tables import exact, facts, folded, with_error
from taut.selection.path_view import choices, curves_of, notes, sentence, setting, top_labels
from taut.versions import versions

if TYPE_CHECKING:
    from taut.selection import RegularizationPath

__all__ = ["path_page"]

_METRICS = {"log_loss": "Log loss", "accuracy": "Accuracy", "rmse": "RMSE", "r2": "R²"}
_SHOWN = 40  # rows of the table before the rest is folded away


def path_page(path: RegularizationPath, *, data_name: str, target: str, remarks: Sequence[str] = ()) -> str:
    """Return the page of a path as HTML text.

    Parameters
    ----------
    path : RegularizationPath
        What `taut.regularization_path` returned.
    data_name, target : str
        What the table and the column that is predicted are called.
    remarks : sequence of str, optional
        Sentences about the data, to stand below the answer.

    Examples
    --------
    >>> from taut import Recipe, load_sample, regularization_path
    >>> frame, target = load_sample("wine")
    >>> path = regularization_path(Recipe(epochs=2), frame.drop(columns=target), frame[target], cv=2, n_values=3)
    >>> path_page(path, data_name="wine", target=target).startswith("<!DOCTYPE html>")
    True
    """
    sections = (
        ("answer", "The answer", _answer(path, remarks)),
        ("losses", "The loss along the path", _losses(path)),
        ("weights", _weights_title(path), _weights(path)),
        ("values", "Every value", _values(path)),
    )
    links = [tag("li", tag("a", title, href=f"#{identity}")) for identity, title, _ in sections]
    parts = [
        tag("section", tag("h2", title, id=f"{identity}-title"), text, id=identity, aria_labelledby=f"{identity}-title")
        for identity, title, text in sections
    ]
    body = join(
        tag("header", _title(path, data_name, target)),
        tag("nav", tag("ul", *links), aria_label="Contents"),
        tag("main", *parts),
        footer(),
    )
    return document(join(f"{shorten(data_name)}: {path.axis.label}"), body, versions()["taut"])


def _title(path: RegularizationPath, data_name: str, target: str) -> Markup:
    terms = [
        ("Values", count(len(path.values))),
        ("Folds", count(path.losses.shape[1])),
        ("Inputs after encoding", count(len(path.input_names))),
        ("taut", versions()["taut"]),
    ]
    about = tag("p", f"Regularization path along {path.axis.label}, predicting ", tag("strong", name(target)))
    return join(tag("h1", name(data_name)), about, facts(terms))


def _answer(path: RegularizationPath, remarks: Sequence[str]) -> Markup:
    said = [tag("p", f"Note: {shorten(note, 600)}", class_="note") for note in [*remarks, *notes(path)]]
    script = tag("p", "The figures need JavaScript; every number is here without it.", class_="note")
    return join(tag("p", sentence(path), class_="answer"), *said, tag("noscript", script))


def _losses(path: RegularizationPath) -> Markup:
    look = (
        "Look for where the dots (validation) stop following the dashed line (training): from there to the weak end "
        "the network fits what does not carry over. Bars are one standard error to each side; losses far above the "
        "lowest lie beyond the upper edge."
    )
    told = [look, _about_choices(path)]
    return placed("losses", "Loss along the path", path_losses(path), told, height=HEIGHT)


def _about_choices(path: RegularizationPath) -> str:
    if not path.axis.direction:
        return "The dotted line “min” marks the lowest mean."
    marks = (
        "The dotted lines mark the lowest mean (min) and the most regularized value within one standard error (1 SE)"
    )
    return f"{marks}{'; here they are one' if path.index_min == path.index_1se else ''}."


def _weights_title(path: RegularizationPath) -> str:
    return "Which inputs are used" if _selects_inputs(path) else "The weights along the path"


def _selects_inputs(path: RegularizationPath) -> bool:
    return path.inputs_used is not None and path.axis.field != "group_l1_units"


def _weights(path: RegularizationPath) -> Markup:
    curves = curves_of(path)
    if not _selects_inputs(path):
        told = ["Each line is the norm of one layer’s weights, mean over the folds."]
        return placed("weights", curves.label, path_weights(path), told, height=HEIGHT)
    about = (
        "Each line is the norm of the weights by which one input enters, in a fit to all rows; where it leaves zero, "
        f"the input enters. The {len(curves.named)} largest at the weak end are named, the others grey."
    )
    order = tag("p", "In the order in which they enter: ", _listed(path.entry_order), ".")
    return join(placed("weights", curves.label, path_weights(path), [about], height=HEIGHT), order)


def _listed(names: list[str], most: int = 60) -> Markup:
    if not names:
        return Markup("none")
    parts = [part for each in names[:most] for part in (", ", name(each))][1:]
    return join(*parts, f", and {count(len(names) - most)} more" if len(names) > most else "")


def _values(path: RegularizationPath) -> Markup:
    marks: dict[int, str] = dict(choices(path))
    top = top_labels(path)
    heads = [path.axis.label[:1].upper() + path.axis.label[1:], "Validation loss", "Training loss"]
    heads += [_METRICS[metric] for metric in path.metric_names]
    heads += [] if top is None else [top[0].capitalize()]
    head = tag("thead", tag("tr", *(tag("th", words, scope="col", class_="number") for words in heads)))
    rows = []
    for place, value in enumerate(path.values.tolist()):
        cells = [
            with_error((float(path.mean[place]), float(path.standard_error[place]))),
            exact(float(path.training[place])),
            *(_metric(metric, float(path.metrics[metric][place].mean())) for metric in path.metric_names),
            *([] if top is None else [top[1][place]]),
        ]
        mark = tag("span", marks[place], class_="mark") if place in marks else ""
        first = tag("th", mark, " ", tag("data", setting(value), value=repr(value)), scope="row", class_="number")
        row_class = "chosen" if place in marks else None
        rows.append(tag("tr", first, *(tag("td", cell, class_="number") for cell in cells), class_=row_class))
    words = (
        "From the most to the least regularized. Losses and scores are means over the folds; ± is one standard error."
    )
    return folded(rows, _SHOWN, tag("caption", tag("span", words)), head, "values", "Every value", "path")


def _metric(metric: str, value: float) -> Markup:
    if metric == "accuracy" and np.isfinite(value):
        return Markup(percent(value))
    return exact(value)
