"""A log that several plugins write to and that survives a reload.

It has no manifest: what there is to know before it runs is the literal PLUGIN_METADATA.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from nebula_lab.plugin import Bounds, HealthStatus, Plugin, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {
    "id": "logger",
    "name": "Logger",
    "version": "0.6.0",
    "description": "Collects structured log lines from other plugins.",
    "license": "MIT",
    "tags": ["logging", "priority:20"],
}

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Line:
    """One line of the log; `at` is in UTC."""

    at: datetime
    level: Level
    source: str
    message: str
    fields: dict[str, Any]


class Logger(Plugin):
    """Keeps the newest lines and counts all of them."""

    def initialize(self, config: dict[str, Any]) -> None:
        self._lines: deque[Line] = deque(maxlen=int(config.get("capacity", 1000)))
        self._counts: Counter[str] = Counter()

    @operation
    def write(
        self,
        message: str,
        level: Level = "info",
        source: str = "",
        fields: dict[str, Any] | None = None,
    ) -> int:
        """Add a line and return how many have been written so far.

        Args:
            message: what happened.
            level: how bad it is; from "warning" on it goes to the manager's log as well.
            source: the plugin that says it.
            fields: details for programs to search in.
        """
        self._lines.append(Line(datetime.now(UTC), level, source, message, fields or {}))
        self._counts[level] += 1
        if LEVELS.index(level) >= LEVELS.index("warning"):
            self.context.log(f"{source or 'someone'}: {message}", level)
        return self._counts.total()

    @operation(idempotent=True)
    def tail(
        self, count: Annotated[int, Bounds(ge=1)] = 20, level: Level = "debug", source: str = ""
    ) -> list[Line]:
        """The newest lines of at least a level, oldest first; of one source, if it is given."""
        wanted = LEVELS[LEVELS.index(level) :]
        found = [
            line
            for line in self._lines
            if line.level in wanted and (not source or line.source == source)
        ]
        return found[-count:]

    @operation(idempotent=True)
    def counts(self) -> dict[str, int]:
        """How many lines of each level have been written, those that were dropped included."""
        return dict(self._counts)

    def save_state(self) -> dict[str, Any]:
        return {"lines": [asdict(line) for line in self._lines], "counts": dict(self._counts)}

    def restore_state(self, state: dict[str, Any]) -> None:
        self._lines.extend(Line(**line) for line in state["lines"])
        self._counts.update(state["counts"])

    def health_check(self) -> HealthStatus:
        if self._counts.total() > len(self._lines):
            dropped = self._counts.total() - len(self._lines)
            return HealthStatus.degraded(f"the oldest {dropped} lines have been dropped")
        return HealthStatus.HEALTHY


def plugin_entry() -> Logger:
    return Logger()
