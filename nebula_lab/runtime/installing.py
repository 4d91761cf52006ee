"""Installs plugins into a manager's folder, and has the manager take what is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nebula_lab.errors import DiscoveryError, PluginError
from nebula_lab.model import PluginConfig
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.reload import Reloader
from nebula_lab.runtime.watching import FileWatch

if TYPE_CHECKING:
    from nebula_lab.registry.installing.install import Installation
    from nebula_lab.registry.installing.reports import InstallReport, SearchReport, Update


class Installer:
    """What a manager does with registries, beside finding plugins in one.

    Args:
        config: names them.
        catalogue: knows what is there.
        reloader: puts new versions in the place of what runs.
        watching: is held while files change.
        sink: shows how far downloads are.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        reloader: Reloader,
        watching: FileWatch,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._reloader = reloader
        self._watching = watching
        self._sink = sink

    def install(self, words: Sequence[str], registry: str | None, aside: bool) -> InstallReport:
        """Install what the words ask for; see `PluginManager.install`."""
        from nebula_lab.registry.installing.wanted import read_wanted

        wanted = [read_wanted(word) for word in words]
        return self._taken_in(lambda one: one.install(wanted), registry, aside)

    def update(self, ids: Sequence[str], registry: str | None, aside: bool) -> InstallReport:
        """Bring what is installed up to date; see `PluginManager.update`."""
        from nebula_lab.registry.installing.updating import update

        return self._taken_in(lambda one: update(one, ids), registry, aside)

    def updates(self, ids: Sequence[str], registry: str | None) -> tuple[Update, ...]:
        """What there is to update to."""
        from nebula_lab.registry.installing.updating import updates

        return updates(self._installation(registry, False), ids)

    def search(self, text: str, registry: str | None) -> SearchReport:
        """What registries have."""
        from nebula_lab.registry.installing.configured import registries_of
        from nebula_lab.registry.installing.sources import Sources

        with Sources(registries_of(self._config, registry)) as sources:
            return sources.search(text)

    def _installation(self, registry: str | None, aside: bool) -> Installation:
        from nebula_lab.registry.installing.configured import installation_of

        return installation_of(
            self._config, registry=registry, replace=aside, progress=self._sink().progress
        )

    def _taken_in(
        self, act: Callable[[Installation], InstallReport], registry: str | None, aside: bool
    ) -> InstallReport:
        installation = self._installation(registry, aside)
        with self._watching.held():
            report = act(installation)
            return replace(report, notes=(*report.notes, *self._take_in(report)))

    def _take_in(self, report: InstallReport) -> list[str]:
        """Find what is new, and reload what runs; what there is to say about that."""
        if not report.arrivals:
            return []
        running = [
            one for one in report.arrivals if one.id in self._catalogue and self._runs(one.id)
        ]
        try:
            self._catalogue.discover()
        except DiscoveryError as error:
            return [error.message]
        order = self._catalogue.registry.load_order
        notes = []
        for one in sorted(running, key=lambda one: order.index(one.id) if one.id in order else -1):
            try:
                self._reloader.reload(one.id)
            except PluginError as error:
                said = error.message.partition("\n")[0]
                notes.append(
                    f"{one.id} {one.version} is installed, but does not come up: {said}; "
                    f"what ran before goes on"
                )
        return notes

    def _runs(self, plugin_id: str) -> bool:
        return self._catalogue.record(plugin_id).is_up
