"""The setup of a run: what is trained, on what, how; all that a loop needs besides where it stands.

Floor 4 of the house; knows nothing of loops.
"""

from __future__ import annotations

from dataclasses import dataclass

from taut.network import Average, Loss, Network, Optimizer
from taut.random import Random
from taut.training.mixing import Mixing
from taut.training.objective import Augment, Objective

__all__ = ["Setup"]


@dataclass(frozen=True)
class Setup:
    """What is trained, on what, and how.

    Attributes
    ----------
    network : Network
        Built.
    loss : Loss
        The data loss.
    optimizer : Optimizer
        With its schedule.
    objective : Objective
        The rows to train on.
    validation : Objective or None
        Rows to look at after each epoch.
    batch_size, epochs : int
        Rows in an update, at most as many as there are; passes over the data.
    random : Random
        What order and noise are drawn from.
    average : Average or None
        What averages the weights.
    mixing : Mixing or None
        How rows are mixed.
    augment : callable or None
        What makes new inputs for each epoch.
    evaluate_training : bool
        Whether the training loss is recorded with all noise off.
    """

    network: Network
    loss: Loss
    optimizer: Optimizer
    objective: Objective
    validation: Objective | None
    batch_size: int
    epochs: int
    random: Random
    average: Average | None = None
    mixing: Mixing | None = None
    augment: Augment | None = None
    evaluate_training: bool = True
