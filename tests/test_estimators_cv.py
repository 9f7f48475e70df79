"""The estimators that choose by cross-validation keep scikit-learn's contract, and say what they chose and why."""

from __future__ import annotations

import sys
import warnings
from dataclasses import fields

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

import taut
from taut import Ensemble, InvalidValue, Recipe, TautClassifierCV, TautError, TautRegressorCV, load_sample
from taut.training import Model

# Few values and folds, because there are sixty checks. One of them compares weights with repeated rows: with "auto", a
# batch would hold a part of its 45 rows, and other rows of their repetitions; dropout draws for each row, and medians
# know no weights.
QUICK = {"cv": 2, "epochs": 40, "batch_size": "all", "dropout": 0.0, "scaling": "standard"}
# Where both rules choose another value.
USED = {"epochs": 30, "embedding_width": 0, "dropout": 0.0}


@pytest.mark.parametrize("estimator", [TautClassifierCV, TautRegressorCV])
@pytest.mark.parametrize("parameters", [{"n_values": 2}, {"values": [0.01, 0.001], "final": "ensemble"}])
def test_check_estimator_passes_and_skips_only_what_scikit_learn_does_not_support_here(estimator, parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator(**QUICK, **parameters), on_fail=None)
    assert not [(one["check_name"], one["exception"]) for one in results if one["status"] in ("failed", "xfail")]
    assert {one["check_name"] for one in results if one["status"] == "skipped"} <= {"check_array_api_input"}


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(0)
    n = 90
    age, city = random.uniform(18, 80, n), random.choice(["Basel", "Bern", "Genf"], n)
    frame = pd.DataFrame(
        {
            "age": np.where(random.random(n) < 0.1, np.nan, age),
            "city": pd.Series(city).where(random.random(n) > 0.1),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, n), unit="D"),
            "member": pd.Categorical(random.choice(["no", "yes"], n)),
        }
    )
    return frame, pd.Series(np.where((age > 45) ^ (city == "Bern"), "yes", "no"), name="bought")


@pytest.fixture(scope="module")
def fitted(table) -> TautClassifierCV:
    return TautClassifierCV(**USED, n_values=8, cv=3, rule="1se").fit(*table)


def test_parameters_are_the_fields_of_the_recipe_and_those_of_the_path():
    path = {"penalty", "values", "n_values", "min_ratio", "cv", "repeats", "rule", "final", "n_jobs", "backend"}
    expected = {field.name for field in fields(Recipe)} - {"seed"} | {"random_state", "verbose"} | path
    assert set(TautRegressorCV().get_params()) == expected
    assert set(TautClassifierCV().get_params()) == expected | {"class_weight"}
    estimator = clone(TautClassifierCV(dropout=(0.1,), values=[0.1, 0.2])).set_params(rule="1se")
    assert (estimator.dropout, estimator.values, estimator.rule) == ((0.1,), [0.1, 0.2], "1se")


def test_it_is_the_path_with_its_refit(table, fitted):
    frame, target = table
    path = taut.regularization_path(Recipe(**USED), frame, target, n_values=8, cv=3)
    assert fitted.values_.tolist() == path.values.tolist() == fitted.path_.values.tolist()
    assert (fitted.path_.losses == path.losses).all()
    assert (fitted.value_, fitted.value_min_, fitted.value_1se_) == (path.value_1se, path.value_min, path.value_1se)
    assert fitted.recipe_ == path.recipe("1se") == Recipe(**USED, l2=fitted.value_, weight_decay=0.0)
    assert (fitted.predict_proba(frame) == path.refit("1se").predict_proba(frame)).all()
    assert TautClassifierCV(**USED, n_values=8, cv=3).fit(frame, target).value_ == path.value_min
    assert path.value_min != path.value_1se


def test_a_frame_with_categories_dates_and_gaps_is_taken_as_it_is(table, fitted):
    frame, target = table
    assert fitted.score(frame, target) > 0.7
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert (fitted.n_features_in_, fitted.feature_names_in_.tolist()) == (4, list(frame.columns))
    assert len(fitted.get_feature_names_out()) == fitted.model_.network.n_inputs > frame.shape[1]
    assert type(fitted.model_) is Model
    assert fitted.n_iter_ == fitted.history_.epochs == 30
    np.testing.assert_allclose(fitted.predict_proba(frame).sum(axis=1), 1.0)


