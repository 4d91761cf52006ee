"""What every way of finding plugins has in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from nebula_lab.errors import PluginError
from nebula_lab.model.descriptor import PluginDescriptor, SourceLocation
from nebula_lab.model.problem import Problem
from nebula_lab.model.release import Release
from nebula_lab.model.version import Version


class DiscoveryKind(StrEnum):
    """The kinds of problems that discovery gives."""

    METADATA = "metadata"
    DUPLICATE = "duplicate"
    DISCOVERY = "discovery"


class DiscoveryResult(Struct, frozen=True):
    """What one search found.

    Attributes:
        descriptors: the plugins, one an id, in the order of the search; of several versions the
            newest, a release rather than a pre-release.
        others: further versions of these plugins.
        problems: what was left out and why, and notes on what was taken with a reservation.
        elsewhere: what is known of those whose files are not here, such as that one was withdrawn.
    """

    descriptors: tuple[PluginDescriptor, ...] = ()
    problems: tuple[Problem, ...] = ()
    others: tuple[PluginDescriptor, ...] = ()
    elsewhere: Mapping[tuple[str, str], Release] = field(default_factory=dict)

    def release_of(self, descriptor: PluginDescriptor) -> Release:
        """What choosing a plugin that was found needs to know of it."""
        known = self.elsewhere.get((descriptor.id, str(descriptor.version)))
        return known or _release_of(descriptor)


def _release_of(descriptor: PluginDescriptor) -> Release:
    return Release(
        id=descriptor.id,
        version=descriptor.version,
        dependencies=descriptor.dependencies,
        min_nebula_version=descriptor.metadata.min_nebula_version,
        max_nebula_version=descriptor.metadata.max_nebula_version,
        api_version=descriptor.runtime.api_version,
        place=str(descriptor.path),
    )


class PluginReading(Struct, frozen=True):
    """One plugin that was read.

    Attributes:
        descriptor: the plugin.
        problems: what there is to say about it although it was read.
    """

    descriptor: PluginDescriptor
    problems: tuple[Problem, ...] = ()


class Discoverer(Protocol):
    """One strategy for finding plugins. No strategy ever runs or imports what it finds."""

    def discover(self) -> DiscoveryResult:
        """Search once, from scratch.

        Raises:
            DiscoveryError: the place to search is not there or can't be read at all. Anything
                that is wrong with a single plugin is an entry in the result's problems instead.
        """
        ...


def problem_from(error: PluginError) -> Problem:
    """The entry in `problems` for one plugin that could not be read.

    Its message begins with the file where there is no id to read it after.
    """
    problem = Problem.from_error(error, DiscoveryKind.METADATA)
    if problem.plugin_id is not None or problem.location is None:
        return problem
    return replace(problem, message=f"{problem.location.path.name}: {problem.message}")


def one_per_id(readings: Iterable[PluginReading], problems: Iterable[Problem]) -> DiscoveryResult:
    """The result of a search: of several plugins with one id and version the first counts, the
    others are problems."""
    kept: dict[str, dict[str, PluginDescriptor]] = {}
    found = list(problems)
    for reading in readings:
        found += reading.problems
        descriptor = reading.descriptor
        versions = kept.setdefault(descriptor.id, {})
        first = versions.setdefault(str(descriptor.version), descriptor)
        if first is not descriptor:
            found.append(_duplicate(first, descriptor))
    descriptors: list[PluginDescriptor] = []
    others: list[PluginDescriptor] = []
    for versions in kept.values():
        newest = max(versions.values(), key=_age) if len(versions) > 1 else None
        for descriptor in versions.values():
            is_first = newest is None or descriptor is newest
            (descriptors if is_first else others).append(descriptor)
    return DiscoveryResult(tuple(descriptors), tuple(found), tuple(others))


def _age(descriptor: PluginDescriptor) -> tuple[bool, Version]:
    return not descriptor.version.prerelease, descriptor.version


def _duplicate(first: PluginDescriptor, second: PluginDescriptor) -> Problem:
    return Problem(
        kind=DiscoveryKind.DUPLICATE,
        message=f"two plugins have this id and version {first.version}: {_place(first)}, which "
        f"counts, and {_place(second)}, which is left out",
        plugin_id=second.id,
        location=second.declared_in or SourceLocation(Path(second.path)),
        cure="Give one of them another id or version, or move it out of the plugin folder.",
    )


def _place(descriptor: PluginDescriptor) -> str:
    return str(descriptor.declared_in or descriptor.path)
