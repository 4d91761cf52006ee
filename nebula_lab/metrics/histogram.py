"""Durations in buckets that grow with them, so that every quantile has the same relative error."""

from __future__ import annotations

import math

# Sixteen buckets for each doubling: a quantile is off by 2.2 % at most, which is half a bucket.
_PER_DOUBLING = 16
_SMALLEST = 1e-6  # seconds; what is shorter counts as this
_DOUBLINGS = 34  # up to some five hours
_SIZE = _PER_DOUBLING * _DOUBLINGS
_SCALE = _PER_DOUBLING / math.log(2)
_OFFSET = math.log(_SMALLEST)


class Histogram:
    """Counts durations in seconds. It has no lock: its owner has one."""

    __slots__ = ("_buckets", "count", "largest", "smallest", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.smallest = math.inf
        self.largest = 0.0

    def record(self, seconds: float) -> None:
        index = int((math.log(seconds) - _OFFSET) * _SCALE) if seconds > _SMALLEST else 0
        if index >= _SIZE:
            index = _SIZE - 1
        self._buckets[index] = self._buckets.get(index, 0) + 1
        self.count += 1
        self.total += seconds
        if seconds < self.smallest:
            self.smallest = seconds
        if seconds > self.largest:
            self.largest = seconds

    def add(self, other: Histogram) -> None:
        """Count what another histogram has counted, too."""
        for index, count in other._buckets.items():
            self._buckets[index] = self._buckets.get(index, 0) + count
        self.count += other.count
        self.total += other.total
        self.smallest = min(self.smallest, other.smallest)
        self.largest = max(self.largest, other.largest)

    def quantile(self, fraction: float) -> float:
        """Seconds that `fraction` (0 to 1) of the durations do not exceed; 0 without any."""
        if not self.count:
            return 0.0
        rank = max(1, math.ceil(fraction * self.count))
        seen = 0
        for index in sorted(self._buckets):
            seen += self._buckets[index]
            if seen >= rank:
                middle = math.exp((index + 0.5) / _SCALE + _OFFSET)
                return min(max(middle, self.smallest), self.largest)
        return self.largest

    def buckets(self) -> list[tuple[float, int]]:
        """Upper bound in seconds and count of each bucket that is not empty, shortest first."""
        return [
            (math.exp((index + 1) / _SCALE + _OFFSET), self._buckets[index])
            for index in sorted(self._buckets)
        ]
