"""More than one machine: a Dask scheduler with two worker processes gives the same answer, also when one is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter

import numpy as np
import pytest

from taut.data import load_sample
from taut.errors import InvalidValue
from taut.selection.folds import Fold
from taut.selection.path import regularization_path
from taut.selection.search import search
from taut.training import Recipe

QUICK = Recipe(hidden_layer_sizes=(8,), epochs=25)


@pytest.fixture(scope="module")
def wine():
    frame, target = load_sample("wine")
    return frame.drop(columns=target), frame[target]


@pytest.fixture(scope="module")
def client():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.filterwarnings("default")  # those of libraries that a cluster of processes raises are not ours
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_path_is_the_same_bit_for_bit_when_a_worker_is_killed_in_the_middle(client, wine):
    alone = regularization_path(QUICK, *wine, n_values=16, cv=3)
    first, *_ = client.run(os.getpid).values()
    killed = []

    def report(done: int, planned: int, words: str) -> None:
        if done >= planned // 4 and not killed:
            killed.append(done)
            os.kill(first, signal.SIGKILL)

    shared = regularization_path(QUICK, *wine, n_values=16, cv=3, backend="dask", report=report)
    assert killed
    assert first not in client.run(os.getpid).values()
    assert shared.value_min == alone.value_min
    for name in ("values", "losses", "training", "norms", "zeros", "penalties"):
        np.testing.assert_array_equal(getattr(shared, name), getattr(alone, name))


@pytest.mark.filterwarnings("default")
def test_a_search_is_the_same_and_its_data_goes_to_each_worker_once(client, wine, monkeypatch):
    sent = Counter()

    def counted(self: Fold) -> dict:
        sent[id(self)] += 1
        return self.__dict__

    monkeypatch.setattr(Fold, "__getstate__", counted, raising=False)
    shared = search(QUICK, None, *wine, effort=12, cv=3, backend="dask")
    monkeypatch.undo()
    alone = search(QUICK, None, *wine, effort=12, cv=3)
    assert [trial.to_dict() for trial in shared.trials] == [trial.to_dict() for trial in alone.trials]
    assert len(sent) == 6  # with the group lasso numbers enter as they are: three folds, encoded in two ways
    assert max(sent.values()) <= len(client.scheduler_info()["workers"])


def test_a_backend_that_is_not_there_is_refused_in_one_line(wine):
    with pytest.raises(InvalidValue, match="backend 'carrier-pigeon' cannot be used"):
        regularization_path(QUICK, *wine, n_values=3, cv=2, backend="carrier-pigeon")
