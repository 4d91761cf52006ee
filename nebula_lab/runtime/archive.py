"""The versions that a plugin had, to look at and to go back to."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from nebula_lab.errors import StoreError, VersionNotFoundError
from nebula_lab.model import PluginDescriptor
from nebula_lab.runtime.earlier import collected_again, described_again
from nebula_lab.runtime.shelf import Shelf
from nebula_lab.runtime.source_diff import most_compared, source_diff
from nebula_lab.runtime.workers import Workers
from nebula_lab.trust.contents import PluginFiles
from nebula_lab.trust.history import StoredVersion, VersionHistory
from nebula_lab.trust.store import ContentStore

_SHORTEST_DIGEST = 4  # characters that name a version by its digest


class Archive:
    """Knows which versions of a plugin have come up, and has their files.

    Args:
        store: has them.
        shelf: says what was read for a descriptor.
        workers: write it down.
    """

    def __init__(self, store: ContentStore, shelf: Shelf, workers: Workers) -> None:
        self._store = store
        self._shelf = shelf
        self._workers = workers
        self._noting = threading.Lock()
        self._came_up: deque[PluginDescriptor] = deque()
        self._history = VersionHistory(store)

    def note_soon(self, descriptor: PluginDescriptor) -> None:
        """A plugin came up with the files that were read from disk for its descriptor.

        It is written by a worker, and in the order in which this is called.
        """
        self._came_up.append(descriptor)
        self._workers.start_unattended(self._note_all)

    def _note_all(self) -> None:
        with self._noting:
            while self._came_up:
                self._note(self._came_up.popleft())

    def _note(self, descriptor: PluginDescriptor) -> None:
        read = self._shelf.known(descriptor)
        if read is None:
            return
        digest = read.lease.files.digest
        version = StoredVersion(time.time(), str(descriptor.version), digest, read.description)
        self._history.note(descriptor.id, descriptor.path, version)

    def versions(self, descriptor: PluginDescriptor) -> tuple[StoredVersion, ...]:
        """Those that are still in the store, the one that was saved last first."""
        return self._history.versions(descriptor.id, descriptor.path)

    def digest(self, descriptor: PluginDescriptor) -> str | None:
        """Of the files that were read for a descriptor; None if none were."""
        read = self._shelf.known(descriptor)
        return None if read is None else read.lease.files.digest

    def find(self, descriptor: PluginDescriptor, wanted: str | None) -> StoredVersion:
        """The version to go back to.

        Args:
            descriptor: the plugin as it is now.
            wanted: a version, or the beginning of a digest; None for the one before this.

        Raises:
            VersionNotFoundError: there is none such.
        """
        versions = self.versions(descriptor)
        if wanted is None:
            return self._before(descriptor, versions)
        for one in versions:
            is_digest = len(wanted) >= _SHORTEST_DIGEST and one.digest.startswith(wanted)
            if one.version == wanted or is_digest:
                return one
        raise VersionNotFoundError(
            descriptor.id,
            f"no version {wanted} of it is in the content store",
            hint=_listed(descriptor.id, versions),
        )

    def _before(
        self, descriptor: PluginDescriptor, versions: tuple[StoredVersion, ...]
    ) -> StoredVersion:
        digests = [one.digest for one in versions]
        current = self.digest(descriptor)
        earlier = versions[digests.index(current) + 1 :] if current in digests else versions
        if earlier:
            return earlier[0]
        raise VersionNotFoundError(
            descriptor.id,
            "there is no version before this one in the content store",
            hint=_listed(descriptor.id, versions),
        )

    def recall(self, version: StoredVersion, current: PluginDescriptor) -> PluginDescriptor:
        """A descriptor for an earlier version, whose files are what is to run for it.

        Raises:
            StoreError: they can't be had, or not as they were.
            SignatureError: they are not signed as the configuration asks now.
            PluginError: its description can't be read.
        """
        collected = collected_again(self._store, version, current)
        descriptor = described_again(self._store, collected, current)
        self._shelf.put(descriptor, collected)
        return descriptor

    def diff(self, served: PluginDescriptor, failed: PluginDescriptor | None) -> str:
        """What is different in a plugin that did not come up from what serves, as a unified diff.

        Args:
            served: the plugin that serves.
            failed: the other one; None, or one that was not read, for what is on disk.

        Returns:
            The diff, bounded; "" where there is nothing to compare or nothing different.
        """
        old = self._shelf.known(served)
        if old is None:
            return ""
        new = None if failed is None else self._shelf.known(failed)
        before = self._contents(old.lease.files)
        if new is not None:
            return source_diff(before, self._contents(new.lease.files))
        return source_diff(before, _on_disk(old.lease.files, served.path.absolute().parent))

    def _contents(self, files: PluginFiles) -> Mapping[str, bytes]:
        found = {}
        for file in files.files:
            if file.size <= most_compared(file.path):
                try:
                    found[file.path] = self._store.read(file)
                except (StoreError, OSError):
                    continue  # only to be looked at
        return found


def _on_disk(files: PluginFiles, folder: Path) -> Mapping[str, bytes]:
    found = {}
    for file in files.files:
        path = folder / file.path
        try:
            size = os.path.getsize(path) if path.is_file() else None  # noqa: PTH202
            if size is not None and size <= most_compared(file.path):
                found[file.path] = path.read_bytes()
        except OSError:
            continue
    return found


def _listed(plugin_id: str, versions: tuple[StoredVersion, ...]) -> str:
    if not versions:
        return "A version is kept there once it has come up."
    known = ", ".join(f"{one.version} ({one.short_digest})" for one in versions[:5])
    return f"There are {known}: %plugin history {plugin_id}"
