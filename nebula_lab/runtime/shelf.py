"""What is to run: the files of plugins as they were read once, and not as they may be by now."""

from __future__ import annotations

import threading
import weakref

from nebula_lab.model import PluginDescriptor
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.store import ContentStore, Lease


class Shelf:
    """Reads a plugin's files into the content store and holds them there.

    The files go with the descriptor that they were read for: a host that takes the place of one
    that died runs what that one ran, whatever has become of the files meanwhile.

    Args:
        store: keeps them.
    """

    def __init__(self, store: ContentStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._leases: dict[int, tuple[weakref.ref[PluginDescriptor], Lease]] = {}

    def files_of(self, descriptor: PluginDescriptor) -> Lease:
        """The files that were read for a descriptor; read now if they have not been.

        Raises:
            StoreError: they can't be read or kept.
        """
        with self._lock:
            known = self._leases.get(id(descriptor))
            if known is not None and known[0]() is descriptor:
                return known[1]
        lease = self._store.lease(collect(descriptor))
        with self._lock:
            number = id(descriptor)
            gone = weakref.ref(descriptor, lambda _: self._release(number))
            self._leases[number] = (gone, lease)
        return lease

    def renew(self, descriptor: PluginDescriptor) -> None:
        """Have the files of a descriptor read again when they are next wanted."""
        self._release(id(descriptor))

    def _release(self, number: int) -> None:
        # Also called by the collector, wherever it runs: nothing here may wait for a lock.
        known = self._leases.pop(number, None)
        if known is not None:
            known[1].release()

    def close(self) -> None:
        """Let all files go. Can be called again."""
        for number in list(self._leases):
            self._release(number)
