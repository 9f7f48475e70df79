"""How the columns of an encoded table are laid out."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from taut.data import Inputs, TableEncoder
from taut.errors import InvalidType, InvalidValue
from taut.training.recipe import Recipe
from taut.training.shared_table import SharedTable


def test_blocks_lie_side_by_side_in_the_order_of_the_fields():
    inputs = Inputs(numbers=3, binaries=2, categories=(3, 4), gaps=2, pieces=(2, 0, 5), components=4)
    assert [field.name for field in fields(inputs)] == [
        "numbers",
        "binaries",
        "categories",
        "gaps",
        "pieces",
        "components",
    ]
    assert list(inputs.number_columns) == [0, 1, 2]
    assert inputs.category_blocks == [(5, 8), (8, 12)]
    assert inputs.piece_blocks == [(14, 16), (16, 16), (16, 21)]
    assert inputs.component_columns == range(21, 25)
    assert inputs.width == 25


def test_layout_of_a_matrix_of_numbers():
    inputs = Inputs.of(4)
    assert (inputs, inputs.width, inputs.category_blocks, inputs.piece_blocks) == (Inputs(4), 4, [], [])


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"numbers": -1}, InvalidValue, "numbers must be an integer at least 0, got -1"),
        ({"binaries": 1.5}, InvalidType, "binaries must be an integer"),
        ({"gaps": True}, InvalidType, "gaps must be an integer"),
        ({"components": -2}, InvalidValue, "components must be an integer at least 0, got -2"),
        ({"categories": (3, 0)}, InvalidValue, "categories must be an integer at least 1, got 0"),
        ({"numbers": 1, "pieces": (-1,)}, InvalidValue, "pieces must be an integer at least 0, got -1"),
        ({"numbers": 2, "pieces": (3,)}, InvalidValue, r"one width for each of 2 numbers, got \(3,\)"),
    ],
)
def test_what_is_no_layout_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        Inputs(**wrong)


def test_encoder_says_how_its_outputs_are_laid_out():
    frame = pd.DataFrame(
        {
            "kind": list("abcd") * 10,
            "size": [1.5, None, 2.5, 3.0] * 10,
            "sex": ["f", "m"] * 20,
            "when": pd.date_range("2024-01-01", periods=40, freq="17D").astype(str),
        }
    )
    encoder = TableEncoder().fit(frame)
    inputs, names = encoder.inputs_, encoder.get_feature_names_out().tolist()
    assert inputs.width == len(names)
    assert names[inputs.numbers : inputs.numbers + inputs.binaries] == ["sex=m"]
    assert [names[begin:end] for begin, end in inputs.category_blocks] == [["kind=a", "kind=b", "kind=c", "kind=d"]]
    assert names[inputs.width - inputs.gaps :] == ["size is missing"]


def test_a_network_is_built_for_the_layout():
    inputs = Inputs(numbers=2, categories=(3,))
    recipe = Recipe(embedding_width=0)
    network, _, _ = recipe.build(inputs, 2, "regression")
    assert network.n_inputs == 5
    np.testing.assert_array_equal(network.theta, recipe.build(5, 2, "regression")[0].theta)
    embedded, _, _ = Recipe(embedding_width=2).build(inputs, 2, "regression")  # the two numbers, and no other column
    assert embedded.widths[0] == 5 + 2 * 2


def test_a_shared_table_refuses_the_layout_of_another():
    X, y = np.zeros((4, 3)), np.zeros(4)
    assert SharedTable(X, y, "regression").inputs == Inputs.of(3)
    with pytest.raises(InvalidValue, match="X has 3 columns, and its layout 2"):
        SharedTable(X, y, "regression", inputs=Inputs(1, 1))
