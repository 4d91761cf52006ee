"""What is to run: the files of plugins as they were read once, and not as they may be by now."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import SignatureError, StoreError
from nebula_lab.model import PluginDescriptor, SecurityConfig
from nebula_lab.runtime.locking import HeldToLock
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.comparing import compared_files
from nebula_lab.trust.contents import CollectedPlugin, PluginFiles
from nebula_lab.trust.store import ContentStore, Lease

if TYPE_CHECKING:
    from nebula_lab.trust.report import SignatureReport

_log = logging.getLogger("nebula_lab")
_DAY = 24 * 3600.0  # seconds
_MONTH = 30 * _DAY


class ReadPlugin(Struct, frozen=True):
    """A plugin as it was read once.

    Attributes:
        lease: its files, in the store.
        description: the file among them that describes it; None where another one does.
        signature: what was found of its signature; None where none was asked for.
    """

    lease: Lease
    description: str | None
    signature: SignatureReport | None

    @property
    def source(self) -> str:
        """The file or folder among its files that is the plugin itself."""
        return self.lease.files.source

    def require_as_described(self, folder: Path, descriptor: PluginDescriptor) -> None:
        """Hold a copy of its files to what was read before them.

        Raises:
            SignatureError: what is signed asks for other rights than the descriptor.
        """
        if self.signature is None or self.description is None:
            return
        # The rights were taken from the description when the plugin was found; the signature is
        # for what was read later.
        signed = read_descriptor(folder / self.description)
        if _decisive(signed) != _decisive(descriptor):
            raise SignatureError(
                "its description has changed since it was found, so that its rights may be others",
                report=self.signature,
                plugin_id=descriptor.id,
                path=descriptor.path,
                hint=f"Read it again: reload_plugin({descriptor.id!r}).",
            )


def _decisive(descriptor: PluginDescriptor) -> tuple[object, ...]:
    needs = [(one.plugin_id, one.version_req, one.optional) for one in descriptor.dependencies]
    return (
        descriptor.id,
        descriptor.version,
        descriptor.security,
        descriptor.runtime,
        descriptor.python,
        needs,
    )


class Shelf:
    """Reads a plugin's files into the content store and holds them there.

    The files go with the descriptor that they were read for: a host that takes the place of one
    that died runs what that one ran, whatever has become of the files meanwhile.

    Args:
        store: keeps them.
        security: says who must have signed them.
        held: allows the files that were locked, and no others; None allows all.
        collect: gives the files of a descriptor's plugin; from the disk, without.
    """

    def __init__(
        self,
        store: ContentStore,
        security: SecurityConfig,
        held: HeldToLock | None = None,
        *,
        collect: Callable[[PluginDescriptor], CollectedPlugin] = collect,
    ) -> None:
        self._held = held
        self._store = store
        self._collect = collect
        self._security = security
        self._reading = threading.Lock()
        self._read: dict[int, tuple[weakref.ref[PluginDescriptor], ReadPlugin]] = {}
        self._latest: dict[str, PluginFiles] = {}

    def read(self, descriptor: PluginDescriptor) -> ReadPlugin:
        """What was read for a descriptor; read and verified now if it has not been.

        Raises:
            StoreError: its files can't be read or kept.
            SignatureError: it is not signed as the configuration asks.
            ConfigError: a key or a file of keys in the configuration can't be read.
        """
        if (known := self.known(descriptor)) is not None:
            return known
        # With no lock held: files may come from far away, and other plugins are loaded meanwhile.
        collected = self._collect(descriptor)
        with self._reading:
            if (known := self.known(descriptor)) is not None:
                return known
            self._latest[descriptor.id] = (
                collected.files if self._security.verify_signature else compared_files(collected)
            )
            return self._keep(descriptor, collected)

    def materialize(self, read: ReadPlugin, descriptor: PluginDescriptor, folder: Path) -> None:
        """Copy what was read for a descriptor into an empty folder.

        What the store has lost meanwhile is taken from disk, if it is still the same there.

        Raises:
            StoreError: the files can't be had, or not as they were.
            SignatureError: what is signed asks for other rights than what was read before it.
        """
        try:
            read.lease.materialize(folder)
        except StoreError as error:
            if not Path(error.path or "").is_relative_to(self._store.root):
                raise  # not for want of the store
            collected = self._still_on_disk(read, descriptor, error)
            self._store.materialize_directly(collected, folder)
            self._keep_again(read, descriptor, collected)
        read.require_as_described(folder, descriptor)

    def _still_on_disk(
        self, read: ReadPlugin, descriptor: PluginDescriptor, lost: StoreError
    ) -> CollectedPlugin:
        root = self._store.root
        said = f"the content store {root} can't give its files ({lost.message}), and on disk"
        hint = f"Check the folder of the content store, {root}, and its disk."
        try:
            collected = self._collect(descriptor)
        except StoreError as error:
            message = f"{said} they can't be had either ({error.message})"
            raise StoreError(message, path=lost.path, hint=hint) from lost
        if collected.files.digest != read.lease.files.digest:
            raise StoreError(f"{said} there are others now", path=lost.path, hint=hint) from lost
        return collected

    def _keep_again(
        self, read: ReadPlugin, descriptor: PluginDescriptor, collected: CollectedPlugin
    ) -> None:
        """Put the files back into the store, if that can be used, and hold them there."""
        with self._reading, contextlib.suppress(StoreError):
            gone, known = self._read.get(id(descriptor), (None, None))
            if gone is not None and known is read:
                lease = self._store.lease(collected)
                kept = ReadPlugin(lease, read.description, read.signature)
                self._read[id(descriptor)] = (gone, kept)
                read.lease.release()

    def known(self, descriptor: PluginDescriptor) -> ReadPlugin | None:
        """What has been read for a descriptor; None if nothing has."""
        known = self._read.get(id(descriptor))
        return known[1] if known is not None and known[0]() is descriptor else None

    def put(self, descriptor: PluginDescriptor, collected: CollectedPlugin) -> None:
        """Have a descriptor's plugin be these files, and not what is on disk; as `read`."""
        with self._reading:
            self._keep(descriptor, collected)

    def _keep(self, descriptor: PluginDescriptor, collected: CollectedPlugin) -> ReadPlugin:
        """Verify a plugin's files and hold them for a descriptor."""
        if self._held is not None:
            self._held.require(collected)
        number = id(descriptor)
        found = self._verified(collected)
        gone = weakref.ref(descriptor, lambda _: self._release(number))
        self._read[number] = (gone, found)
        return found

    def _verified(self, collected: CollectedPlugin) -> ReadPlugin:
        signature = None
        if self._security.verify_signature:
            from nebula_lab.trust.policy import require

            signature = require(collected, self._security)
        return ReadPlugin(self._store.lease(collected), collected.description, signature)

    def last_read(self, plugin_id: str) -> PluginFiles | None:
        """The files of a plugin as they were last read, whether they came to be run or not.

        To be held against others: of a notebook that needs no signature, its code alone counts.
        """
        return self._latest.get(plugin_id)

    def renew(self, descriptor: PluginDescriptor) -> None:
        """Have the files of a descriptor read again when they are next wanted."""
        self._release(id(descriptor))

    def _release(self, number: int) -> None:
        # Also called by the collector, wherever it runs: nothing here may wait for a lock.
        known = self._read.pop(number, None)
        if known is not None:
            known[1].lease.release()

    def close(self) -> None:
        """Let all files go; once a day, what nobody has used for a month. Can be called again."""
        for number in list(self._read):
            self._release(number)
        self._tidy()

    def _tidy(self) -> None:
        note = self._store.root / "tidied"
        try:
            # One from the future was left by a clock that has been set back since.
            if self._store.root.is_dir() and not 0 <= _age_of(note) <= _DAY:
                note.touch()
                self._store.collect_garbage(older_than=_MONTH)
        except (OSError, StoreError) as error:
            _log.info("the content store was not tidied: %s", error)


def _age_of(file: Path) -> float:
    """Seconds since it was last touched; for ever where it is not there."""
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
