"""The pair: two networks on the same rows from the same start, one regularized, one not, trained in step.

Each is trained by `taut.train`, a few epochs at a time; what is left of a call is where the next one goes on, so the
weights do not depend on how the epochs were divided: with a learning rate that stays, nothing in a run asks how many
epochs are to come. Knows nothing of threads or of the page.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from taut.network import Network, Optimizer
from taut.play.rows import Rows
from taut.play.setting import Setting
from taut.training import Recipe, State, train

__all__ = ["ARMS", "COLUMNS", "Arm", "Pair", "Record"]

ARMS = ("regularized", "unregularized")

#: What is kept of each epoch, by the names of the history; the metric is accuracy or R².
COLUMNS = ("evaluation_data_loss", "penalty", "validation_data_loss", "validation_metric")


@dataclass
class Record:
    """The course of one network so far: one number an epoch for each of `COLUMNS`."""

    columns: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def __len__(self) -> int:
        return len(self.columns["penalty"])

    def cut(self, epochs: int) -> None:
        """Forget what came later."""
        for values in self.columns.values():
            del values[epochs:]


@dataclass
class Arm:
    """One of the two: its network, what goes on from call to call and whose memory that is, and its record."""

    network: Network
    optimizer: Optimizer
    state: State | None = None
    trained_by: type[Optimizer] | None = None
    record: Record = field(default_factory=Record)


class Pair:
    """Two networks, trained in step.

    Parameters
    ----------
    setting : Setting
        The knobs at the start.
    rows : Rows
        What is learned from.

    Examples
    --------
    >>> from taut.play.rows import source_of
    >>> setting = Setting(layers=(4,), samples=60)
    >>> pair = Pair(setting, source_of(setting, None).rows(setting))
    >>> first, second = pair.weights()
    >>> bool((first == second).all())
    True
    >>> pair.advance(3)
    >>> [len(arm.record) for arm in pair.arms]
    [3, 3]
    """

    def __init__(self, setting: Setting, rows: Rows) -> None:
        self.epoch = 0
        self._take(setting, rows)
        self.arms: list[Arm] = []
        for recipe in self._recipes:
            network, self._loss, optimizer = recipe.build(rows.x.shape[1], rows.n_outputs, rows.task)
            self.arms.append(Arm(network, optimizer))

    def _take(self, setting: Setting, rows: Rows) -> None:
        recipe = setting.recipe()
        self.rows = rows
        self._recipes: tuple[Recipe, Recipe] = (recipe, recipe.unregularized())

    def turn(self, setting: Setting, rows: Rows) -> None:
        """Go on under other knobs; another optimizer begins without the memory of the one before it."""
        self._take(setting, rows)
        for arm, recipe in zip(self.arms, self._recipes, strict=True):
            shape = rows.x.shape[1], rows.n_outputs, rows.task
            arm.network, self._loss, arm.optimizer = recipe.build(*shape, state=arm.network.state)

    def advance(self, epochs: int) -> None:
        """Train both for some epochs, or neither: raise `NonFiniteLoss` if one cannot, and leave both as they were."""
        before = [(arm.network.state.copy(), arm.state, arm.trained_by) for arm in self.arms]
        try:
            for arm, recipe in zip(self.arms, self._recipes, strict=True):
                self._advance(arm, recipe, self.epoch + epochs)
        except BaseException:
            for arm, (weights, state, trained_by) in zip(self.arms, before, strict=True):
                arm.network.state[:] = weights
                arm.state, arm.trained_by = state, trained_by
                arm.record.cut(self.epoch)
            raise
        self.epoch += epochs

    def _advance(self, arm: Arm, recipe: Recipe, until: int) -> None:
        rows, state = self.rows, arm.state
        if state is not None and type(arm.optimizer) is not arm.trained_by:
            # Only now: whoever tries another optimizer and comes back before the next epoch has changed nothing.
            state = State(epoch=self.epoch, memory=arm.optimizer.start(arm.network.theta))
        history = train(
            arm.network,
            rows.x,
            rows.y,
            loss=self._loss,
            optimizer=arm.optimizer,
            epochs=until,
            batch_size=recipe.batch_rows(len(rows.x)),
            validation=(rows.validation_x, rows.validation_y),
            seed=recipe.seed,
            interruptible=False,
            resume=state,
        )
        arm.state, arm.trained_by = history.state, type(arm.optimizer)
        for name, values in arm.record.columns.items():
            values.extend(history[name.replace("metric", history.metric_name)].tolist())

    def weights(self) -> list[np.ndarray]:
        """Return a copy of the numbers of both networks."""
        return [arm.network.state.copy() for arm in self.arms]
