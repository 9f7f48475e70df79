"""Optimizers and schedules: formulas, what they remember, and the step sizes that proximal steps measure in.

That a hundred steps equal PyTorch's is held in test_optimizers_against_pytorch.py.
"""

from __future__ import annotations

from dataclasses import replace
from math import cos, pi

import numpy as np
import pytest
from tests.kinds import examples

from taut.errors import InvalidType, InvalidValue
from taut.network import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Constant,
    Cosine,
    CosineLog,
    CosineRestarts,
    Exponential,
    InverseTime,
    RMSprop,
    WarmUp,
)
from taut.network.kinds import OPTIMIZERS, SCHEDULES
from taut.network.schedules import fade

STEPS = 40


def rates(schedule, lr=0.3, total=STEPS):
    """Return the rates of all steps, each handed the one before, as training does."""
    seen, previous = [], lr
    for step in range(total):
        previous = schedule.rate(lr, step, total, previous)
        seen.append(previous)
    return np.array(seen)


T = np.arange(STEPS)
FORMULAS = {
    "constant": (Constant(), np.full(STEPS, 0.3)),
    "inverse time": (InverseTime(0.02), 0.3 / (1 + 0.02 * T)),
    "compounding": (InverseTime(0.02, compounding=True), 0.3 / np.cumprod(1 + 0.02 * T)),
    "exponential": (Exponential(0.05), 0.3 * 0.05 ** (T / STEPS)),
    "cosine": (Cosine(0.1), 0.3 * (0.1 + 0.9 * 0.5 * (1 + np.cos(pi * T / STEPS)))),
    "cosine with restarts": (CosineRestarts(4), np.tile(0.3 * 0.5 * (1 + np.cos(pi * T[:10] / 10)), 4)),
    "cosine with restarts within a step": (CosineRestarts(3), 0.3 * 0.5 * (1 + np.cos(pi * (3 * T % STEPS) / STEPS))),
    "cosine of a logarithm": (CosineLog(4), 0.3 * 0.5 * (1 - np.cos(2 * pi * np.log2(1 + 15 * T / STEPS)))),
    "warm-up": (WarmUp(0.25), 0.3 * np.minimum((T + 1) / 10, 1)),
    "warm-up, then cosine": (
        WarmUp(0.25, Cosine()),
        [0.3 * (t + 1) / 10 if t < 10 else 0.3 * 0.5 * (1 + cos(pi * (t - 10) / 30)) for t in range(STEPS)],
    ),
    "warm-up, then compounding": (
        WarmUp(0.25, InverseTime(0.02, compounding=True)),
        np.concatenate([0.3 * T[1:11] / 10, 0.3 / np.cumprod(1 + 0.02 * np.arange(30))]),
    ),
    "no warm-up at all": (WarmUp(0.0, Exponential(0.5)), 0.3 * 0.5 ** (T / STEPS)),
    "nothing but warm-up": (WarmUp(1.0, Cosine()), 0.3 * (T + 1) / STEPS),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_schedule_follows_its_formula(name):
    schedule, wanted = FORMULAS[name]
    np.testing.assert_allclose(rates(schedule), wanted, rtol=1e-13)


def test_what_fades_is_whole_until_half_time_and_gone_at_the_end():
    shares = [fade("flat_cosine", step, STEPS) for step in range(STEPS + 5)]
    falling = 0.5 * (1 + np.cos(pi * (2 * np.arange(STEPS // 2, STEPS) / STEPS - 1)))
    np.testing.assert_allclose(shares, [*np.ones(STEPS // 2), *falling, *np.zeros(5)], atol=1e-15)
    assert {fade("constant", step, STEPS) for step in range(STEPS + 5)} == {1.0}


def test_weight_decay_fades_and_the_rest_of_the_rule_stays():
    rule = AdamW(0.1, weight_decay=0.5, beta_1=0.8, weight_decay_schedule="flat_cosine")
    for step in (0, 20, 30, 40):
        assert replace(rule.at(step, STEPS), weight_decay=0.5) == rule
        assert rule.at(step, STEPS).weight_decay == 0.5 * fade("flat_cosine", step, STEPS)
    assert AdamW(weight_decay=0.5).at(39, STEPS) == AdamW(weight_decay=0.5)


def test_cosines_stay_at_zero_beyond_the_planned_steps():
    assert CosineRestarts(3).rate(0.3, STEPS + 7, STEPS, 0.3) == CosineLog(3).rate(0.3, STEPS + 7, STEPS, 0.3) == 0.0


@pytest.mark.parametrize("factory", examples(SCHEDULES))
def test_rates_are_floats_at_least_zero_that_never_exceed_the_first_rate(factory):
    for total in (1, 2, 3, 100):
        seen = rates(factory(), total=total)
        assert (seen >= 0).all()
        assert (seen <= 0.3 * (1 + 1e-15)).all()


@pytest.mark.parametrize("factory", examples(SCHEDULES))
def test_schedule_goes_on_beyond_the_steps_planned(factory):
    assert 0 <= factory().rate(0.3, 150, 100, 0.1) <= 0.3


def test_decay_is_short_for_inverse_time():
    with_decay, with_schedule = Adam(0.1, decay=0.01), Adam(0.1, schedule=InverseTime(0.01))
    assert [with_decay.rate(t, 9, 0.1) for t in range(9)] == [with_schedule.rate(t, 9, 0.1) for t in range(9)]
    assert [Adam(0.1).rate(t, 9, 0.05) for t in range(9)] == [0.1] * 9


@pytest.mark.parametrize("factory", examples(OPTIMIZERS))
def test_rate_is_a_float_whatever_the_learning_rate_was_given_as(factory):
    kind = type(factory())
    for lr in (1, np.float32(0.5), np.float64(0.5)):
        assert type(kind(lr=lr).rate(0, 10, lr)) is float


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factory", examples(OPTIMIZERS))
def test_update_changes_parameters_and_memory_in_place_and_nothing_else(factory, dtype):
    optimizer = factory()
    theta, gradient = np.linspace(-1, 1, 7).astype(dtype), np.linspace(2, -3, 7).astype(dtype)
    memory, kept = optimizer.start(theta), gradient.copy()
    assert memory.keys() == set(optimizer.memory)
    arrays, before = {name: id(values) for name, values in memory.items()}, theta.copy()
    for step in range(3):
        sizes = optimizer.update(theta, gradient, memory, rate=0.1, step=step)
        assert np.ndim(sizes) == 0 or (sizes.dtype == np.dtype(dtype) and sizes.shape == theta.shape)
    assert {name: id(values) for name, values in memory.items()} == arrays
    assert all(values.dtype == np.dtype(dtype) for values in memory.values())
    assert theta.dtype == np.dtype(dtype)
    assert (np.sign(before - theta)[gradient != 0] == np.sign(gradient)[gradient != 0]).all()
    np.testing.assert_array_equal(gradient, kept)


@pytest.mark.parametrize("factory", examples(OPTIMIZERS))
def test_zero_gradients_give_finite_steps(factory):
    optimizer, theta = factory(), np.zeros(3)
    sizes = optimizer.update(theta, np.zeros(3), optimizer.start(theta), rate=0.1, step=0)
    assert np.isfinite(sizes).all()
    assert theta.tolist() == [0.0] * 3


# The step size of a coordinate is what a proximal step must measure in: the update without momentum is size * gradient.
GRADIENTS = np.random.default_rng(0).standard_normal((5, 4)) * [1e-3, 1.0, 10.0, 0.0]
SIZES = {
    "SGD": (SGD(momentum=0.9), lambda _: 0.1),
    "Nesterov": (SGD(momentum=0.9, nesterov=True), lambda _: 0.1),
    "Adagrad": (Adagrad(epsilon=1e-4), lambda seen: 0.1 / (np.sqrt((seen**2).sum(axis=0)) + 1e-4)),
    "RMSprop": (RMSprop(rho=0.8, epsilon=1e-4), lambda seen: 0.1 / (np.sqrt(moving_average(seen, 0.8)) + 1e-4)),
    "Adam": (Adam(beta_2=0.95, epsilon=1e-4), lambda seen: adam_size(seen)),
    "AdamW": (AdamW(beta_2=0.95, epsilon=1e-4), lambda seen: adam_size(seen)),
}


def moving_average(seen, keep):
    ages = np.arange(len(seen))[::-1, None]
    return ((1 - keep) * keep**ages * seen**2).sum(axis=0)


def adam_size(seen):
    return 0.1 / (np.sqrt(moving_average(seen, 0.95) / (1 - 0.95 ** len(seen))) + 1e-4)


@pytest.mark.parametrize("name", SIZES)
def test_step_sizes_are_rate_times_the_scaling_of_the_rule(name):
    optimizer, wanted = SIZES[name]
    theta = np.zeros(4)
    memory = optimizer.start(theta)
    for t, gradient in enumerate(GRADIENTS):
        sizes = optimizer.update(theta, gradient, memory, rate=0.1, step=t)
        reached = np.any(GRADIENTS[: t + 1], axis=0)
        np.testing.assert_allclose(sizes, np.where(reached, wanted(GRADIENTS[: t + 1]), 0.1), rtol=1e-12)


def test_first_steps_equal_step_size_times_gradient():
    for optimizer in (SGD(), Adagrad(), RMSprop(), Adam()):
        theta, gradient = np.zeros(3), np.array([1.0, -2.0, 0.5])
        sizes = optimizer.update(theta, gradient, optimizer.start(theta), rate=0.1, step=0)
        np.testing.assert_allclose(theta, -sizes * gradient, rtol=1e-12)


def test_decoupled_weight_decay_shrinks_by_the_rate_alone():
    theta = np.array([4.0, -2.0])
    AdamW(weight_decay=0.5).update(theta, np.zeros(2), AdamW().start(theta), rate=0.1, step=0)
    np.testing.assert_allclose(theta, [3.8, -1.9])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SGD(-1.0), InvalidValue, "lr must be a number at least 0, got -1.0"),
        (lambda: Adam("fast"), InvalidType, "lr must be a number at least 0, got 'fast'"),
        (lambda: Adam(decay=0.1, schedule=Constant()), InvalidValue, "give either decay or schedule, got decay=0.1"),
        (lambda: Adam(schedule="cosine"), InvalidType, r"schedule must be a schedule such as Cosine\(\), got 'cosine'"),
        (lambda: SGD(clip_norm=0), InvalidValue, "clip_norm must be a number above 0, got 0"),
        (lambda: Adam(clip_norm="1"), InvalidType, "clip_norm must be a number above 0, got '1'"),
        (lambda: SGD(momentum=1.0), InvalidValue, "momentum must be a number at least 0 and below 1, got 1.0"),
        (lambda: SGD(nesterov=True), InvalidValue, "nesterov needs momentum above 0"),
        (lambda: SGD(momentum=0.9, nesterov=1), InvalidType, "nesterov must be True or False, got 1"),
        (lambda: RMSprop(rho=1.5), InvalidValue, "rho must be"),
        (lambda: Adagrad(epsilon=0), InvalidValue, "epsilon must be a number above 0, got 0"),
        (lambda: Adam(beta_1=-0.1), InvalidValue, "beta_1 must be"),
        (lambda: Adam(beta_2=1), InvalidValue, "beta_2 must be"),
        (lambda: AdamW(weight_decay=-1), InvalidValue, "weight_decay must be"),
        (lambda: AdamW(weight_decay_schedule="cosine"), InvalidValue, "weight_decay_schedule must be one of"),
        (lambda: InverseTime(-1), InvalidValue, "decay must be"),
        (lambda: InverseTime(1, compounding="yes"), InvalidType, "compounding must be True or False, got 'yes'"),
        (lambda: Exponential(0), InvalidValue, "factor must be a number above 0 and at most 1, got 0"),
        (lambda: Cosine(2), InvalidValue, "final must be"),
        (lambda: CosineRestarts(0), InvalidValue, "cycles must be an integer at least 1, got 0"),
        (lambda: CosineLog(1.5), InvalidType, "cycles must be an integer at least 1 and at most 64, got 1.5"),
        (lambda: WarmUp(1.5), InvalidValue, "fraction must be"),
        (lambda: WarmUp(0.1, 0.2), InvalidType, "then must be a schedule such as"),
    ],
)
def test_unusable_settings_are_refused_in_one_line(make, error, message):
    with pytest.raises(error, match=f"^{message}") as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("optimizer", [Adagrad(0.1), RMSprop(0.1), Adam(0.1), AdamW(0.1, weight_decay=0.0)])
def test_a_coordinate_that_no_gradient_has_reached_has_the_plain_rate_as_step_size(optimizer):
    theta = np.array([1.0, 1.0])
    sizes = optimizer.update(theta, np.array([0.0, 2.0]), optimizer.start(theta), rate=0.1, step=0)
    assert theta[0] == 1.0
    assert sizes[0] == 0.1
    assert np.isfinite(sizes).all()
