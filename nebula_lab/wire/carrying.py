"""What the carriers of foreign types share with the walk through a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nebula_lab.wire.parcel import Attachment, Content

# Extension types of MessagePack. Their numbers are part of the protocol.
DATETIME, BIG_INTEGER, ARRAY, TABLE, BYTES = 1, 2, 3, 4, 5


class NotCarriedError(TypeError):
    """A value of a known type that is not carried all the same; the text says why."""


class Walk(Protocol):
    """What a carrier needs of the walk through the value that it meets its own in."""

    def takes_inline(self, nbytes: int) -> bool:
        """Whether so many bytes belong into the message itself."""

    def attach(self, attachment: Attachment) -> int:
        """Set bytes aside; the index to refer to them by."""


class Arrival:
    """What is known where an extension is read.

    Args:
        contents: the attachments of the message.
        is_frozen: arrays are to be read-only, wherever their bytes are.
        is_trusted: whoever sent it has checked it.
    """

    __slots__ = ("contents", "is_frozen", "is_trusted")

    def __init__(
        self, contents: Sequence[Content] = (), *, is_frozen: bool, is_trusted: bool
    ) -> None:
        self.contents = contents
        self.is_frozen = is_frozen
        self.is_trusted = is_trusted

    def content(self, where: bytes | int) -> Content:
        """The bytes that an extension has in itself or refers to.

        Raises:
            ValueError: there is no such attachment.
        """
        if isinstance(where, bytes):
            return Content(where, 0, len(where))
        if not 0 <= where < len(self.contents):
            raise ValueError(f"there is no attachment {where}")
        return self.contents[where]
