"""Model info: what is in a model file, without building the network.

For `taut show`, and for whoever wants to know what a file is before using it. Floor 7 of the house; knows nothing of
screens.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from taut.data.schema import ColumnSchema
from taut.data.targets import ClassTargets
from taut.storage import contents
from taut.storage.documents import checked_fields, read_document
from taut.storage.model_file import SUMMARY, read_members
from taut.storage.networks import NETWORK, count_parameters
from taut.training.ensemble import shares_of
from taut.training.recipe import Recipe

__all__ = ["ModelInfo", "inspect", "read_summary"]


@dataclass(frozen=True)
class ModelInfo:
    """What is in a model file.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        "network", "model", "ensemble", "classifier", "regressor", "classifier_cv" or "regressor_cv".
    n_models : int
        How many networks are in it; what is said of one of an ensemble is said of the first, but for its recipe.
    format : int
        Number of its format.
    versions : dict of str to str
        Versions of taut, Python and the libraries that wrote it.
    task : str or None
        "classification" or "regression"; None for a bare network.
    recipe : Recipe or None
        What it was trained by; of an ensemble, what the models were that most of its answer comes from.
    shares : tuple of (Recipe, float)
        Of an ensemble, the recipes of its models, apart from their seeds, and the share each has of the answer, the
        largest first.
    temperature : float
        Of an ensemble, what its probabilities are made less sure by.
    columns : tuple of ColumnSchema
        What each column of the table is, and what is done with it.
    classes : list or None
        The labels, for classification.
    n_targets : int
        How many numbers it predicts, for regression.
    n_inputs, n_parameters : int
        Columns of the encoded inputs, and size of the network.
    dtype : str
        Floating-point type of the network.
    epochs : int
        Epochs trained.
    summary : dict or None
        What `taut fit` found.
    sizes : dict of str to int
        Bytes of each member, unpacked.
    """

    path: Path
    kind: str
    n_models: int
    format: int
    versions: dict[str, str]
    task: str | None
    recipe: Recipe | None
    shares: tuple[tuple[Recipe, float], ...]
    temperature: float
    columns: tuple[ColumnSchema, ...]
    classes: list[Any] | None
    n_targets: int
    n_inputs: int
    n_parameters: int
    dtype: str
    epochs: int
    summary: dict[str, Any] | None
    sizes: dict[str, int]


def inspect(path: str | os.PathLike[str]) -> ModelInfo:
    """Say what is in a model file, without building the network.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    ModelInfo
        Recipe, schema, versions, sizes and summary.

    Raises
    ------
    ModelFileError
        As `load`, but for what only shows when the model is put together.

    Examples
    --------
    >>> import tempfile
    >>> from taut import Dense, Network, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Network([Dense(3)]).build(n_inputs=2), f"{folder}/small.taut")
    ...     info = inspect(f"{folder}/small.taut")
    >>> info.kind, info.n_parameters, info.dtype
    ('network', 9, 'float64')
    """
    with read_members(path) as (manifest, members):
        apart = contents.models_apart(manifest.kind, members)
        first = apart[0]
        network = read_document(first[NETWORK], NETWORK)
        types = {"n_inputs": int, "dtype": str, "layers": list, "loss": dict | NoneType}
        n_inputs, dtype, _, _ = checked_fields(network, NETWORK, types)
        task: str | None = None
        shares: dict[Recipe, float] = {}
        temperature = 1.0
        columns: tuple[ColumnSchema, ...] = ()
        classes: list[Any] | None = None
        n_targets = epochs = 0
        if manifest.kind != "network":
            task, targets, columns = contents.read_schema(first)
            weights, temperature = contents.read_mixture(members, len(apart))
            shares = shares_of([contents.read_recipe(own) for own in apart], weights)
            epochs = contents.read_history(first).epochs
            if isinstance(targets, ClassTargets):
                classes = targets.classes_.tolist()
            else:
                n_targets = len(targets.mean_)
        return ModelInfo(
            path=Path(path),
            kind=manifest.kind,
            n_models=len(apart),
            format=manifest.format,
            versions=manifest.versions,
            task=task,
            recipe=next(iter(shares), None),
            shares=tuple(shares.items()) if len(apart) > 1 else (),
            temperature=temperature,
            columns=columns,
            classes=classes,
            n_targets=n_targets,
            n_inputs=n_inputs,
            n_parameters=count_parameters(first),
            dtype=dtype,
            epochs=epochs,
            summary=read_document(members[SUMMARY], SUMMARY) if SUMMARY in members else None,
            sizes={name: len(data) for name, data in members.items()},
        )


def read_summary(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the summary that `save` was given, or None.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    ModelFileError
        As `inspect`.
    """
    with read_members(path) as (_, members):
        return read_document(members[SUMMARY], SUMMARY) if SUMMARY in members else None
