"""The program: a network as the tables of numbers that a compiled run reads, and the layout of the run's memory.

Floor 3 of the house; knows nothing of training.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from taut.engine import fields as f
from taut.engine.kinds import LAYERS
from taut.engine.products import NARROWEST, ROW_BLOCK
from taut.network import embeddings, penalties
from taut.network.network import Network

__all__ = ["Program", "Span"]

# Layers that forget their outputs before the next one's derivative is taken, so that it may overwrite them.
_OVERWRITABLE = (f.DENSE, f.LAYER_NORM, f.BATCH_NORM, f.SCALE, f.SHORTCUT)
_IN_PLACE = (f.IDENTITY, f.RELU, f.LEAKY_RELU, f.EXPONENTIAL_UNIT, f.SIGMOID, f.TANH)
_NOISES = (f.DROPOUT, f.NOISE)
_NORMALIZATIONS = (f.LAYER_NORM, f.BATCH_NORM)
_EMBEDDINGS = (embeddings.PeriodicEmbedding, embeddings.CategoryEmbedding)


@dataclass(frozen=True)
class Span:
    """Where an array of the network lies in the memory of a run: rows that are padded."""

    place: int
    rows: int
    columns: int
    padded: int
    is_turned: bool = False  # whether it lies transposed: then rows and columns are those of what lies there

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the array."""
        return (self.columns, self.rows) if self.is_turned else (self.rows, self.columns)

    def of(self, memory: np.ndarray, offset: int) -> np.ndarray:
        """Return the array as a view into the vector that begins at `offset`."""
        begin = offset + self.place
        lying = memory[begin : begin + self.rows * self.padded].reshape(self.rows, self.padded)[:, : self.columns]
        return lying.T if self.is_turned else lying


