"""What a column is taken for, over many ways to write one; and how its reader understands later rows."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from taut.data.kinds import CategoryReader, DateReader, NumberReader, Unused, choose_reader, group_rare

N = 40
DAYS = pd.Series(pd.date_range("2020-01-05", periods=N, freq="13h"))
DATES = DAYS.dt.normalize()
RANDOM = np.random.default_rng(0)

NUMBERS = {
    "floats": RANDOM.normal(size=N),
    "unique floats named id": np.arange(N) * 1.0,
    "few integers": np.arange(N) % 3,
    "unique integers": RANDOM.permutation(N),
    "integers on a grid": np.arange(N) * 5 + 20,
    "years": np.arange(N) + 1980,
    "money behind": ["9.13 €", "50 €", "1,250.5€", "-3 €"] * 10,
    "thin spaces": ["50 125", "1\u2009234.5", "1\u00a0234\u202f567", "7"] * 10,
    "decimal comma of an eighth": ["0,125", "0,250"] * 20,
    "nullable": pd.array([1, None, 3, 4] * 10, dtype="Int64"),
    "arrow": pd.array([1, None, 3, 4] * 10, dtype="float64[pyarrow]"),
    "sparse": pd.arrays.SparseArray(np.arange(N) * 1.0),
    "objects": [1, 2.5, None, 4] * 10,
    "decimals": [Decimal(i) / 8 for i in range(N)],
    "durations": pd.to_timedelta(np.arange(N), unit="h"),
    "text": ["1", "2.5", "-3e2", ".5"] * 10,
    "text with gaps": ["1", "n/a", "2.5", "?"] * 10,
    "grouped": ["1,234", "1,234,567", "7", "0"] * 10,
    "per cent": ["12 %", "7%", "100%", "0.5 %"] * 10,
    "money": ["$1,200", "$7", "-$3.50", "$0"] * 10,
    "decimal comma": ["1,5", "2,75", "1.234,5", "8"] * 10,
    "mixed": [1, "2", 3.5, None] * 10,
}
CATEGORIES = {
    "words": ["a", "b", None, "c"] * 10,
    "categorical numbers": pd.Categorical([3, 1, 2, 1] * 10),
    "post codes": ["01234", "12345", "01235", "99999"] * 10,
    "one value and gaps": [3.0, None] * 20,
    "mixed": [1, "a", 2.5, None] * 10,
    "versions": ["1.2.3", "1.2.4"] * 20,
    "clock": ["12:30", "13:45"] * 20,
    "tuples": [(1, 2), (3, 4)] * 20,
    "intervals": pd.cut(np.arange(N), 4),
    "bytes": [b"a", b"b"] * 20,
    "some numbers": ["1", "2", "many", "3"] * 10,
    "unique but few": [f"w{i}" for i in range(20)],
}
BOOLEANS = {
    "bool": np.arange(N) % 2 == 0,
    "nullable": pd.array([True, None, False, True] * 10, dtype="boolean"),
    "objects": pd.Series([True, None, False, True] * 10, dtype=object),
    "text": ["TRUE", "false", "True", None] * 10,
}
DATE_COLUMNS = {
    "datetimes": DAYS,
    "zoned": DAYS.dt.tz_localize("Europe/Berlin"),
    "arrow": DAYS.astype("timestamp[us][pyarrow]"),
    "arrow days": pd.array([d.date() for d in DATES], dtype="date32[day][pyarrow]"),
    "python dates": [d.date() for d in DATES],
    "periods": pd.period_range("2020-01", periods=N, freq="M"),
    "iso": DATES.dt.strftime("%Y-%m-%d"),
    "iso with time": DAYS.dt.strftime("%Y-%m-%dT%H:%M:%S"),
    "iso with offsets": [f"2020-01-{i % 28 + 1:02}T12:00:00+0{i % 3}:00" for i in range(N)],
    "american": DATES.dt.strftime("%m/%d/%Y"),
    "british": DATES.dt.strftime("%d/%m/%Y"),
    "german": DAYS.dt.strftime("%d.%m.%Y %H:%M"),
    "words": DATES.dt.strftime("%d %b %Y"),
    "far": ["9999-12-31", "2020-01-01"] * 20,
    "with gaps": DATES.dt.strftime("%Y-%m-%d").where(np.arange(N) % 3 > 0),
}


def cases(columns):
    return pytest.mark.parametrize("column", columns.values(), ids=columns)


@cases(NUMBERS)
def test_numbers_are_numbers(column):
    reader = choose_reader("id" if column is NUMBERS["unique floats named id"] else "c", pd.Series(column))
    assert isinstance(reader, NumberReader)


@cases(CATEGORIES)
def test_categories_are_categories(column):
    reader = choose_reader("c", pd.Series(column))
    assert isinstance(reader, CategoryReader)
    assert not reader.boolean


@cases(BOOLEANS)
def test_booleans_are_booleans_and_read_however_they_are_written(column):
    reader = choose_reader("c", pd.Series(column))
    assert isinstance(reader, CategoryReader)
    assert reader.boolean
    later = pd.Series([True, "false", 1, "0", 1.0, "maybe"], dtype=object)
    assert reader.read(later)[:, 0].tolist() == [1, 0, 1, 0, 1, -1]


@cases(DATE_COLUMNS)
def test_dates_are_dates(column):
    reader = choose_reader("c", pd.Series(column))
    assert isinstance(reader, DateReader)
    values = reader.read(pd.Series(column))
    assert np.isnan(values[:, 0]).tolist() == pd.Series(column).isna().tolist()


@pytest.mark.parametrize("name", ["american", "british", "iso", "python dates", "words", "datetimes", "arrow days"])
def test_a_date_means_the_same_however_it_is_written(name):
    reader = choose_reader("c", pd.Series(DATE_COLUMNS[name]))
    expected = (DAYS if name == "datetimes" else DATES).astype("datetime64[s]").astype("int64") / 86400
    np.testing.assert_allclose(reader.read(pd.Series(DATE_COLUMNS[name]))[:, 0], expected)
    later = reader.read(pd.Series([datetime.date(1970, 1, 2), None]))
    assert later[0, 0] == 1
    assert np.isnan(later[1]).all()


def test_times_are_told_in_the_zone_of_training():
    reader = choose_reader("c", pd.Series(DATE_COLUMNS["zoned"]))
    elsewhere = pd.Series(DATE_COLUMNS["zoned"]).dt.tz_convert("Asia/Tokyo")
    np.testing.assert_array_equal(reader.read(elsewhere), reader.read(pd.Series(DATE_COLUMNS["zoned"])))


def test_the_calendar_goes_in_circles():
    reader = DateReader("c", "dates", "", ("month", "weekday", "hour"))
    dates = pd.Series(pd.to_datetime(["2024-01-01 06:00", "2024-04-04 18:00"]))  # a Monday, a Thursday
    read = reader.read(dates)
    np.testing.assert_allclose(read[0, 1:], [0, 1, 0, 1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(read[1, 1:3], [1, 0], atol=1e-12)
    np.testing.assert_allclose(read[1, 5:], [-1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "column", "kind"),
    [
        ("c", [f"u{i}" for i in range(N)], "identifier"),
        ("c", pd.Categorical([f"u{i}" for i in range(N)]), "identifier"),
        ("c", [3] * N, "constant"),
        ("c", ["a"] * N, "constant"),
        ("c", [True] * N, "constant"),
        ("c", [pd.Timestamp("2020-01-01")] * N, "constant"),
        ("c", [None] * N, "empty"),
        ("c", [""] * N, "empty"),
        ("c", pd.array([None] * N, dtype="Int64"), "empty"),
        *[(name, RANDOM.permutation(900)[:N], "identifier") for name in
          ("id", "ID", "PassengerId", "customer_id", "Unnamed: 0", "rownames", "userID", "index")],
    ],
)  # fmt: skip
def test_columns_without_a_lesson_are_left_out(name, column, kind):
    unused = choose_reader(name, pd.Series(column))
    assert isinstance(unused, Unused)
    assert unused.kind == kind


@pytest.mark.parametrize("name", ["grid", "paid", "humid", "house price index", "idle", "Covid", "x"])
def test_unique_integers_are_numbers_unless_their_name_says_otherwise(name):
    assert isinstance(choose_reader(name, pd.Series(RANDOM.permutation(N))), NumberReader)


def test_identifiers_need_many_rows():
    assert isinstance(choose_reader("id", pd.Series(range(20))), NumberReader)
    assert isinstance(choose_reader("id", pd.Series([1, 1, 1, 1, *range(4, N)])), NumberReader)


@pytest.mark.parametrize(
    "name", ["id", "Kundennummer", "KundenNr", "customer no", "order_number", "zip_code", "OrderKey", "Nr."]
)
def test_integers_called_a_number_of_something_are_identifiers_even_if_some_rows_came_twice(name):
    numbers = np.append(RANDOM.permutation(900)[: N - 1] + 10_000, 10_000)
    numbers[-1] = numbers[0]
    unused = choose_reader(name, pd.Series(numbers))
    assert isinstance(unused, Unused)
    assert unused.kind == "identifier"
    assert isinstance(choose_reader(name, pd.Series(numbers % 9)), NumberReader)
    words = choose_reader(name, pd.Series([f"u{number}" for number in numbers]))
    assert isinstance(words, Unused)


@pytest.mark.parametrize("first", [0, 1])
def test_numbers_that_count_the_rows_of_the_file_are_identifiers_after_splitting_too(first):
    series = pd.Series(np.arange(100) + first).sample(N, random_state=1)
    assert isinstance(choose_reader("Teilnehmer", series), Unused)
    assert isinstance(choose_reader("Teilnehmer", series, alone=True), NumberReader)
    assert isinstance(choose_reader("Teilnehmer", series.reset_index(drop=True)), NumberReader)
    for name in ("x", "t", "x0", "month", "time step", "day_of_year"):
        assert isinstance(choose_reader(name, series), NumberReader), name


def test_sentences_are_called_text():
    notes = pd.Series([f"the customer called {number} times and was not pleased" for number in range(N)])
    unused = choose_reader("note", notes)
    assert isinstance(unused, Unused)
    assert unused.reason == "left out: free text, different in every row"
    assert choose_reader("name", pd.Series([f"Anna {number}" for number in range(N)])).reason == (
        "left out: it is different in every row"
    )


def test_levels_that_differ_only_by_case_are_one_where_training_had_one():
    reader = choose_reader("c", pd.Series(["ja", "nein", "Nein"] * 20))
    assert reader.levels == ("Nein", "ja", "nein")
    assert reader.read(pd.Series(["JA", " Ja ", "NEIN", "nein", "Nein"]))[:, 0].tolist() == [1, 1, -1, 2, 0]


def test_a_rare_level_is_not_taken_for_a_frequent_one_of_other_case():
    words = pd.Series(["ja"] * 100 + ["nein"] * 100 + ["vielleicht"] * 100 + ["JA"])
    reader = group_rare(choose_reader("c", words), words, 5, 100)
    assert reader.names == ("ja", "nein", "vielleicht", "(other)")
    assert reader.read(pd.Series(["JA", "ja", "Ja", "Nein"]))[:, 0].tolist() == [3, 0, 3, 1]


@pytest.mark.parametrize(
    ("column", "later", "expected"),
    [
        (["1,234", "7"] * 20, ["1,234,567", 8, None, "n/a"], [1234567, 8, np.nan, np.nan]),
        (["1,5", "1.234,5"] * 20, ["2,25", 2.25, "1.000,0"], [2.25, 2.25, 1000]),
        (["12 %", "7%"] * 20, ["5 %", "6"], [5, 6]),
        ([1, 2] * 20, ["178,5", "1.250"], [178.5, 1250]),
        ([1, 2] * 20, ["6.779"], [6.779]),
        (["1,5", "2,5"] * 20, ["6.779"], [6779]),
        (["1,5", "2,5"] * 20, ["6.5"], [6.5]),
        (["9.13 €", "7 €"] * 20, ["€5", "1 250"], [5, 1250]),
        ([1, 2] * 20, ["3", " 4 ", 5.5, True, Decimal("1.5")], [3, 4, 5.5, 1, 1.5]),
    ],
)
def test_later_numbers_read_however_they_are_written(column, later, expected):
    reader = choose_reader("c", pd.Series(column))
    np.testing.assert_array_equal(reader.read(pd.Series(later, dtype=object))[:, 0], expected)


def test_levels_match_across_types_and_are_in_natural_order():
    reader = choose_reader("c", pd.Series(pd.Categorical([10, 9, 2, 9] * 10)))
    assert reader.levels == ("2", "9", "10")
    assert reader.read(pd.Series([9.0, "10", " 2 ", b"9", 3], dtype=object))[:, 0].tolist() == [1, 2, 0, 1, -1]
    ordered = pd.Categorical(["low", "high"] * 20, categories=["low", "mid", "high"], ordered=True)
    assert choose_reader("c", pd.Series(ordered)).levels == ("low", "high")
