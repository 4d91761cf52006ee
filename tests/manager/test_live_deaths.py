"""Processes that die at a bad moment: while they come back, and before anything was put right."""

from __future__ import annotations

import pytest

from nebula_lab import PluginState
from nebula_lab.errors import LoadFailedError, PluginCrashedError, PluginError, PluginTimeoutError

COUNTER = """
def initialize(self, config):
    self.count = 0
@operation
def up(self) -> int:
    self.count += 1
    return self.count
@operation
def die(self): os._exit(1)
def save_state(self): return {"count": self.count}
def restore_state(self, state): self.count = state["count"]
"""
EACH_CALL = {"calls": 1}
# Nothing comes back by itself for as long as a test lasts.
SLOWLY = {"backoff": 600.0, "max_backoff": 600.0}
AT_ONCE = {"backoff": 0.001}


def crash(plugins) -> None:
    with pytest.raises(PluginCrashedError):
        plugins["counter"].die()


def record(plugins):
    return plugins._engine.catalogue.record("counter")


def dying(tmp_path, times: int) -> tuple[str, object]:
    """Code that ends its process, so many times once it has been armed; and how to arm it."""
    mark = tmp_path / "lives"
    text = (
        f"    mark = pathlib.Path({str(mark)!r})\n"
        "    if mark.exists() and (left := int(mark.read_text() or 0)):\n"
        "        mark.write_text(str(left - 1))\n"
        "        os._exit(7)\n"
    )
    return text, lambda: mark.write_text(str(times))


@pytest.fixture
def without_process(folder, wait_until):
    """A manager whose counter, at 3, is gone and does not come back by itself for now."""
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint=EACH_CALL, restart=SLOWLY) as plugins:
        for _ in range(3):
            plugins["counter"].up()
        crash(plugins)
        crash(plugins)
        wait_until(lambda: not record(plugins).slots.hosts, "it is gone")
        yield plugins


def test_a_reload_while_there_is_no_process_goes_on_from_the_checkpoint(without_process):
    without_process.reload_plugin("counter")
    assert without_process["counter"].up() == 4


def test_so_does_a_suspension(without_process):
    without_process.suspend_plugin("counter")
    assert without_process["counter"].up() == 4


def test_and_what_has_crashed_too_often_once_it_is_loaded_again(folder, wait_until):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint=EACH_CALL, restart={"max_restarts": 0}) as plugins:
        assert plugins["counter"].up() == 1
        crash(plugins)
        wait_until(lambda: record(plugins).state is PluginState.FAILED, "it is given up")
        plugins.reload_plugin("counter")
        assert plugins["counter"].up() == 2


def test_but_an_unloaded_one_begins_anew(folder, wait_until):
    folder.plugin("counter", COUNTER)
    with folder.manager(checkpoint=EACH_CALL, restart={"max_restarts": 0}) as plugins:
        plugins["counter"].up()
        crash(plugins)
        wait_until(lambda: record(plugins).state is PluginState.FAILED, "it is given up")
        plugins.unload_plugin("counter")
        assert plugins["counter"].up() == 1


def test_a_process_that_dies_while_it_comes_back_is_one_more_crash(folder, tmp_path):
    text, arm = dying(tmp_path, 2)
    body = COUNTER.replace(
        "def initialize(self, config):\n", f"def initialize(self, config):\n{text}"
    )
    folder.plugin("counter", body)
    with folder.manager(checkpoint=EACH_CALL, restart=AT_ONCE) as plugins:
        assert plugins["counter"].up() == 1
        arm()
        crash(plugins)
        assert plugins["counter"].up() == 2


def test_of_which_there_may_be_so_many(folder, tmp_path, wait_until):
    text, arm = dying(tmp_path, 100)
    body = COUNTER.replace(
        "def initialize(self, config):\n", f"def initialize(self, config):\n{text}"
    )
    folder.plugin("counter", body)
    with folder.manager(restart={**AT_ONCE, "max_restarts": 2}) as plugins:
        plugins["counter"].up()
        arm()
        crash(plugins)
        wait_until(lambda: record(plugins).state is PluginState.FAILED, "it is given up")
        with pytest.raises(PluginError, match="crashed more than 2 times"):
            plugins["counter"].up()


