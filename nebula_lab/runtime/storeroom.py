"""Versions of plugins that are in the content store and no longer in the plugin folder.

A pin, or a lock file that is held to, may name a version that came up once and has been replaced
since. The store still has its files, so it is one more version to choose.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nebula_lab.discovery import DiscoveryResult, read_descriptor
from nebula_lab.errors import PluginError, StoreError
from nebula_lab.model import PluginDescriptor, Version, VersionReq
from nebula_lab.model.lock import LockedPlugin
from nebula_lab.model.release import Origin, Release
from nebula_lab.runtime.earlier import moved
from nebula_lab.trust.contents import CollectedPlugin, PluginFiles
from nebula_lab.trust.history import VersionHistory
from nebula_lab.trust.store import ContentStore

__all__ = ["Storeroom"]

_PLACE = "the content store"


class _Stored(Struct, frozen=True):
    """One version that the store has.

    Attributes:
        descriptor: what it says of itself; its path is that of a copy, for tracebacks to lead to.
        files: its files.
        description: the file among them that describes it.
    """

    descriptor: PluginDescriptor
    files: PluginFiles
    description: str


class Storeroom:
    """Finds versions in the content store, and gives their files. Any thread.

    Args:
        store: has them.
    """

    def __init__(self, store: ContentStore) -> None:
        self._store = store
        self._history = VersionHistory(store)
        self._known: dict[str, _Stored | None] = {}  # by digest

    def offered(
        self,
        found: DiscoveryResult,
        pins: Mapping[str, VersionReq],
        locked: Iterable[LockedPlugin] = (),
    ) -> DiscoveryResult:
        """What was found, with what pins and a lock name and the store alone has.

        Args:
            found: the versions that there are.
            pins: where no version that was found fits one, those of the store that do are added.
            locked: where a version was not found, that of the store is added if it has the
                locked files.
        """
        here: dict[str, list[PluginDescriptor]] = {}
        for descriptor in (*found.descriptors, *found.others):
            here.setdefault(descriptor.id, []).append(descriptor)
        added: dict[tuple[str, str], _Stored] = {}
        for stored in (*self._pinned(pins, here), *self._locked(locked, here)):
            added.setdefault((stored.descriptor.id, str(stored.descriptor.version)), stored)
        if not added:
            return found
        releases = {key: _release_of(one) for key, one in added.items()}
        return replace(
            found,
            others=(*found.others, *(one.descriptor for one in added.values())),
            elsewhere={**found.elsewhere, **releases},
        )

    def collect(self, descriptor: PluginDescriptor) -> CollectedPlugin | None:
        """The files of a version that was offered; None for any other plugin.

        Raises:
            StoreError: the store has lost them since, or they are not what they were.
        """
        for stored in self._known.values():
            if stored is not None and stored.descriptor.path == descriptor.path:
                return CollectedPlugin(
                    descriptor.id,
                    str(descriptor.version),
                    descriptor.path.parent,
                    stored.files,
                    {file.path: self._store.read(file) for file in stored.files.files},
                    stored.description,
                )
        return None

    def _pinned(
        self, pins: Mapping[str, VersionReq], here: Mapping[str, list[PluginDescriptor]]
    ) -> Iterator[_Stored]:
        for plugin_id, pin in pins.items():
            known = here.get(plugin_id, [])
            if any(pin.matches(one.version) for one in known):
                continue
            for folder in dict.fromkeys(one.path.absolute().parent for one in known):
                for version in self._history.versions(plugin_id, folder):
                    if not _fits(pin, version.version):
                        continue
                    stored = self._stored(version.digest)
                    if stored is not None and stored.descriptor.id == plugin_id:
                        yield stored

    def _locked(
        self, locked: Iterable[LockedPlugin], here: Mapping[str, list[PluginDescriptor]]
    ) -> Iterator[_Stored]:
        for one in locked:
            if one.version in {str(known.version) for known in here.get(one.id, [])}:
                continue  # another one of that version is a difference, which is told
            stored = self._stored(one.digest)
            descriptor = None if stored is None else stored.descriptor
            if descriptor is not None and (descriptor.id, str(descriptor.version)) == (
                one.id,
                one.version,
            ):
                assert stored is not None
                yield stored

    def _stored(self, digest: str) -> _Stored | None:
        """What the store has under a digest; None if nothing that can be used."""
        if digest not in self._known:
            try:
                self._known[digest] = self._read(digest)
            except (PluginError, OSError):
                self._known[digest] = None
        return self._known[digest]

    def _read(self, digest: str) -> _Stored:
        """Read a description out of the store's own copy, never out of one on its way."""
        files = self._store.tree(digest)
        folder = self._store.root.parent / "unpacked" / "store" / digest
        with tempfile.TemporaryDirectory(prefix="nebula-stored-") as name:
            there = Path(name)
            self._store.materialize(files, there)
            found = read_descriptor(there / files.source)
            if found.declared_in is None:
                raise StoreError("is not described by its own files", path=folder)
            description = found.declared_in.path.relative_to(there).as_posix()
            descriptor = moved(found, there, folder)
        self._lay_out(files, folder)
        return _Stored(descriptor, files, description)

    def _lay_out(self, files: PluginFiles, folder: Path) -> None:
        """Have a copy where the descriptor says that the files are."""
        if folder.is_dir():
            os.utime(folder)  # what nobody has used for a month is removed
            return
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=folder.parent) as name:
            copy = Path(name) / "copy"
            self._store.materialize(files, copy)
            try:
                copy.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was quicker
                    raise


def _fits(pin: VersionReq, text: str) -> bool:
    try:
        return pin.matches(Version.parse(text))
    except ValueError:
        return False


def _release_of(stored: _Stored) -> Release:
    descriptor = stored.descriptor
    return Release(
        id=descriptor.id,
        version=descriptor.version,
        dependencies=descriptor.dependencies,
        min_nebula_version=descriptor.metadata.min_nebula_version,
        max_nebula_version=descriptor.metadata.max_nebula_version,
        api_version=descriptor.runtime.api_version,
        origin=Origin.STORE,
        place=_PLACE,
        digest=stored.files.digest,
    )
