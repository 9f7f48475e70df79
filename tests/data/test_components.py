"""Principal components of little variance, beside the numbers they are of."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from taut import Recipe, TautClassifier
from taut.data.columns import TableEncoder
from taut.data.components import WhitenedComponents
from taut.data.encoding import MOST_EMBEDDED, components_of
from taut.errors import InvalidType, InvalidValue


def spectrum(rows, columns=6, seed=0):
    """Numbers that rise and fall together, with small differences between them."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 1)) + 0.1 * rng.normal(size=(rows, columns)) + np.arange(float(columns))


def written(components, X):
    out = np.full((len(X), components.count), np.nan)
    components.write(X, out)
    return out


def test_they_are_the_whitened_components_of_scikit_learn_that_vary_little():
    X = np.column_stack([spectrum(200), np.random.default_rng(1).normal(size=200)])
    standard = StandardScaler().fit_transform(X)
    pca = PCA(whiten=True, svd_solver="full").fit(standard)
    variances = pca.explained_variance_ * 199 / 200
    expected = pca.transform(standard)[:, variances < 0.3] * np.sqrt(200 / 199)
    assert expected.shape[1] == 5  # of seven: neither what the six have in common, nor the one that is alone
    components = WhitenedComponents().fit(X)
    np.testing.assert_allclose(np.abs(written(components, X)), np.abs(expected), atol=1e-9)
    np.testing.assert_array_equal(WhitenedComponents(2).fit(X).directions_, components.directions_[:, :2])


@pytest.mark.parametrize(("rows", "count"), [(29, 0), (30, 1), (60, 3), (89, 4), (400, 5)])
def test_of_few_rows_only_the_first_axes_are_looked_at(rows, count):
    assert WhitenedComponents().fit(spectrum(rows)).count == count


def test_numbers_that_tell_different_things_have_none():
    X = np.random.default_rng(0).normal(size=(500, 5))
    encoder = TableEncoder(components="auto").fit(X)
    assert (encoder.components_, encoder.inputs_.components) == (None, 0)
    np.testing.assert_array_equal(encoder.transform(X), TableEncoder().fit(X).transform(X))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e7])
def test_one_column_twice_has_no_component_of_rounding_errors(dtype, offset):
    x = 5.0 * np.random.default_rng(0).normal(size=(500, 1)).astype(dtype)
    X = np.column_stack([x, x * dtype(3.7) + dtype(offset)]).astype(np.float64)
    assert WhitenedComponents().fit(X).count == 0


def test_small_differences_of_long_numbers_are_no_rounding_errors():
    rng = np.random.default_rng(0)
    start = np.sort(rng.integers(1_600_000_000, 1_700_000_000, size=500)).astype(float)
    took = rng.integers(1, 60, size=500)  # seconds, of three years
    assert WhitenedComponents().fit(np.column_stack([start, start + took])).count == 0  # fewer than six digits tell
    found = WhitenedComponents().fit(np.column_stack([start, start + 60 * took]))
    assert abs(np.corrcoef(written(found, np.column_stack([start, start + 60 * took]))[:, 0], took)[0, 1]) > 0.99


@pytest.mark.parametrize("outlier", [25.0, 1e4, -1e9, 1e30])
@pytest.mark.parametrize("columns", [6, 40])
def test_one_outlier_neither_makes_nor_takes_components(outlier, columns):
    wild = spectrum(300, columns)
    wild[7, 2] = outlier
    weight = np.random.default_rng(1).integers(1, 4, size=300).astype(float)
    for own in (None, weight):
        found = WhitenedComponents().fit(wild, own)
        kept = None if own is None else np.delete(own, 7)
        expected = WhitenedComponents().fit(np.delete(wild, 7, axis=0), kept)
        np.testing.assert_array_equal(found.directions_, expected.directions_)
    unlike = np.random.default_rng(0).normal(size=(300, columns))
    unlike[7, :2] = outlier  # where it alone makes two columns alike
    expected = WhitenedComponents().fit(np.delete(unlike, 7, axis=0))
    np.testing.assert_array_equal(WhitenedComponents().fit(unlike).directions_, expected.directions_)


