"""A frame says what the networks are: their answers in the plane, their weights with exact zeros, their losses."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.play.conftest import QUICK

from taut.play.course import Course
from taut.play.frame import GRID, UNIT_GRID, Viewer, rows_message
from taut.play.pair import COLUMNS
from taut.play.setting import Setting


def read(frame: bytes):
    """Return the head of a frame, the weights of both networks, their maps, and what their hidden units answer."""
    length = int.from_bytes(frame[:4], "little")
    head, place = json.loads(frame[4 : 4 + length]), 4 + length

    def take(shape, dtype):
        nonlocal place
        count = int(np.prod(shape))
        values = np.frombuffer(frame, dtype, count, place).reshape(shape)
        place += values.nbytes
        return values

    weights = [[take(layer["shown"], "<f4") for layer in layers] for layers in head["layers"]]
    maps = [take((2, GRID, GRID), np.uint8) for _ in head["layers"]]
    units = [[take((count, UNIT_GRID, UNIT_GRID), np.int8) for count in counts] for counts in head["units"]]
    assert place == len(frame)
    return head, weights, maps, units


@pytest.fixture
def snapshot(begin):
    session = begin({}, Course(Setting(**QUICK, l1=0.01)).at(60))
    session.wait_until_idle()
    return session.snapshot()


def networks(snapshot):
    recipe = snapshot.course.setting.recipe()
    return [recipe.build(2, 3, "classification", state=weights)[0] for weights in snapshot.weights]


def test_maps_are_the_answers_of_the_networks(snapshot):
    _, _, maps, _ = read(Viewer().frame(snapshot))
    grid = snapshot.rows.plane.grid(GRID)
    for network, shown in zip(networks(snapshot), maps, strict=True):
        outputs = network.predict(grid)
        odds = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        probability = 1 / odds.sum(axis=1)
        assert (shown[0].reshape(-1) == outputs.argmax(axis=1)).all()
        assert np.abs(shown[1].reshape(-1) / 255 - (probability - 1 / 3) * 1.5).max() < 1 / 255
    assert (maps[0][0] != maps[1][0]).any()


def test_weights_are_shown_with_their_biases_and_only_exact_zeros_as_zeros(snapshot):
    weights = [state.copy() for state in snapshot.weights]
    weights[0][:12] = [0.0, 1e-300, -1e-300, 0.5, -0.5, 0.0, 1, 2, 3, 4, 5, 6]
    head, shown, _, _ = read(Viewer().frame(replace(snapshot, weights=weights)))
    assert head["layers"][0][0] == {
        "shape": [2, 6],
        "shown": [3, 6],
        "zeros": 2,
        "largest": 6.0,
        "norm": pytest.approx(np.linalg.norm(weights[0][:12])),
    }
    assert (shown[0][0][:2].reshape(-1) == 0).tolist() == (weights[0][:12] == 0).tolist()
    assert np.allclose(shown[0][0][2], weights[0][12:18])
    assert head["layers"][1][0]["zeros"] == 0


def test_of_wide_layers_a_corner_is_shown_and_all_zeros_are_counted(begin):
    session = begin({}, Course(Setting(layers=(100, 80), samples=60, l1=0.1)).at(30))
    session.wait_until_idle()
    head, shown, _, _ = read(Viewer().frame(session.snapshot()))
    assert [layer["shown"] for layer in head["layers"][0]] == [[3, 64], [65, 64], [65, 3]]
    assert [weights.shape for weights in shown[0]] == [(3, 64), (65, 64), (65, 3)]
    assert head["units"][0] == [64, 64]
    assert head["layers"][0][1]["zeros"] > 64 * 64


def test_units_are_what_they_answer_and_the_silent_are_exactly_zero(snapshot):
    _, _, _, units = read(Viewer().frame(snapshot))
    grid = snapshot.rows.plane.grid(UNIT_GRID)
    for network, shown in zip(networks(snapshot), units, strict=True):
        hidden = network.layers[1].forward(
            network.layers[0].forward(grid, training=False, random=None), training=False, random=None
        )
        answers = hidden.T.reshape(6, UNIT_GRID, UNIT_GRID)
        assert np.abs(shown[0] / 127 - answers / answers.max()).max() < 1 / 127
        assert ((shown[0] == 0) == (answers == 0)).all()


def test_losses_come_once_and_the_last_of_them_exactly(begin):
    session, viewer = begin({}, Course(Setting(**QUICK))), Viewer()
    head, *_ = read(viewer.frame(session.snapshot()))
    assert (head["epochs"], head["fresh"], head["last"][0]["penalty"]) == ([], True, [])
    session.ask("step", epochs=3)
    session.wait_until_idle()
    head, *_ = read(viewer.frame(session.snapshot()))
    records = session.snapshot().records
    assert head["epochs"] == [1, 2, 3]
    assert [head["losses"][arm] for arm in (0, 1)] == [record.columns for record in records]
    session.ask("step", epochs=100)
    session.wait_until_idle()
    head, *_ = read(viewer.frame(session.snapshot()))
    assert (head["epochs"][-1], head["fresh"]) == (103, False)
    assert 20 < len(head["epochs"]) <= 40
    assert head["last"][0] == {name: records[0].columns[name][-1:] for name in COLUMNS}
    session.ask("reset")
    session.wait_until_idle()
    head, *_ = read(viewer.frame(session.snapshot()))
    assert (head["epoch"], head["fresh"]) == (0, True)


def test_loss_that_is_not_finite_is_nothing(snapshot):
    snapshot.records[0].columns["validation_data_loss"][-1] = float("inf")
    head, *_ = read(Viewer().frame(snapshot))
    assert head["last"][0]["validation_data_loss"] == [None]


def test_map_of_numbers_is_where_they_lie_among_those_learned_from(begin, people):
    setting = Setting(**people.knobs("amount", "all"), layers=(5,), samples=60)
    session = begin({people.fingerprint: people}, Course(setting).at(40))
    session.wait_until_idle()
    snapshot = session.snapshot()
    _, _, maps, _ = read(Viewer().frame(snapshot))
    rows = snapshot.rows
    network = setting.recipe().build(rows.x.shape[1], 1, "regression", state=snapshot.weights[0])[0]
    low, high = np.quantile(rows.y, [0.02, 0.98])
    place = np.clip((network.predict(rows.plane.grid(GRID))[:, 0] - low) / (high - low), 0, 1)
    assert np.abs(maps[0][0].reshape(-1) / 255 - place).max() < 1 / 255


def test_points_are_drawn_from_all_classes(snapshot):
    message = rows_message(snapshot.rows)
    assert set(message["held_target"]) == {0, 1, 2}
    assert len(message["held"]) == 200
    assert message["counts"] == [60, 600]
    assert message["chance"] == pytest.approx(np.log(3), abs=0.1)
