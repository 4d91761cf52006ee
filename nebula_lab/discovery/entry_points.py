"""Plugins that installed distributions announce, found without importing any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from msgspec import Struct

from nebula_lab.discovery.base import (
    DiscoveryKind,
    DiscoveryResult,
    PluginReading,
    one_per_id,
    problem_from,
)
from nebula_lab.discovery.installed_module import file_of_module
from nebula_lab.discovery.reading import read_reading
from nebula_lab.discovery.regular_file import readable
from nebula_lab.discovery.source import ENTRY_NAME
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.model.problem import Problem

DEFAULT_GROUP = "nebula_lab.plugins"
_NAME = re.compile(r"^Name:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_SECTION = re.compile(r"\[(.*)\]")
_REFERENCE = re.compile(
    r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*(?::\s*(?P<name>[\w.]+)\s*)?(?:\[.*\]\s*)?"
)


class Announcement(Struct, frozen=True):
    """One line of a distribution's `entry_points.txt`.

    Attributes:
        distribution: the installed distribution.
        owner: its name.
        name: what stands before the `=`.
        reference: what stands after it, as it was written.
        location: the file and line, where the file can be told.
    """

    distribution: Distribution
    owner: str
    name: str
    reference: str
    location: SourceLocation | None


class EntryPointsDiscoverer:
    """Finds plugins by the entry points of installed distributions.

    Args:
        group: the group of entry points; each names the module with the plugin.
        path: where distributions are installed, such as `sys.path`; an earlier folder wins.
    """

    def __init__(self, group: str, path: Iterable[str]) -> None:
        self._group = group
        self._path = list(path)

    def discover(self) -> DiscoveryResult:
        """Read the entry points of every distribution; a bad one leaves the others alone."""
        problems: list[Problem] = []
        readings: list[PluginReading] = []
        for announcement in self._announcements(problems):
            try:
                with readable(_folder(announcement.distribution)):
                    reading, notes = _read(announcement, self._path)
            except MetadataLoadError as error:
                problems.append(problem_from(error))
                continue
            readings.append(reading)
            problems += notes
        return one_per_id(readings, problems)

    def _announcements(self, problems: list[Problem]) -> Iterator[Announcement]:
        """The entry points of the first distribution of each name that has any in the group."""
        first: dict[str, Distribution] = {}
        for distribution in distributions(path=self._path):
            try:
                text = distribution.read_text("entry_points.txt") or ""
                owner = _owner(distribution) if self._group in text else ""
            except (OSError, ValueError) as error:
                problems.append(_unreadable(distribution, error))
                continue
            announced = list(_in_group(self._group, text, distribution, owner))
            key = re.sub(r"[-_.]+", "-", owner).lower()
            if announced and first.setdefault(key, distribution) is not distribution:
                problems.append(_shadowed(announced[0], first[key]))
                continue
            yield from announced


def _owner(distribution: Distribution) -> str:
    """The distribution's name, also where its metadata are damaged."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    found = _NAME.search(text)
    return found[1] if found else _folder(distribution).name.partition("-")[0]


def _folder(distribution: Distribution) -> Path:
    """The folder with the distribution's metadata, for messages."""
    return Path(str(getattr(distribution, "_path", distribution.locate_file(""))))


def _in_group(
    group: str, text: str, distribution: Distribution, owner: str
) -> Iterator[Announcement]:
    """The lines of one group, read by ourselves: a line that is wrong stops importlib's reader."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if section := _SECTION.fullmatch(line):
            inside = section[1].strip() == group
        elif inside and line and not line.startswith(("#", ";")):
            name, _, reference = (part.strip() for part in line.partition("="))
            location = SourceLocation(_folder(distribution) / "entry_points.txt", number)
            yield Announcement(distribution, owner, name, reference, location)


def _read(announcement: Announcement, path: list[str]) -> tuple[PluginReading, tuple[Problem, ...]]:
    reference = _REFERENCE.fullmatch(announcement.reference)
    if reference is None:
        raise _refused(
            announcement,
            f"{announcement.reference!r} does not name a module",
            f"Write {announcement.name or 'name'} = package.module in the distribution's entry "
            "points.",
        )
    module = reference["module"]
    file = file_of_module(announcement.distribution, module, path)
    if file is None:
        raise _refused(
            announcement,
            f"the module {module} is not among its files",
            f"Reinstall {announcement.owner}, or correct the name in its entry points.",
        )
    reading = read_reading(file)
    if reference["name"] in (None, ENTRY_NAME):
        return reading, ()
    return reading, (_other_name(announcement, reference["name"], reading),)


def _refused(announcement: Announcement, message: str, hint: str) -> MetadataLoadError:
    location = announcement.location
    return MetadataLoadError(
        f"the entry point {announcement.name!r} of {announcement.owner}: {message}",
        path=location.path if location else None,
        line=location.line if location else None,
        hint=hint,
    )


def _other_name(announcement: Announcement, name: str, reading: PluginReading) -> Problem:
    return Problem(
        kind=DiscoveryKind.METADATA,
        message=f"its entry point names {name}, but a plugin is always entered by {ENTRY_NAME}",
        plugin_id=reading.descriptor.id,
        location=announcement.location,
        cure=f"Leave :{name} out of the entry point.",
        severity="note",
    )


def _shadowed(announcement: Announcement, first: Distribution) -> Problem:
    return Problem(
        kind=DiscoveryKind.DUPLICATE,
        message=f"{announcement.owner} is installed more than once; the copy in "
        f"{_folder(first).parent} comes first on the path and is used",
        location=announcement.location,
        cure=f"Uninstall the copy in {_folder(announcement.distribution).parent}.",
        severity="note",
    )


def _unreadable(distribution: Distribution, error: Exception) -> Problem:
    return Problem(
        kind=DiscoveryKind.DISCOVERY,
        message=f"the entry points of an installed distribution can't be read: {error}",
        location=SourceLocation(_folder(distribution)),
        cure="Reinstall the distribution.",
    )
