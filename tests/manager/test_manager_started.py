"""What an interrupted call has started is ended, and nothing else of the plugin's."""

from __future__ import annotations

import os

import psutil
import pytest

from nebula_lab.errors import PluginTimeoutError

RIGHTS = {"capabilities": ["ProcessSpawn", "FileSystem", "MemoryAllocation"]}
PLUGIN = """
# It ignores what is usual, and has a session of its own; so has what it starts.
DEAF = "trap '' INT TERM; sleep {0} & sleep {0}"
def start(seconds):
    command = DEAF.format(seconds)
    return subprocess.Popen(["sh", "-c", command], start_new_session=True)
class It(Plugin):
    @operation
    def keep(self, seconds: int) -> int:
        return start(seconds).pid
    @operation
    def run(self, seconds: int, mark: str = ""):
        started = start(seconds)
        if mark:
            pathlib.Path(mark).touch()
        started.wait()
    @operation
    def items(self, seconds: int):
        start(seconds)
        while True:
            yield 1
    @operation
    def pid(self) -> int:
        return os.getpid()
def plugin_entry(): return It()
"""


@pytest.fixture
def plugins(folder):
    folder.write("it", PLUGIN, security=RIGHTS)
    security = {"sandbox": "Process", "capabilities": RIGHTS["capabilities"]}
    with folder.manager(security=security, grace=20.0) as it:  # all gives way
        yield it


def asleep(seconds: int) -> int:
    """How many processes of ours sleep for so long; a number that only one test uses."""
    found = 0
    for process in psutil.process_iter(["cmdline"]):
        found += process.info["cmdline"] == ["sleep", str(seconds)]
    return found


@pytest.fixture(scope="module")
def lengths():
    """Numbers of seconds that nothing else sleeps for."""
    return iter(range(os.getpid() * 100, os.getpid() * 100 + 100))


def test_what_an_interrupted_call_started_is_ended(plugins, lengths, wait_until):
    pid, seconds = plugins["it"].pid(), next(lengths)
    with pytest.raises(PluginTimeoutError, match="It was interrupted"):
        plugins.execute("it", "run", {"seconds": seconds}, timeout=0.5)
    wait_until(lambda: asleep(seconds) == 0, "the end of what it started")
    assert plugins["it"].pid() == pid


def test_what_the_plugin_had_before_stays(plugins, lengths, wait_until):
    kept, started = next(lengths), next(lengths)
    plugins["it"].keep(seconds=kept)
    wait_until(lambda: asleep(kept) == 2, "what is to stay")
    with pytest.raises(PluginTimeoutError):
        plugins.execute("it", "run", {"seconds": started}, timeout=0.5)
    wait_until(lambda: asleep(started) == 0, "the end of what it started")
    assert asleep(kept) == 2


def test_what_a_call_just_before_started_stays(plugins, lengths, wait_until):
    """The two processes are started within the same hundredth of a second, or nearly."""
    for _ in range(5):
        kept, started = next(lengths), next(lengths)
        plugins["it"].keep(seconds=kept)
        with pytest.raises(PluginTimeoutError):
            plugins.execute("it", "run", {"seconds": started}, timeout=0.3)
        wait_until(lambda started=started: asleep(started) == 0, "the end of what it started")
        wait_until(lambda kept=kept: asleep(kept) == 2, "what is to stay")


def test_what_a_cancelled_call_started_is_ended(plugins, callers, lengths, tmp_path, wait_until):
    seconds, mark = next(lengths), tmp_path / "mark"
    call = plugins.begin("it", "run", 30.0)
    callers.start(plugins.execute_invocation, call, {"seconds": seconds, "mark": str(mark)})
    wait_until(mark.exists, "the call")
    call.cancel()
    callers.join()
    wait_until(lambda: asleep(seconds) == 0, "the end of what it started")


def test_what_a_stream_started_stays_once_it_is_closed(plugins, lengths, wait_until):
    seconds = next(lengths)
    with plugins.execute("it", "items", {"seconds": seconds}) as items:
        assert next(items) == 1
    wait_until(lambda: asleep(seconds) == 2, "what is to stay")
