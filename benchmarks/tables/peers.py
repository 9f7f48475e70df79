"""The peers: what a person would fit instead, each as its makers recommend it.

A peer takes a problem and answers for its test rows. Each prepares the columns by what it can take: those that refuse
gaps get medians and a column that says where a gap was, those that refuse categories get one column a level. Nothing
here imports taut, whose environment is another; the peers' own packages are imported where they are used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.tables.problems import Problem

__all__ = ["PACKAGES", "PEERS", "versions_of"]

#: The packages whose versions a result depends on, by the first word of the peer's name; of the others, scikit-learn.
PACKAGES = {
    "LightGBM": ("lightgbm",),
    "CatBoost": ("catboost",),
    "CatBoost-TD": ("pytabkit", "catboost"),
    "RealMLP-TD": ("pytabkit", "torch"),
}

SEED = 0
#: Each runs on one thread, so that processor seconds compare.
THREADS = 1
#: What pytabkit's methods are told in their variant for log loss: the validation metric that stops them, and RealMLP
#: not to smooth labels. The variant for error is as the package has it.
FOR_LOSS: dict[str, dict[str, Any]] = {
    "RealMLP": {"val_metric_name": "cross_entropy", "use_ls": False},
    "CatBoost": {"val_metric_name": "cross_entropy"},
}


def lightgbm(problem: Problem) -> np.ndarray:
    """LightGBM as it comes."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    made = (LGBMClassifier if problem.is_classification else LGBMRegressor)(
        random_state=SEED, n_jobs=THREADS, verbose=-1
    )
    return problem.answer_of(made.fit(problem.X, problem.y), problem.X_test)


def catboost(problem: Problem) -> np.ndarray:
    """CatBoost as it comes."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    X, X_test = _named_gaps(problem)
    made = (CatBoostClassifier if problem.is_classification else CatBoostRegressor)(
        random_seed=SEED, thread_count=THREADS, verbose=False, allow_writing_files=False, cat_features=_categories(X)
    )
    return problem.answer_of(made.fit(X, problem.y), X_test)


def pytabkit(model: str, bagged: bool, for_loss: bool) -> Callable[[Problem], np.ndarray]:
    """Return RealMLP or CatBoost with pytabkit's tuned defaults: five of them, bagged, or one with a validation set."""

    def fit(problem: Problem) -> np.ndarray:
        import pytabkit

        kind = "Classifier" if problem.is_classification else "Regressor"
        own = FOR_LOSS[model] if for_loss and problem.is_classification else {}
        settings = {"n_cv": 5 if bagged else 1, "random_state": SEED, "n_threads": THREADS, "device": "cpu", **own}
        X, X_test = _filled(*_named_gaps(problem))
        made = getattr(pytabkit, f"{model}_TD_{kind}")(**settings)
        return problem.answer_of(made.fit(X, problem.y), X_test)

    return fit


def random_forest(problem: Problem) -> np.ndarray:
    """A random forest of 500 trees."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    made = (RandomForestClassifier if problem.is_classification else RandomForestRegressor)(
        500, random_state=SEED, n_jobs=THREADS
    )
    return _in_numbers(made, problem)


def linear(problem: Problem) -> np.ndarray:
    """A linear model, its L2 strength chosen by 5-fold cross-validation."""
    from sklearn.linear_model import LogisticRegressionCV, RidgeCV

    if problem.is_classification:
        return _in_numbers(
            LogisticRegressionCV(
                Cs=np.logspace(-4, 3, 15),
                l1_ratios=(0.0,),
                cv=5,
                scoring="neg_log_loss",
                max_iter=1000,
                use_legacy_attributes=False,
            ),
            problem,
        )
    return _in_numbers(RidgeCV(np.logspace(-3, 4, 29)), problem)


def mlp(problem: Problem) -> np.ndarray:
    """scikit-learn's network as it comes."""
    return _in_numbers(_mlp(problem), problem)


