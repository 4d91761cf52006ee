"""Holds a host to its share of the processor by stopping it for a part of the time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

from nebula_lab.sandbox.family import Family
from nebula_lab.transport.loop import LoopThread

# Seconds of one run and the stop after it, once it is known how fast time is used up.
_PERIOD = 0.08
# A run can't be told to be shorter than this: the loop's timers come a millisecond late.
_SHORTEST_RUN = 0.002
# Looks at a host that does not use up its share: with a call, and without.
_BUSY, _IDLE = 0.02, 0.05
# What it did not use is kept for so many seconds, and what it used too much is paid back within
# these: a burst on many processors must not stop it for minutes.
_SAVED, _OWED = 0.1, 1.0
# How much of the highest rate of late is still believed at the next look. One that pauses to be
# looked at less often is not.
_FADING = 0.97
# Seconds that it may run freely to stop what it does: whoever interrupts it waits for that.
_LENIENCE = 1.0


class Throttle:
    """Stops and continues a host and its descendants.

    What they compute is paid from an account that grows by their share. Where that is overdrawn
    they are stopped until there is enough for another run.

    Args:
        family: whom; the caller closes it after `let_go`.
        percent: of one processor.
        loop: does it, on its thread.
        is_busy: whether a call goes on.
    """

    def __init__(
        self, family: Family, percent: float, loop: LoopThread, is_busy: Callable[[], bool]
    ) -> None:
        self._family = family
        self._share = percent / 100
        self._loop = loop
        self._is_busy = is_busy
        self._lock = threading.Lock()
        self._is_over = False
        self._is_stopped = False
        self._free_until = 0.0
        self._looked = time.monotonic()
        self._used = family.processor_time()
        self._credit = self._share * _SAVED
        self._rate = float(len(os.sched_getaffinity(0)))  # processors at work, when it runs

    def start(self) -> None:
        self._loop.call(self._look)

    def lenient(self) -> None:
        """Let them run for a while to stop what they do; any thread."""
        with self._lock:
            self._credit = max(self._credit, 0.0)
            self._free_until = time.monotonic() + _LENIENCE
            self._continue()

    def let_go(self) -> None:
        """Continue them and stop them no more; any thread. Can be called again."""
        with self._lock:
            self._is_over = True
            self._continue()

    def _look(self) -> None:
        with self._lock:
            if self._is_over:
                return
            now = time.monotonic()
            self._settle(now)
            delay = self._decide(now)
        self._loop.call_later(delay, self._look)

    def _settle(self, now: float) -> None:
        used = self._family.processor_time()
        spent, passed = max(0.0, used - self._used), now - self._looked
        self._used, self._looked = used, now
        earned = self._share * passed
        kept = min(self._credit + earned - spent, self._share * _SAVED)
        self._credit = max(kept, -self._share * _OWED)
        if not self._is_stopped and passed > 0:
            self._rate = max(spent / passed, self._rate * _FADING, self._share)

    def _decide(self, now: float) -> float:
        """Stop or continue them; seconds until that is to be looked at again."""
        quiet = _BUSY if self._is_busy() else _IDLE
        if now < self._free_until:
            self._credit = max(self._credit, 0.0)
            return quiet
        run = max(_SHORTEST_RUN, _PERIOD * self._share / self._rate)
        loss = max(self._rate - self._share, 1e-3)  # of credit, in a second's run
        enough = min(run * loss, self._share * _SAVED)
        if self._credit < (enough if self._is_stopped else 0.0):
            self._stop()
            return min(max((enough - self._credit) / self._share, 0.001), _SAVED)
        self._continue()
        return min(max(self._credit / loss, _SHORTEST_RUN), quiet)

    def _stop(self) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            self._family.signal(signal.SIGSTOP)

    def _continue(self) -> None:
        if self._is_stopped:
            self._is_stopped = False
            self._family.signal(signal.SIGCONT)
