"""JAX: all updates in one compiled `lax.scan`; a population one after the other, or under `vmap`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import log
from typing import Any

import numpy as np

from benchmarks.contenders.base import Contender, Fit, PopulationContender
from benchmarks.problems import BETA_1, BETA_2, EPSILON, Population, Problem, Weights

__all__ = ["JaxFeaturesFirst", "JaxPopulation", "JaxScan", "JaxVmap"]

State = tuple[Any, Any, Any, Any]  # parameters, first and second moments, updates done


def forward(parameters: list[tuple[Any, Any]], x: Any) -> Any:
    """Return the outputs, shape (rows, outputs)."""
    import jax

    for w, b in parameters[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = parameters[-1]
    return x @ w + b


def forward_features_first(parameters: list[tuple[Any, Any]], x: Any) -> Any:
    """Return the same outputs, by way of activations of shape (units, rows): thin layers run faster so."""
    import jax

    x = x.T
    for w, b in parameters[:-1]:
        x = jax.nn.relu(w.T @ x + b[:, None])
    w, b = parameters[-1]
    return (w.T @ x + b[:, None]).T


def cross_entropy(outputs: Any, labels: Any, weights: Any = None) -> Any:
    """Return the mean over the rows; `labels` is one-hot, for a gather is slower on this platform."""
    import jax
    import jax.numpy as jnp

    losses = jax.scipy.special.logsumexp(outputs, axis=1) - jnp.sum(outputs * labels, axis=1)
    return jnp.mean(losses) if weights is None else jnp.sum(losses * weights)


def adam(state: State, gradient: Any, lr: float, decay: float) -> State:
    """Return the state after one update of Adam."""
    import jax
    import jax.numpy as jnp

    parameters, first, second, step = state
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradient)
    second = jax.tree.map(lambda s, g: BETA_2 * s + (1 - BETA_2) * g * g, second, gradient)
    count = (step + 1).astype(jnp.float32)
    # 1 - beta**count, without the digits that the difference would lose in float32.
    rate = lr / (1.0 + decay * step) / -jnp.expm1(count * log(BETA_1))
    scale = 1.0 / -jnp.expm1(count * log(BETA_2))
    parameters = jax.tree.map(lambda w, m, s: w - rate * m / (jnp.sqrt(s * scale) + EPSILON), parameters, first, second)
    return parameters, first, second, step + 1


def fresh(weights: Weights) -> State:
    """Return the state before the first update, in arrays of its own."""
    import jax
    import jax.numpy as jnp

    parameters = [(jnp.array(w, jnp.float32), jnp.array(b, jnp.float32)) for w, b in weights]
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return parameters, zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.zeros((), jnp.int32)


class JaxFit(Fit):
    """One network."""

    def __init__(self, problem: Problem, forward: Callable[..., Any]) -> None:
        import jax
        import jax.numpy as jnp

        self.problem, self.forward = problem, forward
        self.x = jnp.asarray(problem.x)
        self.labels = jax.nn.one_hot(problem.y, problem.sizes[-1], dtype=jnp.float32)
        self.orders: dict[int, Any] = {}
        self.run = partial(jax.jit, static_argnames="epochs", donate_argnums=0)(self._run)
        self.reset()

    def reset(self) -> None:
        import jax

        self.state = jax.block_until_ready(fresh(self.problem.weights))

    def _update(self, state: State, x: Any, labels: Any) -> tuple[State, Any]:
        import jax
        import jax.numpy as jnp

        def objective(parameters: Any) -> tuple[Any, Any]:
            data_loss = cross_entropy(self.forward(parameters, x), labels)
            penalty = sum(
                lam * jnp.sum(jnp.square(values))
                for layer, strengths in zip(parameters, self.problem.l2, strict=True)
                for values, lam in zip(layer, strengths, strict=True)
                if lam
            )
            return data_loss + penalty, data_loss

        gradient, data_loss = jax.grad(objective, has_aux=True)(state[0])
        return adam(state, gradient, self.problem.lr, self.problem.decay), data_loss

    def _run(self, state: State, x: Any, labels: Any, orders: Any, epochs: int) -> tuple[State, Any]:
        import jax
        import jax.numpy as jnp

        rows, size = self.problem.rows, self.problem.batch_size
        if size is None:
            return jax.lax.scan(lambda state, _: self._update(state, x, labels), state, length=epochs)
        whole = rows // size * size

        def update(state: State, batch: Any) -> tuple[State, Any]:
            state, loss = self._update(state, x[batch], labels[batch])
            return state, loss * (len(batch) / rows)

        def epoch(state: State, order: Any) -> tuple[State, Any]:
            state, losses = jax.lax.scan(update, state, order[:whole].reshape(-1, size))
            total = jnp.sum(losses)
            if whole < rows:
                state, loss = update(state, order[whole:])
                total += loss
            return state, total

        return jax.lax.scan(epoch, state, orders)

    def train(self, epochs: int) -> np.ndarray:
        self.state, losses = self.run(self.state, self.x, self.labels, self._orders(epochs), epochs=epochs)
        return np.asarray(losses)

    def _orders(self, epochs: int) -> Any:
        import jax.numpy as jnp

        if epochs not in self.orders:
            self.orders[epochs] = None if self.problem.batch_size is None else jnp.asarray(self.problem.orders(epochs))
        return self.orders[epochs]

    def weights(self) -> Weights:
        return [(np.asarray(w), np.asarray(b)) for w, b in self.state[0]]


class JaxScan(Contender):
    """`jit(lax.scan)` over all updates, with donated buffers."""

    name = "JAX scan"
    packages = ("jax", "jaxlib")

    def start(self, problem: Problem, threads: int) -> Fit:
        return JaxFit(problem, forward)


class JaxFeaturesFirst(Contender):
    """The same with activations of shape (units, rows), which few would write."""

    name = "JAX scan, features first"
    packages = ("jax", "jaxlib")

    def start(self, problem: Problem, threads: int) -> Fit:
        return JaxFit(problem, forward_features_first)


class JaxPopulation(PopulationContender):
    """The same for a population: one compiled function, called for one run after the other."""

    name = "JAX scan, one after the other"
    packages = ("jax", "jaxlib")
    vectorized = False

    def start(self, population: Population, threads: int) -> Callable[[], np.ndarray]:
        import jax
        import jax.numpy as jnp

        x = jnp.asarray(population.x)
        labels = jax.nn.one_hot(population.y, 2, dtype=jnp.float32)
        batches, weights, last, last_weights, held, held_weights = map(jnp.asarray, _padded(population))
        lams = jnp.array([run.lam for run in population.runs], dtype=jnp.float32)
        state = fresh(population.weights)

        def train(lam: Any, fold: Any) -> Any:
            def update(state: State, rows: Any, shares: Any) -> State:
                def objective(parameters: Any) -> Any:
                    penalty = sum(jnp.sum(jnp.square(w)) for w, _ in parameters)
                    return cross_entropy(forward(parameters, x[rows]), labels[rows], shares) + lam * penalty

                return adam(state, jax.grad(objective)(state[0]), population.lr, 0.0)

            def epoch(state: State, order: Any) -> tuple[State, None]:
                whole, rest = order
                state, _ = jax.lax.scan(lambda state, rows: (update(state, rows, weights), None), state, whole)
                return update(state, rest, last_weights[fold]), None

            trained, _ = jax.lax.scan(epoch, state, (batches[fold], last[fold]))
            return cross_entropy(forward(trained[0], x[held[fold]]), labels[held[fold]], held_weights[fold])

        folds = jnp.arange(len(lams)) % len(population.folds)
        if self.vectorized:
            together = jax.jit(jax.vmap(train))
            return lambda: np.asarray(together(lams, folds))
        alone = jax.jit(train)
        return lambda: np.array([alone(lam, fold) for lam, fold in zip(lams, folds, strict=True)])


class JaxVmap(JaxPopulation):
    """All runs at once, as one network with one more axis."""

    name = "JAX scan, vmap"
    vectorized = True


def _padded(population: Population) -> tuple[np.ndarray, ...]:
    """Return the rows of each batch and of validation, fold by fold, padded with rows of weight 0 to equal shapes."""
    size, folds = population.batch_size, population.folds
    whole = min(len(rows) for rows, _ in folds) // size * size
    rest = max(len(rows) for rows, _ in folds) - whole
    most = max(len(held) for _, held in folds)
    batches = np.empty((len(folds), population.epochs, whole // size, size), dtype=np.int32)
    last = np.zeros((len(folds), population.epochs, rest), dtype=np.int32)
    last_weights = np.zeros((len(folds), rest), dtype=np.float32)
    held_rows = np.zeros((len(folds), most), dtype=np.int32)
    held_weights = np.zeros((len(folds), most), dtype=np.float32)
    for fold, (rows, held) in enumerate(folds):
        order = rows[population.orders(len(rows))]
        batches[fold] = order[:, :whole].reshape(population.epochs, -1, size)
        last[fold, :, : len(rows) - whole] = order[:, whole:]
        last_weights[fold, : len(rows) - whole] = 1.0 / (len(rows) - whole)
        held_rows[fold, : len(held)] = held
        held_weights[fold, : len(held)] = 1.0 / len(held)
    weights = np.full(size, 1.0 / size, dtype=np.float32)
    return batches, weights, last, last_weights, held_rows, held_weights
