"""Cleans up after a manager that had no time to do it: killed by SIGKILL, say.

Hosts end themselves when their owner is gone, but one that is stuck in C code can't, one may have
prepared not to, and nobody would remove its files. So a small process watches the owner and does
all that. It is given a pidfd of each host, which holds one that has taken every mark from itself.
It imports next to nothing, to be small and quick to start.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from nebula_lab.environments.environment import isolated_command, own_environment
from nebula_lab.sandbox import removal
from nebula_lab.sandbox.leftovers import kill_marked

_log = logging.getLogger("nebula_lab")
# Seconds for what was killed to be gone, and between two looks.
_PATIENCE = 10.0
_LOOKING = 0.01
_HOST, _BYE = b"host", b"bye"
_LONGEST = 16


class Sweeper:
    """The manager's handle on that process.

    Args:
        run_dir: removed with everything in it once the owner is gone.
        marks: what the marks of the owner's hosts and zygotes start with.
    """

    def __init__(self, run_dir: Path, *marks: str) -> None:
        owner = os.pidfd_open(os.getpid())
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = subprocess.Popen(
                isolated_command(own_environment(), __name__, str(owner), str(run_dir), *marks),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(owner,),
                start_new_session=True,
            )
        except BaseException:
            self._socket.close()
            raise
        finally:
            os.close(owner)
            theirs.close()
        self._socket.setblocking(False)  # a load waits for nobody

    @property
    def pid(self) -> int:
        return self._process.pid

    def entrust(self, pidfd: int) -> None:
        """Have a host ended, and all that is below it, once the owner is gone."""
        try:
            socket.send_fds(self._socket, [_HOST], [pidfd])
        except OSError as error:
            _log.warning(
                "a plugin's process may outlive this one, if this one is killed: the process "
                "that is to end it then can't be reached: %s",
                error,
            )

    def close(self) -> None:
        """There is nothing left to sweep. Can be called again."""
        with contextlib.suppress(OSError):  # it has ended, or this has been called before
            self._socket.setblocking(True)
            self._socket.send(_BYE)
        self._socket.close()
        self._process.wait()


def _sweep(owner: int, orders: socket.socket, run_dir: str, marks: list[str]) -> None:
    hosts = _watch(owner, orders)
    if hosts is None:
        return
    _end(hosts)
    # Again, since one that is being killed may finish making a file or a process.
    deadline = time.monotonic() + _PATIENCE
    while kill_marked(*marks) and time.monotonic() < deadline:
        time.sleep(_LOOKING)
    from nebula_lab.confine.cgroups import remove_all  # not before there is something to do

    remove_all(f"{Path(run_dir).name}-")
    removal.remove(run_dir)


def _watch(owner: int, orders: socket.socket) -> set[int] | None:
    """Wait for the owner's end; pidfds of its hosts then, None if there is nothing to sweep."""
    hosts: set[int] = set()
    poll = select.poll()
    for descriptor in (owner, orders.fileno()):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        for ended in ready & hosts:
            poll.unregister(ended)
            os.close(ended)
            hosts.discard(ended)
        if orders.fileno() in ready:
            said, given, _, _ = socket.recv_fds(orders, _LONGEST, 1)
            if said == _BYE:
                return None
            if not said:  # the owner is ending, and will not say goodbye
                poll.unregister(orders.fileno())
            for host in given:
                poll.register(host, select.POLLIN)
                hosts.add(host)
        elif owner in ready:  # and all that it said has been heard
            return hosts


def _end(hosts: Iterable[int]) -> None:
    """Kill hosts with all that is below them, before anything else: marks tell no parents."""
    from nebula_lab.sandbox import pidfds
    from nebula_lab.sandbox.family import Family

    for host in hosts:
        with contextlib.suppress(OSError, ValueError):  # it has ended
            family = Family(pidfds.pid_of(host), host, has_descendants=True)
            try:
                family.kill()
            finally:
                family.close()
                pidfds.send_signal(host, signal.SIGKILL)


def main(standard_path: list[str], arguments: list[str]) -> None:
    """Watch until there is something to do: descriptor of the owner's pidfd, folder, marks."""
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # one for each host
    owner, run_dir, *marks = arguments
    _sweep(int(owner), socket.socket(fileno=0), run_dir, marks)
