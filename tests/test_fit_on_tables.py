"""On real tables the chosen ensemble is as good as an unregularized network, or better, and never loses to a constant.

Beside others, and on all tables, docs/generalization.md has what it does.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from taut import load_sample
from taut.selection import fit_table

# Two tables of each task: binary, several classes, numbers.
SHARED = ("german_credit", "mammographic", "vowel", "soybean", "concrete_strength", "saratoga_houses")

MOST_ROWS = 1000  # enough to be told apart by


def check(frame: pd.DataFrame) -> None:
    shuffled = frame.sample(min(len(frame), MOST_ROWS), random_state=0).reset_index(drop=True)
    result = fit_table(shuffled, "target", effort="quick")
    chosen, _, unregularized, _, constant = result.entries
    # Not by the test rows: on one split of some hundred rows, a network that is sure of everything may be lucky.
    loss = result.metrics[0]
    assert chosen.cross_validated[loss][0] <= sum(unregularized.cross_validated[loss])
    assert constant.verdict == "better than"


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "digits", "diabetes"])
def test_chosen_ensemble_holds_up_on_the_sample_sets(name):
    check(load_sample(name)[0])


@pytest.mark.parametrize("name", SHARED)
def test_chosen_ensemble_holds_up_on_real_tables(name: str, shared_data: Path):
    check(pd.read_parquet(shared_data / f"{name}.parquet"))
