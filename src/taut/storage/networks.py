"""Networks: a network as its specification in JSON and its weights as safetensors.

The specification says what the layers are, with every setting, so that a later version needs no default of this one
to rebuild them. It is held against the shapes of the weights before anything is allocated. Floor 7 of the house.

References
----------
The safetensors format, https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType

import numpy as np

from taut.errors import InvalidValue, ModelFileError
from taut.network import Loss, Network, Parameter, Statistic
from taut.network.kinds import from_spec, to_spec
from taut.network.network import DTYPES
from taut.storage.archive import damage, one_line
from taut.storage.documents import check_annotated, checked_fields, read_document, write_document

__all__ = [
    "NETWORK",
    "WEIGHTS",
    "count_parameters",
    "read_network",
    "read_tensors",
    "write_network",
    "write_tensors",
]

NETWORK, WEIGHTS = "network.json", "weights.safetensors"


def write_network(network: Network, loss: Loss | None) -> dict[str, bytes]:
    """Return the members that hold a network, with the loss it was trained on, if any.

    Raises
    ------
    InvalidValue
        If the network is not built, or a weight is not finite.
    InvalidType
        If a layer or the loss is not in the tables of kinds.
    """
    if not network.built:
        raise InvalidValue("the network has no parameters yet; train it, or call build(n_inputs), before saving it")
    tensors = {name: array.value for name, array in _named_arrays(network).items()}
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise InvalidValue(f"the {name.partition('.')[2]} of layer {name.partition('.')[0]} are not all finite")
    specification = {
        "n_inputs": network.n_inputs,
        "dtype": str(network.theta.dtype),
        "layers": network.to_spec(),
        "loss": None if loss is None else to_spec(loss),
    }
    return {NETWORK: write_document(specification), WEIGHTS: write_tensors(tensors)}


def read_network(members: Mapping[str, bytes]) -> tuple[Network, Loss | None]:
    """Read back what `write_network` returned.

    Raises
    ------
    ModelFileError
        If specification and weights are damaged or do not belong together.
    """
    types = {"n_inputs": int, "dtype": str, "layers": list, "loss": dict | NoneType}
    document = read_document(members[NETWORK], NETWORK)
    n_inputs, dtype, layers, loss_specification = checked_fields(document, NETWORK, types)
    if dtype not in DTYPES:
        raise ModelFileError(one_line(f"{NETWORK}: 'dtype' should be one of {', '.join(DTYPES)}, not {dtype!r:.40}"))
    with damage(f"{NETWORK} describes no network"):
        network = Network.from_spec(layers)
        loss: Loss | None = None if loss_specification is None else from_spec(loss_specification, Loss)
        for kind in (*network.layers, loss):
            check_annotated(kind)
        declared = _declared(network, n_inputs)
    weights = read_tensors(members[WEIGHTS], WEIGHTS)
    _check_weights(weights, declared, dtype)
    with damage(f"{NETWORK} describes no network that works"):
        network.build(n_inputs, dtype=dtype)
        for name, array in _named_arrays(network).items():
            array.value[...] = weights[name]
    return network, loss


def count_parameters(members: Mapping[str, bytes]) -> int:
    """Return how many parameters the members hold, without building the network.

    Raises
    ------
    ModelFileError
        If the members are damaged.
    """
    weights = read_tensors(members[WEIGHTS], WEIGHTS)
    document = read_document(members[NETWORK], NETWORK)
    with damage(f"{NETWORK} describes no network"):
        declared = _declared(Network.from_spec(document["layers"]), document["n_inputs"])
    return sum(values.size for name, values in weights.items() if not isinstance(declared.get(name), Statistic))


def write_tensors(tensors: dict[str, np.ndarray]) -> bytes:
    """Return arrays as safetensors."""
    import safetensors.numpy

    return safetensors.numpy.save(tensors)


def read_tensors(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file by name; its length was held against their shapes.

    Raises
    ------
    ModelFileError
        If the file, which messages call `name`, is damaged.
    """
    import safetensors
    import safetensors.numpy

    with damage(f"{name} is damaged"):
        try:
            return safetensors.numpy.load(data)
        except safetensors.SafetensorError as error:
            raise ModelFileError(one_line(f"{name} is damaged ({error})")) from error


def _named_arrays(network: Network) -> dict[str, Parameter | Statistic]:
    """Return the parameters and the statistics of all layers by their names in the file."""
    arrays: dict[str, Parameter | Statistic] = {}
    for index, layer in enumerate(network.layers):
        arrays |= {f"{index}.{parameter.name}": parameter for parameter in layer.parameters}
        arrays |= {f"{index}.{statistic.name}": statistic for statistic in layer.statistics}
    return arrays


def _declared(network: Network, n_inputs: int) -> dict[str, Parameter | Statistic]:
    """Return all arrays, with their shapes but empty; building a layer only declares them, the network allocates."""
    if n_inputs < 1:
        raise InvalidValue(f"'n_inputs' should be at least 1, not {n_inputs}")
    width = n_inputs
    for layer in network.layers:
        width = layer.build(width)
    return _named_arrays(network)


def _check_weights(
    weights: Mapping[str, np.ndarray], declared: Mapping[str, Parameter | Statistic], dtype: str
) -> None:
    for name in sorted(weights.keys() - declared.keys()):
        raise ModelFileError(one_line(f"{WEIGHTS} holds {name!r:.80}, which belongs to no layer"))
    for name, array in declared.items():
        if name not in weights:
            raise ModelFileError(f"{WEIGHTS} lacks {name!r}")
        values = weights[name]
        if values.shape != array.shape or values.dtype != dtype:
            raise ModelFileError(
                f"{WEIGHTS}: {name!r} should be {dtype} of shape {array.shape}, not {values.dtype} of {values.shape}"
            )
        if not np.isfinite(values).all():
            raise ModelFileError(f"{WEIGHTS}: {name!r} holds values that are not finite")
        if isinstance(array, Statistic) and (values < array.least).any():
            raise ModelFileError(f"{WEIGHTS}: {name!r} holds values below {array.least:g}")
