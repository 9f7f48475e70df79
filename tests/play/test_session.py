"""A run in a thread: repeated bit for bit, whatever was turned when; and its copied code repeats it too."""

from __future__ import annotations

import re
import runpy

import numpy as np
import pytest
from tests.play.conftest import PEOPLE, QUICK, until

from taut import Recipe, train
from taut.data import load_sample
from taut.play.course import MOST_EPOCHS, Course
from taut.play.pair import Pair
from taut.play.rows import source_of
from taut.play.setting import DATA_SETS, Setting
from taut.play.table import Table

TURNS = [
    {"l2": 0.01, "dropout": 0.2},
    {"samples": 90, "optimizer": "rmsprop", "learning_rate": 0.003},
    {"l1": [0.003, 0.0, 0.001], "label_noise": 0.3, "noise": 0.1},
    {"optimizer": "momentum", "batch_size": "all", "bias_l2": 0.01},
]


def played(begin, setting: Setting, tables=None):
    """Return a session that was played with: epochs, a turn, epochs, another turn, and so on."""
    session = begin(tables or {}, Course(setting))
    for turn in TURNS:
        session.ask("step", epochs=17)
        session.ask(
            "turn", knobs={name: value for name, value in turn.items() if setting.data != "table" or name != "noise"}
        )
    session.ask("step", epochs=5)
    session.wait_until_idle()
    assert (session.snapshot().epoch, len(session.snapshot().course.changes)) == (73, len(TURNS))
    return session


def said(session, what: str) -> str:
    session.ask(what)
    session.wait_until_idle()
    (reply,) = session.replies
    session.replies.clear()
    assert reply["type"] == what, reply
    return reply["text"]


def last_losses(session) -> list[tuple[float, ...]]:
    names = ("evaluation_data_loss", "penalty", "validation_data_loss")
    return [tuple(record.columns[name][-1] for name in names) for record in session.snapshot().records]


def printed_losses(code: str, tmp_path, capsys) -> list[tuple[float, ...]]:
    path = tmp_path / "copied.py"
    path.write_text(code, encoding="utf-8")
    runpy.run_path(str(path))
    out = capsys.readouterr().out
    return [tuple(map(float, re.findall(r"(?:loss|penalty) (\S+?),?(?=\s|$)", line))) for line in out.splitlines()]


def settings(people: Table) -> dict[str, Setting]:
    wine = Table("wine", load_sample("wine")[0], "load_sample('wine')", "target")
    few = {"layers": (6, 4), "samples": 60}
    drawn = {name: Setting(data=name, **QUICK) for name in DATA_SETS if name != "table"}
    return drawn | {
        "columns": Setting(**people.knobs("label"), **few),
        "projection": Setting(**people.knobs("label", "projection"), **few),
        "all": Setting(**people.knobs("amount", "all"), **few),
        "wine": Setting(**wine.knobs(), **few),
        "tables": {people.fingerprint: people, wine.fingerprint: wine},
    }


CASES = [*(name for name in DATA_SETS if name != "table"), "columns", "projection", "all", "wine"]


