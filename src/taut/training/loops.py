"""Loops: the two ways to run a setup, epoch by epoch in NumPy or many epochs at a time in compiled code.

Both give the same history and leave the same network; which one runs is the argument `engine` of `train`. Floor 4 of
the house.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from taut.blas import one_blas_thread
from taut.errors import NonFiniteLoss
from taut.training import averaging
from taut.training.callbacks import EarlyStopping
from taut.training.history import State
from taut.training.mixing import quantiles
from taut.training.objective import augmented
from taut.training.reference import Epoch, evaluate, run_epoch
from taut.training.setup import Setup

__all__ = ["CompiledLoop", "Loop", "ReferenceLoop"]

Columns = dict[str, np.ndarray]


class Loop(ABC):
    """A way to run a setup from a state on."""

    def __init__(self, setup: Setup, state: State) -> None:
        self.setup, self.state, self.began = setup, state, time.perf_counter()

    @abstractmethod
    def running(self) -> AbstractContextManager[object]:
        """Return what holds while the loop advances."""

    @abstractmethod
    def advance(self, until_epoch: int) -> Columns:
        """Go on for a while, at most until an epoch; return columns of history for the epochs that ended.

        Raises
        ------
        NonFiniteLoss
            If the loss became NaN or infinite; the network then shows what it showed before that epoch.
        """

    @abstractmethod
    def show(self) -> None:
        """Bring the network, and the state of the run, to where the loop is."""

    @abstractmethod
    def take(self) -> None:
        """Go on from the network as it is now: whoever was shown it may have changed it."""

    @abstractmethod
    def finish(self) -> None:
        """Leave everything as the end of the run is to find it."""

    @property
    def stopped_early(self) -> bool:
        """Whether the loop itself has ended the run, by early stopping."""
        return False

    @property
    def is_between_epochs(self) -> bool:
        """Whether no epoch is under way."""
        return True

    def _refuse(self, loss: float, epoch: int, rate: float) -> NonFiniteLoss:
        what = "weights became infinite or NaN" if np.isfinite(loss) else f"loss became {loss}"
        return NonFiniteLoss(
            f"the {what} in epoch {epoch}; lower the learning rate ({rate:g}), or scale inputs and targets"
        )


class ReferenceLoop(Loop):
    """The reference, in NumPy: one epoch at a time."""

    def running(self) -> AbstractContextManager[object]:
        return one_blas_thread()

    def advance(self, until_epoch: int) -> Columns:
        setup, state, network = self.setup, self.state, self.setup.network
        before, objective = network.state.copy(), setup.objective
        drawn = objective if setup.augment is None else augmented(objective, setup.augment, setup.random, state.epoch)
        averaging.hide(network, state)
        with np.errstate(over="ignore", invalid="ignore"):
            epoch = run_epoch(
                network,
                setup.optimizer,
                drawn,
                state,
                batch_size=setup.batch_size,
                total_epochs=setup.epochs,
                random=setup.random,
                average=setup.average,
                mixing=setup.mixing,
            )
            loss = epoch.data_loss + float(epoch.penalties.sum())
            if not (np.isfinite(loss) and np.isfinite(network.state).all()):
                network.state[:] = before
                raise self._refuse(loss, state.epoch - 1, state.rate)
            if setup.average is not None:
                averaging.show(setup.average, network, state, setup.epochs)
            return {name: np.array([value]) for name, value in self._row(epoch)}

    def show(self) -> None:
        """Do nothing: the network is always where the loop is."""

    def take(self) -> None:
        """Do nothing: the network is always where the loop is."""

    def finish(self) -> None:
        """Do nothing: there is nothing to bring anywhere."""

    def _row(self, epoch: Epoch) -> Iterator[tuple[str, float]]:
        """Yield the columns of the epoch's row of the history."""
        setup, network, name = self.setup, self.setup.network, self.setup.loss.metric_name
        penalty = float(epoch.penalties.sum())
        yield from (("epoch", self.state.epoch - 1), ("loss", epoch.data_loss + penalty))
        yield from (("data_loss", epoch.data_loss), ("penalty", penalty), (name, epoch.metric))
        yield "evaluation_data_loss", evaluate(network, setup.objective)[0] if setup.evaluate_training else float("nan")
        if setup.validation is not None:
            data_loss, metric = evaluate(network, setup.validation)
            yield "validation_loss", data_loss + float(network.penalties().sum())
            yield from (("validation_data_loss", data_loss), (f"validation_{name}", metric))
        yield from (("learning_rate", epoch.rate), ("seconds", time.perf_counter() - self.began))
        for index, layer in enumerate(network.layers):
            if layer.parameters:
                size = sum(parameter.value.size for parameter in layer.parameters)
                zeros = sum(np.count_nonzero(parameter.value == 0) for parameter in layer.parameters)
                yield f"penalty_{index}", float(epoch.penalties[index])
                yield f"weight_norm_{index}", float(np.linalg.norm(layer.parameters[0].value))
                yield f"zeros_{index}", zeros / size


