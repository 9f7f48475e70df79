"""The cases: which problems are timed, from which data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.contenders.base import Unavailable
from benchmarks.problems import PLAIN, PathProblem, Population, Problem, Weights
from taut.network.initializers import GlorotNormal, HeNormal
from taut.random import Purpose, Random

__all__ = ["NETWORKS", "PATHS", "POPULATION", "TITLES", "population", "problem_of", "table_network"]


def he_weights(sizes: tuple[int, ...], seed: int = 0) -> Weights:
    """Return first weights as a `Recipe` with that seed draws them: He's for hidden layers, Glorot's for the last."""
    random, last = Random(seed).at(purpose=Purpose.WEIGHTS), len(sizes) - 2
    return [
        (
            (HeNormal() if layer < last else GlorotNormal())
            .draw((sizes[layer], sizes[layer + 1]), random.at(item=2 * layer))
            .astype(np.float32),
            np.zeros(sizes[layer + 1], dtype=np.float32),
        )
        for layer in range(len(sizes) - 1)
    ]


def spiral_network(name: str, samples: int, units: int) -> Problem:
    """Return the documents' spiral: full batch, decaying Adam, L2 on weights and biases of the hidden layer."""
    from taut.data.samples import spiral

    random = np.random.RandomState(0)
    points, labels = spiral(samples, 3, random_state=random)
    shapes = ((2, units), (units, 3))
    weights = [
        ((0.01 * random.randn(*shape)).astype(np.float32), np.zeros(shape[1], dtype=np.float32)) for shape in shapes
    ]
    return Problem(
        name=name,
        x=points.astype(np.float32),
        y=labels,
        hidden=(units,),
        weights=weights,
        l2=((5e-4, 5e-4), (0.0, 0.0)),
        lr=0.05,
        decay=5e-7,
        batch_size=None,
        check_epochs=10,
    )


def table_network(
    name: str, x: np.ndarray, y: np.ndarray, hidden: tuple[int, ...], *, batch_size: int | None = 128
) -> Problem:
    """Return a network in shuffled batches, Adam 1e-3, L2 of 1e-5 on all weights."""
    sizes = (x.shape[1], *hidden, int(y.max()) + 1)
    return Problem(
        name=name,
        x=np.ascontiguousarray(x, dtype=np.float32),
        y=y.astype(np.int64),
        hidden=hidden,
        weights=he_weights(sizes),
        l2=((1e-5, 0.0),) * (len(sizes) - 1),
        lr=1e-3,
        decay=0.0,
        batch_size=batch_size,
        check_epochs=2,
    )


def digits() -> Problem:
    """Return scikit-learn's digits."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return table_network("digits", x / 16.0, y, (64,))


def mnist() -> Problem:
    """Return 10,000 MNIST digits from the folder that TAUT_DATA names."""
    path = Path(os.environ.get("TAUT_DATA", "../shared/data")) / "mnist_10k.npz"
    if not path.exists():
        raise Unavailable(f"there is no {path.name} in the folder that TAUT_DATA names")
    with np.load(path) as file:
        x, y = file["X"], file["y"]
    return table_network("mnist", x.reshape(len(x), -1) / 255.0, y, (512, 512))


def population() -> Population:
    """Return 20 strengths times 5 folds of scikit-learn's breast_cancer, standardized once over all rows."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    x, y = load_breast_cancer(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(x, y)
    return Population(
        name=POPULATION,
        x=StandardScaler().fit_transform(x).astype(np.float32),
        y=y.astype(np.int64),
        strengths=np.logspace(-6, 0, 20),
        folds=list(folds),
        hidden=64,
        weights=he_weights((30, 64, 2)),
        lr=1e-3,
        batch_size=32,
        epochs=50,
    )


def path(name: str, penalty: str) -> PathProblem:
    """Return a path of 30 strengths times 5 folds of breast_cancer, for the plain network that peers can have, too."""
    from sklearn.datasets import load_breast_cancer

    from taut import Recipe, regularization_path
    from taut.data.splits import folds

    recipe, n_values = Recipe(**PLAIN), 30
    x, y = load_breast_cancer(return_X_y=True)
    strengths = None
    if penalty == "l2":
        # They are found on all rows, so that two folds show the same ones sooner.
        strengths = regularization_path(recipe, x, y, penalty=penalty, n_values=n_values, cv=2).values
    divided = folds(y, n_splits=5, task="classification", seed=recipe.seed)
    return PathProblem(
        name=name,
        x=x,
        y=y,
        penalty=penalty,
        n_values=n_values,
        folds=divided,
        strengths=strengths,
        hidden=recipe.hidden_layer_sizes,
        lr=recipe.learning_rate,
        batch_size=recipe.batch_rows(len(divided[0][0])),
        epochs=recipe.epochs,
    )


def problem_of(case: str) -> Problem | Population | PathProblem:
    """Return the problem of a case."""
    if case in PATHS:
        return path(case, PATHS[case])
    return population() if case == POPULATION else NETWORKS[case]()


POPULATION = "population"

#: Every regularization path, and what varies along it.
PATHS = {"path-l2": "l2", "path-group": "group"}

#: Every single network, by the name it has on the command line.
NETWORKS: dict[str, Callable[[], Problem]] = {
    "spiral-300": lambda: spiral_network("spiral-300", 100, 64),
    "spiral-3000": lambda: spiral_network("spiral-3000", 1000, 64),
    "spiral-wide": lambda: spiral_network("spiral-wide", 1000, 512),
    "digits": digits,
    "mnist": mnist,
}

TITLES = {
    "spiral-300": "Spiral, 300 rows, 2-64-3, full batch",
    "spiral-3000": "Spiral, 3000 rows, 2-64-3, full batch",
    "spiral-wide": "Spiral, 3000 rows, 2-512-3, full batch",
    "digits": "Digits, 1797 rows, 64-64-10, batches of 128",
    "mnist": "MNIST, 10,000 rows, 784-512-512-10, batches of 128",
    POPULATION: "100 networks: 20 strengths × 5 folds of breast_cancer, 30-64-2, batches of 32, 50 epochs",
    "path-l2": "How strong L2 should be: 30 strengths × 5 folds of breast_cancer, 30-64-2, batches of 32, 100 epochs",
    "path-group": "Which inputs to use: a path of 30 strengths of group L1 × 5 folds of breast_cancer, and LassoNet's",
}
