"""Hosts that talk for ever, die at the wrong moment or send what nobody asked for."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from nebula_lab.errors import (
    DependentsLoadedError,
    LoadFailedError,
    PluginCrashedError,
    PluginError,
    PluginTimeoutError,
)
from nebula_lab.model import PluginState
from nebula_lab.runtime.gate import Gate

CHANNEL = """
def line():
    for one in gc.get_objects():
        if type(one).__module__ == "nebula_lab.link.channel":
            return one
"""
FLOODER = (
    """
@operation
def flood(self):
    from nebula_lab.agent.job import current_job
    from nebula_lab.wire.framing import frame
    from nebula_lab.wire.messages import Output, encode_message
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    words = frame(encode_message(Output(current_job.get().call, "stdout", "x")))
    fd = os.dup(line().fileno())
    os.set_blocking(fd, True)
    while True:
        os.write(fd, words)

@operation
def ping(self) -> str:
    return "pong"
""",
    CHANNEL,
)
REFUSER = (
    """
@operation
def refuse(self):
    from nebula_lab.wire.framing import frame
    from nebula_lab.wire.messages import Refused, encode_message
    os.write(os.dup(line().fileno()), frame(encode_message(Refused("no"))))

@operation
def ping(self) -> str:
    return "pong"
""",
    CHANNEL,
)
STREAMER = """
def initialize(self, config):
    self.count = 0

@operation
def numbers(self):
    yield from range(1000)

@operation
def paced(self, seconds: float, times: int):
    for number in range(times):
        time.sleep(seconds)
        yield self.context.call("calm", "ping")

@operation
def up(self) -> int:
    self.count += 1
    return self.count

def save_state(self): return self.count
def restore_state(self, state): self.count = state
"""
CALM = """
@operation
def ping(self, seconds: float = 0.0) -> str:
    time.sleep(seconds)
    return "pong"
"""

UNTIL = """
@operation
def until(self, path: str) -> str:
    while not os.path.exists(path):
        time.sleep(0.01)
    time.sleep(1.0)
    return "pong"
"""
DYING = """
def initialize(self, config):
    threading.Thread(target=self.die).start()

def die(self):
    time.sleep(0.2)
    open({path!r}, "w").close()
    os._exit(3)
