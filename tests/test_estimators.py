"""The estimators hold scikit-learn's contract in full, and take tables as they are."""

from __future__ import annotations

import signal
import sys
import warnings
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

from taut import Augmentation, Callback, Ensemble, Recipe, TautClassifier, TautError, TautRegressor, load_sample
from taut.training import Model

# Those of scikit-learn's checks that say most of an estimator that chooses; all of them take minutes so.
TELLING = (
    "check_estimators_dtypes",
    "check_estimators_pickle",
    "check_estimators_nan_inf",
    "check_fit2d_1sample",
    "check_fit2d_1feature",
    "check_fit_idempotent",
    "check_methods_subset_invariance",
    "check_dict_unchanged",
    "check_dont_overwrite_attributes",
    "check_readonly_memmap_input",
    "check_sample_weights_not_overwritten",
    "check_n_features_in_after_fitting",
    "check_dataframe_column_names_consistency",
    "check_classifiers_classes",
    "check_regressors_int",
)


# A fit to which a row of weight two is the same as two rows: batches count rows, dropout draws for each of them, and
# medians know no weights.
ONE_FIT = {"effort": "none", "batch_size": "all", "dropout": 0.0, "scaling": "standard"}


def skipped(estimator: object) -> set[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None)
    assert not [result["check_name"] for result in results if result["status"] in ("failed", "xfail")]
    return {result["check_name"] for result in results if result["status"] == "skipped"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TautClassifier(**ONE_FIT), MLPClassifier(max_iter=10)),
        (TautRegressor(**ONE_FIT), MLPRegressor(max_iter=10)),
    ],
)
def test_check_estimator_passes_and_skips_only_what_scikit_learn_skips_for_its_own_network(ours, theirs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        their_results = check_estimator(theirs, on_fail=None)
    # Here a recipe is fitted as it is; the next test is of the estimators as they choose.
    assert skipped(ours) <= {result["check_name"] for result in their_results if result["status"] == "skipped"}


@pytest.mark.parametrize("kind", [TautClassifier, TautRegressor])
def test_telling_checks_pass_for_estimators_that_choose(kind):
    estimator = kind(effort=2, cv=2, epochs=5, hidden_layer_sizes=(6,), n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for checked, check in estimator_checks_generator(estimator):
            if check.func.__name__ in TELLING:
                check(checked)


@pytest.fixture
def table() -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(0)
    n = 120
    age, city = random.uniform(18, 80, n), random.choice(["Basel", "Bern", "Genf"], n)
    frame = pd.DataFrame(
        {
            "age": np.where(random.random(n) < 0.1, np.nan, age),
            "city": pd.Series(city).where(random.random(n) > 0.1),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, n), unit="D"),
            "member": random.random(n) < 0.5,
        }
    )
    return frame, pd.Series(np.where((age > 45) ^ (city == "Bern"), "yes", "no"), name="bought")


def test_parameters_are_the_fields_of_the_recipe():
    choosing = {"effort", "objective", "budget", "cv", "final", "n_jobs", "backend"}
    recipe = {field.name for field in fields(Recipe)} - {"seed"}
    expected = recipe | choosing | {"random_state", "verbose", "class_weight"}
    assert set(TautClassifier().get_params()) == expected
    assert TautRegressor().get_params()["l2"] == Recipe().l2
    assert TautClassifier(effort="none", l2=0.5, random_state=3).fit([[0.0], [1.0]], [0, 1]).recipe_ == Recipe(
        l2=0.5, seed=3
    )


def test_as_it_is_it_keeps_the_networks_that_answer_best_together(table):
    model = TautClassifier(effort=2, cv=2, epochs=20).fit(*table)
    assert isinstance(model.model_, Ensemble)
    assert len(model.history_) == len(model.model_.models) == 2 * len(model.blend_.members)
    assert model.recipe_ == model.model_.recipe
    assert all(trial.recipe.epochs == 20 for trial in model.search_.trials[1:])  # beside the constant guess
    np.testing.assert_array_equal(model.predict_proba(table[0]), model.model_.predict_proba(table[0]))
    with pytest.raises(TautError, match="an ensemble: give final='refit'"):
        model.partial_fit(*table)


def test_one_network_is_kept_on_request_and_goes_on_learning(table):
    model = TautRegressor(effort=2, cv=2, epochs=20, final="refit").fit(table[0][["age"]], np.arange(120.0))
    assert isinstance(model.model_, Model)
    assert model.history_ is model.model_.history
    epochs = model.n_iter_
    assert model.partial_fit(table[0][["age"]], np.arange(120.0)).n_iter_ == epochs + 1


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"effort": "much"}, "effort, if not a number, must be one of none, quick, standard, thorough; got 'much'"),
        ({"effort": 2, "objective": "rmse"}, "objective"),
        ({"effort": 2, "final": "best"}, "final must be one of ensemble, refit; got 'best'"),
        ({"effort": 2, "budget": "soon"}, "budget must be seconds, or such as"),
        ({"effort": 2, "cv": 1}, "n_splits must be at least 2, got 1"),
        ({"effort": 2, "n_jobs": 0}, "n_jobs must be an integer at least 1, got 0"),
    ],
    ids=str,
)
def test_bad_parameters_of_the_choice_are_refused_in_one_line(parameters, words, table):
    with pytest.raises(TautError, match=words) as caught:
        TautClassifier(**parameters).fit(*table)
    assert "\n" not in str(caught.value)


