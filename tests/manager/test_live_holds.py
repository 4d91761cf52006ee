"""Calls that come while a plugin is drained and its state moves, and what they are kept from."""

from __future__ import annotations

import pytest
from counting_plugin import counter

from nebula_lab.errors import PluginError
from nebula_lab.model import PluginState
from nebula_lab.runtime.gate import Gate

TIMEOUT = 300.0  # seconds; nothing here takes as long by itself
USUAL = 60.0  # what calls that block are said to have taken
BLOCK = """
@operation
def block(self, mark: str, gate: str) -> int:
    pathlib.Path(mark).touch()
    while not pathlib.Path(gate).exists(): time.sleep(0.002)
    return VERSION
"""
TWO = {"runtime": {"replicas": 2}}


class Blocked:
    """Calls of `block`, each until it is let go on."""

    def __init__(self, plugins, callers, wait_until, folder) -> None:
        self._plugins, self._callers, self._wait_until = plugins, callers, wait_until
        self._folder = folder

    def start(self, name: str) -> None:
        mark, gate = self._folder / f"{name}.mark", self._folder / name
        params = {"mark": str(mark), "gate": str(gate)}
        self._callers.start(self._plugins.execute, "counter", "block", params)

    def has_begun(self, name: str) -> bool:
        return (self._folder / f"{name}.mark").exists()

    def run(self, name: str) -> None:
        self.start(name)
        self._wait_until(lambda: self.has_begun(name), "it runs")

    def end(self, name: str) -> None:
        (self._folder / name).touch()


def blocking(version: int, more: str = "") -> str:
    return counter(version, BLOCK.replace("VERSION", str(version)) + more)


def slots_of(plugins, plugin_id="counter"):
    return plugins._engine.catalogue.record(plugin_id).slots


@pytest.fixture
def plugins(folder):
    folder.plugin("counter", blocking(1), **TWO)
    with folder.manager(timeout=TIMEOUT) as manager:
        manager["counter"].up()
        manager._engine.catalogue.record("counter").recorder.record("block", USUAL, True)
        yield manager


@pytest.fixture
def blocked(plugins, callers, wait_until, tmp_path):
    return Blocked(plugins, callers, wait_until, tmp_path)


@pytest.fixture
def drain(plugins, folder, callers, wait_until):
    def begin() -> None:
        folder.plugin("counter", blocking(2), **TWO)
        callers.start(plugins.reload_plugin, "counter")
        wait_until(lambda: slots_of(plugins).gate is Gate.DRAINING, "calls are held")

    return begin


def test_a_drain_waits_for_no_call_that_comes_later(plugins, blocked, drain, callers, wait_until):
    blocked.run("first")
    blocked.run("second")
    drain()
    blocked.start("third")
    wait_until(lambda: slots_of(plugins).waiting(), "it waits")
    blocked.end("first")
    wait_until(lambda: slots_of(plugins).has_free(), "there is a place")
    assert not blocked.has_begun("third")
    blocked.end("second")
    wait_until(lambda: blocked.has_begun("third"), "the reload lets it run")
    blocked.end("third")
    assert callers.join() == [1, 1, None, 2]


def test_a_call_with_little_time_runs_beside_those_that_are_waited_for(
    plugins, blocked, drain, callers
):
    blocked.run("first")
    drain()
    assert plugins.execute("counter", "up", timeout=3.0)[0] == 1
    blocked.end("first")
    assert callers.join() == [1, None]


NESTED = """
@operation
def through(self, mark: str, gate: str, plugin: str) -> list[int]:
    pathlib.Path(mark).touch()
    while not pathlib.Path(gate).exists(): time.sleep(0.002)
    return context.call(plugin, "up")
"""


def test_a_nested_call_that_a_running_one_waits_for_is_let_through(
    folder, callers, wait_until, tmp_path
):
    other = {**TWO, "dependencies": [{"plugin_id": "other", "optional": True}]}
    folder.plugin("counter", counter(1, NESTED), **other)
    back = [{"plugin_id": "counter", "optional": True}]
    folder.plugin("other", counter(1, NESTED), dependencies=back)
    gate = tmp_path / "gate"
    with folder.manager(timeout=TIMEOUT) as plugins:
        plugins.load_plugin("counter")
        plugins.load_plugin("other")
        plugins._engine.catalogue.record("counter").recorder.record("through", USUAL, True)
        for caller, called in (("counter", "other"), ("other", "counter")):
            mark = tmp_path / caller
            params = {"mark": str(mark), "gate": str(gate), "plugin": called}
            callers.start(plugins.execute, caller, "through", params)
            wait_until(mark.exists, "it runs")
        folder.plugin("counter", counter(2, NESTED), **other)
        callers.start(plugins.reload_plugin, "counter")
        wait_until(lambda: slots_of(plugins).gate is Gate.DRAINING, "calls are held")
        gate.touch()
        results = callers.join()
        assert [result and result[0] for result in results] == [1, 1, None], results


