"""The room as its neighbours see it: its names, and that importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import taut.data


@pytest.mark.parametrize("name", taut.data.__all__)
def test_public_name_is_found_and_listed(name):
    assert getattr(taut.data, name) is not None
    assert name in dir(taut.data)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = taut.data.nonsense


def test_import_is_light():
    code = "import sys, taut.data; print({'pandas', 'sklearn', 'scipy', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"