def test_results_are_those_of_a_grid_search(fitted):
    results, path = fitted.cv_results_, fitted.path_
    assert results["params"] == [{"l2": value} for value in path.values]
    assert results["param_l2"].tolist() == path.values.tolist()
    assert (results["mean_test_score"] == -path.mean).all()
    assert (results["split2_test_score"] == -path.losses[:, 2]).all()
    assert (results["mean_test_accuracy"] == path.metrics["accuracy"].mean(axis=1)).all()
    np.testing.assert_allclose(results["std_test_log_loss"], path.metrics["log_loss"].std(axis=1))
    assert results["rank_test_score"][path.index_min] == 1
    assert sorted(results["rank_test_score"]) == list(range(1, 9))
    kinds = ["score", "log_loss", "accuracy"]
    names = {f"{what}_test_{kind}" for what in ("split0", "split1", "split2", "mean", "std") for kind in kinds}
    assert results.keys() == names | {"params", "param_l2", "rank_test_score"}


def test_an_elastic_net_varies_two_fields():
    frame, target = load_sample("wine")
    model = TautClassifierCV(penalty="l1_ratio=0.5", values=[0.02, 0.01], cv=2, epochs=5)
    results = model.fit(frame.drop(columns=target), frame[target]).cv_results_
    assert results["params"] == [{"l1": 0.01, "l2": 0.005}, {"l1": 0.005, "l2": 0.0025}]
    assert results["param_l2"].tolist() == [0.005, 0.0025]
    assert model.value_ in (0.02, 0.01)


def test_a_value_at_which_training_diverges_is_last_and_not_chosen():
    X = np.random.default_rng(0).normal(size=(40, 3))
    settings = {"optimizer": "sgd", "clip_norm": None, "epochs": 20, "cv": 2}
    model = TautRegressorCV(penalty="learning_rate", values=[1e30, 0.01, 0.003], **settings).fit(X, X[:, 0])
    assert model.cv_results_["rank_test_score"].tolist()[0] == 3
    assert model.cv_results_["mean_test_score"][0] == -np.inf
    assert model.value_ in (0.01, 0.003)


def test_ensemble_answers_by_the_mean_of_the_models_of_the_folds(table):
    frame, target = table
    model = TautClassifierCV(n_values=3, cv=3, epochs=20, final="ensemble").fit(frame, target)
    assert type(model.model_) is Ensemble
    assert len(model.model_.models) == len(model.history_) == 3
    mean = np.mean([one.predict_proba(frame) for one in model.model_.models], axis=0)
    np.testing.assert_allclose(model.predict_proba(frame), mean, rtol=1e-12)
    assert model.recipe_.l2 == model.value_ == model.value_min_
    assert model.n_iter_ == 20
    names = model.get_feature_names_out().tolist()
    assert len(names) == len(set(names))
    assert set(names) >= set(model.model_.models[1].encoder.get_feature_names_out())


@pytest.mark.parametrize("final", ["refit", "ensemble"])
def test_several_targets_keep_their_units_and_shape(final):
    X = np.random.default_rng(2).normal(size=(80, 3))
    y = np.column_stack([1000.0 + 50.0 * X[:, 0], 0.01 * X[:, 1]])
    model = TautRegressorCV(n_values=4, cv=3, final=final).fit(X, y)
    assert model.predict(X).shape == (80, 2)
    assert model.score(X, y) > 0.9
    assert "mean_test_r2" in model.cv_results_


def test_grid_search_over_the_rule_pipeline_and_pickle(table, fitted, tmp_path):
    frame, target = table
    quick = TautClassifierCV(n_values=3, cv=2, epochs=10)
    search = GridSearchCV(quick, {"rule": ["min", "1se"]}, cv=2).fit(frame, target)
    assert search.best_params_["rule"] in ("min", "1se")
    pipeline = make_pipeline(FunctionTransformer(), quick).fit(frame, target)
    again = clone(pipeline).fit(frame, target)
    assert (again.predict_proba(frame) == pipeline.predict_proba(frame)).all()
    joblib.dump(fitted, tmp_path / "a.joblib")
    loaded = joblib.load(tmp_path / "a.joblib")
    assert (loaded.predict_proba(frame) == fitted.predict_proba(frame)).all()
    assert loaded.path_.value_1se == fitted.value_1se_


def test_a_fitted_estimator_does_not_carry_the_table(fitted):
    for again in (fitted.path_.refit, fitted.path_.ensemble):
        with pytest.raises(InvalidValue, match="this path was kept without its table"):
            again()


def test_groups_are_never_parted_by_numbers_or_splitters():
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 6)
    X = random.normal(size=(60, 2)) + groups[:, None]  # a group is known again by its inputs, its target is chance
    y = random.normal(size=10)[groups]
    settings = {"values": [1e-3, 1e-4], "epochs": 60, "learning_rate": 0.03}
    parted = TautRegressorCV(cv=5, **settings).fit(X, y).cv_results_["mean_test_r2"].max()
    for cv in (5, GroupKFold(5)):
        whole = TautRegressorCV(cv=cv, **settings).fit(X, y, groups=groups)
        assert whole.cv_results_["mean_test_r2"].max() < parted - 0.2


