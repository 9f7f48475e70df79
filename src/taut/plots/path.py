"""A path: the losses along the strengths of a regularizer, and what becomes of the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from taut.checks import check_choice
from taut.plots.style import axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from taut.selection.path_result import RegularizationPath

__all__ = ["PathDisplay"]


@dataclass
class PathDisplay:
    """A regularization path.

    Parameters
    ----------
    path : RegularizationPath
        What `regularization_path` found.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn.

    Examples
    --------
    >>> from taut import Recipe, load_sample, regularization_path
    >>> frame, target = load_sample("wine")
    >>> X, y = frame.drop(columns=target), frame[target]
    >>> path = regularization_path(Recipe(epochs=20), X, y, n_values=5, cv=3)
    >>> PathDisplay.from_path(path).plot().ax_.get_ylabel()
    'data loss'
    """

    path: RegularizationPath
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_path(cls, path: RegularizationPath) -> Self:
        """Return the display of a path."""
        return cls(path)

    def plot(self, ax: Axes | None = None, *, what: str = "losses") -> Self:
        """Draw the losses, as `path.plot` does, or the weights, as `path.plot_weights` does.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; new ones by default.
        what : {"losses", "weights"}
            Which of the two.
        """
        check_choice("what", what, ("losses", "weights"))
        draw = self.path.plot if what == "losses" else self.path.plot_weights
        self.ax_ = draw(axes_of(ax))
        self.figure_ = self.ax_.get_figure(root=True)  # type: ignore[assignment]
        return self
