"""Where the host of a container comes to be told what it is: a socket in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from nebula_lab.sandbox import pidfds

# SO_PEERPIDFD, Linux 6.5.
_PEER_PIDFD = 77
_CREDENTIALS = struct.Struct("iII")
_LOOKING = 0.05


class Visitor:
    """The first process of a container, connected.

    Args:
        line: to it; becomes this object's own.

    Attributes:
        pid: its number.
        pidfd: it itself.

    Raises:
        OSError: it is gone.
    """

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.pid: int = _CREDENTIALS.unpack(told)[0]
        self.pidfd = _pidfd_of_peer(line, self.pid)

    def receive_host(self, timeout: float) -> tuple[int, int]:
        """The pid and pidfd of the host that it has started.

        Raises:
            OSError: what came is not that.
        """
        self.line.settimeout(timeout)
        _, descriptors, _, _ = socket.recv_fds(self.line, 1, 1)
        self.line.settimeout(None)
        if len(descriptors) != 1:
            raise ConnectionError("it ended before its host had begun")
        try:
            pid = pidfds.pid_of(descriptors[0])
            if pidfds.parent_of(pid) != self.pid:
                raise OSError("the process that came from the container is not its own")
        except (OSError, ValueError) as error:
            os.close(descriptors[0])
            raise OSError(f"the container's host can't be told: {error}") from error
        return pid, descriptors[0]

    def close(self) -> None:
        """Give back everything. Can be called again."""
        self.line.close()
        pidfd, self.pidfd = self.pidfd, -1
        if pidfd >= 0:
            os.close(pidfd)


def _pidfd_of_peer(line: socket.socket, pid: int) -> int:
    with contextlib.suppress(OSError):
        return line.getsockopt(socket.SOL_SOCKET, _PEER_PIDFD)
    return os.pidfd_open(pid)  # it waits for our answer, so it is there


class Door:
    """Listens for one visitor, and then never again.

    Args:
        folder: made here. Nobody but the manager's user gets to it, save the container, which has
            it shown: so its own modes can let whatever user that runs as connect.

    Raises:
        OSError: it can't be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "s"
        folder.mkdir(0o755)
        folder.chmod(0o755)
        self._listener = socket.socket(socket.AF_UNIX)
        try:
            self._listener.bind(str(self.path))
            self.path.chmod(0o666)
            self._listener.listen(1)
            self._listener.setblocking(False)
        except BaseException:
            self._listener.close()
            raise

    def wait(self, timeout: float, has_failed: Callable[[], bool]) -> Visitor | None:
        """Wait for the visitor; None once it can't come any more. Nobody is let in after it.

        Raises:
            TimeoutError: it did not come.
            OSError: it is gone again.
        """
        deadline = time.monotonic() + timeout
        while True:
            readable, _, _ = select.select([self._listener], [], [], _LOOKING)
            if readable:
                line, _ = self._listener.accept()
                self.close()
                line.setblocking(True)
                try:
                    return Visitor(line)
                except BaseException:
                    line.close()
                    raise
            if has_failed():
                return None
            if time.monotonic() > deadline:
                raise TimeoutError

    def close(self) -> None:
        """Listen no more. Can be called again."""
        self._listener.close()
        self.path.unlink(missing_ok=True)
