"""Sections: the report from its title to its small print, in the order in which it is read.

Each section is a function from the result to HTML; `CONTENTS` names them all. Text passes through `tag`, which escapes
it. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from taut.network import Dense
from taut.report import figures, sentences
from taut.report.confusion import confusion_counts, confusion_table
from taut.report.markup import Markup, join, name, shorten, tag
from taut.report.numbers import count, duration
from taut.report.placing import footer, placed
from taut.report.scores import score_table
from taut.report.tables import (
    candidate_labels,
    candidate_table,
    column_table,
    epoch_table,
    facts,
    ingredient_table,
    member_table,
    recipe_tables,
)
from taut.selection.reliability import reliability
from taut.training import Ensemble

if TYPE_CHECKING:
    from taut.network import Network
    from taut.selection import FitResult, Trial

__all__ = ["CONTENTS", "body"]


def body(result: FitResult) -> Markup:
    """Return what stands between the page's head and its scripts."""
    contents = [one for one in CONTENTS if not (one[0] == "regions" and result.view is None)]
    contents = [one for one in contents if not (one[0] == "calibration" and result.classes is None)]
    links = [tag("li", tag("a", title, href=f"#{identity}")) for identity, title, _ in contents]
    parts = [
        tag(
            "section",
            tag("h2", title, id=f"{identity}-title"),
            write(result),
            id=identity,
            aria_labelledby=f"{identity}-title",
        )
        for identity, title, write in contents
    ]
    return join(
        tag("header", _title(result)),
        tag("nav", tag("ul", *links), aria_label="Contents"),
        tag("main", *parts),
        footer(),
    )


def _title(result: FitResult) -> Markup:
    classes = [] if result.classes is None else [("Classes", count(len(result.classes)))]
    terms = [
        ("Task", result.task.capitalize()),
        *classes,
        ("Training rows", count(result.n_train)),
        ("Test rows", count(result.n_test)),
        ("Columns", count(len(result.model.encoder.schema_))),
        ("Inputs after encoding", count(result.n_inputs)),
    ]
    return join(
        tag("h1", name(result.data_name)), tag("p", "Predicting ", tag("strong", name(result.target))), facts(terms)
    )


def _answer(result: FitResult) -> Markup:
    return join(
        tag("p", shorten(result.sentence(), 1500), class_="answer"),
        tag(
            "noscript",
            tag("p", "The figures need JavaScript; every number and sentence is here without it.", class_="note"),
        ),
    )


def _scores(result: FitResult) -> Markup:
    notes = [
        "± is one standard error, over the folds or over the test rows. The best test value of a metric is bold.",
        "The last column compares losses on the same test rows in pairs: a difference counts from a p below 0.05.",
        "“Best” stands only where the lowest loss is a clear winner by that test.",
    ]
    if result.search.n_settings > 1:
        test = "" if result.looks.sentence() else "; their test scores do not"
        notes.append(
            f"The first two models were chosen among {count(result.search.n_settings)} settings on the folds of their "
            f"cross-validated scores, which flatters a little{test}."
        )
    return join(score_table(result.entries, result.metrics), tag("p", " ".join(notes), class_="note"))


def _overfitting(result: FitResult) -> Markup:
    return tag("p", " ".join(sentences.about_overfitting(result)))


def _rows(result: FitResult) -> Markup:
    if result.growth is None:
        return tag(
            "p",
            "What more rows would bring was not asked here: it takes the standard effort and no budget, or ",
            tag("code", "taut learning-curve"),
            ".",
        )
    told = [
        "Look whether the curve still falls at its right end. The law is fitted to the dots.",
        shorten(result.growth.advice(), 900),
    ]
    plot = figures.by_rows(result.growth)
    return join(
        _of_one(result, "on growing parts of the folds"),
        placed("rows", "Validation loss by training rows", plot, told, height=320),
    )


def _importance(result: FitResult) -> Markup:
    found = result.importance
    if found is None:
        return tag("p", "The table is too wide to deal each of its columns anew.")
    told = sentences.about_importance(found)
    height = 70 + 26 * min(len(found.columns), figures.COLUMNS_SHOWN)
    return placed("importance", "What each column is worth", figures.importance_bars(found), told, height=height)


