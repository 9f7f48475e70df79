"""The decimal mark of a file: proved by any of its columns, and where none does, left to the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from taut.data.columns import TableEncoder
from taut.data.reading import read_table


def read(folder, text, name="a.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return read_table(folder / name)


@pytest.mark.parametrize(
    "text",
    [
        "price;weight\n3.466;85,5\n45.844;7\n",
        "price;weight\n3.466;0,125\n45.844;1.234,5\n",
        "price\tweight\n3.466\t85,5\n45.844\t7\n",
        'price,weight\n3.466,"85,5"\n45.844,"7"\n',
        "price;weight;version\n3.466;85,5;2.5\n45.844;7;2.6\n",
    ],
)
def test_one_column_with_decimal_commas_settles_the_file(tmp_path, text):
    frame = read(tmp_path, text)
    assert frame["price"].tolist() == [3466, 45844]
    assert frame["weight"].dtype == np.float64
    if "version" in frame:
        assert frame["version"].tolist() == [2.5, 2.6]  # these can be read in one way only


def test_a_tie_does_not_choose_the_point(tmp_path):
    frame = read(tmp_path, "a;b\n4.390;4,39\n")
    assert (frame["a"].item(), frame["b"].item()) == (4390, 4.39)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n3.466;2.5\n45.844;1\n", [3.466, 45.844]),
        ("a;b\n3.466;x\n0.844;y\n", [3.466, 0.844]),
        ("a;b\n3.466;x\n45.84;y\n", [3.466, 45.84]),
        ("a,b\n3.466,x\n45.844,y\n", [3.466, 45.844]),
        ('a,b,c\n3.466,2.5,"1,2"\n45.844,1,"2,3"\n', [3.466, 45.844]),
    ],
)
def test_points_that_can_only_be_decimal_points_are(tmp_path, text, expected):
    frame = read(tmp_path, text)
    assert frame["a"].tolist() == expected


def test_what_no_column_settles_stays_text_with_its_gaps(tmp_path):
    frame = read(tmp_path, "a;b;c\n6.779;1;3\n;2;\n1.250;3;5\n")
    assert frame["a"].tolist()[::2] == ["6.779", "1.250"]
    assert frame["a"].isna().tolist() == [False, True, False]
    assert frame["b"].dtype == np.int64
    assert frame["c"].dtype == np.float64


def test_the_model_decides_how_a_later_file_is_read(tmp_path):
    rows = "".join(f"{number}.466;{number},5;{number}\n" for number in range(10, 60))
    trained = read(tmp_path, "price;weight;size\n" + rows)
    encoder = TableEncoder(scaling="none").fit(trained.drop(columns=[]).iloc[:40])
    later = read(tmp_path, "price;weight;size\n6.779;1.250;2.500\n")
    assert encoder.transform(later).tolist() == [[6779, 1250, 2500]]
    assert encoder.schema_[0].treatment.startswith("read from text with decimal commas")
    points = TableEncoder(scaling="none").fit(pd.DataFrame({"price": [1.5, 2.5], "weight": [3.5, 4], "size": [1, 2]}))
    assert points.transform(later).tolist() == [[6.779, 1.25, 2.5]]


@pytest.mark.parametrize("text", ["a;b\n178,5;1\n", 'a,b\n"178,5",1\n'])
def test_a_column_of_whole_numbers_may_get_decimal_commas_later(tmp_path, text):
    encoder = TableEncoder(scaling="none").fit(read(tmp_path, "a;b\n178;1\n150;2\n"))
    assert encoder.transform(read(tmp_path, text)).tolist() == [[178.5, 1]]


def test_many_rows_are_looked_at_to_the_end(tmp_path):
    rows = ["3.466;x"] * 5000
    assert read(tmp_path, "\n".join(["a;b", *rows, "1.5;y"]))["a"].iloc[-1] == 1.5
    assert read(tmp_path, "\n".join(["a;b", *rows, "1.500,5;y"]))["a"].tolist()[::5000] == [3466, 1500.5]
