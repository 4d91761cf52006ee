"""How fast a plugin has been of late: what has come to its counts since the last look."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nebula_lab.live.rows import TrendPoint
from nebula_lab.metrics import PluginMetrics

_FRACTIONS = (0.5, 0.95, 0.99)


class Lately:
    """Compares a plugin's metrics with those before.

    Args:
        metrics: as they are now.
        now: when, in seconds since 1970.

    Attributes:
        executions: how many there were at the last look.
    """

    def __init__(self, metrics: PluginMetrics, now: float) -> None:
        self._at = now
        self.executions = metrics.executions
        self._buckets: Mapping[float, int] = dict(metrics.duration.buckets)

    def look(self, metrics: PluginMetrics, now: float) -> TrendPoint | None:
        """The calls since the last look; None where there were none."""
        calls = metrics.executions - self.executions
        seconds = max(now - self._at, 1e-3)
        buckets = dict(metrics.duration.buckets)
        new = {
            bound: count - self._buckets.get(bound, 0)
            for bound, count in buckets.items()
            if count > self._buckets.get(bound, 0)
        }
        self._at, self.executions, self._buckets = now, metrics.executions, buckets
        if calls <= 0 or not new:
            return None
        p50, p95, p99 = (_quantile(new, fraction) for fraction in _FRACTIONS)
        return TrendPoint(at=now, rate=calls / seconds, p50=p50, p95=p95, p99=p99)


def _quantile(buckets: Mapping[float, int], fraction: float) -> float:
    """The upper bound, in seconds, of the bucket in which that fraction is reached."""
    rank = max(1, math.ceil(fraction * sum(buckets.values())))
    seen = 0
    for bound in sorted(buckets):
        seen += buckets[bound]
        if seen >= rank:
            return bound
    return 0.0