def _calibration(result: FitResult) -> Markup:
    assert result.test_probabilities is not None  # as where there are classes
    found = reliability(result.test_probabilities, result.model.targets.encode(result.test_true))
    told = sentences.about_calibration(found)
    plot = figures.reliability_dots(found)
    return placed("calibration", "Share that was right by how sure the model was", plot, told, height=380)


def _regions(result: FitResult) -> Markup:
    view = result.view
    assert view is not None  # or the section is left out
    plot, told = figures.region_map(view), sentences.about_regions(view)
    return placed("regions", "What the model answers in the plane of its inputs", plot, told, height=480)


def _test_set(result: FitResult) -> Markup:
    return tag("p", " ".join(sentences.test_use(result)))


def _curves(result: FitResult) -> Markup:
    chosen, unregularized = result.chosen, result.unregularized
    columns = {"Chosen, training": chosen.training_curve, "Chosen, validation": chosen.validation_curve}
    if chosen.recipe != unregularized.recipe:
        columns |= {
            "Without, training": unregularized.training_curve,
            "Without, validation": unregularized.validation_curve,
        }
    plot = figures.learning_curves(chosen, unregularized)
    told = sentences.about_curves(chosen, unregularized)
    return join(
        _of_one(result, "on the folds"),
        placed("curves", "Learning curves with and without regularization", plot, told, height=420),
        epoch_table(columns, "Learning curves as numbers"),
    )


def _loss(result: FitResult) -> Markup:
    history, layers = result.model.history, _layers(result.model.network)
    if not history.epochs:
        return tag("p", "The network was trained for no epoch.")
    told = sentences.about_loss(history, result.model.recipe, result.task)
    lead = tag("p", "What the network’s training lowers is loss = data loss + penalty.")
    whole = placed("loss", "Data loss and penalty in training", figures.loss_parts(history), told, height=360)
    columns = {"Loss": history["loss"], "Data loss": history["data_loss"], "Penalty": history["penalty"]}
    parts = []
    if np.any(history["penalty"]):
        columns |= {f"Penalty, {words}": history[f"penalty_{index}"] for index, words in layers.items()}
        about = sentences.about_layers(history, layers)
        layered = placed(
            "layers", "Penalty of each layer", figures.penalty_by_layer(history, layers), about, height=280
        )
        parts = [tag("h3", "The penalty, layer by layer"), layered]
    return join(_of_one(result), lead, whole, *parts, epoch_table(columns, "Loss and penalty as numbers"))


def _tried(result: FitResult) -> Markup:
    labels = _labels(result, result.candidates)
    told = sentences.about_candidates(result.candidates, result.chosen, labels) + sentences.about_search(result.search)
    members = result.members
    is_kept = isinstance(result.kept, Ensemble)
    answering = sentences.about_members(members, result.blend, result.n_networks if is_kept else None, result.task)
    return join(
        tag("h3", "Whose networks answer together" if is_kept else "The ensemble it is compared with"),
        member_table(members, _labels(result, [member.trial for member in members])),
        tag("p", " ".join(answering)),
        tag("h3", "Every setting"),
        candidate_table(result.candidates, labels, result.chosen) if result.candidates else "",
        tag("p", " ".join(told)),
        tag("h3", "What each ingredient is worth"),
        ingredient_table(result.search.ingredients) if result.search.ingredients else "",
        tag("p", " ".join(sentences.about_ingredients(result.search, result.chosen))),
    )


def _weights(result: FitResult) -> Markup:
    chosen, unregularized = (_weights_of(model.network) for model in (result.model, result.unregularized_model))
    panels = []
    for position, layer in enumerate(dict.fromkeys([*chosen, *unregularized])):
        pair = chosen.get(layer), unregularized.get(layer)
        title = layer.capitalize()
        told = [sentences.about_weights(*pair)]
        plot = placed(
            f"weights-{position}", f"Weights of the {layer}", figures.weight_histogram(*pair), told, height=260
        )
        panels.append(tag("div", tag("h3", title), plot))
    look = (
        "How the weights are spread in each layer. L2 draws the large ones in most; L1 empties many entirely, "
        "which shows in the share that is exactly zero."
    )
    return join(_of_one(result), tag("p", look), tag("div", *panels, class_="panels"))


