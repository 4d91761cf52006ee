"""Stops a component that computes, from another thread.

Neither a signal's handler nor an exception that is raised in a thread comes to anything as long as
that thread is in WebAssembly. What does is the engine's epoch: code looks at it at every turn of
a loop, and traps once it has passed its deadline.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nebula_lab.agent.server import Server

# Seconds that a call has to end by itself, once a function of the host can have told it.
# Less than the time after which a manager tells it for the last time.
_TO_END = 0.05


class Halting:
    """Which call is in a component now, and what stops it.

    Args:
        stop: ends whatever has been in a component since before it is called.
    """

    def __init__(self, stop: Callable[[], object]) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._running = 0
        self._asks = False
        self._spared = 0
        self._spared_at = 0.0

    @contextmanager
    def running(self, call: int, be_ready: Callable[[], object]) -> Iterator[None]:
        """A call is in the component within this.

        Args:
            call: the manager's number for it.
            be_ready: sees to it that only what stops from now on counts.
        """
        with self._lock:
            be_ready()
            self._running = call
            self._asks = False
        try:
            yield
        finally:
            with self._lock:
                self._running = 0

    def asks(self) -> None:
        """The call asks something of the host: there it is told when it is to stop."""
        self._asks = True

    def halt(self, call: int) -> None:
        """Stop a call, if it is the one that runs; any thread.

        One that asks the host for something now and then, as a stream does, can end by itself once
        it has been told there. If it has not when this is called again a moment later, it is
        stopped.
        """
        with self._lock:
            if call != self._running or not call:
                return
            now = time.monotonic()
            if self._asks and self._spared != call:
                self._spared, self._spared_at = call, now
            if self._spared != call or now - self._spared_at > _TO_END:
                self._stop()


def halt_upon_interrupts(server: Server, halting: Halting) -> None:
    """Have SIGINT halt the call that is to be stopped, though its handler can't run meanwhile.

    Main thread only. Python writes a byte as soon as the signal comes, whatever that thread is at.
    """
    readable, writable = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(readable, True)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    thread = threading.Thread(
        target=_watch, args=(readable, server, halting), name="halting", daemon=True
    )
    thread.pydev_do_not_trace = True  # type: ignore[attr-defined]  # a breakpoint stops the others
    thread.start()


def _watch(readable: int, server: Server, halting: Halting) -> None:
    while numbers := os.read(readable, 512):
        if signal.SIGINT in numbers:
            server.look_for_stops()
            halting.halt(server.call_to_stop())
