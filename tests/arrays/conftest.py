"""Both ends of a channel with the greetings behind them, by either way that arrays travel."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import textwrap
import warnings
from pathlib import Path
from queue import SimpleQueue

import pytest

from nebula_lab import PluginManager, UnenforcedWarning
from nebula_lab.link.borrower import Borrower
from nebula_lab.link.channel import Channel
from nebula_lab.link.freight import Freight
from nebula_lab.link.lender import Lender
from nebula_lab.link.warm_memory import WarmMemory
from nebula_lab.wire.messages import COOKIE, PROTOCOL_VERSIONS, Call, Hello, Reply, Welcome
from nebula_lab.wire.protocol import Connection, Side
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


@pytest.fixture(scope="session")
def threads():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def make_pair(threads):
    made = []

    def make(freights=shared_memory):
        ours, theirs = socket.socketpair()
        lender, borrower = freights()
        pair = Pair(End(ours, Side.MANAGER, lender), End(theirs, Side.HOST, borrower), threads)
        made.append(pair)
        return pair

    yield make
    for pair in made:
        pair.close()


@pytest.fixture
def pair(make_pair):
    """Ends that share memory."""
    return make_pair()


@pytest.fixture(params=[shared_memory, over_the_socket], ids=["memory", "socket"])
def either(request, make_pair):
    """Ends that share memory, or have nothing but the socket."""
    return make_pair(request.param)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def resident() -> int:
    """Bytes of memory that this process has, shared ones included."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(autouse=True)
def no_segment_is_left(nothing_is_left_behind):
    """After each test: no descriptor of a segment. Their managers and pairs are closed by then."""
    yield
    gc.collect()
    assert segments_here() == []


def segments_here() -> list[str]:
    """The descriptors of segments that this process has."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the listing's own
            found.append(str(entry.readlink()))
    return [target for target in found if target.startswith("/memfd:nebula-")]


@pytest.fixture
def folder(tmp_path):
    """A folder to write plugins into."""
    path = tmp_path / "plugins"
    path.mkdir()
    return path


@pytest.fixture
def write(folder):
    """Writes a plugin of one class, given its methods."""

    def write(plugin_id, methods, header="", **metadata):
        described = {"id": plugin_id, "version": "1.0.0", **metadata}
        indented = textwrap.indent(textwrap.dedent(methods), "    ")
        (folder / f"{plugin_id}.py").write_text(
            "import gc, os, time\nimport numpy as np\n"
            "from nebula_lab.plugin import Plugin, operation\n"
            f"PLUGIN_METADATA = {described!r}\n{header}\n"
            f"class It(Plugin):\n{indented}\ndef plugin_entry(): return It()\n"
        )

    return write


@pytest.fixture
def manage(folder):
    """Makes a manager of the folder's plugins."""
    with contextlib.ExitStack() as stack:

        def manage(sandbox="Process", **settings):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UnenforcedWarning)
                config = {"plugin_dir": folder, "security": {"sandbox": sandbox}, **settings}
                return stack.enter_context(PluginManager(config))

        yield manage
