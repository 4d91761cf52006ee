"""New code in the place of old: with its state, and without a call that fails for it."""

from __future__ import annotations

import threading

import counting_plugin
import pytest

from nebula_lab.errors import LoadFailedError, PluginError
from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.plugin import HealthState
from nebula_lab.runtime.gate import Gate

WAIT = """
@operation
def wait(self, mark: str, gate: str) -> int:
    pathlib.Path(mark).touch()
    while not pathlib.Path(gate).exists():
        time.sleep(0.002)
    return VERSION
"""


def counter(version: int) -> str:
    return counting_plugin.counter(version, WAIT.replace("VERSION", str(version)))


@pytest.fixture(params=["Process", "None"])
def plugins(request, folder):
    folder.plugin("counter", counter(1))
    with folder.manager(request.param) as manager:
        yield manager


def info(plugins, plugin_id="counter"):
    return {info.id: info for info in plugins.list_plugins()}[plugin_id]


def test_a_reload_brings_new_code_and_moves_the_state(plugins, folder):
    assert [plugins["counter"].up() for _ in range(2)][-1] == [1, 2]
    folder.plugin("counter", counter(2), version="1.1.0")
    plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [2, 3]
    assert (info(plugins).reload_count, str(info(plugins).version)) == (1, "1.1.0")


BROKEN = {
    "a syntax error": "def broken(:",
    "an import that fails": "import no_such_module",
    "an initialize that raises": "def initialize(self, config): raise LookupError('no')",
    "a restore_state that raises": "def restore_state(self, state): raise LookupError('no')",
}


# What a process says of such edits is in test_live_broken.py.
@pytest.mark.parametrize("plugins", ["None"], indirect=True)
@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_edit_leaves_the_old_code_serving(plugins, folder, what):
    plugins["counter"].up()
    folder.plugin("counter", f"{counter(2)}\n{BROKEN[what]}")
    with pytest.raises(PluginError):
        plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [1, 2]
    assert info(plugins).reload_count == 0


def test_after_a_broken_edit_a_mended_one_is_taken(plugins, folder):
    plugins["counter"].up()
    folder.plugin("counter", "def broken(:")
    with pytest.raises(PluginError):
        plugins.reload_plugin("counter")
    folder.plugin("counter", counter(3))
    plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [3, 2]


def test_a_call_that_runs_during_a_reload_finishes_on_the_old_code(
    plugins, folder, callers, tmp_path, wait_until
):
    mark, gate = tmp_path / "mark", tmp_path / "gate"
    callers.start(plugins.execute, "counter", "wait", {"mark": str(mark), "gate": str(gate)})
    wait_until(mark.exists, "the call began")
    folder.plugin("counter", counter(2))
    callers.start(plugins.reload_plugin, "counter")
    slots = plugins._engine.catalogue.record("counter").slots
    wait_until(lambda: slots.gate is not Gate.OPEN, "the new code is ready, and calls are held")
    callers.start(plugins.execute, "counter", "up")
    wait_until(lambda: slots.queue_length == 1, "a new call waits")
    gate.touch()
    assert callers.join() == [1, None, [2, 1]]


def test_no_call_fails_while_the_plugin_is_reloaded_again_and_again(plugins, folder):
    failed, counts, done = [], [], threading.Event()

    def call() -> None:
        while not done.is_set():
            try:
                counts.append(plugins["counter"].up()[1])
            except BaseException as error:
                failed.append(error)
                return

    plugins.load_plugin("counter")
    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(2, 7):
        folder.plugin("counter", counter(version))
        plugins.reload_plugin("counter")
    done.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(counts) == list(range(1, len(counts) + 1))
    assert info(plugins).reload_count == 5


def test_a_version_that_a_dependent_refuses_is_not_taken_and_names_it(folder):
    folder.plugin("counter", counter(1))
    folder.plugin("user", "@operation\ndef ping(self): ...", dependencies=["counter ^1.0"])
    with folder.manager("None") as plugins:
        plugins["counter"].up()
        folder.plugin("counter", counter(2), version="2.0.0")
        with pytest.raises(PluginError, match="user"):
            plugins.reload_plugin("counter")
        assert plugins["counter"].up() == [1, 2]


def test_a_file_that_becomes_another_plugin_is_not_taken(folder):
    folder.plugin("counter", counter(1))
    with folder.manager("None") as plugins:
        plugins["counter"].up()
        folder.plugin("other", counter(2)).replace(folder.path / "counter.py")
        with pytest.raises(LoadFailedError, match="other"):
            plugins.reload_plugin("counter")
        assert plugins["counter"].up() == [1, 2]


def test_a_new_dependency_is_loaded_before_the_new_code(folder):
    folder.plugin("counter", counter(1))
    folder.plugin("helper", "@operation\ndef ping(self): return 'pong'")
    asking = counter(2) + '@operation\ndef ask(self): return self.context.call("helper", "ping")'
    with folder.manager("None") as plugins:
        plugins["counter"].up()
        folder.plugin("counter", asking, dependencies=["helper"])
        plugins.reload_plugin("counter")
        assert plugins["counter"].ask() == "pong"


