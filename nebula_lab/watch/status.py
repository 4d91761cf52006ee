"""How files are watched, as people and programs are told."""

from __future__ import annotations

from msgspec import Struct

from nebula_lab.plugin.showing import mime_bundle

__all__ = ["WatchStatus", "WatchedFolder"]


class WatchedFolder(Struct, frozen=True):
    """A folder that is watched.

    Attributes:
        path: the folder.
        how: "inotify" where the kernel tells of changes, "polling" where the folder is looked at
            once a second, "both" where the kernel does not tell of all changes.
        why: the reason for polling; "" where there is none.
    """

    path: str
    how: str
    why: str = ""


class WatchStatus(Struct, frozen=True):
    """Whether files are watched, and how.

    Attributes:
        on: whether changes are acted upon. The work begins with the first plugin that is loaded.
        running: whether it has begun.
        plugins: the ids of the loaded plugins whose files are watched.
        folders: the folders, by path.
    """

    on: bool
    running: bool = False
    plugins: tuple[str, ...] = ()
    folders: tuple[WatchedFolder, ...] = ()

    _repr_mimebundle_ = mime_bundle

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there is polling, each reason once."""
        return tuple(dict.fromkeys(folder.why for folder in self.folders if folder.why))
