"""A plugin uses ZeroMQ as far as its rights go, and is told where they end."""

from __future__ import annotations

import pytest

ZEROMQ = """
import os, zmq

def exchanged(address):
    with zmq.Context() as context, context.socket(zmq.PAIR) as one, context.socket(zmq.PAIR) as two:
        one.bind(address)
        two.connect(one.getsockopt_string(zmq.LAST_ENDPOINT))
        two.send(b"a message")
        assert one.poll(10_000)
        return one.recv().decode()

def error_of(address):
    with zmq.Context() as context, context.socket(zmq.PAIR) as socket:
        try: socket.bind(address)
        except zmq.ZMQError as error: return os.strerror(error.errno)

def connected_to(address):
    with zmq.Context() as context, context.socket(zmq.PAIR) as socket:
        socket.linger = 0
        socket.connect(address)
        return socket.poll(100)
"""
TCP = ["tcp://127.0.0.1:*", "tcp://*:*", "tcp://localhost:*"]


@pytest.fixture
def host(lab):
    """Asks a plugin without rights; in the end it is the same process still."""
    pid = lab.pid("one")
    yield lambda expression: lab.ask("one", expression, ZEROMQ)
    assert lab.pid("one") == pid


def test_without_the_network_its_threads_talk(host):
    assert host("exchanged('inproc://here')") == "a message"


@pytest.mark.parametrize("address", [*TCP, "ipc://socket"])
def test_without_the_network_to_bind_is_an_error(host, address):
    assert host(f"error_of({address!r})") in ("Operation not permitted", "No such device")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tcp://localhost:9", "ipc://socket"])
def test_without_the_network_to_connect_reaches_nobody(host, address):
    assert host(f"connected_to({address!r})") == 0


@pytest.mark.parametrize(
    "rights",
    [
        {"capabilities": ["Network"]},
        {"capabilities": ["Network", "FileSystem"]},
        {"capabilities": ["Network", "ProcessSpawn"]},
    ],
    ids=lambda rights: " ".join(rights["capabilities"]),
)
def test_with_the_network_it_talks_over_tcp(open_lab, rights):
    lab = open_lab(rights)
    pid = lab.pid("one")
    assert lab.ask("one", "exchanged('tcp://127.0.0.1:*')", ZEROMQ) == "a message"
    assert lab.ask("one", "error_of('tcp://*:*')") is None
    assert lab.pid("one") == pid


def test_with_allowed_hosts_it_ends_in_an_error_or_not_at_all(open_lab):
    lab = open_lab({"capabilities": ["Network"], "allowed_hosts": ["127.0.0.1:9"]})
    pid = lab.pid("one")
    assert lab.ask("one", "exchanged('inproc://here')", ZEROMQ) == "a message"
    assert lab.ask("one", "error_of('tcp://127.0.0.1:*')") in (
        None,
        "Operation not permitted",
        "Permission denied",
    )
    assert lab.pid("one") == pid
