"""What a manager and its zygote say to each other, a message a packet.

The channel is a SOCK_SEQPACKET pair, so that a message and the descriptors that go with it arrive
together or not at all, and no length has to be believed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nebula_lab.agent.process_limits import ProcessLimits
from nebula_lab.confine.confinement import Confined

# The kernel holds whole packets in memory; by default it takes some 200 kB.
MAX_ORDER_SIZE = 1024 * 1024
MAX_REPORT_SIZE = 64 * 1024


class ZygoteMessage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The root of all messages."""


# Manager to zygote


class Fork(ZygoteMessage, tag=1, frozen=True, gc=False):
    """Make a host. With it come its channel, the owner's pidfd, its output, what its stacks are
    written to and its folder; and, where it is to have a proxy, a socket for the proxy's listener;
    then the entrances of its control group, if it gets one.

    Attributes:
        number: names the host from now on.
        title: what a list of processes shows.
        mark: found again by it; see `nebula_lab.agent.marking`.
        variables: the environment, `NAME=value` each.
        umask: of new files.
        limits: those of the manager now.
        arguments: the connection file and IPython's folder.
        confined: what it is to take from itself.
        has_proxy: whether there is such a socket.
    """

    number: int
    title: str
    mark: str
    variables: list[bytes]
    umask: int
    limits: ProcessLimits
    arguments: list[str]
    confined: Confined
    has_proxy: bool = False


class Reap(ZygoteMessage, tag=2, frozen=True, gc=False):
    """Give up a host that has exited: until now nobody else can have got its pid."""

    number: int


class Preload(ZygoteMessage, tag=3, frozen=True, gc=False):
    """Import a module, for all hosts to come; no order is read meanwhile."""

    module: str


# Zygote to manager


class Ready(ZygoteMessage, tag=10, frozen=True, gc=False):
    """Hosts can be forked from now on; nothing has been preloaded yet."""


class Preloaded(ZygoteMessage, tag=11, frozen=True, gc=False):
    """The module that was ordered has been tried. `failure`, if any, is why it is not there."""

    failure: str


class Unfit(ZygoteMessage, tag=12, frozen=True, gc=False):
    """The module that was ordered left threads behind, so nothing can be forked here any more."""

    reason: str


class Forked(ZygoteMessage, tag=13, frozen=True, gc=False):
    """The host is there. With it comes its pidfd."""

    number: int


class NotForked(ZygoteMessage, tag=14, frozen=True, gc=False):
    """There is no host."""

    number: int
    reason: str


class Reaped(ZygoteMessage, tag=15, frozen=True, gc=False):
    """A host that was to be given up has been; what it had used, with what it had waited for.

    Attributes:
        peak_memory: bytes in memory at a time, at most.
        processor_time: seconds.
    """

    number: int
    peak_memory: int
    processor_time: float


Order = Fork | Reap | Preload
Report = Ready | Preloaded | Unfit | Forked | NotForked | Reaped
_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def encode(message: ZygoteMessage) -> bytes:
    return _encoder.encode(message)


def decode_order(data: bytes) -> Any:
    """An order of the manager's.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _orders.decode(data)


def decode_report(data: bytes) -> Any:
    """A report of a zygote's.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _reports.decode(data)
