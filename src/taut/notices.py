"""Notices: one line to a person who waits, where no screen of ours is at hand.

Floor 1 of the house: knows nothing of what is said.
"""

from __future__ import annotations

import sys
from functools import cache

__all__ = ["say"]


@cache
def say(line: str) -> None:
    """Write a line to standard error; a line that this process has written already is not written again."""
    if sys.stderr is not None:  # as in a program without a console
        sys.stderr.write(f"taut: {line}\n")
        sys.stderr.flush()
