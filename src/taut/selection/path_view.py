"""The view of a path: what a reader is shown of it, whatever it is shown on.

The horizontal axis with the place of a zero on it, the range of losses that is worth a figure, what stands along the
top, the lines of the second figure, and the choices in words. The figures of matplotlib, the page and the command line
draw and print the same. Floor 5 of the house; knows nothing of any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.selection.axes import SHARES
from taut.selection.wording import plain, plus_minus, ten_to_the

if TYPE_CHECKING:
    from taut.selection.path_result import RegularizationPath

__all__ = [
    "LABELLED",
    "Curves",
    "Scale",
    "choices",
    "curves_of",
    "loss_range",
    "notes",
    "scale_of",
    "sentence",
    "separated",
    "setting",
    "spread",
    "top_labels",
    "weight_names",
]

#: So many inputs are named on a figure.
LABELLED = 8

# The lowest loss stands at the foot of the figure and so many of the rises that matter fit above it: of the silenced
# end, where a loss is ten times the lowest, one sees that it is higher.
_RISES = 6
# At least such a share of the values is in the figure.
_IN_SIGHT = 0.6
# An axis whose values span at least this factor is logarithmic, even where taut does not know its kind.
_WIDE = 20.0
# Fewer zeros are chance, and would be rounded to none.
_FEW = 0.005
# Ticks of an axis, from many to few: steps within a power of ten, or every so many powers.
_WITHIN, _EVERY, _TICKS = ((1, 2, 5), (1, 3)), (1, 2, 3, 5, 10), 7


@dataclass(frozen=True, eq=False)
class Scale:
    """The horizontal axis; larger values are on the right.

    Attributes
    ----------
    label : str
        What it says, with the direction that regularizes more.
    positions : ndarray, shape (values,)
        Where each value is drawn: at itself, except a zero on a logarithmic axis, which has a place of its own below
        the smallest other value.
    is_logarithmic : bool
        Whether it is.
    zero : int or None
        Which value is such a zero.
    ticks : list of (float, str)
        Positions and their labels, none outside of the values.
    weak_is_left : bool
        Whether the least regularized value is at the left end.
    """

    label: str
    positions: np.ndarray
    is_logarithmic: bool
    zero: int | None
    ticks: list[tuple[float, str]]
    weak_is_left: bool

    def shares(self, positions: np.ndarray) -> np.ndarray:
        """Return positions as shares of the way from the leftmost value to the rightmost."""
        low, high = self._ends()
        return (self._flat(positions) - low) / (high - low)

    def limits(self, left: float, right: float) -> tuple[float, float]:
        """Return the ends of the axis that leave such shares of its length free on either side."""
        low, high = self._ends()
        whole = (high - low) / (1.0 - left - right)
        ends = low - left * whole, high + right * whole
        return (10.0 ** ends[0], 10.0 ** ends[1]) if self.is_logarithmic else ends

    def broken(self, values: np.ndarray) -> np.ndarray:
        """Return values along the path with a gap between a zero that has its own place and its neighbour."""
        if self.zero is None:
            return values
        return np.insert(values.astype(float), max(self.zero, 1), np.nan, axis=0)

    def _flat(self, positions: np.ndarray) -> np.ndarray:
        return np.log10(positions) if self.is_logarithmic else np.asarray(positions, dtype=float)

    def _ends(self) -> tuple[float, float]:
        flat = self._flat(self.positions)
        return float(flat.min()), float(flat.max()) if np.ptp(flat) else float(flat.min()) + 1.0


def scale_of(path: RegularizationPath) -> Scale:
    """Return the horizontal axis for a path: logarithmic for strengths, linear for shares.

    Examples
    --------
    >>> from taut import Recipe, load_sample, regularization_path
    >>> frame, target = load_sample("wine")
    >>> path = regularization_path(Recipe(epochs=2), frame.drop(columns=target), frame[target], cv=2,
    ...                            values=[0.0, 0.01, 0.1])
    >>> scale = scale_of(path)
    >>> scale.label, [label for _, label in scale.ticks]
    ('L2 (more regularized →)', ['0', '0.01', '0.02', '0.05', '0.1'])
    """
    axis, positions = path.axis, path.values.astype(float)
    above = positions[positions > 0]
    is_wide = bool(len(above)) and above.max() >= _WIDE * above.min()
    # Of a share, zero is an end like any other; of what is unknown to taut, it would have no place among powers.
    has_powers = axis.is_strength or axis.field == "max_norm" or (is_wide and axis.field not in SHARES)
    is_logarithmic = bool(len(above)) and positions.min() >= 0 and has_powers
    zero = int(np.flatnonzero(positions == 0)[0]) if is_logarithmic and (positions == 0).any() else None
    if is_logarithmic:
        ticks = _powers(float(above.min()), float(above.max()))
        if zero is not None:
            positions[zero] = above.min() / 10.0 ** max(0.08 * np.log10(above.max() / above.min()), 0.25)
            ticks.insert(0, (float(positions[zero]), "0"))
    else:
        ticks = [(value, f"{value:g}") for value in _steps(positions.min(), positions.max())]
    words = {1: " (more regularized →)", -1: " (← more regularized)", 0: ""}[axis.direction]
    return Scale(axis.label + words, positions, is_logarithmic, zero, ticks, bool(positions[-1] <= positions[0]))


def _powers(low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks of a logarithmic axis: 1, 2, 5 or 1, 3 or 1 times each power, or only some of the powers."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    tried = [[10.0**power for power in range(first, last + 1) if power % every == 0] for every in _EVERY]
    if high < 300 * low:
        tried = [[factor * 10.0**power for power in range(first, last + 1) for factor in steps] for steps in _WITHIN]
    inside = [[value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)] for values in tried]
    best = next((values for values in inside if len(values) <= _TICKS), inside[-1])
    if len(best) < 2:  # within less than an octave, equal steps serve as well
        best = _steps(low, high)
    plainly = best[0] > 1e-4 and best[-1] < 1e5
    return [(value, _tick(value, plainly)) for value in best]


def _tick(value: float, plainly: bool) -> str:
    power = int(np.floor(np.log10(value) + 1e-9))
    if plainly:
        return np.format_float_positional(float(f"{value:.3g}"), trim="-")
    factor = value / 10.0**power
    return ten_to_the(power) if abs(factor - 1) < 1e-6 else f"{factor:.2g}·{ten_to_the(power)}"


def _steps(low: float, high: float) -> list[float]:
    """Return the multiples of the smallest of 1, 2, 5, 10, … that are few enough between two values."""
    if low == high:
        return [low]
    power = 10.0 ** np.floor(np.log10(high - low) - 1)
    step = next(step for step in power * np.array([1, 2, 5, 10, 20, 50]) if (high - low) / step <= _TICKS - 1)
    counts = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
    return [float(f"{value:.12g}") for value in counts * step + 0.0]


def loss_range(path: RegularizationPath) -> tuple[float, float]:
    """Return the losses between which a figure of the path shows what matters.

    All of the curve but what towers over it, as the end does at which the network is silenced, and runs that diverged.
    """
    errors = np.where(np.isfinite(path.standard_error), path.standard_error, 0.0)
    upper, lower, best = path.mean + errors, path.mean - errors, path.index_min
    floor = path.mean[best]
    finite = np.isfinite(upper)
    # What a reader asks is how far it rises towards the weak end, to the simpler choice, and how sure all that is.
    weak = upper[best:][finite[best:]]
    rise = max(float(np.median(weak)), float(upper[path.index_1se]), float(upper[best])) - floor or abs(floor) or 1.0
    # Of a few values, not the greater part is to be out of sight, unless they are worlds apart.
    most = float(np.quantile(upper[finite], _IN_SIGHT, method="higher"))
    is_near = most - floor <= 10 * _RISES * rise
    top = min(float(upper[finite].max()), max(floor + _RISES * rise, most if is_near else floor))
    training = path.training[np.isfinite(path.training)]
    bottom = min(float(lower[finite].min()), *training.tolist(), top)
    margin = 0.04 * (top - bottom) or 0.05 * abs(top) or 0.5
    return bottom - margin, top + margin


def choices(path: RegularizationPath) -> list[tuple[int, str]]:
    """Return which values are chosen, with the words for each; one entry if both rules choose the same."""
    if path.index_min == path.index_1se:
        return [(path.index_min, "min = 1 SE" if path.axis.direction else "min")]
    return [(path.index_min, "min"), (path.index_1se, "1 SE")]


def top_labels(path: RegularizationPath) -> tuple[str, list[str]] | None:
    """Return what stands along the top of a figure, and the words for each value; None if there is nothing to say.

    How many inputs are used, where the penalty empties inputs; else the share of exact zeros in the first layer, where
    there are any.
    """
    if path.inputs_used is not None and path.axis.field != "group_l1_units":
        return "inputs used", [str(count) for count in path.inputs_used]
    zeros = path.zeros[:, 0]
    if not np.any(zeros[np.isfinite(zeros)] >= _FEW):
        return None
    return "zeros in the first layer", [f"{100 * share:.0f} %" if np.isfinite(share) else "–" for share in zeros]


def spread(shares: np.ndarray, gap: float, first: list[int]) -> list[int]:
    """Return which of some places along an axis, given as shares of it, can have labels that are `gap` apart.

    Those in `first` have precedence, then the ends, then the others from the weakest on.

    Examples
    --------
    >>> spread(np.linspace(0, 1, 11), 0.25, first=[4])
    [0, 4, 7, 10]
    """
    taken: list[int] = []
    for place in [*first, 0, len(shares) - 1, *reversed(range(len(shares)))]:
        if all(abs(shares[place] - shares[other]) >= gap - 1e-9 for other in taken):
            taken.append(place)
    return sorted(taken)


@dataclass(frozen=True, eq=False)
class Curves:
    """The lines of the second figure.

    Attributes
    ----------
    label : str
        What they are.
    names : list of str
        The name of each.
    values : ndarray, shape (values, lines)
        The lines, NaN where training diverged.
    top : float
        The highest point of those values whose losses a figure shows; where training went astray, norms tower too.
    named : list of int
        Those that are named on the figure, the one that ends highest first.
    """

    label: str
    names: list[str]
    values: np.ndarray
    top: float
    named: list[int]


def curves_of(path: RegularizationPath) -> Curves:
    """Return each input's norm where the penalty brings weights to zero, else the norm of each layer's weights."""
    if path.input_norms is not None and path.axis.field != "group_l1_units":
        label, names, values = "norm of each input's weights", path.input_names, path.input_norms
    else:
        layers = weight_names(path)
        label, names, values = "norm of each layer's weights", list(layers.values()), path.norms[:, list(layers)]
    ends = np.where(np.isfinite(values), values, 0.0)[-1]
    named = [int(place) for place in np.argsort(-ends, kind="stable")[:LABELLED] if ends[place] > 0]
    shown = values[path.mean <= loss_range(path)[1]]
    top = float(shown[np.isfinite(shown)].max(initial=0.0)) or 1.0
    return Curves(label, names, values, top, named)


def weight_names(path: RegularizationPath) -> dict[int, str]:
    """Return the columns of the path's `norms` that are of weights, not of normalization, with a name for each."""
    recipe = path.recipes[0]
    hidden = len(recipe.hidden_layer_sizes)
    step = 1 if recipe.normalization == "none" else 2
    names = {step * number: f"hidden layer {number + 1}" for number in range(hidden)}
    return names | {step * hidden: "output layer"}


