"""Events of folders whose file system gives none: they are looked at again and again."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping

from nebula_lab.watch.events import FolderEvent, Kind
from nebula_lab.watch.names import is_passing

__all__ = ["PolledFolders"]

_Signature = tuple[int, ...]


class PolledFolders:
    """Folders that are compared with what they were before.

    Args:
        report: told of each difference, by the thread that calls `poll`.
    """

    def __init__(self, report: Callable[[FolderEvent], None]) -> None:
        self._report = report
        self._folders: dict[str, Mapping[str, _Signature] | None] = {}

    def __len__(self) -> int:
        return len(self._folders)

    def add(self, folder: str) -> None:
        """Tell of what happens in a folder from now on; it need not be there yet."""
        if folder not in self._folders:
            self._folders[folder] = _signatures(folder)

    def remove(self, folder: str) -> None:
        """Tell no more of it."""
        self._folders.pop(folder, None)

    def poll(self) -> None:
        """Look at all of them once."""
        for folder, before in list(self._folders.items()):
            now = _signatures(folder)
            if now == before:
                continue
            self._folders[folder] = now
            at = time.monotonic()
            if now is None or before is None:
                self._report(FolderEvent(folder, "", Kind.LOST, at))
                continue
            for name in before.keys() | now.keys():
                if before.get(name) != now.get(name):
                    kind = Kind.DONE if name in now else Kind.WENT
                    self._report(FolderEvent(folder, name, kind, at))


def _signatures(folder: str) -> Mapping[str, _Signature] | None:
    """What tells one state of each file in a folder from the next; None where there is none."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_passing(entry.name):
                    found[entry.name] = _signature(entry)
    except OSError:
        return None
    return found


def _signature(entry: os.DirEntry[str]) -> _Signature:
    try:
        status = entry.stat()  # of what a link leads to
    except OSError:
        return ()
    if stat.S_ISDIR(status.st_mode):  # its times tell of what is in it, which is another's affair
        return status.st_dev, status.st_ino
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
