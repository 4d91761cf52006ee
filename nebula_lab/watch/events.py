"""What a folder tells of the names in it."""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct

__all__ = ["FolderEvent", "Kind"]


class Kind(Enum):
    """What happened to a name.

    Attributes:
        WRITING: somebody writes to it and has not closed it yet.
        DONE: it is as somebody wants it to be: closed, moved there, linked, made as a folder.
        WENT: it is gone from there.
        LOST: the folder itself is no longer what is watched.
        OVERFLOW: there was too much to tell; anything may have happened.
    """

    WRITING = auto()
    DONE = auto()
    WENT = auto()
    LOST = auto()
    OVERFLOW = auto()


class FolderEvent(Struct, frozen=True):
    """Something happened in a folder.

    Attributes:
        folder: the path that it is watched by.
        name: in it; "" where it is about the folder itself.
        kind: what happened.
        at: by the clock of `time.monotonic`.
    """

    folder: str
    name: str
    kind: Kind
    at: float

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}"
