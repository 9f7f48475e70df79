"""Sentences: what each figure shows, in plain words, computed from the numbers it is drawn from.

Nothing here is said that the numbers do not say: a rise that is within one standard error is called that, and a
comparison names both sides. Knows nothing of HTML; text from the data is escaped where it is put on the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from taut.report.markup import shorten
from taut.report.numbers import count, percent, plural
from taut.selection.wording import METRIC_WORDS, plain, plus_minus
from taut.training.regularizers import REGULARIZERS

if TYPE_CHECKING:
    from taut.selection import Candidate, FitResult, Importance, Reliability, SearchResult, Trial
    from taut.selection.blending import Blend, Member
    from taut.selection.fit_result import View
    from taut.training import History, Recipe

__all__ = [
    "about_calibration",
    "about_candidates",
    "about_classes",
    "about_curves",
    "about_importance",
    "about_ingredients",
    "about_layers",
    "about_loss",
    "about_members",
    "about_numbers",
    "about_overfitting",
    "about_regions",
    "about_search",
    "about_weights",
    "ingredient_label",
    "test_use",
]

# A temperature that is so close to 1 shows in no answer.
_NO_CHANGE = 0.005


def test_use(result: FitResult) -> list[str]:
    """Say how the test set was used."""
    tried = result.search.n_settings
    chosen_on = f"The choice among {count(tried)} settings" if tried > 1 else "Every decision"
    rows, again = plural(result.n_train, "training row"), result.looks.sentence()
    return [
        f"The {plural(result.n_test, 'test row')} were set apart before anything was fitted.",
        f"{chosen_on} was made by cross-validation on the {rows} alone.",
        "The scaling and the encoding of the columns were learned there too.",
        *(
            ["The test set was then scored, to fill the column “test”.", again]
            if again
            else [
                "The test set was then looked at once, at the end, to fill the column “test”.",
                "Whoever changes settings because of these numbers and fits again gets a test score that flatters.",
            ]
        ),
        "New rows, set apart for that, give an honest one.",
    ]


def about_overfitting(result: FitResult) -> list[str]:
    """Say whether the kept model knows its training rows better than others, and how much that costs."""
    metric, name = result.metrics[0], METRIC_WORDS[result.metrics[0]]
    kept, bare, guess = result.entries[0], result.entries[2], result.entries[-1]
    known, (unseen, error) = kept.train[metric], kept.cross_validated[metric]
    start = guess.cross_validated[metric][0]
    numbers = (
        f"{name.capitalize() if name.islower() else name} is {plain(known)} on the rows it was fitted to, "
        f"{plus_minus(unseen, error)} by cross-validation on rows it was not fitted to, and {plain(start)} for a "
        "constant guess."
    )
    gap, whole = unseen - known, start - known
    if not np.isfinite([known, unseen, start]).all():
        return ["That cannot be said: one of the losses is not a finite number."]
    if unseen > start - (error if np.isfinite(error) else 0.0):
        return ["It has learned nothing that holds for new rows.", numbers]
    share = gap / whole if whole > 0 else 0.0
    if gap <= max(2.0 * error, 0.1 * whole):
        verdict = "No: what it learned holds for new rows nearly as well as for those it has seen."
    elif share < 0.4:
        verdict = "A little, as good fits do: part of what it knows about its training rows does not hold for others."
    else:
        verdict = (
            "It knows its training rows much better than others. That by itself is no fault: what counts is the loss "
            "on rows not seen, and of all that was tried, stronger regularization among it, this did best there."
        )
    sentences = [verdict, numbers, f"So {percent(share)} of what was gained on the training rows is lost on new ones."]
    without = bare.cross_validated[metric][0] - bare.train[metric]
    if result.chosen.recipe != result.unregularized.recipe and np.isfinite(without):
        sentences.append(
            f"Without regularization one network’s gap between the two is {plain(without)}, with a loss of "
            f"{plus_minus(*bare.cross_validated[metric])} on rows not seen."
        )
    return sentences


def about_importance(found: Importance) -> list[str]:
    """Say which columns the model makes use of."""
    sure = [name for name, low in zip(found.columns, found.low, strict=True) if low > 0]
    look = (
        f"Each column in turn was dealt anew among {plural(found.rows, 'test row')}, {plural(found.repeats, 'time')}: "
        "how much the loss rises is what the model makes of it. Lines are 95 % intervals over the rows."
    )
    if not sure:
        return [look, "No column by itself makes a difference beyond noise."]
    rise = plus_minus(float(found.increase[0]), float(found.error[0]))
    said = f"Most is made of {shorten(sure[0], 40)}: without it the loss of {plain(found.loss)} rises by {rise}."
    rest = (
        f"{count(len(sure))} of {plural(len(found.columns), 'column')} make a difference beyond noise."
        if len(found.columns) > 1
        else ""
    )
    shown = f"The {count(20)} most important are drawn." if len(found.columns) > 20 else ""
    twins = (
        "Columns that tell the same can stand in for one another, and then none of them seems to matter. Where the "
        "model goes by their small differences, one dealt anew makes rows like no others and matters too much."
    )
    return [look, *filter(None, (said, rest, shown, twins))]


def about_calibration(found: Reliability) -> list[str]:
    """Say how far probabilities are from how often they are right."""
    look = (
        "Test rows are sorted by the probability of the class that was answered. Dots below the dashed line: the model "
        "was surer than it was right. Lines are 95 % intervals."
    )
    off = (found.high < found.confidence) | (found.low > found.confidence)
    said = f"The expected calibration error is {plain(found.error)}, over {plural(int(found.rows.sum()), 'row')}."
    if not off.any():
        return [look, said, "Every interval holds the line: nothing here speaks against these probabilities."]
    too_sure = int((found.high < found.confidence).sum())
    where = f"In {count(int(off.sum()))} of {plural(len(found.rows), 'group')} the interval leaves the line"
    return [look, said, f"{where}, in {count(too_sure)} of them because the model was too sure."]


def about_regions(view: View) -> list[str]:
    """Say what is drawn in the plane of two inputs."""
    if view.regions.classes is None:
        return ["What the model predicts all over the plane. Grey dots are rows: small ones it was fitted to."]
    return [
        "The colour is the class that the model answers there, the fainter the less sure it is.",
        "Large marks are test rows; small faint ones are rows it was fitted to.",
    ]


def about_curves(chosen: Candidate, unregularized: Candidate) -> list[str]:
    """Say how the losses go with and without regularization."""
    look = (
        "Look for a solid line (validation) that turns upwards while the dashed line of its colour (training) "
        "goes on falling: that is overfitting. Bands are one standard error of the validation loss to each side; they "
        "may reach beyond the figure."
    )
    if chosen.recipe == unregularized.recipe:
        return [
            look,
            "No regularization was chosen, so there is one pair of curves.",
            _course("Without regularization", chosen),
        ]
    sentences = [
        look,
        _course("Without regularization", unregularized),
        _course("With the chosen regularization", chosen),
    ]
    gaps = [float(arm.validation_curve[-1] - arm.training_curve[-1]) for arm in (chosen, unregularized)]
    if np.isfinite(gaps).all():
        sentences.append(
            f"At the end, validation loss is {_above(gaps[0])} training loss with the chosen regularization and "
            f"{_above(gaps[1])} it without."
        )
    return sentences


def _course(who: str, candidate: Candidate) -> str:
    validation, training = candidate.validation_curve, candidate.training_curve
    finite = np.isfinite(validation)
    if not finite.any():
        return f"{who}, no validation loss is a finite number."
    low, last = int(np.where(finite, validation, np.inf).argmin()), len(validation) - 1
    lowest = plain(float(validation[low]))
    if not finite[last]:
        return f"{who}, validation loss is lowest after epoch {low + 1} ({lowest}) and then stops being finite."
    if low == last:
        return f"{who}, validation loss is lowest at the last epoch ({last + 1}), at {lowest}."
    rise, error = float(validation[last] - validation[low]), float(candidate.validation_curve_se[low])
    if np.isfinite(error) and rise <= error:
        return (
            f"{who}, validation loss is lowest after epoch {low + 1} ({lowest}) and from there to epoch {last + 1} "
            f"({plain(float(validation[last]))}) rises by less than one standard error."
        )
    before, after = float(training[low]), float(training[last])
    fate = f"falls on from {plain(before)} to {plain(after)}"
    if not after < before:
        fate = f"goes from {plain(before)} to {plain(after)}"
    return (
        f"{who}, validation loss is lowest after epoch {low + 1} ({lowest}) and rises to "
        f"{plain(float(validation[last]))} by epoch {last + 1}, while training loss {fate}."
    )


def _above(gap: float) -> str:
    return f"{plain(abs(gap))} {'above' if gap >= 0 else 'below'}"


def about_loss(history: History, recipe: Recipe, task: str) -> list[str]:
    """Say how large the penalty is beside the data loss, and where it lies."""
    last = history.last()
    loss, data_loss, penalty = (plain(last[name]) for name in ("loss", "data_loss", "penalty"))
    share = percent(_share(last["penalty"], last["loss"]))
    if not np.any(history["penalty"]):
        sentences = [f"This recipe adds no penalty: the loss, {loss} at the end, is data loss alone."]
    else:
        sentences = [
            "The upper edge is the loss that training lowers; its two parts are stacked.",
            f"In the last epoch the loss, {loss}, is data loss {data_loss} plus penalty {penalty}: {share} is penalty.",
        ]
    drawn = {
        "dropout": recipe.dropout,
        "input dropout": recipe.input_dropout,
        "DropConnect": recipe.dropconnect,
        "input noise": recipe.input_noise,
        "mixup": recipe.mixup,
        "CutMix": recipe.cutmix,
    }
    noise = [words for words, on in drawn.items() if np.any(on)]
    noise += ["augmentation"] if recipe.augmentation is not None else []
    if noise:
        sentences.append(f"The data loss is that of training, with {' and '.join(noise)} on.")
    if recipe.label_smoothing:
        sentences.append("It is measured against the smoothed labels.")
    if task == "regression":
        sentences.append("Losses are of the target scaled to standard deviation 1.")
    return sentences


def about_layers(history: History, layers: Mapping[int, str]) -> list[str]:
    """Say how the penalty went, and which layer carries most of it."""
    first, last = float(history["penalty"][0]), float(history["penalty"][-1])
    way = "grew" if last > first else "fell"
    sentences = [f"As the weights changed, the penalty {way} from {plain(first)} to {plain(last)}."]
    if last > 0 and len(layers) > 1:
        largest = max(layers, key=lambda index: float(history[f"penalty_{index}"][-1]))
        share = _share(float(history[f"penalty_{largest}"][-1]), last)
        sentences.append(f"At the end, {percent(share)} of it lies on {_the(layers[largest])}.")
    return sentences


def _the(layer: str) -> str:
    return layer if layer.startswith("hidden") else f"the {layer}"


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def about_candidates(candidates: Sequence[Trial], chosen: Candidate, labels: Sequence[str]) -> list[str]:
    """Say how the chosen candidate stands among those that were trained to their end."""
    if not candidates:
        return ["No setting was trained to its end: of those that were under way, the one ahead was chosen."]
    if len(candidates) == 1:
        return ["One setting was trained to its end, so there was nothing to choose."]
    best = min(range(len(candidates)), key=lambda index: _or_infinite(candidates[index].mean))
    low = candidates[best]
    near = sum(candidate.mean <= low.mean + low.standard_error for candidate in candidates) - 1
    sentences = [
        "Every setting met the same folds; further left is better, and lines are one standard error to each side.",
        f"The lowest loss is that of {labels[best]}: {plain(low.mean)}.",
    ]
    if np.isfinite(low.standard_error):
        others = "No other is" if near == 0 else f"{plural(near, 'other is', 'others are')}"
        sentences.append(f"{others} within one standard error of it.")
    own = next((candidate.mean for candidate in candidates if candidate.recipe == chosen.recipe), low.mean)
    if own > low.mean:
        sentences.append(
            f"The chosen one lies {plain(own - low.mean)} above it: of those within one standard error, it is the one "
            "that follows its training rows least."
        )
    return sentences


def about_members(members: Sequence[Member], blend: Blend, n_networks: int | None, task: str) -> list[str]:
    """Say whose networks answer together, and how sure of it their answer is; without a number, they would answer."""
    if blend.is_constant:
        return [
            "No network was clearly better than a constant guess on rows that it was not trained on.",
            "So the constant guess is the answer.",
        ]
    settings = plural(len(members), "setting")
    networks = "The networks" if n_networks is None else plural(n_networks, "network")
    who = f"{networks} of {settings}{' would' if n_networks is None else ''}"
    answer = "numbers" if task == "regression" else "probabilities"
    sentences = [f"{who} answer with the mean of their {answer}, in which each setting has its share."]
    if len(members) < len(blend.members):
        sentences.append(
            f"Of {plural(len(blend.members), 'setting')} that answered best together, these were fitted to all rows."
        )
    if task == "classification":
        way = "less sure" if blend.temperature > 1 else "surer"
        sentences.append(
            f"A temperature of {plain(blend.temperature)} makes these probabilities {way}."
            if abs(blend.temperature - 1) >= _NO_CHANGE
            else "Their mean probabilities needed no temperature."
        )
    what = "Shares and temperature" if task == "classification" else "Shares"
    return [*sentences, f"{what} were chosen by their answers for rows that they were not trained on."]


def about_search(search: SearchResult) -> list[str]:
    """Say how many settings were stopped early, and what ended the search."""
    halted = [trial for trial in search.trials if not trial.is_complete]
    lost = sum(not np.isfinite(trial.mean) for trial in halted)
    sentences = []
    if halted:
        why = "training diverged" if lost == len(halted) else "others were ahead"
        if 0 < lost < len(halted):
            why += f" or, with {count(lost)} of them, training diverged"
        were = f"{plural(len(halted), 'more setting was', 'more settings were')}"
        sentences.append(f"{were} stopped early, because {why}.")
    if search.stopped_by_budget:
        return [*sentences, "The budget ended the search before all that was planned had been tried."]
    return [*sentences, "The search came to its planned end; no budget cut it short."]


def about_ingredients(search: SearchResult, chosen: Candidate) -> list[str]:
    """Say what the ingredients of the best setting are worth, or why that is not known."""
    found = search.ingredients
    if not found and search.stopped_by_budget:
        return ["That is not known: the budget ended the search before ingredients were taken out one by one."]
    if not search.best.setting:
        return ["The setting with the lowest loss has no ingredient that could be taken out."]
    if not found:
        return ["That is not known: none was taken out, or training without them did not come to its end."]
    first, clear = found[0], sum(one.worth > one.error for one in found)
    whose = "the chosen setting" if chosen.recipe == search.best.recipe else "the setting with the lowest loss"
    sentences = [
        f"Each was taken out of {whose}, all else equal and on the same folds; below zero, the loss is lower without.",
        f"Worth most is {ingredient_label(first.name)}: {plus_minus(first.worth, first.error)}.",
    ]
    if len(found) > 1:
        sentences.append(
            f"{count(clear)} of {count(len(found))} {'is' if clear == 1 else 'are'} worth more than one standard error."
        )
    return [*sentences, "These figures flatter a little, because the setting was chosen on the same folds."]


def ingredient_label(name: str) -> str:
    """Return what people call a field of a recipe.

    Examples
    --------
    >>> ingredient_label("l2"), ingredient_label("learning_rate")
    ('L2', 'learning rate')
    """
    return REGULARIZERS.get(name, name.replace("_", " "))


def _or_infinite(value: float) -> float:
    return value if np.isfinite(value) else float("inf")


def about_weights(chosen: np.ndarray | None, unregularized: np.ndarray | None) -> str:
    """Say how the weights of one layer differ with and without regularization."""
    if chosen is None or unregularized is None:
        weights, who = (unregularized, "unregularized") if chosen is None else (chosen, "chosen")
        assert weights is not None
        return f"Only the {who} network has this layer: {_spread(weights)}."
    if np.array_equal(chosen, unregularized):
        return f"Both networks have the same weights here: {_spread(chosen)}."
    sentence = f"Chosen: {_spread(chosen)}. Without regularization: {_spread(unregularized)}."
    has_zeros = (chosen == 0).any() or (unregularized == 0).any()
    return f"{sentence} The curves leave exact zeros out." if has_zeros else sentence


def _spread(weights: np.ndarray) -> str:
    if not weights.size:
        return "no weights"
    zeros = float(np.mean(weights == 0))
    share = f"{percent(zeros)} of {count(weights.size)} are" if zeros else f"none of {count(weights.size)} is"
    return f"{share} exactly zero, the largest is {plain(float(np.abs(weights).max()))} in size"


def about_classes(counts: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Say how many rows were right, and what was mistaken for what; `counts` has a row for each true class."""
    right, total = int(np.trace(counts)), int(counts.sum())
    if not total:
        return ["There are no test rows."]
    sentences = [
        "Rows are the true classes, columns the predicted ones; the diagonal is right.",
        f"{count(right)} of {plural(total, 'test row')} are right ({percent(right / total)}).",
    ]
    wrong = counts - np.diag(np.diag(counts))
    if wrong.any():
        most = int(wrong.max())
        pairs = np.argwhere(wrong == most)
        true, said = (shorten(classes[index], 30) for index in pairs[0])
        also = f", and {plural(len(pairs) - 1, 'other pair')} as often" if len(pairs) > 1 else ""
        sentences.append(f"The most frequent mistake: {true} taken for {said} ({plural(most, 'row')}{also}).")
        sizes = counts.sum(axis=1)
        shares = np.where(sizes > 0, np.diag(counts) / np.maximum(sizes, 1), np.inf)
        worst = int(shares.argmin())
        sentences.append(
            f"The class least often found is {shorten(classes[worst], 30)}: {count(int(counts[worst, worst]))} of its "
            f"{plural(int(sizes[worst]), 'row')}."
        )
    return sentences


def about_numbers(true: np.ndarray, predicted: np.ndarray) -> list[str]:
    """Say how far predictions are from the truth, and whether high and low values are missed to one side."""
    if not len(true):
        return ["There are no test rows."]
    errors = predicted - true
    worst = int(np.abs(errors).argmax())
    typical, largest = plain(float(np.median(np.abs(errors)))), plain(abs(float(errors[worst])))
    example = f"true {plain(float(true[worst]))}, predicted {plain(float(predicted[worst]))}"
    sentences = [
        "A point on the diagonal is a perfect prediction; above it the prediction is too high, below it too low.",
        f"Half of the predictions are within {typical} of the truth; the largest error is {largest} ({example}).",
    ]
    if len(true) >= 20:
        order = np.argsort(true, kind="stable")
        quarter = len(true) // 4
        low, high = float(errors[order[:quarter]].mean()), float(errors[order[-quarter:]].mean())
        sentences.append(
            f"On average, the lowest quarter of true values is predicted {_side(low)} and the highest {_side(high)}."
        )
    return sentences


def _side(error: float) -> str:
    return f"{plain(abs(error))} too {'high' if error >= 0 else 'low'}"
