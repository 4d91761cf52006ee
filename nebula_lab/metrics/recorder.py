"""Where calls are counted while they happen."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from nebula_lab.metrics.histogram import Histogram
from nebula_lab.metrics.snapshot import DurationSummary, OperationMetrics, PluginMetrics


class _OperationRecord:
    __slots__ = ("durations", "failures")

    def __init__(self) -> None:
        self.durations = Histogram()
        self.failures = 0


class PluginRecorder:
    """Counts one plugin's calls, from any thread, and loses none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, _OperationRecord] = {}
        self._durations = Histogram()
        self._failures = 0

    @property
    def executions(self) -> int:
        return self._durations.count

    @property
    def failures(self) -> int:
        return self._failures

    def record(self, operation: str, seconds: float, succeeded: bool) -> None:
        """Count a call that took so many seconds."""
        with self._lock:
            entry = self._operations.get(operation)
            if entry is None:
                entry = self._operations[operation] = _OperationRecord()
            entry.durations.record(seconds)
            self._durations.record(seconds)
            if not succeeded:
                entry.failures += 1
                self._failures += 1

    def snapshot(
        self,
        *,
        loads: int = 0,
        reloads: int = 0,
        restarts: int = 0,
        memory: int | None = None,
        cpu_time: float | None = None,
    ) -> PluginMetrics:
        with self._lock:
            operations = {
                name: OperationMetrics(
                    entry.durations.count, entry.failures, _summary(entry.durations)
                )
                for name, entry in sorted(self._operations.items())
            }
            return PluginMetrics(
                executions=self._durations.count,
                failures=self._failures,
                duration=_summary(self._durations),
                operations=operations,
                loads=loads,
                reloads=reloads,
                restarts=restarts,
                memory=memory,
                cpu_time=cpu_time,
            )


def _summary(durations: Histogram) -> DurationSummary:
    if not durations.count:
        return DurationSummary()
    return DurationSummary(
        count=durations.count,
        total=durations.total,
        mean=durations.total / durations.count,
        smallest=durations.smallest,
        p50=durations.quantile(0.5),
        p95=durations.quantile(0.95),
        p99=durations.quantile(0.99),
        largest=durations.largest,
        buckets=tuple(durations.buckets()),
    )


@dataclass
class ManagerCounters:
    """What the seed's `PluginMetrics` counts over all plugins. Its owner has a lock."""

    loads: int = 0
    unloads: int = 0
    reloads: int = 0
    restarts: int = 0
