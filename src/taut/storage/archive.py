"""The archive: a zip file that is written whole or not at all, and read with suspicion.

A model file may come from anybody. So names, sizes and flags are checked before a byte is unpacked, and nothing is ever
unpacked to disk. What the members mean is none of this file's business. Floor 7 of the house.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from taut.errors import ModelFileError, TautError

__all__ = ["DAMAGE", "Archive", "damage", "one_line", "pack", "refusal"]

#: What the libraries that take bytes apart raise when the bytes are not what they should be.
DAMAGE = (
    TautError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)

_MEGABYTE = 2**20
_LARGEST_RATIO = 500  # a member of more than a megabyte that shrank further than this is a bomb
_LONGEST_MESSAGE = 300
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def one_line(message: object) -> str:
    r"""Return a message without line breaks or control characters, and not too long for a line.

    Examples
    --------
    >>> one_line("no such layer:\n\x1b[31mdense")
    'no such layer: [31mdense'
    """
    words = "".join(letter if letter.isprintable() else " " for letter in str(message)).split()
    text = " ".join(words)
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def refusal(path: Path, reason: object) -> ModelFileError:
    """Return the error that a file is refused with, in one line."""
    return ModelFileError(
        f"{''.join(letter if letter.isprintable() else '?' for letter in str(path))}: {one_line(reason)}"
    )


@contextmanager
def damage(reason: str) -> Iterator[None]:
    """Turn whatever damaged bytes provoke into a `ModelFileError` that begins with `reason`."""
    try:
        yield
    except ModelFileError:
        raise
    except DAMAGE as error:
        raise ModelFileError(one_line(f"{reason} ({str(error) or type(error).__name__})")) from error


class Archive:
    """The members of a zip file, each checked before it is read.

    Parameters
    ----------
    file : binary file
        Open for reading, at its beginning.

    Attributes
    ----------
    names : tuple of str
        The members, in their order.

    Raises
    ------
    ModelFileError
        If it is not a zip file, or a member's name is a path, stands twice or is a link.

    Examples
    --------
    >>> archive = Archive(io.BytesIO(pack({"greeting.txt": b"hello"})))
    >>> archive.names, archive.read("greeting.txt", at_most=100)
    (('greeting.txt',), b'hello')
    """

    def __init__(self, file: IO[bytes]) -> None:
        if file.read(4) != b"PK\x03\x04":
            raise ModelFileError("not a taut model, nor any other zip file")
        with damage("the file is damaged or cut off"):
            self._zip = zipfile.ZipFile(file)
        members = self._zip.infolist()
        if members and all(member.header_offset for member in members):
            # What remains of a file that is cut off may end in another zip file, which lay in it as a member.
            raise ModelFileError("the file is damaged or cut off (its end belongs to a part of it)")
        for member in members:
            _check_name(member)
        name, times = Counter(member.filename for member in members).most_common(1)[0] if members else ("", 0)
        if times > 1:
            raise ModelFileError(f"the member {name!r} stands in it twice")
        self._members = {member.filename: member for member in members}
        self.names = tuple(self._members)

    def size(self, name: str) -> int:
        """Return how many bytes a member has, as the file declares it."""
        return self._members[name].file_size

    def read(self, name: str, at_most: int) -> bytes:
        """Return a member.

        Parameters
        ----------
        name : str
            One of `names`.
        at_most : int
            How many bytes it may have.

        Raises
        ------
        ModelFileError
            If it is missing, too large, too tightly packed to be honest, encrypted, or damaged.
        """
        if name not in self._members:
            raise ModelFileError(f"the member {name!r} is missing")
        member = self._members[name]
        if member.flag_bits & _ENCRYPTED:
            raise ModelFileError(f"the member {name!r} is encrypted")
        if member.compress_type not in _METHODS:
            raise ModelFileError(f"the member {name!r} is packed in a way (method {member.compress_type}) unknown here")
        if member.file_size > at_most:
            raise ModelFileError(f"the member {name!r} has {member.file_size} bytes, more than the {at_most} allowed")
        if member.file_size > _MEGABYTE + _LARGEST_RATIO * member.compress_size:
            raise ModelFileError(
                f"the member {name!r} unpacks {member.compress_size} bytes to {member.file_size}: a zip bomb"
            )
        with damage(f"the member {name!r} is damaged"), self._zip.open(member) as stream:
            data = stream.read(member.file_size + 1)
        if len(data) != member.file_size:
            raise ModelFileError(f"the member {name!r} has {len(data)} bytes instead of {member.file_size}")
        return data


def _check_name(member: zipfile.ZipInfo) -> None:
    name = member.orig_filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/") or "\0" in name:
        raise ModelFileError(one_line(f"the member {name!r:.80} has a name that leads out of the file"))
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise ModelFileError(one_line(f"the member {name!r:.80} is a link or a device, not a file"))


def pack(members: Mapping[str, bytes], stored: Collection[str] = ()) -> bytes:
    """Return a zip file, the same bytes for the same members.

    Parameters
    ----------
    members : mapping of str to bytes
        Contents by name.
    stored : collection of str, optional
        Members that are not compressed.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix, on every system
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            method = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compress_type=method, compresslevel=6)
    return buffer.getvalue()
