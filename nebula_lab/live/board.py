"""The rows of all plugins as they were last read; belongs to the one thread that feeds views."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nebula_lab.errors import NotFoundError
from nebula_lab.live.lately import Lately
from nebula_lab.live.reading import new_row, reasons, totals, trouble_of
from nebula_lab.live.rows import PluginRow, Totals, Trend, TrendPoint
from nebula_lab.manager import PluginManager
from nebula_lab.metrics import PluginMetrics
from nebula_lab.model import PluginInfo, PluginState, Problem
from nebula_lab.plugin import HealthStatus
from nebula_lab.runtime.record import SERVING
from nebula_lab.views.safe_text import line

# More rows than anybody reads; the totals count them all the same.
MOST_ROWS = 2_000
TREND_POINTS = 60
_SERVING_WORDS = frozenset(state.value for state in SERVING)
_ENDED = frozenset(
    state.value for state in (PluginState.DISCOVERED, PluginState.SUSPENDED, PluginState.FAILED)
)


class Board:
    """What is known of every plugin.

    Args:
        manager: has them.
        now: the time, in seconds since 1970.

    Attributes:
        rows: by id.
        version: another number whenever a row or a problem is another.
        graph_version: the same for what is declared.
    """

    def __init__(self, manager: PluginManager, now: float) -> None:
        self.manager = manager
        self.rows: dict[str, PluginRow] = {}
        self.version = 0
        self.graph_version = 0
        self._totals: tuple[int, Totals] | None = None  # and of which version they are
        self._problems: tuple[Problem, ...] = ()
        self._problems_version = 0
        self._looked_at: dict[str, int] = {}  # how many calls there were at the last look
        self._lately: dict[str, Lately] = {}
        self._cpu: dict[str, tuple[float, float]] = {}
        self._trends: dict[str, deque[TrendPoint]] = {}
        self.read_all(now)

    @property
    def totals(self) -> Totals:
        """The sums over all rows; worked out when somebody wants them."""
        if self._totals is None or self._totals[0] != self.version:
            found = totals(self.rows, self._problems, self._problems_version)
            self._totals = self.version, found
        return self._totals[1]

    def read_all(self, now: float) -> None:
        """Read which plugins there are, and each of them."""
        problems = self.manager.problems
        self._problems_version += problems != self._problems
        self._problems = problems
        left_out = reasons(self._problems)
        infos = {info.id: info for info in self.manager.list_plugins()[:MOST_ROWS]}
        for gone in self.rows.keys() - infos.keys():
            del self.rows[gone]
        for plugin_id, info in infos.items():
            self._read(info, left_out.get(plugin_id, ""), now)
        self.graph_version += 1
        self._touch()

    def read(self, plugin_ids: Iterable[str], now: float) -> None:
        """Read some plugins anew; all of them, where there is one that was not known."""
        for plugin_id in plugin_ids:
            row = self.rows.get(plugin_id)
            try:
                info = self.manager.plugin_info(plugin_id)
            except NotFoundError:
                info = None
            if row is None or info is None:
                self.read_all(now)
                return
            self._read(info, row.left_out, now)
        self._touch()

    def is_current(self) -> bool:
        """Whether the manager has these plugins and problems and no others."""
        has_all = len(self.rows) >= MOST_ROWS or set(self.manager) == self.rows.keys()
        return has_all and self.manager.problems == self._problems

    def _read(self, info: PluginInfo, left_out: str, now: float) -> None:
        fresh = new_row(info, left_out)
        old = self.rows.get(info.id, fresh)
        metrics = self._metrics(info.id, usage=False)
        kept: dict[str, Any] = {
            name: getattr(old, name)
            for name in ("health", "health_message", "rate", "latency", "cpu", "memory")
        }
        if fresh.state in _ENDED:
            kept |= {"cpu": None, "memory": None, "rate": 0.0}
            kept |= {"health": "Unknown", "health_message": ""}
        self._lately.setdefault(info.id, Lately(metrics, now))
        self.rows[info.id] = msgspec.structs.replace(
            fresh,
            executions=metrics.executions,
            failures=metrics.failures,
            **trouble_of(metrics),
            **kept,
        )

    # What events say

    def count(self, counts: Mapping[str, tuple[int, int]]) -> None:
        """Take the counts of a tick over."""
        for plugin_id, (executions, failures) in counts.items():
            row = self.rows.get(plugin_id)
            if row is not None and row.failures != failures:
                self._set(plugin_id, **trouble_of(self._metrics(plugin_id, usage=False)))
            self._set(plugin_id, executions=executions, failures=failures)
        self._touch()

    def note_health(self, plugin_id: str, status: HealthStatus) -> None:
        """Keep how a plugin says it is."""
        row = self.rows.get(plugin_id)
        if row is not None and row.state in _SERVING_WORDS:
            words: dict[str, Any] = {
                "health": status.state.value,
                "health_message": line(status.message, 1_000),
            }
            self._set(plugin_id, **words)
            self._touch()

    # What has to be looked at

    def serving(self) -> list[str]:
        """Ids of those that take calls."""
        return [row.id for row in self.rows.values() if row.state in _SERVING_WORDS]

    def look_at_rates(self, now: float) -> bool:
        """Work out how fast calls have been; whether any was made, or had been before."""
        moving = False
        for plugin_id, row in list(self.rows.items()):
            lately = self._lately[plugin_id]
            if row.executions == lately.executions and not row.rate:
                continue
            moving = True
            metrics = self._metrics(plugin_id, usage=False)
            point = lately.look(metrics, now)
            if point is None:
                self._set(plugin_id, rate=0.0)
                continue
            self._trends.setdefault(plugin_id, deque(maxlen=TREND_POINTS)).append(point)
            self._set(plugin_id, rate=point.rate, latency=(point.p50, point.p95, point.p99))
        if moving:
            self._touch()
        return moving

    def look_at_usage(self, now: float) -> None:
        """Read what processes use; all of memory, and the processor time since the last look."""
        # When a plugin was called last is told by no event, and does not change without calls.
        calls = {one: self.rows[one].executions for one in self.serving()}
        self.read([one for one, count in calls.items() if self._looked_at.get(one) != count], now)
        self._looked_at = calls
        for plugin_id in calls.keys() & self.rows.keys():
            metrics = self._metrics(plugin_id, usage=True)
            # Pages come and go all the time: a row that differs in a few is not worth sending.
            memory = None if metrics.memory is None else metrics.memory >> 17 << 17
            self._set(plugin_id, memory=memory, cpu=self._percent(plugin_id, metrics, now))
        self._touch()

    def _percent(self, plugin_id: str, metrics: PluginMetrics, now: float) -> float | None:
        if metrics.cpu_time is None:
            self._cpu.pop(plugin_id, None)
            return None
        at, before = self._cpu.get(plugin_id, (now, metrics.cpu_time))
        self._cpu[plugin_id] = now, metrics.cpu_time
        used = metrics.cpu_time - before
        return round(100 * used / (now - at), 1) if now > at and used >= 0 else None

    def trends(self) -> tuple[Trend, ...]:
        """The points that have been taken."""
        return tuple(
            Trend(plugin_id, tuple(points))
            for plugin_id, points in self._trends.items()
            if plugin_id in self.rows
        )

    def _metrics(self, plugin_id: str, *, usage: bool) -> PluginMetrics:
        with contextlib.suppress(NotFoundError):  # it may be gone since the row was read
            return self.manager.plugin_metrics(plugin_id, usage=usage)
        return PluginMetrics()

    def _set(self, plugin_id: str, **values: Any) -> None:
        row = self.rows.get(plugin_id)
        if row is not None and any(getattr(row, name) != value for name, value in values.items()):
            self.rows[plugin_id] = msgspec.structs.replace(row, **values)

    def _touch(self) -> None:
        self.version += 1
