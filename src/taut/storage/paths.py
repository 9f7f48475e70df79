"""Paths: what an estimator that chooses by cross-validation found, as JSON and safetensors, and back.

The recipes are not stored: they are the recipe of the model with one strength at each of the values. Nor is the table,
which no file of ours holds. Floor 7 of the house; knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from taut.errors import InvalidValue, ModelFileError
from taut.selection.axes import axis_of
from taut.selection.objectives import METRICS
from taut.selection.path_result import RegularizationPath
from taut.storage.archive import damage
from taut.storage.documents import checked_fields, read_document, write_document
from taut.storage.networks import read_tensors, write_tensors
from taut.training.recipe import Recipe

__all__ = ["PATH", "PATH_ARRAYS", "read_path", "write_path"]

PATH, PATH_ARRAYS = "path.json", "path.safetensors"

_TYPES = {"penalty": str, "input_names": list, "index_min": int, "index_1se": int}
_ARRAYS = ("losses", "mean", "standard_error", "training", "penalties", "norms", "zeros")


def write_path(path: RegularizationPath) -> dict[str, bytes]:
    """Return the members that hold a path."""
    arrays = {name: getattr(path, name) for name in ("values", "best_epoch", *_ARRAYS)}
    arrays |= {f"metric.{name}": values for name, values in path.metrics.items()}
    if path.input_norms is not None:
        arrays["input_norms"] = path.input_norms
    return {
        PATH: write_document({name: getattr(path, name) for name in _TYPES}),
        PATH_ARRAYS: write_tensors({name: np.ascontiguousarray(values) for name, values in arrays.items()}),
    }


def read_path(members: Mapping[str, bytes], recipe: Recipe, task: str) -> RegularizationPath:
    """Read back what `write_path` returned.

    Parameters
    ----------
    members : mapping of str to bytes
        The members.
    recipe : Recipe
        The one that was chosen.
    task : {"classification", "regression"}
        What the model is for.

    Raises
    ------
    ModelFileError
        If a member is damaged, or the recipe is none of the path's.
    """
    document = dict(zip(_TYPES, checked_fields(read_document(members[PATH], PATH), PATH, _TYPES), strict=True))
    arrays = read_tensors(members[PATH_ARRAYS], PATH_ARRAYS)
    if not all(isinstance(name, str) for name in document["input_names"]):
        raise ModelFileError(f"{PATH}: 'input_names' should be strings")
    with damage(f"{PATH} and {PATH_ARRAYS} hold no path"):
        axis = axis_of(document["penalty"])
        _check(arrays, axis.is_sparse, task, len(document["input_names"]))
        values = arrays["values"]
        if not all(0 <= document[name] < len(values) for name in ("index_min", "index_1se")):
            raise InvalidValue(f"a choice is none of the {len(values)} values")
        recipes = [axis.recipe(recipe, value) for value in values]
        if recipe not in recipes:
            raise InvalidValue("the recipe of the model is none of the path")
    metrics = {name: arrays.pop(f"metric.{name}") for name in METRICS[task]}
    found: dict[str, Any] = {"input_norms": None, **arrays, **document}
    return RegularizationPath(
        axis=axis, recipes=recipes, metrics=metrics, metric_names=METRICS[task], _walk=None, **found
    )


def _check(arrays: Mapping[str, np.ndarray], is_sparse: bool, task: str, n_inputs: int) -> None:
    """Raise unless these are the arrays of a path, each of its type and shape."""
    metrics = [f"metric.{name}" for name in METRICS[task]]
    needed = {"values", "best_epoch", *_ARRAYS, *metrics, *(["input_norms"] if is_sparse else [])}
    if arrays.keys() != needed:
        raise InvalidValue(f"the arrays are {', '.join(sorted(arrays))}")
    n_values, n_folds, n_layers = len(arrays["values"]), arrays["losses"].shape[-1], arrays["norms"].shape[-1]
    one, fold, layer = (n_values,), (n_values, n_folds), (n_values, n_layers)
    shapes = dict.fromkeys(needed, one) | dict.fromkeys(["losses", *metrics], fold)
    shapes |= {"norms": layer, "zeros": layer, "input_norms": (n_values, n_inputs)}
    for name, array in arrays.items():
        kinds = {"values": "if", "best_epoch": "i"}.get(name, "f")
        if array.shape != shapes[name] or array.dtype.kind not in kinds or not array.size:
            raise InvalidValue(f"{name!r} is {array.dtype} of shape {array.shape}")
