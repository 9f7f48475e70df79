"""Files of format 1, stored when it was new: every later version opens them and predicts the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.storage.make_golden_file import golden_frame

from taut import Network, TautClassifier
from taut.network import GELU, L1, L2, Dense, Dropout, GroupL1
from taut.storage import inspect, load

FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def expected():
    return json.loads((FOLDER / "golden_format_1.json").read_text(encoding="utf-8"))


def test_classifier_of_format_1_opens_and_predicts_what_it_did(expected):
    classifier = load(FOLDER / "golden_format_1.taut")
    assert isinstance(classifier, TautClassifier)
    assert classifier.classes_.tolist() == expected["classes"]
    # Other machines sum in another order.
    np.testing.assert_allclose(classifier.predict_proba(golden_frame()), expected["probabilities"], rtol=1e-9)
    assert classifier.get_params()["class_weight"] == {"low": 2.0}
    assert classifier.recipe_.hidden_layer_sizes == (5, 4)
    assert classifier.n_iter_ == 5


def test_classifier_of_format_1_can_be_inspected():
    info = inspect(FOLDER / "golden_format_1.taut")
    assert (info.kind, info.task, info.format, info.versions["taut"]) == ("classifier", "classification", 1, "0.1.0")
    assert [column.kind for column in info.columns] == [
        "number",
        "number",
        "category",
        "boolean",
        "date",
        "number",
        "constant",
        "identifier",
    ]
    assert info.summary["scores"]["accuracy"] == 0.75
    assert np.isnan(info.summary["scores"]["unknown"])


def test_network_of_format_1_opens_with_its_penalties(expected):
    network = load(FOLDER / "golden_network_format_1.taut")
    assert isinstance(network, Network)
    dense, gelu, dropout, _ = network.layers
    assert isinstance(dense, Dense)
    assert dense.weight_penalty.parts == (L1(0.1), L2(0.2), GroupL1(0.3, by="unit"))
    assert isinstance(gelu, GELU)
    assert isinstance(dropout, Dropout)
    assert dropout.rate == 0.25
    np.testing.assert_allclose(network.predict(np.eye(3)), expected["outputs"], rtol=1e-5)
