"""History: a mapping of columns, as a frame, as JSON, as a picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.training.problems import classes, network

from taut import History, InvalidValue, train


@pytest.fixture(scope="module")
def history():
    return train(network(), *classes(), epochs=3, validation=classes(20, 1), evaluate_training=False)


def test_columns_are_arrays_of_one_value_an_epoch(history):
    assert all(history[name].shape == (3,) for name in history)
    assert "loss" in history
    assert len(history) == len(list(history)) == len(history.last())
    assert history.last()["loss"] == history["loss"][-1]
    history["loss"][0] = 99.0  # a copy
    assert history["loss"][0] != 99.0


def test_unknown_column_is_refused_with_the_known_ones(history):
    with pytest.raises(KeyError, match="'lose'; the columns are epoch, loss, data_loss"):
        history["lose"]


def test_frame_holds_the_same(history):
    frame = history.to_frame()
    assert list(frame.columns) == list(history)
    for name in history:
        np.testing.assert_array_equal(frame[name], history[name])


def test_json_brings_it_back(history):
    text = json.dumps(history.to_dict(), allow_nan=False)
    back = History.from_dict(json.loads(text))
    assert list(back) == list(history)
    for name in history:
        np.testing.assert_array_equal(back[name], history[name])
    assert (back.stopped, back.best_epoch, back.metric_name) == ("epochs", None, "accuracy")
    assert repr(back) == repr(history)


def test_representation_shows_the_loss_in_two_parts(history):
    row = history.last()
    assert f"= data loss {row['data_loss']:.4g} + penalty {row['penalty']:.4g}" in repr(history)
    assert "validation data loss" in repr(history)
    assert "stopped: epochs" in repr(history)


def test_rows_have_the_same_columns(history):
    with pytest.raises(InvalidValue, match="a history row needs the columns epoch, loss"):
        history.append({"epoch": 3.0})


@pytest.mark.parametrize(
    "values",
    [
        {},
        None,
        5,
        {"metric_name": "accuracy"},
        {"metric_name": "r2", "stopped": "epochs", "best_epoch": None, "columns": 3},
        {"metric_name": "r2", "stopped": "epochs", "best_epoch": None, "columns": {"loss": 3}},
        {"metric_name": "r2", "stopped": "epochs", "best_epoch": None, "columns": {"loss": ["a"]}},
        {"metric_name": "r2", "stopped": "epochs", "best_epoch": "x", "columns": {}},
        {"metric_name": "r2", "stopped": "epochs", "best_epoch": None, "columns": {"a": [1], "b": []}},
        {"metric_name": "r2", "stopped": "epochs", "best_epoch": None, "columns": {"a": [10**400]}},
    ],
)
def test_what_is_no_history_is_refused_in_one_line(values):
    with pytest.raises(InvalidValue) as caught:
        History.from_dict(values)
    assert "\n" not in str(caught.value)