@pytest.mark.parametrize("case", CASES)
def test_copied_code_ends_with_the_same_losses_to_the_last_bit(case, people, begin, tmp_path, capsys, monkeypatch):
    (tmp_path / "people.csv").write_text(people.frame.to_csv(index=False), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    cases = settings(people)
    session = played(begin, cases[case], cases["tables"])
    assert printed_losses(said(session, "code"), tmp_path, capsys) == last_losses(session)


@pytest.mark.parametrize("case", CASES)
def test_address_repeats_the_run_to_the_last_bit(case, people, begin):
    cases = settings(people)
    session = played(begin, cases[case], cases["tables"])
    again = begin(cases["tables"], Course.from_address(said(session, "share")))
    again.wait_until_idle()
    first, second = session.snapshot(), again.snapshot()
    assert first.course == second.course
    assert all((one == other).all() for one, other in zip(first.weights, second.weights, strict=True))
    assert first.fingerprints == second.fingerprints
    assert [record.columns for record in first.records] == [record.columns for record in second.records]


def test_of_a_large_table_some_rows_are_drawn_and_copied_code_draws_the_same(begin, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("taut.play.rows.MOST_ROWS", 50)
    monkeypatch.setattr("taut.play.code.MOST_ROWS", 50)
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    people = Table.from_bytes("people.csv", PEOPLE.encode())
    session = begin({people.fingerprint: people}, Course(Setting(**people.knobs("label"), layers=(3,))).at(4))
    session.wait_until_idle()
    assert len(session.snapshot().rows.x) == 35
    assert printed_losses(said(session, "code"), tmp_path, capsys) == last_losses(session)


def test_run_that_trains_while_it_is_turned_is_repeated_to_the_last_bit(begin):
    session = begin({}, Course(Setting(**QUICK)))
    session.ask("run", speed=0)
    for count, knobs in enumerate(TURNS):
        until(lambda count=count: len(session.snapshot().course.changes) == count)
        reached = session.snapshot().epoch
        until(lambda reached=reached: session.snapshot().epoch > reached + 20)
        session.ask("turn", knobs=knobs)
    until(lambda: len(session.snapshot().course.changes) == len(TURNS))
    session.ask("pause")
    session.wait_until_idle()
    again = begin({}, session.snapshot().course)
    again.wait_until_idle()
    assert len(session.snapshot().course.changes) == len(TURNS)
    assert session.snapshot().fingerprints == again.snapshot().fingerprints


def test_optimizer_turned_to_and_fro_between_two_epochs_has_changed_nothing(begin, tmp_path, capsys):
    setting = Setting(**QUICK)
    session, straight = begin({}, Course(setting).at(9)), begin({}, Course(setting).at(18))
    session.wait_until_idle()
    for optimizer in ("sgd", "rmsprop", "adam"):
        session.ask("turn", knobs={"optimizer": optimizer})
    session.ask("step", epochs=9)
    for each in (session, straight):
        each.wait_until_idle()
    assert session.snapshot().fingerprints == straight.snapshot().fingerprints
    again = begin({}, session.snapshot().course)
    again.wait_until_idle()
    assert again.snapshot().fingerprints == session.snapshot().fingerprints
    assert printed_losses(said(session, "code"), tmp_path, capsys) == last_losses(session)


def test_weights_do_not_depend_on_how_epochs_are_divided():
    setting = Setting(**QUICK, dropout=0.2)
    rows = source_of(setting, None).rows(setting)
    whole, pieces = Pair(setting, rows), Pair(setting, rows)
    whole.advance(30)
    for epochs in (1, 2, 20, 7):
        pieces.advance(epochs)
    assert all((one == other).all() for one, other in zip(whole.weights(), pieces.weights(), strict=True))


def test_both_networks_start_from_the_same_weights_and_only_one_is_penalized(begin):
    session = begin({}, Course(Setting(**QUICK, l1=0.01, dropout=0.3)))
    start = session.snapshot()
    assert start.fingerprints[0] == start.fingerprints[1]
    session.ask("step", epochs=3)
    session.wait_until_idle()
    regularized, unregularized = session.snapshot().records
    assert min(regularized.columns["penalty"]) > 0
    assert set(unregularized.columns["penalty"]) == {0.0}


def test_recipe_trains_the_regularized_network_to_the_last_bit(begin):
    session = begin({}, Course(Setting(**QUICK, dropout=0.1)).at(12))
    session.wait_until_idle()
    recipe, rows = Recipe.from_toml(said(session, "recipe")), session.snapshot().rows
    network, loss, optimizer = recipe.build(2, 3, "classification")
    batch = recipe.batch_rows(len(rows.x))
    train(
        network,
        rows.x,
        rows.y,
        loss=loss,
        optimizer=optimizer,
        epochs=recipe.epochs,
        batch_size=batch,
        seed=recipe.seed,
    )
    assert (network.state == session.snapshot().weights[0]).all()


def test_recipe_of_a_run_whose_knobs_were_turned_says_so(begin):
    session = played(begin, Setting(**QUICK))
    assert "turned on the way" in said(session, "recipe")


def test_code_of_a_knob_turned_since_the_last_epoch_repeats_what_was_trained(begin, tmp_path, capsys):
    session = begin({}, Course(Setting(**QUICK)).at(9))
    session.ask("turn", knobs={"samples": 90})
    assert printed_losses(said(session, "code"), tmp_path, capsys) == last_losses(session)


def test_nothing_to_copy_before_the_first_epoch(begin):
    session = begin({}, Course(Setting(**QUICK)))
    session.ask("code")
    session.wait_until_idle()
    assert session.replies.pop()["text"] == "there is nothing to repeat yet; train some epochs first"


def test_diverging_run_stops_before_the_epoch_that_fails_and_says_so(begin):
    setting = Setting(**QUICK, optimizer="sgd", learning_rate=10, activation="identity", data="moons", l2=1)
    session = begin({}, Course(setting))
    session.ask("run", speed=0)
    session.wait_until_idle()
    snapshot, reply = session.snapshot(), session.replies.pop()
    assert reply["type"] == "error"
    assert f"in epoch {snapshot.epoch}; lower the learning rate" in reply["text"]
    assert all(np.isfinite(weights).all() for weights in snapshot.weights)
    assert [len(record) for record in snapshot.records] == [snapshot.epoch] * 2
    again = begin({}, snapshot.course)
    again.wait_until_idle()
    assert again.snapshot().fingerprints == snapshot.fingerprints


def test_knob_that_cannot_be_turned_is_refused_and_the_run_stays(begin):
    session = begin({}, Course(Setting(**QUICK)).at(4))
    session.wait_until_idle()
    before = session.snapshot().fingerprints
    for knobs in ({"l2": -1}, {"knob": 1}, {"layers": [4]}, {"data": "table", "table": "x", "target": "y"}):
        session.ask("turn", knobs=knobs)
    session.wait_until_idle()
    assert [reply["type"] for reply in session.replies] == ["error"] * 4
    assert session.snapshot().fingerprints == before


def test_session_that_cannot_begin_with_its_course_begins_with_the_usual_one(begin):
    session = begin({}, Course(Setting(data="table", table="0" * 16, target="y")))
    assert session.snapshot().course == Course()
    assert "load its file again" in session.replies[0]["text"]


def test_run_keeps_its_table_when_it_is_given_up_elsewhere(people, begin):
    tables = {people.fingerprint: people}
    session = begin(tables, Course(Setting(**people.knobs("label"), **QUICK)).at(2))
    session.wait_until_idle()
    tables.clear()
    assert "read_table('people.csv')" in said(session, "code")
    session.ask("turn", knobs={"seed": 3})
    session.ask("step", epochs=2)
    session.wait_until_idle()
    assert (session.snapshot().epoch, session.snapshot().course.start.seed, list(session.replies)) == (2, 3, [])


def test_layers_turned_while_it_trains_begin_anew_and_it_goes_on_training(begin):
    session = begin({}, Course(Setting(**QUICK)))
    session.ask("run", speed=0)
    until(lambda: session.snapshot().epoch > 50)
    session.ask("turn", knobs={"layers": [5, 5]})
    until(lambda: session.snapshot().course.start.layers == (5, 5) and session.snapshot().epoch > 10)
    assert session.snapshot().is_running


def test_pause_ends_a_repetition_and_the_course_is_as_far_as_it_came(begin):
    session = begin({}, Course(Setting(layers=(64, 64))).at(MOST_EPOCHS))
    until(lambda: session.snapshot().epoch > 0)
    session.ask("pause")
    session.wait_until_idle()
    snapshot = session.snapshot()
    assert 0 < snapshot.epoch < MOST_EPOCHS
    assert not snapshot.is_running


def test_slow_speed_makes_few_epochs_and_is_left_at_once(begin):
    session = begin({}, Course(Setting(**QUICK)))
    session.ask("run", speed=0.001)
    until(lambda: session.snapshot().epoch == 1)
    session.ask("share")
    until(lambda: session.replies)
    assert (session.snapshot().epoch, session.snapshot().is_running) == (1, True)
    session.ask("run", speed=0)
    until(lambda: session.snapshot().epoch > 200)


def test_closed_session_trains_no_more(begin):
    session = begin({}, Course(Setting(**QUICK)))
    session.ask("run", speed=0)
    until(lambda: session.snapshot().epoch > 10)
    session.close()
    assert not session._thread.is_alive()
