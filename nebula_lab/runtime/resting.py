"""Suspends plugins that nobody calls, and those that take memory which is wanted elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from nebula_lab.errors import ManagerClosedError, PluginError, StateTransitionError
from nebula_lab.model import PluginConfig
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.measuring import processes_of
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host
from nebula_lab.sandbox.memory import own_memory
from nebula_lab.transport.loop import LoopThread

_log = logging.getLogger("nebula_lab")
_NEVER = -1.0
_LONGEST_PAUSE = 1.0  # seconds between two looks


class RestKeeper:
    """Looks a few times a second at most, and only where the configuration asks for it.

    What is suspended keeps its state and comes back with its next call, so nothing fails because
    of this. A plugin that runs a call is left alone; one that can't be suspended is left alone
    until it has been called again.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        lifecycle: Lifecycle,
        workers: Workers,
        loop: LoopThread,
    ) -> None:
        self._idle_timeout = config.idle_timeout
        self._budget = config.memory_budget
        self._catalogue = catalogue
        self._lifecycle = lifecycle
        self._workers = workers
        self._loop = loop
        # When those were last used that can't be suspended.
        self._awake: dict[str, float | None] = {}

    def start(self) -> None:
        """Look from now on, if there is anything to look for."""
        if self._idle_timeout is not None or self._budget is not None:
            self._loop.call_later(self._pause, self._tick)

    @property
    def _pause(self) -> float:
        return min(_LONGEST_PAUSE, (self._idle_timeout or _LONGEST_PAUSE) / 4)

    def _tick(self) -> None:
        # On a worker: to ask what processes use takes a while, and saving their state may.
        self._workers.start(self._look).add_done_callback(self._again)

    def _again(self, looked: object) -> None:
        self._loop.call_later(self._pause, self._tick)

    def _look(self) -> None:
        for record in self._resting():
            if self._idle_timeout is not None and _idle_for(record) > self._idle_timeout:
                self._suspend(record, f"nobody called it for {self._idle_timeout:g} s")
        if self._budget is not None:
            self._make_room(self._budget)

    def _make_room(self, budget: int) -> None:
        used = {record: _memory_of(record) for record in self._serving()}
        total = sum(used.values())
        for record in sorted(self._resting(), key=_idle_for, reverse=True):
            if total <= budget:
                return
            if self._suspend(record, "the memory was wanted for others"):
                total -= used.get(record, 0)

    def _serving(self) -> Iterable[PluginRecord]:
        return [record for record in self._catalogue if record.state in SERVING]

    def _resting(self) -> Iterable[PluginRecord]:
        return [
            record
            for record in self._serving()
            if not record.slots.users() and self._awake.get(record.id, _NEVER) != record.last_used
        ]

    def _suspend(self, record: PluginRecord, reason: str) -> bool:
        try:
            self._lifecycle.suspend(record.id, reason)
        except (ManagerClosedError, StateTransitionError):
            return False  # somebody else was quicker
        except PluginError as error:
            self._awake[record.id] = record.last_used
            _log.warning("%s can't be suspended, although %s: %s", record.id, reason, error)
            return False
        _log.info("%s was suspended, because %s", record.id, reason)
        return True


def _idle_for(record: PluginRecord) -> float:
    """Seconds since it was called last; if it never was, since it was loaded."""
    return time.monotonic() - max(record.last_used or 0.0, record.up_since)


def _memory_of(record: PluginRecord) -> int:
    return sum(map(_memory_of_host, record.slots.hosts))


def _memory_of_host(host: Host) -> int:
    used = host.used()
    if used is not None:
        return used.memory or 0
    return sum(own_memory(one.pid) for one in processes_of(host))
