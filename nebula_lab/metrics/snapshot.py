"""Metrics as they were at one moment; all frozen, all durations in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from nebula_lab.plugin.showing import drawn, mime_bundle


class DurationSummary(Struct, frozen=True):
    """What a histogram of durations says, in seconds."""

    count: int = 0
    total: float = 0.0
    mean: float = 0.0
    smallest: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    largest: float = 0.0
    buckets: tuple[tuple[float, int], ...] = ()


class OperationMetrics(Struct, frozen=True):
    """One operation of one plugin."""

    executions: int
    failures: int
    duration: DurationSummary

    @property
    def successes(self) -> int:
        return self.executions - self.failures


class PluginMetrics(Struct, frozen=True):
    """One plugin: the sums over its operations, and what its process uses.

    Attributes:
        operations: by name.
        restarts: how often it was started again after a crash.
        memory: bytes of resident memory of its process, or of what its machine has written to in
            sandbox Wasm; None where it has none of its own.
        cpu_time: seconds of processor time of its present process or machine, or None.
        last_error: what went wrong last: a call that failed (not one that was cancelled), a crash,
            or code that did not come up; "" where nothing has since somebody loaded or reloaded it.
        last_error_at: when, with time zone.
    """

    executions: int = 0
    failures: int = 0
    duration: DurationSummary = DurationSummary()
    operations: Mapping[str, OperationMetrics] = field(default_factory=dict)
    loads: int = 0
    reloads: int = 0
    restarts: int = 0
    memory: int | None = None
    cpu_time: float | None = None
    last_error: str = ""
    last_error_at: datetime | None = None

    _repr_mimebundle_ = mime_bundle

    def plot(self, path: str | Path | None = None) -> Any:
        """A picture of its operations; as `MetricsSnapshot.plot`."""
        return drawn(self, path)

    @property
    def successes(self) -> int:
        return self.executions - self.failures


class MetricsSnapshot(Struct, frozen=True):
    """All of a manager's metrics.

    Attributes:
        at: when they were taken, with time zone.
        plugins: by id; also those that are not loaded now, once they have been.
    """

    at: datetime
    loads_total: int
    unloads_total: int
    reloads_total: int
    restarts_total: int
    executions_total: int
    failures_total: int
    plugins: Mapping[str, PluginMetrics]

    _repr_mimebundle_ = mime_bundle

    def plot(self, path: str | Path | None = None) -> Any:
        """A picture: how long calls took, and how many there were, of the busiest plugins.

        Args:
            path: a file to write it to as well, such as `metrics.svg`.

        Returns:
            A `nebula_lab.views.Picture`, which a notebook shows; `.figure` is matplotlib's.

        Raises:
            MissingLibraryError: matplotlib is not installed.
        """
        return drawn(self, path)
