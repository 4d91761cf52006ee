"""Binaries of WebAssembly, section by section."""

from __future__ import annotations

COMPONENT = b"\0asm\x0d\0\1\0"
MODULE = b"\0asm\1\0\0\0"


def number(value: int) -> bytes:
    """An unsigned number in LEB128."""
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + number(len(content)) + content


def custom(name: str, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return section(0, number(len(name.encode())) + name.encode() + data)
