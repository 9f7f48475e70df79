"""Contenders: each library as its own users would use it at its best.

`NETWORKS`, `POPULATIONS` and, for each penalty, `PATHS` are the tables the sessions run over; the first entry of each
is what the others are compared with.
"""

from __future__ import annotations

from benchmarks.contenders.base import Contender, PathContender, PopulationContender
from benchmarks.contenders.book import Book
from benchmarks.contenders.jax_scan import JaxFeaturesFirst, JaxPopulation, JaxScan, JaxVmap
from benchmarks.contenders.keras_jax import Keras
from benchmarks.contenders.lasso_net import LassoNetPath
from benchmarks.contenders.pytorch import Torch, TorchBatched, TorchCompiled, TorchPopulation
from benchmarks.contenders.scikit import Scikit, ScikitGrid, ScikitPath
from benchmarks.contenders.tauts import TautCompiled, TautMany, TautPath, TautReference32, TautReference64

__all__ = ["NETWORKS", "PATHS", "POPULATIONS"]

NETWORKS: tuple[Contender, ...] = (
    TautCompiled(),
    TautReference32(),
    TautReference64(),
    Book(),
    Scikit(),
    Torch(),
    TorchCompiled(),
    Keras(),
    JaxScan(),
    JaxFeaturesFirst(),
)

POPULATIONS: tuple[PopulationContender, ...] = (
    TautMany(),
    ScikitGrid(),
    TorchPopulation(),
    TorchBatched(),
    JaxPopulation(),
    JaxVmap(),
)

PATHS: dict[str, tuple[PathContender, ...]] = {
    "l2": (TautPath(), ScikitPath()),
    "group": (TautPath(), LassoNetPath()),
}
