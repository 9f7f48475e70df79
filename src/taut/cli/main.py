"""The program: which commands there are, and how each of them can end.

Exit code 0 is success, 1 a failure, 2 bad input, 130 Ctrl-C. Whatever goes wrong is one line on stderr; a traceback is
shown only for an error in taut itself, and only to those who ask for it with ``TAUT_TRACEBACK=1``.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Annotated

import typer
from typer.main import get_command

from taut import __version__
from taut.cli.animate import animate
from taut.cli.compare import compare
from taut.cli.display import one_line
from taut.cli.fit import fit
from taut.cli.learning_curve import learning_curve
from taut.cli.path import path
from taut.cli.play import play
from taut.cli.reproduce import reproduction
from taut.cli.search import search
from taut.cli.use import predict, show
from taut.errors import InvalidType, InvalidValue, TautError

__all__ = ["app", "main"]

FAILURE, BAD_INPUT, INTERRUPTED = 1, 2, 130


def _examples(*lines: str) -> str:
    """Return examples to stand under a help text; the mark in front keeps their lines apart."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


app = typer.Typer(
    name="taut",
    help="Small neural networks for tables that choose their own regularization and prove it.",
    epilog=_examples("taut fit wine", "taut fit people.csv --target income", "taut fit --help"),
    add_completion=False,
    rich_markup_mode=None,  # plain help is narrower, quicker, and reads well in a pipe
)
app.command(
    epilog=_examples(
        "taut fit wine",
        "taut fit people.csv --target income --group household",
        "taut fit sales.parquet --target amount --time date --model sales.taut",
        "taut fit people.csv --target income --json > result.json",
    )
)(fit)
app.command(
    epilog=_examples(
        "taut predict people.taut new.csv -o predicted.csv", "taut predict people.taut new.csv --proba | head"
    )
)(predict)
app.command(epilog=_examples("taut show people.taut", "taut show people.taut --json"))(show)
app.command(epilog=_examples("taut compare wine", "taut compare people.csv --target income --seeds 20"))(compare)
app.command(
    epilog=_examples(
        "taut path wine",
        "taut path people.csv --target income --plot path.html",
        "taut path genes.parquet --target ill --penalty group --features 10",
        "taut path people.csv --target income --rule min --model people.taut",
    )
)(path)
app.command(
    epilog=_examples(
        "taut search wine",
        "taut search people.csv --target income --effort thorough --budget 10m",
        "taut search people.csv --target income --resume",
    )
)(search)
app.command(
    "learning-curve",
    epilog=_examples(
        "taut learning-curve wine",
        "taut learning-curve people.csv --target income --plot curve.png",
        "taut learning-curve visits.csv --target ill --group patient --repeats 3",
    ),
)(learning_curve)
app.command(
    epilog=_examples(
        "taut animate spiral",
        "taut animate spiral --l2 0.001 --dropout 0 -o spiral.html",
        "taut animate flowers.csv --target kind --inputs length,width -o flowers.mp4",
    )
)(animate)
app.command(
    epilog=_examples(
        "taut play", "taut play moons", "taut play people.csv --target income", "taut play iris --port 8800"
    )
)(play)
app.add_typer(
    reproduction,
    name="reproduce",
    epilog=_examples("taut reproduce spiral", "taut reproduce spiral --epochs 201 --json"),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"taut {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _taut(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; by default what it was started with.

    Returns
    -------
    int
        0 success, 1 failure, 2 bad input, 130 Ctrl-C.

    Examples
    --------
    >>> main(["--version"])
    taut 0.1.0
    0
    """
    if arguments is None:
        arguments = sys.argv[1:]
        _behave_as_a_program()
    try:
        code = get_command(app).main(list(arguments), prog_name="taut", standalone_mode=False)
        sys.stdout.flush()
    except TautError as error:
        return _complain(error, BAD_INPUT if isinstance(error, (InvalidValue, InvalidType)) else FAILURE)
    except typer.TyperException as error:
        return _complain(f"{_sentence(error.format_message())} (see {_help_for(arguments)})", error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain when it flushes at exit: let it flush into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}", FAILURE)
    except ImportError as error:
        if not _comes_from_interrupt(error):
            raise
        return _complain("interrupted", INTERRUPTED)
    except MemoryError:
        return _complain("there is not enough memory for this; use fewer rows, columns, or --jobs", FAILURE)
    if code == INTERRUPTED:
        return _complain("interrupted", INTERRUPTED)
    return int(code or 0)


def _complain(message: object, code: int) -> int:
    print(f"taut: {one_line(message)}", file=sys.stderr)
    return code


def _comes_from_interrupt(error: BaseException | None) -> bool:
    """Say whether Ctrl-C was behind an error; a compiled module that it stops in the middle says it failed to load."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _sentence(message: str) -> str:
    message = one_line(message).rstrip(".").replace(". Did you mean", "; did you mean")
    return message[:1].lower() + message[1:]


def _help_for(arguments: Sequence[str]) -> str:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    commands |= {group.name for group in app.registered_groups if group.name}
    return " ".join(["taut", *(word for word in arguments[:1] if word in commands), "--help"])


def _behave_as_a_program() -> None:
    """Do what is right for a whole process, and would not be for a caller of `main` in Python."""
    if not sys.warnoptions:  # libraries' warnings: what a user must know is said in the results
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"  # in the processes that this one starts
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without "±" is no reason to fail
    if not os.environ.get("TAUT_TRACEBACK"):
        sys.excepthook = _report_bug


def _report_bug(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):  # before or after `main`, the exit code is Python's own 130
        _complain("interrupted", INTERRUPTED)
        return
    _complain(
        f"{kind.__name__}: {one_line(error)}: this is a bug in taut; TAUT_TRACEBACK=1 shows where, please report it",
        FAILURE,
    )
