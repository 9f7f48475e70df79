"""Where machine programs are kept: whatever happens to the folder, a run is made, and by the right program.

Most of this is about the store alone, which is given small functions to keep: the engine takes long to compile.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit, types

from taut.engine import compiled

SIGNATURE = types.float64(types.float64)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Return a folder for machine programs that is not there yet."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache" / "of taut"))
    return tmp_path / "cache" / "of taut"


def add(number: float, signature=SIGNATURE):
    """Return a compiled function that adds a number, or whichever the store has for this signature."""
    function = njit(lambda x: x + number)
    function._cache = compiled._Store()
    function.compile(signature)
    return function


def programs(folder: Path) -> list[Path]:
    return sorted(folder.glob("engine-*.bin"))


def test_a_program_is_kept_and_found_again(folder):
    assert add(1.0)(1.0) == 2.0
    assert [path.name for path in folder.iterdir()] == [path.name for path in programs(folder)]
    assert len(programs(folder)) == 1
    assert add(5.0)(1.0) == 2.0  # is the one that was kept
    assert add(5.0, types.float32(types.float32))(np.float32(1.0)) == 6.0  # is another
    assert len(programs(folder)) == 2


def test_a_program_of_other_sources_or_versions_is_not_used(folder, monkeypatch):
    assert add(1.0)(1.0) == 2.0
    with monkeypatch.context() as changed:
        changed.setattr(compiled, "_sources", lambda: b"other sources")
        assert add(5.0)(1.0) == 6.0
    assert len(programs(folder)) == 2
    sources = compiled._sources()
    for name in ("numba", "llvmlite"):
        with monkeypatch.context() as changed:
            changed.setattr(sys.modules[name], "__version__", "0.0.0")
            assert compiled._sources() != sources
    for path in Path(compiled.__file__).parent.glob("*.py"):
        assert path.read_bytes() in sources


DAMAGES = {
    "empty": lambda _: b"",
    "short": lambda content: content[:20],
    "no program": lambda content: content[:32],
    "truncated": lambda content: content[:-1],
    "half": lambda content: content[: len(content) // 2],
    "longer": lambda content: content + b"\0",
    "first byte": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "byte of the program": lambda content: content[:100] + bytes([content[100] ^ 128]) + content[101:],
    "last byte": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "garbage": lambda content: np.random.default_rng(0).bytes(len(content)),
    "text": lambda _: b"version https://git-lfs.github.com/spec/v1\n" * 3,
    "zeros": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_program_is_made_again(folder, damage):
    add(1.0)
    (path,) = programs(folder)
    whole = path.read_bytes()
    path.write_bytes(DAMAGES[damage](whole))
    assert add(5.0)(1.0) == 6.0
    assert programs(folder) == [path]
    assert add(9.0)(1.0) == 6.0


def test_a_folder_in_the_place_of_a_program_is_no_obstacle(folder):
    add(1.0)
    (path,) = programs(folder)
    path.unlink()
    path.mkdir()
    assert add(5.0)(1.0) == 6.0
    assert path.is_dir()


def test_a_folder_that_cannot_be_made_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path(os.devnull)):
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(place))
        assert add(1.0)(1.0) == 2.0
        assert add(5.0)(1.0) == 6.0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_may_not_be_written_is_no_obstacle(folder, monkeypatch):
    def refuse(path, data):
        raise PermissionError(13, "Permission denied", str(path))

    add(1.0)
    with monkeypatch.context() as changed:
        changed.setattr(compiled, "replace_file", refuse)
        assert add(5.0)(1.0) == 2.0  # what lies there is read
        assert add(5.0, types.float32(types.float32))(np.float32(1.0)) == 6.0
    assert len(programs(folder)) == 1


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_is_read_only_is_no_obstacle(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    assert add(1.0)(1.0) == 2.0
    assert not programs(folder)


def test_only_the_newest_programs_are_kept_and_nothing_else_is_removed(folder):
    folder.mkdir(parents=True)
    for age in range(12):
        other = folder / f"engine-{age:02}.bin"
        other.write_bytes(b"")
        os.utime(other, (1_000_000 - age, 1_000_000 - age))
    strangers = [folder / "index.nbi", folder / "engine.txt"]
    for stranger in strangers:
        stranger.write_text("not ours")
        os.utime(stranger, (0, 0))
    add(1.0)
    kept = [path.name for path in programs(folder)]
    assert len(kept) == compiled._KEPT
    assert [f"engine-{age:02}.bin" for age in range(compiled._KEPT - 1)] == kept[: compiled._KEPT - 1]
    assert all(stranger.exists() for stranger in strangers)


def test_without_a_home_nothing_is_kept(tmp_path, monkeypatch):
    """Then the folder's name is `~/.cache/taut`, which below the working folder anybody may have written."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.chdir(tmp_path)
    assert add(1.0)(1.0) == 2.0
    assert add(5.0)(1.0) == 6.0
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------------ processes

