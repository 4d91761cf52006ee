"""The memory of all hosts of a plugin together, from what is found of each."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from nebula_lab.sandbox.base import Host


class MemoryTally:
    """Adds up what the hosts of a plugin have; on the loop's thread alone, which looks at them.

    A plugin has several where it has replicas, and while new code proves itself beside the old.

    Args:
        on_memory: told a plugin's id and how many bytes it has.
    """

    def __init__(self, on_memory: Callable[[str, int], object]) -> None:
        self._on_memory = on_memory
        self._had: dict[str, weakref.WeakKeyDictionary[Host, int]] = {}

    def told(self, plugin_id: str, host: Host, memory: int) -> None:
        """A host has so many bytes now; none once it is gone."""
        had = self._had.setdefault(plugin_id, weakref.WeakKeyDictionary())
        had[host] = memory
        self._on_memory(plugin_id, sum(had.values()))
