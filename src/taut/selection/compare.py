"""`compare`: whether a regularizer makes a difference, or it is noise.

Each seed draws a split and first weights; all arms of a seed share both, so that they are compared in pairs. Random
splits of one table overlap, which makes plain t-tests far too sure of themselves: the variance of the mean is
corrected for that (Nadeau and Bengio, 2003), and the p-values for the number of arms (Holm, 1979). Floor 5 of the
house.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import check_number
from taut.data.numeric_targets import numeric_target
from taut.data.splits import hold_out
from taut.errors import NonFiniteLoss
from taut.selection.candidates import ARMS
from taut.selection.crew import Crew, Report
from taut.selection.cross_validation import outcomes_on
from taut.selection.folds import Folds
from taut.selection.objectives import METRICS
from taut.training.model import Table
from taut.training.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Arm", "Comparison", "compare"]


@dataclass(frozen=True)
class Arm:
    """One way to regularize, against none.

    Attributes
    ----------
    name, detail : str
        Which, and its strengths.
    train, validation : dict of str to float
        For each metric, the mean over the seeds.
    gap : float
        Mean of validation minus training in the first metric.
    difference : float
        Mean over the seeds of the first metric on validation, this arm minus no regularization; below zero is better.
    interval : tuple of float
        Its 95 % confidence interval, with the corrected variance.
    p_value : float
        Two-sided, corrected for the number of arms.
    wins : int
        Seeds in which the arm was better.
    verdict : {"better", "worse", "within noise", ""}
        Beyond noise if `p_value` is below 0.05; empty for the arm without regularization.
    """

    name: str
    detail: str
    train: dict[str, float]
    validation: dict[str, float]
    gap: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    wins: int
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    arms : list of Arm
        The first one is no regularization.
    metrics : tuple of str
        The first one decides.
    seeds : int
        Pairs.
    scores : dict of str to ndarray, shape (seeds,)
        For each arm, the first metric on validation.
    """

    arms: list[Arm]
    metrics: tuple[str, ...]
    seeds: int
    scores: dict[str, np.ndarray]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "metrics": list(self.metrics),
            "seeds": self.seeds,
            "arms": [asdict(arm) for arm in self.arms],
            "scores": {name: values.tolist() for name, values in self.scores.items()},
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the scores as a pandas DataFrame, one row a seed and one column an arm."""
        import pandas as pd

        return pd.DataFrame(self.scores).rename_axis("seed")


def compare(
    X: Table,
    y: Any,
    *,
    task: str,
    recipe: Recipe | None = None,
    arms: Mapping[str, Mapping[str, Any]] = ARMS,
    seeds: int = 10,
    validation_size: float = 0.25,
    groups: Any = None,
    time: Any = None,
    n_jobs: int | None = None,
    backend: str | None = None,
    report: Report | None = None,
) -> Comparison:
    """Train with and without each regularizer, on the same splits and from the same first weights.

    Parameters
    ----------
    X, y
        The table without the target, and the target.
    task : {"classification", "regression"}
        What to fit.
    recipe : Recipe, optional
        What the arms share; its own regularization is taken out.
    arms : mapping of str to mapping, default ARMS
        For each arm, the recipe fields that it changes; the first must change none.
    seeds : int, default 10
        Pairs; at least 2.
    validation_size : float, default 0.25
        Share of the rows that each split validates on.
    groups, time
        See `taut.data.hold_out`. With `time` there is only one split, and the seeds differ in first weights only.
    n_jobs : int, optional
        Threads, or workers; as many as there are cores by default. The result does not depend on it.
    backend : str, optional
        A backend of joblib, to share the work with processes or other machines; by default it is threads.
    report : callable, optional
        Told ``(fits done, fits planned, words)``.

    Returns
    -------
    Comparison
        Scores, differences, intervals and verdicts.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003; S. Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.

    Examples
    --------
    >>> from taut.data import load_sample
    >>> frame, target = load_sample("wine")
    >>> found = compare(frame.drop(columns=target), frame[target], task="classification", seeds=2, n_jobs=1,
    ...                 recipe=Recipe(epochs=5), arms={"none": {}, "L2": {"l2": 1.0}})
    >>> found.arms[1].difference > 0
    True
    """
    check_number("seeds", seeds, at_least=2, integer=True)
    if task == "regression":
        import pandas as pd

        y = numeric_target(y if isinstance(y, pd.Series) else pd.Series(y))
    bare = (recipe or Recipe()).unregularized()
    splits = [
        hold_out(X, y, test_size=validation_size, task=task, groups=groups, time=time, seed=seed)
        for seed in range(seeds)
    ]
    recipes = [[replace(bare, seed=seed, **changes) for seed in range(seeds)] for changes in arms.values()]
    found = outcomes_on(Folds(X, y, task, splits), recipes, crew=Crew(n_jobs, backend), report=report)
    lost = sum(outcome.diverged for outcomes in found for outcome in outcomes)
    if lost:
        raise NonFiniteLoss(f"training diverged in {lost} fits; lower learning_rate ({bare.learning_rate:g})")
    scores = {
        name: [(outcome.training_metrics, outcome.metrics) for outcome in outcomes]
        for name, outcomes in zip(arms, found, strict=True)
    }
    first = METRICS[task][0]
    on_validation = {name: np.array([held[first] for _, held in pairs]) for name, pairs in scores.items()}
    train_rows, held_rows = (len(rows) for rows in splits[0])
    tests = _paired_tests(list(on_validation.values()), held_rows / train_rows)
    return Comparison(
        arms=[
            _arm(name, replace(bare, **changes).describe(), scores[name], METRICS[task], *test, is_first=index == 0)
            for index, ((name, changes), test) in enumerate(zip(arms.items(), tests, strict=True))
        ],
        metrics=METRICS[task],
        seeds=seeds,
        scores=on_validation,
    )


Scores = dict[str, float]


def _paired_tests(
    scores: Sequence[np.ndarray], held_per_train: float
) -> list[tuple[float, tuple[float, float], float, int]]:
    """Return for each arm its mean difference from the first, the interval, the corrected p-value, and the wins."""
    from scipy.stats import t

    found, p_values = [], []
    for values in scores:
        differences = values - scores[0]
        n = len(differences)
        # Nadeau and Bengio (2003), equation (9): overlapping training sets add held / train to 1 / n.
        error = float(np.sqrt((1.0 / n + held_per_train) * differences.var(ddof=1)))
        mean, reach = float(differences.mean()), float(t.ppf(0.975, n - 1)) * error
        p_values.append(float(2.0 * t.sf(abs(mean) / error, n - 1)) if error > 0 else 1.0)
        found.append((mean, (mean - reach, mean + reach), int((differences < 0).sum())))
    corrected = [1.0, *_holm(p_values[1:])]
    return [(mean, interval, p, wins) for (mean, interval, wins), p in zip(found, corrected, strict=True)]


def _holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number."""
    order = np.argsort(p_values)
    corrected = np.empty(len(p_values))
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected.tolist()


def _arm(
    name: str,
    detail: str,
    scores: Sequence[tuple[Scores, Scores]],
    metrics: tuple[str, ...],
    difference: float,
    interval: tuple[float, float],
    p_value: float,
    wins: int,
    *,
    is_first: bool,
) -> Arm:
    train, validation = (
        {metric: float(np.mean([pair[side][metric] for pair in scores])) for metric in metrics} for side in (0, 1)
    )
    verdict = "within noise" if p_value >= 0.05 else "better" if difference < 0 else "worse"
    gap = validation[metrics[0]] - train[metrics[0]]
    return Arm(name, detail, train, validation, gap, difference, interval, p_value, wins, "" if is_first else verdict)
