"""The discoverer for each strategy that a configuration can choose."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from nebula_lab.discovery.base import Discoverer, DiscoveryResult
from nebula_lab.discovery.entry_points import EntryPointsDiscoverer
from nebula_lab.discovery.explicit import ExplicitDiscoverer
from nebula_lab.discovery.filesystem import FileSystemDiscoverer
from nebula_lab.discovery.manifest import ManifestDiscoverer
from nebula_lab.model.config import PluginConfig
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.discovery_strategy import (
    EntryPoints,
    Explicit,
    FileSystem,
    Manifest,
    Registry,
)

if TYPE_CHECKING:
    from nebula_lab.trust.contents import CollectedPlugin

    # From a descriptor to the files of its plugin.
    Collect: TypeAlias = Callable[[PluginDescriptor], CollectedPlugin]


def discoverer_for(config: PluginConfig) -> Discoverer:
    """The discoverer that the configuration asks for; nothing has been searched yet."""
    return _DISCOVERERS[type(config.discovery)](config.discovery, config)


def collector_of(discoverer: Discoverer) -> Collect:
    """How the files of what was found are to be had: from the disk, unless it knows better."""
    own: Collect | None = getattr(discoverer, "collect", None)
    return own or _collect


def _collect(descriptor: PluginDescriptor) -> CollectedPlugin:
    from nebula_lab.trust.collecting import collect  # with the first plugin that is to be run

    return collect(descriptor)


class _Nothing:
    """The search of a manager that was given no folder."""

    def discover(self) -> DiscoveryResult:
        return DiscoveryResult()


def _file_system(strategy: FileSystem, config: PluginConfig) -> Discoverer:
    if config.plugin_dir is None:
        return _Nothing()
    folder = config.plugin_dir.expanduser()
    if (folder / ".nebula-lab" / "change.json").exists():
        from nebula_lab.registry.installing.folder import finish_installs

        finish_installs(folder)  # a process that was killed while it installed has left something
    return FileSystemDiscoverer(folder, strategy.pattern, strategy.recursive)


def _manifest(strategy: Manifest, config: PluginConfig) -> Discoverer:
    return ManifestDiscoverer(strategy.path.expanduser())


def _explicit(strategy: Explicit, config: PluginConfig) -> Discoverer:
    return ExplicitDiscoverer(strategy.plugins)


def _entry_points(strategy: EntryPoints, config: PluginConfig) -> Discoverer:
    return EntryPointsDiscoverer(strategy.group, sys.path)


def _registry(strategy: Registry, config: PluginConfig) -> Discoverer:
    from nebula_lab.registry.discovering import RegistryDiscoverer

    return RegistryDiscoverer(strategy)


_DISCOVERERS: Mapping[type, Callable[[Any, PluginConfig], Discoverer]] = {
    FileSystem: _file_system,
    Manifest: _manifest,
    Explicit: _explicit,
    EntryPoints: _entry_points,
    Registry: _registry,
}
