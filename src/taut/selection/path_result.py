"""What a regularization path found: the curve of the loss, both choices, the weights, and which inputs are left.

Floor 5 of the house; knows nothing of how it was found.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import check_choice
from taut.errors import InvalidValue
from taut.selection.axes import Axis
from taut.selection.crew import Crew, Report
from taut.selection.fold_models import fold_models
from taut.selection.walk import Walk
from taut.training.ensemble import Ensemble
from taut.training.model import Model, fit_model
from taut.training.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["RULES", "RegularizationPath"]

RULES = ("min", "1se")


@dataclass(frozen=True, eq=False)
class RegularizationPath:
    """What a regularization path found, a row a value, from the most to the least regularized.

    Attributes
    ----------
    penalty : str
        Along what the path goes.
    values : ndarray, shape (values,)
        The values.
    recipes : list of Recipe
        The recipe at each value.
    losses : ndarray, shape (values, folds)
        Data loss on the validation rows of each fold after the last epoch; for regression, of the standardized target.
    mean, standard_error : ndarray, shape (values,)
        Mean of `losses` over the folds, and its standard error.
    metrics : dict of str to ndarray, shape (values, folds)
        Each metric on the validation rows.
    training : ndarray, shape (values,)
        Data loss on the training rows with all noise off, mean over the folds.
    penalties : ndarray, shape (values,)
        The penalty at the end of training, mean over the folds.
    norms, zeros : ndarray, shape (values, layers)
        Norm of the weights of each layer with parameters, and its share of exact zeros, mean over the folds.
    best_epoch : ndarray of int, shape (values,)
        Where the mean validation loss was lowest, counted from 0; the last epoch is what counts.
    input_names : list of str
        The network's inputs, as the columns of the table were encoded on all rows.
    input_norms : ndarray, shape (values, inputs), or None
        Norm of the weights by which each input enters the first layer, in a fit to all rows; for a penalty that brings
        weights to zero.
    index_min, index_1se : int
        Where the mean is lowest; and the most regularized value whose mean is within one standard error of that. Where
        neither direction of the axis regularizes more, such as for a learning rate, they are the same.
    metric_names : tuple of str
        The first one belongs to the loss.

    References
    ----------
    J. Friedman, T. Hastie and R. Tibshirani, "Regularization paths for generalized linear models via coordinate
    descent", Journal of Statistical Software 33, 2010; the rule of one standard error: L. Breiman, J. Friedman,
    R. Olshen and C. Stone, "Classification and regression trees", 1984, section 3.4.3.
    """

    penalty: str
    axis: Axis
    values: np.ndarray
    recipes: list[Recipe]
    losses: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray
    metrics: dict[str, np.ndarray]
    training: np.ndarray
    penalties: np.ndarray
    norms: np.ndarray
    zeros: np.ndarray
    best_epoch: np.ndarray
    input_names: list[str]
    input_norms: np.ndarray | None
    index_min: int
    index_1se: int
    metric_names: tuple[str, ...]
    _walk: Walk | None = field(repr=False)

    @property
    def value_min(self) -> float:
        """The value with the lowest mean validation loss."""
        return self.values[self.index_min].item()

    @property
    def value_1se(self) -> float:
        """The most regularized value whose mean is within one standard error of the lowest."""
        return self.values[self.index_1se].item()

    @property
    def inputs_used(self) -> np.ndarray | None:
        """How many inputs have a weight that is not zero, for each value, in a fit to all rows; None if not asked."""
        return None if self.input_norms is None else np.count_nonzero(self.input_norms, axis=1)

    @property
    def entry_order(self) -> list[str]:
        """The inputs in the order in which they enter as the penalty weakens; those that never do are left out.

        Inputs that enter at the same value stand in the order of their norms there.

        Raises
        ------
        InvalidValue
            If the penalty brings no weights to zero.
        """
        if self.input_norms is None:
            raise InvalidValue(f"along {self.penalty!r} inputs do not enter one by one; take 'group' or 'l1'")
        used = self.input_norms > 0
        first = np.where(used.any(axis=0), used.argmax(axis=0), len(self.values))
        norms = [self.input_norms[min(at, len(self.values) - 1), place] for place, at in enumerate(first)]
        order = sorted(range(len(first)), key=lambda place: (first[place], -norms[place]))
        return [self.input_names[place] for place in order if first[place] < len(self.values)]

    def index(self, rule: str | float = "1se") -> int:
        """Return the position that a rule chooses, or that of one of the values."""
        if not isinstance(rule, str):
            near = np.flatnonzero(np.isclose(self.values, rule, rtol=1e-3, atol=0.0))
            if not len(near):
                raise InvalidValue(f"{rule!r} is not one of the values of the path")
            return int(near[0])
        check_choice("rule", rule, RULES)
        return self.index_min if rule == "min" else self.index_1se

    def recipe(self, rule: str | float = "1se") -> Recipe:
        """Return the recipe that a rule chooses, "1se" or "min", or that of one of the values."""
        return self.recipes[self.index(rule)]

    def scores(self, rule: str | float = "1se") -> dict[str, tuple[float, float]]:
        """Return for each metric its mean over the folds, and standard error, at the value that a rule chooses."""
        folds, at = self._its_walk().folds, self.index(rule)
        return {name: folds.mean_and_error(values[at]) for name, values in self.metrics.items()}

    @property
    def cross_validated(self) -> dict[str, tuple[float, float]]:
        """The `scores` of what `refit` fits by default."""
        return self.scores()

    def refit(self, rule: str | float = "1se", *, progress: bool = False, interruptible: bool = True) -> Model:
        """Fit the chosen recipe to all rows; with warm starts, walk again along the path on all rows.

        Parameters
        ----------
        rule : {"1se", "min"} or float
            Which value to take: by a rule, or one of `values`.
        progress, interruptible
            See `train`; a walk shows no line.

        Returns
        -------
        Model
            The fitted model.
        """
        walk = self._its_walk()
        if walk.warm_start:
            return walk.models(self.index(rule), [walk.on_all])[0]
        folds = walk.folds
        return fit_model(
            self.recipe(rule),
            folds.X,
            folds.y,
            task=folds.task,
            sample_weight=folds.sample_weight,
            class_weight=folds.class_weight,
            progress=progress,
            interruptible=interruptible,
        )

    def ensemble(
        self,
        rule: str | float = "1se",
        *,
        n_jobs: int | None = None,
        backend: str | None = None,
        report: Report | None = None,
    ) -> Ensemble:
        """Fit the chosen recipe to the training rows of each fold, and keep the models as an ensemble.

        `mean` is what to expect of one such network. Of the ensemble these folds give no honest estimate: each row was
        trained on by all of its models but one, or with `repeats`, by most. It takes rows that none of them has seen.

        Parameters
        ----------
        rule : {"1se", "min"}
            Which value to take.
        n_jobs, backend, report
            See `regularization_path`.

        Returns
        -------
        Ensemble
            Of one model a fold, in the order of the folds.

        Raises
        ------
        NonFiniteLoss
            If training diverged on a fold.
        """
        walk, crew = self._its_walk(), Crew(n_jobs, backend)
        if walk.warm_start:
            return Ensemble(tuple(walk.models(self.index(rule), range(walk.on_all), crew, report)))
        folds = replace(walk.folds, splits=walk.folds.splits[: walk.on_all])
        return fold_models(self.recipe(rule), folds, crew=crew, report=report)

    def without_table(self) -> RegularizationPath:
        """Return the path without the table it was made on, which nobody expects in a copy or in a file.

        What it found is still there; `refit`, `ensemble` and `scores` are not.
        """
        return replace(self, _walk=None)

    def _its_walk(self) -> Walk:
        if self._walk is None:
            raise InvalidValue("this path was kept without its table, on which nothing can be fitted any more")
        return self._walk

    def to_frame(self) -> pd.DataFrame:
        """Return the path as a pandas DataFrame, one row a value."""
        import pandas as pd

        columns: dict[str, Any] = {
            self.axis.field if self.axis.l1_ratio is None else "strength": self.values,
            "validation_loss": self.mean,
            "standard_error": self.standard_error,
            "training_loss": self.training,
        }
        columns |= {name: values.mean(axis=1) for name, values in self.metrics.items()}
        columns |= {"penalty": self.penalties, "best_epoch": self.best_epoch}
        for layer in range(self.norms.shape[1]):
            columns |= {f"weight_norm_{layer}": self.norms[:, layer], f"zeros_{layer}": self.zeros[:, layer]}
        if self.inputs_used is not None:
            columns["inputs_used"] = self.inputs_used
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values, None for what is not finite."""
        frame = self.to_frame().astype(object)
        rows = frame.where(np.isfinite(frame.astype(float)), None).to_dict(orient="records")
        sparse = self.input_norms is not None
        return {
            "penalty": self.penalty,
            "value_min": self.value_min,
            "value_1se": self.value_1se,
            "index_min": self.index_min,
            "index_1se": self.index_1se,
            "metrics": list(self.metric_names),
            "values": rows,
            **({"entry_order": self.entry_order} if sparse else {}),
        }

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the mean validation loss with its standard error against the strength, both choices marked.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; new ones by default.

        Returns
        -------
        matplotlib Axes
            Where it was drawn.
        """
        from taut.selection.path_figures import plot_losses

        return plot_losses(self, axes)

    def plot_weights(self, axes: Axes | None = None) -> Axes:
        """Draw the norm of each layer's weights, or where inputs enter, of each input's, against the strength."""
        from taut.selection.path_figures import plot_weights

        return plot_weights(self, axes)

    def __repr__(self) -> str:
        best, simple = self.mean[self.index_min], self.mean[self.index_1se]
        return (
            f"RegularizationPath({self.penalty}, {len(self.values)} values × {self.losses.shape[1]} folds, "
            f"min {self.value_min:.3g} (loss {best:.4g}), 1se {self.value_1se:.3g} (loss {simple:.4g}))"
        )
