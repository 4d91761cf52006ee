"""Both ends of a channel in one process, and what to count there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from queue import SimpleQueue

from nebula_lab.link.borrower import Borrower
from nebula_lab.link.channel import Channel
from nebula_lab.link.freight import Freight
from nebula_lab.link.lender import Lender
from nebula_lab.link.warm_memory import WarmMemory
from nebula_lab.wire.messages import COOKIE, PROTOCOL_VERSIONS, Call, Hello, Reply, Welcome
from nebula_lab.wire.protocol import Connection
from nebula_lab.wire.values import decode_value, encode_value

KEPT = 64 * 1024 * 1024


class End:
    """One end; what arrives for it waits in a box."""

    def __init__(self, sock, side, freight) -> None:
        self.box = SimpleQueue()
        self.freight = freight
        self.channel = Channel(sock, Connection(side), self.box.put, freight)

    def send(self, message, timeout=10.0):
        self.channel.send(message, timeout)

    def get(self, timeout=10.0):
        return self.channel.get(self.box, timeout)


class Pair:
    """A manager's end and a host's in one process. What is large fits into no socket, so each
    side's sending reads for the other: `ask` and `answer` send from a thread of their own."""

    def __init__(self, ours, theirs, threads) -> None:
        self.manager, self.host, self._threads = ours, theirs, threads
        self.host.send(Hello(COOKIE, list(PROTOCOL_VERSIONS), 1, "3.11"))
        self.manager.get()
        self.manager.send(Welcome(PROTOCOL_VERSIONS[0]))
        self.host.get()

    def pass_on(self, sender, receiver, message):
        sending = self._threads.submit(sender.send, message)
        try:
            return receiver.get()
        finally:
            sending.result(10)

    def to_host(self, value, number=1):
        """A call's params as the host gets them."""
        call = Call(number, "operation", "x", encode_value(value, "params"), 0)
        return self.pass_on(self.manager, self.host, call)

    def to_manager(self, value, number=1):
        """A result as the manager gets it."""
        reply = Reply(number, encode_value(value, "result"))
        return self.pass_on(self.host, self.manager, reply)

    def given(self, value):
        """What a plugin is given."""
        return decode_value(self.to_host(value).params, is_frozen=True)

    def returned(self, value):
        """What a caller gets back."""
        return decode_value(self.to_manager(value).result)

    def echoed(self, value):
        return self.returned(self.given(value))

    def close(self) -> None:
        self.manager.channel.close()
        self.host.channel.close()


def shared_memory():
    return Lender(WarmMemory(KEPT)), Borrower(WarmMemory(0))


def over_the_socket():
    return Freight(WarmMemory(KEPT)), Freight(WarmMemory(0), is_trusted=True)


def descriptors() -> int:
    """How many this process has.

    Of several looks the one that saw the fewest: another thread may be reading for a moment what a
    host uses, say.
    """
    return min(len(list(Path("/proc/self/fd").iterdir())) for _ in range(5))


def targets() -> list[str]:
    """What the descriptors of this process lead to."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # it has been closed meanwhile
            found.append(str(entry.readlink()))
    return found


def resident() -> int:
    """Bytes of memory that this process has, shared ones included."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def segments_here() -> list[str]:
    """The descriptors of segments that this process has."""
    of_ours = [target for target in targets() if target.startswith("/memfd:nebula-")]
    return [target for target in of_ours if "-stacks" not in target]
