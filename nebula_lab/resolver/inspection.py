"""What can be said of each plugin by itself: its bounds, and each of its dependencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from nebula_lab.model.comparator import precedence
from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor
from nebula_lab.model.problem import Problem
from nebula_lab.model.version import Version
from nebula_lab.resolver.reports import Reporter


class Host(Struct, frozen=True):
    """What plugins are checked against."""

    nebula_version: Version
    api_version: int


class Inspection(Struct):
    """The graph in ranks, and what is wrong with single plugins.

    Attributes:
        ranked: the plugins by rank: higher priority first, then by id.
        ids: their ids.
        reporter: finds the words for what is wrong.
        required: the ranks that each needs; versions that do not suit are among them, so that a
            cycle is seen even then.
        optional: the same for optional dependencies that suit, where a plugin has any.
        problems: by rank, the reasons to leave a plugin out.
        notes: by rank, the optional dependencies that are absent or unsuitable.
    """

    ranked: Sequence[PluginDescriptor]
    ids: list[str]
    reporter: Reporter
    required: list[list[int]] = field(default_factory=list)
    optional: dict[int, list[int]] = field(default_factory=dict)
    problems: dict[int, list[Problem]] = field(default_factory=dict)
    notes: dict[int, list[Problem]] = field(default_factory=dict)


def inspect(plugins: Mapping[str, PluginDescriptor], host: Host) -> Inspection:
    """Checks each plugin by itself; takes time in proportion to plugins and dependencies."""
    ranked = _by_rank(plugins)
    ids = [plugin.id for plugin in ranked]
    inspection = Inspection(ranked, ids, Reporter(plugins, host.nebula_version))
    inspector = _Inspector(inspection, host)
    for rank, plugin in enumerate(ranked):
        inspector.check_host(rank, plugin)
        inspector.check_dependencies(rank, plugin)
    return inspection


def _by_rank(plugins: Mapping[str, PluginDescriptor]) -> list[PluginDescriptor]:
    keyed = [(-plugin.metadata.priority, plugin.id) for plugin in plugins.values()]
    keyed.sort()
    return [plugins[plugin_id] for _, plugin_id in keyed]


class _Inspector:
    """Fills in an inspection. The loop over dependencies is the resolver's hot path."""

    def __init__(self, inspection: Inspection, host: Host) -> None:
        self._inspection = inspection
        self._reporter = inspection.reporter
        self._host = host
        self._host_precedence = precedence(host.nebula_version)
        self._rank_of = {plugin_id: rank for rank, plugin_id in enumerate(inspection.ids)}
        self._versions = [plugin.version for plugin in inspection.ranked]
        # None stands for a pre-release, which has to be matched the long way.
        self._releases = [
            None if version.prerelease else (version.major, version.minor, version.patch)
            for version in self._versions
        ]

    def check_host(self, rank: int, plugin: PluginDescriptor) -> None:
        metadata, api_version = plugin.metadata, plugin.runtime.api_version
        low, high = metadata.min_nebula_version, metadata.max_nebula_version
        if low is not None and self._host_precedence < precedence(low):
            self._fail(rank, self._reporter.nebula_version(plugin, f">={low}", "Upgrade"))
        if high is not None and self._host_precedence > precedence(high):
            self._fail(rank, self._reporter.nebula_version(plugin, f"<={high}", "Downgrade"))
        if api_version is not None and api_version != self._host.api_version:
            self._fail(rank, self._reporter.api_version(plugin, self._host.api_version))

    def check_dependencies(self, rank: int, plugin: PluginDescriptor) -> None:
        rank_of = self._rank_of
        required: list[int] = []
        for dependency in plugin.dependencies:
            target = rank_of.get(dependency.plugin_id)
            if target is None:
                self._missing(rank, plugin, dependency)
            elif dependency.optional:
                self._optional(rank, plugin, dependency, target)
            else:
                required.append(target)
                if not self._suits(dependency, target) and target != rank:
                    self._fail(rank, self._reporter.version_mismatch(plugin, dependency))
        self._inspection.required.append(required)
        if rank in self._inspection.optional:
            self._drop_doubles(rank, required)

    def _missing(self, rank: int, plugin: PluginDescriptor, dependency: PluginDependency) -> None:
        if dependency.optional:
            self._note(rank, self._reporter.optional(plugin, dependency, "which is not here"))
        else:
            self._fail(rank, self._reporter.missing(plugin, dependency))

    def _optional(
        self, rank: int, plugin: PluginDescriptor, dependency: PluginDependency, target: int
    ) -> None:
        version = self._versions[target]
        if target == rank:
            self._note(rank, self._reporter.optional(plugin, dependency, "which is itself"))
        elif not self._suits(dependency, target):
            reason = f"which is here in version {version}"
            self._note(rank, self._reporter.optional(plugin, dependency, reason))
        else:
            self._inspection.optional.setdefault(rank, []).append(target)

    def _suits(self, dependency: PluginDependency, target: int) -> bool:
        release = self._releases[target]
        if release is None:
            return dependency.version_req.matches(self._versions[target])
        return dependency.version_req.matches_release(release)

    def _drop_doubles(self, rank: int, required: list[int]) -> None:
        """What is declared twice, once optional and once not, is required."""
        targets = self._inspection.optional[rank]
        self._inspection.optional[rank] = [
            target for target in dict.fromkeys(targets) if target not in required
        ]

    def _fail(self, rank: int, problem: Problem) -> None:
        self._inspection.problems.setdefault(rank, []).append(problem)

    def _note(self, rank: int, note: Problem) -> None:
        self._inspection.notes.setdefault(rank, []).append(note)
