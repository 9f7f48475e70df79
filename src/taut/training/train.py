"""`train`: fit a network to arrays.

It checks what it is given, chooses the loop that runs it, keeps the history, and leaves the network with the weights it
learned, also when interrupted. Floor 4 of the house; it knows nothing of how settings are chosen.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from types import FrameType

import numpy as np

from taut.checks import check_choice, check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.network import Adam, Average, Loss, Network, Optimizer
from taut.network.kinds import AVERAGES, LOSSES, OPTIMIZERS, resolve
from taut.notices import say
from taut.random import Random
from taut.training import averaging
from taut.training.callbacks import Callback, EarlyStopping, ProgressDisplay, Run
from taut.training.history import History, State
from taut.training.loops import CompiledLoop, Loop, ReferenceLoop
from taut.training.mixing import mixing_of
from taut.training.objective import Augment, objective_of, validation_of
from taut.training.setup import Setup

__all__ = ["train"]


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
    cutmix: float = 0.0,
    average: str | Average | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    evaluate_training: bool = True,
    interruptible: bool = True,
    resume: State | None = None,
    engine: str = "auto",
    n_threads: int | None = None,
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
    cutmix : float, default 0.0
        If above 0, each row takes some columns from another of its batch, and keeps a share of them that is drawn from
        Beta(cutmix, cutmix); targets are blended by that share, as by mixup (Yun et al., 2019). Not beside `mixup`.
    average : str or Average, optional
        "ema", "swa", "snapshots" or an instance such as ``EMA(0.99)``: after each epoch from the first that is
        averaged, the network is given the mean of its weights along the way; training goes on from where they stood.
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
    engine : {"auto", "compiled", "numpy"}, default "auto"
        "compiled" runs in machine code, "numpy" in the reference loop; both do the same arithmetic. "auto" compiles if
        the engine knows every kind in the network, and otherwise says in one line which it does not know.
    n_threads : int, optional
        Threads that work on this network together, in compiled code; by default as many as there are cores if the
        network is large enough to need them. The result does not depend on it.

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
    check_choice("engine", engine, ("auto", "compiled", "numpy"))
    if n_threads is not None:
        check_number("n_threads", n_threads, at_least=1, integer=True)
    random, listeners = Random(seed), _listeners(callbacks, progress)
    objective = objective_of(network, data_loss, X, y, sample_weight, seed)
    watched = None if validation is None else validation_of(network, data_loss, validation)
    history = History(data_loss.metric_name)
    state = history.state = _state(resume, rule, mean_of, network)
    setup = Setup(
        network=network,
        loss=data_loss,
        optimizer=rule,
        objective=objective,
        validation=watched,
        batch_size=min(batch_size or len(objective.x), len(objective.x)),
        epochs=epochs,
        random=random,
        average=mean_of,
        mixing=mixing_of(mixup, cutmix),
        augment=augment,
        evaluate_training=evaluate_training,
    )
    run, first_epoch = Run(network, history, epochs), state.epoch
    loop, others = _loop(setup, state, listeners, engine, n_threads)
    for callback in listeners:
        callback.on_start(run)
    looks_each_epoch = any(type(callback) is not ProgressDisplay for callback in others)
    try:
        with _interrupt(run, interruptible), loop.running():
            while history.epochs < epochs - first_epoch and not (run.stop_reason and loop.is_between_epochs):
                is_last = looks_each_epoch or run.stop_reason is not None
                columns = loop.advance(first_epoch + history.epochs + 1 if is_last else epochs)
                history.add(columns)
                if not len(columns["epoch"]):
                    continue  # in the middle of an epoch
                if looks_each_epoch:
                    loop.show()
                for callback in others:
                    callback.on_epoch_end(run)
                if looks_each_epoch:
                    loop.take()
                if loop.stopped_early:
                    run.stop("early stopping")
    finally:
        loop.finish()
        history.stopped = run.stop_reason or "epochs"
        for callback in listeners:
            callback.on_end(run)
    return history


def _loop(
    setup: Setup, state: State, listeners: list[Callback], engine: str, n_threads: int | None
) -> tuple[Loop, list[Callback]]:
    """Return the loop that runs a setup, and the callbacks that it does not take care of itself."""
    if engine == "numpy" or not setup.epochs:
        return ReferenceLoop(setup, state), listeners
    from taut.engine.kinds import unsupported

    unknown = unsupported(setup.network, setup.loss, setup.optimizer, setup.average)
    if unknown is not None:
        if engine == "compiled":
            raise InvalidValue(f'{unknown} is not in the compiled engine; use engine="auto" or "numpy"')
        say(f"{unknown} is not in the compiled engine; training runs in NumPy")
        return ReferenceLoop(setup, state), listeners
    stopping = next((callback for callback in listeners if type(callback) is EarlyStopping), None)
    if stopping is not None and (setup.validation is None or stopping.watch(setup.loss.metric_name) is None):
        stopping = None
    others = [callback for callback in listeners if callback is not stopping]
    return CompiledLoop(setup, state, stopping, n_threads=n_threads), others


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