class CompiledLoop(Loop):
    """The engine: as many epochs at a time as take a fraction of a second.

    Parameters
    ----------
    setup, state
        What is run, and from where.
    stopping : EarlyStopping, optional
        Is watched in compiled code; `finish` tells it the outcome.
    n_threads : int, optional
        Threads that work on this run together; by default as many as there are cores, if each update is long enough to
        be shared. The result does not depend on it.
    """

    def __init__(
        self, setup: Setup, state: State, stopping: EarlyStopping | None = None, *, n_threads: int | None = None
    ) -> None:
        from taut.engine.session import Data, Session

        super().__init__(setup, state)
        self._stopping, self._first = stopping, state.epoch
        validation, objective = setup.validation, setup.objective
        self.session = Session(
            setup.network,
            setup.loss,
            setup.optimizer,
            Data(objective.x, objective.targets, objective.weights, objective.subset),
            None if validation is None else Data(validation.x, validation.targets, subset=validation.subset),
            batch_size=setup.batch_size,
            total_epochs=setup.epochs,
            seed=setup.random.seed,
            average=setup.average,
            quantiles=None if setup.mixing is None else quantiles(setup.mixing.alpha),
            mixes_by_cell=setup.mixing is not None and setup.mixing.by_cell,
            watch=None if stopping is None else stopping.watch(setup.loss.metric_name),
            evaluates_training=setup.evaluate_training,
            n_threads=n_threads or _threads_for(setup),
        )
        self.session.resume(
            state.epoch, state.step, state.rate, state.memory, state.average, state.averaged, state.live
        )
        # The first guess knows nothing of evaluation, so it is far too small; the number grows fourfold, if need be.
        self._steps = int(max(0.02 * _CALL_SECONDS * _FLOPS / _flops(setup), 1))

    def running(self) -> AbstractContextManager[object]:
        return nullcontext()

    @property
    def stopped_early(self) -> bool:
        return self.session.stopped_early

    @property
    def is_between_epochs(self) -> bool:
        return self.session.is_between_epochs

    def advance(self, until_epoch: int) -> Columns:
        setup, session = self.setup, self.session
        if setup.augment is not None:
            until_epoch = session.epoch + 1  # the next one is drawn anew, also if this one is under way
            if self.is_between_epochs:
                session.set_inputs(augmented(setup.objective, setup.augment, setup.random, session.epoch).x)
        first, first_step, began = session.epoch, session.step, time.perf_counter()
        rows = session.run(until_epoch, self._steps)
        ended = time.perf_counter()
        # So many updates a call that it returns soon enough to be stopped, and seldom enough to cost nothing.
        made = session.step - first_step
        self._steps = int(min(max(made * _CALL_SECONDS / max(ended - began, 1e-6), 1), 4 * self._steps))
        if session.is_not_finite and not len(rows):  # else the epochs before it come first
            raise self._refuse(session.last_loss, session.epoch, session.rate)
        seconds = began - self.began + (ended - began) * np.arange(1, len(rows) + 1) / max(len(rows), 1)
        return self._columns(rows, first, seconds)

    def _columns(self, rows: np.ndarray, first: int, seconds: np.ndarray) -> Columns:
        from taut.engine import fields as f

        setup, name = self.setup, self.setup.loss.metric_name
        owners = rows[:, f.H_OWNERS :]
        penalty = owners[:, ::3].sum(axis=1)
        columns = {
            "epoch": np.arange(first, first + len(rows)),
            "loss": rows[:, f.H_LOSS] + penalty,
            "data_loss": rows[:, f.H_LOSS],
            "penalty": penalty,
            name: rows[:, f.H_METRIC],
            "evaluation_data_loss": rows[:, f.H_EVALUATION],
        }
        if setup.validation is not None:
            columns["validation_loss"] = rows[:, f.H_VALIDATION] + rows[:, f.H_VALIDATION_PENALTY]
            columns["validation_data_loss"] = rows[:, f.H_VALIDATION]
            columns[f"validation_{name}"] = rows[:, f.H_VALIDATION_METRIC]
        columns["learning_rate"], columns["seconds"] = rows[:, f.H_RATE], seconds
        indices = [index for index, layer in enumerate(setup.network.layers) if layer.parameters]
        for owner, index in enumerate(indices):
            for part, label in enumerate(("penalty", "weight_norm", "zeros")):
                columns[f"{label}_{index}"] = owners[:, 3 * owner + part]
        return columns

    def show(self) -> None:
        session, state = self.session, self.state
        session.read_state()
        state.epoch, state.step, state.rate = session.epoch, session.step, session.rate
        state.memory, state.averaged = session.read_memory(), session.averaged
        state.average, state.live = session.read_average()

    def take(self) -> None:
        self.session.load_state()

    def finish(self) -> None:
        if self.is_between_epochs:
            self.show()
        else:  # broken off: what was there before the epoch is kept, but the rest of the state is of another moment
            self.session.read_before()
            self.state.restored = True
        if self._stopping is not None and self.session.best_epoch >= 0:
            shown = self.setup.network.state.copy()
            self.session.read_best()
            self._stopping.adopt(self.session.best_epoch - self._first, self.setup.network.state)
            self.setup.network.state[:] = shown


def _threads_for(setup: Setup) -> int:
    """Return how many threads an update is long enough for."""
    if _flops(setup) < _FLOPS_TO_SHARE:
        return 1
    from joblib import cpu_count

    cores = cpu_count()  # those that this process may use
    # What joblib and others set in processes that are to leave cores to one another.
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(limit)) if limit.isdecimal() and int(limit) else cores


def _flops(setup: Setup) -> float:
    """Return about how many floating-point operations an update takes."""
    return 6.0 * setup.network.theta.size * setup.batch_size


# From how many operations on, a millisecond of them, an update is shared among threads.
_FLOPS_TO_SHARE = 1e8

# How long a call into compiled code is to take, until which Ctrl-C is not heard; and a first guess of how fast it is.
_CALL_SECONDS, _FLOPS = 0.1, 1e10
