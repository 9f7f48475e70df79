"""What `taut fit` finds, table by table, beside one network, the same without regularization, and the default recipe.

For scikit-learn's sample sets and every Parquet table of a folder (target column `target`), at most `--rows` rows each,
it prints one line of a Markdown table: the mean test score over `--seeds` splits of the chosen ensemble, of the one
network with the best single setting, of the same network without regularization, of the default recipe with nothing
chosen, of a linear model and of a constant guess. All of them see the same rows of each split. From the root of the
repository, with taut installed:

    python docs/studies/fit_tables.py --tables FOLDER --rows 3000 --seeds 3
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from taut import Recipe, load_sample
from taut.selection import fit_table
from taut.selection.rows import Rows
from taut.selection.scores import answers, score
from taut.training import fit_model

SAMPLES = ("breast_cancer", "wine", "digits", "diabetes")
COLUMNS = ("chosen", "one network", "unregularized", "default", "linear", "constant")


def tables(folder: Path | None, *, samples: bool) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield names and tables, each with its target in the column `target`."""
    for name in SAMPLES if samples else ():
        yield name, load_sample(name)[0]
    for path in sorted(folder.glob("*.parquet")) if folder else []:
        yield path.stem, pd.read_parquet(path)


def default_score(frame: pd.DataFrame, task: str, seed: int) -> float:
    """Return the test score of the default recipe on the split that `fit_table` makes with this seed."""
    rows = Rows.of(frame, "target").for_task(task)
    keep, held = rows.split(0.2, task, seed)
    model = fit_model(Recipe(seed=seed), rows.take(keep).X, rows.take(keep).y, task=task)
    tested = rows.take(held)
    return next(iter(score(answers(model)(tested.X), tested.y, model.targets).values.values()))[0]


def scores(name: str, frame: pd.DataFrame, seed: int, effort: str) -> dict[str, object]:
    """Return what one split of one table gives."""
    result = fit_table(frame, "target", seed=seed, effort=effort, data_name=name)
    metric = result.metrics[0]
    chosen, one, bare, linear, constant = (entry.test[metric][0] for entry in result.entries)
    default = default_score(frame, result.task, seed)
    values = dict(zip(COLUMNS, (chosen, one, bare, default, linear, constant), strict=True))
    told = {"metric": metric, "recipe": result.chosen.recipe.describe(), "seconds": result.seconds}
    return {"table": name, "rows": len(frame), "seed": seed, **told, **values}


def line(found: list[dict[str, object]]) -> str:
    """Return the line of a table: means over its splits."""
    means = [f"{np.mean([one[column] for one in found]):.4g}" for column in COLUMNS]
    seconds = f"{np.mean([one['seconds'] for one in found]):.0f}"
    metric = str(found[0]["metric"]).replace("_", " ")
    return f"| {' | '.join([str(found[0]['table']), str(found[0]['rows']), metric, *means, seconds])} |"


def wins(found: list[list[dict[str, object]]], over: str) -> str:
    """Return on how many tables the chosen ensemble's mean score is lower, and the mean ratio with its interval."""
    means = np.array([[np.mean([one[side] for one in table]) for side in ("chosen", over)] for table in found])
    logs = np.log(means[:, 0] / means[:, 1])
    error = 1.96 * logs.std(ddof=1) / np.sqrt(len(logs))
    low, middle, high = np.exp([logs.mean() - error, logs.mean(), logs.mean() + error])
    return (
        f"Lower than {over} on {(logs < 0).sum()} of {len(found)} tables; geometric mean of the ratios {middle:.3f} "
        f"(95 % interval over tables: {low:.3f} to {high:.3f})."
    )


def main() -> None:
    """Fit every table and print the lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, help="folder of Parquet tables")
    parser.add_argument("--samples", action="store_true", help="scikit-learn's sample sets, too")
    parser.add_argument("--rows", type=int, default=3000, help="use at most so many rows of each")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each table")
    parser.add_argument("--effort", default="standard")
    parser.add_argument("--out", type=Path, help="write every score here, a line of JSON each")
    chosen = parser.parse_args()
    print(f"| table | rows | metric | {' | '.join(COLUMNS)} | seconds |\n|---|---:|---|{'---:|' * (len(COLUMNS) + 1)}")
    found = []
    for name, whole in tables(chosen.tables, samples=chosen.samples):
        frame = whole.sample(min(len(whole), chosen.rows), random_state=0).reset_index(drop=True)
        found.append([scores(name, frame, seed, chosen.effort) for seed in range(chosen.seeds)])
        print(line(found[-1]), flush=True)
        if chosen.out is not None:
            with chosen.out.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(one) + "\n" for one in found[-1])
    print()
    for over in ("one network", "unregularized", "default", "linear", "constant"):
        print(wins(found, over))


if __name__ == "__main__":
    main()
