"""What the sweeper's process does.

Each manager has one such process, so it imports next to nothing, to be small and quick to start.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterable

from nebula_lab.sandbox import removal
from nebula_lab.sandbox.leftovers import kill_marked

# What it is told: a host's pidfd comes with this, and that there is nothing left to sweep.
HOST, BYE = b"host", b"bye"
_LONGEST = 16
# Seconds for what was killed to be gone, and between two looks.
_PATIENCE = 10.0
_LOOKING = 0.01


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

    remove_all(f"{os.path.basename(run_dir)}-")  # noqa: PTH119
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
            if said == BYE:
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
