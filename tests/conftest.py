"""What every test stands on: one thread of BLAS in each process, and where the shared tables are."""

from __future__ import annotations

import os
from pathlib import Path

# Two processes test at once: threads of their own would only get in each other's way. The libraries read this
# when they are loaded, so it must stand above every import of NumPy; processes that tests start inherit it.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = "1"

import pytest

ROOT = Path(__file__).resolve().parents[1]

# The scripts that made the golden figures import what taut does not depend on.
collect_ignore_glob = ["golden/*"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the shared tables, or skip: `TAUT_DATA`, by default ../shared/data beside the repository."""
    folder = Path(os.environ.get("TAUT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared tables at {folder}: set TAUT_DATA to their folder")
    return folder
