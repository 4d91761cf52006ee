"""Archives of several versions at once, and what is in one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BufferedReader
from pathlib import Path

from nebula_lab.registry.archives.opening import open_archive
from nebula_lab.registry.client.address import RegistryAddress
from nebula_lab.registry.client.cache import RegistryCache, cache_errors
from nebula_lab.registry.client.downloads import Downloads
from nebula_lab.registry.client.patience import Patience
from nebula_lab.registry.client.requests import Requests
from nebula_lab.registry.client.together import Tell, all_together
from nebula_lab.registry.format.documents import PublishedVersion
from nebula_lab.trust.contents import CollectedPlugin

__all__ = ["Fetching", "Progress"]

# A label, how much is done, how much there is, and in which unit; as an `OutputSink` takes it.
Progress = Callable[[str, float, float, str], object]
_MEGABYTE = 1e6


class Fetching:
    """Has archives of one registry in the cache, and opens them from there.

    Args:
        address: the registry.
        requests: asks it.
        cache: gets them.
        patience: how long they may take.
    """

    def __init__(
        self,
        address: RegistryAddress,
        requests: Requests,
        cache: RegistryCache,
        patience: Patience,
    ) -> None:
        self._requests = requests
        self._cache = cache
        self._patience = patience
        self._downloads = Downloads(address, requests, cache, patience)

    def download(self, wanted: Sequence[tuple[str, PublishedVersion]], progress: Progress) -> None:
        """Have archives in the cache; see `RegistryClient.download`."""

        def one(pair: tuple[str, PublishedVersion], tell: Tell) -> Path:
            plugin_id, version = pair
            label = f"{plugin_id} {version.version}"

            def report(done: int, total: int) -> None:
                tell(label, round(done / _MEGABYTE, 2), round(total / _MEGABYTE, 2), "MB")

            return self._downloads.fetch(version.archive, report)

        all_together(one, wanted, self._patience.at_once, self._requests, progress)

    def opened(self, plugin_id: str, version: PublishedVersion, folder: Path) -> CollectedPlugin:
        """What is in one of them; see `RegistryClient.opened`."""
        try:
            file = self._cache.archive(version.archive.sha256).open("rb")
        except OSError:
            file = self._fetched(version)
        with file:
            return open_archive(file, plugin_id, version, folder)

    def _fetched(self, version: PublishedVersion) -> BufferedReader:
        place = self._downloads.fetch(version.archive, lambda *_: None)
        with cache_errors(place):
            return place.open("rb")
