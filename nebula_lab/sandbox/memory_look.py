"""Counts the memory of a host and of all that it has started, as the manager looks at it.

Limits of a process count what can be written to: what has been written and is then made read-only
leaves that count. And they are of each process, of which a plugin may start many.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from nebula_lab.model.policy import Limits, size_in_words
from nebula_lab.sandbox import pidfds
from nebula_lab.sandbox.family import Family

# Several processes may use twice what one may, as in a control group; where they may write, that is
# a folder and /dev/shm, lies in memory that they can map.
_TIMES, _FOLDERS = 2, 2
# What libraries write to when they are loaded, and have made read-only, is data of nobody's.
_SLACK = 64 * 2**20
# Seconds from its end on for which the kernel's own division of what is shared is taken to be
# right: to have it made takes milliseconds for each gigabyte.
_DIVIDED = 1.0
# Seconds for which a look waits for that; else the next one has it.
_WAITING = 0.005


class MemoryLook:
    """One host's memory.

    Args:
        family: the host, which has booted, and whose plugin has not come.
        limits: what holds for its plugin.
        lent: how many bytes the manager shares with it now.
        on_memory: told how many bytes it has, at each look.
    """

    def __init__(
        self,
        family: Family,
        limits: Limits,
        lent: Callable[[], int],
        on_memory: Callable[[int], object],
    ) -> None:
        self._on_memory = on_memory
        self._family = family
        self._lent = lent
        self._limits = limits
        self._own = max(map(_data_of, family.pids()), default=0)  # not the plugin's doing
        self._counted_twice = 0
        self._until = 0.0
        self._aside: ThreadPoolExecutor | None = None
        self._division: Future[tuple[int, int, float]] | None = None

    def __call__(self) -> str:
        """Why it is to be ended; empty if it is not."""
        found = list(self._each(pidfds.memory_of))
        largest = max((own for own, _ in found), default=0)
        self._on_memory(sum(own for own, _ in found))
        if largest > self._own + self._limits.memory + _SLACK:
            return self._too_much("one of its processes" * (len(found) > 1) or "it", largest)
        if not self._family.has_descendants:
            return ""
        together = self._together(found)
        # What is shared was counted for each that shares it.
        known = self._counted_twice if time.monotonic() < self._until else 0
        if together - known <= self._most_together:
            return ""
        exactly = self._divided(together)
        if exactly <= self._most_together:
            return ""
        return self._too_much("all its processes, which may have twice that,", exactly)

    def _divided(self, together: int) -> int:
        """What they have where what is shared counts once; 0 as long as that is not known.

        It is found out aside, since a process can be made such that it takes the kernel a tenth of
        a second, and the loop's thread has others to serve.
        """
        if self._division is None or _is_stale(self._division):
            self._aside = self._aside or ThreadPoolExecutor(1, "nebula-memory")
            try:
                self._division = self._aside.submit(self._divide, together)
            except RuntimeError as error:  # no thread can be started now
                raise OSError(str(error)) from error
        try:
            exactly, twice, ended = self._division.result(_WAITING)
        except TimeoutError:
            return 0
        except BaseException:
            self._division = None
            raise
        self._division = None
        self._counted_twice, self._until = twice, ended + _DIVIDED
        return exactly

    def _divide(self, together: int) -> tuple[int, int, float]:
        exactly = self._together(self._each(_share_of))
        return exactly, together - exactly, time.monotonic()

    def close(self) -> None:
        """Divide nothing any more. Can be called again."""
        if self._aside is not None:
            self._aside.shutdown(wait=False, cancel_futures=True)

    @property
    def _most_together(self) -> int:
        return self._own + _TIMES * self._limits.memory + _FOLDERS * self._limits.scratch + _SLACK

    def _together(self, found: Iterable[tuple[int, int]]) -> int:
        own, shared = map(sum, zip((0, 0), *found, strict=True))
        return own + max(0, shared - self._lent())

    def _too_much(self, who: str, used: int) -> str:
        allowed = size_in_words(self._limits.memory)
        return (
            f"{who} used {size_in_words(used - self._own)} of memory, of {allowed} that "
            "max_memory allows"
        )

    def _each(self, memory_of: Callable[[int], tuple[int, int]]) -> Iterator[tuple[int, int]]:
        for pid in self._family.pids():
            with contextlib.suppress(OSError):
                yield memory_of(pid)


def _is_stale(division: Future[tuple[int, int, float]]) -> bool:
    """Whether it says what they had at another time, since nobody asked for it when it ended."""
    if not division.done() or division.exception() is not None:
        return False
    return time.monotonic() > division.result()[2] + _DIVIDED


def _share_of(pid: int) -> tuple[int, int]:
    try:
        return pidfds.share_of_memory_of(pid)
    except PermissionError:  # it runs a program that can't be read
        return pidfds.memory_of(pid)


def _data_of(pid: int) -> int:
    try:
        return pidfds.data_of(pid)
    except OSError:
        return 0
