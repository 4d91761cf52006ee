"""Keeps watch on a changing set of folders: by inotify where it works, by polling where not."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nebula_lab.watch.events import FolderEvent
from nebula_lab.watch.mounts import why_to_poll
from nebula_lab.watch.polling import PolledFolders
from nebula_lab.watch.status import WatchedFolder

if TYPE_CHECKING:
    from nebula_lab.watch.inotify import InotifyFolders

__all__ = ["Folders"]

_Identity = tuple[int, int]
_LIMITS: Mapping[int, str] = {
    errno.EMFILE: "there is no inotify instance left; raise fs.inotify.max_user_instances",
    errno.ENFILE: "there is no file descriptor left for inotify",
    errno.ENOSPC: "there is no inotify watch left; raise fs.inotify.max_user_watches",
    errno.ENOMEM: "there is no memory left for inotify",
    errno.EACCES: "the folder may not be read",
}


class _Watched:
    """What is known of one folder."""

    __slots__ = ("identity", "names_only", "told", "why")

    def __init__(self, identity: _Identity | None, names_only: bool) -> None:
        self.identity = identity
        self.names_only = names_only
        self.told = False  # by inotify
        self.why = ""  # it is polled


class Folders:
    """The folders that are watched now.

    A path stands for whatever folder it leads to: when that is another one than before, the new
    one is watched. Only `report` is called by other threads than the owner's.

    Args:
        report: told of each event.
    """

    def __init__(self, report: Callable[[FolderEvent], None]) -> None:
        self._report = report
        self._watched: dict[str, _Watched] = {}
        self._polled = PolledFolders(report)
        self._inotify: InotifyFolders | None = None
        self._without_inotify = ""
        self._start_inotify()

    def _start_inotify(self) -> None:
        try:
            from nebula_lab.watch.inotify import InotifyFolders

            self._inotify = InotifyFolders(self._report)
        except OSError as error:
            self._without_inotify = _LIMITS.get(error.errno or 0, f"inotify says: {error}")
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            # Its lower parts are no public interface of watchdog, and there is none but on Linux.
            self._without_inotify = f"this watchdog has no inotify that is known here: {error!r}"

    @property
    def has_polled(self) -> bool:
        return len(self._polled) > 0

    def status(self) -> tuple[WatchedFolder, ...]:
        """Each folder, and how it is watched."""
        return tuple(
            WatchedFolder(path, _how(one), one.why)
            for path, one in sorted(self._watched.items())
            if one.identity is not None or one.why
        )

    def update(self, wanted: Mapping[str, bool]) -> set[str]:
        """Watch these folders and no others.

        Args:
            wanted: folders; true for one of which only names that come and go matter.

        Returns:
            Those that were watched before and are other folders now, or have come or gone.
        """
        for path in [path for path in self._watched if path not in wanted]:
            self._remove(path)
        changed = set()
        for path, names_only in wanted.items():
            known = self._watched.get(path)
            identity = _identity(path)
            if known is not None:
                if known.identity == identity and known.names_only == names_only:
                    continue
                if known.identity != identity:
                    changed.add(path)
                self._remove(path)
            self._add(path, _Watched(identity, names_only))
        return changed

    def lost(self, path: str) -> None:
        """Take a folder for another one, even if it has the number of the one that was deleted."""
        known = self._watched.get(path)
        if known is not None:
            self._end_inotify(path, known)
            known.identity = None

    def poll(self) -> None:
        """Look at the folders that are polled."""
        self._polled.poll()

    def close(self) -> None:
        """Watch nothing any more."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None

    def _add(self, path: str, one: _Watched) -> None:
        self._watched[path] = one
        if one.identity is None:
            return  # the folder above it tells when it comes, and so does the next update
        one.why = self._tell(path, one) or why_to_poll(path) or ""
        if one.why:
            self._polled.add(path)

    def _tell(self, path: str, one: _Watched) -> str:
        """Have inotify tell of a folder; why it does not, or ""."""
        if self._inotify is None:
            return self._without_inotify
        try:
            self._inotify.add(path, names_only=one.names_only)
        except OSError as error:
            reason = _LIMITS.get(error.errno or 0, "")
            if not reason:
                one.identity = None  # it has gone meanwhile
            return reason
        one.told = True
        return ""

    def _remove(self, path: str) -> None:
        self._end_inotify(path, self._watched.pop(path))
        self._polled.remove(path)

    def _end_inotify(self, path: str, one: _Watched) -> None:
        if one.told and self._inotify is not None:
            self._inotify.remove(path)
        one.told = False


def _identity(path: str) -> _Identity | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - for many at once
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _how(one: _Watched) -> str:
    if not one.why:
        return "inotify"
    return "both" if one.told else "polling"
