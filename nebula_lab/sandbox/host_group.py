"""The control group of one host, from its start to its end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from nebula_lab.confine.cgroups import Group
from nebula_lab.model.policy import Limits
from nebula_lab.sandbox.usage import BOOTED, MEMORY, PROCESSOR, THREADS
from nebula_lab.transport.loop import LoopThread

_log = logging.getLogger("nebula_lab")
# An array on its way to the manager is there twice; and pages that are the zygote's until they are
# written to are not counted for the group before that.
_TIMES, _SLACK = 2, 64 * 2**20
# The folder where it may write and its /dev/shm lie in memory.
_FOLDERS = 2
# Seconds for a group to be empty once its host has ended, and between two looks.
_PATIENCE, _LOOKING = 5.0, 0.01
_AT_CLOSE = 1.0
# Seconds that a host may run freely to stop what it does: whoever interrupts it waits for that.
_LENIENCE = 1.0


class HostGroup:
    """What the kernel does for one host by way of a group; nothing where it has none.

    Args:
        group: becomes this object's own.
    """

    def __init__(self, group: Group | None) -> None:
        self._group = group
        self._reading = threading.Lock()
        self._seen: Mapping[str, int] = {}
        self._percent: float | None = None

    @property
    def entrances(self) -> tuple[int, ...]:
        """What the host enters it by; see `cgroups.join`."""
        return () if self._group is None else self._group.entrances

    def started(self) -> None:
        """The host has the entrances, or never will. Can be called again."""
        if self._group is not None:
            self._group.close_entrances()

    def hold(self, limits: Limits, starts_others: bool) -> frozenset[str]:
        """Hold the host to limits; it has been greeted, and its plugin has not come.

        Args:
            limits: of its plugin.
            starts_others: whether it may start processes. One alone is held to its memory by an
                rlimit, which gives it a MemoryError.

        Returns:
            Which limits are held to from now on; see `usage.duties`.
        """
        group = self._group
        if group is None:
            return frozenset()
        held = set()
        beside = max(BOOTED, _or_none(group.threads))
        if _is_done(lambda: group.limit_threads(beside + limits.threads)):
            held.add(THREADS)
        percent = limits.cpu_percent
        if percent is not None and _is_done(lambda: group.limit_processor(percent)):
            held.add(PROCESSOR)
            self._percent = percent
        if starts_others and group.has_memory:
            most = _TIMES * limits.memory + _FOLDERS * limits.scratch + _SLACK
            if _is_done(lambda: group.limit_memory(group.memory() + most)):
                held.add(MEMORY)
        return frozenset(held)

    def lenient(self, loop: LoopThread) -> None:
        """Let the host run freely for a while to stop what it does; any thread."""
        group, percent = self._group, self._percent
        if group is not None and percent is not None:
            _is_done(group.free_processor)
            loop.call_later(_LENIENCE, _is_done, lambda: group.limit_processor(percent))

    def new_stops(self) -> frozenset[str]:
        """What the kernel has stopped the host at since this was asked last, as failures have it.

        It is asked when a call has failed or the host has ended; any thread.
        """
        if self._group is None:
            return frozenset()
        with self._reading:
            now, before = self._group.stops(), self._seen
            self._seen = now
        return frozenset(what for what, count in now.items() if count > before.get(what, 0))

    # Its end

    def kill(self) -> None:
        """Kill all that is in it."""
        if self._group is not None:
            self._group.kill()

    def remove_soon(self, loop: LoopThread) -> None:
        """Remove it once nothing is in it any more; on the loop's thread."""
        if self._group is not None:
            self._try_to_remove(self._group, loop, time.monotonic() + _PATIENCE)

    def _try_to_remove(self, group: Group, loop: LoopThread, deadline: float) -> None:
        if not group.remove() and time.monotonic() < deadline:
            loop.call_later(_LOOKING, self._try_to_remove, group, loop, deadline)

    def close(self) -> None:
        """Remove it now; any thread but the loop's. Can be called again."""
        self.started()
        if self._group is not None and not self._group.remove(_AT_CLOSE):
            _log.warning("a control group could not be removed: something in it does not end")


def _is_done(limit: Callable[[], object]) -> bool:
    try:
        limit()
    except OSError as error:
        _log.info("a control group can't be limited: %s", error)
        return False
    return True


def _or_none(count: Callable[[], int]) -> int:
    try:
        return count()
    except OSError:
        return 0
