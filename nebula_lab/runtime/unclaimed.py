"""Serves the requests that plugins make outside of any call, from threads of their own."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial

from nebula_lab.link.end import ChannelEndedError
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host
from nebula_lab.wire.messages import Request, ResponseFailure

# Each holds a thread of the manager's, which a host could otherwise use up.
MOST_AT_ONCE = 16
# Refusals that a host has not read yet; more come only from one that reads none.
_MOST_REFUSED = 10_000


class _Desk:
    """What is being done for one host."""

    def __init__(self) -> None:
        self.serving = 0
        self.refused: deque[int] = deque()  # their numbers: what they would have may be large
        self.refusing = False


class UnclaimedRequests:
    """Serves so many requests of a host at once and refuses the others.

    Args:
        workers: give the threads.
        serve: answers a request: the plugin that makes it, its host, the request.
        patience: seconds that a host has to take a refusal.
    """

    def __init__(
        self, workers: Workers, serve: Callable[[str, Host, Request], None], patience: float
    ) -> None:
        self._workers = workers
        self._serve = serve
        self._patience = patience
        self._desks: weakref.WeakKeyDictionary[Host, _Desk] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def take(self, plugin_id: str, host: Host, message: Request) -> None:
        """See to a request; never waits, since a thread that reads calls this."""
        with self._lock:
            desk = self._desks.setdefault(host, _Desk())
            if desk.serving < MOST_AT_ONCE:
                desk.serving += 1
                work = partial(self._serve_one, desk, plugin_id, host, message)
            elif not desk.refusing:
                desk.refusing = True
                desk.refused.append(message.request)
                work = partial(self._refuse_all, desk, host)
            elif len(desk.refused) < _MOST_REFUSED:
                desk.refused.append(message.request)
                return
            else:
                desk.refused.clear()
                work = partial(host.link.end, "it made requests and did not read the answers")
        self._workers.start_unattended(work)

    def _serve_one(self, desk: _Desk, plugin_id: str, host: Host, message: Request) -> None:
        try:
            self._serve(plugin_id, host, message)
        finally:
            with self._lock:
                desk.serving -= 1

    def _refuse_all(self, desk: _Desk, host: Host) -> None:
        """On one thread for each host: how fast it goes depends on how fast the host reads."""
        try:
            while (number := self._next_refused(desk)) is not None:
                host.link.send(_refusal(number), self._patience)
        except TimeoutError:
            host.link.end("it made requests and did not read the answers")
        except ChannelEndedError:
            pass  # it is gone, and what it wanted with it

    def _next_refused(self, desk: _Desk) -> int | None:
        with self._lock:
            desk.refusing = bool(desk.refused)
            return desk.refused.popleft() if desk.refused else None


def _refusal(number: int) -> ResponseFailure:
    return ResponseFailure(
        number,
        "QueueFullError",
        f"{MOST_AT_ONCE} calls of this plugin's own threads run already",
    )
