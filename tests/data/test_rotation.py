"""The scaler that rotates numbers onto their principal axes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from taut.data.columns import TableEncoder
from taut.data.rotation import PrincipalAxesScaler


@pytest.fixture(scope="module")
def numbers():
    """Numbers that rise and fall together, with a small difference between them."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=(60, 2))
    return common @ rng.normal(size=(2, 6)) + 1e-4 * rng.normal(size=(60, 6)) + np.arange(6.0)


def test_axes_are_those_of_scikit_learn_up_to_their_direction(numbers):
    standard = StandardScaler().fit_transform(numbers)
    expected = PCA(svd_solver="full").fit_transform(standard)
    found = PrincipalAxesScaler().fit(numbers).transform(numbers)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)


def test_a_rotation_keeps_all_distances(numbers):
    standard = StandardScaler().fit_transform(numbers)
    found = PrincipalAxesScaler().fit(numbers).transform(numbers)
    np.testing.assert_allclose(np.linalg.norm(found - found[0], axis=1), np.linalg.norm(standard - standard[0], axis=1))


def test_axes_do_not_depend_on_the_direction_of_the_columns(numbers):
    """Of the two directions of an axis, the choice is by its largest part alone."""
    scaler = PrincipalAxesScaler().fit(numbers)
    largest = np.take_along_axis(scaler.axes_, np.abs(scaler.axes_).argmax(axis=0)[None], axis=0)
    assert (largest > 0).all()


def test_weights_count_as_repeated_rows(numbers):
    counts = np.random.default_rng(1).integers(0, 4, size=len(numbers))
    weighted = PrincipalAxesScaler().fit(numbers, sample_weight=counts)
    repeated = PrincipalAxesScaler().fit(np.repeat(numbers, counts, axis=0))
    np.testing.assert_allclose(weighted.mean_, repeated.mean_)
    np.testing.assert_allclose(weighted.transform(numbers), repeated.transform(numbers), atol=1e-8)


def test_what_is_flat_becomes_zero():
    rng = np.random.default_rng(0)
    few = rng.normal(size=(4, 9))  # in 9 columns, 4 rows leave 6 axes without variance
    few[:, 3] = 7.0
    scaler = PrincipalAxesScaler().fit(few)
    assert np.count_nonzero(np.linalg.norm(scaler.axes_, axis=0)) == 3
    later = scaler.transform(rng.normal(size=(50, 9)))
    assert (later[:, 3:] == 0).all()
    assert (later[:, :3] != 0).all()


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_tiny_and_huge_numbers_overflow_nowhere(numbers, size):
    found = PrincipalAxesScaler().fit(numbers * size).transform(numbers * size)
    np.testing.assert_allclose(found, PrincipalAxesScaler().fit(numbers).transform(numbers), atol=1e-8)


def test_rotated_numbers_are_named_axes_and_all_else_after_its_column():
    frame = pd.DataFrame({"age": [20.0, None, 40.0, 31.0], "sex": list("fmff"), "weight": [60.0, 70.0, 65.0, 81.0]})
    encoder = TableEncoder(scaling="principal_axes", bins=2).fit(frame)
    names = encoder.get_feature_names_out().tolist()
    assert names == [
        *("principal axis 1", "principal axis 2", "sex=m", "age is missing"),
        *("age piece 1", "age piece 2", "weight piece 1", "weight piece 2"),
    ]
    assert len(names) == encoder.transform(frame).shape[1]
    assert "rotated onto their principal axes" in encoder.schema_[0].treatment


def test_the_sign_of_an_axis_does_not_hang_on_rounding():
    for seed in range(30):
        x = np.random.default_rng(seed).normal(size=(50, 2)) @ [[1.0, 1.0], [0.1, -0.1]]
        axes = PrincipalAxesScaler().fit(x).axes_  # of two columns, each has two parts that are as large
        assert (axes[0] > 0).all(), seed
