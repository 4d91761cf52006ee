"""Memory that is used again, because the first touch of a page costs many times what a copy does.

A buffer of 16 MB that is new takes six times as long to fill as one whose pages are there already.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import threading
import time
from collections import deque
from functools import partial
from typing import Any

from nebula_lab.link.lease import Lease, leased

_PAGE = mmap.PAGESIZE
# Below, a huge page would be mostly unused.
_HUGE = 4 * 1024 * 1024


class _Buffer:
    """Anonymous memory; in use while its lease lives."""

    __slots__ = ("freed_at", "memory", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.memory = _private_memory(size)
        self.freed_at = 0.0


class WarmMemory:
    """A pool of private memory; a buffer comes back when the last that looks at it is gone.

    Args:
        capacity: bytes that may wait unused. What comes back beyond it is given to the system.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._in_use = 0
        self._free: list[_Buffer] = []
        # Put into by the collector, which may run anywhere, also where the lock is held.
        self._returned: deque[_Buffer] = deque()

    @property
    def unused(self) -> int:
        """Bytes that wait to be used again."""
        with self._lock:
            self._take_back()
            return sum(buffer.size for buffer in self._free)

    def take(self, nbytes: int) -> Any:
        """An object with a buffer of at least `nbytes`, for whoever keeps a view of it to write.

        Raises:
            MemoryError: the system has no more.
        """
        if "numpy" not in sys.modules:  # nobody to carry a lease: see `leased`
            return bytearray(nbytes)
        size = rounded_size(nbytes)
        with self._lock:
            self._take_back()
            buffer = self._take_free(size) or _Buffer(size)
            self._in_use += 1
        return leased(buffer.memory, Lease(partial(self._on_returned, buffer)))

    def _take_free(self, size: int) -> _Buffer | None:
        """The smallest buffer that is waiting and large enough, and not much too large."""
        fitting = [buffer for buffer in self._free if size <= buffer.size <= 2 * size]
        if not fitting:
            return None
        found = min(fitting, key=lambda buffer: buffer.size)
        self._free.remove(found)
        return found

    def _on_returned(self, buffer: _Buffer) -> None:
        self._returned.append(buffer)

    def _take_back(self) -> None:
        now = time.monotonic()
        while self._returned:
            buffer = self._returned.popleft()
            buffer.freed_at = now
            self._in_use -= 1
            self._free.append(buffer)
        while self._free and sum(buffer.size for buffer in self._free) > self._capacity:
            self._free.pop(0)

    def trim(self, idle: float) -> bool:
        """Give to the system what has waited for `idle` seconds; whether anything still waits."""
        with self._lock:
            self._take_back()
            limit = time.monotonic() - idle
            self._free = [buffer for buffer in self._free if buffer.freed_at > limit]
            return bool(self._free or self._in_use)

    def close(self) -> None:
        """Keep nothing. What is in use still is so until nobody looks at it."""
        with self._lock:
            self._capacity = 0
            self._free.clear()
            # Whatever is still in use drops its buffer here, where nobody looks any more.
            self._returned = deque(maxlen=0)


def rounded_size(nbytes: int) -> int:
    """`nbytes` and at most a quarter more, so that buffers of like sizes can stand in for another.

    The sizes are 4, 5, 6 and 7 times a power of two of pages.
    """
    pages = max(1, -(-nbytes // _PAGE))
    step = 1 << max(0, pages.bit_length() - 3)
    return -(-pages // step) * step * _PAGE


def _private_memory(size: int) -> mmap.mmap:
    # Without these flags it would be shared memory, which a fork shares and huge pages skip.
    flags = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if os.name == "posix" else {}
    try:
        memory = mmap.mmap(-1, size, **flags)
    except OSError as error:
        raise MemoryError(f"no memory for {size:,} bytes: {error.strerror}") from error
    if size >= _HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory
