"""The outcomes: what came of each method on each cut of each table, in files of JSON, one line an outcome.

One file holds the peers', one taut's, one the ablations', so that each can be run without the others. An outcome says
what it was made with; made with other versions it is not current, and is made again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ABLATION_FILE", "PEERS_FILE", "TAUT_FILE", "Key", "Outcomes"]

PEERS_FILE = Path(__file__).parent / "peers.json"
TAUT_FILE = Path(__file__).parent / "taut.json"
ABLATION_FILE = Path(__file__).parent / "ablation.json"

#: Digits that are kept of a figure.
DIGITS = 6


@dataclass(frozen=True, order=True)
class Key:
    """Whose outcome it is, and on what."""

    method: str
    table: str
    split: int

    def __str__(self) -> str:
        return f"{self.method}/{self.table}/{self.split}"

    @staticmethod
    def parse(text: str) -> Key:
        """Return the key that is written so."""
        method, table, split = text.split("/")
        return Key(method, table, int(split))


class Outcomes:
    """A file of outcomes. It is read anew whenever it is asked, so that several processes may fill it at once.

    Parameters
    ----------
    path : Path
        The file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[Key, dict[str, Any]]:
        """Return all outcomes: figures, "seconds", "cpu", "versions" and "machine", or why it "failed" instead."""
        if not self.path.exists():
            return {}
        return {Key.parse(text): entry for text, entry in json.loads(self.path.read_text(encoding="utf-8")).items()}

    def is_current(self, key: Key, versions: dict[str, str] | None) -> bool:
        """Return whether an outcome is there that need not be made again.

        Parameters
        ----------
        key : Key
            The outcome.
        versions : dict or None
            What it would be made with now; None takes it whatever it was made with. What failed is tried again.
        """
        entry = self.read().get(key, {"failed": "not there yet"})
        return "failed" not in entry and versions in (None, entry["versions"])

    def add(self, key: Key, entry: dict[str, Any]) -> None:
        """Put an outcome in, at once and whole, in the place of an earlier one."""
        with self._alone():
            found = self.read()
            found[key] = {name: _rounded(value) for name, value in entry.items()}
            lines = (f"{json.dumps(str(key))}: {json.dumps(found[key], sort_keys=True)}" for key in sorted(found))
            new = self.path.with_suffix(".new")
            new.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
            new.replace(self.path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from writing between our reading and our writing."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
