"""multiprocessing.Pipe, which pickles."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.contender import Run
from benchmarks.payload import PARAMS, float_array, touch
from benchmarks.served import forked


@contextlib.contextmanager
def _connected() -> Iterator[Connection]:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs, forked(_send_back, theirs):
        yield ours


def _send_back(connection: Connection) -> None:
    while True:
        connection.send(connection.recv())


@contextlib.contextmanager
def echo() -> Iterator[Run]:
    with _connected() as connection:

        def call() -> Any:
            connection.send(PARAMS)
            return connection.recv()

        yield call


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    sent = float_array(megabytes)
    with _connected() as connection:

        def call() -> None:
            connection.send(sent)
            touch(connection.recv())

        yield call


@contextlib.contextmanager
def from_threads(threads: int, calls: int) -> Iterator[Run]:
    """So many calls in all, shared out among threads, each with a process of its own."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(_connected()) for _ in range(threads)]
        pool = stack.enter_context(ThreadPoolExecutor(threads))

        def share(connection: Connection) -> None:
            for _ in range(calls // threads):
                connection.send(PARAMS)
                connection.recv()

        yield lambda: list(pool.map(share, connections))
