"""One end of a conversation, whatever carries it: a socket, or a hand-over between threads."""

from __future__ import annotations

import abc
import time
from queue import SimpleQueue
from typing import Any

from nebula_lab.plugin.safe_text import line
from nebula_lab.wire.messages import Message

Mailbox = SimpleQueue[Any]


class ChannelEndedError(ConnectionError):
    """The other side is gone, or no longer makes sense.

    Attributes:
        is_protocol_error: it was rubbish that ended the conversation, not a closed socket.
    """

    def __init__(self, reason: str, *, is_protocol_error: bool = False) -> None:
        reason = line(reason, 2_000)  # parts of it may be the other side's
        super().__init__(reason)
        self.reason = reason
        self.is_protocol_error = is_protocol_error


class End(abc.ABC):
    """Sends messages, and gives those that arrive to whoever routes them."""

    @property
    @abc.abstractmethod
    def ended(self) -> ChannelEndedError | None:
        """Why there will be no more messages, or None while there may be."""

    @abc.abstractmethod
    def send(self, message: Message, timeout: float | None = None) -> None:
        """Send a message whole; `timeout` in seconds.

        Raises:
            ChannelEndedError: the other side is gone.
            TimeoutError: the other side took nothing of it in that time.
            LocalProtocolError: the message is too large, or not for now. Nothing was sent.
        """

    def get(self, box: Mailbox, timeout: float | None = None) -> Any:
        """The next message routed into `box`.

        Raises:
            TimeoutError: nothing came within `timeout` seconds.
            ChannelEndedError: nothing will come any more.
        """
        return self.get_until(box, None if timeout is None else time.monotonic() + timeout)

    @abc.abstractmethod
    def get_until(self, box: Mailbox, deadline: float | None) -> Any:
        """The same as `get`, until a moment on the clock of `time.monotonic`."""

    @abc.abstractmethod
    def read(self) -> bool:
        """Take in what has arrived; whether there was anything, and nobody else is at it."""

    @abc.abstractmethod
    def end(self, reason: str, *, is_protocol_error: bool = False) -> ChannelEndedError:
        """Note that the conversation is over; the first reason stays, and is given back."""

    @abc.abstractmethod
    def close(self) -> None:
        """Hang up; any thread. Can be called again."""
