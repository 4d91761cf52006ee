"""The discoverer for each strategy that a configuration can choose."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from nebula_lab.discovery.base import Discoverer, DiscoveryResult
from nebula_lab.discovery.entry_points import EntryPointsDiscoverer
from nebula_lab.discovery.explicit import ExplicitDiscoverer
from nebula_lab.discovery.filesystem import FileSystemDiscoverer
from nebula_lab.discovery.manifest import ManifestDiscoverer
from nebula_lab.errors import DiscoveryError
from nebula_lab.model.config import PluginConfig
from nebula_lab.model.discovery_strategy import (
    EntryPoints,
    Explicit,
    FileSystem,
    Manifest,
    Registry,
)


def discoverer_for(config: PluginConfig) -> Discoverer:
    """The discoverer that the configuration asks for; nothing has been searched yet.

    Raises:
        DiscoveryError: for a registry, which this version can't read from.
    """
    return _DISCOVERERS[type(config.discovery)](config.discovery, config)


class _Nothing:
    """The search of a manager that was given no folder."""

    def discover(self) -> DiscoveryResult:
        return DiscoveryResult()


def _file_system(strategy: FileSystem, config: PluginConfig) -> Discoverer:
    if config.plugin_dir is None:
        return _Nothing()
    folder = config.plugin_dir.expanduser()
    return FileSystemDiscoverer(folder, strategy.pattern, strategy.recursive)


def _manifest(strategy: Manifest, config: PluginConfig) -> Discoverer:
    return ManifestDiscoverer(strategy.path.expanduser())


def _explicit(strategy: Explicit, config: PluginConfig) -> Discoverer:
    return ExplicitDiscoverer(strategy.plugins)


def _entry_points(strategy: EntryPoints, config: PluginConfig) -> Discoverer:
    return EntryPointsDiscoverer(strategy.group, sys.path)


def _registry(strategy: Registry, config: PluginConfig) -> Discoverer:
    raise DiscoveryError(
        f"plugin registries such as {strategy.url} can't be read in this version",
        hint="Use FileSystem, Manifest, Explicit or EntryPoints under discovery.",
    )


_DISCOVERERS: Mapping[type, Callable[[Any, PluginConfig], Discoverer]] = {
    FileSystem: _file_system,
    Manifest: _manifest,
    Explicit: _explicit,
    EntryPoints: _entry_points,
    Registry: _registry,
}
