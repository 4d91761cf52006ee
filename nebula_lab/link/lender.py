"""The manager's side of shared memory: it makes every segment, and lends it to its host.

A descriptor that has been given can't be taken back, so segments are of one host and one life of
it. The host has no say in them: what it says of a segment that it does not have is the end of it.
"""

from __future__ import annotations

import os
import time

import msgspec

from nebula_lab.link.freight import Consignment, Freight, ReceivedDelivery, aligned
from nebula_lab.link.lent_segment import LentSegment, Outgoing, State, check_bounds, fill
from nebula_lab.link.segment import make_for_host, make_for_manager, read_segment
from nebula_lab.link.warm_memory import WarmMemory, rounded_size
from nebula_lab.wire.errors import RemoteProtocolError
from nebula_lab.wire.manifest import (
    BEHIND,
    MAX_DESCRIPTORS,
    TO_HOST,
    TO_MANAGER,
    Manifest,
    Slot,
)
from nebula_lab.wire.parcel import THRESHOLD, Attachment, Content

# Of one host, for each direction. What is beyond goes over the socket.
MOST_SEGMENTS = 64
MOST_BYTES = 1024**3
# A segment may be so many times as large as what is put into it.
_LOOSE = 8
# A host that sends and sends while we have nothing to say must not fill our memory with wishes.
_MOST_NEWS = 4 * MOST_SEGMENTS


