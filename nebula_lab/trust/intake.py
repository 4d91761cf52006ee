"""Takes files off the disk, each once, and none that a plugin has no business with."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from nebula_lab.errors import StoreError
from nebula_lab.model.ignored import is_ignored
from nebula_lab.trust.contents import StoredFile, is_plain_path

__all__ = ["Intake", "MOST_FILES", "MOST_BYTES"]

MOST_FILES = 10_000
MOST_BYTES = 256 * 2**20
# A fifo without a writer would block the open for ever, and a terminal would become ours.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_KINDS = {
    stat.S_IFIFO: "a fifo",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class Intake:
    """The files that were taken so far.

    Args:
        plugin_id: the plugin, for errors.

    Attributes:
        contents: the bytes of each file, by its path in the tree.
        files: the same files as values.
    """

    def __init__(self, plugin_id: str) -> None:
        self.contents: dict[str, bytes] = {}
        self.files: dict[str, StoredFile] = {}
        self._plugin_id = plugin_id
        self._bytes = 0
        self._entries = 0

    def file(self, path: Path, name: str, within: Path | None) -> None:
        """Take one file, links followed.

        Args:
            path: where it is.
            name: its path in the tree; one that is there already is not read again.
            within: the folder that it must really be in; None where it may be anywhere.

        Raises:
            StoreError: it can't be read, is not a regular file, is outside of `within`, or is one
                too many.
        """
        if name in self.contents:
            return
        if not is_plain_path(name):
            raise self._error(
                f"the name {name!r} can't be kept",
                path,
                "Rename it: no line breaks, control characters or backslashes, and UTF-8.",
            )
        self._count(path)
        try:
            content, mode = self._read(path, within)
        except OSError as error:
            raise self._unreadable(path, error) from error
        self.contents[name] = content
        executable = bool(mode & stat.S_IXUSR)
        self.files[name] = StoredFile(name, sha256(content).hexdigest(), len(content), executable)

    def folder(
        self, path: Path, name: str, wanted: Callable[[str], bool] = lambda name: True
    ) -> None:
        """Take all files below a folder whose names are `wanted`; as `file`, within that folder."""
        within = Path(os.path.realpath(path))
        pending = [(path, name)]
        while pending:
            folder, prefix = pending.pop()
            self._count(folder)
            for entry in self._listed(folder):
                child, child_name = folder / entry.name, f"{prefix}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append((child, child_name))
                elif entry.is_dir():
                    raise self._error(
                        "is a link to a folder",
                        child,
                        "Put the folder there in its place, or remove the link.",
                    )
                elif wanted(entry.name):
                    self.file(child, child_name, within)

    def _listed(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as found:
                return [entry for entry in found if not is_ignored(entry.name)]
        except OSError as error:
            raise self._unreadable(folder, error) from error

    def _read(self, path: Path, within: Path | None) -> tuple[bytes, int]:
        # Before it is opened, as opening a device can already have an effect; and once more
        # afterwards, as it may have been exchanged in between.
        self._check(path.stat(), path)
        descriptor = os.open(path, _OPEN_FLAGS)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            self._check(status, path)
            if within is not None:
                self._check_place(descriptor, path, within)
            content = file.readall()
        self._bytes += len(content)
        if self._bytes > MOST_BYTES:
            raise self._too_large(path)
        return content, status.st_mode

    def _check(self, status: os.stat_result, path: Path) -> None:
        if not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
            raise self._error(
                f"is {kind}, not a regular file", path, "Move it out of the plugin's folder."
            )
        if self._bytes + status.st_size > MOST_BYTES:
            raise self._too_large(path)

    def _check_place(self, descriptor: int, path: Path, within: Path) -> None:
        """Stop a link from making a file of the user's a part of a plugin, which may then read it.

        The kernel is asked where the open file is: the path may have been exchanged meanwhile.
        """
        try:
            place = Path(f"/proc/self/fd/{descriptor}").readlink()
        except OSError:  # a system without /proc
            place = Path(os.path.realpath(path))
        if not place.is_relative_to(within):
            raise self._error(
                f"leads out of {within}, to {place}",
                path,
                "Copy the file there in place of the link.",
            )

    def _count(self, path: Path) -> None:
        self._entries += 1
        if self._entries > MOST_FILES:
            raise self._error(
                f"has more than {MOST_FILES:,} files and folders",
                path.parent,
                "Keep data that is not a part of the plugin elsewhere.",
            )

    def _too_large(self, path: Path) -> StoreError:
        return self._error(
            f"its files have more than {MOST_BYTES // 2**20} MiB together",
            path,
            "Keep data that is not a part of the plugin elsewhere, and read it from there.",
        )

    def _unreadable(self, path: Path, error: OSError) -> StoreError:
        return self._error(
            f"can't be read: {error.strerror or error}",
            path,
            "Check that it is there, where it leads if it is a link, and that you may read it.",
        )

    def _error(self, message: str, path: Path, hint: str) -> StoreError:
        return StoreError(message, plugin_id=self._plugin_id, path=path, hint=hint)
