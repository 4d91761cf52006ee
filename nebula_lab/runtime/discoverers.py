"""The discoverer for each strategy that a configuration can choose."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec.structs import replace

from nebula_lab.discovery.base import Discoverer, DiscoveryKind, DiscoveryResult
from nebula_lab.discovery.entry_points import EntryPointsDiscoverer
from nebula_lab.discovery.explicit import ExplicitDiscoverer
from nebula_lab.discovery.filesystem import FileSystemDiscoverer
from nebula_lab.discovery.manifest import ManifestDiscoverer
from nebula_lab.errors import InstallError
from nebula_lab.model.config import PluginConfig
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.discovery_strategy import (
    EntryPoints,
    Explicit,
    FileSystem,
    Manifest,
    Registry,
)
from nebula_lab.model.problem import Problem

if TYPE_CHECKING:
    from nebula_lab.trust.contents import CollectedPlugin

    # From a descriptor to the files of its plugin.
    Collect: TypeAlias = Callable[[PluginDescriptor], CollectedPlugin]


# A label, how much is done, how much there is, and in which unit.
Progress = Callable[[str, float, float, str], object]


def discoverer_for(
    config: PluginConfig, progress: Progress = lambda label, done, total, unit: None
) -> Discoverer:
    """The discoverer that the configuration asks for; nothing has been searched yet.

    Args:
        config: asks for it.
        progress: is told how far what comes from elsewhere is.
    """
    if isinstance(config.discovery, Registry):
        from nebula_lab.registry.discovering import RegistryDiscoverer

        return RegistryDiscoverer(config.discovery, progress=progress)
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


class _Finishing:
    """The search of a folder in which an installation was cut off."""

    def __init__(self, folder: Path, search: Discoverer) -> None:
        self._folder = folder
        self._search = search

    def discover(self) -> DiscoveryResult:
        """Finish it first; where that can't be done, what is there is found all the same."""
        from nebula_lab.registry.installing.folder import finish_installs

        problems: tuple[Problem, ...] = ()
        try:
            finish_installs(self._folder)
        except InstallError as error:
            problems = (Problem.from_error(error, DiscoveryKind.DISCOVERY),)
        found = self._search.discover()
        return replace(found, problems=(*problems, *found.problems))


def _file_system(strategy: FileSystem, config: PluginConfig) -> Discoverer:
    if config.plugin_dir is None:
        return _Nothing()
    folder = config.plugin_dir.expanduser()
    discoverer = FileSystemDiscoverer(folder, strategy.pattern, strategy.recursive)
    # A process that was killed while it installed has left something.
    is_unfinished = (folder / ".nebula-lab" / "change.json").exists()
    return _Finishing(folder, discoverer) if is_unfinished else discoverer


def _manifest(strategy: Manifest, config: PluginConfig) -> Discoverer:
    return ManifestDiscoverer(strategy.path.expanduser())


def _explicit(strategy: Explicit, config: PluginConfig) -> Discoverer:
    return ExplicitDiscoverer(strategy.plugins)


def _entry_points(strategy: EntryPoints, config: PluginConfig) -> Discoverer:
    return EntryPointsDiscoverer(strategy.group, sys.path)


_DISCOVERERS: Mapping[type, Callable[[Any, PluginConfig], Discoverer]] = {
    FileSystem: _file_system,
    Manifest: _manifest,
    Explicit: _explicit,
    EntryPoints: _entry_points,
}
