"""Control groups: what a host and all that it starts may use together; see cgroups(7).

Whoever is in a group when it forks has its children in there too, and can't leave it without the
file system of groups, so a host goes in first of all, by descriptors that it is given.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from nebula_lab.confine.cgroup_places import PROCS, Place, find

# Microseconds. A quota below a thousandth of a second is refused.
_PERIOD, _LONGEST_PERIOD, _LEAST_QUOTA = 100_000, 1_000_000, 1_000
_PATIENCE = 2.0  # seconds for those that were killed to be gone
_LOOKING = 0.002
# Where the kernel counts how often it stopped something, by what it is called in a failure.
_EVENTS = {
    "memory": ("memory", "memory.events", "oom_kill"),
    "threads": ("pids", "pids.events", "max"),
}
# By version of the interface: what to write for a quota and a period, and for none.
_QUOTAS = {
    1: (("cpu.cfs_period_us", "{period}"), ("cpu.cfs_quota_us", "{quota}")),
    2: (("cpu.max", "{quota} {period}"),),
}
_NO_QUOTA = {1: ("cpu.cfs_quota_us", "-1"), 2: ("cpu.max", "max")}


class Group:
    """One group, without limits at first.

    Args:
        place: where it is to be.
        name: of its folder.

    Attributes:
        has_memory: whether memory can be limited.
        entrances: descriptors; whoever writes to them enters it, see `join`.

    Raises:
        OSError: it can't be made.
    """

    def __init__(self, place: Place, name: str) -> None:
        self._version = place.version
        self._folders = {one: folder / name for one, folder in place.folders.items()}
        self.has_memory = "memory" in place.folders
        self.entrances: tuple[int, ...] = ()
        made: list[Path] = []
        try:
            for folder in self._each:
                folder.mkdir()
                made.append(folder)
                entrance = os.open(folder / place.entrance, os.O_WRONLY | os.O_CLOEXEC)
                self.entrances += (entrance,)
        except BaseException:
            self.close_entrances()
            for folder in made:
                folder.rmdir()
            raise

    @property
    def _each(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(self._folders.values()))

    def close_entrances(self) -> None:
        """Nobody enters any more. Can be called again."""
        entrances, self.entrances = self.entrances, ()
        for entrance in entrances:
            os.close(entrance)

    # Limits. Each raises an OSError where the kernel refuses.

    def limit_processor(self, percent: float) -> None:
        """Give all in it together so much of one processor."""
        quota, period = int(_PERIOD * percent / 100), _PERIOD
        if quota < _LEAST_QUOTA:
            quota, period = _LEAST_QUOTA, min(_LONGEST_PERIOD, int(_LEAST_QUOTA * 100 / percent))
        for name, value in _QUOTAS[self._version]:
            self._write("cpu", name, value.format(quota=quota, period=period))

    def free_processor(self) -> None:
        """Take that limit away again."""
        self._write("cpu", *_NO_QUOTA[self._version])

    def limit_threads(self, count: int) -> None:
        """Let all in it together have so many threads."""
        self._write("pids", "pids.max", f"{count}")

    def limit_memory(self, size: int) -> None:
        """Let all in it together have so many bytes, none of them in swap."""
        self._write("memory", "memory.max", f"{size}")
        with contextlib.suppress(OSError):  # a kernel without swap has no such file
            self._write("memory", "memory.swap.max", "0")

    def _write(self, controller: str, name: str, value: str) -> None:
        (self._folders[controller] / name).write_text(value)

    # What there is

    def threads(self) -> int:
        """How many threads are in it."""
        return int((self._folders["pids"] / "pids.current").read_text())

    def memory(self) -> int:
        """How many bytes are counted for it."""
        return int((self._folders["memory"] / "memory.current").read_text())

    def stops(self) -> Mapping[str, int]:
        """How often the kernel stopped something in it: «memory» by killing, «threads» by EAGAIN.

        Only what is counted here is there.
        """
        found = {}
        for what, (controller, name, counter) in _EVENTS.items():
            with contextlib.suppress(OSError, KeyError, ValueError):
                words = (self._folders[controller] / name).read_text().split()
                found[what] = int(words[words.index(counter) + 1])
        return found

    # Its end

    def kill(self) -> None:
        """Kill all that is in it."""
        with contextlib.suppress(OSError):  # what is throttled takes its time to die
            self.free_processor()
        for folder in self._each:
            _kill(folder)

    def remove(self, patience: float = 0.0) -> bool:
        """Kill all that is in it and remove it. Can be called again.

        Args:
            patience: seconds to wait for what was killed to be gone.

        Returns:
            False if something is still there.
        """
        left = [folder for folder in self._each if not _remove(folder, patience)]
        return not left


def join(entrances: Iterable[int]) -> None:
    """Put this process, which has one thread, into the group with these entrances; close them.

    Raises:
        OSError: it can't be put there.
    """
    for entrance in entrances:
        os.write(entrance, b"0")
        os.close(entrance)


def remove_all(prefix: str) -> None:
    """Remove the groups whose names start like this; a process in our own group made them."""
    try:
        place = find()
    except OSError:
        return
    for folder in dict.fromkeys(place.folders.values()):
        for group in folder.glob(f"{prefix}*"):
            _remove(group, _PATIENCE)


def _remove(folder: Path, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            _kill(folder)
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOKING)
        else:
            return True


def _kill(folder: Path) -> None:
    try:
        (folder / "cgroup.kill").write_text("1")
    except OSError:  # version 1, or a kernel before 5.14, or it has been removed
        for pid in _members(folder):
            _kill_member(folder, pid)


def _members(folder: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return (folder / PROCS).read_text().split()
    return []


def _kill_member(folder: Path, pid: str) -> None:
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(int(pid))
        try:
            if pid in _members(folder):  # now that its number can't come to mean another
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        finally:
            os.close(pidfd)
