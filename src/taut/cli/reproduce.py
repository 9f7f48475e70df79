"""`taut reproduce`: runs that were published, line by line, to hold against the figures that were printed then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from taut.cli.display import print_json
from taut.cli.options import Json, integer, number

if TYPE_CHECKING:
    from taut.training import Callback

__all__ = ["reproduction", "spiral_run"]

EVERY = 100  # epochs between two lines
FIRST_WEIGHTS = 0.01  # standard deviation

reproduction = typer.Typer(help="Repeat a published run, line by line.", rich_markup_mode=None)


@reproduction.callback(invoke_without_command=True)
def _reproduce(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def _integer(option: str, at_least: int, words: str, **bounds: int) -> Any:
    return typer.Option(option, metavar="N", parser=integer(option, at_least=at_least, **bounds), help=words)


def _number(option: str, words: str, **bounds: float) -> Any:
    return typer.Option(option, metavar="NUMBER", parser=number(option, **bounds), help=words)


@reproduction.command(
    epilog="\b\nExamples:\n  taut reproduce spiral --epochs 201\n"
    "  taut reproduce spiral --samples 1000 --units 512 --json"
)
def spiral(
    samples: Annotated[int, _integer("--samples", 1, "Points in each class.")] = 100,
    classes: Annotated[int, _integer("--classes", 2, "Arms of the spiral.")] = 3,
    units: Annotated[int, _integer("--units", 1, "Units of the hidden layer.")] = 64,
    epochs: Annotated[int, _integer("--epochs", 1, "Updates; every 100th is printed, from 0.")] = 1000,
    l2: Annotated[float, _number("--l2", "L2 on weights and biases of the hidden layer.", at_least=0)] = 1e-5,
    lr: Annotated[float, _number("--lr", "Learning rate of the first update.", above=0)] = 0.05,
    decay: Annotated[float, _number("--decay", "Compounding decay of the learning rate.", at_least=0)] = 1e-8,
    seed: Annotated[int, _integer("--seed", 0, "Seed of NumPy's legacy generator.", at_most=2**32 - 1)] = 0,
    json: Json = False,
) -> None:
    """Print a small network's training on a spiral, every 100th epoch.

    An epoch is printed as it was before its update. The network has one hidden layer, with L2, and Adam trains it.

    With the defaults this is a run whose figures were published; they agree to the printed digits up to epoch 200,
    after which rounding noise, which no two machines share, has grown too large.
    """
    settings = {"samples": samples, "classes": classes, "units": units, "epochs": epochs, "seed": seed}
    rows = spiral_run(**settings, l2=l2, lr=lr, decay=decay, on_row=None if json else _print_row)
    if json:
        print_json(rows)


def _print_row(row: dict[str, Any]) -> None:
    print(
        f"epoch: {row['epoch']}, acc: {row['accuracy']:.3f}, loss: {row['loss']:.3f} "
        f"(data_loss: {row['data_loss']:.3f}, penalty: {row['penalty']:.3f}), lr: {row['learning_rate']}",
        flush=True,
    )


def spiral_run(
    *, samples: int, classes: int, units: int, epochs: int, seed: int, l2: float, lr: float, decay: float, on_row: Any
) -> list[dict[str, Any]]:
    """Train as the run did and return every 100th epoch; `on_row` is called with each as it is reached."""
    import numpy as np

    from taut.data import spiral
    from taut.network import L2, Adam, Dense, InverseTime, Network, ReLU
    from taut.training import train

    # One generator, in the order in which the run drew from it: the points, then the weights, layer by layer.
    generator = np.random.RandomState(seed)
    X, y = spiral(samples, classes, random_state=generator)
    network = Network([Dense(units, weight_penalty=L2(l2), bias_penalty=L2(l2)), ReLU(), Dense(classes)]).build(2)
    for parameter in network.parameters:
        if parameter.name == "weights":
            parameter.value[...] = FIRST_WEIGHTS * generator.randn(*parameter.shape)
    rows: list[dict[str, Any]] = []
    train(
        network,
        X,
        y,
        loss="cross_entropy",
        optimizer=Adam(lr, schedule=InverseTime(decay, compounding=True), epsilon=1e-7),
        epochs=epochs,
        batch_size=None,
        callbacks=[_every_hundredth(lr, rows, on_row)],
        evaluate_training=False,
        interruptible=False,
    )
    return rows


def _every_hundredth(lr: float, rows: list[dict[str, Any]], on_row: Any) -> Callback:
    """Return a callback that keeps every 100th epoch, with the learning rate of the update before it."""
    from taut.training import Callback, Run

    class Keep(Callback):
        rate = lr

        def on_epoch_end(self, run: Run) -> None:
            last = run.history.last()
            if last["epoch"] % EVERY == 0:
                names = ("accuracy", "loss", "data_loss", "penalty")
                rows.append(
                    {"epoch": int(last["epoch"]), **{name: last[name] for name in names}, "learning_rate": self.rate}
                )
                if on_row is not None:
                    on_row(rows[-1])
            self.rate = last["learning_rate"]

    return Keep()
