"""Stops what a thread of this process runs, by an exception that is raised in it.

Such an exception comes at the thread's next step, whatever that is. So it is sent only while the
call that is meant runs, is taken back if it has not come by the end of the call, and waits while
the thread sends or reads a message: half a message would cost the plugin its life.

It is taken back by another that takes its place and is caught. Asking for none at all, which the
interface allows too, leaves CPython 3.11 looking for it at every step of every thread for ever,
and a thread that is being profiled then does not move at all.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any


class ThreadInterrupts:
    """What may be interrupted on one thread, and when. As a context manager: not now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = 0
        self._running: int | None = None
        self._depth = 0
        self._put_off = False
        self._sent = False  # for the call that runs; it may have come already

    def interrupt(self, call: int | None = None) -> None:
        """Raise KeyboardInterrupt in a call, if it runs now; in whichever runs, without `call`."""
        with self._lock:
            if self._running is None or call not in (None, self._running):
                return
            if self._depth:
                self._put_off = True
            else:
                self._sent = True
                _raise_in(self._thread, KeyboardInterrupt)

    def run(self, call: int, work: Callable[[], Any]) -> Any:
        """Do a call's work on this thread; it can be interrupted until it is done."""
        with self._lock:
            self._thread, self._running = threading.get_ident(), call
            self._put_off = self._sent = False
        try:
            return work()
        finally:
            self._leave()

    def _leave(self) -> None:
        while self._running is not None:
            try:
                with self._lock:
                    self._running = None
                    sent, self._sent = self._sent, False
                if sent:
                    _take_back()
            except KeyboardInterrupt:
                continue  # it came while it was being taken back; there is only one

    def __enter__(self) -> None:
        with self._lock:
            self._depth += 1
            sent = self._sent and threading.get_ident() == self._thread
            if sent:
                self._sent, self._put_off = False, True
        try:
            if sent:
                _take_back()
        except BaseException:
            self._depth -= 1  # it came all the same, and ends what was about to begin
            self._put_off = False
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._depth -= 1
            now = self._put_off and not self._depth and kind is None
            if now:
                self._put_off = False
        if now:
            raise KeyboardInterrupt


class _TakenBack(BaseException):
    """Takes the place of an interrupt that is not wanted any more."""


def _take_back() -> None:
    """See to it that no exception is on its way to this thread."""
    try:
        _raise_in(threading.get_ident(), _TakenBack)
        while True:  # it comes at the next step backwards
            pass
    except _TakenBack:
        pass


def _raise_in(thread: int, error: type[BaseException]) -> None:
    """Have `error` raised at a thread's next step, in place of one that has not been raised."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
