"""What a stranger's file may do to the page: one clear line, and nothing else."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from taut.errors import DataError
from taut.play.code import script
from taut.play.course import Course
from taut.play.rows import source_of
from taut.play.setting import Setting
from taut.play.table import MOST_BYTES, Table

ROWS = "".join(f"{row},{row * 7 % 5},{'yes' if row % 3 else 'no'}\n" for row in range(60))
HEADER = "a,b,label\n"

WIDE = ",".join(f"c{n}" for n in range(10_000)) + "\n" + ",".join("1" * 10_000) + "\n"


HOSTILE = {
    "too large": ("big.csv", b"a,b\n" + b"1,2\n" * (MOST_BYTES // 4), "up to 20 MB"),
    "zeros": ("junk.csv", bytes(range(256)) * 20, "not text"),
    "noise": ("junk.csv", bytes(np.random.default_rng(0).integers(1, 256, 5000, dtype=np.uint8)), ""),
    "a picture": ("cat.csv", b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR", "not text"),
    "a huge field": ("wide.csv", (HEADER + ROWS + f'1,2,"{"x" * 100_000}"\n').encode(), "has 100000 characters"),
    "a huge name": ("wide.csv", ("a" * 200_000 + ",b,label\n" + ROWS).encode(), ""),
    "a long name": ("wide.csv", ("a" * 5000 + ",b,label\n" + ROWS).encode(), "column name has 5000 characters"),
    "formulas": ("bad.csv", (HEADER + ROWS + "=1+1,2,yes\n").encode(), "spreadsheet formulas, such as '=1+1'"),
    "a command": ("bad.csv", (HEADER + ROWS + "\"+cmd|' /C calc'!A0\",2,yes\n").encode(), "spreadsheet formulas"),
    "many columns": ("many.csv", WIDE.encode(), "got 10000"),
    "one column": ("one.csv", b"a\n1\n2\n", "got 1"),
    "nothing": ("none.csv", b"", "empty"),
    "ragged": ("ragged.csv", (HEADER + ROWS + "1,2,3,4\n").encode(), "line 62 has 4 fields"),
    "an open quotation": ("quote.csv", (HEADER + ROWS + '"1,2,3\n').encode(), "quotation mark"),
    "packed": ("bomb.csv.gz", gzip.compress(b"0" * 1_000_000), "ending in .csv"),
    "parquet": ("table.parquet", b"PAR1", "ending in .csv"),
    "no name": ("", b"a,b\n1,2\n", "ending in .csv"),
    "a path": ("../../etc/passwd", b"a,b\n1,2\n", "'passwd'"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file_gets_one_clear_line(case):
    name, content, words = HOSTILE[case]
    with pytest.raises(DataError) as refused:
        Table.from_bytes(name, content)
    line = str(refused.value)
    assert words in line
    assert "\n" not in line
    assert len(line) < 400
    assert "/tmp" not in line


@pytest.mark.parametrize("cell", ["-5", "+3.5", "-", "@home", "+49 170 1234", "a=b", "- (none)"])
def test_cell_that_only_looks_odd_is_taken(cell):
    Table.from_bytes("fine.csv", (HEADER + ROWS + f"1,2,{cell}\n").encode())


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"target": "c"}, "no column 'c'"),
        ({"target": "a", "columns": ("a", "b")}, "two columns of numbers"),
        ({"target": "label", "columns": ("a", "a")}, "two columns of numbers"),
        ({"target": "label", "columns": ("a", "label")}, "two columns of numbers"),
    ],
)
def test_columns_that_there_are_not_are_refused_in_one_line(knobs, words):
    table = Table.from_bytes("t.csv", (HEADER + ROWS).encode())
    setting = Setting(data="table", table=table.fingerprint, **knobs)
    with pytest.raises(DataError, match=words):
        source_of(setting, table)


def test_target_with_too_few_values_or_too_many_classes_is_refused():
    few = Table.from_bytes("few.csv", (HEADER + "1,2,yes\n3,4,no\n5,7,no\n").encode())
    with pytest.raises(DataError, match="20 is the fewest"):
        source_of(Setting(**few.knobs()), few)
    many = Table.from_bytes(
        "many.csv", ("a,b,label\n" + "".join(f"{n},{n % 7},w{n % 12}\n" for n in range(80))).encode()
    )
    with pytest.raises(DataError, match="12 classes"):
        source_of(Setting(**many.knobs()), many)


def test_names_of_a_table_cannot_become_code():
    name = "x'); raise SystemExit('run') #"
    content = f'"{name}",b,label\n{ROWS}'.encode()
    table = Table.from_bytes('a"); raise SystemExit("file") #.csv', content)
    setting = Setting(**table.knobs("label"))
    code = script(Course(setting).at(1), "classification", table)
    compiled = compile(code, "copied", "exec")
    assert not any(constant == "SystemExit" for constant in compiled.co_names)


def test_fingerprint_is_of_the_content_and_not_of_the_name():
    one, other = (Table.from_bytes(name, (HEADER + ROWS).encode()) for name in ("a.csv", "b.csv"))
    changed = Table.from_bytes("a.csv", (HEADER + ROWS.replace("59,", "58,")).encode())
    assert one.fingerprint == other.fingerprint != changed.fingerprint


def test_encoder_and_plane_are_those_of_the_rows_to_learn_from(people):
    setting = Setting(**people.knobs("label"), samples=5000, label_noise=0)
    rows = source_of(setting, people).rows(setting)
    assert np.allclose(rows.x.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(rows.x.std(axis=0), 1)
    shown = rows.plane.offset + rows.plane.scale * rows.plane.points(rows.x)
    assert {tuple(point) for point in shown.round(6)} <= {
        tuple(map(float, row)) for row in people.frame[["age", "height"]].to_numpy()
    }


def test_numbers_written_as_text_are_axes_in_their_own_units():
    content = "price;width;label\n" + "".join(f"{n},5 €;{n % 7};{'yes' if n % 3 else 'no'}\n" for n in range(60))
    table = Table.from_bytes("prices.csv", content.encode())
    setting = Setting(**table.knobs(), samples=5000)
    rows = source_of(setting, table).rows(setting)
    assert rows.plane.names == ("price", "width")
    shown = rows.plane.offset + rows.plane.scale * rows.plane.points(rows.x)
    assert {float(value) for value in shown[:, 0].round(6)} <= {n + 0.5 for n in range(60)}


def test_column_that_does_not_vary_in_the_rows_to_learn_from_is_refused():
    content = HEADER + "".join(f"{int(row == 58)},{row % 5},{'yes' if row % 3 else 'no'}\n" for row in range(60))
    table = Table.from_bytes("t.csv", content.encode())
    learns = {seed: Setting(**table.knobs(), seed=seed) for seed in range(4)}
    refused = [seed for seed, setting in learns.items() if not varies(setting, table)]
    assert 0 < len(refused) < 4


def varies(setting: Setting, table: Table) -> bool:
    try:
        source_of(setting, table)
    except DataError as error:
        return "has one value in all rows to learn from" not in str(error)
    return True


@pytest.mark.parametrize("axes", ["columns", "projection", "all"])
def test_points_of_the_plane_are_inputs_and_back(axes, people):
    setting = Setting(**people.knobs("amount", axes), samples=60)
    plane = source_of(setting, people).rows(setting).plane
    grid = plane.grid(9)
    points = plane.points(grid)
    assert grid.shape == (81, plane.origin.size)
    assert np.allclose(points[0], [plane.low[0], plane.high[1]])
    assert np.allclose(points[-1], [plane.high[0], plane.low[1]])


def test_more_label_noise_spoils_the_same_labels_and_more():
    wrong = []
    for share in (0.0, 0.1, 0.3):
        setting = Setting(samples=300, label_noise=share)
        wrong.append(source_of(setting, None).rows(setting).wrong)
    assert not wrong[0].any()
    assert (wrong[2] | ~wrong[1]).all()
    assert 0.2 < wrong[2].mean() < 0.4


def test_noise_of_numbers_moves_only_what_is_learned(people):
    quiet = Setting(**people.knobs("amount", "all"), samples=60, label_noise=0.0)
    loud, source = quiet.changed({"label_noise": 0.5}), source_of(quiet, people)
    before, after = source.rows(quiet), source.rows(loud)
    assert (before.validation_y == after.validation_y).all()
    assert 0.3 < np.std(before.y - after.y) < 0.7
