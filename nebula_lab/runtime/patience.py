"""How long calls can be kept waiting for what has to be done between two calls."""

from __future__ import annotations

import time

from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.record import PluginRecord

# Whatever a call needs, it can wait for so long, in seconds: most of what it waits for is shorter.
_LEAST = 0.1
# What is left to a call has to be so many times what such calls have taken at most.
_RESERVE = 1.5


class Patience:
    """The calls that wait for a plugin, and until when each can be kept from it.

    That is for half of the time that it has when it is first seen here, at most. What it needs
    itself, and what those ahead of it need, is left to it, going by the calls that there were.
    """

    def __init__(self, record: PluginRecord) -> None:
        self._record = record
        self._until: dict[Invocation, float] = {}

    def due(self) -> list[Invocation]:
        """Those that can wait no longer, in the order in which they came."""
        now = time.monotonic()
        waiting = self._record.slots.waiting()
        places = max(1, self._record.slots.places)
        durations = {one: self._durations(one) for one in {call.operation for call in waiting}}
        ahead, until = 0.0, {}
        for call in waiting:
            mean, longest = durations[call.operation]
            known = self._until.get(call)
            if known is None:
                known = now + _bearable(call.left(), _RESERVE * (longest + ahead / places))
            until[call] = known
            ahead += mean
        self._until = until
        return [call for call in waiting if until[call] <= now]

    def renew(self) -> None:
        """Something else begins, which is most likely short: all can wait for that."""
        now = time.monotonic()
        for call, until in self._until.items():
            self._until[call] = max(until, now + _bearable(call.left(), call.left()))

    def _durations(self, name: str) -> tuple[float, float]:
        operation = self._record.description.operations.get(name)
        if operation is not None and operation.stream:
            return 0.0, 0.0  # it lasts as long as its caller likes
        return self._record.recorder.durations(name)


def _bearable(left: float, needed: float) -> float:
    """For how many seconds a call can wait that has so many left, and needs so many of them."""
    return max(min(_LEAST, left / 2), min(left / 2, left - needed))
