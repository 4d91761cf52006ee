"""Both ends of a channel with the greetings behind them, by either way that arrays travel."""

from __future__ import annotations

import contextlib
import gc
import socket
import textwrap
import warnings

import pytest
from channel_ends import End, Pair, over_the_socket, segments_here, shared_memory

from nebula_lab import PluginManager, UnenforcedWarning
from nebula_lab.wire.protocol import Side


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


@pytest.fixture(autouse=True)
def no_segment_is_left(nothing_is_left_behind):
    """After each test: no descriptor of a segment. Their managers and pairs are closed by then."""
    yield
    for _ in range(2):  # what a finalizer of the first round let go of
        if segments_here():
            gc.collect()  # which takes longer than most of these tests
    assert segments_here() == []


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
        rights = {"capabilities": ["Network", "FileSystem", "MemoryAllocation"]}
        described = {"id": plugin_id, "version": "1.0.0", "security": rights, **metadata}
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
                config = {"plugin_dir": folder, "security": {"sandbox": sandbox}}
                config |= {"hot_reload": False, **settings}
                return stack.enter_context(PluginManager(config))

        yield manage
