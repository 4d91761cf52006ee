"""What of other people's files a host is given: the very things that the manager decided about."""

from __future__ import annotations

import ctypes
import errno
import os

import msgspec

from nebula_lab.confine import system

_AT_FDCWD = -100
_NO_LINKS = 0x02 | 0x04  # neither those of /proc nor any other


class Grant(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file or folder that a plugin may use.

    Attributes:
        path: where it is, without links.
        device: `st_dev` of what was there when it was decided.
        inode: its `st_ino`.
        is_writable: whether the plugin may write to it.
        links: path and target of the links by which it was named; the plugin finds it by them.
    """

    path: str
    device: int
    inode: int
    is_writable: bool
    links: tuple[tuple[str, str], ...] = ()

    def is_there(self) -> bool:
        """Whether the same thing is still at its path."""
        try:
            os.close(self.opened())
        except OSError:
            return False
        return True

    def opened(self) -> int:
        """A descriptor of it, for its path alone (O_PATH).

        Raises:
            OSError: something else is in its place by now, or there is a link on the way.
        """
        descriptor = open_without_links(self.path)
        found = os.fstat(descriptor)
        if (found.st_dev, found.st_ino) != (self.device, self.inode):
            os.close(descriptor)
            raise OSError(errno.ESTALE, "it has been replaced since the plugin was granted it")
        return descriptor


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def open_without_links(path: str) -> int:
    """A descriptor of what is at a path, for the path alone (O_PATH).

    Raises:
        OSError: nothing is there, or there is a link on the way.
    """
    how = _OpenHow(os.O_PATH | os.O_CLOEXEC, 0, _NO_LINKS)
    return system.call(
        "openat2", _AT_FDCWD, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)
    )
