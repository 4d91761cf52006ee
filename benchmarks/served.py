"""Peers that serve in a child of the contender's process.

They are forked, which is safe as a contender's process has one thread until it has opened its peer,
and so needs no second start of everything.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

STARTING = 30.0  # seconds


@contextlib.contextmanager
def forked(serve: Callable[..., object], *arguments: Any) -> Iterator[int]:
    """Run `serve` in a child until the block ends; gives its process id."""
    child = os.fork()
    if child == 0:
        _serve(serve, *arguments)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(serve: Callable[..., object], *arguments: Any) -> NoReturn:
    try:
        serve(*arguments)
    finally:
        os._exit(1)  # never back into the contender's own code


@contextlib.contextmanager
def forked_at_path(serve: Callable[[str], object]) -> Iterator[str]:
    """Run `serve` with the path of a Unix socket; gives the path, once it can be connected to."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "socket"
        with forked(serve, str(path)) as child:
            _await(path, child)
            yield str(path)


def _await(path: Path, child: int) -> None:
    deadline = time.monotonic() + STARTING
    while not _accepts(path):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            raise RuntimeError("the serving process ended before it served")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} did not come within {STARTING:g} s")
        time.sleep(0.005)


def _accepts(path: Path) -> bool:
    """Whether somebody listens: the path is there a moment before that."""
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(path)) == 0
