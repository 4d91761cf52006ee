"""What a protected registry says at one moment, checked."""

from __future__ import annotations

import re

from tuf.api.exceptions import (
    DownloadError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.ngclient import Updater

from nebula_lab.errors import RegistryDownError, RegistryError, RegistryTrustError
from nebula_lab.registry.client.cache import cache_errors
from nebula_lab.registry.format.paths import INDEX, plugin_path
from nebula_lab.registry.protection.continuity import check_offer, offered_versions
from nebula_lab.registry.protection.explaining import explained
from nebula_lab.registry.protection.memory import RegistryMemory
from nebula_lab.registry.protection.places import signed_copy
from nebula_lab.registry.protection.transport import METADATA, Transport, TransportFetcher
from nebula_lab.trust import locks

__all__ = ["ProtectedSession", "open_session"]

_PLUGIN = re.compile(r"plugins/(?P<id>[^/]+)\.json")


class ProtectedSession:
    """The documents of a registry as they were signed together. Any thread may read.

    Args:
        memory: what is known of the registry.
        updater: has checked what is signed.
        transport: brings documents.
        problem: why the registry could not be asked and what was known before stands for it; None
            where it was asked.
    """

    def __init__(
        self,
        memory: RegistryMemory,
        updater: Updater,
        transport: Transport,
        problem: RegistryError | None = None,
    ) -> None:
        self.problem = problem
        self._memory = memory
        self._updater = updater
        self._transport = transport

    def read(self, path: str) -> bytes | None:
        """A document: the index, or what is said of a plugin.

        Returns:
            Its content, which is what was signed; None where none was.

        Raises:
            RegistryTrustError: the registry has another file there; or a version of the plugin has
                vanished without having been yanked, or has other files than it had.
            RegistryError: the registry can't be asked.
        """
        with cache_errors(self._memory.folder):
            content = self._checked(path)
            if path == INDEX:
                self._look_for_missing()
            if found := _PLUGIN.fullmatch(path):
                self._compare(found["id"], path, content)
        return content

    def _look_for_missing(self) -> None:
        """Compare the plugins that are not there any more: nobody would ask for them."""
        for plugin_id in self._memory.seen_plugins():
            path = plugin_path(plugin_id)
            with explained(self._memory.url):
                is_there = self._updater.get_targetinfo(path) is not None
            if not is_there:
                self._compare(plugin_id, path, None)

    def _checked(self, path: str) -> bytes | None:
        with explained(self._memory.url):
            target = self._updater.get_targetinfo(path)
            if target is None:
                return None
            kept = self._memory.document(path)
            if kept is not None:
                try:
                    target.verify_length_and_hashes(kept)
                    return kept
                except RepositoryError:
                    pass  # there is a newer one
            copy = signed_copy(path, target.hashes["sha256"])
            content = TransportFetcher(self._transport).download_bytes(copy, target.length)
            target.verify_length_and_hashes(content)
        self._memory.keep_document(path, content)
        return content

    def _compare(self, plugin_id: str, path: str, content: bytes | None) -> None:
        before, after = self._memory.seen(plugin_id), offered_versions(content, path)
        check_offer(
            plugin_id,
            before,
            after,
            path=self._memory.url,
            hint="Ask whoever keeps the registry why; what is installed here stays as it is.",
        )
        if before != after:
            self._memory.remember(plugin_id, after)


def open_session(
    memory: RegistryMemory, transport: Transport, root: bytes | None = None
) -> ProtectedSession:
    """Ask a registry what it says now; without an answer, what it said holds until it expires.

    Args:
        memory: what is known of the registry.
        transport: brings its files.
        root: the root to trust; without, the one that is remembered.

    Raises:
        RegistryTrustError: what it says is not signed by trusted keys, has expired or is older
            than what it said before; or nothing is trusted.
        RegistryError: it can't be asked, and nothing is known from before.
        StoreError: another process has held the registry's lock for too long.
    """
    trusted = root or memory.root
    if trusted is None:
        raise RegistryTrustError(
            "no keys are trusted for this registry",
            path=memory.url,
            hint=f"`nebula-lab registry trust {memory.url}` shows them.",
        )
    with cache_errors(memory.folder), explained(memory.url):
        try:
            updater = _updated(memory, transport, trusted)
        except DownloadError as error:
            if not isinstance(error.__cause__, RegistryDownError):
                raise
            problem = error.__cause__
        else:
            memory.note_asked()
            return ProtectedSession(memory, updater, transport)
        return _as_known(memory, transport, trusted, problem)


def _as_known(
    memory: RegistryMemory, transport: Transport, root: bytes, problem: RegistryError
) -> ProtectedSession:
    """What the registry said last, if it still holds; else `problem` is raised."""
    known = _Known(memory)
    if known(f"{METADATA}timestamp.json", 0) is None:
        raise problem
    try:
        updater = _updated(memory, known, root)
    except ExpiredMetadataError as error:
        raise RegistryTrustError(
            f"{problem.message}, and what it said before has expired",
            path=memory.url,
            hint=problem.hint,
        ) from error
    except (RepositoryError, DownloadError):
        raise problem from None  # what is kept has been damaged
    return ProtectedSession(memory, updater, transport, problem)


def _updated(memory: RegistryMemory, transport: Transport, root: bytes) -> Updater:
    memory.metadata.mkdir(mode=0o700, parents=True, exist_ok=True)
    # An updater writes what it has checked, and counts on nobody else to do so at the same time.
    with locks.exclusive(memory.lock_file, f"what is known of {memory.url}"):
        updater = Updater(
            str(memory.metadata), METADATA, fetcher=TransportFetcher(transport), bootstrap=root
        )
        updater.refresh()
    return updater


class _Known:
    """Stands for a registry that can't be asked: it says what it said last."""

    def __init__(self, memory: RegistryMemory) -> None:
        self._memory = memory

    def __call__(self, path: str, most: int) -> bytes | None:
        try:
            return (self._memory.metadata / path.removeprefix(METADATA)).read_bytes()
        except FileNotFoundError:
            return None
