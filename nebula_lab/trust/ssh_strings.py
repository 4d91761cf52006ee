"""Reads and writes the fields that SSH's blobs consist of (RFC 4251, section 5)."""

from __future__ import annotations

from nebula_lab.errors import SignatureError

__all__ = ["SshReader", "ssh_string", "ssh_mpint"]


class SshReader:
    """Takes field after field off a blob; what is not as it says is a SignatureError."""

    def __init__(self, blob: bytes) -> None:
        self._rest = memoryview(blob)

    def take(self, count: int) -> bytes:
        if count > len(self._rest):
            raise SignatureError("it ends too early")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken.tobytes()

    def number(self) -> int:
        """Four bytes."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def name(self) -> str:
        """A string that is printable ASCII."""
        text = self.string().decode("latin-1")
        if not (text.isascii() and text.isprintable()):
            raise SignatureError("a name in it is not text")
        return text

    def mpint(self) -> int:
        """A whole number that is not negative, in the one way that it may be written."""
        raw = self.string()
        value = int.from_bytes(raw, "big")
        if ssh_mpint(value) != ssh_string(raw):
            raise SignatureError("a number in it is not written as it must be")
        return value

    def end(self) -> None:
        if self._rest:
            raise SignatureError(f"{len(self._rest)} bytes follow its end")


def ssh_string(content: bytes | str) -> bytes:
    """A string with its length before it."""
    raw = content.encode() if isinstance(content, str) else content
    return len(raw).to_bytes(4, "big") + raw


def ssh_mpint(value: int) -> bytes:
    """A whole number that is not negative; a leading zero keeps its first bit clear."""
    return ssh_string(value.to_bytes((value.bit_length() + 8) // 8, "big") if value else b"")
