"""Removes a folder that a plugin wrote to, whatever it has made of it.

A plugin may have nested folders thousands deep, so that paths are too long and recursion ends, and
have made some that it may not even read itself.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import NamedTuple

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_ALL = stat.S_IRWXU


class _Level(NamedTuple):
    """A folder on the way down; the last of its folders is the one that we are in."""

    identity: tuple[int, int]
    folders: list[str]


def remove(path: str) -> None:
    """Remove a folder with everything in it, as far as that can be done.

    Links are removed and not followed. Nothing of what made it may run any more.

    Args:
        path: of the folder; nothing happens where there is none.
    """
    parent, name = os.path.split(path)
    with contextlib.suppress(OSError):
        removal = _Removal(parent, name)
        try:
            removal.run()
        finally:
            removal.close()


class _Removal:
    """Of one folder. However deep it goes, it is in one folder at a time, by its descriptor."""

    def __init__(self, parent: str, name: str) -> None:
        self._here = os.open(parent or ".", _FOLDER)
        self._levels = [_Level(_identity(self._here), [name])]

    def run(self) -> None:
        while self._levels:
            folders = self._levels[-1].folders
            if not folders:
                self._levels.pop()
                if self._levels and not self._go_up():
                    return
            elif not self._go_down(folders[-1]):
                self._remove_last()

    def close(self) -> None:
        os.close(self._here)

    def _go_down(self, name: str) -> bool:
        below = _enter(self._here, name)
        if below < 0:
            return False
        self._go(below)
        self._levels.append(_Level(_identity(below), _empty(below)))
        return True

    def _go_up(self) -> bool:
        """Go back to where we came from, and remove where we were."""
        self._go(os.open("..", _FOLDER, dir_fd=self._here))
        if _identity(self._here) != self._levels[-1].identity:
            return False  # it was moved, and what is around it now may be anything
        self._remove_last()
        return True

    def _remove_last(self) -> None:
        with contextlib.suppress(OSError):
            os.rmdir(self._levels[-1].folders.pop(), dir_fd=self._here)

    def _go(self, there: int) -> None:
        self._here, before = there, self._here
        os.close(before)


def _enter(here: int, name: str) -> int:
    """A descriptor of a folder in a folder, in which we may do everything; -1 if there is none."""
    flags = _FOLDER | os.O_NOFOLLOW
    try:
        try:
            below = os.open(name, flags, dir_fd=here)
        except PermissionError:
            _open_up(here, name)
            below = os.open(name, flags, dir_fd=here)
    except OSError:
        return -1
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(os.fstat(below).st_mode)
        if mode & _ALL != _ALL:
            os.fchmod(below, mode | _ALL)
    return below


def _open_up(here: int, name: str) -> None:
    """Give ourselves all rights in a folder that we may not read.

    Raises:
        OSError: it is not ours, or no folder.
    """
    found = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
    try:
        os.chmod(f"/proc/self/fd/{found}", _ALL)  # noqa: PTH101 - by its name, a link is followed
    finally:
        os.close(found)


def _empty(here: int) -> list[str]:
    """Remove what are no folders in a folder; the names of those that are."""
    folders: list[str] = []
    with contextlib.suppress(OSError):
        for name in os.listdir(here):
            with contextlib.suppress(OSError):
                try:
                    os.unlink(name, dir_fd=here)
                except IsADirectoryError:
                    folders.append(name)
    return folders


def _identity(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino
