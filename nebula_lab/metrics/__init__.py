"""Counts and durations of calls: cheap to record, exact under threads."""

from __future__ import annotations

from nebula_lab.metrics.chronicle import Chronicle
from nebula_lab.metrics.histogram import Histogram
from nebula_lab.metrics.recorder import ManagerCounters, PluginRecorder
from nebula_lab.metrics.snapshot import (
    DurationSummary,
    MetricsSnapshot,
    OperationMetrics,
    PluginMetrics,
)
from nebula_lab.metrics.timeline import MemorySample, Moment, MomentKind, Timeline

__all__ = [
    "MetricsSnapshot",
    "PluginMetrics",
    "OperationMetrics",
    "DurationSummary",
    "Timeline",
    "Moment",
    "MomentKind",
    "MemorySample",
    "Chronicle",
    "Histogram",
    "PluginRecorder",
    "ManagerCounters",
]
