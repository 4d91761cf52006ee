"""A bare socketpair: the least that two processes can pay."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from benchmarks.contender import Run
from benchmarks.payload import MEGABYTE, float_array, touch
from benchmarks.served import forked

MESSAGE = b"x" * 100


@contextlib.contextmanager
def ping_pong() -> Iterator[Run]:
    """100 bytes there and back, neither encoded nor looked at."""
    ours, theirs = socket.socketpair()

    def call() -> None:
        ours.send(MESSAGE)
        ours.recv(4096)

    with ours, theirs, forked(_send_back, theirs):
        yield call


def _send_back(connection: socket.socket) -> None:
    while data := connection.recv(4096):
        connection.send(data)


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    """An array's bytes there and back, into memory that is there already."""
    sent = float_array(megabytes)
    received = sent.copy()
    ours, theirs = socket.socketpair()

    def call() -> None:
        ours.sendall(sent.data.cast("B"))
        _receive_into(ours, received.data.cast("B"))
        touch(received)

    with ours, theirs, forked(_send_all_back, theirs, megabytes * MEGABYTE):
        yield call


def _send_all_back(connection: socket.socket, size: int) -> None:
    memory = memoryview(bytearray(size))
    while True:
        _receive_into(connection, memory)
        connection.sendall(memory)


def _receive_into(connection: socket.socket, memory: memoryview) -> None:
    filled = 0
    while filled < len(memory):
        received = connection.recv_into(memory[filled:])
        if not received:
            raise EOFError("the other end is gone")
        filled += received