def sentence(path: RegularizationPath) -> str:
    """Return both choices in one sentence.

    Examples
    --------
    >>> from taut import Recipe, load_sample, regularization_path
    >>> frame, target = load_sample("wine")
    >>> path = regularization_path(Recipe(epochs=2), frame.drop(columns=target), frame[target], cv=2,
    ...                            penalty="learning_rate", values=[1e-6, 0.01])
    >>> sentence(path)
    'Over 2 folds, learning rate 0.01 has the lowest validation loss, 0.801 ± 0.025.'
    """
    best, simple = path.index_min, path.index_1se
    lowest = f"{_value(path, best)} has the lowest validation loss, {_loss(path, best)}"
    start = f"Over {path.losses.shape[1]} folds, {lowest}"
    if not path.axis.direction:
        return f"{start}."
    if best == simple:
        return f"{start}; no more regularized value is within one standard error of it."
    return (
        f"{start}; {_value(path, simple)} is the most regularized value within one standard error of it, "
        f"{_loss(path, simple)}."
    )


def setting(value: float) -> str:
    """Return a value of the path in words: it was set, not measured, so that zeros at its end say nothing.

    Examples
    --------
    >>> setting(0.01), setting(0.012345), setting(100), setting(2e-5)
    ('0.01', '0.0123', '100', '2 × 10⁻⁵')
    """
    text = plain(value)
    return text.rstrip("0").rstrip(".") if "." in text and "×" not in text else text


