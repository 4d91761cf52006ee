"""Finds processes that a plugin left behind, also those that took a session of their own."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

# Imported by the sweeper too: the standard library only.
from nebula_lab.agent.marking import MARK


def kill_marked(*prefixes: str) -> int:
    """Kill every process that inherited the environment of a host whose mark starts like these.

    A process that clears its environment escapes this; one that also leaves the process group
    needs a PID namespace or a control group to be caught.

    Returns:
        How many there were that had not ended yet.
    """
    wanted = tuple(prefix.encode() for prefix in prefixes)
    numbers = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = [entry for entry in numbers if _mark_of(entry).startswith(wanted)]
    for entry in found:
        _kill(entry, wanted)
    return len(found)


def _mark_of(entry: Path) -> bytes:
    """The mark in the environment of a process; empty without one, and where it is not ours."""
    try:
        environment = b"\0" + (entry / "environ").read_bytes()
    except OSError:
        return b""
    _, _, rest = environment.partition(b"\0" + MARK.encode() + b"=")
    return rest.partition(b"\0")[0]


def _kill(entry: Path, wanted: tuple[bytes, ...]) -> None:
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(int(entry.name))
        try:
            # Looked at again now that its number can't come to mean another.
            if _mark_of(entry).startswith(wanted):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        finally:
            os.close(pidfd)