def test_a_frame_with_categories_dates_and_gaps_is_taken_as_it_is(table):
    frame, target = table
    model = TautClassifier(effort="none", epochs=60).fit(frame, target)
    assert model.score(frame, target) > 0.9
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.feature_names_in_.tolist() == list(frame.columns)
    assert len(model.get_feature_names_out()) == model.model_.network.n_inputs > frame.shape[1]
    probabilities = model.predict_proba(frame)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(frame)).all()


def test_grid_search_pipeline_and_clone(table):
    frame, target = table
    grid = {"l2": [1e-4, 10.0], "hidden_layer_sizes": [(8,), (8, 8)]}
    search = GridSearchCV(TautClassifier(effort="none", epochs=100, learning_rate=0.02), grid, cv=2)
    search.fit(frame, target)
    assert search.best_params_["l2"] == 1e-4
    pipeline = make_pipeline(FunctionTransformer(), TautClassifier(effort="none", epochs=5)).fit(frame, target)
    again = clone(pipeline).fit(frame, target)
    assert (again.predict_proba(frame) == pipeline.predict_proba(frame)).all()
    assert clone(TautRegressor(effort="none", dropout=(0.1,))).dropout == (0.1,)
    assert cross_val_score(TautClassifier(effort="none", l2=1e-2), frame, target, cv=3).mean() > 0.7


def test_same_seed_same_weights_other_seed_other_weights(table):
    first, again, other = (
        TautClassifier(effort="none", epochs=3, dropout=0.2, random_state=seed).fit(*table) for seed in (1, 1, 2)
    )
    assert (first.model_.network.theta == again.model_.network.theta).all()
    assert not (first.model_.network.theta == other.model_.network.theta).all()


def test_partial_fit_goes_on_where_it_stopped(table):
    frame, target = table
    whole = TautClassifier(effort="none", epochs=4, dropout=0.2, schedule="constant").fit(frame, target)
    parts = TautClassifier(effort="none", epochs=4, dropout=0.2)
    for _ in range(4):
        parts.partial_fit(frame, target)
    assert (whole.model_.network.theta == parts.model_.network.theta).all()
    assert parts.history_.epochs == parts.n_iter_ == 4


def test_partial_fit_learns_classes_that_its_first_rows_do_not_show():
    model = TautClassifier(effort="none").partial_fit([[0.0], [1.0]], ["a", "a"], classes=["a", "b"])
    assert model.classes_.tolist() == ["a", "b"]
    assert model.partial_fit([[2.0], [3.0]], ["b", "b"]).predict_proba([[1.0]]).shape == (1, 2)
    with pytest.raises(TautError, match="c"):
        model.partial_fit([[2.0]] * 2, ["c", "c"])


def test_integer_weights_are_repeated_rows_and_zero_weights_are_absent_rows():
    random = np.random.default_rng(1)
    X, y = random.normal(size=(30, 4)), random.normal(size=(30, 2))
    weights = random.integers(0, 4, 30)
    weighted = TautRegressor(**ONE_FIT, epochs=20).fit(X, y, sample_weight=weights)
    repeated = TautRegressor(**ONE_FIT, epochs=20).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights, axis=0))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-9)


def test_class_weight_moves_predictions_towards_the_class(table):
    frame, target = table
    rare = target.where(np.arange(len(target)) % 8 == 0, "no")
    plain, balanced = (
        TautClassifier(effort="none", epochs=10, l2=0.1, class_weight=weight).fit(frame, rare)
        for weight in (None, "balanced")
    )
    assert balanced.predict_proba(frame)[:, 1].mean() > plain.predict_proba(frame)[:, 1].mean() + 0.1
    assert (
        TautClassifier(effort="none", epochs=10, l2=0.1, class_weight={"yes": 50.0}).fit(frame, rare).predict(frame)
        == "yes"
    ).mean() > 0.5
    with pytest.raises(TautError, match="'maybe', which is no class"):
        TautClassifier(effort="none", class_weight={"maybe": 2.0}).fit(frame, target)


def test_several_targets_keep_their_units_and_shape():
    random = np.random.default_rng(2)
    X = random.normal(size=(80, 3))
    y = np.column_stack([1000.0 + 50.0 * X[:, 0], 0.01 * X[:, 1]])
    model = TautRegressor(effort="none", epochs=200).fit(X, y)
    assert model.predict(X).shape == (80, 2)
    assert model.score(X, y) > 0.95