def test_many_far_rows_are_no_outliers():
    X = spectrum(300)
    X[:60] += 100.0  # a group of its own, with the same small differences
    wet = np.random.default_rng(1).random((300, 1))
    for numbers in (X, spectrum(300, 3) * (wet < 0.2), spectrum(300, 3) * (wet < 0.04)):  # of which the quartiles are 0
        np.testing.assert_allclose(WhitenedComponents().fit(numbers).mean_, numbers.mean(axis=0))


def test_quartiles_are_of_the_values_that_there_are():
    whole = spectrum(4000, 3)
    gaps = np.zeros(whole.shape, dtype=bool)
    gaps[:, 1] = np.random.default_rng(1).random(4000) < 0.45
    filled = np.where(gaps, np.median(whole[:, 1]), whole)
    expected = WhitenedComponents().fit(whole[~gaps[:, 1]])
    np.testing.assert_array_equal(WhitenedComponents().fit(filled, gaps=gaps).directions_, expected.directions_)


def test_blocks_of_rows_are_written_as_rows_are():
    X = spectrum(9000)
    components = WhitenedComponents().fit(X)
    expected = np.clip((X - components.mean_) / components.scale_ @ components.directions_, -5.0, 5.0)
    np.testing.assert_allclose(written(components, X), expected, atol=1e-12)


def test_a_row_that_breaks_the_rule_of_the_others_is_clipped():
    X = spectrum(300)
    components = WhitenedComponents().fit(X)
    assert np.abs(written(components, X)).max() <= 5.0
    odd = np.array([[1e6, -1e6, 0.0, 0.0, 1e6, -1e6], [1e308, -1e308, 1e308, -1e308, 0.0, 0.0]])
    assert np.isin(written(components, odd), [-5.0, 5.0]).all()


def test_weights_count_as_repeated_rows():
    X = spectrum(300)
    counts = np.random.default_rng(1).integers(1, 4, size=300)
    weighted = written(WhitenedComponents().fit(X, counts.astype(float)), X)
    repeated = written(WhitenedComponents().fit(np.repeat(X, counts, axis=0)), X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-8)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_tiny_and_huge_numbers_overflow_nowhere(size):
    X = spectrum(300)
    found = written(WhitenedComponents().fit(X * size), X * size)
    np.testing.assert_allclose(found, written(WhitenedComponents().fit(X), X), atol=1e-8)


@pytest.fixture(scope="module")
def frame():
    """Numbers that tell much the same, some of them missing, and other columns."""
    X = pd.DataFrame(spectrum(120, 4), columns=[*"abcd"])
    X.loc[::10, "b"] = np.nan
    return X.assign(color=["red", "green", "blue"] * 40, flag=["yes", "no"] * 60)


@pytest.mark.parametrize("bins", [0, 3])
def test_they_stand_behind_the_other_outputs_which_stay_as_they_are(frame, bins):
    plain, encoder = TableEncoder(bins=bins).fit(frame), TableEncoder(bins=bins, components="auto").fit(frame)
    names, width = encoder.get_feature_names_out().tolist(), plain.inputs_.width
    assert names == [*plain.get_feature_names_out(), "component 1", "component 2", "component 3"]
    assert encoder.inputs_.component_columns == range(width, width + 3)
    assert encoder.schema_ == plain.schema_
    outputs = encoder.transform(frame)
    np.testing.assert_array_equal(outputs[:, :width], plain.transform(frame))
    np.testing.assert_allclose(outputs[:, width:].mean(axis=0), 0.0, atol=0.05)
    whole = frame["b"].notna()
    np.testing.assert_allclose(np.cov(outputs[whole, width:].T), np.eye(3), atol=0.05)


def test_the_order_of_columns_is_none_of_theirs(frame):
    encoder = TableEncoder(components="auto").fit(frame)
    np.testing.assert_array_equal(encoder.transform(frame[frame.columns[::-1]]), encoder.transform(frame))


def test_rows_with_gaps_turn_no_axes():
    whole = pd.DataFrame(spectrum(500, 3), columns=[*"abc"])
    gapped = whole.copy()
    gapped.loc[::25, "b"] = np.nan
    found = TableEncoder(components="auto").fit(gapped).components_
    rows = np.arange(500) % 25 != 0
    expected = WhitenedComponents(3).fit(whole.to_numpy()[rows])
    np.testing.assert_allclose(found.directions_, expected.directions_, atol=1e-12)