class Lender(Freight):
    """The manager's freight, for one host.

    The first params go over the socket, and have the host look for descriptors. From then on they
    are put into a segment of the host's, which it maps read-only. The first result of some size
    comes on the socket; a segment for the next like it goes out with the next message, and is
    copied out of by the thread that wants the result.
    """

    def __init__(self, memory: WarmMemory) -> None:
        super().__init__(memory)
        self._segments: dict[int, LentSegment] = {}
        self._last_number = BEHIND
        self._closed = False
        self._is_ready = False  # the host, for descriptors

    @property
    def lent(self) -> int:
        # A copy, made in one step: whoever holds the lock may be at it for long.
        return sum(segment.size for segment in list(self._segments.values()))

    # Sending

    def _stowed(self, attachments: list[Attachment]) -> Consignment:
        room = sum(aligned(attachment.nbytes) for attachment in attachments)
        with self._lock:
            outgoing = Outgoing()
            self._tell(outgoing)
            segment = self._segment_for(room, outgoing) if attachments else None
        consignment = outgoing.consignment()
        if segment is None:
            behind = super()._stowed(attachments)
            consignment.behind = behind.behind
            consignment.manifest.slots.extend(behind.manifest.slots)
            return consignment
        try:
            consignment.manifest.slots.extend(fill(segment, attachments))
        except BaseException:
            self.recall(consignment)
            self._free(segment.number)
            raise
        return consignment

    def _tell(self, outgoing: Outgoing) -> None:
        while self.news:
            kind, number = self.news.popleft()
            if kind == "wanted":
                self._grant(number, outgoing)
                continue
            segment = self._segments.get(number)
            if segment is None:
                continue
            if kind == "released":
                segment.state = State.FREE
                segment.used_at = time.monotonic()
                outgoing.released.append(number)
            elif segment.state is State.FREE:  # it may have been filled since it was idle
                self._call_back(segment, outgoing)

    def _grant(self, size: int, outgoing: Outgoing) -> None:
        """Give the host a segment for results; without one it sends them on the socket."""
        # One descriptor is kept for the params of the same message.
        if len(outgoing.segments) < MAX_DESCRIPTORS - 1:
            self._make(size, TO_MANAGER, outgoing)

    def _segment_for(self, room: int, outgoing: Outgoing) -> LentSegment | None:
        """A segment for params, now in use; None if they have to go over the socket."""
        fitting = [
            segment
            for segment in self._segments.values()
            if segment.direction == TO_HOST
            and segment.state is State.FREE
            and room <= segment.size <= max(_LOOSE * room, 16 * THRESHOLD)
        ]
        segment = min(fitting, key=lambda one: one.size, default=None)
        segment = segment or self._make(room, TO_HOST, outgoing)
        if segment is not None:
            segment.state = State.BUSY
            segment.used_at = time.monotonic()
        return segment

    def _make(self, room: int, direction: int, outgoing: Outgoing) -> LentSegment | None:
        size = rounded_size(room)
        if self._closed or not self._is_ready or not self._has_budget(size, direction, outgoing):
            return None
        try:
            descriptor, mapping = (
                make_for_host(size) if direction == TO_HOST else (make_for_manager(size), None)
            )
        except OSError:  # no memory or no descriptors: the socket needs neither
            return None
        self.is_stocked = True
        self._last_number += 1
        segment = LentSegment(self._last_number, size, direction, descriptor, mapping)
        self._segments[segment.number] = segment
        outgoing.add(segment)
        return segment

    def _has_budget(self, size: int, direction: int, outgoing: Outgoing) -> bool:
        """Whether a segment may be made; where not, old ones that nobody uses are called back."""
        lent = [one for one in self._segments.values() if one.direction == direction]
        excess = sum(one.size for one in lent) + size - MOST_BYTES
        too_many = len(lent) + 1 - MOST_SEGMENTS
        if excess <= 0 and too_many <= 0:
            return True
        if size <= MOST_BYTES:
            idle = [one for one in lent if one.state is State.FREE]
            for segment in sorted(idle, key=lambda one: one.used_at):
                if excess <= 0 and too_many <= 0:
                    break
                self._call_back(segment, outgoing)
                excess, too_many = excess - segment.size, too_many - 1
        return False

    def _call_back(self, segment: LentSegment, outgoing: Outgoing) -> None:
        if segment.number not in (new.number for new in outgoing.segments):
            segment.state = State.LEAVING
            outgoing.forgotten.append(segment.number)

    def sent(self, consignment: Consignment) -> None:
        for new in consignment.manifest.segments:
            segment = self._segments.get(new.number)
            if segment is not None and segment.direction == TO_HOST:
                segment.close_descriptor()  # its mapping has one of its own

    def recall(self, consignment: Consignment) -> None:
        manifest = consignment.manifest
        with self._lock:
            for new in manifest.segments:
                self._segments.pop(new.number).close()
            for number in manifest.released:
                self._segments[number].state = State.BUSY
                self.news.append(("released", number))
            for number in manifest.forgotten:
                self._segments[number].state = State.FREE
        for number in {slot.segment for slot in manifest.slots}:
            self._free(number)

    def _free(self, number: int) -> None:
        with self._lock:
            if number in self._segments:
                self._segments[number].state = State.FREE

    # Receiving

    def receive(self, manifest: Manifest, raw: msgspec.Raw) -> ReceivedDelivery:
        if manifest.segments:
            raise RemoteProtocolError("a segment of the host's own, which nobody takes here")
        with self._lock:
            self._is_ready = self._is_ready or manifest.is_ready
            for number in manifest.released:
                self._known(number, TO_HOST, State.BUSY).state = State.FREE
            for number in manifest.forgotten:
                self._known(number, None, State.LEAVING).close()
                del self._segments[number]
            filled = self._filled(manifest.slots)
        delivery = self.arriving(manifest, raw)
        for segment in filled:
            segment.state = State.BUSY
        self._note_want(manifest.slots)
        return delivery

    def _filled(self, slots: list[Slot]) -> list[LentSegment]:
        """The segments that the host has filled, everything about them having been checked."""
        for slot in slots:
            # One that we have asked it to forget may have been filled by then.
            if slot.segment != BEHIND:
                segment = self._known(slot.segment, TO_MANAGER, State.FREE, State.LEAVING)
                check_bounds(slot, segment)
        return [self._segments[number] for number in {slot.segment for slot in slots} - {BEHIND}]

    def _known(self, number: int, direction: int | None, *states: State) -> LentSegment:
        segment = self._segments.get(number)
        if segment is None or direction not in (None, segment.direction):
            raise RemoteProtocolError(f"the segment {number}, which it does not have")
        if segment.state not in states:
            raise RemoteProtocolError(f"the segment {number} out of turn")
        return segment

    def _note_want(self, slots: list[Slot]) -> None:
        room = sum(aligned(slot.nbytes) for slot in slots if slot.segment == BEHIND)
        if THRESHOLD <= room <= MOST_BYTES and len(self.news) < _MOST_NEWS:
            self.news.append(("wanted", room))

    def fetch(self, slot: Slot) -> Content:
        content = None if slot.segment == BEHIND else self.room_for(slot.nbytes)
        if content is None:
            return super().fetch(slot)
        with self._lock:
            segment = self._segments.get(slot.segment)
            if segment is None:
                raise RemoteProtocolError("an array of a host that has ended")
            try:
                # Of our own, since the segment may be closed while we read.
                descriptor = os.dup(segment.descriptor)
            except OSError as error:
                raise MemoryError(f"no descriptor to read an array by: {error}") from error
        try:
            read_segment(descriptor, slot.offset, content.view())
        finally:
            os.close(descriptor)
        return content

    def taken(self, slots: list[Slot]) -> None:
        super().taken(slots)
        for number in {slot.segment for slot in slots} - {BEHIND}:
            self.news.append(("released", number))
            if self._closed and (segment := self._segments.pop(number, None)) is not None:
                segment.close()

    # Both

    def trim(self, idle: float) -> None:
        limit = time.monotonic() - idle
        with self._lock:
            for segment in self._segments.values():
                if segment.state is State.FREE and segment.used_at <= limit:
                    self.news.append(("forget", segment.number))
        super().trim(idle)
        self.is_stocked = self.is_stocked or bool(self._segments)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            taken = {number for kind, number in self.news if kind == "released"}
            for number, segment in list(self._segments.items()):
                # A result that has come and is still to be taken outlives its host.
                is_waiting = segment.direction == TO_MANAGER and segment.state is State.BUSY
                if not is_waiting or number in taken:
                    self._segments.pop(number, segment).close()
            self.news.clear()
        super().close()
