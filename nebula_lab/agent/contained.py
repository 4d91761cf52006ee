"""The start of a host in a container: `python -I -m nebula_lab.agent.contained DOOR`.

    init ── the first process there: it has nothing of a plugin, and ends as the host ended
      └─ host ── runs the plugin, and whatever it starts stays below one of the two

DOOR is a socket in a folder of the manager's that is shown in the container. Whoever connects
first is told what to become, with the descriptors that a host is started with elsewhere; then
nobody listens there any more. The connection stays init's, which says on it how the host ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from typing import NoReturn

import msgspec

from nebula_lab.confine import system
from nebula_lab.confine.confinement import Confined

_SIZE = 4
_DESCRIPTORS = 5
_SET_DUMPABLE = 4


class Order(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a host in a container is told.

    With it come the descriptors of the call channel, of the manager's process, for output, for
    stacks, and for a listener where it is to have a proxy.

    Attributes:
        arguments: for the kernel; none where it is to have none.
        variables: its environment.
        confined: what it takes from itself, beside what its container has taken.
        has_proxy: whether there is a fifth descriptor.
    """

    arguments: tuple[str, ...]
    variables: tuple[tuple[bytes, bytes], ...]
    confined: Confined
    has_proxy: bool


def send_order(to: socket.socket, order: Order, descriptors: list[int]) -> None:
    """Tell a host what to become.

    Raises:
        OSError: it is gone.
    """
    text = msgspec.msgpack.encode(order)
    socket.send_fds(to, [len(text).to_bytes(_SIZE, "little")], descriptors)
    to.sendall(text)


def _receive_order(door: socket.socket) -> tuple[Order, list[int]]:
    head, descriptors, _, _ = socket.recv_fds(door, _SIZE, _DESCRIPTORS)
    left = int.from_bytes(head, "little")
    text = b""
    while len(text) < left:
        more = door.recv(left - len(text))
        if not more:
            raise ConnectionError("the manager hung up")
        text += more
    return msgspec.msgpack.decode(text, type=Order), descriptors


def main(path: str) -> NoReturn:
    """Be the first process of a container.

    Raises:
        OSError: there is no manager behind the door.
    """
    door = socket.socket(socket.AF_UNIX)
    door.connect(path)
    # Both are one user's: a plugin could write code into the first process by way of /proc, and
    # that has no filter. It is hidden before there is another.
    _set_dumpable(False)
    host = os.fork()
    if host:
        _be_init(host, door)
    _set_dumpable(True)
    _be_host(door)


def _set_dumpable(is_it: bool) -> None:
    system.libc("prctl", _SET_DUMPABLE, int(is_it), 0, 0, 0)


def _be_host(door: socket.socket) -> NoReturn:
    from nebula_lab.agent.host import run

    os.setsid()
    order, descriptors = _receive_order(door)
    own = os.pidfd_open(os.getpid())
    socket.send_fds(door, [b"."], [own])
    os.close(own)
    door.close()
    channel, owner, output, stacks, *more = descriptors
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    os.environ.clear()
    for name, value in order.variables:
        os.environb[name] = value
    signal.signal(signal.SIGINT, signal.default_int_handler)
    order.confined.enter(more[0] if order.has_proxy else -1)
    run(channel, owner, stacks, list(order.arguments), order.confined)


def _be_init(host: int, door: socket.socket) -> NoReturn:
    """Wait for what ends here, until the host does."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    while True:
        pid, status = os.wait()
        if pid == host:
            break
    code = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(OSError):  # nobody wants to know
        door.send(str(code).encode())
    # The kernel ends all others here with us.
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(sys.argv[1])