@pytest.mark.parametrize(("columns", "whole"), [(3, 44), (3, 45), (40, 249), (40, 250)])
def test_where_too_few_rows_are_whole_all_count(columns, whole):
    X = spectrum(500, columns)
    gaps = np.zeros(X.shape, dtype=bool)
    gaps[whole:, 0] = True
    X[gaps] = 0.0
    expected = WhitenedComponents().fit(X[:whole] if whole in (45, 250) else X)
    np.testing.assert_array_equal(WhitenedComponents().fit(X, gaps=gaps).directions_, expected.directions_)


def test_a_component_of_which_gaps_leave_more_open_than_it_varies_is_its_mean():
    X = np.column_stack([spectrum(500, 3), spectrum(500, 3, seed=1)])
    frame = pd.DataFrame(X, columns=[*"abcdef"])
    encoder = TableEncoder(components="auto").fit(frame)
    assert encoder.components_.count == 4
    gapped = frame[:20].assign(b=np.nan)
    columns = encoder.inputs_.component_columns
    before, after = encoder.transform(frame[:20])[:, columns], encoder.transform(gapped)[:, columns]
    of_b = encoder.components_.directions_[1] ** 2 > 1.0
    assert 0 < of_b.sum() < 4  # the other three columns have components of their own
    assert (after[:, of_b] == 0.0).all()
    np.testing.assert_allclose(after[:, ~of_b], before[:, ~of_b], atol=2.0)
    np.testing.assert_allclose(encoder.transform(gapped.iloc[3:4])[:, columns], after[3:4], atol=1e-12)


def test_rows_of_weight_zero_are_no_rows(frame):
    weight = np.repeat([1.0, 0.0], [80, 40])
    spoiled = frame.copy()
    spoiled.loc[80:, "a"] = 1e6
    weighted = TableEncoder(components="auto").fit(spoiled, sample_weight=weight)
    part = TableEncoder(components="auto").fit(frame.iloc[:80])
    np.testing.assert_allclose(weighted.components_.directions_, part.components_.directions_, atol=1e-9)


def test_auto_leaves_out_what_is_too_wide_and_a_recipe_what_is_no_use():
    found = [components_of("auto", 100, numbers) for numbers in (0, MOST_EMBEDDED, MOST_EMBEDDED + 1)]
    assert found == [0, MOST_EMBEDDED, 0]
    assert [components_of("auto", rows, 50) for rows in (0, 10**5, 10**6, 10**9)] == [50, 50, 30, 0]
    assert components_of(7, 10**9, 400) == 7
    usual = Recipe()
    assert usual.encoding.components == "auto"
    for changes in ({"embedding_width": 0}, {"group_l1": 0.1}, {"scaling": "principal_axes"}):
        assert replace(usual, **changes).encoding.components == 0
        assert replace(usual, components=4, **changes).encoding.components == 4  # what is asked for is made


@pytest.mark.parametrize(
    ("wrong", "error"), [(-1, InvalidValue), ("many", InvalidValue), (2.5, InvalidType), (True, InvalidType)]
)
def test_what_is_no_number_of_components_is_refused(wrong, error):
    with pytest.raises(error, match="components must be"):
        Recipe(components=wrong)


def test_a_class_that_lies_in_small_differences_is_learnt_by_them():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 1)) + 0.02 * rng.normal(size=(1200, 6))
    y = (X[:, 0] - X[:, 3] + X[:, 5] - X[:, 2] > 0).astype(int)
    right = [
        TautClassifier(effort="none", epochs=20, components=components, random_state=0)
        .fit(X[:600], y[:600])
        .score(X[600:], y[600:])
        for components in ("auto", 0)
    ]
    assert right[0] > 0.95 > right[1] + 0.05, right


def test_axes_do_not_depend_on_the_number_of_threads():
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(WhitenedComponents().fit(spectrum(5000, 60)).directions_)
    np.testing.assert_array_equal(*found)
