"""What travels beside a message: where its attachments are, and news of shared segments.

A segment is a piece of memory that the manager has made and given to one host by a descriptor. It
is for one direction: `TO_HOST` segments are filled by the manager, `TO_MANAGER` ones by the host.
Only the manager makes segments, so a descriptor that comes from a host is never taken.
"""

from __future__ import annotations

import msgspec

from nebula_lab.wire.errors import RemoteProtocolError
from nebula_lab.wire.parcel import MAX_FREIGHT

# Not a segment: the bytes follow the message on the socket.
BEHIND = 0
TO_HOST, TO_MANAGER = 1, 2
# The manager may hand over so many descriptors with one message.
MAX_DESCRIPTORS = 8
MAX_SLOTS = 65_536
# Bytes of a manifest: more than one with the most slots has.
MAX_MANIFEST = 2 * 1024 * 1024


class Slot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where the bytes of an attachment are: in a segment, or `BEHIND` the message."""

    segment: int
    offset: int
    nbytes: int


class NewSegment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A segment whose descriptor comes with this message."""

    number: int
    size: int
    direction: int


class Manifest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The head of a laden message.

    Attributes:
        slots: the attachments of the message's value.
        segments: new ones; as many descriptors come with the message, in this order.
        released: segments that the receiver had filled and the sender has done with.
        forgotten: from the manager, segments to let go of where they are not in use; from the
            host, those of them that it has let go of.
        is_ready: from the host, that it looks for descriptors from now on; before, none may come.
    """

    slots: list[Slot] = []
    segments: list[NewSegment] = []
    released: list[int] = []
    forgotten: list[int] = []
    is_ready: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Manifest)


def encode_manifest(manifest: Manifest) -> bytes:
    return _encoder.encode(manifest)


def decode_manifest(data: bytes | memoryview) -> Manifest:
    """Read a manifest; what its numbers refer to is for whoever has the segments to check.

    Raises:
        RemoteProtocolError: it is none, or announces more than may come.
    """
    if len(data) > MAX_MANIFEST:
        raise RemoteProtocolError(f"a manifest of {len(data):,} bytes; at most {MAX_MANIFEST:,}")
    try:
        manifest = _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"a message whose manifest is none: {error}") from error
    _check_slots(manifest.slots)
    if len(manifest.segments) > MAX_DESCRIPTORS:
        raise RemoteProtocolError(f"{len(manifest.segments)} new segments with one message")
    return manifest


def _check_slots(slots: list[Slot]) -> None:
    if len(slots) > MAX_SLOTS:
        raise RemoteProtocolError(f"a message with {len(slots):,} attachments")
    if any(slot.offset < 0 or slot.nbytes < 0 or slot.segment < 0 for slot in slots):
        raise RemoteProtocolError("an attachment with a negative size, offset or segment")
    total = sum(slot.nbytes for slot in slots)
    if total > MAX_FREIGHT:
        raise RemoteProtocolError(
            f"attachments of {total:,} bytes were announced; the limit is {MAX_FREIGHT:,}"
        )
