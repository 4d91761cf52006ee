"""One call with about 100 bytes of JSON, against the ways that others have for it.

The contenders take turns, a batch each a round; the medians over all rounds and their ratios are
printed. Run: python benchmarks/bench_calls.py [rounds]
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from jupyter_client.manager import start_new_kernel

from nebula_lab import PluginManager

PARAMS = {"text": "x" * 60, "number": 12345, "flags": [True, False, None]}
ECHO = """
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "echo", "version": "1.0.0"}

class Echo(Plugin):
    @operation
    def echo(self, text: str, number: int, flags: list[bool | None]) -> dict:
        return {"text": text, "number": number, "flags": flags}

def plugin_entry():
    return Echo()
"""
Work = Callable[[], object]


@contextlib.contextmanager
def raw_socketpair() -> Iterator[Work]:
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        while (data := theirs.recv(4096)) != b"quit":
            theirs.send(data)
        os._exit(0)

    def call() -> None:
        ours.send(b"x" * 100)
        ours.recv(4096)

    yield call
    ours.send(b"quit")
    os.waitpid(child, 0)
    ours.close()
    theirs.close()


@contextlib.contextmanager
def pipe() -> Iterator[Work]:
    ours, theirs = multiprocessing.Pipe()
    child = os.fork()
    if child == 0:
        while (message := theirs.recv()) is not None:
            theirs.send(message)
        os._exit(0)

    def call() -> None:
        ours.send(PARAMS)
        ours.recv()

    yield call
    ours.send(None)
    os.waitpid(child, 0)


@contextlib.contextmanager
def plugin(sandbox: str) -> Iterator[Work]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "echo.py").write_text(ECHO)
        config = {"plugin_dir": folder, "security": {"sandbox": sandbox}}
        with PluginManager(config) as plugins:
            plugins.load_plugin("echo")
            yield lambda: plugins.execute("echo", "echo", PARAMS)


@contextlib.contextmanager
def execute_request() -> Iterator[Work]:
    manager, client = start_new_kernel()
    yield lambda: client.execute_interactive(
        "None", silent=True, output_hook=lambda message: None, timeout=10
    )
    client.stop_channels()
    manager.shutdown_kernel(now=True)


CONTENDERS = {
    "raw socketpair": (raw_socketpair, 200),
    "multiprocessing.Pipe": (pipe, 200),
    "plugin, sandbox None": (lambda: plugin("None"), 200),
    "plugin, sandbox Process": (lambda: plugin("Process"), 200),
    "execute_request": (execute_request, 10),
}


def main(rounds: int) -> None:
    with contextlib.ExitStack() as stack:
        # Forks first: they are to copy nothing of the others.
        works = {name: stack.enter_context(make()) for name, (make, _) in CONTENDERS.items()}
        times: dict[str, list[float]] = {name: [] for name in works}
        for round_number in range(rounds + 1):
            for name, work in works.items():
                taken = [_timed(work) for _ in range(CONTENDERS[name][1])]
                if round_number:  # the first one warms up
                    times[name] += taken
    _print(times)


def _timed(work: Work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _print(times: dict[str, list[float]]) -> None:
    base = {name: statistics.median(times[name]) for name in times}
    print(f"{'':26}{'p50 µs':>10}{'p99 µs':>10}{'× raw':>8}{'× Pipe':>8}")
    for name, taken in times.items():
        p99 = statistics.quantiles(taken, n=100)[98]
        raw, piped = (
            base[name] / base[peer] for peer in ("raw socketpair", "multiprocessing.Pipe")
        )
        print(f"{name:26}{base[name] * 1e6:10.1f}{p99 * 1e6:10.1f}{raw:8.2f}{piped:8.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
