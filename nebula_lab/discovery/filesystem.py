"""Plugins in a folder, by a glob pattern on their names."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nebula_lab.discovery.base import (
    DiscoveryKind,
    DiscoveryResult,
    PluginReading,
    one_per_id,
    problem_from,
)
from nebula_lab.discovery.candidates import Candidate, Walk
from nebula_lab.discovery.describing import manifest_description
from nebula_lab.discovery.document import read_document
from nebula_lab.discovery.locating import NATIVE_SUFFIXES
from nebula_lab.discovery.reading import read_description, read_embedded
from nebula_lab.discovery.regular_file import MANIFEST_LIMIT, read_regular_file, readable
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.model.problem import Problem

# A folder holds other TOML and JSON files too; one that has no such key is not parsed.
_SAYS_ID = re.compile(rb"(?:^|[\"'\s])id[\"']?\s*[=:]")


class FileSystemDiscoverer:
    """Finds plugins in a folder.

    Args:
        folder: where they are.
        pattern: a glob that the name of the plugin's file, folder or manifest must match; case
            counts. One for native libraries, such as the seed's `*.so`, takes every plugin.
        recursive: whether to look into folders that are not plugins themselves.
    """

    def __init__(self, folder: Path, pattern: str = "*", recursive: bool = False) -> None:
        self._folder = folder.absolute()
        self._pattern = pattern
        self._recursive = recursive

    def discover(self) -> DiscoveryResult:
        """Search the folder; a missing or unreadable one raises DiscoveryError."""
        return one_per_id(*self.readings())

    def readings(self) -> tuple[list[PluginReading], list[Problem]]:
        """Every plugin in the folder, several versions of one too; and what was left out."""
        pattern, problems = self._effective_pattern()
        walk = Walk(self._folder, _matcher(pattern), self._recursive)
        candidates = walk.candidates()
        readings = _Readings(_matcher(pattern))
        described = [c for c in candidates if c.manifest is not None]
        # Manifests first: a source that one of them names is not a plugin a second time.
        for candidate in described:
            readings.read(candidate)
        for candidate in candidates:
            if candidate.manifest is None and not readings.names(candidate):
                readings.read(candidate)
        return list(readings.in_order()), [*problems, *walk.problems, *readings.problems]

    def _effective_pattern(self) -> tuple[str, list[Problem]]:
        if not self._pattern.endswith(NATIVE_SUFFIXES):
            return self._pattern, []
        note = Problem(
            kind=DiscoveryKind.DISCOVERY,
            message=f"the pattern {self._pattern!r} is for native libraries; plugins here are "
            "Python, so every plugin in the folder is taken",
            location=SourceLocation(self._folder),
            cure='Set pattern: "*", or one that matches your plugins\' names.',
            severity="note",
        )
        return "*", [note]


class _Readings:
    """What has been read so far, and which sources manifests have named."""

    def __init__(self, matches: Callable[[str], bool]) -> None:
        self.problems: list[Problem] = []
        self._matches = matches
        self._found: list[tuple[str, PluginReading]] = []
        self._named: set[str] = set()

    def read(self, candidate: Candidate) -> None:
        try:
            with readable(Path(candidate.sort_key)):
                reading = _read(candidate)
        except MetadataLoadError as error:
            if self._is_wanted(candidate, None):
                self.problems.append(problem_from(error))
            return
        if reading is None or not self._is_wanted(candidate, reading):
            return
        self._found.append((candidate.sort_key, reading))
        if reading.descriptor.path != candidate.source:
            self._named.add(os.path.realpath(reading.descriptor.path))

    def names(self, candidate: Candidate) -> bool:
        return bool(self._named) and os.path.realpath(candidate.sort_key) in self._named

    def in_order(self) -> Iterable[PluginReading]:
        return (reading for _, reading in sorted(self._found, key=lambda found: found[0]))

    def _is_wanted(self, candidate: Candidate, reading: PluginReading | None) -> bool:
        """Whether the pattern takes a manifest that stands alone; the walk asked for the others."""
        if not candidate.stands_alone or candidate.manifest is None:
            return True
        source = "" if reading is None else reading.descriptor.path.name
        return self._matches(candidate.manifest.name) or self._matches(source)


def _read(candidate: Candidate) -> PluginReading | None:
    if candidate.manifest is None:
        return read_embedded(candidate.source) if candidate.source else None
    if candidate.stands_alone and not _may_be_manifest(candidate.manifest):
        return None
    document = read_document(candidate.manifest)
    if candidate.stands_alone and not _is_manifest(document.data):
        return None
    return read_description(manifest_description(document), candidate.source)


def _may_be_manifest(path: Path) -> bool:
    if path.stat().st_size > MANIFEST_LIMIT:
        return False
    return _SAYS_ID.search(read_regular_file(path, MANIFEST_LIMIT)) is not None


def _is_manifest(table: Mapping[str, object]) -> bool:
    return "id" in table and ("path" in table or "version" in table)


def _matcher(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(fnmatch.translate(pattern))
    return lambda name: compiled.match(name) is not None
