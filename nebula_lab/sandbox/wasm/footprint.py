"""How much memory a machine has taken, as the kernel tells of this process.

wasmtime does not say where a component's memory is. But each has gigabytes reserved behind it that
may not be touched until it grows; so those are found that are there after a machine was made and
were not before. What is counted is what the machine itself has written to: it begins as a picture
of Python that all machines share.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MAPS, _PAGES = Path("/proc/self/maps"), Path("/proc/self/pagemap")
_RESERVED = 2 * 2**30  # bytes, and more, that lie behind a memory and nothing else here
_ENTRY = 8  # bytes in the file of pages for each
# The uppermost bits of an entry: it is in memory, it is swapped out, it is of a file.
_PRESENT, _SWAPPED, _OF_A_FILE = 0x80, 0x40, 0x20
_NOT_ITS_OWN = bytes(
    bits for bits in range(256) if not bits & (_PRESENT | _SWAPPED) or bits & _OF_A_FILE
)


def memories() -> frozenset[int]:
    """Where the memories of all machines begin; empty where the system does not tell."""
    return frozenset(begin for begin, _ in _memories())


def written(begins: frozenset[int]) -> int | None:
    """Bytes that have been written to in the memories that begin there.

    None where there are none, or the system does not tell.
    """
    spans = [span for span in _memories() if span[0] in begins]
    try:
        return sum(map(_written_in, spans)) if spans else None
    except OSError:
        return None


def _memories() -> Iterator[tuple[int, int]]:
    """The beginning and end of what can be used of each."""
    begin = end = 0
    try:
        with _MAPS.open("rb") as lines:
            for line in lines.readlines():
                span, rights = line.split(maxsplit=2)[:2]
                low, high = (int(word, 16) for word in span.split(b"-"))
                if rights.startswith(b"---"):
                    if high - low >= _RESERVED and end == low:
                        yield begin, end
                    end = 0
                elif low == end:
                    end = high
                else:
                    begin, end = low, high
    except OSError:
        return


def _written_in(span: tuple[int, int]) -> int:
    size = os.sysconf("SC_PAGE_SIZE")
    first, count = span[0] // size, (span[1] - span[0]) // size
    with _PAGES.open("rb", buffering=0) as pages:
        pages.seek(first * _ENTRY)
        entries = pages.read(count * _ENTRY)
    flags = entries[_ENTRY - 1 :: _ENTRY]
    return len(flags.translate(None, _NOT_ITS_OWN)) * size
