"""How much a plugin may write: so much a second, and for a while more."""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """A token bucket that stays shut, once it is empty, until a second's worth is back.

    Without that, a flood would get through piece by piece, with a note between each two.

    Args:
        rate: what comes back in a second, and so the least that is there when it opens again.
        burst: the most that is kept.
        clock: seconds that only grow.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._at = clock()
        self._is_shut = False

    def take(self, wanted: float) -> float:
        """Take as much of `wanted` as there is; gives how much that was, 0 while shut."""
        if not self._is_open():
            return 0
        taken = min(wanted, self._left)
        self._left -= taken
        self._is_shut = taken < wanted
        return taken

    def take_whole(self, wanted: float) -> bool:
        """Take all of `wanted` or nothing; whether it was there."""
        if not self._is_open():
            return False
        self._is_shut = self._left < wanted
        if not self._is_shut:
            self._left -= wanted
        return not self._is_shut

    def _is_open(self) -> bool:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left >= self._rate:
            self._is_shut = False
        return not self._is_shut
