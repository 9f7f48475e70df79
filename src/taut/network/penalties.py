"""Penalties: what the objective adds for the parameters themselves.

A penalty has a value, a (sub)gradient, and a proximal operator. Training uses one of the last two: a smooth penalty
such as L2 adds its gradient to that of the data loss; one with a kink at zero, such as L1, is better applied after the
optimizer's step, by its proximal operator, because that reaches zero exactly. Constraints are penalties that are zero
inside and infinite outside; their proximal operator is the projection.

The proximal operator takes a step size for each coordinate, since optimizers such as Adam rescale coordinates and the
nearest point must then be measured in the same scale (Yun, Lozano and Yang, "Adaptive proximal gradient methods for
structured neural networks", NeurIPS, 2021). Floor 2 of the house; penalties know no layer and no optimizer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from taut.checks import check_choice, check_flag, check_number, shown
from taut.errors import InvalidType, InvalidValue
from taut.network.conventions import convert

__all__ = ["L1", "L2", "GroupL1", "MaxNorm", "NonNegative", "Orthogonality", "Penalty", "Sum"]

Step = float | np.ndarray


class Penalty(ABC):
    """Something the objective adds for one array of parameters. Penalties add up with ``+``."""

    #: Whether training applies it by its proximal operator, after the optimizer's step, instead of by its gradient.
    proximal: bool = False

    #: In a sum, proximal operators are applied in this order, for which their composition is that of the sum.
    order: ClassVar[int] = 0

    @abstractmethod
    def value(self, w: np.ndarray) -> float:
        """Return what the objective adds for `w`, an array of any shape the penalty is meant for."""

    @abstractmethod
    def gradient(self, w: np.ndarray) -> np.ndarray:
        """Return the gradient at `w`, or a subgradient where there is no gradient; shape and type as `w`."""

    @abstractmethod
    def prox(self, w: np.ndarray, step: Step) -> np.ndarray:
        """Return ``argmin_u value(u) + sum((u - w)**2 / (2 * step))``.

        `step` is a number or shaped like `w`, at least 0; the result has the type of `w`.
        """

    @property
    def parts(self) -> tuple[Penalty, ...]:
        """The penalties this one is the sum of."""
        return (self,)

    def __add__(self, other: Penalty) -> Penalty:
        if not isinstance(other, Penalty):
            raise InvalidType(f"only penalties can be added to a penalty, got {shown(other)}")
        parts = self.parts + other.parts
        return parts[0] if len(parts) == 1 else Sum(parts)


@dataclass(frozen=True)
class Sum(Penalty):
    """The sum of several penalties; of none, no penalty at all.

    Parameters
    ----------
    penalties : tuple of Penalty, default ()
        What to add up.

    Notes
    -----
    The proximal operators of the parts are applied one after the other. That solves the problem of the sum for L1, L2
    and NonNegative with each other and with one GroupL1 or one MaxNorm. Several that act on groups, such as GroupL1 by
    input and by unit, or GroupL1 and MaxNorm, come close to it where groups overlap, but not in general to its minimum.

    Examples
    --------
    >>> (L1(0.5) + L2(0.25)).value(np.array([1.0, -2.0]))
    2.75
    """

    penalties: tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        given: object = self.penalties
        if not isinstance(given, tuple) or not all(isinstance(part, Penalty) for part in given):
            raise InvalidType(f"a sum needs a tuple of penalties, got {shown(given)}")

    @property
    def parts(self) -> tuple[Penalty, ...]:
        return tuple(part for penalty in self.penalties for part in penalty.parts)

    @cached_property
    def smooth(self) -> Sum:
        """The parts that training applies by their gradient."""
        return Sum(tuple(part for part in self.parts if not part.proximal))

    @cached_property
    def nonsmooth(self) -> Sum:
        """The parts that training applies by their proximal operator."""
        return Sum(tuple(part for part in self.parts if part.proximal))

    def value(self, w: np.ndarray) -> float:
        return sum((part.value(w) for part in self.parts), 0.0)

    def gradient(self, w: np.ndarray) -> np.ndarray:
        return sum((part.gradient(w) for part in self.parts), np.zeros_like(w))

    def prox(self, w: np.ndarray, step: Step) -> np.ndarray:
        # Squares only rescale the problem of the rest. Of the rest, soft thresholding comes before what acts on whole
        # groups: the composition then solves the joint problem in any diagonal metric (for a scalar step this is the
        # sparse-group lasso's: Simon, Friedman, Hastie and Tibshirani, 2013).
        for part in sorted(self.parts, key=lambda part: part.order):
            if isinstance(part, L2):
                shrink = part.shrink(step)
                w, step = _like(w / shrink, w), step / shrink
            else:
                w = part.prox(w, step)
        return w


def _like(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return `values` in the floating-point type of `w`."""
    return np.asarray(values, dtype=w.dtype)


@dataclass(frozen=True)
class L1(Penalty):
    """``lam * sum(|w|)``, which drives small weights to exactly zero (lasso).

    Parameters
    ----------
    lam : float
        Strength.
    proximal : bool, default True
        Apply it by soft thresholding, which gives exact zeros; else by the subgradient ``lam * sign(w)``, which
        hovers around zero.
    at_zero : float, default 0.0
        The value of ``sign(0)`` in the subgradient, from -1 to 1.

    References
    ----------
    R. Tibshirani, "Regression shrinkage and selection via the lasso", JRSS B 58, 1996; soft thresholding: I.
    Daubechies, M. Defrise and C. De Mol, "An iterative thresholding algorithm for linear inverse problems", CPAM 57,
    2004.

    Examples
    --------
    >>> L1(0.5).prox(np.array([2.0, 0.25]), 1.0).tolist()
    [1.5, 0.0]
    >>> L1(0.5, proximal=False, at_zero=1.0).gradient(np.array([2.0, 0.0])).tolist()
    [0.5, 0.5]
    """

    lam: float
    proximal: bool = True
    at_zero: float = 0.0
    order: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_number("L1 lam", self.lam, at_least=0)
        check_flag("proximal", self.proximal)
        check_number("at_zero", self.at_zero, at_least=-1, at_most=1)

    def value(self, w: np.ndarray) -> float:
        return self.lam * float(np.abs(w).sum())

    def gradient(self, w: np.ndarray) -> np.ndarray:
        return _like(self.lam * np.where(w == 0, self.at_zero, np.sign(w)), w)

    def prox(self, w: np.ndarray, step: Step) -> np.ndarray:
        return _like(np.sign(w) * np.maximum(np.abs(w) - self.lam * step, 0.0), w)


@dataclass(frozen=True)
class L2(Penalty):
    """``lam * sum(w**2)``, which shrinks large weights most (ridge, weight decay).

    Parameters
    ----------
    lam : float
        Strength. The gradient is ``2 * lam * w``; `taut.conventions` converts from and to other conventions.

    References
    ----------
    A. Hoerl and R. Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12, 1970.

    Examples
    --------
    >>> L2(0.5).gradient(np.array([2.0, -1.0])).tolist()
    [2.0, -1.0]
    """

    lam: float

    def __post_init__(self) -> None:
        check_number("L2 lam", self.lam, at_least=0)

    def value(self, w: np.ndarray) -> float:
        return self.lam * float(np.square(w).sum())

    def gradient(self, w: np.ndarray) -> np.ndarray:
        return _like(2.0 * self.lam * w, w)

    @staticmethod
    def of(strength: float, convention: str, n_samples: int | None = None) -> L2:
        """Return the penalty that a strength of another convention means.

        Parameters
        ----------
        strength : float
            The number as it stands elsewhere.
        convention : {"taut", "half", "lambda/2n", "lambda/n", "sklearn"}
            What it multiplies there; see `taut.conventions`.
        n_samples : int, optional
            The number of samples n, where the convention divides by it.

        Examples
        --------
        >>> L2.of(0.5, "lambda/2n", n_samples=100)
        L2(lam=0.0025)
        """
        return L2(convert(strength, source=convention, n_samples=n_samples))

    def shrink(self, step: Step) -> Step:
        """Return what the proximal operator divides by."""
        return 1.0 + 2.0 * self.lam * step

    def prox(self, w: np.ndarray, step: Step) -> np.ndarray:
        return _like(w / self.shrink(step), w)


def _group_axis(by: str, w: np.ndarray) -> tuple[int, ...]:
    """Return the axes over which the norm of a group runs: a row, a column, or, for biases, a single value."""
    if w.ndim == 1:
        return ()
    return (1,) if by == "input" else (0,)


def _norms(w: np.ndarray, axis: tuple[int, ...]) -> np.ndarray:
    return np.sqrt(np.square(w).sum(axis=axis, keepdims=True))


def _root(w: np.ndarray, p: Step, q: Step, radius: float, axis: tuple[int, ...]) -> np.ndarray:
    """Return, for each group, the t >= 0 at which the norm of ``w / (p + q * t)`` falls to `radius`; p >= 0, q > 0.

    The inverse of that norm is a power mean of straight lines, so it rises and is concave in t, and Newton's method
    started left of the root climbs to it without passing it. It starts where the last single value falls to the
    radius; all of them together then have a norm of the radius or little more. A group whose norm is below the radius
    at once gets 0.
    """
    sizes, squares = np.abs(w, dtype=np.float64), np.square(w, dtype=np.float64)
    t = np.maximum((sizes / radius - p) / q, 0.0).max(axis=axis, keepdims=True)
    for _ in range(_NEWTON_STEPS):
        line = np.maximum(p + q * t, _SMALLEST)
        norm_squared = (squares / line**2).sum(axis=axis, keepdims=True)
        slope = (squares * q / line**3).sum(axis=axis, keepdims=True)
        climb = norm_squared * (np.sqrt(norm_squared) / radius - 1.0) / np.where(slope > 0, slope, 1.0)
        t = np.maximum(t + climb, 0.0)
    return t


# A fixed number, so that every program takes the same steps; from where the method starts, few are needed.
_NEWTON_STEPS = 16

# What a line is taken to be where step and values are both zero, so that 0 / 0 is 0; its cube is still a number.
_SMALLEST = 1e-100


@dataclass(frozen=True)
class GroupL1(Penalty):
    """``lam * sum over groups of the group's norm``, which drives whole groups to exactly zero (group lasso).

    Parameters
    ----------
    lam : float
        Strength.
    by : {"input", "unit"}, default "input"
        What a group is in weights of shape (inputs, units): all weights that leave one input, so that inputs are
        selected, or all that enter one unit. A bias belongs to its unit alone.
    proximal : bool, default True
        Apply it by its proximal operator, which gives exact zeros; else by the subgradient that is 0 at zero.

    References
    ----------
    M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped variables", JRSS B 68, 2006, here
    without the factor for the size of a group; for networks: S. Scardapane, D. Comminiello, A. Hussain and A. Uncini,
    "Group sparse regularization for deep neural networks", Neurocomputing 241, 2017.

    Examples
    --------
    >>> GroupL1(1.0).prox(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0).round(6).tolist()
    [[2.4, 3.2], [0.0, 0.0]]
    """

    lam: float
    by: str = "input"
    proximal: bool = True
    order: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_number("group L1 lam", self.lam, at_least=0)
        check_choice("by", self.by, ("input", "unit"))
        check_flag("proximal", self.proximal)

    def value(self, w: np.ndarray) -> float:
        return self.lam * float(_norms(w, _group_axis(self.by, w)).sum())

    def gradient(self, w: np.ndarray) -> np.ndarray:
        norms = _norms(w, _group_axis(self.by, w))
        return _like(self.lam * w / np.where(norms > 0, norms, 1.0), w)

    def prox(self, w: np.ndarray, step: Step) -> np.ndarray:
        # At the solution u of norm t > 0, (u - w) / step + lam * u / t = 0, so u = w * t / (t + lam * step).
        if self.lam == 0:
            return w.copy()
        threshold = self.lam * np.asarray(step, dtype=np.float64)
        norm = _root(w, threshold, 1.0, 1.0, _group_axis(self.by, w))
        return _like(w * (norm / np.maximum(norm + threshold, _SMALLEST)), w)


