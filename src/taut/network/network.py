"""The network: layers in order, over one flat vector of parameters and one flat vector of gradients.

Each parameter of each layer is a view into those two vectors, so that an optimizer sees a single array while a layer
sees its own matrix. What layers gather without a gradient, such as running means, lies behind the parameters in the
same memory: whoever keeps a network in order to put it back keeps that one `state`. Floor 2 of the house; the network
knows nothing of losses, optimizers or training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from math import prod
from typing import Any

import numpy as np

from taut.checks import check_choice, check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.network.kinds import from_spec, to_spec
from taut.network.layers import Dense, Layer, Parameter, Statistic
from taut.network.shortcut import Shortcut
from taut.random import Purpose, Random

__all__ = ["Network"]

DTYPES = ("float32", "float64")

#: So that a slip in a file of settings is refused, instead of filling the memory: theta alone then takes 8 GB.
MOST_PARAMETERS = 10**9


class Network:
    """A feed-forward network.

    Parameters
    ----------
    layers : sequence of Layer
        In the order in which data passes. The number of inputs is inferred when the network is built, which `train`
        does on the first call.

    Attributes
    ----------
    layers : tuple of Layer
        The layers.
    theta, gradient : ndarray, shape (parameters,)
        All parameters, and the derivative of the data loss by them after `backward`.
    statistics : ndarray, shape (statistics,)
        All that layers gathered in training, such as running means.
    state : ndarray, shape (parameters + statistics,)
        All that training changes; `theta` is its first part, `statistics` the rest.
    n_inputs, n_outputs : int
        Widths; 0 until the network is built.
    widths : tuple of int
        Outputs of each layer.

    Examples
    --------
    >>> from taut import Dense, L2, ReLU
    >>> network = Network([Dense(64, weight_penalty=L2(5e-4)), ReLU(), Dense(3)]).build(n_inputs=2)
    >>> network
    layer  kind     shape  parameters  penalty
    0      Dense   2 → 64         192  weights: L2(0.0005)
    1      ReLU   64 → 64           0
    2      Dense   64 → 3         195
    387 parameters, 2 inputs, float64
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        if not isinstance(layers, Iterable):
            raise InvalidType(f"a network needs a list of layers, got {shown(layers)}")
        self.layers = tuple(layers)
        if not self.layers:
            raise InvalidValue("a network needs at least one layer, got none")
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise InvalidType(f"layers must be instances such as Dense(64), got {shown(layer)}")
        if len({id(layer) for layer in self.layers}) < len(self.layers):
            raise InvalidValue("the same layer object stands twice in the network; make one for each place")
        for start, index, shortcut in self.shortcuts:
            if start < 0:
                raise InvalidValue(f"{shortcut} at layer {index} passes over more layers than stand before it")
        self.n_inputs = self.n_outputs = 0
        self.state = self.theta = self.statistics = self.gradient = np.empty(0)
        self.widths: tuple[int, ...] = ()

    @property
    def built(self) -> bool:
        """Whether the parameters exist."""
        return self.n_inputs > 0

    @property
    def parameters(self) -> list[Parameter]:
        """All parameters, in the order in which they lie in `theta`."""
        return [parameter for layer in self.layers for parameter in layer.parameters]

    @property
    def shortcuts(self) -> list[tuple[int, int, Shortcut]]:
        """For each shortcut, the index of the first layer that it passes over, its own index, and itself."""
        return [(i - layer.over, i, layer) for i, layer in enumerate(self.layers) if isinstance(layer, Shortcut)]

    def build(
        self, n_inputs: int, *, seed: int = 0, dtype: str = "float64", state: np.ndarray | None = None
    ) -> Network:
        """Make the parameters and draw their first values.

        Parameters
        ----------
        n_inputs : int
            Number of inputs.
        seed : int, default 0
            Seed of the draw.
        dtype : {"float64", "float32"}
            Floating-point type of everything in the network.
        state : ndarray, shape (parameters + statistics,), optional
            First values, such as the `state` of another network; by default they are drawn.

        Returns
        -------
        Network
            The network itself.
        """
        check_number("n_inputs", n_inputs, at_least=1, integer=True)
        check_choice("dtype", dtype, DTYPES)
        widths = [n_inputs]
        for layer in self.layers:
            widths.append(layer.build(widths[-1]))
        for start, index, shortcut in self.shortcuts:
            if widths[start] != widths[index]:
                raise InvalidValue(
                    f"{shortcut} at layer {index} would add {widths[start]} numbers to {widths[index]}; the"
                    " layers that it passes over must have as many outputs as inputs"
                )
        self.n_inputs, self.n_outputs, self.widths = n_inputs, widths[-1], tuple(widths[1:])
        size = sum(prod(parameter.shape) for parameter in self.parameters)
        if size > MOST_PARAMETERS:
            raise InvalidValue(f"a network of {size} parameters is too large; {MOST_PARAMETERS} is the most")
        gathered = [statistic for layer in self.layers for statistic in layer.statistics]
        self.gradient = np.zeros(size, dtype=dtype)
        self.state = np.zeros(size + sum(prod(statistic.shape) for statistic in gathered), dtype=dtype)
        self._lay_views()
        for statistic in gathered:
            statistic.value[...] = statistic.start
        if state is not None:
            if state.shape != self.state.shape:
                raise InvalidValue(f"state must have shape {self.state.shape}, got {state.shape}")
            self.state[:] = state
            return self
        random = Random(seed).at(purpose=Purpose.WEIGHTS)
        for item, parameter in enumerate(self.parameters):
            parameter.value[...] = parameter.initializer.draw(parameter.shape, random.at(item=item))
        return self

    def _lay_views(self) -> None:
        """Make `theta` and `statistics` views into `state`, and the arrays of the layers views into these."""
        self.theta, self.statistics = np.split(self.state, [self.gradient.size])
        for parameter, place in zip(self.parameters, _places(self.parameters), strict=True):
            parameter.value = self.theta[place].reshape(parameter.shape)
            parameter.gradient = self.gradient[place].reshape(parameter.shape)
        gathered = [statistic for layer in self.layers for statistic in layer.statistics]
        for statistic, place in zip(gathered, _places(gathered), strict=True):
            statistic.value = self.statistics[place].reshape(statistic.shape)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Copying and unpickling give every array memory of its own; the parameters must lie in `state` again.
        self.__dict__.update(state)
        if self.built:
            self._lay_views()

    def places(self) -> Iterator[slice]:
        """Return the slice of `theta` that each parameter occupies."""
        return _places(self.parameters)

    @property
    def lr_factors(self) -> np.ndarray | None:
        """Factor of the learning rate for each number of `theta`; None if all are 1."""
        factors = [parameter.lr_factor for parameter in self.parameters]
        if all(factor == 1 for factor in factors):
            return None
        sizes = [parameter.value.size for parameter in self.parameters]
        return np.repeat(np.array(factors, dtype=self.theta.dtype), sizes)

    def sources(self) -> np.ndarray:
        """Return which input each input of the first Dense layer is made of, shape (inputs of that layer,)."""
        places = np.arange(self.n_inputs)
        for layer in self.layers:
            if isinstance(layer, Dense):
                break
            places = places[layer.sources(len(places))]
        return places

    def begin_update(self, step: int, total_steps: int) -> None:
        """Tell the layers which update, from 0, of how many follows."""
        for layer in self.layers:
            layer.begin_update(step, total_steps)

    def forward(self, x: np.ndarray, *, training: bool, random: Random | None = None) -> np.ndarray:
        """Return the outputs, shape (samples, outputs).

        Parameters
        ----------
        x : ndarray, shape (samples, inputs)
            The inputs, in the network's type.
        training : bool
            Whether noise such as dropout is on.
        random : Random, optional
            What noise is drawn from; its `row` is the position of the first sample in the epoch.
        """
        leaving = self._leaving()
        for item, layer in enumerate(self.layers):
            for shortcut in leaving[item]:
                shortcut.leave(x)
            x = layer.forward(x, training=training, random=None if random is None else random.at(item=item))
        return x

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Fill `gradient` from the derivative of the loss by the outputs of the last `forward`.

        Returns
        -------
        ndarray, shape (samples, inputs)
            The derivative by the inputs.
        """
        leaving = self._leaving()
        for item in reversed(range(len(self.layers))):
            dy = self.layers[item].backward(dy)
            for shortcut in leaving[item]:
                dy = shortcut.return_to(dy)
        return dy

    def _leaving(self) -> list[list[Shortcut]]:
        """Return, for each layer, the shortcuts that take what it is given."""
        leaving: list[list[Shortcut]] = [[] for _ in self.layers]
        for start, _, shortcut in self.shortcuts:
            leaving[start].append(shortcut)
        return leaving

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs with all noise off, shape (samples, outputs).

        Parameters
        ----------
        x : array-like, shape (samples, inputs)
            The inputs.

        Raises
        ------
        InvalidValue, InvalidType
            If the network is not built, or has another number of inputs, or `x` is not numeric.
        """
        if not self.built:
            raise InvalidValue("the network has no parameters yet; train it, or call build(n_inputs)")
        x = np.asarray(x)
        if x.dtype.kind not in "iubf":
            raise InvalidType(f"x must be numbers, got {x.dtype}")
        x = x.astype(self.theta.dtype, copy=False)
        if x.ndim != 2 or x.shape[1] != self.n_inputs:
            raise InvalidValue(f"x must have shape (samples, {self.n_inputs}), got {x.shape}")
        outputs = np.empty((len(x), self.n_outputs), dtype=self.theta.dtype)
        for start in range(0, len(x), _BLOCK):
            outputs[start : start + _BLOCK] = self.forward(x[start : start + _BLOCK], training=False)
        for layer in self.layers:
            layer.forget()
        return outputs

    def penalties(self) -> np.ndarray:
        """Return what the penalties of each layer add to the loss, shape (layers,)."""
        return np.array([sum(p.penalty.value(p.value) for p in layer.parameters) for layer in self.layers], dtype=float)

    def to_spec(self) -> list[dict[str, Any]]:
        """Return the layers, without their values, as plain JSON-able values."""
        return [to_spec(layer) for layer in self.layers]

    @staticmethod
    def from_spec(spec: Sequence[dict[str, Any]]) -> Network:
        """Make a network from what `to_spec` returned."""
        if not isinstance(spec, (list, tuple)):
            raise InvalidType(f"the layers of a network must be a list, got {shown(spec)}")
        return Network([from_spec(layer, Layer) for layer in spec])

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        rows = []
        widths = [str(width) for width in (self.n_inputs, *self.widths)] if self.built else []
        for index, layer in enumerate(self.layers):
            penalties = [
                f"{parameter.name}: {' + '.join(map(_call, parameter.penalty.parts))}"
                for parameter in layer.parameters
                if parameter.penalty.parts
            ]
            size = sum(prod(parameter.shape) for parameter in layer.parameters)
            shape = " → ".join(widths[index : index + 2]) if self.built else "?"
            count = str(size) if self.built else "?"
            rows.append((str(index), _call(layer), shape, count, ", ".join(penalties)))
        return rows

    def _footer(self) -> str:
        if not self.built:
            return "not built: the number of inputs is inferred from the data"
        return f"{self.theta.size} parameters, {self.n_inputs} inputs, {self.theta.dtype}"

    def __repr__(self) -> str:
        rows = [_HEADER, *self._rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
        lines = [
            "  ".join(
                cell.rjust(width) if column in _NUMERIC else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, self._footer()])

    def _repr_html_(self) -> str:
        # The class and the border are those of a data frame, so that Jupyter gives it the look of its own tables.
        rows = [_html_row("td", row) for row in self._rows()]
        return (
            f'<table border="1" class="dataframe"><thead>{_html_row("th", _HEADER)}</thead>'
            f"<tbody>{''.join(rows)}</tbody></table><p>{escape(self._footer())}</p>"
        )


def _places(arrays: Iterable[Parameter | Statistic]) -> Iterator[slice]:
    """Yield the slices that arrays occupy in a flat vector, one after the other."""
    start = 0
    for array in arrays:
        yield slice(start, start + prod(array.shape))
        start += prod(array.shape)


def _html_row(element: str, cells: Sequence[str]) -> str:
    """Return a row of a table, text to the left and numbers to the right whatever a page does by itself."""
    sides = ("right" if column in _NUMERIC else "left" for column in range(len(cells)))
    written = (
        f'<{element} style="text-align: {side};">{escape(cell)}</{element}>'
        for side, cell in zip(sides, cells, strict=True)
    )
    return f"<tr>{''.join(written)}</tr>"


def _call(given: object) -> str:
    """Return how a layer or a penalty is made: its first setting, and by name those that are not as by default.

    Of a layer, only numbers, and not the units, which the shape tells.
    """
    is_layer = isinstance(given, Layer)
    named = fields(given) if is_dataclass(given) else ()
    settings = [(field, getattr(given, field.name)) for field in named if field.init and field.name != "units"]
    if is_layer:
        settings = [(field, value) for field, value in settings if isinstance(value, (int, float))]
    words = [repr(value) for field, value in settings[:1] if not field.kw_only]
    words += [f"{field.name}={value!r}" for field, value in settings[len(words) :] if value != field.default]
    if is_layer and not words:
        return type(given).__name__
    return f"{type(given).__name__}({', '.join(words)})"


# Rows that pass through the layers at a time, so that memory does not grow with the table.
_BLOCK = 8192
_HEADER = ("layer", "kind", "shape", "parameters", "penalty")
_NUMERIC = (2, 3)
