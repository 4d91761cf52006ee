"""Folders that a Python imports from besides its own, and what in them it could import.

PYTHONPATH and `.pth` files name whole projects, which have keys, notes and histories beside their
modules. A plugin sees the modules and packages, and nothing else of such a folder.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from importlib.machinery import all_suffixes
from typing import NamedTuple

from msgspec import Struct

__all__ = [
    "ImportFolder",
    "ImportFolders",
    "import_folder",
    "changed_at",
    "libraries_in",
    "without",
]

_FOLDERS_OF_PACKAGES = ("site-packages", "dist-packages")
_SUFFIXES = tuple(all_suffixes())
_ARCHIVES = (".zip", ".egg", ".whl")
_RECORDS = (".dist-info", ".egg-info")  # what importlib.metadata reads
# A folder without `__init__.py` may be a package too, and so may be those in it: as deep as
# `google.cloud.storage`, and not through all that somebody has.
_CACHE = "__pycache__"
_TYPES = (".pyi", "py.typed")
_WIDE = ("/", "/home")
_DEEPEST = 3
_MOST_LOOKS = 200
_MOST_ENTRIES = 1000


class ImportFolder(Struct, frozen=True):
    """A folder that modules are imported from.

    Attributes:
        path: as it was named.
        shown: what a plugin sees of it; the folder itself, where it has nothing else in it.
        listed: the folders that have to be listed to find that; none where their names would say
            too much.
    """

    path: str
    shown: tuple[str, ...]
    listed: tuple[str, ...] = ()
    looked_at: tuple[tuple[str, int], ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.shown == (self.path,)


def import_folder(path: str, hidden: Collection[str]) -> ImportFolder:
    """Look through a folder.

    Args:
        path: an absolute one.
        hidden: real paths of what is never shown.
    """
    real = os.path.realpath(path)
    if not os.path.isdir(real):  # noqa: PTH112 - this is on the way of each load
        return ImportFolder(path, (path,) if real.endswith(_ARCHIVES) else ())
    if os.path.basename(real) in _FOLDERS_OF_PACKAGES:  # noqa: PTH119
        return ImportFolder(path, (path,))
    if real in _WIDE or real in hidden:
        return ImportFolder(path, ())
    if is_home(real):
        # Whatever else there is in a home, it is not looked through for packages of packages.
        look = _Look(hidden, deepest=0)
        shown = look.through(path, 0).shown
        return ImportFolder(path, tuple(shown[:_MOST_ENTRIES]), looked_at=tuple(look.looked_at))
    look = _Look(hidden)
    found = look.through(path, 0)
    if found.is_whole:
        return ImportFolder(path, (path,), looked_at=tuple(look.looked_at))
    shown = found.shown[:_MOST_ENTRIES]
    return ImportFolder(path, tuple(shown), (path, *look.listed), tuple(look.looked_at))


def is_home(real: str) -> bool:
    """Whether a folder is the user's home, or has that in it."""
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111
    return (home + "/").startswith(real.rstrip("/") + "/")


def libraries_in(path: str) -> Iterator[str]:
    """Shared libraries in a folder that the loader looks into."""
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            stem, so, end = entry.name.partition(".so")
            if stem and so and (not end or end.startswith(".")):
                yield entry.path


class _Found(NamedTuple):
    """What can be imported from a folder, and whether there is nothing else in it."""

    shown: list[str]
    is_whole: bool


class _Look:
    """One look through a folder, with an end.

    Attributes:
        listed: the folders in it that are packages without an `__init__.py`.
        looked_at: as in `ImportFolder`.
    """

    def __init__(self, hidden: Collection[str], deepest: int = _DEEPEST) -> None:
        self.listed: list[str] = []
        self.looked_at: list[tuple[str, int]] = []
        self._hidden = hidden
        self._deepest = deepest
        self._left = _MOST_LOOKS

    def through(self, folder: str, depth: int) -> _Found:
        self.looked_at.append((folder, changed_at(folder)))
        shown: list[str] = []
        is_whole = depth > 0 or not is_home(folder)
        for entry in _entries(folder):
            found = self._entry(entry, depth)
            shown += found.shown
            is_whole = is_whole and found.is_whole
        has_any = any(not one.endswith(_CACHE) for one in shown)
        return _Found(shown, is_whole) if has_any else _Found([], False)

    def _entry(self, entry: os.DirEntry[str], depth: int) -> _Found:
        name, path = entry.name, entry.path
        real = os.path.realpath(path) if entry.is_symlink() else path
        if real in self._hidden or name.startswith("."):
            return _Found([], False)
        if name == _CACHE or (not depth and name.endswith(_RECORDS)):
            return _Found([path], True)
        if _is_folder(entry):
            return self._package(path, depth) if name.isidentifier() else _Found([], False)
        # A link must not give another name to what is no module.
        if _is_module(name) and _is_module(os.path.basename(real)):  # noqa: PTH119
            return _Found([path], real is path)
        return _Found([], name.endswith(_TYPES))

    def _package(self, folder: str, depth: int) -> _Found:
        is_link = os.path.islink(folder)  # noqa: PTH114
        if _has_init(folder):
            self.looked_at.append((folder, changed_at(folder)))
            return _Found([folder], not is_link)
        # What a link leads to is not looked through: it would have another name there.
        if is_link or depth >= self._deepest or not self._left:
            return _Found([], False)
        self._left -= 1
        found = self.through(folder, depth + 1)
        if found.is_whole:
            return _Found([folder], True)
        if found.shown:
            self.listed.append(folder)
        return found


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:  # it is not there, or not to be seen
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_module(name: str) -> bool:
    return name.endswith(_SUFFIXES) and name.partition(".")[0].isidentifier()


def _has_init(folder: str) -> bool:
    return any(os.path.isfile(f"{folder}/__init__{suffix}") for suffix in _SUFFIXES)  # noqa: PTH113


def without(paths: Iterable[str], hidden: Collection[str]) -> Iterator[str]:
    """What is in paths and not in hidden ones, for a Landlock that can only add.

    A folder that has a hidden one in it becomes what else is in it.

    Args:
        paths: what is to be seen.
        hidden: real paths.
    """
    for path in paths:
        real = os.path.realpath(path)
        if any(one.startswith(real.rstrip("/") + "/") for one in hidden):
            inner = [entry.path for entry in _entries(real)]
            yield from without([one for one in inner if one not in hidden], hidden)
        else:
            yield path


class ImportFolders:
    """Looks through folders, and again when something in them was added or removed.

    Args:
        hidden: real paths of what is never shown.
    """

    def __init__(self, hidden: Collection[str]) -> None:
        self._hidden = hidden
        self._known: dict[str, ImportFolder] = {}

    def look(self, path: str) -> ImportFolder:
        """What can be imported from a folder; any thread."""
        known = self._known.get(path)
        if known is None or any(changed_at(folder) != at for folder, at in known.looked_at):
            known = self._known[path] = import_folder(path, self._hidden)
        return known


def changed_at(folder: str) -> int:
    """When something was last added to a folder or removed, in nanoseconds; 0 without one."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - called at each load
    except OSError:
        return 0