def test_early_stopping_holds_out_rows_and_restores_the_best_weights(table):
    model = TautClassifier(effort="none", early_stopping=True, patience=3, epochs=500, learning_rate=0.05).fit(*table)
    assert model.history_.stopped == "early stopping"
    assert model.history_.best_epoch == model.history_["validation_data_loss"].argmin()


def test_augmentation_changes_the_training_rows_only():
    frame, target = load_sample("digits")
    X, y = frame.drop(columns=target)[:200], frame[target][:200]
    plain = TautClassifier(effort="none", epochs=3).fit(X, y)
    shifted = TautClassifier(effort="none", epochs=3, augmentation=Augmentation(shape=(8, 8), shift=1)).fit(X, y)
    assert (plain.model_.encoder.transform(X) == shifted.model_.encoder.transform(X)).all()
    assert not (plain.model_.network.theta == shifted.model_.network.theta).all()


def test_interruption_keeps_what_was_learned_and_still_ends_a_search(monkeypatch):
    class Interrupt(Callback):
        def on_epoch_end(self, run):
            if run.history.epochs == 2:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(sys.modules["taut.training.train"], "ProgressDisplay", lambda: Interrupt())
    model = TautClassifier(effort="none", epochs=50, verbose=True)
    with pytest.raises(KeyboardInterrupt):
        model.fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    assert model.n_iter_ == 2
    assert model.predict([[0.0]]).shape == (1,)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"l2": -1.0}, "l2 must be a number at least 0, got -1.0"),
        ({"dropout": 1.0}, "dropout must be a number at least 0 and below 1, got 1.0"),
        ({"activation": "softmax"}, "activation must be one of"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be an integer at least 1, got 0"),
        ({"epochs": "many"}, "epochs must be an integer at least 0, got 'many'"),
        ({"l1": (0.1, 0.2, 0.3)}, "l1 needs one number, or one for each of 2 layers"),
        ({"loss": "mse"}, "loss 'mse' is not for classification"),
        ({"class_weight": "heavy"}, "class_weight must be a mapping"),
    ],
)
def test_bad_parameters_are_refused_in_fit_in_one_line(parameters, words):
    estimator = TautClassifier(effort="none", **parameters)
    with pytest.raises(TautError) as caught:
        estimator.fit([[0.0], [1.0]], [0, 1])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_parameters_and_unfitted_use_are_refused():
    with pytest.raises(TypeError, match="no parameter lambda_"):
        TautClassifier(lambda_=0.1)
    with pytest.raises(NotFittedError):
        TautRegressor().predict([[0.0]])


def test_partial_fit_after_fit_goes_on_learning(table):
    frame, target = table
    model = TautClassifier(effort="none", epochs=5, early_stopping=True, patience=1).fit(frame, target)
    before = model.model_.network.theta.copy()
    flipped = target.map({"yes": "no", "no": "yes"})
    for _ in range(30):
        model.partial_fit(frame, flipped)
    assert np.abs(model.model_.network.theta - before).max() > 0.05
    assert model.score(frame, flipped) > 0.6
    assert model.history_.epochs == model.n_iter_ > 30
    assert (np.diff(model.history_["seconds"]) > 0).all()


def test_partial_fit_takes_a_single_row_and_augments_it():
    frame, target = load_sample("digits")
    X, y = frame.drop(columns=target)[:60], frame[target][:60]
    streams = [
        TautClassifier(effort="none", augmentation=augmentation)
        for augmentation in (None, Augmentation((8, 8), shift=2))
    ]
    for model in streams:
        model.partial_fit(X, y, classes=range(10))
        model.model_.network.theta[:] = streams[0].model_.network.theta
        model.partial_fit(X[:1], y[:1])
    assert not (streams[0].model_.network.theta == streams[1].model_.network.theta).all()


def test_early_stopping_on_few_rows_keeps_all_classes():
    model = TautClassifier(effort="none", early_stopping=True, epochs=3).fit([[0.0], [1.0], [2.0]], ["a", "b", "c"])
    assert model.classes_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("weight", "words"),
    [({0: "heavy"}, "class_weight of 0 must be a number"), ({0: -1.0}, "of 0 must be a number at least 0, got -1")],
)
def test_class_weights_that_are_no_numbers_are_refused(weight, words):
    with pytest.raises(TautError, match=words):
        TautClassifier(effort="none", class_weight=weight).fit([[0.0], [1.0]], [0, 1])


def test_balancing_without_rows_of_a_class_is_refused():
    with pytest.raises(TautError, match="'balanced' cannot weigh the class 'b'"):
        TautClassifier(effort="none", class_weight="balanced").partial_fit(
            [[0.0], [1.0]], ["a", "a"], classes=["a", "b"]
        )