def _errors(result: FitResult) -> Markup:
    targets = result.model.targets
    if result.classes is not None:
        true, said = targets.encode(result.test_true), targets.encode(result.test_predicted)
        labels = [str(label) for label in result.classes]
        counts = confusion_counts(true, said, len(labels))
        return join(confusion_table(counts, labels), tag("p", " ".join(sentences.about_classes(counts, labels))))
    parts = []
    # Decoding what was encoded turns numbers that were stored as words into numbers.
    true = np.asarray(targets.decode(targets.encode(result.test_true)), dtype=float).reshape(result.n_test, -1)
    said = np.asarray(result.test_predicted, dtype=float).reshape(true.shape)
    for column in range(true.shape[1]):
        plot = figures.predicted_against_true(true[:, column], said[:, column], result.target)
        told = sentences.about_numbers(true[:, column], said[:, column])
        if result.n_test > figures.POINTS_IN_A_CLOUD:
            told = [*told, f"{count(figures.POINTS_IN_A_CLOUD)} of {count(result.n_test)} rows are drawn."]
        parts.append(
            placed(f"errors-{column}", "Predicted against true values of the test rows", plot, told, height=480)
        )
    return join(*parts)


def _recipe(result: FitResult) -> Markup:
    recipe = result.model.recipe
    return join(
        _of_one(result),
        recipe_tables(recipe),
        tag("h3", "As a file"),
        tag("pre", tag("code", recipe.to_toml(), id="toml"), tabindex="0", role="region", aria_label="Recipe as TOML"),
        tag("button", "Copy", type="button", data_copy="toml", hidden=True),
    )


def _columns(result: FitResult) -> Markup:
    encoder = result.model.encoder
    return column_table(encoder.schema_, encoder.inputs_.components)


def _provenance(result: FitResult) -> Markup:
    terms = [("Seed", result.seed), ("Time taken", duration(result.seconds))]
    terms += [(shorten(library), shorten(version)) for library, version in result.versions.items()]
    notes = [tag("li", shorten(note, 600)) for note in result.notes]
    told = tag("ul", *notes) if notes else tag("p", "Nothing about the data needed a note.")
    return join(facts(terms), tag("h3", "Notes"), told)


#: Identity, title and writer of each section, in order.
CONTENTS: tuple[tuple[str, str, Callable[[FitResult], Markup]], ...] = (
    ("answer", "The answer", _answer),
    ("scores", "Scores", _scores),
    ("overfitting", "Is it overfitting?", _overfitting),
    ("test-set", "How the test set was used", _test_set),
    ("curves", "Learning curves", _curves),
    ("rows", "Would more rows help?", _rows),
    ("importance", "What each column is worth", _importance),
    ("loss", "The loss in two parts", _loss),
    ("tried", "What was tried", _tried),
    ("weights", "Weights", _weights),
    ("errors", "Errors on the test set", _errors),
    ("calibration", "How sure it may be", _calibration),
    ("regions", "Decision regions", _regions),
    ("recipe", "The recipe", _recipe),
    ("columns", "The columns", _columns),
    ("provenance", "Seeds, versions, notes", _provenance),
)


def _of_one(result: FitResult, on: str = "fitted to all training rows") -> Markup:
    """Say of which network a section is, where several answer."""
    if not isinstance(result.kept, Ensemble):
        return Markup("")
    return tag("p", f"This is the one network, with the best single setting, {on}.", class_="note")


def _labels(result: FitResult, trials: Sequence[Trial]) -> list[str]:
    """Return a few words for each setting; every race begins with the constant guess."""
    constant = result.search.trials[0]
    words = candidate_labels(trials)
    return ["a constant guess" if trial is constant else one for trial, one in zip(trials, words, strict=True)]


def _layers(network: Network) -> dict[int, str]:
    """Return the name of each layer that has weights, by its position in the network."""
    positions = [position for position, layer in enumerate(network.layers) if isinstance(layer, Dense)]
    names = [f"hidden layer {number}" for number in range(1, len(positions))] + ["output layer"]
    return dict(zip(positions, names, strict=False))


def _weights_of(network: Network) -> dict[str, np.ndarray]:
    """Return the weights of each layer by its name."""
    return {words: network.layers[position].parameters[0].value for position, words in _layers(network).items()}
