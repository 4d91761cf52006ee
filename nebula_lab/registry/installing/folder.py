"""A folder of plugins, as far as installing is concerned.

    .nebula-lab/lock                held by who installs
    .nebula-lab/installed/ID.json   what was installed, and from where
    .nebula-lab/kept/ID-before-…/   files that somebody had edited and that were replaced
    .nebula-lab/change.json, new-*  what is about to happen; see `publishing.changes`

Several files change together or not at all, also if the process is killed in the middle: whoever
comes next finishes what was begun.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from nebula_lab.errors import (
    InstallError,
    StoreError,
    UnfinishedChangeError,
    UnfinishedInstallError,
)
from nebula_lab.registry.installing.record import Installed, read_record, record_bytes
from nebula_lab.registry.publishing.changes import Change, finish_change
from nebula_lab.trust import locks

__all__ = ["PluginFolder", "finish_installs", "installed_from"]

_PRIVATE = ".nebula-lab"
# Seconds. Who holds a folder has its downloads already, or few that are still to come.
_PATIENCE = 120.0


class PluginFolder(Struct, frozen=True):
    """Making one touches nothing.

    Attributes:
        root: the folder.
    """

    root: Path

    @property
    def private(self) -> Path:
        """What is not a plugin: it begins with a dot, so that nobody looks for one there."""
        return self.root / _PRIVATE

    def record_path(self, plugin_id: str) -> str:
        """Where a plugin is remembered, relative to the folder."""
        return f"{_PRIVATE}/installed/{plugin_id}.json"

    def installed(self) -> dict[str, Installed]:
        """What was installed, by id.

        Raises:
            InstallError: what is remembered of a plugin can't be read.
        """
        files = sorted((self.private / "installed").glob("*.json"))
        return {record.id: record for record in map(read_record, files)}

    def edited(self, record: Installed) -> list[str]:
        """The files of a plugin that are others than those that were installed, if still there."""
        return [file.path for file in record.files if self.is_other(file.path, file.sha256)]

    def is_other(self, path: str, digest: str) -> bool:
        """Whether there is something at a path that has not this hash."""
        place = self.root / path
        if not place.exists() and not place.is_symlink():
            return False
        try:
            return sha256(place.read_bytes()).hexdigest() != digest
        except OSError:
            return True

    def kept_path(self, plugin_id: str, version: str) -> str:
        """A place for files that a version replaces, relative to the folder; nothing is there."""
        number = 1
        while (self.private / "kept" / f"{plugin_id}-before-{version}-{number}").exists():
            number += 1
        return f"{_PRIVATE}/kept/{plugin_id}-before-{version}-{number}"

    @property
    def is_unfinished(self) -> bool:
        """Whether a change has been decided that is not in its place yet."""
        return (self.private / "change.json").exists()

    @contextmanager
    def changing(
        self,
        *,
        patience: float = _PATIENCE,
        waiting: Callable[[float], object] = lambda waited: None,
    ) -> Iterator[Change]:
        """Change the folder, alone; what is put into the change happens at its end, as a whole.

        Args:
            patience: seconds to wait for others who are at it.
            waiting: is told now and then for how many seconds it has been waited for them.

        Raises:
            UnfinishedInstallError: it has happened, and not every file is in its place yet.
            InstallError: the folder can't be written, or another process holds it for too long.
        """
        lock, of = self.private / "lock", f"the folder of plugins {self.root}"
        try:
            self.private.mkdir(mode=0o755, parents=True, exist_ok=True)
            if self.private.is_symlink():
                raise _is_link(self.private)
            with locks.exclusive(lock, of, patience=patience, waiting=waiting):
                self._finish()
                self._tidy()
                yield from self._one_change()
        except OSError as error:
            raise InstallError(
                f"the folder of plugins can't be written: {error.strerror or error}",
                path=error.filename or self.root,
                hint="Nothing was installed. Check that there is room, and that you may write "
                "there.",
            ) from error
        except UnfinishedChangeError as error:
            raise UnfinishedInstallError(error.message, path=error.path, hint=error.hint) from error
        except StoreError as error:
            raise InstallError(error.message, path=error.path, hint=error.hint) from error

    def _one_change(self) -> Iterator[Change]:
        change = Change(self.root, self.private)
        try:
            yield change
            change.require_inside()
        except BaseException:
            change.abandon()
            raise
        change.commit()

    def _finish(self) -> None:
        """Carry out what was decided before; without that, nothing else is begun."""
        try:
            finish_change(self.root, self.private)
        except OSError as error:
            raise InstallError(
                "what was to happen in the folder of plugins before can't be finished, as it "
                f"can't be written: {error.strerror or error}",
                path=error.filename2 or error.filename or self.root,
                hint="Nothing else was begun. Check that there is room, that you may write there, "
                "and that nothing is in the way.",
            ) from error

    def _tidy(self) -> None:
        """Remove what processes that were killed have left; the caller holds the lock."""
        for folder in self.private.glob("unpack-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def put_record(self, change: Change, record: Installed) -> None:
        """Have a plugin be remembered."""
        change.put(self.record_path(record.id), record_bytes(record))


def _is_link(place: Path) -> InstallError:
    return InstallError(
        f"can't be used: {place.name} is a link, and what is remembered would be kept elsewhere",
        path=place,
        hint="Nothing was changed. Move it away first.",
    )


def finish_installs(root: Path) -> None:
    """Finish what a process that was killed had begun in a folder of plugins.

    Raises:
        InstallError: as `PluginFolder.changing`.
    """
    with PluginFolder(root).changing():
        return  # each change begins with what was left of the one before


def installed_from(plugin_id: str, path: Path) -> str | None:
    """The registry that a plugin was installed from; None for one of somebody's own.

    Args:
        plugin_id: the plugin.
        path: its file or folder.

    Raises:
        InstallError: what is remembered of it can't be read.
    """
    for folder in map(PluginFolder, path.parents):
        record = folder.root / folder.record_path(plugin_id)
        if record.is_file() and folder.root / (found := read_record(record)).source == path:
            return found.registry
    return None
