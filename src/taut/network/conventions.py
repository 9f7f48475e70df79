"""Conventions: which L2 strength a number means, and how to convert it.

taut's `lam` multiplies ``sum(w**2)`` beside a *mean* data loss. Other books and libraries halve it, divide it by the
number of samples, or mean the factor in the update of the weights. All of them describe the same family of objectives;
a table of factors converts between any two. Floor 2 of the house; knows nothing else.

| convention | the objective adds | who uses it |
|---|---|---|
| "taut" | ``lam * sum(w**2)`` | taut, Keras ``regularizers.L2`` |
| "half" | ``lam / 2 * sum(w**2)`` | textbooks; the coupled ``weight_decay`` of PyTorch's SGD and Adam |
| "lambda/2n" | ``lam / (2 n) * sum(w**2)`` | course notes that sum over n samples |
| "lambda/n" | ``lam / n * sum(w**2)`` | a *summed* data loss with ``lam * sum(w**2)``, divided by n |
| "sklearn" | ``alpha / (2 n) * sum(w**2)`` | scikit-learn ``MLPClassifier(alpha=...)``, n the size of the batch |

Decoupled weight decay (AdamW) is not in the table: it shrinks by ``lr * weight_decay`` at every step outside of Adam's
scaling, so it is no penalty of any strength. Under plain SGD, where it is one, it equals "half".
"""

from __future__ import annotations

from taut.checks import check_choice, check_number
from taut.errors import InvalidValue

__all__ = ["CONVENTIONS", "convert", "equivalents"]

# For each convention: the factor of sum(w**2) per unit of strength, and whether it is divided by the samples.
CONVENTIONS: dict[str, tuple[float, bool]] = {
    "taut": (1.0, False),
    "half": (0.5, False),
    "lambda/2n": (0.5, True),
    "lambda/n": (1.0, True),
    "sklearn": (0.5, True),
}


def convert(strength: float, *, source: str, target: str = "taut", n_samples: int | None = None) -> float:
    """Convert an L2 strength from one convention to another.

    Parameters
    ----------
    strength : float
        The number to convert.
    source, target : {"taut", "half", "lambda/2n", "lambda/n", "sklearn"}
        The convention it is in, and the one it is wanted in.
    n_samples : int, optional
        The number of samples n; needed if just one of the conventions divides by it. For "sklearn" that is the number
        of samples in a batch.

    Returns
    -------
    float
        The strength that gives the same objective.

    Raises
    ------
    InvalidValue
        If a convention is unknown, or `n_samples` is needed and missing.

    Examples
    --------
    >>> convert(1e-4, source="half")
    5e-05
    >>> convert(0.5, source="lambda/2n", n_samples=100)
    0.0025
    """
    check_number("strength", strength, at_least=0)
    check_choice("source", source, CONVENTIONS)
    check_choice("target", target, CONVENTIONS)
    (source_factor, source_divides), (target_factor, target_divides) = CONVENTIONS[source], CONVENTIONS[target]
    converted = strength * source_factor / target_factor
    if source_divides == target_divides:
        return converted
    if n_samples is None:
        raise InvalidValue(f"converting from {source!r} to {target!r} needs n_samples, got None")
    check_number("n_samples", n_samples, at_least=1, integer=True)
    return converted / n_samples if source_divides else converted * n_samples


def equivalents(lam: float, n_samples: int) -> dict[str, float]:
    """Return a strength of taut's convention in every convention.

    Parameters
    ----------
    lam : float
        Strength in taut's convention.
    n_samples : int
        The number of samples.

    Returns
    -------
    dict of str to float
        One strength a convention.

    Examples
    --------
    >>> equivalents(0.001, 100)["sklearn"]
    0.2
    """
    return {name: convert(lam, source="taut", target=name, n_samples=n_samples) for name in CONVENTIONS}
