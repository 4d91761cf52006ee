"""The manager's end of what it says to a host that is a thread of its own process."""

from __future__ import annotations

from typing import Any

from nebula_lab.link.thread_channel import ThreadChannel
from nebula_lab.transport.call_link import CallLink, PendingCall
from nebula_lab.transport.loop import LoopThread


class ThreadLink(CallLink):
    """What the host sends is routed by the host's own thread, so nobody has to read.

    Args:
        end: the manager's; becomes the link's own.
        loop: runs what is to be done later.
    """

    def __init__(self, end: ThreadChannel, loop: LoopThread) -> None:
        super().__init__(loop)
        end.route = self._route
        self._channel = end
        self.send = end.send

    def receive(self, call: PendingCall, deadline: float) -> Any:
        return self._channel.get_until(call.box, deadline)

    def hand(self, call: PendingCall, message: Any) -> None:
        call.box.put(message)

    def close(self) -> None:
        self._channel.close()
