"""The regularization path: paired folds, the side that regularizes more, and the same bits whoever makes it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import KFold, TimeSeriesSplit
from tests.plain import plain

from taut import DataError, Ensemble, InvalidType, InvalidValue, NonFiniteLoss, Recipe, load_sample
from taut import regularization_path as path_of
from taut.selection.axes import axis_of
from taut.selection.cross_validation import cross_validate
from taut.selection.folds import splits_of
from taut.selection.path import within_one_error
from taut.training import fit_model

QUICK = plain(epochs=15, hidden_layer_sizes=(16,))


@pytest.fixture(scope="module")
def wine():
    frame, target = load_sample("wine")
    return frame.drop(columns=target)[::2], frame[target][::2]


@pytest.fixture(scope="module")
def numbers():
    """Return a table of which two columns of six matter."""
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 6))
    return X, 2.0 * X[:, 4] + X[:, 1] + random.normal(0.0, 0.5, 60)


@pytest.fixture(scope="module")
def path(wine):
    return path_of(QUICK, *wine, n_values=6, cv=3)


def found(path):
    """Return all numbers of a path in one array."""
    parts = [path.values, path.losses, path.training, path.penalties, path.norms, path.zeros, path.best_epoch]
    parts += [*path.metrics.values(), *([] if path.input_norms is None else [path.input_norms])]
    return np.concatenate([np.ravel(part).astype(np.float64) for part in parts])


# ------------------------------------------------------------------------------------------------------- what is made


@pytest.mark.parametrize("settings", [{"penalty": "l2"}, {"penalty": "group"}, {"penalty": "l1", "warm_start": True}])
def test_the_number_of_jobs_does_not_change_a_bit(settings, wine):
    one, two, three = (path_of(QUICK, *wine, n_values=4, cv=3, n_jobs=n, **settings) for n in (1, 2, 3))
    assert found(one).tobytes() == found(two).tobytes() == found(three).tobytes()


def test_worker_processes_do_not_change_a_bit(wine, path):
    made = path_of(QUICK, *wine, n_values=6, cv=3, backend="loky", n_jobs=1)
    assert found(made).tobytes() == found(path).tobytes()


def test_every_value_meets_the_folds_that_a_recipe_alone_would_meet(wine):
    X, y = wine
    path = path_of(QUICK, X, y, values=[0.1, 0.01, 0.001], cv=3)
    splits = splits_of(3, X, y, task="classification")
    for row, recipe in zip(path.losses, path.recipes, strict=True):
        alone = cross_validate([recipe], X, y, task="classification", splits=splits)[0]
        assert row.tolist() == alone.losses.tolist()
    assert path_of(QUICK, X, y, values=[0.1, 0.01, 0.001], cv=splits).losses.tolist() == path.losses.tolist()


def test_a_value_does_not_depend_on_those_beside_it(wine):
    wide = path_of(QUICK, *wine, values=[1.0, 0.1, 0.01, 0.001], cv=3)
    narrow = path_of(QUICK, *wine, values=[0.001, 0.1], cv=3)
    assert narrow.losses.tolist() == wide.losses[[1, 3]].tolist()


@pytest.mark.parametrize(
    ("penalty", "given", "ordered"),
    [
        ("l2", [0.01, 1.0, 0.1, 1.0], [1.0, 0.1, 0.01]),
        ("max_norm", [3.0, 1.0, 2.0, 1.0], [1.0, 2.0, 3.0]),
        ("epochs", [9, 3, 9], [3, 9]),
        ("learning_rate", [0.01, 0.1], [0.1, 0.01]),
        ("l1_ratio=0.5", [0.01, 0.02], [0.02, 0.01]),
    ],
)
def test_values_go_from_the_most_to_the_least_regularized_each_once(penalty, given, ordered, wine):
    path = path_of(QUICK, *wine, penalty=penalty, values=given, cv=2)
    assert path.values.tolist() == ordered
    assert path.losses.shape == (len(ordered), 2)
    assert [axis_of(penalty).recipe(QUICK, value) for value in ordered] == path.recipes


def test_grid_is_of_powers_down_from_where_more_changes_nothing(path, wine):
    assert path.values.shape == (6,)
    np.testing.assert_allclose(np.diff(np.log(path.values)), np.log(1e-4) / 5)
    assert (np.diff(path.training) < 0).all()
    most, first = path_of(QUICK, *wine, values=[1e4, path.values[0]], cv=3).training
    assert first == pytest.approx(most, rel=0.02)
    assert path.training[2] < 0.9 * most


def test_warm_starts_differ_and_are_repeatable(wine):
    cold, warm, again = (
        path_of(QUICK, *wine, values=[1.0, 0.1, 0.01], cv=2, warm_start=w) for w in (False, True, True)
    )
    assert found(warm).tobytes() == found(again).tobytes()
    assert warm.losses[-1].tolist() == cold.losses[-1].tolist()  # the weakest is made first
    assert not (warm.losses[:-1] == cold.losses[:-1]).any()


def test_repeats_are_other_divisions_and_no_new_data(wine):
    X, y = wine
    once, thrice = (path_of(QUICK, X, y, values=[0.1, 0.01], cv=3, repeats=n) for n in (1, 3))
    assert thrice.losses.shape == (2, 9)
    assert thrice.losses[:, :3].tolist() == once.losses.tolist()
    assert not (thrice.losses[:, 3:6] == thrice.losses[:, :3]).any()
    np.testing.assert_allclose(thrice.standard_error, thrice.losses.std(axis=1, ddof=1) / np.sqrt(3))
    np.testing.assert_allclose(once.standard_error, once.losses.std(axis=1, ddof=1) / np.sqrt(3))


def test_rows_of_weight_zero_are_absent_rows(numbers):
    X, y = numbers
    weight = np.arange(60) % 3 > 0
    folds = [(np.flatnonzero(np.arange(60) % 2 != fold), np.flatnonzero(np.arange(60) % 2 == fold)) for fold in (0, 1)]
    place = np.cumsum(weight) - 1
    kept = [tuple(place[part[weight[part]]] for part in fold) for fold in folds]
    recipe = replace(QUICK, batch_size="all", scaling="standard")
    settings = {"n_values": 4, "dtype": None}
    weighted = path_of(recipe, X, y, cv=folds, sample_weight=weight.astype(float), **settings)
    fewer = path_of(recipe, X[weight], y[weight], cv=kept, **settings)
    assert weighted.values.tolist() == fewer.values.tolist()
    np.testing.assert_allclose(weighted.losses, fewer.losses, rtol=1e-8)
    np.testing.assert_allclose(weighted.metrics["r2"], fewer.metrics["r2"], rtol=1e-8)
    np.testing.assert_allclose(weighted.refit().predict(X), fewer.refit().predict(X), rtol=1e-8)
    assert not np.allclose(weighted.losses, path_of(recipe, X, y, cv=folds, **settings).losses, rtol=1e-2)


def test_weights_count_in_validation(numbers):
    X, y = numbers
    half = np.arange(60) < 30
    folds = [(np.flatnonzero(half), np.flatnonzero(~half)), (np.flatnonzero(half), np.flatnonzero(~half)[::-1])]
    plain = path_of(QUICK, X, y, values=[0.1, 0.01], cv=folds)
    weighted = path_of(QUICK, X, y, values=[0.1, 0.01], cv=folds, sample_weight=np.where(half, 1.0, np.arange(60)))
    assert weighted.training.tolist() == pytest.approx(plain.training.tolist(), rel=1e-5)
    assert not np.isclose(weighted.mean, plain.mean, rtol=1e-3).any()


def test_training_that_diverges_at_one_value_breaks_nothing(numbers):
    recipe = replace(QUICK, optimizer="sgd")
    path = path_of(recipe, *numbers, penalty="learning_rate", values=[1e30, 0.1, 0.01], cv=2)
    assert np.isinf(path.mean).tolist() == [True, False, False]
    assert path.index_min == path.index_1se != 0
    assert np.isfinite(path.refit().predict(numbers[0])).all()
    assert path.to_dict()["values"][0]["validation_loss"] is None
    assert path.to_dict()["values"][0]["learning_rate"] == 1e30
    with pytest.raises(NonFiniteLoss, match="training diverged at every value; lower learning_rate"):
        path_of(recipe, *numbers, penalty="learning_rate", values=[1e30, 1e31], cv=2)


# ---------------------------------------------------------------------------------------------------------- the choice


@pytest.mark.parametrize(
    ("means", "error", "best", "chosen"),
    [
        ([0.9, 0.56, 0.51, 0.5, 0.6], 0.05, 3, 2),
        ([0.9, 0.55, 0.51, 0.5, 0.6], 0.05, 3, 1),  # just within one error
        ([0.9, 0.8, 0.7, 0.5, 0.501], 0.05, 3, 3),  # what is beyond the best regularizes less
        ([0.5, 0.5, 0.5], 0.1, 0, 0),
        ([0.51, 0.7, 0.5], 0.05, 2, 0),  # the most regularized, whatever lies between
        ([np.inf, 0.52, 0.5], 0.05, 2, 1),
        ([0.52, 0.5], np.nan, 1, 1),
    ],
)
def test_one_standard_error_is_allowed_to_the_more_regularized_side(means, error, best, chosen):
    means = np.array(means)
    errors = np.full(len(means), 10.0)  # the error of the best counts, not theirs
    errors[best] = error
    assert within_one_error(means, errors, best) == chosen


@pytest.mark.parametrize(
    ("penalty", "values", "side"),
    [
        ("l2", np.geomspace(1, 1e-4, 33), 1),
        ("dropout", np.linspace(0.6, 0, 7), 1),
        ("max_norm", np.geomspace(0.2, 8, 33), -1),
        ("epochs", range(8, 72, 4), -1),
    ],
)
def test_the_simpler_choice_is_on_the_more_regularized_side(penalty, values, side, numbers):
    recipe = replace(QUICK, l2=0.0, epochs=40, learning_rate=0.02)
    path = path_of(recipe, *numbers, penalty=penalty, values=values, cv=4)
    assert side * (path.value_1se - path.value_min) > 0
    assert path.index_1se < path.index_min
    assert path.mean[path.index_1se] <= path.mean[path.index_min] + path.standard_error[path.index_min]
    assert (path.mean[: path.index_1se] > path.mean[path.index_min] + path.standard_error[path.index_min]).all()
    assert (path.index("1se"), path.index("min")) == (path.index_1se, path.index_min)
    assert path.recipe("1se") == path.recipes[path.index_1se]


def test_a_learning_rate_has_no_more_regularized_side(numbers):
    path = path_of(QUICK, *numbers, penalty="learning_rate", values=np.geomspace(0.2, 0.05, 6), cv=3)
    assert path.value_1se == path.value_min
    within = path.mean <= path.mean[path.index_min] + path.standard_error[path.index_min]
    assert within.sum() > 1  # so that there would have been something to choose


# -------------------------------------------------------------------------------------------------- the inputs it uses


def test_inputs_that_matter_enter_first_and_the_path_ends_where_enough_are_used(numbers):
    recipe = replace(QUICK, epochs=60)
    whole = path_of(recipe, *numbers, penalty="group", n_values=12, min_ratio=1e-3, cv=2)
    assert whole.inputs_used[0] == 0
    assert whole.inputs_used[-1] == 6
    assert set(whole.entry_order[:2]) == {whole.input_names[4], whole.input_names[1]}
    cut = path_of(recipe, *numbers, penalty="group", n_values=12, min_ratio=1e-3, cv=2, stop_at_features=2)
    n = len(cut.values)
    assert cut.inputs_used[-1] >= 2
    assert (cut.inputs_used[:-1] < 2).all()
    assert n < 12
    assert cut.losses.tolist() == whole.losses[:n].tolist()
    assert cut.input_norms.tolist() == whole.input_norms[:n].tolist()


# --------------------------------------------------------------------------------------------------- what comes of it


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_refit_is_a_fit_of_the_recipe_to_all_rows(rule, wine, path):
    X, y = wine
    refit, fit = path.refit(rule), fit_model(path.recipe(rule), X, y, task="classification")
    assert (refit.network.state == fit.network.state).all()
    assert refit.recipe == replace(QUICK, l2=path.values[path.index(rule)].item())


def test_refit_and_ensemble_keep_weights_and_class_weights(wine):
    X, y = wine
    weight = np.arange(len(y)) % 4.0
    path = path_of(QUICK, X, y, values=[0.1, 0.01], cv=2, sample_weight=weight, class_weight="balanced")
    refit, ensemble = path.refit(), path.ensemble()
    train, _ = splits_of(2, X, y, task="classification")[0]
    for model, rows in ((refit, np.arange(len(y))), (ensemble.models[0], train)):
        settings = {"task": "classification", "sample_weight": weight[rows], "class_weight": "balanced"}
        fit = fit_model(path.recipe(), X.iloc[rows], y.iloc[rows], **settings)
        assert (model.network.state == fit.network.state).all()
        assert model.loss == fit.loss
    plain = fit_model(path.recipe(), X, y, task="classification", sample_weight=weight)
    assert not (plain.network.state == refit.network.state).all()


def test_along_the_group_lasso_inputs_leave_one_by_one_until_none_is_left(wine):
    path = path_of(QUICK, *wine, penalty="group", n_values=8, cv=2)
    used = path.inputs_used
    assert len(path.values) > 8  # beyond where a network trained from the start has none
    assert used[0] == 0
    assert used[-1] == 13
    assert len(set(used.tolist())) >= 5
    assert sorted(path.entry_order) == sorted(path.input_names)
    refit = path.refit("1se")
    weights = refit.network.layers[0].weights.value
    assert refit.recipe == path.recipe("1se")
    assert weights.dtype == np.float64
    left = {path.input_names[place] for place in np.flatnonzero(np.abs(weights).sum(axis=1))}
    there = {path.input_names[place] for place in np.flatnonzero(path.input_norms[path.index_1se])}
    assert len(left ^ there) <= 2  # the path is made in another precision
    assert [len(member.history["loss"]) for member in path.ensemble("min").models] == [QUICK.epochs] * 2


def test_ensemble_has_the_models_of_the_folds(wine, path):
    X, y = wine
    ensemble = path.ensemble("min")
    assert type(ensemble) is Ensemble
    for model, (train, held) in zip(ensemble.models, splits_of(3, X, y, task="classification"), strict=True):
        alone = fit_model(path.recipe("min"), X.iloc[train], y.iloc[train], task="classification")
        assert (model.network.state == alone.network.state).all()
        assert (model.predict_proba(X) == alone.predict_proba(X)).all()
        np.testing.assert_allclose(model.history["data_loss"], alone.history["data_loss"], rtol=1e-12)
        loss = model.data_loss(X.iloc[held], y.iloc[held])
        assert model.history["validation_data_loss"][-1] == pytest.approx(loss, rel=1e-9)
    again = path.ensemble("min", n_jobs=1)
    assert (again.predict_proba(X) == ensemble.predict_proba(X)).all()


def test_ensemble_in_the_precision_of_the_path_has_the_networks_that_were_scored(wine):
    X, y = wine
    path = path_of(replace(QUICK, dtype="float32"), X, y, values=[0.1, 0.01], cv=3, repeats=2)
    ensemble = path.ensemble()
    assert len(ensemble.models) == 6
    splits = splits_of(3, X, y, task="classification", repeats=2)
    for model, (_, held), loss in zip(ensemble.models, splits, path.losses[path.index_1se], strict=True):
        assert model.data_loss(X.iloc[held], y.iloc[held]) == pytest.approx(loss, rel=1e-6)


def test_without_its_table_a_path_says_all_but_fits_nothing(path):
    kept = path.without_table()
    assert kept.to_dict() == path.to_dict()
    for fit in (kept.refit, kept.ensemble):
        with pytest.raises(InvalidValue, match="this path was kept without its table"):
            fit()


@pytest.mark.parametrize("penalty", ["l2", "group", "l1_ratio=0.2", "epochs"])
def test_frame_and_dictionary_say_what_was_found(penalty, numbers):
    values = [4, 8, 2] if penalty == "epochs" else [0.3, 0.1, 0.01]
    path = path_of(QUICK, *numbers, penalty=penalty, values=values, cv=2)
    frame, document = path.to_frame(), path.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    first = {"group": "group_l1", "l1_ratio=0.2": "strength"}.get(penalty, penalty)
    assert frame.columns[0] == first
    assert frame[first].tolist() == path.values.tolist() == [row[first] for row in document["values"]]
    assert frame["validation_loss"].tolist() == path.mean.tolist()
    assert frame["rmse"].tolist() == path.metrics["rmse"].mean(axis=1).tolist()
    assert document["value_1se"] == path.value_1se
    assert ("entry_order" in document) == ("inputs_used" in frame) == (penalty in ("group", "l1_ratio=0.2"))


def test_report_tells_how_many_fits_are_done(wine):
    told = []
    path_of(QUICK, *wine, penalty="group", values=[0.1, 0.01], cv=3, report=lambda *what: told.append(what[:2]))
    assert told == [(done, 8) for done in range(1, 9)]  # on three folds and on all rows


# ------------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"penalty": "l3"}, InvalidValue, "penalty must be one of l2"),
        ({"penalty": "activation"}, InvalidValue, "penalty must be one of l2"),
        ({"penalty": 2}, InvalidType, "penalty must be a name such as 'l2', got 2"),
        ({"penalty": "l1_ratio=2"}, InvalidValue, "l1_ratio must be a number at least 0 and at most 1"),
        ({"penalty": "l1_ratio=half"}, InvalidValue, "needs a number, as in 'l1_ratio=0.5'; got 'l1_ratio=half'"),
        ({"penalty": "learning_rate"}, InvalidValue, "there is no usual grid for 'learning_rate': give values=…"),
        ({"values": []}, InvalidValue, "a path needs at least 2 different values, got []"),
        ({"values": [0.1]}, InvalidValue, "a path needs at least 2 different values, got [0.1]"),
        ({"values": [0.1, "a"]}, InvalidType, "values of l2 must be a number, got 'a'"),
        ({"values": [0.1, -1.0]}, InvalidValue, "l2 must be a number at least 0, got -1.0"),
        ({"values": [0.1, 0.1]}, InvalidValue, "a path needs at least 2 different values, got [0.1, 0.1]"),
        ({"cv": 40}, DataError, "40 folds need more than 30 rows"),
        ({"cv": [(range(9), range(9, 40))] * 2}, InvalidValue, "cv must give row numbers from 0 to 29"),
        ({"cv": [(range(9), range(9, 20))]}, InvalidValue, "cv must divide the rows at least twice, got 1 pair"),
        ({"stop_at_features": 2}, InvalidValue, "stop_at_features needs a penalty that brings weights to zero"),
        ({"backend": "nobody"}, InvalidValue, "backend 'nobody' cannot be used"),
        ({"warm_start": 1}, InvalidType, "warm_start"),
        ({"recipe": "l2"}, InvalidType, "recipe must be a Recipe, got 'l2'"),
        ({"recipe": Recipe(epochs=0)}, InvalidValue, "at least 1 epoch"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(settings, error, words, numbers):
    X, y = numbers[0][:30], numbers[1][:30]
    with pytest.raises(error) as caught:
        path_of(**{"recipe": QUICK, "X": X, "y": y, "cv": 2} | settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_splitters_decide_which_rows_validate(numbers):
    X, y = numbers
    for splitter in (KFold(3), TimeSeriesSplit(3)):
        by_object, by_rows = (path_of(QUICK, X, y, values=[0.1, 0.01], cv=cv) for cv in (splitter, splitter.split(X)))
        assert by_object.losses.tolist() == by_rows.losses.tolist()
    masks = [(np.arange(60) % 2 == fold, np.arange(60) % 2 != fold) for fold in (0, 1)]
    numbered = [tuple(np.flatnonzero(part) for part in fold) for fold in masks]
    by_mask, by_number = (path_of(QUICK, X, y, values=[0.1, 0.01], cv=cv).losses for cv in (masks, numbered))
    assert by_mask.tolist() == by_number.tolist()
