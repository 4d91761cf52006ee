"""How long a choice may take, however many versions there are and however they conflict."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["PATIENCE", "Clock", "OutOfTimeError"]

# Seconds. 2,000 plugins of 20 versions take a few; a search that takes longer than this may as
# well take for ever.
PATIENCE = 30.0
# Of the processor time that a search has, how long it may take by the clock on the wall, together
# with asking what there is.
_BY_THE_WALL = 10
_SELDOM = 64  # steps, which take some microseconds each; a look at the clock does too


class OutOfTimeError(Exception):
    """A search has had its time."""


class Clock:
    """The time of one choice, on one thread. It begins to run when this is made.

    Args:
        seconds: of processor time, so that it does not depend on what else the machine does. Asking
            for releases, which may be far away, is not counted, but it has an end too: a registry
            could make up one more plugin for ever.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.thread_time() + seconds
        self._at_the_latest = time.monotonic() + seconds * _BY_THE_WALL
        self._steps = 0

    def step(self, steps: int = 1) -> None:
        """As `check`, for what takes little time by itself: not every time."""
        self._steps += steps
        if self._steps >= _SELDOM:
            self._steps = 0
            self.check()

    def check(self) -> None:
        """Go on, if there is time left.

        Raises:
            OutOfTimeError: there is none.
        """
        if time.thread_time() > self._until or time.monotonic() > self._at_the_latest:
            raise OutOfTimeError

    @contextmanager
    def asking(self) -> Iterator[None]:
        """What is done in this block is not searching."""
        began = time.thread_time()
        try:
            yield
        finally:
            self._until += time.thread_time() - began
