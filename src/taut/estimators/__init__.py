"""Estimators: scikit-learn's contract over a recipe, or over a regularization path of recipes.

`TautClassifier` and `TautRegressor` fit the recipe that their parameters say; `TautClassifierCV` and `TautRegressorCV`
choose one strength of it by cross-validation first. Floor 6 of the house; knows nothing of files or screens.
"""

from taut.estimators.cross_validated import TautClassifierCV, TautRegressorCV
from taut.estimators.plain import TautClassifier, TautRegressor

__all__ = ["TautClassifier", "TautClassifierCV", "TautRegressor", "TautRegressorCV"]