ADD = """
import sys
from contextlib import suppress
from numba import njit, types
from taut.engine import compiled
from pathlib import Path
for i in range(40):
    number = float(sys.argv[1])
    function = njit(lambda x: x + number)
    function._cache = compiled._Store()
    function.compile(types.float64(types.float64))
    assert function(1.0) in (2.0, 3.0, 4.0)
    for path in Path(compiled._folder()).glob("engine-*.bin"):
        if i % 3 == 0:
            path.unlink(missing_ok=True)
        if i % 3 == 1:
            with suppress(FileNotFoundError):  # another process may have just removed it
                path.write_bytes(path.read_bytes()[:50])
"""
TRAIN = """
import hashlib
import numpy as np
from taut import Adam, Dense, Dropout, Network, ReLU, train
random = np.random.default_rng(0)
X, y = random.normal(size=(100, 4)).astype(np.float32), random.integers(0, 3, 100)
network = Network([Dense(9), ReLU(), Dropout(0.1), Dense(3)])
train(network, X, y, optimizer=Adam(0.01), epochs=5, engine="compiled")
print(hashlib.sha256(network.theta.tobytes()).hexdigest())
"""


def start(code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=dict(os.environ) | environment, **pipes)


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a process wrote, or raise if it failed."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out, err


def test_processes_that_write_read_and_damage_at_once_all_work(folder):
    folder.mkdir(parents=True)
    for process in [start(ADD, str(number)) for number in (1, 2, 3)]:
        assert ended(process) == ("", "")
    assert [path for path in folder.iterdir() if path not in programs(folder)] == []


def test_two_processes_make_a_damaged_engine_again_and_a_third_finds_it(tmp_path):
    expected = ended(start(TRAIN))
    assert expected[1] == ""  # the programs are made when the tests begin
    here = tmp_path / "cache"
    shutil.copytree(compiled._folder(), here)
    for program in programs(here):
        content = program.read_bytes()
        program.write_bytes(content[:5000] + b"damaged" + content[5007:])
    notice = "taut: compiling the engine for float32, once for this version and processor; this takes some 15 seconds\n"
    for process in [start(TRAIN, NUMBA_CACHE_DIR=str(here)) for _ in range(2)]:
        assert ended(process) == (expected[0], notice)
    assert ended(start(TRAIN, NUMBA_CACHE_DIR=str(here))) == (expected[0], "")


def test_a_run_needs_no_home(tmp_path):
    """With `HOME` missing the folder is that of the user's entry in the system's list, or given."""
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "USERPROFILE")}
    environment["NUMBA_CACHE_DIR"] = str(compiled._folder())
    made = subprocess.run([sys.executable, "-c", TRAIN], env=environment, capture_output=True, text=True, timeout=300)
    assert (made.returncode, made.stderr) == (0, "")
