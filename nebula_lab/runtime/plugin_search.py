"""Looks for plugins anew while a manager runs, and tells what has come, gone and changed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nebula_lab.errors import DiscoveryError, LockError
from nebula_lab.model import PluginDescriptor, PluginState
from nebula_lab.model.events import PluginDiscovered, PluginRemoved, WatchNoted
from nebula_lab.runtime.catalogue import Catalogue, said_by
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.record import PluginRecord

if TYPE_CHECKING:
    from nebula_lab.watch.subject import PluginChange

__all__ = ["PluginSearch", "is_there"]


class PluginSearch:
    """Has the catalogue look again, one search at a time."""

    def __init__(self, catalogue: Catalogue, dispatcher: Dispatcher) -> None:
        self._catalogue = catalogue
        self._dispatcher = dispatcher
        self._searching = threading.Lock()

    def search(self) -> Mapping[str, PluginDescriptor] | None:
        """Look for plugins anew, and tell which have come and gone; None where that can't be."""
        with self._searching:
            before = {record.id: record for record in self._catalogue}
            try:
                found = self._catalogue.discover().descriptors
            except (DiscoveryError, LockError) as error:
                said = "; ".join((error.message, *getattr(error, "differences", ())))
                self.note(f"{said}; what is loaded goes on")
                return None
            after = {record.id: record for record in self._catalogue}
        now = datetime.now(UTC)
        for plugin_id in after.keys() - before.keys():
            one = after[plugin_id].descriptor
            self._dispatcher.emit(PluginDiscovered(plugin_id, now, one.version, one.path))
        for plugin_id in before.keys() - after.keys():
            kept = plugin_id in self._catalogue.kept_states
            path = before[plugin_id].descriptor.path
            self._dispatcher.emit(PluginRemoved(plugin_id, now, path, kept))
        return {descriptor.id: descriptor for descriptor in found}

    def changes(self, again: set[str]) -> Iterator[PluginChange]:
        """Changes of loaded plugins that a search shows; `again` gets those to be tried anew."""
        from nebula_lab.watch.subject import PluginChange  # with the first file that is watched

        found = self.search()
        now = time.monotonic()
        for record in self._loaded() if found is not None else ():
            descriptor = (found or {}).get(record.id)
            if descriptor is None and not is_there(record):
                yield PluginChange(record.id, now, missing=True)
            elif descriptor is not None and said_by(descriptor) != said_by(record.as_read):
                # A description that is not among the plugin's own files, or the plugin has moved.
                again.add(record.id)
                yield PluginChange(record.id, now)

    def note(self, message: str, plugin_id: str = "") -> None:
        """Tell those who listen something about the watching."""
        self._dispatcher.emit(WatchNoted(plugin_id, datetime.now(UTC), message))

    def _loaded(self) -> list[PluginRecord]:
        return [one for one in self._catalogue if one.state is not PluginState.DISCOVERED]


def is_there(record: PluginRecord) -> bool:
    """Whether there is anything where a plugin was found."""
    return os.path.lexists(record.descriptor.path)
