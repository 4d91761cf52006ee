"""Puts the files of one plugin into a folder of plugins, and nothing of anybody else's aside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from nebula_lab.errors import EditedFilesError, InstallError
from nebula_lab.registry.installing.folder import PluginFolder
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.publishing.changes import Change

__all__ = ["place", "require_no_link"]

_SHOWN = 5


def place(
    folder: PluginFolder,
    change: Change,
    record: Installed,
    written: Path,
    installed: Mapping[str, Installed],
    replace: bool,
) -> str | None:
    """Have a plugin's files be in the folder once the change happens, and those before them gone.

    Args:
        folder: the folder; the change is one of it.
        change: gets them.
        record: what will be remembered of the plugin.
        written: a folder on the same file system that has its files.
        installed: what is remembered now.
        replace: whether files that somebody has edited are put aside.

    Returns:
        Where these are put, relative to the folder; None if there are none.

    Raises:
        EditedFilesError: there are some, and `replace` does not say so.
        InstallError: the files of another plugin, or something that is no file, are in the way.
    """
    placing = _Placing(folder, record, installed)
    edited = placing.edited()
    if edited and not replace:
        raise _edited(folder, record, edited)
    kept = folder.kept_path(record.id, record.version) if edited else None
    for path in edited:
        change.put(f"{kept}/{path}", (folder.root / path).read_bytes())
    # What goes, goes first: a folder may come where a file was, or the reverse.
    for path in placing.obsolete:
        change.drop(path)
    for file in record.files:
        change.take(file.path, written / file.path)
    folder.put_record(change, record)
    return kept


class _Placing:
    """What is in the way of one plugin."""

    def __init__(
        self, folder: PluginFolder, record: Installed, installed: Mapping[str, Installed]
    ) -> None:
        self._folder = folder
        self._record = record
        before = installed.get(record.id)
        self._before = {} if before is None else {one.path: one.sha256 for one in before.files}
        self._owners = {
            path: other.id
            for other in installed.values()
            if other.id != record.id
            for path in other.paths
        }
        # What was installed before, and is no part of the plugin any more.
        self.obsolete = [
            path for path in self._before if path not in record.paths and path not in self._owners
        ]

    def edited(self) -> list[str]:
        """Files that would go and are not as they were installed, or were never."""
        for path in self.obsolete:
            require_no_link(self._folder.root, path, self._record.id)
        for file in self._record.files:
            self._require_room(file.path)
        there = [file.path for file in self._record.files if self._is_in_the_way(file.path)]
        going = [path for path in self.obsolete if self._is_edited(path)]
        return sorted({*there, *going})

    def _is_in_the_way(self, path: str) -> bool:
        if (self._folder.root / path).is_dir():
            return False  # all that is in it goes, or there is no room
        wanted = next(file.sha256 for file in self._record.files if file.path == path)
        if not self._folder.is_other(path, wanted):
            return False
        if path in self._owners:
            raise InstallError(
                f"{path} is a file of the plugin {self._owners[path]} too, which has another one",
                plugin_id=self._record.id,
                path=self._folder.root / path,
                hint="The two can't be in one folder; install one of them into another.",
            )
        return self._is_edited(path)

    def _is_edited(self, path: str) -> bool:
        return self._folder.is_other(path, self._before.get(path, ""))

    def _require_room(self, path: str) -> None:
        """Refuse to write through a link, or where somebody's file is to be a folder or reverse."""
        require_no_link(self._folder.root, path, self._record.id)
        for parent in PurePosixPath(path).parents:
            place = self._folder.root / parent
            if place.exists() and not place.is_dir() and str(parent) not in self.obsolete:
                raise in_the_way(place, "is a file", self._record.id)
        place = self._folder.root / path
        if place.is_dir() and (others := self._others_in(place)):
            listed = ", ".join(others[:_SHOWN])
            said = f"is a folder, and has what is no part of the plugin: {listed}"
            raise in_the_way(place, said, self._record.id)

    def _others_in(self, place: Path) -> list[str]:
        """What is in a folder and does not go."""
        found = sorted(place.rglob("*"))
        inside = [
            one.relative_to(self._folder.root).as_posix()
            for one in found
            if one.is_symlink() or not one.is_dir()
        ]
        # An empty folder is somebody's too, as nobody would remove it.
        return [one for one in inside if one not in self.obsolete] or (
            [] if inside else ["nothing"]
        )


def require_no_link(root: Path, path: str, plugin_id: str, act: str = "put here") -> None:
    """Refuse to write or remove by way of a link, which may lead anywhere.

    Raises:
        InstallError: something on the way to a path, or what is there, is one.
    """
    place = root
    for part in path.split("/"):
        place = place / part
        if place.is_symlink():
            raise in_the_way(place, "is a link", plugin_id, act)


def in_the_way(place: Path, said: str, plugin_id: str, act: str = "put here") -> InstallError:
    """The error for something that is where a plugin's files are to be, or were."""
    return InstallError(
        f"can't be {act}: {place.name} {said}",
        plugin_id=plugin_id,
        path=place,
        hint="It is left as it is. Move it away first.",
    )


def _edited(folder: PluginFolder, record: Installed, files: list[str]) -> EditedFilesError:
    listed = ", ".join(files[:_SHOWN])
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return EditedFilesError(
        f"version {record.version} is not installed, as files that somebody has edited would be "
        f"replaced: {listed}{more}",
        files=files,
        plugin_id=record.id,
        path=folder.root,
        hint="With --replace (replace=True) they are moved to "
        f"{folder.kept_path(record.id, record.version)}. Nothing was changed.",
    )
