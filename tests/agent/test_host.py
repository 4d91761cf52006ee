"""A host under a manager: what it leaves in a plugin's folder, and how full channels fare."""

from __future__ import annotations

import pytest

from nebula_lab.errors import (
    LoadFailedError,
    PluginCrashedError,
    PluginTimeoutError,
    SymbolNotFoundError,
)

PACKAGE = """
from nebula_lab.plugin import Plugin, operation
from .inner import double
PLUGIN_METADATA = {"id": "pack", "version": "1.0.0"}
class Pack(Plugin):
    @operation
    def double(self, n: int) -> int:
        from .later import add
        return add(double(n))
def plugin_entry(): return Pack()
"""


def test_no_bytecode_is_left_in_a_plugins_folder(own_plugins, tmp_path):
    pack = tmp_path / "plugins" / "pack"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text(PACKAGE)
    (pack / "inner.py").write_text("def double(n): return 2 * n")
    (pack / "later.py").write_text("def add(n): return n + 1")
    manager = own_plugins()
    assert manager.execute("pack", "double", {"n": 4}) == 9
    assert sorted(path.name for path in (tmp_path / "plugins").rglob("*")) == [
        "__init__.py", "inner.py", "later.py", "pack",
    ]  # fmt: skip


def test_an_unread_stream_does_not_keep_a_large_call_from_the_same_host(plugins):
    stream = plugins.execute("crowd", "stream", {"size": 300_000})
    try:
        assert len(next(stream)) == 300_000
        length = plugins.execute("crowd", "length", {"text": "x" * 8_000_000}, timeout=10.0)
        assert length == 8_000_000
        assert sum(len(item) for item in stream) == 99 * 300_000
    finally:
        stream.close()


def test_large_values_go_both_ways(plugins):
    text = "x" * 20_000_000
    assert plugins.execute("crowd", "length", {"text": text}) == len(text)


WRONG = {
    "nothing": ("", SymbolNotFoundError, "has no function plugin_entry"),
    "initialize": (
        "class P(Plugin):\n    def initialize(self, config): return 1 / 0\n"
        "def plugin_entry(): return P()",
        LoadFailedError,
        "in initialize",
    ),
    "import": ("import no_such_module_anywhere", LoadFailedError, "no_such_module_anywhere"),
    "class": (
        "class P(Plugin): ...\ndef plugin_entry(): return P",
        LoadFailedError,
        "returned the class P",
    ),
    "exit": ("import os\nprint('last words', flush=True)\nos._exit(7)", LoadFailedError, "code 7"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_plugin_that_does_not_come_up_says_why_in_its_own_frames(own_plugins, plugin_file, name):
    body, kind, said = WRONG[name]
    plugin_file("wrong", body)
    manager = own_plugins()
    with pytest.raises(kind) as caught:
        manager.load_plugin("wrong")
    assert said in str(caught.value)
    assert "/nebula_lab/" not in caught.value.remote_traceback


SPOIL = """
import os, sys
def channel():
    for entry in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{entry}").startswith("socket:"):
                yield int(entry)
        except OSError:
            continue
class Spoiler(Plugin):
    @operation
    def rubbish(self):
        print("about to write rubbish", file=sys.__stderr__, flush=True)
        for descriptor in channel():
            try: os.write(descriptor, b"\\xff" * 1000)
            except OSError: pass
    @operation
    def tear(self):
        for descriptor in channel():
            try: os.write(descriptor, b"\\0\\1\\0\\0the beginning of a frame")
            except OSError: pass
    @operation
    def close(self):
        print("about to close", file=sys.__stderr__, flush=True)
        for descriptor in channel():
            os.close(descriptor)
    @operation
    def pid(self) -> int: return os.getpid()
def plugin_entry(): return Spoiler()
"""


@pytest.mark.parametrize(("operation", "words"), [("rubbish", "write rubbish"), ("close", "close")])
def test_a_plugin_that_spoils_its_channel_fails_its_call_and_is_there_again(
    own_plugins, plugin_file, operation, words
):
    plugin_file("spoiler", SPOIL)
    manager = own_plugins()
    first = manager.execute("spoiler", "pid")
    with pytest.raises(PluginCrashedError) as caught:
        manager.execute("spoiler", operation, timeout=10.0)
    assert words in "\n".join(caught.value.report.stderr_tail)
    assert manager.execute("spoiler", "pid", timeout=10.0) != first


def test_a_frame_that_never_ends_is_given_up_at_the_calls_deadline(own_plugins, plugin_file):
    plugin_file("spoiler", SPOIL)
    manager = own_plugins(grace="200ms")
    first = manager.execute("spoiler", "pid")
    with pytest.raises(PluginTimeoutError):
        manager.execute("spoiler", "tear", timeout=0.5)
    assert manager.execute("spoiler", "pid", timeout=10.0) != first
