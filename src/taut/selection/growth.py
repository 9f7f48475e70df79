"""What a learning curve found: losses by size, the law through them, and what twice the rows would bring, in words.

Floor 5 of the house; knows nothing of training, files or screens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import check_number
from taut.selection.objectives import METRICS
from taut.selection.power_law import FittedLaw, PowerLaw
from taut.selection.wording import METRIC_WORDS, plain, plus_minus
from taut.training.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Doubling", "LearningCurve"]

# A change below this share of the loss is not worth the rows.
_HARDLY = 0.01
# An interval that reaches this share of the loss is too wide to say that rows would not help.
_MUCH = 0.03


@dataclass(frozen=True)
class Doubling:
    """What twice the rows would bring.

    Attributes
    ----------
    rows : int
        Twice the largest number of rows that was trained on.
    now, loss : float
        The loss by the law at half of `rows`, and at `rows`.
    difference : float
        ``loss - now``, 0 or less.
    interval : tuple of float
        95 % interval of the difference; it reaches above 0 if resampled folds do not agree that the curve falls.
    """

    rows: int
    now: float
    loss: float
    difference: float
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Losses on rows not trained on, by how many were trained on, and the law ``loss(n) = a + b * n**-c`` through them.

    The law is fitted to the first metric: log loss, or root mean squared error in the target's own units.

    What it can do: say whether the curve still falls, and estimate the loss at a few times the rows, if they are like
    those at hand and are used by the same recipe. What it cannot: know of a plateau or a descent that begins beyond the
    largest size; foresee what a recipe chosen anew for more rows would reach (larger networks, weaker penalties, so
    usually somewhat more); or promise `a`, whose uncertainty is large wherever the curve has not flattened yet. The
    intervals hold the noise of rows and first weights as the folds show it; that the law itself goes on is assumed, and
    the folds' training rows overlap, so that they are rather too narrow. Learning curves have been seen that rise, or
    have bumps (Viering & Loog).

    Attributes
    ----------
    recipe : Recipe
        What was trained.
    task : str
        "classification" or "regression".
    sizes : ndarray of int, shape (sizes,)
        Rows trained on, ascending; where rows come in groups, the mean over the folds.
    losses : ndarray, shape (sizes, folds)
        Data loss on the validation rows; for regression, of the target standardized by the rows trained on.
    metrics : dict of str to ndarray, shape (sizes, folds)
        Each metric on the validation rows.
    training : ndarray, shape (sizes,)
        Data loss on the rows trained on with all noise off, mean over the folds.
    repeats : int
        How many divisions of the rows the folds are.
    class_counts : dict of class to int, or None
        Rows of each class at hand.
    fitted : FittedLaw
        The law, and those of resampled folds.

    References
    ----------
    C. Cortes, L. D. Jackel, S. A. Solla, V. Vapnik and J. S. Denker, "Learning curves: asymptotic values and rate of
    convergence", NIPS 6, 1993. J. Hestness et al., "Deep learning scaling is predictable, empirically",
    arXiv:1712.00409, 2017. T. Viering and M. Loog, "The shape of learning curves: a review", IEEE Transactions on
    Pattern Analysis and Machine Intelligence, 2022.
    """

    recipe: Recipe
    task: str
    sizes: np.ndarray
    losses: np.ndarray
    metrics: dict[str, np.ndarray]
    training: np.ndarray
    repeats: int
    class_counts: dict[Any, int] | None
    fitted: FittedLaw

    @property
    def law(self) -> PowerLaw:
        """The law through the mean of the first metric."""
        return self.fitted.law

    @property
    def metric(self) -> str:
        """The metric that the law is fitted to."""
        return METRICS[self.task][0]

    @property
    def mean(self) -> np.ndarray:
        """Mean of `losses` over the folds, shape (sizes,)."""
        return self.losses.mean(axis=1)

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of `mean`, shape (sizes,)."""
        return self._error(self.losses)

    def score(self, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of a metric over the folds, and its standard error, shape (sizes,) each."""
        values = self.metrics[metric]
        return values.mean(axis=1), self._error(values)

    def _error(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values.std(axis=1, ddof=1) / np.sqrt(values.shape[1] / self.repeats))

    def predict(self, n: float) -> float:
        """Return the first metric by the law for training on n rows."""
        check_number("n", n, at_least=1)
        return float(self.law(float(n)))

    def interval(self, n: float) -> tuple[float, float]:
        """Return the 95 % interval of `predict`."""
        check_number("n", n, at_least=1)
        return self.fitted.interval(float(n))

    @property
    def doubling(self) -> Doubling:
        """What twice the rows would bring."""
        size = float(self.sizes[-1])
        now, then = self.predict(size), self.predict(2 * size)
        return Doubling(int(2 * size), now, then, then - now, self.fitted.interval(2 * size, minus=size))

    def advice(self) -> str:
        """Return in plain sentences what more rows would bring, and how many there are of each class."""
        return " ".join(part for part in (self._on_rows(), self._on_classes()) if part)

    def _on_rows(self) -> str:
        twice, name = self.doubling, METRIC_WORDS[self.metric]
        low, high = twice.interval
        rows = f"{twice.rows} instead of {self.sizes[-1]}"
        if not self.law.b:
            means, errors = self.score(self.metric)
            first, last = (plus_minus(means[at], errors[at]) for at in (0, -1))
            return (
                f"The {name} does not fall as rows are added: {first} with {self.sizes[0]} rows, {last} with "
                f"{self.sizes[-1]}. So nothing here says that more rows like these would help."
            )
        change = f"from {_like(twice.now, twice.difference)} to about {_like(twice.loss, twice.difference)}"
        if high < 0 and low < -_HARDLY * twice.now:
            sure = f"95 % interval of the gain: {plain(-high, 2)} to {plain(-low, 2)}"
            return f"Twice the rows ({rows}) would lower the {name} {change} ({sure})."
        sure = f"95 % interval of the change: {_signed(low)} to {_signed(high)}"
        if low < -_MUCH * twice.now:
            return (
                f"Whether more rows would help cannot be said from these: twice as many ({rows}) would bring the "
                f"{name} {change}, but the folds disagree ({sure})."
            )
        return (
            f"More rows like these would hardly help: twice as many ({rows}) would bring the {name} {change} ({sure})."
        )

    def _on_classes(self) -> str:
        if self.class_counts is None:
            return ""
        fewest, most = (pick(self.class_counts.items(), key=lambda item: item[1]) for pick in (min, max))
        if fewest[1] == most[1]:
            return f"There are {fewest[1]} rows of each of the {len(self.class_counts)} classes."
        return f"The classes have from {fewest[1]} rows ({fewest[0]}) to {most[1]} ({most[0]})."

    def to_frame(self) -> pd.DataFrame:
        """Return the curve as a pandas DataFrame, one row a size."""
        import pandas as pd

        columns = {
            "rows": self.sizes,
            "validation_loss": self.mean,
            "standard_error": self.standard_error,
            "training_loss": self.training,
        }
        for name in self.metrics:
            columns[name], columns[f"{name}_standard_error"] = self.score(name)
        return pd.DataFrame(columns | {"law": self.law(self.sizes.astype(float))})

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        twice = self.doubling
        return {
            "task": self.task,
            "metric": self.metric,
            "sizes": self.to_frame().to_dict(orient="records"),
            "folds": {name: values.tolist() for name, values in self.metrics.items()},
            "law": {"a": self.law.a, "b": self.law.b, "c": self.law.c},
            "doubling": {
                "rows": twice.rows,
                "now": twice.now,
                "loss": twice.loss,
                "difference": twice.difference,
                "interval": list(twice.interval),
            },
            "class_counts": None if self.class_counts is None else {str(k): n for k, n in self.class_counts.items()},
            "advice": self.advice(),
        }

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the first metric against the rows, with standard errors, and the law up to twice as many.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; new ones by default.

        Returns
        -------
        matplotlib Axes
            Where it was drawn.
        """
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.figure().subplots()
        n = np.geomspace(self.sizes[0], 2 * self.sizes[-1], 60)
        low, high = np.array([self.interval(each) for each in n]).T
        axes.fill_between(n, low, high, color="#E69F00", alpha=0.25, linewidth=0, label="95 % interval of the law")
        axes.plot(n, self.law(n), linestyle=(0, (5, 2)), color="#0072B2", linewidth=1.6, label="power law")
        means, errors = self.score(self.metric)
        # The colours of `History.plot`.
        axes.errorbar(self.sizes, means, errors, fmt="o-", color="#000000", markersize=4, capsize=2, label="validation")
        axes.set_xscale("log", base=2)
        axes.set_xticks([*self.sizes.tolist(), 2 * int(self.sizes[-1])])
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.set_xlabel("rows trained on")
        axes.set_ylabel(METRIC_WORDS[self.metric])
        axes.legend()
        return axes

    def __repr__(self) -> str:
        law = f"{self.law.a:.3g} + {self.law.b:.3g} * n**-{self.law.c:.3g}"
        first, last = (self.metrics[self.metric][at].mean() for at in (0, -1))
        return (
            f"LearningCurve({self.sizes[0]} to {self.sizes[-1]} rows, {self.metric} {first:.4g} to {last:.4g}, "
            f"law {law})"
        )


def _like(value: float, difference: float) -> str:
    """Return a value with the decimals that show two digits of a difference, and its own three digits at least."""
    needed = int(np.ceil(np.log10(abs(value / difference)))) + 2 if difference else 3
    return plain(value, min(max(needed, 3), 6))


def _signed(value: float) -> str:
    text = plain(value, 2)
    return f"+{text}" if value > 0 else text
