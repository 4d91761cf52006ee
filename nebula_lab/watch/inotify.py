"""Events of folders from the kernel, by way of watchdog.

watchdog's `Observer` is not used, but what it stands on: it has a thread for each folder, holds all
events of a folder back for half a second when a file is moved out of it, and says nothing when the
kernel's queue overflows, which means that saves go unseen.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from nebula_lab.watch.events import FolderEvent, Kind

__all__ = ["InotifyFolders"]

Report = Callable[[FolderEvent], None]

_COME_AND_GO = (
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
)
_EVERYTHING = Mask(
    _COME_AND_GO
    | InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_ATTRIB
)
# Two paths may lead to one folder, which has one mask: what less is wanted of is added to it.
_NAMES = Mask(_COME_AND_GO | InotifyConstants.IN_MASK_ADD)


class InotifyFolders:
    """Folders that the kernel tells of, on one thread for all.

    Args:
        report: told of each event, by that thread.

    Raises:
        OSError: there can be no more of these, EMFILE.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._folders: dict[str, tuple[WatchDescriptor, _Folder]] = {}
        self._inotify = InotifyFD()
        self._inotify.name = "nebula-inotify"
        self._inotify.start()

    def add(self, folder: str, *, names_only: bool) -> None:
        """Tell of what happens in a folder from now on.

        Args:
            folder: links on the way to it are followed.
            names_only: tell of names that come and go, and not of what is written.

        Raises:
            OSError: it is not there, or there can be no more of them, ENOSPC.
        """
        told = _Folder(folder, self._report)
        mask = _NAMES if names_only else _EVERYTHING
        number = self._inotify.add_callback(os.fsencode(folder), mask, told, told.number)
        self._folders[folder] = (number, told)
        if number == -1:  # watchdog passes over a folder that may not be read
            self.remove(folder)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)

    def remove(self, folder: str) -> None:
        """Tell no more of it."""
        number, told = self._folders.pop(folder)
        told.is_wanted = False
        self._inotify.remove_callbacks([(number, told.number)])

    def close(self) -> None:
        """Tell of nothing any more, and end the thread."""
        for _, told in self._folders.values():
            told.is_wanted = False
        self._folders.clear()
        self._inotify.stop()
        self._inotify.join()


class _Folder:
    """What watchdog calls for one folder."""

    def __init__(self, path: str, report: Report) -> None:
        self._path = path
        self._report = report
        self.number = CallbackId(id(self))
        self.is_wanted = True

    def on_event(self, event: InotifyEvent) -> None:
        name = os.fsdecode(event.name)
        if self.is_wanted:
            kind = self._kind(event, name)
            self._report(FolderEvent(self._path, name, kind, time.monotonic()))

    def _kind(self, event: InotifyEvent, name: str) -> Kind:
        if not name:
            own = event.is_delete_self or event.is_move_self
            return Kind.LOST if own else Kind.DONE
        if event.is_moved_from or event.is_delete:
            return Kind.WENT
        if event.is_directory:
            return Kind.DONE
        if event.is_modify or (event.is_create and _is_written(f"{self._path}/{name}")):
            return Kind.WRITING
        return Kind.DONE

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        if self.is_wanted:
            self._report(FolderEvent(self._path, "", Kind.LOST, time.monotonic()))

    def on_queue_overflow(self) -> None:
        if self.is_wanted:
            self._report(FolderEvent(self._path, "", Kind.OVERFLOW, time.monotonic()))


def _is_written(path: str) -> bool:
    """Whether a file that has just come is one that somebody opened, and so will close."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1
