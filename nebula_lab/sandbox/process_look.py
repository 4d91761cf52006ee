"""A look at a host that is a process, and at what it has started."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from nebula_lab.confine.confinement import Guard
from nebula_lab.plugin.safe_text import line
from nebula_lab.reports.stacks import ChildProcess, HostStacks
from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.family import Family
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.source_lines import SourceLines
from nebula_lab.sandbox.stack_dump import StackDump
from nebula_lab.sandbox.stack_text import stacks_from

_MOST_CHILDREN = 10
_TICKS = os.sysconf("SC_CLK_TCK")
# The processes of a guarded host that come before what its plugin has started, itself the last.
BEFORE_CHILDREN = {Guard.NONE: 1, Guard.SUBREAPER: 2, Guard.NAMESPACE: 3, Guard.CONTAINER: 1}
_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a device",
    "T": "stopped",
    "t": "being traced",
    "Z": "ended",
}
_NO_STACK = {
    "T": "its stack can't be had, since it was stopped by a signal such as SIGSTOP",
    "t": "its stack can't be had, since a debugger held it",
    "D": "its stack can't be had, since it waited for a device within the system",
}


def look_at(
    family: Family,
    guard: Guard,
    dump: StackDump,
    sources: Callable[[], SourceLines | None],
) -> Look:
    """Begin to look at a process.

    Args:
        family: the process and its descendants; this closes it.
        guard: how they are guarded.
        dump: what it writes its stacks into.
        sources: gives the plugin's files.
    """
    start = dump.begin()
    try:
        host, children = _processes(family, guard)
    finally:
        family.close()

    def read() -> HostStacks:
        stacks = stacks_from(dump.since(start), sources())
        trouble = "" if stacks.threads else _why_none(host)
        return replace(stacks, children=children, trouble=trouble)

    return Look(read)


def _processes(family: Family, guard: Guard) -> tuple[int, tuple[ChildProcess, ...]]:
    """The pid of the host itself, and what is below it."""
    before = BEFORE_CHILDREN[guard]
    pids = list(islice(family.pids(), before + _MOST_CHILDREN))
    host = pids[before - 1] if len(pids) >= before else family.pid
    found = (_child(pid) for pid in pids[before:])
    return host, tuple(child for child in found if child is not None)


def _child(pid: int) -> ChildProcess | None:
    with contextlib.suppress(OSError, ValueError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()[:1000].replace(b"\0", b" ")
        state, ticks = pidfds.activity_of(pid)
        return ChildProcess(
            pid,
            line(command.decode("utf-8", "replace")) or "(a process without a command)",
            _STATES.get(state, state),
            ticks / _TICKS,
        )
    return None


def _why_none(pid: int) -> str:
    state = ""
    with contextlib.suppress(OSError, ValueError):
        state, _ = pidfds.activity_of(pid)
    return _NO_STACK.get(state, "its stack can't be had: it wrote none when it was asked to")
