"""Takes snapshots of the metrics, and sends ticks to those who watch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from nebula_lab.metrics import ManagerCounters, MetricsSnapshot, PluginMetrics
from nebula_lab.model import PluginCapability, PluginState
from nebula_lab.model.events import CallsCounted, StateChanged
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.sandbox.base import Host
from nebula_lab.transport.loop import LoopThread

if TYPE_CHECKING:
    import psutil

_Number = TypeVar("_Number", int, float)
TICK = 0.25  # seconds


class Meter:
    """Reads the recorders of all plugins."""

    def __init__(
        self,
        catalogue: Catalogue,
        counters: ManagerCounters,
        dispatcher: Dispatcher,
        loop: LoopThread,
    ) -> None:
        self._catalogue = catalogue
        self._counters = counters
        self._dispatcher = dispatcher
        self._loop = loop
        self._ticking = False
        self._last: dict[str, tuple[int, int]] = {}

    def snapshot(self) -> MetricsSnapshot:
        plugins = {
            record.id: self.measured(record)
            for record in sorted(self._catalogue, key=lambda record: record.id)
            if record.loads or record.recorder.executions
        }
        return MetricsSnapshot(
            at=datetime.now(UTC),
            loads_total=self._counters.loads,
            unloads_total=self._counters.unloads,
            reloads_total=self._counters.reloads,
            restarts_total=self._counters.restarts,
            executions_total=sum(metrics.executions for metrics in plugins.values()),
            failures_total=sum(metrics.failures for metrics in plugins.values()),
            plugins=plugins,
        )

    def measured(self, record: PluginRecord, *, usage: bool = True) -> PluginMetrics:
        """One plugin's; without `usage`, nothing is asked of its processes."""
        memory, cpu_time = _used_by(record) if usage else (None, None)
        return record.recorder.snapshot(
            loads=record.loads,
            reloads=record.reload_count,
            restarts=record.restarts,
            memory=memory,
            cpu_time=cpu_time,
        )

    def start(self) -> None:
        """Send ticks while there are subscribers."""
        if not self._ticking:
            self._ticking = True
            self._loop.call_later(TICK, self._tick)

    def stop(self) -> None:
        self._ticking = False

    def _tick(self) -> None:
        if not self._ticking or not self._dispatcher.wants(CallsCounted):
            self._ticking = False
            return
        counts = {
            record.id: (record.recorder.executions, record.recorder.failures)
            for record in self._catalogue
            if record.recorder.executions
        }
        if counts != self._last:
            self._last = counts
            self._dispatcher.emit(CallsCounted("", datetime.now(UTC), counts))
        self._loop.call_later(TICK, self._tick)


def state_event(
    plugin_id: str, before: PluginState, after: PluginState, reason: str
) -> StateChanged:
    return StateChanged(plugin_id, datetime.now(UTC), before, after, reason)


def _used_by(record: PluginRecord) -> tuple[int | None, float | None]:
    """Bytes of memory, and seconds of processor time, of a plugin's hosts."""
    import psutil  # which costs more to import than all of `metrics`, and few sessions need

    memory: int | None = None
    cpu_time: float | None = None
    for host in record.slots.hosts:
        used = host.used()
        if used is not None:
            memory, cpu_time = _sum(memory, used.memory), _sum(cpu_time, used.cpu_time)
            continue
        with contextlib.suppress(psutil.Error):
            for process in processes_of(host):
                with process.oneshot():  # its start and its times stand in one file
                    times = process.cpu_times()
                    memory = (memory or 0) + process.memory_info().rss
                cpu_time = (cpu_time or 0.0) + times.user + times.system
    return memory, cpu_time


def _sum(one: _Number | None, other: _Number | None) -> _Number | None:
    """Both together, of which either may be unknown."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def processes_of(host: Host) -> Iterable[psutil.Process]:
    """Those of a host: one, unless its plugin may start others; none once it is gone."""
    import psutil

    if host.pid is None:
        return ()
    policy = host.policy
    try:
        process = psutil.Process(host.pid)
        if policy is None or not policy.rights.has(PluginCapability.PROCESS_SPAWN):
            return (process,)
        return (process, *process.children(recursive=True))
    except psutil.Error:
        return ()
