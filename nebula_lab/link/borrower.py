"""The host's side of shared memory: it reads and fills the segments that the manager lends it."""

from __future__ import annotations

import mmap
import os
from collections import deque
from functools import partial
from typing import Any, ClassVar

import msgspec

from nebula_lab.link.freight import Consignment, Freight, ReceivedDelivery, aligned, close_all
from nebula_lab.link.lease import Lease, leased
from nebula_lab.link.segment import map_segment
from nebula_lab.link.warm_memory import WarmMemory
from nebula_lab.wire.errors import RemoteProtocolError
from nebula_lab.wire.manifest import (
    BEHIND,
    MAX_DESCRIPTORS,
    TO_HOST,
    TO_MANAGER,
    Manifest,
    NewSegment,
    Slot,
)
from nebula_lab.wire.parcel import Attachment, Content


class _BorrowedSegment:
    """A segment in this process's memory; None where it could not be mapped."""

    __slots__ = ("direction", "is_filled", "mapping", "size")

    def __init__(self, new: NewSegment, descriptor: int) -> None:
        self.size = new.size
        self.direction = new.direction
        self.is_filled = False
        try:
            writable = new.direction == TO_MANAGER
            self.mapping: mmap.mmap | None = map_segment(descriptor, new.size, writable=writable)
        except OSError:
            self.mapping = None


class _Reading:
    """The contents that one message has in a segment. The segment is free when nobody has them."""

    def __init__(self, mapping: mmap.mmap | None, lease: Lease) -> None:
        self._mapping = mapping
        self._lease = lease

    def content(self, slot: Slot) -> Content | None:
        if self._mapping is None:
            return None
        return Content(self._mapping, slot.offset, slot.nbytes, self._root)

    def _root(self) -> Any:
        assert self._mapping is not None
        root = leased(self._mapping, self._lease)
        return bytes(self._mapping) if root is None else root


class Borrower(Freight):
    """The host's freight.

    Params are read where the manager has put them. While anything looks at them, the segment is
    ours; when the last view is gone, wherever that happens, the next message tells the manager.
    """

    takes_descriptors: ClassVar[int] = MAX_DESCRIPTORS

    def __init__(self, memory: WarmMemory) -> None:
        super().__init__(memory, is_trusted=True)
        self._segments: dict[int, _BorrowedSegment] = {}
        self._descriptors: deque[int] = deque()
        self._is_ready = False

    def _get_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            self.on_ready()

    # Sending

    def _stowed(self, attachments: list[Attachment]) -> Consignment:
        with self._lock:
            self._get_ready()
            slots = self._places_for(attachments)
        behind = []
        try:
            for index, slot in enumerate(slots):
                if slot.segment == BEHIND:
                    behind.append(attachments[index].as_bytes())
                else:
                    self._fill(slot, attachments[index])
        except BaseException:
            self.recall(Consignment(Manifest(slots), [], []))
            raise
        # A result may be what keeps the segment of its params: let go of it, and then tell.
        attachments.clear()
        with self._lock:
            released, forgotten = self._tidings()
        return Consignment(Manifest(slots, [], released, forgotten, is_ready=True), [], behind)

    def _tidings(self) -> tuple[list[int], list[int]]:
        told: dict[str, list[int]] = {"released": [], "forgotten": [], "ready": []}
        while self.news:
            kind, number = self.news.popleft()
            told[kind].append(number)
        self.owes_answer = False
        return told["released"], told["forgotten"]

    def _places_for(self, attachments: list[Attachment]) -> list[Slot]:
        """Where attachments go: into free segments, several into one, or behind the message."""
        free = {
            number: 0
            for number, segment in sorted(self._segments.items(), key=lambda item: item[1].size)
            if segment.direction == TO_MANAGER
            and not segment.is_filled
            and segment.mapping is not None
        }
        slots = [self._place_for(attachment.nbytes, free) for attachment in attachments]
        for number in {slot.segment for slot in slots} - {BEHIND}:
            self._segments[number].is_filled = True
        return slots

    def _place_for(self, nbytes: int, free: dict[int, int]) -> Slot:
        for number, offset in free.items():
            if offset + nbytes <= self._segments[number].size:
                free[number] = offset + aligned(nbytes)
                return Slot(number, offset, nbytes)
        return Slot(BEHIND, 0, nbytes)

    def _fill(self, slot: Slot, attachment: Attachment) -> None:
        mapping = self._segments[slot.segment].mapping
        assert mapping is not None
        with memoryview(mapping) as view:
            attachment.write(view[slot.offset : slot.offset + slot.nbytes])

    def recall(self, consignment: Consignment) -> None:
        manifest = consignment.manifest
        with self._lock:
            for number in {slot.segment for slot in manifest.slots} - {BEHIND}:
                self._segments[number].is_filled = False
            self.news.extend(("released", number) for number in manifest.released)
            self.news.extend(("forgotten", number) for number in manifest.forgotten)

    # Receiving

    def descriptors_arrived(self, descriptors: list[int]) -> None:
        self._descriptors.extend(descriptors)

    def receive(self, manifest: Manifest, raw: msgspec.Raw) -> ReceivedDelivery:
        with self._lock:
            if not self._is_ready:
                self._get_ready()
                self.news.append(("ready", 0))
            for new in manifest.segments:
                self._add(new)
            for number in manifest.released:
                self._known(number).is_filled = False
            for number in manifest.forgotten:
                self._forget(number)
            contents = self._contents(manifest.slots)
        return ReceivedDelivery(self, raw, manifest.slots, contents)

    def _add(self, new: NewSegment) -> None:
        if not self._descriptors:
            raise RemoteProtocolError("fewer descriptors than were announced")
        descriptor = self._descriptors.popleft()
        try:
            self._segments[new.number] = _BorrowedSegment(new, descriptor)
        finally:
            os.close(descriptor)

    def _forget(self, number: int) -> None:
        segment = self._known(number)
        # What we have filled meanwhile is on its way to the manager, which will see it.
        if not segment.is_filled:
            del self._segments[number]
            self.news.append(("forgotten", number))
            self.owes_answer = True

    def _contents(self, slots: list[Slot]) -> list[Content | None]:
        used = {slot.segment for slot in slots} - {BEHIND}
        readings = {number: self._read(number) for number in used}
        return [
            self.room_for(slot.nbytes)
            if slot.segment == BEHIND
            else readings[slot.segment].content(slot)
            for slot in slots
        ]

    def _read(self, number: int) -> _Reading:
        segment = self._known(number)
        if segment.direction != TO_HOST:
            raise RemoteProtocolError(f"the segment {number}, which is not for params")
        # Of the news alone: a lease that had us would keep the plugin, which may keep the array.
        return _Reading(segment.mapping, Lease(partial(self.news.append, ("released", number))))

    def _known(self, number: int) -> _BorrowedSegment:
        segment = self._segments.get(number)
        if segment is None:
            raise RemoteProtocolError(f"the segment {number}, which nobody has here")
        return segment

    # Both

    def close(self) -> None:
        with self._lock:
            self._segments.clear()
            close_all(list(self._descriptors))
            self._descriptors.clear()
        super().close()
