"""What a test left behind: processes, threads, folders, sockets."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from own_processes import described, processes

DEADLINE = 15.0


class _There(NamedTuple):
    """What is there of ours at a moment."""

    processes: set[tuple[int, int]]
    folders: set[Path]
    threads: set[str]
    sockets: set[str]


def _there() -> _There:
    return _There(processes(), run_folders(), threads(), sockets())


@contextlib.contextmanager
def nothing(deadline: float = DEADLINE) -> Iterator[None]:
    """See to it that nothing is there afterwards, `deadline` seconds on, that was not before."""
    before = _there()
    yield
    latest = time.monotonic() + deadline
    known: list[str] = []  # of processes, as they end at last
    while left := _left(before, now := _there()):
        known = described(now.processes - before.processes) or known
        if time.monotonic() > latest:
            pytest.fail(f"left behind: {left}; {known}")
        time.sleep(0.02)


def _left(before: _There, now: _There) -> list[object]:
    left: list[object] = []
    left += (now.processes - before.processes, now.folders - before.folders)
    left += (now.threads - before.threads,)
    # One may be in the place of another: a zygote that is no longer right, for example.
    if len(now.sockets) > len(before.sockets):
        left.append(_described_sockets(now.sockets - before.sockets))
    return [one for one in left if one]


def run_folders() -> set[Path]:
    with os.scandir(tempfile.gettempdir()) as entries:
        owners = [entry.path for entry in entries if entry.name.startswith("nebula-lab-")]
    return {path for owner in owners for path in Path(owner).glob("nebula-*")}


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("nebula")}


def _target(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 (a tenth of the time)
    except OSError:  # a descriptor that was closed meanwhile, such as the listing's own
        return ""


def sockets() -> set[str]:
    """Our sockets and pidfds, each with what tells it from others."""
    return {
        target if target.startswith("socket:") else f"{target} {name} of {_pid_behind(name)}"
        for name in os.listdir("/proc/self/fd")  # noqa: PTH208
        if (target := _target(name)).startswith(("socket:", "anon_inode:[pidfd"))
    }


def _pid_behind(descriptor: str) -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/fdinfo", descriptor).read_text().splitlines():
            if line.startswith("Pid:"):
                return line.split()[1]
    return "nobody"


def _described_sockets(more: set[str]) -> list[str]:
    """What is known of descriptors that should be closed: where a socket leads, and its state."""
    lines = {}
    for name in ("tcp", "tcp6", "unix", "udp", "netlink"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                lines |= {f"socket:[{word}]": f"{name} {line}" for word in line.split()[-9:]}
    return sorted(f"{one} {lines.get(one, '')}" for one in more)
