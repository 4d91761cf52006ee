"""Counts what is in an encoded value before it is decoded, since small bytes make large objects.

A dict of one entry takes three bytes of MessagePack and 232 bytes of memory; so a frame that is
within all limits could fill the manager's memory.
"""

from __future__ import annotations

from nebula_lab.wire.errors import RemoteProtocolError

# Below so many bytes a value is not counted: it can't do more than take 300 MB.
COUNTED_FROM = 4 * 1024 * 1024
MAX_CONTAINERS = 1_000_000
MAX_ITEMS = 5_000_000

# How many bytes follow the first one, by that: a fixed number; where `_LENGTH` has the byte, the
# length of what follows is written in so many bytes; where `_COUNT` has it, the number of items.
_FIXED = {
    **dict.fromkeys(range(0x80), 0),
    **dict.fromkeys(range(0xE0, 0x100), 0),
    **{0xA0 + size: size for size in range(32)},
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCA: 4,
    0xCB: 8,
    **{0xCC + power: 2**power for power in range(4)},
    **{0xD0 + power: 2**power for power in range(4)},
    **{0xD4 + power: 1 + 2**power for power in range(5)},
}
_LENGTH = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSION = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_COUNT = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def refuse_bombs(data: memoryview) -> None:
    """Refuse a value with more in it than a message may have.

    Args:
        data: one encoded value.

    Raises:
        RemoteProtocolError: there is more, or the bytes are no value.
    """
    if len(data) < COUNTED_FROM:
        return
    try:
        _count(bytes(data))
    except (IndexError, KeyError):
        raise RemoteProtocolError("bytes that are no value: they end too early") from None


def _count(data: bytes) -> None:
    size, position = len(data), 0
    items = containers = 0
    expected = 1  # items that are still to come
    while expected:
        first = data[position]
        position += 1
        expected -= 1
        items += 1
        fixed = _FIXED.get(first)
        if fixed is not None:
            position += fixed
        elif first < 0xA0:  # a small map or array
            containers += 1
            expected += (first & 0x0F) * (2 if first < 0x90 else 1)
        elif first in _COUNT:
            width, each = _COUNT[first]
            containers += 1
            expected += each * int.from_bytes(data[position : position + width], "big")
            position += width
        else:
            width = _LENGTH[first] if first in _LENGTH else _EXTENSION[first]
            position += width + int.from_bytes(data[position : position + width], "big")
            position += first in _EXTENSION  # its type
        if items + expected > MAX_ITEMS or containers > MAX_CONTAINERS:
            raise RemoteProtocolError(
                f"a value of more than {MAX_ITEMS:,} items, or {MAX_CONTAINERS:,} lists and dicts; "
                "many numbers are better an array"
            )
        if position > size:
            raise IndexError(position)
