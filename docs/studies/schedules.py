"""Which schedule of the learning rate: a constant rate, or a cosine over 100 or 50 epochs.

For each table of a folder (target column `target`, at most 700 rows) 30 % are held out; on the rest, the strength of L2
is chosen by 4-fold cross-validation and the choice refitted. Prints the mean log ratio of the test loss to the best of
the three, and the mean rank. From the root of the repository, with taut installed:

    python docs/studies/schedules.py FOLDER
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from taut import Recipe
from taut.data import folds, hold_out, infer_task
from taut.selection import cross_validate
from taut.selection.scores import answers, score
from taut.training import fit_model

# The recipe of the time when this was decided.
PLAIN = Recipe(
    activation="relu",
    embedding_width=0,
    parametrization="standard",
    dropout=0.0,
    optimizer="adam",
    learning_rate=0.01,
    beta_2=0.999,
    weight_decay=0.0,
    scaling="standard",
    epochs=100,
)
WAYS = {
    "constant": replace(PLAIN, schedule="constant"),
    "cosine": PLAIN,
    "cosine, 50 epochs": replace(PLAIN, epochs=50),
}
STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
ROWS = 700


def losses_of(path: Path) -> list[float]:
    """Return the mean test loss of each way on one table."""
    whole = pd.read_parquet(path)
    frame = whole.sample(min(len(whole), ROWS), random_state=0).reset_index(drop=True)
    X, y = frame.drop(columns="target"), frame["target"]
    task = infer_task(y)
    train, test = hold_out(X, y, test_size=0.3, task=task)
    X_train, y_train = X.iloc[train], y.iloc[train]
    splits = folds(y_train, n_splits=4, task=task)
    found = []
    for way in WAYS.values():
        recipes = [replace(way, l2=strength) for strength in STRENGTHS]
        tried = cross_validate(recipes, X_train, y_train, task=task, splits=splits, n_jobs=1)
        chosen = min(tried, key=lambda candidate: candidate.mean).recipe
        model = fit_model(chosen, X_train, y_train, task=task)
        found.append(float(score(answers(model)(X.iloc[test]), y.iloc[test], model.targets).losses.mean()))
    return found


def main() -> None:
    """Run all tables of the folder and print what came out."""
    tables = sorted(Path(sys.argv[1]).glob("*.parquet"))
    losses = np.array(Parallel(n_jobs=-1)(delayed(losses_of)(path) for path in tables))
    ratios = np.log(losses / losses.min(axis=1, keepdims=True)).mean(axis=0)
    ranks = (losses.argsort(axis=1).argsort(axis=1) + 1).mean(axis=0)
    for name, ratio, rank in zip(WAYS, ratios, ranks, strict=True):
        print(f"{name}: mean log ratio to the best {ratio:.3f}, mean rank {rank:.1f}, over {len(losses)} tables")


if __name__ == "__main__":
    main()