def test_new_operations_are_known_after_a_reload(folder):
    folder.plugin("counter", counter(1))
    with folder.manager("None") as plugins:
        plugins.load_plugin("counter")
        folder.plugin("counter", counter(1) + "@operation\ndef down(self): return 'down'")
        plugins.reload_plugin("counter")
        assert "down" in plugins.operations("counter")
        assert plugins["counter"].down() == "down"


def test_replicas_are_reloaded_together(folder):
    folder.plugin("counter", counter(1), runtime={"replicas": 2})
    with folder.manager() as plugins:
        before = {host.pid for host in hosts(plugins)} or plugins.load_plugin("counter")
        before = {host.pid for host in hosts(plugins)}
        folder.plugin("counter", counter(2), runtime={"replicas": 2})
        plugins.reload_plugin("counter")
        assert len(hosts(plugins)) == 2
        assert not before & {host.pid for host in hosts(plugins)}


def hosts(plugins):
    return plugins._engine.catalogue.record("counter").slots.hosts


def test_reloads_and_failed_reloads_are_events(folder, wait_until):
    folder.plugin("counter", counter(1))
    events = []
    with folder.manager("None") as plugins:
        plugins.load_plugin("counter")
        plugins.subscribe(
            lambda e: events.append(e) if isinstance(e, PluginReloaded | ReloadFailed) else None
        )
        plugins.reload_plugin("counter")
        folder.plugin("counter", "def broken(:")
        with pytest.raises(PluginError):
            plugins.reload_plugin("counter")
        wait_until(lambda: len(events) == 2, "both events")
        assert [type(event) for event in events] == [PluginReloaded, ReloadFailed]
        assert events[0].duration > 0


# Suspending


def test_a_suspended_plugin_has_no_host_and_comes_back_with_its_state(plugins):
    plugins["counter"].up()
    plugins.suspend_plugin("counter")
    assert (hosts(plugins), info(plugins).state.value) == ((), "Suspended")
    plugins.resume_plugin("counter")
    assert plugins["counter"].up() == [1, 2]


def test_a_call_brings_a_suspended_plugin_back(plugins):
    plugins["counter"].up()
    plugins.suspend_plugin("counter")
    assert plugins["counter"].up() == [1, 2]


def test_a_suspended_plugin_that_is_reloaded_comes_back_with_its_state(plugins, folder):
    plugins["counter"].up()
    plugins.suspend_plugin("counter")
    folder.plugin("counter", counter(2))
    plugins.reload_plugin("counter")
    assert plugins["counter"].up() == [2, 2]


def test_what_can_not_save_its_state_is_not_suspended(folder):
    body = counter(1) + "def save_state(self): raise LookupError('no')"
    folder.plugin("counter", body)
    with folder.manager("None") as plugins:
        plugins["counter"].up()
        with pytest.raises(PluginError, match="LookupError"):
            plugins.suspend_plugin("counter")
        assert plugins["counter"].up() == [1, 2]


# Health

HEALTH = """
def health_check(self): return HealthStatus.%s
@operation
def block(self, mark: str, gate: str):
    pathlib.Path(mark).touch()
    while not pathlib.Path(gate).exists():
        time.sleep(0.002)
"""
SAYS = {
    "HEALTHY": (HealthState.HEALTHY, ""),
    "degraded('slow')": (HealthState.DEGRADED, "slow"),
    "unhealthy('gone')": (HealthState.UNHEALTHY, "gone"),
    "no_such_word": (HealthState.UNHEALTHY, "AttributeError"),
}


@pytest.mark.parametrize("says", SAYS)
def test_a_plugin_says_how_it_is(folder, says):
    folder.plugin("patient", HEALTH % says)
    with folder.manager("None") as plugins:
        plugins.load_plugin("patient")
        health = plugins.plugin_health("patient")
        assert health.state is SAYS[says][0]
        assert SAYS[says][1] in health.message


@pytest.mark.parametrize("step", [None, "suspend_plugin", "unload_plugin"])
def test_a_plugin_that_does_not_run_is_degraded_and_is_not_started_to_be_asked(folder, step):
    folder.plugin("patient", HEALTH % "HEALTHY")
    with folder.manager("None") as plugins:
        if step:
            plugins.load_plugin("patient")
            getattr(plugins, step)("patient")
        health = plugins.plugin_health("patient")
        assert (health.state, hosts_of(plugins)) == (HealthState.DEGRADED, ())
        assert "not running" in health.message


def hosts_of(plugins):
    return plugins._engine.catalogue.record("patient").slots.hosts


def test_a_busy_plugin_is_degraded(folder, callers, tmp_path, wait_until):
    folder.plugin("patient", HEALTH % "HEALTHY")
    mark, gate = tmp_path / "mark", tmp_path / "gate"
    with folder.manager("None") as plugins:
        callers.start(plugins.execute, "patient", "block", {"mark": str(mark), "gate": str(gate)})
        wait_until(mark.exists, "the call began")
        health = plugins.plugin_health("patient", timeout=0.1)
        gate.touch()
        callers.join()
        assert (health.state, "busy" in health.message) == (HealthState.DEGRADED, True)
