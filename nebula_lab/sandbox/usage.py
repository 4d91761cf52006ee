"""Looks from time to time at what a host uses, where the kernel does not hold it to its limits."""

from __future__ import annotations

import itertools
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Generator

from msgspec import Struct

from nebula_lab.confine.machine import Machine
from nebula_lab.confine.places import Places
from nebula_lab.model.policy import Limits
from nebula_lab.sandbox.family import Family, clocks_of
from nebula_lab.sandbox.folder_size import sizes
from nebula_lab.sandbox.memory_look import MemoryLook
from nebula_lab.sandbox.nameless_files import NamelessFiles
from nebula_lab.sandbox.throttle import Throttle
from nebula_lab.transport.loop import LoopThread

_log = logging.getLogger("nebula_lab")
# Seconds between two looks at a host that has a call, and at one that has none.
_BUSY, _IDLE = 0.05, 0.2
# The loop's thread has others to serve: so long it counts files at a time, so many it counts
# before it looks at the clock.
_COUNTING, _FILES = 0.005, 64
# Seconds until it goes on with files that it has not come to the end of.
_GOING_ON = 0.015
# Threads of a kernel that has booted, of which we measured 11, with those of its guard. A host that
# has only been greeted has fewer; its plugin comes when the others are there.
BOOTED = 16
_MIB = 2**20
# In the folder of a kernel's own five and its connection file, which has no quota.
_SOCKETS = 64
# What may be held to by the kernel for one host and not for another.
THREADS, MEMORY, PROCESSOR = "threads", "memory", "processor"


class Duties(Struct, frozen=True):
    """What of one host is to be looked at.

    Attributes:
        threads: how many it has.
        memory: what it has written to.
        files: how large its folder is.
        sockets: how many there are beside those of its kernel.
        processor: how much it computes.
    """

    threads: bool
    memory: bool
    files: bool
    sockets: bool
    processor: bool

    @property
    def are_any(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)


def duties(
    limits: Limits, machine: Machine, held: frozenset[str] = frozenset(), *, binds: bool
) -> Duties:
    """What the kernel does not do.

    Args:
        limits: what holds for the plugin.
        machine: what the kernel does for every host.
        held: what it does for this one.
        binds: whether it may give sockets a name.
    """
    return Duties(
        threads=not machine.counts_threads.works and THREADS not in held,
        memory=MEMORY not in held,
        files=not machine.namespaces.works,
        sockets=binds,
        processor=limits.cpu_percent is not None and PROCESSOR not in held,
    )


