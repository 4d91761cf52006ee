"""Plugins that the configuration spells out."""

from __future__ import annotations

from collections.abc import Iterable

from nebula_lab.discovery.base import DiscoveryResult, PluginReading, one_per_id, problem_from
from nebula_lab.discovery.describing import Description
from nebula_lab.discovery.reading import checked_against_source
from nebula_lab.discovery.regular_file import readable
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.descriptor import PluginDescriptor, SourceLocation
from nebula_lab.model.problem import Problem


class ExplicitDiscoverer:
    """Takes the plugins that it is given, each held against its source."""

    def __init__(self, plugins: Iterable[PluginDescriptor]) -> None:
        self._plugins = tuple(plugins)

    def discover(self) -> DiscoveryResult:
        """Look at each source; relative paths are taken from the working folder."""
        readings: list[PluginReading] = []
        problems: list[Problem] = []
        for plugin in self._plugins:
            try:
                with readable(plugin.path):
                    readings.append(_read(plugin))
            except MetadataLoadError as error:
                problems.append(problem_from(error))
        return one_per_id(readings, problems)


def _read(plugin: PluginDescriptor) -> PluginReading:
    declared = plugin.declared_in or SourceLocation(plugin.path)
    table = {"id": plugin.id, "path": str(plugin.path.absolute())}
    description = Description(table, declared.path, declared.line)
    return checked_against_source(plugin, description)
