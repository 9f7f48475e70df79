"""What stability selection found: how often each input was selected, what is stable, and how much of it may be chance.

Floor 5 of the house; knows nothing of training, files or screens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["StabilitySelection"]

# So many lines of a plot have a name.
_NAMED = 12


@dataclass(frozen=True, eq=False)
class StabilitySelection:
    """How often inputs were selected on random halves of the rows.

    Attributes
    ----------
    penalty : str
        What selected.
    values : ndarray, shape (values,)
        Its strengths, from the largest to the smallest.
    input_names : list of str
        The p inputs, as the columns of the table are encoded.
    column_of : list of str
        The column that each input comes from.
    column_names : list of str
        The columns that have inputs.
    frequencies : ndarray, shape (values, inputs)
        In which share of the halves each input was selected.
    column_frequencies : ndarray, shape (values, columns)
        In which share of the halves at least one input of a column was.
    selected : float
        The mean number of inputs that a half selected at any of the values, q.
    n_subsamples : int
        How many halves there were.
    threshold : float
        From what frequency on an input is stable.

    References
    ----------
    N. Meinshausen and P. Bühlmann, "Stability selection", Journal of the Royal Statistical Society B 72, 2010.
    """

    penalty: str
    values: np.ndarray
    input_names: list[str]
    column_of: list[str]
    column_names: list[str]
    frequencies: np.ndarray
    column_frequencies: np.ndarray
    selected: float
    n_subsamples: int
    threshold: float

    @property
    def frequency(self) -> dict[str, float]:
        """For each input, the largest of its frequencies over the values, the highest first."""
        return _falling(self.input_names, self.frequencies)

    @property
    def column_frequency(self) -> dict[str, float]:
        """For each column, the largest of its frequencies over the values, the highest first."""
        return _falling(self.column_names, self.column_frequencies)

    @property
    def stable(self) -> list[str]:
        """The inputs whose frequency reaches the threshold, the highest first."""
        return [name for name, frequency in self.frequency.items() if frequency >= self.threshold]

    @property
    def stable_columns(self) -> list[str]:
        """The columns whose frequency reaches the threshold, the highest first."""
        return [name for name, frequency in self.column_frequency.items() if frequency >= self.threshold]

    @property
    def false_selections(self) -> float:
        """The bound on how many inputs that do not matter are expected to be stable.

        It is ``q**2 / ((2 * threshold - 1) * p)``, and holds if inputs that do not matter are exchangeable and the
        selection is not worse than guessing (theorem 1 of Meinshausen & Bühlmann). It is loose; where it is larger than
        the number of stable inputs, it says nothing.
        """
        return self.selected**2 / ((2.0 * self.threshold - 1.0) * len(self.input_names))

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas DataFrame, one row an input, the most often selected first."""
        import pandas as pd

        columns, frequency = dict(zip(self.input_names, self.column_of, strict=True)), self.frequency
        return pd.DataFrame(
            {
                "input": list(frequency),
                "column": [columns[name] for name in frequency],
                "frequency": list(frequency.values()),
                "column_frequency": [self.column_frequency[columns[name]] for name in frequency],
                "stable": [value >= self.threshold for value in frequency.values()],
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {
            "penalty": self.penalty,
            "values": self.values.tolist(),
            "inputs": self.to_frame().to_dict(orient="records"),
            "frequencies": dict(zip(self.input_names, self.frequencies.T.tolist(), strict=True)),
            "columns": self.column_frequency,
            "stable": self.stable,
            "stable_columns": self.stable_columns,
            "threshold": self.threshold,
            "n_subsamples": self.n_subsamples,
            "selected": self.selected,
            "false_selections": self.false_selections,
        }

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the frequency of each input against the strength: the stability paths.

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
        stable = self.stable
        for name, path in zip(self.input_names, self.frequencies.T, strict=True):
            if name not in stable:
                axes.plot(self.values, path, color="#999999", linewidth=0.8)
        for place, name in enumerate(stable):
            path = self.frequencies[:, self.input_names.index(name)]
            axes.plot(self.values, path, linewidth=1.6, label=name if place < _NAMED else None)
        axes.axhline(self.threshold, color="#000000", linestyle=(0, (1, 1.2)), linewidth=1.0)
        axes.set_xscale("log")
        axes.invert_xaxis()
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel(f"strength of {self.penalty}")
        axes.set_ylabel("share of halves that select it")
        if stable:
            axes.legend(title="stable", loc="upper left")
        return axes

    def __repr__(self) -> str:
        return (
            f"StabilitySelection({self.penalty}, {self.n_subsamples} halves × {len(self.values)} values, "
            f"{len(self.stable)} of {len(self.input_names)} inputs stable at {self.threshold:g}, "
            f"at most {self.false_selections:.2g} of them expected by chance)"
        )


def _falling(names: list[str], frequencies: np.ndarray) -> dict[str, float]:
    most = frequencies.max(axis=0)
    return {names[place]: float(most[place]) for place in np.argsort(-most, kind="stable")}
