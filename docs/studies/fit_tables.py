"""What `taut fit` finds, table by table, beside its own network without regularization.

For scikit-learn's sample sets and every Parquet table of a folder (target column `target`), at most `--rows` rows each,
it prints one line of a Markdown table: the test score of the chosen and of the unregularized network, of a linear model
and of a constant guess, and by how much the unregularized network's mean test loss (log loss, or squared error) is
above the chosen one's on the same rows, in standard errors of that paired difference. From the root of the repository,
with taut installed:

    python docs/studies/fit_tables.py --tables FOLDER --rows 3000 --seed 0
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from taut import load_sample
from taut.selection import FitResult, fit_table

SAMPLES = ("breast_cancer", "wine", "digits", "diabetes")


def tables(folder: Path | None) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield names and tables, each with its target in the column `target`."""
    for name in SAMPLES:
        yield name, load_sample(name)[0]
    for path in sorted(folder.glob("*.parquet")) if folder else []:
        yield path.stem, pd.read_parquet(path)


def line(name: str, result: FitResult) -> tuple[str, float, float]:
    """Return the line of a table, and its margins over the unregularized network and the constant guess."""
    metric = result.metrics[0]
    scores = [f"{entry.test[metric][0]:.4g} ± {entry.test[metric][1]:.2g}" for entry in result.entries]
    margins = [entry.margin.difference / (entry.margin.error or 1.0) for entry in result.entries[1:]]
    cells = (
        name,
        str(result.n_train + result.n_test),
        metric.replace("_", " "),
        result.chosen.recipe.describe(),
        *scores,
        f"{margins[0]:+.1f}",
        f"{result.seconds:.0f}",
    )
    return f"| {' | '.join(cells)} |", margins[0], margins[2]


def main() -> None:
    """Fit every table and print the lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, help="folder of Parquet tables")
    parser.add_argument("--rows", type=int, default=3000, help="use at most so many rows of each")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    print(
        "| table | rows | metric | chosen | chosen network | unregularized network | linear model | constant guess "
        "| margin over unregularized, in standard errors | seconds |\n|---|---:|---|---|---|---|---|---|---:|---:|"
    )
    margins = []
    for name, whole in tables(chosen.tables):
        frame = whole.sample(min(len(whole), chosen.rows), random_state=chosen.seed).reset_index(drop=True)
        text, *found = line(name, fit_table(frame, "target", seed=chosen.seed, data_name=name))
        margins.append(found)
        print(text, flush=True)
    over_bare, over_constant = np.array(margins).T
    print(
        f"\nOf {len(margins)} tables, the chosen network is at least as good as the unregularized one, within one "
        f"standard error, on {(over_bare >= -1).sum()}; better by more than two on {(over_bare > 2).sum()}, worse "
        f"by more than two on {(over_bare < -2).sum()}. It is at least as good as the constant guess, within one "
        f"standard error, on {(over_constant >= -1).sum()}."
    )


if __name__ == "__main__":
    main()
