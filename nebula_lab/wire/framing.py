"""Frames: four bytes of length, most significant first, then that many bytes."""

from __future__ import annotations

from nebula_lab.wire.errors import LocalProtocolError, RemoteProtocolError

HEADER_SIZE = 4
# A frame is held in memory whole, so a hostile length must not decide how much that is.
MAX_FRAME_SIZE = 64 * 1024 * 1024


def frame(payload: bytes) -> bytes:
    """Put the length before `payload`.

    Raises:
        LocalProtocolError: the payload is larger than `MAX_FRAME_SIZE`.
    """
    size = len(payload)
    if size > MAX_FRAME_SIZE:
        raise LocalProtocolError(
            f"a message of {size:,} bytes is larger than the {MAX_FRAME_SIZE:,} that a frame holds"
        )
    return size.to_bytes(HEADER_SIZE, "big") + payload


class FrameReader:
    """Cuts a stream of bytes into the payloads of its frames."""

    def __init__(self, max_size: int = MAX_FRAME_SIZE) -> None:
        self._buffer = bytearray()
        self._max_size = max_size
        self._wanted = -1

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
            wanted = int.from_bytes(buffer[:HEADER_SIZE], "big")
            if wanted > self._max_size:
                raise RemoteProtocolError(
                    f"a frame of {wanted:,} bytes was announced; the limit is {self._max_size:,}"
                )
            self._wanted = wanted
            del buffer[:HEADER_SIZE]
        wanted = self._wanted
        if len(buffer) < wanted:
            return None
        payload = bytes(buffer[:wanted])
        del buffer[:wanted]
        self._wanted = -1
        return payload
