"""Dies in the way that it is asked to, so that you can watch what the manager does about it.

Only for a sandbox with a process of its own: with `sandbox: None` it takes your notebook along.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, NoReturn

from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {
    "id": "crasher",
    "name": "Crasher",
    "version": "1.0.0",
    "description": "Crashes on request.",
    "tags": ["demo"],
}

Way = Literal["raise", "exit", "hard_exit", "segfault", "abort", "kill", "rubbish", "close"]


class Crasher(Plugin):
    """Well until asked."""

    @operation(idempotent=True)
    def ping(self) -> str:
        """Answer "pong", to show that somebody is there."""
        return "pong"

    @operation
    def crash(self, how: Way, last_words: str = "about to crash") -> str:
        """Write the last words to stderr and go down.

        Args:
            how: "raise" an exception and "exit" by sys.exit only fail the call or end the plugin
                in an orderly way; "hard_exit", "segfault", "abort" and "kill" end the process at
                once; "rubbish" and "close" leave it running and spoil its line to the manager.
            last_words: what to say before.
        """
        sys.stderr.write(f"{last_words}\n")
        sys.stderr.flush()
        WAYS[how]()
        return f"survived {how}"


def raise_error() -> NoReturn:
    raise RuntimeError("raised on request")


def segfault() -> None:
    ctypes.string_at(0)  # reads the memory at address 0


def write_rubbish() -> None:
    on_each_connection(lambda line: line.send(b"\xff" * 64, socket.MSG_DONTWAIT))


def close_connections() -> None:
    on_each_connection(lambda line: line.shutdown(socket.SHUT_RDWR))


def on_each_connection(act: Callable[[socket.socket], object]) -> None:
    """Do it to every connected Unix socket of this process; one is the line to the manager."""
    for entry in list(Path("/dev/fd").iterdir()):
        with suppress(OSError):  # most are no sockets, or are not connected
            line = socket.socket(fileno=int(entry.name))
            try:
                if line.family == socket.AF_UNIX and line.type == socket.SOCK_STREAM:
                    act(line)
            finally:
                line.detach()  # it is not ours to close


WAYS: Mapping[str, Callable[[], object]] = {
    "raise": raise_error,
    "exit": lambda: sys.exit(3),
    "hard_exit": lambda: os._exit(7),
    "segfault": segfault,
    "abort": os.abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "rubbish": write_rubbish,
    "close": close_connections,
}


def plugin_entry() -> Crasher:
    return Crasher()