"""


@pytest.fixture
def hostile(folder):
    def write(plugin_id, methods_and_rest):
        methods, rest = methods_and_rest
        folder.plugin(plugin_id, methods)
        path = folder.path / f"{plugin_id}.py"
        path.write_text(path.read_text() + rest)

    return write


def test_a_host_that_talks_for_ever_is_ended_at_the_deadline(folder, hostile):
    hostile("flooder", FLOODER)
    with folder.manager() as plugins:
        plugins.load_plugin("flooder")
        with pytest.raises(PluginTimeoutError):
            plugins.execute("flooder", "flood", timeout=0.5)
        assert plugins["flooder"].ping() == "pong"


def test_a_host_that_refuses_in_the_middle_is_replaced(folder, hostile):
    hostile("refuser", REFUSER)
    with folder.manager() as plugins:
        with pytest.raises(PluginCrashedError):
            plugins["refuser"].refuse()
        assert plugins["refuser"].ping() == "pong"


def test_new_code_that_ends_before_it_could_serve_does_not_replace_the_old(folder, tmp_path):
    dead = tmp_path / "dead"
    folder.plugin("calm", CALM + UNTIL)
    with folder.manager(grace=30.0) as plugins, ThreadPoolExecutor(1) as pool:
        plugins.load_plugin("calm")
        # While this runs the new code is not put in place; it ends after the new code has.
        busy = pool.submit(plugins.execute, "calm", "until", {"path": str(dead)})
        folder.plugin("calm", DYING.format(path=str(dead)) + CALM)
        with pytest.raises(LoadFailedError, match="process ended meanwhile"):
            plugins.reload_plugin("calm")
        assert busy.result() == "pong"
        assert plugins["calm"].ping() == "pong"


def test_an_interrupt_while_unloading_leaves_the_plugin_unloaded_and_loadable(folder, wait_until):
    folder.plugin("calm", CALM)
    with folder.manager(grace=5.0) as plugins, ThreadPoolExecutor(1) as pool:
        plugins.load_plugin("calm")
        pool.submit(plugins.execute, "calm", "ping", {"seconds": 3.0})
        record = plugins._engine.catalogue.record("calm")
        wait_until(lambda: record.slots.users(), "the call")
        main = threading.main_thread().ident

        def interrupt_once_unloading():
            wait_until(lambda: record.state is PluginState.UNLOADING, "the unloading")
            signal.pthread_kill(main, signal.SIGINT)

        threading.Thread(target=interrupt_once_unloading).start()
        with pytest.raises(KeyboardInterrupt):
            plugins.unload_plugin("calm")
        assert record.state is PluginState.DISCOVERED
        assert plugins["calm"].ping() == "pong"


def test_a_call_that_waits_while_its_plugin_is_suspended_brings_it_back(folder, wait_until):
    folder.plugin("slow", CALM + "\ndef save_state(self):\n    time.sleep(0.5)\n    return 1\n")
    with folder.manager() as plugins, ThreadPoolExecutor(2) as pool:
        plugins.load_plugin("slow")
        suspending = pool.submit(plugins.suspend_plugin, "slow")
        held = plugins._engine.catalogue.record("slow").slots
        wait_until(lambda: held.gate is not Gate.OPEN, "the hold")
        assert pool.submit(plugins.execute, "slow", "ping").result(10) == "pong"
        suspending.result(10)


def test_a_reload_does_not_fail_a_call_that_has_little_time(folder):
    folder.plugin("streamer", STREAMER, runtime={"concurrency": 2})
    with folder.manager() as plugins, ThreadPoolExecutor(1) as pool:
        stream = plugins.execute("streamer", "numbers")
        assert next(stream) == 0
        reloading = pool.submit(plugins.reload_plugin, "streamer")
        counts = []
        while not reloading.done():
            counts.append(plugins.execute("streamer", "up", timeout=1.0))
        reloading.result()
        assert counts == list(range(1, len(counts) + 1))


def test_a_reload_ends_an_idle_stream_and_keeps_the_state(folder):
    folder.plugin("streamer", STREAMER, runtime={"concurrency": 2})
    with folder.manager() as plugins:
        stream = plugins.execute("streamer", "numbers")
        assert next(stream) == 0
        plugins["streamer"].up()
        plugins.reload_plugin("streamer")
        assert plugins["streamer"].up() == 2
        assert plugins.metrics().restarts_total == 0


def test_a_stream_may_call_others_for_longer_than_the_time_out(folder):
    folder.plugin("calm", CALM)
    folder.plugin("streamer", STREAMER, dependencies=["calm"])
    with folder.manager() as plugins:
        plugins.load_plugin("streamer")
        stream = plugins.execute("streamer", "paced", {"seconds": 0.25, "times": 9}, timeout=2.0)
        assert list(stream) == ["pong"] * 9


def test_unloading_is_refused_while_a_dependent_is_being_loaded(folder, tmp_path, wait_until):
    gate = tmp_path / "gate"
    folder.plugin("calm", CALM)
    waits = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    folder.plugin("rising", f"def initialize(self, config):\n    {waits}\n", dependencies=["calm"])
    with folder.manager() as plugins, ThreadPoolExecutor(1) as pool:
        loading = pool.submit(plugins.load_plugin, "rising")
        record = plugins._engine.catalogue.record("rising")
        wait_until(lambda: record.state is PluginState.LOADING, "the loading")
        with pytest.raises(DependentsLoadedError):
            plugins.unload_plugin("calm")
        gate.touch()
        loading.result()


def test_an_initialize_that_hangs_is_named_with_the_place_where_it_hangs(folder):
    folder.plugin("hanging", "def initialize(self, config):\n    time.sleep(60)\n")
    with folder.manager(timeout=3.0) as plugins:
        with pytest.raises(
            LoadFailedError, match=r"its source or its initialize gave no answer"
        ) as caught:
            plugins.load_plugin("hanging")
        assert "time.sleep(60)" in caught.value.remote_traceback


GREEDY = """
def ask(self):
    try: context.call("greedy", "nothing", {"text": "x" * 12_000_000})
    except Exception: pass
@operation
def pour(self):
    yield 1
    threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(9)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    yield 2
@operation
def nothing(self, text: str): pass
"""


def test_requests_that_nobody_takes_do_not_fill_the_memory(folder, wait_until):
    rights = {"capabilities": ["Network", "FileSystem", "MemoryAllocation"]}
    folder.plugin("greedy", GREEDY, security=rights, dependencies=[])
    with folder.manager() as plugins:
        stream = iter(plugins["greedy"].pour())
        assert next(stream) == 1
        host = plugins._engine.catalogue.record("greedy").slots.hosts[0]
        wait_until(lambda: host.link.ended is not None, "the host is given up", timeout=30)
        assert "many megabytes" in str(host.link.ended)
        with pytest.raises(PluginError):
            list(stream)
