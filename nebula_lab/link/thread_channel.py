"""A channel between two threads of one process: messages are handed over as they are.

There is no socket and nothing to decode, and whoever sends routes what it sends on the other side.
So a call costs two switches between threads, and an array is not copied on its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty
from typing import Any

import msgspec

from nebula_lab.link.end import ChannelEndedError, End, Mailbox
from nebula_lab.link.freight import check_freight
from nebula_lab.wire.framing import check_size
from nebula_lab.wire.messages import VALUE_FIELDS, Message
from nebula_lab.wire.parcel import Attachment, Behind, Content, Delivery, Parcel

_ENDED = object()  # wakes whoever waits for a message that will not come
_LONGEST = 3600.0  # seconds of one wait; there may be another after it


class HandedDelivery(Delivery):
    """Attachments that are still where their sender has them.

    Whoever receives them reads them before it answers, or is the only one to have them left.
    """

    __slots__ = ("_attachments",)

    def __init__(self, parcel: Parcel, *, is_trusted: bool) -> None:
        super().__init__(parcel.raw, Behind(()), is_trusted=is_trusted)
        self._attachments: list[Attachment] = parcel.take()

    @property
    def nbytes(self) -> int:
        return sum(one.nbytes for one in self._attachments)

    def open(self) -> tuple[Content, ...]:
        taken, self._attachments = self._attachments, []
        return tuple(Content(one.as_bytes(), 0, one.nbytes) for one in taken)


class ThreadChannel(End):
    """One end.

    Args:
        is_trusted: whether the other end is the manager's.

    Attributes:
        route: is given each message that arrives, by the thread that sends it; it must not block.
    """

    def __init__(self, *, is_trusted: bool) -> None:
        self.route: Callable[[Any], None]
        self._ended: ChannelEndedError | None = None
        self._is_trusted = is_trusted
        self._peer: ThreadChannel
        self._waiting: dict[int, Mailbox] = {}

    @property
    def ended(self) -> ChannelEndedError | None:
        return self._ended

    @classmethod
    def pair(cls) -> tuple[ThreadChannel, ThreadChannel]:
        """The manager's end and the host's; each is to have its `route` before the other sends."""
        manager, host = cls(is_trusted=False), cls(is_trusted=True)
        manager._peer, host._peer = host, manager
        return manager, host

    def send(self, message: Message, timeout: float | None = None) -> None:
        """Hand a message over, which takes no time.

        Raises:
            ChannelEndedError: the other end is gone.
            LocalProtocolError: the message is larger than one may be elsewhere.
        """
        peer = self._peer
        if self.ended is not None or peer.ended is not None:
            raise self.ended or self.end("the connection was closed")
        field = VALUE_FIELDS.get(type(message))
        if field is not None:
            value = getattr(message, field)
            if type(value) is Parcel:
                message = _with_delivery(message, field, value, is_trusted=peer._is_trusted)
            else:
                check_size(len(memoryview(value)))
        peer.route(message)

    def get_until(self, box: Mailbox, deadline: float | None) -> Any:
        """The same as `get`, until a moment on the clock of `time.monotonic`."""
        self._waiting[id(box)] = box
        try:
            while True:
                if self.ended is not None and box.empty():
                    raise self.ended
                left = _LONGEST if deadline is None else deadline - time.monotonic()
                try:
                    item = box.get(timeout=max(0.0, min(left, _LONGEST)))
                except Empty:
                    if left <= _LONGEST and deadline is not None:
                        raise TimeoutError from None
                    continue
                if item is not _ENDED:
                    return item
        finally:
            self._waiting.pop(id(box), None)

    def read(self) -> bool:
        """Nothing lies unread here: what is sent arrives at once."""
        return False

    def end(self, reason: str, *, is_protocol_error: bool = False) -> ChannelEndedError:
        """Note that the conversation is over; the first reason stays."""
        if self._ended is None:
            self._ended = ChannelEndedError(reason, is_protocol_error=is_protocol_error)
        # Whoever begins to wait later sees that it has ended.
        for box in list(self._waiting.values()):
            box.put(_ENDED)
        return self._ended

    def close(self) -> None:
        """Hang up; any thread."""
        self.end("the connection was closed by this side")
        self._peer.end("the connection was closed")


def _with_delivery(message: Message, field: str, parcel: Parcel, *, is_trusted: bool) -> Message:
    check_size(len(memoryview(parcel.raw)))
    check_freight(parcel)
    return msgspec.structs.replace(
        message, **{field: HandedDelivery(parcel, is_trusted=is_trusted)}
    )