@dataclass(frozen=True)
class NonNegative(Penalty):
    """The constraint ``w >= 0``, held by projection after each step.

    Examples
    --------
    >>> NonNegative().prox(np.array([2.0, -1.0]), 0.1).tolist()
    [2.0, 0.0]
    """

    proximal = True
    order: ClassVar[int] = 2

    def value(self, w: np.ndarray) -> float:
        return 0.0

    def gradient(self, w: np.ndarray) -> np.ndarray:
        return np.zeros_like(w)

    def prox(self, w: np.ndarray, step: Step) -> np.ndarray:
        return np.maximum(w, 0)


@dataclass(frozen=True)
class MaxNorm(Penalty):
    """The constraint that the weights entering each unit have a norm of at most `limit`, held by projection.

    Parameters
    ----------
    limit : float, default 3.0
        Largest norm of a column of weights of shape (inputs, units), or largest absolute value of a bias.

    References
    ----------
    N. Srebro, J. Rennie and T. Jaakkola, "Maximum-margin matrix factorization", NIPS, 2005; for networks Srivastava
    et al., "Dropout", JMLR 15, 2014, section 5.1.

    Examples
    --------
    >>> MaxNorm(1.0).prox(np.array([[3.0, 0.3], [4.0, 0.4]]), 0.1).round(6).tolist()
    [[0.6, 0.3], [0.8, 0.4]]
    """

    limit: float = 3.0
    proximal = True
    order: ClassVar[int] = 4

    def __post_init__(self) -> None:
        check_number("max-norm limit", self.limit, above=0)

    def value(self, w: np.ndarray) -> float:
        return 0.0

    def gradient(self, w: np.ndarray) -> np.ndarray:
        return np.zeros_like(w)

    def prox(self, w: np.ndarray, step: Step) -> np.ndarray:
        # With the multiplier mu of the constraint, (u - w) / step + mu * u = 0, so u = w / (1 + mu * step).
        # Scaling the steps scales mu alone; by their mean, so that mu is of order one.
        step = np.asarray(step, dtype=np.float64)
        step = step / step.mean() if step.any() else np.ones(())
        multiplier = _root(w, 1.0, step, self.limit, _group_axis("unit", w))
        return _like(w / (1.0 + multiplier * step), w)


@dataclass(frozen=True)
class Orthogonality(Penalty):
    """``lam * sum((W.T @ W - I)**2)``: units that look in different directions.

    With more units than inputs the columns cannot all be orthonormal, and the rows are taken instead.

    Parameters
    ----------
    lam : float
        Strength.

    References
    ----------
    A. Brock, T. Lim, J. Ritchie and N. Weston, "Neural photo editing with introspective adversarial networks", ICLR,
    2017; N. Bansal, X. Chen and Z. Wang, "Can we gain more from orthogonality regularizations in training deep
    networks?", NeurIPS, 2018.

    Examples
    --------
    >>> Orthogonality(0.5).value(np.array([[2.0, 0.0], [0.0, 1.0]]))
    4.5
    """

    lam: float

    def __post_init__(self) -> None:
        check_number("orthogonality lam", self.lam, at_least=0)

    @staticmethod
    def _tall(w: np.ndarray) -> np.ndarray:
        if w.ndim != 2:
            raise InvalidValue(f"orthogonality is for weights of shape (inputs, units), got shape {w.shape}")
        return w if w.shape[0] >= w.shape[1] else w.T

    def value(self, w: np.ndarray) -> float:
        tall = self._tall(w)
        return self.lam * float(np.square(tall.T @ tall - np.eye(tall.shape[1], dtype=w.dtype)).sum())

    def gradient(self, w: np.ndarray) -> np.ndarray:
        tall = self._tall(w)
        gradient = 4.0 * self.lam * tall @ (tall.T @ tall - np.eye(tall.shape[1], dtype=w.dtype))
        return _like(gradient if tall is w else gradient.T, w)

    def prox(self, w: np.ndarray, step: Step) -> np.ndarray:
        raise InvalidValue("orthogonality has no proximal operator in closed form; it is applied by its gradient")
