"""Whose turn it is at a zygote, which does one thing at a time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator

from nebula_lab.sandbox.zygote_socket import ZygoteError

# Seconds from the start of an import for which a launch waits. A slow start takes as long, so
# waiting costs at most as much again as not to wait would have.
_PATIENCE = 0.5
# Seconds until a module is taken for one that never ends.
_LONGEST = 60.0


class ZygoteTurns:
    """Lets modules be imported while there is nothing to fork, and launches wait for imports.

    Args:
        modules: what to import.

    Attributes:
        module: what is being imported now; empty for nothing.
    """

    def __init__(self, modules: Iterable[str]) -> None:
        self.module = ""
        self._since = 0.0
        self._modules = deque(modules)
        self._launches: set[int] = set()
        self._changed = threading.Condition()

    @property
    def has_preloaded(self) -> bool:
        """Whether all modules have been tried."""
        return not self._modules and not self.module

    @property
    def is_stuck(self) -> bool:
        return bool(self.module) and time.monotonic() > self._since + _LONGEST

    @contextlib.contextmanager
    def launch(self, number: int) -> Iterator[None]:
        """The time in which to order a fork; no module comes before it until `answered`.

        Raises:
            ZygoteError: a module takes too long to import.
        """
        with self._changed:
            self._launches.add(number)
            try:
                self._await_import()
                yield
            except BaseException:
                self._launches.discard(number)
                raise

    def _await_import(self) -> None:
        left = self._since + _PATIENCE - time.monotonic()
        if not self._changed.wait_for(lambda: not self.module, max(left, 0.0)):
            raise ZygoteError(f"the zygote is still importing {self.module}")

    def answered(self, number: int) -> None:
        with self._changed:
            self._launches.discard(number)

    def begin_import(self) -> str:
        """The module whose turn it is, if it is a module's."""
        with self._changed:
            if self._launches or self.module or not self._modules:
                return ""
            self.module = self._modules.popleft()
            self._since = time.monotonic()
            return self.module

    def end_import(self) -> str:
        """The module that was being imported, if there was one."""
        with self._changed:
            module, self.module = self.module, ""
            self._changed.notify_all()
            return module

    def import_no_more(self) -> None:
        with self._changed:
            self._modules.clear()
