"""The network: one flat vector seen by every layer, what it prints, and layers that users write."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251 - copies of estimators and worker processes go this way; model files do not
import re

import numpy as np
import pytest
from tests.kinds import examples, placed

from taut import (
    L1,
    L2,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    GroupL1,
    Layer,
    MaxNorm,
    Network,
    NonNegative,
    PeriodicEmbedding,
    ReLU,
    Shortcut,
    SiLU,
    train,
)
from taut.errors import InvalidType, InvalidValue
from taut.network import HeNormal, Normal, Parameter, Sum, Zeros
from taut.network.kinds import ACTIVATIONS, LAYERS


def small(**settings) -> Network:
    return Network([Dense(4, L2(0.1)), ReLU(), Dropout(0.3), Dense(3)]).build(2, **settings)


def assert_views(network: Network) -> None:
    """Check that every parameter lies in the flat vectors, one after the other without gaps."""
    network.theta[:] = np.arange(network.theta.size)
    network.gradient[:] = -np.arange(network.theta.size)
    flat = np.concatenate([parameter.value.ravel() for parameter in network.parameters])
    np.testing.assert_array_equal(flat, np.arange(network.theta.size))
    for parameter, place in zip(network.parameters, network.places(), strict=True):
        assert parameter.value.shape == parameter.gradient.shape == parameter.shape
        parameter.value[...] = 7.0
        parameter.gradient[...] = 8.0
        assert (network.theta[place] == 7.0).all()
        assert (network.gradient[place] == 8.0).all()


def test_parameters_are_views_into_the_flat_vectors():
    network = small()
    assert network.theta.shape == network.gradient.shape == (2 * 4 + 4 + 4 * 3 + 3,)
    assert (network.n_inputs, network.n_outputs) == (2, 3)
    assert_views(network)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))], ids=["deepcopy", "pickle"])
def test_a_copy_has_views_into_vectors_of_its_own(copied):
    network = small(seed=4)
    x = np.ones((3, 2))
    network.predict(x)
    twin = copied(network)
    np.testing.assert_array_equal(twin.predict(x), network.predict(x))
    before = network.theta.copy()
    assert_views(twin)
    np.testing.assert_array_equal(network.theta, before)
    again = copied(Network([Dense(2)]))  # not built yet
    assert again.build(3).theta.size == 8


def test_a_copy_trains_as_the_original_does():
    random = np.random.default_rng(0)
    X, y = random.standard_normal((20, 2)), random.integers(3, size=20)
    network = small()
    twin = copy.deepcopy(network)
    for one in (network, twin):
        train(one, X, y, epochs=5, batch_size=8)
    np.testing.assert_array_equal(twin.theta, network.theta)
    np.testing.assert_array_equal(twin.parameters[0].value.ravel(), twin.theta[:8])


def test_first_weights_are_a_function_of_the_seed():
    np.testing.assert_array_equal(small(seed=3).theta, small(seed=3).theta)
    assert (small(seed=3).theta != small(seed=4).theta).any()
    np.testing.assert_array_equal(small(seed=3, dtype="float32").theta, small(seed=3).theta.astype(np.float32))


def test_each_parameter_is_drawn_from_a_stream_of_its_own():
    network = Network([Dense(3, initializer=Normal(1.0)), Dense(3, initializer=Normal(1.0))]).build(3)
    first, second = network.parameters[0].value, network.parameters[2].value
    assert (first != second).all()


def test_building_again_starts_afresh():
    network = small(seed=1)
    network.theta[:] = 0
    assert network.build(5, seed=1).theta.size == 5 * 4 + 4 + 4 * 3 + 3
    np.testing.assert_array_equal(network.build(2, seed=1).theta, small(seed=1).theta)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_network_is_built_with_the_state_of_another(dtype):
    def made() -> Network:
        return Network([Dense(5), BatchNorm(), ReLU(), Dense(3)])

    X = np.random.default_rng(0).normal(2.0, 3.0, size=(40, 4))
    trained = made().build(4, seed=1, dtype=dtype)
    train(trained, X, np.arange(40) % 3, epochs=2)
    state = trained.state.copy()
    twin = made().build(4, seed=2, dtype=dtype, state=state)
    assert twin.state.tobytes() == state.tobytes()  # parameters and statistics
    assert twin.predict(X).tobytes() == trained.predict(X).tobytes()
    twin.theta[:] = 0.0
    assert state.tobytes() == trained.state.tobytes()  # the caller's array is the caller's
    made_of_it = made().build(4, seed=1, dtype=dtype)
    assert made_of_it.state.tobytes() != state.tobytes()


@pytest.mark.parametrize("change", [-1, 1, 100])
def test_a_state_of_a_wrong_shape_is_refused(change):
    network = Network([Dense(5), BatchNorm(), ReLU(), Dense(3)])
    size = network.build(4).state.size
    with pytest.raises(InvalidValue, match=rf"state must have shape \({size},\), got \({size + change},\)"):
        network.build(4, state=np.zeros(size + change))


def test_predict_has_all_noise_off_and_casts_to_the_type_of_the_network():
    network = small(dtype="float32")
    x = np.random.default_rng(0).standard_normal((5, 2))
    outputs = network.predict(x)
    assert outputs.dtype == np.float32
    np.testing.assert_array_equal(outputs, network.predict(x))
    np.testing.assert_array_equal(network.predict(x.tolist()), outputs)


@pytest.mark.parametrize("factory", examples(LAYERS, ACTIVATIONS))
def test_specification_makes_the_same_network(factory):
    network = Network([Dense(4), *placed(factory())])
    back = Network.from_spec(network.to_spec()).build(3, seed=5)
    x = np.random.default_rng(0).standard_normal((6, 3))
    np.testing.assert_array_equal(back.predict(x), network.build(3, seed=5).predict(x))
    assert repr(back) == repr(network)
    assert back.penalties().tolist() == network.penalties().tolist()


def test_representation_is_a_table_of_layers_shapes_parameters_and_penalties():
    network = Network([Dense(4, L1(0.5) + L2(0.25), bias_penalty=L2(1.0)), ReLU(), Dropout(0.3), Dense(3)])
    assert repr(network).splitlines()[-1] == "not built: the number of inputs is inferred from the data"
    assert "?" in repr(network)
    network.build(2, dtype="float32")
    assert repr(network) == (
        "layer  kind          shape  parameters  penalty\n"
        "0      Dense         2 → 4          12  weights: L1(0.5) + L2(0.25), biases: L2(1.0)\n"
        "1      ReLU          4 → 4           0\n"
        "2      Dropout(0.3)  4 → 4           0\n"
        "3      Dense         4 → 3          15\n"
        "27 parameters, 2 inputs, float32"
    )


def test_shortcuts_add_what_the_layers_they_pass_over_were_given():
    network = Network([Dense(4), Dense(4), ReLU(), Shortcut(2), Shortcut(3), Shortcut(1), Dense(3)]).build(2)
    assert network.shortcuts == [(start, i, network.layers[i]) for start, i in ((1, 3), (1, 4), (4, 5))]
    assert re.search("^3 +Shortcut\\(2\\) +4 → 4 +0$", repr(network), re.MULTILINE)
    x = np.random.default_rng(0).standard_normal((5, 2))
    dense = [layer.weights.value for layer in network.layers if isinstance(layer, Dense)]  # biases are zero
    hidden = x @ dense[0]
    added = np.maximum(hidden @ dense[1], 0) + hidden
    np.testing.assert_allclose(network.predict(x), (2 * added + hidden) @ dense[2])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))], ids=["deepcopy", "pickle"])
def test_a_copy_has_shortcuts_of_its_own(copied):
    network = Network([Dense(4), ReLU(), Shortcut(1)]).build(2)
    x = np.random.default_rng(0).standard_normal((5, 2))
    twin = copied(network)
    outputs = network.predict(x)
    assert (twin.predict(2 * x) == 2 * outputs).all()
    assert twin.layers[2] is twin.shortcuts[0][2] is not network.layers[2]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Dense(4), Shortcut(2)], r"Shortcut\(over=2\) at layer 1 passes over more layers than stand before it"),
        ([Shortcut(1)], r"Shortcut\(over=1\) at layer 0 passes over more layers"),
        (
            [Dense(4), ReLU(), Shortcut(2)],
            r"Shortcut\(over=2\) at layer 2 would add 3 numbers to 4; the layers that it passes over must have as many",
        ),
    ],
)
def test_shortcuts_that_lead_nowhere_are_refused(layers, message):
    with pytest.raises(InvalidValue, match=message):
        Network(layers).build(3)


def test_representation_names_settings_of_penalties_only_where_they_are_unusual():
    penalties = [L1(0.5, proximal=False, at_zero=1.0), GroupL1(0.1), GroupL1(0.1, by="unit"), MaxNorm(), NonNegative()]
    network = Network([Dense(4, penalty) for penalty in penalties]).build(2)
    assert [line.partition("weights: ")[2] for line in repr(network).splitlines()[1:-1]] == [
        "L1(0.5, proximal=False, at_zero=1.0)",
        "GroupL1(0.1)",
        "GroupL1(0.1, by='unit')",
        "MaxNorm(3.0)",
        "NonNegative()",
    ]


def test_html_aligns_text_to_the_left_and_numbers_to_the_right():
    html = Network([Dense(4, L2(0.25)), ReLU()]).build(2)._repr_html_()
    assert html.startswith('<table border="1" class="dataframe">')
    left, right = "text-align: left;", "text-align: right;"
    assert re.findall(r'<t[hd] style="([^"]*)"', html) == [left, left, right, right, left] * 3


def test_html_holds_the_same_table_and_escapes_what_is_in_it():
    class Sneaky(Layer):
        def forward(self, x, *, training, random):
            return x

        def backward(self, dy):
            return dy

    Sneaky.__name__ = "<script>alert(1)</script>"
    html = Network([Dense(4, L2(0.25)), Sneaky()]).build(2)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "weights: L2(0.25)" in html
    assert "12 parameters, 2 inputs, float64" in html


class Scale(Layer):
    """A layer as a user writes one: each input times a learned factor."""

    def build(self, n_inputs: int) -> int:
        self.factor = Parameter("factor", (n_inputs,), Normal(1.0), Sum((L1(0.01),)))
        self.parameters = (self.factor,)
        return n_inputs

    def forward(self, x, *, training, random):
        self._x = x
        return x * self.factor.value

    def backward(self, dy):
        self.factor.gradient[...] = (dy * self._x).sum(axis=0)
        return dy * self.factor.value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_of_your_own_trains_with_its_penalty(dtype):
    random = np.random.default_rng(0)
    X = random.standard_normal((60, 6)).astype(dtype)
    y = X[:, 0] - 2 * X[:, 1]
    network = Network([Scale(), Dense(4), SiLU(), Dense(1)])
    history = train(network, X, y, loss="mse", optimizer=Adam(0.02), epochs=300, batch_size=20)
    assert network.theta.dtype == np.dtype(dtype)
    assert history["data_loss"][-1] < 0.05 < history["data_loss"][0]
    assert (network.parameters[0].value[2:] == 0).sum() >= 2  # inputs that carry nothing are switched off
    assert history["penalty_0"][-1] == pytest.approx(0.01 * np.abs(network.parameters[0].value).sum(), rel=0.01)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Network([]), InvalidValue, "a network needs at least one layer, got none"),
        (lambda: Network(None), InvalidType, "a network needs a list of layers, got None"),
        (lambda: Network([3]), InvalidType, r"layers must be instances such as Dense\(64\), got 3"),
        (lambda: Network([Dense]), InvalidType, r"layers must be instances such as Dense\(64\), got <class"),
        (lambda: Network([layer := ReLU(), Dense(2), layer]), InvalidValue, "the same layer object stands twice"),
        (lambda: Network([Dense(2)]).build(0), InvalidValue, "n_inputs must be an integer at least 1, got 0"),
        (lambda: Network([Dense(2)]).build(2.0), InvalidType, "n_inputs must be an integer"),
        (lambda: small(dtype="float16"), InvalidValue, "dtype must be one of float32, float64; got 'float16'"),
        (lambda: small(seed=-1), InvalidValue, "seed must be from 0"),
        (lambda: Network([Dense(2)]).predict([[1]]), InvalidValue, "the network has no parameters yet"),
        (lambda: small().predict([[1.0, 2.0, 3.0]]), InvalidValue, r"x must have shape \(samples, 2\), got \(1, 3\)"),
        (lambda: small().predict([1.0, 2.0]), InvalidValue, r"x must have shape \(samples, 2\), got \(2,\)"),
        (lambda: small().predict([["a", "b"]]), InvalidType, "x must be numbers"),
        (lambda: Dense(0), InvalidValue, "units must be an integer at least 1, got 0"),
        (lambda: Dense("4"), InvalidType, "units must be an integer"),
        (lambda: Dense(4, 0.1), InvalidType, r"weight_penalty must be a penalty such as L2\(1e-4\), got 0.1"),
        (lambda: Dense(4, bias_penalty="l2"), InvalidType, "bias_penalty must be a penalty"),
        (lambda: Dense(4, initializer=HeNormal), InvalidType, "initializer must be an initializer such as"),
        (lambda: Dense(4, bias_initializer="zeros"), InvalidType, "bias_initializer must be an initializer such as"),
        (lambda: Dropout(1.0), InvalidValue, "dropout rate must be a number at least 0 and below 1, got 1.0"),
        (lambda: Network.from_spec(5), InvalidType, "the layers of a network must be a list, got 5"),
        (lambda: Network.from_spec([{"kind": "l2", "lam": 1.0}]), InvalidValue, "'l2' is not a Layer"),
        (lambda: Network.from_spec([]), InvalidValue, "a network needs at least one layer"),
    ],
)
def test_unusable_arguments_are_refused_in_one_line(make, error, message):
    with pytest.raises(error, match=f"^{message}") as caught:
        make()
    assert "\n" not in str(caught.value)


def test_biases_may_start_anywhere():
    network = Network([Dense(500, bias_initializer=Normal(0.5))]).build(2)
    assert network.parameters[1].value.std() == pytest.approx(0.5, rel=0.15)
    assert isinstance(Dense(2).bias_initializer, Zeros)


def test_a_network_that_has_predicted_keeps_nothing_of_what_it_saw():
    network = Network([PeriodicEmbedding(2), Dense(4), ReLU(), Dense(3)]).build(3)
    network.predict(np.ones((50, 3)))
    assert not [name for layer in network.layers for name in vars(layer) if name.startswith("_")]
