"""Mixup and CutMix: who is mixed with whom and how much, and that everything of a row is mixed alike."""

from __future__ import annotations

import numpy as np
import pytest
from tests.training.problems import classes, columns, network, numbers, plain

from taut import EMA, SGD, SWA, Adam, CrossEntropy, Dense, Network, TautError, train
from taut.network.kinds import ACTIVATIONS, LOSSES
from taut.random import Purpose, Random
from taut.training import Callback
from taut.training.mixing import Mixing, partners, shares
from taut.training.objective import Objective

PLACE = Random(3, epoch=2, row=64)


# ------------------------------------------------------------------------------------------------------ what is drawn


def test_words_are_those_of_the_rows_place_in_the_epoch():
    words = [Random(3, Purpose.MIXUP, item=item, epoch=2).bits(10, 64) for item in (0, 1)]
    assert partners(10, PLACE).tolist() == [int(word) * 10 >> 32 for word in words[0]]
    # Of Beta(1, 1), which is uniform, each quantile is its own argument.
    np.testing.assert_allclose(shares(10, 1.0, PLACE), words[1] / 2**32, rtol=1e-9)
    assert partners(10, PLACE.at(epoch=3)).tolist() != partners(10, PLACE).tolist()


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_partners_are_rows_of_the_batch_and_all_equally_likely(count):
    drawn = np.concatenate([partners(count, Random(1, epoch=epoch)) for epoch in range(6400 // count)])
    hits = np.bincount(drawn, minlength=count)
    assert len(hits) == count
    np.testing.assert_allclose(hits / len(drawn), 1 / count, atol=4 * np.sqrt(1 / count / 6400))


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.4, 1.0, 3.0, 8.0])
def test_shares_are_beta_distributed(alpha):
    from scipy.stats import beta, kstest

    drawn = shares(20_000, alpha, PLACE)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.var() == pytest.approx(0.25 / (2 * alpha + 1), rel=0.05)
    if alpha >= 0.2:  # below, a share is 1 to the last bit more often than it should, which matters to this test alone
        assert kstest(drawn, beta(alpha, alpha).cdf).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [1e-4, 1e-3, 1e4, 1e9])
def test_extreme_shares_are_finite(alpha):
    drawn = shares(5000, alpha, PLACE)
    assert np.isfinite(drawn).all()
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_shares_are_linear_between_the_quantiles_of_a_table():
    from scipy.special import betaincinv

    word = int(Random(3, Purpose.MIXUP, item=1, epoch=2).bits(1, 64)[0])
    k, between = divmod(word, 2**22)
    low, high = betaincinv(0.3, 0.3, [k / 1024, (k + 1) / 1024])
    assert shares(1, 0.3, PLACE)[0] == pytest.approx(low + between / 2**22 * (high - low), rel=1e-14)


# ------------------------------------------------------------------------------------------------------- what is mixed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", [classes, numbers])
def test_inputs_targets_and_weights_are_blended_with_the_same_share_of_the_same_row(problem, dtype):
    (X, y), loss = problem(10), LOSSES["cross_entropy" if problem is classes else "mse"]()
    outputs = 3 if problem is classes else 2
    targets, weights = loss.prepare(y, outputs), np.linspace(0, 3, 10).astype(dtype)
    kept = X.astype(dtype), targets.copy(), weights.copy()
    blend = Mixing(0.7).mixed(Objective(loss, X.astype(dtype), targets, weights), outputs, PLACE)
    lam, partner = shares(10, 0.7, PLACE), partners(10, PLACE)
    dense = np.eye(3)[y] if problem is classes else y
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-13, "atol": 1e-15}
    for blended, plain_ones in ((blend.x, X), (blend.targets, dense), (blend.weights[:, None], weights[:, None])):
        wanted = lam[:, None] * plain_ones + (1 - lam[:, None]) * plain_ones[partner]
        np.testing.assert_allclose(blended, wanted, **tolerance)
        assert blended.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(targets, kept[1])
    np.testing.assert_array_equal(weights, kept[2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cells_are_of_the_row_or_of_its_partner_and_targets_are_blended_by_the_share(dtype):
    (X, y), random = numbers(400), PLACE.at(row=3)
    X, loss, weights = X.astype(dtype), LOSSES["mse"](), np.linspace(0, 3, 400).astype(dtype)
    given = Objective(loss, X, loss.prepare(y, 2).astype(dtype), weights)
    cut, blend = Mixing(0.7, by_cell=True).mixed(given, 2, random), Mixing(0.7).mixed(given, 2, random)
    lam, partner = shares(400, 0.7, random), partners(400, random)
    kept = Random(3, Purpose.MIXUP, item=2, epoch=2, row=3).uniform(X.shape) < lam[:, None]
    np.testing.assert_array_equal(cut.x, np.where(kept, X, X[partner]))
    assert cut.x.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(cut.targets, blend.targets)
    np.testing.assert_array_equal(cut.weights, blend.weights)
    for low, high in ((0, 0.2), (0.2, 0.8), (0.8, 1)):
        rows = (lam >= low) & (lam <= high)
        assert kept[rows].mean() == pytest.approx(lam[rows].mean(), abs=0.07)


def test_one_hot_rows_are_blended_as_labels_are():
    X, y = classes(10)
    blends = [Mixing(0.5).mixed(Objective(CrossEntropy(), X, t, None), 3, PLACE) for t in (y, np.eye(3, dtype=int)[y])]
    np.testing.assert_array_equal(blends[0].targets, blends[1].targets)
    assert blends[0].weights is None


@pytest.mark.parametrize("batch_size", [7, 16, None])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "binary_cross_entropy"])
@pytest.mark.parametrize("by_cell", [False, True], ids=["mixup", "cutmix"])
def test_loss_and_metric_of_the_epoch_are_of_the_mixtures_in_its_order(loss, batch_size, by_cell):
    (X, y), outputs = (classes(), 3) if loss == "cross_entropy" else (numbers(), 2)
    y = (y > 0).astype(float) if loss.startswith("binary") else y
    net, kind, weights = plain(outputs), LOSSES[loss](), np.linspace(0.5, 1.5, 45)
    settings = {"loss": loss, "optimizer": SGD(0.0), "batch_size": batch_size, "sample_weight": weights}
    history = train(net, X, y, epochs=1, seed=4, **{"cutmix" if by_cell else "mixup": 0.6}, **settings)
    size, targets = batch_size or 45, kind.prepare(y, outputs)
    order = np.arange(45) if batch_size is None else Random(4, Purpose.SHUFFLE).permutation(45)
    blends = [
        Mixing(0.6, by_cell).mixed(
            Objective(kind, X[rows], targets[rows], weights[rows]), outputs, Random(4, row=start)
        )
        for start in range(0, 45, size)
        for rows in [order[start : start + size]]
    ]
    x, t, w = (np.concatenate([getattr(b, name) for b in blends]) for name in ("x", "targets", "weights"))
    made = net.predict(x)
    assert history["data_loss"][0] == pytest.approx(kind.value(made, t, w), rel=1e-12)
    assert history[kind.metric_name][0] == pytest.approx(kind.metric(made, t, w), rel=1e-12)


