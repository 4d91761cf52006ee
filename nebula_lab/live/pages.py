"""The pages that show one widget: each has a session of its own, and all get what any is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from nebula_lab.live.session import LiveSession

# A page that is loaded again is another one, and that before it need not have said that it went.
MOST_PAGES = 16
_LONGEST_NAME = 64

Send = Callable[[dict[str, Any]], object]


class FromPage(msgspec.Struct, frozen=True):
    """What arrives: which page says something, and what."""

    page: str
    message: Any


class Pages:
    """Tells pages apart by the name that each of them has given itself.

    Browsers share the channel of a widget: what is sent reaches every page that shows it, and the
    numbers of requests are each page's own. So both directions name the page.

    Args:
        open_session: makes a session, which sends by what it is given.
        send: carries a message to all pages.
    """

    def __init__(self, open_session: Callable[[Send], LiveSession], send: Send) -> None:
        self._open_session = open_session
        self._send = send
        self._lock = threading.Lock()
        self._sessions: dict[str, LiveSession] = {}

    def receive(self, data: Any) -> None:
        """Take what a page says; what is from no page of ours is left alone."""
        try:
            said = msgspec.convert(data, FromPage, strict=True)
        except msgspec.ValidationError:
            return
        if 0 < len(said.page) <= _LONGEST_NAME:
            self._session(said.page).receive(said.message)

    def close(self) -> None:
        """Take leave of all pages."""
        with self._lock:
            sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.close()

    def _session(self, page: str) -> LiveSession:
        """The page's session; a new one may cost the page that has been silent longest its own."""
        with self._lock:
            session = self._sessions.get(page)
            if session is not None:
                return session
            quietest = min(self._sessions, key=lambda one: self._sessions[one].heard, default="")
            is_full = len(self._sessions) >= MOST_PAGES
            former = self._sessions.pop(quietest) if is_full else None
            session = self._open_session(lambda message: self._tell(page, message))
            self._sessions[page] = session
        if former is not None:
            former.close()
        return session

    def _tell(self, page: str, message: dict[str, Any]) -> None:
        self._send({"page": page, "message": message})
