"""The piecewise-linear encoding of numbers, alone and in the encoder of a table."""

import time
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from taut.data.columns import TableEncoder
from taut.data.encoding import MOST_EMBEDDED, bins_of
from taut.data.pieces import PiecewiseLinear


def written(pieces, X):
    out = np.empty((len(X), len(pieces.columns_)))
    pieces.write(np.asarray(X, dtype=np.float64), out)
    return out


def test_pieces_are_those_of_the_paper_within_the_training_range():
    """Gorishniy et al. (2022), equation 1, written out: what is below an edge is 0, what is above the next is 1."""
    x = np.random.default_rng(0).exponential(size=201)
    pieces = PiecewiseLinear(bins=5).fit(x[:, None])
    edges = np.sort(x)[::40]
    expected = np.empty((201, 5))
    for t, (begin, end) in enumerate(pairwise(edges)):
        expected[:, t] = [0.0 if v < begin else 1.0 if v >= end else (v - begin) / (end - begin) for v in x]
    np.testing.assert_allclose(pieces.means_, expected.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(written(pieces, x[:, None]), 2 * (expected - expected.mean(axis=0)), atol=1e-12)


def test_ends_run_on_for_one_length_and_no_farther():
    pieces = PiecewiseLinear(bins=2).fit(np.array([[0.0], [1.0], [3.0]]))
    shares = written(pieces, [[-0.5], [-1.0], [-1e300], [4.0], [5.0], [1e300]]) / 2 + pieces.means_
    np.testing.assert_allclose(shares[:3], [[-0.5, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    np.testing.assert_allclose(shares[3:], [[1.0, 1.5], [1.0, 2.0], [1.0, 2.0]])


def test_a_row_of_weight_two_counts_as_two_rows():
    random = np.random.default_rng(1)
    X, weight = random.normal(size=(60, 2)), random.integers(1, 4, 60).astype(float)
    X[::7, 1] = np.nan
    repeated = PiecewiseLinear(bins=4).fit(np.repeat(X, weight.astype(int), axis=0))
    for scale in (1.0, 0.25):  # only how weights compare counts
        weighted = PiecewiseLinear(bins=4).fit(X, scale * weight)
        np.testing.assert_array_equal(weighted.starts_, repeated.starts_)
        np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-12)
    assert not np.array_equal(PiecewiseLinear(bins=4).fit(X).starts_, repeated.starts_)


def test_few_values_are_the_edges_and_equal_quantiles_are_one():
    few = np.repeat([1.0, 2.0, 5.0, 9.0], [50, 1, 1, 50])
    ties = np.concatenate([np.zeros(60), np.arange(1.0, 43.0)])
    pieces = PiecewiseLinear(bins=8).fit(np.column_stack([few, ties]))
    assert pieces.starts_[pieces.columns_ == 0].tolist() == [1.0, 2.0, 5.0]
    assert pieces.lengths_[pieces.columns_ == 0].tolist() == [1.0, 3.0, 4.0]
    assert 2 < np.count_nonzero(pieces.columns_ == 1) < 8
    assert pieces.lengths_.min() > 0
    np.testing.assert_allclose(written(pieces, np.column_stack([few, ties])).mean(axis=0), 0, atol=1e-12)


def test_columns_without_anything_between_their_edges_have_no_pieces():
    many = np.arange(100.0)
    pieces = PiecewiseLinear(bins=4).fit(np.column_stack([many * 0, many % 2, many, np.full(100, np.nan)]))
    assert pieces.counts(4) == (0, 0, 4, 0)


def test_odd_numbers_give_finite_pieces():
    odd = np.column_stack([np.arange(30) * 1e-310, np.arange(30) * 1e140, 1 + 2.3e-16 * np.arange(30)])
    pieces = PiecewiseLinear(bins=4).fit(odd)
    assert np.abs(written(pieces, np.vstack([odd, -odd[::-1] * 1e10]))).max() <= 4


@pytest.fixture
def frame():
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "color": ["red", "green", "blue"] * 30,
            "size": random.normal(size=90),
            "flag": np.arange(90) % 2,
            "gaps": np.where(np.arange(90) % 9, random.normal(5, 2, 90), np.nan),
            "when": pd.date_range("2022-01-01", periods=90, freq="9D"),
        }
    )


def test_pieces_stand_behind_the_other_outputs_which_stay_as_they_are(frame):
    plain, encoder = TableEncoder().fit(frame), TableEncoder(bins=3).fit(frame)
    inputs, names = encoder.inputs_, encoder.get_feature_names_out().tolist()
    width = plain.inputs_.width
    assert names[:width] == plain.get_feature_names_out().tolist()
    outputs = encoder.transform(frame)
    np.testing.assert_array_equal(outputs[:, :width], plain.transform(frame))
    assert [inputs.pieces[names.index(name)] for name in ("size", "flag", "gaps", "when")] == [3, 0, 3, 3]
    assert (inputs.width, inputs.numbers) == (len(names), plain.inputs_.numbers)
    for place, (begin, end) in enumerate(inputs.piece_blocks):
        count = end - begin
        assert names[begin:end] == [f"{names[place]} piece {piece}" for piece in range(1, count + 1)]
        # Together the pieces rise wherever the number does: that a block is of another number would show.
        if count:
            order = np.argsort(outputs[:, place], kind="stable")
            assert (np.diff(outputs[order, begin:end].sum(axis=1)) >= -1e-12).all()


def test_schema_and_columns_know_of_the_pieces(frame):
    encoder = TableEncoder(bins=3).fit(frame)
    schema = {column.name: column for column in encoder.schema_}
    assert {name: column.n_outputs for name, column in schema.items()} | {"when": 0} == {
        "color": 3,
        "size": 4,
        "flag": 1,
        "gaps": 5,
        "when": 0,
    }
    assert sum(column.n_outputs for column in encoder.schema_) == encoder.inputs_.width
    assert "3 columns, one a stretch between quantiles" in schema["size"].treatment
    assert "stretch" not in schema["flag"].treatment


def test_gaps_are_no_values_and_rows_of_weight_zero_no_rows(frame):
    weight = np.ones(90)
    weight[60:] = 0
    spoiled = frame.assign(size=frame["size"].where(weight > 0, 1e6))
    weighted = TableEncoder(bins=3).fit(spoiled, sample_weight=weight)
    part = TableEncoder(bins=3).fit(frame.iloc[:60])
    np.testing.assert_array_equal(weighted.pieces_.starts_, part.pieces_.starts_)
    place = part.get_feature_names_out().tolist().index("gaps")
    here = part.pieces_.columns_ == place
    values = np.sort(frame["gaps"].iloc[:60].dropna())
    assert part.pieces_.starts_[here][0] == values[0]
    ends = (part.pieces_.starts_ + part.pieces_.lengths_)[here]
    np.testing.assert_allclose(ends[-1], values[-1])
    gap = frame.iloc[:1].assign(gaps=np.nan)
    filled = frame.iloc[:1].assign(gaps=np.median(values))
    begin, end = part.inputs_.piece_blocks[place]
    np.testing.assert_array_equal(part.transform(gap)[:, begin:end], part.transform(filled)[:, begin:end])


def test_order_of_the_columns_does_not_matter(frame):
    encoder = TableEncoder(bins=3).fit(frame)
    np.testing.assert_array_equal(encoder.transform(frame[frame.columns[::-1]]), encoder.transform(frame))


def test_a_table_without_numbers_has_no_pieces(frame):
    encoder = TableEncoder(bins=3).fit(frame[["color"]])
    assert (encoder.pieces_, encoder.inputs_.pieces) == (None, ())
    assert encoder.transform(frame[["color"]]).shape == (90, 3)


def test_many_numbers_are_encoded_fast():
    values = np.random.default_rng(0).normal(size=(50_000, 50))
    encoder = TableEncoder(bins=8).fit(values)
    start = time.perf_counter()
    encoder.transform(values)
    assert time.perf_counter() - start < 4  # some 0.15 s


def test_the_usual_pieces_are_for_tables_that_tell_so_many_apart_and_that_have_room_for_them():
    assert [bins_of("auto", rows, 3) for rows in (0, 399, 400, 10**6, 10**9)] == [0, 0, 12, 10, 0]
    assert [bins_of("auto", 1000, numbers) for numbers in (0, 1, MOST_EMBEDDED, MOST_EMBEDDED + 1)] == [0, 12, 12, 0]
    assert [bins_of(bins, 10, 10**6) for bins in (0, 5)] == [0, 5]  # what is asked for is made
    values = np.random.default_rng(0).normal(size=(400, 2))
    assert TableEncoder(bins="auto").fit(values).inputs_.pieces == (12, 12)
    assert TableEncoder(bins="auto").fit(values[:399]).inputs_.pieces == ()
