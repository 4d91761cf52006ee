"""A network namespace of which one port leads out: a listener that somebody else serves."""

from __future__ import annotations

import fcntl
import os
import socket
import struct

# In each such namespace it is the same: there is nothing else in there.
PORT = 3128
_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914
_UP = 1
_REQUEST = struct.Struct("16sH22x")  # struct ifreq


def offer_listener(descriptor: int) -> None:
    """Listen on PORT of the loopback interface, and hand the listener over.

    Args:
        descriptor: of a Unix socket; whoever has its other end is to serve. It is closed.

    Raises:
        OSError: this is no network namespace of the process's own.
    """
    with socket.socket(fileno=descriptor) as server, socket.socket() as listener:
        _switch_on(listener)
        listener.bind(("127.0.0.1", PORT))
        listener.listen()
        socket.send_fds(server, [b"."], [listener.fileno()])


def _switch_on(sock: socket.socket) -> None:
    name = b"lo"
    found = fcntl.ioctl(sock, _GET_FLAGS, _REQUEST.pack(name, 0))
    flags: int = _REQUEST.unpack(found)[1]
    if not flags & _UP:  # as a container's is, where nobody may set it
        fcntl.ioctl(sock, _SET_FLAGS, _REQUEST.pack(name, flags | _UP))


def variables() -> dict[str, str]:
    """What programs look at to find the port."""
    address = f"http://127.0.0.1:{PORT}"
    names = ("http_proxy", "https_proxy", "all_proxy")
    given = dict.fromkeys((*names, *map(str.upper, names)), address)
    return given | {"no_proxy": "", "NO_PROXY": ""}


def received_listener(descriptor: int) -> socket.socket:
    """The listener that was handed over; what else comes is refused.

    Args:
        descriptor: the other end.

    Raises:
        OSError: nothing has come, or it is no socket that listens.
    """
    with socket.socket(fileno=os.dup(descriptor)) as server:
        server.setblocking(False)
        _, descriptors, _, _ = socket.recv_fds(server, 1, 1)
    if len(descriptors) != 1:
        for one in descriptors:
            os.close(one)
        raise OSError(f"{len(descriptors)} descriptors came in place of a listener")
    listener = socket.socket(fileno=descriptors[0])
    if listener.family != socket.AF_INET or not listener.getsockopt(
        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
    ):
        listener.close()
        raise OSError("what came in place of a listener is none")
    return listener
