"""What one view wants to be told, and what it has been told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nebula_lab.live.board import Board
from nebula_lab.live.graph import read_graph_now
from nebula_lab.live.messages import (
    Changes,
    FromKernel,
    Graph,
    GraphChanged,
    LogLines,
    Snapshot,
    Topic,
    Watch,
)
from nebula_lab.live.reading import log_row
from nebula_lab.live.rows import PluginRow, RowChange, Totals
from nebula_lab.runtime.log_ring import LogLine

Send = Callable[[FromKernel], object]
SHORTEST, LONGEST = 0.25, 60.0  # seconds between two pushes
MOST_FOLLOWED = 20
_FIELDS = tuple(name for name in PluginRow.__struct_fields__ if name != "id")


class FeedView:
    """One view's side of the feed; only the feeding thread calls `push`.

    Args:
        send: carries a message to the front end.
        watch: what it shows.

    Attributes:
        due: when it may be pushed to again, by the clock of `time.monotonic`.
        follows: ids of the plugins whose lines it wants.
    """

    def __init__(self, send: Send, watch: Watch) -> None:
        self._send = send
        self._topics: frozenset[Topic] = frozenset(watch.topics)
        self._interval = min(max(watch.interval, SHORTEST), LONGEST)
        self.follows: frozenset[str] = frozenset(watch.logs[:MOST_FOLLOWED])
        self.due = 0.0
        self._board: Board | None = None
        self._version = self._graph_version = -1
        self._graph: Graph | None = None
        self._rows: dict[str, PluginRow] = {}
        self._totals: Totals | None = None
        self._written: dict[str, int] = {}

    def takes_over(self, former: FeedView | None) -> None:
        """Go on from what a former view of the same front end was told."""
        if former is None:
            return
        if "plugins" in self._topics & former._topics:
            self._board, self._version = former._board, former._version
            self._rows, self._totals = former._rows, former._totals
        if "graph" in self._topics & former._topics:
            self._graph_version, self._graph = former._graph_version, former._graph
        self._written = {key: former._written[key] for key in self.follows & former._written.keys()}

    def has_news(self, board: Board) -> bool:
        """Whether there is anything to push."""
        if board is not self._board:
            return True
        if "graph" in self._topics and self._graph_version != board.graph_version:
            return True
        if "plugins" in self._topics and self._version != board.version:
            return True
        return any(self._lines_of(board, plugin_id) for plugin_id in self.follows)

    def push(self, board: Board, now: float, clock: float) -> None:
        """Send what is new.

        Args:
            board: how things are.
            now: in seconds since 1970.
            clock: the same moment on the clock of `time.monotonic`.
        """
        self.due = clock + self._interval
        is_new = board is not self._board
        if is_new:
            self._board, self._graph_version, self._version = board, -1, -1
            self._graph = None
        if "plugins" in self._topics and self._version != board.version:
            self._push_rows(board, now, whole=is_new)
        if "graph" in self._topics and self._graph_version != board.graph_version:
            self._graph_version = board.graph_version
            self._push_graph(read_graph_now(board.manager))
        for plugin_id in sorted(self.follows):
            self._push_lines(board, plugin_id)

    def _push_graph(self, graph: Graph) -> None:
        """Send a graph, unless it is what was sent: a page would lay it out and draw it again."""
        if graph != self._graph:
            self._graph = graph
            self._send(GraphChanged(graph))

    def _push_rows(self, board: Board, now: float, *, whole: bool) -> None:
        self._version = board.version
        if whole:
            message: Snapshot | Changes = Snapshot(
                now, tuple(board.rows.values()), board.totals, board.trends()
            )
        else:
            changed = [
                change(self._rows[key], row)
                for key, row in board.rows.items()
                if key in self._rows and self._rows[key] is not row and self._rows[key] != row
            ]
            message = Changes(
                now,
                tuple(changed),
                tuple(row for key, row in board.rows.items() if key not in self._rows),
                tuple(self._rows.keys() - board.rows.keys()),
                board.totals if board.totals != self._totals else None,
            )
        self._rows, self._totals = dict(board.rows), board.totals
        if whole or _says_anything(message):
            self._send(message)

    def _lines_of(self, board: Board, plugin_id: str) -> tuple[int, list[LogLine]] | None:
        """What a plugin has written since it was last told; None for nothing."""
        if plugin_id not in board.manager:
            return None
        before = self._written.get(plugin_id)
        count, lines = board.manager.logs_after(plugin_id, before or 0)
        return None if count == before else (count, lines)

    def _push_lines(self, board: Board, plugin_id: str) -> None:
        found = self._lines_of(board, plugin_id)
        if found is not None:
            count, lines = found
            # The first time, what has been thrown away before is nothing that anybody missed.
            before = self._written.get(plugin_id, count - len(lines))
            self._written[plugin_id] = count
            rows = tuple(map(log_row, lines))
            self._send(LogLines(plugin_id, rows, count - before - len(lines)))


def change(before: PluginRow, after: PluginRow) -> RowChange:
    """What is different in a row."""
    values: dict[str, Any] = {
        name: getattr(after, name)
        for name in _FIELDS
        if getattr(after, name) != getattr(before, name)
    }
    return RowChange(after.id, **values)


def _says_anything(message: Snapshot | Changes) -> bool:
    if isinstance(message, Snapshot):
        return True
    return bool(message.plugins or message.added or message.removed or message.totals)
