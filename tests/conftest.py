"""What every test stands on: one thread of BLAS a process, the machine programs, and where the shared tables are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Two processes test at once: threads of their own would only get in each other's way. The libraries read this
# when they are loaded, so it must stand above every import of NumPy; processes that tests start inherit it.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = "1"

import pytest

ROOT = Path(__file__).resolve().parents[1]

# The scripts that made the golden figures import what taut does not depend on.
collect_ignore_glob = ["golden/*"]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make the compiled engine's programs, one process each, before the processes that test would all make them."""
    if "PYTEST_XDIST_WORKER" in os.environ or session.config.option.collectonly:
        return
    code = "import sys; from taut.engine.compiled import compiled_run; compiled_run(sys.argv[1])"
    makers = [subprocess.Popen([sys.executable, "-c", code, dtype]) for dtype in ("float32", "float64")]
    for maker in makers:
        maker.wait()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the shared tables, or skip: `TAUT_DATA`, by default ../shared/data beside the repository."""
    folder = Path(os.environ.get("TAUT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared tables at {folder}: set TAUT_DATA to their folder")
    return folder
