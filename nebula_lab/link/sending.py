"""Puts whole messages onto a socket that does not block."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Sequence

from nebula_lab.link.descriptors import send_with
from nebula_lab.link.freight import Consignment


class Sender:
    """Sends, and has read meanwhile what comes. One thread at a time may use it.

    Args:
        sock: to send on.
        read: reads what there is now; whether there was anything.
        end: ends the channel, and gives the error to raise.
    """

    def __init__(
        self, sock: socket.socket, read: Callable[[], bool], end: Callable[[str], Exception]
    ) -> None:
        self._socket = sock
        self._read = read
        self._end = end

    def consignment(self, data: bytes, timeout: float | None, consignment: Consignment) -> None:
        """Send a laden message, with what goes beside it and behind it."""
        self.piece(data, timeout, consignment.descriptors)
        for attachment in consignment.behind:
            try:
                self.piece(attachment, timeout)
            except TimeoutError:
                reason = "the other side stopped reading in the middle of an array"
                raise self._end(reason) from None

    def piece(
        self, piece: bytes | memoryview, timeout: float | None, descriptors: Sequence[int] = ()
    ) -> None:
        """Send bytes, whole; descriptors go with the first of them.

        Raises:
            TimeoutError: nothing of it went within `timeout` seconds.
            Exception: what `end` gives, where some of it did.
            OSError: the connection broke.
        """
        try:
            sent = self._send_some(piece, descriptors)
        except BlockingIOError:
            sent = 0
        if sent < len(piece):
            self._send_rest(memoryview(piece)[sent:], len(piece), timeout, descriptors)

    def _send_some(self, piece: bytes | memoryview, descriptors: Sequence[int]) -> int:
        if descriptors:
            return send_with(self._socket, piece, descriptors)
        return self._socket.send(piece)

    def _send_rest(
        self,
        rest: memoryview,
        size: int,
        timeout: float | None,
        descriptors: Sequence[int] = (),
    ) -> None:
        # What comes is read meanwhile: the other side may itself be sending, and each would wait
        # for the other to read.
        either = select.poll()
        either.register(self._socket, select.POLLIN | select.POLLOUT)
        writable = select.poll()
        writable.register(self._socket, select.POLLOUT)
        deadline = None if timeout is None else time.monotonic() + timeout
        poll = either
        while rest:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            ready = poll.poll(left)
            if not ready and len(rest) == size:
                raise TimeoutError
            if not ready:
                raise self._end("the other side stopped reading in the middle of a message")
            events = ready[0][1]
            # Another thread that reads already takes a moment: wait for room alone then.
            poll = either if not events & select.POLLIN or self._read() else writable
            if events & ~select.POLLIN:
                with contextlib.suppress(BlockingIOError):
                    unsent = descriptors if len(rest) == size else ()
                    rest = rest[self._send_some(rest, unsent) :]
