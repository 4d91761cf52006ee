"""What a confined plugin may have run into, told from what it raised."""

from __future__ import annotations

import errno
import socket

_BY_NUMBER = {
    errno.EMFILE: "handles",
    errno.ENFILE: "handles",
    errno.ENOSPC: "scratch",
    errno.EDQUOT: "scratch",
    errno.EFBIG: "scratch",
    errno.ENOMEM: "memory",
    errno.EROFS: "file",
    errno.ENETUNREACH: "network",
    errno.EHOSTUNREACH: "network",
    errno.ENETDOWN: "network",
    errno.EPERM: "permission",
    errno.EACCES: "permission",
    errno.ENOENT: "file",
}
_CAN_NOT_START = "can't start new thread"


def obstacle_of(error: BaseException) -> str:
    """One of `wire.messages.OBSTACLES`; the manager knows whether the plugin was confined there."""
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, RuntimeError):
        # Not its text: a `__str__` is the plugin's own, and may raise.
        return "threads" if _CAN_NOT_START in map(repr, error.args[:1]) else ""
    if isinstance(error, socket.gaierror):
        return "network"
    if isinstance(error, OSError) and type(error.errno) is int:
        return _BY_NUMBER.get(error.errno, "")
    return ""
