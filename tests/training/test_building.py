"""Building: what network, loss, optimizer and average a recipe stands for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.plain import plain
from tests.training.test_recipe import OTHER, PARTNERS

from taut import (
    EMA,
    L1,
    L2,
    SWA,
    AdamW,
    CrossEntropy,
    Dense,
    Dropout,
    GroupL1,
    Huber,
    InverseTime,
    MaxNorm,
    NonNegative,
    Orthogonality,
    Recipe,
    Snapshots,
    TautError,
    WarmUp,
)
from taut.data.encoding import MOST_EMBEDDED
from taut.data.inputs import Inputs
from taut.network.kinds import ACTIVATIONS, INITIALIZERS, OPTIMIZERS, SCHEDULES
from taut.training.building import TASK_LOSSES


def dense(network) -> list[Dense]:
    return [layer for layer in network.layers if isinstance(layer, Dense)]


def penalties(network, name: str) -> list[tuple]:
    return [p.penalty.parts for layer in dense(network) for p in layer.parameters if p.name == name]


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS.keys() - {"softmax"}))
def test_every_activation_is_built_with_an_initializer_that_suits_it(activation):
    network, _, _ = plain(activation=activation, hidden_layer_sizes=(5, 4)).build(3, 2, "regression")
    assert [type(layer) for layer in network.layers[1::2]] == [ACTIVATIONS[activation]] * 2
    kinds = {"selu": "lecun_normal", "tanh": "glorot_normal", "sigmoid": "glorot_normal", "identity": "glorot_normal"}
    hidden = INITIALIZERS[kinds.get(activation, "he_normal")]
    assert [type(layer.initializer) for layer in dense(network)] == [hidden, hidden, INITIALIZERS["glorot_normal"]]


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_every_initializer_is_built_for_all_layers(initializer):
    network, _, _ = Recipe(initializer=initializer).build(3, 2, "regression")
    assert {type(layer.initializer) for layer in dense(network)} == {INITIALIZERS[initializer]}


@pytest.mark.parametrize("schedule", sorted(SCHEDULES.keys() - {"warm_up"}))
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_and_schedule_is_built(optimizer, schedule):
    own = {"momentum": 0.7, "learning_rate": 0.2}
    own |= {
        name: OTHER[name]
        for name, needed in PARTNERS.items()
        if needed.items() <= {"optimizer": optimizer, "schedule": schedule}.items()
    }
    made = Recipe(optimizer=optimizer, schedule=schedule, **own)
    built = made.build(3, 2, "regression")[2]
    assert type(built) is OPTIMIZERS[optimizer]
    assert type(built.schedule) is SCHEDULES[schedule]
    assert built.lr == 0.2
    if optimizer == "sgd":
        assert (built.momentum, built.nesterov) == (0.7, True)
    if optimizer == "adamw":
        assert built.weight_decay == Recipe().weight_decay
        assert replace(made, weight_decay=0.3).build_optimizer().weight_decay == 0.3
    if optimizer in ("adam", "adamw"):
        assert replace(made, beta_2=0.9).build_optimizer().beta_2 == 0.9
    if schedule == "inverse_time":
        assert built.schedule == InverseTime(OTHER["decay"], compounding=True)
    if schedule.startswith("cosine_"):
        assert Recipe(schedule=schedule, cycles=3).build_optimizer().schedule == SCHEDULES[schedule](3)
    warm = Recipe(optimizer=optimizer, schedule=schedule, warm_up=0.2, **own).build(3, 2, "regression")[2]
    assert warm.schedule == WarmUp(0.2, built.schedule)


@pytest.mark.parametrize(("loss", "task"), TASK_LOSSES.items())
def test_losses_are_for_their_task(loss, task):
    other = "regression" if task == "classification" else "classification"
    assert Recipe(loss=loss).build(3, 2, task)[1].metric_name == ("accuracy" if task == "classification" else "r2")
    with pytest.raises(TautError, match=f"loss '{loss}' is not for {other}"):
        Recipe(loss=loss).build(3, 2, other)
    with pytest.raises(TautError, match="task must be one of classification, regression; got 'ranking'"):
        Recipe().build(3, 2, "ranking")


def test_loss_takes_smoothing_and_class_weights():
    loss = Recipe(label_smoothing=0.1).build(3, 2, "classification", class_weight=(1.0, 3.0))[1]
    assert loss == CrossEntropy(0.1, (1.0, 3.0))
    assert Recipe(loss="huber").build(3, 2, "regression")[1] == Huber()


def test_one_number_reaches_every_layer_and_a_tuple_its_own():
    sizes = {"hidden_layer_sizes": (5, 4)}
    network, _, _ = Recipe(l1=0.1, l2=(0.2, 0.3, 0.4), bias_l1=(0.0, 0.5, 0.0), bias_l2=0.6, **sizes).build(
        3, 2, "regression"
    )
    assert penalties(network, "weights") == [(L1(0.1), L2(0.2)), (L1(0.1), L2(0.3)), (L1(0.1), L2(0.4))]
    assert penalties(network, "biases") == [(L2(0.6),), (L1(0.5), L2(0.6)), (L2(0.6),)]


def test_structured_penalties_reach_the_layers_they_are_for():
    recipe = Recipe(
        hidden_layer_sizes=(5, 4),
        l2=0.0,
        group_l1=0.1,
        group_l1_units=0.2,
        orthogonality=0.3,
        max_norm=0.4,
        non_negative=True,
    )
    network, _, _ = recipe.build(3, 2, "regression")
    units, rest = GroupL1(0.2, by="unit"), (Orthogonality(0.3), MaxNorm(0.4), NonNegative())
    assert penalties(network, "weights") == [(GroupL1(0.1), units, *rest), (units, *rest), (NonNegative(),)]
    assert penalties(network, "biases") == [(), (), ()]


def test_l1_is_applied_as_asked_for():
    network, _, _ = Recipe(l1=0.1, l2=0.0, l1_step="subgradient").build(3, 2, "regression")
    assert penalties(network, "weights") == [(L1(0.1, proximal=False),)] * 2


def test_dropout_follows_the_hidden_layers_and_precedes_the_first():
    network, _, _ = plain(hidden_layer_sizes=(5, 4, 3), dropout=(0.1, 0.0, 0.3), input_dropout=0.05).build(
        3, 2, "regression"
    )
    kinds = ["Dropout", "Dense", "ReLU", "Dropout", "Dense", "ReLU", "Dense", "ReLU", "Dropout", "Dense"]
    assert [type(layer).__name__ for layer in network.layers] == kinds
    dropouts = [layer for layer in network.layers if isinstance(layer, Dropout)]
    assert [layer.rate for layer in dropouts] == [0.05, 0.1, 0.3]
    assert {layer.schedule for layer in dropouts} == {"constant"}


def test_schedules_of_noise_and_decay_reach_all_dropout_and_the_optimizer_but_no_stream():
    recipe = Recipe(dropout=0.1, input_dropout=0.1, optimizer="adamw", weight_decay=0.1)
    faded = replace(recipe, dropout_schedule="flat_cosine", weight_decay_schedule="flat_cosine")
    for made, schedule in ((recipe, "constant"), (faded, "flat_cosine"), (faded.streaming(), "constant")):
        network, _, optimizer = made.build(3, 2, "regression")
        assert [layer.schedule for layer in network.layers if isinstance(layer, Dropout)] == [schedule] * 2
        assert optimizer.weight_decay_schedule == schedule


def test_dropconnect_is_of_the_hidden_layers():
    network, _, _ = Recipe(hidden_layer_sizes=(5, 4), dropconnect=(0.1, 0.3)).build(3, 2, "regression")
    assert [layer.dropconnect for layer in dense(network)] == [0.1, 0.3, 0.0]


def test_sharpness_reaches_every_optimizer():
    assert all(Recipe(optimizer=name, sam=0.1).build_optimizer().sam == 0.1 for name in OPTIMIZERS)


def test_early_stopping_watches_what_is_asked_for():
    assert Recipe().build_stopping(CrossEntropy()) is None
    for monitor, loss, column in (
        ("loss", CrossEntropy(), "validation_data_loss"),
        ("metric", CrossEntropy(), "validation_accuracy"),
        ("metric", Huber(), "validation_r2"),
    ):
        stopping = Recipe(early_stopping=True, patience=7, monitor=monitor).build_stopping(loss)
        assert (stopping.monitor, stopping.patience) == (column, 7)


@pytest.mark.parametrize(("normalization", "kind"), [("layer", "LayerNorm"), ("batch", "BatchNorm")])
def test_normalization_stands_between_hidden_layers_and_their_activation(normalization, kind):
    sizes = {"hidden_layer_sizes": (5, 4), "dropout": 0.2}
    network, _, _ = plain(normalization=normalization, **sizes).build(3, 2, "regression")
    hidden = ["Dense", kind, "ReLU", "Dropout"]
    assert [type(layer).__name__ for layer in network.layers] == [*hidden, *hidden, "Dense"]


def test_residual_layers_are_those_as_wide_as_the_one_before():
    sizes = {"hidden_layer_sizes": (3, 4, 4, 4, 5), "dropout": (0.0, 0.0, 0.1, 0.0, 0.0)}
    network, _, _ = plain(residual=True, normalization="layer", **sizes).build(3, 2, "regression")
    one = ["Dense", "LayerNorm", "ReLU"]
    kinds = [*one, *one, *one, "Dropout", "Shortcut", *one, "Shortcut", *one, "Dense"]
    assert [type(layer).__name__ for layer in network.layers] == kinds
    assert [layer.over for _, _, layer in network.shortcuts] == [4, 3]
    assert not Recipe(**sizes).build(4, 2, "regression")[0].shortcuts
    with pytest.raises(TautError, match="residual is for hidden layers, and hidden_layer_sizes names none"):
        Recipe(residual=True, hidden_layer_sizes=())


def test_noise_follows_the_dropout_of_inputs():
    network, _, _ = plain(input_noise=0.3, input_dropout=0.05).build(3, 2, "regression")
    assert [type(layer).__name__ for layer in network.layers] == ["Dropout", "GaussianNoise", "Dense", "ReLU", "Dense"]
    assert network.layers[1].standard_deviation == 0.3


def test_average_and_clipping_are_built_as_asked_for():
    assert Recipe().build_average() is None
    assert Recipe(ema=0.9).build_average() == EMA(0.9)
    assert Recipe(swa=0.5).build_average() == SWA(0.5)
    snapshots = Recipe(snapshots=2, schedule="cosine_restarts", cycles=3, warm_up=0.1)
    assert snapshots.build_average() == Snapshots(2, cycles=3, warm_up=0.1)
    assert snapshots.streaming().build_average() is None
    assert Recipe().build_optimizer().clip_norm is None
    assert all(Recipe(optimizer=name, clip_norm=0.7).build_optimizer().clip_norm == 0.7 for name in OPTIMIZERS)


def test_a_stream_is_not_averaged():
    for recipe in (Recipe(ema=0.9, mixup=0.2), Recipe(swa=0.5, mixup=0.2)):
        assert recipe.streaming().build_average() is None
        assert recipe.streaming().mixup == 0.2


def test_no_hidden_layers_make_a_linear_model():
    network, _, _ = plain(hidden_layer_sizes=()).build(3, 2, "regression")
    assert [type(layer) for layer in network.layers] == [Dense]


def test_columns_are_embedded_before_what_all_of_them_share():
    inputs = Inputs(numbers=2, binaries=1, categories=(3, 12), gaps=1)
    recipe = Recipe(embedding_width=2, category_width=4, input_scale=True, input_noise=0.1)
    network, _, _ = recipe.build(inputs, 2, "regression")
    noise, category, periodic, scale, *_ = network.layers
    kinds = ["GaussianNoise", "CategoryEmbedding", "PeriodicEmbedding", "Scale"]
    assert [type(layer).__name__ for layer in (noise, category, periodic, scale)] == kinds
    assert (category.first, category.levels, category.width) == (6, (12,), 4)  # three levels are one-hot
    assert (periodic.columns, periodic.width) == (2, 2)
    assert network.widths[:4] == (19, 11, 15, 15)
    assert not any(
        type(layer).__name__ in kinds[1:3]
        for layer in replace(recipe, group_l1=0.1).build(inputs, 2, "regression")[0].layers
    )
    many = recipe.build(Inputs(numbers=MOST_EMBEDDED + 1), 2, "regression")[0]
    assert "PeriodicEmbedding" not in [type(layer).__name__ for layer in many.layers]


def test_parametrization_is_a_matter_of_learning_rates():
    for parametrization, rates in (("standard", {1.0}), ("ntk", {0.1, 6.0, 3**-0.5, 15**-0.5, 4**-0.5})):
        recipe = Recipe(parametrization=parametrization, hidden_layer_sizes=(4,), embedding_width=4, input_scale=True)
        network, _, _ = recipe.build(3, 2, "regression")
        assert {parameter.lr_factor for parameter in network.parameters} <= rates
        assert dense(network)[0].weights.lr_factor == (15**-0.5 if parametrization == "ntk" else 1.0)


def test_type_and_seed_reach_the_network():
    first = Recipe(dtype="float32", seed=1).build(3, 2, "regression")[0]
    assert first.theta.dtype == np.float32
    assert (first.theta != Recipe(dtype="float32", seed=2).build(3, 2, "regression")[0].theta).any()


def test_a_network_too_large_for_any_memory_is_refused():
    with pytest.raises(TautError, match=r"a network of .* parameters is too large"):
        Recipe(hidden_layer_sizes=(10**12,)).build(3, 2, "regression")


def test_batches_grow_with_the_data_within_bounds():
    rows = [Recipe().batch_rows(n) for n in (1, 10, 100, 1000, 10_000, 100_000)]
    assert rows == sorted(rows)
    assert all(1 <= batch <= 512 for batch in rows)
    assert all(Recipe().batch_rows(n) <= n for n in range(1, 2000, 7))
    assert Recipe(batch_size="all").batch_rows(77) == 77
    assert Recipe(batch_size=32).batch_rows(10) == 10


def test_defaults_of_the_optimizer_stand_in_the_recipe_alone():
    usual = Recipe()
    assert usual.build(3, 2, "regression")[2] == AdamW(
        usual.learning_rate,
        schedule=SCHEDULES[usual.schedule](),
        beta_2=usual.beta_2,
        weight_decay=usual.weight_decay,
    )
