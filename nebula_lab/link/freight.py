"""What travels beside messages, as one end of a channel deals with it.

`Freight` itself knows the way that works everywhere: bytes follow their message on the socket.
`nebula_lab.link.lender` and `nebula_lab.link.borrower` share memory as well.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import ClassVar

import msgspec

from nebula_lab.link.warm_memory import WarmMemory
from nebula_lab.wire.errors import LocalProtocolError, RemoteProtocolError
from nebula_lab.wire.manifest import BEHIND, Manifest, Slot
from nebula_lab.wire.parcel import (
    MAX_FREIGHT,
    Attachment,
    Behind,
    Content,
    Delivery,
    Parcel,
)

# Attachments that have arrived and that nobody has taken yet may have so many bytes together.
MAX_WAITING = 2 * MAX_FREIGHT
# numpy and Arrow read what begins at such an address fastest.
ALIGNMENT = 64


class Consignment:
    """What goes out beside one message.

    Attributes:
        manifest: goes ahead of the message.
        descriptors: go with it.
        behind: goes after it.
    """

    def __init__(
        self, manifest: Manifest, descriptors: list[int], behind: list[memoryview]
    ) -> None:
        self.manifest = manifest
        self.descriptors = descriptors
        self.behind = behind


class ReceivedDelivery(Delivery):
    """Attachments that have arrived, until they are in memory of their receiver's own.

    Args:
        freight: has them.
        contents: by index; None for one that is still to be fetched.
    """

    __slots__ = ("_contents", "_freight", "_is_taken", "_slots")

    def __init__(
        self,
        freight: Freight,
        raw: msgspec.Raw,
        slots: list[Slot],
        contents: list[Content | None],
    ) -> None:
        behind = Behind(
            slot.nbytes if content is None else content.view()
            for slot, content in zip(slots, contents, strict=True)
            if slot.segment == BEHIND
        )
        super().__init__(raw, behind, is_trusted=freight.is_trusted)
        self._freight = freight
        self._slots = slots
        self._contents = contents
        self._is_taken = False

    @property
    def nbytes(self) -> int:
        return sum(slot.nbytes for slot in self._slots)

    def open(self) -> tuple[Content, ...]:
        # Kept here, they would be in use for as long as the message is somewhere.
        contents, self._contents = self._contents, []
        try:
            return tuple(
                self._freight.fetch(slot) if content is None else content
                for slot, content in zip(self._slots, contents, strict=True)
            )
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if not self._is_taken:
            self._is_taken = True
            self._freight.taken(self._slots)

    def __del__(self) -> None:
        # Nobody wanted it: the call was over when it came.
        self._let_go()


def check_freight(parcel: Parcel) -> None:
    """Look whether the attachments of a value may be sent.

    Raises:
        LocalProtocolError: they are too large.
    """
    if parcel.nbytes > MAX_FREIGHT:
        raise LocalProtocolError(
            f"arrays of {parcel.nbytes:,} bytes are larger than the {MAX_FREIGHT:,} of one message"
        )


class Freight:
    """One end's side of it; for several threads.

    Args:
        memory: where attachments go that arrive on the socket.
        is_trusted: whether the other side checks what it sends, as the manager does.

    Attributes:
        news: what there is to tell the other side with the next message.
        is_stocked: whether there is anything that `trim` may have to let go of.
        owes_answer: whether the other side waits for it, so that there should be a message.
        takes_descriptors: how many may come with one message.
        on_ready: called once, before the other side is told that descriptors may come.
    """

    takes_descriptors: ClassVar[int] = 0

    def __init__(self, memory: WarmMemory, *, is_trusted: bool = False) -> None:
        self.is_trusted = is_trusted
        self.owes_answer = False
        self.is_stocked = False
        self.on_ready: Callable[[], None] = lambda: None
        self._memory = memory
        self._lock = threading.Lock()
        self._waiting = 0
        # Put into by the collector as well, which may run anywhere: see `WarmMemory`.
        self._taken: deque[int] = deque()
        self.news: deque[tuple[str, int]] = deque()

    @property
    def lent(self) -> int:
        """Bytes of memory that both ends share now."""
        return 0

    # Sending

    def load(self, parcel: Parcel | None) -> Consignment:
        """Stow the attachments of a value, and take along what there is to tell.

        Raises:
            LocalProtocolError: they are too large.
        """
        if parcel is None:
            return self._stowed([])
        check_freight(parcel)
        return self._stowed(parcel.take())

    def _stowed(self, attachments: list[Attachment]) -> Consignment:
        slots = [Slot(BEHIND, 0, attachment.nbytes) for attachment in attachments]
        behind = [attachment.as_bytes() for attachment in attachments]
        return Consignment(Manifest(slots), [], behind)

    def sent(self, consignment: Consignment) -> None:
        """Note that the other side has, or is getting, a consignment."""

    def recall(self, consignment: Consignment) -> None:
        """Take a consignment back of which nothing has been sent."""

    # Receiving

    def descriptors_arrived(self, descriptors: list[int]) -> None:
        """Take what came with the bytes that are read now.

        Raises:
            RemoteProtocolError: nothing may come; it has been closed.
        """
        close_all(descriptors)
        raise RemoteProtocolError("descriptors, which nobody takes here")

    def receive(self, manifest: Manifest, raw: msgspec.Raw) -> Delivery:
        """See `nebula_lab.wire.protocol.Porter`."""
        if manifest.segments or manifest.released or manifest.forgotten:
            raise RemoteProtocolError("news of shared memory, of which there is none")
        if any(slot.segment != BEHIND for slot in manifest.slots):
            raise RemoteProtocolError("an attachment in shared memory, of which there is none")
        return self.arriving(manifest, raw)

    def arriving(self, manifest: Manifest, raw: msgspec.Raw) -> ReceivedDelivery:
        """A delivery whose attachments behind the message are about to be read."""
        self._count(sum(slot.nbytes for slot in manifest.slots))
        contents = [self._room_for(slot) for slot in manifest.slots]
        return ReceivedDelivery(self, raw, manifest.slots, contents)

    def _count(self, nbytes: int) -> None:
        with self._lock:
            while self._taken:
                self._waiting -= self._taken.popleft()
            self._waiting += nbytes
            if self._waiting > MAX_WAITING:
                raise RemoteProtocolError(
                    f"arrays of more than {MAX_WAITING:,} bytes that nobody has taken yet"
                )

    def _room_for(self, slot: Slot) -> Content | None:
        """Where an attachment that comes on the socket goes; None if there is no room."""
        if slot.segment != BEHIND:
            return None
        return self.room_for(slot.nbytes)

    def room_for(self, nbytes: int) -> Content | None:
        """Memory of our own for so many bytes; None if there is no room."""
        self.is_stocked = True
        try:
            memory = self._memory.take(nbytes)
        except MemoryError:
            return None
        return Content(memory, 0, nbytes)

    def fetch(self, slot: Slot) -> Content:
        """An attachment that is not on the socket.

        Raises:
            MemoryError: there is no room for it.
        """
        raise MemoryError(f"no memory for an array of {slot.nbytes:,} bytes")

    def taken(self, slots: list[Slot]) -> None:
        """Note that nobody needs these attachments where they arrived; any thread, anywhere."""
        self._taken.append(sum(slot.nbytes for slot in slots))

    # Both

    def trim(self, idle: float) -> None:
        """Let go of what has not been used for `idle` seconds."""
        self.is_stocked = self._memory.trim(idle)

    def close(self) -> None:
        """Let go of everything. What arrived and is in use stays so until nobody looks at it."""
        self._memory.close()


def aligned(nbytes: int) -> int:
    """The room that so many bytes take in a segment."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
