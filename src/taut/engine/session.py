"""The session: one run in compiled code, from a network to its trained weights.

It lays out the memory of a run, hands the tables and the data to the compiled loop, and brings back history and
weights. The loop is called for some updates at a time, so that a caller can look, stop, and go on between two calls;
threads, if there are several, live as long as a call. Floor 3 of the house; knows nothing of callbacks or recipes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from taut.engine import fields as f
from taut.engine.compiled import compiled_run
from taut.engine.kinds import settings_of
from taut.engine.products import STRIP_BYTES
from taut.engine.program import Program, Span
from taut.engine.threads import CALLED_OFF, SYNC_SIZE
from taut.engine.update import BLOCK
from taut.engine.vectors import lanes
from taut.network.averages import EMA, SWA, Average, Snapshots
from taut.network.losses import Loss
from taut.network.network import Network
from taut.network.normalization import BatchNorm
from taut.network.optimizers import Optimizer

__all__ = ["Data", "Session", "Watch"]

#: Bytes of the tiles of a run, at most, unless few rows already take more; found by trial on networks with 64 to 1024
#: units, on a processor with 48 KB of first and 2 MB of second cache.
TILE_BYTES = 1 << 17


@dataclass(frozen=True)
class Data:
    """Rows to train on, or to look at.

    Attributes
    ----------
    x : ndarray, shape (rows, inputs)
        Inputs, in the network's type.
    targets : ndarray, shape (rows,) or (rows, outputs)
        As `Loss.prepare` returned them.
    weights : ndarray, shape (rows,), or None
        Weight of each row's loss.
    subset : ndarray of int, shape (chosen rows,), or None
        Which of the rows are meant, in this order; None means all.
    """

    x: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None = None
    subset: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x) if self.subset is None else len(self.subset)

    def arrays(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return inputs in one row, labels, other targets, weights and subset; what is not there is empty."""
        labels, dense = _NO_LABELS, np.empty((0, 0), dtype)
        if self.targets.ndim == 1:
            labels = np.ascontiguousarray(self.targets, dtype=np.int64)
        else:
            dense = np.ascontiguousarray(self.targets, dtype=dtype)
        weights = np.empty(0, dtype) if self.weights is None else np.ascontiguousarray(self.weights, dtype=dtype)
        subset = _NO_LABELS if self.subset is None else np.ascontiguousarray(self.subset, dtype=np.int64)
        return np.ascontiguousarray(self.x, dtype=dtype).reshape(-1), labels, dense, weights, subset


_NO_LABELS = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Watch:
    """What early stopping watches: a column of the history, and how patiently."""

    column: int
    rises: bool
    patience: int
    min_delta: float


