"""Folds: which rows they have, that they learn from their training rows alone, and what they say of many numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import GroupKFold, KFold, RepeatedStratifiedKFold, ShuffleSplit, TimeSeriesSplit
from tests.plain import plain

from taut.data import folds, load_sample
from taut.data.columns import TableEncoder
from taut.data.encoding import Encoding
from taut.data.inputs import Inputs
from taut.data.schema import SCALINGS
from taut.errors import DataError, InvalidType, InvalidValue
from taut.selection.crew import Crew
from taut.selection.cross_validation import cross_validate, outcomes_on
from taut.selection.fold_models import fold_models
from taut.selection.folds import Folds, splits_of
from taut.selection.outcomes import Outcome, Plan
from taut.training.recipe import Recipe
from taut.training.shared_table import SharedTable


@pytest.fixture(scope="module")
def wine() -> tuple[pd.DataFrame, pd.Series]:
    frame, target = load_sample("wine")
    return frame.drop(columns=target), frame[target]


def same(found, expected) -> bool:
    return len(found) == len(expected) and all(
        np.array_equal(one, two)
        for pair, other in zip(found, expected, strict=True)
        for one, two in zip(pair, other, strict=True)
    )


# -------------------------------------------------------------------------------------------------------- which rows


def test_a_number_of_folds_divides_every_row_once_and_stratifies(wine):
    X, y = wine
    splits = splits_of(4, X, y, task="classification")
    assert sorted(np.concatenate([held for _, held in splits])) == list(range(178))
    for train, held in splits:
        assert not set(train) & set(held)
        assert len(train) + len(held) == 178
        np.testing.assert_allclose(y.iloc[held].value_counts(normalize=True), y.value_counts(normalize=True), atol=0.03)


def test_same_seed_same_folds_and_another_seed_others(wine):
    X, y = wine
    one, two, other = (splits_of(3, X, y, task="classification", seed=seed) for seed in (5, 5, 6))
    assert same(one, two)
    assert not same(one, other)


def test_repeats_divide_the_rows_anew_and_stand_one_after_another(wine):
    X, y = wine
    splits = splits_of(3, X, y, task="classification", repeats=2, seed=7)
    assert len(splits) == 6
    assert same(splits[:3], splits_of(3, X, y, task="classification", seed=7))
    for part in (splits[:3], splits[3:]):
        assert sorted(np.concatenate([held for _, held in part])) == list(range(178))
    assert not same(splits[:3], splits[3:])


@pytest.mark.parametrize("repeats", [1, 3])
def test_groups_are_never_divided(repeats):
    random = np.random.default_rng(0)
    groups = random.permutation(np.repeat(np.arange(15), 6))
    y = random.integers(0, 2, 90)
    splits = splits_of(3, np.zeros((90, 1)), y, task="classification", groups=groups, repeats=repeats)
    assert len(splits) == 3 * repeats
    for train, held in splits:
        assert not set(groups[train]) & set(groups[held])


def test_with_time_later_rows_validate_what_earlier_ones_trained():
    random = np.random.default_rng(1)
    time = random.permutation(60)
    splits = splits_of(3, np.zeros((60, 1)), random.normal(size=60), task="regression", time=time)
    assert len(splits) == 3
    for train, held in splits:
        assert time[train].max() < time[held].min()
    assert len(splits[0][0]) < len(splits[1][0]) < len(splits[2][0])


@pytest.mark.parametrize(
    "splitter",
    [
        KFold(3),
        ShuffleSplit(4, test_size=0.25, random_state=0),
        RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
        TimeSeriesSplit(3),
        GroupKFold(3),
    ],
    ids=lambda one: type(one).__name__,
)
def test_splitters_of_scikit_learn_are_asked(wine, splitter):
    X, y = wine
    groups = np.arange(178) // 6
    own = groups if isinstance(splitter, GroupKFold) else None
    assert same(splits_of(splitter, X, y, task="classification", groups=own), list(splitter.split(X, y, own)))


def test_pairs_are_taken_as_they_are_and_masks_are_row_numbers(wine):
    X, y = wine
    pairs = [(np.arange(0, 178, 2), np.arange(1, 178, 2)), (np.arange(100), np.arange(150, 178))]
    masks = [tuple(np.isin(np.arange(178), rows) for rows in pair) for pair in pairs]
    lists = [tuple(rows.tolist() for rows in pair) for pair in pairs]
    for given in (pairs, masks, lists, iter(pairs)):
        found = splits_of(given, X, y, task="classification")
        assert same(found, pairs)
        assert all(rows.dtype == np.int64 for pair in found for rows in pair)


@pytest.mark.parametrize(
    ("cv", "options", "words"),
    [
        (1, {}, "n_splits must be at least 2, got 1"),
        (1000, {}, "1000"),
        (2.5, {}, r"cv must be a number of folds, pairs of row numbers, or a splitter, got 2\.5"),
        (True, {}, "cv must be a number of folds, pairs of row numbers, or a splitter, got True"),
        (None, {}, "cv must be a number of folds, pairs of row numbers, or a splitter, got None"),
        ([], {}, "cv must divide the rows at least twice, got 0 pairs"),
        ([([0, 1], [2, 3])], {}, "cv must divide the rows at least twice, got 1 pairs"),
        ([([0, 1], [2]), ([0, 178], [3])], {}, r"cv must give row numbers from 0 to 177, got \[0, 178\]"),
        ([([0, 1], [2]), ([0, -1], [3])], {}, r"cv must give row numbers from 0 to 177, got \[0, -1\]"),
        ([([0, 1], [2]), ([0, 1], [])], {}, r"cv must give row numbers from 0 to 177, got \[\]"),
        ([([0, 1], [2]), ([0.5, 1.0], [3])], {}, r"cv must give row numbers from 0 to 177, got \[0\.5, 1\.0\]"),
        (3, {"repeats": 0}, "repeats must be an integer at least 1, got 0"),
        (3, {"repeats": 2, "time": np.arange(178)}, "folds that go forward in time cannot be repeated"),
        (KFold(3), {"repeats": 2}, "repeats is for a number of folds; got repeats=2"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_unusable_folds_are_refused_in_one_line(wine, cv, options, words):
    X, y = wine
    with pytest.raises((InvalidType, InvalidValue, DataError), match=words) as caught:
        splits_of(cv, X, y, task="classification", **options)
    assert "\n" not in str(caught.value)


# --------------------------------------------------------------------------------------------------- what they learn


def encoded(frame: pd.DataFrame, y: pd.Series, task: str, train, held, encoding: Encoding | None = None):
    return Folds(frame, y, task, [(train, held)]).encoded(encoding or Encoding())[0]


TRAIN, HELD = np.arange(40), np.arange(40, 60)


@pytest.mark.parametrize("encoding", [*map(Encoding, SCALINGS), Encoding(bins=4), Encoding(components=2)], ids=repr)
def test_whatever_validation_rows_hold_the_training_rows_are_encoded_alike(encoding):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"number": random.normal(size=60), "gaps": random.normal(size=60), "kind": random.choice(list("abc"), 60)}
    )
    frame["gaps"] += 9.0 * frame["number"]
    frame.loc[::7, "gaps"] = np.nan
    y = pd.Series(random.normal(size=60))
    spoiled, other = frame.copy(), y.copy()
    spoiled.loc[HELD, "number"] = 1e6
    spoiled.loc[HELD, "gaps"] = -1e6
    spoiled.loc[HELD, "kind"] = [f"new {number}" for number in range(20)]
    other[HELD] = 1e9
    clean = encoded(frame, y, "regression", TRAIN, HELD, encoding)
    leaky = encoded(spoiled, other, "regression", TRAIN, HELD, encoding)
    np.testing.assert_array_equal(clean.table.X[:40], leaky.table.X[:40])
    np.testing.assert_array_equal(clean.table.y[:40], leaky.table.y[:40])
    assert clean.table.X.shape == leaky.table.X.shape
    assert (clean.table.inputs.components > 0) == (encoding.components > 0)


def test_a_level_that_only_validation_rows_have_is_no_input():
    # The levels reveal the target, but each stands in one row alone: whoever encodes it has seen validation rows.
    y = pd.Series(["yes", "no"] * 30)
    frame = pd.DataFrame({"x": np.arange(60.0), "kind": ["seen"] * 20 + ["known"] * 20 + ["only here"] * 20})
    fold = encoded(frame, y, "classification", TRAIN, HELD)
    assert {level for column in fold.encoder.schema_ for level in column.levels} == {"seen", "known"}
    names = np.unique(fold.table.X[40:, 1:], axis=0)
    assert len(names) == 1  # an unknown level, like any other


def test_a_column_that_leaks_only_if_the_encoder_sees_validation_rows_does_not_leak():
    # Ten levels tell the class, but are so rare among the training rows that they share one input. Whoever counts them
    # among the validation rows too has an input for each, learns the ten, and is right where nobody could be.
    random = np.random.default_rng(3)
    rare, told = np.tile(np.arange(10), 12), np.tile(np.arange(10), 12) % 2
    kind = np.r_[["common"] * 280, [f"level {number}" for number in rare]]
    y = pd.Series(np.r_[random.permutation(np.arange(280) % 2), told])
    frame = pd.DataFrame({"noise": random.normal(size=400), "kind": kind})
    train, held = np.arange(300), np.arange(300, 400)
    recipe = Recipe(epochs=60, hidden_layer_sizes=(16,), learning_rate=0.02, weight_decay=0.0, l2=0.0)
    honest = Folds(frame, y, "classification", [(train, held)]).encoded(Encoding())[0]
    spoiled = TableEncoder().fit(frame)
    leaky = replace(honest, table=SharedTable(spoiled.transform(frame), y.to_numpy(), "classification"))
    assert spoiled.transform(frame).shape[1] > honest.table.X.shape[1] + 8
    accuracies = []
    with Crew(n_jobs=1).at_work([honest, leaky]) as workers:
        workers.make([Plan(recipe, 0), Plan(recipe, 1)], lambda _, made: accuracies.append(made.metrics["accuracy"]))
    honest_one, leaky_one = sorted(accuracies)
    assert leaky_one > 0.95
    assert honest_one < 0.7


def test_a_gap_is_filled_by_the_median_of_the_training_rows():
    frame = pd.DataFrame({"x": np.r_[np.arange(39.0), np.nan, np.full(19, 500.0), np.nan]})
    fold = encoded(frame, pd.Series(np.arange(60) % 2), "classification", TRAIN, HELD)
    median = 19.0
    place = np.flatnonzero(frame["x"] == median)[0]
    assert fold.table.X[39, 0] == fold.table.X[59, 0] == fold.table.X[place, 0]


def test_the_target_is_scaled_by_the_training_rows():
    y = pd.Series(np.r_[np.arange(40.0), np.full(20, 1e5)])
    fold = encoded(pd.DataFrame({"x": np.arange(60.0)}), y, "regression", TRAIN, HELD)
    np.testing.assert_allclose([fold.table.y[:40].mean(), fold.table.y[:40].std()], [0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(np.ravel(fold.true), y)


def test_classes_are_those_of_all_rows_so_that_networks_of_all_folds_are_alike():
    y = pd.Series(["a", "b"] * 29 + ["rare", "a"])
    made = Folds(pd.DataFrame({"x": np.arange(60.0)}), y, "classification", [(TRAIN, HELD), (HELD, TRAIN)])
    assert [fold.table.n_outputs for fold in made.encoded(Encoding())] == [3, 3]


def test_every_way_to_scale_is_encoded_once(wine):
    made = Folds(*wine, "classification", splits_of(2, *wine, task="classification"))
    assert made.encoded(Encoding()) is made.encoded(Encoding())
    assert made.encoded(Encoding()) is not made.encoded(Encoding("robust"))
    assert made.encoded(Encoding()) is not made.encoded(Encoding(bins=4))


def test_the_table_of_a_fold_knows_how_its_columns_are_laid_out():
    frame = pd.DataFrame({"x": np.arange(60.0) ** 2, "c": list("abc") * 20})
    fold = encoded(frame, pd.Series(np.arange(60) % 2), "classification", TRAIN, HELD, Encoding(bins=4))
    assert fold.table.inputs == fold.encoder.inputs_ == Inputs(numbers=1, categories=(3,), pieces=(4,))


def test_a_fold_without_a_column_to_learn_from_is_refused():
    # Among all rows the column has many values, among the training rows one.
    frame = pd.DataFrame({"x": np.r_[np.full(40, 7.0), np.arange(20.0)]})
    with pytest.raises(InvalidValue, match=r"no column to learn from \('x' left out: it is 7 in every row\)"):
        encoded(frame, pd.Series(np.arange(60) % 2), "classification", TRAIN, HELD)


# ----------------------------------------------------------------------------------------------------------- scores


def weights_of(rows: int) -> np.ndarray:
    return np.random.default_rng(5).uniform(0.1, 3.0, rows)


def test_metrics_of_classes_are_weighted_as_in_scikit_learn(wine):
    X, y = wine
    weights = weights_of(178)
    fold = Folds(X, y, "classification", [(TRAIN, np.arange(50, 178))], sample_weight=weights).encoded(Encoding())[0]
    answers = np.random.default_rng(6).dirichlet(np.ones(3), 168)
    found = fold.metrics(answers[40:], slice(40, None))
    labels = y.iloc[50:]
    assert found["log_loss"] == pytest.approx(log_loss(labels, answers[40:], sample_weight=weights[50:]))
    said = np.asarray(fold.targets.classes_)[answers[40:].argmax(axis=1)]
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, said, sample_weight=weights[50:]))


def test_metrics_of_numbers_are_weighted_as_in_scikit_learn():
    random = np.random.default_rng(7)
    y, weights = pd.Series(100.0 + random.normal(size=60)), weights_of(60)
    frame = pd.DataFrame({"x": random.normal(size=60)})
    fold = Folds(frame, y, "regression", [(TRAIN, HELD)], sample_weight=weights).encoded(Encoding())[0]
    answers = (y + random.normal(size=60)).to_numpy()
    found = fold.metrics(answers[HELD], slice(40, None))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(y[HELD], answers[HELD], sample_weight=weights[HELD]))
    assert found["r2"] == pytest.approx(r2_score(y[HELD], answers[HELD], sample_weight=weights[HELD]))


def test_weights_count_in_training_and_validation_as_repeated_rows_do():
    random = np.random.default_rng(8)
    frame, y = pd.DataFrame({"x": random.normal(size=60)}), pd.Series(random.normal(size=60))
    weights = random.integers(1, 4, 60)
    again = np.repeat(np.arange(60), weights)
    cut = int(weights[:40].sum())
    whole = plain(epochs=6, batch_size="all", hidden_layer_sizes=(4,))
    options = {"task": "regression", "dtype": None}
    (weighted,) = cross_validate(
        [whole], frame, y, splits=[(TRAIN, HELD)] * 2, sample_weight=weights.astype(float), **options
    )
    repeated = [(np.arange(cut), np.arange(cut, len(again)))] * 2
    (copied,) = cross_validate(
        [whole],
        frame.iloc[again].reset_index(drop=True),
        y.iloc[again].reset_index(drop=True),
        splits=repeated,
        **options,
    )
    assert weighted.mean == pytest.approx(copied.mean, rel=1e-9)
    assert weighted.training == pytest.approx(copied.training, rel=1e-9)
    assert weighted.scores["rmse"][0] == pytest.approx(copied.scores["rmse"][0], rel=1e-9)


def test_weights_that_leave_a_fold_nothing_are_refused():
    frame, y = pd.DataFrame({"x": np.arange(60.0)}), pd.Series(np.arange(60) % 2)
    weights = np.r_[np.ones(40), np.zeros(20)]
    with pytest.raises(InvalidValue, match="sample_weight is zero in all training or all validation rows of a fold"):
        Folds(frame, y, "classification", [(TRAIN, HELD)], sample_weight=weights).encoded(Encoding())


def test_mean_and_error_over_folds_are_those_of_the_numbers():
    made = Folds(None, np.zeros(4), "regression", [([0], [1])] * 4)
    values = np.array([1.0, 2.0, 4.0, 9.0])
    assert made.mean_and_error(values) == (4.0, pytest.approx(values.std(ddof=1) / 2.0))
    assert np.isnan(Folds(None, np.zeros(4), "regression", [([0], [1])]).mean_and_error(values[:1])[1])


def test_repeats_are_no_new_data_and_do_not_shrink_the_error():
    once = Folds(None, np.zeros(4), "regression", [([0], [1])] * 5)
    often = Folds(None, np.zeros(4), "regression", [([0], [1])] * 50, repeats=10)
    values = np.random.default_rng(9).normal(size=50)
    assert often.mean_and_error(values)[1] == pytest.approx(values.std(ddof=1) / np.sqrt(5))
    assert often.mean_and_error(np.tile(values[:5], 10))[1] > 0.9 * once.mean_and_error(values[:5])[1]


def test_a_fold_that_diverged_makes_the_mean_infinite_and_warns_nobody():
    made = Folds(None, np.zeros(4), "regression", [([0], [1])] * 3)
    mean, error = made.mean_and_error(np.array([1.0, np.inf, 2.0]))
    assert mean == np.inf
    assert np.isnan(error)


def test_folds_of_the_data_room_and_of_a_number_are_the_same(wine):
    X, y = wine
    assert same(splits_of(3, X, y, task="classification", seed=4), folds(y, n_splits=3, task="classification", seed=4))
    assert same(splits_of(np.int64(3), X, y, task="classification"), splits_of(3, X, y, task="classification"))


# ------------------------------------------------------------------------------------------------- out-of-fold answers


def outcomes_of(recipe: Recipe, made: Folds) -> list[Outcome]:
    return outcomes_on(made, [[recipe] * len(made)], crew=Crew(n_jobs=1))[0]


def test_out_of_fold_answers_are_those_of_the_models_that_did_not_train_on_the_rows(wine):
    X, y = wine
    made = Folds(X, y, "classification", splits_of(3, X, y, task="classification", repeats=2), repeats=2)
    recipe = Recipe(epochs=4, hidden_layer_sizes=(4,), dtype="float32")
    outcomes = outcomes_of(recipe, made)
    expected = np.zeros((178, 3))
    for model, (_, held) in zip(fold_models(recipe, made).models, made.splits, strict=True):
        expected[held] += model.predict_proba(X.iloc[held]) / 2
    found = made.out_of_fold([outcome.answers for outcome in outcomes])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert made.held_rows.tolist() == list(range(178))
    for outcome, (_, held) in zip(outcomes, made.splits, strict=True):
        assert log_loss(y.iloc[held], outcome.answers) == pytest.approx(outcome.metrics["log_loss"], rel=1e-5)
        assert outcome.answers.base is None  # those for the training rows are gone


@pytest.mark.parametrize("targets", [1, 2])
def test_out_of_fold_numbers_keep_their_digits_and_rows_that_no_fold_validates_are_left_out(targets):
    X = np.random.default_rng(0).normal(size=(30, 2))
    y = 1.7e9 + X @ np.ones((2, targets))
    y = y[:, 0] if targets == 1 else y
    splits = [(np.arange(10), np.array([14, 12])), (np.arange(15), np.array([20, 14]))]
    made = Folds(X, y, "regression", splits)
    outcomes = outcomes_of(Recipe(epochs=2, hidden_layer_sizes=(3,)), made)
    found = made.out_of_fold([outcome.answers for outcome in outcomes])
    assert made.held_rows.tolist() == [12, 14, 20]
    assert found.shape == (3, targets)
    first, second = (outcome.answers for outcome in outcomes)
    np.testing.assert_array_equal(found, [first[1], (first[0] + second[1]) / 2, second[0]])
    np.testing.assert_allclose(made.held_truth, y[[12, 14, 20]], rtol=1e-14)
    assert made.held_truth.shape == y[:3].shape
    assert len(np.unique(found)) == found.size  # which differ by less than a float32 of this size can tell


def test_truth_of_held_rows_is_in_codes_of_all_classes():
    y = np.array(["b", "a", "c", "b"])
    made = Folds(np.eye(4), y, "classification", [(np.array([0, 1]), np.array([3, 2]))])
    assert made.held_truth.tolist() == [2, 1]


def test_a_fold_on_which_training_diverged_answers_nothing(wine):
    X, y = wine
    made = Folds(X, y, "classification", splits_of(2, X, y, task="classification"))
    (outcome, _) = outcomes_of(Recipe(epochs=3, optimizer="sgd", learning_rate=1e30), made)
    assert outcome.diverged
    assert outcome.answers.shape == (len(made.splits[0][1]), 3)
    assert np.isnan(outcome.answers).all()
