"""Where calls are counted while they happen."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from nebula_lab.metrics.histogram import Histogram
from nebula_lab.metrics.snapshot import DurationSummary, OperationMetrics, PluginMetrics
from nebula_lab.plugin.safe_text import line, prose

# So many durations are kept as they are before they are put into the histogram.
_BATCH = 256
# Characters of what went wrong last.
_TROUBLE = 4_000
_FAILURE = 300  # of a failed call, of which there may be thousands a second


class _OperationRecord:
    """One operation's calls. What has just happened waits in `fresh`, for a quieter moment."""

    __slots__ = ("durations", "failures", "fresh")

    def __init__(self) -> None:
        self.durations = Histogram()
        self.failures = 0
        self.fresh: list[float] = []

    def fold(self) -> None:
        """Put what is fresh into the histogram; the owner's lock is held."""
        # Others append meanwhile: only what is seen here is taken away.
        count = len(self.fresh)
        for seconds in self.fresh[:count]:
            self.durations.record(seconds)
        del self.fresh[:count]


class PluginRecorder:
    """Counts one plugin's calls, from any thread, and loses none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, _OperationRecord] = {}
        self._trouble: tuple[str, datetime | None] = ("", None)

    @property
    def executions(self) -> int:
        with self._lock:
            return sum(self._folded(entry).durations.count for entry in self._entries())

    @property
    def failures(self) -> int:
        return sum(entry.failures for entry in self._entries())

    def record(self, operation: str, seconds: float, succeeded: bool) -> None:
        """Count a call that took so many seconds."""
        entry = self._operations.get(operation) or self._new_entry(operation)
        # One step of the interpreter's, so that it needs no lock.
        entry.fresh.append(seconds)
        if not succeeded or len(entry.fresh) >= _BATCH:
            with self._lock:
                entry.failures += not succeeded
                entry.fold()

    def note_failure(self, operation: str, message: str) -> None:
        """Keep the first line of why a call failed, as what went wrong last."""
        first = message.lstrip().partition("\n")[0]
        self._trouble = line(f"{operation}: {first}", _FAILURE), datetime.now(UTC)

    def note_trouble(self, text: str) -> None:
        """Keep something else than a call that went wrong."""
        self._trouble = prose(text, _TROUBLE), datetime.now(UTC)

    def forget_trouble(self) -> None:
        """What went wrong is over: somebody has brought the plugin up anew."""
        self._trouble = "", None

    def durations(self, operation: str) -> tuple[float, float]:
        """Seconds that calls of an operation took: on the average, and the longest; 0 for none."""
        entry = self._operations.get(operation)
        if entry is None:
            return 0.0, 0.0
        with self._lock:
            found = self._folded(entry).durations
            return (found.total / found.count, found.largest) if found.count else (0.0, 0.0)

    def _new_entry(self, operation: str) -> _OperationRecord:
        with self._lock:
            return self._operations.setdefault(operation, _OperationRecord())

    def _entries(self) -> list[_OperationRecord]:
        return list(self._operations.values())

    def _folded(self, entry: _OperationRecord) -> _OperationRecord:
        entry.fold()
        return entry

    def snapshot(
        self,
        *,
        loads: int = 0,
        reloads: int = 0,
        restarts: int = 0,
        memory: int | None = None,
        cpu_time: float | None = None,
    ) -> PluginMetrics:
        trouble, troubled_at = self._trouble
        with self._lock:
            total = Histogram()
            for entry in self._entries():
                total.add(self._folded(entry).durations)
            operations = {
                name: OperationMetrics(
                    entry.durations.count, entry.failures, _summary(entry.durations)
                )
                for name, entry in sorted(self._operations.items())
            }
            return PluginMetrics(
                executions=total.count,
                failures=self.failures,
                duration=_summary(total),
                operations=operations,
                loads=loads,
                reloads=reloads,
                restarts=restarts,
                memory=memory,
                cpu_time=cpu_time,
                last_error=trouble,
                last_error_at=troubled_at,
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