def mlp_grid(problem: Problem) -> np.ndarray:
    """scikit-learn's network, one of eight strengths of L2 chosen by 5-fold cross-validation."""
    from sklearn.model_selection import GridSearchCV

    scoring = "neg_log_loss" if problem.is_classification else "neg_root_mean_squared_error"
    grid = {"regressor__alpha" if not problem.is_classification else "alpha": np.logspace(-5, 2, 8)}
    return _in_numbers(GridSearchCV(_mlp(problem), grid, scoring=scoring, cv=5, n_jobs=1), problem)


def _mlp(problem: Problem) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    if problem.is_classification:
        return MLPClassifier(random_state=SEED)
    return TransformedTargetRegressor(MLPRegressor(random_state=SEED), transformer=StandardScaler())


def constant(problem: Problem) -> np.ndarray:
    """The class shares, or the mean."""
    if not problem.is_classification:
        return np.full(len(problem.y_test), problem.y.mean())
    shares = np.unique(problem.y, return_counts=True)[1] / len(problem.y)
    return np.tile(shares, (len(problem.y_test), 1))


def _in_numbers(model: Any, problem: Problem) -> np.ndarray:
    """Fit on standardized numbers and one column a level."""
    from sklearn.compose import ColumnTransformer
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    X, X_test = _named_gaps(problem)
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    levels = OneHotEncoder(handle_unknown="ignore", drop="if_binary", sparse_output=False)
    columns = _categories(X)
    encode = ColumnTransformer([("numbers", numbers, [c for c in X if c not in columns]), ("levels", levels, columns)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="Found unknown categories")
        fitted = model.fit(encode.fit_transform(X), problem.y)
    return problem.answer_of(fitted, encode.transform(X_test))


def _categories(X: pd.DataFrame) -> list[str]:
    return [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]


def _named_gaps(problem: Problem) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the columns with gaps among the levels made a level of their own."""
    X, X_test = problem.X.copy(), problem.X_test.copy()
    for name in _categories(X):
        known = X[name].astype(object).where(X[name].notna(), "missing").astype(str)
        tested = X_test[name].astype(object).where(X_test[name].notna(), "missing").astype(str)
        levels = pd.CategoricalDtype(sorted({*known, *tested}))
        X[name], X_test[name] = known.astype(levels), tested.astype(levels)
    return X, X_test


def _filled(X: pd.DataFrame, X_test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the columns with medians in the gaps among numbers, and columns that say where they were."""
    X, X_test = X.copy(), X_test.copy()
    for name in [name for name in X if name not in _categories(X)]:
        gaps = X[name].isna()
        if gaps.any():
            X[f"{name} missing"], X_test[f"{name} missing"] = gaps.astype(float), X_test[name].isna().astype(float)
        median = X[name].median()
        X[name], X_test[name] = X[name].fillna(median).astype(float), X_test[name].fillna(median).astype(float)
    return X, X_test


#: The peers by name, the cheap ones first. "X (loss)" and "X (error)" are one method, told what to be good at.
PEERS: dict[str, Callable[[Problem], np.ndarray]] = {
    "constant": constant,
    "linear": linear,
    "sklearn MLP": mlp,
    "random forest": random_forest,
    "LightGBM": lightgbm,
    "CatBoost": catboost,
    "RealMLP-TD (loss)": pytabkit("RealMLP", False, True),
    "RealMLP-TD bagged (loss)": pytabkit("RealMLP", True, True),
    "CatBoost-TD (loss)": pytabkit("CatBoost", False, True),
    "CatBoost-TD bagged (loss)": pytabkit("CatBoost", True, True),
    "RealMLP-TD (error)": pytabkit("RealMLP", False, False),
    "RealMLP-TD bagged (error)": pytabkit("RealMLP", True, False),
    "CatBoost-TD (error)": pytabkit("CatBoost", False, False),
    "CatBoost-TD bagged (error)": pytabkit("CatBoost", True, False),
    "sklearn MLP, grid": mlp_grid,
}


def versions_of(methods: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the versions that each peer's results depend on, without what tells one build of a version from another.

    Raises
    ------
    PackageNotFoundError
        If one is not installed.
    """
    packages = {name: PACKAGES.get(name.partition(" ")[0], ("scikit-learn",)) for name in methods}
    return {name: {package: version(package).partition("+")[0] for package in packages[name]} for name in packages}
