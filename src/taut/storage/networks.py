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
from taut.network import Loss, Network
from taut.network.kinds import from_spec, to_spec
from taut.network.network import DTYPES
from taut.storage.archive import damage, one_line
from taut.storage.documents import check_annotated, checked_fields, read_document, write_document

__all__ = ["NETWORK", "WEIGHTS", "read_network", "read_tensors", "write_network", "write_tensors"]

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
    tensors = _named_parameters(network)
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
        shapes = _shapes(network, n_inputs)
    weights = read_tensors(members[WEIGHTS], WEIGHTS)
    _check_weights(weights, shapes, dtype)
    with damage(f"{NETWORK} describes no network that works"):
        network.build(n_inputs, dtype=dtype)
        for name, values in _named_parameters(network).items():
            values[...] = weights[name]
    return network, loss


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


def _named_parameters(network: Network) -> dict[str, np.ndarray]:
    return {
        f"{index}.{parameter.name}": parameter.value
        for index, layer in enumerate(network.layers)
        for parameter in layer.parameters
    }


def _shapes(network: Network, n_inputs: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter; building a layer only declares it, the network allocates."""
    if n_inputs < 1:
        raise InvalidValue(f"'n_inputs' should be at least 1, not {n_inputs}")
    shapes: dict[str, tuple[int, ...]] = {}
    width = n_inputs
    for index, layer in enumerate(network.layers):
        width = layer.build(width)
        shapes |= {f"{index}.{parameter.name}": parameter.shape for parameter in layer.parameters}
    return shapes


def _check_weights(weights: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], dtype: str) -> None:
    for name in sorted(weights.keys() - shapes.keys()):
        raise ModelFileError(one_line(f"{WEIGHTS} holds {name!r:.80}, which belongs to no layer"))
    for name in shapes:
        if name not in weights:
            raise ModelFileError(f"{WEIGHTS} lacks {name!r}")
        values = weights[name]
        if values.shape != shapes[name] or values.dtype != dtype:
            raise ModelFileError(
                f"{WEIGHTS}: {name!r} should be {dtype} of shape {shapes[name]}, not {values.dtype} of {values.shape}"
            )
        if not np.isfinite(values).all():
            raise ModelFileError(f"{WEIGHTS}: {name!r} holds values that are not finite")
