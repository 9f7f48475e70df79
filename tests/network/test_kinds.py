"""The tables of kinds: complete examples, specifications that come back, and hostile ones that are refused."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields

import numpy as np
import pytest
from tests.kinds import EXAMPLES, examples

from taut.errors import InvalidType, InvalidValue, TautError
from taut.network import L1, L2, Adam, Dense, Layer, MeanSquaredError, ReLU
from taut.network.kinds import (
    ACTIVATIONS,
    AVERAGES,
    INITIALIZERS,
    KINDS,
    LAYERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
    from_spec,
    resolve,
    to_spec,
)

TABLES = (LAYERS, ACTIVATIONS, LOSSES, PENALTIES, OPTIMIZERS, SCHEDULES, INITIALIZERS, AVERAGES)


def settings(kind: object) -> dict[str, object]:
    return {field.name: getattr(kind, field.name) for field in fields(kind) if field.init}


def test_every_kind_has_an_example():
    assert EXAMPLES.keys() == KINDS.keys()
    for name, factories in EXAMPLES.items():
        assert factories, f"{name} has no example"
        assert all(type(factory()) is KINDS[name] for factory in factories), name


def test_every_setting_is_exercised():
    for name, kind in KINDS.items():
        made = [factory() for factory in EXAMPLES[name]]
        for field in fields(kind):
            default = field.default if field.default_factory is MISSING else field.default_factory()
            if field.init and default is not MISSING:
                assert any(getattr(example, field.name) != default for example in made), f"{name}.{field.name}"


def test_names_and_kinds_are_one_to_one():
    assert sum(map(len, TABLES)) == len(KINDS) == len(set(KINDS.values()))


@pytest.mark.parametrize("factory", examples(*TABLES))
def test_specification_comes_back_through_json(factory):
    made = factory()
    spec = json.loads(json.dumps(to_spec(made), allow_nan=False))
    back = from_spec(spec)
    assert type(back) is type(made)
    assert settings(back) == settings(made)
    assert to_spec(back) == to_spec(made)


@pytest.mark.parametrize("factory", examples(*TABLES))
def test_representation_can_be_evaluated(factory):
    import taut.network

    made = factory()
    assert settings(eval(repr(made), vars(taut.network))) == settings(made)


def test_numbers_of_numpy_are_stored_as_plain_ones():
    spec = to_spec(Dense(np.int64(3), weight_penalty=L2(np.float32(0.5))))
    assert type(spec["units"]) is int
    assert type(spec["weight_penalty"]["lam"]) is float
    json.dumps(spec)


def test_a_layer_of_your_own_cannot_be_stored():
    class Mine(Layer):
        def forward(self, x, *, training, random):
            return x

        def backward(self, dy):
            return dy

    with pytest.raises(InvalidType, match="Mine is not in the tables of kinds"):
        to_spec(Mine())


NESTED = {"kind": "constant"}
for _ in range(2000):
    NESTED = {"kind": "warm_up", "then": NESTED}

HOSTILE = {
    "nothing": None,
    "a number": 5,
    "a list": [],
    "no kind": {},
    "kind is no text": {"kind": ["dense"]},
    "kind is unhashable": {"kind": {}},
    "unknown kind": {"kind": "convolution"},
    "a class path": {"kind": "os.system"},
    "unknown setting": {"kind": "l2", "lam": 1, "lambda": 2},
    "setting is no text": {"kind": "l2", "lam": 1, 3: 4},
    "hidden attribute": {"kind": "dense", "units": 3, "parameters": []},
    "dunder": {"kind": "l2", "lam": 1, "__class__": "x"},
    "missing setting": {"kind": "l2"},
    "wrong type": {"kind": "l2", "lam": "1"},
    "bool for a number": {"kind": "l2", "lam": True},
    "text for a flag": {"kind": "l1", "lam": 1, "proximal": "no"},
    "not finite": {"kind": "l2", "lam": float("inf")},
    "huge integer": {"kind": "l2", "lam": 10**400},
    "out of range": {"kind": "dropout", "rate": 1.0},
    "fractional units": {"kind": "dense", "units": 2.5},
    "no units": {"kind": "dense", "units": 0},
    "penalty of another family": {"kind": "dense", "units": 2, "weight_penalty": {"kind": "relu"}},
    "initializer of another family": {"kind": "dense", "units": 2, "initializer": {"kind": "relu"}},
    "initializer by name": {"kind": "dense", "units": 2, "bias_initializer": "zeros"},
    "schedule of another family": {"kind": "sgd", "schedule": {"kind": "l2", "lam": 1}},
    "schedule by name": {"kind": "adam", "schedule": "cosine"},
    "warm-up to another family": {"kind": "warm_up", "then": {"kind": "relu"}},
    "sum of numbers": {"kind": "sum", "penalties": [1, 2]},
    "sum of text": {"kind": "sum", "penalties": "ab"},
    "class weight as number": {"kind": "cross_entropy", "class_weight": 5},
    "class weight as text": {"kind": "cross_entropy", "class_weight": "balanced"},
    "class weight of texts": {"kind": "cross_entropy", "class_weight": ["a"]},
    "negative class weight": {"kind": "cross_entropy", "class_weight": [1, -1]},
    "decay and schedule": {"kind": "sgd", "decay": 0.1, "schedule": {"kind": "constant"}},
    "nesterov without momentum": {"kind": "sgd", "nesterov": True},
    "unknown group": {"kind": "group_l1", "lam": 1, "by": "row"},
    "nested too deep": NESTED,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_specification_is_refused_in_one_line(case):
    with pytest.raises(TautError) as caught:
        from_spec(HOSTILE[case])
    assert "\n" not in str(caught.value)
    assert 0 < len(str(caught.value)) < 300


def test_kind_of_another_family_is_refused():
    with pytest.raises(InvalidValue, match="'l2' is not a Layer"):
        from_spec({"kind": "l2", "lam": 1.0}, Layer)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: next(iter(table)))
def test_resolve_takes_names_and_instances_of_the_family_only(table):
    for name, kind in table.items():
        made = EXAMPLES[name][0]()
        assert resolve("it", made, table) is made
        if all(field.default is not MISSING or field.default_factory is not MISSING for field in fields(kind)):
            assert type(resolve("it", name, table)) is kind
    with pytest.raises(InvalidValue, match=r"it must be one of .*; got 'unheard of'"):
        resolve("it", "unheard of", table)
    for wrong in (None, 3, next(iter(table.values())), object()):
        with pytest.raises(InvalidType, match="it must be one of "):
            resolve("it", wrong, table)


def test_resolve_refuses_another_family():
    for wrong in (L1(1.0), ReLU(), Adam()):
        with pytest.raises(InvalidType, match="loss must be one of"):
            resolve("loss", wrong, LOSSES)
    assert resolve("loss", "mse", LOSSES) == MeanSquaredError()
