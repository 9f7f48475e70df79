"""Which fit: cross-validation, the choice among recipes, and paired comparison.

`fit_table` is the main job from end to end; `compare` says which regularizers make a difference beyond noise. This
room knows nothing of estimators, files or screens.
"""

from taut.selection.compare import Comparison, compare
from taut.selection.cross_validation import Candidate, cross_validate
from taut.selection.fit_table import Entry, FitResult, fit_table
from taut.selection.rows import Rows

__all__ = ["Candidate", "Comparison", "Entry", "FitResult", "Rows", "compare", "cross_validate", "fit_table"]
