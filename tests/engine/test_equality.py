"""Both engines do the same: every kind of the tables, every option, every shape, to 1e-9 after 200 updates."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.engine.pairs import PROBABILITIES, Case, assert_close, assert_engines_agree, assert_equal_runs, noisy
from tests.kinds import EXAMPLES, examples, placed

from taut import (
    EMA,
    GELU,
    L1,
    L2,
    SGD,
    SWA,
    Adam,
    Augmentation,
    BatchNorm,
    Cosine,
    CrossEntropy,
    Dense,
    Dropout,
    EarlyStopping,
    GaussianNoise,
    GroupL1,
    InvalidValue,
    LayerNorm,
    LeakyReLU,
    MaxNorm,
    Network,
    NonNegative,
    Orthogonality,
    ReLU,
    Shortcut,
    Sigmoid,
    Softmax,
    Tanh,
    WarmUp,
)
from taut.engine.kinds import unsupported
from taut.network.embeddings import PeriodicEmbedding, Scale
from taut.network.kinds import ACTIVATIONS, AVERAGES, LAYERS, LOSSES, OPTIMIZERS, PENALTIES, SCHEDULES

# Kinds of the tables that the engine does not know, and why. A kind that stands neither here nor in the engine fails.
NOT_COMPILED: dict[str, str] = {}


def network_with(kind) -> Network:
    """Return a network with a kind in the place where it belongs."""
    family = type(kind)
    if family in PENALTIES.values():
        return Network([Dense(4, kind, kind if may_stand_on_biases(kind) else None), Dropout(0.2), Dense(3)])
    if family in LAYERS.values() or family in ACTIVATIONS.values():
        return noisy(*placed(kind))
    return noisy()


def may_stand_on_biases(penalty) -> bool:
    return not any(isinstance(part, Orthogonality) for part in penalty.parts)


def of(table, kind, default):
    return kind if type(kind) in table.values() else default


@pytest.mark.parametrize("factory", examples(LAYERS, ACTIVATIONS, LOSSES, PENALTIES, OPTIMIZERS, SCHEDULES, AVERAGES))
def test_every_kind_is_in_the_engine_or_said_not_to_be(factory):
    kind = factory()
    optimizer = of(OPTIMIZERS, kind, Adam(schedule=of(SCHEDULES, kind, None)))
    network = network_with(kind).build(5)
    unknown = unsupported(network, of(LOSSES, kind, CrossEntropy()), optimizer, of(AVERAGES, kind, None))
    name = next(name for name, factories in EXAMPLES.items() if factory in factories)
    if name in NOT_COMPILED:
        assert NOT_COMPILED[name]
        assert unknown == type(kind).__name__
    else:
        assert unknown is None, f"{name}: put it into the engine, or say in NOT_COMPILED why not"


def compiled_examples(*tables):
    return [example for example in examples(*tables) if example.id.partition("-")[0] not in NOT_COMPILED]


# ------------------------------------------------------------------------------------------------- kinds of the tables


@pytest.mark.parametrize("factory", compiled_examples(LAYERS, ACTIVATIONS))
def test_layers(factory):
    assert_engines_agree(Case(lambda: noisy(*placed(factory())), made={"optimizer": lambda: Adam(0.01)}))


@pytest.mark.parametrize("factory", compiled_examples(LAYERS, ACTIVATIONS))
def test_layers_between_others_and_at_both_ends(factory):
    def make():
        first, second, third, last = (placed(factory()) for _ in range(4))
        return Network([*first, Dense(6), *second, ReLU(), *third, Dropout(0.1), Dense(3), *last])

    assert_engines_agree(
        Case(make, loss="mse", outputs=make().build(5).n_outputs, made={"optimizer": lambda: SGD(0.01)})
    )


@pytest.mark.parametrize("factory", compiled_examples(LOSSES))
def test_losses(factory):
    last = PROBABILITIES.get(type(factory()).__name__)

    def make():
        return Network([*noisy().layers, *([ACTIVATIONS[last]()] if last else [])])

    for weights in (None, np.linspace(0.0, 3.0, 203)):
        assert_engines_agree(Case(make, loss=factory(), settings={"sample_weight": weights}))


@pytest.mark.parametrize("factory", compiled_examples(LOSSES))
def test_losses_of_outputs_far_from_the_targets(factory):
    last = PROBABILITIES.get(type(factory()).__name__)

    def make():
        network = Network([Dropout(0.1), Dense(3), *([ACTIVATIONS[last]()] if last else [])]).build(5, seed=3)
        network.theta[:15] *= 60
        return network

    case = Case(make, loss=factory(), made={"optimizer": lambda: SGD(0.001)})
    assert_equal_runs(case.run("compiled"), case.run("numpy"))


@pytest.mark.parametrize("factory", compiled_examples(OPTIMIZERS))
def test_optimizers(factory):
    assert_engines_agree(Case(made={"optimizer": factory}))


@pytest.mark.parametrize("factory", compiled_examples(OPTIMIZERS))
def test_optimizers_with_penalties_of_every_sort(factory):
    def make():
        first = Dense(12, L1(1e-3) + L2(1e-3) + GroupL1(2e-3), L1(1e-3, proximal=False, at_zero=1.0))
        second = Dense(9, MaxNorm(1.0) + L1(1e-3, proximal=False), NonNegative() + L2(1e-3))
        return Network([first, ReLU(), Dropout(0.2), second, Tanh(), Dense(3, Orthogonality(1e-3), L1(1e-2))])

    assert_engines_agree(Case(make, made={"optimizer": factory}))


@pytest.mark.parametrize("factory", compiled_examples(SCHEDULES))
def test_schedules(factory):
    assert_engines_agree(Case(made={"optimizer": lambda: SGD(0.05, momentum=0.9, schedule=factory())}))


def test_schedules_in_one_another():
    nested = WarmUp(0.1, WarmUp(0.3, Cosine(0.2)))
    assert_engines_agree(Case(made={"optimizer": lambda: Adam(0.02, schedule=nested)}))


def is_smooth_group(penalty) -> bool:
    return any(isinstance(part, GroupL1) and not part.proximal for part in penalty.parts)


@pytest.mark.parametrize("optimizer", [Adam, SGD])
@pytest.mark.parametrize("factory", compiled_examples(PENALTIES))
def test_penalties(factory, optimizer):
    penalty = factory()
    rate = 0.01 if optimizer is Adam else 0.05
    if is_smooth_group(penalty):
        # Where a group's norm reaches zero, its gradient jumps from one unit vector to another, and runs that differ in
        # the last digit part within a few epochs, whoever makes them. At these rates no group gets there.
        rate = 0.001

    def make():
        on_biases = penalty if may_stand_on_biases(penalty) else None
        layers = [Dense(20, penalty), ReLU(), Dense(4, penalty, on_biases), Tanh(), Dropout(0.2), Dense(30, penalty)]
        return Network([*layers, Dense(3)])  # wider than tall and taller than wide

    network, _ = assert_engines_agree(Case(make, made={"optimizer": lambda: optimizer(rate)}))
    if is_smooth_group(penalty):
        norms = [np.linalg.norm(parameter.value, axis=0) for parameter in network.parameters if parameter.penalty.parts]
        assert np.concatenate([np.atleast_1d(norm) for norm in norms if np.ndim(norm)]).min() > 1e-3


@pytest.mark.parametrize("make", [lambda: noisy(BatchNorm(), ReLU()), lambda: noisy(ReLU())], ids=["norm", "plain"])
@pytest.mark.parametrize("factory", compiled_examples(AVERAGES))
def test_averages(factory, make):
    assert_engines_agree(Case(make, settings={"average": factory(), "epochs": 17}))


# ----------------------------------------------------------------------------------------------------- options of a run

WEIGHTS = np.random.default_rng(5).random(203) * (np.arange(203) % 5 > 0)
OPTIONS = {
    "mixup": Case(settings={"mixup": 0.4}),
    "mixup of one-hot targets": Case(settings={"mixup": 0.4}, one_hot=True),
    "mixup of numbers": Case(loss="mse", settings={"mixup": 0.4}),
    "mixup with weights": Case(settings={"mixup": 1.0, "sample_weight": WEIGHTS}),
    "mixup with smoothing": Case(loss=CrossEntropy(0.1, (0.5, 1.0, 2.0)), settings={"mixup": 0.2}),
    "cutmix": Case(settings={"cutmix": 0.4}),
    "cutmix of numbers with weights": Case(loss="mse", settings={"cutmix": 1.0, "sample_weight": WEIGHTS}),
    "cutmix of many columns": Case(inputs=4100, rows=30, settings={"cutmix": 1.0, "epochs": 25}),
    "cutmix full batch larger than a tile": Case(rows=300, settings={"batch_size": None, "epochs": 50, "cutmix": 0.6}),
    "sharpness with all that is drawn": Case(
        lambda: Network(
            [GaussianNoise(0.1), Dense(9, L1(1e-3), dropconnect=0.3), BatchNorm(), ReLU(), *noisy().layers]
        ),
        settings={"mixup": 0.4},
        made={"optimizer": lambda: SGD(0.05, momentum=0.9, sam=0.2, clip_norm=1.0)},
    ),
    "sharpness of batches larger than a tile": Case(
        rows=300, settings={"batch_size": None, "epochs": 50}, made={"optimizer": lambda: Adam(0.01, sam=0.1)}
    ),
    "dropped connections of many shapes": Case(
        lambda: Network(
            [
                Dense(33, dropconnect=0.2),
                ReLU(),
                Dense(3, dropconnect=0.3),
                Tanh(),
                Dense(17, GroupL1(1e-3), dropconnect=0.5),
                ReLU(),
                Dense(3, dropconnect=0.1),
            ]
        ),
        inputs=20,
    ),
    "dropped connections of a full batch": Case(
        lambda: Network([Dense(16, dropconnect=0.5), ReLU(), Dense(3)]),
        rows=300,
        settings={"batch_size": None, "epochs": 50},
    ),
    "mixup full batch": Case(settings={"mixup": 0.2, "batch_size": None, "epochs": 200}),
    "one-hot targets": Case(one_hot=True, loss=CrossEntropy(label_smoothing=0.1)),
    "clipping": Case(made={"optimizer": lambda: Adam(0.01, clip_norm=0.1)}),
    "clipping with penalties": Case(
        lambda: Network([Dense(9, L1(1e-3) + L2(1e-2)), ReLU(), Dropout(0.2), Dense(3, L2(1e-2))]),
        made={"optimizer": lambda: SGD(0.05, momentum=0.9, clip_norm=0.05)},
    ),
    "sample weights": Case(settings={"sample_weight": WEIGHTS}),
    "sample weights of numbers": Case(loss="huber", settings={"sample_weight": WEIGHTS}),
    "few rows with a weight": Case(settings={"sample_weight": (np.arange(203) < 5).astype(float)}),
    "class weights": Case(loss=CrossEntropy(class_weight=(0.0, 1.0, 3.0))),
    "sample and class weights": Case(
        loss=CrossEntropy(class_weight=(0.5, 1.0, 3.0)), settings={"sample_weight": WEIGHTS}
    ),
    "augmentation": Case(inputs=16, settings={"augment": Augmentation(shape=(4, 4), shift=1, noise=0.1).apply}),
    "augmentation and mixup": Case(
        settings={"augment": lambda x, _rows, random: x + random.normal(x.shape), "mixup": 0.3}
    ),
    "no validation": Case(settings={"validation": None}),
    "no evaluation": Case(settings={"evaluate_training": False}),
    "neither": Case(settings={"evaluate_training": False, "validation": None}),
    "full batch": Case(settings={"batch_size": None, "epochs": 200}),
    "batches larger than the data": Case(settings={"batch_size": 1000, "epochs": 200}),
    "batches of one": Case(rows=21, settings={"batch_size": 1}),
    "batches larger than a tile": Case(rows=1100, settings={"batch_size": 500, "epochs": 70}),
    "full batch larger than a tile": Case(rows=1100, settings={"batch_size": None, "epochs": 200, "mixup": 0.3}),
    "batches larger than a tile with batch norm": Case(
        lambda: noisy(BatchNorm(), ReLU()), rows=1100, settings={"batch_size": 500, "epochs": 70}
    ),
    "small last batch with batch norm": Case(lambda: noisy(BatchNorm(), ReLU()), rows=33),
    "average of mixed rows": Case(settings={"average": EMA(0.95), "mixup": 0.4}),
    "large seed": Case(settings={"seed": 2**64 - 3, "mixup": 0.4}),
    "seed above the signed numbers": Case(settings={"seed": 2**63}),
    "targets far from zero": Case(
        loss="mse", settings={"sample_weight": WEIGHTS}, made={"optimizer": lambda: Adam(0.05)}
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name):
    case = OPTIONS[name]
    updates = case.run("compiled")[1].state.step
    assert_engines_agree(case, updates=min(updates, 48))


@pytest.mark.parametrize(
    "monitor", ["validation_data_loss", "validation_accuracy", "data_loss", "validation_loss", "loss", "accuracy"]
)
@pytest.mark.parametrize("average", [None, SWA(1.0)], ids=str)
def test_early_stopping(monitor, average):
    case = Case(
        lambda: noisy(BatchNorm(), ReLU()),
        settings={"epochs": 60, "average": average},
        made={
            "callbacks": lambda: [EarlyStopping(patience=3, min_delta=1e-3, monitor=monitor)],
            "optimizer": lambda: Adam(0.03),
        },
    )
    _, history = assert_engines_agree(case, updates=40)
    assert history.best_epoch is not None
    if monitor.startswith("validation") and average is None:
        assert history.stopped == "early stopping"


@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping_of_regression_by_two_at_once(restore):
    case = Case(
        loss="mse",
        settings={"epochs": 80},
        made={
            "callbacks": lambda: [
                EarlyStopping(patience=4, monitor="validation_r2", restore_best=restore),
                EarlyStopping(patience=50, monitor="validation_loss", restore_best=False),
            ],
            "optimizer": lambda: Adam(0.05),
        },
    )
    assert_engines_agree(case, updates=40)


# --------------------------------------------------------------------------------------------------------------- shapes

WIDTHS = [1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33, 100]


@pytest.mark.parametrize("units", WIDTHS)
def test_widths(units):
    """As many units as fill a part of a vector, a vector, or several and a bit."""

    def make():
        middle = Dense(units, L2(1e-3) + L1(1e-3))
        return Network([Dense(units), LeakyReLU(), Dropout(0.2), middle, ReLU(), Dense(7), Tanh(), Dense(3)])

    assert_engines_agree(Case(make, inputs=units))


@pytest.mark.parametrize("units", WIDTHS[2:])
def test_widths_with_sums_along_rows(units):
    """Normalization and softmax add up rows, in which padding must not count.

    Two normalized units are a step function of their difference, on which every error grows: three are not.
    """

    def make():
        layers = [Dense(units), LayerNorm(), GELU(), Dense(units), Softmax(), Dropout(0.2), Dense(units), BatchNorm()]
        return Network([*layers, Sigmoid(), Dense(3)])

    assert_engines_agree(Case(make, inputs=3, made={"optimizer": lambda: SGD(0.05)}))


@pytest.mark.parametrize("inputs", [1, 3, 5, 17, 33, 100])
@pytest.mark.parametrize("outputs", [1, 2, 6, 20])
def test_inputs_and_outputs(inputs, outputs):
    for loss in ("mse", "binary_cross_entropy", *(["cross_entropy"] if outputs > 1 else [])):
        case = Case(lambda: noisy(outputs=outputs, units=6), loss=loss, inputs=inputs, outputs=outputs)
        assert_engines_agree(case)


NETWORKS = {
    "deep": lambda: Network([*(layer for _ in range(9) for layer in (Dense(8), Tanh(), Dropout(0.05))), Dense(3)]),
    "noise and dropout of inputs": lambda: Network([GaussianNoise(0.1), Dropout(0.2), Dense(20), ReLU(), Dense(3)]),
    "dropout, then noise, twice": lambda: Network(
        [Dropout(0.2), GaussianNoise(0.1), Dense(7), GaussianNoise(0.2), Dropout(0.3), Dropout(0.1), Tanh(), Dense(3)]
    ),
    "no hidden layer": lambda: Network([Dense(3)]),
    "no hidden layer, noisy": lambda: Network([Dropout(0.3), Dense(3)]),
    "dense upon dense": lambda: Network([Dense(20), Dense(3), Dense(17), Dropout(0.1), Dense(3)]),
    "rectifiers side by side": lambda: Network([Dense(9), ReLU(), ReLU(), Dropout(0.1), ReLU(), Dense(3), ReLU()]),
    "rectified chain": lambda: Network([Dense(9), ReLU(), Dense(20), ReLU(), Dense(6), ReLU(), Dense(3)]),
    "rectified, then narrow": lambda: Network([Dense(33), ReLU(), Dense(3), ReLU(), Dense(17), ReLU(), Dense(3)]),
    "activation first": lambda: Network([Tanh(), ReLU(), Dense(9), Dropout(0.1), Dense(3)]),
    "normalization first": lambda: Network([BatchNorm(), LayerNorm(), Dropout(0.2), Dense(3)]),
    "normalizations last": lambda: Network([Dense(3), LayerNorm(), BatchNorm()]),
    "embedded": lambda: Network(
        [Dropout(0.1), Scale(), PeriodicEmbedding(4, frequencies=33, rectified=True), Dense(20), ReLU(), Dense(3)]
    ),
    "residual": lambda: Network(
        [Dense(20), ReLU(), *(x for _ in range(3) for x in (Dense(20), ReLU(), Dropout(0.1), Shortcut(3))), Dense(3)]
    ),
    "residual, normalized first": lambda: Network(
        [
            Dense(20),
            *(
                layer
                for _ in range(2)
                for layer in (BatchNorm(), Dense(33), ReLU(), Dropout(0.1), Dense(20), Dropout(0.1), Shortcut(6))
            ),
            LayerNorm(),
            ReLU(),
            Dense(3),
        ]
    ),
    "shortcuts over activations that work in place": lambda: Network(
        [Dense(9), Tanh(), Shortcut(1), ReLU(), Shortcut(2), Sigmoid(), Dense(9), ReLU(), Shortcut(2), Tanh(), Dense(3)]
    ),
    "shortcuts within one another, to both ends": lambda: Network(
        [
            GaussianNoise(0.1),
            Dropout(0.1),
            Dense(5),
            ReLU(),
            Dense(5),
            Shortcut(2),
            Shortcut(3),
            Tanh(),
            Shortcut(6),
            Shortcut(9),
            Dense(3),
            Tanh(),
            Shortcut(1),
        ]
    ),
    "shortcuts before all parameters": lambda: Network(
        [Tanh(), Shortcut(1), Dropout(0.1), Shortcut(3), Dense(9), Dense(9), Shortcut(1), ReLU(), Dense(3)]
    ),
    "shortcuts of narrow rows": lambda: Network(
        [Dense(3), Scale(), Dense(3), ReLU(), Dropout(0.1), Shortcut(4), Dense(3), Shortcut(1)]
    ),
    "one unit": lambda: Network([Dense(1), Tanh(), Dropout(0.2), Dense(3)]),
    "wide": lambda: Network([Dense(100), ReLU(), Dropout(0.1), Dense(300), ReLU(), Dense(3)]),
    "recipe with batch norm": lambda: Network(
        [Dense(16), BatchNorm(), ReLU(), Dropout(0.1), Dense(16), BatchNorm(), ReLU(), Dropout(0.1), Dense(3)]
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    assert_engines_agree(Case(NETWORKS[name]))


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 9])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_fewer_rows_than_lanes(rows, loss):
    normalized = lambda: Network([BatchNorm(), Dense(9), LayerNorm(), ReLU(), Dropout(0.2), Dense(3)])  # noqa: E731
    for make in (lambda: noisy(), normalized):
        for batch_size in (None, 2):
            settings = {"batch_size": batch_size, "epochs": 200}
            case = Case(make, loss=loss, rows=rows, settings=settings, made={"optimizer": lambda: SGD(0.02)})
            assert_engines_agree(case)


def test_a_table_of_many_columns():
    make = lambda: Network([Dense(64, GroupL1(1e-3)), ReLU(), Dropout(0.2), Dense(3)])  # noqa: E731
    assert_engines_agree(Case(make, inputs=1000, rows=60, settings={"epochs": 50}))


# ------------------------------------------------------------------------------------------------------------- float32


@pytest.mark.parametrize(
    "make",
    [
        lambda: noisy(Tanh(), units=33),
        lambda: noisy(BatchNorm(), ReLU()),
        lambda: noisy(LayerNorm(), GELU()),
        lambda: Network(
            [Dense(20, L1(1e-3) + L2(1e-3)), ReLU(), Dropout(0.2), Dense(5, MaxNorm(1.0)), ReLU(), Dense(3)]
        ),
    ],
    ids=["tanh", "batch_norm", "layer_norm", "penalties"],
)
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_float32_follows_the_curve_of_float64(make, loss):
    # Biases before batch normalization have no gradient but rounding noise, of which Adam makes steps of full length.
    optimizer = SGD(0.05) if any(type(layer) is BatchNorm for layer in make().layers) else Adam()
    case = Case(make, loss=loss, settings={"epochs": 50, "batch_size": None, "optimizer": optimizer})
    network, history = dataclasses.replace(case, dtype="float32").run("compiled")
    _, expected = case.run("numpy")
    assert network.theta.dtype == np.float32
    assert {values.dtype for values in history.state.memory.values()} <= {np.dtype(np.float32)}
    for name in ("loss", "data_loss", "evaluation_data_loss", "validation_data_loss"):
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_float32_is_that_of_the_reference(name):
    case = Case(NETWORKS[name], dtype="float32", settings={"epochs": 4, "optimizer": SGD(0.05)})
    (network, history), (expected_network, expected) = case.run("compiled"), case.run("numpy")
    assert_close(network.state, expected_network.state, "state", 1e-4)
    assert_close(history["loss"], expected["loss"], "loss", 1e-5)


# --------------------------------------------------------------------------------------------------- what is not there


@pytest.mark.parametrize("part", ["layer", "loss", "optimizer", "schedule", "penalty", "average"])
def test_a_kind_of_ones_own_is_named(part):
    base = {
        "layer": Tanh,
        "loss": CrossEntropy,
        "optimizer": Adam,
        "schedule": Cosine,
        "penalty": L2,
        "average": EMA,
    }[part]
    own = type("Own", (base,), {})
    kind = own(0.1) if part == "penalty" else own()
    network = Network([Dense(4, kind if part == "penalty" else None), kind if part == "layer" else Tanh(), Dense(3)])
    schedule = WarmUp(0.1, kind) if part == "schedule" else None
    case = Case(
        lambda: network,
        loss=kind if part == "loss" else "cross_entropy",
        settings={
            "optimizer": kind if part == "optimizer" else Adam(schedule=schedule),
            "average": kind if part == "average" else None,
        },
    )
    with pytest.raises(InvalidValue, match=r'^Own is not in the compiled engine; use engine="auto" or "numpy"$'):
        case.run("compiled")
