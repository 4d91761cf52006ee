"""Whether whoever asked for something still waits for it.

A KeyboardInterrupt comes on the main thread, and what it waits for runs on others. What takes long
there asks from time to time, and stops when nobody waits any more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar


class Abandonment:
    """Becomes true once, when whoever waits has been interrupted, or whoever waits for them."""

    def __init__(self, around: Abandonment | None = None) -> None:
        self._around = around
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def __bool__(self) -> bool:
        return self._is_set or bool(self._around)


# It goes with the context into the threads that are started for a task.
_around: ContextVar[Abandonment | None] = ContextVar("nebula_lab_abandonment", default=None)


@contextlib.contextmanager
def abandonable() -> Iterator[Abandonment]:
    """While the block waits for what it started; leaving it by an exception gives that up."""
    own = Abandonment(_around.get())
    token = _around.set(own)
    try:
        yield own
    except BaseException:
        own.set()
        raise
    finally:
        _around.reset(token)
