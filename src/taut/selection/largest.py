r"""The largest strength of a path: from where on more of it changes nothing.

**L1 and its groups.** Wanted is the smallest :math:`\lambda` at which training ends with every penalized weight zero.

Without hidden layers the objective is convex, and zero is its minimum exactly where the subdifferential says so:
:math:`\lambda_{max} = \max_{jk} |\frac1n \sum_i x_{ij}\, g_{ik}|`, with :math:`g` the gradient of the data loss by the
outputs at the best constant outputs; for groups, the largest norm over :math:`k`. That is what glmnet computes.

With hidden layers no gradient at zero tells it. If :math:`\sigma(0) = 0`, all gradients by the weights vanish there,
so that zero is a local minimum for *every* :math:`\lambda > 0`: what decides is how far away the weights begin, and
whether the penalty draws them in before the data loss holds them. There is an upper bound. With loss :math:`L_0` at the
best constant, :math:`\sigma` 1-Lipschitz, two layers and rows in :math:`\|x\|_\infty \le r`, the data loss can fall by
at most :math:`\min(L_0, \tfrac14 G s^2)` where the weights have :math:`\ell_1`-norm :math:`s` and
:math:`G = r \cdot \max_k \frac1n \sum_i |g_{ik}|`, because the loss is convex in its outputs and
:math:`\sum_k a_k b_k \le \tfrac14 (\|a\|_1 + \|b\|_1)^2`; that never pays for :math:`\lambda s` once
:math:`\lambda \ge \tfrac12 \sqrt{L_0 G}`. The bound is loose, and says nothing of where training ends. So the strength
is found by training on all rows: powers of 0.95 are bracketed until at one of them all penalized weights are zero and
at the next smaller they are not.

**Everything else** never gets there. Its largest strength is where the training loss has made 99 % of the way from that
without the penalty to that under an overwhelming one, found in the same manner to within a factor of 1.3.

Floor 5 of the house.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from taut.network import Dense, Network
from taut.selection.axes import Axis
from taut.selection.crew import Workers
from taut.selection.outcomes import Outcome, Plan
from taut.training.recipe import Recipe

__all__ = ["FINE", "largest_strength"]

#: At so much of the largest strength of L1, some penalized weight is not zero.
FINE = 0.95
# The same for what never reaches zero, and how near it is to come.
_COARSE, _SHARE = 1 / 1.3, 0.99
# Strengths are looked for among the powers of these between the largest and the smallest; so many are tried at first,
# and so many then at a time.
_FROM, _TO = 1e4, 1e-6
_FIRST, _THEN = 10, 4


def largest_strength(axis: Axis, base: Recipe, workers: Workers, fold: int) -> float:
    """Return the largest strength that matters on the training rows of a fold.

    Parameters
    ----------
    axis : Axis
        A strength.
    base : Recipe
        The recipe; all but the axis stays as it is.
    workers : Workers
        Who trains.
    fold : int
        The fold.
    """

    def tried(strengths: Sequence[float]) -> list[Outcome]:
        found: dict[int, Outcome] = {}
        plans = [Plan(axis.recipe(base, strength), fold) for strength in strengths]
        workers.make(plans, found.__setitem__)
        return [found[place] for place in range(len(plans))]

    if axis.is_sparse:
        found = _first(lambda strengths: [_is_empty(one, axis) for one in tried(strengths)], FINE)
        if found < _FROM:
            return found  # else there are too few updates to bring the weights to zero, whatever the strength
    least, most = (one.training for one in tried([0.0, _FROM]))

    def is_saturated(strengths: Sequence[float]) -> list[bool]:
        return [not one.training < least + _SHARE * (most - least) for one in tried(strengths)]

    return _first(is_saturated, _COARSE)


def _first(holds: Callable[[Sequence[float]], list[bool]], ratio: float) -> float:
    """Return the smallest power of `ratio`, times the largest strength, at which something holds.

    It is taken to hold at the largest, and not at the smallest. What holds at two strengths need not hold between them,
    or beyond: where an optimizer divides by the size of its gradients, an overwhelming L2 leaves a soft threshold none.
    """
    upper, lower = 0, round(np.log(_TO / _FROM) / np.log(ratio))  # it holds at the one, and not at the other
    count = _FIRST
    while lower - upper > 1:
        places = np.unique(np.linspace(upper, lower, count + 2).round().astype(int)[1:-1])
        places = places[(places > upper) & (places < lower)]
        held = np.flatnonzero(holds([_FROM * ratio**place for place in places]))
        last = held[-1] if len(held) else -1
        lower = places[last + 1] if last + 1 < len(places) else lower
        upper = places[last] if last >= 0 else upper
        count = _THEN
    return float(_FROM * ratio**upper)


def _is_empty(outcome: Outcome, axis: Axis) -> bool:
    """Say whether a run has ended with every weight that the axis penalizes at zero; if it diverged, it is beyond."""
    return outcome.diverged or not any(np.any(layer.weights.value) for layer in penalized(outcome.run.network, axis))


def penalized(network: Network, axis: Axis) -> list[Dense]:
    """Return the layers whose weights the axis penalizes."""
    layers = [layer for layer in network.layers if isinstance(layer, Dense)]
    return {"group_l1": layers[:1], "group_l1_units": layers[:-1]}.get(axis.field, layers)