def notes(path: RegularizationPath) -> list[str]:
    """Return what a reader of the path should know, in plain sentences."""
    found = []
    lost = int((~np.isfinite(path.mean)).sum())
    if lost:
        found.append(f"Training diverged at {lost} of the {len(path.values)} values; they cannot be chosen.")
    last = len(path.values) - 1
    if path.index_min in (0, last) and len(path.values) > 1 and path.value_min != 0:
        end = "largest" if path.value_min == path.values.max() else "smallest"
        found.append(f"The lowest loss is at the {end} value that was tried; it may be lower beyond.")
    return found


def _value(path: RegularizationPath, place: int) -> str:
    return f"{path.axis.label} {setting(path.values[place].item())}"


def _loss(path: RegularizationPath, place: int) -> str:
    return plus_minus(float(path.mean[place]), float(path.standard_error[place]))


def separated(places: np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Return places for labels that are at least `gap` apart, between two bounds, and near those wanted.

    Parameters
    ----------
    places : ndarray, shape (labels,)
        Where they should be, from high to low.
    gap : float
        The least distance; smaller if there is no room for it.
    low, high : float
        The bounds.

    Examples
    --------
    >>> separated(np.array([0.9, 0.5, 0.5, 0.1]), 0.2, 0.0, 1.0).round(2).tolist()
    [0.9, 0.6, 0.4, 0.1]
    """
    gap = min(gap, (high - low) / max(len(places) - 1, 1))
    # With the gaps taken out, what is left must only stay in order: the mean of each block that was out of order.
    room = high - low - gap * (len(places) - 1)
    blocks: list[list[Any]] = []
    for number, place in enumerate(np.asarray(places, dtype=float)):
        blocks.append([place + gap * number, 1])
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            (mean, size), (other, more) = blocks[-2], blocks.pop()
            blocks[-1] = [(mean * size + other * more) / (size + more), size + more]
    flat = np.concatenate([np.empty(0), *(np.full(size, mean) for mean, size in blocks)])
    return np.clip(flat, high - room, high) - gap * np.arange(len(places))
