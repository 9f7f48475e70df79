"""Versions: what a result was made with.

Floor 1 of the house: knows nothing else.
"""

from __future__ import annotations

import platform
from importlib.metadata import version

__all__ = ["LIBRARIES", "versions"]

#: What the numbers depend on.
LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas", "skops")


def versions() -> dict[str, str]:
    """Return the versions of taut, of Python, and of the libraries that the numbers depend on."""
    return {"taut": version("taut"), "python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
