"""The registries that plugins may come from, as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct

from nebula_lab.errors import InstallError, RegistryAnswerError
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.model.release import Release
from nebula_lab.registry.client.client import RegistryClient
from nebula_lab.registry.format.documents import PluginDocument, PublishedVersion
from nebula_lab.registry.installing.reports import Found, SearchReport

__all__ = ["Offer", "Sources"]


class Offer(Struct, frozen=True):
    """What a registry has of one plugin."""

    client: RegistryClient
    document: PluginDocument


class Sources:
    """Asks registries in their order: all versions of a plugin are of the first that has it.

    So nobody can put a newer version of a plugin of yours into a registry that is asked after it.

    Args:
        registries: where to ask.
        homes: the address of the one registry to ask, for plugins that came from one; by id.

    Raises:
        InstallError: there are none.
    """

    def __init__(
        self, registries: Sequence[Registry], homes: Mapping[str, str] | None = None
    ) -> None:
        if not registries:
            raise InstallError(
                "no registry is known to install from",
                hint="Write registries: [{url: https://…}] into the configuration, or say "
                "--registry URL.",
            )
        self._registries = registries
        self._homes = homes or {}
        self._clients: list[RegistryClient] = []
        self._offers: dict[str, Offer | None] = {}

    @property
    def clients(self) -> list[RegistryClient]:
        """One for each registry, in their order."""
        while len(self._clients) < len(self._registries):
            self._clients.append(RegistryClient(self._registries[len(self._clients)]))
        return self._clients

    @property
    def places(self) -> str:
        """Their addresses, for people."""
        return ", ".join(client.place for client in self.clients)

    def offline(self) -> list[str]:
        """What there is to say of registries that do not answer."""
        return [said for client in self._clients if (said := client.offline)]

    def find(self, plugin_id: str) -> Offer | None:
        """The registry that has a plugin, asked once; None if none has.

        Raises:
            RegistryError: one can't be asked, so that it is not known whether it has it.
        """
        if plugin_id not in self._offers:
            self._offers[plugin_id] = next(self._offered(plugin_id), None)
        return self._offers[plugin_id]

    def _offered(self, plugin_id: str) -> Iterator[Offer]:
        home = self._homes.get(plugin_id)
        for client in self.clients:
            if home is not None and client.place != home:
                continue
            document = client.plugin(plugin_id)
            if document is not None:
                yield Offer(client, document)

    def releases(self, plugin_id: str) -> tuple[Release, ...]:
        """The versions of a plugin that can be had; none for one that no registry has."""
        offer = self.find(plugin_id)
        return () if offer is None else offer.client.releases_in(offer.document)

    def unusable(self, plugin_id: str) -> tuple[RegistryAnswerError, ...]:
        """Why versions that the registry has of a plugin are not among its releases."""
        offer = self.find(plugin_id)
        if offer is None:
            return ()
        offer.client.releases_in(offer.document)
        return offer.client.unusable(plugin_id)

    def client_of(self, release: Release) -> RegistryClient:
        """The client of the registry that a release is of."""
        offer = self.find(release.id)
        assert offer is not None, "it was given"
        return offer.client

    def published(self, release: Release) -> PublishedVersion:
        """What is said of a release that was given."""
        offer = self.find(release.id)
        assert offer is not None
        return next(one for one in offer.document.versions if one.tree == release.digest)

    def names(self) -> list[str]:
        """The ids of all plugins that can be had.

        Raises:
            RegistryError: one of the registries can't be asked, or is none.
        """
        return [one.id for client in self.clients for one in client.index().plugins]

    def search(self, text: str) -> SearchReport:
        """The plugins that have every word of a text; of one in two registries, the one to be had.

        Raises:
            RegistryError: one of them can't be asked.
        """
        found: dict[str, Found] = {}
        for client in self.clients:
            for one in client.search(text):
                found.setdefault(
                    one.id,
                    Found(one.id, one.latest, one.name, one.description, one.tags, client.place),
                )
        return SearchReport(tuple(found.values()), tuple(self.offline()))

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
