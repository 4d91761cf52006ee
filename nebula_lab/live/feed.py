"""Feeds views of a manager with what is new, a few times a second, and only while one is seen."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from nebula_lab.live.board import Board
from nebula_lab.live.health_round import HealthRound
from nebula_lab.live.intake import Intake
from nebula_lab.live.view import FeedView
from nebula_lab.manager import PluginManager
from nebula_lab.runtime.workers import Workers

_log = logging.getLogger("nebula_lab")
TURN = 0.25  # seconds between two turns that have something to tell
_RATES, _USAGE = 1.0, 2.0
_NEVER = float("inf")


class Feed:
    """Has a thread and a subscription while a view is seen, and nothing while none is.

    Args:
        manager: whose plugins are shown; see `follow`.
        workers: run health checks.
        each_look: called every two seconds, with each look around; may take views away.
    """

    def __init__(
        self,
        manager: PluginManager,
        workers: Workers,
        each_look: Callable[[], None] = lambda: None,
    ) -> None:
        self._manager = manager
        self._workers = workers
        self._each_look = each_look
        self._changed = threading.Condition()
        self._views: list[FeedView] = []
        self._is_new_manager = True
        self._closed = False
        self._thread: threading.Thread | None = None
        self.turns = 0  # how often there was something to do; for tests and measurements

    # From any thread

    def follow(self, manager: PluginManager) -> None:
        """Show another manager from now on; views are sent all of it."""
        with self._changed:
            self._manager = manager
            self._is_new_manager = True
            self._changed.notify()

    def show(self, view: FeedView | None, instead_of: FeedView | None = None) -> None:
        """Begin to feed a view, in the place of another one; without a view, end that alone."""
        with self._changed:
            if instead_of in self._views:
                self._views.remove(instead_of)
            if view is not None and not self._closed:
                view.takes_over(instead_of)
                self._views.append(view)
                self._begin()
            self._changed.notify()

    def close(self) -> None:
        """Feed nobody any more."""
        with self._changed:
            self._closed = True
            self._views.clear()
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(5.0)

    @property
    def is_running(self) -> bool:
        return self._thread is not None

    def _begin(self) -> None:
        """Start the thread, if there is none; the lock is held."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="nebula-live", daemon=True)
            self._thread.start()

    # On the feeding thread

    def _run(self) -> None:
        while (manager := self._next_manager()) is not None:
            try:
                self._feed(manager)
            except Exception:  # noqa: BLE001 - a view that stands still is no reason to stop others
                _log.exception("the feed of live views failed; it begins anew")
                with self._changed:
                    self._is_new_manager = True
                    self._changed.wait(_RATES)

    def _next_manager(self) -> PluginManager | None:
        """The manager to feed from; None, and no thread any more, where nobody looks."""
        with self._changed:
            # A closed manager has nothing to tell; another one will come, or the views go.
            while self._views and self._manager.closed:
                self._changed.wait(_RATES)
            if not self._views:
                self._thread = None
                return None
            self._is_new_manager = False
            return self._manager

    def _feed(self, manager: PluginManager) -> None:
        """Feed from one manager, for as long as it is the one and there are views."""
        with Intake(manager, self._wake) as intake:
            feeding = _Feeding(manager, intake, HealthRound(manager, self._workers, self._wake))
            while True:
                with self._changed:
                    while not (self._is_over(manager) or feeding.is_due(self._views)):
                        self._changed.wait(feeding.patience(self._views))
                    if self._is_over(manager):
                        return
                    views = list(self._views)
                self.turns += 1
                if feeding.turn(views):
                    self._each_look()

    def _is_over(self, manager: PluginManager) -> bool:
        return not self._views or self._is_new_manager or manager.closed

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()


class _Feeding:
    """The turns of a feed at one manager, and when the next one is due."""

    def __init__(self, manager: PluginManager, intake: Intake, health: HealthRound) -> None:
        self._intake = intake
        self._health = health
        self._board = Board(manager, time.time())
        self._next_turn = 0.0
        self._next_rates = _NEVER
        self._next_usage = time.monotonic() + TURN  # what is known at once is shown first

    def is_due(self, views: list[FeedView]) -> bool:
        return self._due(views) <= time.monotonic()

    def patience(self, views: list[FeedView]) -> float:
        """Seconds until there may be something to do."""
        return max(0.0, self._due(views) - time.monotonic())

    def _due(self, views: list[FeedView]) -> float:
        due = min(self._next_usage, self._next_rates)
        if self._intake.has_any or self._health.has_any:
            due = min(due, self._next_turn)
        return min([due, *(view.due for view in views if view.has_news(self._board))])

    def turn(self, views: list[FeedView]) -> bool:
        """Read what is new and push it; gives whether it has looked around for that."""
        clock, now = time.monotonic(), time.time()
        self._next_turn = clock + TURN
        self._intake.follow_lines(frozenset().union(*(view.follows for view in views)))
        if self._intake.has_counted:
            self._next_rates = min(self._next_rates, clock + _RATES)
        self._intake.bring_to(self._board, now)
        self._health.bring_to(self._board)
        if clock >= self._next_rates:
            # Where no call was made any more, the next tick says when there is one.
            moving = self._board.look_at_rates(now)
            self._next_rates = clock + _RATES if moving else _NEVER
        is_look = clock >= self._next_usage
        if is_look:
            self._next_usage = clock + _USAGE
            self._look_around(clock, now)
        for view in views:
            if view.due <= clock and view.has_news(self._board):
                view.push(self._board, now, clock)
        return is_look

    def _look_around(self, clock: float, now: float) -> None:
        if not self._board.is_current():  # such as after `rediscover`, which is no event
            self._board.read_all(now)
        self._board.look_at_usage(now)
        self._health.begin(self._board.serving(), clock)
