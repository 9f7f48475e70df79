"""Averaging: what of a run enters an average of its weights, and when the network shows it.

An epoch trains the live weights; between epochs the network shows their average, once there is one, so that whoever
looks at it then (the history, callbacks, early stopping, the caller) sees what would be used. Floor 4 of the house.
"""

from __future__ import annotations

import numpy as np

from taut.network import Average, Network
from taut.training.history import State

__all__ = ["begin", "follow", "hide", "show"]


def begin(average: Average | None, network: Network, state: State) -> None:
    """Make room for the running mean, unless the run goes on with one."""
    if average is not None and state.average is None:
        state.average = np.zeros_like(network.state)


def follow(average: Average, network: Network, state: State) -> None:
    """Take the network as it is into the running mean."""
    assert state.average is not None
    state.averaged += 1
    average.add(state.average, network.state, state.averaged)


def show(average: Average, network: Network, state: State, total_epochs: int) -> None:
    """Put the average in the place of the live weights after an epoch, if anything has been averaged."""
    if average.takes_epoch(state.epoch - 1, total_epochs):
        follow(average, network, state)
    if state.averaged:
        assert state.average is not None
        state.live = network.state.copy()
        network.state[:] = average.value(state.average, state.averaged)


def hide(network: Network, state: State) -> None:
    """Give the network its live weights back before an epoch."""
    if state.live is not None:
        network.state[:] = state.live
