"""What the tests of the page share: a server in a thread, and small tables."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from taut.play.server import Tables, listen, make_server
from taut.play.session import Session
from taut.play.setting import Setting
from taut.play.table import Table

PEOPLE = "age,height,city,label,amount\n" + "".join(
    f"{20 + row * 13 % 47},{150 + row * 29 % 50},{('Bern', 'Oslo', 'Lima')[row % 3]},"
    f"{'yes' if row * 7 % 11 > 5 else 'no'},{row * 13 % 47 * 1.5 + row % 5}\n"
    for row in range(90)
)

#: A setting whose runs take no time.
QUICK = {"layers": (6, 4), "samples": 60}


@pytest.fixture(scope="session")
def people() -> Table:
    """Return a table with two numbers, a category, a label and an amount."""
    return Table.from_bytes("people.csv", PEOPLE.encode())


@pytest.fixture
def begin() -> Iterator[Callable[..., Session]]:
    """Return what makes a session; all that were made end with the test."""
    made: list[Session] = []

    def make(*arguments: object, **options: object) -> Session:
        made.append(Session(*arguments, **options))
        return made[-1]

    yield make
    for session in made:
        session.close()


@dataclass
class Running:
    """A server that runs: its port, and the tables it has."""

    port: int
    tables: Tables

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """Run a server in a thread, on a port of its own."""
    listening, tables = listen(None), Tables()
    served = make_server(listening, tables, Setting(**QUICK))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Running(listening.getsockname()[1], tables)
    served.should_exit = True
    thread.join()
    listening.close()


def training_threads() -> int:
    """Return how many sessions there are in this process."""
    return sum(thread.name == "taut play" for thread in threading.enumerate())


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until a condition holds; fail if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)
