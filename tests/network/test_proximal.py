"""Every proximal operator solves the problem it states: ``argmin_u value(u) + sum((u - w)**2 / (2 * step))``.

Held in three ways: against a grid in two and three dimensions; against random moves away from the solution, which must
all be uphill because the problem is strictly convex; and against the optimality conditions, which are exact. The
problem is written anew here, constraints as infinities, so that a mistake in `value` would show as well. Step sizes are
one number, or very uneven, as Adam's are.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from taut.network import L1, L2, GroupL1, MaxNorm, NonNegative, Sum
from taut.network.penalties import Penalty

PENALTIES: dict[str, Penalty] = {
    "nothing": Sum(),
    "L1": L1(0.3),
    "L1 of strength 0": L1(0.0),
    "L2": L2(0.4),
    "elastic net": L1(0.2) + L2(0.3),
    "two L1": L1(0.2) + L1(0.1),
    "group by input": GroupL1(0.5),
    "group by unit": GroupL1(0.5, by="unit"),
    "group of strength 0": GroupL1(0.0),
    "group and L2": GroupL1(0.4, by="unit") + L2(0.2),
    "L2 and group": L2(0.2) + GroupL1(0.4, by="input"),
    "sparse group": L1(0.2) + GroupL1(0.3, by="unit"),
    "group before L1": GroupL1(0.3, by="input") + L1(0.2),
    "non-negative": NonNegative(),
    "L1 and non-negative": L1(0.3) + NonNegative(),
    "non-negative group": NonNegative() + GroupL1(0.3, by="unit"),
    "max-norm": MaxNorm(0.8),
    "non-negative max-norm": MaxNorm(0.8) + NonNegative(),
    "L1 and max-norm": L1(0.2) + MaxNorm(0.6),
    "L2 and max-norm": MaxNorm(0.6) + L2(0.2),
    "all but groups": L1(0.1) + L2(0.1) + NonNegative() + MaxNorm(0.7),
}
STEPS = ["one", "uneven", "very uneven"]


def steps_of(kind: str, shape: tuple[int, ...], random: np.random.Generator) -> float | np.ndarray:
    if kind == "one":
        return 0.7
    low, high = (-1, 1) if kind == "uneven" else (-4, 3)
    return 10.0 ** random.uniform(low, high, shape)


def norms(u: np.ndarray, by: str) -> np.ndarray:
    """Return the norms of the groups; `u` has leading axes for candidates, then (inputs, units)."""
    return np.sqrt((u**2).sum(axis=-1 if by == "input" else -2))


def problem(penalty: Penalty, u: np.ndarray, w: np.ndarray, step: float | np.ndarray) -> np.ndarray:
    """Return the objective of each candidate, `u` of shape (..., inputs, units); infinite outside a constraint."""
    total = ((u - w) ** 2 / (2 * np.asarray(step))).sum(axis=(-2, -1))
    for part in penalty.parts:
        if isinstance(part, L1):
            total = total + part.lam * np.abs(u).sum(axis=(-2, -1))
        elif isinstance(part, L2):
            total = total + part.lam * (u**2).sum(axis=(-2, -1))
        elif isinstance(part, GroupL1):
            total = total + part.lam * norms(u, part.by).sum(axis=-1)
        elif isinstance(part, NonNegative):
            total = np.where((u < 0).any(axis=(-2, -1)), np.inf, total)
        elif isinstance(part, MaxNorm):
            total = np.where((norms(u, "unit") > part.limit * (1 + 1e-12)).any(axis=-1), np.inf, total)
    return total


def grid(shape: tuple[int, ...], center: np.ndarray, reach: float, points: int) -> np.ndarray:
    axes = [middle + reach * np.linspace(-1, 1, points) for middle in center.ravel()]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, *shape)


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("shape", [(2, 1), (1, 2), (3, 1), (1, 3)], ids=str)
@pytest.mark.parametrize("name", PENALTIES)
def test_solution_beats_every_point_of_a_grid(name, shape, kind):
    penalty, random = PENALTIES[name], np.random.default_rng(len(name) + 10 * shape[0])
    points = 41 if max(shape) == 2 else 21
    for _ in range(3):
        w, step = random.uniform(-1.5, 1.5, shape), steps_of(kind, shape, random)
        u = penalty.prox(w, step)
        best = problem(penalty, u, w, step)
        candidates = grid(shape, np.zeros(shape), 1.6, points), grid(shape, u, 0.05, points)
        assert best <= np.concatenate([problem(penalty, points, w, step) for points in candidates]).min() * (1 + 1e-12)


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("shape", [(8, 3), (3, 8)], ids=str)
@pytest.mark.parametrize("name", PENALTIES)
def test_every_move_away_from_the_solution_is_uphill(name, shape, kind):
    penalty, random = PENALTIES[name], np.random.default_rng(len(name))
    w, step = random.standard_normal(shape), steps_of(kind, shape, random)
    u = penalty.prox(w, step)
    best = problem(penalty, u, w, step)
    assert np.isfinite(best)
    # Moves as wide as each coordinate's own scale, at all sizes; along with moves that keep the zeros, the signs and
    # the norms, so that enough of them respect the constraints.
    moves = random.standard_normal((4000, *shape)) * np.sqrt(step) * 10.0 ** random.uniform(-6, 0, (4000, 1, 1))
    inside = u + moves * (u != 0)
    limits = [part.limit for part in penalty.parts if isinstance(part, MaxNorm)]
    for limit in limits:
        inside = inside / np.maximum(norms(inside, "unit")[:, None, :] / limit, 1.0)
    shrunk = u * (1 - np.abs(moves[:, :1, :1]))
    values = problem(penalty, np.concatenate([u + moves, inside, shrunk]), w, step)
    assert np.isfinite(values).sum() > 4000
    assert values.min() >= best - 1e-10 * max(abs(best), 1.0)


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("by", ["input", "unit"])
@pytest.mark.parametrize("l1", [0.0, 0.1])
def test_group_lasso_meets_its_optimality_conditions(by, l1, kind):
    random, lam = np.random.default_rng(4), 0.3
    penalty = GroupL1(lam, by=by) + L1(l1)
    seen = {True: 0, False: 0}
    for scale in (1e-5, 0.01, 0.1, 1.0, 10.0):
        w = scale * random.standard_normal((40, 40))
        step = np.broadcast_to(steps_of(kind, w.shape, random), w.shape)
        u, thresholded = penalty.prox(w, step), np.sign(w) * np.maximum(np.abs(w) - l1 * step, 0)
        if by == "unit":
            w, step, u, thresholded = w.T, step.T, u.T, thresholded.T
        for group in range(40):
            is_zero = not u[group].any()
            seen[is_zero] += 1
            pull = np.linalg.norm(thresholded[group] / step[group])
            if is_zero:
                assert pull <= lam * (1 + 1e-12)
            else:
                assert pull > lam * (1 - 1e-12)
                slope = (u[group] - w[group]) / step[group] + lam * u[group] / np.linalg.norm(u[group])
                slope += l1 * np.sign(u[group])
                moved = u[group] != 0
                size = (np.abs(w[group]) / step[group])[moved]
                assert (np.abs(slope[moved]) <= 1e-10 * np.maximum(size, lam)).all()
                assert (np.abs(w[group])[~moved] <= l1 * step[group][~moved]).all()
    assert min(seen.values()) > 5


@pytest.mark.parametrize("kind", STEPS)
def test_max_norm_meets_its_optimality_conditions(kind):
    random, limit = np.random.default_rng(5), 2.0
    for scale in (0.1, 1.0, 100.0):
        w = scale * random.standard_normal((50, 40))
        step = np.broadcast_to(steps_of(kind, w.shape, random), w.shape)
        u = MaxNorm(limit).prox(w, step)
        reached = norms(w, "unit") > limit
        np.testing.assert_array_equal(u[:, ~reached], w[:, ~reached])
        np.testing.assert_allclose(norms(u, "unit")[reached], limit, rtol=1e-12)
        # One multiplier per unit: (w - u) / (step * u) is the same number for all its weights.
        multipliers = ((w - u) / (step * u))[:, reached]
        middle = np.median(multipliers, axis=0)
        assert (middle >= 0).all()
        # The weight is known to rounding only, so the multiplier is, too.
        noise = 1e-10 * (1 + np.abs(w / (step * u))[:, reached] / np.where(middle > 0, middle, 1))
        assert (np.abs(multipliers - middle) <= noise * middle).all()


@pytest.mark.parametrize("kind", STEPS[:2])
@pytest.mark.parametrize("name", ["max-norm", "non-negative max-norm", "L2 and max-norm", "all but groups"])
def test_constraints_agree_with_a_general_solver(name, kind):
    penalty, random = PENALTIES[name], np.random.default_rng(6)
    limit = next(part.limit for part in penalty.parts if isinstance(part, MaxNorm))
    l1 = sum(part.lam for part in penalty.parts if isinstance(part, L1))
    l2 = sum(part.lam for part in penalty.parts if isinstance(part, L2))
    bounds = [(0, None)] * 6 if any(isinstance(part, NonNegative) for part in penalty.parts) else None
    for _ in range(5):
        w = random.standard_normal((6, 1))
        step = np.broadcast_to(steps_of(kind, w.shape, random), w.shape)

        def smooth(u, w=w, step=step):  # with the bounds on, |u| is u
            return ((u - w[:, 0]) ** 2 / (2 * step[:, 0])).sum() + l2 * (u**2).sum() + l1 * u.sum()

        constraint = {"type": "ineq", "fun": lambda u: limit**2 - (u**2).sum()}
        settings = {"method": "SLSQP", "options": {"ftol": 1e-14, "maxiter": 1000}}
        found = minimize(smooth, np.full(6, 0.1), bounds=bounds, constraints=constraint, **settings)
        np.testing.assert_allclose(penalty.prox(w, step)[:, 0], found.x, atol=2e-5)


def test_fixed_number_of_newton_steps_suffices_for_steps_and_weights_of_any_spread():
    """Weights and step sizes over many orders of magnitude, each a power of the other: the slowest there is."""
    random, worst = np.random.default_rng(7), 0.0
    for size in (2, 5, 64):
        for _ in range(300):
            spread, power = random.uniform(0, 5), random.uniform(-3, 3)
            exponents = random.permutation(np.linspace(-1, 1, size)) * spread
            w = 10.0 ** exponents[:, None]
            step = 10.0 ** np.clip(power * exponents, -4, 4)[:, None] * 10.0 ** random.uniform(-3, 2)
            lam, limit = 10.0 ** random.uniform(-6, 4), 10.0 ** random.uniform(-6, 3)
            u = GroupL1(lam, by="unit").prox(w, step)
            if u.any():
                wanted = w / (1 + lam * step / np.linalg.norm(u))
                worst = max(worst, np.abs(u - wanted).max() / np.abs(u).max())
            norm = np.linalg.norm(MaxNorm(limit).prox(w, step))
            worst = max(worst, norm / limit - 1)
    assert worst < 1e-12


def test_what_should_be_zero_is_exactly_zero():
    assert L1(0.5).prox(np.array([0.5, -0.5, 0.49, 1e-300, 0.0]), 1.0).tolist() == [0.0] * 5
    weak, strong = np.array([[0.3, 0.39]]), np.array([[0.31, 0.4]])
    assert GroupL1(0.5).prox(weak, 1.0).tolist() == [[0.0, 0.0]]
    assert GroupL1(0.5).prox(strong, 1.0).all()
    assert NonNegative().prox(np.array([-1e-300, -0.0]), 1.0).tolist() == [0.0, 0.0]
    assert (L1(0.5) + GroupL1(0.1)).prox(np.array([[0.5, 3.0]]), 1.0)[0, 0] == 0.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PENALTIES)
def test_zero_tiny_and_single_weights_are_solved_too(name, dtype):
    penalty = PENALTIES[name]
    zero = np.zeros((2, 3), dtype=dtype)
    np.testing.assert_array_equal(penalty.prox(zero, np.full((2, 3), 0.5)), zero)
    tiny = np.full((2, 3), 1e-30, dtype=dtype)
    assert np.isfinite(penalty.prox(tiny, 0.5)).all()
    single = np.array([[0.9]], dtype=dtype)
    u = np.linspace(-1, 1, 4001)[:, None, None]
    best = u[problem(penalty, u, single, 0.5).argmin()].item()
    assert penalty.prox(single, 0.5).item() == pytest.approx(best, abs=6e-4)


@pytest.mark.parametrize("name", PENALTIES)
def test_step_of_zero_moves_nothing_but_what_breaks_a_constraint(name):
    penalty, w = PENALTIES[name], np.random.default_rng(8).uniform(0.05, 0.2, (3, 4))
    for step in (0.0, np.zeros((3, 4))):
        np.testing.assert_allclose(penalty.prox(w, step), w, rtol=1e-15)


@pytest.mark.parametrize("name", PENALTIES)
def test_float32_solves_the_same_problem(name):
    penalty, random = PENALTIES[name], np.random.default_rng(9)
    w = random.standard_normal((6, 4)).astype(np.float32)
    step = steps_of("very uneven", w.shape, random)
    wanted = penalty.prox(w.astype(np.float64), step)
    np.testing.assert_allclose(penalty.prox(w, step.astype(np.float32)), wanted, rtol=2e-4, atol=1e-6)
