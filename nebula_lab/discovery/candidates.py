"""Walking a plugin folder: what in it could be a plugin, by name alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from nebula_lab.discovery.base import DiscoveryKind
from nebula_lab.discovery.locating import FOLDER_MANIFESTS, MANIFEST_SUFFIXES, SOURCE_SUFFIXES
from nebula_lab.discovery.regular_file import SOURCE_LIMIT, read_regular_file, unreadable
from nebula_lab.discovery.source import mentions_plugin
from nebula_lab.errors import DiscoveryError, MetadataLoadError
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.model.ignored import is_ignored
from nebula_lab.model.problem import Problem

Identity = tuple[int, int]


class Candidate(Struct, frozen=True):
    """What may be one plugin.

    Attributes:
        source: the file or folder; None where only the manifest can tell.
        manifest: the manifest that goes with it, by its name; None without one.
        stands_alone: only the content of the manifest tells whether it is one, and whether the
            pattern takes the source that it names.
    """

    source: Path | None
    manifest: Path | None = None
    stands_alone: bool = False

    @property
    def sort_key(self) -> str:
        """Its place in the order of the search, in which the first of two equal ids wins."""
        return str(self.source or self.manifest)


class _Folder(Struct, frozen=True):
    path: Path
    # The folders on the way here: one that is met again below itself is a loop.
    above: frozenset[Identity]


class Walk(Struct):
    """One walk through a folder.

    Args:
        root: where to start.
        matches: whether the pattern takes a file name.
        recursive: whether to go into folders that are not plugins themselves.
    """

    root: Path
    matches: Callable[[str], bool]
    recursive: bool
    problems: list[Problem] = field(default_factory=list)
    _seen: set[Identity] = field(default_factory=set)
    _pending: list[_Folder] = field(default_factory=list)

    def candidates(self) -> list[Candidate]:
        """Everything that may be a plugin, sorted; what can't be looked at goes to `problems`.

        Raises:
            DiscoveryError: the root is not a folder that can be read.
        """
        try:
            entries = _entries(self.root)
            above = frozenset(_identity(folder) for folder in (self.root, *self.root.parents))
        except OSError as error:
            raise _no_folder(self.root, error) from error
        if "__init__.py" in entries and (manifest := _inner_manifest(entries)):
            return [Candidate(self.root, manifest)]
        found = list(self._in_folder(_Folder(self.root, above), entries))
        while self._pending:
            folder = self._pending.pop()
            try:
                entries = _entries(folder.path)
            except OSError as error:
                self._unreadable(folder.path, error)
                continue
            found += self._in_folder(folder, entries)
        return sorted(found, key=lambda candidate: candidate.sort_key)

    def _in_folder(
        self, folder: _Folder, entries: Mapping[str, os.DirEntry[str]]
    ) -> Iterator[Candidate]:
        paired: set[str] = set()
        manifests: list[str] = []
        for name, entry in entries.items():
            suffix = os.path.splitext(name)[1]  # noqa: PTH122 - a Path for each name costs more
            try:
                is_folder = entry.is_dir()
            except OSError as error:
                self._unreadable(folder.path / name, error)
                continue
            if is_folder or suffix in SOURCE_SUFFIXES:
                manifest = _manifest_beside(name, is_folder, entries)
                paired.add(manifest)
                yield from (
                    self._subfolder(folder, entry, manifest)
                    if is_folder
                    else self._file(folder, name, manifest)
                )
            elif suffix in MANIFEST_SUFFIXES:
                manifests.append(name)
        for name in manifests:
            if name not in paired:
                yield Candidate(None, folder.path / name, stands_alone=True)

    def _file(self, folder: _Folder, name: str, manifest: str) -> Iterator[Candidate]:
        if self.matches(name) or (manifest and self.matches(manifest)):
            yield Candidate(folder.path / name, folder.path / manifest if manifest else None)

    def _subfolder(
        self, folder: _Folder, entry: os.DirEntry[str], manifest: str
    ) -> Iterator[Candidate]:
        path = folder.path / entry.name
        beside = path.with_name(manifest) if manifest else None
        try:
            identity = _identity(path)
            if identity in folder.above:
                self._loop(path)
                return
            if identity in self._seen:
                return
            self._seen.add(identity)
            entries = _entries(path)
        except OSError as error:
            self._unreadable(path, error)
            return
        described = _inner_manifest(entries) or beside
        if described or self._is_plugin_package(path, entries):
            sources = [name for name in entries if name.endswith(SOURCE_SUFFIXES)]
            is_package = "__init__.py" in entries
            names = [entry.name, described.name if described else entry.name]
            names += ["__init__.py"] if is_package else sources
            if any(map(self.matches, names)):
                # Without __init__.py the manifest says, or its folder shows, which file is meant.
                yield Candidate(path if is_package else None, described)
        elif self.recursive:
            self._pending.append(_Folder(path, folder.above | {identity}))

    def _is_plugin_package(self, path: Path, entries: Mapping[str, os.DirEntry[str]]) -> bool:
        if "__init__.py" not in entries:
            return False
        try:
            return mentions_plugin(read_regular_file(path / "__init__.py", SOURCE_LIMIT))
        except MetadataLoadError:
            return True  # reading it as a candidate says what is wrong

    def _unreadable(self, path: Path, error: OSError) -> None:
        self.problems.append(Problem.from_error(unreadable(path, error), DiscoveryKind.DISCOVERY))

    def _loop(self, path: Path) -> None:
        self.problems.append(
            Problem(
                kind=DiscoveryKind.DISCOVERY,
                message=f"the link {path.name} leads back to a folder that it is in",
                location=SourceLocation(path),
                cure="Remove the link; it is not followed.",
            )
        )


def _entries(folder: Path) -> dict[str, os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return {entry.name: entry for entry in found if not is_ignored(entry.name)}


def _identity(folder: Path) -> Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _inner_manifest(entries: Mapping[str, os.DirEntry[str]]) -> Path | None:
    return next((Path(entries[n].path) for n in FOLDER_MANIFESTS if n in entries), None)


def _manifest_beside(name: str, is_folder: bool, entries: Mapping[str, os.DirEntry[str]]) -> str:
    """The manifest of the same name, or ""; of several sources with one name the first has it."""
    stem = name if is_folder else name.rpartition(".")[0]
    owners = [stem + suffix for suffix in SOURCE_SUFFIXES] + [stem]
    if name != next(owner for owner in owners if owner in entries):
        return ""
    if is_folder and not os.path.isfile(f"{entries[name].path}/__init__.py"):  # noqa: PTH113
        return ""
    return next((stem + s for s in MANIFEST_SUFFIXES if stem + s in entries), "")


def _no_folder(root: Path, error: OSError) -> DiscoveryError:
    return DiscoveryError(
        f"the plugin folder can't be searched: {error.strerror or error}",
        path=root,
        hint="Create it, or set plugin_dir to the folder with your plugins.",
    )
