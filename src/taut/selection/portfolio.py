"""The portfolio: recipes that have done well on tables, of kinds different enough to complement one another.

Data, not code. A choice begins with them: on each table some win by far, and which these are shows within a few
epochs. Floor 5 of the house; knows nothing of how they are tried.

References
----------
D. Salinas and N. Erickson, "TabRepo: a large scale repository of tabular model evaluations and its AutoML
applications", AutoML, 2024: portfolios that were learned on other tables, and greedy ensembles of them, beat a search
from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["PLAIN", "PORTFOLIO", "Entry"]


@dataclass(frozen=True)
class Entry:
    """A recipe of the portfolio.

    Attributes
    ----------
    setting : dict
        What is set; what regularizes and is not named is off, the rest is as in `Recipe`.
    source : str
        Where it comes from.
    """

    setting: dict[str, Any]
    source: str


# What everybody had before: columns as they are, scaled and no more.
_CLASSIC: dict[str, Any] = {
    "embedding_width": 0,
    "scaling": "standard",
    "parametrization": "standard",
    "learning_rate": 0.01,
    "beta_2": 0.999,
    "epochs": 100,
}
_ON_AXES = {**_CLASSIC, "scaling": "principal_axes"}
# On principal axes a linear model is the same for every strength of L2, and comes to its end in a tenth of the passes
# where columns rise and fall together.
_LINEAR = {**_ON_AXES, "hidden_layer_sizes": (), "learning_rate": 0.05}

#: Models that a network must beat to be worth its trouble; they are always trained to their end.
PLAIN = (
    Entry(
        {**_CLASSIC, "hidden_layer_sizes": (), "l1": 1000.0, "learning_rate": 0.1},
        "all weights are driven to exactly zero, and the biases to where they belong: a constant guess",
    ),
    Entry({**_LINEAR, "l2": 0.1}, "a linear model"),
    Entry({**_LINEAR, "l2": 0.01}, "a linear model"),
    Entry({**_LINEAR, "l2": 0.001}, "a linear model"),
    Entry({**_LINEAR, "l2": 0.0001}, "a linear model"),
)

# Where the entries come from: some 90 settings, some made by hand around RealMLP's defaults (Holzmüller, Grinsztajn and
# Steinwart, NeurIPS, 2024) and different from the usual recipe in one thing, the others drawn at random, were fitted to
# five folds of 28 tables (at most 1300 rows of each). Each entry is the one that lowers the mean loss of the best and
# the second best so far the most, some weight given to its seconds (docs/generalization.md).
_BY_HAND = "by hand"
_DRAWN = "drawn at random"
# None of those 90 was rotated. These two were added where a spectrum was found that no network of the others could fit.
_ROTATED = "by hand, for columns that tell much the same"

PORTFOLIO: tuple[Entry, ...] = (
    Entry(
        {
            "weight_decay": 0.1,
            "dropout": 0.2,
        },
        _BY_HAND,
    ),
    Entry(
        {
            "activation": "selu",
            "embedding_width": 0,
            "learning_rate": 0.037,
            "beta_2": 0.999,
            "epochs": 30,
            "hidden_layer_sizes": (64, 64),
            "bins": 12,
            "input_scale": True,
            "weight_decay": 0.013,
            "input_dropout": 0.15,
            "input_noise": 0.05,
            "category_width": 8,
        },
        _DRAWN,
    ),
    Entry(
        {
            "bins": 0,
            "epochs": 30,
            "hidden_layer_sizes": (128, 128),
            "weight_decay": 0.4,
            "dropout": 0.2,
        },
        _BY_HAND,
    ),
    Entry(
        {**_ON_AXES, "activation": "relu", "l2": 0.0001},
        _ROTATED,
    ),
    Entry(
        {
            "bins": 0,
            "hidden_layer_sizes": (128, 128),
            "weight_decay": 0.1,
            "dropout": 0.2,
            "input_scale": True,
        },
        _BY_HAND,
    ),
    Entry(
        {
            "activation": "mish",
            "embedding_width": 0,
            "learning_rate": 0.02,
            "epochs": 120,
            "bins": 24,
            "input_scale": True,
            "l2": 0.017,
            "dropout": 0.1,
            "dropout_schedule": "flat_cosine",
        },
        _DRAWN,
    ),
    Entry(
        {**_CLASSIC, "activation": "relu", "l2": 0.0001},
        _BY_HAND,
    ),
    Entry(
        {
            "bins": 0,
            "activation": "silu",
            "embedding_width": 2,
            "embedding_deviation": 0.1,
            "learning_rate": 0.016,
            "beta_2": 0.999,
            "epochs": 30,
            "l2": 3.7e-05,
            "dropout": 0.35,
            "l1": 1.6e-05,
        },
        _DRAWN,
    ),
    Entry(
        {
            "bins": 0,
            "activation": "silu",
            "embedding_deviation": 0.1,
            "learning_rate": 0.05,
            "hidden_layer_sizes": (128, 128),
            "input_scale": True,
            "dropout": 0.15,
            "l2": 0.001,
        },
        _BY_HAND,
    ),
    Entry(
        {
            "embedding_width": 0,
            "scaling": "principal_axes",
            "weight_decay": 0.1,
            "dropout": 0.1,
        },
        _ROTATED,
    ),
    Entry(
        {
            "activation": "silu",
            "embedding_width": 0,
            "parametrization": "standard",
            "learning_rate": 0.0048,
            "epochs": 120,
            "bins": 24,
            "weight_decay": 0.0037,
            "dropout": 0.2,
            "input_dropout": 0.05,
        },
        _DRAWN,
    ),
    Entry(
        {
            "bins": 0,
            "activation": "relu",
            "embedding_deviation": 0.09,
            "learning_rate": 0.086,
            "epochs": 120,
            "hidden_layer_sizes": (64, 64),
            "input_scale": True,
            "l2": 0.00064,
            "input_noise": 0.05,
            "schedule": "cosine_log",
        },
        _DRAWN,
    ),
    Entry(
        {
            "bins": 0,
            "epochs": 30,
            "hidden_layer_sizes": (128, 128),
            "weight_decay": 0.1,
        },
        _BY_HAND,
    ),
    Entry(
        {
            "bins": 0,
            "activation": "silu",
            "embedding_width": 4,
            "embedding_deviation": 0.31,
            "parametrization": "standard",
            "learning_rate": 0.0035,
            "epochs": 120,
            "weight_decay": 0.018,
            "dropout": 0.1,
            "input_dropout": 0.15,
            "input_noise": 0.05,
            "batch_size": 256,
        },
        _DRAWN,
    ),
    Entry(
        {
            "bins": 0,
            "embedding_deviation": 0.083,
            "parametrization": "standard",
            "learning_rate": 0.0063,
            "beta_2": 0.999,
            "epochs": 30,
            "hidden_layer_sizes": (128, 128),
            "input_scale": True,
            "l2": 0.016,
            "input_dropout": 0.15,
            "dropout_schedule": "flat_cosine",
            "cutmix": 0.5,
            "batch_size": 64,
        },
        _DRAWN,
    ),
    Entry(
        {
            "activation": "silu",
            "embedding_width": 0,
            "parametrization": "standard",
            "learning_rate": 0.005,
            "hidden_layer_sizes": (128, 128),
            "bins": 12,
            "dropout": 0.15,
            "l2": 0.001,
        },
        _BY_HAND,
    ),
    Entry(
        {
            "bins": 0,
            "activation": "silu",
            "embedding_width": 4,
            "embedding_deviation": 0.5,
            "parametrization": "standard",
            "learning_rate": 0.0082,
            "scaling": "standard",
            "l2": 0.00017,
            "dropout": 0.2,
            "mixup": 0.3,
            "batch_size": 256,
            "category_width": 8,
        },
        _DRAWN,
    ),
    Entry(
        {
            "activation": "mish",
            "embedding_width": 0,
            "learning_rate": 0.074,
            "epochs": 30,
            "hidden_layer_sizes": (128, 128, 128),
            "l2": 0.0041,
            "input_dropout": 0.05,
            "input_noise": 0.15,
        },
        _DRAWN,
    ),
    Entry(
        {
            "embedding_width": 0,
            "parametrization": "standard",
            "learning_rate": 0.0049,
            "beta_2": 0.999,
            "epochs": 30,
            "scaling": "standard",
            "hidden_layer_sizes": (128,),
            "input_scale": True,
            "l2": 0.025,
            "dropout": 0.1,
            "l1": 0.00026,
        },
        _DRAWN,
    ),
    Entry(
        {
            "bins": 0,
            "embedding_width": 4,
            "embedding_deviation": 0.24,
            "learning_rate": 0.096,
            "epochs": 30,
            "scaling": "standard",
            "input_scale": True,
            "l2": 0.00018,
            "dropout": 0.2,
            "batch_size": 256,
            "l1": 0.00037,
            "category_width": 8,
        },
        _DRAWN,
    ),
    Entry(
        {
            "bins": 0,
            "epochs": 30,
            "weight_decay": 0.1,
            "dropout": 0.2,
        },
        _BY_HAND,
    ),
    Entry(
        {
            "bins": 0,
            "activation": "relu",
            "embedding_width": 4,
            "embedding_deviation": 0.42,
            "learning_rate": 0.2,
            "epochs": 30,
            "hidden_layer_sizes": (64, 64),
            "l2": 0.0039,
            "dropout": 0.1,
            "input_noise": 0.15,
        },
        _DRAWN,
    ),
    Entry(
        {
            "bins": 0,
            "hidden_layer_sizes": (128, 128),
            "l2": 0.001,
            "dropout": 0.2,
        },
        _BY_HAND,
    ),
    Entry(
        {
            "activation": "silu",
            "embedding_width": 0,
            "parametrization": "standard",
            "learning_rate": 0.0043,
            "beta_2": 0.999,
            "scaling": "standard",
            "weight_decay": 0.059,
            "dropout": 0.1,
            "input_dropout": 0.15,
            "ema": 0.98,
            "label_smoothing": 0.03,
        },
        _DRAWN,
    ),
    Entry(
        {**_CLASSIC, "activation": "relu", "l2": 0.01},
        _BY_HAND,
    ),
    Entry(
        {
            "embedding_width": 0,
            "weight_decay": 0.1,
            "dropout": 0.2,
        },
        _BY_HAND,
    ),
)
