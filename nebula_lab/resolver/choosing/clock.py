"""How long a choice may take, however many versions there are and however they conflict."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["PATIENCE", "Clock", "OutOfTimeError"]

# Seconds. 2,000 plugins of 20 versions take a few; a search that takes longer than this may as
# well take for ever.
PATIENCE = 30.0
# Of the time that a search has for itself, what it has together with asking what there is.
_WITH_ASKING = 10


class OutOfTimeError(Exception):
    """A search has had its time."""


class Clock:
    """The time of one choice. It begins to run when this is made.

    Args:
        seconds: for searching. Asking for releases, which may be far away, is not counted, but it
            has an end too: a registry could make up one more plugin for ever.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        now = time.monotonic()
        self._until = now + seconds
        self._at_the_latest = now + seconds * _WITH_ASKING

    def check(self) -> None:
        """Go on, if there is time left.

        Raises:
            OutOfTimeError: there is none.
        """
        now = time.monotonic()
        if now > self._until or now > self._at_the_latest:
            raise OutOfTimeError

    @contextmanager
    def asking(self) -> Iterator[None]:
        """What is done in this block is not searching."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._until += time.monotonic() - began
