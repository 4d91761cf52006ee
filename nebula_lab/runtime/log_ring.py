"""The last lines that a plugin wrote, bounded in number and in size."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from msgspec import Struct

from nebula_lab.plugin.showing import mime_bundle, pretty_text

KEPT_LINES = 1000
KEPT_LENGTH = 4_000  # characters of a line
KEPT_CHARACTERS = 1_000_000  # of all lines; 4 MB of memory at worst
_LINE_COST = 100  # what a line takes besides its text, in characters


class LogLine(Struct, frozen=True):
    """A line that a plugin printed or logged, without what would steer a terminal.

    Attributes:
        level: as in `logging`; 0 for what was printed.
        stream: `stdout`, `stderr` or `log`.
    """

    at: datetime
    level: int
    stream: str
    text: str


class LogListing(list[LogLine]):
    """The last lines of one plugin, oldest first; a notebook shows them as a table."""

    def __init__(self, plugin_id: str, lines: Iterable[LogLine]) -> None:
        super().__init__(lines)
        self.plugin_id = plugin_id

    _repr_mimebundle_ = mime_bundle
    _repr_pretty_ = pretty_text


class LogRing:
    """Keeps the newest lines; any thread may add and look."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque()
        self._size = 0
        self._lock = threading.Lock()  # the count and the lines go together
        self._count = 0

    def add(self, stream: str, text: str, level: int = 0) -> None:
        """Keep a text line by line, and of a very long line the start."""
        now = datetime.now(UTC)
        # A text of line breaks alone would otherwise become as many objects.
        with self._lock:
            for line in text[-KEPT_CHARACTERS:].splitlines()[-KEPT_LINES:]:
                self._append(LogLine(now, level, stream, line[:KEPT_LENGTH]))
                self._count += 1

    def after(self, count: int) -> tuple[int, list[LogLine]]:
        """How many lines were added in all, and of those after the first `count` what is kept."""
        with self._lock:
            new = min(max(0, self._count - count), len(self._lines))
            lines = list(itertools.islice(reversed(self._lines), new))
            return self._count, lines[::-1]

    def _append(self, line: LogLine) -> None:
        self._lines.append(line)
        self._size += _cost(line)
        while len(self._lines) > KEPT_LINES or self._size > KEPT_CHARACTERS:
            self._size -= _cost(self._lines.popleft())

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self._lines.copy())

    def __len__(self) -> int:
        return len(self._lines)


def _cost(line: LogLine) -> int:
    return len(line.text) + _LINE_COST
