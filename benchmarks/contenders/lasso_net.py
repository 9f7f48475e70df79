"""LassoNet: a network with a linear path beside it, whose L1 takes inputs out of both (Lemhadri et al., JMLR 2021).

Its own cross-validation trains a dense network on each fold, raises the penalty by 2 % a step until no input is left,
each step going on from the weights of the last, and at the end goes through the path once more on all rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.contenders.base import FoundPath, PathContender
from benchmarks.problems import PathProblem

__all__ = ["LassoNetPath"]


class LassoNetPath(PathContender):
    """LassoNetClassifierCV as it is, but for the hidden layer, the folds and what it chooses by."""

    name = "LassoNetClassifierCV"
    packages = ("lassonet", "torch")
    differs = (
        "has a linear path beside its network, runs on one thread, is told the folds, takes its own strengths, each 2 "
        "% above the last and from the weights of the last, until no input is left, stops each early by a tenth of the "
        "training rows, trains full batches, by Adam at first and then by SGD, and is given columns scaled over all "
        "rows, for it scales none; it would choose by accuracy and is made to choose by log loss"
    )

    def start(self, problem: PathProblem, threads: int) -> Callable[[], FoundPath]:
        import torch
        from lassonet import LassoNetClassifierCV
        from sklearn.metrics import log_loss
        from sklearn.preprocessing import StandardScaler

        torch.set_num_threads(1)  # two took several times as long on a busy machine: so small networks share nothing

        class ByLogLoss(LassoNetClassifierCV):
            def score(self, x: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> float:
                return -float(log_loss(y, self.predict_proba(x), sample_weight=sample_weight))

        def find() -> FoundPath:
            model = ByLogLoss(cv=problem.folds, hidden_dims=problem.hidden, verbose=0, random_state=0, torch_seed=0)
            last = model.path(StandardScaler().fit_transform(problem.x), problem.y, return_state_dicts=False)
            return FoundPath(-float(model.best_cv_score_), sum(map(len, [*model.raw_paths_, last])))

        return find
