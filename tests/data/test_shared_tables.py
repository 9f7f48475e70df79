"""Every shared table encodes, says what it did, holds up under cross-validation, and returns from storage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io

from taut.data.columns import TRUSTED_TYPES, TableEncoder
from taut.data.reading import read_table
from taut.data.splits import folds, hold_out
from taut.data.targets import ClassTargets, NumberTargets, infer_task

TABLES = (
    *("auto_mpg", "beps_vote", "bfi_gender", "bikeshare", "boston_housing", "breast_cancer_wdbc", "concrete_strength"),
    *("cox2_qsar", "cran_check_times", "credit_scoring", "diabetes_progression", "dutch_growth_weight", "email_spam"),
    *("german_credit", "hotel_rates", "income_esl", "kershaw_pitch_type", "mammographic", "olive_area", "saheart"),
    *("saratoga_houses", "segment", "soybean", "stackoverflow_salary", "tecator_fat", "texture", "titanic", "vowel"),
)


@pytest.mark.parametrize("name", TABLES)
def test_shared_table_encodes(shared_data, name):
    frame = read_table(shared_data / f"{name}.parquet")
    target = frame.pop("target")
    task = infer_task(target)
    assert task == ("classification" if isinstance(target.dtype, pd.CategoricalDtype) else "regression")
    targets = ClassTargets() if task == "classification" else NumberTargets()
    np.testing.assert_array_equal(
        np.round(targets.fit(target).decode(targets.encode(target)), 6)
        if task == "regression"
        else targets.fit(target).decode(targets.encode(target)),
        np.round(target, 6) if task == "regression" else target,
    )
    train, test = hold_out(frame, target, task=task)
    encoder = TableEncoder().fit(frame.iloc[train])
    matrix = encoder.transform(frame.iloc[test])
    assert np.isfinite(matrix).all()
    assert matrix.shape == (len(test), sum(column.n_outputs for column in encoder.schema_))
    fitted = encoder.transform(frame.iloc[train])
    assert (fitted.std(axis=0) > 0).all()
    # Nothing is lost: each column has outputs or varies in no training row.
    for column in encoder.schema_:
        assert column.n_outputs or frame[column.name].iloc[train].nunique(dropna=False) == 1
    again = skops.io.loads(skops.io.dumps(encoder), trusted=list(TRUSTED_TYPES))
    np.testing.assert_array_equal(again.transform(frame.iloc[test]), matrix)
    assert len(folds(target, task=task)) == 5


@pytest.mark.parametrize("name", ["credit_scoring", "soybean", "titanic", "hotel_rates"])
def test_shared_table_encodes_the_same_from_csv(shared_data, name, tmp_path):
    frame = read_table(shared_data / f"{name}.parquet").drop(columns="target")
    frame.to_csv(tmp_path / "table.csv", index=False)
    encoder = TableEncoder().fit(frame)
    np.testing.assert_allclose(
        encoder.transform(read_table(tmp_path / "table.csv")), encoder.transform(frame), atol=1e-9
    )
