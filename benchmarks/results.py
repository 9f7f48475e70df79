"""The file of results: what was measured, raw, in JSON; each part may be measured again without the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "Results"]

RESULTS = Path(__file__).parent / "results.json"


class Results:
    """What the file holds.

    Parameters
    ----------
    path : Path
        The file; it need not exist yet.
    """

    def __init__(self, path: Path = RESULTS) -> None:
        self.path = path
        self.values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def part(self, *names: str) -> dict[str, Any]:
        """Return a part of the results, made if it is not there."""
        values = self.values
        for name in names:
            values = values.setdefault(name, {})
        return values

    def add_timing(self, threads: str, case: str, contender: str, entry: dict[str, Any]) -> None:
        """Put in what was measured of a contender in a case."""
        self.part("timings", threads, case)[contender] = entry

    def add_skipped_case(self, threads: str, case: str, reason: str) -> None:
        """Say why a case is left out; what was measured of it before is gone."""
        self.part("timings", threads)[case] = {}
        self.part("skipped", threads)[case] = reason

    def add_sgemm(self, threads: str, case: str, rates: list[float]) -> None:
        """Put in the rate of matrix products on one core, measured between the turns of a case."""
        self.part("skipped", threads).pop(case, None)
        self.part("sgemm", threads)[case] = rates

    def write(self) -> None:
        """Replace the file, whole."""
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.values, indent=1) + "\n", encoding="utf-8")
        new.replace(self.path)
