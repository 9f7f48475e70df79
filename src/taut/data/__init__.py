"""Data: sample sets, reading tables, encoding columns, splitting, targets and augmenting.

Floor 1 of the house: everything that happens to a table before a network sees it, and nothing that knows what a
network is. Names load when they are first used, so importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Augmentation": "augment",
    "ClassTargets": "targets",
    "ColumnSchema": "schema",
    "Inputs": "inputs",
    "NumberTargets": "targets",
    "SCALERS": "columns",
    "TRUSTED_TYPES": "columns",
    "TableEncoder": "columns",
    "folds": "splits",
    "hold_out": "splits",
    "infer_task": "targets",
    "load_sample": "samples",
    "numeric_target": "numeric_targets",
    "read_table": "reading",
    "spiral": "samples",
}

__all__ = [
    "SCALERS",
    "TRUSTED_TYPES",
    "Augmentation",
    "ClassTargets",
    "ColumnSchema",
    "Inputs",
    "NumberTargets",
    "TableEncoder",
    "folds",
    "hold_out",
    "infer_task",
    "load_sample",
    "numeric_target",
    "read_table",
    "spiral",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
