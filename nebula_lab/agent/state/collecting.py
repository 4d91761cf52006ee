"""Holds the garbage collector back where everything that is made is kept."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_held() -> Iterator[None]:
    """Collect nothing meanwhile.

    A state of a million objects makes as many nodes, and the collector, which is called the more
    often the more objects there are, would look at all of them again and again: half of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
