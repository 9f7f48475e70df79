"""The compiler: one machine program for each floating-point type, made once and kept on disk.

Making it takes several seconds, so it is stored in the folder where Numba keeps such things, under a name that contains
a hash of the engine's sources and the versions it was made with; Numba adds the processor. A folder that cannot be
written, a file that is damaged, or several processes at once only cost the time to make it again.
Floor 3 of the house.
"""

from __future__ import annotations

import gc
import hashlib
import os
import pickle  # noqa: TID251  # what it reads is a file that this module wrote in the user's own cache
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba import types
from numba.core.caching import _Cache as NumbaCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from taut.engine.vectors import WIDTH
from taut.files import replace_file
from taut.notices import say

__all__ = ["compiled_run"]

#: Machine programs of this many versions and processors are kept.
_KEPT = 8

_lock = threading.Lock()


def _folder() -> Path:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(chosen or AppDirs("taut", appauthor=False).user_cache_dir)
    # Without a home its name is relative, and what lies below the working folder may be anybody's: then keep nothing.
    return folder if chosen or folder.is_absolute() else Path(os.devnull)


def _sources() -> bytes:
    """Return all that a machine program depends on, besides the processor."""
    versions = f"{numba.__version__} {llvmlite.__version__} {sys.version}"
    return b"".join([versions.encode(), *(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))])


class _Store(NumbaCache):
    """Where machine programs are kept: files that begin with a hash of the rest, one for each type and processor."""

    def __init__(self) -> None:
        self._source_hash = hashlib.sha256(_sources()).digest()

    @property
    def cache_path(self) -> str:
        return str(_folder())

    def enable(self) -> None:
        """Do nothing: the store is always in use."""

    def disable(self) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""

    def _path(self, signature: Any, codegen: Any) -> Path:
        key = self._source_hash + repr((signature, codegen.magic_tuple(), WIDTH)).encode()
        return _folder() / f"engine-{hashlib.sha256(key).hexdigest()[:24]}.bin"

    def has(self, signature: Any, target_context: Any) -> bool:
        """Return whether there is a whole program for these types."""
        target_context.refresh()
        return self._content(self._path(signature, target_context.codegen())) is not None

    def _content(self, path: Path) -> bytes | None:
        try:
            content = path.read_bytes()
        except OSError:
            return None
        return content[32:] if hashlib.sha256(content[32:]).digest() == content[:32] else None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        content = self._content(self._path(sig, target_context.codegen()))
        return None if content is None else CompileResult._rebuild(target_context, *pickle.loads(content))  # noqa: S301

    def save_overload(self, sig: Any, data: Any) -> None:
        content = dumps(data._reduce())
        path = self._path(sig, data.codegen)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, hashlib.sha256(content).digest() + content)
            others = sorted(path.parent.glob("engine-*.bin"), key=lambda other: other.stat().st_mtime)
            for other in others[:-_KEPT]:
                other.unlink(missing_ok=True)
        except OSError:
            pass  # read-only, full, or gone: the next process makes the program again


def _signature(number: types.Type) -> types.Signature:
    """Return the types of `taut.engine.run.run`'s arguments."""
    real, whole = types.float64, types.int64

    def array(dtype: types.Type, dimensions: int = 1, *, is_read_only: bool = False) -> types.Array:
        return types.Array(dtype, dimensions, "C", readonly=is_read_only)

    data = (
        array(number, is_read_only=True),
        array(whole, is_read_only=True),
        array(number, 2, is_read_only=True),
    )
    subset = array(whole, is_read_only=True)
    return types.void(
        array(number), array(whole), array(real), array(whole), array(real), array(real, 2),
        array(whole, 2), array(real, 2), array(whole, 2), array(real, 2), array(whole, 2), array(real, 2),
        array(whole, 2), array(real), array(real, 2), array(real), array(real),
        data[0], *data, array(number, is_read_only=True), subset, *data, subset,
        array(whole), array(types.uint64), array(whole), array(whole), array(real), array(real, 2), array(real, 2),
        array(whole), whole, whole, whole,
    )  # fmt: skip


@cache
def _made(dtype: str) -> Any:
    from taut.engine import run

    dispatcher = numba.njit(nogil=True, _nrt=False, error_model="numpy")(run.run.py_func)
    store = dispatcher._cache = _Store()
    signature = _signature(types.float32 if dtype == "float32" else types.float64)
    if not store.has(signature, dispatcher.targetctx):
        say(f"compiling the engine for {dtype}, once for this version and processor; this takes some 15 seconds")
    collects = gc.isenabled()
    gc.disable()  # which would look through the compiler's growing trees again and again
    try:
        dispatcher.compile(signature)
    finally:
        if collects:
            gc.enable()
    dispatcher.disable_compile()
    return dispatcher


def compiled_run(dtype: str) -> Any:
    """Return `taut.engine.run.run` as machine code for "float32" or "float64"."""
    with _lock:
        return _made(dtype)
