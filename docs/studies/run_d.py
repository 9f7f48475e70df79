"""Run D, over many seeds: what L2 does to the validation loss of a small network that is trained for long.

A spiral of 100 points in each of 3 classes, a network of 2-64-3, Adam at 0.02 with compounding decay 5e-7, full batch,
10,000 epochs. One arm has no penalty, the other L2 of 5e-4 on the weights and biases of the hidden layer. Both arms of
a seed share training data, validation data (drawn fresh, as many points) and first weights, so that the difference
within a pair is due to the penalty alone. From the root of the repository, with taut installed:

    python docs/studies/run_d.py --seeds 20 --epochs 10000 --jobs 2
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from taut import L2, Adam, CrossEntropy, Dense, InverseTime, Network, Normal, Penalty, ReLU, spiral, train

STRENGTH = 5e-4


@dataclass(frozen=True)
class Pair:
    """Final figures of both arms of one seed: (training data loss, validation data loss, validation accuracy)."""

    seed: int
    without: tuple[float, float, float]
    with_l2: tuple[float, float, float]

    @property
    def difference(self) -> float:
        """Validation loss with L2 minus that without."""
        return self.with_l2[1] - self.without[1]


def arm(penalty: Penalty | None, seed: int, samples: int, units: int, epochs: int) -> tuple[float, float, float]:
    """Train one arm; return training data loss, validation data loss and validation accuracy at the end."""
    generator = np.random.RandomState(seed)
    X, y = spiral(samples, classes=3, random_state=generator)
    X_validation, y_validation = spiral(samples, classes=3, random_state=generator)
    hidden = Dense(units, weight_penalty=penalty, bias_penalty=penalty, initializer=Normal(0.01))
    network = Network([hidden, ReLU(), Dense(3, initializer=Normal(0.01))])
    optimizer = Adam(0.02, schedule=InverseTime(5e-7, compounding=True))
    train(network, X, y, optimizer=optimizer, epochs=epochs, batch_size=None, seed=seed, evaluate_training=False)
    loss, outputs = CrossEntropy(), network.predict(X_validation)
    return (
        loss.value(network.predict(X), y),
        loss.value(outputs, y_validation),
        loss.metric(outputs, y_validation),
    )


def pair(seed: int, samples: int, units: int, epochs: int) -> Pair:
    """Train both arms of a seed."""
    return Pair(seed, arm(None, seed, samples, units, epochs), arm(L2(STRENGTH), seed, samples, units, epochs))


def bootstrap_interval(differences: np.ndarray, resamples: int = 10_000) -> tuple[float, float]:
    """Return the 95 % percentile interval of the median (Efron, 1979), resampling the pairs."""
    rows = np.random.default_rng(0).integers(len(differences), size=(resamples, len(differences)))
    low, high = np.quantile(np.median(differences[rows], axis=1), [0.025, 0.975])
    return float(low), float(high)


def table(pairs: list[Pair]) -> str:
    """Return all pairs and their medians as a Markdown table."""
    columns = ["seed", "training loss, none", "training loss, L2", "validation loss, none", "validation loss, L2"]
    columns += ["difference", "validation accuracy, none", "validation accuracy, L2"]
    lines = [f"| {' | '.join(columns)} |", "|" + "---:|" * len(columns)]
    rows = [
        (p.without[0], p.with_l2[0], p.without[1], p.with_l2[1], p.difference, p.without[2], p.with_l2[2])
        for p in pairs
    ]
    named = [*zip((str(p.seed) for p in pairs), rows, strict=True), ("median", np.median(rows, axis=0))]
    lines += [f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |" for name, row in named]
    return "\n".join(lines)


def main() -> None:
    """Train all pairs and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="how many pairs (default: 20)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first pair (default: 0)")
    parser.add_argument("--samples", type=int, default=100, help="points in each class (default: 100)")
    parser.add_argument("--units", type=int, default=64, help="hidden units (default: 64)")
    parser.add_argument("--epochs", type=int, default=10_000, help="epochs of each arm (default: 10000)")
    parser.add_argument("--jobs", type=int, default=1, help="pairs trained at once (default: 1)")
    options = parser.parse_args()
    began = time.perf_counter()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    pairs = Parallel(n_jobs=options.jobs)(
        delayed(pair)(seed, options.samples, options.units, options.epochs) for seed in seeds
    )
    differences = np.array([p.difference for p in pairs])
    low, high = bootstrap_interval(differences)
    print(table(pairs))
    print()
    print(
        f"Validation loss with L2 {STRENGTH:g} minus without, {len(pairs)} paired seeds, {options.epochs} epochs: "
        f"median {np.median(differences):.3f}, 95 % bootstrap interval [{low:.3f}, {high:.3f}]; lower with L2 in "
        f"{np.count_nonzero(differences < 0)} of {len(pairs)}. {time.perf_counter() - began:.0f} s."
    )


if __name__ == "__main__":
    main()
