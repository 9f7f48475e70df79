"""`train`: fit a network to arrays.

It checks what it is given, runs the reference loop epoch by epoch, keeps the history, and leaves the network with the
weights it learned, also when interrupted. Floor 4 of the house; it knows nothing of how settings are chosen.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from types import FrameType

import numpy as np

from taut.checks import check_number, shown
from taut.errors import InvalidType, InvalidValue, NonFiniteLoss
from taut.network import Adam, Average, Loss, Network, Optimizer
from taut.network.kinds import AVERAGES, LOSSES, OPTIMIZERS, resolve
from taut.random import Random
from taut.training import averaging
from taut.training.callbacks import Callback, ProgressDisplay, Run
from taut.training.history import History, State
from taut.training.objective import Augment, Objective, augmented, objective_of, validation_of
from taut.training.reference import Epoch, evaluate, run_epoch

__all__ = ["one_blas_thread", "train"]


def train(
    network: Network,
    X: np.ndarray,
    y: np.ndarray,
    *,
    loss: str | Loss = "cross_entropy",
    optimizer: str | Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = 32,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    sample_weight: np.ndarray | None = None,
    augment: Augment | None = None,
    mixup: float = 0.0,
    average: str | Average | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    evaluate_training: bool = True,
    interruptible: bool = True,
    resume: State | None = None,
) -> History:
    """Train a network and return the course of it.

    The objective is the mean data loss plus the penalties of the layers. The network is built for the inputs if it
    was not yet, and trained further if it was.

    Parameters
    ----------
    network : Network
        What to train; its parameters are changed in place.
    X : array-like, shape (samples, inputs)
        Inputs; float32 inputs make a float32 network, anything else float64.
    y : array-like, shape (samples,) or (samples, outputs)
        Targets in the form the loss takes: integer labels or one-hot rows for "cross_entropy", numbers for "mse".
    loss : str or Loss, default "cross_entropy"
        A name from `taut.network.kinds.LOSSES`, or an instance.
    optimizer : str or Optimizer, optional
        A name or an instance such as ``Adam(0.01)``; `Adam` with its defaults if not given.
    epochs : int, default 100
        Passes over the data.
    batch_size : int or None, default 32
        Samples in an update; None takes all at once.
    validation : tuple (X, y), optional
        Data that is only looked at.
    sample_weight : array-like, shape (samples,), optional
        How much each sample counts; only the proportions matter.
    augment : callable, optional
        ``augment(X, rows, random)`` returns new inputs of the same shape; called at the start of each epoch. An
        `Augmentation` is one.
    mixup : float, default 0.0
        If above 0, each row is blended with another of its batch, targets as well, the shares drawn from
        Beta(mixup, mixup) (Zhang et al., 2018); 0.2 blends little, 1 evenly. Loss and metric in training mode are then
        those of the blends.
    average : str or Average, optional
        "ema", "swa" or an instance such as ``EMA(0.99)``: after each epoch from the first that is averaged, the network
        is given the mean of its weights along the way; training goes on from where they stood.
    seed : int, default 0
        Seed of first weights, order and dropout.
    callbacks : sequence of Callback, default ()
        Told after each epoch; may stop training.
    progress : bool, default False
        Show a live line in the terminal.
    evaluate_training : bool, default True
        Record the training data loss with all noise off after each epoch, which costs one more pass forward.
    interruptible : bool, default True
        Whether Ctrl-C stops after the current epoch and keeps what was learned; a second Ctrl-C stops at once.
    resume : State, optional
        ``history.state`` of an earlier call: go on as if that had not ended, from its epoch to `epochs`.

    Returns
    -------
    History
        One row an epoch.

    Raises
    ------
    InvalidValue, InvalidType
        If an argument cannot be used.
    NonFiniteLoss
        If the loss became NaN or infinite; the network keeps the weights from before that epoch.

    Examples
    --------
    >>> from taut import Adam, Dense, L2, Network, ReLU, spiral, train
    >>> X, y = spiral(samples=50, classes=3)
    >>> network = Network([Dense(32, weight_penalty=L2(1e-4)), ReLU(), Dense(3)])
    >>> history = train(network, X, y, optimizer=Adam(0.05), epochs=500, batch_size=None)
    >>> bool(history["accuracy"][-1] > 0.8)
    True
    >>> bool(np.allclose(history["loss"], history["data_loss"] + history["penalty"]))
    True
    """
    if not isinstance(network, Network):
        raise InvalidType(f"network must be a Network, got {type(network).__name__}")
    data_loss: Loss = resolve("loss", loss, LOSSES)
    rule: Optimizer = Adam() if optimizer is None else resolve("optimizer", optimizer, OPTIMIZERS)
    mean_of: Average | None = None if average is None else resolve("average", average, AVERAGES)
    check_number("epochs", epochs, at_least=0, integer=True)
    if batch_size is not None:
        check_number("batch_size", batch_size, at_least=1, integer=True)
    check_number("mixup", mixup, at_least=0)
    random, listeners = Random(seed), _listeners(callbacks, progress)
    objective = objective_of(network, data_loss, X, y, sample_weight, seed)
    watched = None if validation is None else validation_of(network, data_loss, validation)
    batch_size = min(batch_size or len(objective.x), len(objective.x))
    history = History(data_loss.metric_name)
    state = history.state = _state(resume, rule, mean_of, network)
    run = Run(network, history, epochs)
    before, began = network.state.copy(), time.perf_counter()
    for callback in listeners:
        callback.on_start(run)
    try:
        with _interrupt(run, interruptible), one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            while state.epoch < epochs and run.stop_reason is None:
                before[:] = network.state
                drawn = objective if augment is None else augmented(objective, augment, random, state.epoch)
                averaging.hide(network, state)
                epoch = run_epoch(
                    network,
                    rule,
                    drawn,
                    state,
                    batch_size=batch_size,
                    total_epochs=epochs,
                    random=random,
                    average=mean_of,
                    mixup=mixup,
                )
                _check_finite(network, epoch, state, before)
                if mean_of is not None:
                    averaging.show(mean_of, network, state, epochs)
                trained = objective if evaluate_training else None
                history.append(_row(network, data_loss, epoch, trained, watched, state, began))
                for callback in listeners:
                    callback.on_epoch_end(run)
    finally:
        history.stopped = run.stop_reason or "epochs"
        for callback in listeners:
            callback.on_end(run)
    return history


def _listeners(callbacks: Sequence[Callback], progress: bool) -> list[Callback]:
    given: object = callbacks
    if not isinstance(given, (list, tuple)) or not all(isinstance(callback, Callback) for callback in given):
        raise InvalidType(f"callbacks must be a list of instances such as EarlyStopping(), got {shown(given)}")
    return [*callbacks, ProgressDisplay()] if progress else list(callbacks)


def _state(resume: State | None, optimizer: Optimizer, average: Average | None, network: Network) -> State:
    """Return the state to start from: a new one, or a copy of the one to resume: the earlier run keeps its own."""
    state = State(memory=optimizer.start(network.theta)) if resume is None else _resumed(resume, optimizer, network)
    if average is None and state.live is not None:
        raise InvalidValue("the run to resume averaged its weights; give the average of that run, got None")
    averaging.begin(average, network, state)
    return state


def _resumed(resume: State, optimizer: Optimizer, network: Network) -> State:
    """Return a copy of a state, or raise if it is not of this optimizer and network."""
    given: object = resume
    if not isinstance(given, State):
        raise InvalidType(f"resume must be the state of a history, got {type(given).__name__}")
    if resume.restored:
        raise InvalidValue("the run to resume ended with its best weights, not its last; use restore_best=False there")
    shapes = {name: values.shape for name, values in resume.memory.items()}
    if shapes != dict.fromkeys(optimizer.memory, network.theta.shape):
        raise InvalidValue(
            f"the state to resume is not of {type(optimizer).__name__} with {network.theta.size} parameters: {shapes}"
        )
    averages = [values for values in (resume.average, resume.live) if values is not None]
    if any(values.shape != network.state.shape for values in averages):
        raise InvalidValue(f"the average to resume is not of a network with {network.state.size} numbers")
    return deepcopy(resume)


def _check_finite(network: Network, epoch: Epoch, state: State, before: np.ndarray) -> None:
    """Raise if loss or parameters are not finite, after putting back the parameters from before the epoch."""
    loss = epoch.data_loss + float(epoch.penalties.sum())
    if np.isfinite(loss) and np.isfinite(network.state).all():
        return
    network.state[:] = before
    what = "weights became infinite or NaN" if np.isfinite(loss) else f"loss became {loss}"
    raise NonFiniteLoss(
        f"the {what} in epoch {state.epoch - 1}; lower the learning rate ({state.rate:g}), or scale inputs and targets"
    )


def _row(
    network: Network,
    loss: Loss,
    epoch: Epoch,
    training: Objective | None,
    watched: Objective | None,
    state: State,
    began: float,
) -> dict[str, float]:
    """Return the epoch's row of the history."""
    name, penalty = loss.metric_name, float(epoch.penalties.sum())
    row = {
        "epoch": state.epoch - 1,
        "loss": epoch.data_loss + penalty,
        "data_loss": epoch.data_loss,
        "penalty": penalty,
        name: epoch.metric,
        "evaluation_data_loss": float("nan") if training is None else evaluate(network, training)[0],
    }
    if watched is not None:
        data_loss, metric = evaluate(network, watched)
        row["validation_loss"] = data_loss + float(network.penalties().sum())
        row["validation_data_loss"], row[f"validation_{name}"] = data_loss, metric
    row["learning_rate"], row["seconds"] = epoch.rate, time.perf_counter() - began
    for index, layer in enumerate(network.layers):
        if layer.parameters:
            size = sum(parameter.value.size for parameter in layer.parameters)
            zeros = sum(np.count_nonzero(parameter.value == 0) for parameter in layer.parameters)
            row[f"penalty_{index}"] = float(epoch.penalties[index])
            row[f"weight_norm_{index}"] = float(np.linalg.norm(layer.parameters[0].value))
            row[f"zeros_{index}"] = zeros / size
    return row


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep BLAS to one thread: the matrices are small, and the result must not depend on how many there are."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")


@contextmanager
def _interrupt(run: Run, interruptible: bool) -> Iterator[None]:
    """Let the first Ctrl-C stop the run after its epoch and the second at once; only the main thread hears signals."""
    # A process in the background ignores Ctrl-C and goes on doing so; None is a handler that Python cannot put back.
    is_heard = signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None)
    if not interruptible or not is_heard or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signum: int, _frame: FrameType | None) -> None:
        if run.stop_reason == "interrupted":
            raise KeyboardInterrupt
        run.stop("interrupted")

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