def test_same_seed_same_choice_other_seed_other_folds(table):
    first, again, other = (
        TautClassifierCV(n_values=3, cv=2, epochs=5, random_state=seed).fit(*table) for seed in (1, 1, 2)
    )
    assert (first.path_.losses == again.path_.losses).all()
    assert not (first.path_.losses == other.path_.losses).any()


def test_a_class_with_a_single_row_is_a_class():
    X = np.random.default_rng(0).normal(size=(31, 2))
    y = np.array(["a", "b"] * 15 + ["c"])
    for final in ("refit", "ensemble"):
        model = TautClassifierCV(n_values=3, cv=3, epochs=5, final=final).fit(X, y)
        assert model.classes_.tolist() == ["a", "b", "c"]
        assert model.predict_proba(X).shape == (31, 3)


def test_class_weight_moves_predictions_towards_the_class(table):
    frame, target = table
    rare = target.where(np.arange(len(target)) % 8 == 0, "no")
    settings = {"values": [0.1, 0.05], "cv": 2, "epochs": 10}
    for final in ("refit", "ensemble"):
        plain, balanced = (
            TautClassifierCV(**settings, final=final, class_weight=weight).fit(frame, rare).predict_proba(frame)
            for weight in (None, "balanced")
        )
        assert balanced[:, 1].mean() > plain[:, 1].mean() + 0.1


def test_interruption_of_the_final_fit_keeps_what_was_learned(monkeypatch, table):
    fit_model = sys.modules["taut.selection.path_result"].fit_model

    def interrupted(*given, **options):
        model = fit_model(*given, **options)
        model.history.stopped = "interrupted"
        return model

    monkeypatch.setattr(sys.modules["taut.selection.path_result"], "fit_model", interrupted)
    model = TautClassifierCV(n_values=2, cv=2, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*table)
    assert model.predict(table[0]).shape == (90,)
    assert model.value_ in model.values_


def test_verbose_shows_how_many_fits_are_done(capsys, table):
    for final in ("refit", "ensemble"):
        TautClassifierCV(n_values=2, cv=2, epochs=3, verbose=True, final=final).fit(*table)
        assert ("4/4" if final == "refit" else "2/2") in capsys.readouterr().out
    TautClassifierCV(n_values=2, cv=2, epochs=3).fit(*table)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"rule": "2se"}, "rule must be one of"),
        ({"final": "best"}, "final must be one of"),
        ({"penalty": "l3"}, "penalty must be one of l2, l1"),
        ({"values": [0.1]}, "a path needs at least 2 different values, got [0.1]"),
        ({"n_values": 1}, "n_values must be an integer at least 2, got 1"),
        ({"min_ratio": 1.0}, "min_ratio must be a number above 0 and below 1, got 1.0"),
        ({"cv": 1}, "n_splits must be at least 2, got 1"),
        ({"cv": 9}, "9 folds need more than 8 rows"),
        ({"cv": "five"}, "cv must be a number of folds, pairs of row numbers, or a splitter, got 'five'"),
        ({"cv": KFold(2), "repeats": 2}, "repeats is for a number of folds"),
        ({"repeats": 0}, "repeats must be an integer at least 1, got 0"),
        ({"early_stopping": True}, "early_stopping=True is not for cross-validation"),
        ({"verbose": 2}, "verbose must be"),
        ({"n_jobs": 0}, "n_jobs must be an integer at least 1, got 0"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be an integer at least 1, got 0"),
        ({"class_weight": "heavy"}, "class_weight must be a mapping"),
    ],
)
def test_bad_parameters_are_refused_in_fit_in_one_line(parameters, words):
    estimator = TautClassifierCV(**{"cv": 2, "epochs": 2} | parameters)
    with pytest.raises(TautError) as caught:
        estimator.fit(np.arange(8.0)[:, None], [0, 1] * 4)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_data_and_unfitted_use_are_refused():
    X, y = np.arange(8.0)[:, None], [0, 1] * 4
    splits = [(np.arange(4), np.arange(4, 8)), (np.arange(4, 8), np.arange(4))]
    with pytest.raises(TautError, match="sample_weight is zero in all training or all validation rows of a fold"):
        TautRegressorCV(cv=splits).fit(X, y, sample_weight=[1] * 4 + [0] * 4)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        TautRegressorCV(cv=2).fit(X, y, groups=[1, 2])
    with pytest.raises(NotFittedError):
        TautRegressorCV().predict(X)
    with pytest.raises(TypeError, match="no parameter alphas"):
        TautRegressorCV(alphas=[0.1])