STUCK = """
def save_state(self):
    while pathlib.Path(FLAG).exists(): time.sleep(0.002)
    return {"count": self.count}
"""


@pytest.mark.parametrize("sandbox", ["Process", "None"])
@pytest.mark.parametrize("step", ["reload_plugin", "suspend_plugin"])
def test_a_save_state_that_does_not_end_fails_no_call_and_ends_no_process(
    folder, callers, tmp_path, sandbox, step
):
    flag = tmp_path / "flag"
    folder.plugin("counter", counter(1, STUCK.replace("FLAG", repr(str(flag)))))
    with folder.manager(sandbox, timeout=TIMEOUT, checkpoint={"interval": None}) as plugins:
        plugins["counter"].up()
        pid = plugins.list_plugins()[0].pid
        folder.plugin("counter", counter(2))
        flag.touch()
        callers.start(getattr(plugins, step), "counter")
        calls = 1
        while not callers.results:
            calls += 1
            assert plugins.execute("counter", "up", timeout=3.0) == [1, calls]
        (error,) = callers.join()
        assert isinstance(error, PluginError) and "save_state took so long" in str(error)
        assert plugins.list_plugins()[0].pid == pid
        assert plugins.list_plugins()[0].state is PluginState.ACTIVE
        flag.unlink()
        plugins.reload_plugin("counter")
        assert plugins["counter"].up() == [2, calls + 1]


def test_a_self_test_runs_while_the_old_version_is_busy(
    plugins, folder, blocked, callers, wait_until, tmp_path
):
    seen = tmp_path / "seen"
    blocked.run("first")
    test = f"def self_test(self): pathlib.Path({str(seen)!r}).touch()"
    folder.plugin("counter", blocking(2, test), runtime={"replicas": 1})
    blocked.run("second")
    callers.start(plugins.reload_plugin, "counter")
    wait_until(seen.exists, "the test has run")
    blocked.end("first")
    blocked.end("second")
    assert callers.join() == [1, 1, None]


def test_it_has_the_state_of_the_last_checkpoint_then(folder, callers, wait_until, tmp_path):
    seen = tmp_path / "seen"
    folder.plugin("counter", blocking(1))
    with folder.manager(timeout=TIMEOUT, checkpoint={"calls": 1}) as plugins:
        plugins["counter"].up()
        blocked = Blocked(plugins, callers, wait_until, tmp_path)
        blocked.run("first")
        test = f"""
def self_test(self):
    pathlib.Path({str(seen)!r}).with_suffix(".new").write_text(str(self.count))
    pathlib.Path({str(seen)!r}).with_suffix(".new").replace({str(seen)!r})
"""
        folder.plugin("counter", blocking(2, test))
        callers.start(plugins.reload_plugin, "counter")
        wait_until(seen.exists, "the test has run")
        assert seen.read_text() == "1"
        blocked.end("first")
        assert callers.join() == [1, None]
        assert plugins["counter"].up() == [2, 2]


def test_a_stream_has_the_grace_once(folder):
    endless = "@operation\ndef each(self) -> int:\n    while True: yield VERSION"
    folder.plugin("counter", counter(1, endless.replace("VERSION", "1")))
    with folder.manager(grace=TIMEOUT) as plugins:
        stream = plugins.execute("counter", "each")
        assert next(stream) == 1
        record = plugins._engine.catalogue.record("counter")
        (call,) = record.slots.users()
        # It has been waited for in vain before.
        with plugins._engine.lifecycle._holds.drained(record, streams={call: call.deadline - 2000}):
            assert call.cancelled
        record.slots.resume()
        stream.close()


def test_calls_that_are_held_are_not_too_many(folder, callers, wait_until, tmp_path):
    folder.plugin("counter", blocking(1))
    with folder.manager(timeout=TIMEOUT, queue_size=1) as plugins:
        plugins.load_plugin("counter")
        slots = slots_of(plugins)
        slots.hold()
        for _ in range(3):
            callers.start(plugins.execute, "counter", "up")
        wait_until(lambda: slots.queue_length == 3, "they wait")
        slots.resume()
        assert sorted(callers.join()) == [[1, 1], [1, 2], [1, 3]]
