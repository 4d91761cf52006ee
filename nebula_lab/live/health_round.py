"""Asks the plugins that are seen how they are, one after another and none of them often."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from nebula_lab.errors import PluginError
from nebula_lab.live.board import Board
from nebula_lab.manager import PluginManager
from nebula_lab.plugin import HealthStatus
from nebula_lab.runtime.workers import Workers

EVERY = 10.0  # seconds between two questions to one plugin


class HealthRound:
    """Has at most one thread, which ends when all have been asked.

    Args:
        manager: has the plugins.
        workers: start the thread.
        wake: called when there is an answer.
    """

    def __init__(self, manager: PluginManager, workers: Workers, wake: Callable[[], None]) -> None:
        self._manager = manager
        self._workers = workers
        self._wake = wake
        self._lock = threading.Lock()
        self._answers: dict[str, HealthStatus] = {}
        self._asked: dict[str, float] = {}
        self._had_no_time: set[str] = set()
        self._is_asking = False

    @property
    def has_any(self) -> bool:
        """Whether there are answers."""
        return bool(self._answers)

    def begin(self, plugin_ids: Sequence[str], clock: float) -> None:
        """Ask those that have not been asked for a while; nobody waits for it."""
        with self._lock:
            again, self._had_no_time = self._had_no_time, set()
        known = set(plugin_ids) - again
        self._asked = {key: at for key, at in self._asked.items() if key in known}
        due = [one for one in plugin_ids if clock - self._asked.get(one, -EVERY) >= EVERY]
        if due and not self._is_asking:
            self._is_asking = True
            self._asked |= dict.fromkeys(due, clock)
            self._workers.start_unattended(lambda: self._ask(due))

    def bring_to(self, board: Board) -> None:
        """Note the answers."""
        with self._lock:
            answers, self._answers = self._answers, {}
        for plugin_id, status in answers.items():
            board.note_health(plugin_id, status)

    def _ask(self, plugin_ids: Sequence[str]) -> None:
        try:
            for plugin_id in plugin_ids:
                self._ask_one(plugin_id)
        except PluginError:
            pass  # the manager has been closed, and whoever looks at it is told so elsewhere
        finally:
            self._is_asking = False

    def _ask_one(self, plugin_id: str) -> None:
        if plugin_id not in self._manager:
            return
        status = self._manager.health_if_idle(plugin_id)
        with self._lock:
            if status is None:
                self._had_no_time.add(plugin_id)  # it is asked again with the next look
                return
            self._answers[plugin_id] = status
        self._wake()
