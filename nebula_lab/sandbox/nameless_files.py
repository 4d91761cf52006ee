"""Files of a host that have no name any more, where no quota counts them.

Of those that a process has open the size can be asked for. Of one that it only maps, or whose
descriptor lies in a socket, nobody tells the size: it may be as large as a file may be at all. So
whatever is seen like that at two looks in a row is too much, be it another thing at each: one file
can be handed from one hiding place to the next. What is on its way is there at one.
"""

from __future__ import annotations

import contextlib
import os
import platform
import stat
from collections.abc import Generator, Iterable
from itertools import repeat
from pathlib import Path

from nebula_lab.confine.system_calls import MACHINES, numbers_for
from nebula_lab.sandbox import pidfds

_BLOCK = 512  # of st_blocks, whatever the file system's are
# Of mappings; 10,000 of them, and 10 ms.
_MOST_READ = 2**20
_DELETED = b" (deleted)"
_INODE, _FIELDS = 4, 5  # of a line in /proc/PID/maps, before the name
# A process takes as long to look at as so many files.
_AS_LONG = 64


class NamelessFiles:
    """Those on the disk of one folder.

    Args:
        folder: its real path.
        channel: inode of the socket on which the host is lent descriptors, which may lie there.
    """

    def __init__(self, folder: str, channel: int = -1) -> None:
        self._folder = folder
        self._inside = os.fsencode(folder) + b"/"
        self._channel = channel
        self._open: set[int] = set()
        self._mapped: set[int] = set()
        self._sending = _numbers_of("sendmsg", "sendmmsg")
        self._named: set[int] = set()
        self._hid = self._hides = False  # something but mappings, at the last look and at this one
        self.suspects: frozenset[int] = frozenset()

    def named(self, inode: int) -> None:
        """One of the suspects has a name all the same, and was counted by it."""
        self.suspects -= {inode}
        self._named.add(inode)

    def sizes(self, pids: Iterable[int], counted: set[tuple[int, int]]) -> Generator[float]:
        """Bytes of one after another; infinite for what nobody can tell.

        Args:
            pids: processes that may have them.
            counted: device and inode of files that are not to be counted again; it grows.
        """
        disk = Path(self._folder).stat().st_dev
        for pid in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                yield from self._held_by(pid, disk, counted)
                self._note_mapped(pid)
                self._note_blocked(pid)
            yield from repeat(0.0, _AS_LONG)
        mapped = frozenset(self._mapped - self._open)
        if (self._hid or self.suspects) and (self._hides or mapped - self._named):
            yield float("inf")
        self.suspects = mapped
        self._hid, self._hides = self._hides, False
        self._open, self._mapped, self._named = set(), set(), set()

    def _held_by(self, pid: int, disk: int, counted: set[tuple[int, int]]) -> Generator[float]:
        try:
            names = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208
        except PermissionError:  # it runs a program that may not be read, perhaps one of its own
            self._hides |= not pidfds.is_ending(pid)  # which has nothing any more
            return
        program = () if self._runs_what_is_elsewhere(pid) else ("exe",)
        for name in (*(f"fd/{number}" for number in names), *program):
            with contextlib.suppress(OSError):
                found = Path(f"/proc/{pid}/{name}").stat()
                if stat.S_ISSOCK(found.st_mode) and found.st_ino != self._channel:
                    self._note_queue(f"/proc/{pid}/fdinfo/{name[3:]}")
                if stat.S_ISREG(found.st_mode) and found.st_dev == disk and not found.st_nlink:
                    self._open.add(found.st_ino)
                    yield _size(found, counted)

    def _runs_what_is_elsewhere(self, pid: int) -> bool:
        """Whether its program is none of the folder's, as an interpreter that was replaced."""
        try:
            program = os.readlink(f"/proc/{pid}/exe".encode())  # noqa: PTH115 - any bytes
        except OSError:  # a path can be too long to be told
            return False
        return not program.startswith(self._inside)

    def _note_queue(self, told: str) -> None:
        """Note whether descriptors lie in a socket; see `unix_show_fdinfo` in the kernel."""
        _, _, number = Path(told).read_bytes().partition(b"scm_fds:")
        if number and int(number.split(maxsplit=1)[0]):
            self._hides = True

    def _note_mapped(self, pid: int) -> None:
        with contextlib.suppress(PermissionError):  # that has been noted
            with Path(f"/proc/{pid}/maps").open("rb") as file:
                maps = file.read(_MOST_READ)
            if len(maps) == _MOST_READ:  # it maps so much to keep us busy
                self._hides = True
            if _DELETED not in maps:
                return
            for line in maps.split(b"\n"):  # names may have every other break of lines in them
                *fields, path = line.split(maxsplit=_FIELDS) or [b""]
                if path.startswith(self._inside) and path.endswith(_DELETED):
                    self._mapped.add(int(fields[_INODE]))

    def _note_blocked(self, pid: int) -> None:
        """Note threads that wait for room to send: what they send is in no table and no queue."""
        # By kernel.yama.ptrace_scope=1 only those below us are seen: not those whose zygote died.
        with contextlib.suppress(PermissionError):
            for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
                call = Path(f"/proc/{pid}/task/{task}/syscall").read_bytes()
                if call.partition(b" ")[0] in self._sending:
                    self._hides = True


def _size(found: os.stat_result, counted: set[tuple[int, int]]) -> float:
    name = (found.st_dev, found.st_ino)
    if name in counted:
        return 0.0
    counted.add(name)
    return float(found.st_blocks * _BLOCK)


def _numbers_of(*names: str) -> frozenset[bytes]:
    if platform.machine() not in MACHINES:
        return frozenset()
    numbers = numbers_for(platform.machine())
    return frozenset(str(numbers[name]).encode() for name in names)
