"""Tells plugins that one which they depend on has been reloaded."""

from __future__ import annotations

import logging
from functools import partial

from nebula_lab.errors import ManagerClosedError, PluginError
from nebula_lab.model import PluginConfig
from nebula_lab.model.version import Version
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import QuietSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.states import SavedState
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host

_log = logging.getLogger("nebula_lab")


class DependentNotifier:
    """Calls `on_dependency_reloaded` of those that declare the plugin as a dependency.

    They go on running as they are. Nobody waits for this: one that is busy is told between two
    calls, and one that fails at it is logged. One that comes up is told of what it can't know yet,
    or what was not known when its state was saved; once too often rather than not at all.
    """

    def __init__(
        self, config: PluginConfig, catalogue: Catalogue, hosting: Hosting, workers: Workers
    ) -> None:
        self._timeout = config.timeout
        self._catalogue = catalogue
        self._hosting = hosting
        self._workers = workers

    def notify(self, reloaded: PluginRecord, former: Version) -> None:
        """Tell every plugin that is up and needs the one that has been reloaded."""
        for record in self._catalogue:
            needs = {one.plugin_id for one in record.descriptor.dependencies}
            if reloaded.id in needs and record.state in SERVING:
                for host in record.slots.hosts:
                    self._notify_soon(record, host, reloaded, former)

    def catch_up(self, record: PluginRecord, hosted: Hosted, state: SavedState | None) -> None:
        """Tell a plugin that has just come up of what was reloaded meanwhile.

        Args:
            record: the plugin.
            hosted: where it is up, which has a place already: whatever is reloaded from now on, it
                is told of by `notify`.
            state: what it was given, if anything.
        """
        knows = hosted.began if state is None else min(hosted.began, state.at)
        for dependency in record.descriptor.dependencies:
            if dependency.plugin_id not in self._catalogue:
                continue
            other = self._catalogue.record(dependency.plugin_id)
            former = other.version_before(knows)
            if former is not None:
                self._notify_soon(record, hosted.host, other, former)

    def _notify_soon(
        self, record: PluginRecord, host: Host, reloaded: PluginRecord, former: Version
    ) -> None:
        params = {
            "plugin_id": reloaded.id,
            "version": str(reloaded.descriptor.version),
            "from_version": str(former),
        }
        self._workers.start_unattended(partial(self._notify, record, host, params))

    def _notify(self, record: PluginRecord, host: Host, params: dict[str, str]) -> None:
        errand = Invocation(record.id, "on_dependency_reloaded", self._timeout, QuietSink())
        try:
            with record.slots.place(errand, at=host):
                self._hosting.ask(host, "dependency_reloaded", params, errand)
        except (ManagerClosedError, TimeoutError):
            return
        except PluginError as error:
            if host not in record.slots.hosts:
                return  # whatever has taken its place is told by itself
            _log.warning("%s: its on_dependency_reloaded failed: %s", record.id, error)
