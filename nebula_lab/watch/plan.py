"""Which folders to watch, and what each name in them stands for."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from msgspec import Struct

from nebula_lab.trust.contents import StoredFile
from nebula_lab.trust.imports import module_name
from nebula_lab.watch.names import is_passing
from nebula_lab.watch.subject import Root, Subject

__all__ = ["DISCOVERY", "Interest", "Plan", "plan_for", "MOST_FOLDERS"]

# Stands for the search for plugins, where otherwise the id of a plugin stands.
DISCOVERY = ""
# Below one root or package. A watch costs the kernel a kilobyte, and a user has only so many.
MOST_FOLDERS = 2_000
_BESIDE_A_FILE = (".toml", ".json", ".sums", ".sums.sig")
_DESCRIBES_PACKAGE = frozenset({"__init__.py", "plugin.toml", "plugin.json"})


class Interest(Struct, frozen=True):
    """Who wants to know of a folder's names.

    Attributes:
        key: the id of a plugin, or DISCOVERY.
        names: of which names; None for all that are not just passing.
        new_modules: also of a new one that the plugin could import.
    """

    key: str
    names: frozenset[str] | None = None
    new_modules: bool = False

    def concerns(self, name: str, *, is_new: bool) -> bool:
        """Whether this name matters; `is_new` says that it was not there before."""
        if self.names is None or name in self.names:
            return True
        return self.new_modules and is_new and module_name(name) is not None


class Plan(Struct, frozen=True):
    """What to watch.

    Attributes:
        folders: the folders, with who wants to know of them.
        leading: folders with the names in them by which watched folders are reached.
        present: the names that there were in each folder when the plan was made.
    """

    folders: Mapping[str, tuple[Interest, ...]] = {}
    leading: Mapping[str, frozenset[str]] = {}
    present: Mapping[str, frozenset[str]] = {}

    def keys_below(self, path: str) -> set[str]:
        """Who wants to know of a folder, or of one below it."""
        return {
            interest.key
            for folder, interests in self.folders.items()
            if folder == path or folder.startswith(f"{path}/")
            for interest in interests
        }

    def all_keys(self) -> set[str]:
        return {interest.key for interests in self.folders.values() for interest in interests}


def plan_for(
    roots: Iterable[Root],
    subjects: Iterable[Subject],
    seen: Mapping[str, tuple[StoredFile, ...]],
) -> Plan:
    """Draw a plan from what there is on disk now.

    Args:
        roots: where plugins are looked for.
        subjects: the plugins.
        seen: the files of each that is loaded, as they were last seen.
    """
    drawing = _Drawing()
    for root in roots:
        drawing.root(root)
    for subject in subjects:
        plugin_id = subject.descriptor.id
        if plugin_id in seen:
            drawing.loaded(subject, seen[plugin_id])
        else:
            drawing.described(subject)
    return drawing.plan()


class _Drawing:
    """A plan that is being made."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[Interest, None]] = defaultdict(dict)
        self._leading: dict[str, set[str]] = defaultdict(set)

    def plan(self) -> Plan:
        return Plan(
            {folder: tuple(interests) for folder, interests in self._folders.items()},
            {folder: frozenset(names) for folder, names in self._leading.items()},
            {folder: frozenset(_names_in(folder)) for folder in self._folders},
        )

    def root(self, root: Root) -> None:
        path = _plain(str(root.path.absolute()))
        if root.path.is_file():
            self._file(path, DISCOVERY)
            return
        self._leads_to(path)
        for folder in _folders_below(path, root.levels, follow=True):
            self._want(folder, Interest(DISCOVERY))

    def described(self, subject: Subject) -> None:
        """What says what a plugin is, of one that is not loaded."""
        source = _plain(str(subject.descriptor.path.absolute()))
        self._file(source, DISCOVERY)
        if os.path.isdir(source):  # noqa: PTH112 - for hundreds of plugins at once
            self._want(source, Interest(DISCOVERY, _DESCRIBES_PACKAGE))
        if subject.descriptor.declared_in is not None:
            self._file(_plain(str(subject.descriptor.declared_in.path.absolute())), DISCOVERY)

    def loaded(self, subject: Subject, files: tuple[StoredFile, ...]) -> None:
        """All files of a plugin, and where new ones of it would be."""
        plugin_id = subject.descriptor.id
        source = _plain(str(subject.descriptor.path.absolute()))
        beside, name = os.path.split(source)
        paths = [PurePosixPath(file.path) for file in files]
        names = {name, *(path.parts[0] for path in paths)}
        is_package = os.path.isdir(source)  # noqa: PTH112
        if not is_package:
            names |= {f"{_stem(name)}{suffix}" for suffix in _BESIDE_A_FILE}
        self._leads_to(beside)
        self._want(beside, Interest(plugin_id, frozenset(names), new_modules=not is_package))
        packages = {path.parts[0] for path in paths if len(path.parts) > 1} | {name}
        for package in packages:
            for folder in _folders_below(f"{beside}/{package}", None, follow=False):
                self._want(folder, Interest(plugin_id))
        for path in (source, *(f"{beside}/{file.path}" for file in files)):
            if os.path.islink(path):  # noqa: PTH114
                self._file(os.path.realpath(path), plugin_id)

    def _file(self, path: str, key: str) -> None:
        folder, name = os.path.split(path)
        self._want(folder, Interest(key, frozenset({name})))

    def _want(self, folder: str, interest: Interest) -> None:
        self._folders[folder][interest] = None

    def _leads_to(self, path: str) -> None:
        parent, name = os.path.split(path)
        if name:
            self._leading[parent].add(name)


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]  # noqa: PTH122


def _plain(path: str) -> str:
    """A path under a name of its own: a manifest may give one with `..` in it."""
    if "/../" not in path and not path.endswith("/.."):
        return path
    folder, name = os.path.split(path)
    return os.path.realpath(path) if name == ".." else f"{os.path.realpath(folder)}/{name}"


def _names_in(folder: str) -> Iterable[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return ()


def _folders_below(path: str, levels: int | None, *, follow: bool) -> Iterator[str]:
    """A folder and those in it, down so many levels; the folder itself in any case where it is a
    root, since it may come back.
    """
    pending = [(path, 0)]
    met: set[str] = set()
    while pending and len(met) < MOST_FOLDERS:
        folder, level = pending.pop(0)
        real = os.path.realpath(folder)
        if real in met:  # a link leads back
            continue
        met.add(real)
        inner = _inner_folders(folder, follow=follow)
        if inner is None:
            if follow and level == 0:
                yield folder
            continue
        yield folder
        if levels is None or level < levels:
            pending += [(one, level + 1) for one in inner]


def _inner_folders(folder: str, *, follow: bool) -> list[str] | None:
    """The folders in a folder; None where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return [
                f"{folder}/{entry.name}"
                for entry in entries
                if not is_passing(entry.name) and _is_folder(entry, follow=follow)
            ]
    except OSError:
        return None


def _is_folder(entry: os.DirEntry[str], *, follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:
        return False
