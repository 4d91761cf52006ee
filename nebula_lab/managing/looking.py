"""What can be learnt of plugins without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.managing.life import ManagerLife, seconds
from nebula_lab.model import PluginDescriptor, PluginInfo
from nebula_lab.model.events import CallsCounted, Event
from nebula_lab.model.info import PluginListing
from nebula_lab.model.problem import ProblemList
from nebula_lab.runtime.log_ring import LogLine, LogListing

if TYPE_CHECKING:
    import networkx as nx

    from nebula_lab.metrics import MetricsSnapshot, PluginMetrics, Timeline
    from nebula_lab.model.policy import EffectivePolicy
    from nebula_lab.plugin import HealthStatus
    from nebula_lab.runtime.reasons import VersionReasons


class Looking(ManagerLife):
    """Lists, graphs, measurements, logs, health, events."""

    def policy(self, plugin_id: str) -> EffectivePolicy:
        """What a plugin may do, how much it may use, and what enforces it on this machine.

        Raises:
            NotFoundError: there is no such plugin.
            ConfigError: what this machine can enforce could not be found out.
        """
        return self._engine.hosting.policy(self.descriptor(plugin_id))

    @property
    def problems(self) -> ProblemList:
        """Each plugin that was left out, and why; then notes on the others."""
        return ProblemList(self._ground.problems)

    @property
    def graph(self) -> nx.DiGraph[str]:
        """Plugins and their dependencies, as declared; an edge leads to what is needed."""
        return self._ground.catalogue.registry.graph

    @property
    def load_order(self) -> list[str]:
        """Ids of the plugins that can be loaded, dependencies first."""
        return self._ground.catalogue.registry.load_order

    def list_plugins(self) -> PluginListing:
        """Every plugin that was found, by id: a list, which a notebook shows as a table."""
        return PluginListing(sorted(self._ground.catalogue.infos(), key=lambda info: info.id))

    def plugin_info(self, plugin_id: str) -> PluginInfo:
        """One row of `list_plugins()`.

        Raises:
            NotFoundError: there is no such plugin.
        """
        return self._ground.catalogue.info(self._ground.catalogue.record(plugin_id))

    def descriptor(self, plugin_id: str) -> PluginDescriptor:
        """What is known of a plugin without running it.

        Raises:
            NotFoundError: there is no such plugin.
        """
        return self._ground.catalogue.record(plugin_id).descriptor

    def version_reasons(self, plugin_id: str) -> VersionReasons:
        """Why a plugin is there in its version: who asks for it, what speaks against newer ones.

        Raises:
            NotFoundError: there is no such plugin.
        """
        return self._ground.catalogue.version_reasons(plugin_id)

    def dependents(self, plugin_id: str) -> tuple[str, ...]:
        """All that depend on a plugin, also by way of others, in the order to unload them."""
        return self._ground.catalogue.registry.dependents(plugin_id)

    def logs(self, plugin_id: str) -> LogListing:
        """The last lines that a plugin printed and logged, oldest first."""
        return LogListing(plugin_id, self._ground.catalogue.record(plugin_id).lines())

    def logs_after(self, plugin_id: str, count: int) -> tuple[int, list[LogLine]]:
        """What a plugin has written since it had written so many lines in all.

        Returns:
            How many it has written now, and those of the new ones that are still kept.
        """
        return self._ground.catalogue.record(plugin_id).log.after(count)

    def connection_file(self, plugin_id: str) -> Path | None:
        """For a Jupyter front end to attach to a plugin's kernel; None where there is none."""
        hosts = self._ground.catalogue.record(plugin_id).slots.hosts
        return hosts[0].connection_file if hosts else None

    def metrics(self) -> MetricsSnapshot:
        """Counts and durations, in total and for each plugin."""
        return self._engine.meter.snapshot()

    def timeline(self) -> Timeline:
        """What happened to plugins, and how much memory they had: the newest of it."""
        return self._ground.chronicle.timeline()

    def plugin_metrics(self, plugin_id: str, *, usage: bool = True) -> PluginMetrics:
        """The same for one plugin.

        Args:
            plugin_id: the plugin.
            usage: look also at what its processes use, which takes longer than all else.

        Raises:
            NotFoundError: there is no such plugin.
        """
        return self._engine.meter.measured(self._ground.catalogue.record(plugin_id), usage=usage)

    def plugin_health(self, plugin_id: str, *, timeout: float = 5.0) -> HealthStatus:
        """Ask a plugin how it is; one that is not running, or does not say, is not healthy.

        Raises:
            NotFoundError: there is no such plugin.
        """
        self._check_open()
        record = self._ground.catalogue.record(plugin_id)
        from nebula_lab.runtime.health import ask_health

        return ask_health(record, self._engine.hosting, self.output, seconds(timeout))

    def health_if_idle(self, plugin_id: str, *, timeout: float = 5.0) -> HealthStatus | None:
        """The same where the plugin has time for it, and None where not; shows no output.

        For whoever asks again and again, and must neither wait for calls nor hold them up.

        Raises:
            NotFoundError: there is no such plugin.
        """
        self._check_open()
        record = self._ground.catalogue.record(plugin_id)
        from nebula_lab.runtime.health import ask_if_idle

        return ask_if_idle(record, self._engine.hosting, seconds(timeout))

    def subscribe(
        self, callback: Callable[[Event], object], only: Iterable[type[Event]] = (Event,)
    ) -> Callable[[], None]:
        """Be told of every event, or of those of some kinds; gives the function that ends it.

        The callback runs on one thread with all others, with no lock of the manager's held.

        Args:
            callback: is given each event.
            only: the types of events that it wants.
        """
        unsubscribe = self._ground.dispatcher.subscribe(callback, tuple(only))
        if self._ground.dispatcher.wants(CallsCounted):
            self._engine.meter.start()
        return unsubscribe

    def __contains__(self, plugin_id: object) -> bool:
        return plugin_id in self._ground.catalogue

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(record.id for record in self._ground.catalogue))

    def __len__(self) -> int:
        return len(self._ground.catalogue)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)
