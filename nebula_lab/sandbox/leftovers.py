"""Finds processes that a plugin left behind, also those that took a session of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

# Imported by the sweeper too: the standard library only.
from nebula_lab.agent.marking import MARK

_YOUNG = 2.0  # seconds
_STARTED = 19
_TICKS = os.sysconf("SC_CLK_TCK")


def kill_marked(*prefixes: str) -> int:
    """Kill every process that inherited the environment of a host whose mark starts like these.

    A process that clears its environment escapes this; one that also leaves the process group
    needs a PID namespace or a control group to be caught.

    Returns:
        How many there were that had not ended yet, or that may have been and could not be told:
        look again if there were any.
    """
    wanted = tuple(prefix.encode() for prefix in prefixes)
    unsettled = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            environment = _environment_of(entry)
            if not environment:
                unsettled += _may_be_in_exec(entry)
            elif _mark_in(environment).startswith(wanted):
                unsettled += 1
                _kill(entry, wanted)
    return unsettled


def _environment_of(entry: Path) -> bytes:
    """The environment of a process; empty where it has none, or is not ours."""
    try:
        return (entry / "environ").read_bytes()
    except OSError:
        return b""


def _mark_in(environment: bytes) -> bytes:
    _, _, rest = (b"\0" + environment).partition(b"\0" + MARK.encode() + b"=")
    return rest.partition(b"\0")[0]


def _may_be_in_exec(entry: Path) -> bool:
    """Whether a process without an environment may just be getting one, together with a program.

    That is so of one of ours that is young and alive: one in fourteen showed none right after
    `Popen` had returned.
    """
    try:
        if entry.stat().st_uid != os.getuid():
            return False
        stat = (entry / "stat").read_bytes()
    except OSError:
        return False
    fields = stat[stat.rindex(b")") + 2 :].split()  # from the state on; see proc_pid_stat(5)
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[_STARTED]) / _TICKS
    return fields[0] not in b"ZX" and age < _YOUNG


def _kill(entry: Path, wanted: tuple[bytes, ...]) -> None:
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(int(entry.name))
        try:
            # Looked at again now that its number can't come to mean another.
            if _mark_in(_environment_of(entry)).startswith(wanted):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        finally:
            os.close(pidfd)
