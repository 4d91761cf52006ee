"""The manager's end of the channel to a zygote, which is as hostile as what it has imported."""

from __future__ import annotations

import array
import contextlib
import os
import socket
from typing import Any

import msgspec

from nebula_lab.agent.zygote_messages import (
    MAX_REPORT_SIZE,
    ZygoteMessage,
    decode_report,
    encode,
)
from nebula_lab.sandbox import pidfds

# One is sent at most. Room for more, so that what is too many is seen and not just cut off.
_ROOM = 8


class ZygoteError(Exception):
    """There will be no host from this zygote."""


class ZygoteSocket:
    """Sends orders and takes reports; never waits.

    Args:
        sock: a SOCK_SEQPACKET socket; becomes this object's own.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, order: ZygoteMessage, *descriptors: int) -> None:
        """Send an order whole.

        Raises:
            ZygoteError: it does not read, it is gone, or the order is larger than a packet.
        """
        try:
            socket.send_fds(self._socket, [encode(order)], list(descriptors))
        except OSError as error:
            raise ZygoteError(f"it takes no orders: {error.strerror}") from error

    def receive(self) -> tuple[Any, list[int]] | None:
        """A report and its descriptors, which are the caller's then; None without one.

        Raises:
            ZygoteError: it hung up, or what it sent makes no sense. Nothing stays open.
        """
        descriptors: list[int] = []
        try:
            return self._receive(descriptors)
        except BlockingIOError:
            return None
        except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            close_all(descriptors)
            raise ZygoteError(f"it sent what makes no sense: {error}") from error
        except ZygoteError:
            close_all(descriptors)
            raise

    def _receive(self, descriptors: list[int]) -> tuple[Any, list[int]]:
        space = socket.CMSG_SPACE(_ROOM * array.array("i").itemsize)
        data, ancillary, flags, _ = self._socket.recvmsg(
            MAX_REPORT_SIZE, space, socket.MSG_CMSG_CLOEXEC
        )
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                received = array.array("i")
                received.frombytes(content[: len(content) - len(content) % received.itemsize])
                descriptors += received
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise ZygoteError("it sent more than a report holds")
        if not data:
            raise ZygoteError("it hung up")
        return decode_report(data), descriptors

    def close(self) -> None:
        self._socket.close()


def child_behind(descriptors: list[int], parent: int) -> int:
    """The pid of the one child that was sent as a pidfd.

    It must be a child of the zygote's, or we would signal a stranger.

    Raises:
        ZygoteError: it is not, or what was sent is something else.
    """
    if len(descriptors) != 1:
        raise ZygoteError(f"it sent {len(descriptors)} descriptors for one process")
    try:
        pid = pidfds.pid_of(descriptors[0])
        is_child = pidfds.parent_of(pid) == parent
        # Again: only while it is there does its number mean it.
        is_child = is_child and pidfds.pid_of(descriptors[0]) == pid
    except (OSError, ValueError) as error:
        raise ZygoteError(f"what it sent is {error}") from error
    if not is_child:
        raise ZygoteError("what it sent is the pidfd of a process that is not its child")
    return pid


def close_all(descriptors: list[int]) -> None:
    """Close descriptors that came from elsewhere and are of no use."""
    while descriptors:
        with contextlib.suppress(OSError):  # what closing a file of a stranger's gives is no matter
            os.close(descriptors.pop())
