"""The number of the call that a host's main thread runs, where its manager can read it at any time.

A host whose main thread runs one call answers nothing about the others, so that the manager could
not tell which of them to blame. To write a number down costs a call less than a message would.
"""

from __future__ import annotations

import mmap
import os
from typing import Protocol

NUMBER_SIZE = 8  # bytes, in the machine's own order


class Executing(Protocol):
    """Whose item 0 is the number; 0 where no call runs."""

    def __setitem__(self, index: int, number: int, /) -> None: ...


def executing_in(descriptor: int) -> Executing:
    """The number as the last bytes of a file, which is memory."""
    start = os.fstat(descriptor).st_size - NUMBER_SIZE
    return memoryview(mmap.mmap(descriptor, NUMBER_SIZE, offset=start)).cast("Q")
