"""`RegistryClient`: one registry, for as long as one thing is done with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from nebula_lab.errors import RegistryAnswerError, RegistryError
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.model.release import Release
from nebula_lab.registry.client.address import RegistryAddress
from nebula_lab.registry.client.auth import authorization_for
from nebula_lab.registry.client.cache import RegistryCache
from nebula_lab.registry.client.documents import Documents, OpenDocuments
from nebula_lab.registry.client.fetching import Fetching, Progress
from nebula_lab.registry.client.patience import Patience
from nebula_lab.registry.client.requests import Requests
from nebula_lab.registry.client.searching import matching
from nebula_lab.registry.client.together import Tell, all_together
from nebula_lab.registry.format.coding import INDEX_LIMIT, PLUGIN_LIMIT, read_index, read_plugin
from nebula_lab.registry.format.documents import Entry, Index, PluginDocument, PublishedVersion
from nebula_lab.registry.format.paths import INDEX, plugin_path
from nebula_lab.registry.format.values import release_of
from nebula_lab.trust.contents import CollectedPlugin

__all__ = ["Progress", "RegistryClient"]

Result = TypeVar("Result")


class RegistryClient:
    """Asks one registry. Nothing is asked before it is needed. One thread at a time may use it.

    Args:
        registry: where it is, and with which secret it is asked.
        cache: the folder for what it says; that of the user without.
        patience: how long it may take.

    Raises:
        ConfigError: the registry's address or `auth` is wrong.
        RegistryRefusedError: there is no secret where `auth` says.
    """

    def __init__(
        self, registry: Registry, *, cache: Path | None = None, patience: Patience | None = None
    ) -> None:
        self._patience = patience or Patience()
        self._address = RegistryAddress.parse(registry.url, insecure=registry.insecure)
        self._secret = authorization_for(registry.auth, self._address)
        self._requests = Requests(self._address, self._secret, self._patience)
        self._cache = RegistryCache(self._address.url, cache)
        self._open = OpenDocuments(self._requests, self._cache, self._address.join, self._patience)
        self._documents = self._protected(registry.root) or self._open
        self._fetching = Fetching(self._address, self._requests, self._cache, self._patience)
        self._unusable: dict[str, tuple[RegistryAnswerError, ...]] = {}

    def _protected(self, root: Path | None) -> Documents | None:
        """The documents as they were signed, if anybody's keys are trusted for this registry."""
        # The memory is a light import; what checks signatures is not.
        from nebula_lab.registry.protection.memory import RegistryMemory, read_root

        memory = RegistryMemory(self._address.url)
        trusted = memory.root if root is None else read_root(root)
        if trusted is None:
            return None
        from nebula_lab.registry.protection.documents import ProtectedDocuments

        return ProtectedDocuments(memory, self._open.fetch, trusted)

    @property
    def place(self) -> str:
        """The address, for people; it has no secret in it."""
        return self._address.url

    @property
    def offline(self) -> str | None:
        """Why what was said before stands for the registry, in a sentence; None if it does not."""
        problem, since = self._documents.problem, self._documents.since
        if problem is None or since is None:
            return None
        return (
            f"{self.place}: {problem.message}; what it said on {since:%Y-%m-%d %H:%M} stands for it"
        )

    def unusable(self, plugin_id: str) -> tuple[RegistryAnswerError, ...]:
        """Why versions of a plugin were left out of its releases, after these were asked for."""
        return self._unusable.get(plugin_id, ())

    def has_unsigned(self, plugin_id: str) -> bool:
        """Whether a signed registry has a plugin of which nothing has been signed.

        For explanations: what it says of that plugin is read by nobody.
        """
        if self._documents is self._open:
            return False
        try:
            return self.read_file(plugin_path(plugin_id), PLUGIN_LIMIT) is not None
        except RegistryError:
            return False

    def index(self) -> Index:
        """Every plugin that the registry has.

        Raises:
            RegistryError: it can't be asked, or answers what is no index.
        """
        return self._guarded(self._index)

    def _index(self) -> Index:
        url = self._address.join(INDEX)
        hidden = self._secret.hidden_in_content
        index = self._documents.read(
            INDEX, INDEX_LIMIT, lambda content: read_index(hidden(content), url)
        )
        if index is None:
            raise RegistryAnswerError(
                "there is no index.json, so this is no registry",
                path=self.place,
                hint="Give the address of the folder that has it.",
            )
        return index

    def search(self, text: str = "") -> tuple[Entry, ...]:
        """The plugins that have every word of a text in what the index says; the best first."""
        return matching(self.index().plugins, text)

    def plugin(self, plugin_id: str) -> PluginDocument | None:
        """What the registry says of a plugin; None if it has no such plugin.

        Raises:
            RegistryError: it can't be asked, or its answer can't be used.
        """
        return self._guarded(lambda: self._plugin(plugin_id))

    def plugins(
        self, entries: Sequence[Entry], progress: Progress = lambda *_: None
    ) -> list[PluginDocument | None]:
        """What the registry says of plugins of its index; those that have changed are asked for.

        Args:
            entries: of the index.
            progress: is told on this thread how many it has been asked for.
        """
        asked = itertools.count(1)

        def one(entry: Entry, tell: Tell) -> PluginDocument | None:
            document = self._unchanged(entry) or self._plugin(entry.id)
            tell()
            return document

        def say() -> None:
            progress(f"what {self.place} has", next(asked), len(entries), "plugins")

        return self._guarded(
            lambda: all_together(one, entries, self._patience.at_once, self._requests, say)
        )

    def _plugin(self, plugin_id: str) -> PluginDocument | None:
        path = plugin_path(plugin_id)
        return self._documents.read(path, PLUGIN_LIMIT, partial(self._read_plugin, plugin_id))

    def _read_plugin(self, plugin_id: str, content: bytes) -> PluginDocument:
        place = self._address.join(plugin_path(plugin_id))
        return read_plugin(self._secret.hidden_in_content(content), plugin_id, place)

    def _unchanged(self, entry: Entry) -> PluginDocument | None:
        if entry.document is None:
            return None
        path = plugin_path(entry.id)
        parse = partial(self._read_plugin, entry.id)
        return self._documents.known(path, entry.document.sha256, parse)

    def releases(self, plugin_id: str) -> tuple[Release, ...]:
        """The versions of a plugin that can be chosen from, yanked ones among them.

        Raises:
            RegistryError: the registry can't be asked, or its answer can't be used.
        """
        document = self.plugin(plugin_id)
        return () if document is None else self.releases_in(document)

    def releases_in(self, document: PluginDocument) -> tuple[Release, ...]:
        """The versions of a plugin that can be chosen from, by what the registry has said."""
        found, left_out = [], []
        for version in document.versions:
            try:
                found.append(release_of(document.id, version, self.place))
            except RegistryAnswerError as error:
                left_out.append(error)
        self._unusable[document.id] = tuple(left_out)
        return tuple(found)

    def download(
        self,
        wanted: Sequence[tuple[str, PublishedVersion]],
        progress: Progress = lambda *_: None,
    ) -> None:
        """Have the archives of versions in the cache; `opened` takes them from there.

        Args:
            wanted: ids, and versions of these.
            progress: is told on this thread how far each has come.

        Raises:
            ArchiveError: an archive is not what was promised.
            RegistryError: one can't be had or kept.
        """

        self._guarded(lambda: self._fetching.download(wanted, progress))

    def opened(self, plugin_id: str, version: PublishedVersion, folder: Path) -> CollectedPlugin:
        """The files of a version, checked, in memory: one at a time, as they may be large.

        Args:
            plugin_id: the plugin.
            version: its version; its archive is fetched now if it is not in the cache.
            folder: where the files will be, for messages.

        Raises:
            ArchiveError: its archive is not what was promised, or is a trap.
            RegistryError: it can't be had or kept.
        """
        return self._guarded(lambda: self._fetching.opened(plugin_id, version, folder))

    def fetch(
        self,
        wanted: Sequence[tuple[str, PublishedVersion]],
        folder: Path,
        progress: Progress = lambda *_: None,
    ) -> list[CollectedPlugin]:
        """The files of a few versions, all in memory; as `download` and `opened`."""
        self.download(wanted, progress)
        return [self.opened(plugin_id, version, folder) for plugin_id, version in wanted]

    def read_file(self, path: str, most: int) -> bytes | None:
        """The content of a file of the registry, asked for anew; None where there is none.

        Args:
            path: relative to the registry.
            most: bytes; a longer answer is an error.

        Raises:
            RegistryError: the registry can't be asked.
        """
        return self._guarded(lambda: self._open.fetch(path, most))

    def _guarded(self, act: Callable[[], Result]) -> Result:
        """Keep what a registry says of the secret that it was given out of errors."""
        try:
            return act()
        except RegistryError as error:
            error.message = self._secret.hidden_in(error.message)
            error.args = (error.message,)
            if isinstance(error.path, str):
                error.path = self._secret.hidden_in(error.path)
            if self._secret:
                raise error from None  # what lies behind it may quote the registry too
            raise

    def close(self) -> None:
        """Let connections go."""
        self._cache.tidy()
        self._requests.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RegistryClient of {self.place}>"
