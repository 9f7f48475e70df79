"""The frame: what the page is shown of a run at one moment, in bytes.

A frame is a length (four bytes, little-endian), so many bytes of JSON, and behind them the numbers that JSON would be
too slow for: the weights, the two maps of the plane, and what each hidden unit answers in it. Losses are sent since the
frame before, thinned out where training is quicker than the eye. Knows nothing of sockets.
"""

from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np

from taut.network import Activation, Dense, Network
from taut.play.pair import ARMS, COLUMNS, Record
from taut.play.rows import Rows
from taut.play.session import Snapshot

__all__ = ["GRID", "UNIT_GRID", "Viewer", "rows_message"]

#: Points along each side of a map, and of the small map of a hidden unit.
GRID, UNIT_GRID = 64, 16

_MOST_SHOWN = 64  # units of a layer, and inputs of it, whose weights are shown
_MOST_POINTS = 400, 200  # rows to learn from, and to validate on, that are drawn
_SECONDS_BETWEEN = 1.0  # addresses, while it trains
_PIECES = 8  # of a map
_MOST_ROWS = 900, 40  # of losses in the first frame of a run, and in one that follows


class Viewer:
    """What one page has been shown, and the next frame for it."""

    def __init__(self) -> None:
        self._record: Record | None = None
        self._shown, self._told = 0, 0.0

    def frame(self, snapshot: Snapshot) -> bytes:
        """Return the frame of a snapshot: a run that has begun anew is shown from its start."""
        if self._record is not snapshot.records[0]:
            self._record, self._shown = snapshot.records[0], 0
        first, last = self._shown, snapshot.epoch
        epochs = _thinned(first, last)
        networks = [_network(snapshot, arm) for arm in range(len(ARMS))]
        plane = snapshot.rows.plane
        grid, coarse = plane.grid(GRID), plane.grid(UNIT_GRID)
        maps = b"".join(_map(network, grid, snapshot.rows) for network in networks)
        answers = [_units(network, coarse) for network in networks]
        layers, weights = [], []
        for network in networks:
            described, numbers = _weights(network)
            layers.append(described)
            weights += numbers
        header: dict[str, Any] = {
            "type": "frame",
            "epoch": snapshot.epoch,
            "running": snapshot.is_running,
            "goal": snapshot.goal,
            "fresh": first == 0,
            "epochs": epochs,
            "losses": [_losses(record, epochs) for record in snapshot.records],
            "last": [_losses(record, [last] if last else []) for record in snapshot.records],
            "fingerprints": snapshot.fingerprints,
            "layers": layers,
            "grid": GRID,
            "units": [[len(units) for units in one] for one in answers],
            "unit_grid": UNIT_GRID,
        }
        if not snapshot.is_running or time.monotonic() > self._told + _SECONDS_BETWEEN:
            header["address"], self._told = snapshot.course.address(), time.monotonic()
        self._shown = last
        text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)  # so that the numbers behind it lie where arrays of them may begin
        units = b"".join(units.tobytes() for one in answers for units in one)
        return len(text).to_bytes(4, "little") + text + b"".join(weights) + maps + units


def rows_message(rows: Rows) -> dict[str, Any]:
    """Return what the page is told of the rows: where they lie in the plane, what they are, and what the axes say."""
    plane = rows.plane
    learned, held = (_some(len(x), most) for x, most in zip((rows.x, rows.validation_x), _MOST_POINTS, strict=True))
    return {
        "type": "rows",
        "task": rows.task,
        "classes": list(rows.classes),
        "counts": [len(rows.x), len(rows.validation_x)],
        "learn": plane.points(rows.x[learned]).round(4).tolist(),
        "learn_target": rows.y[learned].reshape(-1).round(4).tolist(),
        "wrong": rows.wrong[learned].tolist(),
        "held": plane.points(rows.validation_x[held]).round(4).tolist(),
        "held_target": rows.validation_y[held].reshape(-1).round(4).tolist(),
        "low": plane.low.tolist(),
        "high": plane.high.tolist(),
        "axis_names": list(plane.names),
        "scale": plane.scale.tolist(),
        "offset": plane.offset.tolist(),
        "chance": _constant_loss(rows),
    }


