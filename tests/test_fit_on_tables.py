"""On real tables the chosen network is as good as the unregularized one, or better, and never loses to a constant."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from taut import load_sample
from taut.selection import FitResult, fit_table

# Two tables of each task: binary, several classes, numbers.
SHARED = ("german_credit", "mammographic", "vowel", "soybean", "concrete_strength", "saratoga_houses")


def check(result: FitResult) -> None:
    chosen, unregularized, _, constant = result.entries
    value, error = chosen.test[result.metrics[0]]
    assert value <= unregularized.test[result.metrics[0]][0] + error
    assert constant.margin[0] >= 0


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "digits", "diabetes"])
def test_chosen_network_holds_up_on_the_sample_sets(name):
    frame, target = load_sample(name)
    if len(frame) > 1000:
        frame = frame.sample(1000, random_state=0)
    check(fit_table(frame, target, cv=4, n_jobs=1))


@pytest.mark.parametrize("name", SHARED)
def test_chosen_network_holds_up_on_real_tables(name: str, shared_data: Path):
    frame = pd.read_parquet(shared_data / f"{name}.parquet")
    if len(frame) > 1000:
        frame = frame.sample(1000, random_state=0)
    check(fit_table(frame, "target", cv=4, n_jobs=1))
