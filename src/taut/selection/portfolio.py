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
    name : str
        What it is called.
    setting : dict
        What is set; what regularizes and is not named is off, the rest is as in `Recipe`.
    source : str
        Where it comes from.
    """

    name: str
    setting: dict[str, Any]
    source: str


#: Models that a network must beat to be worth its trouble; they are always trained to their end.
PLAIN = (
    Entry(
        "constant",
        {"hidden_layer_sizes": (), "l1": 1000.0, "learning_rate": 0.1},
        "all weights are driven to exactly zero, and the biases to where they belong: a constant guess",
    ),
    Entry("linear, l2=0.1", {"hidden_layer_sizes": (), "l2": 0.1}, "a linear model"),
    Entry("linear, l2=0.01", {"hidden_layer_sizes": (), "l2": 0.01}, "a linear model"),
    Entry("linear, l2=0.001", {"hidden_layer_sizes": (), "l2": 0.001}, "a linear model"),
)

_BY_HAND = "by hand"
_DRAWN = "drawn at random; chosen greedily, with others, for the lowest loss on 28 tables"

PORTFOLIO: tuple[Entry, ...] = (
    Entry(
        "s1",
        {
            "hidden_layer_sizes": (128, 128),
            "activation": "gelu",
            "embedding_width": 2,
            "embedding_deviation": 0.42,
            "embedding_rectified": True,
            "scaling": "robust_clipped",
            "parametrization": "ntk",
            "learning_rate": 0.022,
            "weight_decay": 0.28,
            "beta_2": 0.95,
            "dropout": 0.1,
            "epochs": 120,
            "category_width": 8,
        },
        _DRAWN,
    ),
    Entry(
        "s46",
        {
            "activation": "mish",
            "bins": 24,
            "scaling": "robust_clipped",
            "input_scale": True,
            "parametrization": "ntk",
            "learning_rate": 0.02,
            "l2": 0.017,
            "beta_2": 0.95,
            "dropout": 0.1,
            "dropout_schedule": "flat_cosine",
            "epochs": 120,
        },
        _DRAWN,
    ),
    Entry(
        "h0",
        {},
        _BY_HAND,
    ),
    Entry(
        "h2",
        {
            "hidden_layer_sizes": (128, 128),
            "embedding_width": 3,
            "scaling": "robust_clipped",
            "input_scale": True,
            "parametrization": "ntk",
            "learning_rate": 0.05,
            "activation": "silu",
            "dropout": 0.15,
            "l2": 0.001,
            "epochs": 60,
            "beta_2": 0.95,
        },
        _BY_HAND,
    ),
    Entry(
        "s9",
        {
            "activation": "silu",
            "embedding_width": 2,
            "embedding_deviation": 0.1,
            "scaling": "robust_clipped",
            "parametrization": "ntk",
            "learning_rate": 0.016,
            "l2": 3.7e-05,
            "dropout": 0.35,
            "epochs": 30,
            "l1": 1.6e-05,
        },
        _DRAWN,
    ),
    Entry(
        "s54",
        {
            "activation": "silu",
            "embedding_width": 4,
            "embedding_deviation": 0.31,
            "scaling": "robust_clipped",
            "learning_rate": 0.0035,
            "weight_decay": 0.018,
            "beta_2": 0.95,
            "dropout": 0.1,
            "input_dropout": 0.15,
            "input_noise": 0.05,
            "epochs": 120,
            "batch_size": 256,
        },
        _DRAWN,
    ),
    Entry(
        "s7",
        {
            "activation": "silu",
            "bins": 24,
            "scaling": "robust_clipped",
            "learning_rate": 0.0048,
            "weight_decay": 0.0037,
            "beta_2": 0.95,
            "dropout": 0.2,
            "input_dropout": 0.05,
            "epochs": 120,
        },
        _DRAWN,
    ),
    Entry(
        "s0",
        {
            "hidden_layer_sizes": (128, 128),
            "activation": "gelu",
            "embedding_width": 3,
            "embedding_deviation": 0.083,
            "scaling": "robust_clipped",
            "input_scale": True,
            "learning_rate": 0.0063,
            "l2": 0.016,
            "input_dropout": 0.15,
            "dropout_schedule": "flat_cosine",
            "cutmix": 0.5,
            "epochs": 30,
            "batch_size": 64,
        },
        _DRAWN,
    ),
    Entry(
        "s44",
        {
            "activation": "silu",
            "embedding_width": 4,
            "embedding_deviation": 0.5,
            "learning_rate": 0.0082,
            "l2": 0.00017,
            "beta_2": 0.95,
            "dropout": 0.2,
            "mixup": 0.3,
            "epochs": 60,
            "batch_size": 256,
            "category_width": 8,
        },
        _DRAWN,
    ),
    Entry(
        "s2",
        {
            "hidden_layer_sizes": (64, 64),
            "activation": "silu",
            "scaling": "robust_clipped",
            "input_scale": True,
            "learning_rate": 0.0024,
            "l2": 2.8e-05,
            "beta_2": 0.95,
            "dropout": 0.1,
            "input_dropout": 0.15,
            "epochs": 60,
            "category_width": 8,
        },
        _DRAWN,
    ),
    Entry(
        "h7",
        {
            "hidden_layer_sizes": (128, 128),
            "bins": 12,
            "scaling": "robust_clipped",
            "activation": "silu",
            "dropout": 0.15,
            "l2": 0.001,
            "epochs": 60,
            "learning_rate": 0.005,
            "beta_2": 0.95,
        },
        _BY_HAND,
    ),
    Entry(
        "s6",
        {
            "hidden_layer_sizes": (64, 64),
            "embedding_width": 3,
            "embedding_deviation": 0.09,
            "scaling": "robust_clipped",
            "input_scale": True,
            "parametrization": "ntk",
            "learning_rate": 0.086,
            "l2": 0.00064,
            "beta_2": 0.95,
            "input_noise": 0.05,
            "dropout_schedule": "flat_cosine",
            "epochs": 120,
            "schedule": "cosine_log",
        },
        _DRAWN,
    ),
    Entry(
        "s53",
        {
            "hidden_layer_sizes": (128, 128, 128),
            "activation": "mish",
            "scaling": "robust_clipped",
            "parametrization": "ntk",
            "learning_rate": 0.074,
            "l2": 0.0041,
            "beta_2": 0.95,
            "input_dropout": 0.05,
            "input_noise": 0.15,
            "epochs": 30,
        },
        _DRAWN,
    ),
    Entry(
        "s5",
        {
            "activation": "gelu",
            "embedding_width": 4,
            "embedding_deviation": 0.24,
            "input_scale": True,
            "parametrization": "ntk",
            "learning_rate": 0.096,
            "l2": 0.00018,
            "beta_2": 0.95,
            "dropout": 0.2,
            "epochs": 30,
            "batch_size": 256,
            "l1": 0.00037,
            "category_width": 8,
        },
        _DRAWN,
    ),
    Entry(
        "s43",
        {
            "hidden_layer_sizes": (128,),
            "activation": "selu",
            "embedding_width": 2,
            "embedding_deviation": 0.43,
            "embedding_rectified": True,
            "scaling": "robust_clipped",
            "input_scale": True,
            "learning_rate": 0.004,
            "weight_decay": 0.14,
            "beta_2": 0.95,
            "dropout": 0.1,
            "cutmix": 0.5,
            "epochs": 60,
            "batch_size": 256,
            "ema": 0.98,
        },
        _DRAWN,
    ),
    Entry(
        "s49",
        {
            "hidden_layer_sizes": (128,),
            "activation": "gelu",
            "input_scale": True,
            "learning_rate": 0.0049,
            "l2": 0.025,
            "dropout": 0.1,
            "epochs": 30,
            "l1": 0.00026,
        },
        _DRAWN,
    ),
    Entry(
        "h6",
        {
            "hidden_layer_sizes": (),
            "l2": 0.01,
            "embedding_width": 3,
            "scaling": "robust_clipped",
        },
        _BY_HAND,
    ),
    Entry(
        "s10",
        {
            "activation": "silu",
            "learning_rate": 0.0043,
            "weight_decay": 0.059,
            "dropout": 0.1,
            "input_dropout": 0.15,
            "epochs": 60,
            "ema": 0.98,
            "label_smoothing": 0.03,
        },
        _DRAWN,
    ),
    Entry(
        "h3",
        {
            "hidden_layer_sizes": (128, 128),
            "embedding_width": 3,
            "scaling": "robust_clipped",
            "activation": "silu",
            "dropout": 0.15,
            "l2": 0.001,
            "epochs": 60,
            "learning_rate": 0.005,
            "beta_2": 0.95,
        },
        _BY_HAND,
    ),
    Entry(
        "s12",
        {
            "hidden_layer_sizes": (64, 64),
            "embedding_width": 4,
            "embedding_deviation": 0.42,
            "scaling": "robust_clipped",
            "parametrization": "ntk",
            "learning_rate": 0.2,
            "l2": 0.0039,
            "beta_2": 0.95,
            "dropout": 0.1,
            "input_noise": 0.15,
            "epochs": 30,
        },
        _DRAWN,
    ),
    Entry(
        "h1",
        {
            "l2": 0.01,
        },
        _BY_HAND,
    ),
    Entry(
        "s4",
        {
            "embedding_width": 2,
            "embedding_deviation": 0.13,
            "input_scale": True,
            "learning_rate": 0.0031,
            "l2": 0.011,
            "epochs": 30,
            "schedule": "cosine_log",
            "batch_size": 64,
            "category_width": 8,
        },
        _DRAWN,
    ),
    Entry(
        "s42",
        {
            "hidden_layer_sizes": (64, 64),
            "bins": 12,
            "input_scale": True,
            "learning_rate": 0.006,
            "weight_decay": 0.0032,
            "beta_2": 0.95,
            "dropout": 0.5,
            "input_dropout": 0.15,
            "epochs": 30,
            "schedule": "cosine_log",
            "category_width": 8,
            "label_smoothing": 0.03,
        },
        _DRAWN,
    ),
)
