"""Descriptors beside bytes, over a Unix socket.

They come with the first byte of the message that announces them. On Linux, a read stops behind
bytes that had descriptors with them, so those of one message never come with those of another.
Looking for them costs half a microsecond a read, so nobody does who need not: the manager has the
kernel refuse them, and the host begins to look once arrays go between the two.
"""

from __future__ import annotations

import array
import contextlib
import socket
from collections.abc import Callable, Sequence
from functools import cache

from nebula_lab.link.freight import Freight, close_all
from nebula_lab.wire.errors import RemoteProtocolError

_ITEM = array.array("i").itemsize
# As plain numbers: the operators of the enum cost more than the system call.
_TRUNCATED = int(getattr(socket, "MSG_CTRUNC", 0))
_CLOSE_ON_EXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))
# Linux 6.16: without it on a socket, whoever sends descriptors there gets EPERM. Python has no
# name for it.
_SO_PASSRIGHTS = 83
Receive = Callable[[int], bytes]


def send_with(sock: socket.socket, data: bytes | memoryview, descriptors: Sequence[int]) -> int:
    """Send what goes of `data`, and the descriptors with it; how many bytes went."""
    rights = array.array("i", descriptors)
    return sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def receiver_of(sock: socket.socket, *, takes_any: bool) -> Receive:
    """What reads up to so many bytes from a socket, before any descriptors may come.

    Args:
        sock: to read from.
        takes_any: whether descriptors will be taken later; without, they are refused for good.
    """
    if takes_any or not hasattr(socket, "SCM_RIGHTS") or sock.family != socket.AF_UNIX:
        return sock.recv
    if _can_refuse():
        sock.setsockopt(socket.SOL_SOCKET, _SO_PASSRIGHTS, 0)
        return sock.recv
    return _refusing_receiver(sock)


def _refusing_receiver(sock: socket.socket) -> Receive:
    def receive(size: int) -> bytes:
        # There is no room for a descriptor, so the kernel closes what comes, and says so.
        data, _, flags, _ = sock.recvmsg(size)
        if flags & _TRUNCATED:
            raise RemoteProtocolError("descriptors, which nobody takes from a host")
        return data

    return receive


@cache
def _can_refuse() -> bool:
    """Whether this kernel refuses descriptors at the sender's; tried, not guessed."""
    ours, theirs = socket.socketpair()
    with ours, theirs, contextlib.suppress(OSError):
        ours.setsockopt(socket.SOL_SOCKET, _SO_PASSRIGHTS, 0)
        try:
            send_with(theirs, b"?", [theirs.fileno()])
        except PermissionError:
            return True
    return False


def receiver_of_descriptors(sock: socket.socket, freight: Freight) -> Receive:
    """What reads up to so many bytes, and gives `freight` the descriptors that come with them."""
    room = socket.CMSG_SPACE(freight.takes_descriptors * _ITEM)

    def receive(size: int) -> bytes:
        data, ancillary, flags, _ = sock.recvmsg(size, room, _CLOSE_ON_EXEC)
        if ancillary:
            descriptors = _descriptors_in(ancillary)
            if flags & _TRUNCATED:
                close_all(descriptors)
                raise RemoteProtocolError("more descriptors than may come with one message")
            freight.descriptors_arrived(descriptors)
        return data

    return receive


def _descriptors_in(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % _ITEM])
    return list(found)
