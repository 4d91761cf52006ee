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

import psutil
import pytest

from nebula_lab.sandbox.leftovers import MARK

DEADLINE = 5.0


class _There(NamedTuple):
    """What is there of ours at a moment."""

    processes: set[tuple[int, float]]
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
    return set(Path(tempfile.gettempdir()).glob("nebula-lab-*/nebula-*"))


def _listed() -> set[tuple[int, int]]:
    """Every process: its pid, and the number of its folder, which no later one of that pid has."""
    return {(int(e.name), e.inode()) for e in os.scandir("/proc") if e.name.isdigit()}


# None of ours. Every test looks for processes twice, and most tests are shorter than it takes to
# read what all processes of a machine say of themselves.
STRANGERS = _listed()


def processes() -> set[tuple[int, float]]:
    """Our descendants, and what carries the mark of one of our hosts: pid and start time."""
    mark = f"\0{MARK}={os.getpid()}-".encode()
    ours, others = {os.getpid(): 0.0}, {}
    for pid, _ in _listed() - STRANGERS:
        with contextlib.suppress(OSError, psutil.Error):
            process = psutil.Process(pid)
            others[pid] = (process.ppid(), process.create_time())
            if mark in b"\0" + Path(f"/proc/{pid}/environ").read_bytes():
                ours[pid] = others.pop(pid)[1]
    while children := {pid for pid, (parent, _) in others.items() if parent in ours}:
        ours.update((pid, others.pop(pid)[1]) for pid in children)
    return set(ours.items()) - {(os.getpid(), 0.0)}


def described(left: set[tuple[int, float]]) -> list[str]:
    """What is known of processes that should be gone."""
    found = []
    for pid, _ in left:
        with contextlib.suppress(OSError):
            name, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            state, parent = fields.split()[:2]
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            found.append(f"{name}), {state}, of {parent}: {arguments[:300]!r}")
    return found


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("nebula")}


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # a descriptor that was closed meanwhile, such as the listing's own
        return ""


def sockets() -> set[str]:
    """Our sockets and pidfds, each with what tells it from others."""
    return {
        target if target.startswith("socket:") else f"{target} {entry.name} of {_pid_behind(entry)}"
        for entry in Path("/proc/self/fd").iterdir()
        if (target := _target(entry)).startswith(("socket:", "anon_inode:[pidfd"))
    }


def _pid_behind(pidfd: Path) -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/fdinfo", pidfd.name).read_text().splitlines():
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
