"""The custom sections at the top of a WebAssembly component, without its code being looked at.

A binary is a preamble and sections: an id, a size and as many bytes; see the core specification,
5.5, and Binary.md of the component model. Only the heads of sections are read, so that a component
of many megabytes costs as little as a small one; whoever made it may have written anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from msgspec import Struct

__all__ = ["ComponentFileError", "NotAComponentError", "custom_sections", "with_section"]

_MAGIC = b"\0asm"
_MODULE = b"\1\0\0\0"  # version 1, layer 0
_LAYER = b"\1\0"
_CUSTOM = 0
_MOST_SECTIONS = 100_000
_MOST_OF_A_NAME = 1_000  # bytes
_LEB_BYTES = 5  # of a number of 32 bits


class ComponentFileError(Exception):
    """The file is cut off or is not what it says it is; `hint` is what to do."""

    hint = "Build it again, and copy it as a binary file."


class NotAComponentError(ComponentFileError):
    """The file is no component at all, or none that can be told."""


class _ModuleError(NotAComponentError):
    hint = "Make a component of it: `wasm-tools component new`, or a target such as wasm32-wasip2."


class CustomSection(Struct, frozen=True):
    """A custom section: its name, and where in the file it, and what is in it, begins and ends."""

    name: str
    at: int
    start: int
    end: int


def custom_sections(file: BinaryIO, size: int) -> Iterator[CustomSection]:
    """Find the custom sections at the top level of a component.

    Args:
        file: open, and can be sought in.
        size: its bytes.

    Raises:
        NotAComponentError: it begins as no component does.
        ComponentFileError: it is cut off, or a head of a section makes no sense.
    """
    _require_component(file.read(8))
    at = 8
    for _ in range(_MOST_SECTIONS):
        if at == size:
            return
        kind, length, start = _head(file, at)
        end = start + length
        if end > size:
            raise ComponentFileError(
                f"ends in the middle of a section: at byte {at} one of {length:,} bytes begins, "
                f"and the file has {size:,}"
            )
        if kind == _CUSTOM and (found := _named(file, at, start, end)) is not None:
            yield found
        file.seek(end)
        at = end
    raise ComponentFileError(f"has more than {_MOST_SECTIONS:,} sections")


def _require_component(preamble: bytes) -> None:
    if not preamble.startswith(_MAGIC) or len(preamble) < 8:
        raise NotAComponentError("is not WebAssembly")
    if preamble[4:] == _MODULE:
        raise _ModuleError("is a WebAssembly module, and not a component")
    if preamble[6:] != _LAYER:
        raise NotAComponentError("is WebAssembly of a kind that is not known here")


def _head(file: BinaryIO, at: int) -> tuple[int, int, int]:
    """The id of the section at `at`, how many bytes it has, and where they begin."""
    head = file.read(1 + _LEB_BYTES)
    if not head:
        raise ComponentFileError("became shorter while it was read")
    length, used = _number(head[1:], at + 1)
    return head[0], length, at + 1 + used


def _named(file: BinaryIO, at: int, start: int, end: int) -> CustomSection | None:
    """A custom section by its name; None for one whose name is too long to be of interest."""
    file.seek(start)
    head = file.read(min(_LEB_BYTES, end - start))
    length, used = _number(head, start)
    if start + used + length > end:
        raise ComponentFileError(f"has a custom section at byte {start} whose name is too long")
    if length > _MOST_OF_A_NAME:
        return None
    file.seek(start + used)
    name = file.read(length).decode("utf-8", "replace")
    return CustomSection(name, at, start + used + length, end)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number of 32 bits, and how many bytes it takes."""
    value = 0
    for used, byte in enumerate(data[:_LEB_BYTES], 1):
        value |= (byte & 0x7F) << (7 * (used - 1))
        if byte < 0x80:
            if value >= 2**32:
                break
            return value, used
    raise ComponentFileError(f"has a size at byte {at} that is no number")


def with_section(component: bytes, name: str, content: bytes) -> bytes:
    """A component with a custom section in the place of those of that name.

    Raises:
        NotAComponentError, ComponentFileError: as `custom_sections`.
    """
    kept = component
    found = [one for one in custom_sections(BytesIO(component), len(component)) if one.name == name]
    for one in reversed(found):
        kept = kept[: one.at] + kept[one.end :]
    data = _encoded(len(name.encode())) + name.encode() + content
    return kept + bytes([_CUSTOM]) + _encoded(len(data)) + data


def _encoded(value: int) -> bytes:
    """An unsigned LEB128 number."""
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
