"""Threads for what must not hold up whoever asked for it; each has an owner that joins it."""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from nebula_lab.errors import ManagerClosedError
from nebula_lab.runtime.abandonment import abandonable

T = TypeVar("T")
_log = logging.getLogger("nebula_lab")


class Workers:
    """Starts threads and waits for them in the end."""

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._closed = False

    def start(self, work: Callable[[], T]) -> Future[T]:
        """Run something on a thread of its own, in a copy of the caller's context."""
        future: Future[T] = Future()
        context = contextvars.copy_context()

        def run() -> None:
            try:
                future.set_result(context.run(work))
            except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
                future.set_exception(error)
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(
            target=run, name=f"nebula-worker-{next(self._numbers)}", daemon=True
        )
        with self._lock:
            if self._closed:
                future.set_exception(ManagerClosedError("the manager has been closed"))
                return future
            self._threads.add(thread)
            thread.start()  # with the lock, so that `close` finds none that has not started
        return future

    def start_unattended(self, work: Callable[[], object]) -> None:
        """The same where nobody looks at the result; an exception is logged."""
        self.start(work).add_done_callback(_log_exception)

    def all(self, work: Sequence[Callable[[], T]]) -> list[Future[T]]:
        """Run several things at once and wait for all; a single one runs on the caller's thread."""
        if not work:
            return []
        if len(work) == 1:
            return [_done(work[0])]
        with abandonable():
            futures = [self.start(one) for one in work]
            for future in futures:
                future.exception()
            return futures

    def close(self, timeout: float) -> None:
        """Start nothing more, and wait up to `timeout` seconds for what runs."""
        with self._lock:
            self._closed = True
            threads = set(self._threads) - {threading.current_thread()}
        deadline = time.monotonic() + timeout
        for thread in threads:
            # One whose `start` was interrupted may never have begun.
            with contextlib.suppress(RuntimeError):
                thread.join(max(0.0, deadline - time.monotonic()))


def _done(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - the future carries it to whoever asked
        future.set_exception(error)
    return future


def _log_exception(future: Future[object]) -> None:
    error = future.exception()
    if error is not None and not isinstance(error, ManagerClosedError):
        _log.error("a background task failed", exc_info=error)
