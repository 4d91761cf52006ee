"""One front end at work on the manager, whatever carries its messages."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from nebula_lab._version import __version__
from nebula_lab.errors import PluginError
from nebula_lab.live import messages as m
from nebula_lab.live.actions import ACTIONS
from nebula_lab.live.calling import begin, finish
from nebula_lab.live.feed import Feed
from nebula_lab.live.view import FeedView
from nebula_lab.manager import PluginManager
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import unattended
from nebula_lab.runtime.workers import Workers
from nebula_lab.views.safe_text import prose

_log = logging.getLogger("nebula_lab")
MOST_AT_ONCE = 64  # requests of one front end


class LiveSession:
    """Takes the messages of one front end, on any thread, and sends it ours, from several.

    Args:
        manager: gives the manager whose plugins it is about.
        feed: tells it what is new.
        workers: do what it asks for.
        send: carries a message, as JSON values, to the front end; may raise when that is gone.

    Attributes:
        heard: when a message came last, by the clock of `time.monotonic`.
        is_direct: its last message was read aside from the main thread, so that the next one will
            be, too, while a cell runs.
    """

    def __init__(
        self,
        manager: Callable[[], PluginManager],
        feed: Feed,
        workers: Workers,
        send: Callable[[dict[str, Any]], object],
    ) -> None:
        self._manager = manager
        self._feed = feed
        self._workers = workers
        self._carry = send
        self._lock = threading.Lock()
        self._view: FeedView | None = None
        self._wanted: m.Watch | None = None
        self._calls: dict[int, Invocation] = {}
        self._under_way = 0
        self._closed = False
        self.heard = time.monotonic()
        self.is_direct = False

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def is_fed(self) -> bool:
        """Whether it shows something."""
        return self._view is not None

    def receive(self, data: Any) -> None:
        """Take a message of the front end; answers come from other threads."""
        self.heard = time.monotonic()
        self.is_direct = threading.current_thread() is not threading.main_thread()
        if self._closed:
            self._deliver(m.Farewell())  # whoever shows it has come later than we left
            return
        try:
            message = msgspec.convert(data, m.FromFrontEnd, strict=True)
        except msgspec.ValidationError as error:
            self._tell(m.Refused(prose(error, 1_000)))
            return
        if isinstance(message, m.Request):
            self._accept(message)
        elif isinstance(message, m.Cancel):
            self._cancel(message.id)
        elif isinstance(message, m.Watch):
            self._watch(message)
        elif isinstance(message, m.Hello):
            # A page that has only now come, and knows nothing; one that went may not have said so.
            self.rest(forget=True)
            self._tell(m.Welcome(m.PROTOCOL, __version__, self.is_direct))
        elif self._wanted is not None and not self.is_fed:
            self._watch(self._wanted)  # it has been let rest, and is there after all

    def rest(self, *, forget: bool = False) -> None:
        """Feed it no more until it is heard of, or with `forget` until it says what it shows."""
        with self._lock:
            former, self._view = self._view, None
            if forget:
                self._wanted = None
        self._feed.show(None, former)

    def close(self) -> None:
        """Send it nothing more, and stop the calls that it has made. Can be called again."""
        if not self._closed:
            self._closed = True
            self._deliver(m.Farewell())
        self.rest()
        for invocation in list(self._calls.values()):
            invocation.cancel("whoever asked for it is gone")

    def _watch(self, watch: m.Watch) -> None:
        # The first messages of a page go to the main shell, which may be busy, and those after them
        # to a subshell, which is not: a watch can be older than one that came before it.
        with self._lock:
            if self._wanted is not None and watch.serial < self._wanted.serial:
                return
            self._wanted = watch
            shows = bool(watch.topics or watch.logs) and not self._closed
            former, self._view = self._view, FeedView(self._tell, watch) if shows else None
            self._feed.show(self._view, former)

    def _accept(self, request: m.Request) -> None:
        with self._lock:
            is_too_much = self._under_way >= MOST_AT_ONCE
            self._under_way += not is_too_much
        if is_too_much:
            self._fail(request.id, PluginError(f"{MOST_AT_ONCE} requests are under way already"))
            return
        self._tell(m.Accepted(request.id))
        try:
            act = self._act_of(request)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            self._end(request.id)
            self._fail(request.id, error)
            return
        self._workers.start_unattended(lambda: self._carry_out(request.id, act))

    def _act_of(self, request: m.Request) -> Callable[[], m.AnyAnswer]:
        """What to do for a request; a call can be cancelled from here on."""
        if not isinstance(request, m.Call):
            return lambda: ACTIONS[type(request)](self._manager(), request)
        manager = self._manager()
        invocation, kept = begin(manager, request)
        self._calls[request.id] = invocation
        return lambda: finish(manager, request, invocation, kept)

    def _carry_out(self, number: int, act: Callable[[], m.AnyAnswer]) -> None:
        unattended.set(True)  # what a plugin prints as it loads belongs to no cell
        try:
            answer = act()
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            self._fail(number, error)
        else:
            self._tell(m.Answered(number, answer))
        finally:
            self._end(number)

    def _end(self, number: int) -> None:
        with self._lock:
            self._under_way -= 1
            self._calls.pop(number, None)

    def _cancel(self, number: int) -> None:
        invocation = self._calls.get(number)
        if invocation is not None:
            invocation.cancel()

    def _fail(self, number: int, error: Exception) -> None:
        if not isinstance(error, PluginError):
            if not isinstance(error, ValueError):
                _log.error("a request of a front end failed", exc_info=error)
            error = PluginError(f"{type(error).__name__}: {error}")
        message = prose(error.message, 4_000)
        self._tell(
            m.Failure(
                id=number,
                error=type(error).__name__,
                message=f"{error.plugin_id}: {message}" if error.plugin_id else message,
                hint=prose(error.hint or "", 2_000),
                details=prose(error, 20_000),
            )
        )

    def _tell(self, message: m.FromKernel) -> None:
        if not self._closed and not self._deliver(message):
            self.close()

    def _deliver(self, message: m.FromKernel) -> bool:
        """Whether it could be sent."""
        try:
            self._carry(msgspec.to_builtins(message))
        except Exception:  # noqa: BLE001 - there is nobody any more to tell
            _log.debug("a front end could not be reached", exc_info=True)
            return False
        return True
