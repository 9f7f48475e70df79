"""Losses: how wrong the outputs are, in the mean over the samples.

A loss knows the loss of each row and its derivative; the mean over rows, with weights, stands once in the base class.
It also knows what outputs mean: `inverse_link` turns scores into probabilities where that is called for. Floor 2 of
the house; losses know nothing of layers or penalties.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from taut.checks import check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.network.functions import log_softmax, sigmoid, softmax

__all__ = [
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "CrossEntropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SigmoidCrossEntropy",
]


class Loss(ABC):
    """How wrong outputs of shape (samples, outputs) are for targets, in the mean over the samples.

    The methods but `prepare` take targets as `prepare` returned them. `weights` has shape (samples,); None means 1 for
    every sample. The mean is ``sum(weights * rows) / samples``: weights are not normalized here.
    """

    #: Name of the metric that is reported beside the loss.
    metric_name: str

    @abstractmethod
    def prepare(self, y: np.ndarray, n_outputs: int) -> np.ndarray:
        """Return the targets `y` in the form that the other methods take, or raise `InvalidValue`."""

    @abstractmethod
    def rows(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the loss of each sample, shape (samples,)."""

    @abstractmethod
    def row_gradients(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the derivative of each sample's loss by its outputs, shape (samples, outputs)."""

    @abstractmethod
    def metric(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Return the weighted mean of the metric that `metric_name` names."""

    def row_weights(self, targets: np.ndarray) -> np.ndarray | None:
        """Return the weight that the loss itself gives each sample, shape (samples,), or None for 1."""
        return None

    def inverse_link(self, outputs: np.ndarray) -> np.ndarray:
        """Return what the outputs stand for on the scale of the targets, such as probabilities."""
        return outputs

    def evaluation(self) -> Loss:
        """Return the loss without what only belongs to training, such as label smoothing."""
        return self

    def value(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Return the mean loss."""
        rows = self.rows(outputs, targets)
        return float(np.mean(rows if weights is None else weights * rows))

    def gradient(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Return the derivative of the mean loss by the outputs, shape (samples, outputs)."""
        gradients = self.row_gradients(outputs, targets)
        if weights is not None:
            gradients = weights.astype(outputs.dtype, copy=False)[:, None] * gradients
        return gradients / outputs.dtype.type(len(outputs))


def _mean(rows: np.ndarray, weights: np.ndarray | None) -> float:
    return float(np.mean(rows) if weights is None else np.average(rows, weights=weights))


def _r2(outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the coefficient of determination, averaged over outputs; 0 for an output whose targets do not vary."""
    weights = np.ones(len(targets)) if weights is None else weights
    center = np.average(targets, axis=0, weights=weights)
    residual = (weights[:, None] * (targets - outputs) ** 2).sum(axis=0)
    spread = (weights[:, None] * (targets - center) ** 2).sum(axis=0)
    return float(np.mean(np.where(spread > 0, 1.0 - residual / np.where(spread > 0, spread, 1.0), 0.0)))


@dataclass(frozen=True)
class _Categorical(Loss):
    """What the losses over classes share: integer or one-hot targets, smoothing, class weights, accuracy."""

    label_smoothing: float = 0.0
    class_weight: tuple[float, ...] | None = None
    metric_name = "accuracy"

    def __post_init__(self) -> None:
        check_number("label_smoothing", self.label_smoothing, at_least=0, below=1)
        given: object = self.class_weight
        if given is None:
            return
        if not isinstance(given, (tuple, list)):
            raise InvalidType(f"class_weight must be one number for each class, got {shown(given)}")
        for weight in given:
            check_number("class_weight", weight, at_least=0)
        object.__setattr__(self, "class_weight", tuple(given))

    def prepare(self, y: np.ndarray, n_outputs: int) -> np.ndarray:
        """Return integer labels of shape (samples,), or one-hot rows of shape (samples, classes), checked."""
        y = np.asarray(y)
        if self.class_weight is not None and len(self.class_weight) != n_outputs:
            raise InvalidValue(f"class_weight has {len(self.class_weight)} weights for {n_outputs} classes")
        if y.ndim == 2 and y.shape[1] == n_outputs and n_outputs > 1:
            if y.dtype.kind not in "iubf":
                raise InvalidType(f"one-hot targets must be numbers, got {y.dtype}")
            if not np.allclose(y.sum(axis=1), 1.0) or np.any(y < 0):
                raise InvalidValue("one-hot targets must be at least 0 and sum to 1 in every row")
            return y
        if y.ndim != 1:
            raise InvalidValue(f"targets must have shape (samples,) or (samples, {n_outputs}), got {y.shape}")
        if y.dtype.kind not in "iub":
            raise InvalidType(f"class labels must be integers from 0, got {y.dtype}; TautClassifier takes any labels")
        if y.size and not (y.min() >= 0 and y.max() < n_outputs):
            raise InvalidValue(f"class labels must be from 0 to {n_outputs - 1}, got {y.min()} to {y.max()}")
        return y.astype(np.int64, copy=False)

    def row_weights(self, targets: np.ndarray) -> np.ndarray | None:
        if self.class_weight is None:
            return None
        weights = np.asarray(self.class_weight, dtype=np.float64)
        return weights[targets] if targets.ndim == 1 else targets @ weights

    def evaluation(self) -> Loss:
        return replace(self, label_smoothing=0.0)

    def metric(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        labels = targets if targets.ndim == 1 else targets.argmax(axis=1)
        return _mean(outputs.argmax(axis=1) == labels, weights)

    def _distribution(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the smoothed probabilities that the targets stand for, shape (samples, classes)."""
        if targets.ndim == 1:
            distribution = np.zeros_like(outputs)
            distribution[np.arange(len(targets)), targets] = 1.0
        else:
            distribution = targets.astype(outputs.dtype, copy=False)
        if self.label_smoothing:
            distribution = distribution * outputs.dtype.type(1.0 - self.label_smoothing)
            distribution += outputs.dtype.type(self.label_smoothing / outputs.shape[1])
        return distribution


@dataclass(frozen=True)
class CrossEntropy(_Categorical):
    """Categorical cross-entropy of the softmax of scores, fused: ``-sum_k q_k log softmax(z)_k``.

    The derivative by the scores is ``softmax(z) - q``. Its name in `train` is "cross_entropy".

    Parameters
    ----------
    label_smoothing : float, default 0.0
        Share of the probability that is spread evenly: ``q = (1 - s) * onehot + s / classes``.
    class_weight : tuple of float, optional
        Factor for the loss of the samples of each class.

    References
    ----------
    C. Bishop, "Pattern recognition and machine learning", 2006, section 4.3.4; smoothing: C. Szegedy et al.,
    "Rethinking the inception architecture for computer vision", CVPR, 2016, section 7.

    Examples
    --------
    >>> scores = np.array([[0.0, 0.0], [2.0, 0.0]])
    >>> round(CrossEntropy().value(scores, np.array([0, 0])), 3)
    0.41
    >>> CrossEntropy().gradient(scores, np.array([0, 0])).round(3).tolist()
    [[-0.25, 0.25], [-0.06, 0.06]]
    """

    def rows(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        logarithms = log_softmax(outputs)
        if targets.ndim == 1 and not self.label_smoothing:
            return -logarithms[np.arange(len(targets)), targets]
        return np.asarray(-(self._distribution(outputs, targets) * logarithms).sum(axis=1))

    def row_gradients(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return softmax(outputs) - self._distribution(outputs, targets)

    def inverse_link(self, outputs: np.ndarray) -> np.ndarray:
        return softmax(outputs)


@dataclass(frozen=True)
class CategoricalCrossEntropy(_Categorical):
    """Categorical cross-entropy of probabilities, as after a `Softmax` layer: ``-sum_k q_k log p_k``.

    Probabilities are clipped to at least 1e-7 so that the logarithm stays finite. Its name in `train` is
    "categorical_cross_entropy".

    Parameters
    ----------
    label_smoothing, class_weight
        See `CrossEntropy`.

    Examples
    --------
    >>> round(CategoricalCrossEntropy().value(np.array([[0.5, 0.5]]), np.array([0])), 3)
    0.693
    """

    FLOOR = 1e-7

    def rows(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return -(self._distribution(outputs, targets) * np.log(np.maximum(outputs, self.FLOOR))).sum(axis=1)

    def row_gradients(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return -self._distribution(outputs, targets) / np.maximum(outputs, self.FLOOR) * (outputs > self.FLOOR)


def _columns(y: np.ndarray, n_outputs: int) -> np.ndarray:
    """Return numeric targets as finite float64 of shape (samples, outputs), or raise."""
    y = np.asarray(y)
    if y.dtype.kind not in "iubf":
        raise InvalidType(f"targets must be numbers, got {y.dtype}")
    columns = y[:, None] if y.ndim == 1 else y
    if columns.ndim != 2 or columns.shape[1] != n_outputs:
        raise InvalidValue(f"targets must have shape (samples, {n_outputs}) for {n_outputs} outputs, got {y.shape}")
    if not np.isfinite(columns).all():
        raise InvalidValue("targets must be finite, got NaN or infinity")
    return columns.astype(np.float64, copy=False)


@dataclass(frozen=True)
class _Binary(Loss):
    """What the losses over yes-or-no outputs share."""

    metric_name = "accuracy"

    def prepare(self, y: np.ndarray, n_outputs: int) -> np.ndarray:
        targets = _columns(y, n_outputs)
        if targets.size and (targets.min() < 0 or targets.max() > 1):
            raise InvalidValue(f"binary targets must be from 0 to 1, got {targets.min():g} to {targets.max():g}")
        return targets

    def metric(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        hits = (self.inverse_link(outputs) > 0.5) == (targets > 0.5)
        return _mean(hits.mean(axis=1), weights)


@dataclass(frozen=True)
class SigmoidCrossEntropy(_Binary):
    """Binary cross-entropy of the sigmoid of scores, fused and averaged over outputs.

    ``log(1 + exp(z)) - t * z`` with derivative ``sigmoid(z) - t``. Its name in `train` is "binary_cross_entropy".

    References
    ----------
    C. Bishop, "Pattern recognition and machine learning", 2006, section 4.3.2.

    Examples
    --------
    >>> round(SigmoidCrossEntropy().value(np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]])), 3)
    0.41
    """

    def rows(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.mean(np.logaddexp(0.0, outputs) - targets * outputs, axis=1)

    def row_gradients(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return (self.inverse_link(outputs) - targets).astype(outputs.dtype, copy=False) / outputs.shape[1]

    def inverse_link(self, outputs: np.ndarray) -> np.ndarray:
        return sigmoid(outputs)


@dataclass(frozen=True)
class BinaryCrossEntropy(_Binary):
    """Binary cross-entropy of probabilities, as after a `Sigmoid` layer, averaged over outputs.

    ``-t * log(p) - (1 - t) * log(1 - p)``, with p clipped to [1e-7, 1 - 1e-7]. Its name in `train` is
    "binary_cross_entropy_on_probabilities".

    Examples
    --------
    >>> round(BinaryCrossEntropy().value(np.array([[0.5]]), np.array([[1.0]])), 3)
    0.693
    """

    FLOOR = 1e-7

    def rows(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        p = np.clip(outputs, self.FLOOR, 1.0 - self.FLOOR)
        return -np.mean(targets * np.log(p) + (1.0 - targets) * np.log1p(-p), axis=1)

    def row_gradients(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        p = np.clip(outputs, self.FLOOR, 1.0 - self.FLOOR)
        gradients = np.where(p == outputs, (p - targets) / (p * (1.0 - p)), 0.0) / outputs.shape[1]
        return gradients.astype(outputs.dtype, copy=False)


@dataclass(frozen=True)
class _Regression(Loss):
    """What the losses over numbers share: finite targets, and the coefficient of determination as metric."""

    metric_name = "r2"

    def prepare(self, y: np.ndarray, n_outputs: int) -> np.ndarray:
        return _columns(y, n_outputs)

    def metric(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        return _r2(outputs, targets, weights)

    def _errors(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return outputs - targets.astype(outputs.dtype, copy=False)


@dataclass(frozen=True)
class MeanSquaredError(_Regression):
    """``(z - t)**2``, averaged over outputs. Its name in `train` is "mse".

    Examples
    --------
    >>> MeanSquaredError().value(np.array([[1.0], [3.0]]), np.array([[1.0], [1.0]]))
    2.0
    """

    def rows(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.mean(self._errors(outputs, targets) ** 2, axis=1)

    def row_gradients(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return self._errors(outputs, targets) * outputs.dtype.type(2.0 / outputs.shape[1])


@dataclass(frozen=True)
class MeanAbsoluteError(_Regression):
    """``|z - t|``, averaged over outputs; the derivative at 0 is taken as 0. Its name in `train` is "mae".

    Examples
    --------
    >>> MeanAbsoluteError().value(np.array([[1.0], [3.0]]), np.array([[1.0], [1.0]]))
    1.0
    """

    def rows(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.mean(np.abs(self._errors(outputs, targets)), axis=1)

    def row_gradients(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.sign(self._errors(outputs, targets)) / outputs.dtype.type(outputs.shape[1])


@dataclass(frozen=True)
class Huber(_Regression):
    """Squares near zero, lines far away: ``e**2 / 2`` up to `delta`, ``delta * (|e| - delta / 2)`` beyond.

    Averaged over outputs. Its name in `train` is "huber".

    Parameters
    ----------
    delta : float, default 1.0
        Where the square becomes a line, in units of the targets.

    References
    ----------
    P. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> Huber(1.0).value(np.array([[1.5], [4.0]]), np.array([[1.0], [1.0]]))
    1.3125
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        check_number("delta", self.delta, above=0)

    def rows(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        size = np.abs(self._errors(outputs, targets))
        return np.mean(np.where(size <= self.delta, 0.5 * size**2, self.delta * (size - 0.5 * self.delta)), axis=1)

    def row_gradients(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        errors = self._errors(outputs, targets)
        return np.clip(errors, -self.delta, self.delta) / outputs.dtype.type(outputs.shape[1])
