"""Which fit: cross-validation, regularization paths, searches from coarse to fine, and paired comparison.

`fit_table` is the main job from end to end; `compare` says which regularizers make a difference beyond noise. This
room knows nothing of estimators, files or screens.
"""

from taut.selection.blending import Blend
from taut.selection.choosing import Chosen, choose
from taut.selection.compare import Comparison, compare
from taut.selection.cross_validation import Candidate, cross_validate
from taut.selection.fit_result import Entry, FitResult
from taut.selection.fit_table import fit_table
from taut.selection.frequencies import StabilitySelection
from taut.selection.growth import LearningCurve
from taut.selection.importance import Importance, permutation_importance
from taut.selection.learning_curve import learning_curve
from taut.selection.nested import Nested, nested_cross_validation
from taut.selection.path import regularization_path
from taut.selection.path_result import RegularizationPath
from taut.selection.reliability import Reliability, reliability
from taut.selection.rows import Rows
from taut.selection.search import search
from taut.selection.search_result import SearchResult
from taut.selection.space import Choice, Range
from taut.selection.stability import stability_selection
from taut.selection.trials import Trial

__all__ = [
    "Blend",
    "Candidate",
    "Choice",
    "Chosen",
    "Comparison",
    "Entry",
    "FitResult",
    "Importance",
    "LearningCurve",
    "Nested",
    "Range",
    "RegularizationPath",
    "Reliability",
    "Rows",
    "SearchResult",
    "StabilitySelection",
    "Trial",
    "choose",
    "compare",
    "cross_validate",
    "fit_table",
    "learning_curve",
    "nested_cross_validation",
    "permutation_importance",
    "regularization_path",
    "reliability",
    "search",
    "stability_selection",
]
