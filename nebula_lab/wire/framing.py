"""Frames: four bytes of length, most significant first, then that many bytes.

The length of a laden frame, one that begins with a manifest, has `LADEN` set.
"""

from __future__ import annotations

from nebula_lab.wire.errors import LocalProtocolError, RemoteProtocolError

HEADER_SIZE = 4
# A frame is held in memory whole, so a hostile length must not decide how much that is.
MAX_FRAME_SIZE = 64 * 1024 * 1024
LADEN = 1 << 30


def frame(payload: bytes) -> bytes:
    """Put the length before `payload`.

    Raises:
        LocalProtocolError: the payload is larger than `MAX_FRAME_SIZE`.
    """
    return _checked_size(payload).to_bytes(HEADER_SIZE, "big") + payload


def laden_frame(manifest: bytes, payload: bytes) -> bytes:
    """A frame with a manifest ahead of the message.

    Raises:
        LocalProtocolError: both are larger than `MAX_FRAME_SIZE` together.
    """
    content = len(manifest).to_bytes(HEADER_SIZE, "big") + manifest + payload
    return (_checked_size(content) | LADEN).to_bytes(HEADER_SIZE, "big") + content


def split_laden(payload: bytes) -> tuple[memoryview, memoryview]:
    """The manifest and the message of a laden frame.

    Raises:
        RemoteProtocolError: the manifest is longer than the frame.
    """
    view = memoryview(payload)
    end = HEADER_SIZE + int.from_bytes(view[:HEADER_SIZE], "big")
    if not HEADER_SIZE <= end <= len(view):
        raise RemoteProtocolError("a laden message whose manifest is longer than itself")
    return view[HEADER_SIZE:end], view[end:]


def _checked_size(payload: bytes) -> int:
    size = len(payload)
    check_size(size)
    return size


def check_size(size: int) -> None:
    """Look whether a message of so many bytes may be sent.

    Raises:
        LocalProtocolError: it is larger than `MAX_FRAME_SIZE`.
    """
    if size > MAX_FRAME_SIZE:
        raise LocalProtocolError(
            f"a message of {size:,} bytes is larger than the {MAX_FRAME_SIZE:,} that a frame holds"
        )


class FrameReader:
    """Cuts a stream of bytes into the payloads of its frames.

    Attributes:
        is_laden: whether the last payload is of a laden frame.
    """

    def __init__(self, max_size: int = MAX_FRAME_SIZE) -> None:
        self._buffer = bytearray()
        self._max_size = max_size
        self._wanted = -1
        self.is_laden = False

    def feed(self, data: bytes) -> None:
        self._buffer += data

    @property
    def is_mid_frame(self) -> bool:
        """Whether the end of the stream here would cut a frame in two."""
        return bool(self._buffer) or self._wanted >= 0

    def next_payload(self) -> bytes | None:
        """The next whole payload, or None when more bytes are needed.

        Raises:
            RemoteProtocolError: the other side announces a frame over the limit.
        """
        buffer = self._buffer
        if self._wanted < 0:
            if len(buffer) < HEADER_SIZE:
                return None
            self._read_header(int.from_bytes(buffer[:HEADER_SIZE], "big"))
            del buffer[:HEADER_SIZE]
        wanted = self._wanted
        if len(buffer) < wanted:
            return None
        payload = bytes(buffer[:wanted])
        del buffer[:wanted]
        self._wanted = -1
        return payload

    def _read_header(self, header: int) -> None:
        wanted = header & ~LADEN
        if wanted > self._max_size:
            raise RemoteProtocolError(
                f"a frame of {header:,} bytes was announced; the limit is {self._max_size:,}"
            )
        self._wanted = wanted
        self.is_laden = wanted != header

    def take(self, target: memoryview) -> int:
        """Move what there is into `target`; for bytes that are in no frame. How many it were."""
        count = min(len(target), len(self._buffer))
        target[:count] = self._buffer[:count]
        del self._buffer[:count]
        return count
