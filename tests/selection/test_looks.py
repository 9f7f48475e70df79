"""`Looks`: the same rows are known again in any order, other rows are not, and what was looked at is said."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from taut import InvalidType, InvalidValue
from taut.selection.looks import Looks
from taut.storage.documents import read_document, write_document

ROWS = 40


def table() -> pd.DataFrame:
    """Return a table with a column of every kind, gaps among them, and one that mixes kinds."""
    random = np.random.default_rng(5)
    mixed: list[object] = [
        ("a", 1, 2.5, None, True, np.nan, pd.Timestamp("2024-01-01"))[row % 7] for row in range(ROWS)
    ]
    return pd.DataFrame(
        {
            "number": np.where(random.random(ROWS) < 0.2, np.nan, random.normal(size=ROWS)),
            "count": random.integers(0, 5, ROWS),
            "word": random.choice(["red", "grün", None], ROWS),
            "category": pd.Categorical(random.choice(["low", "high"], ROWS), categories=["low", "high", "never"]),
            "object": pd.Series(random.choice(["x", None], ROWS), dtype=object),
            "mixed": pd.Series(mixed, dtype=object),
            "nullable": pd.array([None if row % 6 == 0 else row for row in range(ROWS)], dtype="Int64"),
            "day": pd.date_range("2024-01-01", periods=ROWS),
            "yes": random.random(ROWS) < 0.5,
            "y": random.choice(["no", "yes"], ROWS),
        }
    )


def looks(frame: pd.DataFrame, *, test: slice = slice(30, None)) -> Looks:
    return Looks.first(frame.iloc[test], frame)


# -------------------------------------------------------------------------------------------------- the same rows again


def test_first_look_counts_one_and_has_nothing_to_say():
    first = looks(table())
    assert (first.count, first.moved, first.n_test) == (1, False, 10)
    assert first.sentence() == ""
    assert first.after(None) == first
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in (first.test_hash, first.table_hash))
    assert first.test_hash != first.table_hash


def test_order_of_rows_and_columns_and_the_index_do_not_matter():
    frame = table()
    order = np.random.default_rng(0).permutation(10)
    test = frame.iloc[30:]
    shuffled = test.iloc[order][test.columns[::-1]]
    renumbered = shuffled.reset_index(drop=True)
    by_name = shuffled.set_axis([f"row {row}" for row in range(10)])
    whole = frame.sample(frac=1, random_state=1)[frame.columns[::-1]]
    for again in (shuffled, renumbered, by_name):
        assert Looks.first(again, whole) == looks(frame)


def test_a_category_is_the_word_that_it_stands_for():
    frame = table()
    words = frame.assign(category=frame["category"].astype(object), word=frame["word"].astype("category"))
    assert looks(words) == looks(frame)
    assert looks(frame.assign(category=frame["category"].cat.reorder_categories(["never", "high", "low"]))) == looks(
        frame
    )


@pytest.mark.parametrize("column", table().columns)
def test_a_changed_cell_is_another_table(column):
    frame, other = table(), table()
    row, *others = range(30, ROWS)
    cells = other[column].astype(object)
    other.iloc[row, other.columns.get_loc(column)] = next(
        cells.iloc[there] for there in others if str(cells.iloc[there]) != str(cells.iloc[row])
    )
    assert str(other[column].iloc[30]) != str(frame[column].iloc[30])
    assert looks(other).test_hash != looks(frame).test_hash
    assert looks(other).table_hash != looks(frame).table_hash
    assert looks(other, test=slice(31, None)).test_hash == looks(frame, test=slice(31, None)).test_hash


def test_a_gap_is_not_the_value_that_it_is_missing():
    frame = table()
    for column in ("number", "word", "category", "object", "nullable", "day"):
        other = table()
        row = int(np.flatnonzero(frame[column].notna())[-1])
        other.iloc[row, other.columns.get_loc(column)] = None
        assert looks(other).table_hash != looks(frame).table_hash


def test_gaps_of_all_kinds_are_gaps():
    frame = pd.DataFrame({"cell": pd.Series(["a", None, "b"], dtype=object), "y": [1, 2, 3]})
    for gap in (np.nan, pd.NA, pd.NaT):
        other = frame.assign(cell=pd.Series(["a", gap, "b"], dtype=object))
        assert looks(other, test=slice(1, None)) == looks(frame, test=slice(1, None))


def test_cells_that_change_places_are_another_table():
    frame = table()
    swapped = frame.assign(number=frame["count"].astype(float), count=frame["number"])
    assert looks(swapped).test_hash != looks(frame).test_hash
    turned = frame.assign(y=frame["y"].to_numpy()[::-1])
    assert sorted(turned["y"]) == sorted(frame["y"])
    assert looks(turned).table_hash != looks(frame).table_hash


def test_what_is_equal_but_of_another_kind_does_not_depend_on_the_order():
    frame = pd.DataFrame({"cell": pd.Series([True, 1, 1.0, "1", 0, False], dtype=object), "y": range(6)})
    assert looks(frame[::-1], test=slice(0, 3)) == looks(frame, test=slice(3, None))


def test_rows_that_stand_twice_count_twice():
    frame = table()
    once, twice = frame.iloc[30:], pd.concat([frame.iloc[30:], frame.iloc[30:32]])
    assert Looks.first(once, frame).test_hash != Looks.first(twice, frame).test_hash


def test_columns_may_have_any_names_and_cells_anything():
    frame = pd.DataFrame({3: [1, 2], "3": [8, 9], "a": [[1], [2, 3]], ("b", 1): [{"x": 1}, None], None: [(1, 2), 5]})
    assert looks(frame, test=slice(1, None)) == looks(frame[frame.columns[::-1]], test=slice(1, None))
    changed = frame.assign(a=pd.Series([[1], [2, 4]]))
    assert looks(changed, test=slice(1, None)).test_hash != looks(frame, test=slice(1, None)).test_hash


def test_hash_is_the_same_in_every_process_and_version():
    frame = pd.DataFrame({"age": [20, 30, 40], "city": ["Bern", None, "Oslo"], "paid": [True, False, True]})
    found = Looks.first(frame[1:], frame)
    assert (found.test_hash[:16], found.table_hash[:16]) == ("271aac3513222618", "ae93c882298b1607")


# ---------------------------------------------------------------------------------------------- one fit after another


def test_every_further_look_at_the_same_rows_counts():
    now = looks(table())
    for count in (2, 3, 4):
        now = looks(table()).after(now.to_dict())
        assert (now.count, now.moved) == (count, False)


def test_same_test_rows_are_counted_though_others_train():
    frame, more = table(), pd.concat([table(), table().iloc[:5]])
    now = Looks.first(frame.iloc[30:], more).after(looks(frame).to_dict())
    assert (now.count, now.moved) == (2, False)
    assert now.table_hash == Looks.first(frame.iloc[30:], more).table_hash


def test_other_test_rows_of_the_same_table_have_moved_and_stay_so():
    frame = table()
    moved = looks(frame, test=slice(0, 10)).after(looks(frame).to_dict())
    assert (moved.count, moved.moved) == (1, True)
    again = looks(frame, test=slice(0, 10)).after(moved.to_dict())
    assert (again.count, again.moved) == (2, True)
    back = looks(frame).after(again.to_dict())
    assert (back.count, back.moved) == (1, True)


def test_another_table_begins_anew():
    frame = table()
    other = frame.assign(number=frame["number"] + 1.0)
    before = looks(frame, test=slice(0, 10)).after(looks(frame).to_dict())
    assert looks(other).after(before.to_dict()) == looks(other)


# ------------------------------------------------------------------------------------------------------------ sentences


REASONS = {
    (114, 2, False): "These 114 test rows have now been scored twice for this model file",
    (114, 3, False): "These 114 test rows have now been scored 3 times for this model file",
    (1, 3, False): "This test row has now been scored 3 times for this model file",
    (114, 1, True): "These 114 test rows were part of an earlier fit for this model file, which divided the same table "
    "otherwise",
    (
        1,
        1,
        True,
    ): "This test row was part of an earlier fit for this model file, which divided the same table otherwise",
    (9, 5, True): "These 9 test rows have now been scored 5 times for this model file",
}


@pytest.mark.parametrize(("n_test", "count", "moved"), REASONS)
def test_sentence_says_why_the_score_flatters(n_test, count, moved):
    their = "its" if n_test == 1 else "their"
    effect = f"whoever changed settings in between chose with {their} help, and the score flatters."
    found = Looks("0" * 64, "1" * 64, n_test, count, moved).sentence()
    assert found == f"{REASONS[n_test, count, moved]}: {effect}"


# --------------------------------------------------------------------------------------------- what is read from a file


def test_looks_come_back_from_json_and_from_a_model_file():
    now = looks(table(), test=slice(0, 10)).after(looks(table()).to_dict())
    assert Looks.from_dict(json.loads(json.dumps(now.to_dict()))) == now
    assert Looks.from_dict(read_document(write_document({"looks": now.to_dict()}), "summary.json")["looks"]) == now


GOOD = {"test_hash": "0" * 64, "table_hash": "1" * 64, "n_test": 10, "count": 2, "moved": False}
JUNK = {
    "nothing": None,
    "a number": 3,
    "a list": [1, 2],
    "an empty mapping": {},
    "a field too few": {name: value for name, value in GOOD.items() if name != "moved"},
    "a field too many": GOOD | {"harm": 1},
    "a field that is no word": {**GOOD, 3: 4},
    "a hash that is a number": GOOD | {"test_hash": 3},
    "a hash that is too short": GOOD | {"test_hash": "0" * 63},
    "a hash with a line break": GOOD | {"table_hash": "1" * 64 + "\n"},
    "a hash that is none": GOOD | {"table_hash": "g" * 64},
    "a count of zero": GOOD | {"count": 0},
    "a count that is too large": GOOD | {"count": 10**9 + 1},
    "a count that no float can hold": GOOD | {"count": 10**4000},
    "a count that is a fraction": GOOD | {"count": 1.5},
    "a count that is a flag": GOOD | {"count": True},
    "a count that is no number": GOOD | {"count": float("nan")},
    "no rows": GOOD | {"n_test": 0},
    "rows that are a word": GOOD | {"n_test": "10"},
    "a move that is a number": GOOD | {"moved": 1},
}


@pytest.mark.parametrize("case", JUNK)
def test_junk_is_refused_in_one_line_and_counts_as_no_earlier_look(case):
    with pytest.raises((InvalidType, InvalidValue)) as caught:
        Looks.from_dict(JUNK[case])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    now = looks(table())
    assert now.after(JUNK[case]) == now


def test_what_is_not_junk_is_taken():
    assert Looks.from_dict(GOOD).to_dict() == GOOD


def test_the_largest_count_stays_one_that_can_be_read():
    now = looks(table())
    most = now.after(now.to_dict() | {"count": 10**9})
    assert most.count == 10**9
    assert Looks.from_dict(most.to_dict()) == most
