"""Files as people have them: what reads, and what is refused in one line."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from taut.data.reading import read_table
from taut.errors import DataError

PLAIN = "name,height,note\nAda,1.65,x\nAlan,1.77,y\n"


PACKED = gzip.compress(PLAIN.encode(), mtime=0)


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", PLAIN),
        ("upper.CSV", PLAIN),
        ("tab.tsv", PLAIN.replace(",", "\t")),
        ("semicolon.csv", PLAIN.replace(",", ";")),
        ("bar.txt", PLAIN.replace(",", "|")),
        ("tab.csv", PLAIN.replace(",", "\t")),
        ("comma_decimals.csv", PLAIN.replace(",", ";").replace(".", ",")),
        ("windows.csv", PLAIN.replace("\n", "\r\n")),
        ("old_mac.csv", PLAIN.replace("\n", "\r")),
        ("excel.csv", "sep=,\r\n" + PLAIN),
        ("excel_semicolon.csv", "\ufeffsep=;\n" + PLAIN.replace(",", ";")),
        ("excel_quoted.csv", '"sep=,"\n' + PLAIN),
        ("quoted_comma_decimals.csv", PLAIN.replace("1.65", '"1,65"').replace("1.77", '"1,77"')),
        ("blank_line.csv", PLAIN + "\n"),
        ("spaces.csv", PLAIN.replace(",", ", ")),
        ("mark.csv", b"\xef\xbb\xbf" + PLAIN.encode()),
        ("utf16.csv", PLAIN.encode("utf-16")),
        ("packed.csv.gz", PACKED),
        ("packed.csv", PACKED),
        ("quoted.csv", PLAIN.replace("Ada", '"Ada"')),
    ],
)
def test_table_reads_the_same_however_it_is_written(tmp_path, name, content):
    frame = read_table(write(tmp_path, name, content))
    assert list(frame.columns) == ["name", "height", "note"]
    assert frame["height"].tolist() == [1.65, 1.77]
    assert frame["name"].tolist() == ["Ada", "Alan"]
    assert frame["note"].tolist() == ["x", "y"]


def test_separator_inside_quotes_does_not_count(tmp_path):
    frame = read_table(write(tmp_path, "a.csv", 'a;b\n"1,2,3,4";5\n"6,7,8,9";0\n'))
    assert list(frame.columns) == ["a", "b"]


def test_single_column_reads(tmp_path):
    assert read_table(write(tmp_path, "a.csv", "a\n1\n2\n"))["a"].tolist() == [1, 2]


def test_text_that_is_not_utf8_is_latin1_wherever_that_shows(tmp_path):
    assert read_table(write(tmp_path, "a.csv", "a,b\nMünchen,1\n".encode("latin-1")))["a"].tolist() == ["München"]
    late = ("a,b\n" + "x,1\n" * 100_000 + "Köln,2\n").encode("latin-1")
    assert read_table(write(tmp_path, "late.csv", late))["a"].iloc[-1] == "Köln"


def test_question_marks_and_empty_cells_are_missing(tmp_path):
    assert read_table(write(tmp_path, "a.csv", "a,b\n1,?\n,2\n")).isna().sum().sum() == 2


def test_parquet_keeps_categories_and_a_named_index(tmp_path):
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1.0, None]}, index=pd.Index([7, 8], name="key"))
    frame.to_parquet(tmp_path / "a.parquet")
    read = read_table(tmp_path / "a.parquet")
    assert isinstance(read["a"].dtype, pd.CategoricalDtype)
    assert read["key"].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", "a,b", "cannot tell what kind of table"),
        ("a", "a,b", "cannot tell what kind of table"),
        ("a.gz", "a,b", "cannot tell what kind of table"),
        ("a.parquet.gz", "a,b", "cannot tell what kind of table"),
        ("a.csv", "", "the file is empty"),
        ("a.csv", " \n\n", "the file is empty"),
        ("a.csv", "a,b\n", "column names but no rows"),
        ("a.csv", "a,b,a\n1,2,3\n", "more than one column is named 'a'"),
        ("a.csv", "a,b, a\n1,2,3\n", "more than one column is named 'a'"),
        ("a.csv", bytes(range(256)), "not text"),
        ("a.csv", "a,b\n1,2\n3,4,5\n", r"not a readable table \(line 3 has 3 fields where the header has 2\)"),
        ("a.csv", "a;b;c\n1,5;2;3\n1,5;2\n1,5;2;3;4\n", r"line 4 has 4 fields where the header has 3"),
        ("a.csv", "a;b\n1,5;2,5;3\n1,5;2,5;3\n", "rows have 3 fields but there are 2 column names"),
        ("a.csv", "sep=,\na,b,c\n1,2,3\n4,5\n", "line 4 has 2 fields where the header has 3"),
        ("a.csv", "a,b,c\r1,2,3\r4,5\r", "line 3 has 2 fields where the header has 3"),
        ("a.tsv", "a\n1\t2\n3\t4\n", "there is 1 column name; name"),
        ("a.csv", "a,b\n1,2,3\n4,5,6\n", "rows have 3 fields but there are 2 column names"),
        ("a.csv", "a,b,c\n1,2,3\n4,5\n", "line 3 has 2 fields where the header has 3"),
        ("a.csv", 'a,b\n1,"2\n', r"not a readable table \(a quotation mark opens in data row 1 and never closes\)"),
        ("a.csv.gz", PACKED[:-12], "damaged|not a readable"),
        ("a.csv.gz", b"\x1f\x8bnonsense", "damaged|cannot be read"),
        ("a.parquet", b"PAR1nonsense", "not a readable Parquet file"),
        ("a.parquet", b"", "the file is empty"),
    ],
)
def test_unusable_file_is_refused_in_one_line(tmp_path, name, content, message):
    path = write(tmp_path, name, content)
    with pytest.raises(DataError, match=message) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
    assert "C error" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_absent_file_and_folder_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_table(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="this is a folder"):
        read_table(tmp_path / "folder.csv")


def test_parquet_without_rows_is_refused(tmp_path):
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no rows"):
        read_table(tmp_path / "a.parquet")


@pytest.mark.parametrize("text", ["a," + "x" * 200_000 + "\n1,2\n", "a,b\n1," + "9" * 200_000 + "\n3\n"])
def test_a_field_without_end_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "long.csv").write_text(text)
    with pytest.raises(DataError, match="a field is longer than 131072 characters; is a quotation mark left open"):
        read_table(tmp_path / "long.csv")
