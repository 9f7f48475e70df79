"""taut: small neural networks for tables that choose their own regularization and prove it.

Everything that a program needs is named here and lives in a room below (docs/architecture.md). A name is loaded from
its room when it is first used, so that ``import taut`` costs next to nothing: NumPy, scikit-learn, pandas and the
drawing libraries arrive with the first name that needs them (PEP 562).

Examples
--------
>>> from taut import Dense, L2, Network, ReLU
>>> network = Network([Dense(64, weight_penalty=L2(5e-4)), ReLU(), Dense(3)])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taut.data import Augmentation as Augmentation
    from taut.data import load_sample as load_sample
    from taut.data import spiral as spiral
    from taut.errors import DataError as DataError
    from taut.errors import InvalidType as InvalidType
    from taut.errors import InvalidValue as InvalidValue
    from taut.errors import ModelFileError as ModelFileError
    from taut.errors import NonFiniteLoss as NonFiniteLoss
    from taut.errors import TautError as TautError
    from taut.estimators import TautClassifier as TautClassifier
    from taut.estimators import TautClassifierCV as TautClassifierCV
    from taut.estimators import TautRegressor as TautRegressor
    from taut.estimators import TautRegressorCV as TautRegressorCV
    from taut.network import ELU as ELU
    from taut.network import EMA as EMA
    from taut.network import GELU as GELU
    from taut.network import L1 as L1
    from taut.network import L2 as L2
    from taut.network import SELU as SELU
    from taut.network import SGD as SGD
    from taut.network import SWA as SWA
    from taut.network import Activation as Activation
    from taut.network import Adagrad as Adagrad
    from taut.network import Adam as Adam
    from taut.network import AdamW as AdamW
    from taut.network import BatchNorm as BatchNorm
    from taut.network import BinaryCrossEntropy as BinaryCrossEntropy
    from taut.network import CategoricalCrossEntropy as CategoricalCrossEntropy
    from taut.network import CategoryEmbedding as CategoryEmbedding
    from taut.network import Constant as Constant
    from taut.network import Cosine as Cosine
    from taut.network import CosineLog as CosineLog
    from taut.network import CosineRestarts as CosineRestarts
    from taut.network import CrossEntropy as CrossEntropy
    from taut.network import Dense as Dense
    from taut.network import Dropout as Dropout
    from taut.network import Exponential as Exponential
    from taut.network import GaussianNoise as GaussianNoise
    from taut.network import GlorotNormal as GlorotNormal
    from taut.network import GlorotUniform as GlorotUniform
    from taut.network import GroupL1 as GroupL1
    from taut.network import HeNormal as HeNormal
    from taut.network import HeUniform as HeUniform
    from taut.network import Huber as Huber
    from taut.network import Identity as Identity
    from taut.network import Initializer as Initializer
    from taut.network import InverseTime as InverseTime
    from taut.network import Layer as Layer
    from taut.network import LayerNorm as LayerNorm
    from taut.network import LeakyReLU as LeakyReLU
    from taut.network import LeCunNormal as LeCunNormal
    from taut.network import LeCunUniform as LeCunUniform
    from taut.network import Loss as Loss
    from taut.network import MaxNorm as MaxNorm
    from taut.network import MeanAbsoluteError as MeanAbsoluteError
    from taut.network import MeanSquaredError as MeanSquaredError
    from taut.network import Mish as Mish
    from taut.network import Network as Network
    from taut.network import NonNegative as NonNegative
    from taut.network import Normal as Normal
    from taut.network import Optimizer as Optimizer
    from taut.network import Orthogonal as Orthogonal
    from taut.network import Orthogonality as Orthogonality
    from taut.network import Penalty as Penalty
    from taut.network import PeriodicEmbedding as PeriodicEmbedding
    from taut.network import ReLU as ReLU
    from taut.network import RMSprop as RMSprop
    from taut.network import Scale as Scale
    from taut.network import Schedule as Schedule
    from taut.network import Shortcut as Shortcut
    from taut.network import Sigmoid as Sigmoid
    from taut.network import SigmoidCrossEntropy as SigmoidCrossEntropy
    from taut.network import SiLU as SiLU
    from taut.network import Snapshots as Snapshots
    from taut.network import Softmax as Softmax
    from taut.network import Tanh as Tanh
    from taut.network import Uniform as Uniform
    from taut.network import WarmUp as WarmUp
    from taut.network import Zeros as Zeros
    from taut.network import conventions as conventions
    from taut.random import Random as Random
    from taut.selection import Choice as Choice
    from taut.selection import Chosen as Chosen
    from taut.selection import Importance as Importance
    from taut.selection import LearningCurve as LearningCurve
    from taut.selection import Nested as Nested
    from taut.selection import Range as Range
    from taut.selection import RegularizationPath as RegularizationPath
    from taut.selection import SearchResult as SearchResult
    from taut.selection import StabilitySelection as StabilitySelection
    from taut.selection import choose as choose
    from taut.selection import learning_curve as learning_curve
    from taut.selection import nested_cross_validation as nested_cross_validation
    from taut.selection import permutation_importance as permutation_importance
    from taut.selection import regularization_path as regularization_path
    from taut.selection import search as search
    from taut.selection import stability_selection as stability_selection
    from taut.storage import load as load
    from taut.storage import save as save
    from taut.training import Callback as Callback
    from taut.training import EarlyStopping as EarlyStopping
    from taut.training import Ensemble as Ensemble
    from taut.training import FinishedRun as FinishedRun
    from taut.training import History as History
    from taut.training import PlannedRun as PlannedRun
    from taut.training import Recipe as Recipe
    from taut.training import train as train
    from taut.training import train_many as train_many

__version__ = "0.1.0"

# The rooms, and what each offers by name. The imports above say the same to type checkers.
_OFFERED = {
    "taut.errors": "DataError InvalidType InvalidValue ModelFileError NonFiniteLoss TautError",
    "taut.random": "Random",
    "taut.data": "Augmentation load_sample spiral",
    "taut.network": (
        "Network Layer Dense Dropout GaussianNoise LayerNorm BatchNorm Shortcut conventions"
        " PeriodicEmbedding CategoryEmbedding Scale"
        " Activation Identity ReLU LeakyReLU ELU SELU GELU SiLU Mish Sigmoid Tanh Softmax"
        " Loss CrossEntropy CategoricalCrossEntropy SigmoidCrossEntropy BinaryCrossEntropy"
        " MeanSquaredError MeanAbsoluteError Huber"
        " Penalty L1 L2 GroupL1 MaxNorm NonNegative Orthogonality"
        " Optimizer SGD Adagrad RMSprop Adam AdamW"
        " EMA SWA Snapshots"
        " Schedule Constant InverseTime Exponential Cosine CosineRestarts CosineLog WarmUp"
        " Initializer Normal HeNormal HeUniform GlorotNormal GlorotUniform LeCunNormal LeCunUniform Orthogonal"
        " Uniform Zeros"
    ),
    "taut.training": "Callback EarlyStopping Ensemble FinishedRun History PlannedRun Recipe train train_many",
    "taut.selection": (
        "LearningCurve learning_curve Nested nested_cross_validation RegularizationPath regularization_path"
        " Importance permutation_importance"
        " StabilitySelection stability_selection SearchResult search Range Choice choose Chosen"
    ),
    "taut.estimators": "TautClassifier TautClassifierCV TautRegressor TautRegressorCV",
    "taut.storage": "load save",
}
_ROOM = {name: room for room, names in _OFFERED.items() for name in names.split()}

__all__ = list(_ROOM)


if not TYPE_CHECKING:  # so that type checkers refuse a name that is not offered

    def __getattr__(name: str) -> object:
        """Load `name` from its room, once."""
        if name not in _ROOM:
            raise AttributeError(f"module 'taut' has no attribute {name!r}")
        offered = getattr(import_module(_ROOM[name]), name)
        globals()[name] = offered
        return offered


def __dir__() -> list[str]:
    """List what can be imported from here."""
    return [*__all__, "__version__"]
