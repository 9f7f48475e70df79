"""Stability selection: what matters is selected on most halves, what does not on few; and the bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from tests.plain import plain

from taut import Recipe, stability_selection
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.selection.folds import Folds
from taut.selection.frequencies import StabilitySelection

QUICK = plain(epochs=40, hidden_layer_sizes=(8,), learning_rate=0.03)


def table(seed: int, task: str, rows: int = 160) -> tuple[pd.DataFrame, pd.Series]:
    """Return 5 inputs that matter and 15 that do not."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(rows, 20)), columns=[f"x{place:02}" for place in range(20)])
    signal = X.to_numpy()[:, :5] @ np.array([1.0, -1.0, 0.9, 0.9, -1.1]) + 0.5 * random.normal(size=rows)
    return X, pd.Series(signal if task == "regression" else np.where(signal > 0, "yes", "no"))


@pytest.mark.parametrize(("task", "seed"), [("regression", 0), ("regression", 1), ("classification", 2)])
def test_inputs_that_matter_are_selected_often_and_others_seldom(task, seed):
    X, y = table(seed, task)
    found = stability_selection(
        replace(QUICK, seed=seed), X, y, n_subsamples=12, n_values=4, features_at_most=6, threshold=0.7
    )
    frequency = found.frequencies.max(axis=0)
    assert frequency[:5].min() > 0.8
    assert frequency[5:].mean() < 0.25
    assert set(found.stable) == set(X.columns[:5])
    assert found.values[0] > found.values[-1]


@pytest.fixture(scope="module")
def given() -> StabilitySelection:
    X, y = table(3, "regression")
    X["place"] = pd.Series(np.random.default_rng(0).choice(["a", "b", "c"], len(X)))
    X.loc[::9, "x07"] = np.nan
    return stability_selection(QUICK, X, y, values=[0.01, 0.3], n_subsamples=6)


def test_the_bound_is_that_of_meinshausen_and_buehlmann(given):
    p = len(given.input_names)
    assert given.false_selections == pytest.approx(given.selected**2 / (0.2 * p))
    # The weakest penalty selects whatever the strongest does, near enough, so that q is at least its mean number.
    assert given.selected >= given.frequencies.sum(axis=1).max() - 1e-9


def test_values_go_from_strong_to_weak(given):
    assert given.values.tolist() == [0.3, 0.01]
    assert given.frequencies.shape == (2, len(given.input_names))


def test_a_column_is_selected_if_any_of_its_inputs_is(given):
    assert {"place=a", "place=b", "place=c", "x07 is missing"} <= set(given.input_names)
    assert given.column_names.count("place") == 1
    for place, column in enumerate(given.column_names):
        own = given.frequencies[:, [one == column for one in given.column_of]]
        assert (given.column_frequencies[:, place] >= own.max(axis=1) - 1e-12).all()
        assert (given.column_frequencies[:, place] <= own.sum(axis=1) + 1e-12).all()


def test_frame_dictionary_and_figure_hold_the_frequencies(given):
    frame = given.to_frame()
    assert frame["frequency"].is_monotonic_decreasing
    assert frame.loc[frame["stable"], "input"].tolist() == given.stable
    told = given.to_dict()
    assert told["stable"] == given.stable
    assert told["frequencies"]["x00"] == given.frequencies[:, given.input_names.index("x00")].tolist()
    axes = given.plot(Figure().subplots())
    assert len(axes.get_lines()) == len(given.input_names) + 1


def test_pieces_of_a_number_count_for_its_column():
    X, y = table(4, "classification")
    found = stability_selection(replace(QUICK, epochs=2, bins=3), X, y, values=[1e-6, 1e-5], n_subsamples=2)
    pieces = [column for name, column in zip(found.input_names, found.column_of, strict=True) if " piece " in name]
    assert found.column_names == list(dict.fromkeys(pieces)) == found.input_names[: len(found.column_names)]
    assert (found.frequencies == 1).all()  # inputs of the halves are those of all rows, by their names
    assert (found.column_frequencies == 1).all()


def test_components_which_are_of_all_columns_are_not_selected_among_them():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 3)), columns=[*"abc"])
    found = stability_selection(Recipe(epochs=2), X, X["a"] - X["b"], penalty="l1", values=[1e-5, 1e-4], n_subsamples=2)
    assert found.column_names == [*"abc"]


def test_halves_are_halves_and_keep_classes_and_groups(monkeypatch):
    seen = []
    encode = Folds.encode

    def remember(self, train, held, encoding):
        seen.append(train)
        assert not len(held)
        return encode(self, train, held, encoding)

    monkeypatch.setattr(Folds, "encode", remember)
    X, y = table(4, "classification")
    quick = replace(QUICK, epochs=2)
    stability_selection(quick, X, y, values=[0.1, 0.2], n_subsamples=4)
    *halves, whole = seen
    assert [len(half) for half in halves] == [80] * 4
    assert len(whole) == 160
    assert len({tuple(sorted(half)) for half in halves}) == 4
    assert all(abs((y.iloc[half] == "yes").sum() - (y == "yes").sum() / 2) <= 1 for half in halves)
    groups = np.arange(160) // 5
    seen.clear()
    stability_selection(quick, X, y, values=[0.1, 0.2], n_subsamples=4, groups=groups)
    assert all(set(np.bincount(groups[half], minlength=32)) == {0, 5} for half in seen[:-1])


def test_same_seed_same_frequencies_whatever_the_threads():
    X, y = table(5, "regression")
    one, two = (
        stability_selection(replace(QUICK, epochs=5), X, y, values=[0.1, 0.3], n_subsamples=3, n_jobs=n) for n in (1, 2)
    )
    np.testing.assert_array_equal(one.frequencies, two.frequencies)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"penalty": "l2"}, "penalty must be one that empties inputs"),
        ({"penalty": "group_l1_units"}, "penalty must be one that empties inputs"),
        ({"threshold": 0.5}, "threshold must be a number above 0.5 and at most 1, got 0.5"),
        ({"n_subsamples": 1}, "n_subsamples must be an integer at least 2, got 1"),
        ({"features_at_most": 0}, "features_at_most must be an integer at least 1, got 0"),
        ({"values": [-1.0, 1.0]}, "values of group must be a number at least 0, got -1.0"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments, message):
    with pytest.raises(InvalidValue, match=message):
        stability_selection(QUICK, *table(0, "regression"), **arguments)


def test_what_is_no_recipe_is_refused():
    with pytest.raises(InvalidType, match="recipe must be a Recipe"):
        stability_selection(None, *table(0, "regression"))


def test_divergence_is_said():
    with pytest.raises(NonFiniteLoss, match="lower learning_rate"):
        stability_selection(
            replace(QUICK, learning_rate=1e300), *table(0, "regression"), values=[0.1, 0.2], n_subsamples=2
        )