class Session:
    """A run in compiled code.

    Parameters
    ----------
    network : Network
        Built; its state is where the run starts.
    loss, optimizer, average
        Kinds that `unsupported` has no objection to.
    data : Data
        The rows to train on.
    validation : Data, optional
        Rows to look at after each epoch.
    batch_size, total_epochs, seed : int
        As in `train`.
    quantiles : ndarray, shape (points,), optional
        Of the shares of rows that are mixed, at equal distances from 0 to 1.
    mixes_by_cell : bool
        Whether they are mixed cell by cell, not blended.
    watch : Watch, optional
        Early stopping.
    evaluates_training : bool
        Whether to record the training loss with all noise off.
    n_threads : int
        Threads that work on the run together; the result does not depend on it.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        data: Data,
        validation: Data | None = None,
        *,
        batch_size: int,
        total_epochs: int,
        seed: int,
        average: Average | None = None,
        quantiles: np.ndarray | None = None,
        mixes_by_cell: bool = False,
        watch: Watch | None = None,
        evaluates_training: bool = True,
        n_threads: int = 1,
    ) -> None:
        dtype = network.theta.dtype
        self.network, self.optimizer, self.average = network, optimizer, average
        n, wide = len(data), lanes(dtype)
        if any(isinstance(layer, BatchNorm) for layer in network.layers):
            n_threads = 1  # its statistics are of all rows of a batch, which one thread must see
        self.program = program = Program(
            network,
            lanes=wide,
            batch_size=min(batch_size, n),
            threads=n_threads,
            averages=average is not None,
            keeps_best=watch is not None,
            ascends=optimizer.sam > 0,
            strip=STRIP_BYTES // dtype.itemsize,
            tile_bytes=TILE_BYTES,
        )
        self._n_threads = n_threads
        total_steps = total_epochs * -(-n // min(batch_size, n))
        self.settings, self.options, schedules = self._configured(
            loss, optimizer, average, watch, total_epochs, total_steps
        )
        self.settings[f.N_ROWS], self.settings[f.N_VALIDATION] = n, 0 if validation is None else len(validation)
        self.settings[f.BATCH_SIZE], self.settings[f.TOTAL_EPOCHS] = min(batch_size, n), min(total_epochs, _MOST)
        self.settings[f.SEED], self.settings[f.THREADS] = np.uint64(seed).astype(np.int64), n_threads
        self.settings[f.EVALUATES_TRAINING] = evaluates_training
        self.settings[f.MIXES_BY_CELL] = mixes_by_cell
        self.settings[f.N_OWNERS] = owners = sum(bool(layer.parameters) for layer in network.layers)
        self.counters = np.zeros(f.COUNTERS, dtype=np.int64)
        self.counters[f.BEST_EPOCH] = -1
        outputs = program.places[f.OUTPUTS]
        self.sums = np.zeros(f.OWNERS + 2 * owners + 3 * outputs)
        self.sums[f.BEST_VALUE] = np.inf
        self.columns = f.H_OWNERS + 3 * owners
        self.memory = np.zeros(program.size, dtype=dtype)
        self.memory[: program.places[f.ZEROS]] = 1  # the open gate of `taut.engine.products`
        for place, values in program.marks:
            self.memory[place : place + len(values)] = values
        pieces = sum(-(-int(size) // BLOCK) for size in program.parameters[:, f.SIZE])
        tile = program.tile_rows
        mixes = quantiles is not None
        x, labels, dense, weights, subset = data.arrays(dtype)
        other = (Data(data.x[:0], data.targets[:0]) if validation is None else validation).arrays(dtype)
        shuffles = batch_size < n
        meant = dense if data.subset is None or not len(dense) else dense[data.subset]
        centers = meant.mean(axis=0, dtype=np.float64) if len(meant) else np.zeros(outputs)
        self._tables = (
            program.table, program.numbers, program.quiet_table, program.quiet_numbers, program.parameters,
            program.strengths, program.groups, program.lams, schedules, quantiles if mixes else np.empty(0), centers,
        )  # fmt: skip
        self._data = (x, x, labels, dense, weights, subset, *other[:3], other[4])
        self._room = (
            np.zeros(n if shuffles else 0, dtype=np.int64), np.zeros(2 * n + 1024 if shuffles else 0, dtype=np.uint64),
            np.zeros(tile, dtype=np.int64), np.zeros(tile if mixes else 0, dtype=np.int64),
            np.zeros(tile if mixes else 0), np.zeros((-(-tile // wide), 3 + 3 * outputs)), np.zeros((pieces, 2)),
            np.zeros(SYNC_SIZE, dtype=np.int64),
        )  # fmt: skip
        self._run = compiled_run(dtype.name)
        self._load(self.program.places[f.THETA], network.state)

    def _configured(
        self,
        loss: Loss,
        optimizer: Optimizer,
        average: Average | None,
        watch: Watch | None,
        total_epochs: int,
        total_steps: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        settings, options = np.zeros(f.SETTINGS, dtype=np.int64), np.zeros(f.OPTIONS)
        whole, real, schedules = settings_of(loss, optimizer)
        for name, value in (self.program.places | whole).items():
            settings[name] = value
        for name, number in real.items():
            options[name] = number
        if options[f.CLIP_NORM] > 0:
            settings[f.NEEDS_GRADIENT_FIRST] = 1
        settings[f.MONITOR] = -1
        if watch is not None:
            settings[f.MONITOR], settings[f.MONITOR_RISES] = watch.column, watch.rises
            settings[f.PATIENCE], options[f.MIN_DELTA] = min(watch.patience, _MOST), watch.min_delta
        if isinstance(average, SWA):
            settings[f.AVERAGE_KIND], settings[f.AVERAGE_FROM] = f.SWA, average.first_epoch(total_epochs)
        elif isinstance(average, EMA):
            settings[f.AVERAGE_KIND], options[f.AVERAGE_DECAY] = f.EMA, average.decay
        elif isinstance(average, Snapshots):
            settings[f.AVERAGE_KIND], settings[f.AVERAGE_FROM] = f.SNAPSHOTS, average.cycles - average.count
            settings[f.SNAPSHOT_RISE], settings[f.SNAPSHOT_CYCLES] = average.rise(total_steps), average.cycles
        return settings, options, schedules

    # ------------------------------------------------------------------------------------------------ weights in, out

    def _load(self, offset: int, state: np.ndarray) -> None:
        """Write the network's parameters, and its statistics if there are more numbers, to a place in memory."""
        _each(self._spans(state), state, lambda span, values: np.copyto(span.of(self.memory, offset), values))

    def _read(self, offset: int, state: np.ndarray) -> None:
        """Read them back."""
        _each(self._spans(state), state, lambda span, values: np.copyto(values, span.of(self.memory, offset)))

    def _spans(self, state: np.ndarray) -> list[Span]:
        program = self.program
        return program.spans if len(state) == len(self.network.theta) else program.spans + program.statistics

    def resume(
        self, epoch: int, step: int, rate: float, memory: Mapping[str, np.ndarray], average: np.ndarray | None,
        averaged: int, live: np.ndarray | None,
    ) -> None:  # fmt: skip
        """Set where the run goes on from."""
        self.counters[[f.EPOCH, f.STEP, f.AVERAGED]] = epoch, step, averaged
        self.sums[f.RATE] = rate
        for name, values in memory.items():
            self._load(self.program.places[_MEMORY[name]], values)
        if self.average is not None and average is not None:
            self._load(self.program.places[f.MEAN], average)
        if self.average is not None and live is not None:
            self._load(self.program.places[f.LIVE], live)
            self.counters[f.SHOWS_AVERAGE] = 1

    def load_state(self) -> None:
        """Take the state that the network has now."""
        self._load(self.program.places[f.THETA], self.network.state)

    def read_state(self) -> None:
        """Give the network the state of now."""
        self._read(self.program.places[f.THETA], self.network.state)

    def read_best(self) -> None:
        """Give the network the state of the best epoch."""
        self._read(self.program.places[f.BEST], self.network.state)

    def read_before(self) -> None:
        """Give the network the state from before the epoch that is under way."""
        self._read(self.program.places[f.BEFORE], self.network.state)

    def read_memory(self) -> dict[str, np.ndarray]:
        """Return what the optimizer remembers."""
        memory = self.optimizer.start(self.network.theta)
        for name, values in memory.items():
            self._read(self.program.places[_MEMORY[name]], values)
        return memory

    def read_average(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the running mean of an average, and the state that training goes on from while it is shown."""
        if self.average is None:
            return None, None
        mean, live = np.zeros_like(self.network.state), np.zeros_like(self.network.state)
        self._read(self.program.places[f.MEAN], mean)
        if not self.counters[f.SHOWS_AVERAGE]:
            return mean, None
        self._read(self.program.places[f.LIVE], live)
        return mean, live

    def set_inputs(self, x: np.ndarray) -> None:
        """Train on other inputs from now on, such as augmented ones; evaluate on those of the start."""
        self._data = (np.ascontiguousarray(x, dtype=self.memory.dtype).reshape(-1), *self._data[1:])

    # -------------------------------------------------------------------------------------------------------- running

    def run(self, until_epoch: int, most_steps: int) -> np.ndarray:
        """Train until an epoch has begun or some updates are made; return the rows of history of the epochs that ended.

        Returns
        -------
        ndarray, shape (epochs, columns)
            Columns as in `taut.engine.fields`.
        """
        until_epoch = min(until_epoch, _MOST)
        n, batch = self.settings[f.N_ROWS], self.settings[f.BATCH_SIZE]
        per_epoch = -(-int(n) // int(batch))
        most = min(until_epoch - int(self.counters[f.EPOCH]), most_steps // per_epoch + 2)
        history = np.full((max(most, 0), self.columns), np.nan)
        self.counters[f.RECORDED] = 0

        def work(thread: int) -> None:
            self._run(
                self.memory, self.settings, self.options, self.counters, self.sums, history, *self._tables,
                *self._data, *self._room, until_epoch, most_steps, thread,
            )  # fmt: skip

        others = [threading.Thread(target=work, args=(thread,), daemon=True) for thread in range(1, self._n_threads)]
        started: list[threading.Thread] = []
        try:
            for other in others:
                other.start()
                started.append(other)
            work(0)
        except BaseException:  # such as Ctrl-C between two starts, or no more threads to be had
            self._room[-1][CALLED_OFF] = 1
            raise
        finally:
            for other in started:
                other.join()
        return history[: self.counters[f.RECORDED]]

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return int(self.counters[f.EPOCH])

    @property
    def step(self) -> int:
        """Updates done."""
        return int(self.counters[f.STEP])

    @property
    def averaged(self) -> int:
        """States that the running mean holds."""
        return int(self.counters[f.AVERAGED])

    @property
    def best_epoch(self) -> int:
        """The best epoch that was watched, -1 if none was."""
        return int(self.counters[f.BEST_EPOCH])

    @property
    def rate(self) -> float:
        """Learning rate of the last update."""
        return float(self.sums[f.RATE])

    @property
    def last_loss(self) -> float:
        """Loss of the epoch that is under way."""
        return float(self.sums[f.DATA_LOSS] + self.sums[f.OWNERS :][: self.settings[f.N_OWNERS]].sum())

    @property
    def is_between_epochs(self) -> bool:
        """Whether no epoch is under way."""
        return bool(self.counters[f.POSITION] == 0)

    @property
    def is_not_finite(self) -> bool:
        """Whether the run has come to an end because something was not finite."""
        return bool(self.counters[f.STATUS] in (f.NOT_FINITE_LOSS, f.NOT_FINITE_WEIGHTS))

    @property
    def stopped_early(self) -> bool:
        """Whether early stopping has ended the run."""
        return bool(self.counters[f.STATUS] == f.STOPPED_EARLY)


# More than any run lives to see, and less than what a number of 64 bits holds.
_MOST = 2**62

_MEMORY = {"momentum": f.MOMENTUM, "squares": f.SQUARES}


def _each(spans: list[Span], state: np.ndarray, do: Any) -> None:
    """Call `do` with every span and its piece of a flat state, as a matrix."""
    start = 0
    for span in spans:
        size = span.rows * span.columns
        do(span, state[start : start + size].reshape(span.shape))
        start += size