def _some(count: int, most: int) -> np.ndarray:
    """Return so many positions at most, evenly spread: drawn sets stand class after class."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _constant_loss(rows: Rows) -> float:
    """Return the validation loss of the best constant guess from the rows to learn from."""
    if rows.task == "regression":
        return float(np.mean((rows.validation_y - rows.y.mean()) ** 2))
    shares = (np.bincount(rows.y, minlength=len(rows.classes)) + 0.5) / (len(rows.y) + 0.5 * len(rows.classes))
    return float(-np.log(shares[rows.validation_y]).mean())


def _thinned(first: int, last: int) -> list[int]:
    """Return the epochs, counted from 1, whose losses are sent, the last one among them."""
    every = max(-(-(last - first) // _MOST_ROWS[first > 0]), 1)
    return list(range(last, first, -every))[::-1]


def _losses(record: Record, epochs: list[int]) -> dict[str, list[float | None]]:
    return {name: [_finite(record.columns[name][epoch - 1]) for epoch in epochs] for name in COLUMNS}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _network(snapshot: Snapshot, arm: int) -> Network:
    rows, recipe = snapshot.rows, snapshot.course.setting.recipe()
    return recipe.build(rows.x.shape[1], rows.n_outputs, rows.task, state=snapshot.weights[arm])[0]


def _map(network: Network, grid: np.ndarray, rows: Rows) -> bytes:
    """Return two bytes a point: which class is the most probable and how probable; or twice where the number lies."""
    # In pieces that fit the near caches, which takes a quarter of the time.
    outputs = np.concatenate([network.predict(piece) for piece in np.array_split(grid, _PIECES)])
    if rows.task == "regression":
        low, high = np.quantile(rows.y, 0.02), np.quantile(rows.y, 0.98)
        place = np.clip((outputs[:, 0] - low) / max(high - low, 1e-9), 0, 1)
        values = (place * 255).astype(np.uint8)
        return values.tobytes() + values.tobytes()
    outputs -= outputs.max(axis=1, keepdims=True)
    odds = np.exp(outputs)
    probability = 1.0 / odds.sum(axis=1)  # of the most probable class, whose odds are 1
    classes = rows.n_outputs
    sureness = (probability - 1 / classes) / (1 - 1 / classes)
    return outputs.argmax(axis=1).astype(np.uint8).tobytes() + (sureness * 255).astype(np.uint8).tobytes()


def _units(network: Network, grid: np.ndarray) -> list[np.ndarray]:
    """Return what the units of each hidden layer answer in the plane, int8, shape (units, points).

    127 is the largest answer of the layer; 0 is exactly zero, and nothing else is.
    """
    layers, x = [], grid
    for layer in network.layers:
        x = layer.forward(x, training=False, random=None)
        if isinstance(layer, Activation):
            shown = x[:, :_MOST_SHOWN]
            scaled = np.rint(127 * shown / max(float(np.abs(x).max()), 1e-300))
            scaled[(scaled == 0) & (shown != 0)] = 1
            layers.append(scaled.astype(np.int8).T)
    return layers


def _weights(network: Network) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return for each Dense layer what is sent of it, and its numbers: a row for each input, and one of the biases."""
    described, numbers = [], []
    for layer in network.layers:
        if isinstance(layer, Dense):
            weights, biases = layer.weights.value, layer.biases.value
            exact = np.vstack([weights[:_MOST_SHOWN, :_MOST_SHOWN], biases[None, :_MOST_SHOWN]])
            shown = exact.astype("<f4")
            shown[(shown == 0) & (exact != 0)] = np.finfo("<f4").tiny  # small, but not exactly zero
            described.append(
                {
                    "shape": list(weights.shape),
                    "shown": list(shown.shape),
                    "zeros": int(np.count_nonzero(weights == 0)),
                    "largest": float(np.abs(weights).max()),
                    "norm": float(np.linalg.norm(weights)),
                }
            )
            numbers.append(shown.tobytes())
    return described, numbers