class UsageWatch:
    """Everything about one host that is held to by looking at it; see `enforcement_of`.

    Args:
        family: the host; becomes the watch's own.
        places: where it lives.
        limits: what holds for its plugin.
        watched: what of it.
        loop: looks, on its thread.
        is_busy: whether a call goes on.
        lent: how many bytes the manager shares with it.
        end: ends the host, and is told why.
        on_memory: told how many bytes it has, at each look at that.
        channel: inode of the socket on which it is lent descriptors.
    """

    def __init__(
        self,
        family: Family,
        places: Places,
        limits: Limits,
        watched: Duties,
        loop: LoopThread,
        is_busy: Callable[[], bool],
        lent: Callable[[], int],
        end: Callable[[str], None],
        on_memory: Callable[[int], object],
        channel: int = -1,
    ) -> None:
        self._family = family
        self._places = places
        self._limits = limits
        self._loop = loop
        self._is_busy = is_busy
        self._end = end
        self._is_over = threading.Event()
        self._own_threads = max(family.threads(), BOOTED)
        self._nameless = NamelessFiles(places.home, channel)
        self._files = self._sizes()
        self._is_counting = False
        self._size = 0.0
        self._clocks: dict[int, float] = {}  # when it was last looked at
        self.threads: int | None = None  # of all of them, when they were last counted
        self._throttle: Throttle | None = None
        self._memory: MemoryLook | None = None
        self._looks: list[Callable[[], str]] = []
        if watched.threads:
            self._looks.append(self._look_at_threads)
        if watched.memory:
            self._memory = MemoryLook(family, limits, lent, on_memory)
            self._looks.append(self._memory)
        if watched.files:
            self._looks.append(self._look_at_files)
        if watched.sockets:
            self._looks.append(self._look_at_sockets)
        if watched.processor and limits.cpu_percent is not None:
            self._throttle = Throttle(family, limits.cpu_percent, loop, is_busy)

    def start(self) -> None:
        """Begin; the host has been greeted and its plugin has not come."""
        if self._looks:
            self._loop.call(self._look)
        if self._throttle is not None:
            self._throttle.start()

    def lenient(self) -> None:
        """Let the host run for a while to stop what it does; any thread."""
        if self._throttle is not None:
            self._throttle.lenient()

    def let_go(self) -> None:
        """Look at it no more, and leave nothing of it stopped; any thread. Can be called again."""
        self._is_over.set()
        if self._throttle is not None:
            self._throttle.let_go()

    def close(self) -> None:
        """Let go, and give back what it takes to look; on the loop's thread."""
        self.let_go()
        if self._memory is not None:
            self._memory.close()
        self._family.close()
        self._files.close()

    def _look(self) -> None:
        if self._is_over.is_set():
            return
        if self._is_resting():
            # With all others that rest: to be woken for each takes longer than to ask it.
            self._loop.call_later(_IDLE - time.monotonic() % _IDLE, self._look)
            return
        for look in self._looks:
            if reason := self._found_by(look):
                self._end(reason)
                return
        quiet = _BUSY if self._is_busy() else _IDLE
        self._loop.call_later(_GOING_ON if self._is_counting else quiet, self._look)

    def _is_resting(self) -> bool:
        """Whether it has computed nothing since it was last looked at: then it uses no more."""
        if not (self._is_counting or self._is_busy()):
            if self._clocks and clocks_of(self._clocks) == self._clocks:
                return True
            self._clocks = self._family.clocks()
        return False

    def _found_by(self, look: Callable[[], str]) -> str:
        try:
            return look()
        except OSError as error:  # as where no descriptors are left; there is a next time
            _log.warning("what a host uses could not be looked at: %s", error)
            return ""
        except Exception:  # noqa: BLE001 - what we look at is the plugin's, and so may this be
            _log.exception("what a host uses could not be looked at")
            return "what it uses can't be looked at, and may be beyond its limits"

    def _look_at_threads(self) -> str:
        allowed = self._limits.threads
        found = self._family.threads(self._own_threads + allowed) - self._own_threads
        self.threads = found + self._own_threads
        return f"it had {found} threads, of {allowed} that max_threads allows" * (found > allowed)

    def _look_at_files(self) -> str:
        """Go on with counting, and begin again once it has come to the end."""
        until = time.monotonic() + _COUNTING
        self._is_counting = True
        while time.monotonic() < until:
            some = list(itertools.islice(self._files, _FILES))
            self._size += sum(some)
            if math.isinf(self._size):
                return "its folder has what can't be looked into, and may be beyond max_scratch"
            if self._size > self._limits.scratch:
                return (
                    f"its folder had {self._size / _MIB:.4g} MiB, of "
                    f"{self._limits.scratch / _MIB:.4g} that max_scratch allows"
                )
            if len(some) < _FILES:
                self._files, self._size = self._sizes(), 0.0
                self._is_counting = False
                break
        return ""

    def _sizes(self) -> Generator[float]:
        return sizes(self._places.home, self._nameless, self._family.pids())

    def _look_at_sockets(self) -> str:
        with os.scandir(self._places.ipc) as entries:
            found = sum(1 for _ in itertools.islice(entries, _SOCKETS + 1))
        said = f"it made sockets in its kernel's folder, which has more than {_SOCKETS} entries"
        return said * (found > _SOCKETS)
