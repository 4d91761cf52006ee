"""The manager's end of the socket to one host."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from nebula_lab.link.channel import Channel
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.transport.call_link import CallLink, PendingCall
from nebula_lab.transport.loop import LoopThread
from nebula_lab.wire.messages import Hello, Tidings
from nebula_lab.wire.protocol import Connection, Side

# Shared memory that has not been used for so long is given back.
_TRIM = 5.0
# How long a channel stays unwatched after its last call. Calls in a row must not pay for telling
# the watching thread of each; nobody minds if a stray log line comes this much later.
_IDLE = 0.05


class HostLink(CallLink):
    """Whoever waits for an answer reads the socket meanwhile.

    Args:
        sock: connected to the host; becomes the link's own.
        loop: reads while nobody waits for a message.
    """

    _channel: Channel

    def __init__(self, sock: socket.socket, loop: LoopThread) -> None:
        super().__init__(loop)
        self._channel = Channel(sock, Connection(Side.MANAGER), self._route)
        self.send = self._channel.send
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._channel.attend(self._waker, self._woken)
        self._waiting: set[PendingCall] = set()
        self._watched = False
        self._watch_is_due = False
        self._closed = False
        self._watching = threading.Lock()
        self._trim_is_due = False

    def greet(self, timeout: float) -> Hello:
        hello = super().greet(timeout)
        self._watch_when_idle()
        return hello

    def close_call(self, call: PendingCall) -> None:
        super().close_call(call)
        if self._channel.freight.is_stocked and not self._trim_is_due:
            self._trim_is_due = True
            self._loop.call_later(_TRIM, self._trim)

    def receive(self, call: PendingCall, deadline: float) -> Any:
        """The next message for a call; see `Channel.get_until`."""
        self._waiting.add(call)
        if self._watched:
            self._unwatch()
        try:
            return self._channel.get_until(call.box, deadline)
        finally:
            self._waiting.discard(call)
            if not self._waiting and not self._watch_is_due:
                self._watch_when_idle()

    def attend(self, descriptor: int, on_readable: Callable[[], object]) -> None:
        """See `Channel.attend`."""
        self._channel.attend(descriptor, on_readable)

    def neglect(self, descriptor: int) -> None:
        """See `Channel.neglect`."""
        self._channel.neglect(descriptor)

    def lent(self) -> int:
        """Bytes of memory that both ends share now; any thread."""
        return self._channel.freight.lent

    def hand(self, call: PendingCall, message: Any) -> None:
        """Give whoever waits for a call a message that the host did not send; any thread."""
        call.box.put(message)
        with self._watching:
            if not self._closed:
                os.eventfd_write(self._waker, 1)  # whoever reads for all waits on no box

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._waker)

    # Shared memory that nobody needs

    def _trim(self) -> None:
        if self._closed:
            return
        freight = self._channel.freight
        freight.trim(_TRIM)
        if freight.news:
            with contextlib.suppress(TimeoutError, ChannelEndedError):
                self._channel.send(Tidings(), timeout=0.0)
        self._trim_is_due = freight.is_stocked
        if self._trim_is_due:
            self._loop.call_later(_TRIM, self._trim)

    # Reading while nobody waits

    def _watch_when_idle(self) -> None:
        self._watch_is_due = True
        self._loop.call_later(_IDLE, self._watch)

    def _watch(self) -> None:
        with self._watching:
            self._watch_is_due = False
            if self._waiting or self._watched or self._closed or self._channel.ended:
                return
            self._loop.watch(self._channel.fileno(), self._on_readable)
            self._watched = True
        if self._waiting:  # one that came just now did not see that we watch
            self._unwatch()

    def _unwatch(self) -> None:
        with self._watching:
            if self._watched and not self._closed:
                self._watched = False
                self._loop.call(self._loop.unwatch, self._channel.fileno())

    def _on_readable(self) -> None:
        self._channel.read()
        if self._channel.ended:
            self._unwatch()
            self.on_ended()

    def close(self) -> None:
        """Hang up."""
        with self._watching:
            if self._closed:
                return
            self._closed = True
        # Without the lock, since the loop's thread may be waiting for it.
        self._loop.unwatch(self._channel.fileno())
        self._channel.close()
        self._channel.neglect(self._waker)
        os.close(self._waker)
