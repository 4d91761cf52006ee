"""What the manager has lent to a host, and what it is about to send there."""

from __future__ import annotations

import contextlib
import mmap
import os
import time
from dataclasses import dataclass, field
from enum import Enum

from nebula_lab.link.freight import Consignment, aligned
from nebula_lab.wire.errors import RemoteProtocolError
from nebula_lab.wire.manifest import Manifest, NewSegment, Slot
from nebula_lab.wire.parcel import Attachment


class State(Enum):
    """Of a segment, as the manager sees it."""

    FREE = "free"  # whoever fills it may do so
    BUSY = "busy"  # whoever reads it has not done with it
    LEAVING = "leaving"  # the host has been asked to forget it


@dataclass(slots=True, eq=False)
class LentSegment:
    """A segment; for a host with the one mapping that writes it."""

    number: int
    size: int
    direction: int
    descriptor: int
    mapping: mmap.mmap | None = None
    state: State = State.FREE
    used_at: float = field(default_factory=time.monotonic)

    def close(self) -> None:
        if self.mapping is not None:
            with contextlib.suppress(BufferError):  # a thread is filling it; it goes with that
                self.mapping.close()
        self.close_descriptor()

    def close_descriptor(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Outgoing:
    """The parts of a consignment, while it is put together."""

    def __init__(self) -> None:
        self.released: list[int] = []
        self.forgotten: list[int] = []
        self.segments: list[NewSegment] = []
        self._descriptors: list[int] = []

    def add(self, segment: LentSegment) -> None:
        self.segments.append(NewSegment(segment.number, segment.size, segment.direction))
        self._descriptors.append(segment.descriptor)

    def consignment(self) -> Consignment:
        manifest = Manifest([], self.segments, self.released, self.forgotten)
        return Consignment(manifest, self._descriptors, [])


def check_bounds(slot: Slot, segment: LentSegment) -> None:
    end = slot.offset + slot.nbytes
    if end > segment.size:
        raise RemoteProtocolError(
            f"bytes {slot.offset:,} to {end:,} of a segment of {segment.size:,}"
        )


def fill(segment: LentSegment, attachments: list[Attachment]) -> list[Slot]:
    """Write attachments into a segment one behind the other; where each is."""
    assert segment.mapping is not None
    slots, offset = [], 0
    with memoryview(segment.mapping) as view:
        for attachment in attachments:
            attachment.write(view[offset : offset + attachment.nbytes])
            slots.append(Slot(segment.number, offset, attachment.nbytes))
            offset += aligned(attachment.nbytes)
    return slots
