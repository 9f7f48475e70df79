"""The server: who it answers to, what it refuses, and that a page, slow or gone, never holds up training."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import ExitStack, closing, contextmanager

import pytest
from tests.play.conftest import PEOPLE, training_threads, until
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from taut.errors import TautError
from taut.play.server import Tables, listen
from taut.play.table import Table


def get(server, path="/", method="GET", body=None, **headers):
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()


def upload(server, name, content, **headers):
    status, _, text = get(server, f"/table?name={name}", "POST", content, **({"Origin": server.origin} | headers))
    return status, text


class Page:
    """A page without a browser."""

    def __init__(self, socket):
        self.socket, self.messages = socket, []

    def say(self, kind, **content):
        self.socket.send(json.dumps({"type": kind, **content}))

    def hear(self, kind):
        """Wait for a message of a kind and return it; frames that come are said to be seen."""
        while True:
            message = self.next()
            if message["type"] == kind:
                return message

    def next(self, seen=True):
        raw = self.socket.recv(timeout=20)
        if isinstance(raw, str):
            return json.loads(raw)
        if seen:
            self.say("seen")
        return json.loads(raw[4 : 4 + int.from_bytes(raw[:4], "little")])

    def frame_when(self, condition):
        while True:
            frame = self.hear("frame")
            if condition(frame):
                return frame


@contextmanager
def page(server, **options):
    options = {"origin": server.origin, "max_size": None, **options}
    with connect(f"ws://127.0.0.1:{server.port}/live", **options) as socket:
        yield Page(socket)


@pytest.mark.parametrize(
    "host",
    ["example.com", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.example.com:{port}", "[::1]:{port}", "0.0.0.0:{port}", ""],
)
def test_foreign_host_is_refused(server, host):
    status, _, text = get(server, Host=host.format(port=server.port))
    assert status == 403
    assert text == f"this server answers to 127.0.0.1:{server.port} alone"


def test_two_hosts_or_none_are_refused(server):
    for hosts in (f"Host: 127.0.0.1:{server.port}\r\nHost: evil.example\r\n", ""):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
            raw.sendall(f"GET / HTTP/1.1\r\n{hosts}\r\n".encode())
            assert raw.recv(100).startswith((b"HTTP/1.1 403", b"HTTP/1.1 400"))


@pytest.mark.parametrize("origin", ["http://example.com", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
def test_foreign_origin_is_refused(server, origin):
    foreign = origin.format(port=server.port)
    assert get(server, Origin=foreign)[0] == 403
    assert upload(server, "people.csv", "", Origin=foreign)[0] == 403
    with pytest.raises(InvalidStatus, match="403"), page(server, origin=foreign):
        pass


def test_what_changes_something_needs_an_origin(server):
    assert get(server, "/table?name=people.csv", "POST", "")[0] == 403
    with pytest.raises(InvalidStatus, match="403"), page(server, origin=None):
        pass


def test_conversation_under_a_foreign_host_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(
            f"GET /live HTTP/1.1\r\nHost: evil.example\r\nOrigin: {server.origin}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 403")


def test_own_page_is_served_under_a_strict_policy(server):
    status, headers, text = get(server, Origin=server.origin)
    assert status == 200
    assert "<title>taut play" in text
    policy = headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_page_is_made_of_files_of_its_own(server):
    for name, kind in (("app.js", "text/javascript"), ("page.css", "text/css"), ("icon.svg", "image/svg+xml")):
        status, headers, text = get(server, f"/{name}")
        assert (status, headers.get_content_type()) == (200, kind)
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert get(server, "/server.py")[0] == 404
    assert get(server, "/../server.py")[0] == 404


def test_two_hundred_megabytes_are_refused_before_they_are_sent(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(
            f"POST /table?name=big.csv HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: {server.origin}\r\n"
            "Content-Length: 200000000\r\n\r\na,b\n1,2\n".encode()
        )
        answer = raw.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 413")
    assert "big.csv: the page takes files of up to 20 MB" in answer


def test_file_of_a_length_that_was_not_announced_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(
            f"POST /table?name=a.csv HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: {server.origin}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5\r\na,b\n1\r\n".encode()
        )
        assert "say how many bytes" in raw.makefile("rb").read().decode()


def test_table_given_by_hand_is_trained_on(server):
    status, text = upload(server, "people.csv", PEOPLE)
    told = json.loads(text)
    assert status == 200
    assert told["numbers"] == ["age", "height", "amount"]
    with page(server) as one:
        one.say("table", table=told["table"])
        assert one.hear("setting")["setting"]["data"] == "spiral"
        assert one.hear("setting")["setting"]["columns"] == ["age", "height"]
        one.say("table", table=told["table"], target="label", axes="projection")
        one.say("step", epochs=5)
        assert one.frame_when(lambda frame: frame["epoch"] == 5)["layers"][0][0]["shape"][0] == 2
        one.say("table", table=told["table"], target="nobody", axes="columns")
        assert "no column 'nobody'" in one.hear("error")["text"]


def test_table_that_cannot_be_read_gets_one_line(server):
    status, text = upload(server, "junk.csv", bytes(range(256)))
    assert status == 200
    assert json.loads(text)["error"].startswith("junk.csv: this is not text")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "a message is an object"),
        ('{"type": "run"}', "speed must be a number"),
        ('{"type": "run", "speed": -1}', "speed must be a number"),
        ('{"type": "step", "epochs": 1e9}', "epochs must be an integer"),
        ('{"type": "turn", "knobs": {"__class__": 1}}', "no knob"),
        ('{"type": "turn", "knobs": []}', "knobs must be an object"),
        ('{"type": "table", "table": "x"}', "not here any more"),
        ('{"type": "open", "address": "layers=[0]"}', "units of a layer"),
        ('{"type": "open", "address": 7}', "address must be text"),
        ('{"type": "shout"}', "cannot ask for 'shout'"),
        ('{"type": ["turn"]}', "cannot ask for"),
    ],
)
def test_message_that_makes_no_sense_gets_one_line_and_the_run_goes_on(server, message, words):
    with page(server) as one:
        one.hear("frame")
        one.socket.send(message)
        assert words in one.hear("error")["text"]
        one.say("step", epochs=2)
        assert one.frame_when(lambda frame: frame["epoch"] == 2)


def test_training_does_not_wait_for_a_page_that_sees_nothing(server):
    with page(server) as one:
        one.hear("frame")
        one.say("run", speed=0)
        frames = []
        while len(frames) < 2:  # as many as may be on their way unseen
            frames.append(one.next(seen=False))
        time.sleep(0.5)
        with pytest.raises(TimeoutError):
            one.socket.recv(timeout=0.3)
        one.say("seen")
        newest = one.hear("frame")
        assert newest["epoch"] > frames[-1]["epoch"] + 100
        assert frames[-1]["epoch"] < newest["epochs"][0] <= frames[-1]["epoch"] + newest["epoch"] // 20
        assert newest["epochs"][-1] == newest["epoch"]


def test_closed_page_ends_its_training_and_another_goes_on(server):
    until(lambda: training_threads() == 0)
    with page(server) as one:
        with page(server) as other:
            for each in (one, other):
                each.say("run", speed=0)
                each.frame_when(lambda frame: frame["epoch"] > 20)
            assert training_threads() == 2
        until(lambda: training_threads() == 1)
        reached = one.hear("frame")["epoch"]
        one.frame_when(lambda frame: frame["epoch"] > reached + 50)
    until(lambda: training_threads() == 0)


def test_pages_have_runs_of_their_own(server):
    with page(server) as one, page(server) as other:
        one.say("turn", knobs={"seed": 5})
        one.say("step", epochs=3)
        assert one.frame_when(lambda frame: frame["epoch"] == 3)["address"] != other.hear("frame")["address"]


def test_page_is_told_when_which_knobs_were_turned(server):
    with page(server) as one:
        assert one.hear("setting")["turned"] == []
        for dropout in (0.1, 0.0):
            one.say("step", epochs=2)
            one.frame_when(lambda frame: frame["epoch"] % 2 == 0 and frame["epoch"])
            one.say("turn", knobs={"dropout": dropout})
            told = one.hear("setting")
        assert (told["turned"], told["setting"]["dropout"]) == ([2, 4], [0.0, 0.0])


def test_address_opened_brings_the_same_networks(server):
    with page(server) as one:
        one.say("step", epochs=20)
        one.say("turn", knobs={"l1": 0.01, "dropout": 0.2})
        one.say("step", epochs=20)
        first = one.frame_when(lambda frame: frame["epoch"] == 40)
    with page(server) as other:
        other.say("open", address="#" + first["address"])
        again = other.frame_when(lambda frame: frame["epoch"] == 40 and not frame["running"])
    assert first["fingerprints"] == again["fingerprints"]
    assert first["last"] == again["last"]
    assert first["address"] == again["address"]


def test_more_pages_than_there_can_be_are_told_so(server):
    until(lambda: training_threads() == 0)
    with ExitStack() as pages:
        most = [pages.enter_context(page(server)) for _ in range(16)]
        assert most[-1].hear("hello")
        assert "which is the most" in pages.enter_context(page(server)).hear("error")["text"]
    until(lambda: training_threads() == 0)


def test_of_many_tables_the_first_and_the_latest_are_kept():
    tables = Tables()
    given = [tables.keep(Table.from_bytes("t.csv", f"a,b\n1,{n}\n2,3\n".encode())) for n in range(25)]
    assert list(tables.values()) == [given[0], *given[6:]]
    again = tables.keep(Table.from_bytes("copy.csv", b"a,b\n1,24\n2,3\n"))
    assert again is given[24]


def test_port_that_is_taken_is_one_line_and_without_a_port_the_next_is_found(server):
    with pytest.raises(TautError, match=f"port {server.port} is taken; choose another with --port"):
        listen(server.port)
    found = listen(None)
    assert found.getsockname() != ("127.0.0.1", server.port)
    assert found.getsockname()[0] == "127.0.0.1"
    found.close()