@dataclass
class Program:
    """The tables for a network; all places count in numbers of its type.

    Attributes
    ----------
    table, numbers : ndarray, shape (layers, fields)
        The layers, in training.
    quiet_table, quiet_numbers : ndarray
        The same with noise left out.
    parameters, strengths : ndarray, shape (parameters, fields)
        Places and penalties of the parameters.
    groups, lams : ndarray
        Penalties over groups.
    spans, statistics : list of Span
        Where parameters and statistics lie in the state.
    tile_rows : int
        Rows in a tile.
    size : int
        Numbers that the memory of a run holds.
    places : dict of int to int
        Settings of the layout.
    """

    network: Network
    lanes: int
    batch_size: int
    threads: int
    averages: bool
    keeps_best: bool
    ascends: bool  # for sharpness-aware minimization
    strip: int  # numbers of room that a product needs
    tile_bytes: int
    table: np.ndarray = field(init=False)
    numbers: np.ndarray = field(init=False)
    quiet_table: np.ndarray = field(init=False)
    quiet_numbers: np.ndarray = field(init=False)
    parameters: np.ndarray = field(init=False)
    strengths: np.ndarray = field(init=False)
    groups: np.ndarray = field(init=False)
    lams: np.ndarray = field(init=False)
    spans: list[Span] = field(init=False)
    statistics: list[Span] = field(init=False)
    size: int = 0
    places: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = [LAYERS[type(layer)][0] for layer in self.network.layers]
        # Sums along a row are made in whole vectors; other layers may have rows of a part of one.
        self.narrowest = self.lanes if any(kind in (f.SOFTMAX, *_NORMALIZATIONS) for kind in kinds) else NARROWEST
        widest = max(self.padded(width) for width in [*self._widths(), *(p.shape[0] for p in self.network.parameters)])
        self._take(widest)  # the open gate of `taut.engine.products`
        self.places[f.ZEROS] = self._take(widest)
        self._lay_state()
        self._penalties()
        self._lay_tiles(kinds)

    def padded(self, width: int) -> int:
        """Return how far apart rows of a width lie: a whole number of vectors, or a half or quarter of one."""
        wide = self.lanes
        if width > wide:
            return -(-width // wide) * wide
        while wide // 2 >= max(width, self.narrowest):
            wide //= 2
        return wide

    def _in_vectors(self, width: int) -> int:
        """Return the length of the whole vectors that hold a width."""
        return -(-width // self.lanes) * self.lanes

    def _take(self, size: int) -> int:
        """Return the place of new room."""
        place = self.size
        self.size += self._in_vectors(size)
        return place

    def _lay_state(self) -> None:
        """Give parameters and statistics their places in the state, and the state and its like theirs in memory."""
        self.spans, self.statistics = [], []
        place = 0
        layers = self.network.layers
        for name, shapes, spans in (
            (
                f.THETA_SIZE,
                [(p.shape, isinstance(layer, _EMBEDDINGS)) for layer in layers for p in layer.parameters],
                self.spans,
            ),
            (f.STATE_SIZE, [(s.shape, False) for layer in layers for s in layer.statistics], self.statistics),
        ):
            for shape, is_whole in shapes:
                rows, columns = shape if len(shape) == 2 else (1, shape[0])
                padded = self._in_vectors if is_whole else self.padded
                room, is_turned = rows, len(shape) == 2 and padded(columns) < self.lanes <= padded(rows)
                if is_turned:  # few units: their long rows of inputs are whole vectors
                    room, rows, columns = padded(columns), columns, rows
                spans.append(Span(place, rows, columns, padded(columns), is_turned))
                place += -(-room * padded(columns) // self.lanes) * self.lanes
            self.places[name] = place
        theta = self.places[f.THETA_SIZE]
        # What a product reads of the last row of narrow weights may reach a vector past its end.
        for name, size in ((f.THETA, place), (f.GRADIENT, theta), (f.MOMENTUM, theta), (f.SQUARES, theta)):
            self.places[name] = self._take(size + self.lanes)
        self.places[f.BEFORE] = self._take(place)
        self.places[f.BEST] = self._take(place) if self.keeps_best else -1
        self.places[f.HERE] = self._take(place) if self.ascends else -1
        self.places[f.MEAN], self.places[f.LIVE] = (self._take(place if self.averages else 0) for _ in range(2))

    def _penalties(self) -> None:
        parameters = self.network.parameters
        self.parameters = np.zeros((len(parameters), f.PARAMETER_FIELDS), dtype=np.int64)
        self.strengths = np.zeros((len(parameters), f.PARAMETER_NUMBERS))
        groups: list[tuple[int, int]] = []
        lams: list[float] = []
        owners = [layer for layer in self.network.layers if layer.parameters]
        index = 0
        for owner, layer in enumerate(owners):
            owned = sum(prod(parameter.shape) for parameter in layer.parameters)
            for position, parameter in enumerate(layer.parameters):
                span, row = self.spans[index], self.parameters[index]
                row[f.PLACE], row[f.ROWS], row[f.COLUMNS], row[f.PADDED] = (
                    span.place,
                    span.rows,
                    span.columns,
                    span.padded,
                )
                row[f.SIZE] = -(-span.rows * span.padded // self.lanes) * self.lanes
                row[f.PADDED_ROWS], row[f.IS_MATRIX] = self.padded(span.rows), len(parameter.shape) == 2
                row[f.IS_TURNED_MATRIX] = span.is_turned
                row[f.OWNER], row[f.OWNED], row[f.IS_FIRST] = owner, owned, position == 0
                self.strengths[index, f.RATE_FACTOR] = parameter.lr_factor
                for part in sorted(parameter.penalty.parts, key=lambda part: part.order):
                    self._add_penalty(part, index, groups, lams)
                index += 1
        self.groups = np.array(groups, dtype=np.int64).reshape(-1, f.GROUP_FIELDS)
        self.lams = np.array(lams, dtype=np.float64)
        orthogonal = self.strengths[:, f.ORTHOGONALITY] > 0
        applied = [kind for _, kind in groups]
        steps = any(kind in (f.BY_INPUT, f.BY_UNIT, f.MAX_NORM) for kind in applied)
        self.places[f.SIZES] = self._take(self.places[f.THETA_SIZE]) if steps else -1
        room = max((row[f.PADDED_ROWS] ** 2 + row[f.PADDED_ROWS] * row[f.COLUMNS] + row[f.PADDED] ** 2
                    for row in self.parameters[orthogonal]), default=0)  # fmt: skip
        # A block of groups, its steps, and rows of it: see `taut.engine.groups`.
        longest = self.parameters[self.groups[:, f.GROUP_PARAMETER]][:, [f.ROWS, f.PADDED]].max(initial=0)
        self.places[f.GROUP_ROOM_SIZE] = block = 3 * self.lanes * int(longest)
        self.places[f.GROUP_ROOM] = self._take(max(int(room), block * self.threads))
        smooth = any(kind in (f.BY_INPUT_SMOOTH, f.BY_UNIT_SMOOTH) for kind in applied)
        self.places[f.HAS_MIXING] = int(orthogonal.any() or any(kind != f.MAX_NORM for kind in applied))
        # At zero, the gradient of the padding would be the subgradient there: it must be cleared in a pass of its own.
        at_zero = bool(self.strengths[:, f.L1_AT_ZERO].any())
        self.places[f.NEEDS_GRADIENT_FIRST] = int(orthogonal.any() or smooth or at_zero)

    def _add_penalty(
        self, part: penalties.Penalty, index: int, groups: list[tuple[int, int]], lams: list[float]
    ) -> None:
        strengths = self.strengths[index]
        if isinstance(part, penalties.L2):
            strengths[f.L2] += part.lam
        elif isinstance(part, penalties.L1):
            strengths[f.L1] += part.lam
            if part.proximal:
                strengths[f.L1_PROXIMAL] += part.lam
            else:
                strengths[f.L1_SIGN] += part.lam
                strengths[f.L1_AT_ZERO] += part.lam * part.at_zero
        elif isinstance(part, penalties.NonNegative):
            strengths[f.IS_NON_NEGATIVE] = 1.0
        elif isinstance(part, penalties.Orthogonality):
            strengths[f.ORTHOGONALITY] += part.lam
        elif isinstance(part, penalties.MaxNorm):
            groups.append((index, f.MAX_NORM))
            lams.append(part.limit)
        elif isinstance(part, penalties.GroupL1):
            by_input, by_unit = (f.BY_INPUT, f.BY_UNIT) if part.proximal else (f.BY_INPUT_SMOOTH, f.BY_UNIT_SMOOTH)
            groups.append((index, by_input if part.by == "input" else by_unit))
            lams.append(part.lam)

    def _lay_tiles(self, kinds: list[int]) -> None:
        """Give every layer its tiles, and fill the tables."""
        widths = self._widths()
        pads = [self.padded(width) for width in widths]
        per_row = sum(pads) * 2 * (4 if self.network.theta.dtype == np.float32 else 8)
        rows = self.batch_size
        if f.BATCH_NORM not in kinds:  # whose statistics are of the whole batch
            # Weights that are too many for the near caches are read anew for every tile: then few large ones.
            is_large = self.network.theta.nbytes > self.tile_bytes
            rows = min(rows, _MOST_TILE_ROWS if is_large else max(self.tile_bytes // per_row, _FEWEST_TILE_ROWS))
            rows = min(rows, _MOST_TILE_ROWS)
        unit = max(self.lanes, ROW_BLOCK)
        self.tile_rows = -(-rows // unit) * unit
        self.places[f.SPARE_SIZE], self.places[f.SPARE] = self.strip, self._take(self.strip * self.threads)
        block = (2 * pads[-1] + 2) * self.lanes
        self.places[f.BLOCK_ROOM_SIZE], self.places[f.BLOCK_ROOM] = block, self._take(block * self.threads)
        self.places[f.TILE_ROWS] = self.tile_rows
        self.places[f.OUTPUTS], self.places[f.PAD_OUTPUTS] = widths[-1], pads[-1]
        self.table = np.full((len(kinds), f.LAYER_FIELDS), -1, dtype=np.int64)
        self.numbers = np.zeros((len(kinds), f.LAYER_NUMBERS))
        x, dx = self._take(self.tile_rows * pads[0]), -1
        self.places[f.INPUT_TILE] = x
        parameters, gathered = iter(self.spans), iter(self.statistics)
        self.marks: list[tuple[int, np.ndarray]] = []  # constants: place and values
        kept = {start for start, _, _ in self.network.shortcuts}  # layers whose inputs are needed later
        for index, (layer, kind) in enumerate(zip(self.network.layers, kinds, strict=True)):
            row, wide, wide_in = self.table[index], pads[index + 1], pads[index]
            row[[f.KIND, f.ITEM, f.N_IN, f.N_OUT]] = kind, index, widths[index], widths[index + 1]
            row[[f.IS_TURNED, f.IS_RECTIFIED, f.IS_GATED]] = 0
            row[[f.PAD_IN, f.PAD_OUT, f.X, f.DX]] = wide_in, wide, x, dx
            self.numbers[index] = LAYERS[type(layer)][1](layer)
            if kind in _IN_PLACE and index and kinds[index - 1] in _OVERWRITABLE and index not in kept:
                row[f.Y], row[f.DY] = x, self.table[index - 1, f.DY]
            else:
                row[f.Y], row[f.DY] = self._take(self.tile_rows * wide), self._take(self.tile_rows * wide)
            if layer.parameters:
                self._lay_parameters(row, [next(parameters) for _ in layer.parameters])
            if kind == f.DENSE:
                self._lay_transposed(row, drops=self.numbers[index, f.FIRST] > 0)
            if kind in (*_NORMALIZATIONS, f.DROPOUT):
                row[f.KEPT] = self._take(self.tile_rows * wide)
            if kind in _NORMALIZATIONS:
                row[f.SCALES] = self._take(max(self.tile_rows, wide))
            if kind in (*_NORMALIZATIONS, f.SOFTMAX):
                row[f.UNITS] = self._take(wide)
                self.marks.append((int(row[f.UNITS]), np.ones(widths[index + 1])))
            if isinstance(layer, _EMBEDDINGS):
                self._lay_embedding(row, layer)
            if layer.statistics:
                spans = [next(gathered) for _ in layer.statistics]
                row[f.STATISTICS] = self.places[f.THETA] + spans[0].place
            x = int(row[f.Y])
            dx = int(row[f.DY]) if dx >= 0 or layer.parameters else -1
        self.places[f.OUTPUT_TILE], self.places[f.D_OUTPUT_TILE] = x, int(self.table[-1, f.DY])
        self._branch()
        self._fuse()
        self.places[f.DROPS_WEIGHTS] = int((self.table[:, f.WEIGHT_MASK] >= 0).any())
        self._quiet()

    def _lay_parameters(self, row: np.ndarray, spans: list[Span]) -> None:
        theta, gradient = self.places[f.THETA], self.places[f.GRADIENT]
        row[[f.WEIGHTS, f.D_WEIGHTS]] = theta + spans[0].place, gradient + spans[0].place
        if row[f.KIND] in (f.DENSE, *_NORMALIZATIONS):
            row[[f.BIASES, f.D_BIASES]] = theta + spans[1].place, gradient + spans[1].place
        elif row[f.KIND] == f.PERIODIC:
            row[[f.PHASES, f.PROJECTIONS, f.SHIFTS]] = [theta + span.place for span in spans[1:]]
        row[f.STRIDE] = spans[0].padded
        if row[f.KIND] != f.DENSE:
            return
        row[f.IS_TURNED] = spans[0].is_turned

    def _lay_transposed(self, row: np.ndarray, *, drops: bool) -> None:
        """Give a dense layer room for its transposed weights, and, with DropConnect, for those that are left."""
        if drops:
            row[f.SOURCE] = row[f.WEIGHTS]
            high, wide = (row[f.PAD_OUT], row[f.PAD_IN]) if row[f.IS_TURNED] else (row[f.N_IN], row[f.PAD_OUT])
            # As behind the state, a vector more than there are: what a product reads may reach past the end.
            row[f.WEIGHTS], row[f.WEIGHT_MASK] = (self._take(int(high * wide) + self.lanes) for _ in range(2))
            if row[f.IS_TURNED]:
                row[f.MASK_ROOM] = self._take(int(row[f.N_IN] * row[f.PAD_OUT]))
        if row[f.IS_TURNED]:
            row[f.TRANSPOSED] = row[f.WEIGHTS]
        elif row[f.DX] >= 0:
            row[f.TRANSPOSED] = self._take(int(row[f.PAD_OUT] * row[f.PAD_IN]))

    def _lay_embedding(
        self, row: np.ndarray, layer: embeddings.PeriodicEmbedding | embeddings.CategoryEmbedding
    ) -> None:
        row[f.EACH] = layer.width
        if isinstance(layer, embeddings.PeriodicEmbedding):
            row[[f.FIRST_COLUMN, f.COLUMNS_IN, f.IS_RECTIFIED]] = 0, layer.columns, layer.rectified
            row[f.KEPT] = self._take(self.tile_rows * layer.columns * 2 * int(row[f.STRIDE]))
            constants = np.ones(layer.frequencies)
        else:
            row[[f.FIRST_COLUMN, f.COLUMNS_IN]] = layer.first, sum(layer.levels)
            constants = np.repeat(np.arange(len(layer.levels), dtype=np.float64), layer.levels)
        row[f.UNITS] = self._take(len(constants))
        self.marks.append((int(row[f.UNITS]), constants))

    def _branch(self) -> None:
        """Put a row where each shortcut leaves, in which the derivative that it brings back is added."""
        shortcuts = self.network.shortcuts
        rows = np.full((len(shortcuts), f.LAYER_FIELDS), -1, dtype=np.int64)
        for row, (start, index, _) in zip(rows, shortcuts, strict=True):
            first, last = self.table[start], self.table[index]
            row[[f.KIND, f.ITEM, f.N_IN, f.N_OUT]] = f.BRANCH, index, first[f.N_IN], first[f.N_IN]
            row[[f.PAD_IN, f.PAD_OUT]] = first[f.PAD_IN]
            row[[f.X, f.Y]], row[[f.DX, f.DY]] = first[f.X], first[f.DX]
            row[f.ADDED], last[f.ADDED] = last[f.DY], first[f.X]
        starts = [start for start, _, _ in shortcuts]
        self.table = np.insert(self.table, starts, rows, axis=0)
        self.numbers = np.insert(self.numbers, starts, 0.0, axis=0)

    def _fuse(self) -> None:
        """Leave out rectifiers between two dense layers, which compute them along with their products."""
        keeps = []
        for index in range(len(self.table)):
            around = self.table[index - 1 : index + 2, f.KIND].tolist() if index else []
            if around == [f.DENSE, f.RELU, f.DENSE] and not self.table[index - 1, f.IS_TURNED]:
                self.table[index - 1, f.IS_RECTIFIED] = self.table[index + 1, f.IS_GATED] = 1
            else:
                keeps.append(index)
        self.table, self.numbers = self.table[keeps].copy(), self.numbers[keeps].copy()

    def _quiet(self) -> None:
        """Make the tables without noise: what followed a noise follows what that followed."""
        keeps = [index for index, row in enumerate(self.table) if row[f.KIND] not in _NOISES]
        self.quiet_table, self.quiet_numbers = self.table[keeps].copy(), self.numbers[keeps].copy()
        place, left = self.places[f.INPUT_TILE], dict[int, int]()
        for row in self.quiet_table:
            row[f.X] = place
            if row[f.KIND] == f.BRANCH:
                left[row[f.ITEM]] = row[f.Y] = place
            elif row[f.KIND] == f.SHORTCUT:
                row[f.ADDED] = left[row[f.ITEM]]
            place = row[f.Y]
            if row[f.WEIGHT_MASK] >= 0:
                row[f.WEIGHTS], row[f.WEIGHT_MASK] = row[f.SOURCE], -1
                row[f.TRANSPOSED] = row[f.SOURCE] if row[f.IS_TURNED] else row[f.TRANSPOSED]
        self.places[f.QUIET_OUTPUT_TILE] = int(place)

    def _widths(self) -> list[int]:
        return [self.network.n_inputs, *self.network.widths]


# Rows of a tile, if its numbers fit the caches.
_FEWEST_TILE_ROWS, _MOST_TILE_ROWS = 32, 128
