"""Tells subscribers what happens, on one thread and with no lock of ours held."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from nebula_lab.model.events import Event, LogWritten, OutputWritten, ProgressMade, is_tick

Subscriber = Callable[[Event], object]
Kinds = tuple[type[Event], ...]
_log = logging.getLogger("nebula_lab")
# What may wait for a slow subscriber: this many ticks, and this much of what plugins show, which
# may be a flood. All other events always wait: there are few of them.
MAX_TICKS = 16
MAX_SHOWN = 10_000
MAX_SHOWN_CHARACTERS = 16_000_000
_SHOWN = (OutputWritten, LogWritten, ProgressMade)


def _nothing(event: Event) -> None:
    """For a dispatcher whose events nobody keeps."""


class Dispatcher:
    """Delivers events in order to every subscriber.

    Behind a slow one, ticks get lost and, in the end, output; never state changes. A failing one is
    reported and kept.

    Args:
        keep: given each event as it happens, on the thread where it does, subscribers or not; it
            waits for nothing.
    """

    def __init__(self, keep: Callable[[Event], object] = _nothing) -> None:
        self._keep = keep
        self._queue: deque[Event] = deque()
        self._ticks = 0
        self._shown = 0
        self._characters = 0
        self._changed = threading.Condition()
        self._subscribers: tuple[tuple[Subscriber, Kinds], ...] = ()
        self._kinds: Kinds = ()  # that anybody wants
        self._closed = False
        self._thread: threading.Thread | None = None

    def wants(self, kind: type[Event]) -> bool:
        """Whether anybody is to be told of events of this kind."""
        return issubclass(kind, self._kinds)

    def subscribe(self, callback: Subscriber, kinds: Kinds = (Event,)) -> Callable[[], None]:
        """Call `callback` with each event of these kinds; gives the function that ends it."""
        subscriber = (callback, kinds)
        with self._changed:
            self._set((*self._subscribers, subscriber))
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="nebula-events", daemon=True)
                self._thread.start()

        def unsubscribe() -> None:
            with self._changed:
                self._set([known for known in self._subscribers if known is not subscriber])

        return unsubscribe

    def _set(self, subscribers: Sequence[tuple[Subscriber, Kinds]]) -> None:
        self._subscribers = tuple(subscribers)
        self._kinds = tuple({kind for _, kinds in subscribers for kind in kinds})

    def emit(self, event: Event) -> None:
        """Queue an event; never waits for a subscriber."""
        self._keep(event)
        if not isinstance(event, self._kinds):
            return
        with self._changed:
            if self._closed:
                return
            if not self._has_room(event):
                return
            self._queue.append(event)
            self._changed.notify()

    def _has_room(self, event: Event) -> bool:
        ticks = self._ticks + is_tick(event)
        shown = self._shown + isinstance(event, _SHOWN)
        characters = self._characters + _length(event)
        if ticks > MAX_TICKS or shown > MAX_SHOWN or characters > MAX_SHOWN_CHARACTERS:
            return False
        self._ticks, self._shown, self._characters = ticks, shown, characters
        return True

    def _run(self) -> None:
        while (event := self._next()) is not None:
            for subscriber, kinds in self._subscribers:
                if not isinstance(event, kinds):
                    continue
                try:
                    subscriber(event)
                except Exception:  # noqa: BLE001 - logged; it must not harm the others
                    _log.exception("a subscriber of the event stream raised")

    def _next(self) -> Event | None:
        with self._changed:
            while not self._queue and not self._closed:
                self._changed.wait()
            if not self._queue:
                return None
            event = self._queue.popleft()
            self._ticks -= is_tick(event)
            self._shown -= isinstance(event, _SHOWN)
            self._characters -= _length(event)
            return event

    def close(self) -> None:
        """Deliver what is queued, then end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)


def _length(event: Event) -> int:
    """Characters of what a plugin shows."""
    if isinstance(event, OutputWritten | ProgressMade):
        return len(event.text)
    return len(event.message) if isinstance(event, LogWritten) else 0
