"""The chosen plugins, one version an id."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from nebula_lab._version import __version__
from nebula_lab.errors import NotFoundError, VersionConflictError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.version import Version
from nebula_lab.plugin import PLUGIN_API_VERSION
from nebula_lab.resolver.graph import declared_graph
from nebula_lab.resolver.inspection import Host
from nebula_lab.resolver.reports import located
from nebula_lab.resolver.resolution import Resolution
from nebula_lab.resolver.resolve import resolve

if TYPE_CHECKING:
    from nebula_lab.resolver.graph import Graph


class PluginRegistry:
    """Holds descriptors and resolves them.

    It has no lock: its owner keeps reading and registering apart. A resolution and a graph, once
    given out, never change.

    Args:
        nebula_version: what `min_nebula_version` and `max_nebula_version` are held against.
        api_version: the plugin API version that plugins have to be written for.
    """

    def __init__(
        self,
        *,
        nebula_version: Version | str = __version__,
        api_version: int = PLUGIN_API_VERSION,
    ) -> None:
        if isinstance(nebula_version, str):
            nebula_version = Version.parse(nebula_version)
        self._host = Host(nebula_version, api_version)
        self._plugins: dict[str, PluginDescriptor] = {}
        self._resolution: Resolution | None = None
        self._graph: Graph | None = None

    def register(self, descriptor: PluginDescriptor) -> None:
        """Adds a plugin; the same version again takes the place of the first.

        Raises:
            VersionConflictError: if the id is there in another version; nothing is changed then.
        """
        existing = self._plugins.get(descriptor.id)
        # Texts, because versions that differ in their build metadata alone compare equal.
        if existing is not None and str(existing.version) != str(descriptor.version):
            location = located(descriptor)
            raise VersionConflictError(
                descriptor.id,
                existing=existing.version,
                requested=descriptor.version,
                path=location.path,
                line=location.line,
                hint=f"Version {existing.version} is from {located(existing)}; remove one of them.",
            )
        self.replace(descriptor)

    def replace(self, descriptor: PluginDescriptor) -> None:
        """Adds a plugin, in place of another version of it if there is one."""
        self._plugins[descriptor.id] = descriptor
        self._forget()

    def remove(self, plugin_id: str) -> None:
        """Takes a plugin out; those that need it then lack it.

        Raises:
            NotFoundError: if there is none with that id.
        """
        if plugin_id not in self._plugins:
            raise NotFoundError(plugin_id, known=self._plugins)
        del self._plugins[plugin_id]
        self._forget()

    def copy(self) -> PluginRegistry:
        """A registry of the same plugins, to try a change on."""
        twin = PluginRegistry(
            nebula_version=self._host.nebula_version, api_version=self._host.api_version
        )
        twin._plugins = dict(self._plugins)
        twin._resolution, twin._graph = self._resolution, self._graph
        return twin

    def resolve_dependencies(self) -> Resolution:
        """Decides what can be loaded and in what order; broken plugins raise nothing."""
        if self._resolution is None:
            self._resolution = resolve(self._plugins, self._host)
        return self._resolution

    @property
    def plugins(self) -> Mapping[str, PluginDescriptor]:
        """Every registered plugin by its id, in the order of registration; read-only."""
        return MappingProxyType(self._plugins)

    @property
    def load_order(self) -> list[str]:
        """The ids that can be loaded, dependencies first."""
        return list(self.resolve_dependencies().load_order)

    @property
    def graph(self) -> Graph:
        """Plugins and dependencies as they are declared; see `declared_graph`."""
        if self._graph is None:
            self._graph = declared_graph(self._plugins)
        return self._graph

    def dependents(self, plugin_id: str) -> tuple[str, ...]:
        """All that depend on a plugin, also by way of others, in the order to unload them.

        Raises:
            NotFoundError: if the plugin is not registered.
        """
        return self.resolve_dependencies().dependents(plugin_id)

    def _forget(self) -> None:
        self._resolution = None
        self._graph = None
