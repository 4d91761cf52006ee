"""How a thread waits until its socket can be read: awake for a moment, and then asleep.

A thread that sleeps has to be woken, and the core that it slept on too. On a virtual machine that
takes several times what a call takes otherwise. So a thread that has just waited for a short time
looks a few more times before it sleeps again, as a lock does that is expected to be free soon.

Nothing is to be gained where others need the core: then it sleeps at once. It sees that by waiting
in vain, by a core that was taken away from it, and by other threads of its process that wait too.
"""

from __future__ import annotations

import os
import select
import threading
import time

# Seconds: what a short wait is, and for how long to look.
SHORT = 150e-6
LOOKING = 100e-6
# Between two looks; the core was somebody else's meanwhile.
TAKEN = 50e-6
# For how long to sleep at once after looking in vain, the first time and at most.
REST, LONGEST_REST = 1e-3, 1.0

# The threads of this process that sleep, and the one that looks.
_asleep: dict[int, None] = {}
_looking: dict[int, None] = {}


class Waiter:
    """Waits for one socket, and whatever else is registered with its poll object."""

    def __init__(self, readable: select.poll) -> None:
        self._poll = readable.poll
        self._is_short = False
        self._rest = REST
        self._rests_until = 0.0

    def wait(self, milliseconds: float | None) -> list[tuple[int, int]]:
        """What `poll` gives; nothing once the time is over."""
        begun = time.perf_counter()
        me = threading.get_ident()
        if self._is_short and not _asleep and not _looking and begun > self._rests_until:
            try:
                _looking[me] = None
                if ready := self._look(begun):
                    return ready
            finally:
                _looking.pop(me, None)
        try:
            _asleep[me] = None
            ready = self._poll(milliseconds)
        finally:
            _asleep.pop(me, None)
        self._is_short = time.perf_counter() - begun < SHORT
        return ready

    def _look(self, begun: float) -> list[tuple[int, int]]:
        clock, poll = time.perf_counter, self._poll
        before, end = begun, begun + LOOKING
        while not (ready := poll(0)):
            now = clock()
            if now - before > TAKEN or now > end or _asleep:
                self._rests_until = now + self._rest
                self._rest = min(2 * self._rest, LONGEST_REST)
                return ready
            before = now
        self._rest = REST
        return ready


def _forget() -> None:
    _asleep.clear()
    _looking.clear()


os.register_at_fork(after_in_child=_forget)
