"""Installs plugins into a manager's folder, and has the manager take what is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nebula_lab.errors import DependentsLoadedError, PluginError
from nebula_lab.model import PluginConfig
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.plugin_search import PluginSearch, is_there
from nebula_lab.runtime.reload import Reloader
from nebula_lab.runtime.watching import FileWatch

if TYPE_CHECKING:
    from nebula_lab.registry.installing.install import Installation
    from nebula_lab.registry.installing.reports import (
        InstallReport,
        SearchReport,
        UninstallReport,
        Update,
    )


class Installer:
    """What a manager does with registries, beside finding plugins in one.

    Args:
        config: names them.
        catalogue: knows what is there.
        reloader: puts new versions in the place of what runs.
        lifecycle: ends what was removed.
        watching: is held while files change.
        dispatcher: tells what has come and gone.
        sink: shows how far downloads are.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        reloader: Reloader,
        lifecycle: Lifecycle,
        watching: FileWatch,
        dispatcher: Dispatcher,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._reloader = reloader
        self._lifecycle = lifecycle
        self._watching = watching
        self._search = PluginSearch(catalogue, dispatcher)
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

    def uninstall(self, ids: Sequence[str], cascade: bool) -> UninstallReport:
        """Remove what was installed; see `PluginManager.uninstall`."""
        from nebula_lab.registry.installing.removing import uninstall

        installation = self._installation(None, False)
        with self._watching.held():
            order = list(self._catalogue.registry.load_order)
            report = uninstall(installation, ids, cascade=cascade)
            gone = sorted((one.id for one in report.removals), key=_dependents_first(order))
            return replace(report, notes=(*report.notes, *self._take_out(gone)))

    def _take_out(self, ids: Sequence[str]) -> list[str]:
        """End what runs of plugins that are gone; what there is to say about that."""
        notes = []
        for plugin_id in ids:
            if plugin_id not in self._catalogue or is_there(self._catalogue.record(plugin_id)):
                continue  # somebody's own plugin has this id
            try:
                lost = self._lifecycle.withdraw(plugin_id)
            except DependentsLoadedError as error:
                notes.append(f"{plugin_id} goes on running: {error.message}")
                continue
            if lost is not None:
                notes.append(f"the state of {plugin_id} could not be kept: {lost.message}")
        self._search.search()
        return notes

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
        if self._search.search() is None:
            return ["the folder can't be looked through: see %plugin problems"]
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


def _dependents_first(order: Sequence[str]) -> Callable[[str], int]:
    place = {plugin_id: number for number, plugin_id in enumerate(order)}
    return lambda plugin_id: -place.get(plugin_id, -1)
