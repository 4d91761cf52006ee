"""The processes of a run of tests: its descendants, and the hosts that carry its mark."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path

from nebula_lab.sandbox.leftovers import MARK

_STARTS = frozenset(
    {"os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}
)
# Set once a process has been started, until a look at all processes has found none of ours. Most
# tests start none, and such a look takes longer than most tests do.
_may_have_some = threading.Event()


def _note_start(event: str, _: object) -> None:
    if event in _STARTS:
        _may_have_some.set()


sys.addaudithook(_note_start)


def listed() -> set[tuple[int, int]]:
    """Every process: its pid, and the number of its folder, which no later one of that pid has."""
    return {(int(e.name), e.inode()) for e in os.scandir("/proc") if e.name.isdigit()}


# None of ours, as far as is known.
_strangers = listed()
_TELLS_CHILDREN = Path("/proc/thread-self/children").exists()  # some kernels are built without


def processes() -> set[tuple[int, int]]:
    """Pid and start time of each, in ticks since the machine started."""
    if not _may_have_some.is_set() and not _has_children():
        return set()
    _may_have_some.clear()
    if found := _looked_for():
        _may_have_some.set()
    return found


def _has_children() -> bool:
    """Whether there may be any, however they were started; orphans are no children any more."""
    if not _TELLS_CHILDREN:
        return True
    with os.scandir("/proc/self/task") as tasks:
        for task in tasks:
            with contextlib.suppress(OSError):  # the thread has ended meanwhile
                if _read(f"{task.path}/children"):
                    return True
    return False


def _looked_for() -> set[tuple[int, int]]:
    mark = f"\0{MARK}={os.getpid()}-".encode()
    ours, others, folders = {os.getpid(): 0}, {}, {}
    there = listed()
    for pid, folder in there - _strangers:
        with contextlib.suppress(OSError):
            others[pid] = _parent_and_start(pid)
            variables = _read(f"/proc/{pid}/environ")
            if mark in b"\0" + variables:
                ours[pid] = others.pop(pid)[1]
            elif variables:  # a program that has just been started has none yet
                folders[pid] = folder
    while children := {pid for pid, (parent, _) in others.items() if parent in ours}:
        ours.update((pid, others.pop(pid)[1]) for pid in children)
    _get_to_know(others, folders, {pid for pid, _ in there & _strangers})
    return set(ours.items()) - {(os.getpid(), 0)}


def _get_to_know(others: dict, folders: dict[int, int], known: set[int]) -> None:
    """Look no more at those of other workers, which never become ours.

    Args:
        others: parent and start of those that are none of ours, by pid.
        folders: of those that can be told by their variables.
        known: strangers of before.
    """
    for pid, (parent, _) in others.items():
        # One whose parent has ended meanwhile may come to have one of ours for it.
        if pid in folders and (parent in known or parent in others):
            _strangers.add((pid, folders[pid]))


def _parent_and_start(pid: int) -> tuple[int, int]:
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]), int(fields[19])


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        return file.readall()


def described(left: set[tuple[int, int]]) -> list[str]:
    """What is known of processes that should be gone."""
    found = []
    for pid, _ in left:
        with contextlib.suppress(OSError):
            name, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            state, parent = fields.split()[:2]
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            found.append(f"{name}), {state}, of {parent}: {arguments[:300]!r}")
    return found
