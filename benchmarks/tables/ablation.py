"""Ablations: what each part of the choice, and each ingredient of the usual recipe, is worth on real tables.

Both are paired: the same rows, the same folds, all but one thing. The parts are those of the choice at standard
effort, which answers without one of them; the ingredients those of the usual recipe, which answers by the networks of
its folds. The cuts are others than those on which taut is held beside its peers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from benchmarks.tables.problems import Problem
from taut import Recipe
from taut.selection.blending import Finalists, blended
from taut.selection.choosing import folds_of_some, race
from taut.selection.crew import Crew
from taut.selection.entrants import Entrants, entrants
from taut.selection.fold_models import fold_models
from taut.selection.folds import Folds
from taut.selection.halving import Budget
from taut.selection.search_result import Effort
from taut.selection.work import Work, work_of
from taut.training.ensemble import Ensemble

__all__ = ["ABLATIONS", "INGREDIENTS", "PARTS", "SPLITS"]

#: Seeds of the cuts, and rows to learn from at most.
SPLITS, MOST_ROWS = (2, 3), 1300
SEED, CV = 0, "auto"

# As many components of numbers as there are, where "auto" would be none.
_ALL = 300

_PLAIN_ADAM = {"optimizer": "adam", "weight_decay": 0.0}

#: Variants of the usual recipe: what they are called, and the fields that differ. First what is taken out of it.
INGREDIENTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no waves of numbers": {"embedding_width": 0, "bins": 12, "components": _ALL},
    "no pieces of numbers": {"bins": 0},
    "neither waves nor pieces": {"embedding_width": 0, "components": _ALL},
    "no components of numbers": {"components": 0},
    "numbers as they are": {"embedding_width": 0},
    "standard scaling": {"scaling": "standard"},
    "standard parametrization (learning rate 0.003)": {"parametrization": "standard", "learning_rate": 0.003},
    "no weight decay": _PLAIN_ADAM,
    "no dropout": {"dropout": 0.0},
    "ReLU": {"activation": "relu"},
    "beta_2 of 0.999": {"beta_2": 0.999},
    "constant learning rate": {"schedule": "constant"},
    "30 epochs": {"epochs": 30},
    "120 epochs": {"epochs": 120},
    "dropout 0.1": {"dropout": 0.1},
    "dropout 0.35": {"dropout": 0.35},
    "weight decay 0.05": {"weight_decay": 0.05},
    "weight decay 0.2": {"weight_decay": 0.2},
    "6 pieces": {"bins": 6},
    "principal axes, no components": {"scaling": "principal_axes"},
    "rectified waves (PLR)": {"embedding_rectified": True},
    "waves of deviation 0.1": {"embedding_deviation": 0.1},
    "waves of deviation 0.8": {"embedding_deviation": 0.8},
    "categories embedded in 8": {"category_width": 8},
    "learned factors of inputs": {"input_scale": True},
    "layer normalization": {"normalization": "layer"},
    "256 units": {"hidden_layer_sizes": (256,)},
    "64, 64 units": {"hidden_layer_sizes": (64, 64)},
    "residual blocks (64, 64, 64 units)": {"hidden_layer_sizes": (64, 64, 64), "residual": True},
    "label smoothing 0.03 (classes)": {"label_smoothing": 0.03},
    "mixup 0.3": {"mixup": 0.3},
    "CutMix 0.3": {"cutmix": 0.3},
    "EMA 0.98": {"ema": 0.98},
    "SWA 0.25": {"swa": 0.25},
    "SAM 0.05": {"sam": 0.05},
    "DropConnect 0.15": {"dropconnect": 0.15},
    "dropout and decay that fade": {"dropout_schedule": "flat_cosine", "weight_decay_schedule": "flat_cosine"},
    "snapshots (2 of 3 cycles)": {"schedule": "cosine_restarts", "cycles": 3, "snapshots": 2},
    "cosine over a logarithm (4 cycles)": {"schedule": "cosine_log"},
    "input noise 0.1": {"input_noise": 0.1},
    "input dropout 0.1": {"input_dropout": 0.1},
    "L1 0.0001": {"l1": 1e-4},
    "L2 0.0001": {"l2": 1e-4},
    "max-norm 1": {"max_norm": 1.0},
}


def _folds(problem: Problem) -> Folds:
    task = "classification" if problem.is_classification else "regression"
    return folds_of_some(
        problem.X, problem.y, MOST_ROWS, task=task, cv=CV, repeats=1, groups=None, time=None, seed=SEED
    )


def _raced(entered: Entrants, folds: Folds, work: Work) -> Finalists:
    return race(entered, folds, work, Budget(None), crew=Crew())[1]


@lru_cache(maxsize=1)
def _parts(problem: Problem) -> dict[str, Ensemble]:
    """Return who answers for the whole choice, and for what is left of it without one of its parts."""
    folds, work = _folds(problem), work_of("standard")
    everyone = entrants(Recipe(), SEED, "auto", folds.task)
    finalists = _raced(everyone, folds, work)
    whole, alone = blended(finalists, folds), Finalists()
    alone.constant, alone.best = finalists.constant, finalists.best[:1]
    networks = blended(alone, folds).ensemble(folds)
    first = Work(Effort(work.effort.coarse, ()), work.multiplications, work.rows)
    as_they_are = everyone.without("bins")
    as_they_are = replace(as_they_are, portfolio=[{**one, "embedding_width": 0} for one in as_they_are.portfolio])
    answering = (
        whole.ensemble(folds),
        replace(whole, temperature=1.0).ensemble(folds),
        blended(_raced(everyone, folds, first), folds).ensemble(folds),
        blended(_raced(as_they_are, folds, work), folds).ensemble(folds),
        networks,
        Ensemble(networks.models[:1]),
    )
    return dict(zip(PARTS, answering, strict=True))


def _without_part(name: str, problem: Problem) -> np.ndarray:
    return _answer(_parts(problem)[name], problem)


def _with_change(changes: dict[str, Any], problem: Problem) -> np.ndarray:
    return _answer(fold_models(replace(Recipe(dtype="float32"), **changes), _folds(problem)), problem)


def _answer(answering: Ensemble, problem: Problem) -> np.ndarray:
    return np.asarray((answering.predict_proba if problem.is_classification else answering.predict)(problem.X_test))


#: The whole choice, and what is left of it without one of its parts.
PARTS = (
    "all of it",
    "the temperature",
    "further rounds",
    "waves, pieces and components of numbers",
    "blending: the best setting alone, the networks of its folds",
    "blending and folds: the best setting alone, one network",
)
#: The methods by name.
ABLATIONS: dict[str, Callable[[Problem], np.ndarray]] = {
    **{name: partial(_with_change, changes) for name, changes in INGREDIENTS.items()},
    **{name: partial(_without_part, name) for name in PARTS},
}
