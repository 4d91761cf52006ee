"""Memory that is given out, and how its owner learns that nobody looks at it any more.

numpy unwraps a memoryview and keeps what is beneath it, so that the end of a view tells nothing
about the arrays made from it. It keeps an array, though, and so does everybody who looks at the
memory by way of one: the array at the root of all views has the lease.
"""

from __future__ import annotations

import mmap
import sys
import weakref
from collections.abc import Callable
from typing import Any


class Lease:
    """Calls `on_end` once nobody has it any more.

    That may be anywhere, since the collector may be what ends it: `on_end` must take no lock. A
    lease is kept by what no collector sees through, so `on_end` must not lead to who looks either.
    """

    __slots__ = ("_on_end",)

    def __init__(self, on_end: Callable[[], object]) -> None:
        self._on_end = on_end

    def __del__(self) -> None:
        self._on_end()


def leased(memory: mmap.mmap, lease: Lease) -> Any:
    """Memory as an object with a buffer that has the lease as long as any view of it lives.

    Returns:
        An array of bytes; None where nobody has imported numpy, without which there is no such
        object and the memory has to be copied.
    """
    if "numpy" not in sys.modules:
        return None
    import numpy as np

    # An array of no subclass, and made from no other: numpy's views keep the last such one.
    root = np.frombuffer(memory, np.uint8)
    weakref.finalize(root, _let_go, lease).atexit = False
    return root


def _let_go(lease: Lease) -> None:
    """The lease is given up by whoever calls this, being its last holder."""
