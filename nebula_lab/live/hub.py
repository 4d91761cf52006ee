"""All front ends that are at work on one process's manager."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from nebula_lab.live.feed import Feed
from nebula_lab.live.session import LiveSession
from nebula_lab.manager import PluginManager
from nebula_lab.runtime.workers import Workers

# A view that is seen says so every ten seconds; a browser's tab that is closed says nothing.
SILENCE = 35.0


class LiveHub:
    """Has the feed, and one session for each front end.

    Args:
        manager: gives the manager whose plugins they show.
        is_deaf: whether messages can't arrive now, as while a cell runs, but for those of front
            ends that have a way of their own.
    """

    def __init__(
        self, manager: Callable[[], PluginManager], is_deaf: Callable[[], bool] = lambda: False
    ) -> None:
        self._manager = manager
        self._is_deaf = is_deaf
        self._lock = threading.Lock()
        self._workers = Workers()
        self._sessions: list[LiveSession] = []
        self._closed = False
        self._deaf_until = 0.0
        self.feed = Feed(manager(), self._workers, self._let_rest)

    def open(self, send: Callable[[dict[str, Any]], object]) -> LiveSession:
        """A session for a front end that messages are sent to by `send`.

        One that comes after `close` is told so, and has no more than that.
        """
        session = LiveSession(self._manager, self.feed, self._workers, send)
        with self._lock:
            self._sessions = [one for one in self._sessions if not one.is_closed]
            self._sessions.append(session)
            is_closed = self._closed
        if is_closed:
            session.close()
        return session

    def close(self) -> None:
        """End all sessions, threads and subscriptions."""
        with self._lock:
            self._closed = True
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()
        self.feed.close()
        self._workers.close(5.0)

    def _let_rest(self) -> None:
        """Feed those no more that have not been heard of for long."""
        if self._is_deaf():
            self._deaf_until = time.monotonic()
        for session in list(self._sessions):
            last = session.heard if session.is_direct else max(session.heard, self._deaf_until)
            if session.is_fed and time.monotonic() - last > SILENCE:
                session.rest()
