"""Keeps what a manager's events say until the feeding thread comes for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from nebula_lab.live.board import Board
from nebula_lab.manager import PluginManager
from nebula_lab.model.events import (
    CallsCounted,
    Event,
    LogWritten,
    OutputWritten,
    PluginCrashed,
    PluginDiscovered,
    PluginReloaded,
    PluginRemoved,
    PluginRestarted,
    ReloadFailed,
    SavedChange,
    StateChanged,
)

_OF_ONE = (
    StateChanged,
    PluginReloaded,
    ReloadFailed,
    PluginCrashed,
    PluginRestarted,
    SavedChange,
)
_OF_ALL = (PluginDiscovered, PluginRemoved, PluginReloaded)
_LINES = (OutputWritten, LogWritten)
_KINDS = (*_OF_ONE, *_OF_ALL, CallsCounted)


class Intake:
    """A subscription for as long as it is entered.

    Args:
        manager: whose events.
        wake: called when there is something where there was nothing.
    """

    def __init__(self, manager: PluginManager, wake: Callable[[], None]) -> None:
        self._manager = manager
        self._wake = wake
        self._lock = threading.Lock()
        self._plugins: set[str] = set()
        self._counts: Mapping[str, tuple[int, int]] | None = None
        self._all = self._lines = False
        self._followed: frozenset[str] = frozenset()
        self._leave: list[Callable[[], None]] = []
        self._leave_lines: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        self._leave.append(self._manager.subscribe(self._take, only=_KINDS))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.follow_lines(frozenset())
        while self._leave:
            self._leave.pop()()

    @property
    def has_any(self) -> bool:
        """Whether `bring_to` would have something to bring."""
        return bool(self._plugins or self._all or self._lines or self._counts is not None)

    @property
    def has_counted(self) -> bool:
        return self._counts is not None

    def follow_lines(self, plugin_ids: frozenset[str]) -> None:
        """Be woken when these plugins write; where there are none, nothing is subscribed to."""
        self._followed = plugin_ids
        if plugin_ids and self._leave_lines is None:
            self._leave_lines = self._manager.subscribe(self._take_line, only=_LINES)
        elif not plugin_ids and self._leave_lines is not None:
            self._leave_lines()
            self._leave_lines = None

    def bring_to(self, board: Board, now: float) -> None:
        """Bring a board up to date."""
        with self._lock:
            plugins, self._plugins = self._plugins, set()
            counts, self._counts = self._counts, None
            everything, self._all = self._all, False
            self._lines = False
        if everything:
            board.read_all(now)
        elif plugins:
            board.read(sorted(plugins), now)
        if counts is not None:
            board.count(counts)

    def _take(self, event: Event) -> None:
        with self._lock:
            had_any = self.has_any
            if isinstance(event, CallsCounted):
                self._counts = event.plugins
            else:
                self._plugins.add(event.plugin_id)
                self._all = self._all or isinstance(event, _OF_ALL)
        if not had_any:
            self._wake()

    def _take_line(self, event: Event) -> None:
        if event.plugin_id in self._followed and not self._lines:
            self._lines = True
            self._wake()
