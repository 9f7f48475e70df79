"""The encoder as a whole: matrix, names, schema, weights, strangers at prediction, storage."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from taut.data.columns import SCALERS, TRUSTED_TYPES, TableEncoder
from taut.data.encoding import Encoding
from taut.data.schema import ColumnSchema
from taut.errors import DataError, InvalidType, InvalidValue, TautError

ROWS = 60


@pytest.fixture
def frame():
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "amount": random.normal(100, 20, ROWS),
            "age": [None if i % 7 == 0 else 20 + i % 40 for i in range(ROWS)],
            "color": [["red", "green", "blue", None][i % 4] for i in range(ROWS)],
            "member": np.arange(ROWS) % 3 == 0,
            "when": pd.date_range("2023-01-05", periods=ROWS, freq="11D"),
            "const": "x",
            "void": None,
            "price": [f"{i * 321:,}" for i in range(ROWS)],
        }
    )


def test_check_estimator_passes_in_full():
    results = check_estimator(TableEncoder(), on_skip=None)
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= {"check_array_api_input"}


def test_every_kind_is_recognized_and_described(frame):
    schema = {column.name: column for column in TableEncoder().fit(frame).schema_}
    assert list(schema) == list(frame.columns)
    assert {name: column.kind for name, column in schema.items()} == {
        "id": "identifier",
        "amount": "number",
        "age": "number",
        "color": "category",
        "member": "boolean",
        "when": "date",
        "const": "constant",
        "void": "empty",
        "price": "number",
    }
    assert schema["age"].n_missing == 9
    assert "9 gaps filled with the median" in schema["age"].treatment
    assert schema["color"].levels == ("blue", "green", "red")
    assert schema["const"].treatment == "left out: it is 'x' in every row"
    assert (schema["when"].minimum, schema["price"].maximum) == ("2023-01-05", 59 * 321.0)
    assert schema["price"].treatment.startswith("read from text, scaled to mean 0")


def test_matrix_names_and_schema_agree(frame):
    encoder = TableEncoder().fit(frame)
    matrix, names = encoder.transform(frame), encoder.get_feature_names_out()
    assert matrix.dtype == np.float64
    assert np.isfinite(matrix).all()
    assert matrix.shape == (ROWS, len(names)) == (ROWS, sum(column.n_outputs for column in encoder.schema_))
    assert len(set(names)) == len(names)
    table = pd.DataFrame(matrix, columns=names)
    np.testing.assert_allclose(
        table["amount"], (frame["amount"] - frame["amount"].mean()) / frame["amount"].std(ddof=0)
    )
    np.testing.assert_array_equal(table["member=true"], np.where(frame["member"], 1, -1))
    np.testing.assert_array_equal(table["color=red"], frame["color"] == "red")
    np.testing.assert_array_equal(table["color=(missing)"], frame["color"].isna())
    np.testing.assert_array_equal(table["age is missing"], frame["age"].isna())
    filled = frame["age"].astype(float).fillna(frame["age"].astype(float).median())
    np.testing.assert_allclose(table["age"], (filled - filled.mean()) / filled.std(ddof=0))
    np.testing.assert_allclose(table[["amount", "price", "when"]].mean(), 0, atol=1e-9)


def test_schema_returns_through_json(frame):
    for column in TableEncoder().fit(frame).schema_:
        assert ColumnSchema.from_dict(json.loads(json.dumps(column.to_dict()))) == column


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ("minus_one_one", [-1.0, 0.0, 1.0]),
        ("zero_one", [0.0, 0.5, 1.0]),
        ("standard", [-(1.5**0.5), 0.0, 1.5**0.5]),
        ("robust", [-1.0, 0.0, 1.0]),
        ("robust_clipped", [-(0.9**0.5), 0.0, 0.9**0.5]),
        ("principal_axes", [-(1.5**0.5), 0.0, 1.5**0.5]),
        ("max_abs", [1 / 3, 2 / 3, 1.0]),
        ("eight_bit", [51 / 127.5 - 1, 102 / 127.5 - 1, 153 / 127.5 - 1]),
        ("eight_bit_zero_one", [0.2, 0.4, 0.6]),
        ("none", [51.0, 102.0, 153.0]),
    ],
)
def test_scaling_does_what_its_name_says(scaling, expected):
    values = np.array([[51.0], [102.0], [153.0]])
    np.testing.assert_allclose(TableEncoder(scaling=scaling).fit_transform(values)[:, 0], expected, atol=1e-12)


def test_every_scaling_is_tested_above():
    marks = test_scaling_does_what_its_name_says.pytestmark[0]
    assert {case[0] for case in marks.args[1]} == set(SCALERS)


def test_nothing_but_the_training_rows_counts(frame):
    """Cross-validation is honest only if what is learned comes from the rows that train."""
    train, rest = frame.iloc[:40], frame.iloc[40:].copy()
    rest["amount"] = 1e6
    encoder = TableEncoder().fit(train)
    before = encoder.transform(train)
    encoder.transform(rest)
    np.testing.assert_array_equal(encoder.transform(train), before)
    np.testing.assert_array_equal(encoder.transform(pd.concat([train, rest]))[:40], before)
    np.testing.assert_array_equal(encoder.transform(train.iloc[[3]]), before[[3]])


def test_weight_zero_is_as_if_the_row_were_not_there(frame):
    weight = np.ones(ROWS)
    weight[40:] = 0
    frame.loc[40:, "color"] = "violet"
    frame.loc[40:, "amount"] = np.inf
    weighted = TableEncoder().fit(frame, sample_weight=weight)
    part = TableEncoder().fit(frame.iloc[:40])
    assert weighted.schema_ == part.schema_
    np.testing.assert_allclose(weighted.transform(frame.iloc[:40]), part.transform(frame.iloc[:40]))


def test_weights_count_in_mean_and_deviation():
    weighted = TableEncoder().fit([[1.0], [2.0], [4.0]], sample_weight=[3, 1, 2])
    repeated = TableEncoder().fit([[1.0], [1.0], [1.0], [2.0], [4.0], [4.0]])
    np.testing.assert_allclose(weighted.transform([[7.0]]), repeated.transform([[7.0]]))


@pytest.mark.parametrize("weight", [[1, 2], [1, -1, 1], [0, 0, 0], [1, np.nan, 1]])
def test_unusable_weights_are_refused(weight):
    with pytest.raises(InvalidValue, match="sample_weight"):
        TableEncoder().fit([[1.0], [2.0], [3.0]], sample_weight=weight)


def test_later_tables_may_differ_in_order_type_and_extra_columns(frame):
    encoder = TableEncoder().fit(frame)
    expected = encoder.transform(frame)
    other = frame[frame.columns[::-1]].assign(extra=1)
    np.testing.assert_array_equal(encoder.transform(other), expected)
    other["member"] = other["member"].map({True: "TRUE", False: "0"})
    other["amount"] = [f"{value!r}" for value in other["amount"]]
    other["when"] = other["when"].dt.strftime("%Y-%m-%d")
    other["color"] = other["color"].astype("category")
    np.testing.assert_allclose(encoder.transform(other), expected)
    np.testing.assert_array_equal(encoder.transform(frame.drop(columns=["id", "const", "void"])), expected)


def test_a_table_read_back_from_csv_encodes_the_same(frame, tmp_path):
    from taut.data.reading import read_table

    frame.to_csv(tmp_path / "a.csv", index=False)
    np.testing.assert_allclose(TableEncoder().fit(frame).transform(read_table(tmp_path / "a.csv")),
                               TableEncoder().fit(frame).transform(frame))  # fmt: skip


def test_missing_columns_are_all_named(frame):
    with pytest.raises(DataError, match=r"lacks the column\(s\) 'amount', 'when'"):
        TableEncoder().fit(frame).transform(frame.drop(columns=["when", "amount", "id"]))


def test_no_rows_give_no_rows(frame):
    encoder = TableEncoder().fit(frame)
    assert encoder.transform(frame.iloc[:0]).shape == (0, len(encoder.get_feature_names_out()))
    assert encoder.transform(pd.DataFrame(columns=frame.columns)).shape[0] == 0


def test_gaps_where_training_had_none_take_the_median(frame):
    encoder = TableEncoder(scaling="none").fit(frame)
    new = frame.iloc[:1].assign(amount=np.nan)
    column = list(encoder.get_feature_names_out()).index("amount")
    assert encoder.transform(new)[0, column] == pytest.approx(frame["amount"].median())
    assert "amount is missing" not in encoder.get_feature_names_out()


def test_column_empty_in_training_is_ignored_later(frame):
    encoder = TableEncoder().fit(frame)
    np.testing.assert_array_equal(encoder.transform(frame.assign(void="anything")), encoder.transform(frame))


def test_rare_levels_share_a_column_with_unseen_ones():
    words = ["a"] * 300 + ["b"] * 250 + ["c"] * 4 + ["d"] * 3
    encoder = TableEncoder().fit(pd.DataFrame({"c": words}))
    assert encoder.get_feature_names_out().tolist() == ["c=a", "c=b", "c=(other)"]
    new = encoder.transform(pd.DataFrame({"c": ["a", "d", "new", None]}))
    np.testing.assert_array_equal(new, [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]])


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"rare_below": 0}, 4),
        ({"rare_below": 0.5}, 2),
        ({"rare_below": 0, "max_categories": 3}, 3),
        ({"rare_below": 0, "max_categories": 2}, 1),
    ],
)
def test_settings_for_categories_are_kept(settings, names):
    words = ["a"] * 300 + ["b"] * 100 + ["c"] * 50 + ["d"] * 10
    assert TableEncoder(**settings).fit_transform(pd.DataFrame({"c": words})).shape[1] == (1 if names == 2 else names)


def test_small_tables_keep_their_levels():
    assert TableEncoder().fit_transform(pd.DataFrame({"c": ["a", "b", "c", "d"] * 3})).shape == (12, 4)


def test_a_hundred_thousand_levels_stay_small():
    codes = np.random.default_rng(0).integers(0, 100_000, 200_000)
    codes[:1000] = 7
    encoder = TableEncoder().fit(pd.DataFrame({"c": np.char.add("w", codes.astype(str))}))
    assert len(encoder.get_feature_names_out()) <= 100
    assert len(skops.io.dumps(encoder)) < 500_000  # the names of all levels would take millions


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_values_that_cannot_be_computed_with_are_refused_by_column(frame, value):
    encoder = TableEncoder().fit(frame)
    frame.loc[3, "amount"] = value
    for action in (TableEncoder().fit, encoder.transform):
        with pytest.raises(DataError, match=r"column 'amount' holds .* in data row 4 "):
            action(frame)


@pytest.mark.parametrize(("column", "value"), [("amount", "lots"), ("when", "someday"), ("price", "free")])
def test_cells_of_another_kind_are_refused_by_column_and_value(frame, column, value):
    encoder = TableEncoder().fit(frame)
    frame[column] = frame[column].astype(object)
    frame.loc[5, column] = value
    with pytest.raises(DataError, match=f"column '{column}' should hold .* but has '{value}'"):
        encoder.transform(frame)


@pytest.mark.parametrize(
    ("table", "error"),
    [
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), DataError),
        (pd.DataFrame([[1, 2], [3, 4]], columns=[1, "1"]), DataError),
        (pd.DataFrame({"a": [1, 1]}), DataError),
        (pd.DataFrame({"a": []}), DataError),
        (pd.DataFrame(index=[0, 1]), DataError),
        (pd.Series([1, 2]), DataError),
        ([[1], [1, 2]], DataError),
        (pd.DataFrame({"a": [{}, {}]}), InvalidType),
        (pd.DataFrame({"a": [1j, 2j]}), InvalidValue),
    ],
)
def test_unusable_tables_are_refused_in_one_line(table, error):
    with pytest.raises(error) as caught:
        TableEncoder().fit(table)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"scaling": "big"},
        {"bins": 1},
        {"bins": -2},
        {"bins": "many"},
        {"components": -1},
        {"components": "all"},
        {"rare_below": -1},
        {"max_categories": 1},
        {"scaling": None},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(TautError):
        TableEncoder(**settings).fit([[1.0], [2.0]])


def test_names_need_not_be_strings():
    encoder = TableEncoder().fit(pd.DataFrame([[1, 2.0], [3, 5.0]], columns=[0, ("a", 1)]))
    assert encoder.get_feature_names_out().tolist() == ["0", "('a', 1)"]


def test_a_bad_row_is_named_by_its_place_in_the_table_also_after_shuffling(frame):
    frame.loc[41, "amount"] = np.inf
    with pytest.raises(DataError, match=r"infinite value in data row 42 \(the first is 1\)"):
        TableEncoder().fit(frame.sample(frac=1, random_state=3).iloc[5:])
    frame["amount"] = frame["amount"].astype(object)
    with pytest.raises(DataError, match=r"data row 42 "):
        TableEncoder().fit(frame.sample(frac=1, random_state=3).iloc[5:])
    with pytest.raises(DataError, match="in the row 'r41'"):
        TableEncoder().fit(frame.set_axis([f"r{row}" for row in range(ROWS)]))


def test_surprises_tell_what_is_odd_and_nothing_else(frame):
    encoder = TableEncoder().fit(frame)
    assert encoder.surprises(frame) == []
    assert encoder.surprises(frame.iloc[:0]) == []
    odd = frame.iloc[:3].assign(
        id=10**9, void="x", amount=[100.0, 9e6, -9e6], age=np.nan, color=["violet", "RED", "violet"], member="maybe",
        when=pd.to_datetime(["2023-05-01", "1950-01-01", "2024-01-01"]),
    )  # fmt: skip
    low, high = frame["amount"].min(), frame["amount"].max()
    assert encoder.surprises(odd) == [
        f"Column 'amount' is far outside the range of training ({low:.6g} to {high:.6g}), such as 9e+06, in 2 rows.",
        "Column 'age' is empty in every row, as it was not in training.",
        "Column 'color' has a level never seen in training, such as 'violet', in 2 rows.",
        "Column 'member' has a level never seen in training, such as 'maybe', in 3 rows.",
        "Column 'when' is far outside the range of training (2023-01-05 to 2024-10-15), such as 1950-01-01, in 1 row.",
    ]
    assert np.isfinite(encoder.transform(odd)).all()


def test_what_another_encoder_has_met_is_no_surprise():
    words = ["a", "z"] * 2 + ["b", "z"] * 2
    table = pd.DataFrame(
        {"c": words, "n": [0.0, 1.0] * 4, "d": pd.date_range("2024-01-01", periods=8), "k": [7, 7] * 4}
    )
    table.loc[6, "k"] = 8  # constant in the first four rows, which do not use it
    one, two = (TableEncoder().fit(rows) for rows in (table.iloc[:4], table.iloc[4:].assign(n=[10.0, 11.0] * 2)))
    later = table.iloc[:3].assign(c=["b", "c", "B"], n=[11.5, 21.9, -12.0], d=pd.to_datetime("2024-01-15"), k=99)
    assert one.surprises(later, [two]) == [
        "Column 'c' has a level never seen in training, such as 'c', in 1 row.",
        "Column 'n' is far outside the range of training (0 to 11), such as -12, in 1 row.",
        "Column 'k' is far outside the range of training (7 to 8), such as 99, in 3 rows.",
    ]
    assert one.surprises(later, [two]) == two.surprises(later, [one])
    assert "in 3 rows" in one.surprises(later)[0]
    assert "2024-01-15" in one.surprises(later)[2]
    assert one.surprises(later, [one]) == one.surprises(later)


def test_encoders_that_take_a_column_for_something_else_are_not_asked_about_it():
    numbers, words = (TableEncoder().fit(pd.DataFrame({"c": cells})) for cells in (["1", "2", "4"], ["a", "b", "a"]))
    later = pd.DataFrame({"c": ["3", "90"]})
    assert numbers.surprises(later, [words]) == numbers.surprises(later)
    assert words.surprises(later, [numbers]) == words.surprises(later)
    dates = TableEncoder().fit(pd.DataFrame({"c": ["2024-01-01", "2024-03-05", "2024-02-02"]}))
    assert numbers.surprises(later, [dates]) == numbers.surprises(later) != []
    many = TableEncoder().fit(pd.DataFrame({"c": ["a"] * 300 + ["b"] * 250 + [f"w{number}" for number in range(300)]}))
    assert "rare or absent" in words.surprises(later, [many])[0]


def test_a_running_number_is_left_out_unless_it_is_all_there_is():
    frame = pd.DataFrame({"Teilnehmer": range(1, 41), "size": np.arange(40) % 7})
    assert TableEncoder().fit(frame).get_feature_names_out().tolist() == ["size"]
    assert TableEncoder().fit(frame[["Teilnehmer"]]).get_feature_names_out().tolist() == ["Teilnehmer"]


def test_rare_levels_are_no_surprise_while_they_are_remembered():
    words = ["a"] * 300 + ["b"] * 250 + ["c"] * 4
    few = TableEncoder().fit(pd.DataFrame({"c": words}))
    assert few.surprises(pd.DataFrame({"c": ["c"]})) == []
    assert "never seen" in few.surprises(pd.DataFrame({"c": ["d"]}))[0]
    many = TableEncoder().fit(pd.DataFrame({"c": words + [f"w{number}" for number in range(300)]}))
    assert "rare or absent" in many.surprises(pd.DataFrame({"c": ["d"]}))[0]


def test_arrays_are_numbers_and_one_row_is_enough():
    assert TableEncoder().fit_transform(np.ones((1, 3))).tolist() == [[0, 0, 0]]
    encoder = TableEncoder().fit(np.arange(12, dtype=np.uint8).reshape(4, 3))
    assert encoder.get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    with pytest.raises(DataError, match="X has 2 features, but TableEncoder is expecting 3"):
        encoder.transform(np.ones((1, 2)))


def test_the_callers_table_is_left_alone(frame):
    before, values = frame.copy(deep=True), np.array([[1.0, np.nan], [2.0, 3.0], [5.0, 4.0]])
    TableEncoder().fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    kept = values.copy()
    TableEncoder().fit_transform(values)
    np.testing.assert_array_equal(values, kept)


@pytest.mark.parametrize("encoding", [*map(Encoding, SCALERS), Encoding(bins=4), Encoding(components=4)], ids=repr)
def test_encoder_returns_from_skops_with_the_types_it_names(frame, encoding):
    encoder = encoding.encoder().fit(frame)
    data = skops.io.dumps(encoder)
    assert set(skops.io.get_untrusted_types(data=data)) <= set(TRUSTED_TYPES)
    parts = [part for part in (encoder.scaler_, encoder.pieces_, encoder.components_) if part is not None]
    assert {f"{type(part).__module__}.{type(part).__qualname__}" for part in parts} <= set(TRUSTED_TYPES)
    again = skops.io.loads(data, trusted=list(TRUSTED_TYPES))
    np.testing.assert_array_equal(again.transform(frame), encoder.transform(frame))
    assert again.schema_ == encoder.schema_


def test_encoder_clones_and_works_inside_a_pipeline(frame):
    encoder = clone(TableEncoder(scaling="robust", rare_below=2))
    assert encoder.get_params() == {
        "scaling": "robust",
        "bins": 0,
        "components": 0,
        "rare_below": 2,
        "max_categories": 100,
    }
    scores = cross_val_score(make_pipeline(encoder, KNeighborsClassifier(3)), frame, frame["member"], cv=3)
    assert scores.mean() > 0.6
    output = TableEncoder().set_output(transform="pandas").fit_transform(frame)
    assert list(output.columns) == TableEncoder().fit(frame).get_feature_names_out().tolist()


def test_many_numbers_are_encoded_fast():
    import time

    values = np.random.default_rng(0).normal(size=(100_000, 50))
    encoder = TableEncoder().fit(values)
    start = time.perf_counter()
    encoder.transform(values)
    assert time.perf_counter() - start < 2  # some 0.05 s; reading cell by cell would take half a minute


def test_fitting_warns_of_nothing_even_on_odd_numbers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        odd = pd.DataFrame(
            {"tiny": np.arange(30) * 1e-300, "large": np.arange(30) * 1e140, "near": 1 + 1e-16 * np.arange(30)}
        )
        assert np.isfinite(TableEncoder().fit_transform(odd)).all()


def test_every_way_to_scale_has_its_name_in_the_light_list():
    from taut.data.scaling import SCALERS
    from taut.data.schema import SCALINGS

    assert tuple(SCALERS) == SCALINGS


def test_an_exponent_alone_is_a_word():
    encoder = TableEncoder().fit(pd.DataFrame({"price": ["5$", "e4", "6$", "7$"] * 10, "n": range(40)}))
    assert encoder.schema_[0].kind == "category"
