"""What the tests of model files share: a table with everything in it, and models fitted to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taut.storage import save
from taut.training import Ensemble, Model, Recipe, fit_model

ROWS = 90
# Few layers, so that it is easy to say which of them is spoiled.
PLAIN = {
    "hidden_layer_sizes": (6,),
    "activation": "relu",
    "epochs": 3,
    "embedding_width": 0,
    "dropout": 0.0,
    "l2": 1e-4,
    "scaling": "standard",
}


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """Return a table with numbers, gaps, categories, booleans, dates, numbers as text, a constant and an identifier."""
    generator = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "size": generator.normal(size=ROWS),
            "gaps": np.where(generator.random(ROWS) < 0.2, np.nan, generator.normal(5, 3, ROWS)),
            "color": generator.choice(["red", "grün", "blue", None], ROWS),
            "sex": generator.choice(["f", "m"], ROWS),
            "paid": generator.random(ROWS) < 0.5,
            "day": pd.date_range("2024-01-01", periods=ROWS, freq="29h"),
            "price": [f"{1000 + 7 * row:,}" for row in range(ROWS)],
            "always": "same",
            "customer_id": range(ROWS),
        }
    )


@pytest.fixture(scope="session")
def strange_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows as they come later: another order of columns, more of them, new levels, gaps, numbers as text."""
    rows = frame.iloc[:20].reset_index(drop=True).assign(extra=1.0)
    rows["color"] = "never seen"
    rows["size"] = rows["size"].astype(str)
    rows.loc[3:5, "gaps"] = np.nan
    rows.loc[6:8, "day"] = pd.NaT
    return rows[rows.columns[::-1]]


@pytest.fixture(scope="session")
def fit(frame: pd.DataFrame) -> Callable[..., Model]:
    """Return a function that fits a small model to the table, for a target made of 0, 1, 2."""

    def fitted(target: Callable[[np.ndarray], object], task: str = "classification", **settings: object) -> Model:
        return fit_model(Recipe(**PLAIN | settings), frame, target(np.arange(ROWS) % 3), task=task)

    return fitted


@pytest.fixture(scope="session")
def model(fit: Callable[..., Model]) -> Model:
    """Return a classifier of three words."""
    return fit(lambda codes: np.array(["no", "maybe", "yes"])[codes])


@pytest.fixture(scope="session")
def model_bytes(model: Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the model file of `model`."""
    path: Path = tmp_path_factory.mktemp("model") / "model.taut"
    save(model, path, summary={"scores": {"accuracy": 0.5}})
    return path.read_bytes()


@pytest.fixture(scope="session")
def fit_ensemble(frame: pd.DataFrame) -> Callable[..., Ensemble]:
    """Return a function that fits three small models to two thirds of the table each, for a target made of 0, 1, 2."""

    def fitted(target: Callable[[np.ndarray], object], task: str = "classification", **settings: object) -> Ensemble:
        y, held = np.asarray(target(np.arange(ROWS) % 3)), np.arange(ROWS) // 3 % 3
        return Ensemble(
            tuple(
                fit_model(
                    Recipe(**PLAIN | settings, seed=fold),
                    frame[held != fold],
                    y[held != fold],
                    task=task,
                )
                for fold in range(3)
            )
        )

    return fitted


@pytest.fixture(scope="session")
def ensemble(fit_ensemble: Callable[..., Ensemble]) -> Ensemble:
    """Return an ensemble for the three words of `model`."""
    return fit_ensemble(lambda codes: np.array(["no", "maybe", "yes"])[codes])


@pytest.fixture(scope="session")
def ensemble_bytes(ensemble: Ensemble, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the model file of `ensemble`."""
    path: Path = tmp_path_factory.mktemp("ensemble") / "ensemble.taut"
    save(ensemble, path, summary={"scores": {"accuracy": 0.5}})
    return path.read_bytes()
