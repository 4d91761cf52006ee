"""A host's process and all that it has started, looked at from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from pathlib import Path

from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.started import Moment

# So that whoever walks through a family comes to an end, whatever it does meanwhile.
_MOST = 10_000
_TICKS = os.sysconf("SC_CLK_TCK")


class Family:
    """A process and its descendants. Any thread may look at them and signal them.

    Whatever is left behind by its parent stays a descendant of the first process of a guarded
    host, so there is nothing to be remembered from one walk to the next.

    Args:
        pid: of the first process.
        pidfd: its own; another is made of it.
        has_descendants: whether it can start any.

    Attributes:
        pid: of the first process.
        has_descendants: whether it can start any.
    """

    def __init__(self, pid: int, pidfd: int, has_descendants: bool) -> None:
        self.pid = pid
        self._pidfd = os.dup(pidfd)
        self.has_descendants = has_descendants

    def threads(self, most: int = _MOST) -> int:
        """How many threads they have together; it stops counting beyond `most`."""
        total = 0
        with contextlib.closing(self._walk()) as members:
            for pid, _ in members:
                with contextlib.suppress(OSError):
                    total += pidfds.threads_of(pid)
                if total > most:
                    break
        return total

    def pids(self) -> Iterator[int]:
        """Their pids, each parent's ahead of its children's, of these the oldest first."""
        with contextlib.closing(self._walk()) as members:
            for pid, _ in members:
                yield pid

    def processor_time(self) -> float:
        """Seconds that they have computed, with those that ended and were waited for."""
        return sum(self._processor_time_of(pid) for pid, _ in self._walk())

    def _processor_time_of(self, pid: int) -> float:
        with contextlib.suppress(OSError):
            ended = pidfds.ticks_of_children(pid) / _TICKS if self.has_descendants else 0.0
            return time.clock_gettime(_clock_of(pid)) + ended
        return 0.0

    def clocks(self) -> dict[int, float]:
        """Seconds that each of them has computed, by their pids."""
        return clocks_of(pid for pid, _ in self._walk())

    def signal(self, number: int) -> None:
        """Signal them all, parents first: what is stopped or killed starts no more."""
        for _, pidfd in self._walk():
            pidfds.send_signal(pidfd, number)

    def kill(self) -> None:
        """Kill them all. They are stopped first, so that none gets away by a fork or a new parent.

        Raises:
            OSError: there are no descriptors left to hold them by; the first was not killed.
        """
        self.signal(signal.SIGSTOP)
        held: list[int] = []
        try:
            for _, pidfd in self._walk():
                held.append(os.dup(pidfd))
            for pidfd in reversed(held):  # the first adopts what the others leave behind
                pidfds.send_signal(pidfd, signal.SIGKILL)
        finally:
            for pidfd in held:
                os.close(pidfd)

    def kill_since(self, moment: Moment, before: int) -> None:
        """Kill what its plugin has started after a moment.

        What a process that was there before has started is that one's, and stays.

        Args:
            moment: after which.
            before: how many of the first come before what the plugin has started.
        """
        first = set(islice(self.pids(), before))
        killed: set[int] = set()
        known = -1
        while len(killed) > known:  # again: those that lose their parent come to the first
            known = len(killed)
            waiting = list(first)
            while waiting:
                for child in list(_children(waiting.pop())):
                    if child not in first | killed and _kill_if_since(
                        child, first | killed, moment
                    ):
                        killed.add(child)
                        waiting.append(child)

    def close(self) -> None:
        """Give back the pidfd, which nobody uses any more. Can be called again."""
        pidfd, self._pidfd = self._pidfd, -1
        if pidfd >= 0:
            os.close(pidfd)

    def _walk(self) -> Generator[tuple[int, int]]:
        """Their pids and pidfds. The children of each are looked up after it has been given."""
        if self._pidfd < 0 or pidfds.has_exited(self._pidfd):
            return
        seen = {self.pid}
        yield self.pid, self._pidfd
        waiting = [self.pid] if self.has_descendants else []
        while waiting and len(seen) < _MOST:
            for child in _children(waiting.pop()):
                if child not in seen:
                    with _opened(child, seen) as pidfd:
                        if pidfd >= 0:
                            seen.add(child)
                            waiting.append(child)
                            yield child, pidfd


@contextlib.contextmanager
def _opened(pid: int, parents: set[int]) -> Iterator[int]:
    """The pidfd of a child of one of those parents; -1 if the pid has come to mean another."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        yield -1
        return
    try:
        # If it is there after we have looked, what we looked at was it.
        is_child = _has_parent(pid, parents) and not pidfds.has_exited(pidfd)
        yield pidfd if is_child else -1
    finally:
        os.close(pidfd)


def _kill_if_since(pid: int, parents: set[int], moment: Moment) -> bool:
    """Whether a child of one of those parents was started after a moment, and so is killed."""
    with _opened(pid, parents) as pidfd, contextlib.suppress(OSError):
        if pidfd >= 0 and moment.is_before(pid):
            pidfds.send_signal(pidfd, signal.SIGKILL)
            return True
    return False


def _has_parent(pid: int, parents: set[int]) -> bool:
    try:
        return pidfds.parent_of(pid) in parents
    except OSError:
        return False


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with contextlib.suppress(OSError):
                yield from map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())


def clocks_of(pids: Iterable[int]) -> dict[int, float]:
    """Seconds that processes have computed; those that are gone are missing.

    As long as that is the same for all of a family it has no new member, since to start one takes
    time, and nothing else about it has changed. Microseconds tell, where a walk takes a thousand.
    """
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            found[pid] = time.clock_gettime(_clock_of(pid))
    return found


def _clock_of(pid: int) -> int:
    """The clock of a process's time, of all its threads; see clock_getcpuclockid(3)."""
    return (~pid << 3) | 2