def test_evaluation_is_of_the_rows_themselves():
    (X, y), net = classes(), plain()
    history = train(net, X, y, epochs=3, mixup=1.0, validation=(X, y))
    assert history["evaluation_data_loss"][-1] == history["validation_data_loss"][-1]
    assert history["validation_data_loss"][-1] == CrossEntropy().value(net.predict(X), y)


# ---------------------------------------------------------------------------------------------------------- in training


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains_on_blends_in_float32(loss):
    X, y = numbers() if LOSSES[loss].metric_name == "r2" else classes()
    if loss.startswith("binary"):
        y = (y == 1).astype(float)
    outputs = 2 if y.ndim == 2 else 1 if loss.startswith("binary") else 3
    last = {"categorical_cross_entropy": "softmax", "binary_cross_entropy_on_probabilities": "sigmoid"}.get(loss)
    net = Network([*network(outputs).layers, ACTIVATIONS[last or "identity"]()])
    kept = X.copy(), y.copy()
    history = train(net, X.astype(np.float32), y, loss=loss, epochs=30, batch_size=16, mixup=0.4)
    assert net.theta.dtype == net.gradient.dtype == np.float32
    assert history["evaluation_data_loss"][-1] < history["evaluation_data_loss"][0]
    np.testing.assert_array_equal(X, kept[0])
    np.testing.assert_array_equal(y, kept[1])


class StopAfter(Callback):
    def on_epoch_end(self, run):
        if run.history.epochs == 3:
            run.stop("a pause")


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
@pytest.mark.parametrize("average", [None, EMA(0.9), SWA(0.5)], ids=str)
def test_paused_run_goes_on_bit_by_bit(average, name):
    X, y = classes()
    settings = {"optimizer": Adam(0.02), "batch_size": 16, name: 0.4, "average": average, "epochs": 8, "seed": 6}
    whole, parts = network(), network()
    expected = train(whole, X, y, **settings)
    first = train(parts, X, y, callbacks=[StopAfter()], **settings)
    second = train(parts, X, y, resume=first.state, **settings)
    np.testing.assert_array_equal(parts.state, whole.state)
    assert {name: values + columns(second)[name] for name, values in columns(first).items()} == columns(expected)


def test_the_seed_decides_and_no_mixup_is_no_mixup():
    X, y = classes()

    def end(mixup: float, seed: int) -> bytes:
        net = Network([Dense(3)]).build(4, seed=1)
        train(net, X, y, epochs=3, batch_size=None, mixup=mixup, seed=seed)
        return net.theta.tobytes()

    assert end(0.3, 5) == end(0.3, 5) != end(0.3, 6)
    assert end(0.0, 5) == end(0.0, 6) != end(0.3, 5)
    assert end(0.3, 5) != end(0.31, 5)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), "0.2", None, True])
def test_what_is_no_strength_is_refused_in_one_line(value, name):
    with pytest.raises(TautError, match=rf"^{name} must be a number at least 0, got") as caught:
        train(plain(), *classes(), **{name: value})
    assert "\n" not in str(caught.value)


def test_both_at_once_are_refused():
    with pytest.raises(TautError, match=r"^give either mixup or cutmix, got mixup=0.1 and cutmix=0.2$"):
        train(plain(), *classes(), mixup=0.1, cutmix=0.2)


def test_mixup_narrows_the_gap_between_training_and_fresh_rows():
    X, y = classes(60, seed=1)
    ends = []
    for mixup in (0.0, 1.0):
        history = train(
            plain(), X, y, optimizer=Adam(0.02), epochs=300, batch_size=None, mixup=mixup, validation=classes(600, 2)
        )
        ends.append((history["evaluation_data_loss"][-1], history["validation_data_loss"][-1]))
    (fit, fresh), (mixed_fit, mixed_fresh) = ends
    assert mixed_fit > fit
    assert mixed_fresh < fresh
