"""Puts the files of one plugin into a folder of plugins, and nothing of anybody else's aside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nebula_lab.errors import EditedFilesError, InstallError
from nebula_lab.registry.installing.folder import PluginFolder
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.publishing.changes import Change

__all__ = ["place"]

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
    for file in record.files:
        change.take(file.path, written / file.path)
    for path in placing.obsolete():
        change.drop(path)
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

    def edited(self) -> list[str]:
        """Files that would go and are not as they were installed, or were never."""
        for file in self._record.files:
            self._require_room(file.path)
        there = [file.path for file in self._record.files if self._is_in_the_way(file.path)]
        going = [path for path in self.obsolete() if self._is_edited(path)]
        return sorted({*there, *going})

    def obsolete(self) -> list[str]:
        """What was installed before, and is no part of the plugin any more."""
        return [
            path
            for path in self._before
            if path not in self._record.paths and path not in self._owners
        ]

    def _is_in_the_way(self, path: str) -> bool:
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
        """Refuse to write through a link, or where a file is to be a folder or the reverse."""
        place = self._folder.root
        parts = path.split("/")
        for number, part in enumerate(parts):
            place = place / part
            if place.is_symlink():
                raise self._in_the_way(place, "is a link")
            is_last = number == len(parts) - 1
            if place.exists() and place.is_dir() == is_last:
                raise self._in_the_way(place, "is a folder" if is_last else "is a file")

    def _in_the_way(self, place: Path, said: str) -> InstallError:
        return InstallError(
            f"can't be put here: {place.name} {said}",
            plugin_id=self._record.id,
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