def test_code_that_fails_to_come_back_is_not_tried_again(folder, tmp_path, wait_until):
    mark = tmp_path / "mark"
    failing = (
        f"def initialize(self, config):\n    assert not pathlib.Path({str(mark)!r}).exists()\n"
    )
    folder.plugin("counter", COUNTER.replace("def initialize(self, config):\n", failing))
    with folder.manager() as plugins:
        plugins["counter"].up()
        mark.touch()
        crash(plugins)
        wait_until(lambda: record(plugins).state is PluginState.FAILED, "it is given up")
        assert "AssertionError" in str(record(plugins).failure)


@pytest.mark.parametrize(("times", "count"), [(1, 2), (2, 1)])
def test_a_state_is_given_up_only_once_it_has_killed_two_processes(folder, tmp_path, times, count):
    text, arm = dying(tmp_path, times)
    body = COUNTER.replace(
        "def restore_state(self, state): ", f"def restore_state(self, state):\n{text}    "
    )
    folder.plugin("counter", body)
    with folder.manager(checkpoint=EACH_CALL, restart=AT_ONCE) as plugins:
        plugins["counter"].up()
        arm()
        crash(plugins)
        assert plugins["counter"].up() == count


def test_a_suspended_plugin_whose_process_dies_at_its_return_is_brought_back_again(
    folder, tmp_path
):
    text, arm = dying(tmp_path, 2)
    body = COUNTER.replace(
        "def initialize(self, config):\n", f"def initialize(self, config):\n{text}"
    )
    folder.plugin("counter", body)
    with folder.manager(restart=AT_ONCE) as plugins:
        plugins["counter"].up()
        plugins.suspend_plugin("counter")
        arm()
        assert plugins["counter"].up() == 2


def test_one_that_is_loaded_for_the_first_time_is_not(folder, tmp_path):
    text, arm = dying(tmp_path, 1)
    body = COUNTER.replace(
        "def initialize(self, config):\n", f"def initialize(self, config):\n{text}"
    )
    folder.plugin("counter", body)
    arm()
    with folder.manager() as plugins:
        with pytest.raises(LoadFailedError, match="exited with code 7"):
            plugins.load_plugin("counter")
        plugins.load_plugin("counter")
        assert plugins["counter"].up() == 1


# A checkpoint after each call


def test_a_call_is_answered_once_its_checkpoint_is_there(folder, callers, wait_until, tmp_path):
    mark, gate = tmp_path / "mark", tmp_path / "gate"
    saving = f"""def save_state(self):
    pathlib.Path({str(mark)!r}).touch()
    while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.002)
    return"""
    folder.plugin("counter", COUNTER.replace("def save_state(self): return", saving))
    with folder.manager(checkpoint=EACH_CALL) as plugins:
        callers.start(plugins.execute, "counter", "up")
        wait_until(mark.exists, "its checkpoint is being taken")
        assert callers.results == {}
        gate.touch()
        assert callers.join() == [1]
        assert record(plugins).slots.hosts[0].checkpoint.state == {"count": 1}


def test_a_call_whose_process_dies_before_that_has_failed(folder, tmp_path):
    text, arm = dying(tmp_path, 1)
    body = COUNTER.replace("def save_state(self): ", f"def save_state(self):\n{text}    ")
    folder.plugin("counter", body)
    with folder.manager(checkpoint=EACH_CALL, restart=AT_ONCE) as plugins:
        assert plugins["counter"].up() == 1
        arm()
        with pytest.raises(PluginCrashedError, match=r"counter\.up: crashed: exited with code 7"):
            plugins["counter"].up()
        assert plugins["counter"].up() == 2


def test_it_is_made_again_where_that_does_no_harm(folder, tmp_path):
    text, arm = dying(tmp_path, 1)
    body = COUNTER.replace("def save_state(self): ", f"def save_state(self):\n{text}    ")
    folder.plugin(
        "counter", body.replace("@operation\ndef up", "@operation(idempotent=True)\ndef up")
    )
    with folder.manager(checkpoint=EACH_CALL, restart=AT_ONCE) as plugins:
        assert plugins["counter"].up() == 1
        arm()
        assert plugins["counter"].up() == 2


def test_a_checkpoint_that_takes_longer_than_its_call_may_has_the_call_fail(folder, tmp_path):
    gate = tmp_path / "gate"
    saving = f"""def save_state(self):
    while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.002)
    return"""
    folder.plugin("counter", COUNTER.replace("def save_state(self): return", saving))
    with folder.manager(checkpoint=EACH_CALL) as plugins:
        plugins.load_plugin("counter")
        with pytest.raises(PluginTimeoutError):
            plugins.execute("counter", "up", timeout=0.5)
        gate.touch()
        assert plugins["counter"].up() in (1, 2)  # on a slow machine it may not have begun
