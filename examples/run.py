"""Run the notebooks beside this file and keep what they show: `make notebooks`, which installs what that needs."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parent


def run(path: Path) -> None:
    """Run a notebook from its start and write it back, without what only tells where and when it ran."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", []):
            if "data" in output:
                output.metadata = {}
                if "image/png" in output.data:
                    output.data.pop("text/plain", None)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for each in sorted(EXAMPLES.glob("*.ipynb")):
        run(each)
